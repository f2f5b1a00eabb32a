"""Rewrite a cube for reading: the same values in large shards, checked against the commit records on the way.

The original is only read. What its records do not name, or name with another checksum, never gets into the new cube.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr

from storage.compacted import MARK, Record, make_compacted
from storage.cube import layout_of, open_root
from storage.errors import CubeDamagedError, CubeExistsError
from storage.files import Place, StorePath, root_of, sizes_below
from storage.layout import Layout
from storage.records import Records, read_records, sha256
from storage.shards import WHAT_TO_DO, shard_names

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Compaction:
    """What a compaction did: draws carried over, and files and bytes on disk before and after."""

    draws: int
    draws_committed: int
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int


def compact(path: StorePath, out: StorePath) -> Compaction:
    """Write the committed part of the cube at `path` into a new, compacted cube at `out`.

    Parameters
    ----------
    path : path
        A cube, finished or not. It is left as it is; batches that are committed meanwhile may be left out.
    out : path
        Where nothing lies yet.

    Raises
    ------
    CubeExistsError
        Where something lies at `out`, or `path` is compacted already.
    CubeDamagedError
        Where values differ from their commit record, or cannot be read. Nothing is left at `out`.
    """
    root, group = root_of(path), open_root(path)
    if MARK in group.attrs:
        raise CubeExistsError(f"{root} is compacted already")
    layout = layout_of(group)
    by_batch = read_records(root, layout)
    records = list(by_batch.values())
    reader = _Reader(root, group, layout, by_batch)
    counts = Counter[str]()
    for record in records:
        counts.update(record["status"])
    counts[layout.status_meanings[0]] += math.prod(layout.shape(layout.status)) - counts.total()
    cells = committed_cells(layout, records)
    whole: npt.NDArray[np.bool_] = np.all(cells, axis=1)
    missing = [batch for batch in range(layout.batches) if not whole[slice(*layout.bounds(batch))].all()]
    draws_committed = int(whole.sum())
    told = {
        "draws_committed": draws_committed,
        "status": {word: counts[word] for word in layout.status_meanings.values()},
        "missing_batches": missing,
    }
    make_compacted(path, out, layout, reader, records, told)
    (files, size), (files_after, size_after) = _size(root), _size(root_of(out))
    return Compaction(layout.draws, draws_committed, files, files_after, size, size_after)


def committed_cells(layout: Layout, records: Sequence[Record]) -> npt.NDArray[np.bool_]:
    """Return which draws of which configurations have a record, shape (draws, configurations)."""
    labels = list(layout.coords.get("configuration", ("all",)))
    cells = np.zeros((layout.draws, len(labels)), dtype=np.bool_)
    for record in records:
        cells[slice(*record["draws"]), _columns(labels, record)] = True
    return cells


def _columns(labels: Sequence[str], record: Record) -> slice:
    """Return which configurations a record speaks of: all, where it names none."""
    named = record.get("configurations", labels)
    first = labels.index(named[0]) if named else 0
    return slice(first, first + len(named))


class _Reader:
    """Reads blocks of a cube, checks them against the commit records, and masks what has none."""

    def __init__(self, root: Place, group: zarr.Group, layout: Layout, records: Records) -> None:
        self.root, self.group, self.layout, self.records = root, group, layout, list(records.items())
        self.starts = [record["draws"][0] for record in records.values()]
        self.cells = committed_cells(layout, list(records.values()))
        self.labels = list(layout.coords.get("configuration", ("all",)))
        self.across = set(group.attrs.get("wattbit_across", ()))  # what rests on all configurations of a draw
        self.variables = {variable.name: variable for variable in layout.variables}
        self.variables |= {f"run/{variable.name}": variable for variable in layout.run_variables}

    def __call__(self, name: str, start: int, stop: int) -> Array:
        first, last = (bisect_left(self.starts, draw) for draw in (start, stop))
        held = [each for each in self.records[first:last] if self._is_written(name, each[0])]
        try:
            values: Array = np.asarray(self.group[name][start:stop])
        except (RuntimeError, ValueError) as error:  # what the codecs raise for bytes that are not theirs
            raise CubeDamagedError(f"{self._unreadable(name, held)}: {error}; {WHAT_TO_DO}") from error
        for place, record in held:
            if name in record["sha256"]:
                self._check(name, values, start, place, record)
        return self._masked(name, values, start, stop)

    def _is_written(self, name: str, place: tuple[int, int]) -> bool:
        return self.layout.is_written(self.variables[name], place[1])

    def _unreadable(self, name: str, held: Sequence[tuple[tuple[int, int], Record]]) -> str:
        """The files of the first batch that cannot be decoded."""
        for place, record in held:
            try:
                self.group[name][slice(*record["draws"])]
            except (RuntimeError, ValueError):
                return f"{self.root}: {self._files(name, place)} cannot be decoded"
        return f"{self.root / name} cannot be decoded where nothing is committed"

    def _files(self, name: str, place: tuple[int, int]) -> str:
        names = shard_names(self.layout, self.variables[name], *place)
        return ", ".join(f"{name}/{each}" for each in names)

    def _check(self, name: str, values: Array, start: int, place: tuple[int, int], record: Record) -> None:
        first, last = record["draws"]
        part, columns = values[first - start : last - start], _columns(self.labels, record)
        if "configuration" in self.variables[name].dims and name not in self.across:
            part = part[:, columns]
        if sha256(part) != record["sha256"][name]:
            raise CubeDamagedError(
                f"{self.root}: {self._files(name, place)}: draws {first} to {last - 1} are not what the commit record of "
                f"batch {place[0]} says; {WHAT_TO_DO}"
            )

    def _masked(self, name: str, values: Array, start: int, stop: int) -> Array:
        variable, cells = self.variables[name], self.cells[start:stop]
        by_cell = variable.dims[1:2] == ("configuration",) and name not in self.across
        there = cells if by_cell else cells.all(axis=1)
        if not there.all():
            values[~there] = variable.fill
        return values


def _size(root: Place) -> tuple[int, int]:
    sizes = sizes_below(root)
    return len(sizes), sum(sizes.values())
