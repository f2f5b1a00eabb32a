"""Test that a compacted cube holds the same bits, tells the same, and never costs the original anything."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import zarr

import storage
import storage.compacted
from storage import Layout
from storage.compacted import piece_of
from tests import growing_cases
from tests.sweep_cases import files
from tests.test_storage_cube import batch_arrays, make_cube, make_layout

NAN_WITH_SIGN = np.array([0xFFF8000000000001], dtype=np.uint64).view(np.float64)[0]


def make_partial(path: Path, layout: Layout, batches: tuple[int, ...]) -> Path:
    """Make a cube with some batches committed, and NaN of another bit pattern in one of its cells."""
    make_cube(path, layout)
    for batch in batches:
        arrays, run = batch_arrays(layout, batch)
        arrays["total_cost"][0, 0] = NAN_WITH_SIGN
        storage.write_batch(path, batch, arrays, run, {"host": f"h{batch}"})
    return path


@pytest.mark.parametrize("batches", [(0, 1, 2), (2,), ()])
@pytest.mark.parametrize("block", [storage.compacted.BLOCK, 4])
def test_same_bits_same_progress_and_the_original_is_left_alone(
    tmp_path: Path, batches: tuple[int, ...], block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage.compacted, "BLOCK", block)
    monkeypatch.setattr(storage.compacted, "PIECE_BYTES", 1)
    path, out, layout = tmp_path / "a.zarr", tmp_path / "deep" / "b.zarr", make_layout()
    before = files(make_partial(path, layout, batches))
    done = storage.compact(path, out)
    assert files(path) == before
    assert (done.draws, done.files_before, done.files_after) == (7, len(before), len(files(out)))
    assert (done.bytes_before, done.bytes_after) == tuple(sum(map(len, files(each).values())) for each in (path, out))
    assert [each.name for each in (tmp_path / "deep").iterdir()] == ["b.zarr"]
    old, new, plain = storage.open_cube(path), storage.open_cube(out), xr.open_zarr(out)
    assert {*new.variables} == {*old.variables}
    for name, expected in old.variables.items():
        assert new[name].dtype == expected.dtype
        assert (new[name].dims, new[name].attrs) == (expected.dims, expected.attrs)
        if expected.dtype.kind != "O":
            assert new[name].values.tobytes() == plain[name].values.tobytes() == expected.values.tobytes()
        else:
            assert new[name].values.tolist() == expected.values.tolist()
    assert new["generation"].chunks is not None
    assert new.attrs["compacted"] == 1
    assert "compacted" not in old.attrs
    assert new.attrs["draws_committed"] == old.attrs["draws_committed"] == done.draws_committed
    assert storage.cube_progress(out) == storage.cube_progress(path)
    assert storage.read_study(out) == storage.read_study(path)
    xr.testing.assert_identical(storage.read_inputs(out), storage.read_inputs(path))
    assert storage.is_compacted(out)
    assert not storage.is_compacted(path)
    seconds = xr.open_zarr(out, group="run")["seconds"].values
    assert np.isnan(seconds).sum() == 7 - done.draws_committed


def test_the_table_of_batches_says_what_the_records_said(tmp_path: Path) -> None:
    path, out, layout = tmp_path / "a.zarr", tmp_path / "b.zarr", make_layout()
    make_partial(path, layout, (0, 2))
    storage.compact(path, out)
    table = zarr.open_group(str(out / "run" / "batches"), mode="r")
    for row, record in enumerate(storage.committed_batches(path).values()):
        assert [table["start"][row], table["stop"][row]] == record["draws"]
        assert dict(zip(table.attrs["states"], table["status"][row].tolist(), strict=True)) == {
            "not_run": 0,
            "optimal": 0,
            "infeasible": 0,
            **record["status"],
        }
        digests = {name: bytes(table["sha256"][row, n]).hex() for n, name in enumerate(table.attrs["outputs"])}
        assert digests == record["sha256"]
        rest = json.loads(str(table["record"][row]))
        assert rest == {name: record[name] for name in ("batch", "configurations", "written_by")}


def test_values_that_are_not_those_of_the_record_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    path, layout = tmp_path / "a.zarr", make_layout()
    make_partial(path, layout, (0, 1, 2))
    good = (path / "total_cost" / "c.1.0").read_bytes()
    (path / "total_cost" / "c.1.0").write_bytes((path / "total_cost" / "c.0.0").read_bytes())
    with pytest.raises(
        storage.CubeDamagedError, match=r"a\.zarr: total_cost/c\.1\.0: draws 3 to 5 are not .* record of batch 1 "
    ):
        storage.compact(path, tmp_path / "b.zarr")
    (path / "total_cost" / "c.1.0").write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(
        storage.CubeDamagedError, match=r"a\.zarr: total_cost/c\.1\.0 cannot be decoded: .*; restore them"
    ):
        storage.compact(path, tmp_path / "b.zarr")
    (path / "total_cost" / "c.1.0").unlink()
    with pytest.raises(storage.CubeDamagedError, match=r"total_cost/c\.1\.0: draws 3 to 5 are not what"):
        storage.compact(path, tmp_path / "b.zarr")
    assert [each.name for each in tmp_path.iterdir()] == ["a.zarr"]


def test_what_lies_there_already_is_refused(tmp_path: Path) -> None:
    path, out = make_partial(tmp_path / "a.zarr", make_layout(), (0,)), tmp_path / "b.zarr"
    storage.compact(path, out)
    with pytest.raises(storage.CubeExistsError, match=r"b\.zarr exists already"):
        storage.compact(path, out)
    with pytest.raises(storage.CubeExistsError, match=r"b\.zarr is compacted already"):
        storage.compact(out, tmp_path / "c.zarr")
    arrays, run = batch_arrays(make_layout(), 1)
    with pytest.raises(storage.StorageError):
        storage.write_batch(out, 1, arrays, run, {})


def test_pieces_are_cut_by_configuration_first_and_not_below_their_size() -> None:
    dims = ("draw", "configuration", "area", "technology")
    assert piece_of(dims, (32_768, 7, 10, 11), 8) == (32_768, 1, 1, 1)
    assert piece_of(dims, (1024, 7, 10, 11), 8) == (1024, 1, 1, 11)
    assert piece_of(dims, (64, 7, 10, 11), 8) == (64, 7, 10, 11)
    assert piece_of(("draw",), (32_768,), 8) == (32_768,)


def test_added_configurations_are_checked_and_masked_by_their_own_records(tmp_path: Path) -> None:
    """Of an extended cube that is not finished: what is there is kept, what rests on all configurations waits for them."""
    path = growing_cases.begin(tmp_path / "a.zarr", growing_cases.layout_of(draws=5))
    for piece in growing_cases.missing(path):
        growing_cases.write_piece(path, piece)
    growing_cases.extend(path, 5, ["c2"])
    growing_cases.write_piece(path, growing_cases.missing(path)[0])  # draws 0 and 1 of the added one
    old, done = storage.open_cube(path), storage.compact(path, tmp_path / "b.zarr")
    new = storage.open_cube(tmp_path / "b.zarr")
    for name in ("status", "cost", "regret"):
        np.testing.assert_array_equal(new[name], old[name])
    assert new["cost"].sel(configuration="c2").notnull().sum() == 2
    assert new["regret"].notnull().sum() == 2 * 3
    assert new["cost"].sel(configuration=["c0", "c1"]).notnull().all()
    assert done.draws_committed == new.attrs["draws_committed"] == old.attrs["draws_committed"] == 2
    shard = next(file for file in (path / "cost").iterdir() if file.name.startswith("c.0."))
    shard.write_bytes((path / "cost" / shard.name.replace("c.0.", "c.1.", 1)).read_bytes())
    with pytest.raises(storage.CubeDamagedError, match=r"cost/c\.0\.0: draws 0 to 1 are not what"):
        storage.compact(path, tmp_path / "c.zarr")
