"""Runs a plan to the end: creates, extends or resumes the cube, hands what is missing to an executor, shows progress."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage import (
    CannotWriteError,
    CubeDamagedError,
    CubeExistsError,
    Lease,
    Place,
    StorageError,
    check_committed,
    check_place,
    committed_batches,
    create_cube,
    cube_progress,
    exists,
    extend_cube,
    finish_extension,
    note_numbers,
    read_layout,
    read_note,
    read_study,
    remove_leftovers,
)
from sweep.draws_hash import hash_in_store
from sweep.errors import RunStoppedError, StudyError
from sweep.events import ASIDE, emit, listening
from sweep.executors import reach, run_on_ray, run_serial
from sweep.growth import fitted
from sweep.metrics import RunMetrics
from sweep.patience import patiently
from sweep.plan import Plan
from sweep.progress import DrawProgress
from sweep.ray_cluster import resident_bytes
from sweep.run_told import tell_batch, tell_begin
from sweep.set_aside import TOGETHER, TRIES, try_again
from sweep.tally import BatchSummary
from sweep.worker import COMPARED, Draws, Work, solve_batch, solve_in_process

WATCHDOG_SECONDS, WATCHDOG_PILOTS = 600.0, 100.0  # a draw is given up after the longer of the two
CHECK_SECONDS = 5.0  # the driver looks at its lease no more often; a worker does before every batch it writes
MEMORY_SLACK = 1.5  # of a worker beside the pilot's process: more days, garbage, arrays on their way to the store


@dataclass
class Outcome:
    """What a run did: draws solved now, draws found finished, and the notes of all that the cube has set aside."""

    solved: int = 0
    found: int = 0
    set_aside: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Limits:
    """What a draw and a worker may take, as a pilot measured it or the user says.

    Attributes
    ----------
    watchdog : float, optional
        Seconds after which a draw is given up; None: never.
    memory : int, optional
        Bytes that a cluster keeps free for each worker.
    """

    watchdog: float | None = None
    memory: int | None = None

    @classmethod
    def after_pilot(cls, plan: Plan, seconds: float, watchdog: float | None = None) -> Limits:
        """From a pilot that took so many seconds a draw, just now in this process; the driver alone holds the draws."""
        resident = max(resident_bytes() - plan.rows.held, 0)
        return cls(watchdog or max(WATCHDOG_SECONDS, WATCHDOG_PILOTS * seconds), int(MEMORY_SLACK * resident) or None)


NO_LIMITS = Limits()


def missing_draws(plan: Plan, store: Place) -> int:
    """Draws of a fitted plan that the store, if there is one, does not hold for all of its configurations."""
    if not exists(store):
        return plan.layout.draws
    if plan.layout.generations != read_layout(store).generations:
        return plan.layout.draws
    return plan.layout.draws - cube_progress(store).draws_committed


def check_store(plan: Plan, store: Place) -> None:
    """Refuse, before any work, a store that a run of a fitted plan could not write into or should not build on.

    Raises
    ------
    StoreInUseError
        Another run is at work on it.
    CannotWriteError
        It, or the folder that it would be made in, cannot be written to.
    CubeDamagedError
        What it holds is damaged, as far as `storage.check_committed` tells; or its draws are not those of its record.
    """
    if not exists(store):
        check_place(store)
        return
    with ExitStack() as stack:
        if missing_draws(plan, store):
            stack.enter_context(Lease(store))  # nobody writes into a cube that is finished
        grows = plan.layout.generations != read_layout(store).generations
        check_committed(store, COMPARED if grows else ())
        known = str(read_study(store)["identity"]["draws"])
        if hash_in_store(store, known) != known:
            names = ", ".join(map(str, plan.rows.rows(0, 1).data_vars))
            raise CubeDamagedError(
                f"{store}: the draw table is not the one that run/study.json names: restore the folders of {names}"
            )


def default_store(plan: Plan, mark: str = "") -> Path:
    """``results/<name>.zarr`` in the current folder; ``mark`` stands after the name."""
    return Path("results") / f"{plan.study.name}{mark}.zarr"


def run(
    plan: Plan,
    store: Place,
    *,
    workers: int | None = None,
    address: str | None = None,
    serial: bool = False,
    limits: Limits = NO_LIMITS,
    command: str = "wattbit solve STUDY",
    retry: bool = False,
) -> Outcome:
    """Solve every draw and configuration that the store does not hold yet; no other run may write there meanwhile.

    What the store holds is taken as whole: `check_store` comes before.

    Parameters
    ----------
    limits : Limits
        A run that is ``serial`` heeds none: what it would have to end is itself.
    command : str
        How a single future of the study is solved, for the notes on draws that are set aside.
    retry : bool
        Try draws again that the store has set aside.

    Raises
    ------
    StudyError
        The store holds another study; the differences are listed, nothing is touched. Or it lies in the memory of
        this process, and others were to write into it.
    StoreInUseError
        Another run is at work on the store; nothing is touched.
    CannotWriteError
        The store cannot be made or written to; nothing is left.
    RunStoppedError
        The disk or the store failed while the cube was extended or batches were solved; what was finished is kept.
    WorkersLostError
        Some batches lost their worker again and again and no draw of them is to blame; the others are done. Or all
        workers die before they solve anything.
    """
    refuse_memory(store, serial)
    plan = fitted(plan, store)
    if address is not None:
        reach(address)
    if not exists(store):
        _create(plan, store)
    elif not (retry and note_numbers(store, ASIDE)) and _is_complete(plan, store):
        return Outcome(found=plan.layout.draws, set_aside=set_aside_notes(store))
    with Lease(store) as lease:
        try:
            finish_extension(store)
            if isinstance(lease.file, Path):
                remove_leftovers(store, lease.file.stat().st_mtime)
            plan = fitted(plan, store)
            if read_layout(store) != plan.layout:
                extend_cube(store, plan.layout, plan.rows, {"identity": plan.identity}, table_bytes(plan))
        except OSError as fault:
            raise RunStoppedError(f"{store} could not be extended: {fault}") from fault
        again = try_again(store) if retry else 0
        missing = _short(cube_progress(store).missing_batches)
        outcome = Outcome(found=plan.layout.draws - missing_draws(plan, store))
        work = Work(
            plan.case,
            str(store.resolve()),
            plan.identity["versions"],
            lease.token,
            None if serial else limits.watchdog,
            command,
            holds_aside=bool(note_numbers(store, ASIDE)),
        )
        checked = 0.0
        try:
            with ExitStack() as stack:
                progress = stack.enter_context(DrawProgress(plan.layout.draws, outcome.found))
                stack.enter_context(listening(progress.heed))
                if not serial:
                    stack.enter_context(listening(RunMetrics().heed))
                tell_begin(plan, store, len(missing), outcome.found, workers, address, serial)
                if again:
                    emit("set_aside_retried", draws=again)
                for summary in _execute(plan, work, missing, workers, address, serial, limits.memory):
                    outcome.solved += summary.draws
                    tell_batch(summary)
                    if time.monotonic() - checked > CHECK_SECONDS:
                        patiently(lease.check)
                        checked = time.monotonic()
        except (OSError, StorageError) as fault:
            raise RunStoppedError(str(fault)) from fault
    outcome.set_aside = set_aside_notes(store)
    return outcome


def _is_complete(plan: Plan, store: Place) -> bool:
    return read_layout(store) == plan.layout and len(committed_batches(store)) == plan.layout.batches


def set_aside_notes(store: Place) -> list[dict[str, Any]]:
    """What is told of every draw that was set aside: draw, batch, cause, tries, theta, the line that replays it."""
    notes = (read_note(store, ASIDE, draw) for draw in note_numbers(store, ASIDE))
    return [note for note in notes if note is not None]


def _short(batches: Sequence[int]) -> Sequence[int]:
    """The same numbers as a range where they are one: millions of batches then take no memory."""
    whole = range(batches[0], batches[0] + len(batches)) if batches else range(0)
    return whole if batches and batches[-1] == whole[-1] else list(batches)


def refuse_memory(store: Place, serial: bool) -> None:
    """Raise StudyError where several processes are to write into the memory of this one."""
    if str(store).startswith("memory://") and not serial:
        raise StudyError(
            f"{store} lies in the memory of this process, where workers cannot write: expected --serial with it"
        )


def _create(plan: Plan, store: Place) -> None:
    title = f"Sweep of {plan.study.name}"
    try:
        with suppress(CubeExistsError):  # another run made it meanwhile: only one of the two gets the lease
            create_cube(store, plan.layout, plan.rows, {"identity": plan.identity}, title, table_bytes(plan))
    except OSError as fault:
        raise CannotWriteError(f"{store} cannot be made: {fault}") from fault


def table_bytes(plan: Plan) -> dict[str, bytes]:
    """The files that a study rests on, by name and ending: with them, a cube can be checked years later."""
    endings = {name: ".csv.gz" if path.suffix == ".gz" else ".csv" for name, path in plan.tables.items()}
    return {name + endings[name]: path.read_bytes() for name, path in plan.tables.items()}


def _execute(
    plan: Plan,
    work: Work,
    batches: Sequence[int],
    workers: int | None,
    address: str | None,
    serial: bool,
    memory: int | None,
) -> Iterator[BatchSummary]:
    part = Draws.cutter(plan.rows, plan.layout)
    if serial or not batches:
        return run_serial(solve_in_process, work, batches, part)
    # Deaths beyond those that set aside every draw of a batch are of no draw's making.
    most = TOGETHER + TRIES * plan.layout.batch + 1
    return run_on_ray(solve_batch, work, batches, workers, address, part, most=most, memory=memory)
