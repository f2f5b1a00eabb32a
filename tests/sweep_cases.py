"""Small studies for the tests of the sweep: their files, their plans, the command line, and what a folder holds."""

from __future__ import annotations

import csv
import gzip
import json
from contextlib import chdir
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from model.inputs import SHIPPED
from sweep.cli import main
from sweep.plan import Plan, make_plan
from sweep.study import read_study

DRAWS = 5
DAYS = {"fy2019": 2, "fy2024": 1}  # days of each weather year in days.csv
STUDY = f"""\
name = "small"
configurations = ["tokyo_osaka", "five_hubs"]
batch = 2

[design]
kind = "sobol"
draws = {DRAWS}
seed = 7

[days]
file = "days.csv"
"""
DAYS_TABLE = "weather_year,day,weight\nfy2019,10,200\nfy2019,200,165\nfy2024,300,365\n"
OWN_DESIGN = f'kind = "sobol"\ndraws = {DRAWS}\nseed = 7', 'kind = "file"\nfile = "futures.csv"'
WITH_OPTIMAL = '"five_hubs"]', '"five_hubs", "optimal"]'
WITH_NORTH = '"five_hubs"]', '"five_hubs", "north"]'
NORTH = '[free.north]\nareas = ["Hokkaido", "Tohoku", "Tokyo", "Kyushu"]\n'  # room for every draw, and soon solved
TOO_SMALL = '[free.north]\nareas = ["Okinawa"]\n'  # grid headroom for 0.5 GW of contract
Edit = tuple[str, str]


def write_study(folder: Path, *edits: Edit, more: str = "") -> Path:
    """Write study.toml and days.csv; each edit replaces a text that is there once, ``more`` comes at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    text = STUDY
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "days.csv").write_text(DAYS_TABLE)
    study = folder / "study.toml"
    study.write_text(text + more)
    return study


def write_own_table(folder: Path, table: str, *edits: Edit) -> None:
    """Write my_<table>.csv, the shipped table with each edit made; an hourly table is unpacked."""
    packed = SHIPPED / "hourly" / f"{table}.csv.gz"
    text = gzip.decompress(packed.read_bytes()).decode() if packed.exists() else (SHIPPED / f"{table}.csv").read_text()
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"my_{table}.csv").write_text(text)


def plan_of(study: Path, draws: int | None = None) -> Plan:
    return make_plan(read_study(study, draws), study.parent)


def wattbit(folder: Path, *arguments: str) -> Result:
    """Call the command line in a folder; an exception that it lets through is raised here."""
    with chdir(folder):
        return CliRunner().invoke(main, arguments, catch_exceptions=False)


def strict_json(text: str) -> Any:
    """Parse JSON as the standard has it: NaN and Infinity are no JSON."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, by its name relative to it."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def files_outside_run(store: Path) -> dict[str, bytes]:
    return {name: content for name, content in files(store).items() if not name.startswith("run/")}


def commit_record(store: Path, batch: int) -> Path:
    return store / "run" / "commits" / f"{batch:06d}.json"


def mids() -> dict[str, float | str]:
    """Return the value of every parameter that nobody sets."""
    with (SHIPPED / "uncertainty.csv").open(encoding="utf-8") as stream:
        rows = {row["name"]: row["mid"] for row in csv.DictReader(stream)}
    return {name: mid if name == "weather_year" else float(mid) for name, mid in rows.items()}
