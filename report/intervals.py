"""Put an honest confidence interval around an estimate, by a method that fits the design the draws come from.

Monte Carlo draws are independent: Student's t for means, Wilson's interval for probabilities, order statistics for
quantiles, the delta method for CVaR. Points of a randomised design (Sobol, Halton, Latin hypercube) are not independent
of each other, but its R randomisations are: sectioning takes the estimate from all draws and its spread from the R
estimates of one randomisation each (Asmussen and Glynn 2007, Stochastic Simulation, section III.5; Nakayama 2014,
Operations Research 62(1), for quantiles; L'Ecuyer et al. 2023, Winter Simulation Conference, for the plain t interval in
randomised quasi-Monte Carlo). One Latin hypercube alone varies at most n / (n - 1) times as much as Monte Carlo (Owen 1997,
SIAM Journal on Numerical Analysis 34(5)), so that the same formulas are conservative there. Other designs are no samples of the
distributions, and one randomisation of Sobol or Halton points tells nothing of its own error: no interval.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from report import estimators
from report.estimators import Estimator, Floats, equal_weights

CONFIDENCE: Final = 0.95
REPLICATED: Final = ("sobol", "halton", "lhs")
LEAST_TAIL: Final = 50
Method = Literal["independent", "replicates", "conservative", "none"]


@dataclass(frozen=True)
class Sample:
    """Values of finished draws, and what their interval depends on.

    Parameters
    ----------
    values : float64 array (n,)
        One per draw, NaN where missing.
    design : str
        Kind of the design, as in the study file.
    replicate : int array (n,)
        The randomisation that each draw belongs to.
    weights : float64 array (n,), optional
        At least 0, relative to each other; default equal. They count as known: their own uncertainty is not told.
    point : int array (n,), optional
        The point of the design that each draw comes from, where several draws share one (scenarios); default each its
        own.
    """

    values: Floats
    design: str
    replicate: NDArray[np.int64]
    weights: Floats | None = None
    point: NDArray[np.int64] | None = None

    def method(self) -> Method:
        """Return how an interval may be had, by design and number of replicates (2 or more)."""
        if self.design == "monte_carlo":
            return "independent"
        if self.design not in REPLICATED:
            return "none"
        if len(self.replicate) and self.replicate.min() != self.replicate.max():
            return "replicates"
        return "conservative" if self.design == "lhs" else "none"


@dataclass(frozen=True)
class Interval:
    """An estimate with the ends of its interval, NaN where none is honest, and in words how it was had."""

    estimate: float
    low: float
    high: float
    how: str


@dataclass(frozen=True)
class _Kept:
    """The draws that are there, with weights that sum to 1."""

    values: Floats
    weights: Floats
    replicate: NDArray[np.int64]
    point: NDArray[np.int64] | None
    is_weighted: bool


HOW: Final = {
    "independent": "independent draws",
    "replicates": "spread of {r} independent replicates",
    "conservative": "as if draws were independent: conservative for one Latin hypercube",
    "agree": "replicates agree: as if draws were independent",
    "none": "no interval: {why}",
}


def mean_interval(sample: Sample, confidence: float = CONFIDENCE) -> Interval:
    """Return the mean: Student's t over points or replicates."""
    return _interval(sample, estimators.mean, lambda kept, at: kept.values - at, confidence)


def probability_interval(sample: Sample, threshold: float, confidence: float = CONFIDENCE) -> Interval:
    """Return the share of futures above a threshold; independent draws: Wilson 1927, JASA 22(158)."""
    return share_interval(
        _changed(sample, np.where(np.isnan(sample.values), np.nan, sample.values > threshold)), confidence
    )


def share_interval(sample: Sample, confidence: float = CONFIDENCE) -> Interval:
    """Return the mean of values in 0..1, such as of `report.estimators.is_best`; independent draws: Wilson's interval.

    With weights, or several draws of one point: Wilson's for the number of draws that would leave the same standard error
    (Korn and Graubard 1998, Survey Methodology 24(2)). So too where all draws or all replicates agree, which leaves no
    spread and is no certainty: for Kish's effective size, and no more than there are points.
    """
    interval = _interval(sample, estimators.mean, lambda kept, at: kept.values - at, confidence)
    kept, share = _kept(sample), float(np.clip(interval.estimate, 0.0, 1.0))  # weights may sum to a little more
    if np.isnan(interval.low):
        return Interval(share, interval.low, interval.high, interval.how)
    how = interval.how
    if min(share, 1 - share) < 1e-12:
        size = _most(kept)
    elif sample.method() == "replicates":
        if interval.high > interval.low:
            return Interval(share, max(0.0, interval.low), min(1.0, interval.high), how)
        size, how = _most(kept), HOW["agree"]
    else:
        size = float(len(kept.values)) if _is_plain(kept) else _size(kept, kept.values - share, share * (1 - share))
    low, high = _wilson(share, size, confidence)
    return Interval(share, low, high, how)


