"""Ways to run batches: one after the other in this process, or on Ray actors. They know nothing of the science.

Both take a function of (shared, batch) and yield the batches' results as they finish, in any order. ``Part`` is what
of a large table a batch takes along: it is cut out when the batch is handed over, so that no worker holds the table.
"""

from __future__ import annotations

import logging
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sweep.errors import StudyError

Shared = TypeVar("Shared")
Result = TypeVar("Result")
Part = Callable[[int], Any]
ATTEMPTS = 3  # a batch whose worker died this often is left for a later run
WINDOW = 2  # calls in flight per actor, so that none waits for the driver
REACH_SECONDS = 10.0  # for a first connection to a cluster
OBJECT_STORE_BYTES = 256 * 2**20


class ClusterError(StudyError):
    """The cluster that was asked for cannot be used."""


class WorkersLostError(RuntimeError):
    """Batches whose worker died in every attempt; all others are done."""

    def __init__(self, batches: Sequence[int]) -> None:
        self.batches = tuple(batches)
        listed = ", ".join(map(str, self.batches[:5])) + (", ..." if len(self.batches) > 5 else "")
        super().__init__(f"{len(self.batches)} batches lost their worker {ATTEMPTS} times each: {listed}")


def itself(batch: int) -> int:
    """The part of a batch that takes nothing along: its number."""
    return batch


def run_serial(
    solve: Callable[[Shared, Any], Result], shared: Shared, batches: Sequence[int], part: Part = itself
) -> Iterator[Result]:
    """Run batches in this process; ``part`` makes the argument of ``solve`` from a batch's number."""
    for batch in batches:
        yield solve(shared, part(batch))


def run_on_ray(
    solve: Callable[[Shared, Any], Result],
    shared: Shared,
    batches: Sequence[int],
    workers: int | None = None,
    address: str | None = None,
    part: Part = itself,
) -> Iterator[Result]:
    """Run batches on Ray actors of one processor each.

    Parameters
    ----------
    workers : int, optional
        Number of actors; default: a processor each, of this machine or of the cluster.
    address : str, optional
        An existing cluster; default: a Ray of our own on this machine, ended with the run.
    part : callable
        Makes the argument of ``solve`` from a batch's number.

    Raises
    ------
    WorkersLostError
        After everything else is done, where batches lost their worker in every attempt.
    Exception
        Whatever ``solve`` raises ends the run.
    """
    ray = _connect(workers, address)
    try:
        actor = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=0)(_Worker)
        held = [ray.put(shared)]  # in a list: passed on as a reference, fetched once by each actor
        number = min(workers or int(ray.cluster_resources().get("CPU", 1)), len(batches))
        actors = [actor.remote() for _ in range(number)]
        yield from _feed(ray, actors, solve, held, batches, part)
    finally:
        ray.shutdown()


class _Worker:
    """A process that keeps the shared part and solves one batch after the other."""

    def __init__(self) -> None:
        self.shared: Any = None

    def run(self, solve: Callable[[Any, Any], Any], held: list[Any], batch: Any) -> Any:
        if self.shared is None:
            import ray

            self.shared = ray.get(held[0])
        return solve(self.shared, batch)


def _connect(workers: int | None, address: str | None) -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    import ray  # slow to import, and not needed to plan or to check

    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    if address is not None:
        try:
            ray.init(address=address, **quiet)
        except ray.exceptions.AuthenticationError as fault:
            how = "bring the cluster's token to ~/.ray/auth_token (or RAY_AUTH_TOKEN) and set RAY_AUTH_MODE=token"
            raise ClusterError(f"--address {address}: the cluster does not know this client; {how}") from fault
        except (ConnectionError, ValueError) as fault:
            raise ClusterError(f"--address {address}: no Ray cluster answers: {fault}") from fault
    else:
        processors = workers or os.cpu_count() or 1
        store = OBJECT_STORE_BYTES
        ray.init(address="local", num_cpus=processors, include_dashboard=False, object_store_memory=store, **quiet)
    return ray


def reach(address: str) -> None:
    """Refuse at once an address where nothing listens; Ray itself would try for minutes.

    Raises
    ------
    ClusterError
        Neither "auto" nor host:port, or nothing listens there.
    """
    if address == "auto":
        return
    host, sign, port = address.rpartition(":")
    if not sign or not port.isdigit() or "/" in host:
        raise ClusterError(f"--address: found {address!r}, expected host:port of a cluster's head, or auto on the head")
    try:
        socket.create_connection((host, int(port)), timeout=REACH_SECONDS).close()
    except (OSError, OverflowError) as fault:
        raise ClusterError(f"--address {address}: nothing listens there ({fault})") from fault


def _feed(
    ray: Any,
    actors: Sequence[Any],
    solve: Callable[[Any, Any], Any],
    held: list[Any],
    batches: Sequence[int],
    part: Part,
) -> Iterator[Any]:
    """Keep ``WINDOW`` calls in flight per actor; a batch whose actor died goes back to the queue.

    A death is charged to the call that was at work alone, so that one batch that kills its worker takes no other along.
    """
    waiting, deaths, lost = deque(batches), dict.fromkeys(batches, 0), []
    flying: dict[Any, tuple[Any, int]] = {}  # in order of submission, which is each actor's order of work
    guilty: set[Any] = set()  # calls at work when their actor died
    bystanders: set[Any] = set()  # calls that waited behind them and fell with the actor

    def submit(actor: Any) -> None:
        if waiting:
            batch = waiting.popleft()
            flying[actor.run.remote(solve, held, part(batch))] = (actor, batch)

    for actor in list(actors) * WINDOW:
        submit(actor)
    while flying:
        [done], _ = ray.wait(list(flying), num_returns=1)
        actor, batch = flying[done]
        try:
            result = ray.get(done)
        except ray.exceptions.RayActorError:
            if done not in guilty | bystanders:
                calls = [call for call, (at, _) in flying.items() if at is actor]
                at_work, *behind = [call for call in calls if not _answered(ray, call)]
                guilty.add(at_work)
                bystanders.update(behind)
            deaths[batch] += done in guilty
            if deaths[batch] < ATTEMPTS:
                waiting.append(batch)
            else:
                lost.append(batch)
        except ray.exceptions.RayTaskError as fault:
            raise fault.cause from fault  # as what it was, without the wrapping
        else:
            yield result
        del flying[done]
        submit(actor)
    if lost:
        raise WorkersLostError(lost)


def _answered(ray: Any, call: Any) -> bool:
    """Whether a call was done before its actor died, though nobody has read its answer yet."""
    ready, _ = ray.wait([call], timeout=0)
    if not ready:
        return False
    try:
        ray.get(call)
    except ray.exceptions.RayActorError:
        return False
    except ray.exceptions.RayTaskError:
        return True  # read in its turn, where it ends the run
    return True
