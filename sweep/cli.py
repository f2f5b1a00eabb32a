"""The command line: `wattbit run | plan | check | sample | solve | status | report | query | sensitivity | compact | ...`.

Results go to standard output, progress to standard error. Exit codes: 0 done, 1 finished with draws that
failed, stopped by a fault of disk or store, or a cube that `verify` does not believe, 2 refused, 130 interrupted,
143 terminated; docs/studies.md has them all.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from model import InputError, Status
from report import PageError, robustness_table, table_record, table_text, write_report
from sampling import SamplingError
from storage import (
    Place,
    StorageError,
    StoreUnavailableError,
    cube_progress,
    exists,
    open_cube,
    read_layout,
    read_study,
    root_of,
)
from sweep import ask, bill, samples, stop_text, tell
from sweep import sensitivity as sensitivity_of
from sweep.cli_fidelity import correct_command
from sweep.drawing import draw
from sweep.ending import DONE, INTERRUPTED_RUN, WITH_FAILURES, refusing
from sweep.errors import RunStoppedError, StudyError
from sweep.events import emit, listening
from sweep.executors import WorkersLostError
from sweep.fidelity import companion
from sweep.growth import added, fitted
from sweep.plan import Plan, make_plan
from sweep.run import Limits, check_store, default_store, missing_draws, refuse_memory
from sweep.run import run as run_plan
from sweep.runlog import RunLog, log_file
from sweep.standing import standing, standing_text
from sweep.stopping import Standing, ahead, check_stop, per_point, run_growing
from sweep.study import Study
from sweep.study import read_study as read_study_file
from sweep.verify import notes as verify_notes
from sweep.verify import verdict
from sweep.verify import verify as verify_cube
from sweep.what_if import what_if

WIDTH = 132
PAGE_ELSEWHERE = "wattbit report {} --out PAGE writes it elsewhere"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wattbit-sweep")
def main() -> None:
    """Where should data centres stand when the demand, renewables and network of 2040 are unknown? Sweeps and reports."""


class StoreType(click.ParamType[Place]):
    """A local path, or the address of a cube in an object store."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """Return where the cube lies; what is neither ends with exit code 2."""
        try:
            return root_of(value)
        except StorageError as fault:
            self.fail(str(fault), param, ctx)


STUDY = click.argument("study", type=click.Path(path_type=Path))
STORE = click.argument("store", type=StoreType())
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
DRAWS = click.option("--draws", type=click.IntRange(min=1), help="Number of draws, in place of the study's.")
WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    envvar="WATTBIT_WORKERS",
    help="Worker processes; default: $WATTBIT_WORKERS, else one per processor.",
)


def _plan(study: Path, draws: int | None, full_year: int | None = None) -> Plan:
    with naming(study):
        read = read_study_file(study, draws)
        made = make_plan(read if full_year is None else companion(read, full_year), study.parent)
        check_stop(made, study.parent)
        return made


@contextmanager
def naming(study: Path) -> Iterator[None]:
    """Put the study file before whatever its tables, parameters and draws are refused for."""
    try:
        yield
    except (InputError, SamplingError) as fault:
        raise StudyError(f"{study.name}: {fault}") from fault


@main.command()
@STUDY
@DRAWS
@WORKERS
@AS_JSON
@click.option(
    "--store", type=StoreType(), help="The cube: a path, s3://bucket/name or gs://...; default: results/<name>.zarr."
)
@click.option(
    "--address", help="A running Ray cluster; default: $RAY_ADDRESS (set in a Ray job), else a Ray of its own."
)
@click.option("--serial", is_flag=True, help="Solve in this process, without Ray.")
@click.option(
    "--watchdog",
    type=click.FloatRange(min=1),
    metavar="SECONDS",
    help="Give a draw up and set it aside after so long; default: 100 times the pilot's time, at least 600 s.",
)
@click.option(
    "--full-year",
    type=click.IntRange(min=1),
    metavar="N",
    help="The first N draws with all 365 days instead, into results/<name>.full.zarr: for `wattbit correct`.",
)
@click.option("--log", type=click.Path(path_type=Path), help="The run log; default: beside the page, .log.jsonl.")
@refusing
def run(
    study: Path,
    draws: int | None,
    workers: int | None,
    as_json: bool,
    store: Place | None,
    address: str | None,
    serial: bool,
    watchdog: float | None,
    full_year: int | None,
    log: Path | None,
) -> int:
    """Run a study, or finish or extend the cube that an earlier run left; then print the table and write the report."""
    plan = _plan(study, draws, full_year)
    written = plan.study
    if serial and address:
        raise StudyError("--serial and --address: found both, expected one of them")
    if serial and watchdog:
        raise StudyError("--serial and --watchdog: found both, expected one of them: a watchdog ends a worker")
    address = address or (None if serial else os.environ.get("RAY_ADDRESS"))
    target = store or default_store(plan, ".full" if full_year else "")
    refuse_memory(target, serial)
    page = _page(target)
    logged = RunLog(log_file(log, page))
    plan = fitted(ahead(plan, target, study.parent), target)
    samples.tell_notes(plan.drawn)
    if exists(target) and (more := added(plan, target)):
        click.echo(f"{target} will be extended by {more}; what it holds is kept", err=True)
    processors = workers or (1 if serial else os.cpu_count() or 1)
    missing = missing_draws(plan, target)
    if missing:
        check_store(target)
    seconds = plan.pilot_seconds() if missing or written.stop else 0.0
    limits = Limits.after_pilot(plan, seconds, watchdog)
    # How long a cluster will take, this machine does not know.
    click.echo(tell.plan_text(plan, seconds if missing and not address else None, processors, missing), err=True)
    if written.stop:
        click.echo(stop_text.stop_plan_text(written), err=True)
    with logged, listening(logged.heed):
        how = {"workers": workers, "address": address, "serial": serial, "limits": limits}
        logged.code = _run_and_tell(written, plan, study, target, page, as_json, how)
    return logged.code


def _run_and_tell(
    written: Study, plan: Plan, study: Path, target: Place, page: Path, as_json: bool, how: Mapping[str, Any]
) -> int:
    """Run a plan, further stages of a study with ``[stop]``, print the table and write the page; returns the exit code."""
    options = {**how, "command": f"wattbit solve {study}"}
    standings: list[Standing] = []
    try:
        if written.stop:
            outcome, standings = run_growing(written, plan, target, study.parent, **options)
        else:
            outcome = run_plan(plan, target, **options)
    except WorkersLostError as fault:
        emit("run_stopped", reason=str(fault))
        click.echo(f"wattbit: {fault}; the same line again tries them once more", err=True)
        return WITH_FAILURES
    except (RunStoppedError, StoreUnavailableError) as fault:
        emit("run_stopped", reason=str(fault))
        click.echo(f"wattbit: stopped: {fault}{INTERRUPTED_RUN}", err=True)
        return WITH_FAILURES
    click.echo(f"{outcome.solved} draws solved, {outcome.found} found finished", err=True)
    if outcome.set_aside:
        click.echo(tell.set_aside_text(outcome.set_aside), err=True)
    if standings:
        held = read_layout(target).draws // per_point(written)
        click.echo(stop_text.stopped_text(standings, written, held), err=True)
    _tell_table(target, as_json, {"stop": stop_text.stopped_record(standings, written)} if standings else {})
    try:
        _write_report(target, page, f"wattbit run {study}")
    except PageError as fault:
        click.echo(f"wattbit: the cube {target} is complete, but {fault}; {PAGE_ELSEWHERE.format(target)}", err=True)
        return WITH_FAILURES
    click.echo(f"cube {target}\nreport {page}", err=True)
    return WITH_FAILURES if _failures(target) else DONE


def _page(store: Place) -> Path:
    """The page of a cube: beside it, results/x.zarr -> results/x.html; any other name keeps its end.

    That of a cube in an object store goes to results/ in the current folder.
    """
    if not isinstance(store, Path):
        return Path("results") / f"{store.name.removesuffix('.zarr')}.html"
    name = f"{store.absolute().name.removesuffix('.zarr')}.html"
    return store.with_name(name) if store.name else store.absolute().with_name(name)


def _tell_table(store: Place, as_json: bool, more: Mapping[str, Any] = MappingProxyType({})) -> None:
    table = robustness_table(open_cube(store), ask.summary_of_compacted(store))
    click.echo(json.dumps({**table_record(table), **more}, indent=1) if as_json else table_text(table, width=WIDTH))


def _write_report(store: Place, page: Path, command: str) -> None:
    record = read_study(store)["identity"]
    cube = open_cube(store).assign_attrs(provenance=json.dumps(tell.provenance(record)))
    write_report(cube, page, command=command, summary=ask.summary_of_compacted(store))


def _failures(store: Place) -> int:
    counts = cube_progress(store).status_counts
    return sum(count for name, count in counts.items() if name not in ("optimal", "not_run"))


@main.command()
@STUDY
@DRAWS
@WORKERS
@AS_JSON
@bill.bill_options
@refusing
def plan(study: Path, draws: int | None, workers: int | None, as_json: bool, **offered: Any) -> int:
    """Say what a study would do and take - draws, solves, bytes, time, money - and run nothing but one pilot draw."""
    offer = bill.offer_of(offered)
    made = _plan(study, draws)
    samples.tell_notes(made.drawn)
    processors = workers or os.cpu_count() or 1
    seconds = made.pilot_seconds()
    record = tell.plan_record(made, seconds, processors)
    record |= stop_text.stop_plan_record(made.study)
    text = "\n".join(filter(None, (tell.plan_text(made, seconds, processors), stop_text.stop_plan_text(made.study))))
    if offer is not None:
        record["cluster"] = bill.bill(offer, seconds, made.layout.draws, made.layout.batch)
        text += f"\n{bill.bill_text(record['cluster'])}"
    click.echo(json.dumps(record, indent=1) if as_json else text)
    return DONE


@main.command()
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
    made = _plan(study, draws)
    samples.tell_notes(made.drawn)
    if figure is not None:
        samples.write_figure(made.drawn, figure)
    click.echo(samples.sample_text(made.drawn, made.study, WIDTH, sources=False))
    click.echo(f"{study}: ok")
    return DONE


@main.command()
@STUDY
@DRAWS
@AS_JSON
@click.option("--csv", type=click.Path(path_type=Path, allow_dash=True), help="Write the draws there; - for stdout.")
@refusing
def sample(study: Path, draws: int | None, as_json: bool, csv: Path | None) -> int:
    """Draw a study and solve nothing: quantiles, means, units and sources of its parameters, correlations, the draws."""
    with naming(study):
        read = read_study_file(study, draws)
        drawn = draw(read, study.parent)
    samples.tell_notes(drawn)
    click.echo(samples.told(drawn, read, WIDTH, as_json, csv), nl=False)
    return DONE


@main.command()
@STUDY
@AS_JSON
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="An uncertain parameter or scalar.")
@click.option("--configuration", "configurations", multiple=True, metavar="NAME", help="Only this one; repeatable.")
@click.option(
    "--days", type=click.Path(path_type=Path), help="CSV of weather_year, day, weight in place of the study's."
)
@refusing
def solve(
    study: Path, as_json: bool, settings: tuple[str, ...], configurations: tuple[str, ...], days: Path | None
) -> int:
    """Solve one future, unset parameters at their mid values, and print every outcome of each configuration."""
    with naming(study):
        found = what_if(read_study_file(study), study.parent, settings, configurations, days)
    click.echo(json.dumps(found, indent=1) if as_json else tell.what_if_text(found, WIDTH))
    solved = all(result["status"] == Status.OPTIMAL for result in found["configurations"].values())
    return DONE if solved else WITH_FAILURES


@main.command()
@STORE
@AS_JSON
@click.option("--summary", is_flag=True, help="Also savings and regret so far, from the summaries of batches.")
@refusing
def status(store: Place, as_json: bool, summary: bool) -> int:
    """Say how far a cube is, how fast it goes, what failed, what took longest and who writes it."""
    record = standing(store)
    if as_json:
        click.echo(json.dumps(record | ({"summary": ask.so_far_record(store)} if summary else {}), indent=1))
        return DONE
    click.echo(standing_text(record) + ask.compacted_note(store))
    if summary:
        click.echo("\n" + ask.so_far_text(store, WIDTH))
    return DONE


@main.command()
@STORE
@AS_JSON
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The page; default: beside the cube, .html; of a cube in an object store: results/<name>.html.",
)
@refusing
def report(store: Place, as_json: bool, out: Path | None) -> int:
    """Print a cube's robustness table and write its report."""
    _tell_table(store, as_json)
    page = out or _page(store)
    _write_report(store, page, f"wattbit report {store}")
    click.echo(f"report {page}", err=True)
    return DONE


