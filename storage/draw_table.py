"""Check and write the draw table of a cube, a block of draws at a time: it need not be in memory as a whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import xarray as xr
import zarr
from zarr.codecs import ZstdCodec

from storage.errors import LayoutError
from storage.layout import Layout, plain_attrs

INPUT_CHUNK = 65_536
"""Draws in one chunk of the draw table: fixed, so that a longer table begins with the chunks of the shorter one."""

ZSTD_LEVEL = 3
"""A fixed level: the same arrays make the same bytes. The frame checksum finds damage when a chunk is read."""


class Rows(Protocol):
    """A draw table of which any rows can be had."""

    @property
    def draws(self) -> int:
        """Rows of the whole table."""

    def rows(self, start: int, stop: int) -> xr.Dataset:
        """Return the rows [start, stop), all with the same names, attributes and types."""


@dataclass(frozen=True, eq=False)
class _Held:
    """A table that is in memory."""

    table: xr.Dataset

    @property
    def draws(self) -> int:
        return self.table.sizes["draw"]

    def rows(self, start: int, stop: int) -> xr.Dataset:
        return self.table.isel(draw=slice(start, stop))


def as_rows(layout: Layout, inputs: xr.Dataset | Rows) -> Rows:
    """Return the rows of a draw table that fits the layout, as far as its first block tells; see `create_cube`."""
    if isinstance(inputs, xr.Dataset):
        if "draw" not in inputs.sizes:
            raise LayoutError(f"the draw table has {inputs.sizes.get('draw')} draws, the layout {layout.draws}")
        inputs = _Held(inputs)
    if inputs.draws != layout.draws:
        raise LayoutError(f"the draw table has {inputs.draws} draws, the layout {layout.draws}")
    check_block(layout, inputs.rows(0, min(INPUT_CHUNK, layout.draws)), 0)
    return inputs


def check_block(layout: Layout, block: xr.Dataset, start: int) -> None:
    """Refuse rows of a draw table, of which the first is draw `start`, that do not fit the layout; see `create_cube`."""
    if "draw" in block.coords and not np.array_equal(
        block["draw"].values, np.arange(start, start + block.sizes["draw"])
    ):
        raise LayoutError(f"the coordinate 'draw' of the draw table must count from 0 to {layout.draws - 1}")
    if "replicate" not in block.coords or block["replicate"].dtype.kind not in "iu":
        raise LayoutError("the draw table needs an integer coordinate 'replicate' over 'draw'")
    taken = {variable.name for variable in layout.variables} | set(layout.coords) | {"run"}
    for name, array in block.variables.items():
        if name in taken:
            raise LayoutError(f"draw table: the name {name!r} is taken by the layout")
        if array.dims != ("draw",):
            raise LayoutError(f"draw table: {name!r} has dims {array.dims}, expected ('draw',)")
        if array.dtype.kind not in "biufOTU":
            raise LayoutError(f"draw table: {name!r} has dtype {array.dtype}, expected numbers, booleans or strings")
        if array.dtype.kind == "O" and not all(isinstance(value, str) for value in array.values):
            raise LayoutError(f"draw table: {name!r} mixes strings with other things, expected strings only")


def blocks(rows: Rows, draws: int | None = None) -> Iterator[tuple[int, xr.Dataset]]:
    """Yield the rows, or the first `draws` of them, chunk by chunk of the table, each with the number of its first draw."""
    end = rows.draws if draws is None else draws
    for start in range(0, end, INPUT_CHUNK):
        yield start, rows.rows(start, min(start + INPUT_CHUNK, end))


def write_draws(root: zarr.Group, run: zarr.Group, layout: Layout, rows: Rows) -> None:
    """Write the draw table into the root group, and its numbers of draws into both."""
    arrays: dict[tuple[str, str], zarr.Array[Any]] = {}
    for start, block in blocks(rows):
        check_block(layout, block, start)
        stop = start + block.sizes["draw"]
        numbers = np.arange(start, stop, dtype=np.int64)
        columns = {str(name): block[name].values for name in ("replicate", *block.data_vars)}
        for group, name, values in (
            (root, "draw", numbers),
            (run, "draw", numbers),
            *((root, *c) for c in columns.items()),
        ):
            if start == 0:
                arrays[group.path, name] = create_full(
                    group, name, "draw", layout.draws, values.dtype, block[name].attrs, INPUT_CHUNK
                )
            arrays[group.path, name][start:stop] = values.astype(object) if values.dtype.kind in "OTU" else values


def create_full(
    group: zarr.Group, name: str, dim: str, length: int, dtype: npt.DTypeLike, attrs: Mapping[Any, Any], chunk: int
) -> zarr.Array[Any]:
    """Create an array over one dimension whose chunks are all written, for numbers or strings."""
    return group.create_array(
        name,
        shape=(length,),
        dtype=str if np.dtype(dtype).kind in "OTU" else dtype,
        chunks=(chunk,),
        compressors=ZstdCodec(level=ZSTD_LEVEL, checksum=True),
        chunk_key_encoding={"name": "default", "separator": "."},
        dimension_names=(dim,),
        attributes=plain_attrs(f"variable {name!r}", attrs),
        config={"write_empty_chunks": True},
    )
