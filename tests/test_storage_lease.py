"""Test that one run at a time holds a cube, and that a dead one locks nobody out."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import storage
from tests.growing_cases import begin, layout_of

SPAWN = multiprocessing.get_context("spawn")


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
    holder = SPAWN.Process(target=take_and_die, args=(path,))
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
