"""``python -m benchmarks.driver_memory``: what the driver of a sweep of millions of draws holds, as a process of its own.

It plans, creates the cube, and hands every batch with its rows of the draw table to simulated workers that solve nothing.
"""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from benchmarks.driver import peak_mb, quiet
from benchmarks.simulated_cluster import Faults, SimulatedCluster
from storage import create_cube
from sweep.plan import Plan, make_plan
from sweep.run import table_bytes
from sweep.scheduler import Scheduler
from sweep.study import read_study
from sweep.worker import Draws

STUDY = Path(__file__).parents[1] / "studies" / "japan2040.toml"


@dataclass(frozen=True)
class DriverMemory:
    """Peak memory of a driver after each of its steps [MB], and what they took [s].

    Attributes
    ----------
    draws, batch, workers : int
    imported_mb, planned_mb, created_mb, scheduled_mb : float
        The largest resident memory of the process so far.
    plan_seconds, create_seconds, schedule_seconds : float
        Wall time; the simulation's own is in the last.
    table_mb : float
        What the draw table would take as a whole.
    """

    draws: int
    batch: int
    workers: int
    imported_mb: float
    planned_mb: float
    created_mb: float
    scheduled_mb: float
    plan_seconds: float
    create_seconds: float
    schedule_seconds: float
    table_mb: float


class CuttingCluster(SimulatedCluster):
    """Simulated workers that get with each batch what real ones get: its rows."""

    def __init__(self, plan: Plan, faults: Faults, seconds: float) -> None:
        self.part = Draws.cutter(plan.rows, plan.layout)
        super().__init__(faults, 1, lambda chance: seconds * chance.uniform(0.5, 1.5))
        self.done = None

    def submit(self, actor: int, batch: int, deaths: int) -> None:
        """Make the rows of a batch and hand it over."""
        self.part(batch, deaths)
        super().submit(actor, batch, deaths)


def driver_memory(study: Path, draws: int, batch: int, workers: int, folder: Path) -> DriverMemory:
    """Plan a study of so many draws, create its cube in a folder, and sweep it on workers that do nothing."""
    imported, begun = peak_mb(), time.perf_counter()
    plan = make_plan(read_study(study, draws).model_copy(update={"batch": batch}), study.parent)
    planned, after_plan = peak_mb(), time.perf_counter()
    create_cube(folder / "cube.zarr", plan.layout, plan.rows, {"identity": plan.identity}, tables=table_bytes(plan))
    created, after_create = peak_mb(), time.perf_counter()
    rounds = plan.layout.batches * 105 / workers
    nodes = ((0.0, workers), (rounds / 3, -workers // 10), (rounds / 2, workers // 10))
    cluster = CuttingCluster(plan, Faults(death=1e-4, nodes=nodes), 105)
    with quiet():
        found = sum(1 for _ in Scheduler(cluster, range(plan.layout.batches), workers).run())
    if found != plan.layout.batches:
        raise RuntimeError(f"{found} of {plan.layout.batches} batches came back")
    scheduled, after_schedule = peak_mb(), time.perf_counter()
    one = plan.rows.rows(0, 1)
    whole = 8 * plan.layout.draws * len(one.variables) / 2**20
    spent = (after_plan - begun, after_create - after_plan, after_schedule - after_create)
    return DriverMemory(plan.layout.draws, batch, workers, imported, planned, created, scheduled, *spent, whole)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("study", default=STUDY, type=click.Path(path_type=Path))
@click.option("--draws", type=click.IntRange(1), default=10_000_000, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=10_000, show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there.")
def main(study: Path, draws: int, batch: int, workers: int, json_file: Path | None) -> None:
    """Measure the memory of a driver."""
    with tempfile.TemporaryDirectory(prefix="wattbit-") as folder:
        found = driver_memory(study, draws, batch, workers, Path(folder))
    click.echo(
        f"{found.draws:,} draws: peak {found.planned_mb:.0f} MB planned ({found.plan_seconds:.0f} s), "
        f"{found.created_mb:.0f} MB created ({found.create_seconds:.0f} s), {found.scheduled_mb:.0f} MB scheduled "
        f"({found.schedule_seconds:.0f} s); {found.imported_mb:.0f} MB at first; the whole table is {found.table_mb:.0f} MB"
    )
    if json_file is not None:
        json_file.write_text(json.dumps(asdict(found)) + "\n")


if __name__ == "__main__":
    main()
