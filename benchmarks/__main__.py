"""``python -m benchmarks``: measure runners on a workload, check that they agree, print the ratios, write JSON."""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import click

from benchmarks import peers
from benchmarks.measure import RUNNERS, Measurement, cold_iterations, disagreements, measure_apart
from benchmarks.table import figures_of, record_of, rows_of, text_of
from benchmarks.workloads import AREAS, WORKLOADS, make_workload
from sweep.plan import Plan

OURS = ("ours", "ours_ray")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--workload", type=click.Choice(list(WORKLOADS)), default="small", show_default=True)
@click.option("--areas", type=click.Choice([str(n) for n in AREAS]), default="10", show_default=True)
@click.option("--draws", type=click.IntRange(1), help="In place of the workload's own number.")
@click.option(
    "--baseline-draws",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Draws for all runners but this engine's: they are slow. Ratios are of the same draws.",
)
@click.option("--runners", help=f"Names joined by commas, of {', '.join(RUNNERS)}; default: those of the workload.")
@click.option(
    "--full-year", is_flag=True, help="Also the first draw on 365 days, and its time over that on these days."
)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write everything there.")
def main(
    workload: str,
    areas: str,
    draws: int | None,
    baseline_draws: int,
    runners: str | None,
    full_year: bool,
    json_file: Path | None,
) -> None:
    """Measure this engine against what else one would use. Exit code 1 where the costs differ."""
    names = runners.split(",") if runners else list(WORKLOADS[workload].runners)
    for name in names:
        if name not in RUNNERS:
            raise click.BadParameter(f"{name!r}: one of {', '.join(RUNNERS)} is expected", param_hint="--runners")
    names = ["ours", *(name for name in names if name != "ours")]
    load = os.getloadavg()
    with tempfile.TemporaryDirectory() as folder:
        plan = make_workload(workload, Path(folder), int(areas), draws)
        measured: dict[str, Measurement] = {}
        for name in names:
            lacking = peers.missing(name)
            if lacking is not None:
                click.echo(f"{name}: left out, {lacking} is not installed (extra `peers`)", err=True)
                continue
            number = plan.layout.draws if name in OURS else min(baseline_draws, plan.layout.draws)
            click.echo(f"{name}: {number} draws ...", err=True)
            measured[name] = measure_apart(plan, name, range(number))
        figures = figures_of(plan, measured, cold_iterations(plan.case, plan, 0))
        if full_year:
            click.echo("ours: 1 draw of 365 days ...", err=True)
            year = measure_apart(make_workload("full_year", Path(folder), int(areas)), "ours", [0])
            figures["full_year_over_these_days"] = year.by_draw[0][0] / measured["ours"].by_draw[0][0]
            figures["full_year_seconds"] = year.seconds
            figures["full_year_peak_mb"] = year.peak_mb
    rows = rows_of(plan, measured)
    faults = [line for m in measured.values() for line in disagreements(plan.case, measured["ours"], m)]
    title = f"{workload}, {areas} areas, {plan.days_per_draw:g} days, {len(plan.case.configurations)} configurations"
    click.echo(text_of(title, rows, figures))
    for line in faults:
        click.echo(line, err=True)
    if json_file is not None:
        record = {
            "workload": title,
            "machine": _machine(load),
            "plan": plan.counts(),
            "runners": [record_of(row) for row in rows],
            "figures": figures,
            "costs": _costs(plan, measured),
            "disagreements": faults,
        }
        json_file.write_text(json.dumps(record, indent=2) + "\n")
    sys.exit(1 if faults else 0)


def _machine(load: tuple[float, float, float]) -> dict[str, object]:
    packages = ("wattbit-sweep", "highspy", "pyomo", "ray", "zarr", "numpy", "scipy")
    return {
        "processors": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "system": platform.system(),
        "python": platform.python_version(),
        "load_before": load,
        "versions": {name: version(name) for name in packages},
    }


def _costs(plan: Plan, measured: dict[str, Measurement]) -> dict[str, object]:
    """Total cost by runner and configuration over draws."""
    names = [c.name for c in plan.case.configurations]
    return {
        runner: {name: found.costs[:, place, 2].tolist() for place, name in enumerate(names)}
        for runner, found in measured.items()
    }


if __name__ == "__main__":
    main()
