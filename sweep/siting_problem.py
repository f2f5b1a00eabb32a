"""The one siting for all draws of a cube as a decision over scenarios: its rules, its scenarios, and the cuts paid for.

Decided here and now are shares of the national load by area and tier, as in every fixed configuration: a draw's load is
its ``dc_demand`` times them. The number of sites follows in each draw by the rule of fixed configurations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from model import (
    WEATHER_YEAR,
    Case,
    Configuration,
    DemandRange,
    Status,
    build_case,
    build_share_stage,
    cut_of_known,
    lift,
    site_cost,
    tidy,
)
from storage import Place, is_compacted, open_cube
from sweep.errors import StudyError
from sweep.plan import current_source, current_versions
from sweep.robust import Cuts, Problem, Recourse, Stage
from sweep.stored import StoredStudy, stored_study
from sweep.theta import Theta, theta_of

Floats = NDArray[np.float64]
LEVELS = 4  # of demand at which the number of sites is counted in the master; as many as there are demands if fewer
EXACT_LEVELS = 8
OPTIMAL = "optimal"


@dataclass(frozen=True, eq=False)
class CubeOfSitings:
    """What a cube tells of its draws, for deciding one siting.

    Attributes
    ----------
    case : Case
        Of the fixed configurations.
    free : Configuration
        Where the siting may stand.
    thetas : dict
        Draw -> its parameters.
    cells : xarray.Dataset
        The outcomes that are needed, in memory, over ``draw``.
    """

    store: Place
    study: StoredStudy
    case: Case
    free: Configuration
    thetas: dict[int, Theta]
    cells: xr.Dataset

    @property
    def shape(self) -> tuple[int, int]:
        """Areas and tiers."""
        return len(self.case.inputs.areas), len(self.case.tiers)

    @property
    def folder(self) -> str:
        """Where evaluations are kept: of this model and these versions alone."""
        told = [self.case.fingerprint(), current_source(), *(f"{k}={v}" for k, v in sorted(current_versions().items()))]
        told += [f"{year}{days.day.tolist()}{days.weight.tolist()}" for year, days in sorted(self.case.days.items())]
        return "optimise/" + hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]

    def total(self, configuration: str, draws: Sequence[int]) -> Floats:
        """Total cost (draws,) of a configuration; NaN where it was not solved."""
        cells = self.cells.isel(draw=list(draws)).sel(configuration=configuration)
        return np.where(cells["status"].values == Status.OPTIMAL, cells["total_cost"].values, np.nan)

    def placed(self, cells: xr.Dataset) -> Floats:
        """Mean load (..., A, J) [GW] of cells."""
        return np.asarray(
            cells["dc_capacity"].transpose(..., "area", "tier").values * self.case.inputs.scalars["load_factor"]
        )

    def demand(self, draws: Sequence[int]) -> Floats:
        """dc_demand (draws,) [GW]."""
        return np.array([float(self.thetas[draw]["dc_demand"]) for draw in draws])


NEEDED = ("total_cost", "status", "siting_value", "siting_cut_constant", "dc_capacity", "lower_bound")


def read_cube(store: Place, free: str | None = None) -> CubeOfSitings:
    """Read what is needed from a cube.

    Parameters
    ----------
    free : str, optional
        The free configuration whose areas and tiers the siting may use; default ``optimal``, else every area and tier.

    Raises
    ------
    StudyError
        A compacted cube, one of another version of the model, or no such free configuration.
    """
    if is_compacted(store):
        raise StudyError(f"{store} is a compacted cube, for reading only: optimise the cube that it was made from")
    study = stored_study(store)
    inputs = study.inputs
    fixed = [c for c in study.configurations if not c.is_free]
    start = theta_of(study.table, 0) | {WEATHER_YEAR: study.identity["start"]}
    reference = study.identity["study"]["reference"]
    case = build_case(inputs, study.days, fixed, reference, study.siting, start)
    if case.dispatch.fingerprint() != study.identity["template"]["dispatch"]:
        raise StudyError(f"{store} was solved with another version of the model: its cuts do not hold for this one")
    named = {c.name: c for c in study.configurations if c.is_free}
    if free is not None and free not in named:
        raise StudyError(f"--free: found {free!r}, expected a free configuration of {store}: {', '.join(named)}")
    everywhere = Configuration(OPTIMAL, None, np.ones((len(inputs.areas), len(case.tiers)), dtype=bool))
    chosen = named[free] if free is not None else named.get(OPTIMAL, everywhere)
    cube = open_cube(store)[list(NEEDED)].load()
    finished = np.flatnonzero((cube["status"] != Status.NOT_RUN).all("configuration").values)
    thetas = {int(draw): theta_of(study.table, int(draw)) for draw in finished}
    return CubeOfSitings(store, study, case, chosen, thetas, cube)


def wait_and_see(cube: CubeOfSitings, draws: Sequence[int]) -> tuple[Floats, Floats] | None:
    """Cost and proven lower bound (draws,) of each draw's own optimum; None where the cube has no such configuration.

    Raises
    ------
    StudyError
        Some draws have none.
    """
    if cube.free.name not in cube.cells["configuration"].values:
        return None
    cost = cube.total(cube.free.name, draws)
    if np.isnan(cost).any():
        bad = np.asarray(draws)[np.isnan(cost)].tolist()
        raise StudyError(f"{cube.free.name} has no optimum in draws {', '.join(map(str, bad[:10]))}: regret is unknown")
    bound = cube.cells["lower_bound"].isel(draw=list(draws)).sel(configuration=cube.free.name).values
    return cost, np.asarray(bound, dtype=np.float64)


def make_problem(cube: CubeOfSitings, draws: Sequence[int], within: DemandRange, best: Floats | None = None) -> Problem:
    """The decision for some draws of a cube, equally likely."""
    return problem_of(cube.case, cube.free, [cube.thetas[draw] for draw in draws], within, best)


def demand_range(thetas: Sequence[Theta], cover: float = 1.0) -> DemandRange:
    """Between which demands the rules hold: all of the draws, or the share ``cover`` of them in the middle."""
    demand = [float(theta["dc_demand"]) for theta in thetas]
    low, high = np.quantile(demand, [(1 - cover) / 2, (1 + cover) / 2])
    alpha = min(float(theta["apn_adoption"]) for theta in thetas)
    return DemandRange(float(low), float(high), alpha)


def problem_of(
    case: Case, free: Configuration, thetas: Sequence[Theta], within: DemandRange, best: Floats | None = None
) -> Problem:
    """The decision for any draws; the rules hold at the demands of ``within``."""
    shape = len(case.inputs.areas), len(case.tiers)
    demand = np.array([float(theta["dc_demand"]) for theta in thetas])
    levels, classes = demand_levels(demand if case.siting == "tiers" else np.ones(len(demand)))
    matrix = lift(case)

    def build() -> Stage:
        made = build_share_stage(case, free, within, levels.tolist())
        return Stage(made.model, made.shares, matrix, made.costs, classes)

    return Problem(
        build=build,
        probability=np.full(len(demand), 1 / len(demand)),
        stage_cost=lambda point: np.array([site_cost(case, each, point.reshape(shape))[0] for each in demand]),
        best=best,
        tidy=lambda point: tidy(case, within, point.reshape(shape)).ravel(),
    )


def demand_levels(demand: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Levels of demand, ascending, and which of them, the next below, each draw belongs to."""
    levels = np.unique(demand)
    if len(levels) > EXACT_LEVELS:
        levels = np.unique(np.quantile(demand, np.arange(LEVELS) / LEVELS, method="lower"))
    return levels, np.searchsorted(levels, demand, side="right") - 1


