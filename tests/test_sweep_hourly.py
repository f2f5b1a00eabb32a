"""Test `wattbit solve --hourly`: hours sum to the outcomes of a solve, balance in every area, and are written both ways."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from sweep.study import read_study
from sweep.what_if import Future, future
from tests.sweep_cases import wattbit, write_study

OPTIONS = "[options]\ntransmission_loss = 0.03\nforecast_margin = 0.1\n[fixed]\nweather_year = 'fy2019'\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hours")
    write_study(folder, more=OPTIONS)
    return folder


@pytest.fixture(scope="module")
def one(folder: Path) -> Future:
    return future(read_study(folder / "study.toml"), folder, configurations=["five_hubs"])


@pytest.fixture(scope="module")
def hours(one: Future) -> xr.Dataset:
    return one.hours()


def test_hours_balance_in_every_area(hours: xr.Dataset) -> None:
    supply = hours["thermal"].sum("fuel") + (hours["discharge"] - hours["charge"]).sum("storage")
    for name in ("renewable", "hydro", "nuclear", "mustrun", "net_import", "shed"):
        supply = supply + hours[name]
    use = hours["demand"] + hours["dc_load"] + hours["spill"]
    assert np.abs(supply - use).max() < 1e-6
    lost = 0.03 * np.abs(hours["flow"]).sum("line")  # no line runs both ways: that would lose energy
    assert np.abs(hours["net_import"].sum("area") + lost).max() < 1e-6
    assert np.abs(hours["by_source"].sum("source") - hours["renewable"]).max() < 1e-9


def test_hours_sum_to_the_outcomes(one: Future, hours: xr.Dataset) -> None:
    told = one.told()["configurations"]["five_hubs"]

    def energy(values: xr.DataArray) -> float:
        """TWh of the year; `hours` are solved in another order: unique is what money decides."""
        return float((values * hours["weight"]).sum()) / 1000

    by_fuel = {fuel: sum(each[fuel] for each in told["generation"].values()) for fuel in ("coal", "lng", "oil")}
    for fuel, whole in by_fuel.items():
        assert energy(hours["thermal"].sel(fuel=fuel)) == pytest.approx(whole, abs=0.05)
    assert energy(hours["dc_load"]) == pytest.approx(sum(told["dc_load"].values()), rel=1e-4)
    assert energy(hours["curtailment"]) == pytest.approx(
        sum(value for each in told["curtailment"].values() for value in each.values() if value is not None), rel=1e-2
    )
    for source in ("solar", "wind_onshore", "wind_offshore"):
        whole = sum(each[source] for each in told["generation"].values())
        assert energy(hours["by_source"].sel(source=source)) == pytest.approx(whole, abs=0.05)
    price = (hours["price"] * hours["weight"]).sum(("day", "hour")) / 8760
    assert price.to_series().to_dict() == pytest.approx(told["area_price"], rel=1e-2)


def test_files_hold_the_same_hours(folder: Path, hours: xr.Dataset) -> None:
    for name in ("hours.nc", "hours.csv"):
        result = wattbit(folder, "solve", "study.toml", "--configuration", "five_hubs", "--hourly", name)
        assert (result.exit_code, result.stdout) == (0, "")
    read = xr.load_dataset(folder / "hours.nc")
    xr.testing.assert_identical(read, hours)
    table = pd.read_csv(folder / "hours.csv", index_col=["day", "hour"])
    assert len(table) == 24 * hours.sizes["day"]
    assert table["thermal.Tokyo.lng"].to_numpy() == pytest.approx(
        hours["thermal"].sel(area="Tokyo", fuel="lng").to_numpy().ravel(), abs=1e-6
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hourly", "hours.xlsx"), "expected a file that ends with .nc"),
        (("--hourly", "nowhere/hours.nc"), "its folder does not exist"),
        (("--hourly", "hours2.nc"), "found 2 configurations, expected one --configuration"),
    ],
)
def test_what_cannot_be_written_is_refused(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    result = wattbit(folder, "solve", "study.toml", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (folder / arguments[1]).exists()


def test_full_year_takes_all_days_of_the_weather_year(folder: Path) -> None:
    whole = future(read_study(folder / "study.toml"), folder, full_year=True)
    assert {year: len(days.day) for year, days in whole.case.days.items()} == {"fy2019": 365}
    refused = wattbit(folder, "solve", "study.toml", "--full-year", "--days", "days.csv")
    assert (refused.exit_code, "--days, --full-year: found both" in refused.stderr) == (2, True)
