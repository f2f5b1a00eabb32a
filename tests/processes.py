"""What Linux tells of a process and its children: who they are, whether they live, where they listen."""

from __future__ import annotations

import multiprocessing
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATIENCE = 120.0
LISTENING = "0A"
FORKED = multiprocessing.get_context("forkserver")
"""Real processes that need not import everything anew: forked from one that has no threads and only did that."""
FORKED.set_forkserver_preload(["hypothesis.stateful", "pytest", "tests.growing_cases", "xarray", "zarr"])
Process = tuple[int, str]  # number, and when it started: numbers are used again


def start_wattbit(folder: Path, *line: str, **environment: str) -> subprocess.Popen[str]:
    """Start the command line as a process of its own, that Ctrl-C reaches even where tests run in the background."""
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # a background job ignores it
    code = f"{heed}; from sweep.entry import main; main()"
    everything = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.Popen([sys.executable, "-c", code, *line], cwd=folder, env=everything, stderr=-1, text=True)


def wait_for(what: Callable[[], bool], says: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, says
        time.sleep(0.05)


def family(pid: int) -> set[Process]:
    """A process and all below it."""
    found: set[Process] = set()
    with suppress(FileNotFoundError, ProcessLookupError):  # it may end at any moment
        found.add((pid, _started(pid)))
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                found |= family(int(child))
    return found


def is_alive(process: Process) -> bool:
    pid, started = process
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" and _started(pid) == started
    except (FileNotFoundError, ProcessLookupError):
        return False


def _started(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]


def listens(processes: set[Process]) -> dict[str, str]:
    """Addresses (IP and port) on which any of the processes takes connections, with its command line."""
    sockets = {}
    for pid, _ in processes:
        with suppress(FileNotFoundError, ProcessLookupError):
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(FileNotFoundError):
                    name = os.readlink(link)
                    if name.startswith("socket:["):
                        sockets[name[8:-1]] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")[:100]
    found = {}
    for table in ("tcp", "tcp6"):
        for row in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *rest = row.split()
            inode = rest[5]
            if state == LISTENING and inode in sockets:
                address, _, port = local.partition(":")
                found[f"{_address(address)} {int(port, 16)}"] = sockets[inode]
    return found


def _address(text: str) -> str:
    """An address as /proc/net writes it: words of 32 bits, each in the order of bytes of the machine."""
    words = [int(text[at : at + 8], 16).to_bytes(4, sys.byteorder) for at in range(0, len(text), 8)]
    return socket.inet_ntop(socket.AF_INET if len(words) == 1 else socket.AF_INET6, b"".join(words))
