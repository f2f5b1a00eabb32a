"""Answer a question about one variable of a cube: its mean, spread and quantiles in groups of draws.

Configurations are answers, not futures, so they are never pooled: every row is of one configuration. Each row says
how many draws its numbers rest on and how many failed or were not run.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from report.groups import groups_of
from report.intervals import Interval, Sample, mean_interval, probability_interval, quantile_interval
from report.outcomes import NOT_RUN, OPTIMAL, nearest, states, variable
from report.samples import SCENARIO, Draws, draws_of, in_words, scenarios_of
from report.where import QueryError, Where

Values = NDArray[np.float64]
Row = dict[str, str | int | float]
LOADED_VALUES = 32_000_000
"""Values that are read at a time: 256 MB."""

SUMMABLE: dict[str, tuple[str, ...]] = {
    "generation": ("area", "technology"),
    "curtailment": ("area", "technology"),
    "storage_discharge": ("area", "technology"),
    "unserved": ("area",),
    "spill": ("area",),
    "dc_load": ("area",),
    "dc_capacity": ("area", "tier"),
    "sites": ("area", "tier"),
    "flow_gross": ("line",),
    "line_value": ("line",),  # by a GW on each of the lines, to first order
}
"""Outcomes whose values add up, and over what. Prices, hours, round trips and directed flows do not."""


@dataclass(frozen=True)
class Question:
    """What is asked of a cube.

    Attributes
    ----------
    variable : str
        An outcome, or a parameter that is a number.
    where : str
        A condition, see `report.where`.
    by : tuple of str
        Dimensions or parameters; ``NAME:4`` cuts a parameter into 4 bins of equally many draws.
    select : mapping of str to tuple of str
        Labels kept of a dimension.
    sum : tuple of str
        Dimensions summed over, draw by draw.
    quantiles : tuple of float
        Shares in 0..1.
    above : float, optional
        Asks for the share of draws whose value lies above this.
    """

    variable: str
    where: str = ""
    by: tuple[str, ...] = ()
    select: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sum: tuple[str, ...] = ()
    quantiles: tuple[float, ...] = (0.05, 0.5, 0.95)
    above: float | None = None


@dataclass(frozen=True)
class Answer:
    """Rows that answer a question.

    Attributes
    ----------
    question : Question
        As asked.
    units : str
        Of mean, sd and quantiles.
    keys : tuple of str
        Columns that tell the groups apart.
    rows : list of dict
        ``keys``; ``n``, the draws that the numbers rest on; ``failed``, ``not_run``, and ``no_value`` where a
        finished draw has none (these four add up to the draws of the group); ``failed_STATE`` for each of ``states``
        (these add up to ``failed``); ``failed_share``, ``not_run_share``; ``mean``, ``sd``, ``q0.05``, ...; ``above``;
        and all but sd with the ends of their 95 % interval, ``mean_low``, ``mean_high``, ...
        NaN where no draw is left; sd also where one is; ends where no interval is honest.
    states : tuple of str
        The states of failed draws that occur in these rows.
    nothing : str
        Says so where no draw meets the condition, else empty.
    notes : list of str
        What the numbers may not be taken for, ``nothing`` among them.
    """

    question: Question
    units: str
    keys: tuple[str, ...]
    rows: list[Row]
    states: tuple[str, ...]
    nothing: str
    notes: list[str]


def answer(cube: xr.Dataset, question: Question) -> Answer:
    """Answer a question; see `Question` and `Answer`.

    Raises
    ------
    QueryError
        Where the question has unknown names, asks for what has no meaning, or for parameters that no draw has. The
        message says what to change.
    """
    array = asked_values(cube, question)
    if question.above is not None and not math.isfinite(question.above):
        raise QueryError(f"--above {question.above}: expected a number, in the unit of the variable")
    for share in question.quantiles:
        if not 0 <= share <= 1:
            raise QueryError(f"--quantile {share:g}: expected shares between 0 and 1, as 0.05 for 5 %")
    labels = [str(name) for name in cube["configuration"].to_numpy()]
    columns = [labels.index(str(name)) for name in array["configuration"].to_numpy()]
    where = Where(question.where, cube)
    nothing = "" if where.meets[:, columns].any() else _nothing(cube, question, where, columns)
    if nothing and not where.on_outcomes:
        raise QueryError(nothing)
    dims = [str(dim) for dim in array.dims if dim != "draw"]
    groups = groups_of(cube, [name for name in question.by if name not in dims])
    status = variable(cube, "status").to_numpy()
    failing = {value: word for value, word in states(cube).items() if value not in (OPTIMAL, NOT_RUN)}
    # a parameter has a value in a failed draw too, and who asks for failed draws means these
    any_status = where.on_status and "configuration" not in cube[question.variable].dims
    draws = draws_of(cube)
    found: list[tuple[dict[str, int], Row]] = []
    for place, piece in pieces(array):
        column = columns[place[0]]
        maybe = ~where.fails[:, column]  # what lacks a value that the condition asks for may meet it
        counts = any_status | (status[:, column] == OPTIMAL)
        values = np.where(counts & where.meets[:, column], piece, np.nan)
        shown = {dim: str(array[dim].to_numpy()[at]) for dim, at in zip(dims, place, strict=True)}
        ranks = dict(zip(dims, place, strict=True))
        for group in groups:
            chosen = group.draws[maybe[group.draws]]
            row = _row(draws.sample(values[chosen], chosen), status[chosen, column], failing, question)
            found.append((ranks | group.ranks, {**shown, **group.labels, **row}))
    asked = [name.partition(":")[0] for name in question.by]
    keys = tuple(dict.fromkeys([*asked, *dims]))
    found.sort(key=lambda each: [each[0][key] for key in keys])
    units = "1" if "units" not in array.attrs else str(array.attrs["units"])
    rows = [row for _, row in found]
    occurring = tuple(word for word in failing.values() if any(row[f"failed_{word}"] for row in rows))
    for row, word in itertools.product(rows, set(failing.values()) - set(occurring)):
        del row[f"failed_{word}"]
    notes = [
        *([nothing] if nothing else []),
        *_notes(cube, question, where, rows),
        *_interval_notes(cube, rows, keys, draws),
    ]
    return Answer(question, units, keys, rows, occurring, nothing, notes)


def _nothing(cube: xr.Dataset, question: Question, where: Where, columns: list[int]) -> str:
    told = where.ranges(columns)
    in_these = " in these configurations" if where.on_outcomes else ""
    return f"no draw of {cube.sizes['draw']} meets --where {question.where!r}{in_these}" + (f": {told}" if told else "")


def asked_values(cube: xr.Dataset, question: Question) -> xr.DataArray:
    """Return the variable asked for, selected and summed as asked: over (draw, configuration, ...), as it is stored.

    Raises
    ------
    QueryError
        As `answer`.
    """
    return _summed(_selected(_wanted(cube, question.variable), question), question)


def _wanted(cube: xr.Dataset, name: str) -> xr.DataArray:
    """Return an outcome, or a parameter spread over configurations; ``draw`` and ``configuration`` lead."""
    known = [str(each) for each in cube.data_vars if each != "status"]
    if name == "status":
        raise QueryError("status: every row tells how many draws failed or were not run; ask for another variable")
    if name in cube.dims:
        raise QueryError(f"{name} is a dimension; ask for a parameter or outcome, and use it in --by or --select")
    if name not in known:
        raise QueryError(f"no parameter or outcome {name!r}{nearest(name, known)}")
    array = cube[name]
    if array.dtype.kind not in "fiub":
        raise QueryError(f"{name} is text and has no mean; use it in --where or --by")
    if "configuration" not in array.dims:
        array = array.expand_dims(configuration=cube["configuration"], axis=1).assign_attrs(array.attrs)
    return array.transpose("draw", "configuration", ...)


def _selected(array: xr.DataArray, question: Question) -> xr.DataArray:
    for dim, labels in question.select.items():
        dims = [str(each) for each in array.dims if each != "draw"]
        if dim not in dims:
            raise QueryError(f"--select {dim}: {array.name} does not run over it{nearest(dim, dims)}")
        known = [str(label) for label in array[dim].to_numpy()]
        for label in labels:
            if label not in known:
                raise QueryError(f"--select {dim}={label}: no such {dim}{nearest(label, known)}")
        array = array.sel({dim: list(dict.fromkeys(labels))})
    return array


def _summed(array: xr.DataArray, question: Question) -> xr.DataArray:
    for dim in question.sum:
        if dim not in array.dims:
            can = SUMMABLE.get(question.variable, ())
            raise QueryError(f"--sum {dim}: {array.name} does not run over it{nearest(dim, can)}")
        if dim not in SUMMABLE.get(question.variable, ()):
            raise QueryError(
                f"--sum {dim}: {array.name} over several {dim}s does not add up; --select or group instead"
            )
        if dim in question.by:
            raise QueryError(f"--sum {dim} and --by {dim}: found both, expected one of them")
    # min_count: a draw in which every part is missing is missing, not zero
    return array.sum(list(question.sum), skipna=True, min_count=1, keep_attrs=True) if question.sum else array


def pieces(array: xr.DataArray) -> Iterator[tuple[tuple[int, ...], Values]]:
    """Yield the draws of each cell, with its place along the dimensions after ``draw``, a bounded part at a time."""
    shape = array.shape[1:]
    # as many leading dimensions taken apart as it needs for the rest to be small
    apart = next((n for n in range(len(shape)) if len(array) * math.prod(shape[n:]) <= LOADED_VALUES), len(shape))
    for outer in itertools.product(*map(range, shape[:apart])):
        part = array[(slice(None), *outer)].to_numpy().astype(np.float64, copy=False)
        by_cell = np.moveaxis(part, 0, -1)
        for inner in itertools.product(*map(range, shape[apart:])):
            yield (*outer, *inner), by_cell[inner]


def _row(sample: Sample, status: NDArray[np.int8], failing: Mapping[int, str], question: Question) -> Row:
    """Reckon one row from the draws that meet the condition, or may; ``failing``: states of failed draws."""
    lacking = np.isnan(sample.values)
    there, of_lacking = sample.values[~lacking], status[lacking]
    n, draws = len(there), len(lacking)
    not_run = int((of_lacking == NOT_RUN).sum())
    failed = len(of_lacking) - not_run - int((of_lacking == OPTIMAL).sum())
    row: Row = {"n": n, "failed": failed, "not_run": not_run, "no_value": draws - n - failed - not_run}
    row |= {f"failed_{word}": int((of_lacking == value).sum()) for value, word in failing.items()}
    row |= {
        "failed_share": failed / draws if draws else math.nan,
        "not_run_share": not_run / draws if draws else math.nan,
    }
    row |= _with_ends("mean", mean_interval(sample))
    row["sd"] = float(there.std(ddof=1)) if n > 1 else math.nan
    for share in question.quantiles:
        row |= _with_ends(f"q{share:g}", quantile_interval(sample, share))
    if question.above is not None:
        row |= _with_ends("above", probability_interval(sample, question.above))
    return row


def _with_ends(name: str, interval: Interval) -> Row:
    return {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}


def _interval_notes(cube: xr.Dataset, rows: list[Row], keys: tuple[str, ...], draws: Draws) -> list[str]:
    notes = []
    if any(not math.isnan(float(value)) for row in rows for name, value in row.items() if name.endswith("_low")):
        notes.append(f"±: longer side of the {in_words()} interval, {draws.how}; --json and --csv have both ends.")
    elif any(row["n"] for row in rows):
        notes.append(f"No {in_words()} intervals: {draws.how.removeprefix('no interval: ')}.")
    worlds = scenarios_of(cube)
    if worlds and SCENARIO not in keys:
        notes.append(
            f"Scenarios ({', '.join(worlds)}) are pooled, each with the same weight; --by {SCENARIO} parts them."
        )
    return notes


def _notes(cube: xr.Dataset, question: Question, where: Where, rows: list[Row]) -> list[str]:
    notes = [f"n: finished draws behind the numbers, of {cube.sizes['draw']} in the study. Quantiles: numpy 'linear'."]
    if "configuration" not in cube[question.variable].dims:
        if where.on_status:
            notes = [f"n: draws behind the numbers, whatever became of them, of {cube.sizes['draw']} in the study."]
        notes.append(
            f"{question.variable} is a parameter: configurations differ only in the draws that count for them."
        )
    if any(row["failed"] or row["not_run"] for row in rows):
        notes.append("Draws that failed or were not run enter no number and are never counted as zero.")
        if where.on_outcomes:
            notes.append(
                "--where asks for outcomes, which such draws lack: each row counts all that might have met it."
            )
    if any(row["no_value"] for row in rows):
        notes.append("no value: finished draws in which the variable, or what --where asks for, is not defined.")
    return notes
