"""Draws a stretch at a time: millions of them are checked, hashed, written and handed out without being held at once.

Draw i of an extensible design (`EXTENSIBLE_KINDS`) follows from i alone, so that any stretch can be made by itself. Other
designs are made whole: a Latin hypercube, a structured design and a file have no row without the others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import qmc

from sampling.designs import DesignSpec, check_random, is_extensible, unit_points

BLOCK = 65_536
"""Draws of one block: what is held at a time, some 10 MB."""


@dataclass(frozen=True, eq=False)
class DrawRows:
    """The rows of a draw table, made when they are asked for.

    Attributes
    ----------
    draws : int
        Rows of the whole table.
    make : callable
        Of (start, stop): these rows as a `sampling.DrawTable`, whose coordinate ``draw`` counts on from start.
    held : int
        Bytes that are in memory all the time [B]: 0 where every row is made on demand.
    """

    draws: int
    make: Callable[[int, int], xr.Dataset]
    held: int = 0

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as the whole table: a driver sends rows, never this."""
        return rows_of, (self.whole(),)

    def rows(self, start: int, stop: int) -> xr.Dataset:
        """Return the rows [start, stop) of the table."""
        return self.make(start, stop)

    def blocks(self, stop: int | None = None, size: int = BLOCK) -> Iterator[xr.Dataset]:
        """Yield the table, or its first `stop` rows, in blocks of `size` rows, the last one shorter."""
        end = self.draws if stop is None else stop
        for start in range(0, end, size):
            yield self.make(start, min(start + size, end))

    def whole(self) -> xr.Dataset:
        """Return the whole table, in memory."""
        return self.make(0, self.draws)

    def changed(self, change: Callable[[xr.Dataset], xr.Dataset]) -> "DrawRows":
        """Return the same rows with something told of them: `change` must do to some rows what it does to all."""
        make = self.make
        return replace(self, make=lambda start, stop: change(make(start, stop)))


def rows_of(table: xr.Dataset) -> DrawRows:
    """Return the rows of a table that is held whole."""
    return DrawRows(table.sizes["draw"], lambda start, stop: table.isel(draw=slice(start, stop)), table.nbytes)


@dataclass
class PointRows:
    """The points of an extensible design, any stretch of them: equal to `unit_points`, bit for bit.

    Parameters
    ----------
    spec : DesignSpec
        Of one of `EXTENSIBLE_KINDS`.
    dimensions : int
        Number d of parameters.
    """

    spec: DesignSpec
    dimensions: int
    _engines: dict[int, qmc.Sobol | qmc.Halton] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_random(self.spec, self.dimensions)
        assert is_extensible(self.spec), self.spec.kind

    def rows(self, start: int, stop: int) -> NDArray[np.float64]:
        """Return the points [start, stop), (stop - start, d)."""
        if start == 0 and stop == self.spec.draws:
            return unit_points(self.spec, self.dimensions)
        points, every = np.empty((stop - start, self.dimensions)), self.spec.replicates
        for replicate in range(every):
            first, last = (-(-(end - replicate) // every) for end in (start, stop))  # points of the replicate itself
            first, last = max(first, 0), max(last, 0)
            if first < last:
                points[first * every + replicate - start :: every] = self._replicate(replicate, first, last)
        return points

    def _replicate(self, replicate: int, start: int, stop: int) -> NDArray[np.float64]:
        """Return the points [start, stop) of one replicate."""
        rng = np.random.default_rng(np.random.SeedSequence(self.spec.seed, spawn_key=(replicate,)))
        if self.spec.kind == "monte_carlo":
            rng.bit_generator.advance(start * self.dimensions)  # type: ignore[attr-defined]  # one step, one number
            return rng.random((stop - start, self.dimensions))
        engine = self._engines.get(replicate)
        if engine is None:
            kind = qmc.Sobol if self.spec.kind == "sobol" else qmc.Halton
            engine = self._engines[replicate] = kind(self.dimensions, scramble=True, rng=rng)
        if isinstance(engine, qmc.Halton):
            engine.num_generated = start  # its own way there would make all points before
        elif engine.num_generated > start:
            engine.reset()  # the randomisation stays
        if engine.num_generated < start:
            engine.fast_forward(start - engine.num_generated)
        number = stop - start
        if start == 0:  # whole powers of two, then cut: scipy warns of any other number of Sobol points
            return engine.random(1 << (number - 1).bit_length())[:number]
        return engine.random(number)
