"""What the model made of an observed year beside what was observed, by area and by hour: the numbers of docs/validation.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FUELS = ("coal", "lng", "oil")
LEAST_GW = 0.001  # an hour counts as one with curtailment from here on


@dataclass(frozen=True, eq=False)
class Observed:
    """The observed year: totals by area [TWh] and hours (8760, A) [GW], areas in the order of the model.

    ``hours`` has demand, thermal, net_import, curtailment and pumped (storage, + = discharge).
    """

    areas: tuple[str, ...]
    totals: pd.DataFrame
    hours: dict[str, Floats]


def read_observed(folder: Path, areas: tuple[str, ...]) -> Observed:
    """Read ``fy2024_area_totals.csv`` and ``fy2024_hourly.csv.gz``; what an operator does not report counts as 0."""
    totals = pd.read_csv(folder / "fy2024_area_totals.csv").drop(columns="source").set_index("area").fillna(0.0)
    long = pd.read_csv(folder / "fy2024_hourly.csv.gz")
    wide = long.pivot(index="time", columns="area").fillna(0.0)

    def of(name: str) -> Floats:
        return wide[f"{name}_GW"][list(areas)].to_numpy(dtype=np.float64)

    hours = {name: of(name) for name in ("demand", "thermal", "net_import")}
    hours["curtailment"] = of("solar_curtailed") + of("wind_curtailed")
    hours["pumped"] = of("pumped_storage")
    return Observed(areas, totals.loc[list(areas)], hours)


def modelled_hours(hours: xr.Dataset) -> dict[str, Floats]:
    """The model's hours (8760, A) [GW] under the names of :class:`Observed`, all 365 days of weight 1."""
    pumped = hours.sel(storage="pumped_hydro")
    parts = {
        "demand": hours["demand"],
        "thermal": hours["thermal"].sum("fuel"),
        "net_import": hours["net_import"],
        "curtailment": hours["curtailment"],
        "pumped": pumped["discharge"] - pumped["charge"],
    }
    return {
        name: part.transpose("day", "hour", "area").to_numpy().reshape(-1, part.sizes["area"])
        for name, part in parts.items()
    }


def by_area(hours: xr.Dataset, observed: Observed) -> pd.DataFrame:
    """Yearly energy by area [TWh]: columns (quantity, "observed" or "model"), summed over the hours of the model."""
    totals, model = observed.totals, modelled_hours(hours)

    def year(values: Floats) -> pd.Series:
        return pd.Series(values.sum(axis=0) / 1000, observed.areas)

    found: dict[tuple[str, str], pd.Series] = {}
    found["thermal", "observed"], found["thermal", "model"] = totals["thermal"], year(model["thermal"])
    for fuel in FUELS:
        output = hours["thermal"].sel(fuel=fuel).transpose("day", "hour", "area").to_numpy()
        found[fuel, "observed"], found[fuel, "model"] = totals[fuel], year(output.reshape(-1, output.shape[-1]))
    found["unsplit", "observed"] = totals["thermal_other"]
    found["net_import", "observed"], found["net_import", "model"] = totals["net_import"], year(model["net_import"])
    found["curtailment", "observed"] = totals["solar_curtailed"] + totals["wind_curtailed"]
    found["curtailment", "model"] = year(model["curtailment"])
    found["pumped", "observed"] = totals["pumped_generation"]
    found["pumped", "model"] = year(np.maximum(model["pumped"], 0.0))
    return pd.DataFrame(found).loc[list(observed.areas)].fillna(0.0)


@dataclass(frozen=True)
class Misfit:
    """How far a back-cast is off.

    Attributes
    ----------
    national_thermal, coal, lng : float
        Relative error of national energy; coal and LNG beside what the operators split.
    mean_area, mean_area_twh : float
        Mean over areas of the absolute error of thermal energy, relative and in TWh.
    tokyo_thermal, tokyo_import : float
        TWh above what was observed.
    curtailment, pumped : float
        TWh of the model.
    """

    national_thermal: float
    coal: float
    lng: float
    mean_area: float
    mean_area_twh: float
    tokyo_thermal: float
    tokyo_import: float
    curtailment: float
    pumped: float


def misfit(table: pd.DataFrame) -> Misfit:
    """Errors of a table of :func:`by_area`."""
    thermal, seen = table["thermal", "model"], table["thermal", "observed"]
    off = (thermal - seen).abs()

    def relative(name: str) -> float:
        return float(table[name, "model"].sum() / table[name, "observed"].sum() - 1)

    imports = table["net_import", "model"] - table["net_import", "observed"]
    return Misfit(
        national_thermal=relative("thermal"),
        coal=relative("coal"),
        lng=relative("lng"),
        mean_area=float((off / seen).mean()),
        mean_area_twh=float(off.mean()),
        tokyo_thermal=float((thermal - seen)["Tokyo"]),
        tokyo_import=float(imports["Tokyo"]),
        curtailment=float(table["curtailment", "model"].sum()),
        pumped=float(table["pumped", "model"].sum()),
    )


def by_hour(model: dict[str, Floats], observed: Observed) -> pd.DataFrame:
    """Hourly errors by area: correlation and root mean square error [GW] of thermal and net imports, curtailed hours."""
    rows = {}
    for place, area in enumerate(observed.areas):
        row: dict[str, float] = {}
        for name in ("thermal", "net_import"):
            found, seen = model[name][:, place], observed.hours[name][:, place]
            row[f"{name}_rmse"] = float(np.sqrt(np.mean((found - seen) ** 2)))
            varies = min(found.std(), seen.std()) > 1e-6
            row[f"{name}_correlation"] = float(np.corrcoef(found, seen)[0, 1]) if varies else np.nan
        row["hours_observed"] = float((observed.hours["curtailment"][:, place] > LEAST_GW).sum())
        row["hours_model"] = float((model["curtailment"][:, place] > LEAST_GW).sum())
        rows[area] = row
    return pd.DataFrame(rows).T


def at_most(hours: Mapping[str, Floats], area: str, observed: Observed) -> float:
    """Share of hours in which an area sends as much as in any hour of the month, to ``LEAST_GW``: how long it is at a limit."""
    sent = -hours["net_import"][:, observed.areas.index(area)]
    month = pd.date_range("2024-04-01", periods=sent.size, freq="h").month  # FY2024 has no 29 February
    most = pd.Series(sent).groupby(month).transform("max")
    return float((sent >= most - LEAST_GW).mean())
