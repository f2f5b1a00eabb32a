"""Pack hourly dispatch for the page: what is stacked, what is a line, in whole megawatts, by area and representative day."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from report.document.language import Words
from report.explore.draws import base64_of
from report.explore.named import Named

FIRST_DAY: Final = datetime.date(2022, 4, 1)  # day 0 of every year; the days up to March 2023 have no 29 February
MOST: Final = np.iinfo(np.uint16).max


@dataclass(frozen=True)
class Series:
    """One hourly series of the page.

    Attributes
    ----------
    name : str
    quantity, dim, member : str
        The variable it is read from; where ``dim`` is given, its ``member``, or the sum over all where that is empty.
    shown : str
        ``up``: stacked above zero; ``down``: below; ``over``: on top of the stack, as it was not used; ``line``.
    label : tuple of str
        English, Japanese.
    colour, hatch : str
        Colours are Okabe and Ito's and greys; where they do not suffice to tell series apart, a pattern does.
    sign : int
        -1: what the quantity is below zero.
    """

    name: str
    quantity: str
    dim: str
    member: str
    shown: str
    label: tuple[str, str]
    colour: str
    hatch: str = ""
    sign: int = 1


SERIES: Final = (
    Series("nuclear", "nuclear", "", "", "up", ("nuclear", "原子力"), "#CC79A7"),
    Series("hydro", "hydro", "", "", "up", ("hydro", "水力"), "#0072B2"),
    Series("mustrun", "mustrun", "", "", "up", ("biomass, geothermal", "バイオマス・地熱"), "#009E73"),
    Series("coal", "thermal", "fuel", "coal", "up", ("coal", "石炭"), "#4D4D4D"),
    Series("lng", "thermal", "fuel", "lng", "up", ("LNG", "LNG"), "#A6A6A6"),
    Series("oil", "thermal", "fuel", "oil", "up", ("oil", "石油"), "#A6A6A6", "cross"),
    Series("solar", "by_source", "source", "solar", "up", ("solar", "太陽光"), "#F0E442"),
    Series("wind_onshore", "by_source", "source", "wind_onshore", "up", ("onshore wind", "陸上風力"), "#56B4E9"),
    Series(
        *("wind_offshore", "by_source", "source", "wind_offshore", "up"),
        *(("offshore wind", "洋上風力"), "#56B4E9", "right_diagonal_line"),
    ),
    Series("discharge", "discharge", "storage", "", "up", ("storage output", "蓄電・揚水の放電"), "#E69F00"),
    Series("import", "net_import", "", "", "up", ("net import", "連系線からの受電"), "#D55E00"),
    Series("shed", "shed", "", "", "up", ("load not served", "供給支障"), "#FFFFFF", "diagonal_cross"),
    Series(
        "charge",
        "charge",
        "storage",
        "",
        "down",
        ("storage input", "蓄電・揚水の充電"),
        "#E69F00",
        "right_diagonal_line",
    ),
    Series(
        *("export", "net_import", "", "", "down"),
        *(("net export, losses", "連系線への送電・損失"), "#D55E00", "right_diagonal_line", -1),
    ),
    Series(
        "spill", "spill", "", "", "down", ("must-run output spilled", "固定電源の余剰"), "#FFFFFF", "horizontal_line"
    ),
    Series("curtailment", "curtailment", "", "", "over", ("curtailment", "出力抑制"), "#FFFFFF", "left_diagonal_line"),
    Series(
        "demand",
        "demand",
        "",
        "",
        "line",
        ("demand without data centres", "データセンター以外の需要"),
        "#000000",
        "dashed",
    ),
    Series("dc_load", "dc_load", "", "", "line", ("demand with data centres", "データセンターを含む需要"), "#000000"),
)


@dataclass(frozen=True)
class Hourly:
    """What the page tells of single draws.

    Attributes
    ----------
    focus : str
        The plan that it opens with.
    named : tuple of Named
        Draws that are offered by name.
    solved : tuple of xr.Dataset
        Hourly quantities [GW] over day, hour and area, ``weight`` over day, and the attributes ``draw`` and ``configuration``; or empty,
        with the attribute ``status``.
    areas : tuple of str
        Of the hours.
    served : bool
        Whether a program stands behind the page that solves any other draw.
    """

    focus: str
    named: tuple[Named, ...] = ()
    solved: tuple[xr.Dataset, ...] = ()
    areas: tuple[str, ...] = ()
    served: bool = False


def packed_hourly(hourly: Hourly | None) -> dict[str, Any] | None:
    """Return it as plain values for JSON; None where there is none."""
    if hourly is None:
        return None
    return {
        "focus": hourly.focus,
        "served": hourly.served,
        "series": [
            {
                "name": each.name,
                "shown": each.shown,
                "label": list(each.label),
                "colour": each.colour,
                "hatch": each.hatch,
            }
            for each in SERIES
        ],
        "named": [{"draw": each.draw, "why": list(each.label)} for each in hourly.named],
        "areas": {name: [Words("en").area(name), Words("ja").area(name)] for name in hourly.areas},
        "solved": [packed_hours(each) for each in hourly.solved],
    }


def packed_hours(hours: xr.Dataset) -> dict[str, Any]:
    """
    Return one draw and configuration for JSON.

    Returns
    -------
    dict
        ``draw``, ``configuration``, ``status``; where it was solved also ``weather_year``, ``days`` (month, day, weight [days of the
        year]), ``areas``, and by series ``steps`` [MW] and ``data``: base64 of uint16 (areas, days, 24), in steps. A step
        is one megawatt unless a series of an area goes above 65.5 GW.
    """
    told: dict[str, Any] = {"draw": str(hours.attrs["draw"]), "configuration": str(hours.attrs["configuration"])}
    if "status" in hours.attrs:
        return {**told, "status": str(hours.attrs["status"])}
    steps, data = {}, {}
    for each in SERIES:
        megawatts = 1000 * _values(hours, each)
        steps[each.name] = max(1, math.ceil(float(megawatts.max()) / MOST))
        data[each.name] = base64_of((megawatts / steps[each.name]).round().astype(np.uint16))
    dates = [FIRST_DAY + datetime.timedelta(days=int(day)) for day in hours["day"].to_numpy()]
    weights = hours["weight"].to_numpy()
    return {
        **told,
        "status": "optimal",
        "weather_year": str(hours.attrs["weather_year"]),
        "days": [[date.month, date.day, round(float(w), 3)] for date, w in zip(dates, weights, strict=True)],
        "areas": [str(area) for area in hours["area"].to_numpy()],
        "steps": steps,
        "data": data,
    }


def bytes_of(sizes: Mapping[str, int]) -> int:
    """Return about how many bytes of a page one draw and configuration takes, from how many days and areas there are."""
    return round(len(SERIES) * sizes["day"] * 24 * sizes["area"] * 2 * 4 / 3)


def _values(hours: xr.Dataset, series: Series) -> NDArray[np.float64]:
    """Return a series (areas, days, 24) [GW], never below zero."""
    array = hours[series.quantity]
    if series.dim:
        array = array.sel({series.dim: series.member}) if series.member else array.sum(series.dim)
    found = array.transpose("area", "day", "hour").to_numpy()
    return np.asarray(np.maximum(series.sign * found, 0.0))
