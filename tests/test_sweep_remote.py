"""Test a whole sweep into an S3 server: Ray workers, faults, a kill, a store that goes away; the bytes are the local ones."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import storage
from sweep.run import run
from tests.remote_cases import outside_run
from tests.s3_server import BUCKET, SECRET, FaultProxy
from tests.sweep_cases import plan_of, wattbit, write_study

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.usefixtures("proxy")
DEADLINE_SECONDS = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three batches, and its cube on the local disk."""
    folder = tmp_path_factory.mktemp("study")
    run(plan_of(write_study(folder)), folder / "local.zarr", serial=True)
    return folder


def process(folder: Path, *line: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", "from sweep.cli import main; main()", *line]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=folder, env=environment, stdout=pipe, stderr=pipe, text=True)


def test_ray_workers_write_the_local_bytes_through_busy_answers(folder: Path, proxy: FaultProxy) -> None:
    proxy.fault, proxy.share = "503", 0.1
    store = f"s3://{BUCKET}/ray.zarr"
    running = process(folder, "run", "study.toml", "--workers", "2", "--store", store)
    _, said = running.communicate(timeout=DEADLINE_SECONDS)
    assert running.returncode == 0, said
    assert f"cube {store}\nreport results/ray.html" in said
    assert (folder / "results" / "ray.html").stat().st_size > 10_000
    assert proxy.counts["503"] > 10
    assert outside_run(storage.root_of(store)) == outside_run(folder / "local.zarr")
    proxy.reset()
    again = wattbit(folder, "run", "study.toml", "--store", store)
    assert (again.exit_code, "0 draws solved, 5 found finished" in again.stderr) == (0, True)
    assert proxy.counts["PUT"] == 0
    for line in (("status",), ("verify", "--sample", "0"), ("compact", "--out", "compact.zarr")):
        assert wattbit(folder, line[0], store, *line[1:]).exit_code == 0, line
    assert "five_hubs" in wattbit(folder, "query", store, "total_cost").stdout


def test_killed_run_is_finished_by_the_same_line(folder: Path, proxy: FaultProxy) -> None:
    store = storage.root_of(f"s3://{BUCKET}/killed.zarr")
    line = ("run", "study.toml", "--serial", "--store", str(store))
    running = process(folder, *line)
    proxy.delay = 0.02
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not any("commits" in seen and "PUT" in seen for seen in proxy.seen) and time.monotonic() < deadline:
        time.sleep(0.01)
    running.kill()
    running.communicate()
    proxy.reset()
    assert running.returncode == -9
    assert storage.cube_progress(store).draws_committed < 5
    finished = wattbit(folder, *line)
    assert finished.exit_code == 0, finished.stderr
    assert outside_run(store) == outside_run(folder / "local.zarr")


def test_store_that_goes_away_stops_the_run_and_it_goes_on_later(
    folder: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = storage.root_of(f"s3://{BUCKET}/away.zarr")
    line = ("run", "study.toml", "--serial", "--store", str(store))
    monkeypatch.setenv("WATTBIT_STORE_RETRIES", "2")
    monkeypatch.setattr("sweep.patience.WAITS", (0.5, 1.0))  # in place of two minutes
    made = len(storage.files.sizes_below(folder / "local.zarr"))
    proxy.stop_after = made  # all that belongs to no batch, and some batches
    stopped = wattbit(folder, *line)
    assert (stopped.exit_code, stopped.stdout) == (1, "")
    assert f"wattbit: stopped: {store}" in stopped.stderr
    assert "503 Service Unavailable" in stopped.stderr
    assert "finished batches are kept, the same line again goes on" in stopped.stderr
    assert SECRET not in stopped.stderr
    reading = wattbit(folder, "status", str(store))
    assert (reading.exit_code, "cannot be reached" in reading.stderr) == (2, True)
    proxy.reset()
    assert 0 < storage.cube_progress(store).draws_committed < 5
    monkeypatch.setattr("storage.lease._is_alive", lambda _: False)  # the first run was of this very process
    assert wattbit(folder, *line).exit_code == 0
    assert outside_run(store) == outside_run(folder / "local.zarr")


def test_what_cannot_work_is_refused_before_a_solve(folder: Path, proxy: FaultProxy) -> None:
    for store, says in {
        "s3://nowhere/a.zarr": "s3://nowhere/a.zarr: there is no such bucket",
        "memory://a.zarr": "lies in the memory of this process, where workers cannot write: expected --serial",
        "azure://a/b": "unknown scheme 'azure'",
    }.items():
        refused = wattbit(folder, "run", "study.toml", "--store", store)
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert says in refused.stderr
        assert "a pilot" not in refused.stderr
    proxy.fault = "denied"
    refused = wattbit(folder, "run", "study.toml", "--store", f"s3://{BUCKET}/denied.zarr")
    assert (refused.exit_code, "access denied, check the credentials" in refused.stderr) == (2, True)
    assert SECRET not in refused.stderr


def test_memory_serves_a_serial_run(folder: Path) -> None:
    store = storage.root_of("memory://serial.zarr")
    assert wattbit(folder, "run", "study.toml", "--serial", "--store", str(store)).exit_code == 0
    assert outside_run(store) == outside_run(folder / "local.zarr")
