"""What a siting given as shares of the national load costs in one draw, with cuts that bound any other siting there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model import parameters, siting
from model.case import Case
from model.chain import RAISED_GW, Dispatcher, Home
from model.inputs import Inputs
from model.live import LiveHighs, Status
from model.parameters import Theta
from model.siting import LOCAL_TIER, TWH_PER_GW_YEAR
from model.template import Floats

NOISE = 1e-9  # of the largest slope: a difference between tiers below it is rounding
CUTS = 2  # at the load itself and, where an area has next to none, at the raised load


@dataclass(frozen=True, eq=False)
class ShareCost:
    """Cost of one siting in one draw [billion yen per year].

    Attributes
    ----------
    cost : float
        Dispatch, building, network and latency: convex in the shares.
    site_cost : float
        Of the least number of sites that holds the siting in this draw; 0 without tiers.
    violated : float
        1.0 where a rule on sites is broken, NaN without tiers.
    constant, slope : (CUTS,), (CUTS, C) arrays
        cost >= constant + slope . coordinates at any shares; coordinates = ``lift`` @ shares.
    """

    status: Status
    cost: float
    site_cost: float
    violated: float
    constant: Floats
    slope: Floats


def lift(case: Case) -> Floats:
    """The coordinates that cost depends on, (C, A * J): the share of each area and, with tiers, of its smart cities."""
    areas, tiers = len(case.inputs.areas), case.tiers
    whole = np.kron(np.eye(areas), np.ones(len(tiers)))
    if LOCAL_TIER not in tiers:
        return np.asarray(whole)
    local = np.kron(np.eye(areas), np.eye(len(tiers))[tiers.index(LOCAL_TIER)])
    return np.vstack([whole, local])


def find_home(case: Case, theta: Theta, load: Floats) -> Home | None:
    """The bases of a draw around a load (A,) [GW], to start evaluations from; None where it has no optimum there."""
    return Dispatcher(case, theta).home(load)


def cost_of_shares(case: Case, theta: Theta, shares: Floats, home: Home | None = None) -> ShareCost:
    """Dispatch a draw around a siting and place its work.

    Parameters
    ----------
    shares : (A, J) array
        Of the draw's ``dc_demand``; their sum is 1.
    home : Home, optional
        Where each day starts; a good one, around a siting that does well, saves three quarters of the time.
    """
    demand = float(theta["dc_demand"])
    x = demand * shares
    load: Floats = x.sum(axis=1)
    status, value, by_place = _placed(case, theta, x)
    dispatcher = Dispatcher(case, theta, home)
    raised = np.maximum(load, RAISED_GW)
    loads = [load] if (raised == load).all() else [load, raised]
    years = [year for year, _ in dispatcher.solve_days(loads, slopes=False, quantities=False)]
    for year in years:
        status = status if status is not Status.OPTIMAL else year.status
    nuclear = nuclear_fuel(theta, case.inputs)
    of_place = value - float((by_place * x).sum())
    constant = np.array([year.cut_constant / 1000 + nuclear + of_place for year in years])
    slope = np.stack([_slope(case, demand, year.slope / 1000, by_place) for year in years])
    again = [0, len(years) - 1]  # one cut stands twice where the load is nowhere raised
    sites, violated = siting.count_sites(x, case.inputs) if case.siting == "tiers" else (None, np.nan)
    return ShareCost(
        status=status,
        cost=years[0].cost / 1000 + nuclear + value,
        site_cost=0.0 if sites is None else float(sites.sum(axis=0) @ case.inputs.tiers.site_cost),
        violated=violated,
        constant=constant[again],
        slope=slope[again],
    )


def cut_of_known(
    case: Case, theta: Theta, x: Floats, by_load: Floats, cut_constant: float
) -> tuple[float, Floats] | None:
    """The cut of a siting whose dispatch was solved before, from its stored ``siting_value`` and ``siting_cut_constant``.

    Parameters
    ----------
    x : (A, J) array, GW
    by_load : (A,) array, billion yen per GW-year
    cut_constant : float, billion yen per year

    Returns
    -------
    tuple of constant and slope (C,), or None where the work cannot be placed there.
    """
    status, value, by_place = _placed(case, theta, x)
    if status is not Status.OPTIMAL:
        return None
    constant = cut_constant + value - float((by_place * x).sum())
    return constant, _slope(case, float(theta["dc_demand"]), by_load, by_place)


def nuclear_fuel(theta: Theta, inputs: Inputs) -> float:
    """The cost of nuclear fuel, which no day's program holds [billion yen per year]."""
    return float(inputs.nuclear_fuel_cost * TWH_PER_GW_YEAR * parameters.nuclear_output(theta, inputs).sum())


def site_cost(case: Case, demand: float, shares: Floats) -> tuple[float, float]:
    """Cost of the sites that shares (A, J) take at a demand [GW], and whether a rule on sites is broken."""
    if case.siting != "tiers":
        return 0.0, np.nan
    sites, violated = siting.count_sites(demand * shares, case.inputs)
    return float(sites.sum(axis=0) @ case.inputs.tiers.site_cost), violated


def _placed(case: Case, theta: Theta, x: Floats) -> tuple[Status, float, Floats]:
    """The siting stage around x (A, J): its cost and the derivative by x, which is the reduced cost of the fixed columns."""
    template = case.stages[""]
    live = LiveHighs(template, options=siting.EXACT)
    live.move(template.values(template.vector(siting.of_load(theta, case.inputs, x))))
    solution = live.solve()
    by_place = solution.column_dual[template.columns["x"]].reshape(x.shape)
    return solution.status, solution.objective, by_place


def _slope(case: Case, demand: float, by_load: Floats, by_place: Floats) -> Floats:
    """Slope by coordinates from the derivatives of dispatch by load (A,) and of placing by x (A, J)."""
    tiers = case.tiers
    whole = by_load + by_place[:, 0]
    if LOCAL_TIER not in tiers:
        return demand * whole
    local = by_place[:, tiers.index(LOCAL_TIER)] - by_place[:, 0]
    local = np.where(np.abs(local) > NOISE * np.abs(by_place).max(), local, 0.0)
    return demand * np.concatenate([whole, local])
