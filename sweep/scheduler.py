"""Hands batches to actors of a cluster until each is done once: pool, window, deaths. It knows no science and no Ray.

The cluster comes as an interface (`sweep.cluster.Cluster`), so that a simulated one with a clock of its own drives the very
same code. What one batch costs does not depend on how many are in flight or wait: notices come in one by one, the
batches are an iterator, and only those whose worker died are remembered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweep.cluster import Cluster, Died, Done, Failed, Ready
from sweep.events import emit

WINDOW = 2  # calls in flight per actor, so that none waits for the driver
ATTEMPTS = 3  # a batch whose worker died this often is left for a later run, unless the caller allows more
FORGIVEN = 5  # losses of a node or of its network are nobody's fault; a batch that suffers more of them is charged
LOOK_SECONDS = 2.0  # how often the pool is fitted to the cluster
AHEAD_LEAST, AHEAD_MOST = 8, 1000  # actors asked for beyond the processors that are there; see `Scheduler.wanted`
HOPELESS = 20  # workers that died one after the other, with no batch done between: more, where there are many actors
RECYCLE = 1000  # batches after which an actor makes room for a fresh one
SILENCE_SECONDS = 30.0  # without any worker until the log says so; then twice as long each time


class WorkersLostError(RuntimeError):
    """Batches whose worker died in every attempt; all others are done."""

    def __init__(self, batches: Sequence[int], deaths: int = ATTEMPTS) -> None:
        self.batches = tuple(batches)
        listed = ", ".join(map(str, self.batches[:5])) + (", ..." if len(self.batches) > 5 else "")
        super().__init__(f"{len(self.batches)} batches lost their worker {deaths} times each: {listed}")


class NoWorkerLivesError(WorkersLostError):
    """Worker after worker died, and no batch was done between: no use going on."""

    def __init__(self, deaths: int, cause: str) -> None:
        super().__init__(())
        self.args = (f"{deaths} workers died one after the other and no batch was done between; the last: {cause}",)


@dataclass
class _Actor:
    """What is known of one actor: its calls by the order they were handed over, and those that fell with it."""

    calls: dict[int, int] = field(default_factory=dict)
    fallen: dict[int, int] = field(default_factory=dict)
    ready: bool = False
    done: int = 0
    retiring: bool = False
    death: Died | None = None


class Scheduler:
    """One run of batches on one cluster.

    Parameters
    ----------
    cluster : Cluster
    batches : sequence of int
        A range costs no memory, however long.
    workers : int, optional
        Number of actors; default: what :meth:`wanted` says.
    most : int
        A batch that was charged with so many deaths is left.
    recycle : int
        Batches after which an actor makes room for a fresh one.
    """

    def __init__(
        self,
        cluster: Cluster,
        batches: Sequence[int],
        workers: int | None = None,
        most: int = ATTEMPTS,
        recycle: int = RECYCLE,
    ) -> None:
        self.cluster, self.workers, self.most, self.recycle = cluster, workers, most, recycle
        self.fresh, self.unbegun = iter(batches), len(batches)
        self.again: deque[int] = deque()
        self.deaths: dict[int, int] = {}  # by batch, where there were any
        self.losses: dict[int, int] = {}
        self.left: list[int] = []
        self.actors: dict[int, _Actor] = {}
        self.hungry: dict[int, None] = {}  # ready actors with room in their window
        self.ready = self.flying = self.handed = self.in_a_row = 0
        self.processors = 0
        self.looked = self.heard = cluster.now()
        self.silence = SILENCE_SECONDS

    @property
    def waiting(self) -> int:
        """Batches that no actor has."""
        return self.unbegun + len(self.again)

    def wanted(self) -> int:
        """How many actors to have, pending ones included.

        As many as were asked for, else one for each processor alive and as many again, at least ``AHEAD_LEAST`` and at
        most ``AHEAD_MOST``, that find no room yet. What cannot be placed is what makes Ray's autoscaler start nodes, so
        a cluster doubles until its own limit is reached, from no processor at all too; on a cluster of fixed size the
        pending ones wait and hold nothing, and take the processors of a node that is added. Never more than there are
        batches left.
        """
        ahead = min(max(self.processors, AHEAD_LEAST), AHEAD_MOST)
        return min(self.workers or self.processors + ahead, self.waiting + self.flying)

    def run(self) -> Iterator[Any]:
        """Yield the result of every batch as it comes.

        Raises
        ------
        WorkersLostError
            After everything else is done, where batches lost their worker again and again.
        NoWorkerLivesError
            At once, where worker after worker dies and nothing gets done.
        Exception
            Whatever a call raised.
        """
        self._look()
        while self.waiting or self.flying:
            for notice in self.cluster.notices(LOOK_SECONDS):
                if isinstance(notice, Failed):
                    raise notice.error
                actor = self.actors.get(notice.actor)
                if actor is None:
                    continue  # it was stopped meanwhile
                if isinstance(notice, Ready):
                    actor.ready = True
                    self.ready += 1
                    self._feed(notice.actor, actor)
                    self._tell_pool()
                elif isinstance(notice, Died):
                    self._bury(notice, actor)
                else:
                    self._finish(notice, actor)
                    yield notice.result
            if self.cluster.now() - self.looked >= LOOK_SECONDS:
                self._look()
        for number in list(self.actors):
            self._stop(number)
        if self.left:
            raise WorkersLostError(sorted(self.left), self.most)

    def _finish(self, notice: Done, actor: _Actor) -> None:
        del actor.calls[notice.batch]
        self.flying -= 1
        self.in_a_row = 0
        actor.done += 1
        actor.retiring = actor.retiring or notice.swollen or actor.done >= self.recycle
        if actor.death is not None:
            self._settle(notice.actor, actor)
        else:
            self._feed(notice.actor, actor)

    def _feed(self, number: int, actor: _Actor) -> None:
        """Fill an actor's window; one that has nothing to do makes room for others on the cluster."""
        # Near the end nobody gets a second batch while another actor may be without one.
        while self.waiting and not actor.retiring and len(actor.calls) < (WINDOW if self.waiting > self.ready else 1):
            if self.again:
                batch = self.again.popleft()
            else:
                batch = next(self.fresh)
                self.unbegun -= 1
            self.flying += 1
            self.handed += 1
            actor.calls[batch] = self.handed
            self.cluster.submit(number, batch, self.deaths.get(batch, 0))
        if not actor.calls:
            self._stop(number)
            if actor.retiring:
                emit("worker_recycled", batches=actor.done)
                self._fit()
        elif len(actor.calls) < WINDOW and not actor.retiring:
            self.hungry[number] = None
        else:
            self.hungry.pop(number, None)

    def _bury(self, notice: Died, actor: _Actor) -> None:
        """Note a death, which is told once for each call; what is to be done of it waits until all are answered."""
        if actor.death is None:
            if actor.ready or not notice.innocent:  # where a node goes, those that were to start there go too
                emit("worker_died", at_work_on=list(actor.calls), cause=notice.cause)
            self.hungry.pop(notice.actor, None)
            self.in_a_row += not notice.innocent
            if self.in_a_row > max(HOPELESS, 3 * len(self.actors)):
                raise NoWorkerLivesError(self.in_a_row, notice.cause)
        if actor.death is None or actor.death.innocent:
            actor.death = notice
        if notice.batch is not None:
            actor.fallen[notice.batch] = actor.calls.pop(notice.batch)
        self._settle(notice.actor, actor)

    def _settle(self, number: int, actor: _Actor) -> None:
        """Charge the call that was at work, and it alone, so that no batch takes others along; hand out what fell."""
        if actor.calls or actor.death is None:
            return
        self._stop(number)
        self.flying -= len(actor.fallen)
        self._tell_pool()
        for place, batch in enumerate(sorted(actor.fallen, key=actor.fallen.__getitem__)):
            if place == 0 and self._charge(batch, actor.death.innocent):
                self.left.append(batch)
                emit("batch_left", batch=batch, deaths=self.deaths[batch])
                continue
            self.again.append(batch)
            emit("batch_requeued", batch=batch, deaths=self.deaths.get(batch, 0))
        if actor.ready:
            self._fit()  # one that never was ready is followed at the next look, so that no storm of starts begins
        for hungry in list(self.hungry):
            if not self.waiting:
                break
            self._feed(hungry, self.actors[hungry])

    def _charge(self, batch: int, innocent: bool) -> bool:
        """Count a death, and say whether it was the last one allowed."""
        if innocent:
            self.losses[batch] = self.losses.get(batch, 0) + 1
            if self.losses[batch] <= FORGIVEN:
                return False
        self.deaths[batch] = self.deaths.get(batch, 0) + 1
        return self.deaths[batch] >= self.most

    def _stop(self, number: int) -> None:
        actor = self.actors.pop(number)
        self.ready -= actor.ready
        self.hungry.pop(number, None)
        self.cluster.stop(number)

    def _look(self) -> None:
        """Fit the pool to the cluster as it is now."""
        self.looked = self.cluster.now()
        before, self.processors = self.processors, self.cluster.processors()
        if before != self.processors:
            kind = "processors_gained" if self.processors > before else "processors_lost"
            emit(kind, before=before, now=self.processors)
        self._fit()
        self._tell_pool()
        if self.ready:
            self.heard, self.silence = self.looked, SILENCE_SECONDS
        elif self.looked - self.heard >= self.silence:
            emit("no_worker_yet", seconds=round(self.looked - self.heard), processors=self.processors)
            self.silence *= 2

    def _tell_pool(self) -> None:
        """Tell how many workers live and how many batches they have; not with every batch, which would cost most."""
        emit("pool", workers=self.ready, flying=self.flying, waiting=self.waiting, processors=self.processors)

    def _fit(self) -> None:
        """Ask for actors that are wanted and not there; take back pending ones that are no longer wanted."""
        surplus = len(self.actors) - self.wanted()
        for _ in range(-surplus):
            self.actors[self.cluster.start()] = _Actor()
        if surplus > 0:
            pending = [
                number for number, actor in self.actors.items() if not (actor.ready or actor.calls or actor.death)
            ]
            for number in pending[len(pending) - min(surplus, len(pending)) :]:
                self._stop(number)
