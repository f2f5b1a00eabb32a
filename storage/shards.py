"""Find damage where it would pass for missing data: shards that are not there, shards that cannot be decoded."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
import zarr
from xarray.backends import BackendArray
from xarray.core import indexing

from storage.errors import CubeDamagedError
from storage.files import Place, list_files
from storage.layout import Layout, Variable
from storage.records import Records
from storage.remote import RemotePath, at_once

SHOWN = 3
WHAT_TO_DO = "restore them, or remove the commit records of these batches under run/commits and run the study again"


def check_shards(root: Place, layout: Layout, records: Records, of_run: bool = False) -> None:
    """Make sure that every shard of what is committed is there, by one listing for each variable.

    ``of_run``: the run variables too, which no reader of the results needs.

    Raises
    ------
    CubeDamagedError
        Where one is missing; the message names up to `SHOWN` of them.
    """
    if not records:
        return
    names: dict[Any, set[str]] = {}  # variables of like shape have shards of the same names

    def expected(variable: Variable) -> set[str]:
        shape = (len(variable.dims), variable.dims[1:2], variable.across)
        if shape not in names:
            names[shape] = set(_names(layout, variable, records))
        return names[shape]

    wanted = {variable.name: expected(variable) for variable in layout.variables}
    if of_run:
        wanted |= {f"run/{variable.name}": expected(variable) for variable in layout.run_variables}
    _check(root, wanted, WHAT_TO_DO)


def check_files(root: Place, layout: Layout, block: int) -> None:
    """The same for a compacted cube, whose shards hold `block` draws."""
    blocks = range(math.ceil(layout.draws / block))
    expected = {
        variable.name: {f"c.{number}{'.0' * (len(variable.dims) - 1)}" for number in blocks}
        for variable in layout.variables
    }
    _check(root, expected, "compact the cube anew that it was made from")


def _check(root: Place, expected: Mapping[str, set[str]], what_to_do: str) -> None:
    def missing(name: str) -> list[str]:
        return sorted(expected[name] - set(list_files(root / name)))

    listed = at_once(missing, expected) if isinstance(root, RemotePath) else map(missing, expected)
    lost = [f"{name}/{file}" for name, found in zip(expected, listed, strict=True) for file in found]
    if lost:
        more = f" and {len(lost) - SHOWN} more" if len(lost) > SHOWN else ""
        raise CubeDamagedError(f"{root}: committed, but missing: {', '.join(lost[:SHOWN])}{more}; {what_to_do}")


def _names(layout: Layout, variable: Variable, records: Records) -> Iterator[str]:
    for batch, generation in records:
        if layout.is_written(variable, generation):
            yield from shard_names(layout, variable, batch, generation)


def shard_names(layout: Layout, variable: Variable, batch: int, generation: int) -> list[str]:
    """Return the files of a variable, in its directory, that hold a generation of a batch."""
    columns = layout.shard_columns(variable, generation)
    return [layout.shard_name(variable, batch, column) for column in columns]


@contextmanager
def decoding(what: object) -> Iterator[None]:
    """Turn what the codecs raise for bytes that are not theirs into CubeDamagedError, which names `what`."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        raise CubeDamagedError(f"{what} cannot be decoded: {error}; restore the file, or see wattbit verify") from error


class DecodedArray(BackendArray):
    """An array of a cube, read when asked for; what cannot be decoded raises CubeDamagedError with variable and files."""

    def __init__(self, array: zarr.Array, place: Place) -> None:
        self.array, self.place = array, place
        self.shape, self.dtype = array.shape, np.dtype(array.dtype)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Read a part, as xarray asks for it."""
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, key: tuple[Any, ...]) -> npt.NDArray[Any]:
        with decoding(f"{self.place}: {self._files(key)}"):
            values: npt.NDArray[Any] = np.asarray(self.array[key])
            return values

    def _files(self, key: tuple[Any, ...]) -> str:
        """The files that hold a part, as c.12.0.0, or from which on to which."""
        cut = self.array.shards or self.array.chunks
        ends = [(part, part) if isinstance(part, int) else self._ends(part, axis) for axis, part in enumerate(key)]
        first, last = (
            "c." + ".".join(str(end[side] // size) for end, size in zip(ends, cut, strict=True)) for side in (0, 1)
        )
        return first if first == last else f"{first} to {last}"

    def _ends(self, part: slice, axis: int) -> tuple[int, int]:
        places = range(self.shape[axis])[part]
        return (min(places[0], places[-1]), max(places[0], places[-1])) if places else (0, 0)


def open_lazily(group: zarr.Group, root: Place) -> xr.Dataset:
    """Open the root group of a cube, everything but its labels read on use through `DecodedArray`."""
    with decoding(f"{root}: a label or a draw's number"):
        place = os.fspath(root) if isinstance(root, Path) else group.store_path
        dataset: xr.Dataset = xr.open_zarr(place, chunks=None, zarr_format=3, consolidated=True)
    lazy = {
        name: xr.Variable(
            variable.dims,
            indexing.LazilyIndexedArray(DecodedArray(group[str(name)], root / str(name))),
            variable.attrs,
            variable.encoding,
        )
        for name, variable in dataset.variables.items()
        if name not in dataset.indexes
    }
    coords = {name: variable for name, variable in lazy.items() if name in dataset.coords}
    rest = {name: variable for name, variable in lazy.items() if name not in coords}
    return dataset.assign(rest).assign_coords(coords)
