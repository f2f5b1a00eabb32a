"""Give further distributions of numbers: normal, lognormal, beta-PERT, and any of scipy.stats by its own name.

All may be conditioned on a range (``min``, ``max``) by the probability transform: the quantile function of the whole
at ranks from F(min) to F(max).
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from scipy import stats

from sampling.errors import SamplingError, nearest_name
from sampling.marginals import Floats, Numeric, floats, require_mass, require_range

Z95 = float(stats.norm.ppf(0.95))
LEAST_RANK, LARGEST_RANK = 2.0**-52, 1 - 2.0**-52
"""Ranks are held between these two, so that an unbounded distribution gives finite values at both ends."""

SCIPY = {
    name: found
    for name in dir(stats)
    if isinstance(found := getattr(stats, name), stats.rv_continuous | stats.rv_discrete)
}
"""Every distribution of scipy.stats, continuous and discrete, by its name there."""


class Truncatable(Numeric):
    """A distribution that may be conditioned on min..max, either end left open."""

    min: float | None = None
    max: float | None = None

    @cached_property
    @abstractmethod
    def whole(self) -> Any:
        """The frozen scipy distribution before any truncation."""

    @cached_property
    def _ranks(self) -> tuple[float, float]:
        """Ranks of the whole between which the values lie; from just below ``min``, where an atom may stand."""
        low = 0.0 if self.min is None else float(self.whole.cdf(np.nextafter(self.min, -np.inf)))
        high = 1.0 if self.max is None else float(self.whole.cdf(self.max))
        return low, high

    @model_validator(mode="after")
    def _check_range(self) -> Self:
        if self.min is not None and self.max is not None:
            require_range(self.min, self.max)
        low, high = self._ranks
        if self.min is not None or self.max is not None:
            require_mass(
                -math.inf if self.min is None else self.min, math.inf if self.max is None else self.max, high - low
            )
        return self

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) at the ranks `u` (n,) in [0, 1): whole ppf at cdf(min)..cdf(max)."""
        low, high = self._ranks
        # Above `low` itself, which is the rank of the value before the range where there are atoms.
        ranks = np.clip(low + u * (high - low), max(LEAST_RANK, np.nextafter(low, 1.0)), LARGEST_RANK)
        return np.clip(floats(self.whole.ppf(ranks)), self.min, self.max)

    def cdf(self, x: Floats) -> Floats:
        """Return the probability (n,) of a value of at most `x` (n,)."""
        low, high = self._ranks
        return np.clip((floats(self.whole.cdf(x)) - low) / (high - low), 0.0, 1.0)

    def _parameters(self) -> dict[str, float | str]:
        own = super()._parameters()
        ends = {key: own.pop(key) for key in ("min", "max") if key in own}
        return own | ends


class Normal(Truncatable):
    """Normal with mean and sd those of the whole; optionally conditioned on min..max."""

    distribution: Literal["normal"]
    mean: float
    sd: float = Field(gt=0)

    @cached_property
    def whole(self) -> Any:
        """The normal before any truncation."""
        return stats.norm(loc=self.mean, scale=self.sd)


