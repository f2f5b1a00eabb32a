"""Create a cube whole from its layout and its draw table, and recognise one that exists.

The store is plain Zarr (format 3) with consolidated metadata, readable by ``xr.open_zarr(path)``. Labels and other
text are variable-length strings. (Walked without the consolidated metadata, zarr warns that the JSON files under
``run`` are none of its own; they are not.) Everything outside the group ``run`` depends on the layout, the draw
table and the arrays alone: no clock, no host and no order of writing enters a byte of it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import xarray as xr
import zarr
from zarr.codecs import ZstdCodec
from zarr.errors import ZarrUserWarning

from storage.errors import CubeDamagedError, FormatTooNewError, LayoutError, NotACubeError
from storage.files import Place, StorePath, creating_file, json_bytes, parsed, root_of, zarr_place
from storage.layout import GROWS, DType, Layout, Variable, plain_attrs
from storage.making import make_whole, refuse_taken
from storage.remote import at_once
from storage.remote_zarr import CubeStore

FORMAT = 2
"""The number of the format written here, kept as ``wattbit_format`` in the root attributes.

1: one generation of configurations, no tables, chunks of draw table and labels as long as these. Read, not extended.
2: generations, tables, chunks of a fixed length, so that what a cube has may grow.
"""

INPUT_CHUNK, LABEL_CHUNK = 65_536, 1024
"""Draws in one chunk of the draw table, labels in one of a coordinate: fixed, so that a longer table begins with the
chunks of the shorter one."""

ZSTD_LEVEL = 3
"""A fixed level: the same arrays make the same bytes. The frame checksum finds damage when a chunk is read."""


def create_cube(
    path: StorePath,
    layout: Layout,
    inputs: xr.Dataset,
    study: Mapping[str, Any],
    title: str = "Sweep of draws",
    tables: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Create an empty cube: all metadata, the labels and the draw table, no batch.

    It is there whole or not at all; `storage.making.make_whole` tells how.

    Parameters
    ----------
    path : path
        A local directory that does not exist yet, whose parents are made, or an address where nothing lies.
    layout : Layout
        Variables, labels, draws and batches.
    inputs : xarray.Dataset
        The draw table: variables over ``draw`` alone (numbers, booleans or strings) and the integer coordinate
        ``replicate(draw)``. Its attributes become root attributes. A coordinate ``draw``, where there is one, must count from 0.
    study : mapping
        The record of the study, anything that JSON can hold. Kept in ``run/study.json``.
    title : str
        The title in the root attributes.
    tables : mapping of str to bytes
        Files that the study rests on, by the names under which they are kept in ``run/tables``.

    Raises
    ------
    CubeExistsError
        Where something lies at `path` already, or another process makes a cube there.
    LayoutError
        Where the draw table does not fit the layout, or an attribute or `study` cannot be written as JSON.
    """
    root = root_of(path)
    refuse_taken(root)
    check_inputs(layout, inputs)
    study_text = json_bytes(plain_attrs("the study", study))

    def write(making: Path) -> None:
        write_template(making, layout, inputs, title)
        (making / "run" / "commits").mkdir()
        (making / "run" / "partial").mkdir()
        write_study(making, study_text, tables)

    make_whole(root, write)


def write_study(making: Path, study_text: bytes, tables: Mapping[str, bytes]) -> None:
    """Write the record of the study and its tables into the local directory of a cube that is being made."""
    (making / "run" / "study.json").write_bytes(study_text)
    (making / "run" / "tables").mkdir()
    for name, content in tables.items():
        (making / "run" / "tables" / name).write_bytes(content)


def open_root(path: StorePath) -> zarr.Group:
    """Return the root group of the cube at `path`, opened for reading.

    Raises
    ------
    NotACubeError
        Where there is no cube.
    FormatTooNewError
        Where a newer program wrote it.
    CubeDamagedError
        Where its root metadata cannot be read.
    """
    root = root_of(path)
    metadata = root / "zarr.json"
    try:
        found = metadata.read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotACubeError(f"{root} is no cube: {_found_at(root)}") from error
    content = parsed(metadata, found)
    attributes = content.get("attributes")
    number = attributes.get("wattbit_format") if isinstance(attributes, dict) else None
    if not isinstance(number, int) or number < 1:
        raise NotACubeError(f"{root} is no cube: wattbit_format = {number!r}, expected 1 to {FORMAT}")
    if number > FORMAT:
        raise FormatTooNewError(f"{root} has wattbit_format = {number}, this program reads 1 to {FORMAT}: update it")
    if not isinstance(content.get("consolidated_metadata"), dict):
        raise CubeDamagedError(f"{metadata} has no consolidated metadata, which every cube is made with")
    return zarr.open_group(zarr_place(root, found), mode="r", zarr_format=3, use_consolidated=True)


