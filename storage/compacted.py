"""Say what a compacted cube is, make one out of blocks of draws, and open it.

A compacted cube holds the values of another one, cut for reading: shards of `BLOCK` draws, and in them one piece for
each configuration, area, technology, ... as far as the pieces keep `PIECE_BYTES`. So one outcome of one configuration
is read alone. Nothing is written into it later. It has no commit records; the group ``run/batches`` tells what they
said, one row a record: ``start``, ``stop``, ``status`` (cells by state), ``sha256`` of each output (zeros where the
record has none) and ``record``, the rest of it as JSON. Draws without a record hold what was never run: NaN, 0.
"""

from __future__ import annotations

import json
import math
import os
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import xarray as xr
import zarr
from zarr.codecs import ZstdCodec
from zarr.errors import ZarrUserWarning

from storage.cube import open_root
from storage.draw_table import ZSTD_LEVEL
from storage.files import Place, StorePath, read_many, root_of, sizes_below
from storage.layout import ITEM_BYTES, DType, Layout, Variable
from storage.making import make_whole
from storage.shards import check_files, open_lazily
from storage.summaries import Summing, put_summary

Array = npt.NDArray[Any]
Record = Mapping[str, Any]
ReadBlock = Callable[[str, int, int], Array]
"""Gives the values of a variable, named by its path in the cube (``run/seconds``), for the draws [start, stop)."""

BLOCK = 32_768
"""Draws in one shard, rounded down to whole batches."""

PIECE_BYTES = 64 * 1024
"""Below this a piece costs more than it spares."""

LOADED_BYTES = 32 * 1024 * 1024
"""What `open_compacted` loads at a time is about this size."""

MARK = "wattbit_compacted"
LEFT_BEHIND = frozenset({"commits", "partial", "summaries", "lease", "extension", "creating.json"})


def is_compacted(path: StorePath) -> bool:
    """Return whether the cube at `path` is a compacted one; errors as `storage.cube.open_root`."""
    return MARK in open_root(path).attrs


def layout_of_compacted(group: zarr.Group) -> Layout:
    """Return the layout of the cube that was compacted; ``batch`` is that of its study."""
    names = [name for name, array in group.arrays() if array.metadata.dimension_names == (name,) and name != "draw"]
    coords = {name: tuple(str(label) for label in group[name][:]) for name in names}
    outputs = tuple(_variable_of(group[name]) for name in group.attrs["wattbit_outputs"])
    run = tuple(_variable_of(group["run"][name]) for name in group["run"].attrs["variables"])
    return Layout(outputs, coords, int(group["draw"].shape[0]), group.attrs["wattbit_batch"], run)


def open_compacted(path: StorePath) -> xr.Dataset:
    """Open a compacted cube, its outputs as dask arrays of about `LOADED_BYTES` a chunk."""
    group = open_root(path)
    layout, mark = layout_of_compacted(group), group.attrs[MARK]
    dataset = open_lazily(group, root_of(path))
    check_files(root_of(path), layout, mark["block"])
    outputs = {}
    for variable in layout.variables:
        chunks = dict(zip(variable.dims, layout.shape(variable, mark["block"]), strict=True))
        if math.prod(chunks.values()) * ITEM_BYTES[variable.dtype] > LOADED_BYTES and "configuration" in chunks:
            chunks["configuration"] = 1
        outputs[variable.name] = dataset[variable.name].variable.chunk(chunks)
    told = {"draws_total": layout.draws, "draws_committed": mark["draws_committed"], "compacted": 1}
    return dataset.assign(outputs).assign_attrs(told)


