"""Tell the result of `report.reweighting` side by side: sets of beliefs under each configuration, as text and as a record."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
import xarray as xr
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from report.reweighting import MIX, REGRET, STATISTICS

SMALL = 0.1  # relative distance of the mean ratio from 1 that is told


def reweighting_text(found: xr.Dataset, *, width: int = 120) -> str:
    """
    Set a result as text.

    Parameters
    ----------
    found : xr.Dataset
        As returned by `report.reweighting.reweighted`.
    width : int
        Characters per line; a number is never cut.

    Returns
    -------
    str
        For each scenario the sets of beliefs with their effective sizes, and a table; notes at the end. "-" where a
        number is missing.
    """
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        for scenario in found["scenario"].to_numpy():
            world = found.sel(scenario=scenario)
            if scenario:
                console.print(f"Scenario {scenario}\n", soft_wrap=True)
            for grid in (_sets(world), _statistics(world)):
                console.width = max(width, Measurement.get(console, console.options.update_width(10**4), grid).maximum)
                console.print(grid)
            for belief in found["belief"].to_numpy():
                if reason := str(world["refused"].sel(belief=belief).item()):
                    console.print(f"{belief} is refused: {reason}.", soft_wrap=True)
        for note in text_notes(found):
            console.print(note, soft_wrap=True)
    return "\n".join(line.rstrip() for line in captured.get().strip("\n").splitlines()) + "\n"


def text_notes(found: xr.Dataset) -> list[str]:
    """Say what the numbers are and what has to be known of them."""
    of = found.attrs
    least = f"{of['confidence']:.0%}".replace("%", " %")
    lines = [
        f"{of['outcome']}"
        + (f" in {of['units']}" if of["units"] else "")
        + f", regret in total cost. In brackets {least} intervals: {of['how']}. Quantiles join the"
        " draws by straight lines, by weight (with equal weights: numpy's 'linear', as in wattbit query).",
        "Draws are the same throughout; only their weights differ. Effective: how many draws of a set's own they count as"
        " (Kish). Largest: share of the weight that one draw has. Both are the worst configuration's.",
    ]
    if of["odds"]:
        told = ", ".join(f"{name} {share:g}" for name, share in of["odds"].items())
        lines.append(f"{MIX}: the sets by their odds, {told}.")
    ratios = found["mean_ratio"]
    for scenario in found["scenario"].to_numpy():
        for belief in found["belief"].to_numpy():
            ratio = float(ratios.sel(scenario=scenario, belief=belief))
            where = f" in {scenario}" if scenario else ""
            if abs(ratio - 1) > SMALL:
                lines.append(
                    f"The ratios of densities of {belief}{where} average {ratio:.2f} where 1 is expected: few draws lie "
                    "where these beliefs weigh, so take its numbers with care."
                )
    return [*lines, *_missing(found), *of.get("notes", ())]


def _missing(found: xr.Dataset) -> list[str]:
    lines = []
    failed, open_draws = found["failed"].isel(belief=0), found["not_run"].isel(belief=0)
    if failed.sum():
        worst = found["failed_share"].max(["scenario", "configuration"])
        told = ", ".join(f"{belief} {float(worst.sel(belief=belief)):.1%}" for belief in found["belief"].to_numpy())
        lines.append(
            f"Draws that failed, {int(failed.max())} at most, stay out. Their share of the weight, in the worst "
            f"configuration: {told}."
        )
    if open_draws.sum():
        lines.append(f"Draws that are not run, {int(open_draws.max())} at most, stay out; every figure will move.")
    return lines


def _sets(world: xr.Dataset) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    grid.add_column("beliefs", no_wrap=True)
    for heading in ("draws", "effective", "asked for", "largest", "state"):
        grid.add_column(heading, justify="left" if heading == "state" else "right", no_wrap=True)
    for belief in world["belief"].to_numpy():
        row = world.sel(belief=belief)
        largest = float(row["largest_share"])
        grid.add_row(
            str(belief),
            f"{int(row['n'].max()):,}",
            _number(float(row["effective_least"])),
            "-" if belief == world["belief"][0] else _number(float(row["asked"])),
            "-" if math.isnan(largest) else f"{largest:.1%}",
            "refused" if str(row["refused"].item()) else "",
        )
    return grid


def _statistics(world: xr.Dataset) -> Table:
    name = world.attrs["outcome"]
    grid = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, title=name, title_justify="left")
    for heading in ("configuration", "beliefs"):
        grid.add_column(heading, no_wrap=True)
    shown = ("mean", "> 0 %", "5 %", "median", "95 %", "regret 90 %", "worst 10 %", "best %", "n eff.")
    for heading in shown:
        grid.add_column(heading, justify="right", no_wrap=True)
    for configuration in world["configuration"].to_numpy():
        for place, belief in enumerate(world["belief"].to_numpy()):
            cell = world.sel(belief=belief, configuration=configuration)
            is_last = place == world.sizes["belief"] - 1
            numbers = [_with_ends(cell, "mean"), _share(cell, "above")]
            numbers += [_number(float(cell[key])) for key in ("q5", "q50", "q95")]
            numbers += [_number(float(cell[key])) for key in ("regret_q90", "regret_cvar90")]
            numbers += [_share(cell, "best"), _number(float(cell["effective_mean"]), 0)]
            if str(cell["refused"].item()):
                numbers = ["refused", *["-"] * (len(shown) - 1)]
            grid.add_row("" if place else _label(world, str(configuration)), str(belief), *numbers, end_section=is_last)
    return grid


def _label(world: xr.Dataset, name: str) -> str:
    if name == world.attrs["reference"]:
        return f"{name} (ref.)"
    return f"{name} *" if name in world.attrs["free_configurations"] else name


def _number(value: float, digits: int = 1) -> str:
    return "-" if math.isnan(value) else f"{round(value, digits) + 0.0:,.{digits}f}"


def _with_ends(cell: xr.Dataset, key: str) -> str:
    low, high = float(cell[f"{key}_low"]), float(cell[f"{key}_high"])
    ends = "" if math.isnan(low) or math.isnan(high) else f" ({_number(low)} to {_number(high)})"
    return _number(float(cell[key])) + ends


def _share(cell: xr.Dataset, key: str) -> str:
    low, high = 100 * float(cell[f"{key}_low"]), 100 * float(cell[f"{key}_high"])
    ends = "" if math.isnan(low) or math.isnan(high) else f" ({_number(low, 0)}–{_number(high, 0)})"
    return _number(100 * float(cell[key]), 0) + ends


def reweighting_record(found: xr.Dataset) -> dict[str, Any]:
    """Give a result for JSON: for each scenario and set of beliefs its size and its configurations; missing is None."""
    of = found.attrs
    sets = []
    for scenario in found["scenario"].to_numpy():
        for belief in found["belief"].to_numpy():
            head = found.sel(scenario=scenario, belief=belief)
            sets.append(
                {
                    "scenario": str(scenario) or None,
                    "belief": str(belief),
                    "refused": str(head["refused"].item()) or None,
                    "effective": _plain(head["effective_least"]),
                    "asked": _plain(head["asked"]),
                    "largest_share": _plain(head["largest_share"]),
                    "mean_ratio": _plain(head["mean_ratio"]),
                    "configurations": {
                        str(name): _cell(head.sel(configuration=name)) for name in found["configuration"].values
                    },
                }
            )
    told = ("outcome", "units", "reference", "free_configurations", "design_kind", "replicates", "draws", "confidence")
    return {
        **{key: of[key] for key in told},
        "interval": of["how"],
        "odds": of["odds"] or None,
        "statistics": dict(STATISTICS),
        "regret": REGRET,
        "sets": sets,
        "notes": text_notes(found),
    }


def _cell(cell: xr.Dataset) -> dict[str, Any]:
    counts = {key: int(cell[key]) for key in ("n", "failed", "not_run")}
    sizes = {key: _plain(cell[key]) for key in ("failed_share", "effective", "effective_mean")}
    ends = {"value": "", "low": "_low", "high": "_high"}
    numbers = {key: {end: _plain(cell[f"{key}{tail}"]) for end, tail in ends.items()} for key in STATISTICS}
    return counts | sizes | numbers


def _plain(value: xr.DataArray) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None
