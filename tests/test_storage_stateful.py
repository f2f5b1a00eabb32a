"""Hold a growing cube against a perfect one in memory under random writes, crashes, losses, resumes and extensions."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

import storage
import storage.files
import storage.growth
from storage import Piece
from tests.growing_cases import begin, compare_with, extend, layout_of, missing, write_missing, write_piece
from tests.test_storage_cube import files_outside_run

MOST_DRAWS, MOST_CONFIGURATIONS = 9, 6


class GrowingStore(RuleBasedStateMachine):
    """A cube, and the set of draws and generations that it must tell, no more and no less."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = Path(tempfile.mkdtemp())
        self.memory: set[tuple[int, int]] = set()
        self.growth: list[tuple[int, tuple[str, ...]]] = []

    def teardown(self) -> None:
        shutil.rmtree(self.directory)

    @initialize(draws=st.integers(1, 5), batch=st.integers(1, 3), configurations=st.integers(1, 3))
    def make(self, draws: int, batch: int, configurations: int) -> None:
        self.layout = layout_of(draws, batch, configurations)
        self.path = begin(self.directory / "a.zarr", self.layout)

    @property
    def draws(self) -> int:
        return storage.read_layout(self.path).draws

    @property
    def configurations(self) -> int:
        return sum(storage.read_layout(self.path).generations)

    def next_pieces(self) -> list[Piece]:
        """Of each unfinished batch, what has to be written first."""
        first: dict[int, Piece] = {}
        for piece in missing(self.path):
            first.setdefault(piece.batch, piece)
        return [*first.values()]

    @precondition(lambda self: self.next_pieces())
    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        piece = data.draw(st.sampled_from(self.next_pieces()))
        write_piece(self.path, piece)
        self.memory |= {(draw, piece.generation) for draw in range(piece.start, piece.stop)}
        with pytest.raises(storage.AlreadyCommittedError):
            write_piece(self.path, piece)

    @precondition(lambda self: self.next_pieces())
    @rule(data=st.data(), files=st.integers(0, 4))
    def crash_in_a_write(self, data: st.DataObject, files: int) -> None:
        piece = data.draw(st.sampled_from(self.next_pieces()))
        self.interrupt(storage.files, "put_file", files, lambda: write_piece(self.path, piece))

    @precondition(lambda self: self.draws < MOST_DRAWS)
    @rule(more=st.integers(1, 3))
    def extend_by_draws(self, more: int) -> None:
        self.grow(self.draws + more, ())

    @precondition(lambda self: self.configurations < MOST_CONFIGURATIONS)
    @rule(more=st.integers(1, 2))
    def extend_by_configurations(self, more: int) -> None:
        self.grow(self.draws, tuple(f"c{self.configurations + number}" for number in range(more)))

    @precondition(lambda self: self.draws < MOST_DRAWS and self.configurations < MOST_CONFIGURATIONS)
    @rule(files=st.integers(0, 25))
    def crash_in_an_extension(self, files: int) -> None:
        draws, added = self.draws + 1, (f"c{self.configurations}",)
        self.interrupt(storage.growth, "_move", files, lambda: extend(self.path, draws, added))
        self.cube_tells_what_memory_tells()  # the old one or the new one, before anybody mends it
        storage.finish_extension(self.path)
        self.growth.append((draws, added))

    @precondition(lambda self: self.memory)
    @rule(data=st.data())
    def take_records_away(self, data: st.DataObject) -> None:
        layout = storage.read_layout(self.path)
        batch, generation = data.draw(
            st.sampled_from(sorted({(draw // layout.batch, held) for draw, held in self.memory}))
        )
        for held in range(generation, len(layout.generations)):
            storage.files.commit_file(self.path, batch, held).unlink(missing_ok=True)
        lost = range(*layout.bounds(batch))
        self.memory -= {(draw, held) for draw, held in self.memory if draw in lost and held >= generation}

    def grow(self, draws: int, added: tuple[str, ...]) -> None:
        extend(self.path, draws, added)
        self.growth.append((draws, added))

    @staticmethod
    def interrupt(module: object, name: str, calls: int, act: object) -> None:
        """Stop `act` at the so-many-th call of a function, as a kill would, or let it end."""
        real, left = getattr(module, name), itertools.count(calls, -1)

        def some(*arguments: object) -> None:
            # The commit record is never written here: what was begun stays begun.
            if next(left) <= 0 or (name == "put_file" and str(arguments[1]).endswith(".json")):
                raise KeyboardInterrupt
            real(*arguments)

        with pytest.MonkeyPatch.context() as patch, suppress(KeyboardInterrupt):
            patch.setattr(module, name, some)
            act()  # type: ignore[operator]

    @invariant()
    def cube_tells_what_memory_tells(self) -> None:
        if hasattr(self, "path"):
            compare_with(self.path, self.memory)

    @rule()
    def finished_it_is_as_one_that_nothing_ever_happened_to(self) -> None:
        finished, calm = self.directory / "finished.zarr", self.directory / "calm.zarr"
        shutil.copytree(self.path, finished)
        begin(calm, self.layout)
        for draws, added in self.growth:
            extend(calm, draws, added)
        write_missing(finished)
        write_missing(calm)
        assert files_outside_run(finished) == files_outside_run(calm)
        shutil.rmtree(finished)
        shutil.rmtree(calm)


TestGrowingStore = GrowingStore.TestCase
TestGrowingStore.settings = settings(max_examples=4, stateful_step_count=6, derandomize=True, deadline=None)
