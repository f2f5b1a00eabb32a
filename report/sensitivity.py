"""Say which uncertainty drives an outcome of a cube, configuration by configuration.

What is computed depends on the design of the draws: Sobol indices where it is ``saltelli``, elementary effects where it
is ``morris``, and measures that any draws allow everywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from report.designed import CONFIDENCE, Designed, is_constant, morris_effects, sobol_indices
from report.factors import (
    Factor,
    Factors,
    Numbers,
    correlated_pairs,
    parameter_names,
    read_factors,
)
from report.given_data import LEAST_DRAWS, MEASURES, estimates
from report.outcomes import finished, nearest, reference_configuration
from report.query import Question, asked_values, pieces
from report.sensitivity_method import DESIGN_OF, GIVEN, Way, choose_way, design_of, notes_on
from report.where import QueryError, Where

MOST_CELLS = 200


def sensitivity(
    cube: xr.Dataset,
    outcome: str,
    *,
    method: str = "auto",
    configurations: Sequence[str] = (),
    select: Mapping[str, Sequence[str]] | None = None,
    sums: Sequence[str] = (),
    where: str = "",
    measures: Sequence[str] = (),
    seed: int = 0,
    resamples: int = 100,
) -> xr.Dataset:
    """
    Compute how much each uncertain parameter matters for an outcome.

    Parameters
    ----------
    cube : xr.Dataset
        An opened cube, or any dataset with parameters over ``draw`` and, over (draw, configuration), ``status`` and
        outcomes; with attribute ``design_kind``, and ``reference`` where a saving is asked for.
    outcome : str
        Name of an outcome.
    method : str
        ``"given"``, ``"sobol"``, ``"morris"``, or ``"auto"``: what the design is made for, else ``"given"``.
    configurations : sequence of str
        Only these; default: all.
    select : mapping of str to sequence of str
        Labels kept of a dimension; or values of a parameter (a scenario): then only the draws that have one of them.
    sums : sequence of str
        Dimensions summed over within each draw.
    where : str
        A condition on parameters, see `report.where`: then only the draws that meet it.
    measures : sequence of str
        Only these of the measures from given data; default: all.
    seed : int
        Of all resampling, >= 0. The same call with the same seed gives the same numbers.
    resamples : int
        Bootstrap samples of Sobol indices and elementary effects, >= 2. Measures from given data have their own numbers.

    Returns
    -------
    xr.Dataset
        ``value``, ``low``, ``high`` over (configuration, ..., measure, parameter), 95 % intervals; ``n``, the draws behind
        them, ``dropped``, those without a value, and ``reason``, why there is no estimate, over (configuration, ...). With
        given data ``floor`` (..., measure): what a parameter without influence stays below in 95 of 100 cases, and
        ``n_measure``. From a design ``sets``, the base points or trajectories that are left, and for Sobol indices of the
        second order ``pair_value``, ``pair_low``, ``pair_high`` (..., parameter, parameter_2). Attributes: ``method``,
        ``measures``, ``seed``, ``left_out``, ``coded``, ``correlated``, ``notes``, ... NaN where there is no estimate.

    Raises
    ------
    QueryError
        For an unknown name, or a method that the design does not allow: the message names the design found.
    CubeContentError
        If the cube lacks something named above.
    """
    cube, labels = _chosen_draws(_meeting(cube, where), dict(select or {}))
    if configurations:
        labels["configuration"] = tuple(configurations)
    if outcome in parameter_names(cube):
        outcomes = [name for name, array in cube.data_vars.items() if "configuration" in array.dims]
        raise QueryError(f"{outcome} is a parameter; expected an outcome{nearest(outcome, outcomes)}")
    if resamples < 2:
        raise QueryError(f"resamples = {resamples}, expected 2 or more")
    array = asked_values(cube, Question(outcome, select=labels, sum=tuple(sums)))
    done = finished(cube)
    if outcome.startswith("saving_"):  # paired: nothing without the reference
        done = done & done.sel(configuration=reference_configuration(cube), drop=True)
    factors = read_factors(cube)
    if not factors.varied:
        raise QueryError("no parameter varies over these draws, so nothing can depend on one")
    way = choose_way(cube, factors, method)
    if measures and way.method == GIVEN:
        way = replace(way, measures={name: meaning for name, meaning in way.measures.items() if name in measures})

    shape = array.shape[1:]
    if int(np.prod(shape)) > MOST_CELLS:
        raise QueryError(
            f"{outcome} has {int(np.prod(shape))} values in a draw, expected {MOST_CELLS} or fewer: --select or --sum some"
        )
    there = done.sel(configuration=array["configuration"]).to_numpy()
    found = np.empty(shape, dtype=object)
    for place, piece in pieces(array):
        values = np.where(there[:, place[0]], piece, np.nan)
        found[place] = _cell(values, factors, way, seed, resamples)
    result = _dataset(array, found, way)
    correlated = correlated_pairs(factors.varied)
    return result.assign_attrs(
        outcome=outcome,
        where=where,
        units=str(array.attrs.get("units", "1")),
        summed_over=list(sums),
        method=way.method,
        measures=dict(way.measures),
        design_kind=design_of(cube),
        draws=cube.sizes["draw"],
        seed=seed,
        resamples=resamples,
        confidence=CONFIDENCE,
        left_out=factors.left_out,
        coded=factors.coded,
        correlated=correlated,
        notes=[*way.notes, *notes_on(cube, factors, correlated, way, any(cell.dropped for cell in found.flat))],
    )


def _meeting(cube: xr.Dataset, where: str) -> xr.Dataset:
    """Keep the draws that meet a condition on parameters."""
    if not where:
        return cube
    condition = Where(where, cube)
    if (kind := design_of(cube)) in DESIGN_OF.values():
        raise QueryError(
            f"--where {where!r}: a design of kind {kind!r} tells something with all its draws alone; expected a sample of "
            "futures, as monte_carlo, lhs, sobol, halton or file"
        )
    if condition.on_outcomes or condition.on_status:
        raise QueryError(
            f"--where {where!r}: expected parameters alone; draws chosen by what came out say nothing of what drives it"
        )
    kept = np.flatnonzero(condition.meets[:, 0])
    if not len(kept):
        told = condition.ranges([0])
        raise QueryError(f"no draw of {cube.sizes['draw']} meets --where {where!r}" + (f": {told}" if told else ""))
    return cube.isel(draw=kept)


def _chosen_draws(cube: xr.Dataset, select: dict[str, Sequence[str]]) -> tuple[xr.Dataset, dict[str, tuple[str, ...]]]:
    """Keep the draws in which parameters have the values selected; return what is selected of dimensions too."""
    for name in [name for name in select if name in parameter_names(cube)]:
        texts = np.array([_text(value) for value in cube[name].to_numpy()])
        for label in select[name]:
            if label not in texts:
                raise QueryError(f"--select {name}={label}: no such {name}{nearest(label, np.unique(texts)[:20])}")
        cube = cube.isel(draw=np.flatnonzero(np.isin(texts, list(select.pop(name)))))
    return cube, {dim: tuple(labels) for dim, labels in select.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g}"


@dataclass(frozen=True)
class _Cell:
    """What was found for one configuration (and area, ...)."""

    n: int
    dropped: int
    reason: str
    value: dict[str, Numbers] = field(default_factory=dict)
    low: dict[str, Numbers] = field(default_factory=dict)
    high: dict[str, Numbers] = field(default_factory=dict)
    floor: dict[str, float] = field(default_factory=dict)
    n_measure: dict[str, int] = field(default_factory=dict)
    sets: int = 0
    sets_total: int = 0
    pairs: tuple[Numbers, ...] = ()


def _cell(values: Numbers, factors: Factors, way: Way, seed: int, resamples: int) -> _Cell:
    # every cell has the same random numbers: what it holds does not depend on which others are asked for
    rng = np.random.default_rng(seed)
    missing = int((~np.isfinite(values)).sum())
    if way.matrices is not None:
        found = sobol_indices(values, way.matrices, rng, resamples)
        return _of_design(found, len(way.matrices.rows), missing, values)
    if way.trajectories is not None:
        found = morris_effects(values, factors, way.trajectories, rng, resamples)
        return _of_design(found, way.trajectories.size, missing, values)
    draws = np.arange(len(values)) if way.sample is None else way.sample
    kept = draws[np.isfinite(values[draws])]
    n, dropped = len(kept), len(draws) - len(kept)
    if n < LEAST_DRAWS:
        reason = f"{n} draws have a value, {LEAST_DRAWS} or more are needed" if n else "no draw has a value"
        return _Cell(n, dropped, reason)
    y = values[kept]
    if is_constant(y):
        return _Cell(n, dropped, f"does not vary: {y[0]:g} in all {n} draws")
    columns = [Factor(factor.name, factor.values[kept], factor.labels) for factor in factors.varied]
    wanted = [measure for measure in MEASURES if measure.name in way.measures]
    each = {measure.name: estimates(measure, y, columns, rng) for measure in wanted}
    return _Cell(
        n,
        dropped,
        "",
        {name: one.value for name, one in each.items()},
        {name: one.low for name, one in each.items()},
        {name: one.high for name, one in each.items()},
        {name: one.floor for name, one in each.items()},
        {name: one.n for name, one in each.items()},
    )


def _of_design(found: Designed, size: int, missing: int, values: Numbers) -> _Cell:
    reason = found.reason if missing < len(values) else "no draw has a value"
    return _Cell(
        found.sets * size,
        missing,
        reason,
        found.value,
        found.low,
        found.high,
        sets=found.sets,
        sets_total=found.sets_total,
        pairs=found.pairs,
    )


def _dataset(array: xr.DataArray, found: NDArray[np.object_], way: Way) -> xr.Dataset:
    """Put the cells together; dimensions as in `sensitivity`."""
    dims = tuple(str(dim) for dim in array.dims[1:])
    cells: list[_Cell] = list(found.reshape(-1))
    labels, number = list(way.measures), len(way.names)
    shape = found.shape

    def of_measures(part: str) -> tuple[tuple[str, ...], NDArray[np.float64]]:
        gap = np.full(number, np.nan)
        values = [[getattr(cell, part).get(label, gap) for label in labels] for cell in cells]
        return (*dims, "measure", "parameter"), np.array(values).reshape(*shape, len(labels), number)

    variables: dict[str, Any] = {part: of_measures(part) for part in ("value", "low", "high")}
    variables |= {
        part: (dims, np.array([getattr(cell, part) for cell in cells]).reshape(shape)) for part in ("n", "dropped")
    }
    variables["reason"] = (dims, np.array([cell.reason for cell in cells], dtype=object).reshape(shape))
    if way.method == GIVEN:
        for part, gap in (("floor", np.nan), ("n_measure", 0)):
            by_measure = np.array([[getattr(cell, part).get(label, gap) for label in labels] for cell in cells])
            variables[part] = ((*dims, "measure"), by_measure.reshape(*shape, len(labels)))
    else:
        for part in ("sets", "sets_total"):
            variables[part] = (dims, np.array([getattr(cell, part) for cell in cells]).reshape(shape))
    coords: dict[str, Any] = {dim: array[dim].to_numpy() for dim in dims}
    coords |= {"measure": labels, "parameter": way.names}
    if way.matrices is not None and way.matrices.second_order:
        coords["parameter_2"] = way.names
        no_pairs = np.full((number, number), np.nan)
        for at, part in enumerate(("pair_value", "pair_low", "pair_high")):
            of_pairs = np.array([cell.pairs[at] if cell.pairs else no_pairs for cell in cells])
            variables[part] = ((*dims, "parameter", "parameter_2"), of_pairs.reshape(*shape, number, number))
    return xr.Dataset(variables, coords)
