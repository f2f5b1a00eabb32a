"""The command that writes documents of a cube for people who decide: `wattbit report`."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sweep.cli_cube import page_of, tell_table, write_page
from sweep.cli_options import AS_JSON, STORE
from sweep.decisions import decisions
from sweep.ending import DONE, WITH_FAILURES, refusing
from sweep.errors import StudyError

if TYPE_CHECKING:
    from storage import Place

LANGUAGES = click.Choice(["ja", "en"])
OF_A_FOLDER = ("threshold", "configuration", "axes")


@click.command()
@STORE
@AS_JSON
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="A page, NAME.html; or with --lang a folder for the full report: page, PDF, figures, tables. "
    "Default: a page beside the cube; of a cube in an object store: results/<name>.html.",
)
@click.option(
    "--lang", "language", type=LANGUAGES, help="Write the full report, in this language, into the folder --out."
)
@click.option("--threshold", metavar="CONDITION", help='Where does it fail? As "saving_fuel_co2<65".')
@click.option("--configuration", metavar="NAME", help="The plan in focus; default: first by most metrics.")
@click.option(
    "--map", "axes", nargs=2, metavar="NAME NAME", help="Uncertainties of the decision map; default: the strongest."
)
@refusing
def report(store: Place, as_json: bool, out: Path | None, language: str | None, **asked: Any) -> int:
    """Print a cube's robustness table and write its page; with --lang the report that goes into a proposal."""
    if language is None:
        told = [f"--{'map' if name == 'axes' else name}" for name in OF_A_FOLDER if asked[name]]
        if told:
            raise StudyError(
                f"{', '.join(told)}: found without --lang, expected --lang ja or --lang en and --out FOLDER"
            )
        from report import PageError

        tell_table(store, as_json)
        page = out or page_of(store)
        try:
            write_page(store, page, f"wattbit report {store}")
        except PageError as fault:  # no refusal: the table was printed
            click.echo(f"wattbit: {fault}; --out PAGE writes it elsewhere", err=True)
            return WITH_FAILURES
        click.echo(f"report {page}", err=True)
        return DONE
    folder = out or page_of(store).with_suffix("")
    if folder.suffix == ".html" or folder.is_file():
        raise StudyError(f"--out {folder}: expected a folder beside --lang, found the name of a file")
    from report.document import Wanted, build, write_document

    command = shlex.join(["wattbit", *sys.argv[1:]])
    wanted = Wanted(
        "ja" if language == "ja" else "en",
        asked["threshold"] or "",
        asked["configuration"] or "",
        asked["axes"] or (),
        command,
        str(store),
    )
    written = write_document(build(_cube(store), wanted, decisions(store)), folder)
    tell_table(store, as_json)
    click.echo(f"report {written[0]}, {written[1]} and {len(written) - 2} figures and tables", err=True)
    return DONE


def _cube(store: Place) -> Any:
    """Open a cube with its provenance."""
    from storage import open_cube, read_study
    from sweep.tell import provenance

    record = provenance(read_study(store)["identity"])
    return open_cube(store).assign_attrs(provenance=json.dumps(record))
