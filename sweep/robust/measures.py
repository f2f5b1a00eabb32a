"""Measures of a cost over scenarios: mean, CVaR, worst case, of the cost itself or of the regret; and bounds on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
EXPECTED = "mean, cvar:LEVEL, worst, regret or regret_cvar:LEVEL with 0 < LEVEL < 1"


@dataclass(frozen=True)
class Measure:
    """One measure, in units of cost; the less the better.

    Attributes
    ----------
    kind : "mean", "cvar" or "worst"
        Least value of eta + E[(f - eta)+] / (1 - level) for CVaR: Rockafellar and Uryasev 2000, Journal of Risk 2(3).
    level : float
        Of CVaR, in 0..1.
    of_regret : bool
        Of the cost less the least that each scenario by itself allows (Savage 1951, JASA 46(253)).
    """

    kind: Literal["mean", "cvar", "worst"]
    level: float = 0.0
    of_regret: bool = False

    @classmethod
    def parse(cls, text: str) -> Measure:
        """Read a measure as it is written on the command line.

        Raises
        ------
        ValueError
            It is none; the message says what was expected.
        """
        name, colon, level = text.partition(":")
        if name in ("mean", "worst", "regret") and not colon:
            return cls("mean" if name == "mean" else "worst", of_regret=name == "regret")
        if name in ("cvar", "regret_cvar"):
            try:
                found = float(level)
            except ValueError:
                found = np.nan
            if 0 < found < 1:
                return cls("cvar", found, name == "regret_cvar")
        raise ValueError(f"found {text!r}, expected {EXPECTED}")

    def __str__(self) -> str:
        if self.kind == "cvar":
            return f"{'regret_' if self.of_regret else ''}cvar:{self.level:g}"
        return "regret" if self.of_regret else self.kind

    def of(self, cost: Floats, probability: Floats, best: Floats | None = None) -> float:
        """The measure of costs (scenarios,); ``best``: the least cost of each scenario, for regret."""
        if self.of_regret:
            if best is None:
                raise ValueError("regret needs the least cost of every scenario")
            cost = cost - best
        if self.kind == "worst":
            return float(cost.max())
        if self.kind == "mean":
            return float(probability @ cost)
        order = np.argsort(cost, kind="stable")
        reached = np.cumsum(probability[order]) >= self.level * (1 - 1e-12)
        edge = float(cost[order][int(reached.argmax()) if reached.any() else -1])
        return edge + float(probability @ np.maximum(cost - edge, 0.0)) / (1 - self.level)


@dataclass(frozen=True)
class Budget:
    """A measure that must not exceed a limit, in units of cost."""

    measure: Measure
    limit: float


@dataclass(frozen=True)
class Goal:
    """What is made least, a weighted sum of measures, and under which budgets.

    Attributes
    ----------
    terms : tuple of (weight, Measure)
        Weights above 0.
    """

    terms: tuple[tuple[float, Measure], ...]
    budgets: tuple[Budget, ...] = ()

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Every measure that counts."""
        return (*(measure for _, measure in self.terms), *(budget.measure for budget in self.budgets))

    @property
    def is_mean(self) -> bool:
        """Whether sums over scenarios say everything, so that scenarios may be taken together."""
        return all(measure.kind == "mean" for measure in self.measures)

    @property
    def needs_best(self) -> bool:
        """Whether the least cost of every scenario must be known."""
        return any(measure.of_regret for measure in self.measures)

    def of(self, cost: Floats, probability: Floats, best: Floats | None = None) -> float:
        """The value of costs (scenarios,), budgets apart."""
        return sum(weight * measure.of(cost, probability, best) for weight, measure in self.terms)

    def excess(self, cost: Floats, probability: Floats, best: Floats | None = None) -> float:
        """By how much the budgets are exceeded at most, relative to each limit; 0 where all are met."""
        over = [
            (budget.measure.of(cost, probability, best) - budget.limit) / max(1.0, abs(budget.limit))
            for budget in self.budgets
        ]
        return max([0.0, *over])
