"""Keep a distribution as counts in bins, so that its quantiles can be told after merging, to a known error.

The bins are those of DDSketch (Masson, Rim and Lee 2019, doi 10.14778/3352063.3352135): their edges grow by a constant
factor, so each value is known to `RELATIVE_ERROR` of itself, whatever the range. Merging adds counts of whole numbers.
The result is the same in any order and any grouping, which randomised or adaptive sketches do not give.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

RELATIVE_ERROR = 0.001
"""A value is told to this share of itself."""

SMALLEST = 1e-9
"""What is smaller in size counts as zero."""

_LOG_STEP = float(np.log((1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)))
_FIRST = int(np.floor(np.log(SMALLEST) / _LOG_STEP))
_INFINITE = 2**31 - 1
_CELL = 2**32
_MIDDLE = 2**31


@dataclass(frozen=True, eq=False)
class Sketch:
    """Counts by cell and bin.

    Attributes
    ----------
    codes : ndarray of int64
        Sorted and unique: cell * 2**32 + 2**31 + bin. Bin 0 is zero, negative values have negative bins.
    counts : ndarray of int64
        Values in each, >= 1.
    """

    codes: Integers
    counts: Integers

    def quantiles(self, cell: int, shares: Floats) -> Floats:
        """Tell quantiles of one cell, by numpy's 'linear' rule between neighbouring values.

        Parameters
        ----------
        cell : int
            Which distribution.
        shares : ndarray
            In 0..1.

        Returns
        -------
        ndarray
            As many numbers, NaN where the cell holds none. Each lies within `RELATIVE_ERROR` times the larger
            in size of the two values between which the exact quantile lies, plus `SMALLEST`.
        """
        first, last = np.searchsorted(self.codes, [cell * _CELL, (cell + 1) * _CELL])
        ends = np.cumsum(self.counts[first:last])
        if not len(ends):
            return np.full(len(shares), np.nan)
        values = _values(self.codes[first:last] - cell * _CELL - _MIDDLE)
        places = np.asarray(shares) * (ends[-1] - 1)
        low = np.floor(places).astype(np.int64)
        high = np.minimum(low + 1, ends[-1] - 1)
        below, above = (values[np.searchsorted(ends, place, side="right")] for place in (low, high))
        apart = np.subtract(above, below, out=np.zeros_like(below), where=places != low)
        between: Floats = below + (places - low) * apart
        return between


def sketch(values: npt.NDArray[Any], first_cell: int = 0) -> Sketch:
    """Sketch each column of `values`, shape (draws, cells); NaN is left out. Cells count from `first_cell`."""
    cells = np.broadcast_to(np.arange(values.shape[1], dtype=np.int64) + first_cell, values.shape)
    there = ~np.isnan(values)
    codes = cells[there] * _CELL + _MIDDLE + _bins(values[there])
    found, counts = np.unique(codes, return_counts=True)
    return Sketch(found, counts.astype(np.int64))


def merged(parts: list[Sketch]) -> Sketch:
    """Add up sketches, exactly."""
    codes, place = np.unique(np.concatenate([part.codes for part in parts]), return_inverse=True)
    counts = np.zeros(len(codes), dtype=np.int64)
    np.add.at(counts, place, np.concatenate([part.counts for part in parts]))
    return Sketch(codes, counts)


def _bins(values: Floats) -> Integers:
    size = np.abs(values)
    usual = np.isfinite(size) & (size >= SMALLEST)
    bins = np.where(np.isinf(size), _INFINITE, 0)
    bins[usual] = np.ceil(np.log(size[usual]) / _LOG_STEP).astype(np.int64) - _FIRST + 1
    return np.where(values < 0, -bins, bins)


def _values(bins: Integers) -> Floats:
    """Return the value that stands for each bin: off by `RELATIVE_ERROR` at either edge."""
    usual = (bins != 0) & (np.abs(bins) != _INFINITE)
    values = np.where(bins == 0, 0.0, np.copysign(np.inf, bins))
    upper = np.exp((np.abs(bins[usual]) + _FIRST - 1) * _LOG_STEP)
    values[usual] = np.sign(bins[usual]) * upper * (1 - RELATIVE_ERROR)
    return values
