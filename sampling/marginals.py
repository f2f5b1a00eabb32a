"""Define what a distribution of one uncertain parameter is, and the first of them: from a uniform rank to a value.

Every quantile function ``ppf`` takes ranks u of shape (n,) in [0, 1) and returns n values, float64 or (for texts)
object. It works element by element, so that a value depends on its own rank alone, and never falls as the rank rises.
A range may be any range: what is physically possible is for the model to say. Further ones: `sampling.categories`,
`sampling.families`, `sampling.mixtures`, `sampling.conditions`.
"""

from abc import abstractmethod
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator
from scipy import stats

from sampling.errors import SamplingError
from sampling.spec import Spec

Floats = NDArray[np.float64]
Values = NDArray[np.float64] | NDArray[np.object_]
Correlation = Annotated[float, Field(gt=-1, lt=1)]

LEAST_MASS = 1e-6
"""Least share of the whole distribution that a truncation may keep: below it the ranks run out of digits."""


class Marginal(Spec):
    """What every distribution has: unit, source and at most one correlation with an earlier parameter.

    ``correlation`` maps the name of an earlier parameter to the correlation of the standard normal scores of the two
    ranks, in (-1, 1). An empty ``unit`` or ``source`` says that none was given.
    """

    distribution: str
    unit: str = ""
    source: str = ""
    correlation: dict[str, Correlation] = Field(default_factory=dict, max_length=1)

    @property
    def is_text(self) -> bool:
        """True where the values are texts and not numbers."""
        return False

    @property
    def files(self) -> tuple[Path, ...]:
        """Tables that the distribution was read from."""
        return ()

    @abstractmethod
    def ppf(self, u: Floats) -> Values:
        """Return the values (n,) at the ranks `u` (n,) in [0, 1)."""

    def levels(self, number: int, low: float, high: float) -> Floats:
        """Return the ranks of so many levels: evenly spaced from `low` to `high`, one level being the middle.

        A distribution of categories has a rank in the middle of each of them, whatever `number` is.
        """
        return np.linspace(low, high, number) if number > 1 else np.array([(low + high) / 2])

    def _parameters(self) -> dict[str, float | str]:
        own = {name: field for name, field in type(self).model_fields.items() if name not in Marginal.model_fields}
        shown = {field.alias or name: getattr(self, name) for name, field in own.items()}
        return {name: value for name, value in shown.items() if value is not None}

    def describe(self) -> str:
        """Return the distribution as text, e.g. ``triangular(min=5, mode=13, max=18)``."""
        parameters = self._parameters() | {f"corr_{name}": rho for name, rho in self.correlation.items()}
        inside = ", ".join(f"{name}={str(value).removesuffix('.0')}" for name, value in parameters.items())
        return f"{self.distribution}({inside})"


class Numeric(Marginal):
    """A distribution of numbers: it also has its distribution function."""

    @abstractmethod
    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) at the ranks `u` (n,) in [0, 1)."""

    @abstractmethod
    def cdf(self, x: Floats) -> Floats:
        """Return the probability (n,) of a value of at most `x` (n,)."""


def floats(values: object) -> Floats:
    """Return `values` as a float64 array."""
    return np.asarray(values, dtype=np.float64)


def require_range(low: float, high: float) -> None:
    """Refuse a range that is upside down or empty."""
    if not low < high:
        raise SamplingError("min", low, f"a number below max={high:g}")


def require_mass(low: float, high: float, mass: float) -> None:
    """Refuse a range that holds too little of the whole distribution."""
    if mass < LEAST_MASS:
        raise SamplingError("min", low, f"min..max={high:g} to hold at least {LEAST_MASS:g} of the whole distribution")


class Triangular(Numeric):
    """Triangular on min..max with its peak at mode, which may lie on either end."""

    distribution: Literal["triangular"]
    min: float
    mode: float
    max: float

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_range(self.min, self.max)
        if not self.min <= self.mode <= self.max:
            raise SamplingError("mode", self.mode, f"a number from min={self.min:g} to max={self.max:g}")
        return self

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) in min..max at the ranks `u` (n,) in [0, 1)."""
        width = self.max - self.min
        values = stats.triang(c=(self.mode - self.min) / width, loc=self.min, scale=width).ppf(u)
        return np.clip(values, self.min, self.max)

    def cdf(self, x: Floats) -> Floats:
        """Return the probability (n,) of a value of at most `x` (n,)."""
        width = self.max - self.min
        return floats(stats.triang(c=(self.mode - self.min) / width, loc=self.min, scale=width).cdf(x))


