"""Test `wattbit solve`: the shape of its JSON, what may be set, what is refused, and that it equals the cube's row."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import OUTCOMES
from model.inputs import SHIPPED
from storage import open_cube
from tests.sweep_cases import OWN_DESIGN, TOO_SMALL, WITH_NORTH, mids, strict_json, wattbit, write_study


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that nothing is run of."""
    folder = tmp_path_factory.mktemp("studies")
    write_study(folder)
    return folder


def solve(folder: Path, *arguments: str) -> dict[str, Any]:
    result = wattbit(folder, "solve", "study.toml", "--json", *arguments)
    assert (result.exit_code, result.stderr) == (0, "")
    found: dict[str, Any] = strict_json(result.stdout)
    return found


def test_solve_has_every_outcome_by_its_labels_with_null_for_what_is_missing(studies: Path) -> None:
    found = solve(studies)
    assert {*found} == {"theta", "configurations"}
    assert found["theta"] == mids()
    assert [*found["configurations"]] == ["tokyo_osaka", "five_hubs"]
    labels = {dim: open_labels(dim) for dim in ("area", "technology", "tier", "line")}
    for result in found["configurations"].values():
        assert {*result} == {outcome.name for outcome in OUTCOMES}
        for outcome in OUTCOMES:
            shape_is(result[outcome.name], [labels[dim] for dim in outcome.dims])
        assert result["status"] == 1
        assert isinstance(result["status"], int)
        assert isinstance(result["fuel_cost"], float)
        assert result["curtailment"]["Hokkaido"]["coal"] is None
        assert result["curtailment"]["Hokkaido"]["solar"] >= 0
        assert result["lower_bound"] is None
        assert result["unserved"]["Okinawa"] == 0.0


def open_labels(dim: str) -> set[str]:
    tables = {"area": ("areas", "area"), "tier": ("tiers", "tier"), "line": ("interconnectors", "line")}
    if dim == "technology":
        thermal = {"coal", "lng", "oil", "nuclear", "hydro", "biomass_geothermal"}
        return thermal | {"solar", "wind_onshore", "wind_offshore", "pumped_hydro", "battery"}
    table, column = tables[dim]
    with (SHIPPED / f"{table}.csv").open(encoding="utf-8") as stream:
        return {row[column] for row in csv.DictReader(stream)}


def shape_is(value: Any, labels: list[set[str]]) -> None:
    """Check that a value is nested by the labels and has a number or null at the end."""
    if labels:
        assert {*value} == labels[0]
        for part in value.values():
            shape_is(part, labels[1:])
    else:
        assert value is None or isinstance(value, int | float)


def test_solve_of_one_configuration_keeps_its_saving(studies: Path) -> None:
    both, one = solve(studies), solve(studies, "--configuration", "five_hubs")
    assert [*one["configurations"]] == ["five_hubs"]
    assert one["configurations"]["five_hubs"] == both["configurations"]["five_hubs"]
    assert one["configurations"]["five_hubs"]["saving_total"] > 0


def test_set_moves_parameters_and_scalars(studies: Path) -> None:
    settings = {"dc_demand": 6.0, "solar_buildout_Kyushu": 1.5, "weather_year": "fy2019", "co2_price": 0.0}
    arguments = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    found = solve(studies, *arguments, "--set", "voll=2000", "--set", "load_factor=0.5")
    assert found["theta"] == mids() | settings
    five_hubs = found["configurations"]["five_hubs"]
    contract = sum(x for tiers in five_hubs["dc_capacity"].values() for x in tiers.values())
    assert contract == pytest.approx(6 / 0.5)
    assert five_hubs["co2_cost"] == 0.0
    assert five_hubs["co2"] > 0


