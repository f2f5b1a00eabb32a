"""A cluster that is simulated: drawn durations, deaths and losses of nodes, on a clock that jumps from event to event.

It drives the scheduler's own code and checks what it is asked for: never more than a window of calls, none to an actor
that is not there.
"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from sweep.cluster import Died, Done, Notice, Ready
from sweep.scheduler import WINDOW

START_SECONDS = 5.0
DETECT_SECONDS = 12.0


@dataclass
class Faults:
    """What goes wrong: chance of a worker's death in a batch, batches that always kill, nodes by (second, processors)."""

    death: float = 0.0
    poison: frozenset[int] = frozenset()
    lost_answer: float = 0.0  # of the deaths, those that swallow an answer already given
    nodes: tuple[tuple[float, int], ...] = ((0.0, 4),)  # positive: gained; negative: that many processors lost
    unborn: float = 0.0  # chance that an actor dies before it is ready
    swollen: float = 0.0


@dataclass
class SimulatedActor:
    """One actor: placed on a processor or pending; its calls in order."""

    calls: deque[int] = field(default_factory=deque)
    placed: bool = False
    ready: bool = False
    life: int = 0  # counts what it began, so that an event of a call that was lost means nothing
    gone: bool = False


class SimulatedCluster:
    """Implements the scheduler's ``Cluster``; deterministic by ``seed``.

    Attributes
    ----------
    done : dict
        How often each batch ran to its end.
    most_flying : int
        The most calls that one actor ever had.
    """

    def __init__(self, faults: Faults, seed: int, seconds: Callable[[random.Random], float] | None = None) -> None:
        self.faults, self.random = faults, random.Random(seed)
        self.seconds = seconds or (lambda chance: chance.uniform(30, 180))
        self.clock, self.end = 0.0, float("inf")
        self.count = itertools.count()
        self.events: list[tuple[float, int, str, int, int]] = []
        self.actors: dict[int, SimulatedActor] = {}
        self.pending: dict[int, None] = {}
        self.out: deque[Notice] = deque()
        self.alive = self.used = self.most_flying = self.submitted = 0
        self.told_alive = 0
        self.done: dict[int, int] | None = {}
        for at, processors in faults.nodes:
            self._later(at, "node", processors, 0)
        self._advance(0.0)

    # what the scheduler calls

    def now(self) -> float:
        """The simulated clock."""
        return self.clock

    def processors(self) -> int:
        """Those that the cluster knows of: a lost node is forgotten late."""
        return self.told_alive

    def start(self) -> int:
        """Ask for an actor."""
        number = next(self.count)
        self.actors[number] = SimulatedActor()
        self.pending[number] = None
        self._place()
        return number

    def submit(self, actor: int, batch: int, deaths: int) -> None:
        """Hand a batch over."""
        one = self.actors[actor]
        assert one.ready, "a batch for an actor that is not there"
        assert len(one.calls) < WINDOW, "more than a window of calls"
        self.submitted += 1
        one.calls.append(batch)
        self.most_flying = max(self.most_flying, len(one.calls))
        if one.gone:
            self._later(self.clock + DETECT_SECONDS, "notice", actor, batch)
        elif len(one.calls) == 1:
            self._begin(actor, one)

    def stop(self, actor: int) -> None:
        """End an actor."""
        one = self.actors.pop(actor)
        assert not one.calls, "an actor with calls is stopped"
        self.pending.pop(actor, None)
        if one.placed and not one.gone:
            self.used -= 1
            self._place()

    def notices(self, seconds: float) -> list[Notice]:
        """Let the clock go on until something comes in."""
        until = self.clock + seconds
        assert until < self.end, "no end in sight"
        while not self.out and self.events and self.events[0][0] <= until:
            self._advance(self.events[0][0])
        if not self.out:
            self.clock = until
        found = list(self.out)
        self.out.clear()
        return found

    # what happens

    def _later(self, at: float, kind: str, number: int, life: int) -> None:
        heapq.heappush(self.events, (at, len(self.events) + self.submitted, kind, number, life))

    def _advance(self, at: float) -> None:
        self.clock = at
        while self.events and self.events[0][0] <= at:
            _, _, kind, number, life = heapq.heappop(self.events)
            getattr(self, f"_{kind}")(number, life)

    def _node(self, processors: int, _: int) -> None:
        if processors > 0:
            self.alive += processors
            self.told_alive += processors
            self._place()
            return
        lost = min(-processors, self.alive)
        self.alive -= lost
        placed = sorted(number for number, one in self.actors.items() if one.placed and not one.gone)
        for number in self.random.sample(placed, min(lost, len(placed))) if placed else []:
            one = self.actors[number]
            one.gone = True
            self.used -= 1
            self._later(self.clock + DETECT_SECONDS, "detected", number, 0)
        self._later(self.clock + DETECT_SECONDS, "forgotten", lost, 0)

    def _forgotten(self, processors: int, _: int) -> None:
        self.told_alive -= processors

    def _detected(self, number: int, _: int) -> None:
        if number in self.actors:
            self._end(number, self.actors[number], innocent=True)

    def _notice(self, number: int, batch: int) -> None:
        one = self.actors.get(number)
        if one is not None and batch in one.calls:
            self._end(number, one, innocent=True)

    def _place(self) -> None:
        while self.pending and self.used < self.alive:
            number = next(iter(self.pending))
            del self.pending[number]
            self.used += 1
            self.actors[number].placed = True
            self._later(self.clock + START_SECONDS, "begun", number, 0)

    def _begun(self, number: int, _: int) -> None:
        one = self.actors.get(number)
        if one is None or one.gone:
            return
        if self.random.random() < self.faults.unborn:
            self._end(number, one)
        else:
            one.ready = True
            self.out.append(Ready(number))

    def _begin(self, number: int, one: SimulatedActor) -> None:
        one.life += 1
        kind = "died" if self._kills(one.calls[0]) else "finished"
        self._later(self.clock + self.seconds(self.random), kind, number, one.life)

    def _kills(self, batch: int) -> bool:
        return batch in self.faults.poison or (self.faults.death > 0 and self.random.random() < self.faults.death)

    def _finished(self, number: int, life: int) -> None:
        one = self.actors.get(number)
        if one is None or one.gone or one.life != life:
            return
        batch = one.calls.popleft()
        if self.done is not None:
            self.done[batch] = self.done.get(batch, 0) + 1
        swollen = self.faults.swollen > 0 and self.random.random() < self.faults.swollen
        self.out.append(Done(number, batch, batch, swollen))
        if one.calls:
            self._begin(number, one)

    def _died(self, number: int, life: int) -> None:
        one = self.actors.get(number)
        if one is not None and not one.gone and one.life == life:
            self._end(number, one)

    def _end(self, number: int, one: SimulatedActor, innocent: bool = False) -> None:
        """End an actor: a notice for each of its calls, in any order, as Ray gives them."""
        if not one.gone:
            self.used -= 1
        one.gone = True
        calls = list(one.calls)
        one.calls.clear()
        if not calls:
            if not one.ready:
                self.out.append(Died(number, None, "unborn", innocent))
            return  # of one that is idle nothing is heard until it gets a call
        self.random.shuffle(calls)
        self.out.extend(Died(number, batch, "gone", innocent) for batch in calls)
        self._place()
