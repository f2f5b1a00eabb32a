"""What the scheduler asks of a cluster, and what a cluster tells of its actors and their batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Ready:
    """An actor has started and waits for batches."""

    actor: int


@dataclass(frozen=True)
class Done:
    """A batch is done; ``swollen``: its actor holds much more memory than when it began."""

    actor: int
    batch: int
    result: Any
    swollen: bool = False


@dataclass(frozen=True)
class Died:
    """An actor is gone, told once for each of its calls; ``batch`` None: it was gone before it was ready.

    ``innocent``: its node or network is gone, as far as is known; nothing that it did.
    """

    actor: int
    batch: int | None
    cause: str
    innocent: bool = False


@dataclass(frozen=True)
class Failed:
    """A call or a start ended with an exception, which ends the run."""

    actor: int
    error: BaseException


Notice = Ready | Done | Died | Failed


class Cluster(Protocol):
    """What the scheduler needs of a cluster. Actors are numbers; none of the calls but ``notices`` waits."""

    def now(self) -> float:
        """Seconds of a clock that never goes back."""

    def processors(self) -> int:
        """Processors of the nodes that are alive."""

    def start(self) -> int:
        """Ask for an actor; it tells `Ready` once it runs, or `Died`, maybe after long."""

    def submit(self, actor: int, batch: int, deaths: int) -> None:
        """Hand a batch to an actor: one notice will come of it."""

    def stop(self, actor: int) -> None:
        """End an actor or take back that it was asked for; nothing more is heard of it."""

    def notices(self, seconds: float) -> list[Notice]:
        """What has come in, in any order; waits for the first at most so long."""
