"""Decide one siting for all draws of a cube: cuts that the sweep paid for, further ones from the workers, a proven gap.

What is evaluated is kept below ``run/optimise`` of the cube, outside of everything that a sweep's bytes are promised for.
A run that was killed goes the same way again and finds its evaluations there. What it starts from is noted before it
begins, so that its answer depends on the request and the store as it was then, on no clock and no worker.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.cluster.vq import kmeans2

from model import DemandRange, lift
from report.intervals import Interval
from storage import Lease, Place, put_side, read_side
from sweep.errors import StudyError
from sweep.kept_workers import Workers
from sweep.patience import patiently
from sweep.robust import Budget, Cuts, Found, Goal, Measure, NoneMeetsBudgetError, Problem, Round, decompose
from sweep.robust.measures import Floats
from sweep.robust.problem import Ints
from sweep.siting_points import Points, recourse_of, solve_asked
from sweep.siting_problem import (
    CubeOfSitings,
    cheapest_loads,
    cuts_of_cube,
    demand_range,
    make_problem,
    read_cube,
    wait_and_see,
)

BATCH = 8  # draws of one task: half a second to some seconds
MOST_APART = 128  # draws with a cost variable each where only the mean counts; more are taken together by their cuts
ROUNDS = 200
BILLION = "bn"
Record = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes
    ----------
    goal : Goal
    gap : float
        Relative, of the goal.
    rounds : int
        After which the search ends with the gap that it has.
    draws : int, optional
        The first so many finished draws; the others may judge what is found. None: all.
    cover : float
        Share of the draws, by demand, in which the rules on headroom and sites must hold.
    free : str, optional
        The free configuration whose areas and tiers may be used.
    near : tuple of (float, unit)
        By how much plans may be worse than the best, for the space of good plans; "%" or "bn", billion yen a year.
    replications : int
        Parts of the draws that are solved again, each by itself, for the gap to the true optimum.
    worth : bool
        Whether to solve for the mean draw and for the mean cost too, to tell what the answer is worth.
    """

    goal: Goal
    gap: float = 1e-3
    rounds: int = ROUNDS
    draws: int | None = None
    cover: float = 1.0
    free: str | None = None
    near: tuple[tuple[float, str], ...] = ()
    replications: int = 0
    worth: bool = True

    def key(self, draws: Sequence[int]) -> str:
        """What a run of this request is kept under."""
        told = {**asdict(self), "draws": list(draws)}
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(eq=False)
class Session:
    """One cube being optimised: its draws, what is known of them, and the workers.

    Attributes
    ----------
    draws : list of int
        Those that are decided on.
    best : (draws,) array or None
        The least cost that each draw by itself allows.
    """

    cube: CubeOfSitings
    request: Request
    draws: list[int]
    points: Points
    cuts: Cuts
    best: Floats | None
    tell: Callable[[str, Round | str], None]

    @property
    def problem(self) -> Problem:
        """The decision."""
        return make_problem(self.cube, self.draws, self.within, self.best)

    @property
    def within(self) -> DemandRange:
        """Between which demands the rules hold."""
        return demand_range([self.cube.thetas[draw] for draw in self.draws], self.request.cover)

    def solve(self, goal: Goal, what: str) -> Found:
        """Decide; cuts that are found stay for whatever is asked next.

        Raises
        ------
        StudyError
            No siting meets the rules or the budgets.
        """
        try:
            return decompose(
                self.problem,
                self.points.oracle(self.draws),
                goal,
                gap=self.request.gap,
                cuts=self.cuts,
                groups=self.groups(),
                most=self.request.rounds,
                tell=lambda each: self.tell(what, each),
            )
        except NoneMeetsBudgetError as fault:
            held = " ".join(f"--budget {each.measure}={each.limit:g}" for each in goal.budgets)
            raise StudyError(f"{held or what}: {fault}") from fault

    def groups(self) -> list[Ints] | None:
        """Draws with like cuts taken together, where there are many."""
        return like_draws(self.cuts, MOST_APART)


def like_draws(cuts: Cuts, most: int) -> list[Ints] | None:
    """Groups of scenarios whose first cuts have like slopes; None where there are few enough to keep them apart."""
    if cuts.scenarios <= most:
        return None
    slope = cuts.slope[0]
    spread = slope.std(axis=0)
    _, label = kmeans2(slope / np.where(spread > 0, spread, 1.0), most, minit="++", rng=0)
    return [np.flatnonzero(label == each) for each in np.unique(label)]


