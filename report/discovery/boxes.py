"""Say what a box in the space of uncertainties is: limits of numbers, kept labels of texts, and which draws lie inside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from report.estimators import Floats
from report.factors import Factor

Booleans = NDArray[np.bool_]


@dataclass(frozen=True)
class Inputs:
    """The uncertainties that boxes are cut in.

    Attributes
    ----------
    numbers : float64 array (n, p)
        One column a number, in the order of ``names``.
    codes : int64 array (n, q)
        One column a text, codes 0, 1, ... of its labels.
    names, texts : list of str
        Of the columns.
    labels : list of tuple of str
        Of each text, by code.
    """

    numbers: Floats
    codes: NDArray[np.int64]
    names: list[str]
    texts: list[str]
    labels: list[tuple[str, ...]]

    @classmethod
    def of(cls, factors: list[Factor]) -> Self:
        """Part factors into numbers and texts."""
        numbers = [factor for factor in factors if not factor.labels]
        texts = [factor for factor in factors if factor.labels]
        n = len(factors[0].values) if factors else 0
        return cls(
            np.array([factor.values for factor in numbers]).reshape(len(numbers), n).T,
            np.array([factor.values for factor in texts], dtype=np.int64).reshape(len(texts), n).T,
            [factor.name for factor in numbers],
            [factor.name for factor in texts],
            [factor.labels for factor in texts],
        )

    def __len__(self) -> int:
        """Draws."""
        return len(self.numbers)

    def take(self, rows: NDArray[np.int64] | Booleans) -> Inputs:
        """Return some of the draws."""
        return Inputs(self.numbers[rows], self.codes[rows], self.names, self.texts, self.labels)


@dataclass(frozen=True)
class Box:
    """Limits, ends included, and for every text the codes that are kept."""

    low: Floats
    high: Floats
    kept: tuple[frozenset[int], ...]

    @classmethod
    def around(cls, inputs: Inputs) -> Self:
        """Return the least box that holds every draw."""
        kept = tuple(frozenset(np.unique(column).tolist()) for column in inputs.codes.T)
        return cls(inputs.numbers.min(axis=0), inputs.numbers.max(axis=0), kept)

    def holds(self, inputs: Inputs) -> Booleans:
        """Tell which draws lie inside, (n,)."""
        inside = np.ones(len(inputs), dtype=np.bool_)
        for column in range(len(self.low)):
            inside &= self.holds_number(inputs, column)
        for column in range(len(self.kept)):
            inside &= self.holds_text(inputs, column)
        return inside

    def holds_number(self, inputs: Inputs, column: int) -> Booleans:
        """Tell which draws lie within the limits of one number."""
        values = inputs.numbers[:, column]
        return np.asarray((self.low[column] <= values) & (values <= self.high[column]))

    def holds_text(self, inputs: Inputs, column: int) -> Booleans:
        """Tell which draws have a kept label of one text."""
        return np.isin(inputs.codes[:, column], list(self.kept[column]))

    def limited(self, column: int, *, low: float | None = None, high: float | None = None) -> Box:
        """Return the box with another end of one number."""
        lows, highs = self.low.copy(), self.high.copy()
        if low is not None:
            lows[column] = low
        if high is not None:
            highs[column] = high
        return Box(lows, highs, self.kept)

    def keeping(self, column: int, kept: frozenset[int]) -> Box:
        """Return the box with other labels of one text."""
        return Box(self.low, self.high, (*self.kept[:column], kept, *self.kept[column + 1 :]))

    def restricted(self, whole: Box) -> tuple[list[int], list[int]]:
        """Return the numbers and the texts in which it is narrower than the whole."""
        numbers = np.flatnonzero((self.low != whole.low) | (self.high != whole.high)).tolist()
        return numbers, [at for at, kept in enumerate(self.kept) if kept != whole.kept[at]]

    def dimensions(self, whole: Box) -> int:
        """Count the restricted uncertainties."""
        return sum(map(len, self.restricted(whole)))
