"""Hold a cube for one run at a time: a lease that is renewed while the run lives, and runs out where it was killed.

Leases are numbered files, ``run/lease/000001.json``; the one with the highest number is in force. A run takes the next
number, in one step that only one process can win (a link; in an object store a conditional PUT), where none is in
force: given back, run out, or held by a process of this machine that is dead. So no run is locked out for good by one
that was killed, and two that find the same dead lease at once do not both follow it. Readers need no lease. On a
server that ignores the condition of a PUT two may begin at once; the one that was overwritten finds out at its next
`check_lease`, before it writes.
"""

from __future__ import annotations

import os
import socket
import threading
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from storage.errors import (
    CannotWriteError,
    CubeDamagedError,
    LeaseLostError,
    NotACubeError,
    StorageError,
    StoreInUseError,
)
from storage.files import (
    Place,
    StorePath,
    creating_file,
    json_bytes,
    lease_directory,
    list_files,
    put_file,
    put_new_file,
    read_json_or_none,
    remove_file,
    root_of,
)

LEASE_SECONDS = 120.0
CONTENT = {"token", "host", "machine", "pid", "since", "until"}
RENEWALS = 6  # within the time of one lease: a slow disk or a busy processor does not lose it


class Lease:
    """The right to write into a cube, renewed in the background; used as a context.

    Parameters
    ----------
    path : path
        The cube.
    seconds : float
        How long the lease lasts without being renewed.

    Attributes
    ----------
    token : str
        What tells this lease from any other, for `check_lease`.

    Raises
    ------
    StoreInUseError
        On entering, where another run holds the cube; the message says who, since when and until when.
    CannotWriteError
        On entering, where the cube cannot be written to.
    CubeDamagedError
        Where the file of a lease is none.
    """

    def __init__(self, path: StorePath, seconds: float = LEASE_SECONDS) -> None:
        self.root, self.seconds, self.token = root_of(path), seconds, uuid.uuid4().hex
        self.since = datetime.now(UTC)
        self._ended = threading.Event()
        self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)
        self.file: Place | None = None

    def __enter__(self) -> Self:
        try:
            self._take()
            self._renewing.start()
        except OSError as error:
            raise CannotWriteError(f"{self.root} cannot be written to: {error.strerror or error}") from error
        except (KeyboardInterrupt, SystemExit):  # a signal: the file may be there already
            self._ended.set()
            self._give_back()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._renewing.join()
        try:
            self._give_back()
        except (OSError, StorageError):
            if error is None:
                raise  # else the first fault counts; a lease that stays behind runs out

    def _give_back(self) -> None:
        directory = lease_directory(self.root)
        if self.file is not None and _in_force(self.root) == self.file and _is_held_by(self.file, self.token):
            for name in list_files(directory):  # those of before first: one that has run out says nothing
                if name <= self.file.name:  # not that of a run which took over in this moment
                    remove_file(directory / name)

    def check(self) -> None:
        """Make sure that the lease is still this run's; see `check_lease`."""
        check_lease(self.root, self.token)

    def _take(self) -> None:
        while True:
            last = _in_force(self.root)
            held = None if last is None else _held(last)
            if held is not None and _is_alive(held):
                raise StoreInUseError(_who(self.root, held))
            self.file = lease_directory(self.root) / f"{0 if last is None else int(last.stem) + 1:06d}.json"
            if put_new_file(self.root, self.file, json_bytes(self._content())):
                return

    def _renew(self) -> None:
        file = self.file
        while file is not None and not self._ended.wait(self.seconds / RENEWALS):
            try:
                if not ((self.root / "zarr.json").exists() or creating_file(self.root).exists()):
                    continue  # the whole store is away, a lost mount or a server that starts anew: it may come back
                if _in_force(self.root) != file or not _is_held_by(file, self.token):
                    return  # another run holds the cube: `check` says so where it matters
                put_file(self.root, file, json_bytes(self._content()))
            except (OSError, StorageError):
                continue  # a full disk, a shared one or a server may answer again; else the lease runs out, as it should

    def _content(self) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "token": self.token,
            "host": socket.gethostname(),
            "machine": _machine(),
            "pid": os.getpid(),
            "since": self.since.isoformat(timespec="seconds"),
            "until": (now + timedelta(seconds=self.seconds)).isoformat(timespec="milliseconds"),
        }


def check_lease(path: StorePath, token: str) -> None:
    """Make sure that the lease with this token is in force.

    Raises
    ------
    LeaseLostError
        Where another run has taken the cube over, since the lease was not renewed in time.
    NotACubeError
        Where the whole cube is gone, which says nothing of the lease.
    CubeDamagedError
        Where the file of a lease is none.
    """
    root = root_of(path)
    last = _in_force(root)
    if last is None and not (root / "zarr.json").is_file():
        raise NotACubeError(f"{root} is no longer there")
    if last is None or not _is_held_by(last, token):
        held = None if last is None else _held(last)
        now = "" if held is None else f"; now {_who(root, held)}"
        raise LeaseLostError(f"{root}: this run's lease was not renewed in time and is lost{now}")


def lease_holder(path: StorePath) -> dict[str, Any] | None:
    """Return who writes into a cube now, None where nobody does.

    ``run`` is the token of the lease, ``since`` and ``until`` are times in UTC, beside ``host`` and ``pid``.

    Raises
    ------
    CubeDamagedError
        Where the file of a lease is none.
    """
    last = _in_force(root_of(path))
    held = None if last is None else _held(last)
    if held is None or not _is_alive(held):
        return None
    return {"run": held["token"], **{name: held[name] for name in ("host", "pid", "since", "until")}}


def _in_force(root: Place) -> Place | None:
    names = list_files(lease_directory(root))
    return lease_directory(root) / names[-1] if names else None


def _is_held_by(file: Place, token: str) -> bool:
    held = _held(file)
    return held is not None and held["token"] == token


def _held(file: Place) -> dict[str, Any] | None:
    """What a lease says, None where there is none; CubeDamagedError where it is no lease."""
    held = read_json_or_none(file)
    if held is None:
        return None
    try:
        whole = set(held) >= CONTENT and datetime.fromisoformat(held["until"]).tzinfo is not None
    except (TypeError, ValueError):
        whole = False
    if not whole:
        raise CubeDamagedError(f"{file} is no lease: remove it, if nothing writes into the cube")
    return held


def _is_alive(held: Mapping[str, Any]) -> bool:
    if datetime.fromisoformat(held["until"]) <= datetime.now(UTC):
        return False
    if held["machine"] != _machine():
        return True
    try:
        os.kill(held["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # of another user, and alive
    return True


def _machine() -> str:
    """What tells whether process numbers of two leases are of the same machine, boot and container."""
    parts = [socket.gethostname()]
    boot, space = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    if boot.exists() and space.is_symlink():
        parts += [boot.read_text().strip(), os.readlink(space)]
    return " ".join(parts)


def _who(root: Place, held: Mapping[str, Any]) -> str:
    return (
        f"{root} is being written by another run: host {held['host']}, process {held['pid']}, since {held['since']}, "
        f"lease until {held['until']} and renewed while it lives. Wait for it to end; readers may go on"
    )
