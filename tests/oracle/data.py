"""Read the data tables as they are on disk and turn one draw's parameters into the figures of the equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.oracle.dispatch import HOURS, Day, System
from tests.oracle.program import Floats

THERMAL = ("coal", "lng", "oil")
RENEWABLE = ("solar", "wind_onshore", "wind_offshore")
STORAGE = ("pumped_hydro", "battery")
DAYS = 365
# The parameters that may also be given for one area, as in solar_buildout_Tokyo.
BY_AREA = tuple(f"{technology}_buildout" for technology in RENEWABLE)


@dataclass(frozen=True)
class Data:
    """The tables of the data folder, each indexed by its first column.

    Attributes
    ----------
    areas, lines, fuels, tiers, workloads : DataFrame
        One row per area, line, technology, tier and class of work.
    capacity : DataFrame
        `capacity_GW` by area (rows) and technology (columns); storage energy in GWh.
    scalars : dict
        Value by name.
    mid : dict
        Default of every uncertain parameter.
    configurations : dict
        Rows (area, tier, share of D) by name of the fixed configuration.
    hourly : dict
        Per weather year, per column of the hourly table, an array (day, hour, area).
    """

    areas: pd.DataFrame
    lines: pd.DataFrame
    fuels: pd.DataFrame
    tiers: pd.DataFrame
    workloads: pd.DataFrame
    capacity: pd.DataFrame
    scalars: dict[str, float]
    mid: dict[str, Any]
    configurations: dict[str, list[tuple[str, str, float]]]
    hourly: dict[str, dict[str, Floats]]

    def theta(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Complete a draw by the defaults; refuse unknown names and shares that sum to more than 1."""
        per_area = {f"{name}_{area}": 1.0 for name in BY_AREA for area in self.areas.index}
        known: dict[str, Any] = {**self.mid, **per_area}
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise KeyError(f"no such uncertain parameter: {unknown}")
        theta = {**known, **given}
        movable = theta["wls_time_share"] + theta["wls_space_share"]
        if movable > 1:
            raise ValueError(f"wls_time_share + wls_space_share is {movable}, expected at most 1")
        return theta

    def settings(self, given: Mapping[str, float] | None) -> dict[str, float]:
        """Scalars with overrides; `committed_floor`, where given, replaces that of every committed fuel."""
        given = given or {}
        unknown = sorted(set(given) - set(self.scalars) - {"committed_floor"})
        if unknown:
            raise KeyError(f"no such scalar: {unknown}")
        return {**self.scalars, **given}


def load(folder: str | Path) -> Data:
    """Read every table of `folder`."""
    folder = Path(folder)

    def table(name: str) -> pd.DataFrame:
        frame = pd.read_csv(folder / f"{name}.csv")
        return frame.set_index(frame.columns[0])

    areas = table("areas")
    capacity = pd.read_csv(folder / "capacity_2040.csv").pivot(index="area", columns="technology", values="capacity_GW")
    shares = pd.read_csv(folder / "configurations.csv")
    uncertain = table("uncertainty")
    return Data(
        areas=areas,
        lines=table("interconnectors"),
        fuels=table("fuels"),
        tiers=table("tiers"),
        workloads=table("workloads"),
        capacity=capacity.loc[areas.index],
        scalars={str(name): float(value) for name, value in table("scalars")["value"].items()},
        mid={str(n): v if n == "weather_year" else float(v) for n, v in uncertain["mid"].items()},
        configurations={
            str(name): list(zip(rows["area"], rows["tier"], rows["share"].astype(float), strict=True))
            for name, rows in shares.groupby("configuration", sort=False)
        },
        hourly={
            path.name.split(".")[0]: _hourly(path, list(areas.index))
            for path in sorted((folder / "hourly").glob("*.csv.gz"))
        },
    )


def _hourly(path: Path, areas: list[str]) -> dict[str, Floats]:
    frame = pd.read_csv(path)
    wide = frame.pivot(index="time", columns="area")
    return {
        name: wide[name][areas].to_numpy(dtype=np.float64).reshape(DAYS, HOURS, len(areas))
        for name in frame.columns.drop(["time", "area"])
    }


