"""Check that every bad table, file or scalar is refused by file, key, value, what was expected and the nearest name."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from model import (
    InputError,
    Inputs,
    read_inputs,
)
from tests.case_tables import (
    Edit,
    check,
    drop,
    empty,
    put,
    put_at,
    rename,
    repeat,
    spec,
    two_area_tables,
    write_tables,
)
from tests.cases import YEAR

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


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_table(case: str, folder: Path, tmp_path: Path) -> None:
    edit, *answer = BAD_TABLES[case]
    tables = two_area_tables()
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


def test_error_crosses_process_borders_whole() -> None:
    fault = InputError("areas.csv", "area", "Tokio", "one of Tokyo", ["Tokyo", "Kansai"])
    again = pickle.loads(pickle.dumps(fault))
    assert str(again) == str(fault)
    check(again, "areas.csv", "area", "Tokio", "one of Tokyo", "Tokyo")
