"""The command `wattbit sensitivity`: which uncertainty drives an outcome of a cube."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from report.sensitivity import sensitivity
from report.sensitivity_method import METHODS
from report.sensitivity_text import sensitivity_record, sensitivity_text
from storage import Place, open_cube
from sweep.ask import selections

OUTCOMES = ("saving_fuel_co2", "regret_total")

Command = Callable[..., Any]


def sensitivity_options(command: Command) -> Command:
    """Add the options of ``wattbit sensitivity``."""
    options = [
        click.option(
            "--outcome", "outcomes", multiple=True, metavar="NAME", help=f"Repeatable; default: {', '.join(OUTCOMES)}."
        ),
        click.option("--configuration", "configurations", multiple=True, metavar="NAME", help="Only this; repeatable."),
        click.option(
            "--method",
            type=click.Choice(METHODS),
            default="auto",
            show_default=True,
            help="auto: what the design is for.",
        ),
        click.option(
            "--select", multiple=True, metavar="NAME=LABEL", help="Only these areas, ...; or draws with this value."
        ),
        click.option(
            "--sum", "sums", multiple=True, metavar="DIM", help="Sum over areas, technologies, ... of a draw."
        ),
        click.option("--where", default="", metavar="CONDITION", help="Only futures that meet it, as in query."),
        click.option("--top", type=click.IntRange(min=1), default=6, show_default=True, help="Parameters in a table."),
        click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the resampling."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def told(
    store: Place,
    outcomes: tuple[str, ...],
    configurations: tuple[str, ...],
    method: str,
    select: tuple[str, ...],
    sums: tuple[str, ...],
    where: str,
    top: int,
    seed: int,
    as_json: bool,
    width: int,
) -> str:
    """Answer ``wattbit sensitivity``: the text to print, or one JSON object with a list of outcomes."""
    cube = open_cube(store)
    found = [
        sensitivity(
            cube,
            outcome,
            method=method,
            configurations=configurations,
            select=selections(select),
            sums=sums,
            where=where,
            seed=seed,
        )
        for outcome in outcomes or OUTCOMES
    ]
    if as_json:
        return json.dumps({"outcomes": [sensitivity_record(each) for each in found]}, indent=1, allow_nan=False)
    return "\n".join(sensitivity_text(each, top=top, width=width) for each in found).rstrip("\n")
