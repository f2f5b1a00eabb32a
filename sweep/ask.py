"""The commands that read a cube without running anything: query and compact."""

from __future__ import annotations

import io
import json
import math
import time
from collections.abc import Callable
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from report.answers import answer_csv, answer_record, answer_text
from report.query import Answer, Question, answer
from report.reference import against
from report.where import QueryError
from storage import Compaction, Place, Summary, compact, is_compacted, open_cube, read_summary

Command = Callable[..., Any]


def query_options(command: Command) -> Command:
    """Add the options of ``wattbit query``."""
    options = [
        click.argument("variable", required=False),
        click.option("--where", default="", metavar="CONDITION", help='As "apn_adoption<0.4 and japan_sea_hvdc==0".'),
        click.option("--by", multiple=True, metavar="NAME", help="A dimension or parameter; NAME:4 makes 4 bins."),
        click.option("--select", multiple=True, metavar="DIM=LABEL", help="Only these; DIM=A,B for several."),
        click.option(
            "--sum", "sums", multiple=True, metavar="DIM", help="Sum over areas, technologies, ... of a draw."
        ),
        click.option(
            "--quantile",
            "quantiles",
            multiple=True,
            metavar="SHARE",
            help="Repeatable, or --quantile .05 .5 .95; default: these three.",
        ),
        click.option("--above", type=float, metavar="VALUE", help="Also the share of draws above it."),
        click.option("--reference", metavar="NAME", help="Compare savings with this configuration of the cube."),
        click.option("--csv", "as_csv", is_flag=True, help="Print CSV."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


class ManyValues(click.Command):
    """A command whose ``--by``, ``--quantile`` and ``--sum`` take several values in a row."""

    SEVERAL = ("--by", "--quantile", "--sum", "--select")

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat such an option before each of its values but those before the store and the variable."""
        return super().parse_args(ctx, _repeated(args, self.SEVERAL))


def _repeated(args: list[str], several: tuple[str, ...]) -> list[str]:
    words: list[str] = []
    current, taken = "", 0
    for word in args:
        if word.startswith("--") or word == "-h":
            current, taken = (word if word in several else ""), 0
            words.append(word)
            continue
        if current and taken:
            words.append(current)
        words.append(word)
        taken += 1
    return words


def query_text(
    store: Place,
    variable: str | None,
    where: str,
    by: tuple[str, ...],
    select: tuple[str, ...],
    sums: tuple[str, ...],
    quantiles: tuple[str, ...],
    above: float | None,
    reference: str | None,
    as_csv: bool,
    as_json: bool,
    width: int,
) -> str:
    """Answer ``wattbit query``: the text to print."""
    if as_csv and as_json:
        raise QueryError("--csv and --json: found both, expected one of them")
    if variable is None:
        if where or by or select or sums or quantiles or above is not None or as_csv:
            raise QueryError(f"VARIABLE is missing: wattbit query {store} lists them")
        return json.dumps(variables_record(store), indent=1) if as_json else variables_text(store, width)
    asked = {"quantiles": tuple(_share(text) for text in quantiles)} if quantiles else {}
    question = Question(variable, where, by, selections(select), sums, above=above, **asked)
    cube = open_cube(store)
    found: Answer = answer(against(cube, reference) if reference else cube, question)
    if as_csv and found.nothing:
        click.echo(f"wattbit: {found.nothing}", err=True)
    if as_csv:
        return answer_csv(found).rstrip("\n")
    return json.dumps(answer_record(found), indent=1) if as_json else answer_text(found, width=width).rstrip("\n")


def variables_record(store: Place) -> dict[str, Any]:
    """Return every variable that can be asked for - name, units, dimensions, meaning - and the labels of dimensions."""
    cube = open_cube(store)
    labels = {str(dim): [str(each) for each in cube[dim].to_numpy()] for dim in cube.dims if dim != "draw"}
    variables = [
        {
            "name": str(name),
            "units": array.attrs.get("units"),
            "dims": [str(dim) for dim in array.dims if dim not in ("draw", "configuration")],
            "parameter": "configuration" not in array.dims,
            "meaning": array.attrs.get("long_name"),
            "distribution": array.attrs.get("distribution"),
        }
        for name, array in cube.data_vars.items()
        if name != "status"
    ]
    return {"variables": variables, "labels": labels}


def variables_text(store: Place, width: int) -> str:
    """Set `variables_record` as text: outcomes, then parameters."""
    grid = Table(box=None, pad_edge=False)
    for heading in ("variable", "unit", "by", "meaning"):
        grid.add_column(heading, no_wrap=heading != "meaning", overflow="fold")
    record = variables_record(store)
    for each in sorted(record["variables"], key=lambda each: bool(each["parameter"])):
        over = ", ".join(each["dims"]) or ("parameter" if each["parameter"] else "")
        meaning = ": ".join(filter(None, (each["meaning"], each["distribution"])))
        grid.add_row(each["name"], (each["units"] or "").removesuffix(" (2024 prices)"), over, meaning)
    labels = [f"{dim}: {', '.join(each)}" for dim, each in record["labels"].items()]
    notes = "Outcomes are by configuration too. Parameters also stand in --where and --by. Money in 2024 prices."
    return "\n".join([_printed(grid, width), "", *labels, "", notes])


def _printed(grid: Table, width: int) -> str:
    console = Console(width=width, color_system=None, file=io.StringIO(), highlight=False, markup=False)
    with console.capture() as captured:
        console.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().rstrip().splitlines())


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise QueryError(f"--quantile {text}: expected a share between 0 and 1, as 0.05 for 5 %") from error


def selections(texts: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Read ``DIM=LABEL`` and ``DIM=A,B``: the labels by dimension."""
    chosen: dict[str, tuple[str, ...]] = {}
    for text in texts:
        dim, equals, labels = text.partition("=")
        if not equals or not dim or not labels:
            raise QueryError(f"--select {text}: expected DIM=LABEL, as area=Hokkaido")
        chosen[dim] = (*chosen.get(dim, ()), *labels.split(","))
    return chosen


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
    return "\n".join([f"in {told[TOLD[0]]['units']}", _printed(grid, width), note])


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


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"
