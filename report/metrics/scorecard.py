"""Put every configuration against every metric, with intervals and ranks, over the draws that all of them finished.

Intervals: where the design has independent replicates, from the estimates of each (sectioning, as in
`report.intervals`); else by resampling the points of the design (bootstrap; Efron and Tibshirani 1993). That is honest
for independent draws and conservative for one Latin hypercube. One randomisation of Sobol or Halton points tells nothing
of its own error, so there the resampling is *indicative* and says so. Designs that are no sample have no interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from report.estimators import Floats
from report.intervals import CONFIDENCE, REPLICATED
from report.metrics.definitions import METRICS, Costs, Metric
from report.metrics.futures import Booleans, Futures

RESAMPLES: Final = 200
MOST_RESAMPLED: Final = 4_000_000
"""Draws over all resamples: many draws need few of them."""
LEAST_RESAMPLES: Final = 40

HOW: Final = ("independent", "replicates", "conservative", "indicative", "none")


@dataclass(frozen=True)
class Scorecard:
    """Scores of the rivals; arrays (metrics, configurations) in the order of `METRICS` and `names`.

    Attributes
    ----------
    names : list of str
        The rivals, then the free configurations, which have scores and no rank.
    value, low, high : float64 array
        NaN where undefined; an end is NaN where nothing bounds it.
    rank : float64 array
        1 is best, ties share the mean; NaN for what does not rank.
    resampled : float64 array (resamples, metrics, configurations)
        Scores under resampling, empty where the design is no sample.
    how : str
        One of `HOW`.
    draws : int
        That all rivals finished.
    """

    cost: str
    names: list[str]
    value: Floats
    low: Floats
    high: Floats
    rank: Floats
    resampled: Floats
    how: str
    draws: int
    rivals: int

    def of(self, metric: str) -> int:
        """Row of a metric."""
        return [each.name for each in METRICS].index(metric)


def scorecard(futures: Futures, cost: str = "total_cost", *, seed: int = 0) -> Scorecard:
    """
    Score every configuration by every metric.

    Parameters
    ----------
    futures : Futures
        What `report.metrics.futures.read_futures` gives.
    cost : str
        ``total_cost`` or ``fuel_co2_cost``.
    seed : int
        Of the resampling.
    """
    costs, weights, there = futures.costs(cost)
    names = [*futures.rivals, *futures.free]
    parts = [(costs, weights, there)] + [_alone(futures, cost, name, costs, there) for name in futures.free]
    how = way(futures)
    value = _scores([(part, own) for part, own, _ in parts])
    low, high = np.full(value.shape, np.nan), np.full(value.shape, np.nan)
    resampled = np.empty((0, *value.shape))
    if how == "replicates":
        low, high = _by_replicates(parts, futures, value)
    if how != "none":
        rng = np.random.default_rng(seed)
        resampled = np.stack(list(_resamples(parts, futures, rng)))
        if how != "replicates":
            tail = (1 - CONFIDENCE) / 2
            with np.errstate(invalid="ignore"):
                low, high = np.quantile(resampled, [tail, 1 - tail], axis=0)
    for row, metric in enumerate(METRICS):
        if metric.extreme:
            low[row], high[row] = _open(metric, value[row])
    rank = np.array([ranks(metric, value[row], len(futures.rivals)) for row, metric in enumerate(METRICS)])
    return Scorecard(cost, names, value, low, high, rank, resampled, how, int(there.sum()), len(futures.rivals))


def way(futures: Futures) -> str:
    """Say how intervals can be had, one of `HOW`."""
    method = futures.sample(np.zeros(futures.n)).method()
    if method == "none":
        return "indicative" if futures.design in REPLICATED else "none"
    return method


def ranks(metric: Metric, scores: Floats, rivals: int) -> Floats:
    """Rank the rivals, 1 the best and ties sharing the mean; NaN for others, and where the metric does not rank."""
    found = np.full(len(scores), np.nan)
    told = scores[:rivals]
    if metric.better and not np.isnan(told).any():
        found[:rivals] = stats.rankdata(told if metric.better == "low" else -told)
    return found


def _alone(futures: Futures, cost: str, name: str, costs: Costs, there: Booleans) -> tuple[Costs, Floats, Booleans]:
    """Return a free configuration beside the rivals: its regret is against them, and may be negative."""
    own = np.isfinite(futures.column(cost, name))
    both = own & there
    kept = own[there]
    part = Costs(
        futures.column(cost, name)[both, np.newaxis],
        costs.best[kept],
        None if costs.satisfied is None else costs.satisfied[kept],
        None if costs.distance is None else costs.distance[kept],
    )
    return part, futures.weights_of(both), both


def _scores(parts: list[tuple[Costs, Floats]]) -> Floats:
    """Return (metrics, configurations); NaN for a part without draws."""
    columns = []
    for costs, weights in parts:
        if not len(weights) or not weights.sum() > 0:
            columns.append(np.full((len(METRICS), costs.values.shape[1]), np.nan))
        else:
            columns.append(np.array([metric.score(costs, weights) for metric in METRICS]))
    return np.concatenate(columns, axis=1)


def _scaled(weights: Floats) -> Floats:
    total = weights.sum()
    return weights / total if total > 0 else weights


def _by_replicates(
    parts: list[tuple[Costs, Floats, Booleans]], futures: Futures, value: Floats
) -> tuple[Floats, Floats]:
    labels = np.unique(futures.replicate)
    each = np.stack(
        [
            _scores(
                [(costs, _scaled(weights * (futures.replicate[there] == label))) for costs, weights, there in parts]
            )
            for label in labels
        ]
    )
    with np.errstate(invalid="ignore"):  # an infinite radius has no spread
        spread = np.sqrt(((each - value) ** 2).sum(axis=0) / (len(labels) - 1) / len(labels))
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, len(labels) - 1)) * spread
    return value - half, value + half


def _resamples(parts: list[tuple[Costs, Floats, Booleans]], futures: Futures, rng: np.random.Generator) -> list[Floats]:
    """Score resamples: a draw counts as often as its point was drawn, which is a weight and copies nothing."""
    points = int(futures.point.max()) + 1
    times = int(np.clip(MOST_RESAMPLED // futures.n, LEAST_RESAMPLES, RESAMPLES))
    found: list[Floats] = []
    while len(found) < times:
        counts = np.bincount(rng.integers(points, size=points), minlength=points)[futures.point]
        weighed = [(costs, _scaled(weights * counts[there])) for costs, weights, there in parts]
        if weighed[0][1].sum() > 0:
            found.append(_scores(weighed))
    return found


def _open(metric: Metric, value: Floats) -> tuple[Floats, Floats]:
    """Return the ends of an extreme: more draws can only move it on."""
    nothing = np.full(len(value), np.nan)
    falls = metric.name in ("best_case", "satisficing_radius")
    if metric.name == "hurwicz":
        return nothing, nothing
    return (nothing, value) if falls else (value, nothing)
