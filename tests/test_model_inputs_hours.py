"""Check that bad weather years and bad lists of days are refused by file, key and value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from model import (
    DaysSpec,
    InputError,
    Inputs,
    choose_days,
    read_inputs,
)
from tests.case_tables import (
    check,
    spec,
)
from tests.cases import YEAR


@pytest.fixture(scope="module")
def hourly(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "hourly.csv")


FEBRUARY_29 = "2032-02-29T05:00+09:00"
BAD_HOURS: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str, object, str, str | None]] = {
    "hour missing": (
        lambda h: h.drop(index=2 * 1000),
        "time",
        "1 hours missing, the first 2030-05-12T16:00 in Tokyo",
        "8760 hours for each area",
        None,
    ),
    "area missing": (
        lambda h: h[h["area"] == "Tokyo"],
        "time",
        "8760 hours missing, the first 2030-04-01T00:00 in Kansai",
        "8760 hours for each area",
        None,
    ),
    "29 February": (
        lambda h: pd.concat([_a_leap_year(h), h.iloc[:1].assign(time=FEBRUARY_29)]),
        "time",
        "2032-02-29T05:00 in Tokyo",
        "no 29 February",
        None,
    ),
    "hour of another year": (
        lambda h: pd.concat([h, h.iloc[:1].assign(time="2031-04-01T00:00+09:00")]),
        "time",
        "2031-04-01T00:00 in Tokyo",
        "an hour of the fiscal year",
        None,
    ),
    "no time": (
        lambda h: h.assign(time=["noon", *h["time"][1:]]),
        "time",
        "noon",
        "a time such as 2024-04-01T00:00+09:00",
        None,
    ),
    "no time later on": (
        lambda h: h.assign(time=[*h["time"][:-1], "midnight"]),
        "time",
        "midnight",
        "a time such as 2024-04-01T00:00+09:00",
        None,
    ),
    "misspelt area": (
        lambda h: h.replace({"area": {"Kansai": "Kanasi"}}),
        "area",
        "Kanasi",
        "one of Tokyo, Kansai",
        "Kansai",
    ),
    "missing column": (
        lambda h: h.drop(columns="hydro_GW"),
        "columns",
        "time, area, demand_GW, solar_cf, wind_onshore_cf, wind_offshore_cf",
        "a column named 'hydro_GW'",
        None,
    ),
    "capacity factor over 1": (
        lambda h: _set(h, "solar_cf", 3, 1.01),
        "solar_cf[2030-04-01T01:00+09:00/Kansai]",
        1.01,
        "a number in 0..1",
        None,
    ),
    "negative demand": (
        lambda h: _set(h, "demand_GW", 0, -1.0),
        "demand_GW[2030-04-01T00:00+09:00/Tokyo]",
        -1.0,
        "a number in 0..inf",
        None,
    ),
    "infinite demand": (
        lambda h: _set(h, "demand_GW", 0, np.inf),
        "demand_GW[2030-04-01T00:00+09:00/Tokyo]",
        np.inf,
        "a number",
        None,
    ),
}


def _set(hours: pd.DataFrame, column: str, row: int, value: float) -> pd.DataFrame:
    changed = hours.copy()
    changed.loc[row, column] = value
    return changed


def _a_leap_year(hours: pd.DataFrame) -> pd.DataFrame:
    """The same hours from April 2031 to March 2032, without 29 February."""
    return hours.assign(time=hours["time"].str.replace("2031", "2032").str.replace("2030", "2031"))


@pytest.mark.parametrize("case", BAD_HOURS)
def test_bad_hours(case: str, hourly: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    change, *answer = BAD_HOURS[case]
    change(hourly).to_csv(tmp_path / "hours.csv", index=False)
    with pytest.raises(InputError) as caught:
        read_inputs(spec(hourly={YEAR: str(tmp_path / "hours.csv")}), folder)
    check(caught.value, "hours.csv", *answer)  # type: ignore[arg-type]


def test_doubled_hour(hourly: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    pd.concat([hourly, hourly.iloc[[48]]]).to_csv(tmp_path / "hours.csv", index=False)
    with pytest.raises(
        InputError, match=r"hours\.csv: time/area: .*2030, 4, 2|hours\.csv: time/area: .*2030-04-02"
    ) as caught:
        read_inputs(spec(hourly={YEAR: str(tmp_path / "hours.csv")}), folder)
    assert caught.value.expected == "each hour of an area once"
    assert "Tokyo" in str(caught.value.found)


def test_no_hours(hourly: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    hourly.iloc[:0].to_csv(tmp_path / "hours.csv", index=False)
    with pytest.raises(InputError, match=r"hours\.csv"):
        read_inputs(spec(hourly={YEAR: str(tmp_path / "hours.csv")}), folder)


def test_series_without_demand_where_2040_has_some(hourly: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    """A level cannot be spread over a series that is zero throughout."""
    hourly.assign(demand_GW=hourly["demand_GW"].where(hourly["area"] == "Tokyo", 0.0)).to_csv(
        tmp_path / "hours.csv", index=False
    )
    with pytest.raises(InputError, match=r"hours\.csv.*demand_GW.*Kansai"):
        read_inputs(spec(hourly={YEAR: str(tmp_path / "hours.csv")}), folder)


def test_order_of_hours_does_not_matter(inputs: Inputs, hourly: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    hourly.sort_values("area").to_csv(tmp_path / "hours.csv", index=False)
    again = read_inputs(spec(hourly={YEAR: str(tmp_path / "hours.csv")}), folder)
    for name in ("demand", "capacity_factor", "hydro"):
        np.testing.assert_allclose(getattr(inputs.weather[YEAR], name), getattr(again.weather[YEAR], name), rtol=1e-14)


def test_a_table_is_known_by_its_content(hourly: pd.DataFrame, folder: Path, tmp_path: Path) -> None:
    """What was read before is not parsed again; a file that is changed in its place is."""
    file = tmp_path / "hours.csv"
    own = spec(hourly={YEAR: str(file)})
    hourly.to_csv(file, index=False)
    first = read_inputs(own, folder).weather[YEAR]
    assert read_inputs(own, folder).weather[YEAR] is first
    with pytest.raises(ValueError, match="read-only"):
        first.demand[0] = 0.0
    hourly.assign(demand_GW=2 * hourly["demand_GW"]).to_csv(file, index=False)
    np.testing.assert_allclose(read_inputs(own, folder).weather[YEAR].demand, 2 * first.demand, rtol=1e-14)
    file.unlink()
    with pytest.raises(InputError, match=r"hours\.csv: file: found 'nothing'"):
        read_inputs(own, folder)


BAD_DAYS: dict[str, tuple[str, str, str, object, str, str | None]] = {
    "weights": (
        f"{YEAR},0,100\n{YEAR},1,200\n",
        "days.csv",
        f"weight[{YEAR}]",
        "a sum of 300",
        "weights that sum to 365",
        None,
    ),
    "day 365": (f"{YEAR},365,365\n", "days.csv", f"day[{YEAR}/365]", "365", "a number in 0..364", None),
    "half a day": (f"{YEAR},1.5,365\n", "days.csv", f"day[{YEAR}/1.5]", 1.5, "a whole number in 0..364", None),
    "repeated day": (
        f"{YEAR},7,165\n{YEAR},7,200\n",
        "days.csv",
        "weather_year/day",
        f"{YEAR}/7",
        "each key once",
        None,
    ),
    "negative weight": (
        f"{YEAR},7,-1\n{YEAR},8,366\n",
        "days.csv",
        f"weight[{YEAR}/7]",
        "-1",
        "a number in 0..inf",
        None,
    ),
    "unknown year": ("fy2031,7,365\n", "days.csv", "weather_year[fy2031/7]", "fy2031", f"one of {YEAR}", YEAR),
}


@pytest.mark.parametrize("case", BAD_DAYS)
def test_bad_days(case: str, inputs: Inputs, tmp_path: Path) -> None:
    rows, *answer = BAD_DAYS[case]
    (tmp_path / "days.csv").write_text("weather_year,day,weight\n" + rows)
    with pytest.raises(InputError) as caught:
        choose_days(DaysSpec(file="days.csv"), inputs, [YEAR], tmp_path)
    check(caught.value, *answer)


def test_day_repeated_in_another_spelling(inputs: Inputs, tmp_path: Path) -> None:
    (tmp_path / "days.csv").write_text(f"weather_year,day,weight\n{YEAR},7,165\n{YEAR},7.0,200\n")
    with pytest.raises(InputError, match="each key once"):
        choose_days(DaysSpec(file="days.csv"), inputs, [YEAR], tmp_path)


def test_year_missing_from_days(inputs: Inputs, tmp_path: Path) -> None:
    both = replace(inputs, weather={**inputs.weather, "fy2031": inputs.weather[YEAR]})
    (tmp_path / "days.csv").write_text(f"weather_year,day,weight\n{YEAR},7,365\n")
    with pytest.raises(InputError) as caught:
        choose_days(DaysSpec(file="days.csv"), both, [YEAR, "fy2031"], tmp_path)
    check(caught.value, "days.csv", "weather_year", YEAR, "days of fy2031 too", None)


@pytest.mark.parametrize(
    "given", [{}, {"number": 3, "all": True}, {"number": 3, "file": "x"}, {"number": 0}, {"days": 3}]
)
def test_days_in_one_way(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DaysSpec(**given)
