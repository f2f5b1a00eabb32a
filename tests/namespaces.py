"""Start Ray nodes that share nothing but a disk: each in a network namespace of its own, joined by a bridge, links to cut.

It takes root and the command ``ip`` (iproute2) to make namespaces. Addresses lie in a network that exists within them
alone.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from sweep.ray_cluster import HEAD_SETTINGS

REPOSITORY = Path(__file__).parents[1]
NETWORK = "10.77.0"
STARTED = "Ray runtime started."
PATIENCE = 120.0  # seconds for a node to start, or to end


def can_make_namespaces() -> bool:
    """Whether this process may make network namespaces here."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    return subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode == 0


class Machines:
    """A head without processors and some nodes of one processor each; used as a context, at whose end all is gone."""

    def __init__(self, folder: Path, nodes: int) -> None:
        self.folder, self.name = folder, f"wattbit{os.getpid()}"
        self.spaces = [f"{self.name}n{number}" for number in range(nodes + 1)]  # the first is the head's
        self.of_ray = tempfile.TemporaryDirectory(
            prefix="ray", ignore_cleanup_errors=True
        )  # names of sockets are short
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            **os.environ,
            **HEAD_SETTINGS,
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": os.urandom(32).hex(),
            "PYTHONPATH": str(REPOSITORY),
        }

    @property
    def address(self) -> str:
        """Where the head answers, from inside."""
        return f"{NETWORK}.1:6379"

    def __enter__(self) -> Self:
        try:
            self._join()
            common = ["--block", "--object-store-memory=100000000"]
            head = [
                "--head",
                "--port=6379",
                "--num-cpus=0",
                "--include-dashboard=false",
                f"--temp-dir={self.of_ray.name}",
            ]
            self._start_node(0, [*common, *head])
            for number in range(1, len(self.spaces)):
                self._start_node(number, [*common, f"--address={self.address}", "--num-cpus=1"])
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def start(self, number: int, command: Sequence[str], log: str) -> subprocess.Popen[bytes]:
        """Start a command in a node's namespace, in ``folder``; what it says goes into the file ``log``."""
        with (self.folder / log).open("wb") as stream:
            process = subprocess.Popen(
                ["ip", "netns", "exec", self.spaces[number], *command],
                stdout=stream,
                stderr=stream,
                env=self.environment,
                cwd=self.folder,
                start_new_session=True,
            )
        self.processes.append(process)
        return process

    def cut(self, number: int) -> None:
        """Cut the link of a node; its processes go on."""
        _ip("-n", self.spaces[0], "link", "set", f"v{number}", "down")

    def _join(self) -> None:
        head = self.spaces[0]
        for space in self.spaces:
            _ip("netns", "add", space)
            _ip("-n", space, "link", "set", "lo", "up")
        _ip("-n", head, "link", "add", "bridge", "type", "bridge")
        _ip("-n", head, "addr", "add", f"{NETWORK}.1/24", "dev", "bridge")
        _ip("-n", head, "link", "set", "bridge", "up")
        for number, space in enumerate(self.spaces[1:], start=1):
            end = ["type", "veth", "peer", "name", "eth0", "netns", space]
            _ip("link", "add", f"v{number}", "netns", head, *end)
            _ip("-n", head, "link", "set", f"v{number}", "master", "bridge", "up")
            _ip("-n", space, "addr", "add", f"{NETWORK}.{number + 1}/24", "dev", "eth0")
            _ip("-n", space, "link", "set", "eth0", "up")

    def _start_node(self, number: int, options: Sequence[str]) -> None:
        ray, log = str(Path(sys.executable).with_name("ray")), f"node{number}.log"
        process = self.start(number, [ray, "start", f"--node-ip-address={NETWORK}.{number + 1}", *options], log)
        until = time.monotonic() + PATIENCE
        while STARTED not in (self.folder / log).read_text():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"node {number} did not start: {(self.folder / log).read_text()}")
            time.sleep(0.2)

    def _end(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for space in self.spaces:
            for pid in self._inside(space):  # a cut node does not end by itself at once
                _kill(pid)
            subprocess.run(["ip", "netns", "del", space], capture_output=True, check=False)
        for process in self.processes:
            process.wait(PATIENCE)
        self.of_ray.cleanup()

    @staticmethod
    def _inside(space: str) -> list[int]:
        found = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True, check=False)
        return [int(pid) for pid in found.stdout.split()]


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended by itself


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
