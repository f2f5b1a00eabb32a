"""Days linked in one program: apart they cost what they cost alone, and links are worth what a case by hand says."""

from __future__ import annotations

import numpy as np
import pytest

from model import Days, build_case
from model.chain import Dispatcher
from model.configurations import Configuration
from model.linked import linked_cost
from model.weather import WeatherYear
from tests.cases import THETA, YEAR, system

SIZE = (365, 24, 1)


def case_of(demand: np.ndarray, sun: np.ndarray, **given: object):  # type: ignore[no-untyped-def]
    factor = np.zeros((*SIZE, 3))
    factor[..., 0] = sun[:, None, None]
    weather = WeatherYear(np.broadcast_to(demand[:, None, None], SIZE), factor, np.zeros(SIZE))
    inputs = system("W", lng=[10], demand=[demand.sum() * 24 / 1000], weather=weather, **given)
    shares = np.ones((1, 1))
    return build_case(
        inputs,
        {YEAR: Days(np.array([100, 101]), np.array([182.5, 182.5]))},
        [Configuration("dc", shares, shares > 0)],
        "dc",
        "tiers",
        {**THETA, "dc_demand": 1e-3},
    )


def test_storage_carries_a_sunny_day_over_to_the_next() -> None:
    """4 GW of load, 6 of sun on day 100 alone: a battery of 10 GWh fills and gives 9 the next day, 87 GWh of lng are left."""
    sun = np.zeros(365)
    sun[100] = 1.0
    case = case_of(np.full(365, 4.0), sun, solar=[6], battery=[(2.0, 10.0)])
    theta, load = {**THETA, "dc_demand": 1e-3}, np.zeros(1)
    apart = linked_cost(case, theta, load, (100, 101), storage=False, commitment=False)
    alone = Dispatcher(case, theta).solve_days([load], slopes=False)[0][0].cost / 182.5
    assert apart == pytest.approx(alone, rel=1e-9)
    assert apart == pytest.approx(96 * 10, rel=1e-6)
    linked = linked_cost(case, theta, load, (100, 101), storage=True, commitment=False)
    assert linked == pytest.approx((96 - 9) * 10 + 9 * 0.5, rel=1e-6)


def test_commitment_over_both_days_runs_at_its_minimum_on_the_easy_one() -> None:
    """8 GW on day 101 commit 8 on day 100 too, which run at 2 at least, its load. Where that is 1, only 4 may be."""
    demand = np.full(365, 2.0)
    demand[101] = 8.0
    case = case_of(demand, np.zeros(365), min_output=[0.0, 0.25, 0.0], solar=[1])
    theta, load = {**THETA, "dc_demand": 1e-3}, np.zeros(1)
    sun = linked_cost(case, theta, load, (100, 101), storage=False, commitment=False)
    assert sun == pytest.approx(24 * 10 * (2 + 8), rel=1e-6)
    tied = linked_cost(case, theta, load, (100, 101), storage=False, commitment=True)
    assert tied == pytest.approx(sun, rel=1e-6)  # 8 x 0.25 = 2: just what day 100 needs
    demand[100] = 1.0
    case = case_of(demand, np.zeros(365), min_output=[0.0, 0.25, 0.0], solar=[1])
    tied = linked_cost(case, theta, load, (100, 101), storage=False, commitment=True)
    # Only 4 GW may be committed, for a minimum of 1: 4 GW of day 101 go unserved.
    assert tied == pytest.approx(24 * (10 * (1 + 4) + 3000 * 4), rel=1e-6)
