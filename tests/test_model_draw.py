"""Check the laws that hold for every draw, whatever its numbers; random draws and small cases for the other tests too."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from model import (
    OUTCOMES,
    RESIDUALS,
    Case,
    Configuration,
    LiveHighs,
    Status,
    Template,
    compile_template,
    coordinates,
    parameters,
    siting,
    solve_draw,
)
from model import dispatch as day_dispatch
from model.chain import Dispatcher
from model.inputs import STORAGE
from model.outcomes import TECHNOLOGIES
from tests.draws import (
    DRAWS,
    FIXED,
    ROOT,
    SCARCE,
    TWO_DAYS,
    byte_case,
    loads,
    nuclear_fuel,
    same_bytes,
    shipped,
    small_case,
    wide_draw,
)
from tests.oracle.data import weather_day


@pytest.fixture(scope="module")
def case() -> Case:
    return small_case(FIXED)


@pytest.fixture(scope="module")
def solved(case: Case) -> dict[str, dict[str, np.ndarray]]:
    return {name: solve_draw(case, theta) for name, theta in DRAWS.items()}


def set_params(model: pyo.ConcreteModel, values: Mapping[str, Any]) -> None:
    """Give a Pyomo model's own Params the values that the template would get."""
    for name, value in values.items():
        component = getattr(model, name)
        members = list(component.index_set())
        for member, number in zip(members, np.broadcast_to(np.ravel(value), len(members)), strict=True):
            component[member] = float(number)


def rebuilt(model: pyo.ConcreteModel, values: Mapping[str, Any]) -> float:
    """Objective of the Pyomo model itself, solved by Pyomo's own interface from nothing."""
    set_params(model, values)
    pyo.SolverFactory("appsi_highs").solve(model)
    return float(pyo.value(model.cost))


def patched(template: Template, *steps: Mapping[str, Any]) -> float:
    """Objective of the template at the last of the steps, each solved hot after the one before."""
    program = LiveHighs(template)
    for values in steps:
        program.move(template.values(template.vector(values)))
        solution = program.solve()
        assert solution.status is Status.OPTIMAL
    return solution.objective


def test_patched_dispatch_is_the_rebuilt_one(case: Case) -> None:
    inputs, model = case.inputs, day_dispatch.build_dispatch(case.inputs)
    steps = []
    for seed, day in ((5, 20), (6, 140), (7, 330)):
        theta = wide_draw(seed)
        x = theta["dc_demand"] * np.random.default_rng(seed).dirichlet(np.full(10, 0.4))
        weather = inputs.weather[theta["weather_year"]]
        of_siting = {"X": x}
        steps.append(day_dispatch.of_draw(theta, inputs) | day_dispatch.of_day(weather, day, inputs) | of_siting)
        assert patched(case.dispatch, *steps) == pytest.approx(rebuilt(model, steps[-1]), rel=1e-9)


def test_patched_siting_is_the_rebuilt_one(case: Case) -> None:
    inputs, shares = case.inputs, case.configurations[FIXED.index("watt_bit_2040")].shares
    assert shares is not None
    everywhere = Configuration("optimal", None, np.ones((10, 1), dtype=bool))
    of_fixed, of_free = (
        siting.build_siting(inputs, "tiers"),
        siting.build_siting(inputs, "simple", everywhere),
    )
    draws = [wide_draw(seed) for seed in (5, 6, 7)]
    at_load = [siting.of_load(theta, inputs, theta["dc_demand"] * shares) for theta in draws]
    at_will = [siting.of_draw(theta, inputs, everywhere) for theta in draws]
    for model, steps in ((of_fixed, at_load), (of_free, at_will)):
        template = compile_template(model)
        for number in range(len(steps)):
            assert patched(template, *steps[: number + 1]) == pytest.approx(rebuilt(model, steps[number]), rel=1e-9)


@pytest.mark.parametrize("name", DRAWS)
def test_hot_equals_cold(case: Case, solved: dict[str, dict[str, np.ndarray]], name: str) -> None:
    theta, inputs, result = DRAWS[name], case.inputs, solved[name]
    weather = inputs.weather[theta["weather_year"]]
    for number, x in list(enumerate(loads(case, result)))[::2]:
        cost = 0.0
        for day, weight in zip(TWO_DAYS.day, TWO_DAYS.weight, strict=True):
            of_day = day_dispatch.of_day(weather, int(day), inputs)
            values = day_dispatch.of_draw(theta, inputs) | of_day | {"X": x}
            cost += weight * patched(case.dispatch, values) / 1000
        assert result["dispatch_cost"][number] == pytest.approx(cost + nuclear_fuel(theta, inputs), rel=1e-9)


