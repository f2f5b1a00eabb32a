"""Show where the metrics disagree: rank correlations between them, and how stable each ranking is under resampling."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from scipy import stats

from report.estimators import Floats
from report.metrics.definitions import METRICS, RANKED
from report.metrics.scorecard import Scorecard, ranks


@dataclass(frozen=True)
class Agreement:
    """Rank correlations between the metrics that rank.

    Attributes
    ----------
    metrics : list of str
        Those that rank all rivals.
    kendall, spearman : float64 array (metrics, metrics)
        Kendall's tau-b and Spearman's rho over the rivals; NaN with fewer than two, or where all tie.
    """

    metrics: list[str]
    kendall: Floats
    spearman: Floats


def agreement(card: Scorecard) -> Agreement:
    """Correlate the rankings of a scorecard."""
    rows = [
        row
        for row, metric in enumerate(METRICS)
        if metric in RANKED and not np.isnan(card.rank[row, : card.rivals]).any()
    ]
    told = card.rank[rows, : card.rivals]
    size = len(rows)
    kendall, spearman = np.full((size, size), np.nan), np.full((size, size), np.nan)
    for a, b in itertools.product(range(size), repeat=2):
        if card.rivals > 1 and np.ptp(told[a]) > 0 and np.ptp(told[b]) > 0:
            kendall[a, b] = stats.kendalltau(told[a], told[b]).statistic
            spearman[a, b] = np.corrcoef(told[a], told[b])[0, 1]
    return Agreement([METRICS[row].name for row in rows], kendall, spearman)


def winners(card: Scorecard) -> dict[str, list[str]]:
    """Return by rival the metrics that put it first, shared first places included; most of them first."""
    found: dict[str, list[str]] = {name: [] for name in card.names[: card.rivals]}
    for row, metric in enumerate(METRICS):
        told = card.rank[row, : card.rivals]
        if metric.better and not np.isnan(told).any():
            for at in np.flatnonzero(told == told.min()):
                found[card.names[int(at)]].append(metric.name)
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


@dataclass(frozen=True)
class Stability:
    """How a ranking fares under resampling; arrays (metrics, rivals), NaN where nothing ranks or was resampled.

    Attributes
    ----------
    first : float64 array
        Share of resamples in which a rival comes first, ties shared.
    kept : float64 array (metrics,)
        Share of resamples with the very ranking of the scorecard.
    """

    first: Floats
    kept: Floats
    resamples: int


def stability(card: Scorecard) -> Stability:
    """Rank every resample of a scorecard anew."""
    count, size = len(card.resampled), card.rivals
    first, kept = np.full((len(METRICS), size), np.nan), np.full(len(METRICS), np.nan)
    for row, metric in enumerate(METRICS):
        if not count or np.isnan(card.rank[row, :size]).any():
            continue
        told = np.array([ranks(metric, scores[row, :size], size) for scores in card.resampled])
        told = told[~np.isnan(told).any(axis=1)]
        if len(told):
            best = told == told.min(axis=1, keepdims=True)
            first[row] = (best / best.sum(axis=1, keepdims=True)).mean(axis=0)
            kept[row] = float((told == card.rank[row, :size]).all(axis=1).mean())
    return Stability(first, kept, count)
