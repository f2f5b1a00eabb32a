"""Every outcome of a draw: its name, dimensions and unit, and how it follows from the year's quantities and the siting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from model import latency, parameters
from model.configurations import Configuration
from model.inputs import CURTAILABLE, STORAGE, THERMAL, Inputs
from model.parameters import Theta
from model.siting import (
    TWH_PER_GW_YEAR,
    Placement,
    headroom_exceeded,
    mean_latency,
)
from model.template import Floats
from model.year import Year

TECHNOLOGIES = (*THERMAL, "nuclear", "hydro", "biomass_geothermal", *CURTAILABLE, *STORAGE)
MONEY = "billion yen per year (2024 prices)"


@dataclass(frozen=True)
class Outcome:
    """One outcome: dimensions beside draw and configuration, unit, and what it means."""

    name: str
    dims: tuple[str, ...]
    unit: str
    meaning: str
    dtype: Literal["float64", "int8"] = "float64"


_COSTS = {
    "fuel_cost": "fuel cost, nuclear fuel included; biomass, geothermal and hydro left out",
    "co2_cost": "cost of CO2 at the draw's price",
    "dispatch_cost": "cost of dispatch: fuel, CO2, storage, flows, shifts, unserved energy, spill",
    "siting_cost": "cost of siting: building, sites, network, latency",
    "total_cost": "siting cost + dispatch cost",
    "building_cost": "annuity of data-centre building cost",
    "site_cost": "yearly cost of sites",
    "network_cost": "network cost by distance, with the round-trip tie-breaker",
    "latency_cost": "penalty on work that meets its latency limit nowhere",
    "unserved_cost": "value of unserved energy, part of dispatch cost",
}
_SAVINGS = {
    "saving_fuel_co2": ("fuel_cost", "co2_cost"),
    "saving_fuel": ("fuel_cost",),
    "saving_co2": ("co2_cost",),
    "saving_dispatch": ("dispatch_cost",),
    "saving_total": ("total_cost",),
}
OUTCOMES: tuple[Outcome, ...] = (
    *(Outcome(name, (), MONEY, meaning) for name, meaning in _COSTS.items()),
    *(
        Outcome(name, (), MONEY, f"{' + '.join(parts)} of the reference less that of the configuration, same draw")
        for name, parts in _SAVINGS.items()
    ),
    Outcome("regret_total", (), MONEY, "total cost less that of the best named (fixed) configuration of the draw"),
    Outcome("co2", (), "Mt", "CO2 emitted"),
    Outcome("generation", ("area", "technology"), "TWh", "energy generated, before spill; storage: storage_discharge"),
    Outcome("curtailment", ("area", "technology"), "TWh", "renewable energy available and not used"),
    Outcome("unserved", ("area",), "TWh", "load not served"),
    Outcome("spill", ("area",), "TWh", "must-run and hydro output spilled"),
    Outcome("lole", ("area",), "h", "hours with unserved load above 1e-6 GW, by day weight"),
    Outcome("dc_load", ("area",), "TWh", "data-centre load at the meter, shifts included"),
    Outcome("dc_capacity", ("area", "tier"), "GW", "data-centre contract: mean IT load over load factor"),
    Outcome("sites", ("area", "tier"), "1", "number of data-centre sites"),
    Outcome("flow_net", ("line",), "TWh", "net flow, positive from `from` to `to`"),
    Outcome("flow_gross", ("line",), "TWh", "flow in both directions, summed"),
    Outcome("congested_hours", ("line",), "h", "hours in which a limit above 0 is reached within 1e-6 GW"),
    Outcome("shifted_time", (), "TWh", "work moved in time, at the meter"),
    Outcome("shifted_space", (), "TWh", "work moved in space, at the meter"),
    Outcome("storage_discharge", ("area", "technology"), "TWh", "energy discharged by storage"),
    Outcome("area_price", ("area",), "yen/kWh", "mean marginal cost of supply over the hours, by day weight"),
    Outcome(
        "siting_value", ("area",), "billion yen per GW-year", "rise of dispatch cost by one more GW of mean IT load"
    ),
    Outcome(
        "line_value",
        ("line",),
        "billion yen per GW-year",
        "fall of dispatch cost by one more GW of usable limit in both directions",
    ),
    Outcome(
        "apn_value",
        (),
        "billion yen per year and percentage point",
        "fall of total cost by one more percentage point of APN adoption, sites as they stand",
    ),
    Outcome("siting_cut_constant", (), MONEY, "constant + siting_value . X is a lower bound of dispatch cost at any X"),
    Outcome("latency", ("area",), "ms", "mean round trip of the served work of the area's users"),
    Outcome("latency_unserved", (), "1", "share of the DC load that meets its latency limit nowhere"),
    Outcome("headroom_exceeded", (), "GW", "contract beyond the grid headroom, summed over areas"),
    Outcome("sites_violated", (), "1", "1 where a rule on sites cannot be met, else 0"),
    Outcome("lower_bound", (), MONEY, "proven lower bound of total cost (free configurations)"),
    Outcome("iterations", (), "1", "simplex iterations of all solves of the configuration"),
    Outcome("status", (), "", "state of the solve", "int8"),
)
# What the solver says of itself, kept with the run: largest over the solves of the days.
RESIDUALS: tuple[Outcome, ...] = (
    Outcome("primal_residual", (), "GW", "by how much a row or bound of a day's dispatch is broken at most"),
    Outcome("dual_residual", (), "million yen per GW", "by how much a reduced cost of a day's dispatch is off at most"),
)


def coordinates(
    inputs: Inputs, configurations: Sequence[Configuration], tiers: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Labels of every dimension but draw."""
    return {
        "configuration": tuple(c.name for c in configurations),
        "area": inputs.areas,
        "tier": tiers,
        "technology": TECHNOLOGIES,
        "line": inputs.lines.names,
    }


