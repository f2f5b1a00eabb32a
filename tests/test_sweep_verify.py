"""Test that verify believes a cube that is as it was run, and none that was damaged or tampered with."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from model import OUTCOMES
from sweep.run import run
from sweep.verify import verdict, verify
from tests.growing_cases import DATA
from tests.sweep_cases import NORTH, TOO_SMALL, WITH_NORTH, commit_record, plan_of, strict_json, wattbit, write_study

Change = Callable[[Any], Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cube that was extended: three draws and two configurations first, then five draws and a free configuration."""
    folder = tmp_path_factory.mktemp("verified")
    run(plan_of(write_study(folder), 3), folder / "small.zarr", serial=True)
    run(plan_of(write_study(folder, WITH_NORTH, more=NORTH)), folder / "small.zarr", serial=True)
    return folder


@pytest.fixture
def store(folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(folder / "small.zarr", tmp_path / "small.zarr")


def tamper(store: Path, name: str, change: Change, draw: int = 0, configuration: int = 1) -> None:
    """Change a variable in one draw and configuration, encode it anew, and put its right checksum into the record."""
    array = zarr.open_group(str(store), mode="r+")[name]
    array[draw, configuration] = change(array[draw, configuration])
    file = commit_record(store, draw // 2)
    record = json.loads(file.read_text())
    rows = array[slice(*record["draws"]), : len(record["configurations"])]
    record["sha256"][name] = hashlib.sha256(rows.astype("<f8" if name != "status" else "i1").tobytes()).hexdigest()
    file.write_text(json.dumps(record))


def test_cube_that_was_run_and_extended_is_believed(folder: Path) -> None:
    result = wattbit(folder, "verify", "small.zarr", "--json", "--sample", "1", "--seed", "3")
    assert result.exit_code == 0
    record = strict_json(result.stdout)
    assert (record["believed"], record["faults"], record["draws"], record["draws_finished"]) == (True, [], 5, 5)
    assert [one["configuration"] for one in record["resolved"]] == ["tokyo_osaka", "five_hubs", "north"]
    assert {one["draw"] for one in record["resolved"]} == {record["resolved"][0]["draw"]}
    for one in record["resolved"]:
        assert one["agrees"] is True
        assert one["found"] == pytest.approx(one["stored"], rel=1e-6)
    assert 0 <= record["residuals"]["primal"] < 1e-6
    assert 0 <= record["residuals"]["dual"] < 1e-6
    assert record["values_recomputed"] > 1000
    again = wattbit(folder, "verify", "small.zarr", "--sample", "0")
    assert (again.exit_code, len(again.stdout.splitlines())) == (0, 1)
    assert "small.zarr may be believed: 5 draws" in again.stdout


COMPARED = [
    *(outcome.name for outcome in OUTCOMES if outcome.name.endswith("_cost") and outcome.name != "network_cost"),
    *(outcome.name for outcome in OUTCOMES if outcome.name.startswith("saving_")),
    *("co2", "headroom_exceeded", "sites_violated", "siting_cut_constant"),
]


@pytest.mark.parametrize("name", [*COMPARED, "network_cost"])
def test_changed_number_with_a_right_checksum_is_found(name: str, store: Path) -> None:
    tamper(store, name, lambda value: value + max(abs(value) * 1e-3, 0.01))
    record = verify(store, sample=0)
    assert not record["believed"]
    assert all("draw 0, " in fault for fault in record["faults"])
    assert verdict(record).startswith(f"{store} must not be believed: ")


@pytest.mark.parametrize(
    "name",
    [
        "generation",
        "curtailment",
        "unserved",
        "spill",
        "dc_load",
        "dc_capacity",
        "sites",
        "flow_net",
        "storage_discharge",
    ],
)
def test_changed_quantity_of_one_area_or_line_is_found(name: str, store: Path) -> None:
    def add(values: Any) -> Any:
        values = values.copy()
        values.flat[np.flatnonzero(np.isfinite(values))[0]] += 0.5
        return values

    tamper(store, name, add)
    assert not verify(store, sample=0)["believed"]


def test_value_that_is_missing_in_a_solved_cell_is_found(store: Path) -> None:
    tamper(store, "total_cost", lambda value: np.nan, draw=4)
    record = verify(store, sample=0)
    assert any(fault.startswith("draw 4, five_hubs, total_cost: the cube has nan") for fault in record["faults"])


def test_costs_that_agree_among_themselves_are_found_by_solving_again(store: Path) -> None:
    # 1 billion yen more network cost, carried through every sum: only a solution tells.
    for name in ("network_cost", "siting_cost", "total_cost", "regret_total", "saving_total"):
        sign = -1 if name == "saving_total" else 1
        tamper_all(store, name, sign)
    assert verify(store, sample=0)["believed"]
    record = verify(store, sample=1, seed=2)
    assert {one["draw"] for one in record["resolved"]} == {0}
    assert [fault for fault in record["faults"] if fault.startswith("draw 0, five_hubs: solved again, costs differ")]


def tamper_all(store: Path, name: str, amount: float) -> None:
    if name == "regret_total":  # is kept with the last generation
        array = zarr.open_group(str(store), mode="r+")[name]
        totals = zarr.open_group(str(store), mode="r")["total_cost"][0]
        array[0] = totals - totals[:2].min()
        file = store / "run" / "commits" / "000000.1.json"
        record = json.loads(file.read_text())
        record["sha256"][name] = hashlib.sha256(array[0:2].astype("<f8").tobytes()).hexdigest()
        file.write_text(json.dumps(record))
    else:
        tamper(store, name, lambda value: value + amount)


def test_damage_is_told_by_file_and_nothing_else_is_looked_at(store: Path) -> None:
    shard = store / "fuel_cost" / "c.1.0"
    good = shard.read_bytes()
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    for content, says in (
        (bytes(flipped), "cannot be decoded"),
        (good[:20], "cannot be decoded"),
        (None, "is missing or not"),
    ):
        shard.unlink()
        if content is not None:
            shard.write_bytes(content)
        result = wattbit(store.parent, "verify", "small.zarr")
        assert result.exit_code == 1
        assert "must not be believed: 1 fault; first: small.zarr: fuel_cost of batch 1" in result.stdout
        assert says in result.stdout
        shard.write_bytes(good)


def test_changed_draw_or_table_is_found(store: Path) -> None:
    array = zarr.open_group(str(store), mode="r+")["dc_demand"]
    array[2] = array[2] + 1e-9
    table = store / "run" / "tables" / "areas.csv"
    table.write_text(table.read_text() + "\n")
    faults = verify(store)["faults"]
    assert "the draw table is not the one that the record names: the checksums differ" in faults
    assert "run/tables: areas is not the file that the record names: the checksums differ" in faults


def test_failed_and_unfinished_draws_are_no_faults(tmp_path: Path) -> None:
    study = write_study(tmp_path, WITH_NORTH, more=TOO_SMALL)
    store = tmp_path / "failed.zarr"
    run(plan_of(study, 3), store, serial=True)
    commit_record(store, 0).unlink()
    record = verify(store, sample=3)
    assert (record["believed"], record["draws_finished"]) == (True, 1)
    assert [(one["status"], one["agrees"]) for one in record["resolved"]] == [("optimal", True)] * 2 + [
        ("infeasible", True)
    ]
    assert "1 of 3 draws" in verdict(record)


def test_cube_without_its_tables_is_refused(tmp_path: Path) -> None:
    result = wattbit(tmp_path, "verify", str(DATA / "format_1.zarr"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "holds no input tables" in result.stderr
