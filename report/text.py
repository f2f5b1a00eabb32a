"""Give the robustness table as fixed-width text for a terminal and as a record for JSON."""

import io
import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import xarray as xr
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from report.columns import COST, DRAWS, has_intervals, shown_columns
from report.words import FREE_MARK, notes

POOLED: Final = "All scenarios pooled, each with equal weight"
NO_SCENARIOS: Final[Mapping[str, xr.Dataset]] = MappingProxyType({})


def row_label(table: xr.Dataset, name: str) -> str:
    """Label a configuration as shown: the reference says so, a free one carries its mark."""
    if name == table.attrs["reference"]:
        return f"{name} (ref.)"
    return f"{name} {FREE_MARK}" if name in table.attrs["free_configurations"] else name


def draws_columns(table: xr.Dataset) -> dict[str, str]:
    """Give the variables that tell draws by their state, with their headings: of failed ones the states that occur."""
    finished, failed, not_run = ((column.name, column.heading) for column in DRAWS)
    occurring = [word for word in table.attrs["failed_states"] if int(table[f"draws_{word}"].sum())]
    return dict(
        [finished, failed, *((f"draws_{word}", f"of them {word.replace('_', ' ')}") for word in occurring), not_run]
    )


def draws_line(table: xr.Dataset) -> str:
    """Tell draws by their state in one line, if it holds for every configuration; else nothing."""
    columns = draws_columns(table)
    if any(np.unique(table[name].to_numpy()).size > 1 for name in columns):
        return ""

    told = ", ".join(f"{int(table[name][0])} {heading}" for name, heading in columns.items())
    return f"Draws, in every configuration: {told}; {table.attrs['draws']} in all."


def _grid() -> Table:
    grid = Table(box=box.SIMPLE_HEAD, padding=0, pad_edge=False)
    grid.add_column("configuration", no_wrap=True, vertical="bottom")
    return grid


def _draws_grid(table: xr.Dataset) -> Table:
    grid, columns = _grid(), draws_columns(table)
    for heading in columns.values():
        grid.add_column(heading, justify="right", no_wrap=True)
    for name in table["configuration"].to_numpy():
        row = table.sel(configuration=name)
        grid.add_row(row_label(table, str(name)), *(f"{int(row[each]):,}" for each in columns))
    return grid


def _numbers_grid(table: xr.Dataset) -> Table:
    """Set the numbers, a line a configuration, and below each how far its interval reaches, where there is any."""
    grid, columns, bounded = _grid(), shown_columns(table), has_intervals(table)
    for column in columns:
        grid.add_column(column.short, justify="right", no_wrap=True)
    for name in table["configuration"].to_numpy():
        row = table.sel(configuration=name)
        grid.add_row(row_label(table, str(name)), *(column.show(float(row[column.name])) for column in columns))
        if bounded and any(sides := [column.side(row) for column in columns]):
            grid.add_row("", *sides)
    return grid


def table_text(table: xr.Dataset, *, width: int = 120, scenarios: Mapping[str, xr.Dataset] = NO_SCENARIOS) -> str:
    """
    Set the table and its notes in plain text.

    Parameters
    ----------
    table
        As returned by `report.robustness.robustness_table`.
    width
        Characters per line. A number is never cut: where the columns need more, the lines are longer.
    scenarios
        As returned by `report.robustness.scenario_tables`: shown before the table, which pools them.

    Returns
    -------
    str
        Lines without colour codes or trailing blanks, ended by a newline; "-" where a value is missing.
    """
    parts = [*((f"Scenario {name}", each) for name, each in scenarios.items()), (POOLED if scenarios else "", table)]
    grids = [(title, each, _numbers_grid(each)) for title, each in parts]
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False, markup=False, emoji=False)
    options = console.options.update_width(10**4)
    console.width = max(width, *(Measurement.get(console, options, grid).maximum for _, _, grid in grids))
    with console.capture() as captured:
        for title, each, grid in grids:
            if title:
                console.print(title)
            console.print(grid)
            if title and each is not table and not draws_line(each):
                console.print(_draws_grid(each))
        console.print(f"Savings and regrets in {COST}, 2024 prices; n: draws behind the numbers to its left.")
        if line := draws_line(table):
            console.print(line)
        else:
            console.print(f"\nDraws by state, {table.attrs['draws']} in all:")
            console.print(_draws_grid(table))
        for note in notes(table):
            console.print(note, soft_wrap=False)
    return "\n".join(line.rstrip() for line in captured.get().strip("\n").splitlines()) + "\n"


def _json_value(value: int | float) -> int | float | None:
    return None if math.isnan(value) else value


def table_record(table: xr.Dataset, scenarios: Mapping[str, xr.Dataset] = NO_SCENARIOS) -> dict[str, Any]:
    """
    Give the table as plain values for JSON.

    Parameters
    ----------
    table
        As returned by `report.robustness.robustness_table`.
    scenarios
        As returned by `report.robustness.scenario_tables`.

    Returns
    -------
    dict
        Attributes of the table, ``units`` by column, ``notes``, and ``configurations``: one dict per configuration with
        every variable in its stored unit (shares in 0..1), ends of intervals too, None where missing. With scenarios
        these are pooled, and ``scenarios`` has the configurations of each by its name.
    """
    return {
        **table.attrs,
        "units": {str(key): table[key].attrs["units"] for key in table.data_vars},
        "configurations": _rows(table),
        "scenarios": {name: _rows(each) for name, each in scenarios.items()},
        "notes": notes(table),
    }


def _rows(table: xr.Dataset) -> list[dict[str, Any]]:
    return [
        {"configuration": str(name)}
        | {str(key): _json_value(table[key].sel(configuration=name).item()) for key in table.data_vars}
        for name in table["configuration"].to_numpy()
    ]
