"""Read the uncertain parameters of a cube as numbers: which vary, which are coded, which move together."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from report.groups import FEW

Numbers = NDArray[np.float64]

DRAWS_PER_VALUE = 5
"""A number counts as one of few values only where so many draws stand behind each of them."""
FALSE_ALARM = 0.01
"""Chance that independent parameters are called dependent, over all pairs (Bonferroni)."""
LEAST_CORRELATION = 0.05
"""Weaker rank correlations are of no weight, however certain."""


@dataclass(frozen=True)
class Factor:
    """One uncertain parameter that varies.

    Attributes
    ----------
    name : str
        Of the parameter.
    values : ndarray of float64
        Shape (draws,): its numbers, or the codes of its texts.
    labels : tuple of str
        Texts in the order of their codes 0, 1, ...; empty for numbers.
    """

    name: str
    values: Numbers
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Factors:
    """The parameters of a cube.

    Attributes
    ----------
    varied : list of Factor
        In the order of the cube.
    left_out : dict
        Reason by parameter.
    """

    varied: list[Factor]
    left_out: dict[str, str]

    @property
    def names(self) -> list[str]:
        """Names of those that vary."""
        return [factor.name for factor in self.varied]

    @property
    def matrix(self) -> Numbers:
        """Shape (draws, parameters), contiguous by parameter."""
        return np.array([factor.values for factor in self.varied]).T

    @property
    def coded(self) -> dict[str, tuple[str, ...]]:
        """Texts by parameter, in the order of their codes."""
        return {factor.name: factor.labels for factor in self.varied if factor.labels}


def parameter_names(cube: xr.Dataset) -> list[str]:
    """Name the uncertain parameters: the draw table of a cube, or every variable over draws alone."""
    over_draws = [str(name) for name, array in cube.data_vars.items() if array.dims == ("draw",)]
    listed = cube.attrs.get("wattbit_inputs", over_draws)
    return [name for name in over_draws if name in listed]


def read_factors(cube: xr.Dataset) -> Factors:
    """Read the parameters of a cube; what is fixed, or has gaps, is left out with its reason."""
    varied: list[Factor] = []
    left_out: dict[str, str] = {}
    for name in parameter_names(cube):
        values = cube[name].to_numpy()
        labels: tuple[str, ...] = ()
        if values.dtype.kind in "OUT":
            found, codes = np.unique(values.astype(str), return_inverse=True)
            values, labels = codes, tuple(str(each) for each in found)
        numbers = values.astype(np.float64)
        if not np.isfinite(numbers).all():
            left_out[name] = f"has no finite number in {int((~np.isfinite(numbers)).sum())} draws"
        elif not len(numbers) or (numbers == numbers[0]).all():
            shown = labels[0] if labels else f"{numbers[0]:g}" if len(numbers) else "nothing"
            left_out[name] = f"{shown} in all of these draws"
        else:
            varied.append(Factor(name, numbers, labels))
    return Factors(varied, left_out)


def is_few(factor: Factor) -> bool:
    """Return whether a parameter is taken by its values and not by bins: texts, and numbers of at most twelve values."""
    number = len(np.unique(factor.values))
    return bool(factor.labels) or (number <= FEW and number * DRAWS_PER_VALUE <= len(factor.values))


def declared_dependence(cube: xr.Dataset) -> list[str]:
    """Say which dependence of the parameters the cube declares: its attribute ``dependence``, a parameter's ``correlation``."""
    told = [f"{name} on {cube[name].attrs['correlation']}" for name in parameter_names(cube) if _tells(cube[name])]
    whole = cube.attrs.get("dependence")
    return [*([str(whole)] if whole else []), *told]


def _tells(column: xr.DataArray) -> bool:
    return bool(column.attrs.get("correlation"))


def correlated_pairs(factors: Sequence[Factor]) -> list[tuple[str, str, float]]:
    """
    Find pairs of parameters that move together in the draws.

    Spearman's rank correlation, where it is further from zero than ``1 / sqrt(n - 1)`` times the normal quantile of
    `FALSE_ALARM` over all pairs (Kendall and Gibbons 1990, Rank Correlation Methods), and at least `LEAST_CORRELATION`.

    Returns
    -------
    list of (name, name, correlation)
        Strongest first. Texts are left out: their codes have no order.
    """
    numbers = [factor for factor in factors if not factor.labels]
    if len(numbers) < 2 or len(numbers[0].values) < 4:
        return []
    ranks = np.array([stats.rankdata(factor.values) for factor in numbers])
    found = np.corrcoef(ranks)
    pairs = list(itertools.combinations(range(len(numbers)), 2))
    bar = stats.norm.ppf(1 - FALSE_ALARM / len(pairs) / 2) / np.sqrt(ranks.shape[1] - 1)
    strong = [(i, j) for i, j in pairs if abs(found[i, j]) > max(bar, LEAST_CORRELATION)]
    strong.sort(key=lambda pair: -abs(found[pair]))
    return [(numbers[i].name, numbers[j].name, float(found[i, j])) for i, j in strong]
