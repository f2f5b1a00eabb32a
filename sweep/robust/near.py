"""The space of good decisions: how far each direction goes while the goal stays near its optimum, and plans that differ.

The cuts bound the goal from below, so that the range they give holds the true one (outer); each end that no plan known to
be good reaches is evaluated, and sharpened while it is not as good as they say. What was evaluated and is good enough gives
the range from inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sweep.robust.decomposition import Found
from sweep.robust.master import Master
from sweep.robust.measures import Floats, Goal
from sweep.robust.problem import Ints, Oracle, Problem

TRIES = 4  # evaluations of one end
EXCEEDED = 1e-6  # relative, by which a limit may be missed


@dataclass(frozen=True, eq=False)
class End:
    """One end of a range.

    Attributes
    ----------
    outer : float
        No decision within the limit goes further.
    inner : float
        So far goes one that was evaluated.
    """

    outer: float
    inner: float


@dataclass(frozen=True, eq=False)
class Space:
    """What is known of the decisions within a limit of the goal.

    Attributes
    ----------
    ends : dict
        Label of a direction -> its least and its most.
    points, values : arrays (points, N), (points,)
        Decisions that were evaluated and keep the limit, the best first.
    evaluated : int
        Evaluations of a decision in a scenario.
    """

    limit: float
    ends: dict[str, tuple[End, End]]
    points: Floats
    values: Floats
    evaluated: int


def near_optimal(
    problem: Problem,
    oracle: Oracle,
    goal: Goal,
    found: Found,
    limit: float,
    directions: Mapping[str, Floats],
    *,
    gap: float,
    groups: Sequence[Ints] | None = None,
    known: Sequence[Space] = (),
    tell: Callable[[str], None] = lambda text: None,
) -> Space:
    """Find how little and how much of each direction the decisions have whose goal is at most ``limit``.

    Parameters
    ----------
    directions : mapping
        Label -> weights (N,) of the decision.
    gap : float
        To which whole-number programs are solved.
    known : sequence of Space
        Found before, around the same optimum: their points are not evaluated again.
    tell : callable
        Told each end when it is settled.
    """
    master = Master(problem, goal, found.cuts, gap, groups if goal.is_mean else None)
    everything = np.arange(len(problem.probability))
    tried = [(found.value, found.point)]
    for space in known:
        tried += [(float(value), point) for value, point in zip(space.values, space.points, strict=True)]
    most = limit + EXCEEDED * abs(limit)
    good = [(value, point) for n, (value, point) in enumerate(tried) if value <= most and _is_new(point, tried[:n])]
    outer: dict[tuple[str, int], float] = {}
    evaluated = 0
    for label, direction in directions.items():
        for sense in (1, -1):
            for _ in range(TRIES):
                answer = master.extreme(sense * direction, limit)
                if answer is None:  # the limit lies within the gap of the optimum
                    outer[label, sense] = float(direction @ found.point)
                    break
                outer[label, sense] = sense * answer.bound
                point = problem.tidy(answer.point)
                reached = min(sense * float(direction @ other) for _, other in good)
                if reached <= sense * float(direction @ point) + EXCEEDED or not _is_new(point, good):
                    break
                after = oracle(point, everything)
                evaluated += len(everything)
                found.cuts.add(everything, after)
                master.take(master.stage.lift @ point)
                cost = after.cost + problem.stage_cost(point)
                value = goal.of(cost, problem.probability, problem.best)
                kept = goal.excess(cost, problem.probability, problem.best) <= found.excess + EXCEEDED
                if kept and value <= most:
                    good.append((value, point))
                    break
            tell(f"{'least' if sense > 0 else 'most'} {label} {outer[label, sense]:.4f}, {evaluated} evaluated")
    good.sort(key=lambda one: one[0])
    points = np.stack([point for _, point in good])
    ends = {}
    for label, direction in directions.items():
        along = points @ direction
        low = End(outer[label, 1], float(along.min()))
        ends[label] = (low, End(outer[label, -1], float(along.max())))
    return Space(limit, ends, points, np.array([value for value, _ in good]), evaluated)


def _is_new(point: Floats, others: Sequence[tuple[float, Floats]]) -> bool:
    return not any(np.array_equal(point, other) for _, other in others)


def different(points: Floats, number: int) -> list[int]:
    """Which points differ most: the first, then always the one farthest from those chosen, by absolute differences."""
    chosen = [0]
    apart = np.abs(points - points[0]).sum(axis=1)
    while len(chosen) < min(number, len(points)) and apart.max() > EXCEEDED:
        chosen.append(int(apart.argmax()))
        apart = np.minimum(apart, np.abs(points - points[chosen[-1]]).sum(axis=1))
    return chosen
