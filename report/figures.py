"""Draw the figures of the report: savings, regret and curtailment per configuration.

Figures are made with matplotlib's object interface alone, so that drawing leaves no global state behind. Colours are
those of Okabe and Ito (2008), which stay apart in all common kinds of colour blindness.
"""

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from report.columns import COST
from report.outcomes import (
    configuration_names,
    defined,
    free_configurations,
    from_summary,
    outcome,
    paired_outcome,
    reference_configuration,
)
from report.robustness import QUANTILE_METHOD
from storage import Summary

BLUE, VERMILION, GREY = "#0072B2", "#D55E00", "#555555"
LINE_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000")
LINE_STYLES = ("-", "--", "-.")
WIDTH = 9.0  # inches
BINS = 62  # columns of dots across the saving figure
DOTS = 100  # a row of the saving figure has at most so many dots
STEPS = 200  # a line of the regret figure has at most so many steps


def _quantile_points(values: NDArray[np.float64], most: int) -> NDArray[np.float64]:
    """Sort the values if they are few enough, else take so many evenly spaced quantiles of them."""
    if values.size <= most:
        return np.sort(values)
    return np.quantile(values, (np.arange(most) + 0.5) / most, method=QUANTILE_METHOD)


def _left_margin(names: list[str]) -> float:
    """Measure the inches that the longest row name needs at 11 points."""
    return 0.35 + 0.092 * max(map(len, names), default=0)


def _plain(axes: Axes) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0, labelsize=11)
    axes.tick_params(axis="x", labelsize=10, color=GREY)


def _marked(name: str, free: list[str]) -> str:
    return f"{name} (free)" if name in free else name


def _saving_row(
    axes: Axes, row: int, values: NDArray[np.float64], *, bin_width: float, dot: float, step: float, free: bool
) -> None:
    """Stack dots of equal share in bins whose edges include zero, above a bar from the 5th to the 95th percentile."""
    bins = np.floor(_quantile_points(values, DOTS) / bin_width)
    levels = np.arange(bins.size) - np.searchsorted(bins, bins)
    colours = np.where(bins < 0, VERMILION, BLUE).tolist()
    step = min(step, 0.62 / (levels.max() + 1))
    axes.scatter(
        (bins + 0.5) * bin_width,
        row + 0.05 + step * (levels + 0.5),
        s=dot**2,
        facecolors="white" if free else colours,
        edgecolors=colours,
        linewidths=1.1 if free else 0,
        zorder=3,
    )
    low, median, high = np.quantile(values, [0.05, 0.5, 0.95], method=QUANTILE_METHOD)
    axes.plot([low, high], [row - 0.08] * 2, color="black", linewidth=1.6, solid_capstyle="butt", zorder=3)
    axes.plot(
        [low, low, np.nan, high, high], row - 0.08 + 0.04 * np.array([-1, 1, 0, -1, 1]), color="black", linewidth=1.2
    )
    axes.plot([median], [row - 0.08], marker="D", markersize=6, color="black", markeredgecolor="white", zorder=4)


