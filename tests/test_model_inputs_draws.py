"""Check that bad configurations and draws are refused by key, value and nearest name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from model import (
    Days,
    FreeSpec,
    InputError,
    Inputs,
    build_case,
    check_theta,
    optional_parameters,
    read_configurations,
    required_parameters,
)
from tests.case_tables import (
    GOOD,
    Edit,
    Tables,
    check,
    put,
    repeat,
    two_area_tables,
    write_tables,
)
from tests.cases import YEAR

BAD_CONFIGURATIONS: dict[str, tuple[Edit, str, str, object, str, str | None]] = {
    "shares": (
        put("configurations", 0, "share", 0.5),
        "configurations.csv",
        "share[both]",
        "a sum of 0.9",
        "shares that sum to 1",
        None,
    ),
    "share over 1": (
        put("configurations", 0, "share", 60),
        "configurations.csv",
        "share[both/Tokyo/any]",
        "60",
        "a number in 0..1",
        None,
    ),
    "misspelt area": (
        put("configurations", 1, "area", "Kasai"),
        "configurations.csv",
        "area[both/Kasai/any]",
        "Kasai",
        "one of Tokyo, Kansai",
        "Kansai",
    ),
    "misspelt tier": (
        put("configurations", 1, "tier", "hubs"),
        "configurations.csv",
        "tier[both/Kansai/hubs]",
        "hubs",
        "one of hub, renewable_city, smart_city, any",
        "hub",
    ),
    "unknown": (lambda t: None, "study", "configurations", "tokio", "one of both, tokyo, optimal", "tokyo"),
    "repeated": (
        repeat("configurations", 0),
        "configurations.csv",
        "configuration/area/tier",
        "both/Tokyo/any",
        "each key once",
        None,
    ),
}


@pytest.mark.parametrize("case", BAD_CONFIGURATIONS)
def test_bad_configuration(case: str, inputs: Inputs, tmp_path: Path) -> None:
    edit, *answer = BAD_CONFIGURATIONS[case]
    tables: Tables = {"configurations": two_area_tables()["configurations"]}
    edit(tables)
    write_tables(tmp_path, tables)
    names = ["both", "tokio"] if case == "unknown" else ["both"]
    with pytest.raises(InputError) as caught:
        read_configurations(tmp_path / "configurations.csv", names, inputs, "tiers", {})
    check(caught.value, *answer)


@pytest.mark.parametrize(
    ("free", "where", "key", "found", "expected", "nearest"),
    [
        ({"west": FreeSpec(areas=("Kansi",))}, "[free.west]", "areas", "Kansi", "one of Tokyo, Kansai", "Kansai"),
        ({"west": FreeSpec(tiers=("smart",))}, "[free.west]", "tiers", "smart", "one of hub", "smart_city"),
        ({"both": FreeSpec()}, "[free]", "name", "both", "does not use for fixed shares", None),
    ],
)
def test_bad_free_configuration(
    free: Mapping[str, FreeSpec],
    where: str,
    key: str,
    found: object,
    expected: str,
    nearest: str | None,
    inputs: Inputs,
    folder: Path,
) -> None:
    with pytest.raises(InputError) as caught:
        read_configurations(folder / "configurations.csv", ["west"], inputs, "tiers", free)
    check(caught.value, where, key, found, expected, nearest)


@pytest.mark.parametrize(
    ("reference", "expected", "nearest"),
    [
        ("tokio", "one of the study's configurations both, optimal", None),
        ("bot", "one of the study's configurations both, optimal", "both"),
        ("optimal", "a configuration with fixed shares", None),
    ],
)
def test_bad_reference(reference: str, expected: str, nearest: str | None, inputs: Inputs, folder: Path) -> None:
    configurations = read_configurations(folder / "configurations.csv", ["both", "optimal"], inputs, "simple", {})
    days = {YEAR: Days(np.array([0]), np.array([365.0]))}
    with pytest.raises(InputError) as caught:
        build_case(inputs, days, configurations, reference, "simple", GOOD)
    check(caught.value, "study", "reference", reference, expected, nearest)


BAD_THETA: dict[str, tuple[dict[str, float | str | None], str, object, str, str | None]] = {
    "unknown": ({"dc_demnad": 9.0}, "name", "dc_demnad", "an uncertain parameter of the model", "dc_demand"),
    "unknown area": (
        {"solar_buildout_Tokio": 1.0},
        "name",
        "solar_buildout_Tokio",
        "an uncertain parameter of the model",
        "solar_buildout_Tokyo",
    ),
    "missing": ({"lng_fuel_cost": None}, "lng_fuel_cost", "nothing", "a value in every draw", None),
    "missing switch": ({"new_link": None}, "new_link", "nothing", "a value in every draw", None),
    "missing year": ({"weather_year": None}, "weather_year", "nothing", "a value in every draw", None),
    "unknown year": ({"weather_year": "fy2031"}, "weather_year", "fy2031", f"one of {YEAR}", YEAR),
    "negative": ({"solar_buildout": -0.1}, "solar_buildout", -0.1, "a number in 0..1e+06 1", None),
    "no demand": ({"dc_demand": 0.0}, "dc_demand", 0.0, "a number in 0.001..1e+06 GW", None),
    "share over 1": ({"apn_adoption": 1.2}, "apn_adoption", 1.2, "a number in 0..1 share", None),
    "infinite": ({"co2_price": np.inf}, "co2_price", np.inf, "a number in 0..1e+06 yen/t", None),
    "beyond any": ({"dc_demand": 1e308}, "dc_demand", 1e308, "a number in 0.001..1e+06 GW", None),
    "text": ({"co2_price": "12000"}, "co2_price", "12000", "a number in 0..1e+06 yen/t", None),
    "half a switch": ({"new_link": 0.5}, "new_link", 0.5, "0 or 1", None),
    "shares together": (
        {"wls_time_share": 0.625, "wls_space_share": 0.5},
        "wls_time_share + wls_space_share",
        1.125,
        "a sum of at most 1",
        None,
    ),
    "PUE below 1": ({"pue_gap": 8.0}, "pue_gap", 8.0, "a gap that keeps the PUE of every area at 1 or above", None),
}


@pytest.mark.parametrize("case", BAD_THETA)
def test_bad_theta(case: str, inputs: Inputs) -> None:
    change, *answer = BAD_THETA[case]
    theta = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(InputError) as caught:
        check_theta(theta, inputs, "draw 7")
    check(caught.value, "draw 7", *answer)  # type: ignore[arg-type]


def test_theta_that_is_not_a_number(inputs: Inputs) -> None:
    with pytest.raises(InputError, match=r"parameters: co2_price: found nan, expected a number"):
        check_theta({**GOOD, "co2_price": np.nan}, inputs)


def test_theta_beyond_its_distribution_is_allowed(inputs: Inputs) -> None:
    """What is physically possible decides; both shares may reach 1 together."""
    check_theta({**GOOD, "dc_demand": 60.0, "wls_time_share": 0.7, "wls_space_share": 0.3, "pue_gap": 4.9}, inputs)
    check_theta({**GOOD, "solar_buildout_Tokyo": 0.0, "wind_offshore_buildout_Kansai": 9.0}, inputs)


def test_parameters_by_name(inputs: Inputs) -> None:
    assert list(required_parameters(inputs)) == [n for n in GOOD if n != "weather_year"] + ["weather_year"]
    assert len(optional_parameters(inputs)) == 3 * 2
