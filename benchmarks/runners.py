"""The runners: ways to get the costs of every draw and configuration of a plan, this engine's own and the others'."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pyomo.environ as pyo
from pyomo.contrib.appsi.solvers import Highs

from benchmarks.clock import WORKERS, Clock, clocked
from benchmarks.programs import (
    OPTIONS,
    YearProgram,
    costs,
    fuel_and_co2,
    nearest_neighbour_order,
    set_params,
)
from model import Configuration, dispatch, siting
from model.case import load
from model.parameters import WEATHER_YEAR, Theta
from model.template import Floats
from storage import create_cube, open_cube, read_layout
from sweep.executors import run_on_ray
from sweep.plan import Plan
from sweep.theta import model_columns, theta_of
from sweep.worker import Draws, Work, solve_batch

COSTS = ("fuel_co2_cost", "dispatch_cost", "total_cost")  # billion yen per year
Runner = Callable[[Plan, Sequence[int], Clock], Floats]


def rebuild(plan: Plan, draws: Sequence[int], clock: Clock) -> Floats:
    """Build one Pyomo model per draw and configuration over all its days, and solve it with ``appsi_highs``.

    A free configuration is the joint program of siting and dispatch, with whole sites.

    Returns
    -------
    (draws, configurations, 3) array
        ``COSTS`` [billion yen per year].
    """

    def solve(theta: Theta, configuration: Configuration) -> Floats:
        days = len(plan.case.days[str(theta[WEATHER_YEAR])].day)
        program = YearProgram(plan.case, configuration, days, clock, theta)
        solver = pyo.SolverFactory("appsi_highs")
        solver.options.update(program.options)
        pyo.assert_optimal_termination(solver.solve(program.model))
        return program.costs(theta, configuration)

    return _by_draw(plan, draws, clock, solve)


def persistent(plan: Plan, draws: Sequence[int], clock: Clock) -> Floats:
    """Build each Pyomo model once, keep it in a persistent ``appsi_highs``, and set its Params: see :class:`Persistent`.

    Draws are solved in nearest-neighbour order. Returns as :func:`rebuild`.
    """
    kept = Persistent(plan, clock)
    order = nearest_neighbour_order(_points(plan), draws)
    found = {}
    for draw in order:
        with clock.for_draw(draw):
            found[draw] = kept.solve(theta_of(plan.table, draw))
    return np.stack([found[draw] for draw in draws])


class Persistent:
    """One day's Pyomo model and one siting stage, each alive in a persistent ``appsi_highs``; every Param is mutable.

    Days are solved one by one, and within a day the fixed configurations one after the other. A free configuration is
    the joint program over all days, as in :func:`rebuild`, built once and kept.
    """

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self.case, self.clock = plan.case, clock
        self.day, self.day_solver = dispatch.build_dispatch(plan.case.inputs), keep(OPTIONS)
        self.stage = siting.build_siting(plan.case.inputs, plan.case.siting)
        self.stage_solver = keep(OPTIONS)
        self.years: dict[tuple[str, int], tuple[YearProgram, Highs]] = {}

    def solve(self, theta: Theta) -> Floats:
        """Costs of a draw (configurations, 3)."""
        case, inputs, year = self.case, self.case.inputs, str(theta[WEATHER_YEAR])
        days, draw = case.days[year], dispatch.of_draw(theta, inputs)
        fuel, daily, of_siting = np.zeros((3, len(case.configurations)))
        set_params(self.day, draw)
        for day, weight in zip(days.day, days.weight, strict=True):
            set_params(self.day, dispatch.of_day(inputs.weather[year], int(day), inputs))
            for place, configuration in enumerate(case.configurations):
                if configuration.shares is not None:
                    set_params(self.day, {"X": load(theta, configuration.shares)})
                    daily[place] += weight * self._solve(self.day_solver, self.day) / 1000
                    fuel[place] += weight * fuel_and_co2(self.day, theta, case) / 1000
        rows = []
        for place, configuration in enumerate(case.configurations):
            if configuration.shares is None:
                with self.clock.for_free():
                    rows.append(self._free(theta, configuration, len(days.day)))
                continue
            shares = float(theta["dc_demand"]) * configuration.shares
            set_params(self.stage, siting.of_load(theta, inputs, shares))
            of_siting[place] = self._solve(self.stage_solver, self.stage)
            rows.append(costs(case, theta, configuration, fuel[place], daily[place], of_siting[place]))
        return np.stack(rows)

    def _free(self, theta: Theta, configuration: Configuration, days: int) -> Floats:
        key = (configuration.name, days)
        if key not in self.years:
            program = YearProgram(self.case, configuration, days, self.clock)
            self.years[key] = program, keep(program.options)
        program, solver = self.years[key]
        program.set(theta, configuration)
        self._solve(solver, program.model)
        return program.costs(theta, configuration)

    @staticmethod
    def _solve(solver: Highs, model: pyo.ConcreteModel) -> float:
        found: float = solver.solve(model).best_feasible_objective
        return found


def keep(options: Mapping[str, float]) -> Highs:
    """A persistent solver that looks for nothing but new Param values."""
    solver = Highs()
    solver.highs_options = dict(options)
    for name in (
        "check_for_new_or_removed_constraints",
        "check_for_new_or_removed_vars",
        "check_for_new_or_removed_params",
        "check_for_new_objective",
        "update_constraints",
        "update_vars",
        "update_named_expressions",
        "update_objective",
    ):
        setattr(solver.update_config, name, False)
    return solver


def ours(plan: Plan, draws: Sequence[int], clock: Clock) -> Floats:
    """Sweep with this engine, batch after batch in this process: reading the batch, patching, solving, writing."""

    def run(work: Work, batches: Sequence[int]) -> None:
        for batch in batches:
            solve_batch(work, Draws.of(plan.rows, plan.layout, batch))
            clock.name_drawn(*plan.layout.bounds(batch))

    return _sweep(plan, draws, clock, run)


def ours_ray(plan: Plan, draws: Sequence[int], clock: Clock) -> Floats:
    """Sweep with this engine on Ray actors of its own."""

    def run(work: Work, batches: Sequence[int]) -> None:
        part = partial(Draws.of, plan.rows, plan.layout)
        clock.gather(time.time(), run_on_ray(clocked_batch, work, batches, workers=WORKERS, part=part))

    return _sweep(plan, draws, clock, run)


def clocked_batch(work: Work, batch: Draws) -> Clock:
    """Solve a batch and return the clock of its solves."""
    with clocked() as clock:
        solve_batch(work, batch)
    clock.name_drawn(*read_layout(work.store).bounds(batch.batch))
    return clock


def _sweep(plan: Plan, draws: Sequence[int], clock: Clock, run: Callable[[Work, Sequence[int]], None]) -> Floats:
    """Run the batches that hold the draws, in a cube of their own, and read the costs back."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "cube.zarr"
        with clock.leaving_out():
            create_cube(store, plan.layout, plan.rows, {"identity": plan.identity}, title=plan.study.name)
        work = Work(plan.case, str(store), plan.identity["versions"])
        run(work, [b for b in range(plan.layout.batches) if plan.layout.bounds(b)[0] in draws])
        with clock.leaving_out():
            cube = open_cube(store).isel(draw=list(draws)).load()
    parts = (cube["fuel_cost"] + cube["co2_cost"], cube["dispatch_cost"], cube["total_cost"])
    return np.stack([part.to_numpy() for part in parts], axis=-1)


def _by_draw(plan: Plan, draws: Sequence[int], clock: Clock, solve: Callable[[Theta, Configuration], Floats]) -> Floats:
    """Solve draw after draw, configuration after configuration."""
    rows = []
    for draw in draws:
        theta = theta_of(plan.table, draw)
        with clock.for_draw(draw):
            for configuration in plan.case.configurations:
                with clock.for_free() if configuration.is_free else nullcontext():
                    rows.append(solve(theta, configuration))
    return np.stack(rows).reshape(len(draws), -1, len(COSTS))


def _points(plan: Plan) -> Floats:
    """The draws as points (draws, parameters); a weather year counts as its number in the inputs."""
    years = list(plan.case.inputs.weather)
    columns = [
        [years.index(str(y)) for y in plan.table[name].values] if name == WEATHER_YEAR else plan.table[name].values
        for name in model_columns(plan.table)
    ]
    return np.array(columns, dtype=np.float64).T
