"""Score configurations by the robustness metrics of the literature, every one in its cost form and with weights.

A metric takes `Costs` and weights (n,) that sum to 1, and returns one number per configuration. Quantiles are
``inf{t : F(t) >= level}``, F the weighted distribution function of the draws. Regret is against the least cost of the
draw among all columns, unless another yardstick is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from report.estimators import Floats

Score = Callable[["Costs", Floats], Floats]
HURWICZ: Final = 0.75
LEVEL: Final = 0.9
ALMOST: Final = 1 - 1e-12  # weights that sum to a level but for rounding reach it


class Ordered:
    """Values (n, k) sorted once, so that a quantile under many sets of weights costs one cumulative sum.

    Parameters
    ----------
    values : float64 array (n, k)
        Without NaN.
    """

    def __init__(self, values: Floats) -> None:
        self._order: NDArray[np.int64] = np.argsort(values, axis=0, kind="stable")
        self._sorted = np.take_along_axis(values, self._order, axis=0)
        self._last: tuple[Floats, Floats] | None = None

    def quantiles(self, weights: Floats, levels: tuple[float, ...]) -> list[Floats]:
        """Return for each level inf{t : F(t) >= level}, (k,)."""
        if self._last is None or self._last[0] is not weights:  # most metrics ask for the same weights in turn
            self._last = weights, np.cumsum(weights[self._order], axis=0)
        reached = self._last[1]
        columns = np.arange(self._sorted.shape[1])
        found = []
        for level in levels:
            rows = np.array([np.searchsorted(column, level * ALMOST) for column in reached.T])
            found.append(self._sorted[np.minimum(rows, len(self._sorted) - 1), columns])
        return found


@dataclass(frozen=True)
class Costs:
    """What every configuration costs in every draw, and what a draw may be measured against.

    Attributes
    ----------
    values : float64 array (n, k)
        Lower is better, no NaN. Returns enter with their sign turned.
    yardstick : float64 array (n,), optional
        Cost that regret is taken against; default: the least of the row.
    satisfied : float64 array (n,), optional
        What a cost must not exceed for a draw to count as satisfied (domain criterion).
    distance : float64 array (n,), optional
        Scaled distance of a draw from the base draw (satisficing radius).
    """

    values: Floats
    yardstick: Floats | None = None
    satisfied: Floats | None = None
    distance: Floats | None = None

    @cached_property
    def best(self) -> Floats:
        """The cost that regret is taken against, (n,)."""
        return self.values.min(axis=1) if self.yardstick is None else self.yardstick

    @cached_property
    def regret(self) -> Floats:
        """Cost above the yardstick, (n, k)."""
        return self.values - self.best[:, np.newaxis]

    @cached_property
    def ordered(self) -> Ordered:
        """The costs, sorted."""
        return Ordered(self.values)

    @cached_property
    def ordered_regret(self) -> Ordered:
        """The regrets, sorted."""
        return Ordered(self.regret)

    @cached_property
    def ordered_relative_regret(self) -> Ordered:
        """Regret over the size of the yardstick, sorted."""
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = self.regret / np.abs(self.best)[:, np.newaxis]
        return Ordered(np.nan_to_num(relative, nan=0.0, posinf=np.inf))


def worst_case(costs: Costs, weights: Floats) -> Floats:
    """Return the largest cost of a draw that has weight (minimax; Wald 1950)."""
    return np.asarray(costs.values[weights > 0].max(axis=0))


def best_case(costs: Costs, weights: Floats) -> Floats:
    """Return the least cost of a draw that has weight (minimin; McPhail et al. 2018, doi 10.1002/2017EF000649)."""
    return np.asarray(costs.values[weights > 0].min(axis=0))


def hurwicz(costs: Costs, weights: Floats, on_worst: float = HURWICZ) -> Floats:
    """Return ``a max + (1 - a) min``, a the weight on the *worst* (Hurwicz 1951; papers differ in which end has a)."""
    return on_worst * worst_case(costs, weights) + (1 - on_worst) * best_case(costs, weights)


def expected(costs: Costs, weights: Floats) -> Floats:
    """Return the weighted mean; with equal weights Laplace's principle of insufficient reason."""
    return np.asarray(weights @ costs.values)


def minimax_regret(costs: Costs, weights: Floats) -> Floats:
    """Return the largest regret of a draw that has weight (Savage 1951)."""
    return np.asarray(costs.regret[weights > 0].max(axis=0))


def quantile_regret(costs: Costs, weights: Floats, level: float = LEVEL) -> Floats:
    """Return a quantile of regret (Herman et al. 2015, doi 10.1061/(ASCE)WR.1943-5452.0000509)."""
    return costs.ordered_regret.quantiles(weights, (level,))[0]


def relative_regret(costs: Costs, weights: Floats, level: float = LEVEL) -> Floats:
    """Return a quantile of ``regret / |best of the draw|`` (Herman et al. 2015; other codes divide by other costs)."""
    return costs.ordered_relative_regret.quantiles(weights, (level,))[0]


def domain_criterion(costs: Costs, weights: Floats) -> Floats:
    """Return the weighted share of draws whose cost does not exceed what satisfies; equality counts.

    Starr 1963; Schneller and Sphicas 1983. NaN where nothing says what satisfies.
    """
    if costs.satisfied is None:
        return np.full(costs.values.shape[1], np.nan)
    return np.asarray(weights @ (costs.values <= costs.satisfied[:, np.newaxis]))


