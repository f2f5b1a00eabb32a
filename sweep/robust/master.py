"""The master program: the first stage, the measures and as many cuts as count, in Pyomo on a HiGHS that stays alive."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.contrib.appsi.base import TerminationCondition
from pyomo.contrib.appsi.solvers import Highs

from sweep.robust.measures import Floats, Goal, Measure
from sweep.robust.problem import Cuts, Ints, Problem, Stage

LP_TOLERANCE = 1e-9  # of the objective: cuts that are broken by less are left out
# The relaxed rounds before leave little to search: what HiGHS does to prepare a long search takes most of its time.
SHORT_SEARCH = {
    "mip_allow_restart": False,
    "mip_heuristic_run_feasibility_jump": False,
    "mip_heuristic_run_rens": False,
    "mip_heuristic_run_rins": False,
    "mip_heuristic_run_root_reduced_cost": False,
}
INNER_ROUNDS = 200  # of taking in broken cuts; a handful is usual
AROUND, A_LITTLE = 1.5, 1e-3  # times the distance of the nearest point of whole numbers, and in itself
CLOSE = 1e-9  # per coordinate: how near is the point itself


@dataclass(frozen=True, eq=False)
class Answer:
    """A solved master: the point (N,), a proven bound of what was optimised, and what the model takes it for."""

    point: Floats
    bound: float
    value: float


class Master:
    """The first stage with a cost variable per scenario, or per group of scenarios where only the mean counts.

    Parameters
    ----------
    groups : sequence of arrays, optional
        Scenarios that share a cost variable; only for goals of means.
    """

    def __init__(
        self,
        problem: Problem,
        goal: Goal,
        cuts: Cuts,
        gap: float,
        groups: Sequence[Ints] | None = None,
    ) -> None:
        self.problem, self.goal, self.cuts, self.gap = problem, goal, cuts, gap
        self.stage = problem.build()
        start = self.stage.lift @ first_point(self.stage)
        model = self.model = self.stage.model
        self.groups = None if groups is None else list(groups)
        self.integers = [v for v in model.component_data_objects(pyo.Var, active=True) if not v.is_continuous()]
        self.domains = [v.domain for v in self.integers]
        block = self.block = model.of_scenarios = pyo.Block()
        decision = self.stage.decision
        block.place = pyo.Var(range(len(self.stage.lift)))
        block.placed = pyo.Constraint(
            range(len(self.stage.lift)),
            rule=lambda b, c: (
                b.place[c] == sum(float(w) * v for w, v in zip(self.stage.lift[c], decision, strict=True) if w)
            ),
        )
        block.stage = pyo.Var(range(len(self.stage.costs)))
        block.staged = pyo.Constraint(range(len(self.stage.costs)), rule=lambda b, k: b.stage[k] == self.stage.costs[k])
        weight = problem.probability
        self.size = len(weight) if self.groups is None else len(self.groups)
        block.cost = pyo.Var(range(self.size))
        block.cuts = pyo.ConstraintList()
        block.rules = pyo.ConstraintList()
        self.named = 0
        block.goal = pyo.Expression(expr=sum(w * self._measure(measure) for w, measure in goal.terms))
        for budget in goal.budgets:
            block.rules.add(self._measure(budget.measure) <= budget.limit)
        self._distances()
        self.known: set[tuple[int, int]] = set()
        self.solver: Any = None
        self.merged = cuts if self.groups is None else cuts.together(self.groups, weight)
        self._take(np.full(self.size, -np.inf), start, 0.0)

    def _measure(self, measure: Measure) -> Any:
        """A Pyomo expression of the least value of a measure, with what it takes."""
        block, p = self.block, self.problem.probability
        if measure.kind == "mean":
            of_stage = sum(
                float(p[self.stage.classes == k].sum()) * block.stage[k] for k in range(len(self.stage.costs))
            )
            weights = p if self.groups is None else [float(p[group].sum()) for group in self.groups]
            less = float(p @ self.problem.best) if measure.of_regret and self.problem.best is not None else 0.0
            return of_stage + sum(float(w) * block.cost[g] for g, w in enumerate(weights)) - less
        if self.groups is not None:
            raise ValueError(f"{measure} needs a cost variable for every scenario, found groups of them")
        best = np.zeros(len(p))
        if measure.of_regret:
            assert self.problem.best is not None
            best = self.problem.best
        self.named += 1
        whole = pyo.Var()
        block.add_component(f"whole_{self.named}", whole)
        costs = [block.cost[i] + block.stage[int(k)] - float(best[i]) for i, k in enumerate(self.stage.classes)]
        if measure.kind == "worst":
            for cost in costs:
                block.rules.add(whole >= cost)
            return whole
        tail = pyo.Var(range(len(p)), bounds=(0, None))
        block.add_component(f"tail_{self.named}", tail)
        for i, cost in enumerate(costs):
            block.rules.add(tail[i] >= cost - whole)
        return whole + sum(float(p[i]) / (1 - measure.level) * tail[i] for i in range(len(p)))

    def _distances(self) -> None:
        """The sum of absolute differences to a centre, for the level step."""
        block, number = self.block, range(len(self.stage.decision))
        block.centre = pyo.Param(number, initialize=0.0, mutable=True)
        block.off = pyo.Var(number, bounds=(0, None))
        block.above = pyo.Constraint(number, rule=lambda b, n: b.off[n] >= self.stage.decision[n] - b.centre[n])
        block.below = pyo.Constraint(number, rule=lambda b, n: b.off[n] >= b.centre[n] - self.stage.decision[n])
        block.distance = pyo.Expression(expr=sum(block.off[n] for n in number))

    def minimise(self, relaxed: bool) -> Answer | None:
        """The point of least value as far as the cuts know; None where no point meets rules and budgets."""
        return self._solve(self.block.goal, relaxed, abs)

    def level(self, centre: Floats, level: float, relaxed: bool) -> Answer | None:
        """The point nearest to a centre whose value, as far as the cuts know, is at most ``level``.

        The level method of Lemarechal, Nemirovskii and Nesterov 1995, Mathematical Programming 69, with the sum of
        absolute differences, so that it stays a linear program. Unless ``relaxed``, whole numbers stay as they were
        solved for last.
        """
        self.block.centre.store_values(dict(enumerate(centre.tolist())))
        if not relaxed:
            for variable in self.integers:
                variable.fix(round(variable.value))
        try:
            with self._under(self.block.goal, level):
                return self._solve(self.block.distance, True, lambda found: abs(level))
        finally:
            for variable in self.integers:
                variable.unfix()

    def around(self, centre: Floats) -> Answer | None:
        """The point of whole numbers of least value among those not much farther from a centre than the nearest."""
        self.block.centre.store_values(dict(enumerate(centre.tolist())))
        nearest = self._run(self.block.distance, relaxed=False)
        if nearest is None:
            return None
        with self._under(self.block.distance, AROUND * nearest.value + A_LITTLE):
            return self._solve(self.block.goal, False, abs)

    def extreme(self, direction: Floats, level: float, within: float) -> Answer | None:
        """The point of least direction . point, to ``within``, of those that keep the rules and a value up to ``level``."""
        aim = sum(float(w) * v for w, v in zip(direction, self.stage.decision, strict=True) if w)
        with self._under(self.block.goal, level):
            return self._solve(aim, False, lambda found: abs(level), within)

    def stage_at(self, point: Floats) -> Floats:
        """First-stage cost by scenario of a point, numbers of anything allowed to be fractions."""
        self.block.centre.store_values(dict(enumerate(point.tolist())))
        with self._under(self.block.distance, CLOSE * len(point)):
            found = self._run(sum(self.block.stage[k] for k in range(len(self.stage.costs))), relaxed=True)
        if found is None:
            raise RuntimeError("a point that the first stage proposed is refused by it")
        return np.array([self.block.stage[int(k)].value for k in self.stage.classes])

    @contextmanager
    def _under(self, expression: Any, limit: float) -> Iterator[None]:
        """Hold an expression at or below a limit within."""
        self.block.held = pyo.Constraint(expr=expression <= limit)  # anew: a mutable limit may pass unnoticed
        try:
            yield
        finally:
            self.block.del_component("held")

    def take(self, place: Floats) -> None:
        """Let cuts that were added since count, at once those that are best at a place."""
        if self.groups is not None:
            new = Cuts(
                self.cuts.scenarios,
                self.cuts.coordinates,
                self.cuts.constant[len(self.merged.constant) :],
                self.cuts.slope[len(self.merged.slope) :],
            ).together(self.groups, self.problem.probability)
            self.merged.constant += new.constant
            self.merged.slope += new.slope
        self._take(np.full(self.size, -np.inf), place, 0.0)

    def _solve(self, aim: Any, relaxed: bool, scale: Callable[[float], float], within: float = 0.0) -> Answer | None:
        """Solve, take in the cuts that the answer breaks, and again until it breaks none."""
        tolerance = LP_TOLERANCE if relaxed or not self.integers else self.gap / 20
        bound = -np.inf
        for _ in range(INNER_ROUNDS):
            found = self._run(aim, relaxed, within)
            if found is None:
                return None
            bound = max(bound, found.bound)
            costs = np.array([self.block.cost[g].value for g in range(self.size)])
            if not self._take(costs, self.stage.lift @ found.point, tolerance * max(1.0, scale(found.value))):
                return Answer(found.point, bound, found.value)
        raise RuntimeError(f"the master still breaks cuts after {INNER_ROUNDS} solves")

    def _take(self, costs: Floats, place: Floats, tolerance: float) -> bool:
        """Put the best cut of each scenario into the program where its cost lies below it; whether any was new."""
        bound, row = self.merged.best(place)
        if np.isneginf(bound).any():
            raise ValueError("every scenario needs a cut before the first master is solved")
        new = False
        for g in np.flatnonzero(bound > costs + tolerance).tolist():
            key = (g, int(row[g]))
            if key in self.known:
                continue
            self.known.add(key)
            slope = self.merged.slope[key[1]][g]
            shape = sum(float(s) * self.block.place[c] for c, s in enumerate(slope) if s)
            self.block.cuts.add(self.block.cost[g] - shape >= float(self.merged.constant[key[1]][g]))
            new = True
        return new

    def _run(self, aim: Any, relaxed: bool, within: float = 0.0) -> Answer | None:
        model = self.model
        model.del_component("aim")
        model.aim = pyo.Objective(expr=aim)
        for variable, domain in zip(self.integers, self.domains, strict=True):
            variable.domain = pyo.Reals if relaxed else domain
        if self.solver is None:
            self.solver = Highs()
            self.solver.config.load_solution = False
        options: dict[str, Any] = {"threads": 1, "random_seed": 0}
        if self.integers and not relaxed:
            options |= {"mip_rel_gap": self.gap / 10, "mip_abs_gap": within, **SHORT_SEARCH}
        self.solver.highs_options = options
        found = self.solver.solve(model)
        if found.termination_condition in (
            TerminationCondition.infeasible,
            TerminationCondition.infeasibleOrUnbounded,
        ):
            return None
        if found.termination_condition != TerminationCondition.optimal:
            raise RuntimeError(f"the master program ended {found.termination_condition.name}")
        found.solution_loader.load_vars()
        point = np.array([float(v.value) for v in self.stage.decision])
        return Answer(point, float(found.best_objective_bound), float(found.best_feasible_objective))


class NoPointError(Exception):
    """The first stage has no point at all."""


def first_point(stage: Stage) -> Floats:
    """A point (N,) of the first stage, numbers of anything as fractions: one of least first-stage cost.

    Raises
    ------
    NoPointError
        There is none.
    """
    model = stage.model
    model.aim = pyo.Objective(expr=sum(stage.costs))
    solver = Highs()
    solver.config.load_solution = False
    solver.highs_options = {"threads": 1, "random_seed": 0, "solve_relaxation": True}
    found = solver.solve(model)
    model.del_component("aim")
    if found.termination_condition != TerminationCondition.optimal:
        raise NoPointError
    found.solution_loader.load_vars()
    return np.array([float(v.value) for v in stage.decision])
