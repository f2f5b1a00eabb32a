"""Give distributions made of other things: mixtures of regimes, and empirical ones from a table of values."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr, field_validator, model_validator

from sampling.categories import Fixed, Odds, middles
from sampling.errors import SamplingError, nearest_name
from sampling.marginals import Floats, Marginal, Numeric, Values, floats, log
from sampling.spec import Spec
from sampling.tables import number, read_rows

_SIGN = np.int64(np.iinfo(np.int64).min)


class Regime(Spec):
    """One world of a mixture: its weight, and what holds in it."""

    weight: float = Field(gt=0)
    marginal: Marginal


class Mixture(Numeric):
    """A mixture of regimes, e.g. one of low and one of high CO2 prices; weights count relative to their sum.

    F(x) = sum of w_k F_k(x); the value at rank u is the least number x with F(x) >= u.
    """

    distribution: Literal["mixture"]
    regimes: dict[str, Regime] = Field(min_length=1)

    @field_validator("regimes", mode="after")
    @classmethod
    def _numbers(cls, regimes: dict[str, Regime]) -> dict[str, Regime]:
        for name, regime in regimes.items():
            if regime.marginal.is_text or not isinstance(regime.marginal, Numeric | Fixed):
                found = regime.marginal.distribution
                raise SamplingError(f"{name}.distribution", found, "a distribution of numbers, or fixed")
            if regime.marginal.correlation:
                found = str(dict(regime.marginal.correlation))
                raise SamplingError(f"{name}.correlation", found, "none: a mixture correlates as a whole")
        return regimes

    def _weights(self) -> Floats:
        weights = np.array([regime.weight for regime in self.regimes.values()])
        return floats(weights / weights.sum())

    @property
    def files(self) -> tuple[Path, ...]:
        """Tables that the regimes were read from, in the order of the regimes' names, which any record of them keeps."""
        return tuple(path for _, regime in sorted(self.regimes.items()) for path in regime.marginal.files)

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) at the ranks `u` (n,) in [0, 1), to the last bit the least x with F(x) >= u."""
        each = np.array([floats(regime.marginal.ppf(u)) for regime in self.regimes.values()])
        return least(lambda x: self.cdf(x) >= u, each.min(axis=0), each.max(axis=0))

    def cdf(self, x: Floats) -> Floats:
        """Return the probability (n,) of a value of at most `x` (n,)."""
        total = np.zeros_like(x)
        for weight, regime in zip(self._weights(), self.regimes.values(), strict=True):
            one = regime.marginal
            below = np.where(x >= float(one.value), 1.0, 0.0) if isinstance(one, Fixed) else one.cdf(x)  # type: ignore[attr-defined]
            total += weight * below
        return np.minimum(total, 1.0)

    def log_mass(self, x: Values) -> Floats:
        """Return the log probability (n,) of exactly each `x` (n,): of all atoms of the regimes there."""
        return self._log_sum([regime.marginal.log_mass(x) for regime in self.regimes.values()])

    def log_density(self, x: Values) -> Floats:
        """Return the log density (n,) at `x` (n,), that of the regimes by their weights."""
        return self._log_sum([regime.marginal.log_density(x) for regime in self.regimes.values()])

    def _log_sum(self, parts: list[Floats]) -> Floats:
        return floats(np.logaddexp.reduce(np.array(parts) + log(self._weights())[:, np.newaxis], axis=0))

    def _parameters(self) -> dict[str, float | str]:
        shares = zip(self.regimes, self._weights(), strict=True)
        return {name: f"{share:.4g} {self.regimes[name].marginal.describe()}" for name, share in shares}


def least(reaches: Callable[[Floats], NDArray[np.bool_]], low: Floats, high: Floats) -> Floats:
    """Return the least float64 in low..high for which a rising condition holds; `high` where it holds nowhere before.

    Bisects the order of the floating-point numbers themselves, hence 64 steps and no tolerance: an atom of a
    distribution is met exactly.
    """
    below, above = _order(low), _order(high)
    for _ in range(64):
        # Half of each before the sum, which may not fit otherwise.
        middle = (below >> 1) + (above >> 1) + (below & above & 1)
        holds = reaches(_from_order(middle))
        above = np.where(holds, middle, above)
        below = np.where(holds | (below == above), below, np.minimum(middle + 1, above))
    return _from_order(above)


def _order(x: Floats) -> NDArray[np.int64]:
    """Return whole numbers in the order of the floating-point numbers `x`."""
    bits = (np.ascontiguousarray(x) + 0.0).view(np.int64)
    return np.where(bits >= 0, bits, _SIGN - bits)


def _from_order(n: NDArray[np.int64]) -> Floats:
    return np.where(n >= 0, n, _SIGN - n).view(np.float64)


class Empirical(Numeric):
    """The values of a table, with or without weights, as they are or joined by straight lines.

    Interpolated, value k of the sorted ones has rank (W_k - w_k / 2) / W, W_k the sum of the weights up to it: type 5
    of Hyndman and Fan 1996, The American Statistician 50(4), where all weights are equal; below the first and above the
    last rank the value stays. Otherwise value k has the ranks from W_(k-1) / W to W_k / W.
    """

    distribution: Literal["empirical"]
    file: str | None = None
    column: str | None = None
    weight_column: str | None = None
    values: tuple[float, ...] = Field(default=(), strict=False)
    weights: tuple[Odds, ...] = Field(default=(), strict=False)
    interpolate: bool = True
    _path: Path | None = PrivateAttr(default=None)
    _sorted: tuple[Floats, Floats] = PrivateAttr()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.file is None) == (not self.values):
            raise SamplingError("file", self.file, "either a CSV file, or values")
        if self.file is not None and self.column is None:
            raise SamplingError("column", None, f"a column of {self.file}")
        for key in ("column", "weight_column") if self.file is None else ("weights",):
            if found := getattr(self, key):
                raise SamplingError(key, found, f"no {key} with{'out' if self.file is None else ''} a file")
        if self.file is None:
            weights = floats(self.weights) if self.weights else np.ones(len(self.values))
            self._take(floats(self.values), weights)
        return self

    def read(self, base: Path) -> Self:
        """Read the table, whose path counts from `base`; once, before any value is asked for."""
        if self.file is None:
            return self
        self._path = base / self.file
        columns, rows = read_rows(self._path)
        wanted = {"column": self.column, "weight_column": self.weight_column}
        for key, column in wanted.items():
            if column is not None and column not in columns:
                raise SamplingError(key, column, f"a column of {self.file}", nearest_name(str(column), columns))
        read: dict[str, Floats] = {}
        for key, column in wanted.items():
            cells = [1.0] * len(rows)
            if column is not None:
                where = [f"{self._path.name} row {row.number}, column {column}" for row in rows]
                cells = [number(at, row.cells[str(column)]) for at, row in zip(where, rows, strict=True)]
                for at, cell in zip(where, cells, strict=True):
                    if key == "weight_column" and cell < 0:
                        raise SamplingError(at, cell, "a weight of at least 0")
            read[key] = floats(cells)
        self._take(read["column"], read["weight_column"])
        return self

    def _take(self, values: Floats, weights: Floats) -> None:
        if len(values) != len(weights):
            raise SamplingError("weights", len(weights), f"{len(values)} weights, one for each value")
        if not weights.sum() > 0:
            raise SamplingError("weights", float(weights.sum()), "weights with a sum above 0")
        order = np.argsort(values, kind="stable")
        kept = order[weights[order] > 0]
        self._sorted = values[kept], weights[kept] / weights[kept].sum()

    @property
    def files(self) -> tuple[Path, ...]:
        """The table."""
        return () if self._path is None else (self._path,)

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) at the ranks `u` (n,) in [0, 1)."""
        values, weights = self._sorted
        upper = np.cumsum(weights)
        if self.interpolate:
            return floats(np.interp(u, upper - weights / 2, values))
        return floats(values[np.searchsorted(upper / upper[-1], u, side="right")])

    def cdf(self, x: Floats) -> Floats:
        """Return the probability (n,) of a value of at most `x` (n,)."""
        values, weights = self._sorted
        upper = np.cumsum(weights) / weights.sum()
        place = np.searchsorted(values, x, side="right")
        if not self.interpolate:
            return floats(np.append(0.0, upper)[place])
        between = np.interp(x, values, np.cumsum(weights) - weights / 2)
        return floats(np.where(place == 0, 0.0, np.where(place == len(values), 1.0, between)))

    def _interpolated(self) -> tuple[Floats, Floats, Floats]:
        """Return the values, each once, with the least and the largest of the ranks that lead to exactly it."""
        values, weights = self._sorted
        once, first = np.unique(values, return_index=True)
        upper = np.cumsum(weights)
        middle, last = upper - weights / 2, np.append(first[1:], len(values)) - 1
        low, high = middle[first], middle[last]
        return once, np.append(0.0, low[1:]), np.append(high[:-1], upper[-1])

    def log_mass(self, x: Values) -> Floats:
        """Return the log probability (n,) of exactly each `x` (n,).

        Interpolated, there are atoms at both ends, of half the weight of the end's value, and where a value stands twice.
        """
        if self.interpolate:
            once, low, high = self._interpolated()
            masses = floats(high - low)
        else:
            values, weights = self._sorted
            once, place = np.unique(values, return_inverse=True)
            masses = floats(np.bincount(place, weights))
        numbers = floats(x)
        found = np.minimum(np.searchsorted(once, numbers), len(once) - 1)
        return log(np.where(once[found] == numbers, masses[found], 0.0))

    def log_density(self, x: Values) -> Floats:
        """Return the log density (n,) at `x` (n,): constant between two values where interpolated, else none."""
        once, low, high = self._interpolated()
        if not self.interpolate or len(once) == 1:
            return super().log_density(x)
        numbers, heights = floats(x), (low[1:] - high[:-1]) / np.diff(once)
        place = np.searchsorted(once, numbers, side="right") - 1
        inside = (place >= 0) & (numbers <= once[-1])
        return log(np.where(inside, heights[np.clip(place, 0, len(heights) - 1)], 0.0))

    def levels(self, number: int, low: float, high: float) -> Floats:
        """Return a rank in the middle of each value of few; else evenly spaced ones."""
        values, weights = self._sorted
        few = not self.interpolate and len(values) <= number
        return middles(list(weights)) if few else super().levels(number, low, high)

    def _parameters(self) -> dict[str, float | str]:
        values, _ = self._sorted
        told: dict[str, float | str] = {"values": len(values)}
        for key in ("file", "column", "weight_column"):
            if getattr(self, key) is not None:
                told[key] = getattr(self, key)
        return told if self.interpolate else told | {"interpolate": "false"}
