"""The extensive form: one siting and every day of every draw in a single Pyomo program, what one would solve without cuts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.contrib.appsi.solvers import Highs

from benchmarks.programs import join_load, set_params
from model import WEATHER_YEAR, Case, Configuration, DemandRange, build_share_stage, dispatch, siting
from model.parameters import Theta
from model.shares import nuclear_fuel


def extensive_form(
    case: Case, free: Configuration, thetas: Sequence[Theta], within: DemandRange
) -> tuple[pyo.ConcreteModel, list[Any], list[Any]]:
    """Build it; returns the model without an objective, its shares, and the total cost of each draw [billion yen/yr]."""
    inputs = case.inputs
    demands = [float(theta["dc_demand"]) for theta in thetas]
    levels = np.unique(demands)
    stage = build_share_stage(case, free, within, levels.tolist())
    model = pyo.ConcreteModel("extensive")
    model.stage = stage.model
    share = stage.model.share
    A, J = range(len(inputs.areas)), range(len(case.tiers))
    costs: list[Any] = []
    for number, (theta, demand) in enumerate(zip(thetas, demands, strict=True)):
        block = pyo.Block()
        model.add_component(f"draw_{number}", block)
        block.siting = siting.build_siting(inputs, case.siting)
        free_x = {**siting.of_load(theta, inputs, np.zeros((len(A), len(J)))), "x_high": np.full((len(A), len(J)), 1e3)}
        set_params(block.siting, free_x)
        block.same = pyo.ConstraintList()
        for a, j in product(A, J):
            block.same.add(block.siting.x[a, j] == demand * share[a, j])
        block.siting.cost.deactivate()
        cost = block.siting.cost.expr + stage.costs[int(np.searchsorted(levels, demand))] + nuclear_fuel(theta, inputs)
        year = str(theta[WEATHER_YEAR])
        loads = {a: demand * sum(share[a, j] for j in J) for a in A}
        for at, (day, weight) in enumerate(zip(case.days[year].day, case.days[year].weight, strict=True)):
            one = dispatch.build_dispatch(inputs)
            block.add_component(f"day_{at}", one)
            set_params(
                one, {**dispatch.of_draw(theta, inputs), **dispatch.of_day(inputs.weather[year], int(day), inputs)}
            )
            join_load(one, loads)
            one.cost.deactivate()
            cost += float(weight) / 1000 * one.cost.expr
        costs.append(cost)
    return model, list(share.values()), costs


def solve_extensive(
    model: pyo.ConcreteModel, aim: Any, gap: float, seconds: float | None = None
) -> tuple[float, float]:
    """Value and bound of the extensive form with a goal; what a time limit leaves, where there is one."""
    model.aim = pyo.Objective(expr=aim)
    solver = Highs()
    solver.config.load_solution = False
    solver.config.time_limit = seconds
    solver.highs_options = {"threads": 1, "random_seed": 0, "mip_rel_gap": gap, "mip_abs_gap": 0.0}
    found = solver.solve(model)
    model.del_component("aim")
    value, bound = found.best_feasible_objective, found.best_objective_bound
    return (np.inf if value is None else float(value)), (-np.inf if bound is None else float(bound))
