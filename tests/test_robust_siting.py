"""Hold one siting for all draws against its extensive form, and its cuts and rules against the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyomo.environ as pyo
import pytest

from benchmarks.extensive import extensive_form, solve_extensive
from model import Case, Configuration, Days, Home, build_case, cost_of_shares, find_home, lift
from model.weather import WeatherYear
from sweep.kept_workers import Workers
from sweep.robust import Goal, Measure, decompose
from sweep.siting_points import Points, solve_asked
from sweep.siting_problem import demand_range, problem_of
from tests.cases import THETA, YEAR, system

GAP = 1e-7
MEASURES = ("mean", "cvar:0.5", "worst", "regret")


def two_areas() -> Case:
    sun = np.maximum(0.0, np.sin((np.arange(24) - 6) * np.pi / 12))
    factor = np.zeros((365, 24, 2, 3))
    factor[:, :, 0, 0], factor[:, :, 1, 0] = 0.3 * sun, 0.9 * sun
    factor[:, :, 1, 1] = np.random.default_rng(5).uniform(0.1, 0.6, (365, 24))
    weather = WeatherYear(np.ones((365, 24, 2)), factor, np.zeros((365, 24, 2)))
    inputs = system(
        lines=[("W", "E", 2.0, 2.0, "")],
        lng=(12.0, 2.0),
        coal=(6.0, 1.0),
        oil=(3.0, 0.5),
        solar=(4.0, 12.0),
        wind_onshore=(0.0, 6.0),
        battery=((1.0, 4.0), (1.0, 4.0)),
        demand=(60.0, 20.0),
        headroom=(18.0, 18.0),
        capex=(1010.0, 1000.0),
        classes={"realtime": (0.2, 12.0), "batch": (0.8, np.inf)},
        tiers={
            "hub": {"size_min": 1.0, "size_max": 16.0, "sites_min": 1.0, "sites_max_per_area": 1.0, "site_cost": 20.0},
            "smart_city": {
                "size_min": 0.1,
                "size_max": 0.7,
                "sites_min": 2.0,
                "sites_max_per_area": 4.0,
                "site_cost": 3.0,
            },
        },
        weather=weather,
    )
    days = {YEAR: Days(np.array([10, 200]), np.array([200.0, 165.0]))}
    shares = np.array([[0.5, 0.0], [0.5, 0.0]])
    return build_case(inputs, days, [Configuration("half", shares, shares > 0)], "half", "tiers", THETA)


DRAWS = [
    dict(THETA, dc_demand=4.0, lng_fuel_cost=8.0, wls_space_share=0.2, apn_adoption=0.4),
    dict(THETA, dc_demand=7.0, lng_fuel_cost=14.0, solar_buildout=2.0, wls_time_share=0.3, apn_adoption=0.8),
    dict(THETA, dc_demand=5.5, wind_onshore_buildout=0.2, solar_buildout=0.3, demand_growth=1.2, apn_adoption=0.6),
]


@pytest.fixture(scope="module")
def case() -> Case:
    return two_areas()


@pytest.fixture(scope="module")
def free(case: Case) -> Configuration:
    return Configuration("optimal", None, np.ones((2, len(case.tiers)), dtype=bool))


def decide(case: Case, free: Configuration, measure: str, draws=DRAWS, best=None):
    problem = problem_of(case, free, draws, demand_range(DRAWS), best)
    with Workers(solve_asked, case, serial=True) as workers:
        points = Points(workers, dict(enumerate(draws)), (2, len(case.tiers)), batch=2)
        goal = Goal(((1.0, Measure.parse(measure)),))
        return decompose(problem, points.oracle(range(len(draws))), goal, gap=GAP), problem


@pytest.fixture(scope="module")
def best(case: Case, free: Configuration) -> np.ndarray:
    return np.array([decide(case, free, "mean", [draw])[0].value for draw in DRAWS])


@pytest.mark.parametrize("measure", MEASURES)
def test_equal_to_the_extensive_form(case: Case, free: Configuration, best: np.ndarray, measure: str) -> None:
    found, _ = decide(case, free, measure, best=best)
    model, _, costs = extensive_form(case, free, DRAWS, demand_range(DRAWS))
    n = len(costs)
    if measure == "mean":
        aim = sum(costs) / n
    else:
        model.whole = pyo.Var()
        less = best if measure == "regret" else np.zeros(n)
        if measure.startswith("cvar"):
            model.tail = pyo.Var(range(n), bounds=(0, None))
            model.over = pyo.Constraint(range(n), rule=lambda m, i: m.tail[i] >= costs[i] - m.whole)
            aim = model.whole + sum(model.tail[i] for i in range(n)) / n / 0.5
        else:
            model.over = pyo.Constraint(range(n), rule=lambda m, i: m.whole >= costs[i] - float(less[i]))
            aim = model.whole
    value, bound = solve_extensive(model, aim, 1e-8)
    scale = float(np.abs(found.cost).max())
    assert value == pytest.approx(bound, abs=1e-6 * scale)
    assert found.value == pytest.approx(value, abs=1e-6 * scale)
    assert found.bound <= value + 1e-6 * scale
    assert found.value - found.bound <= 1e-6 * scale


def test_cuts_bound_every_other_siting(case: Case) -> None:
    rng = np.random.default_rng(1)
    some = [np.outer(rng.dirichlet(np.ones(2)), [0.8, 0.2]) for _ in range(3)]
    shares = [np.array([[1.0, 0.0], [0.0, 0.0]]), *some]  # all in one place: there the duals are degenerate
    matrix = lift(case)
    for draw in DRAWS:
        found = [cost_of_shares(case, draw, one) for one in shares]
        for made in found:
            for there, one in zip(found, shares, strict=True):
                bound = made.constant + made.slope @ (matrix @ one.ravel())
                assert (bound <= there.cost * (1 + 1e-8)).all()
        for own, one in zip(found, shares, strict=True):
            assert (own.constant + own.slope @ (matrix @ one.ravel())).max() == pytest.approx(own.cost, rel=1e-8)


def test_home_changes_no_cost_and_its_cuts_hold(case: Case) -> None:
    shares = [np.array([[1.0, 0.0], [0.0, 0.0]]), np.array([[0.3, 0.1], [0.5, 0.1]])]
    matrix = lift(case)
    for draw in DRAWS:
        home = find_home(case, draw, draw["dc_demand"] * np.array([0.5, 0.5]))
        assert home is not None
        again = Home.unpack(home.pack())
        np.testing.assert_array_equal(again.statuses, home.statuses)
        plain = [cost_of_shares(case, draw, one) for one in shares]
        for one, apart in zip(shares, plain, strict=True):
            found = cost_of_shares(case, draw, one, again)
            assert found.cost == pytest.approx(apart.cost, rel=1e-9)
            for there, other in zip(plain, shares, strict=True):
                assert (found.constant + found.slope @ (matrix @ other.ravel()) <= there.cost * (1 + 1e-8)).all()


def test_rows_depend_on_draw_and_home_alone(case: Case, tmp_path: Path) -> None:
    homes = {n: draw["dc_demand"] * np.array([0.5, 0.5]) for n, draw in enumerate(DRAWS)}
    first, second = np.array([0.3, 0.1, 0.5, 0.1]), np.array([0.6, 0.1, 0.2, 0.1])
    with Workers(solve_asked, case, serial=True) as workers:

        def points(batch: int, store: Path, loads: dict[int, np.ndarray]) -> Points:
            return Points(workers, dict(enumerate(DRAWS)), (2, len(case.tiers)), batch, store, home_loads=loads)

        together = points(3, tmp_path / "a", homes)
        rows = [together.evaluate(point, [0, 1, 2]) for point in (first, second)]
        apart = points(1, tmp_path / "b", homes)
        assert [apart.evaluate(point, [2, 0, 1])[[1, 2, 0]].tobytes() for point in (second, first)] == [
            each.tobytes() for each in reversed(rows)
        ]
        again = points(2, tmp_path / "a", {})  # homes are found in the store, and rows
        assert again.homes == together.homes
        assert sorted(again.homes) == [0, 1, 2]
        assert again.evaluate(second, [0, 1, 2]).tobytes() == rows[1].tobytes()
        assert (again.solved, again.found) == (0, 3)


def test_no_siting_is_best_in_every_draw(case: Case, free: Configuration, best: np.ndarray) -> None:
    found, _ = decide(case, free, "regret", best=best)
    assert found.value > 1e-3 * best.mean()