def quantile_interval(sample: Sample, level: float, confidence: float = CONFIDENCE) -> Interval:
    """Return a quantile; independent draws: between two order statistics by the binomial law (David and Nagaraja 2003).

    With weights, or several draws of one point: the interval of the probability at the estimate, read back through the
    distribution function (Woodruff 1952, JASA 47(260)); by the binomial law of as many draws as would leave the same
    standard error. NaN where an end lies beyond all draws.
    """

    def estimate(values: Floats, weights: Floats) -> float:
        return estimators.linear_quantile(values, weights, level)

    if sample.method() not in ("independent", "conservative"):
        return _interval(sample, estimate, None, confidence)
    kept = _kept(sample)
    if len(kept.values) < 2:
        return _no_interval(kept, estimate, "fewer than two draws")
    at = estimate(kept.values, kept.weights)
    if _is_plain(kept):
        low, high = _order_statistics(kept.values, level, confidence)
    else:
        edge = estimators.quantile(kept.values, kept.weights, level)
        below = np.asarray(kept.values <= edge, dtype=np.float64)
        reached = float(below @ kept.weights)  # more than the level where the quantile is an atom
        size, tail = _size(kept, below, reached * (1 - reached)), (1 - confidence) / 2
        count = max(1, int(size))
        low_level, high_level = (
            float(stats.binom.ppf(p, count, level) + more) / count for p, more in ((tail, 0), (1 - tail, 1))
        )
        low = estimators.quantile(kept.values, kept.weights, low_level) if low_level > 0 else float("nan")
        high = estimators.quantile(kept.values, kept.weights, high_level) if high_level <= 1 else float("nan")
    return Interval(at, float(np.minimum(low, at)), float(np.maximum(high, at)), HOW[sample.method()])


def cvar_interval(sample: Sample, level: float, confidence: float = CONFIDENCE) -> Interval:
    """Return CVaR; independent draws: the delta method, with the spread of (f - VaR)+ / (1 - level).

    Trindade et al. 2007, Journal of Banking and Finance 31(11). Too narrow where few draws lie beyond the quantile: of an
    exponential cost it holds the truth in 90 % of samples with 20 draws there, in 93 % with 50, in 94 % with 200. So with
    fewer than `LEAST_TAIL` there is none.
    """

    def estimate(values: Floats, weights: Floats) -> float:
        return estimators.cvar(values, weights, level)

    def influence(kept: _Kept, at: float) -> Floats:
        edge = estimators.quantile(kept.values, kept.weights, level)
        return np.asarray(edge + np.maximum(kept.values - edge, 0.0) / (1 - level) - at, dtype=np.float64)

    found = _interval(sample, estimate, influence, confidence)
    if np.isnan(found.low) or sample.method() == "replicates" or _most(_kept(sample)) * (1 - level) > LEAST_TAIL - 0.5:
        return found
    return _no_interval(_kept(sample), estimate, f"fewer than {LEAST_TAIL} draws beyond the quantile")


def largest(sample: Sample, confidence: float = CONFIDENCE) -> Interval:
    """Return the largest value, such as the largest regret, which no sample bounds from above.

    The interval is open to above (NaN). Of independent draws it is told which share of futures lies below it at least,
    with the confidence asked for: (1 - confidence) ** (1 / n), Wilks 1941, Annals of Mathematical Statistics 12(1).
    """
    kept = _kept(sample)
    if not len(kept.values):
        return _no_interval(kept, lambda values, weights: float("nan"), "no draw")
    at = float(kept.values.max())
    if sample.method() != "independent" or kept.is_weighted:
        return Interval(at, at, float("nan"), "largest of the draws; no bound above it")
    share = (1 - confidence) ** (1 / _points(kept))
    told = f"largest of the draws; at {confidence:.0%} confidence at least {share:.2%} of futures are below"
    return Interval(at, at, float("nan"), told)


