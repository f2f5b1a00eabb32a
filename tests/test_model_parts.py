"""Moving and reading a part of a template: the same program as moving the whole, and nothing stale is ever read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import LiveHighs, Status, compile_template
from model.template import Gradient, Part
from tests.test_model_template import BLENDING, blending, program

TEMPLATE = compile_template(blending(BLENDING))
NAMES = sorted(BLENDING)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True), st.integers(0, 2**32 - 1))
def test_a_part_is_the_whole_where_it_moves_and_the_rest_stays(names: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = TEMPLATE.vector(BLENDING)
    moved = np.repeat(start[None], 3, axis=0)
    for name in names:
        at = TEMPLATE.parameters[name]
        moved[:, at] *= rng.uniform(0.9, 1.1, (3, at.size))
    part, before, after = Part(TEMPLATE, names), TEMPLATE.values(start), TEMPLATE.values(moved)
    rest = np.setdiff1d(np.arange(before.size), part.entries)
    np.testing.assert_array_equal(after[:, rest], np.broadcast_to(before[rest], (3, rest.size)))
    np.testing.assert_array_equal(part.values(moved), after[:, part.entries])
    np.testing.assert_array_equal(part.values(moved[1]), after[1, part.entries])
    one, other = LiveHighs(TEMPLATE), LiveHighs(TEMPLATE)
    one.move(before)
    one.move_part(part, after[2, part.entries])
    other.move(after[2])
    for mine, whole in zip(program(one), program(other), strict=True):
        np.testing.assert_array_equal(mine, whole)
    np.testing.assert_array_equal(one.entries, after[2])


def test_a_part_before_the_whole_is_refused() -> None:
    part = Part(TEMPLATE, ["stock"])
    with pytest.raises(RuntimeError, match="nothing was moved yet"):
        LiveHighs(TEMPLATE).move_part(part, part.values(TEMPLATE.vector(BLENDING)))


def test_a_solution_is_read_before_the_next_solve_or_not_at_all() -> None:
    live = LiveHighs(TEMPLATE)
    live.move(TEMPLATE.values(TEMPLATE.vector(BLENDING)))
    first = live.solve()
    primal = first.primal.copy()
    live.move(TEMPLATE.values(TEMPLATE.vector({**BLENDING, "price": [9.0, 5.0, 3.0]})))
    second = live.solve()
    assert first.status is second.status is Status.OPTIMAL
    np.testing.assert_array_equal(first.primal, primal)  # read in time, it stays
    assert (second.primal != primal).any()
    with pytest.raises(RuntimeError, match="row_dual of solve 1 is gone"):
        _ = first.row_dual


def test_gradient_without_the_primal() -> None:
    live = LiveHighs(TEMPLATE)
    vector = TEMPLATE.vector(BLENDING)
    live.move(TEMPLATE.values(vector))
    found = live.solve()
    for name in NAMES:
        gradient = Gradient(TEMPLATE, name)
        jacobian = gradient.jacobian(vector)
        whole = gradient.of(jacobian, found.primal, found.row_dual, found.column_dual)
        if gradient.needs_primal:
            with pytest.raises(ValueError, match="so that the primal counts"):
                gradient.of(jacobian, None, found.row_dual, found.column_dual)
        else:
            np.testing.assert_array_equal(gradient.of(jacobian, None, found.row_dual, found.column_dual), whole)
    of_sides = {n for n in NAMES if not Gradient(TEMPLATE, n).needs_primal}
    assert of_sides == {"high", "least_used", "low", "open_share", "season", "stock"}


def test_companions_are_the_parameters_of_the_same_products() -> None:
    def names(of: str) -> set[str]:
        at = Gradient(TEMPLATE, of).companions
        return {name for name, positions in TEMPLATE.parameters.items() if np.isin(at, positions).any()}

    assert names("freight") == {"price", "tax"}
    assert names("season") == {"low", "high"}
    assert names("fee") == {"fee"}, "a square: its slope depends on itself"
    assert names("stock") == {"open_share"}