def _found_at(root: Place) -> str:
    if isinstance(root, Path):
        if root.is_dir():
            return "there is no zarr.json in it"
        return "it is a file" if root.exists() else "nothing is there"
    if not root.is_dir():
        return "nothing is there"
    making = creating_file(root).exists()
    return "it was never made to the end, or is being made" if making else "there is no zarr.json in it"


def read_layout(path: StorePath) -> Layout:
    """Return the layout of the cube at `path`, equal to the one it was created with; errors as `open_root`.

    Raises
    ------
    CubeDamagedError
        Where a variable of the layout is missing, or not cut into the cube's batches.
    """
    return layout_of(open_root(path))


def layout_of(group: zarr.Group) -> Layout:
    """Return the layout of the cube whose root group is open."""
    arrays = [array for name, array in group.arrays() if array.metadata.dimension_names == (name,) and name != "draw"]

    def labels(array: zarr.Array) -> tuple[str, ...]:
        try:
            return tuple(str(label) for label in array[:])
        except (RuntimeError, ValueError) as error:  # what the codecs raise where they cannot decode
            raise CubeDamagedError(
                f"{group.store_path}: the labels of {array.basename} cannot be decoded: {error}"
            ) from error

    found = at_once(labels, arrays) if isinstance(group.store, CubeStore) else map(labels, arrays)
    coords = {array.basename: each for array, each in zip(arrays, found, strict=True)}
    try:
        batch = group.attrs["wattbit_batch"]
        across = group.attrs.get("wattbit_across", [])  # formats before 2 had one generation, and no need of it
        outputs = tuple(_variable_of(group[name], name in across) for name in group.attrs["wattbit_outputs"])
        run = tuple(_variable_of(group["run"][name], False) for name in group["run"].attrs["variables"])
        draws = int(group["draw"].shape[0])
        layout = Layout(outputs, coords, draws, batch, run, tuple(group.attrs.get("wattbit_generations", ())))
        for owner, variables in ((group, outputs), (group["run"], run)):
            for variable in variables:
                _check_cut(layout, variable, owner[variable.name])
    except KeyError as error:
        raise CubeDamagedError(f"{group.store_path}: no variable or attribute {error}") from error
    return layout


def _variable_of(array: zarr.Array, across: bool) -> Variable:
    dtype = cast("DType", str(array.dtype))
    return Variable(array.basename, tuple(array.metadata.dimension_names), dtype, array.attrs.asdict(), across)


def _check_cut(layout: Layout, variable: Variable, array: zarr.Array) -> None:
    cut, expected = array.shards or array.chunks, layout.shard(variable)
    if cut != expected:
        # One writer for each file is what keeps rows from being lost; a cube cut otherwise must not be written to.
        batches = f"shards of {cut[0]} draws, expected batches of {expected[0]}"
        other = f"shards of {cut}, expected {expected}"
        raise CubeDamagedError(f"{array.store_path}: {batches if cut[0] != expected[0] else other}")