def of_configuration(
    theta: Theta, inputs: Inputs, placement: Placement, year: Year, siting_iterations: int = 0
) -> dict[str, Floats | float]:
    """Every outcome of one solved configuration, but for those that compare configurations."""
    # More of the APN lets more work move between areas in any hour, and more of it be served far away.
    apn = float(theta["wls_space_share"]) * year.spatial_value / 1000 + placement.apn_value
    scalar = inputs.scalars
    nuclear = parameters.nuclear_output(theta, inputs) * year.nuclear_share
    nuclear_cost = inputs.nuclear_fuel_cost * TWH_PER_GW_YEAR * nuclear.sum()
    fuel = (year.burnt * parameters.fuel_cost(theta, inputs)).sum() / 1000 + nuclear_cost
    co2 = (year.burnt * inputs.emission).sum() / 1000
    costs = _siting_costs(theta, inputs, placement)
    dispatch = year.cost / 1000 + nuclear_cost
    siting = sum(costs.values())
    return {
        "fuel_cost": fuel,
        "co2_cost": co2 * float(theta["co2_price"]) / 1000,
        "dispatch_cost": dispatch,
        "siting_cost": siting,
        "total_cost": siting + dispatch,
        **costs,
        "unserved_cost": scalar["voll"] * year.shed.sum() / 1000,
        "co2": co2,
        "generation": _by_technology(
            inputs,
            thermal=year.thermal,
            nuclear=nuclear * TWH_PER_GW_YEAR * 1000,
            hydro=year.hydro,
            mustrun=inputs.mustrun * TWH_PER_GW_YEAR * 1000,
            curtailable=year.used,
        ),
        "curtailment": _by_technology(inputs, curtailable=year.curtailed),
        "unserved": year.shed / 1000,
        "spill": year.spill / 1000,
        "lole": year.shed_hours,
        "dc_load": year.dc_load / 1000,
        "dc_capacity": placement.x / scalar["load_factor"],
        "sites": np.nan if placement.sites is None else placement.sites,
        "flow_net": year.flow_net / 1000,
        "flow_gross": year.flow_gross / 1000,
        "congested_hours": year.congested_hours,
        "shifted_time": year.shifted_time / 1000,
        "shifted_space": year.shifted_space / 1000,
        "storage_discharge": _by_technology(inputs, storage=year.discharge),
        "area_price": year.price / 8760,
        "siting_value": year.slope / 1000,
        "line_value": year.line_value / 1000,
        "apn_value": apn / 100,
        "siting_cut_constant": year.cut_constant / 1000 + nuclear_cost,
        "latency": mean_latency(placement, theta, inputs),
        "latency_unserved": placement.z.sum() / float(theta["dc_demand"]),
        "headroom_exceeded": headroom_exceeded(placement.x, inputs),
        "sites_violated": placement.sites_violated,
        "iterations": float(year.iterations + siting_iterations),
    }


def _siting_costs(theta: Theta, inputs: Inputs, placement: Placement) -> dict[str, float]:
    """The parts of siting cost [billion yen per year]."""
    scalar = inputs.scalars
    contract = placement.load / scalar["load_factor"]
    seen = latency.rtt_seen(inputs, float(theta["apn_adoption"]))
    distance = scalar["net_cost"] * (placement.y * latency.fibre_km(inputs)).sum()
    return {
        "building_cost": scalar["crf"] * float(parameters.building_cost(theta, inputs) @ contract),
        "site_cost": 0.0 if placement.sites is None else float(placement.sites.sum(axis=0) @ inputs.tiers.site_cost),
        "network_cost": float(distance + scalar["tie_breaker_rtt"] * (placement.y * seen).sum()),
        "latency_cost": scalar["latency_penalty"] * TWH_PER_GW_YEAR * float(placement.z.sum()),
    }


def _by_technology(inputs: Inputs, **energy: Floats) -> Floats:
    """Lay energy [GWh] out as (area, technology) [TWh]; a technology that is not given cannot exist there: NaN."""
    table = np.full((len(inputs.areas), len(TECHNOLOGIES)), np.nan)
    names = {
        "thermal": THERMAL,
        "nuclear": ("nuclear",),
        "hydro": ("hydro",),
        "mustrun": ("biomass_geothermal",),
        "curtailable": CURTAILABLE,
        "storage": STORAGE,
    }
    for group, values in energy.items():
        columns = [TECHNOLOGIES.index(name) for name in names[group]]
        table[:, columns] = values.reshape(len(inputs.areas), -1) / 1000
    return table


def compare(
    costs: Mapping[str, Floats], reference: int, fixed: Sequence[bool], solved: Sequence[bool]
) -> dict[str, Floats]:
    """Savings against the reference and regret against the best fixed configuration, each over configuration.

    A saving is missing where the reference or the configuration is, a regret where any fixed configuration is (the
    best is then unknown): missing is NaN.

    Parameters
    ----------
    costs : mapping
        Cost name -> array over configuration, NaN where not solved.
    reference : int
        Position of the reference.
    fixed, solved : sequences of bool, over configuration
    """
    compared = {}
    for name, parts in _SAVINGS.items():
        cost = np.sum([costs[part] for part in parts], axis=0)
        compared[name] = cost[reference] - cost
    total, named = costs["total_cost"], np.asarray(fixed, dtype=bool)
    known = named.any() and np.asarray(solved, dtype=bool)[named].all()
    compared["regret_total"] = total - total[named].min() if known else np.full(total.shape, np.nan)
    return compared
