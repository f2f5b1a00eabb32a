"""Workers that stay from one set of batches to the next, for work that comes in rounds: this process, or Ray's actors."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from sweep.cluster import Died, Done, Notice, Ready
from sweep.executors import connect, run_serial
from sweep.ray_cluster import RayCluster
from sweep.scheduler import Scheduler

Solve = Callable[[Any, Any], Any]


class KeptActors(RayCluster):
    """The scheduler's cluster whose healthy actors wait for the next round in place of being ended."""

    def __init__(self, solve: Solve, shared: Any) -> None:
        super().__init__(solve, shared, lambda batch, deaths: batch)
        self.waiting: list[Any] = []
        self.resumed: deque[int] = deque()
        self.healthy: set[int] = set()

    def start(self) -> int:
        """An actor that waits, or a new one."""
        if not self.waiting:
            return super().start()
        number = next(self.numbers)
        self.actors[number] = self.waiting.pop()
        self.resumed.append(number)
        return number

    def stop(self, actor: int) -> None:
        """Keep an actor that is well and has nothing to do; end any other."""
        if actor in self.healthy:
            self.healthy.discard(actor)
            self.first.pop(actor, None)
            self.waiting.append(self.actors.pop(actor))
        else:
            super().stop(actor)

    def notices(self, seconds: float) -> list[Notice]:
        """What has come in; an actor that waited is ready at once."""
        found: list[Notice] = [Ready(number) for number in self.resumed]
        self.resumed.clear()
        found += super().notices(0.0 if found else seconds)
        for notice in found:
            if isinstance(notice, Ready) or (isinstance(notice, Done) and not notice.swollen):
                self.healthy.add(notice.actor)
            elif isinstance(notice, Died | Done):
                self.healthy.discard(notice.actor)
        return found


class Workers:
    """Runs sets of batches one after the other on the same workers; used as a context.

    Parameters
    ----------
    solve : callable
        Of (shared, part).
    shared
        Sent to each worker once.
    serial : bool
        In this process, without Ray.
    workers, address
        As of `sweep.executors.run_on_ray`.
    """

    def __init__(
        self, solve: Solve, shared: Any, *, serial: bool, workers: int | None = None, address: str | None = None
    ) -> None:
        self.solve, self.shared, self.serial = solve, shared, serial
        self.workers, self.address = workers, address
        self.ray: Any = None
        self.cluster: KeptActors | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.ray is not None:
            self.ray.shutdown()

    def run(self, parts: Sequence[Any]) -> Iterator[Any]:
        """Yield the result of every part as it comes."""
        if self.serial or not parts:
            yield from run_serial(self.solve, self.shared, range(len(parts)), lambda batch, deaths: parts[batch])
            return
        if self.cluster is None:  # Ray is started when there is something to do
            self.ray = connect(self.workers, self.address)
            self.cluster = KeptActors(self.solve, self.shared)
        self.cluster.part = lambda batch, deaths: parts[batch]
        number = self.workers if self.address is not None else (self.workers or os.cpu_count() or 1)
        yield from Scheduler(self.cluster, range(len(parts)), number).run()
