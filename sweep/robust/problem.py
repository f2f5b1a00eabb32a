"""What a decision over scenarios consists of: first stage, scenarios, what follows, and the cuts known of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sweep.robust.measures import Floats

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stage:
    """The first stage as a Pyomo model without an objective.

    Attributes
    ----------
    decision : sequence of Pyomo variables
        A point is their values (N,).
    lift : (C, N) array
        Coordinates of cuts = lift @ point.
    costs : sequence of Pyomo expressions
        First-stage cost by class of scenarios, linear; a lower bound of the true one.
    classes : (scenarios,) array
        Which of the costs counts in a scenario.
    """

    model: Any
    decision: Sequence[Any]
    lift: Floats
    costs: Sequence[Any]
    classes: Ints


@dataclass(frozen=True, eq=False)
class Problem:
    """One decision, made before the scenario is known.

    Attributes
    ----------
    build : callable
        Makes a fresh first stage.
    probability : (scenarios,) array
        Sums to 1.
    stage_cost : callable
        True first-stage cost (scenarios,) of a point (N,), what its expressions bound from below.
    best : (scenarios,) array, optional
        The least cost that each scenario by itself allows, for regret.
    tidy : callable
        Takes what is only a solver's tolerance out of a point.
    """

    build: Callable[[], Stage]
    probability: Floats
    stage_cost: Callable[[Floats], Floats]
    best: Floats | None = None
    tidy: Callable[[Floats], Floats] = np.array


@dataclass(frozen=True, eq=False)
class Recourse:
    """What follows a point in some scenarios: cost (k,) and cuts, cost >= constant + slope . coordinates at any point.

    Attributes
    ----------
    constant : (k, cuts) array
    slope : (k, cuts, C) array
    """

    cost: Floats
    constant: Floats
    slope: Floats


Oracle = Callable[[Floats, Ints], Recourse]
"""Evaluates a point (N,) in some scenarios (k,)."""


@dataclass(eq=False)
class Cuts:
    """Cuts of every scenario; they hold at any point, whoever asked for them.

    Attributes
    ----------
    constant, slope : lists of arrays (scenarios,), (scenarios, C)
        One cut of each scenario; -inf where a scenario has none in this row.
    """

    scenarios: int
    coordinates: int
    constant: list[Floats] = field(default_factory=list)
    slope: list[Floats] = field(default_factory=list)

    def add(self, scenarios: Ints, found: Recourse) -> None:
        """Take in what was found in some scenarios."""
        for number in range(found.constant.shape[1]):
            constant, slope = np.full(self.scenarios, -np.inf), np.zeros((self.scenarios, self.coordinates))
            constant[scenarios], slope[scenarios] = found.constant[:, number], found.slope[:, number]
            self.constant.append(constant)
            self.slope.append(slope)

    def part(self, scenarios: Ints) -> Cuts:
        """The cuts of some scenarios alone."""
        constant = [each[scenarios] for each in self.constant]
        return Cuts(len(scenarios), self.coordinates, constant, [each[scenarios] for each in self.slope])

    def together(self, groups: Sequence[Ints], probability: Floats) -> Cuts:
        """Cuts of the mean cost of each group of scenarios; those that lack one in a row have none there."""
        merged = Cuts(len(groups), self.coordinates)
        share = [probability[group] / probability[group].sum() for group in groups]
        for constant, slope in zip(self.constant, self.slope, strict=True):
            merged.constant.append(
                np.array([float(w @ constant[g]) for g, w in zip(groups, share, strict=True)])  # -inf stays
            )
            merged.slope.append(np.stack([w @ slope[g] for g, w in zip(groups, share, strict=True)]))
        return merged

    def bound(self, coordinates: Floats) -> Floats:
        """The best lower bound (scenarios,) at a place; -inf where nothing is known."""
        return self.best(coordinates)[0]

    def best(self, coordinates: Floats) -> tuple[Floats, Ints]:
        """The best lower bound (scenarios,) at a place and the row that gives it."""
        if not self.constant:
            return np.full(self.scenarios, -np.inf), np.zeros(self.scenarios, dtype=np.int64)
        values = np.stack([c + s @ coordinates for c, s in zip(self.constant, self.slope, strict=True)])
        row = values.argmax(axis=0)
        return values[row, np.arange(self.scenarios)], row