def check_inputs(layout: Layout, inputs: xr.Dataset) -> None:
    """Refuse a draw table that does not fit the layout; see `create_cube`."""
    if inputs.sizes.get("draw") != layout.draws:
        raise LayoutError(f"the draw table has {inputs.sizes.get('draw')} draws, the layout {layout.draws}")
    if "draw" in inputs.coords and not np.array_equal(inputs["draw"].values, np.arange(layout.draws)):
        raise LayoutError(f"the coordinate 'draw' of the draw table must count from 0 to {layout.draws - 1}")
    if "replicate" not in inputs.coords or inputs["replicate"].dtype.kind not in "iu":
        raise LayoutError("the draw table needs an integer coordinate 'replicate' over 'draw'")
    taken = {variable.name for variable in layout.variables} | set(layout.coords) | {"run"}
    for name, array in inputs.variables.items():
        if name in taken:
            raise LayoutError(f"draw table: the name {name!r} is taken by the layout")
        if array.dims != ("draw",):
            raise LayoutError(f"draw table: {name!r} has dims {array.dims}, expected ('draw',)")
        if array.dtype.kind not in "biufOTU":
            raise LayoutError(f"draw table: {name!r} has dtype {array.dtype}, expected numbers, booleans or strings")
        if array.dtype.kind == "O" and not all(isinstance(value, str) for value in array.values):
            raise LayoutError(f"draw table: {name!r} mixes strings with other things, expected strings only")


def write_template(root: Path, layout: Layout, inputs: xr.Dataset, title: str) -> None:
    """Write all metadata, the labels and the draw table of a cube into the new directory `root`."""
    of_draws = plain_attrs("the draw table", inputs.attrs)
    attributes = {
        **of_draws,
        "title": title,
        "Conventions": "CF-1.11",
        "coordinates": "replicate",
        "wattbit_format": FORMAT,
        "wattbit_batch": layout.batch,
        "wattbit_generations": list(layout.generations),
        "wattbit_across": [variable.name for variable in layout.variables if variable.across],
        "wattbit_outputs": [variable.name for variable in layout.variables],
        "wattbit_inputs": [str(name) for name in inputs.data_vars],
    }
    group = zarr.create_group(os.fspath(root), zarr_format=3, attributes=attributes)
    run_attributes = {
        "variables": [variable.name for variable in layout.run_variables],
        "draw_table_attrs": of_draws,
    }
    run = group.create_group("run", attributes=run_attributes)
    for dim, labels in layout.coords.items():
        chunk = LABEL_CHUNK if dim == GROWS else len(labels)
        _write_full(group, dim, dim, np.array(labels, dtype=object), {"long_name": dim}, chunk)
    draw = np.arange(layout.draws, dtype=np.int64)
    for owner in (group, run):
        _write_full(owner, "draw", "draw", draw, inputs["draw"].attrs, INPUT_CHUNK)
    for name in ("replicate", *inputs.data_vars):
        _write_full(group, str(name), "draw", inputs[name].values, inputs[name].attrs, INPUT_CHUNK)
    for owner, variables in ((group, layout.variables), (run, layout.run_variables)):
        for variable in variables:
            _create_empty(owner, layout, variable)
    with warnings.catch_warnings():
        # xarray warns when it opens a store without consolidated metadata, zarr when it writes them; readers win.
        warnings.filterwarnings("ignore", "Consolidated metadata is currently not part", ZarrUserWarning)
        zarr.consolidate_metadata(os.fspath(root), zarr_format=3)


def _write_full(
    group: zarr.Group, name: str, dim: str, values: npt.NDArray[Any], attrs: Mapping[Any, Any], chunk: int
) -> None:
    text = values.dtype.kind in "OTU"
    array = group.create_array(
        name,
        shape=values.shape,
        dtype=str if text else values.dtype,
        chunks=(chunk,),
        compressors=ZstdCodec(level=ZSTD_LEVEL, checksum=True),
        chunk_key_encoding={"name": "default", "separator": "."},
        dimension_names=(dim,),
        attributes=plain_attrs(f"variable {name!r}", attrs),
        config={"write_empty_chunks": True},
    )
    array[:] = values.astype(object) if text else values


def _create_empty(group: zarr.Group, layout: Layout, variable: Variable) -> None:
    shard, inner = layout.shard(variable), layout.inner_chunk(variable)
    group.create_array(
        variable.name,
        shape=layout.shape(variable),
        dtype=variable.dtype,
        shards=shard if inner != shard else None,
        chunks=inner,
        fill_value=variable.fill,
        compressors=ZstdCodec(level=ZSTD_LEVEL, checksum=True),
        # All files of a variable in one directory: one flush makes their names durable.
        chunk_key_encoding={"name": "default", "separator": "."},
        dimension_names=variable.dims,
        attributes=dict(variable.attrs),
    )
