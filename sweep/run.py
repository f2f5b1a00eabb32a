"""Runs a plan to the end: creates, extends or resumes the cube, hands what is missing to an executor, shows progress."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from storage import (
    CannotWriteError,
    CubeExistsError,
    Lease,
    StorageError,
    committed_batches,
    create_cube,
    cube_progress,
    extend_cube,
    finish_extension,
    read_layout,
)
from sweep.errors import RunStoppedError
from sweep.executors import reach, run_on_ray, run_serial
from sweep.growth import fitted
from sweep.plan import Plan
from sweep.progress import DrawProgress
from sweep.worker import BatchSummary, Draws, Work, solve_batch


@dataclass
class Outcome:
    """What a run did: draws solved now, draws found finished."""

    solved: int = 0
    found: int = 0


def missing_draws(plan: Plan, store: Path) -> int:
    """Draws of a fitted plan that the store, if there is one, does not hold for all of its configurations."""
    if not store.exists():
        return plan.layout.draws
    if plan.layout.generations != read_layout(store).generations:
        return plan.layout.draws
    return plan.layout.draws - cube_progress(store).draws_committed


def check_store(store: Path) -> None:
    """Refuse, before any work, a store that a run could not write into.

    Raises
    ------
    StoreInUseError
        Another run is at work on it.
    CannotWriteError
        It, or the folder that it would be made in, cannot be written to.
    """
    if store.exists():
        with Lease(store):
            return
    folder = next(parent for parent in store.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise CannotWriteError(f"{store} cannot be made: {folder} cannot be written to")


def default_store(plan: Plan) -> Path:
    """``results/<name>.zarr`` in the current folder."""
    return Path("results") / f"{plan.study.name}.zarr"


def run(
    plan: Plan, store: Path, *, workers: int | None = None, address: str | None = None, serial: bool = False
) -> Outcome:
    """Solve every draw and configuration that the store does not hold yet; no other run may write there meanwhile.

    Raises
    ------
    StudyError
        The store holds another study; the differences are listed, nothing is touched.
    StoreInUseError
        Another run is at work on the store; nothing is touched.
    CannotWriteError
        The store cannot be made or written to; nothing is left.
    RunStoppedError
        The disk or the store failed while the cube was extended or batches were solved; what was finished is kept.
    WorkersLostError
        Some batches lost their worker again and again; the others are done.
    """
    plan = fitted(plan, store)
    if address is not None:
        reach(address)
    if not store.exists():
        _create(plan, store)
    elif read_layout(store) == plan.layout and len(committed_batches(store)) == plan.layout.batches:
        return Outcome(found=plan.layout.draws)
    with Lease(store) as lease:
        try:
            finish_extension(store)
            plan = fitted(plan, store)
            if read_layout(store) != plan.layout:
                extend_cube(store, plan.layout, plan.table, {"identity": plan.identity}, table_bytes(plan))
        except OSError as fault:
            raise RunStoppedError(f"{store} could not be extended: {fault}") from fault
        missing = list(cube_progress(store).missing_batches)
        outcome = Outcome(found=plan.layout.draws - missing_draws(plan, store))
        work = Work(plan.case, str(store.resolve()), plan.identity["versions"], lease.token)
        try:
            with DrawProgress(plan.layout.draws, outcome.found) as progress:
                for summary in _execute(plan, work, missing, workers, address, serial):
                    outcome.solved += summary.draws
                    progress.add(summary.draws, summary.seconds)
                    lease.check()
        except (OSError, StorageError) as fault:
            raise RunStoppedError(str(fault)) from fault
    return outcome


def _create(plan: Plan, store: Path) -> None:
    title = f"Sweep of {plan.study.name}"
    try:
        with suppress(CubeExistsError):  # another run made it meanwhile: only one of the two gets the lease
            create_cube(store, plan.layout, plan.table, {"identity": plan.identity}, title, table_bytes(plan))
    except OSError as fault:
        raise CannotWriteError(f"{store} cannot be made: {fault}") from fault


def table_bytes(plan: Plan) -> dict[str, bytes]:
    """The files that a study rests on, by name and ending: with them, a cube can be checked years later."""
    endings = {name: ".csv.gz" if path.suffix == ".gz" else ".csv" for name, path in plan.tables.items()}
    return {name + endings[name]: path.read_bytes() for name, path in plan.tables.items()}


def _execute(
    plan: Plan, work: Work, batches: list[int], workers: int | None, address: str | None, serial: bool
) -> Iterator[BatchSummary]:
    part = partial(Draws.of, plan.table, plan.layout)
    if serial or not batches:
        return run_serial(solve_batch, work, batches, part)
    return run_on_ray(solve_batch, work, batches, workers, address, part)
