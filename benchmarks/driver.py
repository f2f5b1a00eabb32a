"""``python -m benchmarks.driver``: what one batch costs the driver when solving costs nothing."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from benchmarks.clock import WORKERS, resident_mb
from sweep.executors import run_on_ray
from sweep.worker import BatchSummary

MIDDLE = 0.2  # of the batches at either end are left out: Ray starts and ends there


@dataclass(frozen=True)
class DriverCost:
    """What the driver spends on batches that do nothing.

    Attributes
    ----------
    batches, workers : int
    batches_per_second : float
        Sustained, Ray's start and end left out.
    driver_seconds : float
        Processor time of the driver's process per batch [s].
    growth_mb : float
        Growth of its resident memory over the middle of the run [MB].
    """

    batches: int
    workers: int
    batches_per_second: float
    driver_seconds: float
    growth_mb: float


def nothing(_: None, batch: int) -> BatchSummary:
    """Answer as a worker does that solved a batch."""
    return BatchSummary(batch, 1, 0.0)


def driver_cost(batches: int, workers: int = WORKERS) -> DriverCost:
    """Hand so many batches of nothing to workers on a Ray of their own."""
    first, last = int(MIDDLE * batches), int((1 - MIDDLE) * batches)
    marks = {}
    for number, _ in enumerate(run_on_ray(nothing, None, range(batches), workers)):
        if number in (first, last):
            marks[number] = time.perf_counter(), time.process_time(), resident_mb()
    (wall, cpu, memory), (wall_end, cpu_end, memory_end) = marks[first], marks[last]
    done = last - first
    return DriverCost(batches, workers, done / (wall_end - wall), (cpu_end - cpu) / done, memory_end - memory)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--batches", type=click.IntRange(10), default=20_000, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=WORKERS, show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there.")
def main(batches: int, workers: int, json_file: Path | None) -> None:
    """Measure how many batches a second the driver can hand out, and what each costs it."""
    found = driver_cost(batches, workers)
    click.echo(
        f"{found.batches_per_second:.0f} batches/s with {workers} workers, "
        f"{1000 * found.driver_seconds:.2f} ms of the driver's processor time each, {found.growth_mb:+.1f} MB"
    )
    if json_file is not None:
        json_file.write_text(json.dumps(asdict(found)) + "\n")


if __name__ == "__main__":
    main()
