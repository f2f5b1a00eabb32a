"""One future, solved and told in full: the mid values with any of them set, every outcome by its labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from model import (
    OUTCOMES,
    WEATHER_YEAR,
    Case,
    DaysSpec,
    InputError,
    check_theta,
    coordinates,
    optional_parameters,
    read_inputs,
    required_parameters,
    solve_draw,
)
from sweep.days import study_days
from sweep.drawing import read_marginals
from sweep.errors import StudyError
from sweep.hourly import hours_of
from sweep.plan import make_case
from sweep.study import Study
from sweep.theta import Theta


@dataclass(frozen=True, eq=False)
class Future:
    """One draw of a study with the case to solve it; ``names``: the configurations to tell."""

    case: Case
    theta: Theta
    names: tuple[str, ...]

    def told(self) -> dict[str, Any]:
        """Solve it: ``{"theta": {name: value}, "configurations": {name: {outcome: value or nested by labels}}}``; NaN is None."""
        results = solve_draw(self.case, self.theta)
        solved = [c.name for c in self.case.configurations]
        return {
            "theta": dict(self.theta),
            "configurations": {name: _labelled(self.case, results, solved.index(name)) for name in self.names},
        }

    def hours(self) -> xr.Dataset:
        """Solve it hour by hour, as :func:`sweep.hourly.hours_of` does.

        Raises
        ------
        StudyError
            There is more than one configuration to tell.
        """
        if len(self.names) != 1:
            raise StudyError(f"--hourly: found {len(self.names)} configurations, expected one --configuration")
        return hours_of(self.case, self.theta, self.names[0])


def future(
    study: Study,
    base: Path,
    settings: Sequence[str] = (),
    configurations: Sequence[str] = (),
    days_file: Path | None = None,
    full_year: bool = False,
) -> Future:
    """Make one draw: fixed values of the study, else mid values, else what ``settings`` say.

    Parameters
    ----------
    settings : sequence of "name=value"
        Uncertain parameters or scalars.
    configurations : sequence of str
        Those to tell; default all of the study. The reference is always solved, for the savings; regret is against the
        best of those solved.
    days_file : Path, optional
        Days and weights in place of the study's.
    full_year : bool
        All days of the weather year in place of the study's.

    Raises
    ------
    InputError, StudyError, SamplingError
        An unknown name, a value that is physically impossible or no number.
    """
    known = read_inputs(study.inputs, base, study.options)
    parameters = required_parameters(known) | optional_parameters(known)
    chosen, scalars = _parse(settings, list(parameters), [*known.scalars, "committed_floor"])
    own = study.inputs.model_copy(update={"scalars": {**study.inputs.scalars, **scalars}})
    inputs = read_inputs(own, base, study.options) if scalars else known
    _, mids = read_marginals(study, inputs, base=base)
    held = {name: value for name, value in study.fixed.items() if name not in study.driver}
    theta: Theta = {**mids, **held, **chosen}
    check_theta(theta, inputs)
    names = tuple(configurations) or study.configurations
    for name in names:
        if name not in study.configurations:
            listed = ", ".join(study.configurations)
            raise InputError(study.name, "configurations", name, f"one of {listed}", study.configurations)
    solved = tuple(dict.fromkeys((study.reference, *names)))
    spec = study.days if days_file is None else DaysSpec(file=str(days_file.resolve()))
    spec = DaysSpec(all=True) if full_year else spec
    years = [str(theta[WEATHER_YEAR])]
    days = study_days(study.model_copy(update={"days": spec}), known, years, base, judged=False).days
    case = make_case(study.model_copy(update={"configurations": solved, "inputs": own}), inputs, days, mids)
    return Future(case, theta, names)


def _parse(settings: Sequence[str], parameters: list[str], scalars: list[str]) -> tuple[Theta, dict[str, float]]:
    """Split "name=value" settings into uncertain parameters and scalars."""
    chosen: Theta = {}
    constants: dict[str, float] = {}
    for setting in settings:
        name, sign, text = setting.partition("=")
        if not sign or not text:
            raise StudyError(f"--set: found {setting!r}, expected name=value")
        if name not in parameters and name not in scalars:
            raise InputError("--set", "name", name, "an uncertain parameter or a scalar", [*parameters, *scalars])
        try:
            number = float(text)
        except ValueError as fault:
            if name != WEATHER_YEAR:
                raise InputError("--set", name, text, "a number") from fault
            chosen[name] = text
            continue
        if name in parameters:
            chosen[name] = text if name == WEATHER_YEAR else number
        else:
            constants[name] = number
    return chosen, constants


def _labelled(case: Case, results: Mapping[str, Any], position: int) -> dict[str, Any]:
    labels = coordinates(case.inputs, case.configurations, case.tiers)
    return {
        outcome.name: _nest(results[outcome.name][position], [labels[dim] for dim in outcome.dims])
        for outcome in OUTCOMES
    }


def _nest(values: Any, labels: list[tuple[str, ...]]) -> Any:
    """Arrays as nested mappings of labels; NaN as None, the status as a whole number."""
    if labels:
        return {label: _nest(value, labels[1:]) for label, value in zip(labels[0], values, strict=True)}
    if isinstance(values, np.integer):
        return int(values)
    return None if math.isnan(values) else float(values)
