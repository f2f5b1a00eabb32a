"""Test that a disk that fails in the middle of a run ends it with exit code 1, and loses nothing that is finished."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

import storage.files
from storage import cube_progress
from sweep.run import run
from tests.sweep_cases import files_outside_run, plan_of, wattbit, write_study


def test_full_disk_in_mid_run_keeps_what_is_finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = write_study(tmp_path)
    put = storage.files.put_file

    def full(root: Path, file: Path, content: bytes) -> None:
        if file.name.startswith("c.1."):
            raise OSError(errno.ENOSPC, "No space left on device", str(file))
        put(root, file, content)

    line = ("run", "study.toml", "--serial", "--store", "x.zarr")
    with monkeypatch.context() as patch:
        patch.setattr(storage.files, "put_file", full)
        stopped = wattbit(tmp_path, *line)
    assert (stopped.exit_code, stopped.stdout) == (1, "")
    assert "wattbit: stopped: [Errno 28] No space left on device" in stopped.stderr
    assert "finished batches are kept" in stopped.stderr
    assert cube_progress(tmp_path / "x.zarr").missing_batches == (1, 2)
    assert wattbit(tmp_path, *line).exit_code == 0
    run(plan_of(study), tmp_path / "once.zarr", serial=True)
    assert files_outside_run(tmp_path / "x.zarr") == files_outside_run(tmp_path / "once.zarr")
