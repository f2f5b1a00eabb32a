"""Estimate what a sweep is asked for from the values of its draws: mean, quantile, probability, CVaR, share of best.

Each function takes values (n,) without missing ones and weights (n,) that sum to 1, and returns one number. Costs: lower
is better. Intervals are for `report.intervals`.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Estimator = Callable[[Floats, Floats], float]


def _are_equal(weights: Floats) -> bool:
    return len(weights) > 0 and bool((weights == weights[0]).all())


def equal_weights(n: int) -> Floats:
    """Return n weights of 1/n."""
    return np.full(n, 1.0 / n)


def mean(values: Floats, weights: Floats) -> float:
    """Return the weighted mean; with equal weights numpy's, to the last bit."""
    return float(values.mean() if _are_equal(weights) else values @ weights)


def linear_quantile(values: Floats, weights: Floats, level: float) -> float:
    """Return the quantile that joins the ordered draws by straight lines, as numpy's 'linear' does with equal weights.

    Of the draws with a weight, in rising order, the k-th stands at the level
    (w_1 / 2 + w_2 + ... + w_k-1 + w_k / 2 - w_1 / 2) / (w_1 / 2 + w_2 + ... + w_n-1 + w_n / 2), which with equal weights is
    (k - 1) / (n - 1): definition 7 of Hyndman and Fan 1996, American Statistician 50(4), with the distance of two
    neighbours the mean of their weights, and draws of the same value sharing theirs evenly. The least is the quantile at 0, the
    largest that at 1, and mirrored values have mirrored quantiles.
    """
    if _are_equal(weights):
        return float(np.quantile(values, level, method="linear"))
    there = weights > 0
    unique, place, count = np.unique(values[there], return_inverse=True, return_counts=True)
    each = np.repeat(np.bincount(place, weights=weights[there]) / count, count)
    stands = np.concatenate([[0.0], np.cumsum((each[1:] + each[:-1]) / 2)])
    return float(np.interp(level * stands[-1], stands, np.repeat(unique, count)))


def quantile(values: Floats, weights: Floats, level: float) -> float:
    """Return inf{x : F(x) >= level}, F the weighted distribution function of the draws: the VaR of a cost, edge of its CVaR.

    Quantiles as they are shown are `linear_quantile`.
    """
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
