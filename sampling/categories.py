"""Give the distributions of a few values: 0 or 1, one of several texts, one value alone."""

from itertools import accumulate
from typing import Annotated, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from sampling.errors import SamplingError
from sampling.marginals import Floats, Marginal, Numeric, Values, floats

Odds = Annotated[float, Field(ge=0)]


class Bernoulli(Numeric):
    """One with probability p, otherwise zero."""

    distribution: Literal["bernoulli"]
    p: float = Field(ge=0, le=1)

    def ppf(self, u: Floats) -> Floats:
        """Return 0.0 where `u` (n,) in [0, 1) is below 1-p, else 1.0."""
        return np.where(u < 1 - self.p, 0.0, 1.0)

    def cdf(self, x: Floats) -> Floats:
        """Return the probability (n,) of a value of at most `x` (n,)."""
        return np.where(x < 0, 0.0, np.where(x < 1, 1 - self.p, 1.0))

    def levels(self, number: int, low: float, high: float) -> Floats:
        """Return a rank in the middle of 0 and one in the middle of 1, where these have any odds."""
        return middles([1 - self.p, self.p])


class Choice(Marginal):
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

    def levels(self, number: int, low: float, high: float) -> Floats:
        """Return a rank in the middle of each text that has any odds."""
        return middles(list(self.odds.values()))


class Fixed(Marginal):
    """One value, number or text, at every rank."""

    distribution: Literal["fixed"]
    value: float | str

    @property
    def is_text(self) -> bool:
        """True where the value is a text."""
        return isinstance(self.value, str)

    def levels(self, number: int, low: float, high: float) -> Floats:
        """Return one rank."""
        return np.array([0.5])

    def ppf(self, u: Floats) -> Values:
        """Return the value once for every rank of `u` (n,)."""
        if isinstance(self.value, str):
            return np.full(u.shape, self.value, dtype=np.object_)
        return np.full(u.shape, self.value, dtype=np.float64)


def middles(odds: list[float]) -> Floats:
    """Return the rank in the middle of each category that has any odds, in their order."""
    upper = np.array(list(accumulate(odds)))
    share = np.array(odds)
    return floats(((upper - share / 2) / upper[-1])[share > 0])
