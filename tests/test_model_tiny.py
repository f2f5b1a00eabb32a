"""Solve the case of ``tiny_case.json`` the usual way and compare every number that was worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import Days, Status, build_case
from model.chain import Dispatcher
from model.configurations import Configuration
from model.inputs import Inputs
from model.weather import WeatherYear
from model.year import Year
from tests.cases import THETA, YEAR, system

TINY: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "tiny_case.json").read_text(encoding="utf-8"))


def near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def lng(share: float) -> list[float]:
    """A thermal column (coal, lng, oil) of the tables for lng alone."""
    return [0.0, share, 0.0]


def tiny_inputs(case: Mapping[str, Any]) -> Inputs:
    """The case's system; demand and sun as a weather year of equal days, so that they take the usual way."""
    areas, gas, battery, line = case["areas"], case["lng"], case["battery_W"], case["line"]
    size = (365, 24, len(areas))
    demand = np.array([case["demand_GW"][a] for a in areas])
    factor = np.zeros((*size, 3))
    factor[..., 0] = np.where((np.arange(24) >= 8) & (np.arange(24) <= 15), 1.0, 0.0)[None, :, None]
    assert case["solar_cf"] == "1 in hours 8..15, else 0"
    return system(
        areas,
        lng=[case["lng_GW"][a] for a in areas],
        solar=[case["solar_GW"].get(a, 0.0) for a in areas],
        battery=[(battery["power_GW"], battery["energy_GWh"]) if a == "W" else (0.0, 0.0) for a in areas],
        lines=[(line["from"], line["to"], line["forward_GW"], line["backward_GW"], "")],
        one_way=np.sqrt([1.0, battery["round_trip"]]),
        pue=case["pue"],
        emission=lng(gas["co2_kg_per_kWh"]),
        min_output=lng(gas["mu"]),
        availability=lng(gas["availability"]),
        demand=demand * 8.76,
        scalars={name: case[name] for name in SCALARS_OF_TINY} | {"headroom": 0.0},
        weather=WeatherYear(np.broadcast_to(demand, size), factor, np.zeros(size)),
    )


SCALARS_OF_TINY = (
    "flow_cost",
    "storage_cost",
    "voll",
    "spill_cost",
    "tie_breaker_time_shift",
    "tie_breaker_space_shift",
)


@pytest.mark.parametrize("expected", TINY["expected"], ids=lambda e: e["name"])
def test_tiny_case(expected: dict[str, Any]) -> None:
    given = TINY["input"]
    inputs = tiny_inputs(given)
    theta = {
        **THETA,
        "lng_fuel_cost": float(given["lng"]["cost"]),
        "co2_price": float(given["co2_price"]),
        "wls_time_share": float(given["wls_time_share"]),
        "wls_space_share": float(given["wls_space_share"]),
        "dc_demand": 1.0,
    }
    x = np.array([expected["X"][a] for a in inputs.areas], dtype=float)
    fixed = Configuration("dc", x[:, None] / x.sum(), x[:, None] > 0)
    days = {YEAR: Days(np.array([200]), np.array([1.0]))}
    case = build_case(inputs, days, [fixed], "dc", "tiers", theta)
    [(year, _)] = Dispatcher(case, theta).solve_days([x])
    lng_gwh = year.thermal[:, 1]
    co2_kt = (year.thermal * inputs.emission).sum()
    found = {
        "objective_million_yen": year.cost,
        "fuel_million_yen": lng_gwh.sum() * given["lng"]["cost"],
        "co2_cost_million_yen": co2_kt * given["co2_price"] / 1000,
        "co2_kt": co2_kt,
        "lng_GWh": dict(zip(inputs.areas, lng_gwh, strict=True)),
        "solar_curtailed_GWh": year.curtailed[:, 0].sum(),
        "battery_discharge_GWh": year.discharge[:, 1].sum(),
        "battery_charge_GWh": year.discharge[:, 1].sum() / given["battery_W"]["round_trip"],
        "flow_W_to_E_net_GWh": year.flow_net[0],
        "unserved_GWh": year.shed.sum(),
        "spill_GWh": year.spill.sum(),
        "siting_value_million_yen_per_GW_day": dict(zip(inputs.areas, year.slope, strict=True)),
    }
    assert found.keys() == expected.keys() - {"name", "X"}
    for name, value in found.items():
        assert value == near(expected[name]), name
    assert year.status is Status.OPTIMAL


@pytest.mark.parametrize("limit", [0.0, 0.4, 1.0, 5.0])
@pytest.mark.parametrize("x", [(0.0, 1.0), (1.0, 0.0), (0.5, 0.5)])
def test_line_value_is_what_a_wider_line_spares(x: tuple[float, float], limit: float) -> None:
    """The dual against the cost of the same day with a little less and a little more of the line, each built anew."""
    step, given = 1e-3, TINY["input"]

    def year(size: float) -> Year:
        line = {**given["line"], "forward_GW": size, "backward_GW": size}
        inputs = tiny_inputs({**given, "line": line})
        theta = {**THETA, "lng_fuel_cost": 10.0, "co2_price": 5000.0, "dc_demand": 1.0}
        fixed = Configuration("dc", np.array(x)[:, None], np.ones((2, 1), dtype=bool))
        case = build_case(inputs, {YEAR: Days(np.array([200]), np.array([365.0]))}, [fixed], "dc", "tiers", theta)
        [(found, _)] = Dispatcher(case, theta).solve_days([np.array(x)])
        return found

    here, ahead = year(limit), year(limit + step)
    after = (here.cost - ahead.cost) / step
    before = (year(limit - step).cost - here.cost) / step if limit else np.inf
    noise = 1e-9 * here.cost / step
    assert after - noise <= here.line_value[0] <= before + noise
    if np.isclose(after, before, rtol=1e-6) or not limit:
        assert here.line_value[0] == pytest.approx(after, rel=1e-6, abs=noise)
