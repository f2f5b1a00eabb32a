"""Solve the hand-checkable case of two areas with the same equations as the full model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tests.oracle.dispatch import HOURS, Day, System, solve_day

SUN = range(8, 16)  # the hours in which the case's solar capacity factor is 1
LEAST_LOAD = 0.001  # GW, as in the full model


def solve_tiny(case: Mapping[str, Any], load: Mapping[str, float]) -> dict[str, Any]:
    """Solve the case for the mean IT load X (GW by area); answers are named as in the case's `expected`."""
    system, day = _build(case)
    areas = list(system.areas)
    at = np.array([float(load[area]) for area in areas])
    found, cut = solve_day(system, day, at), solve_day(system, day, np.maximum(at, LEAST_LOAD))
    return {
        "objective_million_yen": found.cost,
        "fuel_million_yen": found.fuel,
        "co2_cost_million_yen": found.co2_kt * system.co2_price / 1000,
        "co2_kt": found.co2_kt,
        "lng_GWh": dict(zip(areas, found.generation[:, 0].tolist(), strict=True)),
        "solar_curtailed_GWh": float(found.curtailment.sum()),
        "battery_discharge_GWh": float(found.discharge.sum()),
        "battery_charge_GWh": float(found.charge.sum()),
        "flow_W_to_E_net_GWh": float(found.flow_net[0]),
        "unserved_GWh": float(found.unserved.sum()),
        "spill_GWh": float(found.spill.sum()),
        "siting_value_million_yen_per_GW_day": dict(zip(areas, cut.value_of_load.tolist(), strict=True)),
    }


def _build(case: Mapping[str, Any]) -> tuple[System, Day]:
    areas = tuple(case["areas"])
    lng, battery, line = case["lng"], case["battery_W"], case["line"]

    def by_area(values: Mapping[str, float]) -> Any:
        # The case says that what it does not list is zero.
        return np.array([float(values.get(area, 0.0)) for area in areas])

    system = System(
        areas=areas,
        thermal=("lng",),
        renewable=("solar",),
        storage=("battery",),
        lines=(line["name"],),
        pue=np.array(case["pue"], dtype=np.float64),
        capacity=by_area(case["lng_GW"])[:, None],
        availability=np.array([float(lng["availability"])]),
        committed_floor=np.zeros(1),
        minimum_output=np.array([float(lng["mu"])]),
        variable_cost=np.array([float(lng["cost"])]),
        emission=np.array([float(lng["co2_kg_per_kWh"])]),
        co2_price=float(case["co2_price"]),
        nuclear=np.zeros(len(areas)),
        nuclear_cost=0.0,
        mustrun=np.zeros(len(areas)),
        power=by_area({"W": battery["power_GW"]})[:, None],
        energy=by_area({"W": battery["energy_GWh"]})[:, None],
        efficiency=np.sqrt([float(battery["round_trip"])]),
        line_from=np.array([areas.index(line["from"])]),
        line_to=np.array([areas.index(line["to"])]),
        forward=np.array([float(line["forward_GW"])]),
        backward=np.array([float(line["backward_GW"])]),
        time_share=float(case["wls_time_share"]),
        space_share=float(case["wls_space_share"]),
        headroom=0.0,
        storage_cost=float(case["storage_cost"]),
        flow_cost=float(case["flow_cost"]),
        time_cost=float(case["tie_breaker_time_shift"]),
        space_cost=float(case["tie_breaker_space_shift"]),
        voll=float(case["voll"]),
        spill_cost=float(case["spill_cost"]),
    )
    factor = np.array([1.0 if hour in SUN else 0.0 for hour in range(HOURS)])
    day = Day(
        demand=by_area(case["demand_GW"])[:, None].repeat(HOURS, axis=1),
        hydro=np.zeros((len(areas), HOURS)),
        renewable=by_area(case["solar_GW"])[:, None, None] * factor,
    )
    return system, day
