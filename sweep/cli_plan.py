"""What commands on a study share: its number of draws, and its plan with its refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from model import InputError
from sampling import MOST_DRAWS, SamplingError
from sweep.errors import StudyError
from sweep.fidelity import companion
from sweep.plan import Plan, make_plan
from sweep.stopping import check_stop
from sweep.study import read_study as read_study_file

DRAWS = click.option("--draws", type=click.IntRange(1, MOST_DRAWS), help="Number of draws, in place of the study's.")


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
