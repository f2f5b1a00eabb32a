"""Commands that ask a finished cube further questions: `wattbit reweight`."""

from __future__ import annotations

from pathlib import Path

import click

from storage import root_of
from sweep.ending import DONE, refusing
from sweep.reweight import OUTCOME, told

WIDTH = 132


@click.command()
@click.argument("store")
@click.argument("beliefs", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--outcome", default=OUTCOME, show_default=True, metavar="NAME", help="By draw and configuration alone.")
@click.option("--configuration", "configurations", multiple=True, metavar="NAME", help="Only this; repeatable.")
@click.option(
    "--least-effective",
    type=click.FloatRange(min=1),
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
