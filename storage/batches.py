"""Write finished batches into a cube, and say which ones are committed.

A batch is written as one file of every variable and then its commit record, ``run/commits/000012.json``. What a
record names counts from the moment it is there; before that, readers treat whatever lies in its place as not there.
Where configurations were added to a cube, each generation of them has a record of its own in every batch. Where draws
were added, the last batch may be complete in its first draws only: its records say in which.

What is promised. Killed at any point (``kill -9``), a writer leaves either the old record or the new one, and what a
record names is whole; the rest is written again over what is there. A file that holds committed draws already is
replaced in one step by one that holds them too. The same holds on a power cut as far as the disk keeps what it
reported flushed: every file and its name are flushed before the record is written, and the record and its name before
`write_batch` returns. In an object store each shard is one PUT, many at once, and the record is put when all of them
were answered. Different batches may be written by any number of processes at once. Two writers of the same
batch do no harm to each other where their arrays are equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.buffer import default_buffer_prototype
from zarr.buffer.cpu import Buffer

from storage.errors import AlreadyCommittedError, BatchError, CubeDamagedError, LayoutError, nearest
from storage.files import (
    Place,
    StorePath,
    commit_file,
    json_bytes,
    put_files,
    read_many,
    remove_file,
)
from storage.layout import GROWS, Layout, Variable, plain_attrs
from storage.opened import Opened, opened
from storage.records import Piece, Records, missing_pieces, read_records, sha256
from storage.summaries import summary_file

Array = npt.NDArray[Any]


def write_batch(
    path: StorePath | Opened,
    batch_index: int,
    arrays: Mapping[str, Array],
    run_arrays: Mapping[str, Array],
    record: Mapping[str, Any],
    generation: int = 0,
) -> dict[str, Any]:
    """Write one batch whole and commit it, or what is missing of one.

    Parameters
    ----------
    path : path or Opened
        The cube.
    batch_index : int
        From 0; it covers the draws ``layout.bounds(batch_index)``.
    arrays : mapping of str to ndarray
        Every output that is written with this generation (`Layout.is_written`) and nothing else, each of exactly the
        variable's dtype and of shape (draws that are missing, configurations of the generation, ...); all
        configurations where the variable is ``across``.
    run_arrays : mapping of str to ndarray
        The same for the run variables.
    record : mapping
        What the caller wants kept with the batch (versions, host), anything that JSON can hold. It becomes
        ``written_by`` in the commit record.
    generation : int
        Which configurations: 0 those that the cube was made with, 1 those that were added first. The earlier
        generations of the batch must be committed.

    Returns
    -------
    dict
        The commit record: ``batch``; ``draws`` [start, stop) that are complete, those of before included;
        ``configurations``; ``status``, the number of cells by word; ``sha256`` of the little-endian bytes of these
        draws of each output, rows first; ``bytes``, the size of the shards of each variable; ``written_by``.

    Raises
    ------
    BatchError
        Where there is no such batch or generation, or the arrays or `record` do not fit. Nothing is written then.
    AlreadyCommittedError
        Where the batch has its record.
    CubeDamagedError
        Where the batch is to be completed and what is there is not what its record says.
    """
    cube = opened(path)
    root, group, layout = cube.root, cube.group, cube.layout
    try:
        layout.bounds(batch_index)
        written_by = plain_attrs("the record", record)
    except LayoutError as error:
        raise BatchError(str(error)) from error
    if not 0 <= generation < len(layout.generations):
        raise BatchError(f"generation {generation}: expected 0 to {len(layout.generations) - 1}")
    records = read_records(root, layout, [batch_index])
    pieces = {piece.generation: piece for piece in missing_pieces(layout, records, [batch_index])}
    if generation not in pieces:
        file = commit_file(root, batch_index, generation)
        raise AlreadyCommittedError(f"batch {batch_index} of {root} is committed: {file}")
    piece, rows = pieces[generation], pieces[generation].stop - pieces[generation].start
    if generation != min(pieces):
        raise BatchError(f"generation {generation} of batch {batch_index}: generation {min(pieces)} comes before it")
    outputs = [variable for variable in layout.variables if layout.is_written(variable, generation)]
    of_run = [variable for variable in layout.run_variables if layout.is_written(variable, generation)]
    for variables, given in ((outputs, arrays), (of_run, run_arrays)):
        _check_arrays(layout, variables, given, generation, rows)
    before = records.get((batch_index, generation))
    counts = _count_status(layout, arrays["status"])
    if before is not None:
        counts = {word: counts.get(word, 0) + before["status"].get(word, 0) for word in {**before["status"], **counts}}
    shards: dict[Place, bytes] = {}
    sums, sizes = {}, {}
    outputs.sort(key=lambda variable: variable.name == "status")  # status comes last
    tasks = [(f"run/{variable.name}", variable, run_arrays[variable.name]) for variable in of_run]
    tasks += [(variable.name, variable, arrays[variable.name]) for variable in outputs]
    for name, variable, values in tasks:
        known = None if before is None else before["sha256"].get(variable.name)
        encoder = ShardEncoder(layout, variable, group[name], root / name, piece, records)
        made, sums[variable.name] = encoder.encode(values, known)
        sizes[name] = sum(map(len, made.values()))
        shards |= made
    start, _ = layout.bounds(batch_index)
    content = {
        "batch": batch_index,
        "draws": [start, piece.stop],
        "configurations": list(layout.coords.get(GROWS, ()))[layout.labels(generation)],
        "status": counts,
        "sha256": {variable.name: sums[variable.name] for variable in sorted(outputs, key=lambda output: output.name)},
        "bytes": dict(sorted(sizes.items())),
        "written_by": written_by,
    }
    put_files(root, shards)
    put_files(root, {commit_file(root, batch_index, generation): json_bytes(content)})
    return content


class ShardEncoder:
    """Encodes the shards of one variable that a piece touches.

    Zarr encodes them in memory, after the variable's own metadata. On disk it would read the shard that is there in
    order to fill up a short last batch, and leave an all-missing shard out, where a missing file should mean damage.
    Only where a file holds something committed is it read first.
    """

    def __init__(
        self, layout: Layout, variable: Variable, array: zarr.Array, directory: Place, piece: Piece, records: Records
    ) -> None:
        self.layout, self.variable, self.directory, self.piece = layout, variable, directory, piece
        self.metadata = array.metadata.to_buffer_dict(default_buffer_prototype())["zarr.json"]
        self.held = records

    def encode(self, values: Array, known: str | None) -> tuple[dict[Place, bytes], str]:
        """Return the shards by their files, and the SHA-256 of all draws that they then hold of the generation.

        ``known``: the SHA-256 of those that are there, where some are.
        """
        layout, variable, (batch, generation, start, stop) = self.layout, self.variable, self.piece
        first, _ = layout.bounds(batch)
        memory = {"zarr.json": self.metadata}
        kept = list(self._kept())
        for key, content in zip(kept, read_many(self.directory / key for key in kept), strict=True):
            memory[key] = Buffer.from_bytes(content)
        array = zarr.open_array(store=memory, mode="r+", zarr_format=3).with_config({"write_empty_chunks": True})
        where = layout.region(variable, generation, start, stop)
        whole = layout.region(variable, generation, first, stop)
        try:
            if known is not None and sha256(array[layout.region(variable, generation, first, start)]) != known:
                raise CubeDamagedError(
                    f"{self.directory}: batch {batch} is not what its commit record says: the checksums differ"
                )
            array[where] = values
            total = sha256(values if where == whole else array[whole])
        except (RuntimeError, ValueError) as error:  # what the codecs raise where they cannot decode
            names = ", ".join(self._kept())
            raise CubeDamagedError(f"{self.directory}: {names} cannot be decoded: {error}") from error
        keys = [key for key in memory if key != "zarr.json"]
        return {self.directory / key: memory[key].to_bytes() for key in keys}, total

    def _kept(self) -> Iterator[str]:
        """Names of the shards touched that hold something committed: the draws of before, or a neighbour's."""
        layout, (batch, generation, start, _) = self.layout, self.piece
        partly = start > layout.bounds(batch)[0]
        for column in layout.shard_columns(self.variable, generation):
            others = (held for _, held in self.held if held != generation and not self.variable.across)
            shared = any(column in layout.shard_columns(self.variable, held) for held in others)
            if partly or (shared and GROWS in self.variable.dims):
                yield layout.shard_name(self.variable, batch, column)


