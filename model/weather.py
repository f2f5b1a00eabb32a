"""Reads one observed weather year: hourly demand, capacity factors and hydro of every area, 365 days of 24 hours."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.errors import InputError
from model.tables import missing_column, read_frame

DAYS, HOURS = 365, 24
CAPACITY_FACTORS = ("solar_cf", "wind_onshore_cf", "wind_offshore_cf")
COLUMNS = ("time", "area", "demand_GW", *CAPACITY_FACTORS, "hydro_GW")


@dataclass(frozen=True, eq=False)
class WeatherYear:
    """Hourly means of one fiscal year; day 0 is 1 April, 29 February is dropped.

    Attributes
    ----------
    demand : (365, 24, A) array, GW
        Observed demand; only its shape is used, the level comes from the areas table.
    capacity_factor : (365, 24, A, 3) array in 0..1
        Solar, onshore wind, offshore wind, before curtailment.
    hydro : (365, 24, A) array, GW
    """

    demand: NDArray[np.float64]
    capacity_factor: NDArray[np.float64]
    hydro: NDArray[np.float64]


KEPT = 6  # weather years, 4 MB each
_read_before: dict[tuple[str, str, tuple[str, ...]], WeatherYear] = {}


def read_weather_year(path: Path, areas: tuple[str, ...]) -> WeatherYear:
    """Read and check an hourly table (long form: time, area, then values).

    A table that this process has read before, by its content, is not parsed again; its arrays may only be read.

    Raises
    ------
    InputError
        A missing column, area or hour (named), a value that is no number or out of range.
    """
    content = path.read_bytes() if path.is_file() else b""
    key = (hashlib.sha256(content).hexdigest(), path.name, areas)
    if key not in _read_before:
        year = _parsed(path, areas)
        for array in (year.demand, year.capacity_factor, year.hydro):
            array.setflags(write=False)
        if len(_read_before) >= KEPT:
            del _read_before[next(iter(_read_before))]
        _read_before[key] = year
    return _read_before[key]


def _parsed(path: Path, areas: tuple[str, ...]) -> WeatherYear:
    frame = read_frame(path)
    for column in COLUMNS:
        if column not in frame.columns:
            raise missing_column(path.name, column, frame.columns)
    if frame.empty:
        raise InputError(path.name, "rows", 0, f"{DAYS * HOURS} hours for each area")
    for name in frame["area"].unique():
        if name not in areas:
            raise InputError(path.name, "area", name, f"one of {', '.join(areas)}", areas)
    expected = _hours(str(frame["time"].iloc[0]), path)
    stamps = pd.to_datetime(frame["time"].astype(str).str.slice(0, 16), errors="coerce")
    if stamps.isna().any():
        raise InputError(
            path.name, "time", frame["time"][stamps.isna()].iloc[0], "a time such as 2024-04-01T00:00+09:00"
        )
    arrays = {}
    for column in COLUMNS[2:]:
        high = 1.0 if column in CAPACITY_FACTORS else np.inf
        values = pd.to_numeric(frame[column], errors="coerce")
        bad = ~(values.between(0.0, high) & np.isfinite(values))
        if bad.any():
            row = int(bad.argmax())
            where = f"{column}[{frame['time'].iloc[row]}/{frame['area'].iloc[row]}]"
            raise InputError(path.name, where, frame[column].iloc[row], f"a number in 0..{high:g}")
        arrays[column] = values
    keyed = pd.MultiIndex.from_arrays([stamps, frame["area"]])
    if keyed.has_duplicates:
        raise InputError(path.name, "time/area", keyed[keyed.duplicated()][0], "each hour of an area once")
    whole = pd.MultiIndex.from_product([expected, list(areas)])
    missing = whole.difference(keyed, sort=False)
    if len(missing):
        hour, area = missing[0]
        found = f"{len(missing)} hours missing, the first {hour:%Y-%m-%dT%H:%M} in {area}"
        raise InputError(path.name, "time", found, f"{DAYS * HOURS} hours for each area, 29 February left out")
    extra = keyed.difference(whole, sort=False)
    if len(extra):
        hour, area = extra[0]
        raise InputError(
            path.name, "time", f"{hour:%Y-%m-%dT%H:%M} in {area}", "an hour of the fiscal year, no 29 February"
        )
    order = keyed.get_indexer(whole)

    def shaped(column: str) -> NDArray[np.float64]:
        return arrays[column].to_numpy(dtype=np.float64)[order].reshape(DAYS, HOURS, len(areas))

    demand = shaped("demand_GW")
    _check_demand(demand, areas, path)
    return WeatherYear(
        demand=demand,
        capacity_factor=np.stack([shaped(c) for c in CAPACITY_FACTORS], axis=-1),
        hydro=shaped("hydro_GW"),
    )


def _check_demand(demand: NDArray[np.float64], areas: tuple[str, ...], path: Path) -> None:
    """Refuse an area without demand in any hour: that of 2040 is spread over the hours by it."""
    for area, total in zip(areas, demand.sum(axis=(0, 1)), strict=True):
        if total <= 0:
            raise InputError(path.name, f"demand_GW[{area}]", float(total), "a demand above 0 in some hour")


def _hours(first: str, path: Path) -> pd.DatetimeIndex:
    """The 8,760 hours of the fiscal year in which ``first`` lies, without 29 February."""
    try:
        start = pd.Timestamp(first[:16])
    except ValueError as fault:
        raise InputError(path.name, "time", first, "a time such as 2024-04-01T00:00+09:00") from fault
    year = start.year if start.month >= 4 else start.year - 1
    hours = pd.date_range(f"{year}-04-01", f"{year + 1}-03-31 23:00", freq="h")
    return hours[~((hours.month == 2) & (hours.day == 29))]
