"""What a run tells of itself as events: how it begins, and each batch that is done."""

from __future__ import annotations

import os
import socket

from storage import Place
from sweep.events import emit
from sweep.plan import Plan
from sweep.tally import BatchSummary


def tell_begin(
    plan: Plan, store: Place, batches: int, found: int, workers: int | None, address: str | None, serial: bool
) -> None:
    """Tell that a run begins: of what study, into what store, with so many batches missing, how and where."""
    told = {"study": plan.study.name, "store": str(store), "draws": plan.layout.draws, "found": found}
    how = {"workers": 1 if serial else workers, "address": address, "serial": serial}
    who = {"host": socket.gethostname(), "pid": os.getpid(), "versions": dict(plan.identity["versions"])}
    emit("run_began", **told, batches_missing=batches, batch=plan.layout.batch, **how, **who)


def tell_batch(summary: BatchSummary) -> None:
    """Tell of a batch that is done, of each draw of it that was set aside, and of a store that failed for a while."""
    emit(
        "batch_done",
        batch=summary.batch,
        draws=summary.draws,
        seconds=summary.seconds,
        draw_seconds=summary.draw_seconds,
        iterations=sum(summary.draw_iterations),
        statuses=dict(summary.statuses),
        failed=sorted(summary.failed),
        set_aside=sorted(summary.set_aside),
        store_faults=len(summary.store_faults),
        write_seconds=summary.write_seconds,
        host=summary.host,
        pid=summary.pid,
    )
    for draw, cause in summary.set_aside.items():
        emit("draw_set_aside", draw=draw, batch=summary.batch, cause=cause)
    if summary.store_faults:
        emit("store_retried", batch=summary.batch, times=len(summary.store_faults), first=summary.store_faults[0])
