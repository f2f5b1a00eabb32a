"""A run inside a Ray job: the cluster it finds by itself, and what is kept when the job is stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import sweep.cli_run
from storage import cube_progress
from sweep.executors import WorkersLostError
from tests.sweep_cases import wattbit, write_study

ROOT = Path(__file__).parents[1]
DRAWS = 1024  # far more than are solved before the stop
PATIENCE = 180.0


def start(folder: Path, *options: str) -> subprocess.Popen[str]:
    line = ["run", "study.toml", "--draws", str(DRAWS), "--store", "x.zarr", *options]
    code = "from sweep.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", code, *line], cwd=folder, env=environment, stderr=-1, text=True)


def wait_for_records(store: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not any(store.glob("run/commits/*.json")):
        assert process.poll() is None, "the run ended before its first batch"
        assert time.monotonic() < deadline, "no batch was committed"
        time.sleep(0.05)


@pytest.mark.parametrize("options", [("--serial",), ("--workers", "1")], ids=["serial", "ray"])
def test_stopped_job_ends_like_an_interruption(options: tuple[str, ...], tmp_path: Path) -> None:
    write_study(tmp_path)
    store = tmp_path / "x.zarr"
    with start(tmp_path, *options) as process:
        wait_for_records(store, process)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, said
    assert "wattbit: terminated; finished batches are kept, the same line again goes on from there" in said
    assert "Traceback" not in said
    assert 0 < cube_progress(store).draws_committed < DRAWS
    assert not [*store.glob("run/lease/*")], "a stopped run gives its lease back"


def test_job_finds_its_cluster_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_study(tmp_path)
    asked: list[dict[str, Any]] = []

    def note(*arguments: Any, **options: Any) -> None:
        asked.append(options)
        raise WorkersLostError([0])  # the soonest end that a run may have

    monkeypatch.setattr(sweep.cli_run, "run_plan", note)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    monkeypatch.setenv("WATTBIT_WORKERS", "64")
    for options in ((), ("--address", "auto", "--workers", "3"), ("--serial",)):
        assert wattbit(tmp_path, "run", "study.toml", *options).exit_code == 1
    found = [(options["address"], options["workers"], options["serial"]) for options in asked]
    assert found == [("10.0.0.1:6379", 64, False), ("auto", 3, False), (None, 64, True)]
