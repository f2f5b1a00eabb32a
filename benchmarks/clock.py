"""Clocks what happens inside HiGHS, whoever calls it: seconds, simplex iterations and columns of every run."""

from __future__ import annotations

import os
import pickle
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import highspy
import numpy as np

import model.draw
import sweep.worker
from model import Case, solve_draw
from model.free import solve_free
from model.parameters import Theta
from model.template import Floats

WORKERS = 2  # of every runner that has workers


@dataclass(frozen=True)
class Run:
    """One call of ``Highs.run``: seconds, simplex iterations, columns, and whether for a free configuration."""

    seconds: float
    iterations: int
    columns: int
    free: bool


@dataclass
class Clock:
    """What was clocked.

    Attributes
    ----------
    runs : list of Run
    free : list of float
        Seconds of each free configuration.
    left_out : float
        Seconds of work that belongs to the benchmark and not to what is measured.
    begun, ended : float
        When its context was entered and left [seconds since the epoch].
    by_draw : dict
        Draw -> seconds in all and seconds of its free configurations, where a runner goes draw by draw.
    drawn : list of (float, float)
        The same of each draw that this engine solved, in that order, without reading and writing.
    startup : float
        Seconds before the first worker began and after the last one ended; 0 without workers.
    peak_mb : float
        Largest resident memory of one process [MB].
    """

    runs: list[Run] = field(default_factory=list)
    free: list[float] = field(default_factory=list)
    by_draw: dict[int, tuple[float, float]] = field(default_factory=dict)
    drawn: list[tuple[float, float]] = field(default_factory=list)
    left_out: float = 0.0
    startup: float = 0.0
    peak_mb: float = 0.0
    begun: float = 0.0
    ended: float = 0.0
    in_free: bool = False

    @property
    def solver_seconds(self) -> float:
        """Seconds inside HiGHS."""
        return sum(run.seconds for run in self.runs)

    @contextmanager
    def for_free(self) -> Iterator[None]:
        """Count what happens here to a free configuration."""
        self.in_free, begun, left_out = True, time.perf_counter(), self.left_out
        yield
        self.in_free = False
        self.free.append(time.perf_counter() - begun - (self.left_out - left_out))

    @contextmanager
    def for_draw(self, draw: int) -> Iterator[None]:
        """Count what happens here to a draw."""
        begun, left_out, free = time.perf_counter(), self.left_out, sum(self.free)
        yield
        seconds = time.perf_counter() - begun - (self.left_out - left_out)
        self.by_draw[draw] = seconds, sum(self.free) - free

    def name_drawn(self, start: int, stop: int) -> None:
        """Say which draws this engine solved last."""
        self.by_draw |= zip(range(start, stop), self.drawn[start - stop :], strict=True)

    @contextmanager
    def leaving_out(self) -> Iterator[None]:
        """Take the time spent here off what is measured."""
        begun = time.perf_counter()
        yield
        self.left_out += time.perf_counter() - begun

    def gather(self, started: float, workers: Iterable[Clock]) -> None:
        """Add what workers clocked, call by call; what lies before the first and after the last call is ``startup``.

        Parameters
        ----------
        started : float
            When they were asked for [seconds since the epoch].
        """
        first, last = np.inf, -np.inf
        for clock in workers:
            first, last = min(first, clock.begun), max(last, clock.ended)
            self._add(clock)
        self.startup = (time.time() - started) - (last - first)

    def _add(self, other: Clock) -> None:
        self.runs += other.runs
        self.free += other.free
        self.by_draw |= other.by_draw
        self.left_out += other.left_out / WORKERS  # they work side by side
        self.peak_mb = max(self.peak_mb, other.peak_mb)


@contextmanager
def clocked() -> Iterator[Clock]:
    """Clock HiGHS in this process, and this engine's draws and free configurations, while the context lasts."""
    clock = Clock(begun=time.time())
    run = highspy.Highs.run

    def clocked_run(highs: Any) -> Any:
        begun = time.perf_counter()
        outcome = run(highs)
        seconds = time.perf_counter() - begun
        iterations = max(int(highs.getInfo().simplex_iteration_count), 0)
        clock.runs.append(Run(seconds, iterations, int(highs.getNumCol()), clock.in_free))
        return outcome

    def clocked_free(*arguments: Any) -> Any:
        with clock.for_free():
            return solve_free(*arguments)

    def clocked_draw(case: Case, theta: Theta) -> dict[str, Floats]:
        begun, free = time.perf_counter(), sum(clock.free)
        outcomes = solve_draw(case, theta)
        clock.drawn.append((time.perf_counter() - begun, sum(clock.free) - free))
        return outcomes

    with (
        patch.object(highspy.Highs, "run", clocked_run),
        patch.object(model.draw, "solve_free", clocked_free),
        patch.object(sweep.worker, "solve_draw", clocked_draw),
    ):
        yield clock
    clock.peak_mb = max(clock.peak_mb, peak_mb())
    clock.ended = time.time()


@contextmanager
def spooled(folder: Path) -> Iterator[Clock]:
    """Clock a call in a process whose answers we cannot add to, and leave the clock in a folder."""
    with clocked() as clock:
        yield clock
    (folder / f"{os.getpid()}_{time.time_ns()}.pickle").write_bytes(pickle.dumps(clock))


def read_spooled(folder: Path) -> list[Clock]:
    """Read the clocks that were left in a folder."""
    return [pickle.loads(path.read_bytes()) for path in folder.glob("*.pickle")]


def peak_mb() -> float:
    """Largest resident memory of this process so far [MB]; NaN where the system does not tell (no /proc).

    Not ``getrusage``: there a new process inherits the peak of the one that started it.
    """
    return _memory("VmHWM")


def resident_mb() -> float:
    """Resident memory of this process now [MB]; NaN where the system does not tell."""
    return _memory("VmRSS")


def _memory(field: str) -> float:
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(fields[field].split()[0]) / 1024
