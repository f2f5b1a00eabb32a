"""What `wattbit query` asks of a cube, and its answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click
from rich.table import Table

from report.answers import answer_csv, answer_record, answer_text
from report.query import Answer, Question, answer
from report.reference import against
from report.where import QueryError
from storage import Place, open_cube
from sweep.cli_options import finite
from sweep.so_far import printed

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
        click.option("--above", type=float, callback=finite, metavar="VALUE", help="Also the share of draws above it."),
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
    return "\n".join([printed(grid, width), "", *labels, "", notes])


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
