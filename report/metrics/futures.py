"""Take out of a cube what decisions are compared by: costs and parameters of the draws, weights, and what went wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from report.estimators import Floats
from report.factors import Factor, parameter_names, read_factors
from report.intervals import Sample
from report.metrics.definitions import Costs
from report.outcomes import (
    NOT_RUN,
    OPTIMAL,
    CubeContentError,
    attribute,
    configuration_names,
    finished,
    free_configurations,
    reference_configuration,
    variable,
)

COSTS: Final = ("total_cost", "fuel_co2_cost")
Booleans = NDArray[np.bool_]
NEAR_BEST: Final = 0.01
FAILED, LOAD_LOST, HEADROOM, SITES = "failed", "load_lost", "headroom", "sites"
MARKS: Final = {FAILED: "F", LOAD_LOST: "L", HEADROOM: "H", SITES: "S"}


@dataclass(frozen=True)
class Futures:
    """The draws of a cube, read once, as arrays (draws, configurations).

    Attributes
    ----------
    cube : xr.Dataset
        Where it comes from; larger variables are read from it as they are needed.
    names, fixed, free : list of str
        All configurations; those that are plans; those that are sited anew in every draw.
    reference : str
        What savings are against.
    cost : dict of float64 array (n, k)
        Billion yen a year by `COSTS`, NaN where a pair of draw and configuration has not finished.
    weights : float64 array (n,)
        Of the draws, sum 1.
    factors : list of Factor
        The parameters that vary.
    marks : dict of dict of float
        By configuration and kind of trouble the share of its draws in which it occurs; NaN where the cube lacks it.
    not_run : int
        Draws not run yet in some configuration.
    """

    cube: xr.Dataset
    names: list[str]
    fixed: list[str]
    free: list[str]
    reference: str
    cost: dict[str, Floats]
    weights: Floats
    factors: list[Factor]
    marks: dict[str, dict[str, float]]
    not_run: int
    failed: dict[str, int]
    design: str
    replicate: NDArray[np.int64]
    point: NDArray[np.int64]
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Draws of the design."""
        return len(self.weights)

    @property
    def rivals(self) -> list[str]:
        """The plans that have a finished draw, in the order of the study."""
        return [name for name in self.fixed if np.isfinite(self.column("total_cost", name)).any()]

    def place(self, name: str) -> int:
        """Column of a configuration."""
        return self.names.index(name)

    def column(self, cost: str, name: str) -> Floats:
        """Return a cost of one configuration, (n,)."""
        return self.cost[cost][:, self.place(name)]

    def saving(self, cost: str, name: str) -> Floats:
        """Return reference minus configuration in the same draw, (n,), NaN where one of the two is missing."""
        return self.column(cost, self.reference) - self.column(cost, name)

    def common(self) -> Booleans:
        """Tell in which draws every rival has finished, so that they can be compared, (n,)."""
        places = [self.place(name) for name in self.rivals]
        return np.asarray(np.isfinite(self.cost["total_cost"][:, places]).all(axis=1))

    def weights_of(self, there: Booleans) -> Floats:
        """Return the weights of some draws, scaled to sum 1."""
        kept = self.weights[there]
        return kept / kept.sum() if kept.size else kept

    def sample(self, values: Floats) -> Sample:
        """Return values (n,) with what their interval depends on."""
        equal = bool((self.weights == self.weights[0]).all()) if self.n else True
        return Sample(values, self.design, self.replicate, None if equal else self.weights, self.point)

    def trouble(self, name: str) -> str:
        """Return the letters of what is wrong with a configuration in some draw, as in ``FS``; empty if nothing is."""
        return "".join(letter for kind, letter in MARKS.items() if self.marks[name][kind] > 0)

    def costs(self, cost: str) -> tuple[Costs, Floats, Booleans]:
        """
        Return the costs of the rivals in their common draws, the weights of these, and which draws they are.

        What satisfies is a cost within `NEAR_BEST` of the best plan's in the same draw; distances are from the median of
        every parameter, in units of the distance from there to its furthest draw, the largest over the parameters.
        """
        there = self.common()
        values = self.cost[cost][there][:, [self.place(name) for name in self.rivals]]
        best = values.min(axis=1)
        satisfied = best + NEAR_BEST * np.abs(best)
        return Costs(values, satisfied=satisfied, distance=self._distance()[there]), self.weights_of(there), there

    def _distance(self) -> Floats:
        """Return the scaled distance of every draw from the medians; texts, which have none, are left out."""
        found = np.zeros(self.n)
        for factor in self.factors:
            if not factor.labels:
                gap = np.abs(factor.values - np.median(factor.values))
                furthest = gap.max()
                if len(np.unique(factor.values)) > 2 and furthest > 0:
                    found = np.maximum(found, gap / furthest)
        return found


