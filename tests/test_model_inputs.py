"""Check that every bad table, scalar, configuration, list of days or draw is refused by file, key, value and nearest name."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from model import (
    Days,
    DaysSpec,
    FreeSpec,
    InputError,
    Inputs,
    InputsSpec,
    build_case,
    check_theta,
    choose_days,
    optional_parameters,
    read_configurations,
    read_inputs,
    required_parameters,
    solve_draw,
)
from tests.cases import THETA, YEAR, Tables, two_area_tables, write_tables

GOOD: dict[str, float | str] = {**THETA, "new_link": 1.0}
Edit = Callable[[Tables], None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    write_tables(folder, two_area_tables())
    return folder


@pytest.fixture(scope="module")
def inputs(folder: Path) -> Inputs:
    return read_inputs(spec(), folder)


@pytest.fixture(scope="module")
def hourly(folder: Path) -> pd.DataFrame:
    return pd.read_csv(folder / "hourly.csv")


def spec(**changes: Any) -> InputsSpec:
    tables = ("areas", "capacity", "configurations", "fuels", "interconnectors", "tiers", "workloads")
    paths: dict[str, Any] = {name: f"{name}.csv" for name in tables}
    return InputsSpec(**{**paths, "hourly": {YEAR: "hourly.csv"}, **changes})


def put(table: str, row: int | slice, column: str, value: object) -> Edit:
    """An edit that sets a cell, or with slice(None) a column."""

    def edit(tables: Tables) -> None:
        frame = tables[table].astype(object)
        frame.loc[row, column] = value
        tables[table] = frame

    return edit


def put_at(table: str, key: str, name: str, column: str, value: object) -> Edit:
    """An edit that sets the cell of ``column`` in the row whose ``key`` is ``name``."""

    def edit(tables: Tables) -> None:
        row = int((tables[table][key] == name).to_numpy().argmax())
        put(table, row, column, value)(tables)

    return edit


def rename(table: str, column: str, other: str) -> Edit:
    def edit(tables: Tables) -> None:
        tables[table] = tables[table].rename(columns={column: other})

    return edit


def drop(table: str, row: int) -> Edit:
    def edit(tables: Tables) -> None:
        tables[table] = tables[table].drop(index=row)

    return edit


def repeat(table: str, row: int) -> Edit:
    def edit(tables: Tables) -> None:
        tables[table] = pd.concat([tables[table], tables[table].iloc[[row]]])

    return edit


def empty(table: str) -> Edit:
    def edit(tables: Tables) -> None:
        tables[table] = tables[table].iloc[:0]

    return edit


# name of the case -> edit, file, key, value found, expected (a part of it), nearest name
BAD_TABLES: dict[str, tuple[Edit, str, str, object, str, str | None]] = {
    "missing column": (
        rename("areas", "population_m", "populaton"),
        "areas.csv",
        "columns",
        "area, lat, lon, populaton, pue, dc_capex_bn_yen_per_GW, grid_headroom_GW, demand_2040_TWh",
        "a column named 'population_m'",
        None,
    ),
    "missing key column": (
        rename("capacity", "technology", "tech"),
        "capacity.csv",
        "columns",
        "area, tech, capacity_GW",
        "a column named 'technology'",
        None,
    ),
    "no rows": (empty("areas"), "areas.csv", "rows", 0, "at least one row", None),
    "repeated area": (repeat("areas", 1), "areas.csv", "area", "Kansai", "each key once", None),
    "no number": (put("areas", 1, "pue", "1,2"), "areas.csv", "pue[Kansai]", "1,2", "a number", None),
    "empty cell": (put("areas", 0, "pue", ""), "areas.csv", "pue[Tokyo]", "", "a number", None),
    "nan": (put("areas", 0, "demand_2040_TWh", "nan"), "areas.csv", "demand_2040_TWh[Tokyo]", "nan", "0..inf", None),
    "infinite": (put("areas", 0, "demand_2040_TWh", "inf"), "areas.csv", "demand_2040_TWh[Tokyo]", "inf", "", None),
    "PUE below 1": (put("areas", 0, "pue", 0.9), "areas.csv", "pue[Tokyo]", "0.9", "a number in 1..inf", None),
    "latitude": (put("areas", 0, "lat", 95), "areas.csv", "lat[Tokyo]", "95", "a number in -90..90", None),
    "misspelt area": (
        put("capacity", 0, "area", "Tokio"),
        "capacity.csv",
        "area[Tokio/coal]",
        "Tokio",
        "one of Tokyo, Kansai",
        "Tokyo",
    ),
    "unknown technology": (
        put("capacity", 7, "technology", "batery"),
        "capacity.csv",
        "technology[Tokyo/batery]",
        "batery",
        "one of coal, lng, oil",
        "battery",
    ),
    "negative capacity": (
        put("capacity", 1, "capacity_GW", -1),
        "capacity.csv",
        "capacity_GW[Tokyo/lng]",
        "-1",
        "a number in 0..inf",
        None,
    ),
    "no row for a pair": (
        drop("capacity", 13),
        "capacity.csv",
        "area/technology",
        "Kansai/coal missing",
        "every pair",
        None,
    ),
    "repeated pair": (repeat("capacity", 2), "capacity.csv", "area/technology", "Tokyo/oil", "each key once", None),
    "unknown fuel": (
        put_at("fuels", "technology", "lng", "technology", "lgn"),
        "fuels.csv",
        "technology[lgn]",
        "lgn",
        "one of coal, lng",
        "lng",
    ),
    "no row for a fuel": (drop("fuels", 2), "fuels.csv", "technology", "oil missing", "a row for each of coal", None),
    "share over 1": (
        put_at("fuels", "technology", "coal", "min_output_share", 1.2),
        "fuels.csv",
        "min_output_share[coal]",
        "1.2",
        "a number in 0..1",
        None,
    ),
    "availability over 1": (
        put_at("fuels", "technology", "nuclear", "availability", 75),
        "fuels.csv",
        "availability[nuclear]",
        "75",
        "a number in 0..1",
        None,
    ),
    "efficiency left out": (
        put_at("fuels", "technology", "battery", "round_trip_efficiency", ""),
        "fuels.csv",
        "round_trip_efficiency[battery]",
        "an empty cell",
        "a number",
        None,
    ),
    "workload shares": (
        put("workloads", 0, "share", 0.5),
        "workloads.csv",
        "share",
        "a sum of 1.1",
        "shares that sum to 1",
        None,
    ),
    "workload share over 1": (
        put("workloads", 0, "share", 40),
        "workloads.csv",
        "share[realtime]",
        "40",
        "a number in 0..1",
        None,
    ),
    "latency limit": (
        put("workloads", 0, "latency_limit_ms", "none"),
        "workloads.csv",
        "latency_limit_ms[realtime]",
        "none",
        "a number",
        None,
    ),
    "sizes upside down": (
        put_at("tiers", "tier", "renewable_city", "size_min_GW", 0.6),
        "tiers.csv",
        "renewable_city",
        "size_min_GW 0.6 over size_max_GW 0.5",
        "size_min_GW <= size_max_GW",
        None,
    ),
    "counts upside down": (
        put_at("tiers", "tier", "hub", "sites_min", 6),
        "tiers.csv",
        "hub",
        "sites_min 6 over sites_max 5",
        "sites_min <= sites_max",
        None,
    ),
    "no hub": (
        put("tiers", 0, "tier", "type1"),
        "tiers.csv",
        "tier",
        "type1, renewable_city, smart_city",
        "a tier named 'hub'",
        None,
    ),
    "line from nowhere": (
        put("interconnectors", 0, "from", "Kanzai"),
        "interconnectors.csv",
        "from[link]",
        "Kanzai",
        "one of Tokyo, Kansai",
        "Kansai",
    ),
    "line to itself": (
        put("interconnectors", 0, "to", "Tokyo"),
        "interconnectors.csv",
        "to[link]",
        "Tokyo",
        "another area than `from`",
        None,
    ),
    "negative limit": (
        put("interconnectors", 0, "backward_GW", -2),
        "interconnectors.csv",
        "backward_GW[link]",
        "-2",
        "a number in 0..inf",
        None,
    ),
}


def check(fault: InputError, where: str, key: str, found: object, expected: str, nearest: str | None) -> None:
    """Compare an error's parts, and that its message holds them all."""
    assert (fault.where, fault.key, fault.found, fault.nearest) == (where, key, found, nearest)
    assert expected in fault.expected
    message = str(fault)
    for part in (where, key, repr(found), expected, *([f"did you mean {nearest!r}?"] if nearest else [])):
        assert part in message


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_table(case: str, folder: Path, tmp_path: Path) -> None:
    edit, *answer = BAD_TABLES[case]
    tables = {name: frame for name, frame in two_area_tables().items() if name != "hourly"}
    edit(tables)
    own = write_tables(tmp_path, tables).model_copy(update={"hourly": {YEAR: str(folder / "hourly.csv")}})
    with pytest.raises(InputError) as caught:
        read_inputs(own, tmp_path)
    check(caught.value, *answer)


