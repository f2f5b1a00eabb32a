"""Test a sweep on a cluster of several nodes where workers, nodes, drivers and the store fail: the cube stays the same."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep.run
from storage import cube_progress, open_cube
from sweep.errors import RunStoppedError
from sweep.events import Event, listening
from sweep.plan import Plan
from sweep.ray_cluster import HEAD_SETTINGS
from sweep.run import Limits, run
from tests.cluster_driver import REFUSED
from tests.fault_hooks import faulty
from tests.sweep_cases import Edit, commit_record, files_outside_run, plan_of, write_study

ROOT = Path(__file__).parents[1]
DEADLINE = 120.0
MANY: tuple[Edit, ...] = (("draws = 5", "draws = 24"), ("five_hubs", "today"))
NODE = {"object_store_memory": 80 * 2**20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without processors, as cluster.yaml has it, and what it needs to see a lost node soon."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    with pytest.MonkeyPatch.context() as patched:
        for name, value in HEAD_SETTINGS.items():
            patched.setenv(name, value)
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False, **NODE}
        found = Cluster(initialize_head=True, head_node_args=head)
    yield found
    found.shutdown()


@pytest.fixture(scope="module")
def node(cluster: Any) -> Any:
    """A node that stays."""
    return cluster.add_node(num_cpus=2, **NODE)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"), *MANY)


@pytest.fixture(scope="module")
def plan(study: Path) -> Plan:
    return plan_of(study)


@pytest.fixture(scope="module")
def undisturbed(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("undisturbed") / "x.zarr"
    run(plan, store, serial=True)
    return store


def until(happened: Callable[[], bool], what: str) -> None:
    """Wait for something, with patience."""
    end = time.monotonic() + DEADLINE
    while not happened():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.05)


def lines(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


def beside(act: Callable[[], None]) -> threading.Thread:
    """Do something while a run goes on."""
    thread = threading.Thread(target=act, daemon=True)
    thread.start()
    return thread


def demands(plan: Plan, *draws: int) -> list[float]:
    return [float(plan.table["dc_demand"].values[draw]) for draw in draws]


class Driver:
    """A run as a process of its own."""

    def __init__(self, study: Path, store: Path, cluster: Any, folder: Path, *more: object, name: str = "log") -> None:
        self.log, self.said = folder / name, folder / f"{name}.said"
        given = [study, store, cluster.address, self.log, *(more or (0.0,))]
        with self.said.open("w") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.cluster_driver", *map(str, given)],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.DEVNULL,
                stderr=stream,
            )

    def __enter__(self) -> Driver:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        return self.process.wait(DEADLINE)


def assert_same_but_for(store: Path, undisturbed: Path, aside: set[int], batch: int = 2) -> None:
    """Every draw but those set aside has its bytes; shards without any of them are the same files."""
    ours, theirs = files_outside_run(store), files_outside_run(undisturbed)
    assert ours.keys() == theirs.keys()
    touched = {f"c.{draw // batch}." for draw in aside}
    for name, content in theirs.items():
        shard = name.rpartition("/")[2] + "."
        if not any(shard.startswith(start) for start in touched):
            assert ours[name] == content, name
    found, expected = open_cube(store), open_cube(undisturbed)
    rest = [draw for draw in range(expected.sizes["draw"]) if draw not in aside]
    for name, array in expected.data_vars.items():
        if array.dtype.kind == "f":
            assert found[name].values[rest].tobytes() == array.values[rest].tobytes(), name
    assert (found["status"].values[rest] == 1).all()
    assert (found["status"].values[sorted(aside)] == 5).all()
    assert np.isnan(found["total_cost"].values[sorted(aside)]).all()


def test_draws_that_crash_or_never_end_are_set_aside_and_all_others_done(
    cluster: Any, node: Any, plan: Plan, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash, endless = demands(plan, 3, 9)
    monkeypatch.setattr(sweep.run, "solve_batch", faulty({crash: "segv", endless: "endless"}))
    events: list[Event] = []
    with listening(events.append):
        outcome = run(
            plan, tmp_path / "x.zarr", address=cluster.address, limits=Limits(watchdog=12.0), command="wattbit solve s"
        )
    assert_same_but_for(tmp_path / "x.zarr", undisturbed, {3, 9})
    assert outcome.solved == 24
    first, second = outcome.set_aside
    assert (first["draw"], first["batch"], first["tries"]) == (3, 1, 3)
    assert first["cause"] == "its process died with signal 11 (SIGSEGV)"
    assert (second["draw"], second["cause"]) == (9, "watchdog: no end after 12 s")
    assert first["theta"] == {str(name): column.values[3] for name, column in plan.table.data_vars.items()}
    assert first["replay"].startswith("wattbit solve s --set ")
    assert f"--set dc_demand={crash!r}" in first["replay"]
    told = [(event.kind, event.fields.get("draw")) for event in events]
    assert {("draw_set_aside", 3), ("draw_set_aside", 9)} <= {*told}
    assert "worker_died" in [kind for kind, _ in told]
    again = run(plan, tmp_path / "x.zarr", address=cluster.address)
    assert (again.solved, again.found, again.set_aside) == (0, 24, outcome.set_aside)


def test_lost_node_holds_nothing_and_a_new_one_is_used(
    cluster: Any, node: Any, study: Path, undisturbed: Path, tmp_path: Path
) -> None:
    gate, frail = tmp_path / "gate", cluster.add_node(num_cpus=1, **NODE)
    with Driver(study, tmp_path / "x.zarr", cluster, tmp_path, 0.0, 4, gate) as driver:

        def at_the_gate() -> set[str]:
            return {process for batch, process in lines(driver.log) if int(batch) >= 4}

        until(lambda: len(at_the_gate()) == 3, "three workers at the gate")
        cluster.remove_node(frail, allow_graceful=False)
        added = cluster.add_node(num_cpus=2, **NODE)
        until(lambda: len(at_the_gate()) >= 4, "a worker of the new node")
        gate.touch()
        assert driver.end() == 0, driver.said.read_text()
    said = driver.said.read_text()
    assert "cause its node or the network to it is gone" in said
    assert said.count("batch requeued") == 2
    assert files_outside_run(tmp_path / "x.zarr") == files_outside_run(undisturbed)
    cluster.remove_node(added, allow_graceful=False)


def test_killed_driver_and_the_same_line_again_on_the_same_cluster(
    cluster: Any, node: Any, study: Path, plan: Plan, undisturbed: Path, tmp_path: Path
) -> None:
    store = tmp_path / "x.zarr"
    with Driver(study, store, cluster, tmp_path, 0.0, 6, tmp_path / "gate") as driver:
        until(lambda: commit_record(store, 5).exists(), "a finished batch")
    assert driver.process.returncode == -signal.SIGKILL
    held = cube_progress(store).draws_committed
    assert 0 < held < 24
    outcome = run(plan, store, address=cluster.address)
    assert (outcome.found, outcome.solved) == (held, 24 - held)
    assert files_outside_run(store) == files_outside_run(undisturbed)


def test_two_drivers_one_store_is_refused_and_two_stores_are_both_finished(
    cluster: Any, node: Any, study: Path, undisturbed: Path, tmp_path: Path
) -> None:
    store, other, gate = tmp_path / "x.zarr", tmp_path / "y.zarr", tmp_path / "gate"
    with Driver(study, store, cluster, tmp_path, 0.0, 4, gate) as first:
        until(lambda: commit_record(store, 1).exists(), "the first driver's work")
        with Driver(study, store, cluster, tmp_path, name="second") as second:
            assert second.end() == REFUSED
        assert "is being written by another run" in second.said.read_text()
        with Driver(study, other, cluster, tmp_path, name="third") as third:
            until(other.exists, "the third driver's start")
            gate.touch()
            assert first.end() == 0, first.said.read_text()
            assert third.end() == 0, third.said.read_text()
    assert files_outside_run(store) == files_outside_run(other) == files_outside_run(undisturbed)


def test_store_that_is_away_for_a_while_is_waited_for(
    cluster: Any, node: Any, plan: Plan, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, log = tmp_path / "x.zarr", tmp_path / "log"
    monkeypatch.setattr(sweep.run, "solve_batch", faulty({}, log, seconds=0.3))

    def away() -> None:
        until(lambda: any(commit_record(store, batch).exists() for batch in range(12)), "a finished batch")
        store.rename(tmp_path / "elsewhere")
        time.sleep(4)
        (tmp_path / "elsewhere").rename(store)

    events: list[Event] = []
    thread = beside(away)
    with listening(events.append):
        outcome = run(plan, store, address=cluster.address)
    thread.join()
    assert outcome.solved == 24
    assert files_outside_run(store) == files_outside_run(undisturbed)
    faults = [event.fields for event in events if event.kind == "store_retried"]
    assert faults
    assert len(lines(log)) == 12  # nothing was solved again


def test_store_that_does_not_come_back_stops_the_run_and_keeps_what_is_finished(
    cluster: Any, node: Any, plan: Plan, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, log = tmp_path / "x.zarr", tmp_path / "log"
    slow = faulty({}, log, seconds=0.3)

    def impatient(work: Any, draws: Any) -> Any:
        import sweep.patience

        sweep.patience.WAITS = (0.1, 0.2)  # type: ignore[assignment]
        return slow(work, draws)

    monkeypatch.setattr(sweep.run, "solve_batch", impatient)
    monkeypatch.setattr("sweep.patience.WAITS", (0.1, 0.2))

    def away() -> None:
        until(lambda: any(commit_record(store, batch).exists() for batch in range(12)), "a finished batch")
        store.rename(tmp_path / "elsewhere")

    thread = beside(away)
    with pytest.raises(RunStoppedError):
        run(plan, store, address=cluster.address)
    thread.join()
    assert not store.exists()
    (tmp_path / "elsewhere").rename(store)
    shutil.rmtree(store / "run" / "lease")  # a process that had ended would hold none; this one lives on
    monkeypatch.undo()
    assert 0 < cube_progress(store).draws_committed < 24
    run(plan, store, address=cluster.address)
    assert files_outside_run(store) == files_outside_run(undisturbed)
