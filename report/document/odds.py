"""Find the odds at which another plan becomes the better choice, for futures parted by one uncertainty at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from report.document.language import Words, number
from report.document.material import Material
from report.factors import Factor, is_few
from report.metrics.deciding import breaks_even

LEAST_DRAWS: Final = 5
"""A kind of future with fewer draws tells nothing."""
TIED: Final = 1e-9
"""Relative; a mean above the least one by less is no other."""


@dataclass(frozen=True)
class Odds:
    """Choose ``other`` in place of the plan once the chance of a kind of future exceeds ``chance``.

    Attributes
    ----------
    factor, kind : str
        The uncertainty, and the kind of future in words.
    share : float
        The chance of that kind as the draws have it.
    chance : float
        Break-even chance, in 0..1.
    draws : (int, int)
        Of that kind, and of all other kinds.
    """

    factor: str
    kind: str
    share: float
    other: str
    chance: float
    draws: tuple[int, int]


def break_even_odds(material: Material, cost: str = "total_cost") -> list[Odds]:
    """Return for each uncertainty the kind of future in which another plan wins soonest, lowest chance first.

    Only where these two are then the cheapest of all plans on average: odds between two that a third one beats turn nothing.
    """
    futures = material.futures
    costs, weights, there = futures.costs(cost)
    plan = futures.rivals.index(material.plan)
    found = []
    for factor in futures.factors:
        best: Odds | None = None
        for kind, inside in kinds(factor, material.words):
            kept = inside[there]
            counts = (int(kept.sum()), int((~kept).sum()))
            if min(counts) < LEAST_DRAWS:
                continue
            parts = [weights * side / (weights * side).sum() for side in (kept, ~kept)]
            means = np.array([part @ costs.values for part in parts])
            for other, name in enumerate(futures.rivals):
                chance = breaks_even((means[0, plan], means[1, plan]), (means[0, other], means[1, other]))
                if other == plan or np.isnan(chance) or (best is not None and chance >= best.chance):
                    continue
                mixed = chance * means[0] + (1 - chance) * means[1]
                if mixed[plan] <= mixed.min() + TIED * abs(mixed.min()):
                    best = Odds(factor.name, kind, float(weights[kept].sum()), name, chance, counts)
        if best is not None:
            found.append(best)
    return sorted(found, key=lambda odds: odds.chance)


def kinds(factor: Factor, words: Words) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Part futures by an uncertainty: each value of a few, else below and above the outer thirds; in words, and where."""
    name = words.parameter(factor.name)
    if is_few(factor):
        for value in np.unique(factor.values):
            label = factor.labels[int(value)] if factor.labels else f"{value:g}"
            yield f"{name} = {label}", np.asarray(factor.values == value)
        return
    low, high = np.quantile(factor.values, [1 / 3, 2 / 3])
    yield f"{name} ≤ {number(float(low))}", np.asarray(factor.values <= low)
    yield f"{name} ≥ {number(float(high))}", np.asarray(factor.values >= high)
