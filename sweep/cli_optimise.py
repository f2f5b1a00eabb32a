"""Command `wattbit optimise`: the one siting that is best over all draws of a cube, and the table to sweep it with."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from pathlib import Path

import click

from storage import Place, local_tables, open_cube
from sweep.cli_options import AS_JSON, STORE, WORKERS, Finite
from sweep.ending import DONE, WITH_FAILURES, refusing
from sweep.errors import RunStoppedError, StudyError
from sweep.executors import WorkersLostError
from sweep.optimise import BILLION, ROUNDS, Record, Request, optimise, read_goal
from sweep.robust import Round
from sweep.siting_text import optimise_text
from sweep.study import LABEL


@click.command("optimise")
@STORE
@click.option(
    "--measure",
    default="mean",
    show_default=True,
    metavar="MEASURE",
    help="What is made least: mean, cvar:LEVEL, worst, regret (the largest) or regret_cvar:LEVEL, of total cost.",
)
@click.option("--lambda", "weight", type=Finite(min=0, min_open=True), help="Mean + so many times MEASURE.")
@click.option(
    "--budget", multiple=True, metavar="MEASURE=NUMBER", help="What must hold too; may be given several times."
)
@click.option(
    "--draws", type=click.IntRange(min=1), help="Decide for the first N draws; the others judge. Default: all."
)
@click.option("--gap", type=Finite(min=1e-9, max=1), default=1e-3, show_default=True, help="Relative gap.")
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=ROUNDS,
    show_default=True,
    help="End after so many, whatever the gap.",
)
@click.option(
    "--cover",
    type=Finite(min=0, max=1, min_open=True),
    default=1.0,
    show_default=True,
    help="Share of the draws, by demand, in which headroom and site rules must hold.",
)
@click.option(
    "--free", metavar="NAME", help="The free configuration whose areas and tiers may be used; default: optimal."
)
@click.option(
    "--near",
    metavar="MORE,...",
    help="Also the space of plans that are at most so much worse: 2 is percent, 20bn billion yen a year.",
)
@click.option(
    "--replications",
    type=click.IntRange(min=2),
    metavar="R",
    help="Also the gap to the true optimum, from the design's replicates or R parts of independent draws.",
)
@click.option("--quick", is_flag=True, help="No siting of the mean draw and of least mean cost to compare with.")
@click.option(
    "--export", type=click.Path(path_type=Path), help="Write the cube's configurations and this one, to sweep."
)
@click.option("--name", default="robust", show_default=True, help="What it is called there.")
@click.option("--serial", is_flag=True, help="Solve in this process, without Ray.")
@click.option("--address", help="A running Ray cluster; default: $RAY_ADDRESS, else a Ray of its own.")
@WORKERS
@AS_JSON
@refusing
def optimise_command(
    store: Place,
    measure: str,
    weight: float | None,
    budget: tuple[str, ...],
    draws: int | None,
    gap: float,
    rounds: int,
    cover: float,
    free: str | None,
    near: str | None,
    replications: int | None,
    quick: bool,
    export: Path | None,
    name: str,
    serial: bool,
    address: str | None,
    workers: int | None,
    as_json: bool,
) -> int:
    """Compute the one siting, decided before the draw is known, that is best over all draws of a cube."""
    if serial and address:
        raise StudyError("--serial and --address: found both, expected one of them")
    request = Request(
        goal=read_goal(measure, weight, budget),
        gap=gap,
        rounds=rounds,
        draws=draws,
        cover=cover,
        free=free,
        near=_near(near),
        replications=replications or 0,
        worth=not quick,
    )
    table = None if export is None else _checked(store, export, name)
    how = address or (None if serial else os.environ.get("RAY_ADDRESS"))
    try:
        record = optimise(store, request, serial=serial, workers=workers, address=how, tell=_tell)
    except (RunStoppedError, WorkersLostError) as fault:
        click.echo(f"wattbit: stopped: {fault}; what was evaluated is kept, the same line again goes on", err=True)
        return WITH_FAILURES
    if export is not None and table is not None:
        export.write_text(table + configuration_rows(record, name), encoding="utf-8")
        click.echo(
            f"configurations {export}: [inputs] configurations = {str(export)!r}, and {name!r} in the list", err=True
        )
    click.echo(json.dumps(record, indent=1, allow_nan=False) if as_json else optimise_text(record))
    return DONE


def _tell(what: str, each: Round | str) -> None:
    if isinstance(each, Round):
        each = (
            f"{each.phase} round, {each.lower:.6g} to {each.upper:.6g}, gap {each.gap:.2%}, "
            f"{each.evaluated} evaluated, {each.spared} spared"
        )
    click.echo(f"{what}: {each}", err=True)


def _near(text: str | None) -> tuple[tuple[float, str], ...]:
    """By how much plans may be worse, each with its unit: 2 is percent, 20bn billion yen a year."""
    found = []
    for part in [] if text is None else text.split(","):
        amount, unit = (part.strip().removesuffix(BILLION), BILLION) if part.strip().endswith(BILLION) else (part, "%")
        try:
            value = float(amount)
        except ValueError:
            value = -1.0
        if not 0 < value < (math.inf if unit == BILLION else 100 + 1e-9):
            raise StudyError(
                f"--near: found {text!r}, expected percents above 0 to 100 or amounts in billion yen, such as 1,2,5 or 20bn"
            )
        found.append((value, unit))
    return tuple(found)


def _checked(store: Place, export: Path, name: str) -> str:
    """The cube's own table of configurations, in which the name must be free, if it can be written to the file."""
    if not LABEL.fullmatch(name):
        raise StudyError(f"--name: found {name!r}, expected at most 100 letters, digits and . _ -")
    if name in open_cube(store).attrs["free_configurations"]:
        raise StudyError(f"--name: found {name!r}, which {store} has as a free configuration, expected another name")
    table = _refuse_taken(store, name)
    if not export.parent.is_dir():
        raise StudyError(f"--export: found {export}, expected a file in a folder that is there")
    if export.exists() and not (export.is_file() and _is_export(export.read_bytes(), table.encode(), name)):
        raise StudyError(f"--export: found {export} taken, expected a new file or an export of {name!r} from {store}")
    return table


def _is_export(content: bytes, table: bytes, name: str) -> bool:
    """Whether a file holds the table and rows of that name alone, so that nothing is lost if it is written anew."""
    rows = content.removeprefix(table).splitlines()
    return content.startswith(table) and all(row.startswith(f"{name},".encode()) for row in rows)


def _refuse_taken(store: Place, name: str) -> str:
    """The cube's own table of configurations, in which the name must be free."""
    with local_tables(store) as tables:
        own = tables.get("configurations.csv")
        text = "" if own is None else own.read_text(encoding="utf-8")
    if not text:
        raise StudyError(f"{store} keeps no table of configurations: --export needs a cube of format 2")
    if name in {row["configuration"] for row in csv.DictReader(io.StringIO(text))}:
        raise StudyError(f"--name: found {name!r}, expected a name that no configuration of {store} has")
    return text if text.endswith("\n") else text + "\n"


def configuration_rows(record: Record, name: str) -> str:
    """Rows of a table of configurations, shares to the last digit."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    for area, tiers in record["x"].items():
        for tier, share in tiers.items():
            rows.writerow([name, area, tier, repr(share), f"wattbit optimise, {record['measure']}"])
    return out.getvalue()
