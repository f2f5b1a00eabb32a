"""The dispatch of one draw hour by hour: what every area makes, stores, sends and lacks around one siting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model import parameters
from model.case import Case
from model.chain import Dispatcher
from model.inputs import CURTAILABLE, STORAGE, THERMAL
from model.live import Status
from model.options import MONTH_OF_DAY
from model.parameters import WEATHER_YEAR, Theta, check_theta
from model.template import Floats
from model.weather import HOURS


class UnsolvedError(RuntimeError):
    """A day that the solver did not solve; the message names it."""


@dataclass(frozen=True)
class Hourly:
    """One hourly quantity: what it is over beside day and hour, its unit and what it means."""

    dims: tuple[str, ...]
    unit: str
    meaning: str


QUANTITIES = {
    "demand": Hourly(("area",), "GW", "demand but for data centres"),
    "dc_load": Hourly(("area",), "GW", "data-centre load at the meter, shifts included"),
    "thermal": Hourly(("area", "fuel"), "GW", "output of coal, LNG and oil"),
    "renewable": Hourly(("area",), "GW", "output of sun and wind"),
    "by_source": Hourly(("area", "source"), "GW", "output of sun and wind by source, each curtailed by the same share"),
    "curtailment": Hourly(("area",), "GW", "sun and wind available and not used"),
    "hydro": Hourly(("area",), "GW", "hydro output"),
    "nuclear": Hourly(("area",), "GW", "nuclear output before spill"),
    "mustrun": Hourly(("area",), "GW", "output of biomass and geothermal before spill"),
    "discharge": Hourly(("area", "storage"), "GW", "storage output"),
    "charge": Hourly(("area", "storage"), "GW", "storage input"),
    "stored": Hourly(("area", "storage"), "GWh", "energy stored at the end of the hour"),
    "flow": Hourly(("line",), "GW", "net flow as sent, positive from `from` to `to`"),
    "net_import": Hourly(("area",), "GW", "what arrives over lines less what is sent"),
    "shed": Hourly(("area",), "GW", "load not served"),
    "spill": Hourly(("area",), "GW", "must-run and hydro output spilled"),
    "price": Hourly(("area",), "yen/kWh", "marginal cost of supply"),
}


def solve_hours(case: Case, theta: Theta, load: Floats) -> dict[str, Floats]:
    """Dispatch every day of a draw around a siting.

    Parameters
    ----------
    load : (A,) array, GW
        Mean IT load of each area.

    Returns
    -------
    dict
        Name of ``QUANTITIES`` -> array (days, 24, ...), days as in ``case.days``.

    Raises
    ------
    InputError
        The draw is incomplete or physically impossible.
    UnsolvedError
        A day did not end optimal.
    """
    inputs = case.inputs
    check_theta(theta, inputs)
    dispatcher = Dispatcher(case, theta)
    year = str(theta[WEATHER_YEAR])
    weather, days = inputs.weather[year], case.days[year].day
    sizes = {
        "area": len(inputs.areas),
        "fuel": len(THERMAL),
        "source": len(CURTAILABLE),
        "storage": len(STORAGE),
        "line": len(inputs.lines.names),
    }
    found = {
        name: np.zeros((days.size, HOURS, *(sizes[dim] for dim in each.dims))) for name, each in QUANTITIES.items()
    }
    to_2040 = 1000 * inputs.demand / weather.demand.sum(axis=(0, 1)) * float(theta["demand_growth"])
    found["demand"] = weather.demand[days] * to_2040
    found["hydro"] = weather.hydro[days]
    options, month = inputs.options, MONTH_OF_DAY[days]
    share = np.ones((days.size, sizes["area"])) if options.nuclear_share is None else options.nuclear_share[month]
    found["nuclear"] += (parameters.nuclear_output(theta, inputs) * share)[:, None]
    found["mustrun"] += inputs.mustrun
    base = np.ones((days.size, HOURS, sizes["area"])) * dispatcher.pue * load
    if options.pue_factor is not None:
        base *= options.pue_factor[month]
    if options.dc_factor is not None:
        base *= options.dc_factor[:, None]
    found["dc_load"] = base
    for number, solution in dispatcher.each_day(load):
        if solution.status is not Status.OPTIMAL:
            raise UnsolvedError(f"day {int(days[number])} of {year} ended {solution.status.name.lower()}")
        _read(case, found, number, solution.primal, solution.row_dual)
    ends, kept = inputs.lines, 1 - options.transmission_loss
    forward, backward = np.maximum(found["flow"], 0), np.maximum(-found["flow"], 0)
    for line, (start, end) in enumerate(zip(ends.start, ends.end, strict=True)):
        found["net_import"][..., end] += kept * forward[..., line] - backward[..., line]
        found["net_import"][..., start] += kept * backward[..., line] - forward[..., line]
    found["by_source"] = np.moveaxis(dispatcher.mix, -1, 1) * found["renewable"][..., None]
    available = dispatcher.output.sum(axis=2)
    found["curtailment"] = np.maximum(np.moveaxis(available, 1, -1) - found["renewable"], 0.0)
    return found


def _read(case: Case, found: dict[str, Floats], number: int, primal: Floats, dual: Floats) -> None:
    """Put a solved day into its place."""
    inputs, read = case.inputs, case.reader

    def of(name: str) -> Floats:
        return read.hourly(primal, name)

    steady = read.min_output * primal[case.dispatch.columns["committed"]]
    thermal = np.zeros((*inputs.thermal.shape, HOURS))
    thermal[inputs.thermal > 0] = of("above_min") + steady[:, None]
    found["thermal"][number] = np.moveaxis(thermal, -1, 0)
    for name, column in (("discharge", "discharge"), ("charge", "charge"), ("stored", "soc")):
        table = np.zeros((*inputs.power.shape, HOURS))
        if (inputs.power > 0).any():
            table[inputs.power > 0] = of(column)
        found[name][number] = np.moveaxis(table, -1, 0)
    found["renewable"][number] = of("re").T
    found["shed"][number], found["spill"][number] = of("shed").T, of("spill").T
    found["dc_load"][number] += (of("tau_up") - of("tau_dn") + of("sig_up") - of("sig_dn")).T
    if inputs.lines.names:
        found["flow"][number] = (of("forward") - of("backward")).T
    found["price"][number] = dual[read.balance].reshape(-1, HOURS).T
