"""``python -m benchmarks.driver``: what one batch costs the driver when solving costs nothing.

With ``--simulated`` the scheduler drives a cluster that is simulated, with a clock of its own, workers that die and
nodes that are lost: 10,000 workers and millions of draws, where real ones would need a real cluster.
"""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from benchmarks.clock import WORKERS, resident_mb
from benchmarks.simulated_cluster import Faults, SimulatedCluster
from sweep.events import LOG
from sweep.executors import run_on_ray
from sweep.scheduler import Scheduler
from sweep.tally import BatchSummary

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
    overhead : float
        Share of the workers' time in which they had nothing to wait for but the next batch, 0 to 1.
    """

    batches: int
    workers: int
    batches_per_second: float
    driver_seconds: float
    growth_mb: float
    overhead: float


def asleep(seconds: float, batch: int) -> BatchSummary:
    """Answer as a worker does that solved a batch, after so long."""
    time.sleep(seconds)
    return BatchSummary(batch, 1, seconds)


def driver_cost(batches: int, workers: int = WORKERS, seconds: float = 0.0) -> DriverCost:
    """Hand batches that sleep so many seconds, and do nothing else, to workers on a Ray of their own."""
    first, last = int(MIDDLE * batches), int((1 - MIDDLE) * batches)
    marks = {}
    for number, _ in enumerate(run_on_ray(asleep, seconds, range(batches), workers, recycle=batches)):
        if number in (first, last):
            marks[number] = time.perf_counter(), time.process_time(), resident_mb()
    (wall, cpu, memory), (wall_end, cpu_end, memory_end) = marks[first], marks[last]
    done = last - first
    rate = done / (wall_end - wall)
    overhead = 1 - rate * seconds / workers
    return DriverCost(batches, workers, rate, (cpu_end - cpu) / done, memory_end - memory, overhead)


@dataclass(frozen=True)
class SimulatedCost:
    """What a simulated sweep costs the driver; the simulation's own time and memory are in it.

    Attributes
    ----------
    batches, workers : int
    batches_per_second : float
        Of this process's time; 1 / of it is the driver's processor time per batch at most.
    growth_mb : float
        Growth of its peak memory, from before the run [MB].
    simulated_hours : float
        What the sweep would have taken.
    handed_over : int
        Calls, those for batches whose worker or node was lost included.
    """

    batches: int
    workers: int
    batches_per_second: float
    growth_mb: float
    simulated_hours: float
    handed_over: int


def simulated_cost(draws: int, batch: int, workers: int) -> SimulatedCost:
    """Sweep so many draws on simulated workers: batches of 30 to 180 s, one death in 10,000, a tenth of the nodes lost."""
    batches = -(-draws // batch)
    rounds = batches * 105 / workers  # seconds that it takes
    nodes = ((0.0, workers), (rounds / 3, -workers // 10), (rounds / 2, workers // 10))
    cluster = SimulatedCluster(Faults(death=1e-4, nodes=nodes), seed=1)
    cluster.done = None
    before, begun = peak_mb(), time.process_time()
    with quiet():
        found = sum(1 for _ in Scheduler(cluster, range(batches), workers).run())
    if found != batches:
        raise RuntimeError(f"{found} of {batches} batches came back")
    spent = time.process_time() - begun
    return SimulatedCost(batches, workers, batches / spent, peak_mb() - before, cluster.clock / 3600, cluster.submitted)


def peak_mb() -> float:
    """The most memory that this process held so far [MB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@contextmanager
def quiet() -> Iterator[None]:
    """Thousands of deaths need no line each."""
    LOG.disabled = True
    try:
        yield
    finally:
        LOG.disabled = False


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--batches", type=click.IntRange(10), default=20_000, show_default=True)
@click.option("--workers", type=click.IntRange(1), default=WORKERS, show_default=True)
@click.option("--seconds", type=click.FloatRange(0), default=0.0, show_default=True, help="What a batch takes.")
@click.option("--simulated", is_flag=True, help="On a simulated cluster; --draws and --batch say how many batches.")
@click.option("--draws", type=click.IntRange(1), default=10_000_000, show_default=True)
@click.option("--batch", type=click.IntRange(1), default=64, show_default=True)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there.")
def main(
    batches: int, workers: int, seconds: float, simulated: bool, draws: int, batch: int, json_file: Path | None
) -> None:
    """Measure how many batches a second the driver can hand out, and what each costs it."""
    found: DriverCost | SimulatedCost
    if simulated:
        found = simulated_cost(draws, batch, workers)
        click.echo(
            f"{found.batches:,} batches on {found.workers:,} simulated workers: {found.batches_per_second:,.0f} "
            f"batches/s of processor time, {found.growth_mb:+.0f} MB, {found.handed_over:,} handed over, "
            f"{found.simulated_hours:.1f} h of sweep"
        )
    else:
        found = driver_cost(batches, workers, seconds)
        click.echo(
            f"{found.batches_per_second:.0f} batches/s with {found.workers} workers, "
            f"{1000 * found.driver_seconds:.2f} ms of the driver's processor time each, {found.growth_mb:+.1f} MB"
            + (f"; {100 * found.overhead:.2f} % of the workers' time is overhead" if seconds else "")
        )
    if json_file is not None:
        json_file.write_text(json.dumps(asdict(found)) + "\n")


if __name__ == "__main__":
    main()
