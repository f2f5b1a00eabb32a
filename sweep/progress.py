"""Progress on standard error: a bar where a terminal is attached, plain lines where none is."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

LINE_SECONDS = 10.0  # a plain line at most this often, and one at the end


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


class DrawProgress:
    """Draws done, rate and time left.

    Parameters
    ----------
    total, done : int
        Draws of the sweep, and those that were finished before.
    """

    def __init__(self, total: int, done: int, stream: TextIO | None = None) -> None:
        self.total, self.done, self.before = total, done, done
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
        now, solved = time.monotonic(), self.done - self.before
        if solved and self.warm is not None and now > self.warm:
            rate = solved / (now - self.warm)
            left = (self.total - self.done) / rate
            end = f"{duration(left)} left" if self.done < self.total else f"{duration(now - self.begun)} in all"
            text += f", {rate:.2f} draws/s, {end}"
        return text

    def add(self, draws: int, seconds: float) -> None:
        """Count a batch's draws as done; it took its worker so many seconds."""
        self.done += draws
        now = time.monotonic()
        if seconds == 0.0:  # found finished by another run: that says nothing of the rate
            self.before += draws
        elif self.warm is None:
            self.warm = max(self.begun, now - seconds)
        if self.bar is not None and self.task is not None:
            self.bar.update(self.task, completed=self.done, description=self.line())
        elif now - self.last >= LINE_SECONDS or self.done >= self.total:
            self.last = now
            print(self.line(), file=self.stream, flush=True)
