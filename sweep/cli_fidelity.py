"""The command `wattbit correct`: a cube of few days corrected by its full-year companion."""

from __future__ import annotations

import io
import json
import math
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from report.intervals import Interval
from storage import root_of
from sweep.ask import selections
from sweep.cli_options import Finite, finite
from sweep.ending import DONE, refusing
from sweep.errors import StudyError
from sweep.fidelity import OUTCOME, Corrected, Fidelities, correct
from sweep.progress import duration

WIDTH = 132
CORRECTED = (
    "corrected: from both cubes, for the full year; full, few days: each cube alone, what it has of a 95 % interval",
    "cost: of both cubes over that of as many full draws as would make a mean as certain, were draws independent",
)
DEPENDENT = ("no part of these draws", "has no pair", "fewer than two pairs")
BIASED = "Coefficients come from the same draws that they correct, which biases by about one part in as many as there are pairs."
UNBIASED = {
    "mean": "The corrected mean is unbiased: over all designs that could have been drawn it averages to the full-year mean, "
    "however wrong the few days are.",
    "probability": "The corrected probability is unbiased: over all designs that could have been drawn it averages to the "
    "full-year one.",
    "quantile": "The corrected quantile is not quite unbiased, as no quantile of a sample is: its bias falls with the pairs.",
}


@click.command("correct")
@click.argument("cheap", metavar="CHEAP_STORE")
@click.argument("full", metavar="FULL_STORE")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--outcome", default=OUTCOME, show_default=True, metavar="NAME", help="One number of a draw, selected and summed."
)
@click.option("--configuration", "configurations", multiple=True, metavar="NAME", help="Only this; repeatable.")
@click.option(
    "--above",
    type=float,
    callback=finite,
    metavar="VALUE",
    help="The probability of values above it, in place of the mean.",
)
@click.option(
    "--quantile",
    type=Finite(0, 1, min_open=True, max_open=True),
    metavar="SHARE",
    help="A quantile, in place of the mean.",
)
@click.option("--select", multiple=True, metavar="DIM=LABEL", help="Only this area, technology, ...")
@click.option("--sum", "sums", multiple=True, metavar="DIM", help="Sum over areas, technologies, ... of a draw.")
@click.option("--scenario", metavar="NAME", help="Required where the study has any.")
@click.option(
    "--budget",
    type=Finite(min=0, min_open=True),
    metavar="HOURS",
    help="Also how so many hours of solving are best spent on draws of both kinds, for a mean.",
)
@refusing
def correct_command(
    cheap: str,
    full: str,
    as_json: bool,
    outcome: str,
    configurations: tuple[str, ...],
    above: float | None,
    quantile: float | None,
    select: tuple[str, ...],
    sums: tuple[str, ...],
    scenario: str | None,
    budget: float | None,
) -> int:
    """Print full-year means, probabilities or quantiles from many draws of few days and a few of the same with all days."""
    if above is not None and quantile is not None:
        raise StudyError("--above and --quantile: found both, expected one of them")
    found = correct(
        root_of(cheap),
        root_of(full),
        outcome,
        configurations,
        above=above,
        quantile=quantile,
        select=selections(select),
        sums=sums,
        scenario=scenario,
        budget=None if budget is None else budget * 3600,
    )
    click.echo(json.dumps(fidelities_record(found), indent=1, allow_nan=False) if as_json else fidelities_text(found))
    if budget is not None and not as_json:
        click.echo(splits_text(found, budget))
    return DONE


def fidelities_record(found: Fidelities) -> dict[str, Any]:
    """Two fidelities as plain values for JSON, None where a number is missing."""
    return {
        "statistic": found.statistic,
        "units": found.units,
        "draws": found.draws,
        "full_draws": found.full_draws,
        "not_run": found.not_run,
        "full_not_run": found.full_not_run,
        "seconds_of_a_draw": _number(found.cheap_seconds),
        "seconds_of_a_full_draw": _number(found.full_seconds),
        "configurations": {row.configuration: _row_record(found, row) for row in found.rows},
        "splits": {
            name: None if split is None else {"draws": split.cheap, "full_draws": split.full}
            for name, split in found.splits.items()
        },
    }


