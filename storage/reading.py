"""Open a cube as labelled arrays in which only committed batches show, and say how far it has come."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import xarray as xr
import zarr

from storage.compacted import MARK, layout_of_compacted, open_compacted, read_batches
from storage.cube import layout_of, open_root
from storage.draw_table import INPUT_CHUNK
from storage.errors import CubeDamagedError
from storage.files import Place, StorePath, list_files, read_json, read_many, root_of, study_file, tables_directory
from storage.layout import GROWS, Layout, Variable
from storage.records import committed_batches, committed_cells, is_whole, read_records
from storage.shards import check_shards, decoding, open_lazily
from storage.summaries import Summary, kept_summary, merge, summarise

Read = TypeVar("Read")


@dataclass(frozen=True)
class CubeProgress:
    """How far a cube has come.

    Attributes
    ----------
    draws : int
        Draws of the whole cube.
    draws_committed : int
        Draws that are committed for all configurations.
    status_counts : mapping of str to int
        Cells (draws times configurations) by the word of their status, zeros included; the cells of missing batches
        are counted under the word of 0. They add up to the cells of the whole cube.
    missing_batches : tuple of int
        Numbers of the batches that are not committed whole, in order.
    """

    draws: int
    draws_committed: int
    status_counts: Mapping[str, int]
    missing_batches: tuple[int, ...]


def _once_more(read: Callable[[StorePath], Read]) -> Callable[[StorePath], Read]:
    """Read a second time where damage is found: an extension that was put into place meanwhile looks like one."""

    @wraps(read)
    def again(path: StorePath) -> Read:
        try:
            return read(path)
        except CubeDamagedError:
            return read(path)

    return again


@_once_more
def open_cube(path: StorePath) -> xr.Dataset:
    """Open a cube, its outputs lazily, with everything in uncommitted batches masked.

    Where a batch has no commit record, floats are NaN and integers 0 (status: nothing was run), whatever bytes a
    writer may have left there. Where configurations were added and are not solved yet in a draw, they alone are
    masked, and with them what compares all configurations (`Variable.across`). Outputs are dask arrays cut as the
    files are, one batch of draws and the whole of every other dimension. The draw table is no dask array: its numbers
    are read on first use, its text at once. It is cut otherwise, and is valid for every draw from the start.

    A compacted cube opens the same way, with larger chunks and the further attribute ``compacted``: nothing in it is
    left to be masked.

    Parameters
    ----------
    path : path
        The cube. Batches committed later show when it is opened anew.

    Returns
    -------
    xarray.Dataset
        Draw table and outputs with their units; attributes ``draws_total`` and ``draws_committed`` (draws).

    Raises
    ------
    NotACubeError, FormatTooNewError
        Where there is no cube that this program can read.
    CubeDamagedError
        Where a commit record cannot be read, or a shard of what is committed is missing. Later, where a part that is
        asked for cannot be decoded.
    StoreUnavailableError, StoreRefusedError
        Where an object store does not answer, or does not let this program read. Later too.
    """
    root = root_of(path)
    group = open_root(path)
    if MARK in group.attrs:
        return _with_python_strings(open_compacted(path))
    layout = layout_of(group)
    records = read_records(root, layout)
    check_shards(root, layout, records)
    cells = committed_cells(layout, records)
    dataset = open_lazily(group, root)
    chunks = {"draw": layout.batch, **dict.fromkeys(layout.coords, -1)}
    outputs = {}
    for variable in layout.variables:
        output = dataset[variable.name].chunk({dim: chunks[dim] for dim in variable.dims})
        if not cells.all():
            committed = _mask(layout, variable, cells).chunk({"draw": layout.batch})
            output = output.where(committed, variable.fill)
        outputs[variable.name] = output.variable
    dataset = _with_python_strings(dataset.assign(outputs))
    return dataset.assign_attrs(draws_total=layout.draws, draws_committed=int(cells.all(axis=1).sum()))


def read_inputs(path: StorePath) -> xr.Dataset:
    """Return the draw table as it was given to `create_cube`, in memory; errors as `open_cube`."""
    group = open_root(path)
    names = group.attrs["wattbit_inputs"]
    stored = open_lazily(group, root_of(path))
    inputs = _with_python_strings(stored[names].load())
    inputs.attrs = dict(group["run"].attrs["draw_table_attrs"])
    return inputs


def input_blocks(path: StorePath) -> Iterator[tuple[int, xr.Dataset]]:
    """Yield the draw table chunk by chunk, each with the number of its first draw; errors as `open_cube`."""
    group = open_root(path)
    stored = open_lazily(group, root_of(path))[group.attrs["wattbit_inputs"]]
    for start in range(0, stored.sizes["draw"], INPUT_CHUNK):
        yield start, _with_python_strings(stored.isel(draw=slice(start, start + INPUT_CHUNK)).load())


def read_study(path: StorePath) -> dict[str, Any]:
    """Return the record of the study as it was given to `create_cube`; errors as `open_cube`."""
    open_root(path)
    return read_json(study_file(root_of(path)))


def read_labels(path: StorePath, dim: str) -> list[str]:
    """Return the labels of a dimension, whatever state the rest of the cube is in; errors as `open_root`."""
    group = open_root(path)
    with decoding(f"{root_of(path)}: {dim}"):
        return [str(label) for label in group[dim][:]]


def read_run(path: StorePath) -> xr.Dataset:
    """Return the run variables over draw and whatever else they have, in memory; errors as `open_cube`.

    What has no commit record is not masked: see ``status`` for what counts.
    """
    group = open_root(path)
    run = group["run"]
    labels = {name: group[name] for name, array in group.arrays() if array.metadata.dimension_names == (name,)}
    with decoding(f"{root_of(path)}: a run variable"):
        return xr.Dataset(
            {
                name: (run[name].metadata.dimension_names, run[name][:], run[name].attrs.asdict())
                for name in run.attrs["variables"]
            },
            {name: array[:].astype(object) for name, array in labels.items() if name != "draw"},
        )


def read_commits(path: StorePath) -> list[dict[str, Any]]:
    """Return every commit record, in order, those that a compacted cube keeps included; errors as `open_cube`."""
    group = open_root(path)
    if MARK in group.attrs:
        return read_batches(group)
    return list(read_records(root_of(path), layout_of(group)).values())


def read_tables(path: StorePath) -> dict[str, Place]:
    """Return the files that the study rests on, as they were given to `create_cube`, by their names; errors as `open_cube`."""
    open_root(path)
    directory = tables_directory(root_of(path))
    return {name: directory / name for name in list_files(directory)}


@contextmanager
def local_tables(path: StorePath) -> Iterator[dict[str, Path]]:
    """Give the files of `read_tables` as local ones: themselves, or for the time of the context copies of them."""
    tables = read_tables(path)
    with tempfile.TemporaryDirectory(prefix="wattbit-") as folder:
        local = {}
        for (name, file), content in zip(tables.items(), read_many(tables.values()), strict=True):
            local[name] = file if isinstance(file, Path) else Path(folder) / name
            if not isinstance(file, Path):
                local[name].write_bytes(content)
        yield local


@_once_more
def cube_progress(path: StorePath) -> CubeProgress:
    """Return how far the cube has come, from the commit records alone; errors as `open_cube`."""
    group = open_root(path)
    if MARK in group.attrs:
        return _compacted_progress(group)
    layout = layout_of(group)
    records = read_records(root_of(path), layout)
    cells = committed_cells(layout, records)
    counts = Counter(dict.fromkeys(layout.status_meanings.values(), 0))
    for record in records.values():
        counts.update(record["status"])
    counts[layout.status_meanings[0]] += int(np.prod(layout.shape(layout.status))) - sum(counts.values())
    missing = tuple(batch for batch in range(layout.batches) if not is_whole(layout, records, batch))
    return CubeProgress(layout.draws, int(cells.all(axis=1).sum()), dict(counts), missing)


def read_summary(path: StorePath) -> Summary:
    """Sum up all committed draws of a cube, from the summaries kept in it where they are; errors as `open_cube`.

    What has none is read whole and summed up, which takes longer and leaves nothing behind.
    """
    root, group = root_of(path), open_root(path)
    if MARK in group.attrs:
        layout, block = layout_of_compacted(group), group.attrs[MARK]["block"]
        bounds = [(start, min(start + block, layout.draws)) for start in range(0, layout.draws, block)]
    else:
        layout = layout_of(group)
        bounds = [layout.bounds(batch) for batch in committed_batches(path)]
    cube: xr.Dataset | None = None
    parts = []
    for start, stop in bounds:
        kept = kept_summary(root, layout, start, stop)
        if kept is None:
            cube = open_cube(path) if cube is None else cube
            draws = cube.isel(draw=slice(start, stop))
            kept = summarise(layout, start, {each.name: draws[each.name].values for each in layout.variables})
        parts.append(kept)
    empty = {each.name: np.empty(layout.shape(each, 0), each.dtype) for each in layout.variables}
    return merge(parts or [summarise(layout, 0, empty)])


def _compacted_progress(group: zarr.Group) -> CubeProgress:
    mark, draws = group.attrs[MARK], int(group["draw"].shape[0])
    return CubeProgress(draws, mark["draws_committed"], mark["status"], tuple(mark["missing_batches"]))


def _with_python_strings(dataset: xr.Dataset) -> xr.Dataset:
    # Zarr gives numpy's StringDType, with which some of xarray (idxmin, filling with NaN) cannot work yet.
    text = [name for name, array in dataset.variables.items() if array.dtype.kind == "T"]
    return dataset.assign({name: dataset[name].astype(object) for name in text})


def _mask(layout: Layout, variable: Variable, cells: npt.NDArray[np.bool_]) -> xr.DataArray:
    """Where `variable` counts, given the committed cells (draws, generations)."""
    if variable.across:
        return xr.DataArray(cells.all(axis=1), dims="draw")
    if GROWS not in variable.dims or len(layout.generations) == 1:
        return xr.DataArray(cells[:, 0], dims="draw")
    return xr.DataArray(np.repeat(cells, layout.generations, axis=1), dims=("draw", GROWS))