def block_draws(layout_batch: int) -> int:
    """Return how many draws make a shard of a compacted cube, given those of a batch."""
    return max(BLOCK // layout_batch, 1) * layout_batch


def piece_of(dims: Sequence[str], block: Sequence[int], item_bytes: int) -> tuple[int, ...]:
    """Return the shape of what is compressed and read alone, within shards of shape `block`."""
    piece = list(block)
    order = sorted(range(1, len(dims)), key=lambda axis: dims[axis] != "configuration")
    for axis in order:
        if math.prod(piece) // piece[axis] * item_bytes < PIECE_BYTES:
            break
        piece[axis] = 1
    return tuple(piece)


def make_compacted(
    source: StorePath,
    out: StorePath,
    layout: Layout,
    read: ReadBlock,
    records: Sequence[Record],
    told: Mapping[str, Any],
) -> None:
    """Write a compacted cube with the draw table and the records of study and run of `source`.

    It is there whole or not at all, see `storage.making.make_whole`; for an object store it is made in the temporary
    folder first, which must have room for it. At most one block of one variable is held at a time.

    Parameters
    ----------
    source, out : path
        An existing cube, left alone, and where nothing lies yet.
    layout : Layout
        Of `source`.
    read : callable
        Where the values come from, see `ReadBlock`. Draws without a record must come as what was never run.
    records : sequence of mapping
        What the commit records say, in order.
    told : mapping
        Kept in the attributes, under `MARK`: at least ``draws_committed``.

    Raises
    ------
    CubeExistsError
        Where something lies at `out`.
    """
    root = root_of(source)
    block = min(block_draws(layout.batch), layout.draws)

    def write(making: Path) -> None:
        _copy_and_create(root, making, block, dict(told))
        _write_records(making, layout, records)
        _write_blocks(making, layout, block, read)
        _consolidate(making)

    make_whole(root_of(out), write)


def _copy_and_create(root: Place, making: Path, block: int, told: dict[str, Any]) -> None:
    """Copy the draw table, labels and what lies under ``run``, and make every variable anew, empty."""
    old = open_root(root)
    new = zarr.create_group(
        os.fspath(making), zarr_format=3, attributes={**old.attrs.asdict(), MARK: {"block": block, **told}}
    )
    new_run = new.create_group("run", attributes=old["run"].attrs.asdict())
    for name, array in old.arrays():
        if name in old.attrs["wattbit_outputs"]:
            _create(new, array, block)
        else:
            _copy(root / name, making / name)
    for name in old["run"].attrs["variables"]:
        _create(new_run, old["run"][name], block)
    behind = LEFT_BEHIND | set(old["run"].attrs["variables"])
    _copy(root / "run", making / "run", behind)
    (making / "run" / "partial").mkdir()


def _copy(place: Place, folder: Path, but: Collection[str] = ()) -> None:
    """Copy the files below `place` but those that begin with a name of `but`, and what is in `folder` already."""
    names = [name for name in sizes_below(place) if name.partition("/")[0] not in but and not (folder / name).exists()]
    for name, content in zip(names, read_many(place / name for name in names), strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _create(group: zarr.Group, array: zarr.Array, block: int) -> None:
    shard = (block, *array.shape[1:])
    piece = piece_of(array.metadata.dimension_names, shard, array.dtype.itemsize)
    group.create_array(
        array.basename,
        shape=array.shape,
        dtype=array.dtype,
        shards=shard if piece != shard else None,
        chunks=piece,
        fill_value=array.fill_value,
        compressors=ZstdCodec(level=ZSTD_LEVEL, checksum=True),
        chunk_key_encoding={"name": "default", "separator": "."},
        dimension_names=array.metadata.dimension_names,
        attributes=array.attrs.asdict(),
        # NaN comes in several bit patterns: what is all NaN is written out too, and a missing file means damage.
        config={"write_empty_chunks": True},
    )


def _write_blocks(making: Path, layout: Layout, block: int, read: ReadBlock) -> None:
    group = zarr.open_group(os.fspath(making), mode="r+", zarr_format=3)
    names = [*(variable.name for variable in layout.variables), *(f"run/{each.name}" for each in layout.run_variables)]
    outputs = {variable.name for variable in layout.variables}
    for start in range(0, layout.draws, block):
        stop, summing = min(start + block, layout.draws), Summing(layout, start)
        for name in names:
            values = read(name, start, stop)
            group[name].with_config({"write_empty_chunks": True})[start:stop] = values
            if name in outputs:
                summing.add(name, values)
        put_summary(making, summing.summary())


def _write_records(making: Path, layout: Layout, records: Sequence[Record]) -> None:
    group = zarr.open_group(os.fspath(making / "run"), mode="r+", zarr_format=3).create_group("batches")
    words, names = list(layout.status_meanings.values()), [variable.name for variable in layout.variables]
    digests = np.zeros((len(records), len(names), 32), dtype=np.uint8)
    for row, record in enumerate(records):
        for column, name in enumerate(names):
            if name in record["sha256"]:
                digests[row, column] = np.frombuffer(bytes.fromhex(record["sha256"][name]), dtype=np.uint8)
    told_otherwise = {"draws", "status", "sha256", "bytes"}  # the last: of shards that a compacted cube has not
    rest = [{key: record[key] for key in record if key not in told_otherwise} for record in records]
    columns: dict[str, tuple[Array, tuple[str, ...]]] = {
        "start": (np.array([record["draws"][0] for record in records], dtype=np.int64), ("batch",)),
        "stop": (np.array([record["draws"][1] for record in records], dtype=np.int64), ("batch",)),
        "status": (
            np.array([[record["status"].get(word, 0) for word in words] for record in records], dtype=np.int64).reshape(
                len(records), len(words)
            ),
            ("batch", "state"),
        ),
        "sha256": (digests, ("batch", "output", "byte")),
        "record": (np.array([json.dumps(each, sort_keys=True) for each in rest], dtype=object), ("batch",)),
    }
    group.attrs.update({"states": words, "outputs": names})
    for name, (values, dims) in columns.items():
        text = values.dtype.kind == "O"
        array = group.create_array(
            name,
            shape=values.shape,
            dtype=str if text else values.dtype,
            chunks=(max(min(len(values), 4096), 1), *values.shape[1:]),
            compressors=ZstdCodec(level=ZSTD_LEVEL, checksum=True),
            chunk_key_encoding={"name": "default", "separator": "."},
            dimension_names=dims,
        )
        if len(values):
            array[:] = values


def read_batches(group: zarr.Group) -> list[dict[str, Any]]:
    """Return what the commit records said, in order, from a compacted cube whose root group is open."""
    batches = group["run"]["batches"]
    words, names = batches.attrs["states"], batches.attrs["outputs"]
    columns = {name: batches[name][:] for name in ("start", "stop", "status", "sha256", "record")}
    records = []
    for row, rest in enumerate(columns["record"]):
        digests = zip(names, columns["sha256"][row], strict=True)
        records.append(
            {
                **json.loads(str(rest)),
                "draws": [int(columns["start"][row]), int(columns["stop"][row])],
                "status": {word: int(n) for word, n in zip(words, columns["status"][row], strict=True) if n},
                "sha256": {name: digest.tobytes().hex() for name, digest in digests if digest.any()},
            }
        )
    return records


def _consolidate(making: Path) -> None:
    with warnings.catch_warnings():
        # As in storage.cube: xarray warns where they are missing, zarr where they are written; readers win.
        warnings.filterwarnings("ignore", "Consolidated metadata is currently not part", ZarrUserWarning)
        warnings.filterwarnings("ignore", "Object at .* is not recognized as a component", ZarrUserWarning)
        zarr.consolidate_metadata(os.fspath(making), zarr_format=3)


def _variable_of(array: zarr.Array) -> Variable:
    dims = tuple(array.metadata.dimension_names)
    return Variable(array.basename, dims, cast("DType", str(array.dtype)), array.attrs.asdict())
