"""Turn uncertainties and a design into the draw table: one row per draw, one column per uncertain parameter.

Three stages, each a function: points of the design in the unit cube (`design_points`), dependence between their columns
(`dependent_ranks`), quantile functions (`values_of_ranks`). Draw i depends on the seed, the design, the ordered list of
parameters and i, and on nothing else. A fixed parameter keeps its dimension in a random design and its column, and a
parameter correlated with it follows its unfixed rank: so fixing one parameter moves no other, but for those whose range
is declared to follow its value.

With S scenarios every point is drawn S times, once under each: draw i is point ``i div S`` under scenario ``i mod S``.
"""

import math
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sampling.categories import Fixed
from sampling.conditions import SCENARIO, Conditional, order_of_values
from sampling.copula import Copula, DependenceSpec, apply_copula, follow, make_copula
from sampling.dependence import correlate, links
from sampling.designs import RANDOM_KINDS, DesignSpec, is_extensible, unit_points
from sampling.errors import SamplingError, nearest_name
from sampling.file_draws import LABELS, columns_of_file
from sampling.marginals import Floats, Marginal, Values
from sampling.rows import DrawRows, PointRows, rows_of
from sampling.structured import Points, listed_values, structured_points

DrawTable = xr.Dataset
"""Dataset over ``draw`` (0..n-1, int64) with the coordinate ``replicate(draw)`` (int64) and one variable per parameter
in the order of the list: float64, or object for texts; attributes ``units``, ``source``, ``distribution``. With
scenarios a last variable ``scenario`` (object), which has the attribute ``role``."""

Constants = Mapping[str, float | str]
Scenarios = Mapping[str, Constants]
NONE = DependenceSpec()
NOTHING: Mapping[str, Any] = MappingProxyType({})


def draw_table(
    marginals: Mapping[str, Marginal],
    design: DesignSpec,
    *,
    fixed: Constants = NOTHING,
    defaults: Constants = NOTHING,
    base: Path = Path("."),
    dependence: DependenceSpec = NONE,
    scenarios: Scenarios = NOTHING,
) -> DrawTable:
    """Return the draw table of a design, whole; arguments and errors as `draw_rows`."""
    rows = draw_rows(
        *(marginals, design), fixed=fixed, defaults=defaults, base=base, dependence=dependence, scenarios=scenarios
    )
    return rows.whole()