def test_committed_floor_is_a_scalar_and_costs(studies: Path) -> None:
    free, floor = solve(studies), solve(studies, "--set", "committed_floor=0.5")
    for name in free["configurations"]:
        assert floor["configurations"][name]["dispatch_cost"] > free["configurations"][name]["dispatch_cost"]


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("dc_demnd=5", ("'dc_demnd'", "an uncertain parameter or a scalar", "'dc_demand'")),
        ("vol=5", ("'vol'", "'voll'")),
        ("dc_demand", ("'dc_demand'", "expected name=value")),
        ("dc_demand=", ("'dc_demand='", "expected name=value")),
        ("dc_demand=ten", ("dc_demand", "'ten'", "a number")),
        ("dc_demand=-1", ("dc_demand", "-1", "GW")),
        ("dc_demand=nan", ("dc_demand", "nan", "GW")),
        ("apn_adoption=1.5", ("apn_adoption", "1.5", "0..1")),
        ("wls_time_share=0.9", ("wls_time_share + wls_space_share", "1.15", "at most 1")),
        ("kanmon_second_link=0.5", ("kanmon_second_link", "0.5", "0 or 1")),
        ("weather_year=fy2031", ("weather_year", "'fy2031'", "fy2019, fy2024")),
        ("weather_year=2024", ("weather_year", "'2024'", "fy2019, fy2024")),
        ("load_factor=1.5", ("load_factor", "1.5")),
        ("voll=inf", ("voll", "inf")),
        ("committed_floor=2", ("committed_floor", "2.0", "0..1")),
    ],
)
def test_impossible_setting_is_refused(setting: str, says: tuple[str, ...], studies: Path) -> None:
    result = wattbit(studies, "solve", "study.toml", "--set", setting)
    assert (result.exit_code, result.stdout) == (2, "")
    assert [text for text in says if text not in result.stderr] == [], result.stderr


def test_unknown_configuration_or_days_are_refused(studies: Path) -> None:
    result = wattbit(studies, "solve", "study.toml", "--configuration", "five_hub")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'five_hub'" in result.stderr
    assert "'five_hubs'" in result.stderr
    result = wattbit(studies, "solve", "study.toml", "--days", "absent.csv")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "absent.csv" in result.stderr


def test_solve_of_what_has_no_answer_tells_nulls_and_ends_with_one(tmp_path: Path) -> None:
    write_study(tmp_path, WITH_NORTH, more=TOO_SMALL)
    result = wattbit(tmp_path, "solve", "study.toml", "--json")
    assert result.exit_code == 1
    north = strict_json(result.stdout)["configurations"]["north"]
    assert north["status"] == 2
    assert north["total_cost"] is None
    assert {*north["area_price"].values()} == {None}


def test_solve_in_text_shows_parameters_and_costs(studies: Path) -> None:
    result = wattbit(studies, "solve", "study.toml", "--set", "dc_demand=9")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "dc_demand=9.0" in result.stdout
    for word in ("five_hubs", "total_cost", "saving_fuel_co2", "curtailment", "weather_year=fy2024"):
        assert word in result.stdout


def test_solve_equals_the_row_of_the_cube(tmp_path: Path) -> None:
    settings = {"dc_demand": "9.25", "wls_time_share": "0.3", "apn_adoption": "0.45", "weather_year": "fy2019"}
    write_study(tmp_path / "cube", OWN_DESIGN)
    futures = "\n".join([",".join(settings), ",".join(settings.values())]) + "\n"
    (tmp_path / "cube" / "futures.csv").write_text(futures)
    assert wattbit(tmp_path / "cube", "run", "study.toml", "--serial").exit_code == 0
    row = open_cube(tmp_path / "cube" / "results" / "small.zarr").isel(draw=0)
    write_study(tmp_path / "solve", ('file = "days.csv"', "number = 1"))
    arguments = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    found = solve(tmp_path / "solve", *arguments, "--days", str(tmp_path / "cube" / "days.csv"))
    assert row["weather_year"].item() == "fy2019"
    for name, value in found["theta"].items():
        assert row[name].item() == value
    for configuration, result in found["configurations"].items():
        for outcome in OUTCOMES:
            values = row[outcome.name].sel(configuration=configuration)
            told = np.array(leaves(result[outcome.name]), dtype=np.float64)
            np.testing.assert_allclose(told, values.values.ravel(), rtol=1e-9, atol=1e-9, err_msg=outcome.name)


def leaves(value: Any) -> list[float | None]:
    """The numbers of a nested mapping in order; null as it is."""
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in leaves(part)]
    return [value]
