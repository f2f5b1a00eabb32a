"""What commands share: arguments and options, and the plan of a study file with its refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from model import InputError
from sampling import MOST_DRAWS, SamplingError
from storage import Place, StorageError, root_of
from sweep.errors import StudyError
from sweep.fidelity import companion
from sweep.plan import Plan, make_plan
from sweep.stopping import check_stop
from sweep.study import read_study as read_study_file

WIDTH = 132


class StoreType(click.ParamType[Place]):
    """A local path, or the address of a cube in an object store."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """Return where the cube lies; what is neither ends with exit code 2."""
        try:
            return root_of(value)
        except StorageError as fault:
            self.fail(str(fault), param, ctx)


STUDY = click.argument("study", type=click.Path(path_type=Path))
STORE = click.argument("store", type=StoreType())
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
DRAWS = click.option("--draws", type=click.IntRange(1, MOST_DRAWS), help="Number of draws, in place of the study's.")
WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    envvar="WATTBIT_WORKERS",
    help="Worker processes; default: $WATTBIT_WORKERS, else one per processor.",
)


def plan_of(study: Path, draws: int | None, full_year: int | None = None) -> Plan:
    """The plan of a study file, of its full-year companion where so many draws are asked for."""
    with naming(study):
        read = read_study_file(study, draws)
        made = make_plan(read if full_year is None else companion(read, full_year), study.parent)
        check_stop(made, study.parent)
        return made


@contextmanager
def naming(study: Path) -> Iterator[None]:
    """Put the study file before whatever its tables, parameters and draws are refused for."""
    try:
        yield
    except (InputError, SamplingError) as fault:
        raise StudyError(f"{study.name}: {fault}") from fault