class Lognormal(Truncatable):
    """Lognormal of a median and one of two spreads, those of the whole; optionally conditioned on min..max.

    ``sigma`` is the standard deviation of the logarithm; ``ratio`` that of the 95 % to the 5 % quantile, so that
    sigma = ln(ratio) / (2 * 1.645).
    """

    distribution: Literal["lognormal"]
    median: float = Field(gt=0)
    sigma: float | None = Field(default=None, gt=0)
    ratio: float | None = Field(default=None, gt=1)

    @model_validator(mode="before")
    @classmethod
    def _one_spread(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and ("sigma" in data) == ("ratio" in data):
            found = data.get("sigma")
            raise SamplingError(
                "sigma", found, "either sigma, of the logarithm, or ratio, of the 95 % to the 5 % quantile"
            )
        return data

    @cached_property
    def whole(self) -> Any:
        """The lognormal before any truncation."""
        sigma = self.sigma if self.sigma is not None else math.log(self.ratio or 1) / (2 * Z95)
        return stats.lognorm(s=sigma, scale=self.median)


class Pert(Numeric):
    """Beta-PERT on min..max: a beta whose mean is (min + lambda * mode + max) / (lambda + 2).

    Malcolm et al. 1959, Operations Research 7(5), with lambda = 4; Vose 2008, Risk Analysis, for any lambda.
    """

    distribution: Literal["pert"]
    min: float
    mode: float
    max: float
    lambda_: float = Field(default=4.0, alias="lambda", gt=0)

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_range(self.min, self.max)
        if not self.min <= self.mode <= self.max:
            raise SamplingError("mode", self.mode, f"a number from min={self.min:g} to max={self.max:g}")
        return self

    @cached_property
    def _whole(self) -> Any:
        width = self.max - self.min
        a = 1 + self.lambda_ * (self.mode - self.min) / width
        b = 1 + self.lambda_ * (self.max - self.mode) / width
        return stats.beta(a, b, loc=self.min, scale=width)

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) in min..max at the ranks `u` (n,) in [0, 1)."""
        return np.clip(floats(self._whole.ppf(u)), self.min, self.max)

    def cdf(self, x: Floats) -> Floats:
        """Return the probability (n,) of a value of at most `x` (n,)."""
        return floats(self._whole.cdf(x))


class OfScipy(Truncatable):
    """A distribution of scipy.stats with its own shape parameters, ``loc`` and ``scale`` (continuous ones only)."""

    distribution: str
    shapes: dict[str, float]
    loc: float = 0.0
    scale: float | None = Field(default=None, gt=0)

    @model_validator(mode="before")
    @classmethod
    def _know_every_key(cls, data: Any) -> Any:
        """Gather the shape parameters, refusing what the distribution does not have."""
        if not isinstance(data, Mapping):
            return data
        name = str(data["distribution"]).removeprefix("scipy.")
        found = SCIPY[name]
        shapes = [shape.strip() for shape in found.shapes.split(",")] if found.shapes else []
        is_discrete = isinstance(found, stats.rv_discrete)
        common = [key for key in cls.model_fields if key != "shapes" and not (is_discrete and key == "scale")]
        known = [*common[:4], *shapes, *common[4:]]
        for key, value in data.items():
            if key not in known:
                raise SamplingError(key, value, f"one of the keys {', '.join(known)}", nearest_name(key, known))
        for info in found._shape_info():
            _check_shape(info, data.get(info.name), name)
        own = {key: value for key, value in data.items() if key not in shapes}
        return own | {"shapes": {shape: data[shape] for shape in shapes}}

    @model_validator(mode="after")
    def _check_shapes(self) -> Self:
        if any(
            math.isnan(end) for end in self.whole.support()
        ):  # what no single domain tells: randint's low below high
            raise SamplingError("distribution", self.describe(), "shape parameters that scipy.stats accepts together")
        return self

    @cached_property
    def whole(self) -> Any:
        """The frozen scipy distribution before any truncation."""
        scale = {} if self.scale is None else {"scale": self.scale}
        return SCIPY[self.distribution.removeprefix("scipy.")](**self.shapes, loc=self.loc, **scale)

    def _parameters(self) -> dict[str, float | str]:
        ends = {key: getattr(self, key) for key in ("loc", "scale", "min", "max")}
        return self.shapes | {key: value for key, value in ends.items() if key in self.model_fields_set}


def _check_shape(info: Any, value: Any, name: str) -> None:
    """Refuse a shape parameter that is missing, no number, or out of the domain that scipy states for it."""
    low, high = (end if abs(end) > 1e-300 else 0.0 for end in info.domain)  # scipy may state the least float above 0
    ends = ("[" if info.inclusive[0] else "(") + f"{low:g}, {high:g}" + ("]" if info.inclusive[1] else ")")
    expected = f"a {'whole ' if info.integrality else ''}number in {ends} for scipy.stats.{name}"
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not is_number or (info.integrality and value != int(value)):
        raise SamplingError(info.name, value, expected)
    above = value >= low if info.inclusive[0] else value > low
    below = value <= high if info.inclusive[1] else value < high
    if not (above and below):
        raise SamplingError(info.name, value, expected)
