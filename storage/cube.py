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
import xarray as xr
import zarr
from zarr.codecs import ZstdCodec
from zarr.errors import ZarrUserWarning

from storage.draw_table import ZSTD_LEVEL, Rows, as_rows, create_full, write_draws
from storage.errors import CubeDamagedError, FormatTooNewError, NotACubeError
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

LABEL_CHUNK = 1024
"""Labels in one chunk of a coordinate: fixed, so that what a cube has may grow."""


def create_cube(
    path: StorePath,
    layout: Layout,
    inputs: xr.Dataset | Rows,
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
    inputs : xarray.Dataset or Rows
        The draw table: variables over ``draw`` alone (numbers, booleans or strings) and the integer coordinate
        ``replicate(draw)``. Its attributes become root attributes. A coordinate ``draw``, where there is one, must count
        from 0. As `Rows`, no more than a chunk of it is asked for at a time.
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
    rows = as_rows(layout, inputs)
    study_text = json_bytes(plain_attrs("the study", study))

    def write(making: Path) -> None:
        write_template(making, layout, rows, title)
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
    held = dict(group.arrays())  # each made once: there are some forty, and layouts are read often
    arrays = [array for name, array in held.items() if array.metadata.dimension_names == (name,) and name != "draw"]

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
        of_run = group["run"]
        held_of_run = dict(of_run.arrays())
        outputs = tuple(_variable_of(held[name], name in across) for name in group.attrs["wattbit_outputs"])
        run = tuple(_variable_of(held_of_run[name], False) for name in of_run.attrs["variables"])
        draws = int(held["draw"].shape[0])
        layout = Layout(outputs, coords, draws, batch, run, tuple(group.attrs.get("wattbit_generations", ())))
        for owner, variables in ((held, outputs), (held_of_run, run)):
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


def write_template(root: Path, layout: Layout, rows: Rows, title: str) -> None:
    """Write all metadata, the labels and the draw table of a cube into the new directory `root`."""
    inputs = rows.rows(0, 1)
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
        array = create_full(group, dim, dim, len(labels), np.dtype(object), {"long_name": dim}, chunk)
        array[:] = np.array(labels, dtype=object)
    write_draws(group, run, layout, rows)
    for owner, variables in ((group, layout.variables), (run, layout.run_variables)):
        for variable in variables:
            _create_empty(owner, layout, variable)
    with warnings.catch_warnings():
        # xarray warns when it opens a store without consolidated metadata, zarr when it writes them; readers win.
        warnings.filterwarnings("ignore", "Consolidated metadata is currently not part", ZarrUserWarning)
        zarr.consolidate_metadata(os.fspath(root), zarr_format=3)


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
