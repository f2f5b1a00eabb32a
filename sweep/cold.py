"""Solve a stored draw again, cold and by plain Pyomo: no template, no hot start, no cuts, one model after the other.

A fixed configuration is solved whole. Of a free one the stored siting is taken and its costs are solved for; that no
siting is better is what its stored lower bound says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyomo.environ as pyo
from pyomo.contrib.appsi.base import TerminationCondition
from pyomo.contrib.appsi.solvers import Highs

from model import WEATHER_YEAR, Configuration, Status, dispatch, parameters, siting
from model.dispatch_options import burnt
from model.siting import TWH_PER_GW_YEAR
from model.template import Floats
from model.weather import HOURS
from sweep.stored import StoredStudy
from sweep.theta import Theta

COSTS = ("fuel_cost", "co2_cost", "dispatch_cost", "siting_cost", "total_cost")
TOLERANCE = 1e-6  # relative


@dataclass
class Residuals:
    """The largest of all solves: how far a row or bound, a reduced cost is off."""

    primal: float = 0.0
    dual: float = 0.0

    def add(self, highs: Any) -> None:
        """Take in those of a solved program."""
        info = highs.getInfo()
        self.primal = max(self.primal, float(info.max_primal_infeasibility))
        self.dual = max(self.dual, float(info.max_dual_infeasibility))


@dataclass
class ColdSolver:
    """Solves the draws of one cube.

    Attributes
    ----------
    residuals : Residuals
        Of all solves so far.
    """

    study: StoredStudy
    residuals: Residuals = field(default_factory=Residuals)

    @cached_property
    def day(self) -> pyo.ConcreteModel:
        """The dispatch of a day, stated when the first draw is solved."""
        return dispatch.build_dispatch(self.study.inputs)

    @cached_property
    def stage(self) -> pyo.ConcreteModel:
        """The siting stage, likewise."""
        return siting.build_siting(self.study.inputs, self.study.siting)

    def compare(self, theta: Theta, cells: Mapping[str, Floats], draw: int) -> Iterator[dict[str, Any]]:
        """One record for each configuration of a draw: stored and found costs, and whether they agree to `TOLERANCE`."""
        for number, configuration in enumerate(self.study.configurations):
            state = Status(int(cells["status"][number]))
            record: dict[str, Any] = {"draw": draw, "configuration": configuration.name, "status": state.name.lower()}
            if state is Status.OPTIMAL:
                stored = {name: float(cells[name][number]) for name in COSTS}
                load = cells["dc_capacity"][number] * self.study.inputs.scalars["load_factor"]
                found = self._costs(theta, configuration, load, cells["sites"][number])
                worst = max(abs(found[name] - stored[name]) / max(1.0, abs(stored[name])) for name in COSTS)
                record |= {"stored": stored, "found": found, "difference": worst, "agrees": bool(worst <= TOLERANCE)}
            elif state is Status.INFEASIBLE:
                record["agrees"] = not self._is_feasible(theta, configuration)
            yield record

    def _costs(self, theta: Theta, configuration: Configuration, load: Floats, sites: Floats) -> dict[str, float]:
        """Costs [billion yen per year] of a draw around a siting: load (A, J) [GW], sites (A, J)."""
        inputs = self.study.inputs
        if configuration.shares is not None:
            load = float(theta["dc_demand"]) * configuration.shares
        set_params(self.stage, siting.of_load(theta, inputs, load))
        if not self._solve(self.stage):
            return dict.fromkeys(COSTS, np.nan)
        of_siting = pyo.value(self.stage.cost)
        if self.study.siting == "tiers":
            if configuration.shares is not None:
                sites, _ = siting.count_sites(load, inputs)
            of_siting += float(sites.sum(axis=0) @ inputs.tiers.site_cost)
        thermal, daily = np.zeros(len(inputs.emission)), 0.0
        for weight in self._days(theta, load.sum(axis=1)):
            if weight is None:
                return dict.fromkeys(COSTS, np.nan)
            thermal += weight * self._thermal()
            daily += weight * pyo.value(self.day.cost) / 1000
        output = parameters.nuclear_output(theta, inputs)
        output = output * inputs.options.nuclear_of_year(self.study.days[str(theta[WEATHER_YEAR])])
        nuclear = inputs.nuclear_fuel_cost * TWH_PER_GW_YEAR * float(output.sum())
        return {
            "fuel_cost": float(thermal @ parameters.fuel_cost(theta, inputs)) / 1000 + nuclear,
            "co2_cost": float(thermal @ inputs.emission) / 1000 * float(theta["co2_price"]) / 1000,
            "dispatch_cost": daily + nuclear,
            "siting_cost": of_siting,
            "total_cost": of_siting + daily + nuclear,
        }

    def _days(self, theta: Theta, load: Floats) -> Iterator[float | None]:
        """Solve day after day around a load (A,) [GW]; the weight of each once it is solved, None where it cannot be."""
        inputs, year = self.study.inputs, str(theta[WEATHER_YEAR])
        days = self.study.days[year]
        set_params(self.day, {**dispatch.of_draw(theta, inputs), "X": load})
        for number, weight in zip(days.day, days.weight, strict=True):
            set_params(self.day, dispatch.of_day(inputs.weather[year], int(number), inputs))
            yield float(weight) if self._solve(self.day) else None

    def _thermal(self) -> Floats:
        """Output of coal, lng and oil weighted by heat rate [GWh] in the solved day."""
        output = np.zeros(len(self.study.inputs.emission))
        for a, g in self.day.units:
            output[g] += sum(pyo.value(burnt(self.day, a, g, t)) for t in range(HOURS))
        return output

    def _is_feasible(self, theta: Theta, configuration: Configuration) -> bool:
        """Whether a configuration that the cube calls infeasible can be solved after all."""
        inputs = self.study.inputs
        if configuration.shares is None:
            stage = siting.build_siting(inputs, self.study.siting, configuration)
            set_params(stage, siting.of_draw(theta, inputs, configuration))
            return self._solve(stage)  # once a siting is found, load can be shed in any day
        load = float(theta["dc_demand"]) * configuration.shares
        set_params(self.stage, siting.of_load(theta, inputs, load))
        return self._solve(self.stage) and all(weight is not None for weight in self._days(theta, load.sum(axis=1)))

    def _solve(self, model: pyo.ConcreteModel) -> bool:
        """Solve a model from scratch; whether it ended optimal."""
        solver = Highs()
        solver.config.load_solution = False
        solver.highs_options = {"threads": 1, "random_seed": 0}
        found = solver.solve(model)
        if found.termination_condition != TerminationCondition.optimal:
            return False
        found.solution_loader.load_vars()
        self.residuals.add(solver._solver_model)
        return True


def set_params(block: pyo.ConcreteModel, values: Mapping[str, Any]) -> None:
    """Set mutable Params from numbers or arrays in the order of their index sets; a single number goes to all."""
    for name, value in values.items():
        param = block.component(name)
        if param.is_indexed():
            places = list(param.index_set())
            param.store_values(dict(zip(places, np.broadcast_to(np.ravel(value), len(places)).tolist(), strict=True)))
        else:
            param.set_value(float(value))
