"""What happens to a run besides its results: one small record an event, told to the log and to whoever listens.

Everything goes through :func:`emit`: a log in another form or a counter is one more listener.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

ASIDE = "set_aside"  # what notes on draws that were set aside are called below the run/ of a store
LOG = logging.getLogger("wattbit.sweep")
LEVELS = {
    "run_began": logging.INFO,
    "run_stopped": logging.INFO,  # the command says so itself
    "batch_done": logging.DEBUG,
    "worker_died": logging.WARNING,
    "batch_requeued": logging.INFO,
    "batch_left": logging.ERROR,
    "draw_set_aside": logging.WARNING,
    "set_aside_retried": logging.INFO,
    "processors_gained": logging.INFO,
    "processors_lost": logging.WARNING,
    "no_worker_yet": logging.WARNING,
    "worker_recycled": logging.INFO,
    "store_retried": logging.WARNING,
    "pool": logging.DEBUG,
}


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes
    ----------
    kind : str
        One of ``LEVELS``.
    fields : dict
        What is told of it, as JSON can hold it.
    """

    kind: str
    fields: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        told = ", ".join(f"{name} {value}" for name, value in self.fields.items())
        return f"{self.kind.replace('_', ' ')}: {told}"


Listener = Callable[[Event], None]
_listeners: list[Listener] = []


def emit(kind: str, **fields: Any) -> None:
    """Tell an event to the log and to all listeners."""
    event = Event(kind, fields)
    LOG.log(LEVELS[kind], "%s", event)
    for listener in _listeners:
        listener(event)


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Hand every event to ``listener`` within the context."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
