"""One run as a process of its own, and the faults that a soak makes: one function for each kind.

A fault is a function of (run, random) that does its harm and says whether it found something to harm. To add a kind,
write such a function and name it in ``SERIAL`` or ``ON_RAY``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.soak.logged import LOG

ROOT = Path(__file__).parents[2]
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 600.0  # beside others, on two cores, starting Ray has taken minutes


class Run:
    """`wattbit run` with the given arguments in a session of its own, which all of its processes belong to."""

    def __init__(self, folder: Path, log: Path, arguments: list[str]) -> None:
        self.log, self.said = log, folder / "stderr.txt"
        self.offset = log.stat().st_size if log.exists() else 0
        environment = {
            **os.environ,
            LOG: str(log),
            "PYTHONPATH": str(ROOT),
            "WATTBIT_CACHE": os.environ.get("WATTBIT_CACHE", str(folder / "cache")),
            "RAY_TMPDIR": str(folder),
        }
        command = [sys.executable, "-c", "from tests.soak.logged import main; main()", "run", *arguments]
        with self.said.open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                start_new_session=True,
            )
        self.started = time.time()

    def first(self, event: str) -> float | None:
        """When this run noted an event first; None where it has not."""
        lines = self.log.read_bytes()[self.offset :].splitlines() if self.log.exists() else []
        times = (note["time"] for note in map(json.loads, lines) if note["event"] == event)
        return next(times, None)

    def wait_for(self, event: str) -> None:
        """Wait until this run has noted an event, or has ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.first(event) is None and self.process.poll() is None:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no {event!r} after {PATIENCE_SECONDS:.0f} s: {self.stderr()}")
            time.sleep(POLL_SECONDS)

    def wait(self, seconds: float = PATIENCE_SECONDS) -> int | None:
        """Exit code of the driver, None where it runs longer than so many seconds."""
        try:
            return self.process.wait(max(seconds, 0.0))
        except subprocess.TimeoutExpired:
            return None

    def stderr(self) -> str:
        """What the run said so far."""
        return self.said.read_text(errors="replace")

    def members(self) -> dict[int, str]:
        """Live processes of this run, number and name: driver, Ray and workers."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                stat = (folder / "stat").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
            name, fields = stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2 :].split()
            if int(fields[3]) == self.process.pid and fields[0] not in "ZX":
                found[int(folder.name)] = name
        return found


Fault = Callable[[Run, Random], bool]


def kill_driver(run: Run, random: Random) -> bool:
    """Kill the process that the user started; what it started itself has to find out."""
    if run.process.poll() is None:
        run.process.kill()
        run.process.wait()
    return run.process.returncode == -signal.SIGKILL


def kill_worker(run: Run, random: Random) -> bool:
    """Kill one of Ray's workers, once there is one; the run goes on."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while run.process.poll() is None and time.monotonic() < deadline:
        workers = sorted(pid for pid, name in run.members().items() if name.startswith("ray::_Worker"))
        if workers:
            return _kill(random.choice(workers))
        time.sleep(POLL_SECONDS)
    return False


def kill_everything(run: Run, random: Random) -> bool:
    """Kill all processes of the run in an order of chance, as a machine does that loses its power."""
    alive = run.process.poll() is None
    while members := sorted(run.members()):
        random.shuffle(members)
        for end in (signal.SIGSTOP, signal.SIGKILL):  # stopped first: none sees another die, and ends by itself
            for pid in members:
                _kill(pid, end)
        run.process.wait()
    run.process.wait()
    return alive and run.process.returncode == -signal.SIGKILL


def _kill(pid: int, end: signal.Signals = signal.SIGKILL) -> bool:
    try:
        os.kill(pid, end)
    except ProcessLookupError:
        return False
    return True


SERIAL: dict[str, Fault] = {"driver": kill_driver}
ON_RAY: dict[str, Fault] = {"driver": kill_driver, "worker": kill_worker, "everything": kill_everything}
