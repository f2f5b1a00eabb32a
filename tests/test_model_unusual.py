"""Check that nothing which may be zero in a table or a study stops a draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import (
    Days,
    Inputs,
    build_case,
    read_configurations,
    solve_draw,
)
from tests.case_tables import (
    GOOD,
)
from tests.cases import YEAR


def without(column: str, place: int | slice) -> Callable[[Inputs], Inputs]:
    """A system in which a technology, or a group of them, stands nowhere."""

    def change(inputs: Inputs) -> Inputs:
        sizes = np.array(getattr(inputs, column))
        sizes[:, place] = 0.0
        return replace(inputs, **{column: sizes})

    return change


def scalar(name: str, value: float) -> Callable[[Inputs], Inputs]:
    return lambda inputs: replace(inputs, scalars={**inputs.scalars, name: value})


UNUSUAL: dict[str, Callable[[Inputs], Inputs]] = {
    "all there": lambda inputs: inputs,
    "no coal": without("thermal", 0),
    "no lng": without("thermal", 1),
    "no oil": without("thermal", 2),
    "no thermal": without("thermal", slice(None)),
    "no sun": without("curtailable", 0),
    "no wind": without("curtailable", slice(1, 3)),
    "no renewables": without("curtailable", slice(None)),
    "no pumped hydro": without("power", 0),
    "no battery": without("power", 1),
    "no storage": without("power", slice(None)),
    "no nuclear": lambda inputs: replace(inputs, nuclear=np.zeros(2)),
    "no emissions": lambda inputs: replace(inputs, emission=np.zeros(3)),
    "line without capacity": lambda inputs: replace(
        inputs, lines=replace(inputs.lines, forward=np.zeros(1), backward=np.zeros(1))
    ),
    "line one way": lambda inputs: replace(inputs, lines=replace(inputs.lines, backward=np.zeros(1))),
    "no limits of latency": lambda inputs: replace(inputs, class_limit=np.full(2, np.inf)),
    "no user in an area": lambda inputs: replace(inputs, user_share=np.array([1.0, 0.0])),
    **{
        f"{name} = 0": scalar(name, 0.0)
        for name in (
            "crf",
            "net_cost",
            "latency_penalty",
            "headroom",
            "flow_cost",
            "storage_cost",
            "spill_cost",
            "tie_breaker_time_shift",
            "tie_breaker_space_shift",
            "tie_breaker_rtt",
            "pumped_derate",
        )
    },
    "no tie-breaker and no limits": lambda inputs: scalar("tie_breaker_rtt", 0.0)(
        replace(inputs, class_limit=np.full(2, np.inf))
    ),
}


@pytest.mark.parametrize("case", UNUSUAL)
def test_unusual_system_is_solved(case: str, inputs: Inputs, folder: Path) -> None:
    """Nothing that may be zero in a table or a study stops a draw."""
    unusual = UNUSUAL[case](inputs)
    configurations = read_configurations(folder / "configurations.csv", ["both", "tokyo"], unusual, "simple", {})
    days = {YEAR: Days(np.array([10]), np.array([365.0]))}
    theta = {**GOOD, "dc_demand": 2.0, "apn_adoption": 0.5, "wls_time_share": 0.2, "co2_price": 9000.0}
    found = solve_draw(build_case(unusual, days, configurations, "both", "simple", theta), theta)
    assert found["status"].tolist() == [1, 1]
    assert np.isfinite(found["total_cost"]).all()
