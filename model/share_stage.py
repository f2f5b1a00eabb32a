"""The rules of a siting that is decided in shares before the draw is known, as a Pyomo model: section 4 for all draws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from model import latency
from model.case import Case
from model.configurations import Configuration
from model.siting import LOCAL_TIER
from model.template import Floats

if TYPE_CHECKING:
    import pyomo.environ as pyo

LEAST = 1e-7  # a share below this is none
WHOLE_NUMBERS = (
    200  # so many numbers of sites are whole ones; of more the cost is a bound, off by less than a site each
)
INSIDE = 1e-5  # relative, by which sizes and headroom are kept inside, so that a solver's tolerance breaks none


@dataclass(frozen=True)
class DemandRange:
    """The demands [GW] between which the rules must hold, and the least photonic share that may be met there."""

    low: float
    high: float
    alpha: float


@dataclass(frozen=True, eq=False)
class ShareStage:
    """The model, its shares (area by area, tier by tier) and the site cost at each of the levels of demand."""

    model: pyo.ConcreteModel
    shares: list[Any]
    costs: list[Any]


def build_share_stage(case: Case, free: Configuration, within: DemandRange, levels: Sequence[float]) -> ShareStage:
    """Build the stage.

    Rules 4 and 5 hold at every demand of the range: headroom, largest sizes and numbers at its highest, smallest sizes
    and numbers at its lowest. (Where a tier's sizes leave gaps between n sites and n + 1, demands in between may still
    break rule 4; ``count_sites`` tells.) Rule 6: smart cities of an area take no more than the work of its own users.

    Parameters
    ----------
    free : Configuration
        Where load may stand; every tier that may be used is used.
    levels : sequence of float
        Demands [GW], ascending, for each of which the least site cost is told.
    """
    import pyomo.environ as pyo  # slow to import, and only whoever decides a siting needs it

    inputs, tiers = case.inputs, case.tiers
    A, J = range(len(inputs.areas)), range(len(tiers))
    per_share = 1 / inputs.scalars["load_factor"]  # contract of all load in one place, over demand
    m = pyo.ConcreteModel("shares")
    m.share = pyo.Var(A, J, bounds=lambda m, a, j: (0.0, 1.0 if free.allowed[a, j] else 0.0))
    m.whole = pyo.Constraint(expr=sum(m.share[a, j] for a in A for j in J) == 1.0)
    m.headroom = pyo.Constraint(
        A,
        rule=lambda m, a: (
            within.high * per_share * sum(m.share[a, j] for j in J) <= (1 - INSIDE) * float(inputs.headroom[a])
        ),
    )
    if LOCAL_TIER in tiers:
        local, own = tiers.index(LOCAL_TIER), own_work(case, within.alpha)
        m.local = pyo.Constraint(A, rule=lambda m, a: m.share[a, local] <= (1 - INSIDE) * float(own[a]))
    costs: list[Any] = [0.0] * len(levels)
    if case.siting == "tiers":
        costs = _sites(m, case, free, within, levels, per_share)
    return ShareStage(m, list(m.share.values()), costs)


def own_work(case: Case, alpha: float) -> Floats:
    """Share (A,) of all work that an area's users may have done in their own area."""
    inputs = case.inputs
    allowed, photonic = latency.allowed(inputs), latency.only_photonic(inputs)
    a = np.arange(len(inputs.areas))
    most = np.where(photonic[:, a, a], alpha, 1.0) * allowed[:, a, a]
    return np.asarray((most * inputs.class_share[:, None]).sum(axis=0) * inputs.user_share)


