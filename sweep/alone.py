"""Calls a function in a process of its own, so that a crash of it or an endless loop harms nobody and is told exactly.

``python -m sweep.alone`` is the other side: it reads the call, pickled, and writes the answer to a file. It takes some
two seconds to start, so that only what has killed its worker before is done so.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import cloudpickle

STARTING_SECONDS = 60.0  # beside the limit of the call itself


class CrashedError(RuntimeError):
    """The process ended without an answer; the message says by which signal or exit code, or that it took too long.

    Attributes
    ----------
    watchdog : bool
        It took too long.
    """

    def __init__(self, message: str, watchdog: bool = False) -> None:
        super().__init__(message)
        self.watchdog = watchdog


def call_alone(function: Callable[..., Any], *arguments: Any, seconds: float | None = None) -> Any:
    """Return ``function(*arguments)``, computed in a process of its own that is killed after so many seconds.

    Raises
    ------
    CrashedError
        It ended without an answer.
    Exception
        Whatever the function raised.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer"
        path = os.pathsep.join(part or os.getcwd() for part in sys.path)
        process = subprocess.Popen(
            [sys.executable, "-m", "sweep.alone", str(answer)],
            stdin=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert process.stdin is not None
        try:
            with suppress(BrokenPipeError):  # it died while it started: its exit code tells more
                cloudpickle.dump((function, arguments), process.stdin)
                process.stdin.flush()
            code = process.wait(None if seconds is None else seconds + STARTING_SECONDS)
        except subprocess.TimeoutExpired as late:
            raise CrashedError(f"watchdog: no end after {seconds:g} s", watchdog=True) from late
        finally:
            process.kill()
            process.wait()
            with suppress(BrokenPipeError):
                process.stdin.close()
        if not answer.exists():
            raise CrashedError(f"died with signal {_name(-code)}" if code < 0 else f"ended with exit code {code}")
        value, error = pickle.loads(answer.read_bytes())
    if error is not None:
        raise error
    return value


def _name(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)


def _end_with_parent() -> None:
    os.read(sys.stdin.fileno(), 1)  # nothing more comes; the end comes when whoever asked is gone
    os._exit(1)


def _main(answer: Path) -> None:
    function, arguments = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        content = pickle.dumps((function(*arguments), None))
    except Exception as error:  # handed over, and raised where the call was made
        content = pickle.dumps((None, error))
    partial = answer.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(answer)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
