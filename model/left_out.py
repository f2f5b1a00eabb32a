"""Leaves areas without lines out of the power system: their plants and demand are gone, their users stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from model.errors import InputError
from model.weather import WeatherYear

if TYPE_CHECKING:
    from model.inputs import Inputs

POWER = ("demand", "thermal", "curtailable", "power", "energy", "nuclear", "mustrun", "headroom")


def leave_out(inputs: Inputs, names: Sequence[str]) -> Inputs:
    """The inputs without the power system of some areas.

    The areas keep their places in every array and stand empty: no plant, demand, hydro output or grid headroom. Their
    users are served from elsewhere, as before. Load there would never be served, so that configurations that put some
    there are refused (:func:`model.configurations.read_configurations`).

    Raises
    ------
    InputError
        An unknown area, one with a line (others depend on it), or all of them.
    """
    for name in names:
        if name not in inputs.areas:
            raise InputError("[options]", "left_out", name, f"one of {', '.join(inputs.areas)}", inputs.areas)
        at = inputs.areas.index(name)
        ends = [n for n, *of in zip(inputs.lines.names, inputs.lines.start, inputs.lines.end, strict=True) if at in of]
        if ends:
            raise InputError(
                "[options]", "left_out", f"{name}, at an end of {', '.join(ends)}", "an area without lines"
            )
    if not names:
        return inputs
    out = np.isin(inputs.areas, list(names))
    if out.all():
        raise InputError("[options]", "left_out", ", ".join(names), "at least one area that stays")
    kept = {field: getattr(inputs, field).copy() for field in POWER}
    for values in kept.values():
        values[out] = 0.0
    weather: Mapping[str, WeatherYear] = {
        name: replace(year, hydro=np.where(out, 0.0, year.hydro)) for name, year in inputs.weather.items()
    }
    return replace(inputs, weather=weather, **kept)