def _sites(
    m: pyo.ConcreteModel,
    case: Case,
    free: Configuration,
    within: DemandRange,
    levels: Sequence[float],
    per_share: float,
) -> list[Any]:
    """Rule 4 at both ends of the range; returns the least yearly cost of sites at each level."""
    import pyomo.environ as pyo

    t = case.inputs.tiers
    A, used = range(len(case.inputs.areas)), [int(j) for j in np.flatnonzero(free.allowed.any(axis=0))]
    places = [(a, j) for a in A for j in used if free.allowed[a, j]]
    smallest = [(a, j) for a, j in places if t.size_min[j] > 0]
    low, high = within.low * per_share, within.high * per_share
    m.open = pyo.Var(places, domain=pyo.Binary)
    m.most = pyo.Var(places, domain=pyo.NonNegativeIntegers)  # sites at the highest demand
    m.fit = pyo.Var(places, domain=pyo.NonNegativeIntegers)  # sites that find their least size at the lowest
    m.size_min = pyo.Constraint(
        smallest, rule=lambda m, a, j: low / float(t.size_min[j]) * m.share[a, j] >= (1 + INSIDE) * m.open[a, j]
    )
    m.size_max = pyo.Constraint(
        places, rule=lambda m, a, j: high / float(t.size_max[j]) * m.share[a, j] <= (1 - INSIDE) * m.most[a, j]
    )
    m.fits = pyo.Constraint(
        smallest, rule=lambda m, a, j: low / float(t.size_min[j]) * m.share[a, j] >= (1 + INSIDE) * m.fit[a, j]
    )
    per_area = {j: float(t.sites_max_per_area[j]) for j in used}
    m.per_area = pyo.Constraint(places, rule=lambda m, a, j: m.most[a, j] <= per_area[j] * m.open[a, j])
    m.fit_per_area = pyo.Constraint(places, rule=lambda m, a, j: m.fit[a, j] <= per_area[j] * m.open[a, j])
    m.sites_max = pyo.Constraint(
        used, rule=lambda m, j: sum(m.most[a, i] for a, i in places if i == j) <= float(t.sites_max[j])
    )
    m.sites_min = pyo.Constraint(
        used, rule=lambda m, j: sum(m.fit[a, i] for a, i in places if i == j) >= max(1.0, float(t.sites_min[j]))
    )
    # The least number of sites at a level of demand; one is enough wherever the largest demand fits into one.
    K = range(len(levels))
    several = [(a, j, k) for k in K for a, j in places if per_area[j] > 1 and levels[k] * per_share > t.size_max[j]]
    whole = pyo.NonNegativeIntegers if len(several) <= WHOLE_NUMBERS else pyo.NonNegativeReals
    m.number = pyo.Var(several, domain=whole)
    m.holds = pyo.Constraint(
        several,
        rule=lambda m, a, j, k: (
            levels[k] * per_share / float(t.size_max[j]) * m.share[a, j] <= (1 - INSIDE) * m.number[a, j, k]
        ),
    )
    m.one = pyo.Constraint(several, rule=lambda m, a, j, k: m.number[a, j, k] >= m.open[a, j])
    m.count = pyo.Var(used, K, bounds=lambda m, j, k: (float(t.sites_min[j]), None))
    is_several = set(several)
    m.counted = pyo.Constraint(
        used,
        K,
        rule=lambda m, j, k: (
            m.count[j, k]
            >= sum(m.number[a, j, k] if (a, j, k) in is_several else m.open[a, j] for a, i in places if i == j)
        ),
    )
    return [sum(float(t.site_cost[j]) * m.count[j, k] for j in used) for k in K]


def tidy(case: Case, within: DemandRange, shares: Floats) -> Floats:
    """Shares (A, J) without a solver's crumbs: what is below the least size of a site is none, and the sum is 1."""
    kept = np.maximum(shares, 0.0)
    if case.siting == "tiers":
        contract = within.low * kept / case.inputs.scalars["load_factor"]
        kept = np.where(contract < (1 - 1e-3) * case.inputs.tiers.size_min, 0.0, kept)
    kept = np.where(kept < LEAST, 0.0, kept)
    kept[np.unravel_index(int(kept.argmax()), kept.shape)] += 1.0 - kept.sum()  # the others may be at a limit
    return kept