def satisficing_radius(costs: Costs, weights: Floats) -> Floats:
    """Return the least scaled distance from the base draw to a draw that does not satisfy (Herman et al. 2015).

    Infinite where every draw satisfies; NaN where nothing says what satisfies, or how far draws are.
    """
    if costs.satisfied is None or costs.distance is None:
        return np.full(costs.values.shape[1], np.nan)
    fails = (costs.values > costs.satisfied[:, np.newaxis]) & (weights > 0)[:, np.newaxis]
    return np.asarray(np.where(fails, costs.distance[:, np.newaxis], np.inf).min(axis=0))


def value_at_risk(costs: Costs, weights: Floats, level: float = LEVEL) -> Floats:
    """Return ``inf{t : F(t) >= level}`` (Rockafellar and Uryasev 2002, doi 10.1016/S0378-4266(02)00271-6)."""
    return costs.ordered.quantiles(weights, (level,))[0]


def conditional_value_at_risk(costs: Costs, weights: Floats, level: float = LEVEL) -> Floats:
    """Return ``min over eta of eta + E[(f - eta)+] / (1 - level)``, which VaR attains (Rockafellar and Uryasev 2002).

    The plain mean of the worst draws is something else wherever ``level n`` is no whole number.
    """
    edge = value_at_risk(costs, weights, level)
    return np.asarray(edge + (weights @ np.maximum(costs.values - edge, 0.0)) / (1 - level))


def standard_deviation(costs: Costs, weights: Floats) -> Floats:
    """Return the weighted standard deviation of the draws themselves (divided by n, not n - 1)."""
    return np.asarray(np.sqrt(weights @ (costs.values - expected(costs, weights)) ** 2))


def signal_to_noise(costs: Costs, weights: Floats) -> Floats:
    """Return mean over standard deviation (Kwakkel et al. 2016, doi 10.1016/j.envsoft.2016.02.019).

    It has no good direction for costs, so nobody is ranked by it: a low mean lowers it and so does a high spread.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        mean, spread = expected(costs, weights), standard_deviation(costs, weights)
        return np.asarray(mean / np.where(spread <= 1e-12 * np.abs(mean), 0.0, spread))  # rounding is no noise


def undesirable_deviations(costs: Costs, weights: Floats) -> Floats:
    """Return the mean of ``f - median`` over the draws that cost the median or more (Kwakkel et al. 2016)."""
    median = value_at_risk(costs, weights, 0.5)
    worse = (costs.values >= median) * weights[:, np.newaxis]
    return np.asarray((worse * (costs.values - median)).sum(axis=0) / worse.sum(axis=0))


def percentile_skewness(costs: Costs, weights: Floats) -> Floats:
    """Return ``((Q90 + Q10) / 2 - Q50) / ((Q90 - Q10) / 2)``, -1 to 1 (Voudouris et al. 2014).

    Positive: the dear end lies further from the median than the cheap one. NaN without spread.
    """
    low, middle, high = costs.ordered.quantiles(weights, (0.1, 0.5, 0.9))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(((high + low) / 2 - middle) / ((high - low) / 2))


def percentile_peakedness(costs: Costs, weights: Floats) -> Floats:
    """Return ``(Q90 - Q10) / (Q75 - Q25)`` (Voudouris et al. 2014): a shape, by which nobody is ranked."""
    low, lower, upper, high = costs.ordered.quantiles(weights, (0.1, 0.25, 0.75, 0.9))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((high - low) / (upper - lower))


@dataclass(frozen=True)
class Metric:
    """One metric of the scorecard.

    Attributes
    ----------
    name : str
        Short, unique.
    score : callable
        Of `Costs` and weights.
    better : {"low", "high", ""}
        Which end is good; empty: it describes and does not rank.
    in_costs : bool
        Whether its unit is that of the costs; else a pure number.
    extreme : bool
        Whether it is an extreme of the draws, which no sample bounds from the far side.
    """

    name: str
    score: Score
    better: Literal["low", "high", ""]
    in_costs: bool = True
    extreme: bool = False


METRICS: Final = (
    Metric("expected", expected, "low"),
    Metric("worst_case", worst_case, "low", extreme=True),
    Metric("best_case", best_case, "low", extreme=True),
    Metric("hurwicz", hurwicz, "low", extreme=True),
    Metric("minimax_regret", minimax_regret, "low", extreme=True),
    Metric("quantile_regret", quantile_regret, "low"),
    Metric("relative_regret", relative_regret, "low", in_costs=False),
    Metric("value_at_risk", value_at_risk, "low"),
    Metric("cvar", conditional_value_at_risk, "low"),
    Metric("domain_criterion", domain_criterion, "high", in_costs=False),
    Metric("satisficing_radius", satisficing_radius, "high", in_costs=False, extreme=True),
    Metric("standard_deviation", standard_deviation, "low"),
    Metric("undesirable_deviations", undesirable_deviations, "low"),
    Metric("percentile_skewness", percentile_skewness, "low", in_costs=False),
    Metric("percentile_peakedness", percentile_peakedness, "", in_costs=False),
    Metric("signal_to_noise", signal_to_noise, "", in_costs=False),
)
RANKED: Final = tuple(metric for metric in METRICS if metric.better)
