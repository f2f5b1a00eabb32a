"""Numbers of docs/validation.md that come from cubes of 2040: what options and omissions do, where the published figure lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from report.validation_figures import LINK, PUBLISHED, Floats, renewables

SAVING = "saving_fuel_co2"
NEAR = 15.0  # billion yen: draws within this of the published figure are counted as giving it


def curtailed(cube: xr.Dataset) -> xr.DataArray:
    """Curtailment of the country (draw, configuration) [TWh]."""
    return cube["curtailment"].sum(("area", "technology"))


def option_effects(cubes: Mapping[str, xr.Dataset], configuration: str) -> pd.DataFrame:
    """One row an option: saving of the base draw and mean of the others [billion yen], both as they are and as change.

    The first cube is the specification; draw 0 of each is the base draw.
    """
    rows = {}
    for name, cube in cubes.items():
        saving = cube[SAVING].sel(configuration=configuration).to_numpy()
        reference = str(cube.attrs["reference"])
        lost = curtailed(cube).sel(configuration=[reference, configuration]).isel(draw=0).to_numpy()
        rows[name] = {
            "base": saving[0],
            "others": saving[1:].mean(),
            "curtailed_reference": lost[0],
            "curtailed": lost[1],
        }
    table = pd.DataFrame(rows).T
    each = {name: cube[SAVING].sel(configuration=configuration).to_numpy() for name, cube in cubes.items()}
    first = next(iter(each.values()))
    table["change"] = [values[0] - first[0] for values in each.values()]
    moved = [values[1:] - first[1:] for values in each.values()]
    table["least"], table["most"] = [m.min() for m in moved], [m.max() for m in moved]
    return table


def least_curtailed(cube: xr.Dataset) -> pd.Series:
    """Share of draws in which each configuration curtails least of all; draws with an unsolved one left out."""
    lost = curtailed(cube).transpose("draw", "configuration").to_numpy()
    lost = lost[np.isfinite(cube[SAVING].transpose("draw", "configuration").to_numpy()).all(axis=1)]
    names = [str(c) for c in cube["configuration"].to_numpy()]
    return pd.Series(np.bincount(lost.argmin(axis=1), minlength=len(names)) / len(lost), names)


@dataclass(frozen=True)
class Published:
    """Where the published saving lies among the draws of a cube.

    Attributes
    ----------
    draws, near : int
        Draws, and of these within ``NEAR`` of the published figure.
    quantile, low, high : float
        Share of draws below it, and its 95 % interval (normal, as of independent draws: wider than a Sobol design's).
    with_link : float
        Share below it of the draws with the Japan Sea link in service.
    mean, median : float
        Of the saving.
    least_curtailed : float
        Share of draws in which the configuration curtails least of all.
    ranges : DataFrame
        By parameter: 5 %, 50 %, 95 % of all draws and of those near, and the slope of the saving by one standard
        deviation (linear regression on all parameters), sorted by its size.
    fit : float
        R2 of the regression.
    plane : (constant, per GW, per unit of build-out)
        Regression on DC demand and build-out, over the draws with the link that moves the saving most in service.
    """

    draws: int
    near: int
    quantile: float
    low: float
    high: float
    with_link: float
    mean: float
    median: float
    least_curtailed: float
    ranges: pd.DataFrame
    fit: float
    plane: tuple[float, float, float]


def published(cube: xr.Dataset, configuration: str) -> Published:
    """Place the published figure in a cube of many draws."""
    saving = cube[SAVING].sel(configuration=configuration).to_numpy()
    known = np.isfinite(saving)
    saving = saving[known]
    names = [str(n) for n, v in cube.data_vars.items() if v.dims == ("draw",) and v.dtype.kind == "f"]
    parameters = pd.DataFrame({name: cube[name].to_numpy()[known] for name in names})
    parameters = parameters.loc[:, parameters.std() > 0]
    if "weather_year" in cube:
        parameters["weather_year = fy2019"] = (cube["weather_year"].to_numpy()[known] == "fy2019").astype(float)
    scaled = (parameters - parameters.mean()) / parameters.std()
    design = np.column_stack([np.ones(len(scaled)), scaled.to_numpy()])
    weights, *_ = np.linalg.lstsq(design, saving, rcond=None)
    rest = saving - design @ weights
    close = np.abs(saving - PUBLISHED) < NEAR
    quantiles = parameters.quantile([0.05, 0.5, 0.95]).T
    inside = parameters[close].quantile([0.05, 0.5, 0.95]).T
    ranges = pd.DataFrame(
        {
            "slope": weights[1:],
            **{f"all {q:g}": quantiles[q] for q in (0.05, 0.5, 0.95)},
            **{f"near {q:g}": inside[q] for q in (0.05, 0.5, 0.95)},
        },
        index=parameters.columns,
    )
    ranges = ranges.reindex(ranges["slope"].abs().sort_values(ascending=False).index)
    on = parameters[LINK].to_numpy() == 1 if LINK in parameters else np.ones(saving.size, dtype=bool)
    two = np.column_stack([np.ones(saving.size), parameters["dc_demand"], renewables(cube)[known]])
    plane, *_ = np.linalg.lstsq(two[on], saving[on], rcond=None)
    lost = curtailed(cube).to_numpy()[known]
    place = [str(c) for c in cube["configuration"].to_numpy()].index(configuration)
    share = float((saving < PUBLISHED).mean())
    half = 1.96 * np.sqrt(share * (1 - share) / saving.size)
    return Published(
        draws=saving.size,
        near=int(close.sum()),
        quantile=share,
        low=max(share - half, 0.0),
        high=share + half,
        with_link=float((saving[on] < PUBLISHED).mean()),
        mean=float(saving.mean()),
        median=float(np.median(saving)),
        least_curtailed=float((lost.argmin(axis=1) == place).mean()),
        ranges=ranges,
        fit=float(1 - rest.var() / saving.var()),
        plane=(float(plane[0]), float(plane[1]), float(plane[2])),
    )


def omissions(cube: xr.Dataset, names: tuple[str, ...]) -> pd.DataFrame:
    """One row a draw of the study of omissions: savings of fuel and CO2, and of total cost, by configuration."""
    parts = {"fuel and CO2": SAVING, "total": "saving_total"}
    tables = {
        key: cube[variable].transpose("draw", "configuration").to_pandas().set_axis(list(names), axis=0)
        for key, variable in parts.items()
    }
    return pd.concat(tables, axis=1)


def combinations(cube: xr.Dataset, configuration: str) -> pd.DataFrame:
    """One row a draw of the study of combinations: what differs from the first draw, and the saving [billion yen]."""
    names = [str(n) for n, v in cube.data_vars.items() if v.dims == ("draw",) and v.dtype.kind == "f"]
    values = pd.DataFrame({name: cube[name].to_numpy() for name in names})
    saving = cube[SAVING].sel(configuration=configuration).to_numpy()
    what = []
    for row in range(len(values)):
        differs = {n: values[n][row] for n in names if values[n][row] != values[n][0]}
        built = [n for n in differs if n.endswith("_buildout") and n != "battery_buildout"]
        if len(built) == 3 and len({differs[n] for n in built}) == 1:  # sun and wind alike
            differs = {"sun and wind": differs[built[0]], **{n: v for n, v in differs.items() if n not in built}}
        what.append(", ".join(f"{name} {value:,.4g}" for name, value in differs.items()) or "middle case")
    return pd.DataFrame({"what": what, "saving": saving})


def mean_latency(cube: xr.Dataset, draw: int, users: Floats) -> pd.Series:
    """Mean round trip of all users by configuration [ms], areas by population."""
    table = cube["latency"].isel(draw=draw).transpose("configuration", "area").to_numpy()
    return pd.Series(table @ (users / users.sum()), [str(c) for c in cube["configuration"].to_numpy()])
