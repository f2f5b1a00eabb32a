"""How a command ends: its exit codes, and what a refusal, an interruption and a termination say."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from types import FrameType
from typing import Any

import click

from sweep.entry import INTERRUPTED, TERMINATED
from sweep.errors import StudyError

DONE, WITH_FAILURES, REFUSAL = 0, 1, 2
OF_PACKAGES = {
    "model.errors": ("InputError", "TemplateError"),
    "report.outcomes": ("CubeContentError",),
    "sampling.errors": ("SamplingError",),
    "storage.errors": ("StorageError",),
}
INTERRUPTED_RUN = "; finished batches are kept, the same line again goes on from there"


def refusals() -> tuple[type[BaseException], ...]:
    """Faults that a user can mend: those of packages that are imported, as the others, slow to import, raise none."""
    loaded = [(sys.modules[module], names) for module, names in OF_PACKAGES.items() if module in sys.modules]
    return StudyError, OSError, *(getattr(module, name) for module, names in loaded for name in names)


def refusing(command: Callable[..., int]) -> Callable[..., None]:
    """Turn what a user can mend into one message and exit code 2, an interruption into 130, a termination into 143."""

    @wraps(command)
    def guarded(*arguments: Any, **options: Any) -> None:
        kept = INTERRUPTED_RUN if command.__name__ == "run" else ""
        try:
            with heeding_signals():
                code = command(*arguments, **options)
        except BrokenPipeError:
            raise  # click ends quietly where the reader of a pipe has gone
        except KeyboardInterrupt:
            click.echo(f"wattbit: interrupted{kept}", err=True)
            code = INTERRUPTED
        except SystemExit:  # raised by nothing but a SIGTERM: here, or by Ray with a code of its own
            click.echo(f"wattbit: terminated{kept}", err=True)
            sys.stdout.flush()
            os._exit(TERMINATED)  # Ray's threads, if stopped in a call, may abort an orderly end of the interpreter
        except refusals() as fault:
            click.echo(f"wattbit: {fault}", err=True)
            code = REFUSAL
        sys.exit(code)

    return guarded


@contextmanager
def heeding_signals() -> Iterator[None]:
    """Within, Ctrl-C and SIGTERM raise, so that a lease is given back; once Ray is connected, it leaves in its own way."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(number)

    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set what a signal does
        return
    raising = {signal.SIGTERM: leave, signal.SIGINT: signal.default_int_handler}
    before = {number: signal.getsignal(number) for number in raising}
    for number, raises in raising.items():
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, raises)
    try:
        yield
    finally:
        for number, former in before.items():
            signal.signal(number, former or signal.SIG_DFL)
