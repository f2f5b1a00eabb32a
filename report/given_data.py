"""Estimate from any draws how much each parameter matters: first-order share, delta and PAWN, with intervals.

No special design is needed: draws that lack a value are left out, and the rest is a smaller sample.

Intervals come from half samples without replacement (delete-d jackknife: Shao and Wu 1989, Annals of Statistics 17(3)):
of m out of n draws, the variance of an estimate is ``m / (n - m)`` times its variance over the samples. A bootstrap would
put twins into the sample, from which densities and distances of distributions look stronger than they are.

No estimate of a parameter without influence is exactly zero. So each measure has its `floor`: what 95 of 100 shuffles
of a parameter stay below.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from threadpoolctl import threadpool_limits

from report.factors import Factor, Numbers, is_few

Z: Final = float(stats.norm.ppf(0.975))
FLOOR_SHARE = 0.95
SLICES = 10
LEAST_DRAWS = 40
"""With fewer, nothing can be said."""


@dataclass(frozen=True)
class Measure:
    """A measure of sensitivity that any draws allow.

    Attributes
    ----------
    name, meaning : str
        Short name; what it tells, with its source.
    estimate : callable
        Of the outcome (n,), the parameter (n,), whether that has few values, and the size of the whole sample, by which
        `first_order` chooses its harmonics in half samples too.
    most : int
        Draws it is reckoned from at most, for its run time.
    half : int
        Draws in a half sample at most.
    repeats : int
        Half samples, and shuffles.
    """

    name: str
    meaning: str
    estimate: Callable[[Numbers, Numbers, bool, int], float]
    most: int
    half: int
    repeats: int


@dataclass(frozen=True)
class Estimates:
    """Estimates of some parameters: arrays (parameters,), and the floor and the number of draws of the measure."""

    value: Numbers
    low: Numbers
    high: Numbers
    floor: float
    n: int


def first_order(outcome: Numbers, values: Numbers, few: bool, whole: int) -> float:
    """
    Estimate the first-order Sobol index ``Var(E[Y|X]) / Var(Y)``.

    Many values: RBD-FAST of SALib, bias removed (Tarantola et al. 2006, doi 10.1016/j.ress.2005.06.003; Tissot and Prieur
    2012, doi 10.1016/j.ress.2012.06.010). Few values: the variance between their means, bias removed (epsilon squared:
    Kelley 1935, PNAS 21(9)). Below zero by chance where there is no influence.
    """
    if few:
        _, places = np.unique(values, return_inverse=True)
        counts = np.bincount(places)
        n, groups = len(outcome), len(counts)
        if n <= groups:
            return float("nan")
        means = np.bincount(places, outcome) / counts
        between = float(counts @ (means - outcome.mean()) ** 2) / float(((outcome - outcome.mean()) ** 2).sum())
        return 1 - (1 - between) * (n - 1) / (n - groups)
    from SALib.analyze import rbd_fast

    harmonics = int(np.clip(whole // 25, 4, 10))
    share = rbd_fast.compute_first_order(rbd_fast.permute_outputs(values, outcome), harmonics)
    return float(rbd_fast.unskew_S1(share, harmonics, len(outcome)))


def delta(outcome: Numbers, values: Numbers, few: bool, whole: int) -> float:
    """
    Estimate Borgonovo's delta: half the mean area between the density of Y and that of Y given X, in 0..1.

    SALib's estimator by kernel densities (Plischke, Borgonovo and Smith 2013, doi 10.1016/j.ejor.2012.11.047, whose number of
    classes this follows); the classes of a parameter of few values are these values.
    """
    from SALib.analyze.delta import calc_delta

    n = len(outcome)
    if few:
        edges = np.concatenate([[0], np.cumsum(np.unique(values, return_counts=True)[1])]).astype(np.float64)
    else:
        classes = min(int(np.ceil(n ** (2 / (7 + np.tanh((1500 - n) / 500))))), 48)
        edges = np.linspace(0, n, classes + 1)
    grid = np.linspace(outcome.min(), outcome.max(), 100)
    with warnings.catch_warnings():
        # classes in which the outcome does not vary have no density and are skipped
        warnings.filterwarnings("ignore", r"\d+/\d+ bins skipped", UserWarning)
        return float(calc_delta(outcome, grid, values, edges))


def pawn(outcome: Numbers, values: Numbers, few: bool, whole: int) -> float:
    """
    Estimate PAWN: the median over slices of X of the Kolmogorov-Smirnov distance of Y in the slice to Y, in 0..1.

    Slices hold equally many draws; those of a parameter of few values are these values (Pianosi and Wagener 2018, doi
    10.1016/j.envsoft.2018.07.019). All distances come from one sorting: SALib's function takes a hundred times as long,
    nearly all of it for p-values.
    """
    n = len(outcome)
    if few:
        slices = np.unique(values, return_inverse=True)[1]
    else:
        slices = np.argsort(np.argsort(values, kind="stable"), kind="stable") * SLICES // n
    order = np.argsort(outcome, kind="stable")
    ordered = outcome[order]
    last = np.append(ordered[1:] != ordered[:-1], True)  # a distribution function steps once per value
    inside = slices[order][:, np.newaxis] == np.unique(slices)
    of_slices = np.cumsum(inside, axis=0)[last] / inside.sum(axis=0)
    of_all = (np.arange(1, n + 1) / n)[last]
    return float(np.median(np.abs(of_slices - of_all[:, np.newaxis]).max(axis=0)))


MEASURES: Final = (
    Measure(
        "S1",
        "first-order Sobol index: share of the variance that the parameter drives alone",
        first_order,
        20_000,
        1000,
        50,
    ),
    Measure(
        "delta",
        "how far knowing the parameter moves the whole distribution, 0 to 1 (Borgonovo)",
        delta,
        2000,
        500,
        20,
    ),
    Measure(
        "PAWN",
        "median Kolmogorov-Smirnov distance of the outcome once the parameter is known, 0 to 1",
        pawn,
        10_000,
        1000,
        50,
    ),
)


def estimates(measure: Measure, outcome: Numbers, factors: Sequence[Factor], rng: np.random.Generator) -> Estimates:
    """
    Estimate one measure for every parameter.

    Parameters
    ----------
    measure : Measure
        One of `MEASURES`.
    outcome : ndarray of float64
        Shape (n,), n >= `LEAST_DRAWS`, finite, not constant.
    factors : sequence of Factor
        Each with n values.
    rng : numpy.random.Generator
        Shuffles the draws, so that neither their order nor ties count, and takes the samples.

    Returns
    -------
    Estimates
        95 % intervals, value -+ 1.96 standard errors. NaN where a parameter does not vary within the draws.
    """
    chosen = rng.permutation(len(outcome))[: measure.most]
    y, columns = outcome[chosen], [factor.values[chosen] for factor in factors]
    few = [is_few(Factor(f.name, column, f.labels)) for f, column in zip(factors, columns, strict=True)]
    n, half = len(y), min(len(y) // 2, measure.half)
    samples = [rng.permutation(n)[:half] for _ in range(measure.repeats)]
    # on small matrices the threads of BLAS wait for each other: delta took sixteen times as long on two busy cores
    with threadpool_limits(1, "blas"):
        pairs = [_estimate(measure, y, *column, samples) for column in zip(columns, few, strict=True)]
        shuffled = [measure.estimate(y, rng.permutation(n).astype(np.float64), False, n) for _ in samples]
    value, error = np.array(pairs).T
    return Estimates(value, value - Z * error, value + Z * error, float(np.quantile(shuffled, FLOOR_SHARE)), n)


def _estimate(
    measure: Measure, y: Numbers, column: Numbers, few: bool, samples: Sequence[NDArray[np.int64]]
) -> tuple[float, float]:
    """Return the value and its standard error; NaN where there is none."""
    if np.ptp(column) == 0:
        return float("nan"), float("nan")
    found = np.array([_on(measure, y, column, few, sample) for sample in samples])
    there = found[~np.isnan(found)]
    half = len(samples[0])
    enough = len(there) > len(samples) // 2
    error = float(there.std(ddof=1)) * np.sqrt(half / (len(y) - half)) if enough else float("nan")
    return measure.estimate(y, column, few, len(y)), error


def _on(measure: Measure, y: Numbers, column: Numbers, few: bool, sample: NDArray[np.int64]) -> float:
    part, of_part = y[sample], column[sample]
    if np.ptp(part) == 0 or np.ptp(of_part) == 0:
        return float("nan")
    return measure.estimate(part, of_part, few, len(y))
