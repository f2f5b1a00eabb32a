"""The command `wattbit run`: a study run, finished or extended, then its table and its page."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from storage import CubeDamagedError, Place, StoreUnavailableError, cube_progress, exists, read_layout
from sweep import samples, stop_text, tell
from sweep.cli_cube import page_of, tell_table, write_page
from sweep.cli_options import AS_JSON, STUDY, WORKERS, Finite, StoreType
from sweep.cli_plan import DRAWS, plan_of
from sweep.ending import DONE, INTERRUPTED_RUN, WITH_FAILURES, refusing
from sweep.errors import RunStoppedError, StudyError
from sweep.events import emit, listening
from sweep.executors import WorkersLostError
from sweep.growth import added, fitted
from sweep.plan import Plan
from sweep.run import Limits, check_store, default_store, missing_draws, refuse_memory
from sweep.run import run as run_plan
from sweep.runlog import RunLog, log_file
from sweep.set_aside import batches_aside
from sweep.stopping import Standing, ahead, per_point, run_growing
from sweep.study import Study

PAGE_ELSEWHERE = "wattbit report {} --out PAGE writes it elsewhere"


@click.command()
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
    type=Finite(min=1),
    metavar="SECONDS",
    help="Give a draw up and set it aside after so long; default: 100 times the pilot's time, at least 600 s.",
)
@click.option(
    "--full-year",
    type=click.IntRange(min=1),
    metavar="N",
    help="The first N draws with all 365 days instead, into results/<name>.full.zarr: for `wattbit correct`.",
)
@click.option("--retry-set-aside", is_flag=True, help="Try draws again that were set aside, as with more memory now.")
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
    retry_set_aside: bool,
    log: Path | None,
) -> int:
    """Run a study, or finish or extend the cube that an earlier run left; then print the table and write the report."""
    plan = plan_of(study, draws, full_year)
    written = plan.study
    if serial and address:
        raise StudyError("--serial and --address: found both, expected one of them")
    if serial and watchdog:
        raise StudyError("--serial and --watchdog: found both, expected one of them: a watchdog ends a worker")
    address = address or (None if serial else os.environ.get("RAY_ADDRESS"))
    target = store or default_store(plan, ".full" if full_year else "")
    refuse_memory(target, serial)
    page = page_of(target)
    logged = RunLog(log_file(log, page))
    plan = fitted(ahead(plan, target, study.parent), target)
    samples.tell_notes(plan.drawn)
    processors = workers or (1 if serial else os.cpu_count() or 1)
    missing = missing_draws(plan, target)
    if retry_set_aside and exists(target) and (aside := len(batches_aside(target))):
        click.echo(f"{aside} batch{'es' * (aside > 1)} with draws that were set aside will be solved again", err=True)
        missing = min(missing + aside * plan.layout.batch, plan.layout.draws)
    check_store(plan, target)
    if exists(target) and (more := added(plan, target)):
        click.echo(f"{target} will be extended by {more}; what it holds is kept", err=True)
    seconds = plan.pilot_seconds() if missing or written.stop else 0.0
    limits = Limits.after_pilot(plan, seconds, watchdog)
    # How long a cluster will take, this machine does not know.
    click.echo(tell.plan_text(plan, seconds if missing and not address else None, processors, missing), err=True)
    if written.stop:
        click.echo(stop_text.stop_plan_text(written), err=True)
    with logged, listening(logged.heed):
        how = {"workers": workers, "address": address, "serial": serial, "limits": limits, "retry": retry_set_aside}
        again = line_again(study, draws, full_year)
        logged.code = _run_and_tell(written, plan, study, target, page, as_json, how, again)
    return logged.code


def _run_and_tell(
    written: Study,
    plan: Plan,
    study: Path,
    target: Place,
    page: Path,
    as_json: bool,
    how: Mapping[str, Any],
    again: str,
) -> int:
    """Run a plan, further stages of a study with ``[stop]``, print the table and write the page; returns the exit code."""
    year = " --full-year" if plan.study.days.all and not written.days.all else ""
    options = {**how, "command": f"wattbit solve {study}{year}"}
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
        if note := stop_text.looks_note(standings):
            click.echo(note, err=True)
    from report import PageError  # figures are slow to import, and a run that ends early needs none

    try:
        tell_table(target, as_json, {"stop": stop_text.stopped_record(standings, written)} if standings else {})
        write_page(target, page, again)
    except CubeDamagedError as fault:
        if not outcome.solved:
            raise  # a refusal; else what this run solved is committed
        click.echo(f"wattbit: what was solved is kept, but the cube cannot be read: {fault}", err=True)
        return WITH_FAILURES
    except PageError as fault:
        click.echo(f"wattbit: the cube {target} is complete, but {fault}; {PAGE_ELSEWHERE.format(target)}", err=True)
        return WITH_FAILURES
    click.echo(f"cube {target}\nreport {page}", err=True)
    return WITH_FAILURES if _failures(target) else DONE


def line_again(study: Path, draws: int | None, full_year: int | None) -> str:
    """The line that makes the same results again, with the options that decide them."""
    options = {"--draws": draws, "--full-year": full_year}
    chosen = [word for name, value in options.items() if value is not None for word in (name, str(value))]
    return shlex.join(["wattbit", "run", str(study), *chosen])


def _failures(store: Place) -> int:
    counts = cube_progress(store).status_counts
    return sum(count for name, count in counts.items() if name not in ("optimal", "not_run"))
