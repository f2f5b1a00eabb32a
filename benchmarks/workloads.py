"""The registry of workloads: studies from two draws of two days to a full year, on the ten areas or on two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from model.inputs import SHIPPED
from sweep.plan import Plan, make_plan
from sweep.study import CONFIGURATIONS, Study

TWO_AREAS = ("Tokyo", "Kansai")
AREAS = (2, 10)
TWO_DAYS = "weather_year,day,weight\nfy2019,110,182\nfy2019,290,183\nfy2024,110,182\nfy2024,290,183\n"


@dataclass(frozen=True)
class Workload:
    """A study to measure: draws, days and configurations.

    Attributes
    ----------
    batch : int
        Draws per batch.
    runners : tuple of str
        What is measured on it unless told otherwise.
    """

    draws: int
    days: Mapping[str, Any]
    configurations: tuple[str, ...]
    batch: int
    runners: tuple[str, ...]


WORKLOADS = {
    "small": Workload(
        draws=2,
        days={"file": "days.csv"},
        configurations=("tokyo_osaka", "five_hubs", "optimal"),
        batch=1,
        runners=("ours", "persistent", "rebuild"),
    ),
    "default": Workload(
        draws=32,
        days={"number": 12, "method": "clusters"},
        configurations=CONFIGURATIONS,
        batch=16,  # some twenty seconds of solving
        runners=("ours", "persistent", "rebuild", "ours_ray", "ema_workbench", "parameter_sweep"),
    ),
    "full_year": Workload(draws=1, days={"all": True}, configurations=CONFIGURATIONS, batch=1, runners=("ours",)),
}


def study_of(name: str, areas: int = 10, draws: int | None = None) -> dict[str, Any]:
    """The study of a workload, as its author would write it.

    Parameters
    ----------
    areas : {10, 2}
    draws : int, optional
        In place of the workload's own number.
    """
    workload = WORKLOADS[name]
    study: dict[str, Any] = {
        "name": f"{name}_{areas}",
        "configurations": list(workload.configurations),
        "siting": "tiers",
        "batch": workload.batch,
        "design": {"kind": "sobol", "draws": draws or workload.draws, "seed": 2040},
        "days": dict(workload.days),
    }
    if areas == len(TWO_AREAS):
        tables = ("areas", "capacity", "configurations", "interconnectors", "uncertainty")
        hourly = {year: f"{year}.csv" for year in ("fy2019", "fy2024")}
        study["inputs"] = {**{table: f"{table}.csv" for table in tables}, "hourly": hourly}
    return study


def make_workload(name: str, folder: Path, areas: int = 10, draws: int | None = None) -> Plan:
    """Plan a workload; its own tables are written into ``folder``."""
    (folder / "days.csv").write_text(TWO_DAYS)
    if areas == len(TWO_AREAS):
        _write_two_areas(folder)
    return make_plan(Study.model_validate(study_of(name, areas, draws)), folder)


def _write_two_areas(folder: Path) -> None:
    """Tokyo and Kansai cut out of the shipped tables, with one line between them.

    Shares of each configuration are scaled to the two; grid headroom is doubled, so that it holds the load of a nation.
    """

    def cut(path: Path) -> pd.DataFrame:
        table = pd.read_csv(path)
        return table[table["area"].isin(TWO_AREAS)]

    areas, shares = cut(SHIPPED / "areas.csv"), cut(SHIPPED / "configurations.csv")
    areas["grid_headroom_GW"] *= 2
    shares["share"] /= shares.groupby("configuration")["share"].transform("sum")
    uncertainty, lines = (pd.read_csv(SHIPPED / f"{table}.csv") for table in ("uncertainty", "interconnectors"))
    tables = {
        "areas": areas,
        "capacity": cut(SHIPPED / "capacity_2040.csv"),
        "configurations": shares,
        "interconnectors": pd.DataFrame(
            [("tokyo_kansai", *TWO_AREAS, 3.0, 3.0, "")],
            columns=["line", "from", "to", "forward_GW", "backward_GW", "switch"],
        ),
        "uncertainty": uncertainty[~uncertainty["name"].isin(lines["switch"].dropna())],
    }
    tables |= {year: cut(SHIPPED / "hourly" / f"{year}.csv.gz") for year in ("fy2019", "fy2024")}
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
