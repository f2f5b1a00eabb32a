"""Tell what a siting is, area by area, what its costs over draws come to, and what it saves beside named configurations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model import site_cost
from report.intervals import Sample, cvar_interval, largest, mean_interval
from sweep.optimise import Record, Session, interval, number
from sweep.robust.measures import Floats
from sweep.siting_problem import wait_and_see

LEVEL = 0.9  # of the CVaR that is always told


def siting_record(session: Session, point: Floats) -> Record:
    """A siting by area and tier: shares, load at the mean demand, and sites at the ends of the demand."""
    case, shares = session.cube.case, point.reshape(session.cube.shape)
    demand = session.cube.demand(session.draws)
    violated = [site_cost(case, each, shares)[1] for each in demand]
    contract = demand[:, None] * shares.sum(axis=1) / case.inputs.scalars["load_factor"]

    def table(values: Floats) -> Record:
        return {
            area: {tier: float(values[a, j]) for j, tier in enumerate(case.tiers) if values[a, j] > 0}
            for a, area in enumerate(case.inputs.areas)
            if values[a].any()
        }

    return {
        "x": table(shares),
        "x_unit": "share of dc_demand",
        "load": table(float(demand.mean()) * shares),
        "load_unit": "GW of mean IT load at the mean dc_demand of the draws",
        "dc_demand_mean": float(demand.mean()),
        "draws_with_site_rules_broken": int(np.nansum(violated)),
        "draws_beyond_headroom": int((contract > case.inputs.headroom * (1 + 1e-9)).any(axis=1).sum()),
    }


def sample(session: Session, draws: Sequence[int], values: Floats) -> Sample:
    """Values of draws with what their interval depends on."""
    table = session.cube.study.table
    kind = session.cube.study.identity["study"]["design"]["kind"]
    return Sample(values, kind, np.asarray(table["replicate"].values)[list(draws)], point=points_of(session, draws))


def scenarios(session: Session) -> list[str]:
    """Names of the study's scenarios, which count alike: they have no odds."""
    return list(session.cube.study.identity["study"].get("scenario") or {})


def points_of(session: Session, draws: Sequence[int]) -> np.ndarray:
    """The point of the design that each draw comes from: under several scenarios draws share one."""
    return np.asarray(draws, dtype=np.int64) // max(1, len(scenarios(session)))


def measures(session: Session, draws: Sequence[int], cost: Floats) -> Record:
    """Mean, CVaR, worst case and regret of costs (draws,)."""
    of = sample(session, draws, cost)
    told = {
        "mean": interval(mean_interval(of)),
        f"cvar:{LEVEL:g}": interval(cvar_interval(of, LEVEL)),
        "worst": interval(largest(of)),
        "regret": None,
    }
    best = wait_and_see(session.cube, draws)
    if best is not None:
        told["regret"] = interval(largest(sample(session, draws, cost - best[0])))
    return told


def against(session: Session, draws: Sequence[int], cost: Floats) -> Record:
    """What the siting saves in the same draw beside each named configuration, and how often it is better."""
    told: Record = {}
    for configuration in session.cube.study.configurations:
        if configuration.is_free:
            continue
        other = session.cube.total(configuration.name, draws)
        saved = other - cost
        told[configuration.name] = {
            "mean_saving": interval(mean_interval(sample(session, draws, saved))),
            "draws_compared": int(np.isfinite(saved).sum()),
            "better_in": number(float(np.mean(saved[np.isfinite(saved)] > 0))) if np.isfinite(saved).any() else None,
            "largest_loss": number(float(np.nanmax(-saved))) if np.isfinite(saved).any() else None,
        }
    return told
