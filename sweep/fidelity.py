"""Two cubes of the same futures, one of few days and one of all: the full-year companion of a study, and what both say."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import xarray as xr

from model import DaysSpec, Status
from report.estimators import Floats
from report.intervals import CONFIDENCE, Interval, Sample, mean_interval, probability_interval, quantile_interval
from report.multifidelity import (
    Pairs,
    Split,
    best_split,
    corrected_mean,
    corrected_probability,
    corrected_quantile,
    sections,
    variance_left,
)
from report.outcomes import nearest
from report.query import Question, asked_values
from sampling import is_extensible
from sampling.conditions import SCENARIO
from storage import Place, open_cube, read_run, read_study
from sweep.errors import StudyError
from sweep.growth import differences
from sweep.study import Study

OUTCOME = "saving_fuel_co2"
NOTHING: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({})
OWN = ("days", "draws", "start")  # of a cube's record: what the two may differ in
OWN_OF_STUDY = ("name", "days", "batch", "configurations", "free")
OWN_FILES = ("days", "configurations")
COMMON = ("files", "shares", "template")  # the parts that one of two may have more of


@dataclass(frozen=True)
class Corrected:
    """One configuration at both fidelities.

    Attributes
    ----------
    corrected, full, cheap : Interval
        From both cubes; from the full one alone; from all of the cheap one, which knows nothing of its own bias.
    correlation : float
        Of the pairs; NaN where one of the two does not vary.
    pairs, draws : int
        Draws finished at both fidelities, and at the cheap one.
    """

    configuration: str
    corrected: Interval
    full: Interval
    cheap: Interval
    correlation: float
    pairs: int
    draws: int


@dataclass(frozen=True)
class Fidelities:
    """What two cubes of the same futures say together.

    Attributes
    ----------
    statistic, units : str
    cheap_seconds, full_seconds : float
        Of solving a draw, all configurations that both cubes have together; NaN where a cube does not tell.
    draws, full_draws : int
        Draws of both cubes, that a row may rest on.
    splits : dict
        By configuration: the best use of a budget; None where it pays for nothing.
    not_run, full_not_run : int
        Draws of both cubes that have not been solved for all of these configurations yet.
    """

    statistic: str
    units: str
    rows: list[Corrected]
    cheap_seconds: float
    full_seconds: float
    draws: int
    full_draws: int
    splits: Mapping[str, Split | None]
    not_run: int = 0
    full_not_run: int = 0

    def cost_share(self, row: Corrected) -> float:
        """Cost of both cubes over that of independent full-year draws alone for a mean as certain; NaN where unknown."""
        if math.isnan(row.correlation) or row.pairs == 0:
            return float("nan")
        plain = 1 / variance_left(row.correlation, row.draws, row.pairs)
        spent = row.pairs * self.full_seconds + row.draws * self.cheap_seconds
        return spent / (plain * self.full_seconds)


def companion(study: Study, number: int) -> Study:
    """Return the study of the first `number` draws with all 365 days.

    Raises
    ------
    StudyError
        A design whose first draws are no design, or a number that its replicates do not divide.
    """
    kind, each = study.design.kind, study.design.replicates
    if not is_extensible(study.design):
        raise StudyError(
            f"--full-year {number}: found a design of kind {kind}, expected monte_carlo, sobol or halton, whose first "
            "draws are a design of their own"
        )
    if number % each:
        near = max(1, round(number / each)) * each
        raise StudyError(f"--full-year {number}: expected a multiple of {each} replicates, as {near}")
    return study.with_draws(number).model_copy(update={"days": DaysSpec(all=True), "stop": ()})


def correct(
    cheap: Place,
    full: Place,
    outcome: str = OUTCOME,
    configurations: Sequence[str] = (),
    *,
    above: float | None = None,
    quantile: float | None = None,
    select: Mapping[str, tuple[str, ...]] = NOTHING,
    sums: Sequence[str] = (),
    scenario: str | None = None,
    budget: float | None = None,
    confidence: float = CONFIDENCE,
) -> Fidelities:
    """Correct a cube of many draws and few days by one of its first draws and more days.

    Parameters
    ----------
    cheap, full : path
        Cubes of studies that differ in their days alone; the draws of the second are the first ones of the first.
    outcome : str
        One number of a draw and configuration, once selected and summed.
    configurations : sequence of str, default all of both cubes
    above, quantile : float, optional
        Ask for the probability of values above, or for a quantile, in place of the mean.
    select : mapping of str to tuple of str
        Labels kept of an area, a technology, ...
    sums : sequence of str
        Dimensions summed over, draw by draw.
    scenario : str, optional
        Required where the study has any.
    budget : float, optional
        Seconds of solving, for the best split.

    Raises
    ------
    StudyError
        Cubes that are no such pair, or a name that they do not have.
    """
    _check_pair(cheap, full)
    many, few = open_cube(cheap), open_cube(full)
    _check_draws(many, few)
    names = _configurations(many, few, configurations)
    chosen = _of_scenario(many, scenario)
    question = Question(outcome, select=select, sum=tuple(sums))
    asked = [_asked(cube, question) for cube in (many, few)]
    units = str(asked[0].attrs.get("units", "1"))
    seconds = [_seconds(store, names) for store in (cheap, full)]
    replicate, m = many["replicate"].to_numpy()[chosen], int(chosen[: few.sizes["draw"]].sum())
    design = str(many.attrs["design_kind"])
    rows = []
    for name in names:
        values = _values(many, asked[0], name)[chosen]
        dear = _values(few, asked[1], name)[chosen[: few.sizes["draw"]]]
        pairs = Pairs(values, dear, sections(design, replicate, m))
        samples = Sample(values, design, replicate), Sample(dear, design, replicate[:m])
        if above is not None:
            found = corrected_probability(pairs, above, confidence)
            alone = [probability_interval(each, above, confidence) for each in samples]
        elif quantile is not None:
            found = corrected_quantile(pairs, quantile, confidence)
            alone = [quantile_interval(each, quantile, confidence) for each in samples]
        else:
            found = corrected_mean(pairs, confidence)
            alone = [mean_interval(each, confidence) for each in samples]
        count = int((~np.isnan(values)).sum())
        rows.append(Corrected(name, found, alone[1], alone[0], pairs.correlation(), len(pairs.paired()[0]), count))
    told = "mean" if above is None and quantile is None else f"quantile {quantile:g}" if above is None else ""
    splits = {
        row.configuration: None
        if math.isnan(row.correlation + seconds[0] + seconds[1])
        else best_split(budget, seconds[0], seconds[1], row.correlation)
        for row in rows
        if budget is not None
    }
    what = " ".join([outcome, *(f"{dim} {'+'.join(labels)}" for dim, labels in select.items())])
    what += f" summed over {' and '.join(sums)}" * bool(sums)
    statistic = f"{told} of {what}" if told else f"probability of {what} above {above:g}"
    return Fidelities(
        statistic=statistic,
        units=units if told else "1",
        rows=rows,
        cheap_seconds=seconds[0],
        full_seconds=seconds[1],
        draws=int(chosen.sum()),
        full_draws=m,
        splits=splits,
        not_run=_not_run(many, names, chosen),
        full_not_run=_not_run(few, names, chosen),
    )


def _check_pair(cheap: Place, full: Place) -> None:
    one, other = (json.loads(json.dumps(read_study(store).get("identity", {}))) for store in (cheap, full))
    if one.get("days") == other.get("days"):
        raise StudyError(f"{cheap} and {full}: found the same days in both, expected few and all")
    for record in (one, other):
        for key in OWN:
            record.pop(key, None)
        for key in OWN_OF_STUDY:
            record.get("study", {}).pop(key, None)
        record.get("study", {}).get("design", {}).pop("draws", None)
        for name in OWN_FILES:
            record.get("files", {}).pop(name, None)
    for part in COMMON:
        mine, others = one.get(part, {}), other.get(part, {})
        one[part] = {key: value for key, value in mine.items() if key in others}
        other[part] = {key: value for key, value in others.items() if key in mine}
    different = list(differences(one, other))
    if different:
        raise StudyError("\n".join([f"{cheap} and {full} differ in more than their days:", *different]))


def _check_draws(many: xr.Dataset, few: xr.Dataset) -> None:
    n, m = many.sizes["draw"], few.sizes["draw"]
    if m > n:
        raise StudyError(f"the cube of more days has {m} draws, the other one {n}: expected no more than it has")
    parameters = [name for name in many.data_vars if "draw" in many[name].dims and many[name].ndim == 1]
    for name in parameters:
        if not np.array_equal(many[name].to_numpy()[:m], few[name].to_numpy()):
            raise StudyError(f"the draws of the two cubes differ in {name}: expected the first {m} of the {n} draws")


def _configurations(many: xr.Dataset, few: xr.Dataset, asked: Sequence[str]) -> list[str]:
    there = set(few["configuration"].to_numpy().tolist())
    shared = [str(name) for name in many["configuration"].to_numpy() if name in there]
    for name in asked:
        if name not in shared:
            raise StudyError(f"--configuration {name}: not in both cubes{nearest(name, shared)}")
    return list(dict.fromkeys(asked)) or shared


def _of_scenario(many: xr.Dataset, scenario: str | None) -> Any:
    known = list(many.attrs.get("scenarios", []))
    if scenario is None and not known:
        return np.ones(many.sizes["draw"], dtype=bool)
    if scenario not in known:
        expected = f"one of {', '.join(known)}" if known else "none: the study has no scenarios"
        raise StudyError(f"--scenario: found {scenario or 'nothing'}, expected {expected}")
    return many[SCENARIO].to_numpy() == scenario


def _asked(cube: xr.Dataset, question: Question) -> xr.DataArray:
    """Return an outcome over draw and configuration, selected and summed."""
    if question.variable in cube and "configuration" not in cube[question.variable].dims:
        raise StudyError(
            f"--outcome {question.variable}: it is a parameter, the same at both fidelities; expected an outcome"
        )
    array = asked_values(cube, question)
    array = array.squeeze([dim for dim in array.dims if dim not in ("draw", "configuration") and array.sizes[dim] == 1])
    if left := [str(dim) for dim in array.dims if dim not in ("draw", "configuration")]:
        raise StudyError(
            f"--outcome {question.variable}: found a number for every {' and '.join(left)}, expected one in a draw: "
            f"--select {left[0]}=NAME or --sum {left[0]}"
        )
    return array


def _values(cube: xr.Dataset, array: xr.DataArray, configuration: str) -> Floats:
    status = cube["status"].sel(configuration=configuration).to_numpy()
    return np.where(status == Status.OPTIMAL, array.sel(configuration=configuration).to_numpy(), np.nan)


def _not_run(cube: xr.Dataset, names: Sequence[str], chosen: Any) -> int:
    status = cube["status"].sel(configuration=list(names)).to_numpy()
    return int((status == Status.NOT_RUN).any(axis=1)[chosen[: len(status)]].sum())


def _seconds(store: Place, names: Sequence[str]) -> float:
    """Return the mean seconds of a draw, over the draws of which they are known; NaN where there is none."""
    run = read_run(store)["seconds"].to_numpy()
    at = [open_cube(store)["configuration"].to_numpy().tolist().index(name) for name in names]
    of_draws = run[:, at].sum(axis=1)
    known = of_draws[np.isfinite(of_draws)]
    return float(known.mean()) if len(known) else float("nan")