def test_missing_column_offers_the_nearest(folder: Path, tmp_path: Path) -> None:
    tables = two_area_tables()
    tables["areas"].rename(columns={"population_m": "populaton_m"}).to_csv(tmp_path / "areas.csv", index=False)
    with pytest.raises(InputError, match="did you mean 'populaton_m'"):
        read_inputs(spec(areas=str(tmp_path / "areas.csv")), folder)


def test_good_tables_are_read(inputs: Inputs) -> None:
    assert inputs.areas == ("Tokyo", "Kansai")
    assert inputs.user_share == pytest.approx([45 / 65, 20 / 65])
    assert inputs.mustrun == pytest.approx([0.7 * 0.5 + 0.65 * 0.1, 0.7 * 0.5])
    assert inputs.class_limit.tolist() == [20.0, np.inf]
    assert inputs.one_way == pytest.approx(np.sqrt([0.7, 0.85]))
    assert inputs.power.tolist() == [[1, 1], [1, 0.5]]
    assert inputs.energy.tolist() == [[8, 4], [8, 2]]
    assert list(inputs.weather) == [YEAR]


def test_shipped_tables_are_read_in_full() -> None:
    inputs = read_inputs()
    assert len(inputs.areas) == 10
    assert list(inputs.weather) == ["fy2019", "fy2024"]
    assert inputs.demand.sum() == pytest.approx(860, abs=0.1)


