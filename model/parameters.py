"""The uncertain parameters (theta): names, units, what is physically possible, and what one draw makes of the inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import InputError
from model.inputs import CURTAILABLE, THERMAL, Inputs

Floats = NDArray[np.float64]
Theta = Mapping[str, float | str]
WEATHER_YEAR = "weather_year"
LEAST_DEMAND = 1e-3  # GW: the solver holds a row to 1e-7 GW, so that of less load the shares of areas would be noise
LARGEST = 1e6  # of any parameter in its unit: what is larger is a slip, and at some size no solver takes it
LEAST_PUE = 1.0 - 1e-12
SHARES_TOGETHER = 1.0 + 1e-12  # wls_time_share + wls_space_share may reach 1


@dataclass(frozen=True)
class Parameter:
    """One uncertain parameter: its unit and the values that are physically possible (not its distribution's range)."""

    name: str
    unit: str
    low: float = 0.0
    high: float = LARGEST
    switch: bool = False


_BASE = (
    Parameter("dc_demand", "GW", low=LEAST_DEMAND),
    Parameter("demand_growth", "1"),
    Parameter("solar_buildout", "1"),
    Parameter("wind_onshore_buildout", "1"),
    Parameter("wind_offshore_buildout", "1"),
    Parameter("battery_buildout", "1"),
    Parameter("nuclear_capacity", "1"),
    Parameter("pue_gap", "1"),
    Parameter("regional_capex", "1"),
    Parameter("lng_fuel_cost", "yen/kWh"),
    Parameter("coal_fuel_cost", "yen/kWh"),
    Parameter("co2_price", "yen/t"),
    Parameter("apn_adoption", "share", high=1.0),
    Parameter("wls_time_share", "share", high=1.0),
    Parameter("wls_space_share", "share", high=1.0),
    Parameter("transfer_derate", "1"),
)


def required_parameters(inputs: Inputs) -> dict[str, Parameter | None]:
    """Every parameter a draw must have, in order; the weather year, which is a name, maps to None."""
    switches = [s for s in dict.fromkeys(inputs.lines.switch) if s]
    known: dict[str, Parameter | None] = {p.name: p for p in _BASE}
    known |= {s: Parameter(s, "0/1", high=1.0, switch=True) for s in switches}
    return known | {WEATHER_YEAR: None}


def optional_parameters(inputs: Inputs) -> dict[str, Parameter | None]:
    """Further multipliers of one area's build-out; 1 where a study does not name them."""
    names = [f"{r}_buildout_{a}" for r in CURTAILABLE for a in inputs.areas]
    return {name: Parameter(name, "1") for name in names}


def check_theta(theta: Theta, inputs: Inputs, where: str = "parameters") -> None:
    """Refuse a draw that is incomplete or physically impossible; see :func:`check_draws`."""
    check_draws({name: np.array([value]) for name, value in theta.items()}, inputs, where)


def check_draws(draws: Mapping[str, NDArray[Any]], inputs: Inputs, where: str = "draws", first: int = 0) -> None:
    """Refuse draws that are incomplete or physically impossible.

    Parameters
    ----------
    draws : mapping
        Parameter -> values (draws,).
    first : int
        Number of the first draw, for messages.

    Raises
    ------
    InputError
        An unknown or missing name, a value out of its physical range, wls_time_share + wls_space_share > 1, a PUE below
        1; the first such draw is named.
    """
    required = required_parameters(inputs)
    known = required | optional_parameters(inputs)
    for name in draws:
        if name not in known:
            raise InputError(where, "name", name, "an uncertain parameter of the model", known)
    for name in required:
        if name not in draws:
            raise InputError(where, name, "nothing", "a value in every draw")
    many = first > 0 or len(next(iter(draws.values()))) > 1

    def refuse(
        bad: NDArray[np.bool_], name: str, values: NDArray[Any], expected: str, names: Iterable[str] = ()
    ) -> None:
        if bad.any():
            row = int(bad.argmax())
            value = values[row].item() if isinstance(values[row], np.generic) else values[row]
            raise InputError(where, f"{name}[draw {first + row}]" if many else name, value, expected, names)

    for name, values in draws.items():
        parameter = known[name]
        if parameter is None:
            refuse(
                ~np.isin(values, list(inputs.weather)),
                name,
                values,
                f"one of {', '.join(inputs.weather)}",
                inputs.weather,
            )
            continue
        expected = f"a number in {parameter.low:g}..{parameter.high:g} {parameter.unit}"
        if values.dtype.kind not in "fiu":
            refuse(np.ones(values.shape, dtype=bool), name, values, expected)
        refuse(~(np.isfinite(values) & (values >= parameter.low) & (values <= parameter.high)), name, values, expected)
        if parameter.switch:
            refuse(~np.isin(values, (0.0, 1.0)), name, values, "0 or 1")
    together = draws["wls_time_share"] + draws["wls_space_share"]
    refuse(together > SHARES_TOGETHER, "wls_time_share + wls_space_share", together, "a sum of at most 1")
    reference = inputs.pue[inputs.exchanges[0]]
    gap = np.asarray(draws["pue_gap"], dtype=np.float64)
    lowest = (reference + gap[:, None] * (inputs.pue - reference)).min(axis=1)
    refuse(lowest < LEAST_PUE, "pue_gap", gap, "a gap that keeps the PUE of every area at 1 or above")


def pue(theta: Theta, inputs: Inputs) -> Floats:
    """PUE of each area (A,): the reference area's plus pue_gap times the data's difference to it."""
    reference = inputs.pue[inputs.exchanges[0]]
    ratio: Floats = reference + float(theta["pue_gap"]) * (inputs.pue - reference)
    return ratio


def buildout(theta: Theta, inputs: Inputs) -> Floats:
    """Multiplier of 2040 capacity, (A, 3) for solar, onshore and offshore wind: national times that of the area."""
    return np.array(
        [
            [float(theta[f"{r}_buildout"]) * float(theta.get(f"{r}_buildout_{a}", 1.0)) for r in CURTAILABLE]
            for a in inputs.areas
        ]
    )


def fuel_cost(theta: Theta, inputs: Inputs) -> Floats:
    """Variable cost of coal, lng and oil without CO2 [yen/kWh]; oil is certain."""
    drawn = {"coal": theta["coal_fuel_cost"], "lng": theta["lng_fuel_cost"]}
    return np.array([float(drawn.get(g, inputs.fuel_cost[n])) for n, g in enumerate(THERMAL)])


def building_cost(theta: Theta, inputs: Inputs) -> Floats:
    """DC building cost (A,) [billion yen per GW of contract]: own figure at the exchanges, else relative to the first."""
    regional = float(theta["regional_capex"]) * inputs.capex[inputs.exchanges[0]]
    cost: Floats = np.where(inputs.is_exchange, inputs.capex, regional)
    return cost


def line_limits(theta: Theta, inputs: Inputs) -> Floats:
    """Share of each line's table limit that may be used (line,): derate, and 0 where its switch is off."""
    on = [1.0 if not s else float(theta[s]) for s in inputs.lines.switch]
    return float(theta["transfer_derate"]) * np.array(on)


def nuclear_output(theta: Theta, inputs: Inputs) -> Floats:
    """Flat nuclear output before any spill (A,) [GW]."""
    return inputs.nuclear_availability * inputs.nuclear * float(theta["nuclear_capacity"])
