"""The siting stage as a Pyomo model: section 4 of the specification - where load stands, whom it serves, at what cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model import latency, parameters
from model.configurations import Configuration, tier_names
from model.inputs import Inputs
from model.live import Solution
from model.parameters import Theta
from model.spec import Siting
from model.template import Floats, Gradient, Template

if TYPE_CHECKING:
    import pyomo.environ as pyo

LOCAL_TIER = "smart_city"  # Type 2-2: serves its own region
TWH_PER_GW_YEAR = 8.76
# A HiGHS tolerance fine enough for the round-trip tie-breaker (0.0001 billion yen per GW-ms) to decide the latency.
EXACT = {"dual_feasibility_tolerance": 1e-10}


def build_siting(inputs: Inputs, siting: Siting, free: Configuration | None = None) -> pyo.ConcreteModel:
    """Build the siting stage; with ``free`` also site counts, grid headroom and their cost, else x is given by bounds.

    Billion yen per year; x, y, z, Z in GW of mean IT load, n in sites.
    """
    import pyomo.environ as pyo  # slow to import, and not needed where the compiled template is kept

    m = pyo.ConcreteModel("siting")
    tiers = tier_names(inputs, siting)
    A, J, K = range(len(inputs.areas)), range(len(tiers)), range(len(inputs.class_names))
    scalar = inputs.scalars
    km = latency.fibre_km(inputs)
    slow, fast = latency.rtt_conventional(inputs), latency.rtt_photonic(inputs)
    allowed, photonic = latency.allowed(inputs), latency.only_photonic(inputs)
    m.served = pyo.Set(initialize=[(k, o, a) for k in K for o in A for a in A if allowed[k, o, a]], dimen=3)
    m.capped = pyo.Set(initialize=[(k, o) for k in K for o in A if photonic[k, o].any()], dimen=2)

    m.work = pyo.Param(K, A, mutable=True)  # D * class share * user share, GW
    m.alpha = pyo.Param(mutable=True)  # apn_adoption
    m.capex = pyo.Param(A, mutable=True)  # billion yen per GW of contract
    m.x_low = pyo.Param(A, J, mutable=True)
    m.x_high = pyo.Param(A, J, mutable=True)

    m.x = pyo.Var(A, J, bounds=lambda m, a, j: (m.x_low[a, j], m.x_high[a, j]))
    m.y = pyo.Var(m.served, bounds=(0, None))
    m.z = pyo.Var(K, A, bounds=(0, None))
    m.Z = pyo.Var(A, bounds=(0, None))

    m.users = pyo.Constraint(  # 1
        K, A, rule=lambda m, k, o: sum(m.y[k, o, a] for a in A if allowed[k, o, a]) + m.z[k, o] == m.work[k, o]
    )
    m.placed = pyo.Constraint(  # 2
        A,
        rule=lambda m, a: (
            sum(m.y[k, o, a] for k in K for o in A if allowed[k, o, a]) + m.Z[a] == sum(m.x[a, j] for j in J)
        ),
    )
    m.unserved = pyo.Constraint(expr=sum(m.Z[a] for a in A) == sum(m.z[k, o] for k in K for o in A))
    m.photonic = pyo.Constraint(  # 3
        m.capped,
        rule=lambda m, k, o: sum(m.y[k, o, a] for a in A if photonic[k, o, a]) <= m.alpha * m.work[k, o],
    )
    if LOCAL_TIER in tiers:
        local = tiers.index(LOCAL_TIER)
        m.local = pyo.Constraint(A, rule=lambda m, a: m.x[a, local] <= sum(m.y[k, a, a] for k in K))  # 6

    site_cost: object = 0.0
    if free is not None:
        m.headroom = pyo.Constraint(  # 5
            A, rule=lambda m, a: sum(m.x[a, j] for j in J) <= scalar["load_factor"] * float(inputs.headroom[a])
        )
        if siting == "tiers":
            site_cost = _sites(m, inputs, free)

    def seen(m: pyo.ConcreteModel, k: int, o: int, a: int) -> object:
        if photonic[k, o, a]:
            return float(fast[o, a])
        return float(slow[o, a]) + m.alpha * float(fast[o, a] - slow[o, a])

    per_load = scalar["crf"] / scalar["load_factor"]
    m.cost = pyo.Objective(
        expr=per_load * sum(m.capex[a] * m.x[a, j] for a in A for j in J)
        + site_cost
        + scalar["net_cost"] * sum(float(km[o, a]) * m.y[k, o, a] for k, o, a in m.served)
        + scalar["latency_penalty"] * TWH_PER_GW_YEAR * sum(m.z[k, o] for k in K for o in A)
        + scalar["tie_breaker_rtt"] * sum(m.y[k, o, a] * seen(m, k, o, a) for k, o, a in m.served)
    )
    return m


def _sites(m: pyo.ConcreteModel, inputs: Inputs, free: Configuration) -> object:
    """Rule 4, whole sites within their sizes and counts; every allowed tier is used. Returns the yearly cost of sites."""
    import pyomo.environ as pyo

    t, scale = inputs.tiers, inputs.scalars["load_factor"]
    A, used = range(len(inputs.areas)), [int(j) for j in np.flatnonzero(free.allowed.any(axis=0))]
    m.n = pyo.Var(A, used, domain=pyo.Integers, bounds=lambda m, a, j: (0, float(t.sites_max_per_area[j])))
    m.size_min = pyo.Constraint(A, used, rule=lambda m, a, j: m.x[a, j] >= scale * float(t.size_min[j]) * m.n[a, j])
    m.size_max = pyo.Constraint(A, used, rule=lambda m, a, j: m.x[a, j] <= scale * float(t.size_max[j]) * m.n[a, j])
    m.sites = pyo.Constraint(
        used, rule=lambda m, j: (float(t.sites_min[j]), sum(m.n[a, j] for a in A), float(t.sites_max[j]))
    )
    return sum(float(t.site_cost[j]) * m.n[a, j] for a in A for j in used)


def of_draw(theta: Theta, inputs: Inputs, free: Configuration) -> dict[str, Floats | float]:
    """What a draw sets in the siting stage of a free configuration: load wherever it is allowed."""
    most: Floats = float(theta["dc_demand"]) * free.allowed.astype(np.float64)
    return {**_of_theta(theta, inputs), "x_low": np.zeros(most.shape), "x_high": most}


def of_load(theta: Theta, inputs: Inputs, x: Floats) -> dict[str, Floats | float]:
    """What a draw sets in the siting stage around a given load x (A, J) [GW]."""
    return {**_of_theta(theta, inputs), "x_low": x, "x_high": x}


def _of_theta(theta: Theta, inputs: Inputs) -> dict[str, Floats | float]:
    work: Floats = np.outer(float(theta["dc_demand"]) * inputs.class_share, inputs.user_share)
    capex: Floats = parameters.building_cost(theta, inputs)
    return {"work": work, "alpha": float(theta["apn_adoption"]), "capex": capex}


@dataclass(frozen=True, eq=False)
class Placement:
    """The siting stage's answer: load (A, J), work served (K, o, a), unserved (K, o) in GW; sites (A, J) or None.

    ``sites_violated`` is 1.0 where a rule on sites cannot be met, 0.0 where all are, NaN without tiers. ``apn_value`` is
    what more APN adoption would spare in network and latency cost [billion yen per year and unit of share].
    """

    x: Floats
    y: Floats
    z: Floats
    sites: Floats | None = None
    sites_violated: float = np.nan
    apn_value: float = np.nan

    @property
    def load(self) -> Floats:
        """Mean IT load of each area (A,) [GW]."""
        total: Floats = self.x.sum(axis=1)
        return total


def read_placement(template: Template, primal: Floats, inputs: Inputs, free: Configuration | None) -> Placement:
    """Label the columns of a solved siting stage."""
    areas, classes = len(inputs.areas), len(inputs.class_names)
    x = primal[template.columns["x"]].reshape(areas, -1)
    y = np.zeros((classes, areas, areas))
    y[latency.allowed(inputs)] = primal[template.columns["y"]]
    sites, violated = None, np.nan
    if free is not None and "n" in template.columns:
        used = np.flatnonzero(free.allowed.any(axis=0))
        sites = np.zeros(x.shape)
        sites[:, used] = np.rint(primal[template.columns["n"]].reshape(areas, -1)) + 0.0  # no -0.0
        violated = 0.0
    z = primal[template.columns["z"]].reshape(classes, areas)
    return Placement(np.maximum(x, 0.0), y, z, sites, violated)


def apn_value(by_apn: Gradient, template: Template, vector: Floats, solution: Solution) -> float:
    """What more APN adoption would spare around a given load [billion yen per year and unit of share].

    Parameters
    ----------
    by_apn : Gradient
        Of the siting stage by ``alpha``.
    vector : (parameters,) array
        Of the solve.
    """
    jacobian = by_apn.jacobian(vector)
    return -float(by_apn.of(jacobian, solution.primal, solution.row_dual, solution.column_dual)[0])


def count_sites(x: Floats, inputs: Inputs) -> tuple[Floats, float]:
    """Number of sites (A, J) and a flag, 1.0 where a rule on sites cannot be met: what a siting takes.

    In each area the least number that holds its contract, and the tier's national minimum if that is more: the extra
    ones go where a site of the least size still fits, largest contract first. Where the rules cannot be met the
    numbers stand all the same and ``violated`` says so. A tier without load is not used and asks for nothing.

    Parameters
    ----------
    x : (A, J) array, GW of mean IT load
    """
    t = inputs.tiers
    contract = x / inputs.scalars["load_factor"]
    slack = 1 + 1e-9  # a contract that is a whole number of sites but for rounding
    least = np.ceil(contract / (t.size_max * slack))
    most = np.minimum(np.floor(contract * slack / np.where(t.size_min > 0, t.size_min, 1e-9)), t.sites_max_per_area)
    used = (x > 0).any(axis=0)
    violated = bool((least > most).any() or (least.sum(axis=0) > t.sites_max)[used].any())
    sites = least.copy()
    for j in np.flatnonzero(used):
        order = np.argsort(-contract[:, j], kind="stable")
        missing = t.sites_min[j] - sites[:, j].sum()
        for a in order:
            extra = float(np.clip(missing, 0.0, max(most[a, j] - sites[a, j], 0.0)))
            sites[a, j] += extra
            missing -= extra
        if missing > 0:
            violated = True
            sites[order[0], j] += missing
    return sites, float(violated)


def headroom_exceeded(x: Floats, inputs: Inputs) -> float:
    """Contract beyond the grid headroom, summed over the areas that exceed it [GW]."""
    over = x.sum(axis=1) / inputs.scalars["load_factor"] - inputs.headroom
    return float(np.where(over > 1e-9, over, 0.0).sum())


def mean_latency(placement: Placement, theta: Theta, inputs: Inputs) -> NDArray[np.float64]:
    """Mean RTT (o,) [ms] that the served work of each area's users sees; NaN where none of it is served."""
    seen = latency.rtt_seen(inputs, float(theta["apn_adoption"]))
    served = placement.y.sum(axis=(0, 2))
    weighted = (placement.y * seen).sum(axis=(0, 2))
    return np.asarray(np.divide(weighted, served, out=np.full(len(inputs.areas), np.nan), where=served > 0))
