"""A cluster of real processes that may be harmed: a head without processors, nodes of one each, and who descends from them."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest import mock

from sweep.ray_cluster import DRIVER_SETTINGS, HEAD_SETTINGS
from tests.cluster_cases import NODE, QUIET, ROOT

PR_SET_CHILD_SUBREAPER = 36
WORKER, ALONE = "ray::_Worker", "sweep.alone"


def adopt_orphans() -> None:
    """Whatever descends from this process stays below it (Linux), so that nothing left behind is overlooked."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(of: int) -> dict[int, str]:
    """Live processes that descend from one: number and command line."""
    parents, dead = {}, set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            stat = (folder / "stat").read_text()
            state, parent = stat[stat.rindex(")") + 2 :].split()[:2]
            parents[int(folder.name)] = int(parent)
            if state in "ZX":
                dead.add(int(folder.name))
    found, fresh = set[int](), {of}
    while fresh:
        fresh = {pid for pid, parent in parents.items() if parent in fresh} - found
        found |= fresh
    named = {}
    for pid in found - dead:
        with suppress(FileNotFoundError, ProcessLookupError):
            named[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return named


def at_work(of: int) -> list[int]:
    """Workers of ours below a process, and what they solve by itself."""
    return sorted(pid for pid, line in descendants(of).items() if line.startswith(WORKER) or ALONE in line)


def send(pids: list[int], number: signal.Signals) -> bool:
    """Send a signal to all that still live; whether there was any."""
    sent = 0
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            sent += 1
    return sent > 0


@contextmanager
def settings() -> Iterator[None]:
    """What head, nodes and drivers have in their environment."""
    with mock.patch.dict(os.environ, {**HEAD_SETTINGS, **DRIVER_SETTINGS, **QUIET, "PYTHONPATH": str(ROOT)}):
        yield


class Nodes:
    """A cluster and those of its nodes that are taken for alive."""

    def __init__(self, number: int) -> None:
        self._begin(number)

    def _begin(self, number: int) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False, **NODE}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.nodes: list[Any] = []
        for _ in range(number):
            self.add()

    @property
    def address(self) -> str:
        """Where the head answers."""
        return str(self.cluster.address)

    def add(self) -> None:
        """Start one more node."""
        self.nodes.append(self.cluster.add_node(num_cpus=1, **NODE))

    def remove(self, node: Any) -> None:
        """Take a node away without grace; it may be dead by now."""
        self.nodes.remove(node)
        self.cluster.remove_node(node, allow_graceful=False)

    @staticmethod
    def processes(node: Any) -> list[int]:
        """The raylet of a node and all below it."""
        raylet = node.all_processes["raylet"][0].process.pid
        return [raylet, *descendants(raylet)]

    def kill_head(self) -> None:
        """Kill the head's processes; nodes and drivers have to find out."""
        for processes in self.cluster.head_node.all_processes.values():
            for one in processes:
                one.process.kill()

    def replace(self, number: int) -> None:
        """End what is left of it, and start another one."""
        self.end()
        self._begin(number)

    def end(self) -> None:
        """End what is left of it."""
        self.cluster.shutdown()
