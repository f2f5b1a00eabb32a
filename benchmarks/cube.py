"""``python -m benchmarks.cube``: how fast a large compacted cube opens and answers, each question in a fresh process.

The cube is no result: solved draws are repeated to the number asked for, and its attributes say so. Repeated values
compress well, so by default each is moved by a random hundredth of itself (``--exact`` leaves them as they are).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import numpy.typing as npt
import xarray as xr

from report import robustness_table
from report.query import Question, answer
from storage import (
    Layout,
    compact,
    create_cube,
    cube_progress,
    open_cube,
    read_inputs,
    read_layout,
    read_summary,
    write_batch,
    write_summary,
)
from storage.compacted import make_compacted
from sweep.plan import make_plan
from sweep.run import run
from sweep.study import read_study

ROOT = Path(__file__).parents[1]
NOISE = 0.01
ONE_OUTCOME = "quantiles of one outcome, exact"
WRITTEN_DRAWS, WRITTEN_BATCH = 8192, 16
ONE_CELL = "one cell of generation"
SHARES = [0.05, 0.5, 0.95]


def repeated(source: Path, out: Path, draws: int, noise: float) -> Layout:
    """Write a compacted cube in which the draws of `source` are repeated to `draws`, block by block."""
    solved = open_cube(source)
    layout = replace(read_layout(source), draws=draws)
    values = {each.name: solved[each.name].to_numpy() for each in layout.variables}
    with xr.open_zarr(source, group="run") as run_group:
        values |= {f"run/{each.name}": run_group[each.name].to_numpy() for each in layout.run_variables}
    count = solved.sizes["draw"]
    kind = f"{count} solved draws repeated to {draws}, moved by {noise:g} of themselves: made to measure, no result"

    def block(name: str, start: int, stop: int) -> npt.NDArray[Any]:
        part: npt.NDArray[Any] = values[name][np.arange(start, stop) % count]
        if noise and part.dtype.kind == "f":
            random = np.random.default_rng([start, sum(name.encode())])
            part *= 1 + noise * random.standard_normal(part.shape, dtype=np.float32)
        return part

    inputs = read_inputs(source).isel(draw=np.arange(draws) % count)
    inputs = inputs.assign_coords(draw=np.arange(draws)).assign_attrs(repeated_draws=count, comment=kind)
    with tempfile.TemporaryDirectory(dir=out.parent) as folder:
        empty = Path(folder) / "empty.zarr"
        create_cube(empty, layout, inputs, {"comment": kind}, title=kind)
        configurations = len(layout.coords["configuration"])
        told = {
            "draws_committed": draws,
            "status": {**dict.fromkeys(layout.status_meanings.values(), 0), "optimal": draws * configurations},
            "missing_batches": [],
        }
        make_compacted(empty, out, layout, block, [], told)
    return layout


def written(source: Path, out: Path, draws: int, batch: int) -> None:
    """Write a cube of repeated draws as a sweep does, batch by batch."""
    solved = open_cube(source).load()
    layout, count = replace(read_layout(source), draws=draws, batch=batch), solved.sizes["draw"]
    kind = f"{count} solved draws repeated to {draws}: made to measure, no result"
    inputs = read_inputs(source).isel(draw=np.arange(draws) % count).assign_coords(draw=np.arange(draws))
    create_cube(out, layout, inputs.assign_attrs(comment=kind), {"comment": kind}, title=kind)
    for number in range(layout.batches):
        start, stop = layout.bounds(number)
        chosen = np.arange(start, stop) % count
        arrays = {each.name: solved[each.name].to_numpy()[chosen] for each in layout.variables}
        sizes = {dim: len(labels) for dim, labels in layout.coords.items()} | {"draw": stop - start}
        run_arrays = {each.name: np.ones([sizes[dim] for dim in each.dims]) for each in layout.run_variables}
        write_batch(out, number, arrays, run_arrays, {})
        write_summary(out, layout, start, arrays)


def ask_quantiles(store: Path) -> Any:
    """Exact quantiles of one outcome in every configuration."""
    return answer(open_cube(store), Question("saving_fuel_co2", quantiles=(0.05, 0.5, 0.95))).rows[-1]["q0.5"]


def ask_regret(store: Path) -> Any:
    """Mean, 90 % quantile, maximum and share of zero of the regret in every draw and configuration."""
    regret = open_cube(store)["regret_total"].load()
    figures = [regret.mean("draw"), regret.max("draw"), (regret <= 0).mean("draw")]
    quantile = np.quantile(regret.to_numpy(), 0.9, axis=0)
    return [float(each.sum()) for each in figures] + [float(quantile.sum())]


def ask_regret_anew(store: Path) -> Any:
    """The same, reckoned anew from total costs against the best named configuration."""
    cube = open_cube(store)
    named = [str(name) for name in cube["configuration"].values if name not in cube.attrs["free_configurations"]]
    cost = cube["total_cost"].load()
    regret = cost - cost.sel(configuration=named).min("configuration")
    return float(regret.mean()), np.quantile(regret.to_numpy(), 0.9, axis=0).tolist(), float(regret.max())


def ask_cell(store: Path) -> Any:
    """Mean of one area and technology of one configuration."""
    cell = {"configuration": "five_hubs", "area": "Kyushu", "technology": "solar"}
    return float(open_cube(store)["generation"].sel(cell).mean())


def ask_sum(store: Path) -> Any:
    """Curtailment summed over areas and technologies draw by draw, its quantiles in every configuration."""
    return answer(open_cube(store), Question("curtailment", sum=("area", "technology"))).rows[-1]["mean"]


def ask_table(store: Path) -> Any:
    """The robustness table, with curtailment from the summaries."""
    return robustness_table(open_cube(store), read_summary(store))["saving_mean"].values.tolist()


def ask_sketch(store: Path) -> Any:
    """Quantiles of one outcome from the summaries alone."""
    return read_summary(store).quantiles("saving_fuel_co2", SHARES).values.tolist()


QUESTIONS: dict[str, Callable[[Path], Any]] = {
    "open": lambda store: dict(open_cube(store).sizes),
    "status": lambda store: cube_progress(store).draws_committed,
    ONE_OUTCOME: ask_quantiles,
    "quantiles of one outcome, from summaries": ask_sketch,
    ONE_CELL: ask_cell,
    "regret of the whole cube": ask_regret,
    "regret reckoned anew from total cost": ask_regret_anew,
    "robustness table": ask_table,
    "curtailment summed draw by draw": ask_sum,
}


def asked_apart(store: Path, question: str) -> dict[str, float]:
    """Ask in a process of its own, its files not in the page cache: seconds without imports, and peak memory in MB."""
    for file in store.rglob("*"):
        if file.is_file():
            with file.open("rb") as stream:
                os.posix_fadvise(stream.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    line = [sys.executable, "-m", "benchmarks.cube", "--ask", question, "--store", str(store)]
    found: dict[str, float] = json.loads(subprocess.run(line, cwd=ROOT, check=True, capture_output=True).stdout)
    return found


def peak_memory_mb() -> float:
    """Return the most memory that this process has held (Linux); getrusage would count the process it came from."""
    [kilobytes] = re.findall(r"^VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(kilobytes) / 1000


def solved_draws(folder: Path) -> Path:
    """Run the small study: four draws."""
    file, store = ROOT / "studies" / "small.toml", folder / "solved.zarr"
    run(make_plan(read_study(file), file.parent), store, serial=True)
    return store


def many_batches(source: Path, folder: Path) -> Path:
    """Write `WRITTEN_DRAWS` in batches of `WRITTEN_BATCH`."""
    written(source, folder / "many.zarr", WRITTEN_DRAWS, WRITTEN_BATCH)
    return folder / "many.zarr"


def compaction(store: Path, out: Path) -> dict[str, Any]:
    """Compact a cube, and say what one outcome costs before and after."""
    begun = time.perf_counter()
    done = compact(store, out)
    return {
        "draws": done.draws,
        "compacted_in": time.perf_counter() - begun,
        "files": [done.files_before, done.files_after],
        "megabytes": [done.bytes_before / 1e6, done.bytes_after / 1e6],
        "before_and_after": {
            question: [asked_apart(path, question) for path in (store, out)] for question in (ONE_OUTCOME, ONE_CELL)
        },
    }


def measured(source: Path, folder: Path, draws: int, noise: float) -> dict[str, Any]:
    """Make the cube and ask every question; also what one outcome costs in `source`, before and after compaction."""
    begun, store = time.perf_counter(), folder / "repeated.zarr"
    layout = repeated(source, store, draws, noise)
    seconds = time.perf_counter() - begun
    peak, questions = peak_memory_mb(), {question: asked_apart(store, question) for question in QUESTIONS}
    sizes = [file.stat().st_size for file in store.rglob("*") if file.is_file()]
    shutil.rmtree(store)
    record: dict[str, Any] = {
        "draws": draws,
        "noise": noise,
        "gigabytes": layout.nbytes / 1e9,
        "gigabytes_stored": sum(sizes) / 1e9,
        "files": len(sizes),
        "written_in": seconds,
        "peak_memory_writing_mb": peak,
        "questions": questions,
        "compaction": [compaction(source, folder / "small"), compaction(many_batches(source, folder), folder / "many")],
    }
    return record


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--draws", type=click.IntRange(1), default=1_000_000, show_default=True)
@click.option("--exact", is_flag=True, help="Repeat the values as they are.")
@click.option("--source", type=click.Path(path_type=Path), help="A finished cube; default: the small study, run anew.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where to make the cube; default: a temporary one.")
@click.option("--ask", type=click.Choice(list(QUESTIONS)), hidden=True)
@click.option("--store", type=click.Path(path_type=Path), hidden=True)
def main(
    draws: int, exact: bool, source: Path | None, folder: Path | None, ask: str | None, store: Path | None
) -> None:
    """Measure a cube of many draws; prints JSON, leaves nothing behind."""
    if ask is not None and store is not None:
        begun = time.perf_counter()
        QUESTIONS[ask](store)
        seconds = time.perf_counter() - begun
        click.echo(json.dumps({"seconds": round(seconds, 3), "peak_memory_mb": round(peak_memory_mb())}))
        return
    with tempfile.TemporaryDirectory(dir=folder) as made:
        record = measured(source or solved_draws(Path(made)), Path(made), draws, 0.0 if exact else NOISE)
    click.echo(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
