"""Find the best decision over all scenarios by cuts: bounds from the master below, evaluated points above.

The master proposes a point, the oracle evaluates it scenario by scenario, its cuts sharpen the master. While numbers of
anything may be fractions, points come from a level set around the best one so far, which keeps them from leaping from
corner to corner. Then follows a point of whole numbers near their optimum; from there on the whole-number master chooses
the numbers and the level set the rest. Where only the worst scenarios count, those with the highest bound are evaluated
first, and the others are spared as soon as the point is known to be no better.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from sweep.robust.master import Master, NoPointError, first_point
from sweep.robust.measures import Floats, Goal
from sweep.robust.problem import Cuts, Ints, Oracle, Problem

HOLDS = 0.1  # of the way from bound to value: by how much a step may miss its level
LEVEL = 0.5  # where the level lies between the bound (0) and the best value so far (1)
RELAXED = 0.4  # of the gap asked for, to which relaxed rounds go on: their masters are cheap, whole-number ones not
PARTS = 8  # scenarios are evaluated in up to so many steps of growing size where the worst ones count
WITHIN = 0.1  # a budget counts as met within this part of the gap
ROUNDS = 200
SMALL = 1e-9


@dataclass(frozen=True)
class Round:
    """What one round of evaluation told."""

    phase: str
    lower: float
    upper: float
    gap: float
    evaluated: int
    spared: int


@dataclass(frozen=True, eq=False)
class Found:
    """The best decision that was evaluated.

    Attributes
    ----------
    point : (N,) array
    cost : (scenarios,) array
        Its true cost.
    value, bound : float
        Of the goal; no decision is better than ``bound``.
    gap : float
        (value - bound) / abs(value).
    excess : float
        Of the budgets, relative; at most ``WITHIN`` of the gap asked for.
    points : list of arrays
        Everything that was evaluated in all scenarios.
    """

    point: Floats
    cost: Floats
    value: float
    bound: float
    gap: float
    excess: float
    rounds: tuple[Round, ...]
    cuts: Cuts
    points: list[Floats] = field(default_factory=list)

    @property
    def evaluated(self) -> int:
        """Evaluations of a point in a scenario."""
        return sum(each.evaluated for each in self.rounds)

    @property
    def spared(self) -> int:
        """Evaluations that the bounds made needless."""
        return sum(each.spared for each in self.rounds)


class NoneMeetsBudgetError(Exception):
    """No decision keeps within the budgets, or meets the rules of the first stage."""


def decompose(
    problem: Problem,
    oracle: Oracle,
    goal: Goal,
    *,
    gap: float = 1e-3,
    cuts: Cuts | None = None,
    start: Sequence[Floats] = (),
    groups: Sequence[Ints] | None = None,
    most: int = ROUNDS,
    tell: Callable[[Round], None] = lambda each: None,
) -> Found:
    """Find the decision of least goal within a relative gap.

    Parameters
    ----------
    cuts : Cuts, optional
        Known already; more are added to them.
    start : sequence of (N,) arrays
        Points to evaluate first.
    groups : sequence of arrays, optional
        Scenarios taken together where only the mean counts.
    most : int
        Rounds after which the search ends with the gap that it has, once a decision is found.

    Raises
    ------
    NoneMeetsBudgetError
        With the reason.
    """
    stage = problem.build()
    if cuts is None:
        cuts = Cuts(len(problem.probability), len(stage.lift))
    search = _Search(problem, oracle, goal, gap, cuts, groups if goal.is_mean else None, most, tell)
    try:
        return search.run(list(start))
    except NoPointError as fault:
        raise NoneMeetsBudgetError("no decision meets the rules of the first stage") from fault


class _Search:
    def __init__(
        self,
        problem: Problem,
        oracle: Oracle,
        goal: Goal,
        gap: float,
        cuts: Cuts,
        groups: Sequence[Ints] | None,
        most: int,
        tell: Callable[[Round], None],
    ) -> None:
        self.problem, self.oracle, self.goal, self.gap = problem, oracle, goal, gap
        self.cuts, self.groups, self.most, self.tell = cuts, groups, most, tell
        self.lift = problem.build().lift
        self.rounds: list[Round] = []
        self.points: list[Floats] = []
        self.bound = -np.inf
        self.centre: Floats | None = None  # the best point so far, that of the relaxed rounds until there is another

    def run(self, start: list[Floats]) -> Found:
        everything = np.arange(len(self.problem.probability))
        if not start and np.isneginf(self.cuts.bound(np.zeros(self.cuts.coordinates))).any():
            start = [first_point(self.problem.build())]
        for point in start:
            found = self.oracle(point, everything)
            self.cuts.add(everything, found)
            self._note("start", np.inf, len(everything), 0)
        master = Master(self.problem, self.goal, self.cuts, self.gap, self.groups)
        if master.integers:
            self._phase(master, relaxed=True)
        return self._phase(master, relaxed=False)

    def _phase(self, master: Master, relaxed: bool) -> Found:
        """Rounds until the gap is closed; with fractions allowed, what is found is no answer yet."""
        best: tuple[Floats, Floats] | None = None
        value, phase = np.inf, "relaxed" if relaxed else "whole"
        aim = RELAXED * self.gap if relaxed else self.gap
        asked: set[bytes] = set()
        model_holds = False
        while self._gap(value) > aim:
            answer = master.minimise(relaxed)
            if answer is None:
                raise NoneMeetsBudgetError("no decision keeps within the budgets: the cuts prove it")
            self.bound = max(self.bound, answer.bound)
            point = self._tidied(answer.point, relaxed)
            if self._gap(value) <= aim or point.tobytes() in asked:
                break
            level = self.bound + LEVEL * (value - self.bound)
            if not relaxed and master.integers:
                # The numbers that the master chose stay; within them as near to what is known as the level lets it.
                level = answer.value + LEVEL * min(max(0.0, value - answer.value), self.gap * abs(answer.value))
            if self.centre is not None and not model_holds:
                first = not relaxed and bool(master.integers) and not asked
                step = master.around(self.centre) if first else master.level(self.centre, level, relaxed)
                nearer = None if step is None else self._tidied(step.point, relaxed)
                point = point if nearer is None or nearer.tobytes() in asked else nearer
            asked.add(point.tobytes())
            stage = master.stage_at(point) if relaxed else self.problem.stage_cost(point)
            cost, evaluated = self._evaluate(point, stage, value)
            master.take(self.lift @ point)
            if cost is None:
                model_holds = False
            else:
                self.points.append(point)
                reached = self._value(cost)
                # A step that came as low as the cuts said: then the master's own point is worth its evaluation.
                model_holds = not model_holds and bool(best) and reached <= level + HOLDS * (value - self.bound)
                if reached < value:
                    value, best, self.centre = reached, (point, cost), point
            self._note(phase, value, evaluated, len(stage) - evaluated)
            if len(self.rounds) >= self.most and best is not None:
                break  # what is found is told with the gap that it has
        if best is None:
            raise NoneMeetsBudgetError("no decision keeps within the budgets: none that was evaluated does")
        excess = self.goal.excess(best[1], self.problem.probability, self.problem.best)
        bound = min(self.bound, value)
        return Found(
            *best, value, bound, self._gap(value), excess, tuple(self.rounds), self.cuts, points=list(self.points)
        )

    def _tidied(self, point: Floats, relaxed: bool) -> Floats:
        return point if relaxed else self.problem.tidy(point)

    def _evaluate(self, point: Floats, stage: Floats, value: float) -> tuple[Floats | None, int]:
        """True costs (scenarios,), or None where bounds show that the point is no better; and how many were evaluated."""
        cost = self.cuts.bound(self.lift @ point) + stage
        order = np.argsort(-(cost - (0.0 if self.problem.best is None else self.problem.best)), kind="stable")
        done = 0
        for part in self._parts(order):
            found = self.oracle(point, part)
            self.cuts.add(part, found)
            cost[part] = found.cost + stage[part]
            done += len(part)
            if done < len(order) and self._value(cost) >= value:
                return None, done
        return cost, done

    def _parts(self, order: Ints) -> list[Ints]:
        if self.goal.is_mean or any(measure.kind == "mean" for _, measure in self.goal.terms):
            return [np.sort(order)]
        ends, size = [0], max(1, -(-len(order) // PARTS))
        while ends[-1] < len(order):
            ends.append(min(len(order), max(size, 2 * ends[-1])))
        return [np.sort(order[low:high]) for low, high in itertools.pairwise(ends)]

    def _value(self, cost: Floats) -> float:
        """The goal of costs; infinite where a budget is exceeded by more than is forgiven."""
        weight, best = self.problem.probability, self.problem.best
        if self.goal.excess(cost, weight, best) > max(WITHIN * self.gap, SMALL):
            return np.inf
        return self.goal.of(cost, weight, best)

    def _gap(self, value: float) -> float:
        return max(0.0, value - self.bound) / max(abs(value), SMALL) if np.isfinite(value) else np.inf

    def _note(self, phase: str, value: float, evaluated: int, spared: int) -> None:
        self.rounds.append(Round(phase, self.bound, value, self._gap(value), evaluated, spared))
        self.tell(self.rounds[-1])
