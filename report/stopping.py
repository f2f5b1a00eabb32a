"""Look at an estimate as draws come in: its interval at numbers of draws fixed beforehand, and how many it still needs.

Whoever looks several times and stops at the first interval that is narrow enough, stops too soon by chance. So the
looks share the error between them (Bonferroni): with K looks each takes the confidence 1 - (1 - c) / K. All K intervals
then hold the truth together with probability c, whichever look is the last, and whatever the looks have in common. The
numbers of draws are fixed before the first look (doubled each time), so that K is known and no value moves them.

Fixed-width stopping without it holds c only as the width goes to zero (Chow and Robbins 1965, Annals of Mathematical
Statistics 36(2); Glynn and Whitt 1992, Annals of Applied Probability 2(1)), and never with a fixed number of replicates,
whose spread stays as uncertain as it was.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import stats

from report.intervals import (
    Interval,
    Sample,
    cvar_interval,
    mean_interval,
    probability_interval,
    quantile_interval,
)

Kind = Literal["mean", "quantile", "probability", "cvar"]
RATES: Final = (
    0.5,
    1.5,
)  # of randomised quasi-Monte Carlo: from that of independent draws to the best of smooth outcomes
INDEPENDENT_RATE: Final = 0.5


@dataclass(frozen=True)
class Statistic:
    """What is estimated: ``number`` is the level of a quantile or CVaR, or the threshold of a probability."""

    kind: Kind = "mean"
    number: float = 0.0

    def interval(self, sample: Sample, confidence: float) -> Interval:
        """Return the estimate with its interval, by the method that fits the design."""
        if self.kind == "mean":
            return mean_interval(sample, confidence)
        if self.kind == "quantile":
            return quantile_interval(sample, self.number, confidence)
        if self.kind == "cvar":
            return cvar_interval(sample, self.number, confidence)
        return probability_interval(sample, self.number, confidence)


@dataclass(frozen=True)
class Look:
    """An estimate at one number of draws.

    Parameters
    ----------
    draws : int
        Draws of the design so far.
    values : int
        Finished ones among those that the estimate may rest on.
    lacking : int
        The others: failed, or without a value.
    interval : Interval
        At the confidence that one look has.
    """

    draws: int
    values: int
    lacking: int
    interval: Interval

    @property
    def half_width(self) -> float:
        """The longer side of the interval; NaN where it has no such side."""
        sides = self.interval.estimate - self.interval.low, self.interval.high - self.interval.estimate
        return float(np.maximum(*sides))  # not max(), which may pass over a NaN

    def holds(self, half_width: float) -> bool:
        """Return whether the interval reaches at most so far from the estimate."""
        return self.half_width <= half_width


def stages(draws: int, cap: int, to_cap: bool) -> tuple[int, ...]:
    """Return the numbers of draws at which one looks: doubled from `draws` on, none above `cap`.

    Doubling keeps the powers of two of Sobol points and costs little elsewhere: smaller steps would overshoot less, but
    take more looks and so wider intervals.

    Parameters
    ----------
    to_cap : bool
        Whether a last step leads to `cap` itself.
    """
    found = [draws]
    while found[-1] * 2 <= cap:
        found.append(found[-1] * 2)
    return (*found, cap) if to_cap and found[-1] < cap else tuple(found)


def confidence_of_look(confidence: float, looks: int) -> float:
    """Return the confidence that each of so many looks takes for all of them to have `confidence` together."""
    return 1 - (1 - confidence) / looks


def look(statistic: Statistic, sample: Sample, draws: int, confidence: float) -> Look:
    """Estimate from the values of so many draws of the design, at the confidence of one look."""
    values = int((~np.isnan(sample.values)).sum())
    return Look(draws, values, len(sample.values) - values, statistic.interval(sample, confidence))


def draws_needed(looks: Sequence[Look], half_width: float, independent: bool) -> float:
    """Return about how many draws would make the interval so narrow; NaN where no look tells.

    Half widths fall with the number of draws to the power of -1/2 where draws are independent; elsewhere as they were
    seen to fall from look to look (least squares of the logarithms), within `RATES`.
    """
    known = [(each.draws, each.half_width) for each in looks if each.half_width > 0 and math.isfinite(each.half_width)]
    if not known:
        return float("nan")
    rate = INDEPENDENT_RATE
    if not independent and len(known) > 2:
        draws, widths = np.log(np.array(known, dtype=np.float64)).T
        rate = float(np.clip(-stats.linregress(draws, widths).slope, *RATES))
    last, width = known[-1]
    return float(last * (width / half_width) ** (1 / rate))
