"""Place the draws of designs with a structure: full factorial, one at a time, Morris' trajectories, Saltelli's matrices.

Only parameters that vary count: one that is fixed, or that follows a group, would take draws and show nothing. It stays
at rank 0.5, as do all parameters at their medians.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sampling.categories import Choice
from sampling.designs import MOST_DRAWS, DesignSpec
from sampling.errors import SamplingError, nearest_name
from sampling.marginals import Floats, Marginal, Values

MORRIS_LEVELS = 4
BELOW_ONE = np.nextafter(1.0, 0.0)


class Points(NamedTuple):
    """Ranks (n, d) in [0, 1), and the values (n,) that the design lists for some parameters in place of ranks.

    A listed value is an object array in which None means: by its rank.
    """

    ranks: Floats
    listed: dict[str, NDArray[np.object_]]


class _Levels(NamedTuple):
    """The levels of one parameter: ranks (k,), and the values (k,) where they are listed."""

    ranks: Floats
    values: tuple[float | str, ...] | None


def structured_points(spec: DesignSpec, marginals: Mapping[str, Marginal], varying: Sequence[str]) -> Points:
    """Return the points of a design with a structure.

    Parameters
    ----------
    spec : DesignSpec
        Of one of ``STRUCTURED_KINDS``.
    marginals : mapping
        Every parameter, in the order of the columns.
    varying : sequence of str
        Those that vary, in the same order.

    Raises
    ------
    SamplingError
        Levels of a parameter that is unknown or does not vary, a listed value that it cannot have, or a number of
        draws that no such design has.
    """
    if not varying:
        raise SamplingError("design.kind", spec.kind, "at least one parameter that varies")
    if spec.kind in ("morris", "saltelli"):
        columns = _morris(spec, len(varying)) if spec.kind == "morris" else _saltelli(spec, len(varying))
        return Points(_spread(columns, marginals, varying), {})
    levels = {name: _levels(spec, name, marginals[name]) for name in _named(spec, marginals, varying)}
    sizes = [len(one.ranks) for one in levels.values()]
    number = math.prod(sizes) if spec.kind == "factorial" else 1 + sum(sizes)
    _check_draws(spec, number, f"{number:,} draws of this {spec.kind} design")
    # One row per draw: which level each parameter has; -1 where it stays at its median.
    if spec.kind == "factorial":
        places = np.array(list(product(*map(range, sizes))), dtype=np.int64).reshape(number, len(sizes))
    else:
        places = np.full((number, len(sizes)), -1, dtype=np.int64)
        column = np.repeat(np.arange(len(sizes)), sizes)
        places[np.arange(1, number), column] = np.concatenate([np.arange(size) for size in sizes])
    ranks = np.empty(places.shape)
    listed = {}
    for place, (name, one) in enumerate(levels.items()):
        ranks[:, place] = np.append(one.ranks, 0.5)[places[:, place]]
        if one.values is not None:
            listed[name] = np.array([*one.values, None], dtype=np.object_)[places[:, place]]
    return Points(_spread(ranks, marginals, list(levels)), listed)


def _spread(columns: Floats, marginals: Mapping[str, Marginal], names: Sequence[str]) -> Floats:
    """Return ranks (n, d) of all parameters from those of some, the others in the middle."""
    ranks: Floats = np.full((len(columns), len(marginals)), 0.5)
    ranks[:, [list(marginals).index(name) for name in names]] = columns
    return np.minimum(ranks, BELOW_ONE)


def _named(spec: DesignSpec, marginals: Mapping[str, Marginal], varying: Sequence[str]) -> list[str]:
    """Return the parameters that have levels, in the order of the columns."""
    if not isinstance(spec.levels, dict):
        return list(varying)
    for name in spec.levels:
        if name not in marginals:
            raise SamplingError(
                f"design.levels.{name}", name, "the name of an uncertain parameter", nearest_name(name, marginals)
            )
        if name not in varying:
            raise SamplingError(
                f"design.levels.{name}", name, "a parameter that varies: it is fixed, or follows a group"
            )
    return [name for name in varying if name in spec.levels]


def _levels(spec: DesignSpec, name: str, marginal: Marginal) -> _Levels:
    wanted = spec.levels[name] if isinstance(spec.levels, dict) else spec.levels
    if not isinstance(wanted, tuple):
        assert wanted is not None  # the specification asks for levels
        return _Levels(marginal.levels(wanted, *spec.span), None)
    for value in wanted:
        if isinstance(value, str) != marginal.is_text:
            raise SamplingError(f"design.levels.{name}", value, "texts" if marginal.is_text else "numbers")
        if isinstance(marginal, Choice) and value not in marginal.odds:
            known = ", ".join(marginal.odds)
            raise SamplingError(
                f"design.levels.{name}", value, f"one of {known}", nearest_name(str(value), marginal.odds)
            )
    return _Levels(np.full(len(wanted), 0.5), wanted)


def _check_draws(spec: DesignSpec, number: int, what: str) -> None:
    if number > MOST_DRAWS:
        raise SamplingError("design.levels", f"{number:,} draws", f"at most {MOST_DRAWS:,}; name fewer parameters")
    if spec.draws is not None and spec.draws != number:
        raise SamplingError("design.draws", spec.draws, f"the {what}, or none")


def _whole(spec: DesignSpec, given: int | None, key: str, each: int) -> int:
    """Return how many times `each` draws the design has, from its own key or from its number of draws."""
    if given is not None:
        _check_draws(spec, given * each, f"{given * each:,} draws of {given} {key}")
        return given
    assert spec.draws is not None  # the specification asks for one of the two
    if spec.draws % each:
        near = max(1, round(spec.draws / each)) * each
        raise SamplingError("design.draws", spec.draws, f"a multiple of {each}, such as {near}; or {key} = a number")
    return spec.draws // each


def _problem(varying: int) -> dict[str, object]:
    return {"num_vars": varying, "names": [f"x{i}" for i in range(varying)], "bounds": [[0.0, 1.0]] * varying}


def _morris(spec: DesignSpec, varying: int) -> Floats:
    """Return ranks (n, k) of Morris' trajectories; Morris 1991, Technometrics 33(2), as built by SALib."""
    from SALib.sample.morris import sample  # imports pandas: only where it is wanted

    number = _whole(spec, spec.trajectories, "trajectories", varying + 1)
    levels = spec.levels if isinstance(spec.levels, int) else MORRIS_LEVELS
    low, high = spec.span
    unit = sample(_problem(varying), number, num_levels=levels, seed=spec.seed)
    return np.asarray(low + (high - low) * unit, dtype=np.float64)


def _saltelli(spec: DesignSpec, varying: int) -> Floats:
    """Return ranks (n, k) of Saltelli's matrices; Saltelli 2002, Computer Physics Communications 145(2), by SALib."""
    from SALib.sample.sobol import sample

    each = 2 * varying + 2 if spec.second_order else varying + 2
    number = _whole(spec, spec.points, "points", each)
    # Drawn at the next power of two and cut: SALib warns of any other number, and the points are the same.
    whole = 1 << (number - 1).bit_length()
    found = sample(_problem(varying), whole, calc_second_order=spec.second_order, seed=spec.seed)
    return np.asarray(found[: number * each], dtype=np.float64)


def listed_values(values: Values, listed: NDArray[Any]) -> Values:
    """Return `values` (n,) with those that a design lists in their place."""
    chosen = np.array([one is not None for one in listed])
    changed: NDArray[Any] = values.copy()
    changed[chosen] = listed[chosen]
    return changed
