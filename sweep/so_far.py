"""What a cube tells without being read through: savings and regret so far, and whether and how it is compacted."""

from __future__ import annotations

import io
import math
import time
from typing import Any

from rich.console import Console
from rich.table import Table

from storage import Compaction, Place, Summary, compact, is_compacted, read_summary

TOLD = ("saving_fuel_co2", "saving_total", "regret_total")
SHARES = (0.05, 0.5, 0.95)


def so_far_record(store: Place) -> dict[str, Any]:
    """Give savings and regret so far by outcome and configuration; None where no draw is behind a number."""
    summary = read_summary(store)
    told: dict[str, Any] = {}
    for name in TOLD:
        of, quantiles = summary.of(name), summary.quantiles(name, SHARES)
        told[name] = {"units": of["mean"].attrs["units"], "configurations": {}}
        for label in of["configuration"].to_numpy():
            row, inner = of.sel(configuration=label), quantiles.sel(configuration=label).values
            numbers = {key: row[key].item() for key in ("mean", "sd", "low", "high")}
            numbers |= {f"q{share:g}": float(value) for share, value in zip(SHARES, inner, strict=True)}
            shown = {key: None if math.isnan(value) else value for key, value in numbers.items()}
            told[name]["configurations"][str(label)] = {"n": int(row["n"].item()), **shown}
    return told


def so_far_text(store: Place, width: int) -> str:
    """Tell savings and regret so far from the summaries of batches, quantiles to 0.1 %."""
    grid = Table(box=None, pad_edge=False)
    for heading in ("outcome", "configuration", "mean", "sd", "least", "5 %", "median", "95 %", "largest", "n"):
        grid.add_column(heading, justify="left" if heading in {"outcome", "configuration"} else "right")
    told = so_far_record(store)
    for name, outcome in told.items():
        for label, row in outcome["configurations"].items():
            parts = [row[key] for key in ("mean", "sd", "low", *(f"q{share:g}" for share in SHARES), "high")]
            shown = ("-" if value is None else f"{value + 0.0:,.1f}" for value in parts)
            grid.add_row(name, label, *shown, f"{row['n']:,}")
    note = "from the summaries of finished batches; n: draws behind each row; quantiles between the extremes to 0.1 %"
    return "\n".join([f"in {told[TOLD[0]]['units']}", printed(grid, width), note])


def compacted_note(store: Place) -> str:
    """Return a line that says a cube is compacted; nothing for any other."""
    return (
        "\ncompacted: in large files, quick to read; runs go on in the cube it was made from"
        if is_compacted(store)
        else ""
    )


def summary_of_compacted(store: Place) -> Summary | None:
    """Return the summary of a compacted cube, in which it spares reading much; None for any other."""
    return read_summary(store) if is_compacted(store) else None


def beside(store: Place) -> Place:
    """Return the path of a compacted cube: results/x.zarr -> results/x.compact.zarr."""
    name = store.absolute().name.removesuffix(".zarr")
    return (
        store.absolute().parent / f"{name}.compact.zarr" if not store.name else store.with_name(f"{name}.compact.zarr")
    )


def compacted_text(store: Place, out: Place | None) -> str:
    """Compact a cube, by default into one beside it, and say what that did."""
    target = out or beside(store)
    begun = time.perf_counter()
    done: Compaction = compact(store, target)
    seconds = time.perf_counter() - begun
    lacking = done.draws - done.draws_committed
    lines = [
        f"{target}: {done.draws_committed} of {done.draws} draws, every value checked, in {seconds:.1f} s",
        f"files {done.files_before:,} -> {done.files_after:,}, {_size(done.bytes_before)} -> {_size(done.bytes_after)}",
        "for reading only; runs go on in the cube that it was made from",
    ]
    if lacking:
        lines.insert(1, f"{lacking} draws are not run and are masked; compact again, elsewhere, when they are")
    return "\n".join(lines)


def printed(grid: Table, width: int) -> str:
    """Set a table as lines without colours or trailing blanks."""
    console = Console(width=width, color_system=None, file=io.StringIO(), highlight=False, markup=False)
    with console.capture() as captured:
        console.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().rstrip().splitlines())


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