def _row_record(found: Fidelities, row: Corrected) -> dict[str, Any]:
    intervals = {"corrected": row.corrected, "full": row.full, "cheap": row.cheap}
    return {
        **{name: _interval_record(each) for name, each in intervals.items()},
        "correlation": _number(row.correlation),
        "pairs": row.pairs,
        "draws": row.draws,
        "cost_share": _number(found.cost_share(row)),
    }


def _interval_record(interval: Interval) -> dict[str, Any]:
    numbers = {"estimate": interval.estimate, "low": interval.low, "high": interval.high}
    return {name: _number(value) for name, value in numbers.items()} | {"how": interval.how}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def fidelities_text(found: Fidelities) -> str:
    """Two fidelities as a table, a line a configuration."""
    grid = Table(box=None, pad_edge=False)
    for heading in ("configuration", "corrected", "full alone", "few days alone", "correlation", "pairs", "n", "cost"):
        grid.add_column(heading, justify="left" if heading == "configuration" else "right", no_wrap=True)
    for row in found.rows:
        share = found.cost_share(row)
        grid.add_row(
            row.configuration,
            *(_shown(each) for each in (row.corrected, row.full, row.cheap)),
            "-" if math.isnan(row.correlation) else f"{row.correlation:.4f}",
            f"{row.pairs:,}",
            f"{row.draws:,}",
            "-" if math.isnan(share) else f"{share:.0%}",
        )
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    with console.capture() as captured:
        console.print(grid)
    table = "\n".join(line.rstrip() for line in captured.get().rstrip().splitlines())
    cost = (
        f"{found.draws:,} draws at {_cost(found.cheap_seconds)} each, the first {found.full_draws:,} of them also with "
    )
    cost += f"more days at {_cost(found.full_seconds)}"
    methods = dict.fromkeys(row.corrected.how for row in found.rows)
    is_biased = any(part in row.corrected.how for row in found.rows for part in DEPENDENT)
    unbiased = [BIASED if is_biased else UNBIASED[found.statistic.split()[0]]]
    lines = [f"{found.statistic} [{found.units}]", "", table, "", cost, *_open_lines(found), *CORRECTED, *unbiased]
    return "\n".join([*lines, *(f"interval: {how}" for how in methods)])


def _open_lines(found: Fidelities) -> list[str]:
    """Say which cube lacks draws, and what finishes it."""
    lines = []
    if found.full_not_run:
        lines.append(
            f"full cube: {found.full_not_run:,} of {found.full_draws:,} draws are not run yet; finish it with the line that "
            f"began it, wattbit run STUDY --full-year N"
        )
    if found.not_run:
        lines.append(f"cube of few days: {found.not_run:,} of {found.draws:,} draws are not run yet; wattbit run STUDY")
    return lines


def _cost(seconds: float) -> str:
    if math.isnan(seconds):
        return "an unknown cost"
    return f"{seconds:.2g} s" if seconds < 90 else duration(seconds)


def _shown(interval: Interval) -> str:
    if math.isnan(interval.estimate):
        return "-"
    half = float(np.maximum(interval.estimate - interval.low, interval.high - interval.estimate))  # NaN if either is
    digits = max(0, 1 - math.floor(math.log10(half))) if half > 0 and math.isfinite(half) else 3
    shown = f"{interval.estimate + 0.0:,.{digits}f}"
    return shown if math.isnan(half) else f"{shown} ± {half:,.{digits}f}"


def splits_text(found: Fidelities, hours: float) -> str:
    """Say for each configuration how many draws of each fidelity a budget is best spent on."""
    lines = [f"with {hours:g} h of solving, for the mean of"]
    for name, split in found.splits.items():
        if split is None:
            lines.append(f"  {name}: nothing varies, or fewer than two full draws can be paid")
        elif split.cheap == 0:
            lines.append(f"  {name}: {split.full:,} full draws alone; the others tell too little for what they cost")
        else:
            plain = int(hours * 3600 / found.full_seconds)
            lines.append(
                f"  {name}: {split.cheap:,} draws of few days, {split.full:,} of them full too: "
                f"{math.sqrt(split.variance * plain):.0%} of the half width of {plain:,} full draws alone"
            )
    return "\n".join(lines)
