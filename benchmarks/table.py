"""Turns measurements into ratios against this engine, and ratios into a table and a record."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.clock import WORKERS
from benchmarks.measure import WITH_WORKERS, Measurement, day_solves
from sweep.plan import Plan

NOTES = {
    "ours": "this engine, serial: reading, patching, solving, writing; siting_value and its extra solve included",
    "floor": "the seconds of `ours` inside Highs.run alone",
    "ours_ray": f"this engine, {WORKERS} Ray workers",
    "persistent": "Pyomo built once, mutable Params, persistent appsi_highs, nearest-neighbour draws, day by day; "
    "free configurations: the joint program of all days, kept",
    "rebuild": "one Pyomo model per draw and configuration over all days, appsi_highs; free: joint program",
    "ema_workbench": f"EMA Workbench, {WORKERS} processes, the persistent solvers in each",
    "parameter_sweep": f"parameter-sweep on Ray, {WORKERS} workers, appsi_highs",
}
HEADINGS = ("runner", "draws", "s/draw", "fixed", "free", "in HiGHS", "outside", "iterations", "MB", "ratio", "fixed")


@dataclass(frozen=True)
class Row:
    """One runner's line; seconds per draw, NaN where not known.

    ``iterations`` are those per day and fixed configuration; ``ratio`` and ``ratio_fixed`` are its seconds over this
    engine's on the same draws and as many workers, with all configurations and with the fixed ones alone.
    """

    runner: str
    draws: int
    workers: int
    seconds: float
    fixed: float
    free: float
    inside: float
    outside: float
    iterations: float
    peak_mb: float
    startup: float
    ratio: float
    ratio_fixed: float


def rows_of(plan: Plan, measured: Mapping[str, Measurement]) -> list[Row]:
    """A row per runner, and the floor behind ``ours``."""
    rows = []
    for name, found in measured.items():
        rows.append(_row(plan, found, measured.get("ours_ray" if name in WITH_WORKERS else "ours")))
        if name == "ours":
            nan = float("nan")
            inside = rows[-1].inside
            rows.append(
                Row(
                    "floor",
                    rows[-1].draws,
                    1,
                    inside,
                    nan,
                    nan,
                    inside,
                    0.0,
                    nan,
                    nan,
                    0.0,
                    inside / rows[-1].seconds,
                    nan,
                )
            )
    return rows


def _row(plan: Plan, found: Measurement, ours: Measurement | None) -> Row:
    draws, workers = len(found.draws), WORKERS if found.runner in WITH_WORKERS else 1
    free = found.free / workers
    fixed = found.seconds - free
    ratio = ratio_fixed = float("nan")
    if ours is not None:
        same, all_draws = (np.sum([ours.by_draw[d] for d in m.draws], axis=0) for m in (found, ours))
        seconds = ours.seconds * same[0] / all_draws[0]  # on the draws that both solved
        ratio, ratio_fixed = found.seconds / seconds, fixed / (seconds - same[1] / workers)
    return Row(
        runner=found.runner,
        draws=draws,
        workers=workers,
        seconds=found.seconds / draws,
        fixed=fixed / draws,
        free=free / draws,
        inside=found.solver_seconds / workers / draws,
        outside=(found.seconds - found.solver_seconds / workers) / draws,
        iterations=found.iterations / day_solves(plan, found.draws),
        peak_mb=found.peak_mb,
        startup=found.startup,
        ratio=ratio,
        ratio_fixed=ratio_fixed,
    )


def figures_of(plan: Plan, measured: Mapping[str, Measurement], cold: float) -> dict[str, float]:
    """The single figures beside the table."""
    ours = measured["ours"]
    figures = {
        "floor_over_ours": ours.solver_seconds / ours.seconds,
        "cold_iterations": cold,
        "hot_iterations_per_solve": ours.iterations / ours.dispatch_solves,
        "cold_over_hot_per_solve": cold / (ours.iterations / ours.dispatch_solves),
        "cold_over_hot_per_day_and_configuration": cold / (ours.iterations / day_solves(plan, ours.draws)),
    }
    free = sum(c.is_free for c in plan.case.configurations)
    if free:
        seconds, of_free = np.array([ours.by_draw[d] for d in ours.draws]).T
        one_fixed = (seconds - of_free) / (len(plan.case.configurations) - free)
        figures["free_over_one_fixed_median"] = float(np.median(of_free / free / one_fixed))
    if "ours_ray" in measured:
        figures["parallel_efficiency"] = ours.seconds / (WORKERS * measured["ours_ray"].seconds)
        figures["ray_startup_seconds"] = measured["ours_ray"].startup
    return figures


def text_of(title: str, rows: Sequence[Row], figures: Mapping[str, float]) -> str:
    """The table as Markdown, its notes, and the single figures."""
    lines = [title, "", f"| {' | '.join(HEADINGS)} |", f"|---|{'---:|' * (len(HEADINGS) - 1)}"]
    for row in rows:
        times = [_number(t, ".3f") for t in (row.seconds, row.fixed, row.free, row.inside, row.outside)]
        rest = [_number(row.iterations, ".0f"), _number(row.peak_mb, ".0f")]
        ratios = [_number(row.ratio, ".2f"), _number(row.ratio_fixed, ".2f")]
        lines.append(f"| {' | '.join([row.runner, str(row.draws), *times, *rest, *ratios])} |")
    lines += [
        "",
        "Seconds per draw: in all, for the fixed and for the free configurations, inside and outside of HiGHS.",
        "Iterations per day and fixed configuration. Ratios: seconds over this engine's on the same draws with as many",
        "workers, all configurations and the fixed ones alone; start of workers not counted.",
        "",
        *(f"- {row.runner}: {NOTES[row.runner]}" for row in rows),
        "",
        *(f"{name}: {value:.4g}" for name, value in figures.items()),
    ]
    return "\n".join(lines)


def record_of(row: Row) -> dict[str, Any]:
    """A row for JSON: what is not known is null."""
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in vars(row).items()}


def _number(value: float, form: str) -> str:
    return "-" if math.isnan(value) else format(value, form)
