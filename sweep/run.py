"""Runs a plan to the end: creates, extends or resumes the cube, hands what is missing to an executor, shows progress."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from storage import (
    CubeExistsError,
    Lease,
    Place,
    StorageError,
    committed_batches,
    create_cube,
    cube_progress,
    exists,
    extend_cube,
    finish_extension,
    read_layout,
)
from sweep.errors import RunStoppedError, StudyError
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


def missing_draws(plan: Plan, store: Place) -> int:
    """Draws of a fitted plan that the store, if there is one, does not hold for all of its configurations."""
    if not exists(store):
        return plan.layout.draws
    if plan.layout.generations != read_layout(store).generations:
        return plan.layout.draws
    return plan.layout.draws - cube_progress(store).draws_committed


def default_store(plan: Plan) -> Path:
    """``results/<name>.zarr`` in the current folder."""
    return Path("results") / f"{plan.study.name}.zarr"


def run(
    plan: Plan, store: Place, *, workers: int | None = None, address: str | None = None, serial: bool = False
) -> Outcome:
    """Solve every draw and configuration that the store does not hold yet; no other run may write there meanwhile.

    Raises
    ------
    StudyError
        The store holds another study; the differences are listed, nothing is touched. Or it lies in the memory of
        this process, and others were to write into it.
    StoreInUseError
        Another run is at work on the store; nothing is touched.
    RunStoppedError
        The disk or the store failed while batches were solved; those that were finished are kept.
    WorkersLostError
        Some batches lost their worker again and again; the others are done.
    """
    refuse_memory(store, serial)
    plan = fitted(plan, store)
    if address is not None:
        reach(address)
    record = {"identity": plan.identity}
    if not exists(store):
        with suppress(CubeExistsError):  # another run made it meanwhile: only one of the two gets the lease
            create_cube(store, plan.layout, plan.table, record, f"Sweep of {plan.study.name}", table_bytes(plan))
    elif read_layout(store) == plan.layout and len(committed_batches(store)) == plan.layout.batches:
        return Outcome(found=plan.layout.draws)
    with Lease(store) as lease:
        finish_extension(store)
        plan = fitted(plan, store)
        if read_layout(store) != plan.layout:
            extend_cube(store, plan.layout, plan.table, {"identity": plan.identity}, table_bytes(plan))
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


def refuse_memory(store: Place, serial: bool) -> None:
    """Raise StudyError where several processes are to write into the memory of this one."""
    if str(store).startswith("memory://") and not serial:
        raise StudyError(
            f"{store} lies in the memory of this process, where workers cannot write: expected --serial with it"
        )


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
