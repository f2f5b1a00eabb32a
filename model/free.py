"""The free configuration of a draw, its wait-and-see optimum: Benders cuts of the days' dispatch cost in the siting stage.

The siting stage with a cost variable per day is the master; each round it proposes a siting, the days are dispatched
around it, and their duals give a cut per day. The cuts of the fixed configurations, paid for already, start it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model import siting
from model.case import Case
from model.configurations import Configuration
from model.live import INFINITY, LiveHighs, Status, taken
from model.parameters import Theta
from model.siting import Placement
from model.template import Floats, Template
from model.year import Year

CONTINUOUS_GAP = 1e-6  # of total cost, without whole sites
SITES_GAP = 1e-4  # of total cost, with whole sites
STEP = 0.6  # with fractions allowed, how far a round goes from the best siting so far to the master's proposal
# The relaxed rounds before leave the whole-number master next to nothing to search: what HiGHS does to prepare a long
# search took six sevenths of its time.
SHORT_SEARCH = {
    "mip_allow_restart": False,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_root_reduced_cost": False,
}
ROUNDS = 200  # rounds of cuts; more than ten times what is needed


@dataclass(eq=False)
class Cuts:
    """One cut a day: cost of day d >= constant[d] + slope[d] . X, in million yen, X in GW."""

    constant: Floats
    slope: Floats

    @classmethod
    def empty(cls, days: int, areas: int) -> Cuts:
        """Cuts that say nothing but that cost is not negative."""
        return cls(np.zeros(days), np.zeros((days, areas)))

    def put(self, day: int, value: float, slope: Floats, point: Floats) -> None:
        """Set a day's cut from the cost and slope at a point."""
        self.constant[day] = value - float(slope @ point)
        self.slope[day] = slope


@dataclass(frozen=True, eq=False)
class FreeSolution:
    """The optimum within its gap: siting, year, lower bound of siting + dispatch cost (without nuclear fuel) [billion yen/yr]."""

    status: Status
    placement: Placement | None = None
    year: Year | None = None
    lower_bound: float = np.nan
    iterations: int = 0
    rounds: int = 0


class Master:
    """The siting stage with a cost variable per day and the cuts found so far."""

    def __init__(self, template: Template, entries: Floats, weights: NDArray[np.float64], mip_gap: float) -> None:
        self.live = LiveHighs(template, options={"mip_rel_gap": mip_gap, "mip_abs_gap": 0.0, **SHORT_SEARCH})
        self.live.move(entries)
        self.loads = template.columns["x"]
        self.first = template.shape[1]
        self.days = weights.size
        none = np.zeros(0, dtype=np.int32)
        lower, upper = np.zeros(self.days), np.full(self.days, INFINITY)
        starts = np.zeros(self.days, dtype=np.int32)
        taken(self.live.highs.addCols(self.days, weights / 1000, lower, upper, 0, starts, none, np.zeros(0)), "columns")
        self.has_sites = bool(template.integer.any())
        self.relaxed = False

    def relax(self, relaxed: bool) -> None:
        """Let the numbers of sites be fractions, or whole again."""
        self.relaxed = relaxed
        taken(self.live.highs.setOptionValue("solve_relaxation", relaxed), "an option")

    def add(self, cuts: Cuts) -> None:
        """Add a cut per day: theta[d] - slope[d] . X >= constant[d], X of an area = its x summed over tiers."""
        tiers = self.loads.size // cuts.slope.shape[1]
        width = 1 + self.loads.size
        index = np.empty((self.days, width), dtype=np.int32)
        index[:, 0] = self.first + np.arange(self.days)
        index[:, 1:] = self.loads
        value = np.ones((self.days, width))
        value[:, 1:] = -np.repeat(cuts.slope, tiers, axis=1)
        start = np.arange(0, self.days * width, width, dtype=np.int32)
        upper = np.full(self.days, INFINITY)
        rows = self.live.highs.addRows(self.days, cuts.constant, upper, index.size, start, index.ravel(), value.ravel())
        taken(rows, "cuts")

    def solve(self) -> tuple[Status, Floats, float]:
        """Status, primal columns of the siting stage, and the bound of the whole [billion yen/yr]."""
        solution = self.live.solve()
        bound = solution.objective
        if self.has_sites and not self.relaxed:
            bound = float(self.live.highs.getInfo().mip_dual_bound)
        return solution.status, solution.primal[: self.first], bound


