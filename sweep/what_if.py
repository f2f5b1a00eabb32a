"""One future, solved and told in full: the mid values with any of them set, every outcome by its labels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

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
from sweep.drawing import Theta, read_marginals
from sweep.errors import StudyError
from sweep.plan import make_case
from sweep.study import Study


def what_if(
    study: Study,
    base: Path,
    settings: Sequence[str] = (),
    configurations: Sequence[str] = (),
    days_file: Path | None = None,
) -> dict[str, Any]:
    """Solve one draw: fixed values of the study, else mid values, else what ``settings`` say.

    Parameters
    ----------
    settings : sequence of "name=value"
        Uncertain parameters or scalars.
    configurations : sequence of str
        Those to tell; default all of the study. The reference is always solved, for the savings; regret is against the
        best of those solved.
    days_file : Path, optional
        Days and weights in place of the study's.

    Returns
    -------
    dict
        ``{"theta": {name: value}, "configurations": {name: {outcome: value or nested by labels}}}``; NaN is None.

    Raises
    ------
    InputError, StudyError, SamplingError
        An unknown name, a value that is physically impossible or no number.
    """
    known = read_inputs(study.inputs, base)
    parameters = required_parameters(known) | optional_parameters(known)
    chosen, scalars = _parse(settings, list(parameters), [*known.scalars, "committed_floor"])
    own = study.inputs.model_copy(update={"scalars": {**study.inputs.scalars, **scalars}})
    inputs = read_inputs(own, base) if scalars else known
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
    years = [str(theta[WEATHER_YEAR])]
    days = study_days(study.model_copy(update={"days": spec}), known, years, base, judged=False).days
    case = make_case(study.model_copy(update={"configurations": solved, "inputs": own}), inputs, days, mids)
    results = solve_draw(case, theta)
    return {
        "theta": dict(theta),
        "configurations": {name: _labelled(case, results, solved.index(name)) for name in names},
    }


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
