"""Draws that kill their worker or never end: found, set aside with all that is needed to replay them, and skipped.

A batch whose worker died ``TOGETHER`` times has its draws solved each in a process of its own, ``TRIES`` times; the
draw that ends none of them is set aside, and the others go on. Each try is noted in the store first
(``run/attempts/000123.json``), so that one that takes its worker along, or its whole node, is counted too. A draw over
the watchdog's time is set aside at once. The note ``run/set_aside/000123.json`` decides from then on.
"""

from __future__ import annotations

import faulthandler
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from model import OUTCOMES, RESIDUALS, Case, Status, coordinates
from storage import Place, StorageError, note_numbers, put_note, read_layout, read_note, remove_note, reopen_batch
from sweep.alone import CrashedError, call_alone
from sweep.events import ASIDE
from sweep.patience import patiently

TOGETHER = 2  # deaths of its worker after which a batch's draws are solved one by one, each in a process of its own
TRIES = 3  # of one draw in a process of its own
BACKSTOP_SECONDS = 60.0  # after the watchdog: a solve that lets no other thread run is ended without a note
WATCHDOG_EXIT = 75
ATTEMPTS = "attempts"
Row = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Future:
    """A draw with what is told of it where it is set aside."""

    store: str
    batch: int
    draw: int
    theta: Mapping[str, Any]
    command: str

    def set_aside(self, cause: str, tries: int) -> None:
        """Write the note that sets it aside."""
        theta = {name: value if isinstance(value, str) else float(value) for name, value in self.theta.items()}
        settings = " ".join(f"--set {name}={value}" for name, value in theta.items())
        note = {
            "draw": self.draw,
            "batch": self.batch,
            "cause": cause,
            "tries": tries,
            "theta": theta,
            "replay": f"{self.command} {settings}",
        }
        put_note(self.store, ASIDE, self.draw, note)


def set_aside_row(case: Case) -> Row:
    """The row of a draw that was set aside: NaN in every outcome of every configuration, and the status that says so."""
    labels = coordinates(case.inputs, case.configurations, case.tiers)
    row: Row = {}
    for outcome in (*OUTCOMES, *RESIDUALS):
        shape = tuple(len(labels[dim]) for dim in ("configuration", *outcome.dims))
        row[outcome.name] = np.full(shape, Status.SET_ASIDE if outcome.name == "status" else np.nan, outcome.dtype)
    return row


def causes(store: str, start: int, stop: int) -> dict[int, str]:
    """Draws of [start, stop) that are set aside, and why."""
    found = {}
    for draw in note_numbers(store, ASIDE):
        if start <= draw < stop:
            note = read_note(store, ASIDE, draw)
            found[draw] = "" if note is None else str(note["cause"])
    return found


def solve_alone(solve: Any, case: Case, future: Future, seconds: float | None) -> tuple[Row | None, str]:
    """Solve a draw in processes of its own until one ends well; None and the cause where none does."""
    store, draw = future.store, future.draw
    note = patiently(lambda: read_note(store, ATTEMPTS, draw)) or {"tries": 0, "cause": ""}
    tries, cause = int(note["tries"]), str(note["cause"])
    while tries < TRIES:
        tries += 1
        # Says for the next one who reads it what is true if nothing more is written.
        unended = {"draw": draw, "tries": tries, "cause": "its worker died while the draw was solved by itself"}
        patiently(partial(put_note, store, ATTEMPTS, draw, unended))
        try:
            row: Row = call_alone(solve, case, dict(future.theta), seconds=seconds)
        except CrashedError as crash:
            cause = f"its process {crash}" if not crash.watchdog else str(crash)
            if crash.watchdog:
                break
        except BaseException:  # an interruption or a fault of the program is no death
            with suppress(OSError, StorageError):
                remove_note(store, ATTEMPTS, draw)
            raise
        else:
            patiently(lambda: remove_note(store, ATTEMPTS, draw))
            return row, ""
    patiently(lambda: future.set_aside(cause, tries))
    patiently(lambda: remove_note(store, ATTEMPTS, draw))
    return None, cause


def batches_aside(store: Place) -> list[int]:
    """Return the batches that have draws that were set aside, in order."""
    batch = read_layout(store).batch
    return sorted({draw // batch for draw in note_numbers(store, ASIDE)})


def try_again(store: Place) -> int:
    """Make the batches of all draws that were set aside missing, and forget that they were; returns how many draws.

    Whoever calls holds the lease. A batch is solved again as a whole: its other draws get the bytes that they had. The
    notes go last, so that a process killed in between leaves draws set aside that were.
    """
    draws = note_numbers(store, ASIDE)
    for batch in batches_aside(store):
        reopen_batch(store, batch)
    for draw in draws:
        remove_note(store, ATTEMPTS, draw)
        remove_note(store, ASIDE, draw)
    return len(draws)


@contextmanager
def watched(future: Future, seconds: float | None) -> Iterator[None]:
    """End this process where what is done within takes longer, after a note that sets the draw aside.

    HiGHS cannot be interrupted from Python, but it lets other threads run. The clock decides here that a draw is given
    up, and nothing else that is stored.
    """
    if seconds is None:
        yield
        return

    def bark() -> None:
        try:
            future.set_aside(f"watchdog: no end after {seconds:g} s", 1)
        finally:
            os._exit(WATCHDOG_EXIT)

    timer = threading.Timer(seconds, bark)
    timer.daemon = True
    timer.start()
    faulthandler.dump_traceback_later(seconds + BACKSTOP_SECONDS, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        timer.cancel()
