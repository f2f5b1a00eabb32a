"""Give the robustness table as fixed-width text for a terminal and as a record for JSON."""

import io
import math
from typing import Any

import numpy as np
import xarray as xr
from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from report.columns import COLUMNS, COST, DRAWS
from report.words import FREE_MARK, notes


def row_label(table: xr.Dataset, name: str) -> str:
    """Label a configuration as shown: the reference says so, a free one carries its mark."""
    if name == table.attrs["reference"]:
        return f"{name} (ref.)"
    return f"{name} {FREE_MARK}" if name in table.attrs["free_configurations"] else name


def draws_columns(table: xr.Dataset) -> dict[str, str]:
    """Give the variables that tell draws by their state, with their headings: of failed ones the states that occur."""
    finished, failed, not_run = ((column.name, column.heading) for column in DRAWS)
    occurring = [word for word in table.attrs["failed_states"] if int(table[f"draws_{word}"].sum())]
    return dict([finished, failed, *((f"draws_{word}", word.replace("_", " ")) for word in occurring), not_run])


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


def table_text(table: xr.Dataset, *, width: int = 120) -> str:
    """
    Set the table and its notes in plain text.

    Parameters
    ----------
    table
        As returned by `report.robustness.robustness_table`.
    width
        Characters per line. A number is never cut: where the columns need more, the lines are longer.

    Returns
    -------
    str
        Lines without colour codes or trailing blanks, ended by a newline; "-" where a value is missing.
    """
    grid = _grid()
    for column in COLUMNS:
        grid.add_column(column.short, justify="right", no_wrap=True)
    for name in table["configuration"].to_numpy():
        row = table.sel(configuration=name)
        grid.add_row(row_label(table, str(name)), *(column.show(float(row[column.name])) for column in COLUMNS))

    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False, markup=False, emoji=False)
    console.width = max(width, Measurement.get(console, console.options.update_width(10**4), grid).maximum)
    with console.capture() as captured:
        console.print(grid)
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


def table_record(table: xr.Dataset) -> dict[str, Any]:
    """
    Give the table as plain values for JSON.

    Parameters
    ----------
    table
        As returned by `report.robustness.robustness_table`.

    Returns
    -------
    dict
        Attributes of the table, ``units`` by column, ``notes``, and ``configurations``: one dict per configuration with
        every variable in
        its stored unit (shares in 0..1), None where missing.
    """
    names = [str(name) for name in table["configuration"].to_numpy()]
    return {
        **table.attrs,
        "units": {str(key): table[key].attrs["units"] for key in table.data_vars},
        "configurations": [
            {"configuration": name}
            | {str(key): _json_value(table[key].sel(configuration=name).item()) for key in table.data_vars}
            for name in names
        ],
        "notes": notes(table),
    }
