"""``python -m tests.soak.cluster``: a head that is killed, a node that falls silent, memory that runs out, all of them real.

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

import sweep.run
from storage import cube_progress
from sweep.events import Event, listening
from sweep.ray_cluster import HEAD_SETTINGS
from sweep.run import run
from tests.fault_hooks import faulty
from tests.sweep_cases import files_outside_run, plan_of, write_study
from tests.test_sweep_cluster import MANY, NODE, Driver, assert_same_but_for, demands, lines, until

RECONNECT = {"RAY_gcs_rpc_server_reconnect_timeout_s": "10"}  # a driver gives a lost head up after so long, else 60 s
SPARE = 2 * 2**30  # bytes that a worker may take before Ray ends it
DETECTED_WITHIN = 15.0


@contextmanager
def cluster_of(settings: dict[str, str], processors: int = 2) -> Iterator[Any]:
    """A head without processors, and a node."""
    with mock.patch.dict(os.environ, {**HEAD_SETTINGS, **settings, "RAY_USAGE_STATS_ENABLED": "0"}):
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **NODE})
        cluster.add_node(num_cpus=processors, **NODE)
        try:
            yield cluster
        finally:
            cluster.shutdown()


def family(process: int) -> list[int]:
    """A process and all that it started, as Linux tells it."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(one for child in children for one in family(int(child)))]


def head_is_killed(folder: Path) -> None:
    """The driver ends by itself, with exit code 1, and a run on another cluster finishes the cube."""
    study, store = write_study(folder, *MANY), folder / "x.zarr"
    run(plan_of(study), folder / "whole.zarr", serial=True)
    with (
        cluster_of(RECONNECT) as cluster,
        mock.patch.dict(os.environ, RECONNECT),
        Driver(study, store, cluster, folder, 0.0, 6, folder / "gate") as driver,
    ):
        until(lambda: store.exists() and cube_progress(store).draws_committed >= 12, "six batches")
        for processes in cluster.head_node.all_processes.values():
            for one in processes:
                one.process.kill()
        assert driver.end() == 1, driver.said.read_text()
    assert cube_progress(store).draws_committed == 12
    with cluster_of({}) as cluster:
        outcome = run(plan_of(study), store, address=cluster.address)
    assert (outcome.found, outcome.solved) == (12, 12)
    assert files_outside_run(store) == files_outside_run(folder / "whole.zarr")


def node_falls_silent(folder: Path) -> None:
    """A node that answers no more, as one that lost its network: given up, its batches done elsewhere, in time."""
    study, store, gate = write_study(folder, *MANY), folder / "x.zarr", folder / "gate"
    run(plan_of(study), folder / "whole.zarr", serial=True)
    with cluster_of({}, processors=1) as cluster:
        frail = cluster.add_node(num_cpus=1, **NODE)
        with Driver(study, store, cluster, folder, 0.0, 4, gate) as driver:
            until(lambda: len({p for n, p in lines(driver.log) if int(n) >= 4}) == 2, "both at the gate")
            frozen = family(frail.all_processes["raylet"][0].process.pid)
            for one in frozen:
                os.kill(one, signal.SIGSTOP)
            begun = time.monotonic()
            until(lambda: "batch requeued" in driver.said.read_text(), "the loss to be seen")
            seconds = time.monotonic() - begun
            gate.touch()
            assert driver.end() == 0, driver.said.read_text()
            for one in frozen:
                with suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
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
        cluster_of(settings, processors=1) as cluster,
        mock.patch.object(sweep.run, "solve_batch", faulty({demands(plan, 3)[0]: "memory"})),
        listening(events.append),
    ):
        outcome = run(plan, store, address=cluster.address)
    assert [note["draw"] for note in outcome.set_aside] == [3]
    causes = [event.fields["cause"] for event in events if event.kind == "worker_died"]
    assert "its node ran out of memory and Ray ended it" in causes, causes
    assert_same_but_for(store, folder / "whole.zarr", {3})


ALL: tuple[Callable[[Path], None], ...] = (head_is_killed, node_falls_silent, memory_runs_out)


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
