"""Sum up batches: what a cube holds by outcome and configuration, merged from one small file per batch.

A summary has, for every cell of every float variable (a configuration; an area, ... where it has them), how many
draws are there, their mean, sum of squared deviations, least and largest value, and a sketch of the distribution for
each variable over draws and configurations alone. It follows from the batch and may be lost: a batch without one is
summed up when it is asked for. Merging is that of Chan, Golub and LeVeque (1979).
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from storage.errors import CubeDamagedError, LayoutError, nearest
from storage.files import Place, StorePath, put_file, read_bytes_or_none, root_of
from storage.layout import Layout, Variable
from storage.sketch import Sketch, merged, sketch

Array = npt.NDArray[Any]
PARTS = ("n", "mean", "m2", "low", "high")
COLUMNS_VALUES = 2_000_000
"""Values that are summed up at a time, which bounds the memory for a large block."""


@dataclass(frozen=True, eq=False)
class Summary:
    """What some draws of a cube hold.

    Attributes
    ----------
    layout : Layout
        Of the cube; it orders the cells.
    start, stop : int
        The draws lie in ``[start, stop)``.
    states : ndarray of int64
        Draws by configuration (or whatever `status` runs over) and state, in the order of ``status_meanings``.
    moments : ndarray of float64
        Shape (5, cells): `PARTS`, over the cells of all float variables one after the other.
    distribution : Sketch
        Of the variables over draw and configuration alone, their cells one after the other.
    """

    layout: Layout
    start: int
    stop: int
    states: Array
    moments: Array
    distribution: Sketch

    def of(self, name: str) -> xr.Dataset:
        """Return ``n``, ``mean``, ``sd``, ``low`` and ``high`` of one variable, over its dims but draw.

        Units are those of the variable; ``n`` counts draws. NaN where no draw is there, ``sd`` also where one is.

        Raises
        ------
        LayoutError
            Where no float variable has this name.
        """
        cells = _cells(self.layout)
        if name not in cells:
            raise LayoutError(f"no summary of {name!r}{nearest(name, cells)}")
        variable = next(each for each in self.layout.variables if each.name == name)
        shape = self.layout.shape(variable)[1:]
        n, mean, m2, low, high = (part.reshape(shape) for part in self.moments[:, cells[name]])
        sd = np.sqrt(np.divide(m2, n - 1, out=np.full(shape, np.nan), where=n > 1))
        units = {"units": variable.attrs["units"]}
        parts = {"mean": (mean, units), "sd": (sd, units), "low": (low, units), "high": (high, units)}
        found = {
            part: (variable.dims[1:], np.where(n > 0, values, np.nan), attrs) for part, (values, attrs) in parts.items()
        }
        coords = {dim: list(self.layout.coords[dim]) for dim in variable.dims[1:]}
        return xr.Dataset({"n": (variable.dims[1:], n.astype(np.int64), {"units": "1"}), **found}, coords)

    def quantiles(self, name: str, shares: Iterable[float]) -> xr.DataArray:
        """Return quantiles of a variable over draw and configuration, shape (quantile, configuration).

        The error is that of `storage.sketch.Sketch.quantiles`.

        Raises
        ------
        LayoutError
            Where no float variable over draw and configuration alone has this name.
        """
        cells, wanted = _sketched(self.layout), np.array(list(shares), dtype=np.float64)
        if name not in cells:
            raise LayoutError(f"no sketch of {name!r}{nearest(name, cells)}")
        variable = next(each for each in self.layout.variables if each.name == name)
        values = np.stack([self.distribution.quantiles(cell, wanted) for cell in range(*cells[name])], axis=1)
        values = values.reshape(len(wanted), *self.layout.shape(variable)[1:])
        coords = {"quantile": wanted, **{dim: list(self.layout.coords[dim]) for dim in variable.dims[1:]}}
        return xr.DataArray(values, coords, ("quantile", *variable.dims[1:]), name, {"units": variable.attrs["units"]})


class Summing:
    """Sums up the draws from `start` on, one variable after the other, so that no two need be held at once."""

    def __init__(self, layout: Layout, start: int) -> None:
        self.layout, self.start = layout, start
        self._moments: dict[str, Array] = {}
        self._sketches = [sketch(np.empty((0, 0)))]
        self._states: Array | None = None

    def add(self, name: str, values: Array) -> None:
        """Add an output, shape (draws, ...); what is no float variable and not the status adds nothing."""
        if name == "status":
            flags = self.layout.status_meanings
            self._states = np.stack([(values == flag).sum(axis=0) for flag in flags], axis=-1).astype(np.int64)
            self._stop = self.start + len(values)
        elif name in _cells(self.layout):
            self._moments[name] = _moments(values)
            if name in (cells := _sketched(self.layout)):
                self._sketches.append(sketch(values.reshape(len(values), math.prod(values.shape[1:])), cells[name][0]))

    def summary(self) -> Summary:
        """Return the summary; every output must have been added."""
        moments = [self._moments[name] for name in _cells(self.layout)]
        flat = np.concatenate(moments, axis=1) if moments else np.empty((len(PARTS), 0))
        assert self._states is not None
        return Summary(self.layout, self.start, self._stop, self._states, flat, merged(self._sketches))


def summarise(layout: Layout, start: int, arrays: Mapping[str, Array]) -> Summary:
    """Sum up draws from `start` on.

    Parameters
    ----------
    layout : Layout
        Of the cube.
    start : int
        The first draw.
    arrays : mapping of str to ndarray
        Every output, shape (draws, ...). NaN is left out: what failed or was not run enters no number but `states`.
    """
    summing = Summing(layout, start)
    for variable in layout.variables:
        summing.add(variable.name, arrays[variable.name])
    return summing.summary()


def merge(parts: Iterable[Summary]) -> Summary:
    """Merge summaries of different draws, in the order given; at least one.

    Counts, extremes and quantiles do not depend on the order, means and spreads only in their last digits.
    """
    found = list(parts)
    moments = found[0].moments
    for part in found[1:]:
        moments = _chan(moments, part.moments)
    return Summary(
        found[0].layout,
        min(part.start for part in found),
        max(part.stop for part in found),
        np.sum([part.states for part in found], axis=0),
        moments,
        merged([part.distribution for part in found]),
    )


def summary_file(root: Place, start: int) -> Place:
    """Return the file that sums up the draws from `start` on."""
    return root / "run" / "summaries" / f"{start:09d}.npz"


def put_summary(root: Place, summary: Summary) -> None:
    """Write a summary into a cube."""
    content, file = io.BytesIO(), summary_file(root, summary.start)
    np.savez_compressed(
        content,
        draws=np.array([summary.start, summary.stop]),
        states=summary.states,
        moments=summary.moments,
        codes=summary.distribution.codes,
        counts=summary.distribution.counts,
    )
    if isinstance(file, Path):
        file.parent.mkdir(exist_ok=True)
    put_file(root, file, content.getvalue())


def write_summary(path: StorePath, layout: Layout, start: int, arrays: Mapping[str, Array]) -> None:
    """Sum up a batch that was just written and keep that beside it.

    Arrays that lack some of the configurations are left alone: the batch is summed up whole when it is read.
    """
    rows = len(arrays["status"])
    if all(
        name in arrays and arrays[name].shape == layout.shape(_named(layout, name), rows) for name in _cells(layout)
    ):
        put_summary(root_of(path), summarise(layout, start, arrays))


def kept_summary(root: Place, layout: Layout, start: int, stop: int) -> Summary | None:
    """Return the summary kept of just these draws, None where there is none or it is of another layout.

    Raises
    ------
    CubeDamagedError
        Where the file cannot be read.
    """
    file = summary_file(root, start)
    content = read_bytes_or_none(file)
    if content is None:
        return None
    try:
        with np.load(io.BytesIO(content)) as kept:
            draws, states, moments = kept["draws"].tolist(), kept["states"], kept["moments"]
            distribution = Sketch(kept["codes"], kept["counts"])
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CubeDamagedError(f"{file} cannot be read: {error}; remove it, it is made anew when needed") from error
    states_shape = (*layout.shape(layout.status)[1:], len(layout.status_meanings))
    cells = sum(math.prod(layout.shape(_named(layout, name))[1:]) for name in _cells(layout))
    if draws != [start, stop] or states.shape != states_shape or moments.shape != (len(PARTS), cells):
        return None
    return Summary(layout, start, stop, states, moments, distribution)


def _named(layout: Layout, name: str) -> Variable:
    return next(variable for variable in layout.variables if variable.name == name)


def _cells(layout: Layout) -> dict[str, slice]:
    """Return where the cells of each float variable lie."""
    places, first = {}, 0
    for variable in layout.variables:
        if variable.dtype == "float64":
            count = math.prod(layout.shape(variable)[1:])
            places[variable.name] = slice(first, first + count)
            first += count
    return places


def _sketched(layout: Layout) -> dict[str, tuple[int, int]]:
    """Return the cells [first, last) of each variable that is sketched."""
    places, first = {}, 0
    for variable in layout.variables:
        if variable.dtype == "float64" and set(variable.dims) <= {"draw", "configuration"}:
            count = math.prod(layout.shape(variable)[1:])
            places[variable.name] = (first, first + count)
            first += count
    return places


def _moments(values: Array) -> Array:
    flat = values.reshape(len(values), math.prod(values.shape[1:]))
    width = max(COLUMNS_VALUES // max(len(flat), 1), 1)
    parts = [_moments_of(flat[:, first : first + width]) for first in range(0, flat.shape[1], width)]
    return np.concatenate(parts, axis=1)


def _moments_of(flat: Array) -> Array:
    there = ~np.isnan(flat)
    n = there.sum(axis=0).astype(np.float64)
    total = np.where(there, flat, 0.0).sum(axis=0)
    mean = np.divide(total, n, out=np.zeros_like(total), where=n > 0)
    with np.errstate(invalid="ignore"):  # an infinite value has no finite distance from the mean
        m2 = (np.where(there, flat - mean, 0.0) ** 2).sum(axis=0)
    low, high = np.fmin.reduce(flat, axis=0, initial=np.inf), np.fmax.reduce(flat, axis=0, initial=-np.inf)
    return np.stack([n, mean, m2, low, high])


def _chan(left: Array, right: Array) -> Array:
    n = left[0] + right[0]
    share = np.divide(right[0], n, out=np.zeros_like(n), where=n > 0)
    apart = right[1] - left[1]
    return np.stack(
        [
            n,
            np.where(share == 1, right[1], left[1] + apart * share),
            left[2] + right[2] + apart**2 * left[0] * share,
            np.minimum(left[3], right[3]),
            np.maximum(left[4], right[4]),
        ]
    )
