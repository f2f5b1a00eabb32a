"""``python -m tests.soak.cluster``: head killed, node silent, memory full, store gone, drivers at once, all of them real.

Each takes a folder of its own, raises AssertionError where the cube is not what an undisturbed run leaves, and may be
called from elsewhere. A minute or two each: clusters of their own, and Ray's own patience.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import sweep.run
from storage import cube_progress
from sweep.events import Event, listening
from sweep.run import run
from tests.cluster_cases import MANY, NODE, Driver, assert_same_but_for, cluster_of, demands, lines, until
from tests.cluster_driver import REFUSED
from tests.fault_hooks import faulty
from tests.soak.nodes import RECONNECT, Nodes, send
from tests.sweep_cases import commit_record, files_outside_run, plan_of, write_study

SPARE = 2 * 2**30  # bytes that a worker may take before Ray ends it
DETECTED_WITHIN = 15.0
GIVEN_UP_WITHIN = 300.0


def head_is_killed(folder: Path) -> None:
    """The driver ends by itself, with exit code 1, and a run on another cluster finishes the cube."""
    study, store = write_study(folder, *MANY), folder / "x.zarr"
    run(plan_of(study), folder / "whole.zarr", serial=True)
    with (
        cluster_of(2, RECONNECT) as cluster,
        mock.patch.dict(os.environ, RECONNECT),
        Driver(study, store, cluster, folder, 0.0, 6, folder / "gate") as driver,
    ):
        until(lambda: store.exists() and cube_progress(store).draws_committed >= 12, "six batches")
        for processes in cluster.head_node.all_processes.values():
            for one in processes:
                one.process.kill()
        assert driver.end() == 1, driver.said.read_text()
    assert cube_progress(store).draws_committed == 12
    with cluster_of(2) as cluster:
        outcome = run(plan_of(study), store, address=cluster.address)
    assert (outcome.found, outcome.solved) == (12, 12)
    assert files_outside_run(store) == files_outside_run(folder / "whole.zarr")


def node_falls_silent(folder: Path) -> None:
    """A node that answers no more, as one that lost its network: given up, its batches done elsewhere, in time."""
    study, store, gate = write_study(folder, *MANY), folder / "x.zarr", folder / "gate"
    run(plan_of(study), folder / "whole.zarr", serial=True)
    with cluster_of(1) as cluster:
        frail = cluster.add_node(num_cpus=1, **NODE)
        with Driver(study, store, cluster, folder, 0.0, 4, gate) as driver:
            until(lambda: len({p for n, p in lines(driver.log) if int(n) >= 4}) == 2, "both at the gate")
            frozen = Nodes.processes(frail)
            send(frozen, signal.SIGSTOP)
            begun = time.monotonic()
            until(lambda: "batch requeued" in driver.said.read_text(), "the loss to be seen")
            seconds = time.monotonic() - begun
            gate.touch()
            assert driver.end() == 0, driver.said.read_text()
            send(frozen, signal.SIGKILL)
    print(f"  seen and handed out again after {seconds:.1f} s")
    assert seconds < DETECTED_WITHIN
    assert files_outside_run(store) == files_outside_run(folder / "whole.zarr")


def memory_runs_out(folder: Path) -> None:
    """Ray ends a worker that takes all memory, again and again; the draw is found by the notes and set aside."""
    study, store = write_study(folder, *MANY), folder / "x.zarr"
    plan = plan_of(study)
    run(plan, folder / "whole.zarr", serial=True)
    told = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    total, free = (1024 * int(told[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    limit = (total - free + SPARE) / total
    settings = {"RAY_memory_usage_threshold": f"{limit:.3f}", "RAY_memory_monitor_refresh_ms": "100"}
    events: list[Event] = []
    with (
        cluster_of(1, settings) as cluster,
        mock.patch.object(sweep.run, "solve_batch", faulty({demands(plan, 3)[0]: "memory"})),
        listening(events.append),
    ):
        outcome = run(plan, store, address=cluster.address)
    assert [note["draw"] for note in outcome.set_aside] == [3]
    causes = [event.fields["cause"] for event in events if event.kind == "worker_died"]
    assert "its node ran out of memory and Ray ended it" in causes, causes
    assert_same_but_for(store, folder / "whole.zarr", {3})


def store_does_not_come_back(folder: Path) -> None:
    """The run stops, what was finished is kept, and a run after the store's return finishes the cube."""
    study, store, gate = write_study(folder, *MANY), folder / "x.zarr", folder / "gate"
    run(plan_of(study), folder / "whole.zarr", serial=True)
    with cluster_of(2) as cluster:
        with Driver(study, store, cluster, folder, 0.0, 6, gate) as driver:
            until(lambda: store.exists() and cube_progress(store).draws_committed >= 12, "six batches")
            store.rename(folder / "elsewhere")
            gate.touch()
            assert driver.process.wait(GIVEN_UP_WITHIN) == 1, driver.said.read_text()
            assert "RunStoppedError" in driver.said.read_text()
        assert not store.exists()
        (folder / "elsewhere").rename(store)
        outcome = run(plan_of(study), store, address=cluster.address)
    assert (outcome.found, outcome.solved) == (12, 12)
    assert files_outside_run(store) == files_outside_run(folder / "whole.zarr")


def drivers_at_once(folder: Path) -> None:
    """Two drivers of one cluster: refused with one store, and both finished with two."""
    study, store, other, gate = write_study(folder, *MANY), folder / "x.zarr", folder / "y.zarr", folder / "gate"
    run(plan_of(study), folder / "whole.zarr", serial=True)
    with cluster_of(2) as cluster, Driver(study, store, cluster, folder, 0.0, 4, gate) as first:
        until(lambda: commit_record(store, 1).exists(), "the first driver's work")
        with Driver(study, store, cluster, folder, name="second") as second:
            assert second.end() == REFUSED
        assert "is being written by another run" in second.said.read_text()
        with Driver(study, other, cluster, folder, name="third") as third:
            until(other.exists, "the third driver's start")
            gate.touch()
            assert first.end() == 0, first.said.read_text()
            assert third.end() == 0, third.said.read_text()
    assert files_outside_run(store) == files_outside_run(other) == files_outside_run(folder / "whole.zarr")


ALL: tuple[Callable[[Path], None], ...] = (
    head_is_killed,
    node_falls_silent,
    memory_runs_out,
    store_does_not_come_back,
    drivers_at_once,
)


def main() -> None:
    """Run all, or those named."""
    logging.basicConfig(level=logging.WARNING, format="  %(message)s")
    for soak in ALL:
        if sys.argv[1:] and soak.__name__ not in sys.argv[1:]:
            continue
        begun = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            soak(Path(folder))
        print(f"{soak.__name__}: well, {time.monotonic() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
