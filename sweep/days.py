"""The days of a study: read, all, of clusters - or chosen by decisions in futures of the study's own, with their error.

Futures are drawn for this alone, from the study's distributions: the same ones however many draws the study has, in
whatever order, and whichever configurations. Others, held out of the choice, tell the error.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from model import (
    WEATHER_YEAR,
    Case,
    Days,
    InputError,
    Inputs,
    build_case,
    check_theta,
    choose_days,
    read_configurations,
)
from model.case import load, reference_position
from model.day_outcomes import DayOutcomes, day_outcomes, every_day, find_outcomes, program_digest
from model.decision_days import decision_days, other_sitings
from model.template import Floats
from model.weather import DAYS
from sampling import DesignSpec, draw_table
from sampling.tables import read_rows
from sweep.days_error import DaysError, days_error, error_text
from sweep.drawing import read_marginals
from sweep.progress import duration
from sweep.study import Study
from sweep.theta import DRIVER, ROLE, Theta, theta_of

HELD_OUT = 6  # futures that tell the error
SEEDS = {"choose": 4242, "judge": 8760}  # of the futures
SECONDS_A_SOLVE = 0.006  # of the shipped study's day, on an idle core


@dataclass(frozen=True, eq=False)
class Future:
    """A future, and the loads (A,) [GW] that its days are dispatched around; the first is the reference's."""

    theta: Theta
    loads: list[Floats]


@dataclass(frozen=True, eq=False)
class WholeYear:
    """A case of all days of one weather year, with futures that choose days and futures that judge them."""

    case: Case
    choose: list[Future]
    judge: list[Future]

    @property
    def names(self) -> list[str]:
        """Configurations that judging futures are solved for, the reference first."""
        return [c.name for c in self.case.configurations]

    def unknown(self) -> int:
        """Day solves that are still to be made."""
        return sum(
            len(one.loads) * DAYS
            for one in (*self.choose, *self.judge)
            if find_outcomes(program_digest(self.case, one.theta, one.loads)) is None
        )

    def solved(self, futures: Sequence[Future]) -> list[DayOutcomes]:
        """Outcomes of every day in each of the futures."""
        case = every_day(self.case, next(iter(self.case.days)), ordered=True) if self.unknown() else self.case
        return [day_outcomes(case, one.theta, one.loads) for one in futures]


@dataclass(frozen=True, eq=False)
class StudyDays:
    """Days of each weather year, how they came about, and how wrong they are where that was measured."""

    days: Mapping[str, Days]
    how: str
    error: DaysError | None = None
    solves: int = 0

    def record(self) -> dict[str, Any]:
        """What a cube tells of its days."""
        counts = {year: len(days.day) for year, days in self.days.items()}
        error = self.error.summary() if self.error else None
        return {"how": self.how, "number": counts, "error": error, "day_solves": self.solves}

    def text(self) -> str:
        """The same in one line."""
        numbers = sorted({len(days.day) for days in self.days.values()})
        told = f"{' or '.join(map(str, numbers))} days {self.how}"
        if self.error is not None:
            return f"{told}; {error_text(self.error.summary())}"
        return told if numbers == [DAYS] else f"{told}; their error was not measured"


def study_days(study: Study, inputs: Inputs, years: Sequence[str], base: Path, judged: bool = True) -> StudyDays:
    """Days of the weather years that a study's draws need.

    Parameters
    ----------
    judged : bool
        Whether to solve futures held out, for the error of days chosen by decisions.

    Raises
    ------
    InputError, SamplingError, TemplateError
        Whatever is wrong with the file of days, or with the study's distributions or configurations.
    """
    spec = study.days
    if not spec.by_decision:
        how = f"of {Path(spec.file).name}" if spec.file else "of the year" if spec.all else f"by {spec.method}"
        return StudyDays(choose_days(spec, inputs, years, base), how)
    assert spec.number is not None
    chosen: dict[str, Days] = {}
    errors: list[DaysError] = []
    solves = 0
    for year in years:
        whole = whole_year(study, inputs, year, base, judged)
        solves += sum(len(one.loads) * DAYS for one in (*whole.choose, *whole.judge))
        with _telling(whole, year, spec.number):
            chosen[year] = decision_days(whole.solved(whole.choose), inputs.weather[year], inputs, spec.number)
            if whole.judge:
                errors.append(days_error(whole.names, whole.solved(whole.judge), chosen[year]))
    return StudyDays(chosen, "by decision", DaysError.together(errors) if errors else None, solves)