def optimise(
    store: Place,
    request: Request,
    *,
    serial: bool = False,
    workers: int | None = None,
    address: str | None = None,
    tell: Callable[[str, Round | str], None] = lambda what, each: None,
) -> Record:
    """Decide one siting for the draws of a cube and say what it is worth.

    Returns
    -------
    dict
        See docs/optimise.md; the same, whatever the workers.

    Raises
    ------
    StudyError
        A cube or request that does not fit, or rules and budgets that no siting meets.
    RunStoppedError
        A draw could not be solved.
    """
    from sweep.siting_worth import record_of  # it needs the session

    cube = read_cube(store, request.free)
    finished = sorted(cube.thetas)
    number = len(finished) if request.draws is None else request.draws
    if not 1 <= number <= len(finished):
        raise StudyError(f"--draws: found {number}, expected 1 to {len(finished)}, the finished draws of {store}")
    draws, others = finished[:number], finished[number:]
    known = wait_and_see(cube, draws)
    if known is None and request.goal.needs_best:
        raise StudyError(f"regret needs the optimum of each draw: expected a cube with {cube.free.name}, found none")
    with (
        Lease(store),
        Workers(solve_asked, cube.case, serial=serial, workers=workers, address=address) as hands,
    ):
        points = Points(hands, cube.thetas, cube.shape, BATCH, store, cube.folder, cheapest_loads(cube))
        begun = _begun(store, cube.folder, request.key(draws), points, draws)
        cuts = start_cuts(cube, draws, points, begun)
        session = Session(cube, request, draws, points, cuts, None if known is None else known[0], tell)
        found = session.solve(request.goal, "siting")
        record = record_of(session, found, others, known)
        content = json.dumps(record, indent=1, allow_nan=False).encode()
        patiently(lambda: put_side(store, cube.folder, f"result-{request.key(draws)}.json", content))
    return record | {"solved_now": points.solved, "found_in_store": points.found}


def _begun(store: Place, folder: str, key: str, points: Points, draws: Sequence[int]) -> list[str]:
    """The sitings that a run starts from: those that all of its draws had when it first began, whatever came since."""
    name = f"start-{key}.json"
    content = patiently(lambda: read_side(store, folder, name))
    if content is None:
        whole = [each for each in points.kept() if np.isin(draws, points.part(each)[0]).all()]
        content = json.dumps(whole).encode()
        text = content
        patiently(lambda: put_side(store, folder, name, text))
    return [str(each) for each in json.loads(content)]


def start_cuts(cube: CubeOfSitings, draws: Sequence[int], points: Points, begun: Sequence[str]) -> Cuts:
    """The cuts of the cube's configurations and of sitings that were evaluated in all of these draws before."""
    cuts = cuts_of_cube(cube, draws)
    for name in begun:
        there, rows = points.part(name)
        cuts.add(np.arange(len(draws)), recourse_of(rows[np.searchsorted(there, draws)]))
    if not np.isfinite(cuts.bound(np.zeros(len(lift(cube.case))))).all():
        return Cuts(len(draws), cuts.coordinates)  # a draw of which the cube knows nothing: a first siting tells of all
    return cuts


def read_goal(measure: str, weight: float | None, budgets: Sequence[str]) -> Goal:
    """The goal as the command line has it.

    Raises
    ------
    StudyError
        What is wrong, and what was expected.
    """
    try:
        asked = Measure.parse(measure)
    except ValueError as fault:
        raise StudyError(f"--measure: {fault}") from fault
    terms: tuple[tuple[float, Measure], ...] = ((1.0, asked),)
    if weight is not None:
        if asked.kind == "mean":
            raise StudyError("--lambda: expected with a --measure other than mean, which it adds to the mean")
        terms = ((1.0, Measure("mean")), (weight, asked))
    held = []
    for text in budgets:
        name, sign, limit = text.replace("<=", "=").partition("=")
        try:
            held.append(Budget(Measure.parse(name.strip()), float(limit)))
        except ValueError as fault:
            expected = "MEASURE=NUMBER in billion yen a year, such as cvar:0.9=9000"
            raise StudyError(f"--budget: found {text!r}, expected {expected}") from fault
        if not sign or not np.isfinite(held[-1].limit):
            raise StudyError(f"--budget: found {text!r}, expected MEASURE=NUMBER")
        if held[-1].measure in [each.measure for each in held[:-1]]:
            raise StudyError(f"--budget: found {held[-1].measure} twice, expected one limit for each measure")
    return Goal(terms, tuple(held))


def number(value: float) -> float | None:
    """A number as JSON has it: what is not there is null."""
    return float(value) if np.isfinite(value) else None


def interval(found: Interval) -> Record:
    """An interval as JSON."""
    return {
        "estimate": number(found.estimate),
        "low": number(found.low),
        "high": number(found.high),
        "how": found.how,
    }
