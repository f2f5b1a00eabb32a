"""Test runs on a disk of their own that fills up or may only be read, and two runs that start at once, in real processes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from storage import cube_progress
from tests.soak.faults import ROOT, Run
from tests.soak.ledger import solves
from tests.sweep_cases import DRAWS, commit_record, files_outside_run, wattbit, write_study

NAMESPACES = (("unshare", "--mount"), ("unshare", "--map-root-user", "--mount"))
KEPT = "finished batches are kept, the same line again goes on from there"


def namespace(folder: Path) -> tuple[str, ...] | None:
    """Return the command that gives a process mounts of its own; None where this system allows none."""
    for command in NAMESPACES:
        try:
            done = subprocess.run(
                [*command, "mount", "-t", "tmpfs", "none", str(folder)], check=False, capture_output=True
            )
        except FileNotFoundError:
            return None
        if done.returncode == 0:
            return command
    return None


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("disk")
    command = namespace(folder)
    if command is None:
        pytest.skip("no mounts of our own here: unshare and mount need root or user namespaces")
    done = subprocess.run(
        [*command, sys.executable, "-m", "tests.on_small_disk", str(folder)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_full_disk_refuses_a_new_cube_and_leaves_nothing_of_it(told: dict[str, Any]) -> None:
    made = told["full"]["no room to make it"]
    assert (made["code"], made["stdout"], made["left"]) == (2, "", ["filler"])
    assert "disk/x.zarr cannot be made: [Errno 28] No space left on device" in made["stderr"]


def test_full_disk_refuses_a_run_before_its_pilot(told: dict[str, Any]) -> None:
    refused = told["full"]["no room"]
    assert (refused["code"], refused["stdout"], refused["untouched"]) == (2, "", True)
    assert "disk/x.zarr cannot be written to: No space left on device" in refused["stderr"]
    assert "pilot" not in refused["stderr"]


def test_disk_that_fills_up_in_an_extension_stops_the_run_and_leaves_the_cube_as_it_was(told: dict[str, Any]) -> None:
    stopped = told["full"]["no room to extend"]
    assert (stopped["code"], stopped["stdout"], stopped["untouched"]) == (1, "", True)
    assert (
        f"stopped: disk/x.zarr could not be extended: [Errno 28] No space left on device; {KEPT}" in stopped["stderr"]
    )
    assert (told["full"]["room to extend"]["code"], told["full"]["room to extend"]["same"]) == (0, True)


def test_disk_that_fills_up_in_mid_run_keeps_what_is_finished(told: dict[str, Any]) -> None:
    stopped = told["full"]["no room for all batches"]
    assert (stopped["code"], stopped["stdout"]) == (1, "")
    assert "wattbit: stopped: [Errno 28] No space left on device" in stopped["stderr"]
    assert KEPT in stopped["stderr"]
    assert stopped["missing"] == [2]
    assert stopped["partial"] == [], "the room that a half-written file takes is given back"
    again = told["full"]["room again"]
    assert (again["code"], again["same"]) == (0, True)
    assert "1 draws solved, 4 found finished" in again["stderr"]


def test_disk_without_room_for_the_report_has_the_finished_cube_all_the_same(told: dict[str, Any]) -> None:
    finished = told["full"]["no room for the report"]
    assert finished["code"] == 1
    assert "five_hubs" in finished["stdout"]
    assert "wattbit: the cube disk/x.zarr is complete, but " in finished["stderr"]


def test_store_that_may_only_be_read_is_refused_before_a_pilot_and_can_be_looked_at(told: dict[str, Any]) -> None:
    read_only = told["read-only"]
    for name, says in (
        ("extended", "disk/x.zarr cannot be written to: Read-only file system"),
        ("new", "y.zarr cannot be made: "),
    ):
        assert (read_only[name]["code"], read_only[name]["stdout"]) == (2, "")
        assert says in read_only[name]["stderr"]
        assert "pilot" not in read_only[name]["stderr"]
    assert (read_only["status"]["code"], read_only["untouched"]) == (0, True)


def test_two_runs_that_start_at_once_solve_every_draw_once(tmp_path: Path) -> None:
    write_study(tmp_path)
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        write_study(folder)
    store = tmp_path / "shared.zarr"
    log = tmp_path / "log"
    runs = [Run(folder, log, ["study.toml", "--serial", "--store", str(store)]) for folder in folders]
    codes = [run.wait() for run in runs]
    assert 0 in codes
    for code, run in zip(codes, runs, strict=True):
        assert code in (0, 2), run.stderr()
        assert code == 0 or "is being written by another run" in run.stderr()
    assert Counter(cell for cells in solves(log.read_bytes()) for cell in cells) == {
        (draw, name): 1 for draw in range(DRAWS) for name in ("tokyo_osaka", "five_hubs")
    }
    assert cube_progress(store).missing_batches == ()
    assert [name for name in os.listdir(tmp_path) if name.startswith(".")] == []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with its cube, x.zarr, and one of six draws made at once; tests take a copy."""
    folder = tmp_path_factory.mktemp("made")
    write_study(folder)
    for store, draws in (("x.zarr", "5"), ("once.zarr", "6")):
        line = ("run", "study.toml", "--serial", "--store", store, "--draws", draws)
        assert wattbit(folder, *line).exit_code == 0
    return folder


@pytest.mark.parametrize("harm", ["truncated", "flipped"])
def test_damaged_shard_refuses_the_run_that_would_build_on_it(harm: str, made: Path, tmp_path: Path) -> None:
    """More draws complete the last short batch in its file: what is there must be what was committed."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    line = ("run", "study.toml", "--serial", "--store", "x.zarr")
    [shard] = (tmp_path / "x.zarr" / "generation").glob("c.2*")
    whole, record = shard.read_bytes(), commit_record(tmp_path / "x.zarr", 2).read_bytes()
    middle = len(whole) // 2
    damaged = (
        whole[:middle] if harm == "truncated" else whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    )
    shard.write_bytes(damaged)
    refused = wattbit(tmp_path, *line, "--draws", "6")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "generation of batch 2 (generation/c.2.0.0.0)" in refused.stderr
    assert "pilot" not in refused.stderr
    assert "Traceback" not in refused.stderr
    assert commit_record(tmp_path / "x.zarr", 2).read_bytes() == record
    assert shard.read_bytes() == damaged
    read = wattbit(tmp_path, "query", "x.zarr", "generation", "--select", "technology=lng", "--sum", "area")
    assert read.exit_code == (2 if "cannot be decoded" in refused.stderr else 0)  # a flipped bit may decode
    if read.exit_code:
        assert "generation: c.2.0.0.0 cannot be decoded" in read.stderr
    shard.write_bytes(whole)
    assert wattbit(tmp_path, *line, "--draws", "6").exit_code == 0
    assert files_outside_run(tmp_path / "x.zarr") == files_outside_run(tmp_path / "once.zarr")
