"""Input tables of a small study as files, single faults to put into them, and the check of the error that must follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from model import InputError, InputsSpec
from model.inputs import SHIPPED
from model.weather import WeatherYear
from tests.cases import THETA, YEAR, small_weather

Tables = dict[str, pd.DataFrame]
Edit = Callable[[Tables], None]
GOOD: dict[str, float | str] = {**THETA, "new_link": 1.0}  # a draw of the small study


def two_area_tables() -> Tables:
    """Input tables of a small valid study: Tokyo and Kansai with a bit of everything; without the hourly one."""
    capacity = {
        "coal": (4, 2),
        "lng": (8, 6),
        "oil": (1, 1),
        "solar": (6, 4),
        "wind_onshore": (1, 1),
        "wind_offshore": (1, 0),
        "pumped_hydro": (1, 1),
        "battery": (1, 0.5),
        "pumped_hydro_energy_GWh": (8, 8),
        "battery_energy_GWh": (4, 2),
        "nuclear": (1, 2),
        "biomass": (0.5, 0.5),
        "geothermal": (0.1, 0),
    }
    shares = {"both": (0.6, 0.4), "tokyo": (1.0, 0.0)}
    areas = ("Tokyo", "Kansai")
    return {
        "areas": pd.DataFrame(
            {
                "area": areas,
                "lat": (35.69, 34.69),
                "lon": (139.69, 135.5),
                "population_m": (45.0, 20.0),
                "pue": (1.25, 1.2),
                "dc_capex_bn_yen_per_GW": (2200.0, 2000.0),
                "grid_headroom_GW": (20.0, 10.0),
                "demand_2040_TWh": (60.0, 40.0),
            }
        ),
        "capacity": pd.DataFrame(
            [(a, t, v[n]) for n, a in enumerate(areas) for t, v in capacity.items()],
            columns=["area", "technology", "capacity_GW"],
        ),
        "configurations": pd.DataFrame(
            [(c, a, "any", s[n]) for c, s in shares.items() for n, a in enumerate(areas)],
            columns=["configuration", "area", "tier", "share"],
        ),
        "fuels": pd.read_csv(SHIPPED / "fuels.csv"),
        "interconnectors": pd.DataFrame(
            [("link", "Tokyo", "Kansai", 2.0, 1.5, "new_link")],
            columns=["line", "from", "to", "forward_GW", "backward_GW", "switch"],
        ),
        "tiers": pd.read_csv(SHIPPED / "tiers.csv"),
        "workloads": pd.DataFrame(
            {"class": ("realtime", "batch"), "share": (0.4, 0.6), "latency_limit_ms": ("20", "")}
        ),
    }


def hourly_table(areas: Sequence[str], weather: WeatherYear | None = None) -> pd.DataFrame:
    """A weather year as the hourly table of an input file."""
    weather = weather or small_weather(len(areas))
    hours = pd.date_range("2030-04-01", "2031-03-31 23:00", freq="h").strftime("%Y-%m-%dT%H:%M+09:00")
    columns = [weather.demand, *np.moveaxis(weather.capacity_factor, -1, 0), weather.hydro]
    names = ["demand_GW", "solar_cf", "wind_onshore_cf", "wind_offshore_cf", "hydro_GW"]
    index = {"time": np.repeat(hours, len(areas)), "area": np.tile(areas, len(hours))}
    return pd.DataFrame({**index, **{n: c.ravel() for n, c in zip(names, columns, strict=True)}})


def write_tables(folder: Path, tables: Tables, **spec: Any) -> InputsSpec:
    """Write the tables into ``folder`` and return the spec that reads them (paths relative to the folder)."""
    paths = {}
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        paths[name] = f"{name}.csv"
    hourly = {YEAR: paths.pop("hourly")} if "hourly" in paths else {}
    return InputsSpec(**{"hourly": hourly, **paths, **spec})


def write_study(folder: Path) -> Path:
    """Write every table of the study, the hourly one too, and return the folder."""
    tables = two_area_tables()
    write_tables(folder, {**tables, "hourly": hourly_table(tuple(tables["areas"]["area"]))})
    return folder


def spec(**changes: Any) -> InputsSpec:
    tables = ("areas", "capacity", "configurations", "fuels", "interconnectors", "tiers", "workloads")
    paths: dict[str, Any] = {name: f"{name}.csv" for name in tables}
    return InputsSpec(**{**paths, "hourly": {YEAR: "hourly.csv"}, **changes})


def put(table: str, row: int | slice, column: str, value: object) -> Edit:
    """An edit that sets a cell, or with slice(None) a column."""

    def edit(tables: Tables) -> None:
        frame = tables[table].astype(object)
        frame.loc[row, column] = value
        tables[table] = frame

    return edit


def put_at(table: str, key: str, name: str, column: str, value: object) -> Edit:
    """An edit that sets the cell of ``column`` in the row whose ``key`` is ``name``."""

    def edit(tables: Tables) -> None:
        row = int((tables[table][key] == name).to_numpy().argmax())
        put(table, row, column, value)(tables)

    return edit


def rename(table: str, column: str, other: str) -> Edit:
    def edit(tables: Tables) -> None:
        tables[table] = tables[table].rename(columns={column: other})

    return edit


def drop(table: str, row: int) -> Edit:
    def edit(tables: Tables) -> None:
        tables[table] = tables[table].drop(index=row)

    return edit


def repeat(table: str, row: int) -> Edit:
    def edit(tables: Tables) -> None:
        tables[table] = pd.concat([tables[table], tables[table].iloc[[row]]])

    return edit


def empty(table: str) -> Edit:
    def edit(tables: Tables) -> None:
        tables[table] = tables[table].iloc[:0]

    return edit


def check(fault: InputError, where: str, key: str, found: object, expected: str, nearest: str | None) -> None:
    """Compare an error's parts, and that its message holds them all."""
    assert (fault.where, fault.key, fault.found, fault.nearest) == (where, key, found, nearest)
    assert expected in fault.expected
    message = str(fault)
    for part in (where, key, repr(found), expected, *([f"did you mean {nearest!r}?"] if nearest else [])):
        assert part in message
