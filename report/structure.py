"""Recognise in a draw table the blocks of Saltelli's matrices and Morris' trajectories.

The numbers tell it themselves: which draws belong together, and which parameters change between them. So nothing rests
on how a design was made, and a table that no such design could have made is found out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from report.factors import Factors, Numbers

Booleans = NDArray[np.bool_]
RTOL = 1e-9  # the same rank may give values that differ in their last digit


@dataclass(frozen=True)
class Matrices:
    """Blocks of draws ``A, AB_1 .. AB_k, [BA_1 .. BA_k,] B``, one for each base point.

    In ``AB_j`` the parameters of column j are those of B and all others those of A; in ``BA_j`` the other way round.

    Attributes
    ----------
    names : list of str
        Of the columns that vary; parameters that change together share one, as ``a+b``.
    places : list of int
        Column j of each in 1..k.
    columns : int
        k.
    second_order : bool
        Whether there are ``BA``.
    """

    names: list[str]
    places: list[int]
    columns: int
    second_order: bool

    @property
    def size(self) -> int:
        """Draws in a block."""
        return (2 if self.second_order else 1) * self.columns + 2

    @property
    def rows(self) -> list[int]:
        """Positions in a block that indices of the columns that vary need, in the order A, AB, BA, B."""
        mixed = [*self.places, *(self.columns + place for place in self.places if self.second_order)]
        return [0, *mixed, self.size - 1]


@dataclass(frozen=True)
class Trajectories:
    """Trajectories of ``size`` draws, in each of which every parameter changes at most once, one at a time.

    Attributes
    ----------
    names : list of str
        Of the parameters that vary; those that change together share one, as ``a+b``.
    columns : list of int
        Position of (the first of) each among the parameters that vary.
    size : int
        Draws in a trajectory.
    levels : int
        Even number of levels, as many as any parameter shows.
    """

    names: list[str]
    columns: list[int]
    size: int
    levels: int


def matrices_of(factors: Factors, parameters: int) -> Matrices | None:
    """
    Recognise Saltelli's matrices (Saltelli 2002, doi 10.1016/S0010-4655(02)00280-1; blocks in SALib's order).

    Parameters
    ----------
    factors : Factors
        The parameters, in draw order.
    parameters : int
        How many there are with those that are fixed: a design may keep a column for them.

    Returns
    -------
    Matrices or None
        None where the table is no such design, as where parameters depend on each other.
    """
    values = factors.matrix
    best: Matrices | None = None
    for columns, second_order in _sizes(parameters):
        size = (2 if second_order else 1) * columns + 2
        if len(values) % size:
            continue
        taken = _taken_from_b(values.reshape(-1, size, values.shape[1]), columns, second_order)
        if taken is None:
            continue
        places = [place for place in range(columns) if taken[place].any()]
        names = ["+".join(np.array(factors.names)[taken[place]]) for place in places]
        found = Matrices(names, [place + 1 for place in places], columns, second_order)
        if best is None or _idle(found) < _idle(best):
            best = found
    return best


def _sizes(parameters: int) -> Iterator[tuple[int, bool]]:
    for columns in range(parameters, 0, -1):
        yield from ((columns, True), (columns, False))


def _idle(found: Matrices) -> int:
    return found.columns - len(found.places)


def _same(left: Numbers, right: Numbers) -> Booleans:
    return np.isclose(left, right, rtol=RTOL, atol=0)


def _taken_from_b(blocks: Numbers, columns: int, second_order: bool) -> Booleans | None:
    """Return which parameters ``AB_j`` has from B, shape (columns, parameters); None where blocks are no such."""
    a, b = blocks[:, :1], blocks[:, -1:]
    mixed = blocks[:, 1 : columns + 1]
    from_a, from_b = _same(mixed, a), _same(mixed, b)
    taken = np.asarray(~from_a.all(axis=0))
    # where A and B agree nothing can be seen; otherwise a parameter is B's in all blocks, and in one column
    if not (from_a | from_b).all() or not np.asarray(from_b.all(axis=0))[taken].all():
        return None
    differs = np.asarray(~_same(a, b).all(axis=(0, 1)))
    if not np.array_equal(taken.sum(axis=0), differs.astype(np.int64)) or not taken.any():
        return None
    if second_order:
        swapped = blocks[:, columns + 1 : -1]
        wanted = np.where(taken, a, b)
        if not _same(swapped, wanted).all():
            return None
    return taken


def trajectories_of(factors: Factors, parameters: int) -> Trajectories | None:
    """Recognise trajectories (Morris 1991, doi 10.2307/1269043); arguments and None as for `matrices_of`."""
    values = factors.matrix
    best: Trajectories | None = None
    for steps in range(parameters, 0, -1):
        if len(values) % (steps + 1):
            continue
        changed = np.diff(values.reshape(-1, steps + 1, values.shape[1]), axis=1) != 0
        groups = _moving_together(changed)
        if not all(_in_step(factors, group) for group in groups):
            continue
        first = changed[:, :, [group[0] for group in groups]]
        if (first.sum(axis=1) > 1).any() or (first.sum(axis=2) > 1).any() or not first.any(axis=(0, 1)).all():
            continue
        names = ["+".join(factors.names[column] for column in group) for group in groups]
        counts = [len(np.unique(factor.values)) for factor in factors.varied if not factor.labels] or [2]
        found = Trajectories(names, [group[0] for group in groups], steps + 1, max(counts) + max(counts) % 2)
        if best is None or abs(steps - len(names)) < abs(best.size - 1 - len(best.names)):
            best = found
    return best


def _moving_together(changed: Booleans) -> Sequence[list[int]]:
    """Group the columns of (trajectories, steps, parameters) that change in the very same steps."""
    groups: dict[bytes, list[int]] = {}
    for column in range(changed.shape[2]):
        groups.setdefault(np.packbits(changed[:, :, column]).tobytes(), []).append(column)
    return list(groups.values())


def _in_step(factors: Factors, group: Sequence[int]) -> bool:
    """Return whether the numbers among some parameters rise and fall with the first of them, or against it."""
    numbers = [factors.varied[column].values for column in group if not factors.varied[column].labels]
    for other in numbers[1:]:
        rising = other[np.lexsort((other, numbers[0]))]
        falling = other[np.lexsort((-other, numbers[0]))]
        if (np.diff(rising) < 0).any() and (np.diff(falling) > 0).any():
            return False
    return True
