"""Commands that ask a cube further questions: `wattbit query | sensitivity | reweight`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from storage import Place, root_of
from sweep import ask
from sweep import sensitivity as sensitivity_of
from sweep.cli_options import AS_JSON, STORE, WIDTH, Finite
from sweep.ending import DONE, refusing
from sweep.reweight import OUTCOME, told


@click.command(cls=ask.ManyValues)
@STORE
@ask.query_options
@AS_JSON
@refusing
def query(store: Place, **asked: Any) -> int:
    """
    Print mean, spread and quantiles of a VARIABLE of a cube, by configuration and whatever else is asked for.

    Without a VARIABLE: list what can be asked for.
    """
    click.echo(ask.query_text(store, width=WIDTH, **asked))
    return DONE


@click.command(cls=ask.ManyValues)
@STORE
@sensitivity_of.sensitivity_options
@AS_JSON
@refusing
def sensitivity(store: Place, **asked: Any) -> int:
    """Print which uncertainty drives an outcome of a cube, configuration by configuration."""
    click.echo(sensitivity_of.told(store, width=WIDTH, **asked))
    return DONE


@click.command()
@click.argument("store")
@click.argument("beliefs", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--outcome", default=OUTCOME, show_default=True, metavar="NAME", help="By draw and configuration alone.")
@click.option("--configuration", "configurations", multiple=True, metavar="NAME", help="Only this; repeatable.")
@click.option(
    "--least-effective",
    type=Finite(min=1),
    metavar="N",
    help="Effective draws below which beliefs are refused; default: 20, or 1 % of the draws if that is more.",
)
@refusing
def reweight(
    store: str,
    beliefs: Path,
    as_json: bool,
    outcome: str,
    configurations: tuple[str, ...],
    least_effective: float | None,
) -> int:
    """Print how configurations do under other distributions, BELIEFS (TOML), from the draws of a cube; nothing is solved."""
    click.echo(told(root_of(store), beliefs, outcome, configurations, least_effective, as_json, WIDTH))
    return DONE
