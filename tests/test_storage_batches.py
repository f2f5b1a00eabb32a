"""Test that batches go in whole, show only when committed, and leave the same bytes in whatever order."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import storage
import storage.files
from storage import Layout
from tests.test_storage_cube import batch_arrays, files_outside_run, make_cube, make_layout


def write(path: Path, layout: Layout, batch: int) -> dict[str, Any]:
    return storage.write_batch(path, batch, *batch_arrays(layout, batch), {"host": "a", "versions": {"zarr": "3"}})


def half_write(path: Path, layout: Layout, batch: int, monkeypatch: pytest.MonkeyPatch, files: int = 100) -> None:
    """Write so many of the files of a batch and stop before its commit record."""
    put, left = storage.files.put_file, itertools.count(files, -1)

    def put_some(root: Path, file: Path, content: bytes) -> None:
        if file.suffix == ".json" or next(left) == 0:
            raise KeyboardInterrupt
        put(root, file, content)

    with monkeypatch.context() as patch:
        patch.setattr(storage.files, "put_file", put_some)
        with pytest.raises(KeyboardInterrupt):
            write(path, layout, batch)


def test_batches_come_back_and_the_rest_is_not_there(tmp_path: Path) -> None:
    layout = make_layout()
    path = make_cube(tmp_path / "a.zarr", layout)
    for batch in (2, 0):
        write(path, layout, batch)
    opened = storage.open_cube(path)
    assert (opened.attrs["draws_total"], opened.attrs["draws_committed"]) == (7, 4)
    first, last = batch_arrays(layout, 0)[0], batch_arrays(layout, 2)[0]
    for variable in layout.variables:
        values = opened[variable.name]
        assert values.dtype == np.dtype(variable.dtype)
        assert values.attrs == variable.attrs
        assert values.chunks is not None
        assert values.chunks[0] == (3, 3, 1)
        np.testing.assert_array_equal(values[:3], first[variable.name])
        np.testing.assert_array_equal(values[3:6], np.full(layout.shape(variable, 3), variable.fill))
        np.testing.assert_array_equal(values[6:], last[variable.name])
    assert opened.chunks["draw"] == (3, 3, 1)
    assert opened["weather_year"].sel(draw=1) == "fy2019"
    assert opened["total_cost"].where(opened["replicate"] == 0).sel(configuration="today").isnull().sum() == 4
    cheapest = [layout.coords["configuration"][index] for index in first["total_cost"].argmin(axis=1)]
    assert opened["total_cost"].idxmin("configuration").values.tolist()[:3] == cheapest
    write(path, layout, 1)
    opened = storage.open_cube(path).load()
    xr.testing.assert_identical(opened.assign_attrs(), xr.open_zarr(path).load().assign_attrs(opened.attrs))
    assert xr.open_zarr(path, group="run")["attempts"].values.tolist() == [1] * 7


def test_half_written_batch_is_masked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = make_layout()
    path = make_cube(tmp_path / "a.zarr", layout)
    write(path, layout, 0)
    half_write(path, layout, 1, monkeypatch)
    assert (xr.open_zarr(path)["status"][3:6] == 2).all()
    opened = storage.open_cube(path)
    assert (opened["status"][3:] == 0).all()
    assert (opened["iterations"][3:] == 0).all()
    assert opened["generation"][3:].isnull().all()
    assert storage.cube_progress(path).missing_batches == (1, 2)
    write(path, layout, 1)
    np.testing.assert_array_equal(storage.open_cube(path)["status"][3:6], batch_arrays(layout, 1)[0]["status"])


@pytest.mark.parametrize("files", range(7))
def test_status_comes_last_and_a_rewrite_mends_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int) -> None:
    layout = make_layout()
    path, whole = make_cube(tmp_path / "a.zarr", layout), make_cube(tmp_path / "b.zarr", layout)
    half_write(path, layout, 2, monkeypatch, files)
    assert (xr.open_zarr(path)["status"][6:] == 0).all() == (files < 6)
    for batch in range(3):
        write(path, layout, batch)
        write(whole, layout, batch)
    assert files_outside_run(path) == files_outside_run(whole)


def test_commit_record_and_progress(tmp_path: Path) -> None:
    layout = make_layout()
    path = make_cube(tmp_path / "a.zarr", layout)
    record = write(path, layout, 1)
    assert record["draws"] == [3, 6]
    assert record["status"] == {"infeasible": 6}
    assert record["written_by"] == {"host": "a", "versions": {"zarr": "3"}}
    assert [*record["sha256"]] == ["generation", "iterations", "status", "total_cost"]
    # sha256 of six int8 cells of value 2, reckoned apart (printf '\2\2\2\2\2\2' | sha256sum)
    assert record["sha256"]["status"] == "2ebd9a4e488b471cd70a25aeccb2db50aabda73c92ce8ee0e215cd89320f6b9a"
    assert storage.committed_batches(path) == {1: record}
    assert json.loads((path / "run" / "commits" / "000001.json").read_text()) == record
    progress = storage.cube_progress(path)
    assert progress == storage.CubeProgress(7, 3, {"not_run": 8, "optimal": 0, "infeasible": 6}, (0, 2))
    assert [*(path / "run" / "partial").iterdir()] == []


def test_committed_batch_is_refused(tmp_path: Path) -> None:
    layout = make_layout()
    path = make_cube(tmp_path / "a.zarr", layout)
    write(path, layout, 2)
    before = files_outside_run(path)
    with pytest.raises(storage.AlreadyCommittedError, match=r"batch 2 of .* is committed: .*000002\.json") as caught:
        write(path, layout, 2)
    assert caught.value.code == "already_committed"
    assert files_outside_run(path) == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("total_cost"), "'total_cost' is missing"),
        (lambda arrays: arrays.update(total_costs=arrays["total_cost"]), r"'total_costs' is no .*mean 'total_cost'\?"),
        (lambda arrays: arrays.update(total_cost=arrays["total_cost"][:2]), r"shape \(2, 2\), expected \(3, 2\)"),
        (lambda arrays: arrays.update(total_cost=arrays["total_cost"].T), r"shape \(2, 3\), expected \(3, 2\)"),
        (lambda arrays: arrays.update(total_cost=arrays["total_cost"].astype("f4")), "dtype float32, expected float64"),
        (lambda arrays: arrays.update(status=arrays["status"] + np.int8(5)), "'status' holds [67], expected one of"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, change: Any, message: str) -> None:
    layout = make_layout()
    path = make_cube(tmp_path / "a.zarr", layout)
    before = files_outside_run(path)
    arrays, run = batch_arrays(layout, 0)
    change(arrays)
    with pytest.raises(storage.BatchError, match=message):
        storage.write_batch(path, 0, arrays, run, {})
    assert files_outside_run(path) == before


def test_misaligned_batches_are_refused(tmp_path: Path) -> None:
    layout = make_layout()
    path = make_cube(tmp_path / "a.zarr", layout)
    arrays, run = batch_arrays(layout, 0)
    with pytest.raises(storage.BatchError, match=r"batch 3: expected 0 to 2 \(7 draws by 3\)"):
        storage.write_batch(path, 3, arrays, run, {})
    with pytest.raises(storage.BatchError, match=r"shape \(3, 2\), expected \(1, 2\)"):
        storage.write_batch(path, 2, arrays, run, {})
    with pytest.raises(storage.BatchError, match="'seconds' is missing"):
        storage.write_batch(path, 0, arrays, {}, {})
    with pytest.raises(storage.BatchError, match=r"the record: .* cannot be written as JSON"):
        storage.write_batch(path, 0, arrays, run, {"host": object()})
    attributes = json.loads((path / "zarr.json").read_text())
    attributes["attributes"]["wattbit_batch"] = 4
    (path / "zarr.json").write_text(json.dumps(attributes))
    with pytest.raises(storage.CubeDamagedError, match="shards of 3 draws, expected batches of 4"):
        storage.write_batch(path, 0, arrays, run, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"batch": 1, "dra', "cannot be read as JSON"),
        ("", "cannot be read as JSON"),
        ("[]", "holds list"),
        ('{"batch": 2, "draws": [6, 7], "status": {}}', "batch 2, expected the number"),
        ('{"batch": 1, "draws": [3, 7], "status": {}}', r"draws \[3, 7\], expected \[3, 6\]"),
        ('{"batch": 1, "draws": [3, 6], "status": {"fine": 6}}', "status {'fine': 6}, expected counts by"),
    ],
)
def test_damaged_record_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = make_cube(tmp_path / "a.zarr", make_layout())
    (path / "run" / "commits" / "000001.json").write_text(text)
    for read in (storage.committed_batches, storage.cube_progress, storage.open_cube):
        with pytest.raises(storage.CubeDamagedError, match=rf"000001\.json.*{message}") as caught:
            read(path)
        assert caught.value.code == "cube_damaged"


def test_damaged_shard_is_found_when_read(tmp_path: Path) -> None:
    layout = make_layout(draws=3, batch=3)
    path = make_cube(tmp_path / "a.zarr", layout)
    write(path, layout, 0)
    shard = path / "total_cost" / "c.0.0"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(bytes(content))
    with pytest.raises(storage.CubeDamagedError, match=r"total_cost: c\.0\.0 cannot be decoded: .*checksum"):
        storage.open_cube(path)["total_cost"].load()


def test_bytes_do_not_depend_on_the_order_of_batches(tmp_path: Path) -> None:
    layout = make_layout()
    stores = []
    for number, order in enumerate(itertools.permutations(range(3))):
        path = make_cube(tmp_path / f"{number}.zarr", layout)
        for batch in order:
            write(path, layout, batch)
        stores.append(files_outside_run(path))
    assert all(store == stores[0] for store in stores)
    # Every batch has its file in every variable, even where all of it is missing: a lost file cannot look like NaN.
    assert {f"total_cost/c.{batch}.0" for batch in range(3)} < {*stores[0]}
