"""Draw which uncertain parameters drive the saving in fuel and CO2 cost: bars of shares of its variance, by configuration."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from report.figures import BLUE, GREY
from report.outcomes import free_configurations, reference_configuration
from report.sensitivity import sensitivity
from report.where import QueryError

OUTCOME = "saving_fuel_co2"
TOP = 6
"""Parameters of a panel."""
ACROSS = 3
"""Panels of a row."""
HEADLINE = "five_hubs"
MEASURE = {"given": "S1", "sobol": "ST", "morris": "mu_star"}
AXIS = {
    "given": "share of the variance, first order",
    "sobol": "share of the variance, interactions included",
    "morris": "mean size of the effect, billion yen per year",
}


def drivers_figure(cube: xr.Dataset) -> tuple[Figure | None, str]:
    """
    Draw the strongest parameters of every configuration but the reference.

    Parameters
    ----------
    cube
        As `report.sensitivity.sensitivity` needs it.

    Returns
    -------
    figure
        A panel for each configuration, ``five_hubs`` first: its `TOP` parameters with 95 % intervals, and a dashed line that
        a parameter without influence stays below in 95 of 100 cases. None where nothing can be told.
    caption
        What the bars are, or why there are none; empty where no parameter varies.
    """
    if not cube.attrs.get("design_kind"):
        return None, ""
    worlds = [str(name) for name in cube.attrs.get("scenarios", ())]
    reference = reference_configuration(cube)
    order = [str(name) for name in cube["configuration"].to_numpy() if name != reference]
    order.sort(key=lambda name: (name != HEADLINE, name in free_configurations(cube)))
    if not order:
        return None, ""
    try:
        found = sensitivity(cube, OUTCOME, configurations=order, measures=[MEASURE["given"]])
    except QueryError as reason:
        if "no parameter varies" in str(reason):
            return None, ""
        told = f"; wattbit sensitivity STORE --select scenario={worlds[0]} takes one scenario" if worlds else ""
        return None, f"No answer: {reason}{told}."
    answered = [name for name in order if not found["reason"].sel(configuration=name).item()]
    if not answered:
        reasons = dict.fromkeys(str(found["reason"].sel(configuration=name).item()) for name in order)
        return None, f"No answer: {'; '.join(reasons)}."
    return _figure(found, answered), _caption(found, order, answered, worlds)


def _figure(found: xr.Dataset, names: list[str]) -> Figure:
    measure, across = MEASURE[found.attrs["method"]], min(ACROSS, len(names))
    down = -(-len(names) // across)
    figure = Figure(figsize=(3.2 * across, 0.55 + 1.75 * down), layout="constrained")
    for place, name in enumerate(names, 1):
        axes = figure.add_subplot(down, across, place)
        _panel(axes, found.sel(configuration=name, measure=measure))
        axes.set_title(name, fontsize=10, loc="left")
    figure.supxlabel(AXIS[found.attrs["method"]], fontsize=9, color=GREY)
    return figure


def _panel(axes: Axes, cell: xr.Dataset) -> None:
    value, low, high = (cell[part].to_numpy() for part in ("value", "low", "high"))
    strongest = np.argsort(-np.nan_to_num(value, nan=-np.inf), kind="stable")[:TOP]
    strongest = strongest[np.isfinite(value[strongest])][::-1]
    places = np.arange(len(strongest))
    axes.barh(places, np.maximum(value[strongest], 0.0), height=0.62, color=BLUE)
    there = np.isfinite(low[strongest]) & np.isfinite(high[strongest])
    ends = np.maximum(np.stack([low, high])[:, strongest], 0.0)
    axes.hlines(places[there], *ends[:, there], color="black", linewidth=1.2)
    if "floor" in cell and np.isfinite(float(cell["floor"])):
        axes.axvline(float(cell["floor"]), color=GREY, linestyle="--", linewidth=1)
    axes.set_yticks(places, cell["parameter"].to_numpy()[strongest].tolist())
    axes.set_xlim(left=0.0)
    axes.tick_params(labelsize=8, color=GREY)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _caption(found: xr.Dataset, order: list[str], answered: list[str], worlds: list[str]) -> str:
    method = found.attrs["method"]
    meaning = found.attrs["measures"][MEASURE[method]]
    parts = [f"The {TOP} strongest parameters of each configuration; {meaning}. Lines: 95 % intervals."]
    if method == "given":
        parts.append("A parameter without influence stays left of the dashed line in 95 of 100 cases.")
    if missing := [name for name in order if name not in answered]:
        parts.append(f"No answer for {', '.join(missing)}.")
    if worlds:
        parts.append("Draws of all scenarios together; which scenario a draw belongs to counts as a parameter.")
    parts.append("wattbit sensitivity has more measures, and other outcomes.")
    return " ".join(parts)
