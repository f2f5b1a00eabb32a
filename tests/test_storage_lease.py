"""Test that one run at a time holds a cube, and that a dead one locks nobody out."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import storage
import storage.lease as lease_module
from tests.growing_cases import begin, layout_of
from tests.processes import FORKED


def take_and_die(path: Path) -> None:
    storage.Lease(path).__enter__()
    os.kill(os.getpid(), signal.SIGKILL)


def change(path: Path, **values: object) -> None:
    [file] = (path / "run" / "lease").iterdir()
    file.write_text(json.dumps({**json.loads(file.read_text()), **values}))


def test_second_holder_is_told_of_the_first(tmp_path: Path) -> None:
    path = begin(tmp_path / "a.zarr", layout_of(3))
    with storage.Lease(path) as lease:
        storage.check_lease(path, lease.token)
        says = f"host {socket.gethostname()}, process {os.getpid()}, since .*, lease until"
        with pytest.raises(storage.StoreInUseError, match=says) as caught, storage.Lease(path):
            pass
        assert caught.value.code == "store_in_use"
        assert storage.open_cube(path).sizes["draw"] == 3
        lease.check()
    assert [*(path / "run" / "lease").iterdir()] == []
    with storage.Lease(path):
        pass


def test_lease_of_a_killed_process_is_taken_over_at_once(tmp_path: Path) -> None:
    path = begin(tmp_path / "a.zarr", layout_of(3))
    holder = FORKED.Process(target=take_and_die, args=(path,))
    holder.start()
    holder.join()
    assert holder.exitcode == -signal.SIGKILL
    assert len([*(path / "run" / "lease").iterdir()]) == 1
    with storage.Lease(path):
        pass
    assert [*(path / "run" / "lease").iterdir()] == []


def test_lease_of_another_machine_holds_until_it_runs_out(tmp_path: Path) -> None:
    path = begin(tmp_path / "a.zarr", layout_of(3))
    first = storage.Lease(path)
    first.__enter__()
    change(path, machine="another", host="another", pid=1)
    with pytest.raises(storage.StoreInUseError, match="host another, process 1"), storage.Lease(path):
        pass
    change(path, until=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    with storage.Lease(path) as second:
        with pytest.raises(storage.LeaseLostError, match=r"was not renewed in time and is lost; now .* by another run"):
            first.check()
        first.__exit__(None, None, None)  # gives back nothing that is not its own
        second.check()


def test_lease_is_renewed_while_it_is_held(tmp_path: Path) -> None:
    path = begin(tmp_path / "a.zarr", layout_of(3))
    with storage.Lease(path, seconds=0.6) as lease:
        [file] = (path / "run" / "lease").iterdir()
        first = json.loads(file.read_text())["until"]
        while json.loads(file.read_text())["until"] == first:
            lease.check()
    assert not file.exists()


def test_a_fault_of_the_disk_at_the_end_does_not_hide_the_first_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> None:
        raise OSError(30, "Read-only file system")

    path = begin(tmp_path / "a.zarr", layout_of(3))
    monkeypatch.setattr("storage.lease.remove_file", refuse)
    with pytest.raises(RuntimeError, match="the first"), storage.Lease(path):
        raise RuntimeError("the first")
    change(path, until=(datetime.now(UTC) - timedelta(seconds=1)).isoformat())
    with pytest.raises(OSError, match="Read-only"), storage.Lease(path):
        pass


def test_one_fault_of_a_shared_disk_does_not_end_the_renewing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = begin(tmp_path / "a.zarr", layout_of(3))
    in_force, faults = lease_module._in_force, [OSError(116, "Stale file handle")]

    def once_stale(root: Path) -> Path | None:
        if threading.current_thread().name == "lease" and faults:
            raise faults.pop()
        return in_force(root)

    monkeypatch.setattr("storage.lease._in_force", once_stale)
    with storage.Lease(path, seconds=1.0) as lease:
        deadline = time.monotonic() + 60
        while faults and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not faults
        time.sleep(1.5)  # longer than the lease: it was renewed after the fault
        lease.check()
        with pytest.raises(storage.StoreInUseError), storage.Lease(path):
            pass


@pytest.mark.parametrize("content", ["{}", '{"until": 3}', None])
def test_a_file_that_is_no_lease_is_named(tmp_path: Path, content: str | None) -> None:
    path = begin(tmp_path / "a.zarr", layout_of(3))
    with storage.Lease(path) as lease:
        if content is None:
            change(path, until=datetime.now(UTC).replace(tzinfo=None).isoformat())
        else:
            Path(str(lease.file)).write_text(content)
        with pytest.raises(storage.CubeDamagedError, match=r"000000.json is no lease: remove it"):
            storage.lease_holder(path)
        Path(str(lease.file)).unlink()
