"""Write finished batches into a cube, and say which ones are committed.

A batch is written as one file of every variable and then its commit record, ``run/commits/000012.json``. A batch
counts from the moment its record is there; before that, readers treat whatever lies in it as not there.

What is promised. Killed at any point (``kill -9``), a writer leaves either no record or a complete batch; the batch
is written again over what is there. The same holds on a power cut as far as the disk keeps what it reported flushed:
every file of the batch and its name are flushed before the record is written, and the record and its name before
`write_batch` returns. Different batches may be written by any number of processes at once. Two writers of the same
batch do no harm to each other where their arrays are equal.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from zarr.buffer.cpu import Buffer

from storage.cube import layout_of, open_root
from storage.errors import AlreadyCommittedError, BatchError, CubeDamagedError, LayoutError, nearest
from storage.files import (
    StorePath,
    commit_file,
    commits_directory,
    json_bytes,
    local_root,
    put_file,
    read_json,
    sync_directory,
)
from storage.layout import Layout, Variable, plain_attrs

Array = npt.NDArray[Any]


def write_batch(
    path: StorePath,
    batch_index: int,
    arrays: Mapping[str, Array],
    run_arrays: Mapping[str, Array],
    record: Mapping[str, Any],
) -> dict[str, Any]:
    """Write one batch whole and commit it.

    Parameters
    ----------
    path : path
        The cube.
    batch_index : int
        From 0; it covers the draws ``layout.bounds(batch_index)``.
    arrays : mapping of str to ndarray
        Every output of the layout and nothing else, each of shape (draws of this batch, ...) and of exactly the
        variable's dtype.
    run_arrays : mapping of str to ndarray
        The same for the run variables.
    record : mapping
        What the caller wants kept with the batch (versions, host), anything that JSON can hold. It becomes
        ``written_by`` in the commit record.

    Returns
    -------
    dict
        The commit record: ``batch``; ``draws`` [start, stop); ``status``, the number of cells by word;
        ``sha256`` of the little-endian bytes of each output, rows first; ``written_by``.

    Raises
    ------
    BatchError
        Where there is no such batch, or the arrays or `record` do not fit. Nothing is written then.
    AlreadyCommittedError
        Where the batch has its record.
    """
    root, group = local_root(path), open_root(path)
    layout = layout_of(group)
    try:
        start, stop = layout.bounds(batch_index)
        written_by = plain_attrs("the record", record)
    except LayoutError as error:
        raise BatchError(str(error)) from error
    if commit_file(root, batch_index).exists():
        raise AlreadyCommittedError(f"batch {batch_index} of {root} is committed: {commit_file(root, batch_index)}")
    _check_arrays(layout, layout.variables, arrays, stop - start)
    _check_arrays(layout, layout.run_variables, run_arrays, stop - start)
    content = {
        "batch": batch_index,
        "draws": [start, stop],
        "status": _count_status(layout, arrays["status"]),
        "sha256": {name: _sha256(arrays[name]) for name in sorted(arrays)},
        "written_by": written_by,
    }
    outputs = sorted(layout.variables, key=lambda variable: variable.name == "status")  # status comes last
    written = [(root / "run" / variable.name, run_arrays[variable.name]) for variable in layout.run_variables]
    written += [(root / variable.name, arrays[variable.name]) for variable in outputs]
    for directory, values in written:
        key, shard = _encode_shard(directory, start, stop, values)
        put_file(root, directory / key, shard)
    for directory, _ in written:
        sync_directory(directory)
    put_file(root, commit_file(root, batch_index), json_bytes(content))
    sync_directory(commits_directory(root))
    return content


def committed_batches(path: StorePath) -> dict[int, dict[str, Any]]:
    """Return the commit record of every committed batch, by its number, in order.

    Raises
    ------
    CubeDamagedError
        Where a record cannot be read or does not fit the cube; the message names its file.
    """
    layout = layout_of(open_root(path))
    files = sorted(commits_directory(local_root(path)).glob("*.json"))
    records = [_read_record(layout, file) for file in files]
    return {record["batch"]: record for record in sorted(records, key=lambda record: record["batch"])}


def read_commit(path: StorePath, batch_index: int) -> dict[str, Any] | None:
    """Return the commit record of one batch, None where it has none; errors as `committed_batches`."""
    file = commit_file(local_root(path), batch_index)
    return _read_record(layout_of(open_root(path)), file) if file.exists() else None


def _read_record(layout: Layout, file: Path) -> dict[str, Any]:
    record = read_json(file)
    batch = record.get("batch")
    if not isinstance(batch, int) or not 0 <= batch < layout.batches or file.name != f"{batch:06d}.json":
        raise CubeDamagedError(f"{file}: batch {batch!r}, expected the number in the file's name, of a batch")
    if record.get("draws") != list(layout.bounds(batch)):
        raise CubeDamagedError(f"{file}: draws {record.get('draws')!r}, expected {list(layout.bounds(batch))}")
    counts = record.get("status")
    if not isinstance(counts, dict) or not set(counts) <= set(layout.status_meanings.values()):
        raise CubeDamagedError(f"{file}: status {counts!r}, expected counts by {layout.status_meanings}")
    return record


def _check_arrays(layout: Layout, variables: tuple[Variable, ...], arrays: Mapping[str, Array], rows: int) -> None:
    names = [variable.name for variable in variables]
    for name in arrays:
        if name not in names:
            raise BatchError(f"array {name!r} is no variable of this cube{nearest(name, names)}")
    for variable in variables:
        if variable.name not in arrays:
            raise BatchError(f"array {variable.name!r} is missing, expected all of {names}")
        values, shape = arrays[variable.name], layout.shape(variable, rows)
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


def _sha256(values: Array) -> str:
    return hashlib.sha256(values.astype(values.dtype.newbyteorder("<")).tobytes()).hexdigest()


def _encode_shard(directory: Path, start: int, stop: int, values: Array) -> tuple[str, bytes]:
    """Return the name and the bytes of the shard that holds draws [start, stop) of the variable in `directory`.

    Zarr encodes it in memory, after the variable's own metadata. On disk it would read the shard that is there in
    order to fill up a short last batch, and leave an all-missing shard out, where a missing file should mean damage.
    """
    memory = {"zarr.json": Buffer.from_bytes((directory / "zarr.json").read_bytes())}
    array = zarr.open_array(store=memory, mode="r+", zarr_format=3).with_config({"write_empty_chunks": True})
    array[start:stop] = values
    ((key, shard),) = ((key, shard) for key, shard in memory.items() if key != "zarr.json")
    return key, shard.to_bytes()
