"""The command line as a soak runs it: `wattbit`, with a log of when it begins to write and of every draw it solves.

Ray's workers import this module by its name, so that their solves are noted too.
"""

from __future__ import annotations

import json
import os
import time
from typing import Any

import sweep.cli
import sweep.cli_run
import sweep.run
import sweep.worker
from sweep.tally import BatchSummary
from sweep.worker import Draws, Work

SOLVE_BATCH = sweep.worker.solve_batch  # as it is before `main` puts the other in its place
LOG = "WATTBIT_SOAK_LOG"  # names the file of the log, a JSON object a line


def note(event: str, **what: Any) -> None:
    """Append one line to the log, whole whatever else is written at once."""
    line = json.dumps({"event": event, "time": time.time(), "pid": os.getpid(), **what}) + "\n"
    descriptor = os.open(os.environ[LOG], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def solve_batch(work: Work, batch: Draws) -> BatchSummary:
    """Solve a batch as ever, and note each draw and its configurations before it is solved."""
    solve_draw = sweep.worker.solve_draw

    def noted(case: Any, theta: Any) -> Any:
        note("solve", draw=_number(batch, theta), configurations=[c.name for c in case.configurations])
        return solve_draw(case, theta)

    sweep.worker.solve_draw = noted
    try:
        return SOLVE_BATCH(work, batch)
    finally:
        sweep.worker.solve_draw = solve_draw


def _number(batch: Draws, theta: Any) -> int:
    """Number of a draw in the whole table, by its values: no two draws of a Sobol design are equal."""
    rows = range(len(next(iter(batch.columns.values()))))
    row = next(row for row in rows if all(values[row] == theta[name] for name, values in batch.columns.items()))
    return batch.start + row


def main() -> None:
    """Run the command line."""
    run_plan = sweep.cli_run.run_plan

    def begun(*arguments: Any, **options: Any) -> Any:
        note("run")
        return run_plan(*arguments, **options)

    sweep.cli_run.run_plan = begun
    sweep.run.solve_batch = sweep.worker.solve_batch = solve_batch  # what Ray's workers call, and a run without them
    sweep.cli.main()
