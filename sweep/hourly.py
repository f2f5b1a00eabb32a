"""One future hour by hour, as labelled arrays: `wattbit solve STUDY --hourly FILE`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from model import QUANTITIES, Case, solve_draw, solve_hours
from model.inputs import CURTAILABLE, STORAGE, THERMAL
from model.parameters import WEATHER_YEAR
from model.template import Floats
from sweep.errors import StudyError
from sweep.theta import Theta

SUFFIXES = (".nc", ".csv", ".csv.gz")


def check_hourly_file(path: Path) -> None:
    """Refuse a file that cannot be written, before anything is solved."""
    if not path.name.endswith(SUFFIXES):
        raise StudyError(f"--hourly {path}: expected a file that ends with {', '.join(SUFFIXES)}")
    if not path.absolute().parent.is_dir():
        raise StudyError(f"--hourly {path}: its folder does not exist")


def hours_of(case: Case, theta: Theta, configuration: str, load: Floats | None = None) -> xr.Dataset:
    """Solve one draw and configuration hour by hour.

    Parameters
    ----------
    configuration : str
        One of the case's; of a free one the siting is found first.
    load : (A,) array, GW, optional
        Mean IT load of each area, where the siting is known already; the case need not have the configuration then.

    Returns
    -------
    xarray.Dataset
        ``QUANTITIES`` over day, hour and area, fuel, source, storage or line; with ``weight``, how many days of the year a day
        stands for, and ``load``, the mean IT load of each area [GW]. Optima among equals may differ from those of a cube.
    """
    if load is None:
        load = _load_of(case, theta, configuration)
    days = case.days[str(theta[WEATHER_YEAR])]
    hours = solve_hours(case, theta, load)
    attributes = {name: {"units": each.unit, "long_name": each.meaning} for name, each in QUANTITIES.items()}
    data = {name: (("day", "hour", *QUANTITIES[name].dims), values, attributes[name]) for name, values in hours.items()}
    return xr.Dataset(
        {**data, "weight": ("day", days.weight), "load": ("area", load, {"units": "GW"})},
        coords={
            "day": days.day,
            "hour": np.arange(24),
            "area": list(case.inputs.areas),
            "fuel": list(THERMAL),
            "source": list(CURTAILABLE),
            "storage": list(STORAGE),
            "line": list(case.inputs.lines.names),
        },
        attrs={"configuration": configuration, "weather_year": str(theta[WEATHER_YEAR])},
    )


def _load_of(case: Case, theta: Theta, configuration: str) -> Floats:
    found = next(each for each in case.configurations if each.name == configuration)
    if found.shares is not None:
        fixed: Floats = float(theta["dc_demand"]) * found.shares.sum(axis=1)
        return fixed
    capacity = solve_draw(case, theta)["dc_capacity"][case.configurations.index(found)]
    sited: Floats = capacity.sum(axis=1) * case.inputs.scalars["load_factor"]
    return sited


def write_hours(hours: xr.Dataset, path: Path) -> None:
    """Write hours as NetCDF, or as CSV with a row for each hour and a column for each quantity of an area or line."""
    if path.name.endswith(".nc"):
        hours.to_netcdf(path, engine="scipy")
        return
    columns = {}
    for name in QUANTITIES:
        array = hours[name].stack(row=("day", "hour"))
        dims = [dim for dim in array.dims if dim != "row"]
        flat = array.stack(member=dims).transpose("row", "member")
        for position, label in enumerate(flat["member"].to_numpy()):
            columns[".".join((name, *map(str, label)))] = flat.to_numpy()[:, position]
    rows = pd.MultiIndex.from_product([hours["day"].to_numpy(), hours["hour"].to_numpy()], names=["day", "hour"])
    pd.DataFrame(columns, index=rows).round(6).to_csv(path)