def whole_year(
    study: Study, inputs: Inputs, year: str, base: Path, judged: bool = True, held_out: int | None = None
) -> WholeYear:
    """The case and the futures by which days of a weather year are chosen and judged.

    Each future that chooses is solved for the reference and one other siting, turn by turn: more futures tell more than
    more sitings. Those that judge are solved for every fixed configuration of the study.
    """
    path = inputs.tables["configurations"]
    listed = read_configurations(path, study.configurations, inputs, study.siting, study.free)
    first = listed[reference_position(listed, study.reference)]
    fixed = [first, *(c for c in listed if not c.is_free and c is not first)]
    _, mids = read_marginals(study, inputs, base=base)
    first_day = {year: Days(np.array([0]), np.array([float(DAYS)]))}
    case = every_day(
        build_case(inputs, first_day, fixed, study.reference, study.siting, mids | {WEATHER_YEAR: year}),
        year,
        ordered=False,
    )
    shares = [c.shares for c in fixed if c.shares is not None]
    others = other_sitings(shares[0].sum(axis=1), inputs)
    choose, judge = _thetas(study, inputs, year, base, (HELD_OUT if held_out is None else held_out) if judged else 0)
    turns = [[shares[0], *([others[n % len(others)][:, None]] if others else [])] for n in range(len(choose))]
    return WholeYear(
        case,
        [Future(theta, [load(theta, one) for one in turn]) for theta, turn in zip(choose, turns, strict=True)],
        [Future(theta, [load(theta, one) for one in shares]) for theta in judge],
    )


def _thetas(study: Study, inputs: Inputs, year: str, base: Path, held_out: int) -> tuple[list[Theta], list[Theta]]:
    """Futures that choose, and others that judge.

    Sobol points and a Latin hypercube of the study's distributions; of a study whose draws are in a file, rows evenly
    taken. Those that are physically impossible are left out, and one that came before.
    """
    many = study.days.futures
    if study.design.file is None:
        found = [_drawn(study, inputs, base, many, "choose"), _drawn(study, inputs, base, held_out, "judge")]
    else:
        columns = read_rows(base / study.design.file)[0]
        rows = _table(study, inputs, base, DesignSpec(kind="file", file=study.design.file), columns)
        judging = _evenly(len(rows), min(held_out, len(rows) // 4))
        rest = [n for n in range(len(rows)) if n not in judging]
        found = [[rows[rest[n]] for n in _evenly(len(rest), min(many, len(rest)))], [rows[n] for n in judging]]
    seen: list[Theta] = []
    kept: list[list[Theta]] = []
    for futures in found:
        kept.append([])
        for theta in ({**one, WEATHER_YEAR: year} for one in futures):
            if theta not in seen and _is_possible(theta, inputs):
                seen.append(theta)
                kept[-1].append(theta)
    if not kept[0]:
        raise InputError(study.name, "days.method", "decision", "futures that are possible, or clusters")
    return kept[0], kept[1]


def _drawn(study: Study, inputs: Inputs, base: Path, number: int, use: str) -> list[Theta]:
    if not number:
        return []
    points = -(-number // max(1, len(study.scenario)))
    if use == "choose":  # more of them begin with the fewer
        design = DesignSpec(kind="sobol", draws=1 << (points - 1).bit_length(), seed=SEEDS[use])
    else:
        design = DesignSpec(kind="lhs", draws=points, seed=SEEDS[use])
    return _table(study, inputs, base, design)[:number]


def _table(study: Study, inputs: Inputs, base: Path, design: DesignSpec, columns: Sequence[str] = ()) -> list[Theta]:
    marginals, mids = read_marginals(study, inputs, columns, base)
    table = draw_table(
        marginals,
        design,
        fixed=study.fixed,
        defaults=mids,
        base=base,
        dependence=study.dependence,
        scenarios=study.scenario,
    )
    for name in study.driver:
        table[name].attrs[ROLE] = DRIVER
    return [theta_of(table, n) for n in range(table.sizes["draw"])]


def _evenly(size: int, number: int) -> list[int]:
    return sorted({int(n) for n in (np.arange(number) + 0.5) * size / max(number, 1)})


def _is_possible(theta: Theta, inputs: Inputs) -> bool:
    try:
        check_theta(theta, inputs)
    except InputError:
        return False
    return True


@contextmanager
def _telling(whole: WholeYear, year: str, number: int) -> Iterator[None]:
    """Say beforehand that days are to be solved, which takes a while, and afterwards how long it took."""
    solves = whole.unknown()
    begun = time.monotonic()
    if solves:
        futures = len(whole.choose) + len(whole.judge)
        about = duration(solves * SECONDS_A_SOLVE)
        told = f"choosing {number} days of {year} by {futures} futures: {solves:,} day solves, about {about}, once"
        click.echo(told, err=True)
    yield
    if solves:
        click.echo(f"days of {year} chosen in {duration(time.monotonic() - begun)}", err=True)
