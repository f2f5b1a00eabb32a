"""Test that what cannot be solved keeps its row and its status, and harms nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from model import (
    LiveHighs,
    Status,
    live,
    solve_draw,
)
from tests.draws import (
    DRAWS,
    nothing_but_status,
    same_bytes,
    small_case,
    wide_draw,
    with_configuration,
)


def failing_at(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    """Let the solver run out of iterations in one solve, the ``call``-th from now, and in no other."""
    solve, calls = LiveHighs.solve, iter(range(1, 10**6))

    def limited(self: LiveHighs) -> live.Solution:
        if next(calls) != call:
            return solve(self)
        self.highs.setOptionValue("simplex_iteration_limit", 1)
        solution = solve(self)
        self.highs.setOptionValue("simplex_iteration_limit", live.ITERATION_LIMIT)
        return solution

    monkeypatch.setattr(LiveHighs, "solve", limited)


@pytest.mark.parametrize("call", [3, 4, 8])
def test_a_failed_configuration_harms_no_other(monkeypatch: pytest.MonkeyPatch, call: int) -> None:
    # Solves of a day: two each of tokyo_osaka and five_hubs, whose empty areas are raised, and one of ten_areas.
    case, theta = small_case(["tokyo_osaka", "five_hubs", "ten_areas"]), wide_draw(1)
    whole = solve_draw(case, theta)
    with monkeypatch.context() as patch:
        failing_at(patch, call)
        result = solve_draw(case, theta)
    assert result["status"].tolist() == [Status.OPTIMAL, Status.ITERATION_LIMIT, Status.OPTIMAL]
    assert nothing_but_status(result, 1)
    assert result["iterations"][1] >= 0
    assert np.isnan(result["regret_total"]).all(), "the best named configuration is not known"
    for name in ("total_cost", "saving_total", "co2", "siting_value", "area_price"):
        np.testing.assert_allclose(result[name][[0, 2]], whole[name][[0, 2]], rtol=1e-8, atol=1e-8)
    assert same_bytes(solve_draw(case, theta), whole), "a failure leaves nothing behind"


def test_without_the_reference_there_are_costs_and_no_savings(monkeypatch: pytest.MonkeyPatch) -> None:
    case = small_case(["tokyo_osaka", "ten_areas"])
    failing_at(monkeypatch, 1)
    result = solve_draw(case, wide_draw(1))
    assert result["status"].tolist() == [Status.ITERATION_LIMIT, Status.OPTIMAL]
    assert np.isfinite(result["total_cost"][1])
    for name in ("saving_total", "saving_fuel_co2", "regret_total"):
        assert np.isnan(result[name]).all()


def test_every_row_is_kept_when_every_solve_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    case = small_case(["tokyo_osaka", "ten_areas", "optimal"])
    monkeypatch.setattr(live, "ITERATION_LIMIT", 1)
    result = solve_draw(case, wide_draw(1))
    assert result["status"].tolist() == [Status.ITERATION_LIMIT] * 3
    assert all(nothing_but_status(result, number) for number in range(3))


def test_search_for_whole_sites_ends_at_a_number_of_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    case = small_case(["tokyo_osaka", "optimal"])
    assert solve_draw(case, wide_draw(1))["status"].tolist() == [Status.OPTIMAL] * 2
    monkeypatch.setattr(live, "NODE_LIMIT", 0)
    result = solve_draw(case, wide_draw(1))
    assert result["status"].tolist() == [Status.OPTIMAL, Status.ITERATION_LIMIT]
    assert nothing_but_status(result, 1)


def test_a_siting_that_no_rule_allows_is_infeasible() -> None:
    case = small_case(["tokyo_osaka", "ten_areas"])
    shares = np.zeros((10, 3))
    shares[2, 0], shares[9, 2] = 0.9, 0.1  # smart cities in Okinawa, beyond its own users
    result = solve_draw(with_configuration(case, "too_local", shares), DRAWS["mid"])
    assert result["status"].tolist() == [Status.OPTIMAL, Status.OPTIMAL, Status.INFEASIBLE]
    assert nothing_but_status(result, 2)
    assert np.isnan(result["regret_total"]).all()
    assert np.isfinite(result["saving_total"][:2]).all()
