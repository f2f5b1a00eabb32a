"""Ways to run batches: one after the other in this process, or on Ray actors. They know nothing of the science.

Both take a function of (shared, part) and yield the batches' results as they finish, in any order. ``Part`` makes what
a batch takes along, of large tables its own rows alone: it is called when the batch is handed over, with the batch's
number and how often its worker has died of it, so that no worker holds the table.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from sweep.errors import StudyError
from sweep.ray_cluster import DRIVER_SETTINGS, Part, RayCluster, on_loopback
from sweep.scheduler import ATTEMPTS, RECYCLE, NoWorkerLivesError, Scheduler, WorkersLostError

__all__ = ["ATTEMPTS", "ClusterError", "NoWorkerLivesError", "WorkersLostError", "reach", "run_on_ray", "run_serial"]

Shared = TypeVar("Shared")
Result = TypeVar("Result")
REACH_SECONDS = 10.0  # for a first connection to a cluster
OBJECT_STORE_BYTES = 256 * 2**20


class ClusterError(StudyError):
    """The cluster that was asked for cannot be used."""


def itself(batch: int, deaths: int = 0) -> int:
    """The part of a batch that takes nothing along: its number."""
    return batch


def run_serial(
    solve: Callable[[Shared, Any], Result], shared: Shared, batches: Sequence[int], part: Part = itself
) -> Iterator[Result]:
    """Run batches in this process; ``part`` makes the argument of ``solve`` from a batch's number."""
    for batch in batches:
        yield solve(shared, part(batch, 0))


def run_on_ray(
    solve: Callable[[Shared, Any], Result],
    shared: Shared,
    batches: Sequence[int],
    workers: int | None = None,
    address: str | None = None,
    part: Part = itself,
    *,
    most: int = ATTEMPTS,
    memory: int | None = None,
    recycle: int = RECYCLE,
) -> Iterator[Result]:
    """Run batches on Ray actors of one processor each.

    Parameters
    ----------
    workers : int, optional
        Number of actors; default: a processor each, of this machine, or of the cluster as it grows and shrinks.
    address : str, optional
        An existing cluster; default: a Ray of our own on this machine, ended with the run.
    part : callable
        Makes the argument of ``solve`` from a batch's number and its worker's deaths so far.
    most : int
        Deaths of its worker after which a batch is left.
    memory : int, optional
        Bytes that an actor will need; a cluster places no more actors on a node than it has room for.
    recycle : int
        Batches after which a fresh actor takes the place of one.

    Raises
    ------
    WorkersLostError
        After everything else is done, where batches lost their worker in every attempt.
    NoWorkerLivesError
        Where worker after worker dies and nothing gets done.
    Exception
        Whatever ``solve`` raises ends the run.
    """
    ray = connect(workers, address)
    try:
        number = workers if address is not None else (workers or os.cpu_count() or 1)
        cluster = RayCluster(solve, shared, part, memory if address is not None else None)
        yield from Scheduler(cluster, batches, number, most, recycle).run()
    finally:
        ray.shutdown()


def connect(workers: int | None, address: str | None) -> Any:
    """Start a Ray of our own on the loopback, or reach a cluster; returns the module, whose ``shutdown`` ends it."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    for name, value in DRIVER_SETTINGS.items():
        os.environ.setdefault(name, value)
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
        with on_loopback():
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
