"""The run log: one JSON object a line for whatever happens to a run, for machines to read and people to search.

A line is handed to the system whole, in one call that appends: whatever kills a run cuts one line at most, and nothing
that was logged before is lost with the process. A run that goes on appends, and begins a line of its own.
"""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sweep.ending import DONE, REFUSAL, WITH_FAILURES, refusals
from sweep.entry import INTERRUPTED, TERMINATED
from sweep.errors import StudyError
from sweep.events import LEVELS, Event

LOG = logging.getLogger("wattbit.sweep")
OF_BATCH = ("batch", "draws", "seconds", "write_seconds", "host", "pid")
IF_ANY = ("failed", "set_aside", "store_faults")  # left out where there are none, as nearly always
OUTCOMES = {
    DONE: "finished",
    WITH_FAILURES: "finished with failures",
    REFUSAL: "refused",
    INTERRUPTED: "interrupted",
    TERMINATED: "terminated",
}


class RunLog:
    """A listener that writes the log of one run; nothing is written unless the run begins.

    Used as a context, which writes the last line: how the run ended.

    Parameters
    ----------
    path : path
        The file; appended to where it is there.

    Attributes
    ----------
    code : int
        The exit code, set by who knows it; an exception that ends the context counts more.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.code = path, WITH_FAILURES
        self.stopped = False
        self._file: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        code = self.code if kind is None else _code(kind)
        outcome = "stopped" if self.stopped or (kind is not None and code == WITH_FAILURES) else OUTCOMES[code]
        told = {} if error is None or not str(error) else {"error": f"{type(error).__name__}: {error}"}
        self._write("run_ended", {"outcome": outcome, "exit_code": code, **told})
        self._close()

    def heed(self, event: Event) -> None:
        """Write a line of an event."""
        if event.kind == "run_began":
            self._open()
        self.stopped = self.stopped or event.kind == "run_stopped"
        if self._file is None:
            return
        if event.kind == "batch_done":
            told = event.fields
            self._write(event.kind, {name: told[name] for name in (*OF_BATCH, *(key for key in IF_ANY if told[key]))})
        elif LEVELS[event.kind] >= logging.INFO:
            self._write(event.kind, event.fields)

    def _open(self) -> None:
        self._close()  # a study with [stop] begins once a stage
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
            size = os.fstat(self._file).st_size
            if size and os.pread(self._file, 1, size - 1) != b"\n":
                os.write(self._file, b"\n")  # the line that a killed run left is cut and stays so
        except OSError as fault:
            self._give_up(fault)

    def _write(self, kind: str, fields: dict[str, Any]) -> None:
        if self._file is None:
            return
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        rounded = {name: round(value, 3) if isinstance(value, float) else value for name, value in fields.items()}
        line = json.dumps({"time": time, "event": kind, **rounded}, ensure_ascii=False, allow_nan=False)
        try:
            os.write(self._file, f"{line}\n".encode())
        except OSError as fault:
            self._give_up(fault)

    def _give_up(self, fault: OSError) -> None:
        """Say once that the log ends here; a week of solving must not end for it."""
        LOG.error("the run log %s cannot be written, the run goes on without: %s", self.path, fault)
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def log_file(path: Path | None, page: Path) -> Path:
    """Where a run's log goes: to the path asked for, else beside its page, results/x.html -> results/x.log.jsonl.

    Raises
    ------
    StudyError
        No file can be there.
    """
    if path is None:
        return page.with_name(f"{page.name.removesuffix('.html')}.log.jsonl")
    if path.is_dir():
        raise StudyError(f"--log: found the folder {path}, expected a file")
    if not path.absolute().parent.is_dir():
        raise StudyError(f"--log: found {path}, expected a file in a folder that is there")
    return path


def _code(kind: type[BaseException]) -> int:
    if issubclass(kind, KeyboardInterrupt):
        return INTERRUPTED
    if issubclass(kind, SystemExit):
        return TERMINATED
    return REFUSAL if issubclass(kind, refusals()) else WITH_FAILURES
