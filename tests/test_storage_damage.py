"""Test that damage is told as such, by name, and that what merely changes under a reader is not taken for it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import storage
import storage.lease
import storage.reading
from storage import Layout
from sweep.run import run
from tests.growing_cases import begin, compare_with, extend, layout_of, write_missing
from tests.sweep_cases import plan_of, strict_json, wattbit, write_study


def written(path: Path) -> Path:
    begin(path, layout_of(5))
    write_missing(path)
    return path


@pytest.mark.parametrize("compacted", [False, True])
def test_missing_shard_of_what_is_committed_is_named(compacted: bool, tmp_path: Path) -> None:
    path = written(tmp_path / "a.zarr")
    if compacted:
        storage.compact(path, tmp_path / "b.zarr")
        path = tmp_path / "b.zarr"
    name = "cost/c.0.0" if compacted else "cost/c.1.0"
    (path / name).unlink()
    with pytest.raises(storage.CubeDamagedError, match=rf"a?b?\.zarr: committed, but missing: {name}; "):
        storage.open_cube(path)


def test_missing_shards_are_told_with_their_number_and_may_be_run_anew(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zarr")
    for shard in (path / "cost").glob("c.*"):
        shard.unlink()
    (path / "status" / "c.2.0").unlink()
    says = r"missing: status/c\.2\.0, cost/c\.0\.0, cost/c\.1\.0 and 1 more; restore them, or remove the commit records"
    with pytest.raises(storage.CubeDamagedError, match=says):
        storage.open_cube(path)
    for record in (path / "run" / "commits").iterdir():
        record.unlink()
    write_missing(path)
    compare_with(path, {(draw, 0) for draw in range(5)})


def test_shards_of_what_is_not_committed_may_be_missing(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zarr")
    extend(path, 8, ["added"])
    compare_with(path, {(draw, 0) for draw in range(5)})


@pytest.mark.parametrize("file", ["dc_demand/c.0", "weather_year/c.0", "configuration/c.0", "draw/c.0"])
def test_undecodable_table_or_label_is_damage_with_its_name(file: str, tmp_path: Path) -> None:
    path = written(tmp_path / "a.zarr")
    (path / file).write_bytes(b"not what was written")
    with pytest.raises(storage.CubeDamagedError, match=r"a\.zarr.*cannot be decoded"):
        storage.read_inputs(path).load()
    with pytest.raises(storage.CubeDamagedError, match="cannot be decoded"):
        storage.open_cube(path).load()


def test_commands_end_with_2_at_damage_and_verify_lists_it(tmp_path: Path) -> None:
    run(plan_of(write_study(tmp_path), draws=2), tmp_path / "x.zarr", serial=True)
    [shard] = (tmp_path / "x.zarr" / "regret_total").glob("c.*")
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-9])
    for line in (("report", "x.zarr"), ("query", "x.zarr", "regret_total")):
        refused = wattbit(tmp_path, *line)
        assert refused.exit_code == 2
        assert f"regret_total: {shard.name} cannot be decoded" in refused.stderr
    shard.unlink()
    for line in (("report", "x.zarr"), ("query", "x.zarr", "regret_total")):
        refused = wattbit(tmp_path, *line)
        assert (refused.exit_code, "committed, but missing: regret_total/c.0" in refused.stderr) == (2, True)
    shard.write_bytes(whole)
    (tmp_path / "x.zarr" / "dc_demand" / "c.0").write_bytes(b"x")
    found = wattbit(tmp_path, "verify", "x.zarr", "--json")
    assert found.exit_code == 1
    [fault] = strict_json(found.stdout)["faults"]
    assert "dc_demand: c.0 cannot be decoded" in fault


def test_extension_put_into_place_under_a_reader_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout_before = storage.reading.layout_of

    def grown_meanwhile(group: Any) -> Layout:
        layout = layout_before(group)
        if layout.draws == 5:
            extend(path, 8)
            write_missing(path)
        return layout

    for read in (storage.open_cube, storage.cube_progress):
        path = written(tmp_path / f"{read.__name__}.zarr")
        with monkeypatch.context() as patch:
            patch.setattr(storage.reading, "layout_of", grown_meanwhile)
            found = read(path)
        assert "draws" not in dir(found) or found.draws == 8
        compare_with(path, {(draw, 0) for draw in range(8)})


def test_lease_that_vanishes_between_listing_and_reading_is_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.zarr")
    in_force, gone = storage.lease._in_force, path / "run" / "lease" / "000007.json"
    monkeypatch.setattr(storage.lease, "_in_force", lambda root: in_force(root) or gone)
    with pytest.raises(storage.LeaseLostError, match=r"is lost$"):
        storage.check_lease(path, "token")
    with storage.Lease(path) as lease:
        lease.check()
        assert json.loads((gone.parent / "000008.json").read_text())["pid"] == os.getpid()


def test_folder_that_cannot_be_written_to_is_named_itself(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(storage.CannotWriteError) as caught:
        begin(tmp_path / "file" / "a.zarr", layout_of(2))
    assert str(caught.value) in {
        f"{tmp_path / 'file'} cannot be written to: {why}" for why in ("File exists", "Not a directory")
    }
