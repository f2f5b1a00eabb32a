"""Weigh configurations against each other: what robustness costs, what knowing would be worth, and break-even odds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from report.estimators import Floats
from report.metrics.definitions import Costs, conditional_value_at_risk, expected


def price_of_robustness(costs: Costs, weights: Floats, robust: int, neutral: int, level: float) -> float:
    """
    Return the expected cost paid for each unit of CVaR avoided.

    ``(E[robust] - E[neutral]) / (CVaR[neutral] - CVaR[robust])``; NaN where the robust one avoids nothing.
    """
    mean, tail = expected(costs, weights), conditional_value_at_risk(costs, weights, level)
    avoided = float(tail[neutral] - tail[robust])
    return float(mean[robust] - mean[neutral]) / avoided if avoided > 0 else float("nan")


def wait_and_see(costs: Costs, weights: Floats) -> float:
    """Return the expected cost of the best configuration of every draw (WS; Birge and Louveaux 2011)."""
    return float(weights @ costs.best)


def value_of_information(costs: Costs, weights: Floats) -> float:
    """Return EVPI = RP - WS: by how much the least expected cost would fall if the future were known first (>= 0)."""
    return float(expected(costs, weights).min()) - wait_and_see(costs, weights)


def value_of_stochastic_solution(costs: Costs, weights: Floats, planned: int) -> float:
    """Return VSS = EEV - RP, where ``planned`` is what a plan for one expected future alone would choose (>= 0)."""
    mean = expected(costs, weights)
    return float(mean[planned] - mean.min())


def breaks_even(mean_a: tuple[float, float], mean_b: tuple[float, float]) -> float:
    """
    Return the probability of the first of two kinds of future above which B costs less than A.

    Parameters
    ----------
    mean_a, mean_b : (float, float)
        Mean cost of each in futures of the first kind and of the second.

    Returns
    -------
    float
        In 0..1; NaN where one of the two is at least as good in both kinds, or B is the better one in the second: then
        no odds turn the choice that way.
    """
    gain = mean_a[0] - mean_b[0]
    loss = mean_b[1] - mean_a[1]
    return loss / (gain + loss) if gain > 0 and loss > 0 else float("nan")


@dataclass(frozen=True)
class Dominance:
    """Which configuration dominates which: boolean arrays (k, k), row over column."""

    first: NDArray[np.bool_]
    second: NDArray[np.bool_]


def dominance(costs: Floats, weights: Floats) -> Dominance:
    """
    Compare the distributions of costs pair by pair.

    First order: at every cost the share of draws that stay below is as large, somewhere larger (whoever prefers less
    to more agrees). Second order, for costs the increasing convex order: the expected excess over every level is as
    small, somewhere smaller (whoever also dislikes risk agrees). Hadar and Russell 1969; Rothschild and Stiglitz 1970.

    Parameters
    ----------
    costs : float64 array (n, k)
        Lower is better, no NaN.
    weights : float64 array (n,)
        Sum 1.
    """
    count = costs.shape[1]
    first, second = np.zeros((count, count), dtype=np.bool_), np.zeros((count, count), dtype=np.bool_)
    order = np.argsort(costs, axis=0, kind="stable")
    ordered = np.take_along_axis(costs, order, axis=0)
    reached = np.vstack([np.zeros(count), np.cumsum(weights[order], axis=0)])
    tail = np.vstack([np.cumsum((weights[order] * ordered)[::-1], axis=0)[::-1], np.zeros(count)])
    scale = float(np.abs(costs).max()) or 1.0
    for a in range(count):
        for b in range(a + 1, count):
            levels = np.concatenate([ordered[:, a], ordered[:, b]])
            at = [np.searchsorted(ordered[:, each], levels, side="right") for each in (a, b)]
            below = reached[at[0], a] - reached[at[1], b]
            excess = [
                tail[places, each] - (reached[-1, each] - reached[places, each]) * levels
                for places, each in zip(at, (a, b), strict=True)
            ]
            first[a, b], first[b, a] = _one_way(below, 1e-12)
            second[a, b], second[b, a] = _one_way(excess[1] - excess[0], 1e-12 * scale)
    return Dominance(first, second)


def _one_way(difference: Floats, noise: float) -> tuple[bool, bool]:
    """Say whether a difference is nowhere negative and somewhere positive, and the other way round."""
    up, down = bool((difference > noise).any()), bool((difference < -noise).any())
    return up and not down, down and not up
