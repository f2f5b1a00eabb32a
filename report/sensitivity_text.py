"""Tell the result of `report.sensitivity` in plain words and a table, and as a record for JSON."""

from __future__ import annotations

import io
import itertools
import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import xarray as xr
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

LEADS: Final = {"given": "S1", "sobol": "ST", "morris": "mu_star"}
"""By method, the measure that the rows of the table are ordered by."""
NAMED = 3
"""Parameters named in words."""
PAIRS = 5
EPSILON = 1e-9


def sensitivity_text(found: xr.Dataset, *, top: int = 6, width: int = 120) -> str:
    """
    Set a result as text.

    Parameters
    ----------
    found : xr.Dataset
        As returned by `report.sensitivity.sensitivity`.
    top : int
        Rows of each table, the strongest parameters.
    width : int
        Characters per line; a number is never cut.

    Returns
    -------
    str
        For each configuration (and area, ...) one sentence and a table; notes at the end. "-" where a number is missing.
    """
    of = found.attrs
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        for label, cell in _cells(found):
            console.print(_sentence(found, cell, label), soft_wrap=True)
            if not cell["reason"].item():
                grid = _grid(cell, of["method"], top)
                console.width = max(width, Measurement.get(console, console.options.update_width(10**4), grid).maximum)
                console.print(grid)
                if pairs := _pairs(cell):
                    console.print(f"Pairs, second order: {pairs}.", soft_wrap=True)
                    console.print("")
            else:
                console.print("")
        for note in text_notes(found):
            console.print(note, soft_wrap=True)
    return "\n".join(line.rstrip() for line in captured.get().strip("\n").splitlines()) + "\n"


def text_notes(found: xr.Dataset) -> list[str]:
    """Say what the measures mean, how the intervals were made, and what else has to be known."""
    of = found.attrs
    if bool((found["reason"] != "").all()):
        return list(of["notes"])  # no number, so nothing to explain
    lines = [f"{name}: {meaning}." for name, meaning in of["measures"].items()]
    share = f"{of['confidence']:.0%}".replace("%", " %")
    if of["method"] == "given":
        lines.append(
            f"In brackets {share} intervals, from half samples; by chance: what a parameter without influence stays below "
            f"in 95 of 100 cases. Seed {of['seed']}."
        )
        fewer = {str(m.item()): int(found["n_measure"].sel(measure=m).max()) for m in found["measure"]}
        told = [f"{name} {n:,}" for name, n in fewer.items() if n < int(found["n"].max())]
        if told:
            lines.append(f"For their run time some measures rest on fewer draws, taken at random: {', '.join(told)}.")
    else:
        lines.append(f"In brackets {share} intervals, from {of['resamples']} bootstrap samples, seed {of['seed']}.")
    return [*lines, *of["notes"]]


def sensitivity_record(found: xr.Dataset) -> dict[str, Any]:
    """Give a result as plain values for JSON, None where a number is missing; every parameter, in the order of the cube."""
    of = dict(found.attrs)
    correlated = [{"parameters": [a, b], "rank_correlation": rho} for a, b, rho in of.pop("correlated")]
    coded = {name: list(labels) for name, labels in of.pop("coded").items()}
    return {**of, "coded": coded, "correlated": correlated, "results": [_result(cell) for _, cell in _cells(found)]}