def saving_figure(cube: xr.Dataset, *, published: float | None = None) -> Figure:
    """
    Draw the distribution of the saving in fuel and CO2 cost, one row per configuration other than the reference.

    Parameters
    ----------
    cube
        With ``saving_fuel_co2`` and ``status`` over (draw, configuration) and the attributes ``reference``,
        ``free_configurations``.
    published
        A published single-future saving to mark [billion yen per year], or None.

    Returns
    -------
    Figure
        Rows in falling order of the median; a configuration without a finished draw keeps an empty row, last.
    """
    reference, free = reference_configuration(cube), free_configurations(cube)
    saving = paired_outcome(cube, "saving_fuel_co2").compute()
    values = {name: defined(saving, name) for name in configuration_names(cube) if name != reference}
    medians = {name: float(np.median(each)) if each.size else -np.inf for name, each in values.items()}
    order = sorted(values, key=lambda name: medians[name])  # bottom to top

    marks = [0.0] if published is None else [0.0, published]
    everything = np.concatenate([*(_quantile_points(each, DOTS) for each in values.values()), np.array(marks)])
    pad = 0.04 * (float(np.ptp(everything)) or 1.0)
    low, high = float(everything.min()) - pad, float(everything.max()) + pad

    # margins and height of a row in inches: dots are round, so the axes must have a known size
    left, right, below, above, row_height = _left_margin([_marked(name, free) for name in order]), 1.6, 0.62, 0.78, 0.86
    height = below + above + row_height * max(len(order), 1)
    figure = Figure(figsize=(WIDTH, height))
    across = WIDTH - left - right
    axes = figure.add_axes((left / WIDTH, below / height, across / WIDTH, row_height * max(len(order), 1) / height))
    axes.set_xlim(low, high)
    axes.set_ylim(-0.25, max(len(order), 1) - 0.25)
    bin_width = (high - low) / BINS
    dot = 0.9 * across * 72 / BINS  # diameter in points
    for row, name in enumerate(order):
        axes.axhline(row - 0.22, color="#dddddd", linewidth=0.8, zorder=0)
        across_axes = axes.get_yaxis_transform()
        if not values[name].size:
            axes.text(0.5, row + 0.2, "no finished draw", transform=across_axes, ha="center", color=GREY, fontsize=10)
            continue
        _saving_row(
            axes, row, values[name], bin_width=bin_width, dot=dot, step=dot / 0.9 / 72 / row_height, free=name in free
        )
        axes.text(
            1.02,
            row + 0.12,
            f"median {medians[name]:,.0f}\nsaving in {(values[name] > 0).sum()} of {values[name].size}",
            transform=across_axes,
            va="center",
            fontsize=9.5,
            linespacing=1.25,
        )
    axes.axvline(0, color="black", linewidth=1.2, zorder=1)
    if published is not None:
        axes.axvline(published, color="black", linewidth=1.2, linestyle=(0, (5, 3)), zorder=2)
        axes.annotate(
            f"published single-future figure (five areas): {published:g}",
            (published, 1),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0, 5),
            textcoords="offset points",
            ha="center",
            fontsize=10,
        )
    shares = f"each dot: an equal share of the draws (at most {DOTS}); bar: 5th to 95th percentile; diamond: median"
    figure.text(0.02, 1 - 0.1 / height, shares, va="top", fontsize=9.5, color=GREY)
    if free:
        opened = "open dots: free, sited anew in every draw with its future known"
        figure.text(0.02, 1 - 0.3 / height, opened, va="top", fontsize=9.5, color=GREY)
    axes.set_yticks([row + 0.12 for row in range(len(order))], [_marked(name, free) for name in order])
    axes.set_xlabel(f"saving in fuel and CO2 cost against {reference} [{COST}]", fontsize=11)
    _plain(axes)
    return figure


def _resting_on(counts: list[int]) -> str:
    """Say how many draws a figure rests on, where the configurations differ from the least to the most."""
    low, high = min(counts, default=0), max(counts, default=0)
    return f"{high:,} draws" if low == high else f"{low:,} to {high:,} draws, see the table"


def regret_figure(cube: xr.Dataset) -> Figure:
    """
    Draw the cumulative share of draws by regret in total cost, one line per configuration.

    Parameters
    ----------
    cube
        With ``regret_total`` and ``status`` over (draw, configuration) and the attribute ``free_configurations``.

    Returns
    -------
    Figure
        Legend in rising order of the mean regret, free configurations last; configurations without a finished draw are
        named as such.
    """
    free = free_configurations(cube)
    regret = outcome(cube, "regret_total").compute()
    names = configuration_names(cube)
    values = {name: defined(regret, name) for name in names}
    order = sorted(names, key=lambda name: (name in free, float(values[name].mean()) if values[name].size else np.inf))

    figure = Figure(figsize=(WIDTH, 4.2))
    axes = figure.add_axes((0.115, 0.14, 0.625, 0.80))
    for place, name in enumerate(order):
        colour = LINE_COLOURS[names.index(name) % len(LINE_COLOURS)]
        style = ":" if name in free else LINE_STYLES[place % len(LINE_STYLES)]
        if not values[name].size:
            axes.plot([], [], label=f"{_marked(name, free)}\n(no finished draw)", color=colour, linestyle=style)
            continue
        points = _quantile_points(values[name], STEPS)
        points[-1] = values[name].max()  # so that a thinned line, too, ends at the maximum regret
        steps = np.concatenate([points[:1], points])
        axes.plot(
            steps,
            np.linspace(0, 1, steps.size),
            drawstyle="steps-post",
            linewidth=2.0,
            label=_marked(name, free),
            color=colour,
            linestyle=style,
        )
    axes.axvline(0, color="black", linewidth=0.8, zorder=0)
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.set_xlabel(f"regret of total cost against the best named configuration [{COST}]", fontsize=11)
    resting_on = _resting_on([each.size for each in values.values()])
    axes.set_ylabel(f"share with that regret or less\n(of {resting_on})", fontsize=11)
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(
        loc="upper left", bbox_to_anchor=(1.02, 1.0), frameon=False, fontsize=10.5, handlelength=2.6, borderaxespad=0
    )
    _plain(axes)
    return figure


