"""Say what a draw table holds: quantiles of every parameter, rank correlations asked for and achieved, rows as CSV."""

import csv
from collections.abc import Mapping
from typing import NamedTuple, TextIO

import numpy as np
import xarray as xr
from scipy import stats

from sampling.categories import Choice
from sampling.copula import DependenceSpec, Measure, make_copula, of_ranks
from sampling.dependence import links
from sampling.draws import NONE, DrawTable
from sampling.marginals import Floats, Marginal

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


class Correlation(NamedTuple):
    """Rank correlation of two parameters: which kind, what was asked for, what the draws have (NaN of a constant)."""

    one: str
    other: str
    measure: str
    asked: float
    achieved: float


def table_summary(table: DrawTable) -> xr.Dataset:
    """Return mean and quantiles of every numeric parameter, and what is known of each.

    Returns
    -------
    xarray.Dataset
        Over ``parameter`` (in the order of the table) and ``quantile`` (0..1): ``value(parameter, quantile)`` and
        ``mean(parameter)`` in the unit of the parameter, NaN for texts; ``values(parameter)``, the texts with their
        numbers of draws, empty for numbers; ``unit``, ``source``, ``distribution`` (parameter). Quantiles are of numpy's
        method "linear" over all draws.
    """
    names = [str(name) for name in table.data_vars]
    value = np.full((len(names), len(QUANTILES)), np.nan)
    mean = np.full(len(names), np.nan)
    texts = []
    for place, name in enumerate(names):
        values = table[name].values
        if values.dtype.kind == "f":
            value[place], mean[place] = np.quantile(values, QUANTILES), values.mean()
            texts.append("")
        else:
            found, numbers = np.unique(values.astype(str), return_counts=True)
            texts.append(", ".join(f"{text}: {count}" for text, count in zip(found, numbers, strict=True)))
    told = {key: [str(table[name].attrs[at]) for name in names] for key, at in _TOLD.items()}
    return xr.Dataset(
        {
            "value": (("parameter", "quantile"), value),
            "mean": ("parameter", mean),
            "values": ("parameter", np.array(texts, dtype=np.object_)),
            **{key: ("parameter", np.array(each, dtype=np.object_)) for key, each in told.items()},
        },
        coords={"parameter": names, "quantile": list(QUANTILES)},
        attrs={"draws": table.sizes["draw"]},
    )


_TOLD = {"unit": "units", "source": "source", "distribution": "distribution"}


def correlations(
    table: DrawTable, marginals: Mapping[str, Marginal], dependence: DependenceSpec = NONE
) -> list[Correlation]:
    """Return the rank correlations that were asked for, beside those that the draws have.

    Parameters
    ----------
    table : DrawTable
    marginals : mapping
        The distributions it was drawn from, with the correlations of their own.
    dependence : DependenceSpec
        What was asked for beside them.

    Returns
    -------
    list of Correlation
        A correlation of a distribution's own, which counts in normal scores, is told as Spearman's. Members of a group
        are asked to have 1 or -1. Categories count in the order of their odds.
    """
    asked: dict[frozenset[str], tuple[str, str, Measure, float]] = {}
    names = list(marginals)
    for link in links(marginals):
        one, other = names[link.parent], names[link.child]
        asked[frozenset((one, other))] = (one, other, "spearman", of_ranks(link.rho, "spearman"))
    for one, other, rho in dependence.pairs():
        asked[frozenset((one, other))] = (one, other, dependence.measure, rho)
    for follower, leader, against in make_copula(dependence, marginals, links(marginals)).groups:
        pair = names[leader], names[follower]
        asked[frozenset(pair)] = (*pair, dependence.measure, -1.0 if against else 1.0)
    found = []
    for one, other, measure, rho in asked.values():
        first, second = (_numbers(table, marginals, name) for name in (one, other))
        found.append(Correlation(one, other, measure, rho, _achieved(first, second, measure)))
    return found


def _numbers(table: DrawTable, marginals: Mapping[str, Marginal], name: str) -> Floats:
    values, marginal = table[name].values, marginals[name]
    if values.dtype.kind == "f":
        return np.asarray(values, dtype=np.float64)
    order = list(marginal.odds) if isinstance(marginal, Choice) else sorted(set(values.tolist()))
    return np.array([order.index(text) for text in values.tolist()], dtype=np.float64)


def _achieved(one: Floats, other: Floats, measure: Measure) -> float:
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return float("nan")
    found = stats.spearmanr(one, other) if measure == "spearman" else stats.kendalltau(one, other)
    return float(found.statistic)


def write_csv(table: DrawTable, stream: TextIO) -> None:
    """Write the draws as CSV: draw, replicate, then every parameter, each number so that it reads back bit for bit."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["draw", "replicate", *map(str, table.data_vars)])
    columns = [table["draw"], table["replicate"], *table.data_vars.values()]
    writer.writerows(zip(*(column.values.tolist() for column in columns), strict=True))
