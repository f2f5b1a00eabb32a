"""What a worker does with one batch: solve what is missing of it draw by draw, write its shards, return a summary.

The solved arrays are kept until the store has taken them, however often it fails meanwhile (`sweep.patience`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from model import OUTCOMES, RESIDUALS, Case, Status, solve_draw
from model.outcomes import compare
from storage import (
    AlreadyCommittedError,
    Layout,
    Opened,
    Piece,
    RemotePath,
    Rows,
    StorageError,
    check_lease,
    opened,
    put_note,
    read_batch,
    read_note,
    read_pieces,
    remove_note,
    root_of,
    write_batch,
    write_summary,
)
from sweep.code import code_version
from sweep.patience import patiently
from sweep.set_aside import TOGETHER, Future, Row, causes, set_aside_row, solve_alone, watched
from sweep.tally import BatchSummary, Tally
from sweep.theta import REGRET, Theta, model_columns

Arrays = dict[str, npt.NDArray[Any]]
COMPARED = ("fuel_cost", "co2_cost", "dispatch_cost", "total_cost", "status")  # what savings and regrets follow from
CUT_DRAWS, CUTS_KEPT = 16_384, 32  # draws that are made at once for the batches among them; such stretches kept
BEGUN = "begun"  # notes of batches that a run without workers has begun


@dataclass(frozen=True, eq=False)
class Work:
    """What every batch shares: the case, the store, and the run's lease of it.

    Attributes
    ----------
    watchdog : float, optional
        Seconds after which a draw is given up and set aside; never, where the process is the user's own.
    command : str
        How a single future of the study is solved, for the notes on draws that were set aside.
    holds_aside : bool
        Whether earlier runs set draws aside.
    """

    case: Case
    store: str
    versions: Mapping[str, str]
    lease: str | None = None
    watchdog: float | None = None
    command: str = "wattbit solve STUDY"
    holds_aside: bool = False


@dataclass(frozen=True, eq=False)
class Draws:
    """A batch and its rows of the draw table, cut out when it is handed over: no worker holds the table.

    ``deaths``: how many workers have died of it.
    """

    batch: int
    start: int
    columns: Mapping[str, npt.NDArray[Any]]
    deaths: int = 0

    @classmethod
    def of(cls, rows: Rows, layout: Layout, batch: int) -> Draws:
        """The rows of one batch alone."""
        start, stop = layout.bounds(batch)
        table = rows.rows(start, stop)
        return cls(batch, start, {name: table[name].values for name in model_columns(table)})

    @classmethod
    def cutter(cls, rows: Rows, layout: Layout) -> Callable[..., Draws]:
        """What makes the rows of any batch that has cost so many workers; it holds those of few batches around."""
        together = max(1, CUT_DRAWS // layout.batch)  # batches that are cut from one stretch of the table

        @lru_cache(CUTS_KEPT)
        def stretch(number: int) -> tuple[int, Mapping[str, npt.NDArray[Any]]]:
            first, _ = layout.bounds(number * together)
            _, last = layout.bounds(min((number + 1) * together, layout.batches) - 1)
            table = rows.rows(first, last)
            return first, {name: table[name].values for name in model_columns(table)}

        def cut(batch: int, deaths: int = 0) -> Draws:
            start, stop = layout.bounds(batch)
            first, columns = stretch(batch // together)
            return cls(
                batch, start, {name: each[start - first : stop - first] for name, each in columns.items()}, deaths
            )

        return cut

    def theta(self, draw: int) -> Theta:
        """One draw by its number in the whole table."""
        return {name: values[draw - self.start] for name, values in self.columns.items()}


def solve_batch(work: Work, batch: Draws) -> BatchSummary:
    """Solve and commit what is missing of one batch; a configuration that cannot be solved keeps its row and its status."""
    tally = Tally()
    layout, pieces = patiently(lambda: read_pieces(_cube(work), batch.batch), tally.faults)
    # None: its worker died between the commit and the answer.
    draws = max((piece.stop - piece.start for piece in pieces), default=0)
    if work.holds_aside or batch.deaths:
        tally.aside = patiently(lambda: causes(work.store, *layout.bounds(batch.batch)), tally.faults)
    for piece in pieces:
        _solve_piece(work, layout, piece, batch, tally)
    return tally.summary(batch.batch, draws)


def solve_in_process(work: Work, batch: Draws) -> BatchSummary:
    """Do the same in a run without workers, which dies with a batch that kills: a note counts that for the next one."""
    store, number = work.store, batch.batch
    note = patiently(lambda: read_note(store, BEGUN, number))
    deaths = 0 if note is None else int(note["times"])
    patiently(lambda: put_note(store, BEGUN, number, {"batch": number, "times": deaths + 1}))
    try:
        summary = solve_batch(work, replace(batch, deaths=deaths))
    except BaseException:  # whatever can be raised is no death of this process
        with suppress(OSError, StorageError):
            remove_note(store, BEGUN, number)
        raise
    patiently(lambda: remove_note(store, BEGUN, number))
    return summary


def _solve_piece(work: Work, layout: Layout, piece: Piece, batch: Draws, tally: Tally) -> None:
    """Solve and commit the missing draws of one generation; what is learnt goes into the tally."""
    case = _of_generation(work.case, layout, piece.generation)
    rows, seconds = [], []
    for draw in range(piece.start, piece.stop):
        begun = time.perf_counter()
        rows.append(_solve_draw(work, case, batch, draw, tally.aside))
        seconds.append(time.perf_counter() - begun)
    arrays: Arrays = {outcome.name: np.stack([row[outcome.name] for row in rows]) for outcome in OUTCOMES}
    of_run: Arrays = {each.name: np.stack([row[each.name] for row in rows]) for each in RESIDUALS}
    if len(layout.generations) > 1:
        before = {}
        if piece.generation:
            before = patiently(lambda: read_batch(_cube(work), piece, COMPARED), tally.faults)
        arrays = _compared(work.case, layout, piece.generation, arrays, before)
    width = layout.generations[piece.generation]
    of_run["seconds"] = np.repeat(np.array(seconds)[:, None] / width, width, axis=1)
    told = tally.take(piece, arrays, seconds)

    def commit() -> None:
        if work.lease is not None:
            check_lease(work.store, work.lease)  # a worker of a run that was given up for dead must not write
        finished = datetime.now(UTC).isoformat(timespec="milliseconds")
        who = {"versions": dict(work.versions), "code": code_version(), "run": work.lease}
        write_batch(_cube(work), piece.batch, arrays, of_run, {**who, **told, "finished": finished}, piece.generation)

    begun = time.perf_counter()
    with suppress(AlreadyCommittedError):  # a worker that was given up for dead was faster, with the same bytes
        patiently(commit, tally.faults)
        if width == len(layout.coords["configuration"]):
            patiently(lambda: write_summary(work.store, layout, piece.start, arrays), tally.faults)
    tally.write_seconds += time.perf_counter() - begun


def _cube(work: Work) -> str | Opened:
    """The store of a run; what lies in an object store is opened once by each worker, as each label is a round trip."""
    remote = isinstance(root_of(work.store), RemotePath)
    return _opened_for(work.store, work.lease) if remote and work.lease is not None else work.store


@lru_cache(maxsize=1)
def _opened_for(store: str, lease: str) -> Opened:
    """Open a cube for the time of a lease: nobody else extends it then, and the next run has another."""
    return opened(store)


def _solve_draw(work: Work, case: Case, batch: Draws, draw: int, aside: dict[int, str]) -> Row:
    """The row of one draw; one that was set aside, or is now, has the row that says so."""
    future = Future(work.store, batch.batch, draw, batch.theta(draw), work.command)
    row: Row | None = None
    if draw not in aside and batch.deaths < TOGETHER:
        with watched(future, work.watchdog):
            row = solve_draw(case, future.theta)
    elif draw not in aside:
        row, cause = solve_alone(solve_draw, case, future, work.watchdog)
        if row is None:
            aside[draw] = cause
    return set_aside_row(case) if row is None else row


def _of_generation(case: Case, layout: Layout, generation: int) -> Case:
    """The case with the configurations that are solved together; what compares them is put right afterwards."""
    if len(layout.generations) == 1:
        return case
    return replace(
        case,
        configurations=case.configurations[layout.labels(generation)],
        reference=0 if generation else case.reference,
    )


def _compared(case: Case, layout: Layout, generation: int, arrays: Arrays, before: Arrays) -> Arrays:
    """Put in savings against the reference, which stands in the first generation, and with the last one the regrets."""
    costs = {name: np.concatenate([*([before[name]] if before else []), arrays[name]], axis=1) for name in COMPARED}
    solved = costs["status"] == Status.OPTIMAL
    own = layout.labels(generation)
    known = case.configurations[: own.stop]
    fixed = [not c.is_free for c in known]
    rows = [
        compare({name: values[row] for name, values in costs.items()}, case.reference, fixed, solved[row].tolist())
        for row in range(len(solved))
    ]
    compared = {name: np.stack([row[name] for row in rows]) for name in rows[0]}
    regret = compared.pop(REGRET)
    kept = {name: values for name, values in arrays.items() if name != REGRET}
    kept |= {name: values[:, own] for name, values in compared.items()}
    return kept | ({REGRET: regret} if generation == len(layout.generations) - 1 else {})
