"""Hold the decomposition against the farmer problem's published optima, for every measure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from sweep.robust import (
    Budget,
    End,
    Found,
    Goal,
    Measure,
    NoneMeetsBudgetError,
    Space,
    decompose,
    different,
    near_optimal,
    nested,
)
from tests import farmer

GAP = 1e-8


def solve(*terms: tuple[float, str], yields=farmer.YIELDS, best=None, budgets=(), **more) -> Found:
    goal = Goal(
        tuple((weight, Measure.parse(text)) for weight, text in terms),
        tuple(Budget(Measure.parse(text), limit) for text, limit in budgets),
    )
    return decompose(farmer.problem(yields, best), farmer.oracle(yields), goal, gap=GAP, **more)


@pytest.fixture(scope="module")
def wait_and_see() -> np.ndarray:
    return np.array([solve((1.0, "mean"), yields=(each,)).value for each in farmer.YIELDS])


@pytest.mark.parametrize(
    ("measure", "value", "point"),
    [
        ("mean", -108390.0, (170, 80, 250)),
        ("worst", -59950.0, None),
        ("regret", 7511.857708, (134.617918, 100, 265.382082)),
        ("cvar:0.5", -77033.333333, (100, 100, 300)),
    ],
)
def test_published_optimum(measure: str, value: float, point, wait_and_see: np.ndarray) -> None:
    found = solve((1.0, measure), best=wait_and_see)
    assert found.value == pytest.approx(value, rel=1e-7)
    assert found.bound == pytest.approx(value, rel=1e-7)
    assert 0 <= found.gap <= GAP
    if point is not None:
        assert found.point == pytest.approx(point, abs=1e-3)


def test_value_of_information_and_of_the_stochastic_solution(wait_and_see: np.ndarray) -> None:
    best = solve((1.0, "mean"))
    assert wait_and_see.mean() == pytest.approx(-115405.5556, abs=1e-3)
    assert best.value - wait_and_see.mean() == pytest.approx(7015.5556, abs=1e-3)
    mean = solve((1.0, "mean"), yields=(1.0,))
    assert mean.point == pytest.approx((120, 80, 300), abs=1e-3)
    there = farmer.oracle()(mean.point, np.arange(3)).cost + farmer.problem().stage_cost(mean.point)
    assert there.mean() == pytest.approx(-107240, abs=1e-3)
    assert there.mean() - best.value == pytest.approx(1150, abs=1e-2)


def test_budget_of_regret_lies_between_the_two_optima(wait_and_see: np.ndarray) -> None:
    free, tight = solve((1.0, "mean")), solve((1.0, "regret"), best=wait_and_see)
    free_regret = float((free.cost - wait_and_see).max())
    limit = (tight.value + free_regret) / 2
    held = solve((1.0, "mean"), best=wait_and_see, budgets=[("regret", limit)])
    assert float((held.cost - wait_and_see).max()) <= limit * (1 + GAP)
    assert free.value < held.value < tight.cost.mean()
    with pytest.raises(NoneMeetsBudgetError, match="the cuts prove it"):
        solve((1.0, "mean"), best=wait_and_see, budgets=[("regret", tight.value * 0.999)])


def test_weighted_sum_goes_from_mean_to_cvar() -> None:
    values = [solve((1.0, "mean"), (weight, "cvar:0.5")) for weight in (1e-6, 0.5, 1e3)]
    mean = [found.cost.mean() for found in values]
    tail = [Measure.parse("cvar:0.5").of(found.cost, np.full(3, 1 / 3)) for found in values]
    assert (np.diff(mean) > -0.01).all()
    assert (np.diff(tail) < 0.01).all()
    assert mean[0] == pytest.approx(-108390, rel=1e-6)
    assert tail[-1] == pytest.approx(-77033.333333, rel=1e-6)


def test_scenarios_taken_together_change_nothing() -> None:
    apart, together = solve((1.0, "mean")), solve((1.0, "mean"), groups=[np.array([0, 2]), np.array([1])])
    assert together.value == pytest.approx(apart.value, rel=1e-8)
    assert together.point == pytest.approx(apart.point, abs=1e-3)


@pytest.mark.parametrize("text", ["men", "cvar", "cvar:1", "cvar:x", "mean:0.5", "regret:0.9", ""])
def test_measure_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected mean, cvar:LEVEL"):
        Measure.parse(text)


def test_cvar_counts_a_part_of_the_scenario_at_its_edge() -> None:
    cost, equal = np.array([10.0, 20.0, 30.0, 40.0]), np.full(4, 0.25)
    assert Measure.parse("cvar:0.6").of(cost, equal) == pytest.approx(36.25)
    assert -Measure.parse("cvar:0.6").of(-cost, equal) == pytest.approx(13.75)


def test_rounds_that_run_out_leave_an_honest_gap() -> None:
    found = solve((1.0, "mean"), most=4)
    assert len(found.rounds) == 4
    assert found.bound < -108390 < found.value
    assert found.gap == pytest.approx((found.value - found.bound) / abs(found.value))


def test_range_of_good_plans() -> None:
    goal = Goal(((1.0, Measure("mean")),))
    best = decompose(farmer.problem(), farmer.oracle(), goal, gap=GAP)
    limit = best.value + 0.01 * abs(best.value)
    wheat = {"wheat": np.array([1.0, 0.0, 0.0])}
    made = near_optimal(farmer.problem(), farmer.oracle(), goal, best, limit, wheat, gap=GAP)
    low, high = made.ends["wheat"]
    assert low.outer <= low.inner < 170 < high.inner <= high.outer
    assert (made.values <= limit + 1.0).all()
    costs = [farmer.oracle()(point, np.arange(3)).cost.mean() + np.dot(farmer.PLANTING, point) for point in made.points]
    assert costs == pytest.approx(made.values)
    assert different(made.points, 2) == [0, int(np.abs(made.points - made.points[0]).sum(axis=1).argmax())]


def test_ranges_under_a_budget_hold_every_plan_and_each_other() -> None:
    worst = solve((1.0, "worst")).value
    goal = Goal(((1.0, Measure("mean")),), (Budget(Measure("worst"), worst + 1e-3 * abs(worst)),))
    best = decompose(farmer.problem(), farmer.oracle(), goal, gap=1e-4)
    crops = {crop: np.eye(3)[n] for n, crop in enumerate(("wheat", "corn", "beets"))}
    made = []
    for more in (0.002, 0.01, 0.05):
        limit = best.value + more * abs(best.value)
        made.append(near_optimal(farmer.problem(), farmer.oracle(), goal, best, limit, crops, gap=1e-4, known=made))
    narrow, middle, wide = spaces = nested(made, crops)
    for space in spaces:
        for crop, along in zip(crops, space.points.T, strict=True):
            low, high = space.ends[crop]
            assert low.outer <= low.inner == along.min() <= along.max() == high.inner <= high.outer
    for closer, wider in ((narrow, middle), (middle, wide)):
        for crop in crops:
            (low, high), (lower, higher) = closer.ends[crop], wider.ends[crop]
            assert lower.outer <= low.outer
            assert lower.inner <= low.inner
            assert high.inner <= higher.inner
            assert high.outer <= higher.outer
    assert len(narrow.points) <= len(middle.points) <= len(wide.points)


def test_what_is_known_to_be_good_is_not_evaluated_again() -> None:
    goal = Goal(((1.0, Measure("mean")),))
    best = decompose(farmer.problem(), farmer.oracle(), goal, gap=GAP)
    crops = {crop: np.eye(3)[n] for n, crop in enumerate(("wheat", "corn", "beets"))}
    told: list[str] = []

    def within(more: float, known: Sequence[Space] = ()) -> Space:
        limit = best.value + more * abs(best.value)
        return near_optimal(
            farmer.problem(), farmer.oracle(), goal, best, limit, crops, gap=GAP, known=known, tell=told.append
        )

    narrow = within(0.01)
    again, wide = within(0.01, [narrow]), within(0.05, [narrow])
    assert 0 == again.evaluated < narrow.evaluated
    assert len(told) == 3 * 2 * len(crops)
    for crop in crops:
        (low, high), (lower, higher) = narrow.ends[crop], wide.ends[crop]
        assert (again.ends[crop][0].inner, again.ends[crop][1].inner) == (low.inner, high.inner)
        assert lower.outer <= lower.inner <= low.inner <= high.inner <= higher.inner <= higher.outer


def test_what_missed_a_narrow_limit_counts_for_a_wide_one() -> None:
    along = {"wheat": np.array([1.0])}
    ends = {"wheat": (End(0.0, 0.0), End(0.9, 0.0))}
    best, late = np.array([0.0]), np.array([0.8])
    narrow = Space(1.0, ends, np.array([best]), np.array([0.5]), 1, beyond=[(1.5, late)])
    wide = Space(2.0, ends, np.array([best]), np.array([0.5]), 0)
    closer, wider = nested([narrow, wide], along)
    assert closer.points.tolist() == [[0.0]]
    assert wider.points.tolist() == [[0.0], [0.8]]
    assert (closer.ends["wheat"][1].inner, wider.ends["wheat"][1].inner) == (0.0, 0.8)
