"""Measures one runner on a plan, alone in a process of its own, and checks that all runners found the same costs."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from benchmarks import peers, runners
from benchmarks.clock import clocked
from benchmarks.runners import COSTS, Runner
from model import Case, LiveHighs, dispatch
from model.case import load
from model.free import CONTINUOUS_GAP, SITES_GAP
from model.parameters import WEATHER_YEAR
from model.template import Floats
from sweep.plan import Plan
from sweep.theta import theta_of

RUNNERS: dict[str, Runner] = {
    "ours": runners.ours,
    "ours_ray": runners.ours_ray,
    "persistent": runners.persistent,
    "rebuild": runners.rebuild,
    "ema_workbench": peers.ema_workbench,
    "parameter_sweep": peers.parameter_sweep,
}
WITH_WORKERS = ("ours_ray", "ema_workbench", "parameter_sweep")
SAME = 1e-9  # relative: so far may the costs of a fixed configuration differ between runners


@dataclass(frozen=True, eq=False)
class Measurement:
    """What one runner took, and what it found.

    Attributes
    ----------
    draws : tuple of int
        The draws it solved.
    costs : (draws, configurations, 3) array
        ``COSTS`` [billion yen per year].
    seconds : float
        In all, from the first build or patch to the last cost, without ``startup``.
    startup : float
        Seconds before the first worker began and after the last one ended.
    solver_seconds : float
        Inside ``Highs.run``, summed over workers.
    by_draw : dict
        Draw -> seconds, and those of its free configurations; this engine's without reading and writing. Empty where
        a runner does not go draw by draw.
    free : float
        Seconds of all free configurations, summed over workers.
    solves : int
        Runs of HiGHS.
    iterations, dispatch_solves : int
        Simplex iterations of the fixed configurations' dispatch, and how many solves they took.
    peak_mb : float
        Largest resident memory of one process [MB].
    """

    runner: str
    draws: tuple[int, ...]
    costs: Floats
    seconds: float
    startup: float
    solver_seconds: float
    by_draw: dict[int, tuple[float, float]]
    free: float
    solves: int
    iterations: int
    dispatch_solves: int
    peak_mb: float


def measure(plan: Plan, runner: str, draws: Sequence[int]) -> Measurement:
    """Run a runner in this process."""
    with clocked() as clock:
        begun = time.perf_counter()
        costs = RUNNERS[runner](plan, draws, clock)
        seconds = time.perf_counter() - begun
    of_dispatch = [r for r in clock.runs if not r.free and r.columns >= plan.case.dispatch.shape[1]]
    return Measurement(
        runner=runner,
        draws=tuple(draws),
        costs=costs,
        seconds=seconds - clock.left_out - clock.startup,
        startup=clock.startup,
        solver_seconds=clock.solver_seconds,
        by_draw=clock.by_draw,
        free=sum(clock.free),
        solves=len(clock.runs),
        iterations=sum(run.iterations for run in of_dispatch),
        dispatch_solves=len(of_dispatch),
        peak_mb=clock.peak_mb,
    )


def measure_apart(plan: Plan, runner: str, draws: Sequence[int]) -> Measurement:
    """Run a runner in a fresh process, so that memory and whatever stays warm are its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(measure, plan, runner, draws).result()


def day_solves(plan: Plan, draws: Sequence[int]) -> int:
    """Days times fixed configurations, summed over draws."""
    fixed = sum(not c.is_free for c in plan.case.configurations)
    years = plan.table[WEATHER_YEAR].values
    return fixed * sum(len(plan.case.days[str(years[draw])].day) for draw in draws)


def cold_iterations(case: Case, plan: Plan, draw: int) -> float:
    """Mean simplex iterations of a draw's days and fixed configurations, each solved by a HiGHS that knows nothing."""
    theta = theta_of(plan.table, draw)
    year = str(theta[WEATHER_YEAR])
    base = case.dispatch.vector(dispatch.of_draw(theta, case.inputs))
    counts = []
    for day in case.days[year].day:
        vector = case.dispatch.vector(dispatch.of_day(case.inputs.weather[year], int(day), case.inputs), base)
        for configuration in case.configurations:
            if configuration.shares is not None:
                live = LiveHighs(case.dispatch)
                x = load(theta, configuration.shares)
                live.move(case.dispatch.values(case.dispatch.vector({"X": x}, vector)))
                counts.append(live.solve().iterations)
    return float(np.mean(counts))


def disagreements(case: Case, one: Measurement, other: Measurement) -> list[str]:
    """Where two runners' costs differ by more than they may, a line each; on the draws that both solved.

    All costs of fixed configurations may differ by ``SAME``, the total cost of free ones by the gap that both were
    solved to; their other costs are not unique.
    """
    draws = [d for d in one.draws if d in other.draws]
    first, second = (m.costs[[m.draws.index(d) for d in draws]] for m in (one, other))
    gap = SITES_GAP if case.siting == "tiers" else CONTINUOUS_GAP
    lines = []
    for place, configuration in enumerate(case.configurations):
        for cost in (2,) if configuration.is_free else (0, 1, 2):
            allowed = gap if configuration.is_free else SAME
            apart = np.abs(second[:, place, cost] / first[:, place, cost] - 1)
            for row in np.flatnonzero(~(apart <= allowed)):
                what = f"{COSTS[cost]} of {configuration.name}, draw {draws[row]}"
                lines.append(f"{other.runner} and {one.runner} differ by {apart[row]:.1e} in {what}")
    return lines
