"""The Pyomo programs that a user without this engine would solve: the same equations, the same numbers, other plumbing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.core.expr.visitor import identify_mutable_parameters, replace_expressions

from benchmarks.clock import Clock
from model import Case, Configuration, dispatch, parameters, siting
from model.case import load
from model.free import CONTINUOUS_GAP, SITES_GAP
from model.parameters import WEATHER_YEAR, Theta
from model.siting import TWH_PER_GW_YEAR
from model.template import Floats
from model.weather import HOURS

OPTIONS = {"threads": 1, "random_seed": 0}
MILLION = 1000  # million yen in a billion


class YearProgram:
    """The siting stage and all days of a year as one Pyomo model, its objective in million yen per year.

    Parameters
    ----------
    free : Configuration or None
        A free configuration: load is a variable of every day. None: the load is given, a number in every day.
    clock : Clock
        Leaves out the time in which the days' equations are rewritten for variable load: whoever states the joint
        program himself has the load as a variable from the start.
    """

    def __init__(self, case: Case, days: int, free: Configuration | None, clock: Clock) -> None:
        self.case, self.free = case, free
        self.model = m = pyo.ConcreteModel("year")
        m.siting = siting.build_siting(case.inputs, case.siting, free)
        m.weight = pyo.Param(range(days), mutable=True)
        self.days = [dispatch.build_dispatch(case.inputs) for _ in range(days)]
        for number, day in enumerate(self.days):
            m.add_component(f"day_{number}", day)
        for stage in (m.siting, *self.days):
            stage.cost.deactivate()
        if free is not None:
            with clock.leaving_out():
                for day in self.days:
                    join_load(day, {a: sum(m.siting.x[a, j] for j in range(len(case.tiers))) for a in day.X})
        daily = sum(m.weight[number] * day.cost.expr for number, day in enumerate(self.days))
        m.cost = pyo.Objective(expr=MILLION * m.siting.cost.expr + daily)

    @property
    def options(self) -> dict[str, float]:
        """HiGHS options: with whole sites the gap that this engine's free configurations have."""
        gap = SITES_GAP if self.case.siting == "tiers" else CONTINUOUS_GAP
        return OPTIONS if self.free is None else {**OPTIONS, "mip_rel_gap": gap}

    def set(self, theta: Theta, configuration: Configuration) -> None:
        """Give every Param its value for a draw and a configuration."""
        case, inputs, year = self.case, self.case.inputs, str(theta[WEATHER_YEAR])
        draw = dispatch.of_draw(theta, inputs)
        days = case.days[year]
        set_params(self.model, {"weight": days.weight})
        if configuration.shares is None:
            set_params(self.model.siting, siting.of_draw(theta, inputs, configuration))
        else:
            draw["X"] = load(theta, configuration.shares)
            given = siting.of_load(theta, inputs, float(theta["dc_demand"]) * configuration.shares)
            set_params(self.model.siting, given)
        for number, day in enumerate(self.days):
            set_params(day, draw | dispatch.of_day(inputs.weather[year], int(days.day[number]), inputs))

    def costs(self, theta: Theta, configuration: Configuration) -> Floats:
        """Costs of the solved year, in the order of ``COSTS`` [billion yen per year]."""
        weight = self.case.days[str(theta[WEATHER_YEAR])].weight
        fuel = sum(w * fuel_and_co2(day, theta, self.case) for w, day in zip(weight, self.days, strict=True))
        of_siting = pyo.value(self.model.siting.cost)
        daily = pyo.value(self.model.cost) / MILLION - of_siting
        return costs(self.case, theta, configuration, fuel / MILLION, daily, of_siting)


def join_load(day: pyo.ConcreteModel, loads: Mapping[int, Any]) -> None:
    """Put expressions of variables in the place of a day's Param X; a bound that X moves becomes a constraint."""
    places = {id(day.X[a]): expression for a, expression in loads.items()}

    def moves(expression: Any) -> bool:
        return any(id(p) in places for p in identify_mutable_parameters(expression))

    constraints = list(day.component_data_objects(pyo.Constraint))
    day.load_bounds = pyo.ConstraintList()
    for variable in day.component_data_objects(pyo.Var):
        if variable.upper is not None and moves(variable.upper):
            day.load_bounds.add(variable <= replace_expressions(variable.upper, places))
            variable.setub(None)
    for constraint in constraints:
        if moves(constraint.expr):
            constraint.set_value(replace_expressions(constraint.expr, places))


def set_params(block: pyo.ConcreteModel, values: Mapping[str, Any]) -> None:
    """Set mutable Params from numbers or arrays in the order of their index sets; a single number goes to all."""
    for name, value in values.items():
        param = block.component(name)
        if param.is_indexed():
            indices = list(param.index_set())
            numbers = np.broadcast_to(np.ravel(value), len(indices)).tolist()
            param.store_values(dict(zip(indices, numbers, strict=True)))
        else:
            param.set_value(float(value))


def fuel_and_co2(day: pyo.ConcreteModel, theta: Theta, case: Case) -> float:
    """Fuel and CO2 cost of a solved day's thermal plants [million yen]."""
    inputs = case.inputs
    per_kwh = parameters.fuel_cost(theta, inputs) + inputs.emission * float(theta["co2_price"]) / 1000
    steady = sum(
        per_kwh[g] * float(inputs.min_output[g]) * HOURS * variable.value
        for (_, g), variable in day.committed.items()
    )
    return float(steady + sum(per_kwh[g] * variable.value for (_, g, _), variable in day.above_min.items()))


def costs(
    case: Case, theta: Theta, configuration: Configuration, fuel: float, daily: float, of_siting: float
) -> Floats:
    """Fuel + CO2, dispatch and total cost [billion yen per year] from the programs' own, which lack two constants.

    Nuclear fuel is a constant of the draw, the sites of a fixed configuration follow from its shares.
    """
    inputs = case.inputs
    output = parameters.nuclear_output(theta, inputs).sum()
    nuclear = inputs.nuclear_fuel_cost * TWH_PER_GW_YEAR * float(output)
    sites = 0.0
    if configuration.shares is not None and case.siting == "tiers":
        numbers, _ = siting.count_sites(float(theta["dc_demand"]) * configuration.shares, inputs)
        sites = float(numbers.sum(axis=0) @ inputs.tiers.site_cost)
    return np.array([fuel + nuclear, daily + nuclear, daily + nuclear + of_siting + sites])


def nearest_neighbour_order(points: Floats, draws: Sequence[int]) -> list[int]:
    """Order draws so that each is followed by the nearest of those left, by standardised parameters.

    Parameters
    ----------
    points : (draws of the table, parameters) array
    draws : sequence of int
        Rows to order; the first stays first.
    """
    spread = points.std(axis=0)
    scaled = (points - points.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    order, left = [draws[0]], list(draws[1:])
    while left:
        distances = np.linalg.norm(scaled[left] - scaled[order[-1]], axis=1)
        order.append(left.pop(int(distances.argmin())))
    return order
