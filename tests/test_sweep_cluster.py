"""Test a sweep on a cluster of several nodes where workers, nodes, drivers and draws fail: the cube stays the same.

`python -m tests.soak --cluster-faults` brings many more upon it, heads and stores among them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sweep.run
from storage import cube_progress
from sweep.events import Event, listening
from sweep.plan import Plan
from sweep.run import Limits, run
from tests.cluster_cases import MANY, NODE, Driver, assert_same_but_for, cluster_of, demands, lines, until
from tests.fault_hooks import faulty
from tests.sweep_cases import files_outside_run, plan_of, write_study

WATCHDOG = 12.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    with cluster_of(1) as found:
        yield found


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


def test_draws_that_crash_or_never_end_are_set_aside_and_all_others_done(
    cluster: Any, plan: Plan, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crash, endless = demands(plan, 3, 9)
    monkeypatch.setattr(sweep.run, "solve_batch", faulty({crash: "segv", endless: "endless"}))
    events: list[Event] = []
    with listening(events.append):
        outcome = run(
            plan,
            tmp_path / "x.zarr",
            address=cluster.address,
            limits=Limits(watchdog=WATCHDOG),
            command="wattbit solve s",
        )
    assert_same_but_for(tmp_path / "x.zarr", undisturbed, {3, 9})
    assert outcome.solved == 24
    first, second = outcome.set_aside
    assert (first["draw"], first["batch"], first["tries"]) == (3, 1, 3)
    assert first["cause"] == "its process died with signal 11 (SIGSEGV)"
    assert (second["draw"], second["cause"]) == (9, f"watchdog: no end after {WATCHDOG:g} s")
    assert first["theta"] == {str(name): column.values[3] for name, column in plan.table.data_vars.items()}
    assert first["replay"].startswith("wattbit solve s --set ")
    assert f"--set dc_demand={crash!r}" in first["replay"]
    told = [(event.kind, event.fields.get("draw")) for event in events]
    assert {("draw_set_aside", 3), ("draw_set_aside", 9)} <= {*told}
    assert "worker_died" in [kind for kind, _ in told]
    again = run(plan, tmp_path / "x.zarr", address=cluster.address)
    assert (again.solved, again.found, again.set_aside) == (0, 24, outcome.set_aside)


def test_worker_node_and_driver_die_in_turn_and_the_same_line_again_finishes_the_cube(
    cluster: Any, study: Path, plan: Plan, undisturbed: Path, tmp_path: Path
) -> None:
    store, gate, frail = tmp_path / "x.zarr", tmp_path / "gate", cluster.add_node(num_cpus=1, **NODE)
    with Driver(study, store, cluster, tmp_path, 0.0, 4, gate) as driver:

        def at_the_gate() -> list[int]:
            return list(dict.fromkeys(int(process) for batch, process in lines(driver.log) if int(batch) >= 4))

        until(lambda: len(at_the_gate()) == 2, "a worker of each node")
        cluster.remove_node(frail, allow_graceful=False)
        until(lambda: "cause its node or the network to it is gone" in driver.said.read_text(), "the loss")
        until(lambda: sum(Path(f"/proc/{process}").exists() for process in at_the_gate()) == 1, "its worker's end")
        os.kill(next(process for process in at_the_gate() if Path(f"/proc/{process}").exists()), signal.SIGKILL)
        until(lambda: len(at_the_gate()) == 3, "another one in its place")
        added = cluster.add_node(num_cpus=1, **NODE)
        until(lambda: len(at_the_gate()) == 4, "a worker of the new node")
        said = driver.said.read_text()
        assert "cause its process ended" in said
        assert said.count("batch requeued") == 4  # two calls in flight of each worker
        assert said.count("deaths 1") == 1  # the kill is charged to the batch that was at work, the lost node to nobody
    assert driver.process.returncode == -signal.SIGKILL
    held = cube_progress(store).draws_committed
    assert held == 8
    outcome = run(plan, store, address=cluster.address)
    assert (outcome.found, outcome.solved) == (held, 24 - held)
    assert files_outside_run(store) == files_outside_run(undisturbed)
    cluster.remove_node(added, allow_graceful=False)
