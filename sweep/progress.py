"""Progress on standard error: a bar where a terminal is attached, plain lines where none is."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from sweep.events import Event

LINE_SECONDS = 10.0  # a plain line at most this often, and one at the end


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


class DrawProgress:
    """Draws done, failed and set aside, rate, time left and workers alive; a listener to events.

    Parameters
    ----------
    total, done : int
        Draws of the sweep, and those that were finished before; what failed is counted from now on.
    """

    def __init__(self, total: int, done: int, stream: TextIO | None = None) -> None:
        self.total, self.done, self.before = total, done, done
        self.failed = self.set_aside = 0
        self.workers: int | None = None  # of a run without any, nothing is told
        self.stream = stream or sys.stderr
        self.begun = self.last = time.monotonic()
        self.warm: float | None = None  # when the first finished batch began: start-up of workers is no solving
        self.bar: Progress | None = None
        self.task: TaskID | None = None

    def __enter__(self) -> Self:
        if self.stream.isatty():
            columns = (BarColumn(), TextColumn("{task.description}"))
            self.bar = Progress(*columns, console=Console(file=self.stream))
            self.bar.start()
            self.task = self.bar.add_task(self.line(), total=self.total, completed=self.done)
        else:
            print(self.line(), file=self.stream, flush=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bar is not None:
            self.bar.stop()

    def line(self) -> str:
        """What is done, how fast, how long it still takes."""
        text = f"{self.done}/{self.total} draws"
        text += f", {self.failed} failed" if self.failed else ""
        text += f", {self.set_aside} set aside" if self.set_aside else ""
        now, solved = time.monotonic(), self.done - self.before
        if solved and self.warm is not None and now > self.warm:
            rate = solved / (now - self.warm)
            left = (self.total - self.done) / rate
            end = f"{duration(left)} left" if self.done < self.total else f"{duration(now - self.begun)} in all"
            text += f", {rate:.2f} draws/s, {end}"
        if self.workers is not None and self.done < self.total:
            text += f", {self.workers} worker{'s' * (self.workers != 1)}"
        return text

    def heed(self, event: Event) -> None:
        """Take in an event: a batch that is done, or how many workers live."""
        told = event.fields
        if event.kind == "batch_done":
            self.add(told["draws"], told["seconds"], len(told["failed"]), len(told["set_aside"]))
        elif event.kind == "pool" and told["workers"] != self.workers:
            self.workers = told["workers"]
            self._show(now=time.monotonic())

    def add(self, draws: int, seconds: float, failed: int = 0, set_aside: int = 0) -> None:
        """Count a batch's draws as done, some of them failed or set aside; it took its worker so many seconds."""
        self.done += draws
        self.failed += failed
        self.set_aside += set_aside
        now = time.monotonic()
        if seconds == 0.0:  # found finished by another run: that says nothing of the rate
            self.before += draws
        elif self.warm is None:
            self.warm = max(self.begun, now - seconds)
        self._show(now)

    def _show(self, now: float) -> None:
        if self.bar is not None and self.task is not None:
            self.bar.update(self.task, completed=self.done, description=self.line())
        elif now - self.last >= LINE_SECONDS or self.done >= self.total:
            self.last = now
            print(self.line(), file=self.stream, flush=True)
