"""Add draws and configurations to a cube that exists: new metadata in place of the old, in one step.

What is stored keeps its files. The new metadata, draw table, study and tables are laid out beside the cube's own,
flushed, and given their name, ``run/extension``, in one step: from then on the cube is extended, whoever puts the
files into place. They go there one after the other, the root metadata last, so that a reader finds the cube either
as it was or extended: the longer draw table begins with the shorter one, in chunks of a fixed length.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from storage.cube import check_inputs, layout_of, open_root, write_study, write_template
from storage.errors import LayoutError
from storage.files import (
    StorePath,
    extension_directory,
    json_bytes,
    local_root,
    partial_directory,
    sync_directory,
    sync_tree,
)
from storage.layout import GROWS, Layout, plain_attrs
from storage.reading import read_inputs


def extend_cube(
    path: StorePath,
    layout: Layout,
    inputs: xr.Dataset,
    study: Mapping[str, Any],
    tables: Mapping[str, bytes] = MappingProxyType({}),
) -> None:
    """Give a cube the larger `layout`; whatever it holds stays committed, what is new is not there yet.

    The caller holds the cube's lease (`storage.lease`).

    Parameters
    ----------
    path : path
        The cube.
    layout : Layout
        As `Layout.grown` makes it from that of the cube.
    inputs : xarray.Dataset
        The longer draw table; its first rows are those of the cube.
    study : mapping
        The record of the study in place of the one there.
    tables : mapping of str to bytes
        As for `create_cube`; a table of the same name is replaced, others are kept.

    Raises
    ------
    LayoutError
        Where `layout` or `inputs` are no continuation of what is there.
    """
    root, group = local_root(path), open_root(path)
    finish_extension(path)
    _check_growth(layout_of(group), layout, int(group.attrs["wattbit_format"]))
    check_inputs(layout, inputs)
    _check_rows(read_inputs(path), inputs)
    study_text = json_bytes(plain_attrs("the study", study))
    staged = partial_directory(root) / f"extension.{uuid.uuid4().hex}"
    try:
        write_template(staged, layout, inputs, str(group.attrs["title"]))
        write_study(staged, study_text, tables)
        sync_tree(staged)
        staged.rename(extension_directory(root))
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    sync_directory(root / "run")
    finish_extension(path)


def is_being_extended(path: StorePath) -> bool:
    """Return whether an extension was decided on and is not in place: `finish_extension` puts it there."""
    return extension_directory(local_root(path)).is_dir()


def finish_extension(path: StorePath) -> None:
    """Put the rest of an extension into place, where one was decided on and its process did not get to the end."""
    root = local_root(path)
    staged = extension_directory(root)
    if not staged.is_dir():
        return
    last = staged / "zarr.json"
    files = [file for file in sorted(staged.rglob("*")) if file.is_file() and file != last]
    for file in files:
        _move(file, root / file.relative_to(staged))
    for directory in dict.fromkeys(root / file.parent.relative_to(staged) for file in files):
        sync_directory(directory)
    if last.exists():
        _move(last, root / "zarr.json")
        sync_directory(root)
    shutil.rmtree(staged)
    sync_directory(root / "run")


def _move(file: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    file.replace(place)


def _check_growth(old: Layout, new: Layout, number: int) -> None:
    if number < 2:
        raise LayoutError(f"wattbit_format = {number}: a cube of this format cannot be extended, expected 2 or more")
    count = len(old.generations)
    labels = new.coords.get(GROWS, ())[: sum(old.generations)]
    coords = {**new.coords, GROWS: labels} if GROWS in new.coords else new.coords
    begins = replace(new, draws=old.draws, coords=coords, generations=new.generations[:count])
    if new.draws < old.draws or begins != old:
        raise LayoutError("the larger layout does not begin with that of the cube: see Layout.grown")


def _check_rows(old: xr.Dataset, new: xr.Dataset) -> None:
    names = [*old.data_vars]
    if names != [*new.data_vars]:
        raise LayoutError(f"the draw table has {[*new.data_vars]}, the cube {names}")
    for name in ("replicate", *names):
        were, are = old[name].values, new[name].values[: old.sizes["draw"]]
        same = were.tobytes() == are.tobytes() if were.dtype.kind in "biuf" else np.array_equal(were, are)
        if not same:
            raise LayoutError(f"the draw table does not begin with that of the cube: {name!r} differs")
