"""The space of good decisions: how far each direction goes while the goal stays near its optimum, and plans that differ.

The cuts bound the goal from below, so that the range they give holds the true one (outer); each end that no plan known to
be good reaches is evaluated, and sharpened while it is not as good as they say. What was evaluated and is good enough gives
the range from inside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sweep.robust.decomposition import Found
from sweep.robust.master import Master
from sweep.robust.measures import Budget, Floats, Goal
from sweep.robust.problem import Ints, Oracle, Problem

TRIES = 4  # evaluations of one end
EXCEEDED = 1e-6  # relative, by which a limit may be missed; never by more than a part of what is allowed
PART = 0.01
WITHIN = 1e-3  # of a direction's largest weight, to which its ends are searched


@dataclass(frozen=True, eq=False)
class End:
    """One end of a range.

    Attributes
    ----------
    outer : float
        No decision within the limit goes further; infinite where that was not found out.
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
    beyond : list of (value, point)
        Those that keep the budgets and not the limit, which a wider one may take.
    evaluated : int
        Evaluations of a decision in a scenario.
    """

    limit: float
    ends: dict[str, tuple[End, End]]
    points: Floats
    values: Floats
    evaluated: int
    beyond: list[tuple[float, Floats]] = field(default_factory=list)

    @property
    def tried(self) -> list[tuple[float, Floats]]:
        """All that were evaluated and keep the budgets, with their values."""
        return [*((float(v), point) for v, point in zip(self.values, self.points, strict=True)), *self.beyond]


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
    # As the best one was let to exceed the budgets by a hair, so are these; else it might not be among them.
    slack = found.excess + EXCEEDED
    budgets = tuple(Budget(b.measure, b.limit + slack * max(1.0, abs(b.limit))) for b in goal.budgets)
    master = Master(problem, replace(goal, budgets=budgets), found.cuts, gap, groups if goal.is_mean else None)
    everything = np.arange(len(problem.probability))
    most = _most(limit, found.value)
    tried = _once([(found.value, found.point), *(one for space in known for one in space.tried)])
    good = [one for one in tried if one[0] <= most]
    outer: dict[tuple[str, int], float] = {}
    evaluated = 0
    for label, direction in directions.items():
        for sense in (1, -1):
            for _ in range(TRIES):
                answer = master.extreme(sense * direction, limit, WITHIN * float(np.abs(direction).max()))
                if answer is None:  # by rounding of the solver alone, as the best decision is within the limit
                    outer.setdefault((label, sense), -sense * np.inf)
                    break
                best = max(answer.bound, sense * outer.get((label, sense), -sense * np.inf))
                outer[label, sense] = sense * best
                point = problem.tidy(answer.point)
                reached = min(sense * float(direction @ other) for _, other in good)
                if reached <= sense * float(direction @ point) + EXCEEDED or not _is_new(point, tried):
                    break
                after = oracle(point, everything)
                evaluated += len(everything)
                found.cuts.add(everything, after)
                master.take(master.stage.lift @ point)
                cost = after.cost + problem.stage_cost(point)
                value = goal.of(cost, problem.probability, problem.best)
                kept = goal.excess(cost, problem.probability, problem.best) <= found.excess + EXCEEDED
                if kept:
                    tried.append((value, point))
                if kept and value <= most:
                    good.append((value, point))
                    break
            tell(f"{'least' if sense > 0 else 'most'} {label} {outer[label, sense]:.4f}, {evaluated} evaluated")
    ends = {label: (End(outer[label, 1], np.nan), End(outer[label, -1], np.nan)) for label in directions}
    return _of_points(Space(limit, ends, np.empty(0), np.empty(0), evaluated), tried, most, directions)


def nested(spaces: Sequence[Space], directions: Mapping[str, Floats]) -> list[Space]:
    """Make spaces around one optimum agree: what is within a narrow limit is within a wide one, and outer ends alike.

    Parameters
    ----------
    spaces : sequence of Space
        From the narrowest to the widest limit.
    """
    pool = _once([one for space in spaces for one in space.tried])
    optimum = min(value for value, _ in pool)
    found: list[Space] = []
    for space in reversed(spaces):
        ends = dict(space.ends)
        if found:
            for label, (low, high) in ends.items():
                wide_low, wide_high = found[-1].ends[label]
                ends[label] = (
                    replace(low, outer=max(low.outer, wide_low.outer)),
                    replace(high, outer=min(high.outer, wide_high.outer)),
                )
        found.append(_of_points(replace(space, ends=ends), pool, _most(space.limit, optimum), directions))
    return found[::-1]


def _of_points(
    space: Space, tried: Sequence[tuple[float, Floats]], most: float, directions: Mapping[str, Floats]
) -> Space:
    """The space with the points that are good, and its ends as far as these reach; an outer end never lies within."""
    ordered = sorted((one for one in tried if one[0] <= most), key=lambda one: one[0])
    points = np.stack([point for _, point in ordered])
    ends = {}
    for label, direction in directions.items():
        along = points @ direction
        least, most = float(along.min()), float(along.max())
        low, high = space.ends[label]
        ends[label] = (End(min(low.outer, least), least), End(max(high.outer, most), most))
    beyond = [one for one in tried if one[0] > most]
    return replace(space, ends=ends, points=points, values=np.array([value for value, _ in ordered]), beyond=beyond)


def _most(limit: float, optimum: float) -> float:
    """What a value may be where the limit may be missed by a hair."""
    return limit + min(EXCEEDED * abs(limit), PART * (limit - optimum))


def _once(tried: Sequence[tuple[float, Floats]]) -> list[tuple[float, Floats]]:
    return [one for n, one in enumerate(tried) if _is_new(one[1], tried[:n])]


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