def power_system(data: Data, theta: Mapping[str, Any], settings: Mapping[str, float]) -> System:
    """Section 3's constants of one draw: all that does not depend on the day."""
    thermal = data.fuels.loc[list(THERMAL)]
    stores = data.fuels.loc[list(STORAGE)]
    capacity, tokyo = data.capacity, float(data.areas["pue"]["Tokyo"])
    floor = thermal["committed_floor"].to_numpy(dtype=np.float64)
    if "committed_floor" in settings:
        floor = np.full(len(THERMAL), settings["committed_floor"])
    variable = {
        "coal": theta["coal_fuel_cost"],
        "lng": theta["lng_fuel_cost"],
        "oil": thermal["variable_cost_yen_per_kWh"]["oil"],
    }
    derate = {"pumped_hydro": settings["pumped_derate"], "battery": theta["battery_buildout"]}
    # A line without a switch exists always.
    exists = np.array([1.0 if pd.isna(s) else float(theta[s]) for s in data.lines["switch"]])
    number = {area: position for position, area in enumerate(data.areas.index)}
    availability = data.fuels["availability"]
    return System(
        areas=tuple(data.areas.index),
        thermal=THERMAL,
        renewable=RENEWABLE,
        storage=STORAGE,
        lines=tuple(data.lines.index),
        pue=tokyo + theta["pue_gap"] * (data.areas["pue"].to_numpy() - tokyo),
        capacity=capacity[list(THERMAL)].to_numpy(),
        availability=thermal["availability"].to_numpy(),
        committed_floor=floor,
        minimum_output=thermal["min_output_share"].to_numpy(),
        variable_cost=np.array([float(variable[g]) for g in THERMAL]),
        emission=thermal["co2_kg_per_kWh"].to_numpy(),
        co2_price=theta["co2_price"],
        nuclear=availability["nuclear"] * capacity["nuclear"].to_numpy() * theta["nuclear_capacity"],
        nuclear_cost=float(data.fuels["variable_cost_yen_per_kWh"]["nuclear"]),
        mustrun=(
            capacity["biomass"] * availability["biomass"] + capacity["geothermal"] * availability["geothermal"]
        ).to_numpy(),
        power=np.stack([capacity[s].to_numpy() * derate[s] for s in STORAGE], axis=1),
        energy=np.stack([capacity[f"{s}_energy_GWh"].to_numpy() * derate[s] for s in STORAGE], axis=1),
        efficiency=np.sqrt(stores["round_trip_efficiency"].to_numpy()),
        line_from=np.array([number[a] for a in data.lines["from"]]),
        line_to=np.array([number[a] for a in data.lines["to"]]),
        forward=data.lines["forward_GW"].to_numpy() * exists * theta["transfer_derate"],
        backward=data.lines["backward_GW"].to_numpy() * exists * theta["transfer_derate"],
        time_share=theta["wls_time_share"],
        space_share=theta["apn_adoption"] * theta["wls_space_share"],
        headroom=settings["headroom"],
        storage_cost=settings["storage_cost"],
        flow_cost=settings["flow_cost"],
        time_cost=settings["tie_breaker_time_shift"],
        space_cost=settings["tie_breaker_space_shift"],
        voll=settings["voll"],
        spill_cost=settings["spill_cost"],
    )


def weather_day(data: Data, theta: Mapping[str, Any], number: int) -> Day:
    """Hourly demand, hydro and available renewable power of day `number` (0 = 1 April) in the draw's weather year."""
    hourly = data.hourly[theta["weather_year"]]
    # GW of hourly means sum to GWh; the year's sum is set to demand_2040_TWh.
    year = hourly["demand_GW"].sum(axis=(0, 1)) / 1000
    demand = hourly["demand_GW"][number] * (data.areas["demand_2040_TWh"].to_numpy() / year) * theta["demand_growth"]
    available = []
    for technology in RENEWABLE:
        name = f"{technology}_buildout"
        local = np.array([theta[f"{name}_{area}"] for area in data.areas.index])
        capacity = data.capacity[technology].to_numpy() * theta[name] * local
        available.append((hourly[f"{technology}_cf"][number] * capacity).T)
    return Day(demand=demand.T, hydro=hourly["hydro_GW"][number].T, renewable=np.stack(available, axis=1))