def draw_rows(
    marginals: Mapping[str, Marginal],
    design: DesignSpec,
    *,
    fixed: Constants = NOTHING,
    defaults: Constants = NOTHING,
    base: Path = Path("."),
    dependence: DependenceSpec = NONE,
    scenarios: Scenarios = NOTHING,
) -> DrawRows:
    """Return the rows of the draw table of a design, made on demand where the design is extensible.

    Parameters
    ----------
    marginals : mapping
        The distribution of every parameter, in the order of the design's dimensions.
    design : DesignSpec
        Number and placing of the draws.
    fixed : mapping
        Parameters held at one value, whatever their distribution. Not checked against its range: that a value is
        physically possible is for the model to say.
    defaults : mapping
        For a file of draws: the values of the parameters that are neither fixed nor a column of the file.
    base : Path
        Folder from which the name of a file of draws counts.
    dependence : DependenceSpec
        Parameters that move together, beside the correlations that distributions have of their own.
    scenarios : mapping
        Named future -> the values that some parameters have in it, before ``fixed`` and a file.

    Returns
    -------
    DrawRows
        Of a `DrawTable`.

    Raises
    ------
    SamplingError
        An unknown name, a value of the wrong type, a correlation with no earlier parameter or that cannot be, a number
        that follows what it cannot, or a file of draws with an unknown column, a missing or non-numeric cell, too few
        rows, or a column for a fixed parameter. Some of these when rows are made.
    """
    for name in (SCENARIO, *LABELS):
        if name in marginals:
            raise SamplingError(f"uncertain.{name}", name, f"a name other than {SCENARIO}, {', '.join(LABELS)}")
    copula = make_copula(dependence, marginals, links(marginals))
    constants = {name: _constant(f"fixed.{name}", name, value, marginals) for name, value in fixed.items()}
    worlds = {
        scenario: {
            name: _constant(f"scenario.{scenario}.{name}", name, value, marginals) for name, value in own.items()
        }
        for scenario, own in scenarios.items()
    }
    if design.kind == "file":
        if dependence != NONE:
            raise SamplingError("dependence", 'kind = "file"', "none: the rows of a file are as dependent as they are")
        given, number = columns_of_file(marginals, design, constants, base)
        missing = [
            name for name, marginal in marginals.items() if name not in given and not isinstance(marginal, Fixed)
        ]
        for name in missing:
            if name not in constants:
                if name not in defaults:
                    expected = f"a column, a fixed value or a default of {name}"
                    raise SamplingError(f"{(base / str(design.file)).name} header", None, expected)
                constants[name] = _constant(f"defaults.{name}", name, defaults[name], marginals)
        fixed_points = Points(np.full((number, len(marginals)), 0.5), {})
    else:
        given, number = {}, design.draws or 0
        fixed_points = None
        if is_extensible(design):
            stretch = PointRows(design, len(marginals))
        else:
            fixed_points = design_points(design, marginals, varying(marginals, constants, copula, worlds))
            number = len(fixed_points.ranks)
    times = max(1, len(worlds))

    def make(start: int, stop: int) -> DrawTable:
        first, last = start // times, -(-stop // times)  # points of the design
        points = fixed_points or Points(stretch.rows(first, last), {})
        ranks = dependent_ranks(points.ranks, copula)
        columns = values_of_ranks(ranks, marginals, {**constants, **given}, worlds, points, first)
        draws = np.arange(first * times, last * times, dtype=np.int64)
        variables = {}
        for name, marginal in marginals.items():
            told = (
                f"file({(base / str(design.file)).name})" if name in given else _told(name, marginal, constants, worlds)
            )
            attrs = {"units": marginal.unit, "source": marginal.source, "distribution": told}
            variables[name] = ("draw", columns[name], attrs)
        if worlds:
            attrs = {"units": "", "source": "", "distribution": f"scenarios({', '.join(worlds)})", "role": SCENARIO}
            variables[SCENARIO] = ("draw", columns[SCENARIO], attrs)
        table = xr.Dataset(variables, coords={"draw": draws, "replicate": ("draw", draws // times % design.replicates)})
        return table.isel(draw=slice(start - first * times, stop - first * times))

    return rows_of(make(0, number * times)) if fixed_points is not None else DrawRows(number * times, make)


def varying(
    marginals: Mapping[str, Marginal], constants: Collection[str], copula: Copula, worlds: Scenarios = NOTHING
) -> list[str]:
    """Return the parameters that vary by themselves: not held at a value, not following a group."""
    names = list(marginals)
    held = set(constants) | {names[follower] for follower, _, _ in copula.groups}
    if worlds:
        held |= set.intersection(*(set(own) for own in worlds.values()))
    return [name for name, marginal in marginals.items() if name not in held and not isinstance(marginal, Fixed)]


def design_points(design: DesignSpec, marginals: Mapping[str, Marginal], names: list[str]) -> Points:
    """Return the points (n, d) of a design: stage one, d the number of all parameters, `names` those that vary."""
    if design.kind in RANDOM_KINDS:
        return Points(unit_points(design, len(marginals)), {})
    return structured_points(design, marginals, names)


def dependent_ranks(points: Floats, copula: Copula) -> Floats:
    """Return the ranks (n, d) of the parameters from independent points (n, d): stage two, each row by itself."""
    return follow(correlate(apply_copula(points, copula), copula.links), copula)


def values_of_ranks(
    ranks: Floats,
    marginals: Mapping[str, Marginal],
    given: Mapping[str, float | str | Values] = NOTHING,
    worlds: Scenarios = NOTHING,
    points: Points | None = None,
    first: int = 0,
) -> dict[str, Values]:
    """Return the values (n S,) of every parameter at its ranks (n, d): stage three.

    Parameters
    ----------
    given : mapping
        Parameters that have one value, or values (n,), whatever their rank.
    worlds : mapping
        The S scenarios, each with the parameters that it sets.
    points : Points, optional
        For the values that a design lists.
    first : int
        Number of the first point in the design, for messages.
    """
    times = max(1, len(worlds))
    # One parameter, one contiguous row: numpy may round strided data otherwise than contiguous data.
    by_parameter = dict(zip(marginals, np.ascontiguousarray(ranks.T), strict=True))
    columns: dict[str, Values] = {}
    if worlds:
        columns[SCENARIO] = np.tile(np.array(list(worlds), dtype=np.object_), len(ranks))
    for name in order_of_values(marginals, columns):
        marginal, held = marginals[name], given.get(name)
        u = np.repeat(by_parameter[name], times)
        values: NDArray[Any]
        if isinstance(held, np.ndarray):
            values = np.repeat(held, times)
        elif held is not None:
            values = Fixed(distribution="fixed", value=held).ppf(u)
        elif isinstance(marginal, Conditional):
            values = marginal.values(u, columns, f"uncertain.{name}", first * times)
        else:
            values = marginal.ppf(u)
        if points is not None and name in points.listed:
            values = listed_values(values, np.repeat(points.listed[name], times))
        for place, own in enumerate(worlds.values()):
            if name in own:
                values[place::times] = own[name]
        columns[name] = values
    return columns


def _told(name: str, marginal: Marginal, constants: Constants, worlds: Scenarios) -> str:
    """Return where the values of a parameter come from, as text."""
    told = (
        marginal.describe() if name not in constants else Fixed(distribution="fixed", value=constants[name]).describe()
    )
    own = {scenario: each[name] for scenario, each in worlds.items() if name in each}
    if not own:
        return told
    inside = ", ".join(f"{scenario}={str(value).removesuffix('.0')}" for scenario, value in own.items())
    return f"scenario({inside})" if len(own) == len(worlds) else f"scenario({inside}), else {told}"


def _constant(key: str, name: str, value: float | str, marginals: Mapping[str, Marginal]) -> float | str:
    """Return the one value of a parameter, checked for its name and type."""
    if name not in marginals:
        raise SamplingError(key, value, "the name of an uncertain parameter", nearest_name(name, marginals))
    if marginals[name].is_text:
        if not isinstance(value, str):
            raise SamplingError(key, value, "a text")
        return value
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise SamplingError(key, value, "a finite number")
    return float(value)