@pytest.mark.parametrize("name", DRAWS)
def test_energy_balances(case: Case, solved: dict[str, dict[str, np.ndarray]], name: str) -> None:
    theta, inputs, result = DRAWS[name], case.inputs, solved[name]
    weather = [weather_day(shipped(), shipped().theta(theta), int(day)) for day in TWO_DAYS.day]
    weights = TWO_DAYS.weight / 1000
    demand = sum(w * day.demand.sum(axis=1) for day, w in zip(weather, weights, strict=True))
    available = sum(w * day.renewable.sum(axis=2) for day, w in zip(weather, weights, strict=True))
    used = slice(TECHNOLOGIES.index("solar"), TECHNOLOGIES.index("wind_offshore") + 1)
    stores = [TECHNOLOGIES.index(s) for s in STORAGE]
    net_import = np.zeros(result["unserved"].shape)
    np.add.at(net_import.T, inputs.lines.end, result["flow_net"].T)
    np.subtract.at(net_import.T, inputs.lines.start, result["flow_net"].T)
    # Storage ends the day where it began: charge = discharge / round trip.
    from_storage = (result["storage_discharge"][..., stores] * (1 - inputs.one_way**-2)).sum(axis=-1)
    supply = np.nansum(result["generation"], axis=-1) + from_storage + net_import
    balanced = supply + result["unserved"] - result["spill"]
    np.testing.assert_allclose(balanced, demand + result["dc_load"], rtol=1e-9, atol=1e-8)
    of_sun_and_wind = result["generation"][..., used] + result["curtailment"][..., used]
    np.testing.assert_allclose(of_sun_and_wind, np.broadcast_to(available, of_sun_and_wind.shape), atol=1e-9)
    # Shifts move work and lose none of it.
    work = (result["dc_load"] / parameters.pue(theta, inputs)).sum(axis=-1)
    np.testing.assert_allclose(work, 8.76 * theta["dc_demand"], rtol=1e-9)
    np.testing.assert_array_equal(result["lole"] > 0, result["unserved"] > 1e-9)
    assert (np.abs(result["flow_net"]) <= result["flow_gross"] + 1e-9).all()
    for hours in ("lole", "congested_hours"):
        assert (result[hours] >= 0).all()
        assert (result[hours] <= 8760).all()


def test_draws_show_every_kind_of_hour(solved: dict[str, dict[str, np.ndarray]]) -> None:
    assert solved["scarce"]["unserved"].sum() > 1
    assert solved["plenty"]["spill"].sum() > 0.1
    assert solved["plenty"]["shifted_space"].min() > 0
    assert np.nansum(solved["plenty"]["curtailment"]) > 1
    assert solved["mid"]["congested_hours"].max() > 0


@pytest.mark.parametrize("name", DRAWS)
def test_parts_sum(case: Case, solved: dict[str, dict[str, np.ndarray]], name: str) -> None:
    theta, inputs, result = DRAWS[name], case.inputs, solved[name]
    scalar, base = inputs.scalars, 8.76 * loads(case, result) * parameters.pue(theta, inputs)
    away = result["shifted_space"] - (result["dc_load"] - base).sum(axis=-1)
    parts = (
        result["fuel_cost"]
        + result["co2_cost"]
        + scalar["storage_cost"] * np.nansum(result["storage_discharge"], axis=(1, 2))
        + scalar["flow_cost"] * result["flow_gross"].sum(axis=-1)
        + scalar["tie_breaker_time_shift"] * 2 * result["shifted_time"]
        + scalar["tie_breaker_space_shift"] * (result["shifted_space"] + away)
        + result["unserved_cost"]
        + scalar["spill_cost"] * result["spill"].sum(axis=-1)
    )
    np.testing.assert_allclose(parts, result["dispatch_cost"], rtol=1e-9)
    of_siting = sum(result[f"{part}_cost"] for part in ("building", "site", "network", "latency"))
    np.testing.assert_allclose(of_siting, result["siting_cost"], rtol=1e-12)
    np.testing.assert_allclose(result["siting_cost"] + result["dispatch_cost"], result["total_cost"], rtol=1e-12)
    np.testing.assert_allclose(result["co2"] * theta["co2_price"] / 1000, result["co2_cost"], rtol=1e-12)
    np.testing.assert_allclose(scalar["voll"] * result["unserved"].sum(axis=-1), result["unserved_cost"], rtol=1e-12)


