"""What a worker does with one batch: solve its draws one by one, write its shard, return a summary."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import xarray as xr

from model import OUTCOMES, Case, solve_draw
from storage import AlreadyCommittedError, read_commit, read_layout, write_batch, write_summary
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
    seconds: float


def solve_batch(work: Work, batch: int) -> BatchSummary:
    """Solve and commit one batch; a configuration that cannot be solved keeps its row and its status."""
    start, stop = read_layout(work.store).bounds(batch)
    if read_commit(work.store, batch) is not None:
        # Its worker died between the commit and the answer, or another run on the same store was faster.
        return BatchSummary(batch, stop - start, 0.0)
    rows, seconds = [], []
    for draw in range(start, stop):
        begun = time.perf_counter()
        rows.append(solve_draw(work.case, theta_of(work.table, draw)))
        seconds.append(time.perf_counter() - begun)
    arrays = {outcome.name: np.stack([row[outcome.name] for row in rows]) for outcome in OUTCOMES}
    written_by = {"versions": dict(work.versions)}
    with suppress(AlreadyCommittedError):  # another run on the same store was faster, with the same bytes
        write_batch(work.store, batch, arrays, {"seconds": np.array(seconds)}, written_by)
        write_summary(work.store, read_layout(work.store), start, arrays)
    return BatchSummary(batch, stop - start, sum(seconds))
