"""Clocks what happens inside HiGHS, whoever calls it: seconds, simplex iterations and columns of every run."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import highspy

import model.draw
from model.free import solve_free


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
        Seconds of each free configuration, in the order of solving.
    left_out : float
        Seconds of work that belongs to the benchmark and not to what is measured.
    by_draw : dict
        Draw -> seconds in all, where a runner goes draw by draw.
    startup : float
        Seconds before the first worker began; 0 without workers.
    peak_mb : float
        Largest resident memory of one process [MB].
    """

    runs: list[Run] = field(default_factory=list)
    free: list[float] = field(default_factory=list)
    by_draw: dict[int, float] = field(default_factory=dict)
    left_out: float = 0.0
    startup: float = 0.0
    peak_mb: float = 0.0
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
    def for_draws(self, draws: Sequence[int]) -> Iterator[None]:
        """Count what happens here to these draws, in equal parts."""
        begun, left_out = time.perf_counter(), self.left_out
        yield
        seconds = time.perf_counter() - begun - (self.left_out - left_out)
        self.by_draw |= dict.fromkeys(draws, seconds / len(draws))

    @contextmanager
    def leaving_out(self) -> Iterator[None]:
        """Take the time spent here off what is measured."""
        begun = time.perf_counter()
        yield
        self.left_out += time.perf_counter() - begun

    def add(self, other: Clock) -> None:
        """Add what a worker clocked."""
        self.runs += other.runs
        self.free += other.free
        self.by_draw |= other.by_draw
        self.left_out += other.left_out
        self.peak_mb = max(self.peak_mb, other.peak_mb)


@contextmanager
def clocked() -> Iterator[Clock]:
    """Clock every HiGHS run of this process, and every free configuration of this engine, while the context lasts."""
    clock = Clock()
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

    with patch.object(highspy.Highs, "run", clocked_run), patch.object(model.draw, "solve_free", clocked_free):
        yield clock
    clock.peak_mb = max(clock.peak_mb, peak_mb())


def peak_mb() -> float:
    """Largest resident memory of this process so far [MB]; NaN where the system does not tell (no /proc).

    Not ``getrusage``: there a new process inherits the peak of the one that started it.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return int(fields["VmHWM"].split()[0]) / 1024
