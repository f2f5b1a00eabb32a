"""What tests of clusters share: a cluster of several nodes, a run on it as a process of its own, and patience."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from storage import open_cube
from sweep.plan import Plan
from sweep.ray_cluster import HEAD_SETTINGS
from tests.sweep_cases import Edit, files_outside_run

ROOT = Path(__file__).parents[1]
DEADLINE = 120.0
MANY: tuple[Edit, ...] = (("draws = 5", "draws = 24"), ("five_hubs", "today"))
NODE = {"object_store_memory": 80 * 2**20}
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}


@contextmanager
def cluster_of(processors: int, settings: Mapping[str, str] | None = None) -> Iterator[Any]:
    """A head without processors, as cluster.yaml has it, with what it needs to see a lost node soon, and one node."""
    with mock.patch.dict(os.environ, {**HEAD_SETTINGS, **QUIET, **(settings or {})}):
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False, **NODE}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        cluster.add_node(num_cpus=processors, **NODE)
    try:
        yield cluster
    finally:
        cluster.shutdown()


def until(happened: Callable[[], bool], what: str) -> None:
    """Wait for something, with patience."""
    end = time.monotonic() + DEADLINE
    while not happened():
        assert time.monotonic() < end, f"waited too long for {what}"
        time.sleep(0.05)


def lines(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()] if log.exists() else []


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