class Uniform(Numeric):
    """Uniform on min..max."""

    distribution: Literal["uniform"]
    min: float
    max: float

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_range(self.min, self.max)
        return self

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) in min..max at the ranks `u` (n,) in [0, 1)."""
        return np.clip(stats.uniform(loc=self.min, scale=self.max - self.min).ppf(u), self.min, self.max)

    def cdf(self, x: Floats) -> Floats:
        """Return the probability (n,) of a value of at most `x` (n,)."""
        return floats(stats.uniform(loc=self.min, scale=self.max - self.min).cdf(x))


class LognormalTruncated(Numeric):
    """Lognormal conditioned on min..max; median and sigma (of the logarithm) are those of the whole lognormal."""

    distribution: Literal["lognormal_truncated"]
    median: float = Field(gt=0)
    sigma: float = Field(gt=0)
    min: float
    max: float

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_range(self.min, self.max)
        low, high = self._ranks()
        require_mass(self.min, self.max, high - low)
        return self

    def _ranks(self) -> tuple[float, float]:
        whole = stats.lognorm(s=self.sigma, scale=self.median)
        return float(whole.cdf(self.min)), float(whole.cdf(self.max))

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) in min..max at the ranks `u` (n,) in [0, 1): whole ppf at cdf(min)..cdf(max)."""
        low, high = self._ranks()
        values = stats.lognorm(s=self.sigma, scale=self.median).ppf(low + u * (high - low))
        return np.clip(values, self.min, self.max)

    def cdf(self, x: Floats) -> Floats:
        """Return the probability (n,) of a value of at most `x` (n,)."""
        low, high = self._ranks()
        return np.clip((stats.lognorm(s=self.sigma, scale=self.median).cdf(x) - low) / (high - low), 0.0, 1.0)


class Beta(Numeric):
    """Beta with shapes a and b on 0..1."""

    distribution: Literal["beta"]
    a: float = Field(gt=0)
    b: float = Field(gt=0)

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) in 0..1 at the ranks `u` (n,) in [0, 1)."""
        return floats(stats.beta(self.a, self.b).ppf(u))

    def cdf(self, x: Floats) -> Floats:
        """Return the probability (n,) of a value of at most `x` (n,)."""
        return floats(stats.beta(self.a, self.b).cdf(x))


class BetaTruncated(Numeric):
    """Beta with shapes a and b on 0..1, conditioned on min..max."""

    distribution: Literal["beta_truncated"]
    a: float = Field(gt=0)
    b: float = Field(gt=0)
    min: float = Field(ge=0, le=1)
    max: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        require_range(self.min, self.max)
        low, high = self._ranks()
        require_mass(self.min, self.max, high - low)
        return self

    def _ranks(self) -> tuple[float, float]:
        whole = stats.beta(self.a, self.b)
        return float(whole.cdf(self.min)), float(whole.cdf(self.max))

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) in min..max at the ranks `u` (n,) in [0, 1): whole ppf at cdf(min)..cdf(max)."""
        low, high = self._ranks()
        return np.clip(stats.beta(self.a, self.b).ppf(low + u * (high - low)), self.min, self.max)

    def cdf(self, x: Floats) -> Floats:
        """Return the probability (n,) of a value of at most `x` (n,)."""
        low, high = self._ranks()
        return np.clip((stats.beta(self.a, self.b).cdf(x) - low) / (high - low), 0.0, 1.0)
