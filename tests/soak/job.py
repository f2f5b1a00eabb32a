"""`python -m tests.soak.job`: the README's job on a real head - token, submit, head killed, head again, same line again.

It needs what a cluster needs (`pip install -c constraints.txt -e '.[cluster]'`). Everything listens on the loopback.
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sweep.ray_cluster import HEAD_SETTINGS
from tests.cluster_cases import QUIET, ROOT
from tests.soak.nodes import adopt_orphans, descendants, send
from tests.sweep_cases import files_outside_run, write_study

DRAWS = 64
PATIENCE = 300.0
RAY = [sys.executable, "-m", "ray.scripts.scripts"]


class JobError(AssertionError):
    """Something did not go as the README says."""


def main() -> int:
    """Submit, kill, submit again; exit code 1 where the cube is not that of an undisturbed run."""
    adopt_orphans()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="job") as folder:
        try:
            _course(Path(folder))
        except JobError as wrong:
            print(wrong, file=sys.stderr)
            return 1
        finally:
            send(list(descendants(os.getpid())), signal.SIGKILL)
    print(
        f"a job was submitted with its token, lost its head and went on: {time.monotonic() - begun:.0f} s", flush=True
    )
    return 0


def _course(folder: Path) -> None:
    study = write_study(folder, ("draws = 5", f"draws = {DRAWS}"))
    token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    ours = {**os.environ, **HEAD_SETTINGS, **QUIET, **token, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-m", "sweep.entry", "run", str(study), "--workers", "1", "--store"]
    whole = subprocess.run([*line, str(folder / "whole.zarr"), "--serial"], cwd=folder, env=ours, check=False)
    _expect(whole.returncode == 0, "the undisturbed run failed")
    store = folder / "x.zarr"
    submit = [*line, str(store)]
    head, dashboard = _head(folder / "first", ours)
    stranger = _submit(dashboard, {**ours, "RAY_AUTH_TOKEN": secrets.token_hex(32)}, submit)
    _expect(stranger.wait(PATIENCE) != 0, "a stranger's token was taken")
    _expect(not store.exists(), "a stranger's job ran")
    first = _submit(dashboard, ours, submit)
    _until(lambda: any(store.glob("run/commits/*.json")), "no batch was committed")
    below = [pid for pid in descendants(os.getpid()) if pid not in (first.pid, head.pid)]
    send([head.pid, *below], signal.SIGKILL)
    head.wait()
    _until(lambda: not [pid for pid in below if not _is_gone(pid)], "what was killed is still there")
    _expect(first.wait(PATIENCE) != 0, "the job of a lost head ended well")
    committed = len([*store.glob("run/commits/*.json")])
    _expect(committed < DRAWS // 2, "the head was killed too late")
    _, dashboard = _head(folder / "second", ours)
    _expect(_submit(dashboard, ours, submit).wait(PATIENCE) == 0, "the same line again did not finish the cube")
    _expect(files_outside_run(store) == files_outside_run(folder / "whole.zarr"), "the cubes differ")


def _head(folder: Path, environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    """Start a head that stays in the foreground, on ports of its own; returns it and the dashboard's address."""
    port, dashboard = _free_port(), _free_port()
    line = f"start --head --block --node-ip-address 127.0.0.1 --port {port} --dashboard-port {dashboard} --num-cpus 1"
    more = f"--include-dashboard true --temp-dir {folder} --object-store-memory {80 * 2**20} --disable-usage-stats"
    head = subprocess.Popen(
        [*RAY, *line.split(), *more.split()], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _until(lambda: _listens(dashboard), "the head's dashboard did not come up: is ray[default] installed?")
    return head, f"http://127.0.0.1:{dashboard}"


def _submit(dashboard: str, environment: dict[str, str], line: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*RAY, "job", "submit", "--address", dashboard, "--", *line], env=environment)


def _is_gone(pid: int) -> bool:
    """Whether a killed process is no more; one that was adopted is a zombie until it is asked for, and counts as alive."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
    return not Path(f"/proc/{pid}").exists()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _until(happened: Callable[[], bool], otherwise: str) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        _expect(time.monotonic() < end, otherwise)
        time.sleep(0.1)


def _expect(well: bool, otherwise: str) -> None:
    if not well:
        raise JobError(otherwise)


if __name__ == "__main__":
    sys.exit(main())
