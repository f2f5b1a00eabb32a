"""Read the commit records of a cube: which draws of which configurations are complete.

There is one record for each batch and generation of configurations. A batch counts as committed where the records of
all generations name all of its draws.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from storage.cube import layout_of, open_root
from storage.errors import CubeDamagedError
from storage.files import (
    Place,
    StorePath,
    commit_file,
    commits_directory,
    list_files,
    parsed,
    read_bytes_or_none,
    read_many,
    root_of,
)
from storage.layout import GROWS, Layout
from storage.opened import Opened, opened

Record = dict[str, Any]
Records = Mapping[tuple[int, int], Record]
"""Commit records by batch and generation."""


class Piece(NamedTuple):
    """Draws [start, stop) of a batch that one generation of configurations still lacks."""

    batch: int
    generation: int
    start: int
    stop: int


def missing_pieces(layout: Layout, records: Records, batches: Iterable[int]) -> list[Piece]:
    """Return what has no record yet in `batches`, in the order in which it has to be written."""
    pieces = []
    for batch, generation in itertools.product(batches, range(len(layout.generations))):
        start, stop = layout.bounds(batch)
        record = records.get((batch, generation))
        begin = start if record is None else record["draws"][1]
        if begin < stop:
            pieces.append(Piece(batch, generation, begin, stop))
    return pieces


def read_records(root: Place, layout: Layout, batches: Iterable[int] | None = None) -> dict[tuple[int, int], Record]:
    """Return the commit records of `batches`, default all, by batch and generation, in order.

    Raises
    ------
    CubeDamagedError
        Where a record cannot be read or does not fit the cube; the message names its file.
    """
    if batches is None:
        names = list_files(commits_directory(root))
        files = [commits_directory(root) / name for name in names if name.endswith(".json")]
        contents = list(zip(files, read_many(files), strict=True))
    else:
        wanted = (commit_file(root, batch, held) for batch in batches for held in range(len(layout.generations)))
        found = ((file, read_bytes_or_none(file)) for file in wanted)
        contents = [(file, content) for file, content in found if content is not None]
    return dict(sorted(_read_record(layout, file, content) for file, content in contents))


def _read_record(layout: Layout, file: Place, content: bytes) -> tuple[tuple[int, int], Record]:
    record = parsed(file, content)
    number, _, generation = file.name.removesuffix(".json").partition(".")
    batch, held = record.get("batch"), int(generation) if generation.isdigit() else 0
    named = isinstance(batch, int) and 0 <= batch < layout.batches and number == f"{batch:06d}"
    if not isinstance(batch, int) or not named or held >= len(layout.generations):
        raise CubeDamagedError(f"{file}: batch {batch!r}, expected the number in the file's name, of a batch")
    (start, stop), draws = layout.bounds(batch), record.get("draws")
    # Draws that were added to a cube make its last batch longer: the record names those that were there.
    if draws not in [[start, end] for end in range(stop, start, -1)]:
        raise CubeDamagedError(f"{file}: draws {draws!r}, expected {[start, stop]}, or fewer of them from the first")
    counts = record.get("status")
    if not isinstance(counts, dict) or not set(counts) <= set(layout.status_meanings.values()):
        raise CubeDamagedError(f"{file}: status {counts!r}, expected counts by {layout.status_meanings}")
    expected = list(layout.coords.get(GROWS, ()))[layout.labels(held)]
    if record.get("configurations", expected) != expected:
        raise CubeDamagedError(f"{file}: configurations {record['configurations']!r}, expected {expected}")
    return (batch, held), record


def committed_batches(path: StorePath) -> dict[int, Record]:
    """Return the commit record of every batch that is complete, by its number, in order.

    Where configurations were added to the cube, it is the record of those that came first, with the ``status`` counts
    of all and, under ``added``, the records of the others.

    Raises
    ------
    CubeDamagedError
        Where a record cannot be read or does not fit the cube; the message names its file.
    """
    layout = layout_of(open_root(path))
    records = read_records(root_of(path), layout)
    return {
        batch: _joined(layout, records, batch) for batch in range(layout.batches) if is_whole(layout, records, batch)
    }


def read_commit(path: StorePath, batch_index: int) -> Record | None:
    """Return the commit record of one batch, None where it is not complete; see `committed_batches`."""
    layout = layout_of(open_root(path))
    records = read_records(root_of(path), layout, [batch_index])
    return _joined(layout, records, batch_index) if is_whole(layout, records, batch_index) else None


def is_whole(layout: Layout, records: Records, batch: int) -> bool:
    """Return whether all generations of a batch are committed in all of its draws."""
    _, stop = layout.bounds(batch)
    held = (records.get((batch, generation)) for generation in range(len(layout.generations)))
    return all(record is not None and record["draws"][1] == stop for record in held)


def _joined(layout: Layout, records: Records, batch: int) -> Record:
    first, *added = (records[batch, generation] for generation in range(len(layout.generations)))
    if not added:
        return first
    counts: Counter[str] = Counter()
    for record in (first, *added):
        counts.update(record["status"])
    return {**first, "status": dict(counts), "added": added}


def committed_cells(layout: Layout, records: Records) -> npt.NDArray[np.bool_]:
    """Return which draws are committed, (draws, generations)."""
    committed = np.zeros((layout.draws, len(layout.generations)), dtype=np.bool_)
    for (_, generation), record in records.items():
        committed[slice(*record["draws"]), generation] = True
    return committed


def read_pieces(path: StorePath | Opened, batch_index: int) -> tuple[Layout, list[Piece]]:
    """Return the layout of a cube and what has no record yet in one batch, in the order in which it has to be written."""
    cube = opened(path)
    return cube.layout, missing_pieces(cube.layout, read_records(cube.root, cube.layout, [batch_index]), [batch_index])


def read_batch(path: StorePath | Opened, piece: Piece, names: Collection[str]) -> dict[str, npt.NDArray[Any]]:
    """Return what the earlier generations hold in the draws of a piece: (draws, their configurations, ...).

    Raises
    ------
    CubeDamagedError
        Where it cannot be decoded, or is not what was committed.
    """
    cube = opened(path)
    root, group, layout = cube.root, cube.group, cube.layout
    records = read_records(root, layout, [piece.batch])
    held = [records[piece.batch, generation] for generation in range(piece.generation)]
    found: dict[str, npt.NDArray[Any]] = {}
    for variable in (variable for variable in layout.variables if variable.name in names):
        parts = []
        for generation, record in enumerate(held):
            start, stop = record["draws"]
            place = f"{root}: {variable.name} of batch {piece.batch}"
            try:
                values = group[variable.name][layout.region(variable, generation, start, stop)]
            except (RuntimeError, ValueError) as error:  # what the codecs raise where they cannot decode
                raise CubeDamagedError(f"{place} cannot be decoded: {error}") from error
            if sha256(values) != record["sha256"][variable.name]:  # a missing file reads as missing values
                raise CubeDamagedError(f"{place} is missing or not what its commit record says: the checksums differ")
            parts.append(values[piece.start - start : piece.stop - start])
        found[variable.name] = np.concatenate(parts, axis=1)
    return found


def sha256(values: npt.NDArray[Any]) -> str:
    """Return the checksum of a commit record: SHA-256 of the little-endian bytes of `values`, rows first."""
    return hashlib.sha256(np.ascontiguousarray(values, values.dtype.newbyteorder("<")).data).hexdigest()
