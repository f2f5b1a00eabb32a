"""Commands on a cube: `wattbit status | compact | verify`; its table and its page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import click

from sweep.cli_options import AS_JSON, STORE, WIDTH, StoreType
from sweep.ending import DONE, WITH_FAILURES, refusing

if TYPE_CHECKING:
    from storage import Place


@click.command()
@STORE
@AS_JSON
@click.option("--summary", is_flag=True, help="Also savings and regret so far, from the summaries of batches.")
@refusing
def status(store: Place, as_json: bool, summary: bool) -> int:
    """Say how far a cube is, how fast it goes, what failed, what took longest and who writes it."""
    from sweep import so_far
    from sweep.standing import standing, standing_text

    record = standing(store)
    if as_json:
        click.echo(json.dumps(record | ({"summary": so_far.so_far_record(store)} if summary else {}), indent=1))
        return DONE
    click.echo(standing_text(record) + so_far.compacted_note(store))
    if summary:
        click.echo("\n" + so_far.so_far_text(store, WIDTH))
    return DONE


@click.command()
@STORE
@click.option("--out", type=StoreType(), help="The new cube; default: beside it, .compact.zarr.")
@refusing
def compact(store: Place, out: Place | None) -> int:
    """Rewrite a cube into large shards for reading, every value checked; the cube itself stays as it is."""
    from sweep.so_far import compacted_text

    click.echo(compacted_text(store, out))
    return DONE


@click.command()
@STORE
@AS_JSON
@click.option("--sample", type=click.IntRange(min=0), default=1, show_default=True, help="Draws to solve again, cold.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Which draws these are.")
@refusing
def verify(store: Place, as_json: bool, sample: int, seed: int) -> int:
    """Say whether a cube may be believed: checksums, costs and balances, and some draws solved again by plain Pyomo."""
    from sweep import verify as of_cube

    record = of_cube.verify(store, sample, seed)
    for line in [*record["faults"], *of_cube.notes(record)]:
        click.echo(line, err=True)
    click.echo(json.dumps(record, indent=1) if as_json else of_cube.verdict(record))  # last, where it stays in sight
    return DONE if record["believed"] else WITH_FAILURES


def page_of(store: Place) -> Path:
    """The page of a cube: beside it, results/x.zarr -> results/x.html; any other name keeps its end.

    That of a cube in an object store goes to results/ in the current folder.
    """
    if not isinstance(store, Path):
        return Path("results") / f"{store.name.removesuffix('.zarr')}.html"
    name = f"{store.absolute().name.removesuffix('.zarr')}.html"
    return store.with_name(name) if store.name else store.absolute().with_name(name)


def tell_table(store: Place, as_json: bool, more: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Print a cube's robustness table, as JSON with whatever else is to be told."""
    from report import robustness_table, scenario_tables, table_record, table_text
    from storage import open_cube
    from sweep.so_far import summary_of_compacted

    cube = open_cube(store)
    table, worlds = robustness_table(cube, summary_of_compacted(store)), scenario_tables(cube)
    if as_json:
        click.echo(json.dumps({**table_record(table, worlds), **more}, indent=1, allow_nan=False))
    else:
        click.echo(table_text(table, width=WIDTH, scenarios=worlds))


def write_page(store: Place, page: Path, command: str) -> None:
    """Write the page of a cube, with its provenance and the line that makes it again."""
    from report import write_report
    from storage import open_cube, read_study
    from sweep.so_far import summary_of_compacted
    from sweep.tell import provenance

    record = read_study(store)["identity"]
    cube = open_cube(store).assign_attrs(provenance=json.dumps(provenance(record)))
    write_report(cube, page, command=command, summary=summary_of_compacted(store))
