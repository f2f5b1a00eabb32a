"""Draws a block at a time in the sweep: their checksum, the table in the cube, the rows of a batch, the memory."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

import storage
from benchmarks.driver_memory import driver_memory
from sampling import BLOCK, DrawRows, rows_of
from storage import draw_table as stored_table
from sweep.draws_hash import hash_like, hash_of
from sweep.worker import Draws
from tests.growing_cases import draw_table, layout_of
from tests.processes import ROOT
from tests.sweep_cases import files, write_study


def whole_hash(table: xr.Dataset) -> str:
    """The checksum of a cube that was made before there were blocks."""
    digest = hashlib.sha256()
    for name, column in table.data_vars.items():
        text = column.dtype.kind == "O"
        digest.update(str(name).encode() + ("\n".join(column.values).encode() if text else column.values.tobytes()))
    return digest.hexdigest()


@settings(deadline=None)
@given(draws=st.integers(1, 30), size=st.integers(1, 30))
def test_checksum_in_blocks_tells_their_size_and_that_of_one_block_is_the_checksum_of_all(
    draws: int, size: int
) -> None:
    table = draw_table(draws)
    found, old = hash_of(rows_of(table), size=size), whole_hash(table)
    assert (found == old) == (draws <= size)
    assert found.startswith(f"{size}:") == (draws > size)
    assert hash_like(found, rows_of(table)) == found  # whatever the size of the blocks of today
    assert hash_like(old, rows_of(table)) == old  # and of a cube that was made before
    longer = rows_of(draw_table(draws + 7))
    assert hash_like(found, longer, draws) == found
    assert hash_like(found, longer) != found


def test_checksum_of_as_many_draws_as_one_block_has_is_the_old_one() -> None:
    table = draw_table(BLOCK + 1)
    assert hash_of(rows_of(table), BLOCK) == whole_hash(table.isel(draw=slice(BLOCK)))
    assert hash_of(rows_of(table)).startswith(f"{BLOCK}:")


def narrow(table: xr.Dataset, most: int) -> DrawRows:
    """Rows of which no more than a few may be asked for at a time."""

    def make(start: int, stop: int) -> xr.Dataset:
        assert stop - start <= most, "asked for too many draws at a time"
        return table.isel(draw=slice(start, stop))

    return DrawRows(table.sizes["draw"], make)


def test_a_table_written_chunk_by_chunk_is_the_one_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_table, "INPUT_CHUNK", 3)
    monkeypatch.setattr("storage.reading.INPUT_CHUNK", 3)
    for name, draws in (("held", draw_table(8)), ("rows", narrow(draw_table(8), 3))):
        storage.create_cube(tmp_path / name, layout_of(8), draws, {})
        longer = draw_table(11) if name == "held" else narrow(draw_table(11), 3)
        storage.extend_cube(tmp_path / name, layout_of(8).grown(11), longer, {})
    assert files(tmp_path / "held") == files(tmp_path / "rows")
    assert storage.read_inputs(tmp_path / "rows").identical(draw_table(11))


def test_a_chunk_that_does_not_fit_is_refused_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored_table, "INPUT_CHUNK", 3)
    table = draw_table(8)
    table["weather_year"].values[7] = 3
    with pytest.raises(storage.LayoutError, match="'weather_year' mixes strings"):
        storage.create_cube(tmp_path / "cube", layout_of(8), narrow(table, 3), {})
    assert [*tmp_path.iterdir()] == []


@settings(deadline=None)
@given(draws=st.integers(1, 40), batch=st.integers(1, 9), data=st.data())
def test_rows_of_a_batch_are_those_of_the_table_whatever_the_order(draws: int, batch: int, data: st.DataObject) -> None:
    table, layout = draw_table(draws), layout_of(draws, batch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sweep.worker.CUT_DRAWS", 6)
        cut = Draws.cutter(narrow(table, 9), layout)
        for number in data.draw(st.permutations(range(layout.batches))):
            start, stop = layout.bounds(number)
            for one in (cut(number, 2), Draws.of(rows_of(table), layout, number)):
                assert (one.batch, one.start) == (number, start)
                assert [*one.columns] == ["dc_demand", "weather_year"]
                for name, values in one.columns.items():
                    assert np.array_equal(values, table[name].values[start:stop])


def test_a_driver_never_holds_the_whole_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: DrawRows) -> xr.Dataset:
        raise AssertionError("the whole table")

    monkeypatch.setattr(DrawRows, "whole", refused)
    found = driver_memory(write_study(tmp_path), 300, 2, 10, tmp_path)
    assert (found.draws, found.batch) == (300, 2)
    assert 0 < found.imported_mb <= found.planned_mb <= found.created_mb <= found.scheduled_mb
    assert len(storage.read_inputs(tmp_path / "cube.zarr")["draw"]) == 300


def test_a_worker_starts_without_distributions_and_study() -> None:
    code = (
        "import sys, sweep.worker; print(sorted({'scipy.stats', 'sampling', 'sweep.plan', 'click'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"
