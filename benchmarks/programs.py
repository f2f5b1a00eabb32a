"""The Pyomo programs that a user without this engine would solve: the same equations, the same numbers, other plumbing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, product
from typing import Any
from unittest.mock import patch

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

Names = list[str]
Values = Mapping[str, Any]
OPTIONS: Mapping[str, float] = {"threads": 1, "random_seed": 0}
MILLION = 1000  # million yen in a billion


class YearProgram:
    """The siting stage and all days of a year as one Pyomo model, its objective in million yen per year.

    Parameters
    ----------
    configuration : Configuration
        Fixed: the load is given, a number in every day. Free: load is a variable of every day.
    days : int
    clock : Clock
        Leaves out the time in which the days' equations are rewritten for variable load: whoever states the joint
        program himself has the load as a variable from the start.
    theta : mapping, optional
        A draw: the model is built with its numbers, as one builds a model that is solved once. None: every Param is
        mutable and gets its value by :meth:`set`, for any draw and, where the load is given, any fixed configuration.
    """

    def __init__(
        self, case: Case, configuration: Configuration, days: int, clock: Clock, theta: Theta | None = None
    ) -> None:
        self.case, self.free = case, configuration.is_free
        inputs, free = case.inputs, configuration if configuration.is_free else None
        of_stage: Values | None = None
        of_days: Sequence[Values | None] = [None] * days
        weights: Sequence[Any] | None = None
        if theta is not None:
            of_stage, of_days, weights = year_values(case, theta, configuration)
        self.model = m = pyo.ConcreteModel("year")

        def stage() -> pyo.ConcreteModel:
            return siting.build_siting(inputs, case.siting, free)

        def day() -> pyo.ConcreteModel:
            return dispatch.build_dispatch(inputs)

        with clock.leaving_out():
            names = [param_names(build()) for build in (stage, day)]
        m.siting = built(stage, of_stage, names[0])
        self.days = [built(day, values, names[1]) for values in of_days]
        for number, block in enumerate(self.days):
            m.add_component(f"day_{number}", block)
        for block in (m.siting, *self.days):
            block.cost.deactivate()
        if self.free:
            with clock.leaving_out():
                loads = {a: sum(m.siting.x[a, j] for j in range(len(case.tiers))) for a in range(len(inputs.areas))}
                for block in self.days:
                    join_load(block, loads)
        if weights is None:
            m.weight = pyo.Param(range(days), mutable=True)
            weights = [m.weight[number] for number in range(days)]
        daily = sum(weight * block.cost.expr for weight, block in zip(weights, self.days, strict=True))
        m.cost = pyo.Objective(expr=MILLION * m.siting.cost.expr + daily)

    @property
    def options(self) -> Mapping[str, float]:
        """HiGHS options: with whole sites the gap that this engine's free configurations have."""
        gap = SITES_GAP if self.case.siting == "tiers" else CONTINUOUS_GAP
        return {**OPTIONS, "mip_rel_gap": gap} if self.free else OPTIONS

    def set(self, theta: Theta, configuration: Configuration) -> None:
        """Give every mutable Param its value for a draw and a configuration."""
        of_stage, of_days, weights = year_values(self.case, theta, configuration)
        set_params(self.model, {"weight": weights})
        set_params(self.model.siting, of_stage)
        for day, values in zip(self.days, of_days, strict=True):
            set_params(day, values)

    def costs(self, theta: Theta, configuration: Configuration) -> Floats:
        """Costs of the solved year, in the order of ``COSTS`` [billion yen per year]."""
        weight = self.case.days[str(theta[WEATHER_YEAR])].weight
        fuel = sum(w * fuel_and_co2(day, theta, self.case) for w, day in zip(weight, self.days, strict=True))
        of_siting = pyo.value(self.model.siting.cost)
        daily = pyo.value(self.model.cost) / MILLION - of_siting
        return costs(self.case, theta, configuration, fuel / MILLION, daily, of_siting)


def year_values(case: Case, theta: Theta, configuration: Configuration) -> tuple[Values, list[Values], list[float]]:
    """Values of the siting stage's Params, of each day's, and the days' weights."""
    inputs, year = case.inputs, str(theta[WEATHER_YEAR])
    days = case.days[year]
    draw: dict[str, Any] = dict(dispatch.of_draw(theta, inputs))
    if configuration.shares is None:
        of_stage = siting.of_draw(theta, inputs, configuration)
    else:
        of_stage = siting.of_load(theta, inputs, float(theta["dc_demand"]) * configuration.shares)
        draw["X"] = load(theta, configuration.shares)
    of_days: list[Values] = [draw | dispatch.of_day(inputs.weather[year], int(day), inputs) for day in days.day]
    return of_stage, of_days, days.weight.tolist()


def built(build: Callable[[], pyo.ConcreteModel], values: Values | None, names: Names) -> pyo.ConcreteModel:
    """Build a model; with ``values`` the Params that they name are plain numbers, which Pyomo handles faster.

    Parameters
    ----------
    names : sequence of str
        The model's Params in the order of their declaration.
    """
    if values is None:
        return build()
    given, declared = pyo.Param, iter(names)

    def number(*sets: Any, mutable: bool) -> Any:
        name = next(declared)
        if name not in values:
            return given(*sets, mutable=mutable)
        if not sets:
            return float(values[name])
        places = list(sets[0]) if len(sets) == 1 else [_flat(place) for place in product(*sets)]
        return dict(zip(places, np.broadcast_to(np.ravel(values[name]), len(places)).tolist(), strict=True))

    with patch.object(pyo, "Param", number):
        return build()


def param_names(model: pyo.ConcreteModel) -> Names:
    """The Params of a model in the order of their declaration."""
    return [param.local_name for param in model.component_objects(pyo.Param)]


def _flat(place: tuple[Any, ...]) -> tuple[Any, ...]:
    """The index of a product of sets: members that are tuples themselves are taken apart."""
    return tuple(chain.from_iterable(part if isinstance(part, tuple) else (part,) for part in place))


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


def set_params(block: pyo.ConcreteModel, values: Values) -> None:
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
        per_kwh[g] * float(inputs.min_output[g]) * HOURS * variable.value for (_, g), variable in day.committed.items()
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