@main.command(cls=ask.ManyValues)
@STORE
@ask.query_options
@AS_JSON
@refusing
def query(store: Place, **asked: Any) -> int:
    """
    Print mean, spread and quantiles of a VARIABLE of a cube, by configuration and whatever else is asked for.

    Without a VARIABLE: list what can be asked for.
    """
    click.echo(ask.query_text(store, width=WIDTH, **asked))
    return DONE


@main.command(cls=ask.ManyValues)
@STORE
@sensitivity_of.sensitivity_options
@AS_JSON
@refusing
def sensitivity(store: Path, **asked: Any) -> int:
    """Print which uncertainty drives an outcome of a cube, configuration by configuration."""
    click.echo(sensitivity_of.told(store, width=WIDTH, **asked))
    return DONE


@main.command()
@STORE
@click.option("--out", type=StoreType(), help="The new cube; default: beside it, .compact.zarr.")
@refusing
def compact(store: Place, out: Place | None) -> int:
    """Rewrite a cube into large shards for reading, every value checked; the cube itself stays as it is."""
    click.echo(ask.compacted_text(store, out))
    return DONE


@main.command()
@STORE
@AS_JSON
@click.option("--sample", type=click.IntRange(min=0), default=1, show_default=True, help="Draws to solve again, cold.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which draws these are.")
@refusing
def verify(store: Place, as_json: bool, sample: int, seed: int) -> int:
    """Say whether a cube may be believed: checksums, costs and balances, and some draws solved again by plain Pyomo."""
    record = verify_cube(store, sample, seed)
    click.echo(json.dumps(record, indent=1) if as_json else verdict(record))
    for line in [*record["faults"], *verify_notes(record)]:
        click.echo(line, err=True)
    return DONE if record["believed"] else WITH_FAILURES


main.add_command(correct_command)
