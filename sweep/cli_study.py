"""Commands on a study that write no cube: `wattbit plan | check | sample | solve`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import click

from model import Status
from sweep import bill, samples, stop_text, tell
from sweep.cli_options import AS_JSON, STUDY, WIDTH, WORKERS
from sweep.cli_plan import DRAWS, naming, plan_of
from sweep.drawing import draw
from sweep.ending import DONE, WITH_FAILURES, refusing
from sweep.errors import StudyError
from sweep.hourly import check_hourly_file, write_hours
from sweep.study import read_study as read_study_file
from sweep.what_if import future


@click.command()
@STUDY
@DRAWS
@WORKERS
@AS_JSON
@bill.bill_options
@refusing
def plan(study: Path, draws: int | None, workers: int | None, as_json: bool, **offered: Any) -> int:
    """Say what a study would do and take - draws, solves, bytes, time, money - and run nothing but one pilot draw."""
    offer = bill.offer_of(offered)
    made = plan_of(study, draws)
    samples.tell_notes(made.drawn)
    processors = workers or os.cpu_count() or 1
    seconds = made.pilot_seconds()
    record = tell.plan_record(made, seconds, processors)
    record |= stop_text.stop_plan_record(made.study) | {"notes": [*made.drawn.notes, *stop_text.stop_notes(made.study)]}
    text = "\n".join(filter(None, (tell.plan_text(made, seconds, processors), stop_text.stop_plan_text(made.study))))
    if offer is not None:
        record["cluster"] = bill.bill(offer, seconds, made.layout.draws, made.layout.batch)
        text += f"\n{bill.bill_text(record['cluster'])}"
    click.echo(json.dumps(record, indent=1) if as_json else text)
    return DONE


@click.command()
@STUDY
@DRAWS
@click.option(
    "--figure", type=click.Path(path_type=Path), help="Write the parameters' distributions there, .svg or .png."
)
@refusing
def check(study: Path, draws: int | None, figure: Path | None) -> int:
    """Check a study, its tables and every draw of it, and print the uncertain parameters."""
    if figure is not None:
        samples.check_figure(figure)
    made = plan_of(study, draws)
    samples.tell_notes(made.drawn)
    if figure is not None:
        samples.write_figure(made.drawn, figure)
    click.echo(samples.sample_text(made.drawn, made.study, WIDTH, sources=False))
    click.echo(f"days: {made.days.text()}")
    click.echo(f"{study}: ok")
    return DONE


@click.command()
@STUDY
@DRAWS
@AS_JSON
@click.option("--csv", type=click.Path(path_type=Path, allow_dash=True), help="Write the draws there; - for stdout.")
@refusing
def sample(study: Path, draws: int | None, as_json: bool, csv: Path | None) -> int:
    """Draw a study and solve nothing: quantiles, means, units and sources of its parameters, correlations, the draws."""
    if csv is not None and str(csv) != "-":
        samples.check_folder("--csv", csv)
    with naming(study):
        read = read_study_file(study, draws)
        drawn = draw(read, study.parent)
    samples.tell_notes(drawn)
    click.echo(samples.told(drawn, read, WIDTH, as_json, csv), nl=False)
    return DONE


@click.command()
@STUDY
@AS_JSON
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="An uncertain parameter or scalar.")
@click.option("--configuration", "configurations", multiple=True, metavar="NAME", help="Only this one; repeatable.")
@click.option(
    "--days", type=click.Path(path_type=Path), help="CSV of weather_year, day, weight in place of the study's."
)
@click.option("--full-year", is_flag=True, help="All days of the weather year in place of the study's.")
@click.option(
    "--hourly",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write every hour of one configuration there, .nc or .csv, and print nothing.",
)
@refusing
def solve(
    study: Path,
    as_json: bool,
    settings: tuple[str, ...],
    configurations: tuple[str, ...],
    days: Path | None,
    full_year: bool,
    hourly: Path | None,
) -> int:
    """Solve one future, unset parameters at their mid values, and print every outcome of each configuration."""
    if full_year and days is not None:
        raise StudyError("--days, --full-year: found both, expected one of them")
    if hourly is not None:
        check_hourly_file(hourly)
    with naming(study):
        asked = future(read_study_file(study), study.parent, settings, configurations, days, full_year)
        if hourly is not None:
            write_hours(asked.hours(), hourly)
            return DONE
        found = asked.told()
    click.echo(json.dumps(found, indent=1) if as_json else tell.what_if_text(found, WIDTH))
    solved = all(result["status"] == Status.OPTIMAL for result in found["configurations"].values())
    return DONE if solved else WITH_FAILURES
