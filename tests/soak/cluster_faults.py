"""One sweep on a cluster, and the faults that a soak brings upon it: one function for each kind.

A fault is a function of (sweep, random) that does its harm and says whether it found something to harm. A draw that
kills its worker is no such function: it is in the sweep from its start.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.soak.faults import POLL_SECONDS, ROOT
from tests.soak.ledger import solves
from tests.soak.nodes import Nodes, at_work, send

SECONDS = 0.4  # what every draw takes longer, so that faults find something at work
HANG_SECONDS = 240.0  # without anything new: a hang
SEEN_SECONDS = 60.0  # until a node that falls silent is given up; 12 s on a quiet machine
AWAY = (2.0, 4.0)  # how long the store is away [s]
NODES, NODES_MOST = 2, 3


class HangError(RuntimeError):
    """Something did not come within generous time."""


class Sweep:
    """A run with all its restarts, on a cluster that it may find replaced."""

    def __init__(self, folder: Path, name: str, nodes: Nodes, poison: tuple[str, str] | None) -> None:
        self.folder, self.nodes, self.poison = folder, nodes, poison or ()
        self.store, self.log, self.said = folder / f"{name}.zarr", folder / f"{name}.log", folder / f"{name}.said"
        self.said.touch()
        self.start()

    def start(self) -> None:
        """Start the driver, the same line every time but for the cluster's address."""
        given = ["study.toml", self.store, self.nodes.address, self.log, SECONDS, *self.poison]
        self.begun_at, self.met_at = self.solved(), self.told("processors gained")
        with self.said.open("ab") as stream:
            self.driver = subprocess.Popen(
                [sys.executable, "-m", "tests.soak.driver", *map(str, given)],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=stream,
                stderr=stream,
            )

    def solved(self) -> int:
        """Draws begun so far."""
        return len(solves(self.log.read_bytes())) if self.log.exists() else 0

    def told(self, what: str) -> int:
        """How often the log says something."""
        return self.said.read_text(errors="replace").count(what)

    def ended(self) -> bool:
        """Whether the driver has ended."""
        return self.driver.poll() is not None

    def until(self, happened: Callable[[], bool], what: str, seconds: float = HANG_SECONDS) -> None:
        """Wait for something or for the driver's end."""
        deadline = time.monotonic() + seconds
        while not happened() and not self.ended():
            if time.monotonic() > deadline:
                raise HangError(f"{what}: not after {seconds:.0f} s")
            time.sleep(POLL_SECONDS)

    def rest(self, seconds: float) -> None:
        """Wait so long, or for the driver's end."""
        end = time.monotonic() + seconds
        self.until(lambda: time.monotonic() >= end, "the time")

    def finish(self) -> int:
        """Exit code of the driver, which may take as long as it begins draws."""
        while not self.ended():
            before = self.solved()
            self.until(lambda before=before: self.solved() > before, "another draw or the end")  # type: ignore[misc]
        return self.driver.wait()


Fault = Callable[[Sweep, Random], bool]


def worker_killed(sweep: Sweep, random: Random) -> bool:
    """Kill a worker, or a draw that is solved by itself."""
    sweep.until(lambda: bool(at_work(os.getpid())), "a worker")
    pids = at_work(os.getpid())
    return bool(pids) and send([random.choice(pids)], signal.SIGKILL)


def node_removed(sweep: Sweep, random: Random) -> bool:
    """Kill a node's processes; where it was the last one, another comes a moment later."""
    sweep.nodes.remove(random.choice(sweep.nodes.nodes))
    if not sweep.nodes.nodes:
        sweep.rest(random.uniform(0, 5))
        sweep.nodes.add()
    return True


def node_frozen(sweep: Sweep, random: Random) -> bool:
    """Freeze all of a node, and kill it when it was given up, or before."""
    node = random.choice(sweep.nodes.nodes)
    noticed = sweep.told("processors lost")
    at_once = random.random() < 0.3
    known = sweep.told("processors gained") > sweep.met_at
    frozen = sweep.nodes.processes(node)
    send(frozen, signal.SIGSTOP)
    try:
        if at_once or not known:
            sweep.rest(random.uniform(1, 5))
        else:
            sweep.until(lambda: sweep.told("processors lost") > noticed, "the loss of a frozen node", SEEN_SECONDS)
    finally:
        send(frozen, signal.SIGKILL)
        sweep.nodes.remove(node)
    if not sweep.nodes.nodes:
        sweep.nodes.add()
    return True


def node_added(sweep: Sweep, random: Random) -> bool:
    """Add a node."""
    if len(sweep.nodes.nodes) >= NODES_MOST:
        return False
    sweep.nodes.add()
    return True


def driver_killed(sweep: Sweep, random: Random) -> bool:
    """Kill the driver, and start it again on the same cluster, maybe a moment later."""
    sweep.driver.kill()
    if sweep.driver.wait() != -signal.SIGKILL:
        return False
    time.sleep(random.choice((0.0, random.uniform(0, 5))))
    sweep.start()
    return True


def head_killed(sweep: Sweep, random: Random) -> bool:
    """Kill the head; the driver ends by itself, with a fault; a new cluster takes its place."""
    sweep.nodes.kill_head()
    try:
        code = sweep.driver.wait(HANG_SECONDS)
    except subprocess.TimeoutExpired:
        raise HangError(f"the driver still runs {HANG_SECONDS:.0f} s after its head was killed") from None
    finally:
        sweep.nodes.replace(NODES)
    if code == 0:
        return False  # it was just done
    sweep.start()
    return True


def store_away(sweep: Sweep, random: Random) -> bool:
    """Take the store away for some seconds, once the driver has written into it."""
    sweep.until(lambda: sweep.solved() > sweep.begun_at, "a draw")
    if sweep.ended():
        return False
    elsewhere = sweep.store.with_suffix(".away")
    sweep.store.rename(elsewhere)
    time.sleep(random.uniform(*AWAY))
    elsewhere.rename(sweep.store)
    return True


ON_CLUSTER: dict[str, Fault] = {
    "worker killed": worker_killed,
    "node removed": node_removed,
    "node frozen": node_frozen,
    "node added": node_added,
    "driver killed": driver_killed,
    "head killed": head_killed,
    "store away": store_away,
}
POISON = "poison draw"
HARM = ("abort", "segv", "exit")
