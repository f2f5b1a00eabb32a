"""``python -m benchmarks.long_run``: one worker solves very many draws, batch after batch, and its memory is watched."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.clock import resident_mb
from benchmarks.workloads import AREAS, make_workload, study_of
from storage import create_cube
from sweep.plan import Plan, make_plan
from sweep.study import Study
from sweep.worker import Draws, Work, solve_batch

ONE_DAY = "weather_year,day,weight\nfy2019,110,365\nfy2024,110,365\n"
BATCH = 250
TOLD = 20  # lines of a run
SETTLED = 0.1  # of the draws: until then a process still takes what it will keep


def long_run(plan: Plan) -> list[dict[str, float]]:
    """Solve every batch of a plan in this process, into a cube of its own.

    Returns
    -------
    list of dict
        After each batch: ``draws`` solved so far, ``resident_mb`` [MB], ``seconds`` since the start.
    """
    found = []
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "cube.zarr"
        create_cube(store, plan.layout, plan.rows, {"identity": plan.identity}, title=plan.study.name)
        work = Work(plan.case, str(store), plan.identity["versions"])
        begun = time.perf_counter()
        for batch in range(plan.layout.batches):
            solve_batch(work, Draws.of(plan.rows, plan.layout, batch))
            draws = plan.layout.bounds(batch)[1]
            found.append(
                {"draws": draws, "resident_mb": resident_mb(), "seconds": time.perf_counter() - begun},
            )
    return found


def make_long_plan(folder: Path, draws: int, areas: int, configurations: tuple[str, ...], batch: int = BATCH) -> Plan:
    """Plan a study of one day a year."""
    make_workload("small", folder, areas, draws=2)  # writes the tables
    (folder / "days.csv").write_text(ONE_DAY)
    study: dict[str, Any] = study_of("small", areas, draws)
    study |= {"configurations": list(configurations), "batch": batch, "name": f"long_run_{areas}"}
    study["design"]["kind"] = "monte_carlo"
    return make_plan(Study.model_validate(study), folder)


def growth(found: list[dict[str, float]]) -> float:
    """Growth of memory [MB per million draws], a straight line through all after the process has settled."""
    last = found[-1]["draws"]
    settled = [at for at in found if at["draws"] >= SETTLED * last]
    slope, _ = np.polyfit([at["draws"] for at in settled], [at["resident_mb"] for at in settled], 1)
    return float(slope) * 1e6


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--draws", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--areas", type=click.Choice([str(n) for n in AREAS]), default="2", show_default=True)
@click.option("--configurations", default="tokyo_osaka,five_hubs", show_default=True, help="Names joined by commas.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write everything there.")
def main(draws: int, areas: str, configurations: str, json_file: Path | None) -> None:
    """Solve very many draws of one day in one process and say how its memory grows."""
    with tempfile.TemporaryDirectory() as folder:
        found = long_run(make_long_plan(Path(folder), draws, int(areas), tuple(configurations.split(","))))
    for at in found[:: max(1, len(found) // TOLD)]:
        click.echo(f"{at['draws']:>10.0f} draws {at['resident_mb']:7.1f} MB {at['seconds']:8.0f} s")
    click.echo(f"peak {max(at['resident_mb'] for at in found):.1f} MB, {growth(found):+.1f} MB per million draws")
    if json_file is not None:
        json_file.write_text(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