def test_file_that_is_not_there(folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_inputs(spec(areas="area.csv"), folder)
    assert caught.value.where.endswith("area.csv")
    assert caught.value.expected == "a CSV file"
    with pytest.raises(InputError) as caught:
        read_inputs(spec(hourly={YEAR: "hours.csv"}), folder)
    assert caught.value.where.endswith("hours.csv")


@pytest.mark.parametrize(
    "content", [b"", b"area,lat\nTokyo,1\nKansai,1,2,3\n", "area,lat\n東京,1\n".encode("cp932")], ids=repr
)
def test_file_that_is_no_table(content: bytes, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "areas.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_inputs(spec(areas=str(path)), folder)
    assert (caught.value.where, caught.value.key) == ("areas.csv", "file")
    assert caught.value.expected == "a CSV table with a header row"


def test_comma_too_many_in_every_row(folder: Path, tmp_path: Path) -> None:
    """No column may slip to the left of its name, silently or under another fault's name."""
    path = tmp_path / "workloads.csv"
    path.write_text("class,share,latency_limit_ms\nrealtime,0.4,20,x\nbatch,0.6,,y\n")
    with pytest.raises(InputError) as caught:
        read_inputs(spec(workloads=str(path)), folder)
    assert (caught.value.where, caught.value.key) == ("workloads.csv", "file")


@pytest.mark.parametrize(
    ("scalars", "where", "key", "found", "expected", "nearest"),
    [
        ({"vol": 3000}, "[inputs]", "scalars", "vol", "one of crf, load_factor", "voll"),
        ({"commited_floor": 0.5}, "[inputs]", "scalars", "commited_floor", "one of crf", "committed_floor"),
        ({"load_factor": 1.5}, "[inputs] scalars", "load_factor", 1.5, "a number in 1e-09..1", None),
        ({"load_factor": 0.0}, "[inputs] scalars", "load_factor", 0.0, "a number in 1e-09..1", None),
        ({"committed_floor": 1.5}, "[inputs] scalars", "committed_floor", 1.5, "a number in 0..1", None),
        ({"pumped_derate": -0.5}, "[inputs] scalars", "pumped_derate", -0.5, "a number in 0..1", None),
        ({"voll": float("inf")}, "[inputs] scalars", "voll", float("inf"), "a number in 0..inf", None),
    ],
)
def test_bad_scalar(
    scalars: dict[str, float], where: str, key: str, found: object, expected: str, nearest: str | None, folder: Path
) -> None:
    with pytest.raises(InputError) as caught:
        read_inputs(spec(scalars=scalars), folder)
    check(caught.value, where, key, found, expected, nearest)


def test_exchange_must_be_an_area(folder: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_inputs(spec(exchanges=("Tokyo", "Osaka")), folder)
    check(caught.value, "[inputs]", "exchanges", "Osaka", "one of Tokyo, Kansai", None)


def test_committed_floor_of_the_study_is_every_fuels(folder: Path) -> None:
    assert read_inputs(spec(scalars={"committed_floor": 0.5}), folder).committed_floor.tolist() == [0.5] * 3


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
    "unknown": (
        lambda t: None,
        "study",
        "configurations",
        "tokio",
        "one of both, tokyo, optimal",
        "tokyo",
    ),
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
    tables: Tables = {"configurations": two_area_tables_without_hours()["configurations"]}
    edit(tables)
    write_tables(tmp_path, tables)
    names = ["both", "tokio"] if case == "unknown" else ["both"]
    with pytest.raises(InputError) as caught:
        read_configurations(tmp_path / "configurations.csv", names, inputs, "tiers", {})
    check(caught.value, *answer)


def two_area_tables_without_hours() -> Tables:
    return {name: frame for name, frame in two_area_tables().items() if name != "hourly"}


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


BAD_DAYS: dict[str, tuple[str, str, str, object, str, str | None]] = {
    "weights": (
        f"{YEAR},0,100\n{YEAR},1,200\n",
        "days.csv",
        f"weight[{YEAR}]",
        "a sum of 300",
        "weights that sum to 365",
        None,
    ),
    "day 365": (
        f"{YEAR},365,365\n",
        "days.csv",
        f"day[{YEAR}/365]",
        "365",
        "a number in 0..364",
        None,
    ),
    "half a day": (
        f"{YEAR},1.5,365\n",
        "days.csv",
        f"day[{YEAR}/1.5]",
        1.5,
        "a whole number in 0..364",
        None,
    ),
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
    "unknown year": (
        "fy2031,7,365\n",
        "days.csv",
        "weather_year[fy2031/7]",
        "fy2031",
        f"one of {YEAR}",
        YEAR,
    ),
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
    "negative": ({"solar_buildout": -0.1}, "solar_buildout", -0.1, "a number in 0..inf 1", None),
    "no demand": ({"dc_demand": 0.0}, "dc_demand", 0.0, "a number in 1e-06..inf GW", None),
    "share over 1": ({"apn_adoption": 1.2}, "apn_adoption", 1.2, "a number in 0..1 share", None),
    "infinite": ({"co2_price": np.inf}, "co2_price", np.inf, "a number in 0..inf yen/t", None),
    "text": ({"co2_price": "12000"}, "co2_price", "12000", "a number in 0..inf yen/t", None),
    "half a switch": ({"new_link": 0.5}, "new_link", 0.5, "0 or 1", None),
    "shares together": (
        {"wls_time_share": 0.625, "wls_space_share": 0.5},
        "wls_time_share + wls_space_share",
        1.125,
        "a sum of at most 1",
        None,
    ),
    "PUE below 1": (
        {"pue_gap": 8.0},
        "pue_gap",
        8.0,
        "a gap that keeps the PUE of every area at 1 or above",
        None,
    ),
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


def test_error_crosses_process_borders_whole() -> None:
    fault = InputError("areas.csv", "area", "Tokio", "one of Tokyo", ["Tokyo", "Kansai"])
    again = pickle.loads(pickle.dumps(fault))
    assert str(again) == str(fault)
    check(again, "areas.csv", "area", "Tokio", "one of Tokyo", "Tokyo")


def without(column: str, place: int | slice) -> Callable[[Inputs], Inputs]:
    """A system in which a technology, or a group of them, stands nowhere."""

    def change(inputs: Inputs) -> Inputs:
        sizes = np.array(getattr(inputs, column))
        sizes[:, place] = 0.0
        return replace(inputs, **{column: sizes})

    return change


def scalar(name: str, value: float) -> Callable[[Inputs], Inputs]:
    return lambda inputs: replace(inputs, scalars={**inputs.scalars, name: value})


UNUSUAL: dict[str, Callable[[Inputs], Inputs]] = {
    "all there": lambda inputs: inputs,
    "no coal": without("thermal", 0),
    "no lng": without("thermal", 1),
    "no oil": without("thermal", 2),
    "no thermal": without("thermal", slice(None)),
    "no sun": without("curtailable", 0),
    "no wind": without("curtailable", slice(1, 3)),
    "no renewables": without("curtailable", slice(None)),
    "no pumped hydro": without("power", 0),
    "no battery": without("power", 1),
    "no storage": without("power", slice(None)),
    "no nuclear": lambda inputs: replace(inputs, nuclear=np.zeros(2)),
    "no emissions": lambda inputs: replace(inputs, emission=np.zeros(3)),
    "line without capacity": lambda inputs: replace(
        inputs, lines=replace(inputs.lines, forward=np.zeros(1), backward=np.zeros(1))
    ),
    "line one way": lambda inputs: replace(inputs, lines=replace(inputs.lines, backward=np.zeros(1))),
    "no limits of latency": lambda inputs: replace(inputs, class_limit=np.full(2, np.inf)),
    "no user in an area": lambda inputs: replace(inputs, user_share=np.array([1.0, 0.0])),
    **{
        f"{name} = 0": scalar(name, 0.0)
        for name in (
            "crf",
            "net_cost",
            "latency_penalty",
            "headroom",
            "flow_cost",
            "storage_cost",
            "spill_cost",
            "tie_breaker_time_shift",
            "tie_breaker_space_shift",
            "tie_breaker_rtt",
            "pumped_derate",
        )
    },
    "no tie-breaker and no limits": lambda inputs: scalar("tie_breaker_rtt", 0.0)(
        replace(inputs, class_limit=np.full(2, np.inf))
    ),
}


@pytest.mark.parametrize("case", UNUSUAL)
def test_unusual_system_is_solved(case: str, inputs: Inputs, folder: Path) -> None:
    """Nothing that may be zero in a table or a study stops a draw."""
    unusual = UNUSUAL[case](inputs)
    configurations = read_configurations(folder / "configurations.csv", ["both", "tokyo"], unusual, "simple", {})
    days = {YEAR: Days(np.array([10]), np.array([365.0]))}
    theta = {**GOOD, "dc_demand": 2.0, "apn_adoption": 0.5, "wls_time_share": 0.2, "co2_price": 9000.0}
    found = solve_draw(build_case(unusual, days, configurations, "both", "simple", theta), theta)
    assert found["status"].tolist() == [1, 1]
    assert np.isfinite(found["total_cost"]).all()
