"""Estimate what a sweep is asked for from the values of its draws: mean, quantile, probability, CVaR, share of best.

Each function takes values (n,) without missing ones and weights (n,) that sum to 1, and returns one number. Costs: lower
is better. Intervals are for `report.intervals`.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Estimator = Callable[[Floats, Floats], float]


def equal_weights(n: int) -> Floats:
    """Return n weights of 1/n."""
    return np.full(n, 1.0 / n)


def mean(values: Floats, weights: Floats) -> float:
    """Return the weighted mean."""
    return float(values @ weights)


def quantile(values: Floats, weights: Floats, level: float) -> float:
    """Return inf{x : F(x) >= level}, F the weighted distribution function of the draws (VaR of a cost)."""
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order]) >= level * (1 - 1e-12)
    return float(values[order][int(reached.argmax()) if reached.any() else -1])


def probability_above(values: Floats, weights: Floats, threshold: float) -> float:
    """Return the weighted share of values above a threshold."""
    return float(weights[values > threshold].sum())


def cvar(values: Floats, weights: Floats, level: float) -> float:
    """Return the conditional value at risk: the mean of the worst (1 - level), an atom at its edge counted in part.

    min over eta of eta + E[(f - eta)+] / (1 - level), reached at the quantile: Rockafellar and Uryasev 2002, Journal of
    Banking and Finance 26(7).
    """
    edge = quantile(values, weights, level)
    return edge + float(np.maximum(values - edge, 0.0) @ weights) / (1 - level)


def regret(costs: Floats) -> Floats:
    """Return the regret (n, configurations) of costs of the same shape: what each is above the best of its draw."""
    return np.asarray(costs - costs.min(axis=1, keepdims=True), dtype=np.float64)


def is_best(costs: Floats, place: int) -> Floats:
    """Return 1.0 (n,) where a configuration has the least cost of its draw, shared by ties, else 0.0."""
    least = costs == costs.min(axis=1, keepdims=True)
    return np.asarray(least[:, place] / least.sum(axis=1), dtype=np.float64)