def cuts_of_cube(cube: CubeOfSitings, draws: Sequence[int]) -> Cuts:
    """The cuts that the sweep has paid for: one for each configuration of each draw that was solved."""
    of_draws = cube.cells.isel(draw=list(draws))
    cuts = Cuts(len(draws), len(lift(cube.case)))
    for name in of_draws["configuration"].values.tolist():
        of_one = of_draws.sel(configuration=name)
        x, by_load = cube.placed(of_one), of_one["siting_value"].values
        cut_constant = of_one["siting_cut_constant"].values
        known = (of_one["status"].values == Status.OPTIMAL) & np.isfinite(by_load).all(axis=1)
        constant, slope = np.full((len(draws), 1), -np.inf), np.zeros((len(draws), 1, cuts.coordinates))
        for n in np.flatnonzero(known).tolist():
            theta = cube.thetas[draws[n]]
            cut = cut_of_known(cube.case, theta, x[n], by_load[n], float(cut_constant[n]))
            if cut is not None:
                constant[n, 0], slope[n, 0] = cut
        cuts.add(np.arange(len(draws)), Recourse(np.full(len(draws), np.nan), constant, slope))
    return cuts


def cheapest_loads(cube: CubeOfSitings) -> dict[int, Floats]:
    """Load (A,) [GW] of each draw's cheapest solved configuration, near which a siting that does well will be."""
    draws = sorted(cube.thetas)
    cells = cube.cells.isel(draw=draws)
    cost = np.where(cells["status"].values == Status.OPTIMAL, cells["total_cost"].values, np.inf)
    best = cost.argmin(axis=1)
    loads = cube.placed(cells)[np.arange(len(draws)), best].sum(axis=-1)
    return {draw: loads[n] for n, draw in enumerate(draws) if np.isfinite(cost[n, best[n]])}
