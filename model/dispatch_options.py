"""Equations that the options add to the dispatch of a day: heat-rate blocks, reserve, margins, ramps, sharing.

The other options change terms of equations that are there: see ``dispatch``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from model.inputs import THERMAL, Inputs
from model.weather import HOURS

if TYPE_CHECKING:
    import pyomo.environ as pyo


def burnt(m: pyo.ConcreteModel, a: int, g: int, t: int) -> Any:
    """Output weighted by heat rate [GW]: what fuel and CO2 are paid for."""
    return m.burn[a, g, t] if m.component("burn") is not None and (a, g) in m.blocked else m.gen[a, g, t]


def add_options(
    m: pyo.ConcreteModel,
    inputs: Inputs,
    base: Mapping[tuple[int, int], Any],
    available: Mapping[tuple[int, int], Any],
) -> Any:
    """Add the equations of the options that are on; returns what their slacks cost [million yen].

    Parameters
    ----------
    base : mapping
        (area, hour) -> data-centre load at the meter before shifts [GW].
    available : mapping
        (area, hour) -> what sun and wind could give [GW].
    """
    options = inputs.options
    if options.block_share is not None and options.heat_rate is not None:
        _add_blocks(m, inputs, options.block_share, options.heat_rate)
    if options.ramp is not None:
        _add_ramps(m, inputs, options.ramp)
    if options.forecast_margin:
        _add_forecast_margin(m, inputs, options.forecast_margin)
    penalty = _add_reserve(m, inputs, base) if options.reserve else 0
    if options.curtailment_sharing:
        penalty += _add_sharing(m, inputs, available, options.curtailment_sharing)
    return penalty


def _add_blocks(m: pyo.ConcreteModel, inputs: Inputs, share: Any, rate: Any) -> None:
    """Output comes from blocks of unlike heat rate, the cheapest first: sum_b block = gen, block <= its share of av cap."""
    import pyomo.environ as pyo

    T = range(HOURS)
    members = [(a, g, b) for a, g in m.units for b in range(share.shape[2]) if share[a, g, b] > 0]
    m.blocked = pyo.Set(initialize=sorted({(a, g) for a, g, _ in members}), dimen=2)
    of = {unit: [b for a, g, b in members if (a, g) == unit] for unit in m.blocked}

    def size(m: pyo.ConcreteModel, a: int, g: int, b: int, _: int) -> tuple[int, Any]:
        whole = float(share[a, g, b] * inputs.availability[g] * inputs.thermal[a, g])
        return 0, whole * m.thermal_share[a, g] if inputs.options.thermal_share is not None else whole

    m.block = pyo.Var(members, T, bounds=size)
    m.blocks = pyo.Constraint(
        m.blocked, T, rule=lambda m, a, g, t: sum(m.block[a, g, b, t] for b in of[a, g]) == m.gen[a, g, t]
    )
    m.burn = pyo.Expression(
        m.blocked, T, rule=lambda m, a, g, t: sum(float(rate[a, g, b]) * m.block[a, g, b, t] for b in of[a, g])
    )


def _add_ramps(m: pyo.ConcreteModel, inputs: Inputs, ramp: Any) -> None:
    """From hour to hour within the day output changes by at most ramp_g u."""
    import pyomo.environ as pyo

    slow = [(a, g) for a, g in m.units if np.isfinite(ramp[g])]
    later = range(1, HOURS)
    m.ramp_up = pyo.Constraint(
        slow,
        later,
        rule=lambda m, a, g, t: m.above_min[a, g, t] - m.above_min[a, g, t - 1] <= float(ramp[g]) * m.committed[a, g],
    )
    m.ramp_dn = pyo.Constraint(
        slow,
        later,
        rule=lambda m, a, g, t: m.above_min[a, g, t - 1] - m.above_min[a, g, t] <= float(ramp[g]) * m.committed[a, g],
    )


def _add_forecast_margin(m: pyo.ConcreteModel, inputs: Inputs, margin: float) -> None:
    """More sun and wind than planned must find room: margin re <= output above the minimum + charging power left.

    Without that room plants are told the day before to give less, and storage does not fill.
    """
    import pyomo.environ as pyo

    A, G = range(len(inputs.areas)), range(len(THERMAL))
    stores = {a: [s for b, s in m.stores if b == a] for a in A}

    def room(m: pyo.ConcreteModel, a: int, t: int) -> Any:
        left = sum(m.above_min[a, g, t] for g in G if (a, g) in m.units)
        left += sum(m.charge[a, s, t].upper - m.charge[a, s, t] + m.discharge[a, s, t] for s in stores[a])
        return margin * m.re[a, t] <= left

    m.forecast_room = pyo.Constraint(A, range(HOURS), rule=room)


def _add_reserve(m: pyo.ConcreteModel, inputs: Inputs, base: Mapping[tuple[int, int], Any]) -> Any:
    """Committed units can give more at once: sum_g (u - gen) + missing >= reserve x load; what is missing is paid for."""
    import pyomo.environ as pyo

    A, G, T = range(len(inputs.areas)), range(len(THERMAL)), range(HOURS)
    options = inputs.options
    m.reserve_missing = pyo.Var(A, T, bounds=(0, None))

    def reserve(m: pyo.ConcreteModel, a: int, t: int) -> Any:
        held = sum(
            (1 - float(inputs.min_output[g])) * m.committed[a, g] - m.above_min[a, g, t] for g in G if (a, g) in m.units
        )
        return held + m.reserve_missing[a, t] >= options.reserve * (m.demand[a, t] * m.demand_growth + base[a, t])

    m.reserve = pyo.Constraint(A, T, rule=reserve)
    return options.reserve_penalty * sum(m.reserve_missing[a, t] for a in A for t in T)


CUTS = (0.05, 0.1, 0.15, 0.2, 0.5)  # steps of what sun and wind could give, the first fine: most curtailment is small


def _add_sharing(m: pyo.ConcreteModel, inputs: Inputs, available: Mapping[tuple[int, int], Any], whole: float) -> Any:
    """Areas whose prices meet curtail about the same share: re + sum_b cut_b = available, each step dearer than the last.

    Offers of sun and wind stand at the same lowest price in every area, and a coupled market takes them alike, where the
    least-cost dispatch would let all of it fall on the area that sends, to save the losses of the way.
    """
    import pyomo.environ as pyo

    A, T, B = range(len(inputs.areas)), range(HOURS), range(len(CUTS))
    sunny = [a for a in A if inputs.curtailable[a].any()]
    middle = np.cumsum(CUTS) - np.array(CUTS) / 2
    m.cut = pyo.Var(sunny, T, B, bounds=lambda m, a, t, b: (0, CUTS[b] * available[a, t]))
    m.cuts = pyo.Constraint(
        sunny, T, rule=lambda m, a, t: m.re[a, t] + sum(m.cut[a, t, b] for b in B) == available[a, t]
    )
    return sum(whole * float(middle[b]) * m.cut[a, t, b] for a in sunny for t in T for b in B)
