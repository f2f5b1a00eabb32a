"""The dispatch of one day as a Pyomo model: section 3 of the specification, each equation once.

Capacities, efficiencies and scalars are numbers of the inputs; what a draw, a day or a siting moves is a mutable
Param. Power GW, energy GWh, cost million yen (1 yen/kWh x 1 GWh).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from model import parameters
from model.dispatch_options import add_options, burnt
from model.inputs import CURTAILABLE, STORAGE, THERMAL, Inputs
from model.parameters import Theta
from model.template import Floats
from model.weather import HOURS, WeatherYear

if TYPE_CHECKING:
    import pyomo.environ as pyo


def build_dispatch(inputs: Inputs) -> pyo.ConcreteModel:  # noqa: PLR0915 - one equation after the other, none apart
    """Build the day's dispatch; what has no capacity anywhere in the table has no variable.

    The minimum output of committed units is carried by ``gen = min_output * committed + above_min`` in place of rows.
    """
    import pyomo.environ as pyo  # slow to import, and not needed where the compiled template is kept

    m = pyo.ConcreteModel("dispatch")
    A, T = range(len(inputs.areas)), range(HOURS)
    G, R, S, L = range(len(THERMAL)), range(len(CURTAILABLE)), range(len(STORAGE)), range(len(inputs.lines.names))
    scalar, options = inputs.scalars, inputs.options
    m.units = pyo.Set(initialize=[(a, g) for a in A for g in G if inputs.thermal[a, g] > 0], dimen=2)
    m.renewables = pyo.Set(initialize=[(a, r) for a in A for r in R if inputs.curtailable[a, r] > 0], dimen=2)
    m.stores = pyo.Set(initialize=[(a, s) for a in A for s in S if inputs.power[a, s] > 0], dimen=2)

    fuels = [g for g in G if inputs.thermal[:, g].any()]
    batteries = [a for a, s in m.stores if STORAGE[s] == "battery"]

    # What moves, each Param over those members alone that move something: of the draw ...
    m.demand_growth = pyo.Param(mutable=True)
    m.buildout = pyo.Param(m.renewables, mutable=True)
    m.battery_buildout = pyo.Param(batteries, mutable=True)
    m.nuclear = pyo.Param(A, mutable=True)  # output before spill, GW
    m.line_share = pyo.Param(L, mutable=True)  # derate, 0 where the line's switch is off
    m.fuel_cost = pyo.Param(fuels, mutable=True)  # yen/kWh
    m.co2_price = pyo.Param(fuels, mutable=True)  # yen/t
    m.pue = pyo.Param(A, mutable=True)
    m.inv_pue = pyo.Param(A, mutable=True)
    m.phi = pyo.Param(mutable=True)  # wls_time_share
    m.alpha_psi = pyo.Param(mutable=True)  # apn_adoption * wls_space_share
    # ... of the day ...
    m.demand = pyo.Param(A, T, mutable=True)  # GW, before growth
    m.hydro = pyo.Param(A, T, mutable=True)  # GW
    m.cf = pyo.Param(m.renewables, T, mutable=True)
    if options.thermal_share is not None:
        m.thermal_share = pyo.Param(m.units, mutable=True)
        m.nuclear_share = pyo.Param(A, mutable=True)
    if options.floor_share is not None:
        m.floor_share = pyo.Param(m.units, mutable=True)
    if options.pumped_share is not None:
        m.pumped_share = pyo.Param([a for a, s in m.stores if STORAGE[s] == "pumped_hydro"], mutable=True)
    if options.line_forward is not None:  # a direction without a limit has nothing to move
        m.line_forward = pyo.Param([n for n in L if inputs.lines.forward[n] > 0], mutable=True)
        m.line_backward = pyo.Param([n for n in L if inputs.lines.backward[n] > 0], mutable=True)
    if options.pue_factor is not None:
        m.pue_factor = pyo.Param(A, T, mutable=True)
        m.inv_pue_factor = pyo.Param(A, T, mutable=True)
    # ... and of the siting.
    m.X = pyo.Param(A, mutable=True)  # mean IT load, GW

    # Load at the meter before shifts, what installed machines leave room for beyond it, and what work a load carries.
    shape = np.ones(HOURS) if options.dc_factor is None else options.dc_factor
    whole = {a: m.pue[a] * m.X[a] for a in A}
    hourly = {
        (a, t): whole[a] * m.pue_factor[a, t] if options.pue_factor is not None else whole[a] for a in A for t in T
    }
    base = {
        (a, t): hourly[a, t] * float(shape[t]) if options.dc_factor is not None else hourly[a, t] for a, t in hourly
    }
    room = {t: float((1 + scalar["headroom"]) * shape.max() - shape[t]) for t in T}
    if options.dc_factor is None:
        room = dict.fromkeys(T, scalar["headroom"])
    work = m.inv_pue_factor if options.pue_factor is not None else {(a, t): 1 for a in A for t in T}
    present = m.thermal_share if options.thermal_share is not None else dict.fromkeys(m.units, 1.0)
    nuclear = {a: m.nuclear[a] * m.nuclear_share[a] if options.nuclear_share is not None else m.nuclear[a] for a in A}
    pumped = m.pumped_share if options.pumped_share is not None else dict.fromkeys(A, scalar["pumped_derate"])
    scale = {(a, s): m.battery_buildout[a] if STORAGE[s] == "battery" else pumped[a] for a, s in m.stores}
    least = inputs.min_output * inputs.committed_floor * inputs.availability * inputs.thermal
    firm = {a: float(np.sum(least[a])) for a in A}
    if options.thermal_share is not None:
        firm = {a: sum(float(least[a, g]) * present[a, g] for g in G if (a, g) in m.units) for a in A}
    floor = {(a, g): float(inputs.committed_floor[g]) for a, g in m.units}
    if options.floor_share is not None:
        floor, whole_least = m.floor_share, inputs.min_output * inputs.availability * inputs.thermal
        firm = {a: sum(float(whole_least[a, g]) * floor[a, g] * present[a, g] for b, g in m.units if b == a) for a in A}

    def committed_bounds(_: object, a: int, g: int) -> tuple[object, object]:
        available = float(inputs.availability[g] * inputs.thermal[a, g])
        return floor[a, g] * available * present[a, g], available * present[a, g]

    def line_limit(n: int, limits: Floats, way: str) -> object:
        limit = float(limits[n]) * m.line_share[n]
        return limit * m.component(way)[n] if options.line_forward is not None and limits[n] > 0 else limit

    m.committed = pyo.Var(m.units, bounds=committed_bounds)
    m.above_min = pyo.Var(m.units, T, bounds=(0, None))
    # Sun and wind of an area cost nothing and meet in one balance: one variable takes from all of them.
    available = {
        (a, t): sum(
            m.cf[a, r, t] * float(inputs.curtailable[a, r]) * m.buildout[a, r] for r in R if (a, r) in m.renewables
        )
        for a in A
        for t in T
    }
    m.re = pyo.Var(A, T, bounds=lambda m, a, t: (0, available[a, t]))
    m.charge = pyo.Var(m.stores, T, bounds=lambda m, a, s, t: (0, float(inputs.power[a, s]) * scale[a, s]))
    m.discharge = pyo.Var(m.stores, T, bounds=lambda m, a, s, t: (0, float(inputs.power[a, s]) * scale[a, s]))
    m.soc = pyo.Var(m.stores, T, bounds=lambda m, a, s, t: (0, float(inputs.energy[a, s]) * scale[a, s]))
    m.forward = pyo.Var(L, T, bounds=lambda m, n, t: (0, line_limit(n, inputs.lines.forward, "line_forward")))
    m.backward = pyo.Var(L, T, bounds=lambda m, n, t: (0, line_limit(n, inputs.lines.backward, "line_backward")))
    m.tau_up = pyo.Var(A, T, bounds=lambda m, a, t: (0, m.phi * base[a, t]))
    m.tau_dn = pyo.Var(A, T, bounds=lambda m, a, t: (0, m.phi * base[a, t]))
    m.sig_up = pyo.Var(A, T, bounds=lambda m, a, t: (0, m.alpha_psi * base[a, t]))
    m.sig_dn = pyo.Var(A, T, bounds=lambda m, a, t: (0, m.alpha_psi * base[a, t]))
    m.shed = pyo.Var(A, T, bounds=lambda m, a, t: (0, m.demand[a, t] * m.demand_growth + base[a, t]))
    m.spill = pyo.Var(A, T, bounds=lambda m, a, t: (0, nuclear[a] + m.hydro[a, t] + float(inputs.mustrun[a]) + firm[a]))

    m.gen = pyo.Expression(
        m.units, T, rule=lambda m, a, g, t: float(inputs.min_output[g]) * m.committed[a, g] + m.above_min[a, g, t]
    )
    m.output_limit = pyo.Constraint(
        m.units,
        T,
        rule=lambda m, a, g, t: m.above_min[a, g, t] <= (1 - float(inputs.min_output[g])) * m.committed[a, g],
    )

    kept = 1 - options.transmission_loss

    def balance(m: pyo.ConcreteModel, a: int, t: int) -> object:  # 1
        supply = sum(m.gen[a, g, t] for g in G if (a, g) in m.units)
        supply += m.re[a, t]
        supply += sum(m.discharge[a, s, t] - m.charge[a, s, t] for s in S if (a, s) in m.stores)
        supply += sum(kept * m.forward[n, t] - m.backward[n, t] for n in L if inputs.lines.end[n] == a)
        supply += sum(kept * m.backward[n, t] - m.forward[n, t] for n in L if inputs.lines.start[n] == a)
        supply += nuclear[a] + m.hydro[a, t] + float(inputs.mustrun[a]) - m.spill[a, t] + m.shed[a, t]
        shift = m.tau_up[a, t] - m.tau_dn[a, t] + m.sig_up[a, t] - m.sig_dn[a, t]
        return supply - shift == m.demand[a, t] * m.demand_growth + base[a, t]

    def storage(m: pyo.ConcreteModel, a: int, s: int, t: int) -> object:  # 2; hour 0 follows hour 23
        eta = float(inputs.one_way[s])
        before = m.soc[a, s, (t - 1) % HOURS]
        return m.soc[a, s, t] == before + eta * m.charge[a, s, t] - m.discharge[a, s, t] / eta

    m.balance = pyo.Constraint(A, T, rule=balance)
    m.storage = pyo.Constraint(m.stores, T, rule=storage)
    m.time_shift = pyo.Constraint(
        A, rule=lambda m, a: sum((m.tau_up[a, t] - m.tau_dn[a, t]) * work[a, t] for t in T) == 0
    )  # 3
    m.space_shift = pyo.Constraint(
        T, rule=lambda m, t: sum((m.sig_up[a, t] - m.sig_dn[a, t]) * m.inv_pue[a] * work[a, t] for a in A) == 0
    )  # 4
    m.machines = pyo.Constraint(
        A,
        T,
        rule=lambda m, a, t: (
            m.tau_up[a, t] - m.tau_dn[a, t] + m.sig_up[a, t] - m.sig_dn[a, t] <= room[t] * hourly[a, t]
        ),
    )  # 5

    penalty = add_options(m, inputs, base, available)
    variable_cost = {g: m.fuel_cost[g] + float(inputs.emission[g]) / 1000 * m.co2_price[g] for g in fuels}
    m.cost = pyo.Objective(
        expr=sum(variable_cost[g] * burnt(m, a, g, t) for a, g in m.units for t in T)
        + scalar["storage_cost"] * sum(m.discharge[a, s, t] for a, s in m.stores for t in T)
        + scalar["flow_cost"] * sum(m.forward[n, t] + m.backward[n, t] for n in L for t in T)
        + scalar["tie_breaker_time_shift"] * sum(m.tau_up[a, t] + m.tau_dn[a, t] for a in A for t in T)
        + scalar["tie_breaker_space_shift"] * sum(m.sig_up[a, t] + m.sig_dn[a, t] for a in A for t in T)
        + scalar["voll"] * sum(m.shed[a, t] for a in A for t in T)
        + scalar["spill_cost"] * sum(m.spill[a, t] for a in A for t in T)
        + penalty
    )
    return m


def of_draw(theta: Theta, inputs: Inputs) -> dict[str, Floats | float]:
    """What a draw sets in the dispatch."""
    present = inputs.curtailable > 0
    ratio = parameters.pue(theta, inputs)
    return {
        "demand_growth": float(theta["demand_growth"]),
        "buildout": parameters.buildout(theta, inputs)[present],
        "battery_buildout": float(theta["battery_buildout"]),
        "nuclear": parameters.nuclear_output(theta, inputs),
        "line_share": parameters.line_limits(theta, inputs),
        "fuel_cost": parameters.fuel_cost(theta, inputs)[inputs.thermal.any(axis=0)],
        "co2_price": float(theta["co2_price"]),
        "pue": ratio,
        "inv_pue": 1 / ratio,
        "phi": float(theta["wls_time_share"]),
        "alpha_psi": float(theta["apn_adoption"]) * float(theta["wls_space_share"]),
    }


def renewable_output(theta: Theta, inputs: Inputs, weather: WeatherYear, days: NDArray[np.int64]) -> Floats:
    """What the sun and wind of each area could give (days, A, 3, 24) [GW]; the last but one axis is the technology."""
    built = inputs.curtailable * parameters.buildout(theta, inputs)
    return np.moveaxis(weather.capacity_factor[days] * built, 1, -1)


def renewable_mix(output: Floats) -> Floats:
    """Share of each technology in what the sun and wind of an area could give in an hour, of the shape of ``output``."""
    total = output.sum(axis=-2, keepdims=True)
    mix: Floats = np.divide(output, total, out=np.zeros(output.shape), where=total > 0)
    return mix


def of_day(weather: WeatherYear, day: int, inputs: Inputs) -> dict[str, Floats]:
    """What a day sets in the dispatch; demand is scaled from the observed year to that of 2040."""
    to_2040 = 1000 * inputs.demand / weather.demand.sum(axis=(0, 1))
    present = inputs.curtailable > 0
    return {
        "demand": (weather.demand[day] * to_2040).T,
        "hydro": weather.hydro[day].T,
        "cf": np.moveaxis(weather.capacity_factor[day], 0, -1)[present],
        **inputs.options.of_day(day, inputs.thermal > 0, inputs.power[:, 0] > 0, inputs.lines.limits > 0),
    }
