"""Check the books of a draw: what is stored must follow from what else is stored, and energy must balance.

Nothing is solved here. Each rule gives a stored quantity beside what it should be; a rule that is an inequality gives
what it is broken by beside zero. Costs and energy of fixed tables go through the functions that the results were made
with, sums and balances are stated anew, from the equations of docs/model.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from model import WEATHER_YEAR, Status, dispatch, parameters
from model.free import CONTINUOUS_GAP, SITES_GAP
from model.inputs import CURTAILABLE, STORAGE, THERMAL
from model.outcomes import TECHNOLOGIES, compare
from model.siting import TWH_PER_GW_YEAR, count_sites, headroom_exceeded
from model.template import Floats
from sweep.stored import StoredStudy
from sweep.theta import Theta

RELATIVE, ABSOLUTE = 1e-6, 2e-5  # of a stored value; the solver keeps a row of a day to 1e-7 GW
Cells = Mapping[str, Floats]
Rule = tuple[str, Floats, Any]  # name, stored (configuration, ...), what it should be


class Books:
    """Checks the draws of one cube.

    Parameters
    ----------
    study : StoredStudy
        Of the cube.
    """

    def __init__(self, study: StoredStudy) -> None:
        self.study = study
        self.energy = {year: self._energy(year) for year in study.days}
        self.values = 0
        shares = [c.shares for c in study.configurations]
        self.fixed = [number for number, share in enumerate(shares) if share is not None]
        self.shares = {number: share for number, share in enumerate(shares) if share is not None}

    def _energy(self, year: str) -> dict[str, Floats]:
        """Energy of the study's days of a weather year: demand before growth, hydro (A,), what each unit could yield."""
        inputs, days = self.study.inputs, self.study.days[year]
        total: dict[str, Floats] = {}
        for day, weight in zip(days.day, days.weight, strict=True):
            of_day = dispatch.of_day(inputs.weather[year], int(day), inputs)
            for name in ("demand", "hydro", "cf"):
                total[name] = total.get(name, 0.0) + weight * of_day[name].sum(axis=-1) / 1000
        available = np.zeros(inputs.curtailable.shape)
        available[inputs.curtailable > 0] = total["cf"]
        return {**total, "cf": available * inputs.curtailable}

    def faults(self, theta: Theta, cells: Cells, draw: int) -> Iterator[str]:
        """Lines on whatever is wrong in a draw.

        Parameters
        ----------
        cells : mapping
            Outcome -> stored array (configuration, ...).
        """
        names = [c.name for c in self.study.configurations]
        solved = cells["status"] == Status.OPTIMAL
        for name, found, should in self._rules(theta, cells, solved):
            stored, expected = np.broadcast_arrays(found, np.asarray(should, dtype=np.float64))
            inequality = np.ndim(should) == 0 and should == 0.0  # what is not solved breaks none
            missing = ~solved.reshape(-1, *[1] * (stored.ndim - 1)) | np.isnan(expected)
            self.values += stored.size
            scale = ABSOLUTE + RELATIVE * np.abs(np.where(missing, 0.0, expected))
            wrong = np.where(missing, ~np.isnan(stored) & (not inequality), ~(np.abs(stored - expected) <= scale))
            for place in np.argwhere(wrong)[:1]:
                at = tuple(place)
                where = f"draw {draw}, {names[at[0]]}" + (
                    f", {name}{list(map(int, at[1:]))}" if at[1:] else f", {name}"
                )
                yield f"{where}: the cube has {stored[at]:.12g}, from the rest of it follows {expected[at]:.12g}"

    def _rules(self, theta: Theta, cells: Cells, solved: Any) -> Iterator[Rule]:
        yield from self._cost_rules(theta, cells)
        yield from self._energy_rules(theta, cells)
        yield from self._siting_rules(theta, cells)
        fixed = [number in self.fixed for number in range(len(solved))]
        for name, values in compare(cells, self.study.reference, fixed, solved.tolist()).items():
            yield name, cells[name], values
        # The cut of each siting is below the cost of dispatch at every other one.
        loads = cells["dc_capacity"].sum(axis=2) * self.study.inputs.scalars["load_factor"]
        bound = cells["siting_cut_constant"][:, None] + cells["siting_value"] @ loads.T
        over = bound - cells["dispatch_cost"] * (1 + RELATIVE)
        yield "dispatch_cost below the cut of a siting", _worst(over.T), 0.0
        free = [number not in self.fixed for number in range(len(solved))]
        gap = (SITES_GAP if self.study.siting == "tiers" else CONTINUOUS_GAP) * 1.01 + RELATIVE
        low, total = cells["lower_bound"], cells["total_cost"]
        yield "lower_bound above total_cost", np.where(free, _excess(low - total * (1 + RELATIVE)), 0.0), 0.0
        yield "gap of total_cost", np.where(free, _excess(total * (1 - gap) - low), 0.0), 0.0

    def _cost_rules(self, theta: Theta, cells: Cells) -> Iterator[Rule]:
        inputs, scalar = self.study.inputs, self.study.inputs.scalars
        energy = np.nan_to_num(cells["generation"])
        thermal = energy[..., [TECHNOLOGIES.index(name) for name in THERMAL]].sum(axis=1)
        nuclear = energy[..., TECHNOLOGIES.index("nuclear")].sum(axis=1)
        options, days = inputs.options, self.study.days[str(theta[WEATHER_YEAR])]
        if options.heat_rate is None:  # else what is burnt does not follow from what is generated
            fuel = thermal @ parameters.fuel_cost(theta, inputs) + inputs.nuclear_fuel_cost * nuclear
            yield "fuel_cost", cells["fuel_cost"], fuel
            yield "co2", cells["co2"], thermal @ inputs.emission
        yield "co2_cost", cells["co2_cost"], cells["co2"] * float(theta["co2_price"]) / 1000
        yield "unserved_cost", cells["unserved_cost"], scalar["voll"] * cells["unserved"].sum(axis=1)
        loads = cells["dc_capacity"].sum(axis=2) * scalar["load_factor"]
        before = TWH_PER_GW_YEAR * parameters.pue(theta, inputs) * options.load_of_year(days) * loads
        moved = (cells["dc_load"] - before).sum(axis=1)
        # Missing reserve and shared curtailment are no outcomes; with an hourly PUE a day's shifts are unlike at the meter.
        if not options.reserve and not options.curtailment_sharing and options.pue_factor is None:
            should = (
                cells["fuel_cost"]
                + cells["co2_cost"]
                + scalar["storage_cost"] * np.nansum(cells["storage_discharge"], axis=(1, 2))
                + scalar["flow_cost"] * cells["flow_gross"].sum(axis=1)
                + scalar["tie_breaker_time_shift"] * 2 * cells["shifted_time"]  # as much down as up in a day
                + scalar["tie_breaker_space_shift"] * (2 * cells["shifted_space"] - moved)
                + cells["unserved_cost"]
                + scalar["spill_cost"] * cells["spill"].sum(axis=1)
            )
            yield "dispatch_cost", cells["dispatch_cost"], should
        contract = cells["dc_capacity"].sum(axis=2)
        yield (
            "building_cost",
            cells["building_cost"],
            scalar["crf"] * contract @ parameters.building_cost(theta, inputs),
        )
        sites = np.nan_to_num(cells["sites"]).sum(axis=1)
        yield "site_cost", cells["site_cost"], sites @ inputs.tiers.site_cost if self.study.siting == "tiers" else 0.0
        unmet = TWH_PER_GW_YEAR * cells["latency_unserved"] * float(theta["dc_demand"])
        yield "latency_cost", cells["latency_cost"], scalar["latency_penalty"] * unmet
        parts = ("building_cost", "site_cost", "network_cost", "latency_cost")
        yield "siting_cost", cells["siting_cost"], np.sum([cells[part] for part in parts], axis=0)
        yield "total_cost", cells["total_cost"], cells["siting_cost"] + cells["dispatch_cost"]

    def _energy_rules(self, theta: Theta, cells: Cells) -> Iterator[Rule]:
        inputs, energy = self.study.inputs, self.energy[str(theta[WEATHER_YEAR])]
        generation, discharge = cells["generation"], cells["storage_discharge"][..., -len(STORAGE) :]
        nuclear = parameters.nuclear_output(theta, inputs)
        nuclear = nuclear * inputs.options.nuclear_of_year(self.study.days[str(theta[WEATHER_YEAR])])
        for name, expected in (
            ("nuclear", TWH_PER_GW_YEAR * nuclear),
            ("hydro", energy["hydro"]),
            ("biomass_geothermal", TWH_PER_GW_YEAR * inputs.mustrun),
        ):
            yield f"generation of {name}", generation[..., TECHNOLOGIES.index(name)], expected
        for number, name in enumerate(CURTAILABLE):
            place = TECHNOLOGIES.index(name)
            available = energy["cf"][:, number] * parameters.buildout(theta, inputs)[:, number]
            stored = generation[..., place] + cells["curtailment"][..., place]
            yield f"generation and curtailment of {name}", stored, available
        net, ends = cells["flow_net"], (inputs.lines.start, inputs.lines.end)
        inflow, kept = np.zeros(cells["unserved"].shape), 1 - inputs.options.transmission_loss
        forward, backward = (cells["flow_gross"] + net) / 2, (cells["flow_gross"] - net) / 2
        for line, (start, end) in enumerate(zip(*ends, strict=True)):
            inflow[:, start] += kept * backward[:, line] - forward[:, line]
            inflow[:, end] += kept * forward[:, line] - backward[:, line]
        given = np.nansum(discharge, axis=2) - np.nansum(discharge / inputs.one_way**2, axis=2)
        supply = np.nansum(generation, axis=2) + given + inflow - cells["spill"] + cells["unserved"]
        use = energy["demand"] * float(theta["demand_growth"]) + cells["dc_load"]
        yield "supply of an area beside its use", supply, use
        yield "flow_net beyond flow_gross", _excess(np.abs(net) - cells["flow_gross"]), 0.0
        for name in ("unserved", "spill", "lole", "flow_gross", "curtailment", "shifted_time", "shifted_space"):
            yield f"{name} below zero", _excess(-cells[name]), 0.0

    def _siting_rules(self, theta: Theta, cells: Cells) -> Iterator[Rule]:
        inputs, demand = self.study.inputs, float(theta["dc_demand"])
        loads = cells["dc_capacity"] * inputs.scalars["load_factor"]
        yield "load of all areas", loads.sum(axis=(1, 2)), demand
        should = {name: np.full(cells[name].shape, np.nan) for name in ("dc_capacity", "sites", "sites_violated")}
        over = np.array([headroom_exceeded(load, inputs) for load in loads])
        yield "headroom_exceeded", cells["headroom_exceeded"], over
        for number in range(len(loads)):
            for name, values in should.items():
                values[number] = cells[name][number]
            if number in self.shares:
                x = demand * self.shares[number]
                should["dc_capacity"][number] = x / inputs.scalars["load_factor"]
                if self.study.siting == "tiers":
                    should["sites"][number], should["sites_violated"][number] = count_sites(x, inputs)
        for name, values in should.items():
            yield name, cells[name], values


def _excess(values: Floats) -> Floats:
    """What values are above zero by; nothing where they are missing."""
    above: Floats = np.maximum(np.nan_to_num(values), 0.0)
    return above


def _worst(values: Floats) -> Floats:
    """The largest excess over the last axis."""
    worst: Floats = _excess(values).max(axis=-1)
    return worst
