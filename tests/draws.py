"""Draws and cases on the shipped data that the tests of the model share."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model import (
    Case,
    Configuration,
    Days,
    FreeSpec,
    Inputs,
    InputsSpec,
    Siting,
    build_case,
    parameters,
    read_configurations,
    read_inputs,
)
from model.inputs import SHIPPED
from tests.oracle import Data, load

ROOT = Path(__file__).parent.parent
FIXED = ("tokyo_osaka", "today", "four_hubs", "five_hubs", "watt_bit_2040", "ten_areas")
TWO_DAYS = Days(np.array([110, 301]), np.array([200.0, 165.0]))
# Far wider than any study: what is physically possible and still shows every kind of hour.
WIDE = {
    "dc_demand": (0.5, 25.0),
    "demand_growth": (0.8, 1.2),
    "solar_buildout": (0.3, 3.0),
    "wind_onshore_buildout": (0.3, 3.0),
    "wind_offshore_buildout": (0.0, 3.0),
    "battery_buildout": (0.0, 3.0),
    "nuclear_capacity": (0.0, 2.0),
    "pue_gap": (0.0, 2.0),
    "regional_capex": (0.7, 1.1),
    "lng_fuel_cost": (3.0, 15.0),
    "coal_fuel_cost": (3.0, 10.0),
    "co2_price": (0.0, 40000.0),
    "apn_adoption": (0.0, 1.0),
    "transfer_derate": (0.3, 1.0),
}
SCARCE = {"dc_demand": 25.0, "demand_growth": 1.15, "nuclear_capacity": 0.1, "wind_offshore_buildout": 0.0}
PLENTY = {"dc_demand": 2.0, "demand_growth": 0.5, "nuclear_capacity": 2.0, "solar_buildout": 4.0}


@functools.cache
def shipped() -> Data:
    return load(SHIPPED)


def wide_draw(seed: int, **given: float | str) -> dict[str, Any]:
    """Draw every parameter at random, two build-outs of single areas too; ``given`` ones are as given."""
    rng = np.random.default_rng(seed)
    theta: dict[str, Any] = {name: float(rng.uniform(*ends)) for name, ends in WIDE.items()}
    movable, in_time = rng.uniform(0, 1, 2)
    theta |= {"wls_time_share": float(movable * in_time), "wls_space_share": float(movable * (1 - in_time))}
    theta |= {name: float(rng.integers(2)) for name in ("japan_sea_hvdc", "kanmon_second_link")}
    theta["weather_year"] = str(rng.choice(["fy2019", "fy2024"]))
    theta |= {"solar_buildout_Kyushu": float(rng.uniform(0, 2)), "wind_onshore_buildout_Tohoku": 1.4}
    return theta | given


def small_case(
    names: Sequence[str],
    days: Days = TWO_DAYS,
    *,
    kind: Siting = "tiers",
    scalars: Mapping[str, float] | None = None,
    free: Mapping[str, FreeSpec] | None = None,
    table: Path | None = None,
) -> Case:
    """Build the case of the named configurations from the shipped data; the first one is the reference."""
    inputs = _inputs(tuple(sorted((scalars or {}).items())))
    configurations = read_configurations(table or inputs.tables["configurations"], names, inputs, kind, free or {})
    return build_case(inputs, dict.fromkeys(inputs.weather, days), configurations, names[0], kind, shipped().mid)


@functools.cache
def _inputs(scalars: tuple[tuple[str, float], ...]) -> Inputs:
    return read_inputs(InputsSpec(scalars=dict(scalars)))


def with_configuration(case: Case, name: str, shares: np.ndarray) -> Case:
    """Build the case anew with one more fixed configuration of shares (area, tier)."""
    added = Configuration(name, shares, shares > 0)
    names = (*case.configurations, added)
    reference = case.configurations[case.reference].name
    return build_case(case.inputs, case.days, names, reference, case.siting, shipped().mid)


def loads(case: Case, result: Mapping[str, np.ndarray]) -> np.ndarray:
    """Mean IT load of each configuration and area, GW."""
    return np.asarray(result["dc_capacity"].sum(axis=-1) * case.inputs.scalars["load_factor"])


def nuclear_fuel(theta: Mapping[str, Any], inputs: Inputs) -> float:
    """Nuclear fuel, the part of dispatch cost that no day's program holds, billion yen a year."""
    return float(8.76 * inputs.nuclear_fuel_cost * parameters.nuclear_output(theta, inputs).sum())


def nothing_but_status(result: Mapping[str, np.ndarray], number: int) -> bool:
    kept = ("status", "iterations")
    return all(np.isnan(array[number]).all() for name, array in result.items() if name not in kept)


def byte_case() -> Case:
    return small_case(["tokyo_osaka", "ten_areas", "optimal"])


def same_bytes(left: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]) -> bool:
    return left.keys() == right.keys() and all(left[name].tobytes() == right[name].tobytes() for name in left)


DRAWS = {
    "wide 1": wide_draw(1),
    "wide 2": wide_draw(2),
    "scarce": wide_draw(3, **SCARCE),
    "plenty": wide_draw(4, **PLENTY, wls_time_share=0.3, wls_space_share=0.5, apn_adoption=0.9),
    "mid": dict(load(SHIPPED).mid),
}
