"""The scheduler's cluster on Ray: actors of one processor each, and what their calls and deaths come back as.

Actors are not restarted by Ray: a dead one tells why it died, its calls end at once, and the scheduler asks for another.
So no call ever waits for an actor whose node is gone. An actor gets its first batch when it has told that it runs.
Answers come by callback into a queue, one by one, so that many calls in flight cost no more than few.
"""

from __future__ import annotations

import ipaddress
import itertools
import os
import queue
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sweep.cluster import Died, Done, Failed, Notice, Ready

Part = Callable[[int, int], Any]
SWOLLEN_BYTES = 512 * 2**20  # growth of an actor since its first batch at which a fresh one takes its place
NODE_GONE = "its node or the network to it is gone"
HEAD_SETTINGS = {
    # For the environment of `ray start --head`, read by the head alone. A node that no longer answers is given up after
    # three missed checks, one a second, each waited for at most three seconds: within 12 s, Ray's own settings take up
    # to a minute. A node whose processors are all busy still answers: its raylet is a process of its own.
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "3000",
    "RAY_health_check_failure_threshold": "3",
}
DRIVER_SETTINGS = {
    # For the environment of a driver before Ray is imported: it gives a head up that did not answer for so long [s],
    # where Ray waits for a minute. Ray then ends its process; the store's lease runs out two minutes after its last beat.
    "RAY_gcs_rpc_server_reconnect_timeout_s": "20",
}

ALONE = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"


@contextmanager
def on_loopback() -> Iterator[None]:
    """Start a Ray of one machine within, all ports of which listen on the loopback alone.

    By itself a local Ray on Linux takes the machine's address in the network, and its ports then listen on all
    interfaces; ``_node_ip_address="127.0.0.1"`` is turned back into that address. What keeps Ray to the loopback is
    the setting that on macOS and Windows is the default, read when Ray is imported.

    Raises
    ------
    RuntimeError
        The Ray that was started listens elsewhere.
    """
    with _setting(ALONE, "0"):
        import ray
        from ray._private import ray_constants

        may_be_many = ray_constants.ENABLE_RAY_CLUSTER
        ray_constants.ENABLE_RAY_CLUSTER = False
        try:
            yield
        finally:
            ray_constants.ENABLE_RAY_CLUSTER = may_be_many
    address = ray.util.get_node_ip_address()
    if not ipaddress.ip_address(address).is_loopback:
        ray.shutdown()
        raise RuntimeError(f"the local Ray listens on {address}, expected the loopback; this version of Ray is unknown")


@contextmanager
def _setting(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


class _Worker:
    """A process that keeps the shared part and solves one batch after the other."""

    def __init__(self) -> None:
        self.solve: Callable[[Any, Any], Any] | None = None
        self.shared: Any = None

    def begin(self, solve: Callable[[Any, Any], Any], held: list[Any]) -> None:
        import ray

        self.solve, self.shared = solve, ray.get(held[0])

    def run(self, part: Any) -> tuple[Any, int]:
        assert self.solve is not None
        return self.solve(self.shared, part), resident_bytes()


def resident_bytes() -> int:
    """Resident memory of this process; 0 where the system does not say (no Linux)."""
    status = Path("/proc/self/statm")
    if not status.exists():
        return 0
    return int(status.read_text().split()[1]) * 4096


class RayCluster:
    """The Ray that this process is connected to.

    Parameters
    ----------
    solve : callable
        Of (shared, part).
    shared
        Put into Ray's store once, fetched once by each actor.
    part : callable
        Of (batch, deaths): makes what an actor gets of a batch.
    memory : int, optional
        Bytes that an actor is expected to need, which Ray then keeps free for it.
    """

    def __init__(self, solve: Callable[[Any, Any], Any], shared: Any, part: Part, memory: int | None = None) -> None:
        import ray  # slow to import, and not needed to plan or to check

        self.ray, self.solve, self.part = ray, solve, part
        self.held = [ray.put(shared)]  # in a list: passed on as a reference
        needs = {} if memory is None else {"memory": memory}
        # Ray itself sets OMP_NUM_THREADS to the one processor; HiGHS is told by the model.
        self.kind = ray.remote(num_cpus=1, max_restarts=0, max_task_retries=0, **needs)(_Worker)
        self.actors: dict[int, Any] = {}
        self.first: dict[int, int] = {}  # resident bytes after the first batch
        self.numbers = itertools.count()
        self.came: queue.SimpleQueue[tuple[int, int | None, Any]] = queue.SimpleQueue()

    def now(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    def processors(self) -> int:
        """Processors of the nodes that Ray takes for alive."""
        return int(self.ray.cluster_resources().get("CPU", 0))

    def start(self) -> int:
        """Ask for an actor."""
        number = next(self.numbers)
        self.actors[number] = self.kind.remote()
        self._follow(self.actors[number].begin.remote(self.solve, self.held), number, None)
        return number

    def submit(self, actor: int, batch: int, deaths: int) -> None:
        """Hand a batch to an actor."""
        self._follow(self.actors[actor].run.remote(self.part(batch, deaths)), actor, batch)

    def _follow(self, call: Any, actor: int, batch: int | None) -> None:
        call.future().add_done_callback(lambda answer: self.came.put((actor, batch, answer)))

    def stop(self, actor: int) -> None:
        """End an actor, running, pending or dead."""
        self.first.pop(actor, None)
        self.ray.kill(self.actors.pop(actor))

    def notices(self, seconds: float) -> list[Notice]:
        """What has come in, all of it; waits for the first at most so long."""
        found: list[Notice] = []
        with suppress(queue.Empty):
            found.append(self._notice(*self.came.get(timeout=seconds)))
            while True:
                found.append(self._notice(*self.came.get_nowait()))
        return found

    def _notice(self, actor: int, batch: int | None, answer: Any) -> Notice:
        error = answer.exception()
        if error is not None:
            return self._of_error(actor, batch, error)
        if batch is None:
            return Ready(actor)
        result, resident = answer.result()
        swollen = resident - self.first.setdefault(actor, resident) > SWOLLEN_BYTES
        return Done(actor, batch, result, swollen)

    def _of_error(self, actor: int, batch: int | None, error: BaseException) -> Died | Failed:
        faults = self.ray.exceptions
        if isinstance(error, faults.OutOfMemoryError):
            return Died(actor, batch, "its node ran out of memory and Ray ended it")
        if isinstance(error, faults.ActorUnavailableError | faults.NodeDiedError):
            return Died(actor, batch, NODE_GONE, innocent=True)
        if isinstance(error, faults.RayActorError | faults.WorkerCrashedError):
            innocent = "its node has died" in str(error) or bool(getattr(error, "preempted", False))
            return Died(actor, batch, NODE_GONE if innocent else _told(str(error)), innocent)
        return Failed(actor, _cause(error) if isinstance(error, faults.RayTaskError) else error)


def _cause(error: Any) -> BaseException:
    """The exception as the worker raised it, without Ray's wrapping."""
    cause: BaseException = error.cause
    cause.__cause__ = error
    return cause


def _told(text: str) -> str:
    """What Ray says of a death, without its guesses: it does not know the signal."""
    found = re.search(r"Worker exit type: (\w+) Worker exit detail: (.*?\.)\s", text)
    return f"its process ended ({found[1]}: {found[2]})" if found else text.splitlines()[0]
