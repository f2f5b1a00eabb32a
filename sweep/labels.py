"""Say in words what each uncertain parameter is: the ``long_name`` of its column in a cube."""

from __future__ import annotations

import xarray as xr

from sampling.conditions import SCENARIO
from sweep.theta import DRIVER, ROLE

MEANINGS = {
    "dc_demand": "mean IT load of all data centres",
    "demand_growth": "factor on all other demand of 2040",
    "solar_buildout": "factor on the solar capacity of 2040",
    "wind_onshore_buildout": "factor on the onshore wind capacity of 2040",
    "wind_offshore_buildout": "factor on the offshore wind capacity of 2040",
    "battery_buildout": "factor on the power and energy of batteries of 2040",
    "nuclear_capacity": "factor on the nuclear capacity of 2040",
    "pue_gap": "factor on the differences in PUE from the area of the first exchange",
    "regional_capex": "building cost outside the areas of main exchanges over that of the first",
    "lng_fuel_cost": "fuel cost of power from LNG",
    "coal_fuel_cost": "fuel cost of power from coal",
    "co2_price": "price of CO2",
    "apn_adoption": "share of the traffic on the all-photonic network",
    "wls_time_share": "share of the work that may move in time",
    "wls_space_share": "share of the work that may move between areas",
    "transfer_derate": "usable part of the capacity of interconnectors",
    "weather_year": "observed fiscal year that gives demand, sun and wind by the hour",
}
OTHERS = {SCENARIO: "named future of the study", DRIVER: "what the study lets parameters follow"}


def labelled(table: xr.Dataset) -> xr.Dataset:
    """Return a table of draws in which every column says what it is.

    Parameters
    ----------
    table : xarray.Dataset
        As `sampling.draw_table` makes it. What is not in `MEANINGS` is the build-out of one area, or the switch of
        lines (see `model.required_parameters`).

    Returns
    -------
    xarray.Dataset
        The same values, with ``long_name`` on every parameter, ``draw`` and ``replicate``.
    """
    told = table.copy()
    for name, column in told.data_vars.items():
        role = column.attrs.get(ROLE)
        column.attrs["long_name"] = meaning(str(name)) if role is None else OTHERS[role]
    told["draw"].attrs = {"units": "1", "long_name": "number of the draw in the design, from 0"}
    told["replicate"].attrs = {"units": "1", "long_name": "independent randomisation of the design, from 0"}
    return told


def meaning(name: str) -> str:
    """Say what one parameter is."""
    if name in MEANINGS:
        return MEANINGS[name]
    resource, joint, area = name.partition("_buildout_")
    if joint:
        return f"further factor on the {resource.replace('_', ' ')} capacity of {area}"
    return f"whether {name} is built: 1 or 0"
