"""Add draws and configurations to a cube that exists: new metadata in place of the old, in one step.

What is stored keeps its files. The new metadata, draw table, study and tables are laid out beside the cube's own,
flushed, and given their name, ``run/extension``, in one step: from then on the cube is extended, whoever puts the
files into place. (In an object store they are put there one by one, and the root metadata among them, put last, are
that step.) They go into place one after the other, the root metadata last, so that a reader finds the cube either as
it was or extended: the longer draw table begins with the shorter one, in chunks of a fixed length.
"""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from storage.cube import layout_of, open_root, write_study, write_template
from storage.draw_table import Rows, as_rows
from storage.errors import LayoutError
from storage.files import (
    StorePath,
    extension_directory,
    json_bytes,
    partial_directory,
    put_file,
    remove_file,
    root_of,
    sync_directory,
    sync_tree,
)
from storage.layout import GROWS, Layout, plain_attrs
from storage.making import remove_files, upload
from storage.reading import input_blocks
from storage.remote import RemotePath, at_once


def extend_cube(
    path: StorePath,
    layout: Layout,
    inputs: xr.Dataset | Rows,
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
    inputs : xarray.Dataset or Rows
        The longer draw table; its first rows are those of the cube. See `create_cube`.
    study : mapping
        The record of the study in place of the one there.
    tables : mapping of str to bytes
        As for `create_cube`; a table of the same name is replaced, others are kept.

    Raises
    ------
    LayoutError
        Where `layout` or `inputs` are no continuation of what is there.
    """
    root, group = root_of(path), open_root(path)
    finish_extension(path)
    _check_growth(layout_of(group), layout, int(group.attrs["wattbit_format"]))
    rows = as_rows(layout, inputs)
    for start, held in input_blocks(path):
        _check_rows(held, rows.rows(start, start + held.sizes["draw"]))
    study_text = json_bytes(plain_attrs("the study", study))
    title = str(group.attrs["title"])

    def write(staged: Path) -> None:
        write_template(staged, layout, rows, title)
        write_study(staged, study_text, tables)

    if isinstance(root, RemotePath):
        _decide_remotely(root, write)
    else:
        _decide(root, write)
    finish_extension(path)


def _decide(root: Path, write: Callable[[Path], None]) -> None:
    staged = partial_directory(root) / f"extension.{uuid.uuid4().hex}"
    try:
        write(staged)
        sync_tree(staged)
        staged.rename(root / "run" / "extension")
    except BaseException:
        shutil.rmtree(staged, ignore_errors=True)
        raise
    sync_directory(root / "run")


def _decide_remotely(root: RemotePath, write: Callable[[Path], None]) -> None:
    """The same where nothing can be renamed: the root metadata among the staged files, put last, decide."""
    place = root / "run" / "extension"
    remove_files(list(place.below()))  # of a process that was killed before it decided
    with tempfile.TemporaryDirectory(prefix="wattbit-") as folder:
        staged = Path(folder) / "cube.zarr"
        write(staged)
        upload(staged, place)
        put_file(root, place / "zarr.json", (staged / "zarr.json").read_bytes())


def is_being_extended(path: StorePath) -> bool:
    """Return whether an extension was decided on and is not in place: `finish_extension` puts it there."""
    staged = extension_directory(root_of(path))
    return staged.is_dir() if isinstance(staged, Path) else (staged / "zarr.json").exists()


def finish_extension(path: StorePath) -> None:
    """Put the rest of an extension into place, where one was decided on and its process did not get to the end."""
    root = root_of(path)
    if not is_being_extended(path):
        return
    if isinstance(root, RemotePath):
        _apply_remotely(root)
        return
    staged = root / "run" / "extension"
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


def _apply_remotely(root: RemotePath) -> None:
    """Copy what is staged into place, root metadata last; the staged ones are removed last, so that it can be redone."""
    staged = root / "run" / "extension"
    last = staged / "zarr.json"
    files = [file for file in staged.below() if file != last]
    for _ in at_once(lambda file: _copy(file, root / file.relative_to(staged)), files):
        pass
    _copy(last, root / "zarr.json")
    remove_files(files)
    remove_file(last)


def _copy(file: RemotePath, place: RemotePath) -> None:
    place.put(file.read_bytes())


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
        were, are = old[name].values, new[name].values
        same = were.tobytes() == are.tobytes() if were.dtype.kind in "biuf" else np.array_equal(were, are)
        if not same:
            raise LayoutError(f"the draw table does not begin with that of the cube: {name!r} differs")