def _interval(
    sample: Sample, estimate: Estimator, influence: Callable[[_Kept, float], Floats] | None, confidence: float
) -> Interval:
    """Return the interval by replicates, else from the influence of each draw on the estimate."""
    kept, method = _kept(sample), sample.method()
    if not len(kept.values):
        return _no_interval(kept, estimate, "no draw")
    if method == "none":
        one = sample.design in REPLICATED
        why = f"one randomisation of {sample.design} points" if one else f"{sample.design} is no sample of futures"
        return _no_interval(kept, estimate, why)
    at = estimate(kept.values, kept.weights)
    if method == "replicates":
        labels = np.flatnonzero(np.bincount(sample.replicate))
        parts = [kept.replicate == label for label in labels]
        if not all(part.any() and kept.weights[part].sum() > 0 for part in parts):
            return _no_interval(kept, estimate, "a replicate without a finished draw")
        each = np.array([estimate(kept.values[p], kept.weights[p] / kept.weights[p].sum()) for p in parts])
        spread = np.sqrt(((each - at) ** 2).sum() / (len(labels) - 1) / len(labels))
        half = _t(len(labels) - 1, confidence) * float(spread)
        return Interval(at, at - half, at + half, HOW[method].format(r=len(labels)))
    if _points(kept) < 2 or influence is None:
        return _no_interval(kept, estimate, "fewer than two draws")
    half = _t(_points(kept) - 1, confidence) * _error(kept, influence(kept, at))
    return Interval(at, at - half, at + half, HOW[method])


def _kept(sample: Sample) -> _Kept:
    there = ~np.isnan(sample.values)
    n = int(there.sum())
    weights = (
        equal_weights(max(n, 1))[:n] if sample.weights is None else sample.weights[there] / sample.weights[there].sum()
    )
    point = None if sample.point is None else sample.point[there]
    return _Kept(sample.values[there], weights, sample.replicate[there], point, sample.weights is not None)


def _changed(sample: Sample, values: Floats) -> Sample:
    return Sample(values.astype(np.float64), sample.design, sample.replicate, sample.weights, sample.point)


def _points(kept: _Kept) -> int:
    return len(kept.values) if kept.point is None else int(np.unique(kept.point).size)


def _most(kept: _Kept) -> float:
    """Return how many independent draws these count as at most: Kish's effective size, and no more than the points."""
    return min(1 / float((kept.weights**2).sum()), float(_points(kept)))


def _is_plain(kept: _Kept) -> bool:
    return not kept.is_weighted and _points(kept) == len(kept.values)


def _error(kept: _Kept, influence: Floats) -> float:
    """Return the standard error of a weighted mean of influences, draws of one point taken together."""
    sums: Floats = kept.weights * (influence - kept.weights @ influence)
    if kept.point is not None:
        group = np.unique(kept.point, return_inverse=True)[1].reshape(-1)
        sums = np.bincount(group, weights=sums).astype(np.float64)
    n = len(sums)
    return float(np.sqrt((sums**2).sum() * n / (n - 1)))


def _size(kept: _Kept, influence: Floats, variance: float) -> float:
    """Return how many independent draws would leave a mean of this variance the standard error that it has."""
    error = _error(kept, influence) if _points(kept) > 1 else 0.0
    return variance / error**2 if error**2 > 1e-12 * variance > 0 else _most(kept)


def _t(freedom: int, confidence: float) -> float:
    return float(stats.t.ppf(0.5 + confidence / 2, freedom))


def _wilson(share: float, n: float, confidence: float) -> tuple[float, float]:
    z = float(stats.norm.ppf(0.5 + confidence / 2))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return max(0.0, centre - half), min(1.0, centre + half)


def _order_statistics(values: Floats, level: float, confidence: float) -> tuple[float, float]:
    """Return two order statistics with the quantile between them at the least such confidence; NaN where n is too small."""
    n, tail = len(values), (1 - confidence) / 2
    # P(X_(k) > q) = P(B <= k - 1), and P(X_(k) < q) at most P(B >= k), B the number of draws at or below q.
    low = int(stats.binom.ppf(tail, n, level))  # the largest k with P(B <= k - 1) <= tail
    high = int(stats.binom.ppf(1 - tail, n, level)) + 1  # the smallest k with P(B >= k) <= tail
    ordered = np.partition(values, [max(low, 1) - 1, min(high, n) - 1])
    return (
        float(ordered[low - 1]) if low >= 1 else float("nan"),
        float(ordered[high - 1]) if high <= n else float("nan"),
    )


def _no_interval(kept: _Kept, estimate: Estimator, why: str) -> Interval:
    at = estimate(kept.values, kept.weights) if len(kept.values) else float("nan")
    return Interval(at, float("nan"), float("nan"), HOW["none"].format(why=why))
