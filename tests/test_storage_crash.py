"""Test the store against processes that write at once or are killed, and against a perfect store in memory."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import storage
from storage import Layout
from tests.processes import FORKED
from tests.test_storage_cube import batch_arrays, files_outside_run, make_cube, make_layout


def write_batches(path: Path, layout: Layout, batches: list[int], steps: int | None = None) -> None:
    """Write batches; with `steps`, die by SIGKILL at the so-many-th file opened or renamed inside the cube."""
    left = steps

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if left is not None and event in {"open", "os.rename"} and str(path) in str(arguments[0]):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    if steps is not None:
        sys.addaudithook(count)
    for batch in batches:
        storage.write_batch(path, batch, *batch_arrays(layout, batch), {})


def missing(path: Path) -> list[int]:
    return list(storage.cube_progress(path).missing_batches)


def test_two_processes_write_different_batches_at_once(tmp_path: Path) -> None:
    layout = make_layout(draws=23, batch=2)
    path, alone = make_cube(tmp_path / "a.zarr", layout), make_cube(tmp_path / "b.zarr", layout)
    batches = range(layout.batches)
    writers = [FORKED.Process(target=write_batches, args=(path, layout, list(batches[part::2]))) for part in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
        assert writer.exitcode == 0
    write_batches(alone, layout, list(batches))
    assert missing(path) == []
    assert files_outside_run(path) == files_outside_run(alone)


def test_killed_writers_leave_nothing_false_and_the_resumed_cube_is_byte_identical(tmp_path: Path) -> None:
    layout = make_layout(draws=11, batch=2)
    path, alone = make_cube(tmp_path / "a.zarr", layout), make_cube(tmp_path / "b.zarr", layout)
    write_batches(alone, layout, list(range(layout.batches)))
    whole = storage.open_cube(alone).load()
    places = random.Random(2040)
    kills = 0
    for _ in range(5):
        writer = FORKED.Process(target=write_batches, args=(path, layout, missing(path), places.randrange(60)))
        writer.start()
        writer.join()
        kills += writer.exitcode == -signal.SIGKILL
        opened = storage.open_cube(path).load()
        committed = np.isin(np.arange(layout.draws) // layout.batch, missing(path), invert=True)
        assert committed.sum() == opened.attrs["draws_committed"]
        for variable in layout.variables:
            expected = np.full(layout.shape(variable), variable.fill, dtype=variable.dtype)
            expected[committed] = whole[variable.name].values[committed]
            np.testing.assert_array_equal(opened[variable.name], expected)
    assert kills >= 3
    write_batches(path, layout, missing(path))
    assert files_outside_run(path) == files_outside_run(alone)


class StoreAgainstMemory(RuleBasedStateMachine):
    """A cube and a dictionary of batches undergo the same operations and must always tell the same."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.layout = make_layout(draws=5, batch=2)
        self.path = make_cube(self.directory / "a.zarr", self.layout)
        self.memory: dict[int, dict[str, np.ndarray]] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.directory)

    def values(self, batch: int, seed: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        arrays, run = batch_arrays(self.layout, batch)
        random_values = np.random.default_rng(seed)
        arrays["total_cost"] = random_values.choice([np.nan, 0.0, -0.0, np.inf, 1e-300], arrays["total_cost"].shape)
        arrays["status"] = random_values.integers(0, 3, arrays["status"].shape).astype(np.int8)
        return arrays, run

    @rule(batch=st.integers(0, 2), seed=st.integers(0, 9))
    def write(self, batch: int, seed: int) -> None:
        arrays, run = self.values(batch, seed)
        try:
            storage.write_batch(self.path, batch, arrays, run, {"seed": seed})
        except storage.AlreadyCommittedError:
            assert batch in self.memory
        else:
            assert batch not in self.memory
            self.memory[batch] = arrays

    @rule(batch=st.integers(0, 2), seed=st.integers(0, 9))
    def crash_before_the_record(self, batch: int, seed: int) -> None:
        if batch not in self.memory:
            storage.write_batch(self.path, batch, *self.values(batch, seed), {})
            (self.path / "run" / "commits" / f"{batch:06d}.json").unlink()

    @rule(batch=st.integers(0, 2))
    def refuse_wrong_rows(self, batch: int) -> None:
        arrays, run = self.values(batch, 0)
        arrays["total_cost"] = np.zeros((3, 2))
        with pytest.raises(storage.AlreadyCommittedError if batch in self.memory else storage.BatchError):
            storage.write_batch(self.path, batch, arrays, run, {})

    @precondition(lambda self: self.memory)
    @rule(data=st.data())
    def take_a_record_away(self, data: st.DataObject) -> None:
        batch = data.draw(st.sampled_from(sorted(self.memory)))
        (self.path / "run" / "commits" / f"{batch:06d}.json").unlink()
        del self.memory[batch]

    @invariant()
    def cube_tells_what_memory_tells(self) -> None:
        opened = storage.open_cube(self.path)
        for name in ("total_cost", "status"):
            variable = next(variable for variable in self.layout.variables if variable.name == name)
            expected = np.full(self.layout.shape(variable), variable.fill, dtype=variable.dtype)
            for batch, arrays in self.memory.items():
                expected[slice(*self.layout.bounds(batch))] = arrays[name]
            assert opened[name].values.tobytes() == expected.tobytes()
        progress = storage.cube_progress(self.path)
        assert sorted(self.memory) == [batch for batch in range(3) if batch not in progress.missing_batches]
        assert sum(progress.status_counts.values()) == 10
        optimal = sum(int((arrays["status"] == 1).sum()) for arrays in self.memory.values())
        assert progress.status_counts["optimal"] == optimal


TestStoreAgainstMemory = StoreAgainstMemory.TestCase
TestStoreAgainstMemory.settings = settings(max_examples=8, stateful_step_count=6, derandomize=True, deadline=None)