def curtailment_figure(cube: xr.Dataset, summary: Summary | None = None) -> Figure:
    """
    Draw the mean curtailment by area and configuration, as a table shaded by value.

    Parameters
    ----------
    cube
        With ``curtailment`` over (draw, configuration, area, technology) [TWh per year] and ``status``.
    summary
        Of the same cube, to take the means from; or None.

    Returns
    -------
    Figure
        Rows in the cube's order, one column per area and one for their sum, which is outside the shading; "-" where
        missing.
    """
    free = free_configurations(cube)
    told = from_summary(cube, "curtailment", summary)
    if told is None:
        of_draw = outcome(cube, "curtailment").sum("technology", skipna=True, min_count=1)
        both = {"mean": of_draw.mean("draw"), "n": of_draw.notnull().any("area").sum("draw")}
        told = xr.Dataset(both).compute()
        of_area, behind = told["mean"], told["n"]
    else:
        of_area, behind = (
            told["mean"].sum("technology", skipna=True, min_count=1),
            told["n"].max(["area", "technology"]),
        )
    resting_on = _resting_on(behind.to_numpy().tolist())
    names, areas = configuration_names(cube), [str(area) for area in of_area["area"].to_numpy()]
    shown = of_area.transpose("configuration", "area").to_numpy()
    total = of_area.sum("area", skipna=True, min_count=1).to_numpy()

    left, right, above, below, row_height = _left_margin([_marked(name, free) for name in names]), 0.15, 0.75, 0.1, 0.42
    height = above + below + row_height * len(names)
    figure = Figure(figsize=(WIDTH, height))
    axes = figure.add_axes(
        (left / WIDTH, below / height, (WIDTH - left - right) / WIDTH, row_height * len(names) / height)
    )
    top = float(np.nanmax(shown)) if np.isfinite(shown).any() else 1.0
    axes.pcolormesh(
        np.arange(len(areas) + 1) - 0.5,
        np.arange(len(names) + 1) - 0.5,
        np.ma.masked_invalid(shown),
        cmap="YlOrBr",
        vmin=0,
        vmax=1.35 * (top or 1.0),  # keeps the darkest cell light enough for black digits
        edgecolors="white",
        linewidth=2,
    )
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.set_xlim(-0.5, len(areas) + 0.5)
    for row in range(len(names)):
        for column, value in enumerate([*shown[row], total[row]]):
            axes.text(
                column,
                row,
                "-" if np.isnan(value) else f"{value:.2f}",
                ha="center",
                va="center",
                fontsize=10,
                fontweight="bold" if column == len(areas) else "normal",
            )
    axes.set_xticks(range(len(areas) + 1), [*areas, "sum"])
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(names)), [_marked(name, free) for name in names])
    axes.tick_params(length=0)
    axes.tick_params(axis="x", labelsize=10)
    axes.tick_params(axis="y", labelsize=11)
    for spine in axes.spines.values():
        spine.set_visible(False)
    figure.text(
        0.02,
        1 - 0.1 / height,
        f"mean curtailment of solar and wind [TWh per year], {resting_on}",
        va="top",
        fontsize=11,
    )
    return figure
