"""Test that a cube grows without losing what it holds, also where the process that extends it is killed."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import storage
from storage import Layout
from tests.growing_cases import DATA, answer, begin, compare_with, draw_table, extend, layout_of, missing, write_missing
from tests.processes import FORKED
from tests.test_storage_cube import batch_arrays, files_outside_run, make_layout


def test_short_last_batch_is_completed_and_equals_a_cube_made_at_once(tmp_path: Path) -> None:
    path, once = begin(tmp_path / "a.zarr", layout_of(5)), begin(tmp_path / "b.zarr", layout_of(8))
    write_missing(path)
    full = {f"{name}/c.{batch}.0" for name in ("cost", "status", "regret") for batch in (0, 1)}
    kept = {name: content for name, content in files_outside_run(path).items() if name in full}
    extend(path, 8)
    assert storage.cube_progress(path).missing_batches == (2, 3)
    compare_with(path, {(draw, 0) for draw in range(5)})
    assert [piece[2:] for piece in missing(path)] == [(5, 6), (6, 8)]
    record = storage.read_commit(path, 0)
    write_missing(path)
    write_missing(once)
    assert files_outside_run(path) == files_outside_run(once)
    assert storage.read_commit(path, 0) == record
    assert storage.read_commit(path, 2) == storage.read_commit(once, 2)
    assert len(kept) == 6
    assert {name: files_outside_run(path)[name] for name in full} == kept


def test_added_configurations_stand_in_shards_beside(tmp_path: Path) -> None:
    path = begin(tmp_path / "a.zarr", layout_of(5))
    write_missing(path)
    before = files_outside_run(path)
    extend(path, 5, ("c2",))
    extend(path, 5, ("c3", "c4"))
    assert storage.read_layout(path).generations == (2, 1, 2)
    assert storage.cube_progress(path).status_counts["not_run"] == 3 * 5
    opened = storage.open_cube(path)
    assert opened["regret"].isnull().all()
    assert opened["cost"][:, :2].notnull().all()
    write_missing(path)
    compare_with(path, {(draw, generation) for draw in range(5) for generation in range(3)})
    after = files_outside_run(path)
    for name, content in before.items():
        if name.startswith(("cost/c.", "status/c.")):
            assert after[name] == content
    assert {name for name in after if name.startswith("cost/c.")} == {
        f"cost/c.{batch}.{column}" for batch in range(3) for column in range(3)
    }
    plain = xr.open_zarr(path)
    np.testing.assert_array_equal(plain["cost"], storage.open_cube(path)["cost"])


def test_way_of_growing_leaves_the_same_bytes(tmp_path: Path) -> None:
    stores = []
    for number, finish_first in enumerate((True, False)):
        path = begin(tmp_path / f"{number}.zarr", layout_of(3))
        for draws, added in ((3, ("c2",)), (7, ()), (7, ("c3", "c4"))):
            if finish_first:
                write_missing(path)
            extend(path, draws, added)
        write_missing(path)
        stores.append(files_outside_run(path))
    assert stores[0] == stores[1]


def extend_and_die(path: Path, steps: int) -> None:
    """Extend a cube and finish it; die by SIGKILL at the so-many-th file opened, renamed or removed inside it."""
    left = steps

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in {"open", "os.rename", "os.remove"} and str(path) in str(arguments[0]):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
    extend(path, 8, ("c2",))
    write_missing(path)


def test_killed_extension_is_not_there_or_is_finished(tmp_path: Path) -> None:
    undisturbed = begin(tmp_path / "b.zarr", layout_of(5))
    write_missing(undisturbed)
    start = shutil.copytree(undisturbed, tmp_path / "start.zarr")
    extend(undisturbed, 8, ("c2",))
    write_missing(undisturbed)
    kills = 0
    for number, steps in enumerate(random.Random(7).sample(range(250), 6)):
        path = shutil.copytree(start, tmp_path / f"{number}.zarr")
        writer = FORKED.Process(target=extend_and_die, args=(path, steps))
        writer.start()
        writer.join()
        kills += writer.exitcode == -signal.SIGKILL
        opened = storage.open_cube(path)  # also in the middle of an extension
        np.testing.assert_array_equal(opened["cost"][:5, :2], answer(np.arange(5), np.arange(2)))
        if storage.is_being_extended(path):
            storage.finish_extension(path)
        if storage.read_layout(path).draws == 5:
            extend(path, 8, ("c2",))
        write_missing(path)
        assert files_outside_run(path) == files_outside_run(undisturbed)
        assert not storage.is_being_extended(path)
    assert kills >= 3


def test_what_is_no_continuation_is_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    path = begin(tmp_path / "a.zarr", layout_of(5))
    before = files_outside_run(path)
    layout = storage.read_layout(path)
    with pytest.raises(storage.LayoutError, match="draws = 4, expected 5 or more"):
        layout.grown(4)
    with pytest.raises(storage.LayoutError, match="none twice"):
        layout.grown(5, ["c0"])
    with pytest.raises(storage.LayoutError, match="does not begin with that of the cube"):
        storage.extend_cube(path, layout_of(6, batch=3), draw_table(6), {})
    other = draw_table(6)
    other["dc_demand"][0] += 1
    with pytest.raises(storage.LayoutError, match="'dc_demand' differs"):
        storage.extend_cube(path, layout.grown(6), other, {})
    with pytest.raises(storage.LayoutError, match="the draw table has 5 draws, the layout 6"):
        storage.extend_cube(path, layout.grown(6), draw_table(5), {})
    assert files_outside_run(path) == before
    assert [*(path / "run" / "partial").iterdir()] == []


def test_generations_are_written_in_order_and_in_their_own_width(tmp_path: Path) -> None:
    path = begin(tmp_path / "a.zarr", layout_of(2))
    extend(path, 2, ("c2",))
    cells = np.ones((2, 1), dtype=np.int8)
    added = {"status": cells, "cost": np.zeros((2, 1)), "regret": np.zeros((2, 3))}
    with pytest.raises(storage.BatchError, match="generation 1 of batch 0: generation 0 comes before it"):
        storage.write_batch(path, 0, added, {}, {}, 1)
    with pytest.raises(storage.BatchError, match="generation 2: expected 0 to 1"):
        storage.write_batch(path, 0, added, {}, {}, 2)
    first = {"status": np.ones((2, 2), dtype=np.int8), "cost": np.zeros((2, 2))}
    with pytest.raises(storage.BatchError, match="'regret' is no variable"):
        storage.write_batch(path, 0, {**first, "regret": np.zeros((2, 2))}, {"seconds": np.zeros(2)}, {})
    storage.write_batch(path, 0, first, {"seconds": np.zeros(2)}, {})
    with pytest.raises(storage.BatchError, match=r"'regret' has shape \(2, 1\), expected \(2, 3\)"):
        storage.write_batch(path, 0, {**added, "regret": np.zeros((2, 1))}, {}, {}, 1)
    storage.write_batch(path, 0, added, {}, {}, 1)
    assert storage.read_commit(path, 0) is not None


def test_batch_that_is_to_be_completed_must_be_what_its_record_says(tmp_path: Path) -> None:
    path = begin(tmp_path / "a.zarr", layout_of(3))
    write_missing(path)
    extend(path, 4)
    good = (path / "cost" / "c.1.0").read_bytes()
    for content, says in (
        (good[: len(good) // 2], "cannot be decoded"),
        (None, r"c\.1\.0 is missing"),
        ((path / "cost" / "c.0.0").read_bytes(), "not what its commit record says"),
    ):
        (path / "cost" / "c.1.0").unlink()
        if content is not None:
            (path / "cost" / "c.1.0").write_bytes(content)
        with pytest.raises(storage.CubeDamagedError, match=says):
            write_missing(path)
        (path / "cost" / "c.1.0").write_bytes(good)
    write_missing(path)
    compare_with(path, {(draw, 0) for draw in range(4)})


def test_cube_of_the_first_format_is_read_and_not_extended(tmp_path: Path) -> None:
    layout = make_layout()
    path = shutil.copytree(DATA / "format_1.zarr", tmp_path / "old.zarr")
    assert json.loads((path / "zarr.json").read_text())["attributes"]["wattbit_format"] == 1
    assert storage.read_layout(path) == layout
    opened = storage.open_cube(path)
    assert opened.attrs["draws_committed"] == 4
    for batch in (0, 2):
        rows = slice(*layout.bounds(batch))
        for name, values in batch_arrays(layout, batch)[0].items():
            np.testing.assert_array_equal(opened[name][rows], values)
    assert (opened["status"][3:6] == 0).all()
    assert storage.read_inputs(path).sizes["draw"] == 7
    assert storage.cube_progress(path).missing_batches == (1,)
    storage.write_batch(path, 1, *batch_arrays(layout, 1), {})
    assert storage.cube_progress(path).missing_batches == ()
    with pytest.raises(storage.LayoutError, match="a cube of this format cannot be extended"):
        storage.extend_cube(path, layout.grown(9), storage.read_inputs(path), {})


def test_cube_of_the_second_format_without_sizes_is_read_checked_extended_and_finished(tmp_path: Path) -> None:
    path = shutil.copytree(DATA / "format_2.zarr", tmp_path / "old.zarr")
    assert json.loads((path / "zarr.json").read_text())["attributes"]["wattbit_format"] == 2
    record = json.loads((path / "run" / "commits" / "000000.json").read_text())
    assert "bytes" not in record  # records came to hold the sizes of shards within this format
    compare_with(path, {(draw, 0) for draw in range(5)})
    storage.check_committed(path)
    extend(path, 8)
    write_missing(path)
    compare_with(path, {(draw, generation) for draw in range(8) for generation in range(2)})
    new = begin(tmp_path / "new.zarr", layout_of(5))
    write_missing(new)
    extend(new, 5, ("c2",))
    extend(new, 8)
    write_missing(new)
    assert files_outside_run(path) == files_outside_run(new)


def test_layout_of_generations() -> None:
    layout = layout_of(5).grown(5, ["c2"]).grown(7, ["c3", "c4"])
    assert isinstance(layout, Layout)
    assert (layout.generations, layout.columns) == ((2, 1, 2), 3)
    assert [layout.labels(generation) for generation in range(3)] == [slice(0, 2), slice(2, 3), slice(3, 5)]
    assert layout.files == 4 * (3 * 3 + 1 + 3 + 1)
    with pytest.raises(storage.LayoutError, match=r"generations \(2, 1\): expected numbers that sum to 2"):
        storage.Layout(layout.variables, {**layout.coords, "configuration": ("a", "b")}, 5, 2, (), (2, 1))