def _check_arrays(
    layout: Layout, variables: list[Variable], arrays: Mapping[str, Array], generation: int, rows: int
) -> None:
    names = [variable.name for variable in variables]
    for name in arrays:
        if name not in names:
            raise BatchError(f"array {name!r} is no variable of this cube{nearest(name, names)}")
    for variable in variables:
        if variable.name not in arrays:
            raise BatchError(f"array {variable.name!r} is missing, expected all of {names}")
        values = arrays[variable.name]
        shape = tuple(place.stop - place.start for place in layout.region(variable, generation, 0, rows))
        if values.shape != shape:
            raise BatchError(f"array {variable.name!r} has shape {values.shape}, expected {shape} {variable.dims}")
        if values.dtype != np.dtype(variable.dtype):
            raise BatchError(f"array {variable.name!r} has dtype {values.dtype}, expected {variable.dtype}")


def _count_status(layout: Layout, status: Array) -> dict[str, int]:
    values, counts = np.unique(status, return_counts=True)
    meanings = layout.status_meanings
    for value in values:
        if int(value) not in meanings:
            raise BatchError(f"array 'status' holds {value}, expected one of {meanings}")
    return {meanings[int(value)]: int(count) for value, count in zip(values, counts, strict=True)}


def reopen_batch(path: StorePath, batch_index: int) -> None:
    """Take back that a batch is committed: it is missing then, and may be written anew over what is there.

    The caller holds the cube's lease. The record of the configurations added last goes first, so that a process that is
    killed in between leaves a cube that is only less complete.

    Raises
    ------
    LayoutError
        Where there is no such batch.
    """
    cube = opened(path)
    root, layout = cube.root, cube.layout
    start, _ = layout.bounds(batch_index)
    for generation in reversed(range(len(layout.generations))):
        remove_file(commit_file(root, batch_index, generation))
    remove_file(summary_file(root, start))
