"""The pictures of docs/validation.md."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from numpy.typing import NDArray

from report.validation_data import Observed

Floats = NDArray[np.float64]
OBSERVED, PLAIN, REFINED = "#000000", "#E69F00", "#0072B2"  # Okabe and Ito: told apart by everybody
COLOURS = {"observed": OBSERVED, "specification": PLAIN, "with options": REFINED}
PUBLISHED = 65.0  # billion yen a year
LINK = "japan_sea_hvdc"  # the switch that moves the saving most
SHOWN = ("Tohoku", "Tokyo", "Chubu", "Kansai", "Chugoku", "Kyushu")


def area_figure(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Thermal energy, net imports and curtailment by area: observed and each back-cast."""
    figure = Figure(figsize=(9.5, 8.0), layout="constrained")
    panels = figure.subplots(3, 1)
    first = next(iter(tables.values()))
    place = np.arange(len(first))
    names = {"thermal": "thermal output", "net_import": "net imports", "curtailment": "curtailment of sun and wind"}
    for axes, (quantity, title) in zip(panels, names.items(), strict=True):
        bars = {"observed": first[quantity, "observed"]} | {n: t[quantity, "model"] for n, t in tables.items()}
        for number, (name, values) in enumerate(bars.items()):
            axes.bar(place + 0.27 * (number - 1), values, width=0.25, color=COLOURS[name], label=name)
        axes.set_title(f"{title}, FY2024 [TWh]", loc="left", fontsize=11)
        axes.set_xticks(place, first.index)
        axes.axhline(0, color="#999999", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].legend(frameon=False)
    return figure


