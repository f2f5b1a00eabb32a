"""Define the distribution of one uncertain parameter and its inverse, from a uniform rank to a value.

The class is chosen by the key ``distribution``. Every quantile function ``ppf`` takes ranks u of shape (n,) in [0, 1)
and returns n values, float64 or (for texts) object. It works element by element, so that a value depends on its own
rank alone. A range may be any range: what is physically possible is for the model to say.
"""

from itertools import accumulate
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
Odds = Annotated[float, Field(ge=0)]

LEAST_MASS = 1e-6
"""Least share of the whole distribution that a truncation may keep: below it the ranks run out of digits."""


class _Marginal(Spec):
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

    def _parameters(self) -> dict[str, float | str]:
        own = [name for name in type(self).model_fields if name not in _Marginal.model_fields]
        return {name: getattr(self, name) for name in own}

    def describe(self) -> str:
        """Return the distribution as text, e.g. ``triangular(min=5, mode=13, max=18)``."""
        parameters = self._parameters() | {f"corr_{name}": rho for name, rho in self.correlation.items()}
        inside = ", ".join(f"{name}={str(value).removesuffix('.0')}" for name, value in parameters.items())
        return f"{self.distribution}({inside})"


def _require_range(low: float, high: float) -> None:
    if not low < high:
        raise SamplingError("min", low, f"a number below max={high:g}")


def _require_mass(low: float, high: float, mass: float) -> None:
    if mass < LEAST_MASS:
        raise SamplingError("min", low, f"min..max={high:g} to hold at least {LEAST_MASS:g} of the whole distribution")


class Triangular(_Marginal):
    """Triangular on min..max with its peak at mode, which may lie on either end."""

    distribution: Literal["triangular"]
    min: float
    mode: float
    max: float

    @model_validator(mode="after")
    def _check(self) -> Self:
        _require_range(self.min, self.max)
        if not self.min <= self.mode <= self.max:
            raise SamplingError("mode", self.mode, f"a number from min={self.min:g} to max={self.max:g}")
        return self

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) in min..max at the ranks `u` (n,) in [0, 1)."""
        width = self.max - self.min
        values = stats.triang(c=(self.mode - self.min) / width, loc=self.min, scale=width).ppf(u)
        return np.clip(values, self.min, self.max)


class Uniform(_Marginal):
    """Uniform on min..max."""

    distribution: Literal["uniform"]
    min: float
    max: float

    @model_validator(mode="after")
    def _check(self) -> Self:
        _require_range(self.min, self.max)
        return self

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) in min..max at the ranks `u` (n,) in [0, 1)."""
        return np.clip(stats.uniform(loc=self.min, scale=self.max - self.min).ppf(u), self.min, self.max)


class LognormalTruncated(_Marginal):
    """Lognormal conditioned on min..max; median and sigma (of the logarithm) are those of the whole lognormal."""

    distribution: Literal["lognormal_truncated"]
    median: float = Field(gt=0)
    sigma: float = Field(gt=0)
    min: float
    max: float

    @model_validator(mode="after")
    def _check(self) -> Self:
        _require_range(self.min, self.max)
        low, high = self._ranks()
        _require_mass(self.min, self.max, high - low)
        return self

    def _ranks(self) -> tuple[float, float]:
        whole = stats.lognorm(s=self.sigma, scale=self.median)
        return float(whole.cdf(self.min)), float(whole.cdf(self.max))

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) in min..max at the ranks `u` (n,) in [0, 1): whole ppf at cdf(min)..cdf(max)."""
        low, high = self._ranks()
        values = stats.lognorm(s=self.sigma, scale=self.median).ppf(low + u * (high - low))
        return np.clip(values, self.min, self.max)


class Beta(_Marginal):
    """Beta with shapes a and b on 0..1."""

    distribution: Literal["beta"]
    a: float = Field(gt=0)
    b: float = Field(gt=0)

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) in 0..1 at the ranks `u` (n,) in [0, 1)."""
        return np.asarray(stats.beta(self.a, self.b).ppf(u), dtype=np.float64)


class BetaTruncated(_Marginal):
    """Beta with shapes a and b on 0..1, conditioned on min..max."""

    distribution: Literal["beta_truncated"]
    a: float = Field(gt=0)
    b: float = Field(gt=0)
    min: float = Field(ge=0, le=1)
    max: float = Field(ge=0, le=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        _require_range(self.min, self.max)
        low, high = self._ranks()
        _require_mass(self.min, self.max, high - low)
        return self

    def _ranks(self) -> tuple[float, float]:
        whole = stats.beta(self.a, self.b)
        return float(whole.cdf(self.min)), float(whole.cdf(self.max))

    def ppf(self, u: Floats) -> Floats:
        """Return the values (n,) in min..max at the ranks `u` (n,) in [0, 1): whole ppf at cdf(min)..cdf(max)."""
        low, high = self._ranks()
        return np.clip(stats.beta(self.a, self.b).ppf(low + u * (high - low)), self.min, self.max)


class Bernoulli(_Marginal):
    """One with probability p, otherwise zero."""

    distribution: Literal["bernoulli"]
    p: float = Field(ge=0, le=1)

    def ppf(self, u: Floats) -> Floats:
        """Return 0.0 where `u` (n,) in [0, 1) is below 1-p, else 1.0."""
        return np.where(u < 1 - self.p, 0.0, 1.0)


class Choice(_Marginal):
    """One of several texts; ``odds`` gives the probability of each, summing to 1 within 1e-9."""

    distribution: Literal["choice"]
    odds: dict[str, Odds] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        total = sum(self.odds.values())
        if abs(total - 1) > 1e-9:
            raise SamplingError("odds", self.odds, f"odds that sum to 1, not to {total:.12g}")
        return self

    @property
    def is_text(self) -> bool:
        """True: the values are texts."""
        return True

    def _parameters(self) -> dict[str, float | str]:
        return dict(self.odds)

    def ppf(self, u: Floats) -> NDArray[np.object_]:
        """Return the texts (n,) at the ranks `u` (n,) in [0, 1); the odds fill 0..1 in the order given."""
        upper = np.array(list(accumulate(self.odds.values())))
        # Divided by the sum, the last bound is 1 exactly: no rank lies above it, none meets a text of odds 0.
        index = np.searchsorted(upper / upper[-1], u, side="right")
        return np.array(list(self.odds), dtype=np.object_)[index]


class Fixed(_Marginal):
    """One value, number or text, at every rank."""

    distribution: Literal["fixed"]
    value: float | str

    @property
    def is_text(self) -> bool:
        """True where the value is a text."""
        return isinstance(self.value, str)

    def ppf(self, u: Floats) -> Values:
        """Return the value once for every rank of `u` (n,)."""
        if isinstance(self.value, str):
            return np.full(u.shape, self.value, dtype=np.object_)
        return np.full(u.shape, self.value, dtype=np.float64)


Marginal = Annotated[
    Triangular | Uniform | LognormalTruncated | Beta | BetaTruncated | Bernoulli | Choice | Fixed,
    Field(discriminator="distribution"),
]
"""The distribution of one uncertain parameter; the key ``distribution`` says which."""

DISTRIBUTIONS = (
    "triangular",
    "uniform",
    "lognormal_truncated",
    "beta",
    "beta_truncated",
    "bernoulli",
    "choice",
    "fixed",
)
"""The names that the key ``distribution`` may have."""