def solve_free(
    case: Case,
    theta: Theta,
    configuration: Configuration,
    solve_days: Callable[[list[Floats], bool, bool], list[tuple[Year, Cuts]]],
    weights: NDArray[np.float64],
    known: list[Cuts],
) -> FreeSolution:
    """Find the siting of least total cost for one draw within the configuration's areas and tiers.

    First with fractions of sites, then with whole ones: cuts found on the way hold for both, so few rounds need the
    slower whole-number master. Where fractions are allowed every mix of two sitings is one, and a round tries a point
    between the best siting so far and the master's proposal, which leaps from corner to corner: a quarter fewer simplex
    iterations.

    Parameters
    ----------
    solve_days : callable
        Dispatches the year around loads (A,); flags ask for slopes at the raised load and for quantities beside the
        cost. Returns sums and cuts.
    weights : (days,) array
    known : list of Cuts
        Found already; whatever their points, they hold everywhere.
    """
    inputs, template = case.inputs, case.stages[configuration.name]
    entries = template.values(template.vector(siting.of_draw(theta, inputs, configuration)))
    cost = entries[template.sections["cost"]]
    offset = float(entries[template.sections["offset"]][0])
    master = Master(template, entries, weights, mip_gap=SITES_GAP / 5)
    for cuts in known:
        master.add(cuts)
    iterations = 0
    phases = ((True, SITES_GAP), (False, SITES_GAP)) if master.has_sites else ((True, CONTINUOUS_GAP),)
    best: Placement | None = None
    centre: Floats | None = None  # the columns of the best siting of this phase
    bound, rounds = -np.inf, 0
    for relaxed, gap in phases:
        master.relax(relaxed)
        upper, centre = sys.float_info.max, None
        while not bound >= upper - gap * abs(upper):
            rounds += 1
            status, primal, bound = master.solve()
            if status is not Status.OPTIMAL or rounds > ROUNDS:
                failed: Status = Status.ITERATION_LIMIT if status is Status.OPTIMAL else status
                return FreeSolution(failed, iterations=iterations + master.live.iterations, rounds=rounds)
            if relaxed and centre is not None:
                primal = STEP * primal + (1 - STEP) * centre
            placement = siting.read_placement(template, primal, inputs, configuration)
            [(year, cuts)] = solve_days([placement.load], False, False)
            iterations += year.iterations
            if year.status is not Status.OPTIMAL:
                return FreeSolution(year.status, iterations=iterations + master.live.iterations, rounds=rounds)
            value = float(cost @ primal) + offset + year.cost / 1000
            if value < upper:
                upper, best, centre = value, placement, primal
            master.add(cuts)
    assert best is not None
    status, placement, more = _settle(case, theta, best)
    [(year, _)] = solve_days([placement.load], True, True)
    iterations += master.live.iterations + more + year.iterations
    if year.status is not Status.OPTIMAL or status is not Status.OPTIMAL:
        failed = status if year.status is Status.OPTIMAL else year.status
        return FreeSolution(failed, iterations=iterations, rounds=rounds)
    return FreeSolution(Status.OPTIMAL, placement, year, bound, iterations, rounds)


def _settle(case: Case, theta: Theta, found: Placement) -> tuple[Status, Placement, int]:
    """Serve the users at least cost from where the load now stands: the master leaves that open within its gap.

    The master's load sums to the demand within its tolerance alone, hence the scaling.
    """
    template = case.stages[""]
    x = found.x * (float(theta["dc_demand"]) / found.x.sum())
    live = LiveHighs(template, options=siting.EXACT)
    vector = template.vector(siting.of_load(theta, case.inputs, x))
    live.move(template.values(vector))
    solution = live.solve()
    placement = replace(
        siting.read_placement(template, solution.primal, case.inputs, None),
        sites=found.sites,
        sites_violated=found.sites_violated,
        apn_value=siting.apn_value(case.by_apn, template, vector, solution),
    )
    return solution.status, placement, solution.iterations
