"""What is learnt of a batch while it is solved, for its commit record and for the driver: seconds, iterations, states."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from model import Status
from storage import Piece


@dataclass(frozen=True)
class BatchSummary:
    """What the driver learns of a batch; the arrays went to the store.

    Attributes
    ----------
    draws : int
        Complete now.
    seconds : float
        Of solving; 0 where the batch was found finished.
    set_aside : dict
        Draws of it that were given up, and why.
    store_faults : tuple of str
        What the store failed with before it took the batch.
    draw_seconds, draw_iterations : tuple
        Of each draw solved now, simplex iterations over all configurations; those of added configurations by themselves.
    statuses : dict
        Cells (draws times configurations) solved now, by the word of their status.
    failed : frozenset of int
        Draws solved now of which some configuration has no solution, and were not set aside.
    write_seconds : float
        Of writing the batch and its summary, the waiting for a store that failed included.
    host, pid
        The worker's.
    """

    batch: int
    draws: int
    seconds: float
    set_aside: Mapping[int, str] = field(default_factory=dict)
    store_faults: tuple[str, ...] = ()
    draw_seconds: tuple[float, ...] = ()
    draw_iterations: tuple[int, ...] = ()
    statuses: Mapping[str, int] = field(default_factory=dict)
    failed: frozenset[int] = frozenset()
    write_seconds: float = 0.0
    host: str = ""
    pid: int = 0


@dataclass
class Tally:
    """Filled in piece by piece; see `BatchSummary` for what it becomes."""

    aside: dict[int, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    iterations: list[int] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    write_seconds: float = 0.0

    def take(self, piece: Piece, arrays: Mapping[str, npt.NDArray[Any]], seconds: list[float]) -> dict[str, Any]:
        """Take in what was solved, and return what the commit record tells of it, draw by draw from ``first`` on.

        ``hardest`` is the configuration of most simplex iterations, by its place in the record's ``configurations``.

        Parameters
        ----------
        piece : Piece
            What was solved.
        arrays : mapping of str to ndarray
            ``status`` and ``iterations``, shape (draws, configurations).
        seconds : list of float
            Of each draw.
        """
        status, iterations = arrays["status"], np.nan_to_num(arrays["iterations"])
        draws = np.arange(piece.start, piece.stop)
        aside = (status == Status.SET_ASIDE).any(axis=1)
        failed = draws[(status != Status.OPTIMAL).any(axis=1) & ~aside].tolist()
        by_draw = [int(n) for n in iterations.sum(axis=1)]
        self.seconds += seconds
        self.iterations += by_draw
        self.failed.update(failed)
        for value, count in zip(*np.unique(status, return_counts=True), strict=True):
            word = Status(int(value)).name.lower()
            self.statuses[word] = self.statuses.get(word, 0) + int(count)
        return {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "first": piece.start,
            "seconds": [round(value, 3) for value in seconds],
            "iterations": by_draw,
            "hardest": iterations.argmax(axis=1).tolist(),
            "most_iterations": [int(n) for n in iterations.max(axis=1)],
            "failed": failed,
            "set_aside": draws[aside].tolist(),
        }

    def summary(self, batch: int, draws: int) -> BatchSummary:
        """Return what the driver learns; ``draws`` are complete now."""
        return BatchSummary(
            batch,
            draws,
            sum(self.seconds),
            self.aside,
            tuple(self.faults),
            tuple(self.seconds),
            tuple(self.iterations),
            self.statuses,
            frozenset(self.failed),
            self.write_seconds,
            socket.gethostname(),
            os.getpid(),
        )