def _cells(found: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
    """Yield each configuration (and area, ...) with its name in words."""
    dims = [str(dim) for dim in found["n"].dims]
    for labels in itertools.product(*(found[dim].to_numpy() for dim in dims)):
        words = [
            str(label) if dim == "configuration" else f"{dim} {label}" for dim, label in zip(dims, labels, strict=True)
        ]
        yield ", ".join(words), found.sel(dict(zip(dims, labels, strict=True)))


def _result(cell: xr.Dataset) -> dict[str, Any]:
    dims = [str(name) for name, array in cell.coords.items() if array.dims == ()]
    counts = [name for name in ("n", "dropped", "sets", "sets_total") if name in cell]
    result: dict[str, Any] = {dim: str(cell[dim].item()) for dim in dims}
    result |= {name: int(cell[name]) for name in counts} | {"reason": cell["reason"].item() or None}
    measures = [str(name) for name in cell["measure"].to_numpy()]
    if "floor" in cell:
        result["by_chance"] = {name: _number(cell["floor"].sel(measure=name)) for name in measures}
        result["n_measure"] = {name: int(cell["n_measure"].sel(measure=name)) for name in measures}
    parameters = [str(name) for name in cell["parameter"].to_numpy()]
    result["parameters"] = [
        {"parameter": name}
        | {
            measure: {
                part: _number(cell[part].sel(measure=measure, parameter=name)) for part in ("value", "low", "high")
            }
            for measure in measures
        }
        for name in parameters
    ]
    if "pair_value" in cell:
        result["pairs"] = [
            {"parameters": [a, b]}
            | {part: _number(cell[f"pair_{part}"].sel(parameter=a, parameter_2=b)) for part in ("value", "low", "high")}
            for a, b in itertools.combinations(parameters, 2)
        ]
    return result


def _number(value: xr.DataArray) -> float | None:
    return None if math.isnan(value.item()) else float(value.item())


def _count(cell: xr.Dataset) -> str:
    if "sets" in cell:
        what = "base points" if "pair_value" in cell or "ST" in cell["measure"] else "trajectories"
        return f"{int(cell['n']):,} draws, {int(cell['sets']):,} of {int(cell['sets_total']):,} {what}"
    dropped = int(cell["dropped"])
    return f"{int(cell['n']):,} draws" + (f", {dropped:,} without a value" if dropped else "")


def _sentence(found: xr.Dataset, cell: xr.Dataset, label: str) -> str:
    of = found.attrs
    what = f"{of['outcome']} of {label}"
    if of["summed_over"]:
        what += f", summed over {' and '.join(of['summed_over'])},"
    if of["where"]:
        what += f" where {of['where']}"
    if reason := cell["reason"].item():
        return f"{what}: no answer, as it {reason}." if reason.startswith("does") else f"{what}: no answer: {reason}."
    lead = "mu_star" if of["method"] == "morris" else "S1"
    value, low, high = (cell[part].sel(measure=lead) for part in ("value", "low", "high"))
    names = [str(name) for name in value["parameter"].to_numpy()]
    bar = float(cell["floor"].sel(measure=lead)) if "floor" in cell else 0.0
    order = [at for at in _order(value.to_numpy()) if value[at] > bar and low[at] > EPSILON][:NAMED]
    count = f" [{_count(cell)}]"
    if not order:
        return f"No parameter alone can be told from chance for {what}{count}"
    if lead == "mu_star":
        unit = "" if of["units"] == "1" else f" {of['units']}"
        told = [f"{names[at]} by {_short(value[at])}{unit} ({_short(low[at])}–{_short(high[at])})" for at in order]
        return f"Moved over its range, a parameter changes {what} on average: {', '.join(told)}{count}"
    told = [f"{_percent(value[at])} ({_decimals(low[at])}–{_decimals(high[at])})" for at in order]
    first = f"{names[order[0]]} drives {told[0].split(' (')[0]} of the variance of {what} ({told[0].split(' (')[1]}"
    return ", ".join([first, *(f"{names[at]} {text}" for at, text in zip(order[1:], told[1:], strict=True))]) + count


def _order(values: np.ndarray[Any, Any]) -> list[int]:
    """Positions from the largest value to the least; missing ones last."""
    return [int(at) for at in np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")]


def _grid(cell: xr.Dataset, method: str, top: int) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), pad_edge=False)
    grid.add_column("parameter", no_wrap=True)
    measures = [str(name) for name in cell["measure"].to_numpy()]
    for name in measures:
        grid.add_column(name, justify="right", no_wrap=True)
    show = _short if method == "morris" else _decimals
    order = _order(cell["value"].sel(measure=LEADS[method]).to_numpy())
    for at in order[:top]:
        row = cell.isel(parameter=at)
        parts = [[row[part].sel(measure=name) for part in ("value", "low", "high")] for name in measures]
        shown = (f"{show(value)} ({show(low)}–{show(high)})" for value, low, high in parts)
        grid.add_row(str(row["parameter"].item()), *shown)
    if len(order) > top:
        grid.add_row(f"... {len(order) - top} more", *("" for _ in measures))
    if "floor" in cell:
        grid.add_row("(by chance)", *(show(cell["floor"].sel(measure=name)) for name in measures))
    return grid


def _pairs(cell: xr.Dataset) -> str:
    if "pair_value" not in cell:
        return ""
    names = [str(name) for name in cell["parameter"].to_numpy()]
    low, value = cell["pair_low"].to_numpy(), cell["pair_value"].to_numpy()
    strong = sorted(((i, j) for i, j in zip(*np.nonzero(low > EPSILON), strict=True)), key=lambda pair: -value[pair])
    told = [
        f"{names[i]} x {names[j]} {value[i, j]:.2f} ({low[i, j]:.2f}–{cell['pair_high'].to_numpy()[i, j]:.2f})"
        for i, j in strong[:PAIRS]
    ]
    return ", ".join(told)


def _percent(value: xr.DataArray) -> str:
    return f"{100 * float(value):.0f} %"


def _decimals(value: xr.DataArray) -> str:
    return "-" if math.isnan(float(value)) else f"{float(value) + 0.0:.2f}".replace("-0.00", "0.00")


def _short(value: xr.DataArray) -> str:
    return "-" if math.isnan(float(value)) else f"{float(value) + 0.0:,.3g}"
