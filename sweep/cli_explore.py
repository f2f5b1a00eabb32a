"""The command that writes or serves the interactive page of a cube: `wattbit explore`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import xarray as xr

from storage import Place, open_cube
from sweep.cli_cube import page_of
from sweep.cli_options import STORE
from sweep.cli_report import LANGUAGES
from sweep.ending import DONE, refusing
from sweep.errors import StudyError
from sweep.stored_hours import StoredHours

if TYPE_CHECKING:
    from report.explore import Hourly, Named

MOST_NAMED = 5
MOST_BYTES = 12_000_000
"""Of hours in a page, unless more are asked for."""
PORT = 8765


class HoursType(click.ParamType[int]):
    """A number of draws, or ``none``."""

    name = "N|none"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number, 0 for ``none``; anything else ends with exit code 2."""
        if value in ("none", 0):
            return 0
        if not str(value).isdecimal() or not 0 < int(value) <= MOST_NAMED:
            self.fail(f"found {value!r}, expected 1 to {MOST_NAMED} or none", param, ctx)
        return int(value)


@dataclass(frozen=True)
class Asked:
    """Which draws the page tells hour by hour.

    Attributes
    ----------
    most : int, optional
        Named draws; None: as many as fit.
    draws : tuple of str
        Further ones, by their numbers.
    plan : str
        The plan in focus; empty: the page chooses.
    """

    most: int | None
    draws: tuple[str, ...]
    plan: str


@click.command()
@STORE
@click.option("--out", type=click.Path(path_type=Path), help="The page; default: beside the cube, .explore.html.")
@click.option(
    "--lang", "language", type=LANGUAGES, default="en", show_default=True, help="It opens in; it speaks both."
)
@click.option(
    "--hours",
    "most",
    type=HoursType(),
    help=f"So many named draws are solved again and told hour by hour; default: {MOST_NAMED}, or fewer of many days.",
)
@click.option("--draw", "draws", multiple=True, metavar="ID", help="This draw too, by its number; repeatable.")
@click.option("--configuration", metavar="NAME", help="The plan in focus; default: first by most metrics.")
@click.option(
    "--serve", is_flag=True, help="Write nothing: serve the page on this machine and solve any draw on a click."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), help=f"Of 127.0.0.1, with --serve; default: {PORT}; 0: any free one."
)
@refusing
def explore(
    store: Place,
    out: Path | None,
    language: str,
    most: int | None,
    draws: tuple[str, ...],
    configuration: str | None,
    serve: bool,
    port: int | None,
) -> int:
    """Write an interactive page of a cube: brush uncertainties and every number follows. It needs no network."""
    from report.explore import explorer, write_explorer

    if serve and out is not None:
        raise StudyError("--serve and --out: found both, expected one of them")
    if port is not None and not serve:
        raise StudyError("--port: found without --serve")
    cube, asked = open_cube(store), Asked(most, draws, configuration or "")
    spoken: Literal["ja", "en"] = "ja" if language == "ja" else "en"
    if serve:
        from sweep.explore_server import Server

        server = Server(PORT if port is None else port)
        solver = StoredHours(store)
        solver.check(draws)
        page = explorer(cube, spoken, _hourly(cube, solver, asked, served=True))
        click.echo(f"explorer {server.address} (this machine alone; Ctrl-C ends it)", err=True)
        server.run(page, solver)
    hourly = _of_file(cube, store, asked)
    written = write_explorer(cube, out or page_of(store).with_suffix(".explore.html"), spoken, hourly)
    click.echo(f"explorer {written}, {written.stat().st_size / 1e6:.1f} MB", err=True)
    return DONE


def _of_file(cube: xr.Dataset, store: Place, asked: Asked) -> Hourly | None:
    """Solve what a file is to tell; of a cube that keeps too little to be solved again nothing, unless it was asked for."""
    if asked.most == 0 and not asked.draws:
        return None
    try:
        solver = StoredHours(store)
    except StudyError as fault:
        if asked.most or asked.draws:
            raise
        click.echo(f"note: without hours: {fault}", err=True)
        return None
    solver.check(asked.draws)
    return _hourly(cube, solver, asked, served=False)


def _hourly(cube: xr.Dataset, solver: StoredHours, asked: Asked, served: bool) -> Hourly:
    """Name the draws, and solve them where no program will stand behind the page."""
    from report.explore import Hourly, Named, focus, named_draws

    plan = focus(cube, asked.plan)
    plans = tuple(dict.fromkeys((plan, solver.study.identity["study"]["reference"])))
    most = asked.most
    if most is None:
        most = MOST_NAMED if served else _fitting(solver, len(plans))
    named = named_draws(cube, plan, most) if most else ()
    known = {each.draw for each in named}
    further = [Named.asked(str(int(draw)) if draw.isdigit() else draw) for draw in dict.fromkeys(asked.draws)]
    named = (*named, *(each for each in further if each.draw not in known))
    solved = () if served else _solved(solver, named, plans)
    return Hourly(plan, named, solved, solver.study.inputs.areas, served)


def _solved(solver: StoredHours, named: tuple[Named, ...], plans: tuple[str, ...]) -> tuple[xr.Dataset, ...]:
    click.echo(f"solving {len(named)} draws in {', '.join(plans)} again, hour by hour", err=True)
    return tuple(
        solver.hours(each.draw, plan)
        for each in named
        for plan in plans
        if each.draw != "base" or solver.is_fixed(plan)
    )


def _fitting(solver: StoredHours, plans: int) -> int:
    """Return how many draws fit into a page that opens gladly; at least one."""
    from report.explore import bytes_of

    days = max(len(each.day) for each in solver.study.days.values())
    each = bytes_of({"day": days, "area": len(solver.study.inputs.areas)}) * plans
    return max(1, min(MOST_NAMED, MOST_BYTES // each))