def duration_figure(hours: Mapping[str, dict[str, Floats]], observed: Observed) -> Figure:
    """Duration curves of net imports and of thermal output of six areas."""
    figure = Figure(figsize=(10.5, 6.0), layout="constrained")
    panels = figure.subplots(2, len(SHOWN))
    share = np.linspace(0, 100, len(observed.hours["demand"]))
    for row, quantity in enumerate(("thermal", "net_import")):
        for axes, area in zip(panels[row], SHOWN, strict=True):
            at = observed.areas.index(area)
            for name, values in {"observed": observed.hours, **hours}.items():
                axes.plot(share, np.sort(values[quantity][:, at])[::-1], color=COLOURS[name], linewidth=1.4, label=name)
            axes.set_title(area, fontsize=10)
            axes.spines[["top", "right"]].set_visible(False)
        panels[row][0].set_ylabel(("thermal output [GW]", "net imports [GW]")[row])
    panels[1][len(SHOWN) // 2].set_xlabel("share of hours above [%]")
    lines, names = panels[0][0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper center", ncols=3, frameon=False)
    return figure


def shape_figure(hours: Mapping[str, dict[str, Floats]], observed: Observed) -> Figure:
    """Mean day: thermal output and net imports of six areas by the hour."""
    figure = Figure(figsize=(10.5, 6.0), layout="constrained")
    panels = figure.subplots(2, len(SHOWN), sharex=True)
    for row, quantity in enumerate(("thermal", "net_import")):
        for axes, area in zip(panels[row], SHOWN, strict=True):
            at = observed.areas.index(area)
            for name, values in {"observed": observed.hours, **hours}.items():
                mean = values[quantity][:, at].reshape(-1, 24).mean(axis=0)
                axes.plot(np.arange(24), mean, color=COLOURS[name], linewidth=1.6, label=name)
            axes.set_title(area, fontsize=10)
            axes.set_xticks([0, 6, 12, 18])
            axes.spines[["top", "right"]].set_visible(False)
        panels[row][0].set_ylabel(("thermal output [GW]", "net imports [GW]")[row])
    panels[1][len(SHOWN) // 2].set_xlabel("hour of the day, mean of the year")
    lines, names = panels[0][0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside upper center", ncols=3, frameon=False)
    return figure


def published_figure(cube: xr.Dataset, configuration: str, tilt: tuple[float, float, float]) -> Figure:
    """Where the published saving lies among the draws, and which pairs of DC demand and build-out give it.

    Parameters
    ----------
    tilt : (constant, per GW of DC demand, per unit of build-out)
        Plane fitted to the savings; its line at the published figure is drawn.
    """
    figure = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    saving = cube["saving_fuel_co2"].sel(configuration=configuration).to_numpy()
    order = np.sort(saving[np.isfinite(saving)])
    left.step(order, 100 * (np.arange(order.size) + 1) / order.size, color=REFINED)
    below = 100 * float((order < PUBLISHED).mean())
    left.plot([PUBLISHED, PUBLISHED, order[0]], [0, below, below], color=OBSERVED, linewidth=1, linestyle="--")
    left.annotate(
        f"published 65: {below:.0f} % of draws below", (PUBLISHED, below), (24, -4), textcoords="offset points"
    )
    left.set_xlabel(f"saving of {configuration} [billion yen a year]")
    left.set_ylabel("share of draws below [%]")
    demand, built = cube["dc_demand"].to_numpy(), renewables(cube)
    near = np.abs(saving - PUBLISHED) < 15
    link = cube[LINK].to_numpy() == 1
    for on, marker, name in ((link, "o", "Japan Sea link in service"), (~link, "^", "no Japan Sea link")):
        shown = right.scatter(
            demand[on], built[on], c=saving[on], vmin=0, vmax=300, cmap="cividis", s=20, marker=marker, label=name
        )
    right.scatter(
        demand[near], built[near], s=70, facecolors="none", edgecolors="#D55E00", label="50 to 80 billion yen"
    )
    constant, by_demand, by_built = tilt
    span = np.array([demand.min(), demand.max()])
    right.plot(
        span,
        (PUBLISHED - constant - by_demand * span) / by_built,
        color=OBSERVED,
        linewidth=1,
        label="65, fitted to draws with the link",
    )
    right.set_ylim(built.min() - 0.05, built.max() + 0.05)
    right.set_xlabel("DC demand [GW]")
    right.set_ylabel("build-out of sun and wind over the middle case")
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    figure.colorbar(shown, ax=right, label="saving [billion yen a year]", extend="both")
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def renewables(cube: xr.Dataset) -> Floats:
    """Build-out of sun and wind of each draw: mean of the three multipliers, weighted by the energy behind each."""
    found, whole = np.zeros(cube.sizes["draw"]), 0.0
    for name in ("solar", "wind_onshore", "wind_offshore"):
        built = cube[f"{name}_buildout"].to_numpy()
        of = {"technology": name, "configuration": cube["configuration"].to_numpy()[0]}
        energy = (cube["generation"] + cube["curtailment"]).sel(of).sum("area").to_numpy()
        weight = float(np.nanmean(energy / built))
        found += weight * built
        whole += weight
    return found / whole


def latency_figure(cube: xr.Dataset, today: int, photonic: int) -> Figure:
    """Mean round trip of the work of each area's users by configuration, without and with the all-photonic network.

    Parameters
    ----------
    today, photonic : int
        Draws with ``apn_adoption`` 0 and 1.
    """
    names = [str(c) for c in cube["configuration"].to_numpy()]
    figure = Figure(figsize=(10.0, 1.1 + 0.62 * len(names)), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    areas = [str(a) for a in cube["area"].to_numpy()]
    tables = [
        cube["latency"].isel(draw=draw).transpose("configuration", "area").to_numpy() for draw in (today, photonic)
    ]
    most = max(float(np.nanmax(table)) for table in tables)
    for axes, table, title in zip(panels, tables, ("network of today", "all-photonic network"), strict=True):
        shown = axes.imshow(table, vmin=0, vmax=most, cmap="cividis_r", aspect="auto")
        for row, column in np.ndindex(table.shape):
            value = table[row, column]
            text = "-" if np.isnan(value) else f"{value:.0f}"
            colour = "white" if value > 0.6 * most else "black"
            axes.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)
        axes.set_title(f"mean round trip, {title} [ms]", fontsize=10, loc="left")
        axes.set_xticks(range(len(areas)), areas, rotation=60)
        axes.set_yticks(range(len(names)), names)
    figure.colorbar(shown, ax=panels, label="ms")
    return figure