def test_savings_and_regret_compare_within_the_draw(solved: dict[str, dict[str, np.ndarray]]) -> None:
    costs = {
        "fuel": ("fuel_cost",),
        "co2": ("co2_cost",),
        "fuel_co2": ("fuel_cost", "co2_cost"),
        "dispatch": ("dispatch_cost",),
        "total": ("total_cost",),
    }
    for result in solved.values():
        for saving, parts in costs.items():
            cost = sum(result[part] for part in parts)
            np.testing.assert_allclose(result[f"saving_{saving}"], cost[0] - cost, rtol=1e-12)
            assert result[f"saving_{saving}"][0] == 0
        best = int(result["total_cost"].argmin())
        assert result["regret_total"][best] == 0
        assert (result["regret_total"] >= 0).all()
        assert (np.delete(result["regret_total"], best) > 0).all()


def test_outcomes_are_whole_and_shaped_as_said(case: Case, solved: dict[str, dict[str, np.ndarray]]) -> None:
    labels = coordinates(case.inputs, case.configurations, case.tiers)
    assert [len(labels[dim]) for dim in ("configuration", "area", "tier")] == [6, 10, 3]
    for result in solved.values():
        assert set(result) == {outcome.name for outcome in (*OUTCOMES, *RESIDUALS)}
        for outcome in OUTCOMES:
            array = result[outcome.name]
            assert array.shape == tuple(len(labels[dim]) for dim in ("configuration", *outcome.dims))
            assert array.dtype == outcome.dtype
            if outcome.name == "lower_bound":
                assert np.isnan(array).all()
            elif "technology" in outcome.dims:
                exists = ~np.isnan(array).all(axis=(0, 1))
                assert not np.isnan(array[..., exists]).any()
                assert exists.sum() == {"generation": 9, "curtailment": 3, "storage_discharge": 2}[outcome.name]
            else:
                assert not np.isnan(array).any(), outcome.name


FRESH = (
    "import pickle, sys; from tests.draws import byte_case, wide_draw; from model import solve_draw; "
    "case = byte_case(); pickle.dump((case.fingerprint(), solve_draw(case, wide_draw(2))), sys.stdout.buffer)"
)


def test_bytes_depend_on_the_draw_alone() -> None:
    case = byte_case()
    first = solve_draw(case, wide_draw(2))
    between = solve_draw(case, wide_draw(3, **SCARCE))
    assert not same_bytes(first, between)
    assert same_bytes(solve_draw(case, wide_draw(2)), first)
    sent: Case = pickle.loads(pickle.dumps(case))
    assert same_bytes(solve_draw(sent, wide_draw(2)), first), "a case that was sent to a worker"
    answer = subprocess.run([sys.executable, "-c", FRESH], cwd=ROOT, check=True, capture_output=True).stdout
    fingerprint, fresh = pickle.loads(answer)
    assert fingerprint == case.fingerprint()
    assert same_bytes(fresh, first), "a process that built the case anew"


@pytest.mark.parametrize(
    "more",
    [
        {"transfer_derate": (0.0, 0.3, 0.7, 1.0)},
        {"japan_sea_hvdc": (0.0, 1.0)},
        {"kanmon_second_link": (0.0, 1.0)},
        {"battery_buildout": (0.0, 0.5, 2.0)},
        {"solar_buildout_Tokyo": (0.0, 1.0, 3.0)},
        {"wls_time_share": (0.0, 0.1, 0.4), "wls_space_share": (0.0, 0.2, 0.5)},
    ],
    ids="+".join,
)
def test_more_to_use_never_costs_more(case: Case, more: dict[str, tuple[float, ...]]) -> None:
    before = np.full(len(FIXED), np.inf)
    for values in zip(*more.values(), strict=True):
        theta = wide_draw(8, wls_time_share=0.2, wls_space_share=0.2) | dict(zip(more, values, strict=True))
        cost = solve_draw(case, theta)["dispatch_cost"]
        assert (cost <= before * (1 + 1e-9)).all()
        before = cost


