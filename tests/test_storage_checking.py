"""Test what is looked at before a run builds on a cube, what a kill left is cleared away, and where a cube can be made."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

import storage
import storage.checking
import storage.leftovers
from tests.growing_cases import begin, compare_with, extend, layout_of, write_missing

HOURS = 3600.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Draws in batches of two, the last of one draw."""
    begin(tmp_path / "a.zarr", layout_of(5))
    write_missing(tmp_path / "a.zarr")
    return tmp_path / "a.zarr"


@pytest.mark.parametrize("checked", [storage.checking.CHECKED, 0])
def test_missing_cut_and_changed_shards_are_named_with_what_to_do(
    checked: int, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.checking, "CHECKED", checked)  # 0: as in a cube too large to be read
    storage.check_committed(path)
    shard = path / "cost" / "c.1.0"
    good = shard.read_bytes()
    for content in (good[:-1], b"", None):
        shard.unlink()
        if content is not None:
            shard.write_bytes(content)
        with pytest.raises(
            storage.CubeDamagedError, match=r"a\.zarr: .*cost/c\.1\.0.*(?s:.*)remove .*commit"
        ) as caught:
            storage.check_committed(path)
        assert "run the study again" in str(caught.value)
        shard.write_bytes(good)
    (path / "run" / "seconds" / "c.0").unlink()
    with pytest.raises(storage.CubeDamagedError, match=r"missing: run/seconds/c\.0;"):
        storage.check_committed(path)


def test_changed_shard_of_the_same_size_is_found_where_it_counts(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flipped = bytearray((path / "cost" / "c.0.0").read_bytes())
    flipped[len(flipped) // 2] ^= 1
    (path / "cost" / "c.0.0").write_bytes(flipped)
    says = r"cost of batch 0 \(cost/c\.0\.0\) (cannot be decoded|is missing or not)(?s:.*)remove 000000\.json under "
    with pytest.raises(storage.CubeDamagedError, match=says):
        storage.check_committed(path)
    monkeypatch.setattr(storage.checking, "CHECKED", 0)
    storage.check_committed(path)  # too large to be read whole
    with pytest.raises(storage.CubeDamagedError, match=says):
        storage.check_committed(path, ["cost"])
    (path / "run" / "commits" / "000000.json").unlink()  # what the message says may be done
    storage.check_committed(path)
    write_missing(path)
    compare_with(path, {(draw, 0) for draw in range(5)})


def test_batch_that_is_to_be_completed_is_always_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.checking, "CHECKED", 0)
    extend(path, 8)
    good = (path / "cost" / "c.2.0").read_bytes()
    (path / "cost" / "c.2.0").write_bytes(bytes([*good[:-1], good[-1] ^ 1]))
    with pytest.raises(storage.CubeDamagedError, match=r"cost of batch 2 \(cost/c\.2\.0\)"):
        storage.check_committed(path)


def test_shard_written_anew_before_a_kill_and_records_of_before_are_no_damage(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.checking, "CHECKED", 0)
    record = path / "run" / "commits" / "000002.json"
    before = record.read_bytes()
    extend(path, 6)
    write_missing(path)
    assert json.loads(before)["bytes"].keys() == json.loads(record.read_bytes())["bytes"].keys()
    record.write_bytes(before)  # killed between the shards and their record
    storage.check_committed(path)
    without = json.loads(before)
    del without["bytes"]
    record.write_text(json.dumps(without))
    storage.check_committed(path)


def test_only_what_nobody_touched_for_long_is_removed(path: Path) -> None:
    beside = path.parent
    old = [
        path / "run" / "partial" / "000001.json.ab",
        path / "run" / "partial" / "extension.cd",
        beside / ".a.zarr.ef.partial",
    ]
    kept = [path / "run" / "partial" / "c.1.0.gh", beside / ".a.zarr.ij.partial", beside / ".ab.zarr.kl.partial"]
    for place in (*old, *kept):
        if "zarr." in place.name or "extension" in place.name:
            (place / "run").mkdir(parents=True)
            (place / "run" / "file").write_text("half")
        else:
            place.write_text("half")
    now = time.time()
    for place in (*old, kept[1], kept[2]):
        for each in (*place.rglob("*"), place):
            os.utime(each, (now - 2 * HOURS, now - 2 * HOURS))
    os.utime(kept[1] / "run" / "file")  # somebody writes deep inside
    storage.remove_leftovers(path, now)
    assert [place.exists() for place in (*old, *kept)] == [False] * 3 + [True] * 3
    compare_with(path, {(draw, 0) for draw in range(5)})
    storage.remove_leftovers("memory://a", now)


def test_making_a_cube_removes_what_was_left_of_it(tmp_path: Path) -> None:
    left = tmp_path / ".a.zarr.ab.partial"
    left.mkdir()
    os.utime(left, (0, 0))
    begin(tmp_path / "a.zarr", layout_of(3))
    assert [each.name for each in tmp_path.iterdir()] == ["a.zarr"]


def test_place_is_tried_and_nothing_is_left(tmp_path: Path) -> None:
    storage.check_place(tmp_path / "deep" / "a.zarr")
    storage.check_place(storage.root_of("memory://tried/a.zarr"))
    assert storage.files.sizes_below(storage.root_of("memory://tried")) == {}
    assert [*tmp_path.iterdir()] == []
    (tmp_path / "file").write_text("in the way")
    for place, folder in (
        (tmp_path / "file" / "a.zarr", tmp_path / "file"),
        (Path("/proc/nope/x.zarr"), Path("/proc")),
    ):
        with pytest.raises(storage.CannotWriteError, match=f"{place} cannot be made: {folder} cannot be written to"):
            storage.check_place(place)


def test_opening_a_compacted_cube_reads_as_many_files_however_many_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    for draws in (4, 16):
        path = begin(tmp_path / f"{draws}.zarr", layout_of(draws))
        write_missing(path)
        storage.compact(path, tmp_path / f"{draws}.compact.zarr")
        opened: list[str] = []
        with monkeypatch.context() as patch:
            list_files, read_bytes = storage.shards.list_files, Path.read_bytes
            patch.setattr(
                storage.shards, "list_files", lambda at, real=list_files, log=opened: log.append("list") or real(at)
            )
            patch.setattr(Path, "read_bytes", lambda at, real=read_bytes, log=opened: log.append("read") or real(at))
            storage.open_cube(tmp_path / f"{draws}.compact.zarr")
        read.append(sorted(opened))
    assert read[0] == read[1]
    assert read[0].count("list") == 3
