"""Runs a plan to the end: creates the cube or resumes it, hands the missing batches to an executor, shows progress."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage import committed_batches, create_cube, is_compacted, read_study
from sweep.errors import StudyError
from sweep.executors import reach, run_on_ray, run_serial
from sweep.plan import Plan
from sweep.progress import DrawProgress
from sweep.worker import BatchSummary, Work, solve_batch

DIFFERENCES_SHOWN = 12


@dataclass
class Outcome:
    """What a run did: draws solved now, draws found finished."""

    solved: int = 0
    found: int = 0


def missing_draws(plan: Plan, store: Path) -> int:
    """Draws of the plan that the store, if there is one, does not hold."""
    committed = committed_batches(store) if store.exists() else {}
    bounds = [plan.layout.bounds(b) for b in range(plan.layout.batches) if b not in committed]
    return sum(stop - start for start, stop in bounds)


def default_store(plan: Plan) -> Path:
    """``results/<name>.zarr`` in the current folder."""
    return Path("results") / f"{plan.study.name}.zarr"


def run(
    plan: Plan, store: Path, *, workers: int | None = None, address: str | None = None, serial: bool = False
) -> Outcome:
    """Solve every draw that the store does not hold yet.

    Raises
    ------
    StudyError
        The store holds another study; the differences are listed, nothing is touched.
    WorkersLostError
        Some batches lost their worker again and again; the others are done.
    """
    refuse_other_study(plan, store)
    if address is not None:
        reach(address)
    if not store.exists():
        create_cube(store, plan.layout, plan.table, {"identity": plan.identity}, title=f"Sweep of {plan.study.name}")
    committed = committed_batches(store)
    missing = [b for b in range(plan.layout.batches) if b not in committed]
    found = plan.layout.draws - missing_draws(plan, store)
    outcome = Outcome(found=found)
    work = Work(plan.case, plan.table, str(store.resolve()), plan.identity["versions"])
    with DrawProgress(plan.layout.draws, found) as progress:
        for summary in _execute(work, missing, workers, address, serial):
            outcome.solved += summary.draws
            progress.add(summary.draws, summary.seconds)
    return outcome


def _execute(
    work: Work, batches: list[int], workers: int | None, address: str | None, serial: bool
) -> Iterator[BatchSummary]:
    if serial or not batches:
        return run_serial(solve_batch, work, batches)
    return run_on_ray(solve_batch, work, batches, workers, address)


def refuse_other_study(plan: Plan, store: Path) -> None:
    """Make sure that the store, if there is one, is of the same study; see :func:`run`."""
    if not store.exists():
        return
    if is_compacted(store):
        raise StudyError(f"{store} is a compacted cube, for reading only: run into the cube that it was made from")
    identity = json.loads(json.dumps(plan.identity))
    stored = read_study(store).get("identity", {})
    different = list(_differences(stored, identity))
    if different:
        shown = different[:DIFFERENCES_SHOWN]
        more = [f"  ... and {len(different) - len(shown)} more"] if len(different) > len(shown) else []
        raise StudyError(
            "\n".join([f"{store} holds another study; run into another store, or remove it:", *shown, *more])
        )


def _differences(stored: Any, given: Any, key: str = "") -> Iterator[str]:
    """Lines that tell, key by key, where two records differ."""
    if isinstance(stored, Mapping) and isinstance(given, Mapping):
        for name in dict.fromkeys([*stored, *given]):
            yield from _differences(stored.get(name), given.get(name), f"{key}.{name}" if key else str(name))
    elif stored != given:
        yield f"  {key}: the store has {_short(stored)}, this study has {_short(given)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
