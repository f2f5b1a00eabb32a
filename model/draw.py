"""Solves one draw for every configuration, in a fixed order from a fixed basis, and returns every outcome.

Order: day after day; within a day one configuration after the other, so that only right-hand sides move between
neighbours; then the free configurations. A draw's bytes depend on the case and the draw alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import highspy
import numpy as np

from model import dispatch, outcomes, siting
from model.case import Case, load
from model.configurations import Configuration
from model.free import Cuts, FreeSolution, solve_free
from model.live import LiveHighs, Solution, Status
from model.outcomes import OUTCOMES
from model.parameters import WEATHER_YEAR, Theta, check_theta, pue
from model.template import Floats, Gradient
from model.year import RAISED_GW, DayReader, Year


@dataclass(eq=False)
class Dispatcher:
    """The dispatch of one draw: its days, one live HiGHS, and per day the basis that the next solve starts from."""

    case: Case
    theta: Theta
    bases: dict[int, highspy.HighsBasis] = field(default_factory=dict)

    def __post_init__(self) -> None:
        case, inputs = self.case, self.case.inputs
        year = str(self.theta[WEATHER_YEAR])
        self.days = case.days[year]
        template = case.dispatch
        self.live = LiveHighs(template, case.start.to_highs())
        self.reader = DayReader(inputs, template)
        self.pue = pue(self.theta, inputs)
        self.by_load = Gradient(template, "X")
        base = template.vector(dispatch.of_draw(self.theta, inputs))
        self.day_values = [dispatch.of_day(inputs.weather[year], int(d), inputs) for d in self.days.day]
        self.vectors = [template.vector(values, base) for values in self.day_values]

    def solve_days(self, loads: list[Floats], slopes: bool = True) -> list[tuple[Year, Cuts]]:
        """Dispatch the year around each of the given loads (A,) [GW]; returns sums and cost cuts of each.

        The cut of a day holds at every siting: cost >= value + slope . (X - point). With ``slopes`` it is taken, and
        with it siting_value, where every load is raised to ``RAISED_GW``, else at the load itself.
        """
        years = [Year.empty(self.case.inputs) for _ in loads]
        cuts = [Cuts.empty(len(self.days.day), len(loads[0])) for _ in loads]
        raised = [np.maximum(x, RAISED_GW) for x in loads]
        points = [[x] if not slopes or (x == up).all() else [x, up] for x, up in zip(loads, raised, strict=True)]
        for number, weight in enumerate(self.days.weight):
            if number in self.bases:
                self.live.start_from(self.bases[number])
            tasks = list(zip(points, years, cuts, strict=True))
            for task in tasks if number % 2 == 0 else reversed(tasks):  # to and fro: a new day finds the load as it was
                self._solve_day(number, float(weight), *task)
            self.bases[number] = self.live.basis()
        return list(zip(years, cuts, strict=True))

    def _solve_day(self, number: int, weight: float, points: list[Floats], year: Year, cuts: Cuts) -> None:
        """Solve a day at a load, and at the raised load for its slope; add both to the year."""
        if year.status is not Status.OPTIMAL:
            return
        template = self.case.dispatch
        for place, x in enumerate(points):
            vector = template.vector({"X": x}, self.vectors[number])
            entries = template.values(vector)
            self.live.move(entries)
            solution = self.live.solve()
            year.iterations += solution.iterations
            if solution.status is not Status.OPTIMAL:
                year.status = solution.status
                self.live.start_from(self.case.start.to_highs())
                return
            if place == 0:
                hydro = self.day_values[number]["hydro"]
                year.add(self.reader.quantities(solution, entries, self.pue * x, hydro), weight)
            if place == len(points) - 1:
                slope = self._slope(vector, solution)
                year.slope += weight * slope
                year.cut_constant += weight * (solution.objective - float(slope @ x))
                cuts.put(number, solution.objective, slope, x)

    def _slope(self, vector: Floats, solution: Solution) -> Floats:
        return self.by_load.of(vector, solution.primal, solution.row_dual, solution.column_dual)


def solve_draw(case: Case, theta: Theta) -> dict[str, Floats]:
    """Solve one draw for every configuration of the case.

    Parameters
    ----------
    theta : mapping
        Every uncertain parameter of the model.

    Returns
    -------
    dict
        Name of an outcome -> array (configuration, ...) as ``OUTCOMES`` says; NaN where a configuration was not
        solved, for the reason in ``status``.

    Raises
    ------
    InputError
        The draw is incomplete or physically impossible.
    """
    check_theta(theta, case.inputs)
    dispatcher = Dispatcher(case, theta)
    fixed = [c for c in case.configurations if not c.is_free]
    results: dict[str, Mapping[str, Floats | float]] = {}
    sitings = LiveHighs(case.stages[""], options=siting.EXACT)
    loads = [load(theta, c.shares) for c in fixed if c.shares is not None]
    cuts: list[Cuts] = []
    for configuration, (year, cut) in zip(fixed, dispatcher.solve_days(loads), strict=True):
        results[configuration.name] = _fixed(case, theta, configuration, sitings, year)
        if year.status is Status.OPTIMAL:
            cuts.append(cut)
    for configuration in case.configurations:
        if configuration.is_free:
            found = solve_free(case, theta, configuration, dispatcher.solve_days, dispatcher.days.weight, cuts)
            results[configuration.name] = _free(case, theta, found)
    return _assemble(case, results)


def _fixed(
    case: Case, theta: Theta, configuration: Configuration, live: LiveHighs, year: Year
) -> dict[str, Floats | float]:
    template = case.stages[""]
    assert configuration.shares is not None
    x = float(theta["dc_demand"]) * configuration.shares
    live.move(template.values(template.vector(siting.of_load(theta, case.inputs, x))))
    solution = live.solve()
    if year.status is not Status.OPTIMAL or solution.status is not Status.OPTIMAL:
        failed = solution.status if year.status is Status.OPTIMAL else year.status
        return {"status": float(failed), "iterations": float(year.iterations + solution.iterations)}
    placement = siting.read_placement(template, solution.primal, case.inputs, None)
    if case.siting == "tiers":
        sites, violated = siting.count_sites(x, case.inputs)
        placement = replace(placement, sites=sites, sites_violated=violated)
    found = outcomes.of_configuration(theta, case.inputs, placement, year, solution.iterations)
    return {**found, "status": float(Status.OPTIMAL)}


def _free(case: Case, theta: Theta, found: FreeSolution) -> dict[str, Floats | float]:
    if found.placement is None or found.year is None:
        return {"status": float(found.status), "iterations": float(found.iterations)}
    solved = outcomes.of_configuration(theta, case.inputs, found.placement, found.year)
    nuclear = float(solved["dispatch_cost"]) - found.year.cost / 1000
    return {
        **solved,
        "lower_bound": found.lower_bound + nuclear,
        "iterations": float(found.iterations),
        "status": float(found.status),
    }


def _assemble(case: Case, results: Mapping[str, Mapping[str, Floats | float]]) -> dict[str, Floats]:
    """Stack the configurations' outcomes; what is missing is NaN."""
    labels = outcomes.coordinates(case.inputs, case.configurations, case.tiers)
    arrays: dict[str, Floats] = {}
    for outcome in OUTCOMES:
        shape = tuple(len(labels[dim]) for dim in outcome.dims)
        arrays[outcome.name] = np.stack(
            [np.broadcast_to(results[c.name].get(outcome.name, np.nan), shape) for c in case.configurations]
        ).astype(outcome.dtype)
    solved = arrays["status"] == Status.OPTIMAL
    fixed = [not c.is_free for c in case.configurations]
    return arrays | outcomes.compare(arrays, case.reference, fixed, solved.tolist())