def read_futures(cube: xr.Dataset, weights: Floats | None = None) -> Futures:
    """
    Read costs, parameters and troubles of a cube.

    Parameters
    ----------
    cube : xr.Dataset
        An opened cube with ``total_cost``, ``fuel_cost`` and ``co2_cost``.
    weights : float64 array (n,), optional
        Of the draws, at least 0, not all 0; default equal.

    Raises
    ------
    CubeContentError
        If the cube lacks something, or has no finished draw of any plan.
    """
    names, free = configuration_names(cube), free_configurations(cube)
    done = finished(cube).compute()
    total = variable(cube, "total_cost").where(done).to_numpy().astype(np.float64)
    fuel = (variable(cube, "fuel_cost") + variable(cube, "co2_cost")).where(done).to_numpy().astype(np.float64)
    draws = cube.sizes["draw"]
    if weights is not None and (len(weights) != draws or not (weights >= 0).all() or not weights.sum() > 0):
        raise CubeContentError(f"weights: expected {draws} numbers of at least 0 with a sum above 0")
    told = read_factors(cube)
    status = variable(cube, "status").to_numpy()
    per_point = max(1, len(cube.attrs.get("scenarios", ())))
    futures = Futures(
        cube=cube,
        names=names,
        fixed=[name for name in names if name not in free],
        free=free,
        reference=reference_configuration(cube),
        cost={"total_cost": total, "fuel_co2_cost": fuel},
        weights=np.full(draws, 1 / draws) if weights is None else np.asarray(weights / weights.sum()),
        factors=told.varied,
        marks=_marks(cube, done),
        not_run=int((status == NOT_RUN).any(axis=1).sum()),
        failed={name: int(((status != OPTIMAL) & (status != NOT_RUN))[:, at].sum()) for at, name in enumerate(names)},
        design=str(attribute(cube, "design_kind")),
        replicate=cube["replicate"].to_numpy().astype(np.int64),
        point=np.arange(draws) // per_point,
        left_out={name: told.left_out[name] for name in parameter_names(cube) if name in told.left_out},
    )
    if not futures.rivals:
        raise CubeContentError("no draw of a fixed configuration has finished: there is nothing to compare yet")
    if futures.reference not in futures.rivals:
        raise CubeContentError(f"no draw of the reference {futures.reference} has finished: there is no saving to tell")
    if not futures.common().any():
        raise CubeContentError("no draw has finished in all fixed configurations: they cannot be compared")
    return futures


def _marks(cube: xr.Dataset, done: xr.DataArray) -> dict[str, dict[str, float]]:
    """Return the share of draws with each kind of trouble, of those that were tried or, but for failures, finished."""
    status = variable(cube, "status").to_numpy()
    names = configuration_names(cube)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = {FAILED: ((status != OPTIMAL) & (status != NOT_RUN)).sum(axis=0) / (status != NOT_RUN).sum(axis=0)}
        for kind, source in ((LOAD_LOST, "lole"), (HEADROOM, "headroom_exceeded"), (SITES, "sites_violated")):
            if source not in cube.data_vars:
                shares[kind] = np.full(len(names), np.nan)
                continue
            above = (variable(cube, source) > 0) & done
            more = [dim for dim in above.dims if dim not in ("draw", "configuration")]
            hit = above.any(more) if more else above
            shares[kind] = hit.sum("draw").to_numpy() / done.sum("draw").to_numpy()
    return {name: {kind: float(share[at]) for kind, share in shares.items()} for at, name in enumerate(names)}
