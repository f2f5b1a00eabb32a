"""What a worker does with one batch: solve what is missing of it draw by draw, write its shards, return a summary."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from model import OUTCOMES, RESIDUALS, Case, Status, solve_draw
from model.outcomes import compare
from storage import (
    AlreadyCommittedError,
    Layout,
    Piece,
    check_lease,
    read_batch,
    read_pieces,
    write_batch,
    write_summary,
)
from sweep.code import code_version
from sweep.plan import REGRET, Theta

Arrays = dict[str, npt.NDArray[Any]]
COMPARED = ("fuel_cost", "co2_cost", "dispatch_cost", "total_cost", "status")  # what savings and regrets follow from


@dataclass(frozen=True, eq=False)
class Work:
    """What every batch shares: the case, the store, and the run's lease of it."""

    case: Case
    store: str
    versions: Mapping[str, str]
    lease: str | None = None


@dataclass(frozen=True, eq=False)
class Draws:
    """A batch and its rows of the draw table, cut out when it is handed over: a million draws stay with the driver."""

    batch: int
    start: int
    columns: Mapping[str, npt.NDArray[Any]]

    @classmethod
    def of(cls, table: xr.Dataset, layout: Layout, batch: int) -> Draws:
        """The rows of a batch."""
        start, stop = layout.bounds(batch)
        return cls(batch, start, {str(name): column.values[start:stop] for name, column in table.data_vars.items()})

    def theta(self, draw: int) -> Theta:
        """One draw by its number in the whole table."""
        return {name: values[draw - self.start] for name, values in self.columns.items()}


@dataclass(frozen=True)
class BatchSummary:
    """What the driver learns of a batch: draws that are complete now; the arrays went to the store."""

    batch: int
    draws: int
    seconds: float


def solve_batch(work: Work, batch: Draws) -> BatchSummary:
    """Solve and commit what is missing of one batch; a configuration that cannot be solved keeps its row and its status."""
    layout, pieces = read_pieces(work.store, batch.batch)
    # None: its worker died between the commit and the answer.
    draws = max((piece.stop - piece.start for piece in pieces), default=0)
    return BatchSummary(batch.batch, draws, sum(_solve_piece(work, layout, piece, batch) for piece in pieces))


def _solve_piece(work: Work, layout: Layout, piece: Piece, batch: Draws) -> float:
    """Solve and commit the missing draws of one generation; returns the seconds it took."""
    case = _of_generation(work.case, layout, piece.generation)
    rows, seconds = [], []
    for draw in range(piece.start, piece.stop):
        begun = time.perf_counter()
        rows.append(solve_draw(case, batch.theta(draw)))
        seconds.append(time.perf_counter() - begun)
    arrays: Arrays = {outcome.name: np.stack([row[outcome.name] for row in rows]) for outcome in OUTCOMES}
    of_run: Arrays = {each.name: np.stack([row[each.name] for row in rows]) for each in RESIDUALS}
    if len(layout.generations) > 1:
        before = read_batch(work.store, piece, COMPARED) if piece.generation else {}
        arrays = _compared(work.case, layout, piece.generation, arrays, before)
    if work.lease is not None:
        check_lease(work.store, work.lease)  # a worker of a run that was given up for dead must not write
    width = layout.generations[piece.generation]
    of_run["seconds"] = np.repeat(np.array(seconds)[:, None] / width, width, axis=1)
    with suppress(AlreadyCommittedError):  # a worker that was given up for dead was faster, with the same bytes
        written_by = {"versions": dict(work.versions), "code": code_version(), "host": socket.gethostname()}
        write_batch(work.store, piece.batch, arrays, of_run, written_by, piece.generation)
        if width == len(layout.coords["configuration"]):
            write_summary(work.store, layout, piece.start, arrays)
    return sum(seconds)


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
