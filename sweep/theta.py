"""What of a draw table goes to the model: the columns that are its parameters, and one row of them.

Workers read this, so it imports neither distributions nor the study.
"""

from __future__ import annotations

import xarray as xr

Theta = dict[str, float | str]
ROLE = "role"  # attribute of a column that is no parameter of the model: a scenario's name, or a driver
DRIVER = "driver"
REGRET = "regret_total"  # the outcome that rests on all configurations of a draw


def model_columns(table: xr.Dataset) -> list[str]:
    """Return the names of the columns of a draw table that are parameters of the model."""
    return [str(name) for name, column in table.data_vars.items() if ROLE not in column.attrs]


def theta_of(table: xr.Dataset, draw: int) -> Theta:
    """Return one row of the draw table: the parameters of the model."""
    return {name: table[name].values[draw] for name in model_columns(table)}
