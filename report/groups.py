"""Put the draws of a cube into groups by the values of its parameters."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from report.outcomes import nearest
from report.where import QueryError

FEW = 12
"""A parameter of at most so many values is grouped by each of them."""

MOST = 10_000
"""More groups than these are refused: nobody reads them."""

Column = tuple[list[str | int | float], NDArray[np.int64]]  # labels in order, and the place of each draw among them


@dataclass(frozen=True)
class Group:
    """Draws with the same labels.

    Attributes
    ----------
    labels : dict
        Label by parameter.
    ranks : dict
        Place of each label among those of its parameter.
    draws : ndarray of int64
        Positions of the draws.
    """

    labels: dict[str, str | int | float]
    ranks: dict[str, int]
    draws: NDArray[np.int64]


def groups_of(cube: xr.Dataset, names: Sequence[str]) -> list[Group]:
    """Group the draws by parameters, ``draw`` or ``replicate``; ``NAME:4`` makes 4 bins of equally many draws.

    Returns
    -------
    list of Group
        Every combination of labels that some draw has; without names one group of all draws.

    Raises
    ------
    QueryError
        For an unknown name, bins of text, or a parameter of many values without bins.
    """
    columns = {name.partition(":")[0]: _column(cube, name) for name in names}
    groups: dict[tuple[int, ...], NDArray[np.int64]] = {(): np.arange(cube.sizes["draw"])}
    for _, places in columns.values():
        finer: dict[tuple[int, ...], NDArray[np.int64]] = {}
        for ranks, draws in groups.items():
            order = np.argsort(places[draws], kind="stable")
            found, first = np.unique(places[draws][order], return_index=True)
            parts = np.split(draws[order], first[1:])
            finer |= {(*ranks, int(rank)): part for rank, part in zip(found, parts, strict=True)}
        groups = finer
        if len(groups) > MOST:
            raise QueryError(f"--by {' '.join(names)} makes more than {MOST:,} groups; use bins, as in NAME:4")
    return [
        Group(
            {name: labels[rank] for (name, (labels, _)), rank in zip(columns.items(), ranks, strict=True)},
            dict(zip(columns, ranks, strict=True)),
            draws,
        )
        for ranks, draws in groups.items()
    ]


def _column(cube: xr.Dataset, text: str) -> Column:
    name, _, bins = text.partition(":")
    known = [str(each) for each, array in cube.variables.items() if array.dims == ("draw",)]
    if bins and name in cube.dims and name != "draw":
        raise QueryError(
            f"--by {text}: {name} is a dimension and has no bins, only a parameter has; expected --by {name}"
        )
    if name not in known:
        raise QueryError(f"--by {name}: no parameter or dimension of this variable{nearest(name, known)}")
    values = cube[name].to_numpy()
    if bins:
        return _bins(name, values, bins)
    labels, places = np.unique(values.astype(str) if values.dtype.kind == "O" else values, return_inverse=True)
    if len(labels) > FEW and values.dtype.kind == "f":
        raise QueryError(f"--by {name}: it has {len(labels)} values; say how many bins, as in {name}:4")
    return [label.item() for label in labels], places.astype(np.int64)


def _bins(name: str, values: NDArray[Any], bins: str) -> Column:
    if not bins.isdecimal() or not 2 <= int(bins) <= 100:
        raise QueryError(f"--by {name}:{bins}: expected 2 to 100 bins, as in {name}:4")
    if values.dtype.kind not in "fi":
        raise QueryError(f"--by {name}:{bins}: {name} is text and has no bins")
    edges = np.unique(np.quantile(values, np.linspace(0, 1, int(bins) + 1)))
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, max(len(edges) - 2, 0))
    shown = [f"{low:.4g} to {high:.4g}" for low, high in itertools.pairwise(edges)] or [f"{edges[0]:.4g}"]
    return [*shown], places.astype(np.int64)
