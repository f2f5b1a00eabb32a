"""Take values of a cube's draws as a sample: with the design, the replicates and the points that their interval depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from report.intervals import CONFIDENCE, Interval, Method, Sample, mean_interval
from report.outcomes import CubeContentError

SCENARIO = "scenario"


@dataclass(frozen=True)
class Draws:
    """What the draws of a cube have in common.

    Attributes
    ----------
    design : str
        Kind of the design.
    replicate : int array (draws,)
    point : int array (draws,), optional
        The point of the design that each draw comes from, where several scenarios share one.
    """

    design: str
    replicate: NDArray[np.int64]
    point: NDArray[np.int64] | None

    def sample(self, values: NDArray[Any], chosen: NDArray[np.int64] | None = None) -> Sample:
        """Return values of all draws, or of those at the positions chosen, as a sample; NaN where missing."""
        replicate, point = self.replicate, self.point
        if chosen is not None:
            replicate, point = replicate[chosen], None if point is None else point[chosen]
        return Sample(values.astype(np.float64), self.design, replicate, point=point)

    @property
    def method(self) -> Method:
        """How an interval may be had, as `report.intervals.Sample.method` tells it."""
        return self.sample(np.zeros(len(self.replicate))).method()

    @property
    def how(self) -> str:
        """How an interval is had from all of them, in words."""
        return mean_interval(self.sample(np.zeros(len(self.replicate)))).how


def draws_of(cube: xr.Dataset) -> Draws:
    """Read the design of a cube; one that declares none has no honest interval.

    Raises
    ------
    CubeContentError
        If the cube lacks ``replicate`` over draws.
    """
    if "replicate" not in cube.coords:
        raise CubeContentError("cube has no coordinate 'replicate' over draw")
    replicate, worlds = cube["replicate"].to_numpy().astype(np.int64), len(scenarios_of(cube))
    point = np.arange(len(replicate)) // worlds if worlds > 1 else None
    return Draws(str(cube.attrs.get("design_kind", "an undeclared design")), replicate, point)


def scenarios_of(cube: xr.Dataset) -> list[str]:
    """Name the scenarios that every point is drawn under; none where the study has none."""
    return [str(each) for each in cube.attrs.get("scenarios", ())]


def of_scenario(cube: xr.Dataset, name: str) -> xr.Dataset:
    """Return the draws of one scenario, each of a point of its own."""
    chosen = np.flatnonzero(cube[SCENARIO].to_numpy() == name)
    return cube.isel(draw=chosen).drop_attrs(deep=False).assign_attrs({**cube.attrs, "scenarios": []})


def count(sample: Sample) -> int:
    """Return how many values are there."""
    return int((~np.isnan(sample.values)).sum())


def longer_side(interval: Interval) -> float:
    """Return how far an interval reaches from its estimate; NaN where it has no end on a side."""
    return float(np.maximum(interval.estimate - interval.low, interval.high - interval.estimate))


def in_words(confidence: float = CONFIDENCE) -> str:
    """Return a confidence as text, ``95 %``."""
    return f"{100 * confidence:g} %"
