"""Order uncertainties by how much they move what plans save: what a reader looks at first."""

from __future__ import annotations

import numpy as np
from scipy import stats

from report.factors import Factor
from report.metrics.futures import Futures


def strongest_first(futures: Futures) -> list[Factor]:
    """Order the parameters by their rank correlation with the mean saving of the plans (or cost, where there is but one)."""
    costs, _, there = futures.costs("total_cost")
    others = [at for at, name in enumerate(futures.rivals) if name != futures.reference]
    told = costs.values[:, others].mean(axis=1) if others else costs.values[:, 0]
    if others and futures.reference in futures.rivals:
        told = futures.column("total_cost", futures.reference)[there] - told
    ranks = stats.rankdata(told)

    def strength(factor: Factor) -> float:
        values = factor.values[there]
        if np.ptp(values) == 0 or np.ptp(ranks) == 0:
            return 0.0
        return abs(float(np.corrcoef(stats.rankdata(values), ranks)[0, 1]))

    return sorted(futures.factors, key=strength, reverse=True)