@pytest.mark.parametrize("name", DRAWS)
def test_siting_cut_bounds_dispatch_cost_from_below(
    case: Case, solved: dict[str, dict[str, np.ndarray]], name: str
) -> None:
    result, x = solved[name], loads(case, solved[name])
    bound = result["siting_cut_constant"][:, None] + result["siting_value"] @ x.T
    assert (bound <= result["dispatch_cost"] * (1 + 1e-9)).all()
    own = np.flatnonzero((x >= 0.001).all(axis=1))
    assert own.size
    np.testing.assert_allclose(bound[own, own], result["dispatch_cost"][own], rtol=1e-9)


def test_siting_cut_of_empty_areas_is_taken_at_the_raised_load(
    case: Case, solved: dict[str, dict[str, np.ndarray]]
) -> None:
    theta, result = DRAWS["mid"], solved["mid"]
    raised = np.maximum(loads(case, result)[0], 0.001)
    [(year, _)] = Dispatcher(case, theta).solve_days([raised])
    nuclear = (
        result["dispatch_cost"][0] - Dispatcher(case, theta).solve_days([loads(case, result)[0]])[0][0].cost / 1000
    )
    bound = result["siting_cut_constant"][0] + result["siting_value"][0] @ raised
    assert bound == pytest.approx(year.cost / 1000 + nuclear, rel=1e-9)


@pytest.mark.parametrize("name", ["wide 1", "plenty", "mid"])
def test_siting_value_is_the_slope_of_dispatch_cost(
    case: Case, solved: dict[str, dict[str, np.ndarray]], name: str
) -> None:
    number, step = FIXED.index("ten_areas"), 1e-4
    value, here = solved[name]["siting_value"][number], loads(case, solved[name])[number]
    points = [here, *(here + step * unit for unit in np.eye(10)), *(here - step * unit for unit in np.eye(10))]
    cost = np.array([year.cost / 1000 for year, _ in Dispatcher(case, DRAWS[name]).solve_days(points, slopes=False)])
    ahead, behind = (cost[1:11] - cost[0]) / step, (cost[0] - cost[11:]) / step
    noise = 1e-9 * cost[0] / step
    # Dispatch cost is convex in X: a dual lies between the slopes on either side, and is the slope where they agree.
    assert (behind - noise <= value).all()
    assert (value <= ahead + noise).all()
    unique = np.isclose(ahead, behind, rtol=1e-4)
    assert unique.sum() >= 5
    np.testing.assert_allclose(value[unique], ahead[unique], rtol=1e-4)


@pytest.mark.parametrize("name", ["wide 1", "scarce", "plenty"])
def test_apn_value_is_what_adoption_saves(case: Case, solved: dict[str, dict[str, np.ndarray]], name: str) -> None:
    step, adoption = 1e-4, float(DRAWS[name]["apn_adoption"])
    behind, here, ahead = (
        (solved[name] if not sign else solve_draw(case, DRAWS[name] | {"apn_adoption": adoption + sign * step}))[
            "total_cost"
        ]
        for sign in (-1, 0, 1)
    )
    value, noise = 100 * solved[name]["apn_value"], 1e-9 * here / step
    # Total cost is convex in adoption around a siting.
    assert (here - ahead <= (value + noise) * step).all()
    assert ((value - noise) * step <= behind - here).all()
    unique = np.isclose(here - ahead, behind - here, rtol=1e-4)
    assert name == "plenty" or unique.all()
    assert value.max() > 0


def test_line_value_of_draws(solved: dict[str, dict[str, np.ndarray]]) -> None:
    """What a line at its limit spares; nothing where it never is, but for one that is switched off."""
    for name, result in solved.items():
        off = np.array([s != "" and not DRAWS[name][s] for s in shipped().lines["switch"].fillna("")])
        idle = (result["congested_hours"] == 0) & ~off
        np.testing.assert_allclose(result["line_value"][idle], 0.0, atol=1e-9)
        assert (result["line_value"] >= 0).all()
        assert result["line_value"].max() > 0
