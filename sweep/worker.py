"""What a worker does with one batch: solve its draws one by one, write its shard, return a summary."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import xarray as xr

from model import OUTCOMES, Case, solve_draw
from storage import read_commit, read_layout, write_batch
from sweep.plan import theta_of


@dataclass(frozen=True, eq=False)
class Work:
    """What every batch shares: the case, the draw table, the store."""

    case: Case
    table: xr.Dataset
    store: str
    versions: Mapping[str, str]


@dataclass(frozen=True)
class BatchSummary:
    """What the driver learns of a batch; the arrays went to the store."""

    batch: int
    draws: int
    failures: Mapping[str, int]
    seconds: float


def solve_batch(work: Work, batch: int) -> BatchSummary:
    """Solve and commit one batch; a configuration that cannot be solved keeps its row and its status."""
    start, stop = read_layout(work.store).bounds(batch)
    record = read_commit(work.store, batch)
    if record is not None:  # its worker died between the commit and the answer
        return BatchSummary(batch, stop - start, _failed(record["status"]), 0.0)
    rows, seconds = [], []
    for draw in range(start, stop):
        begun = time.perf_counter()
        rows.append(solve_draw(work.case, theta_of(work.table, draw)))
        seconds.append(time.perf_counter() - begun)
    arrays = {outcome.name: np.stack([row[outcome.name] for row in rows]) for outcome in OUTCOMES}
    written_by = {"versions": dict(work.versions)}
    record = write_batch(work.store, batch, arrays, {"seconds": np.array(seconds)}, written_by)
    return BatchSummary(batch, stop - start, _failed(record["status"]), sum(seconds))


def _failed(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts of a commit record that are no success."""
    return {name: count for name, count in counts.items() if name != "optimal" and count}
