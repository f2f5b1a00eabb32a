"""Test estimates against worked examples, and intervals for what they promise: the truth in 95 of 100 samples."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from scipy.stats import qmc

from report import estimators
from report.estimators import equal_weights
from report.intervals import (
    Interval,
    Sample,
    cvar_interval,
    largest,
    mean_interval,
    probability_interval,
    quantile_interval,
    share_interval,
)

REPETITIONS = 1000
GAMMA = stats.gamma(3)  # the sum of three exponentials
EDGE = float(GAMMA.ppf(0.9))
TAIL = 10 * integrate.quad(lambda x: x * GAMMA.pdf(x), EDGE, np.inf)[0]
TRUTHS: dict[str, tuple[Callable[[Sample], Interval], float]] = {
    "mean": (mean_interval, 3.0),
    "median": (partial(quantile_interval, level=0.5), float(GAMMA.ppf(0.5))),
    "quantile": (partial(quantile_interval, level=0.9), EDGE),
    "probability": (partial(probability_interval, threshold=4.0), float(GAMMA.sf(4.0))),
    "cvar": (partial(cvar_interval, level=0.9), TAIL),
}


def covered(
    samples: list[Sample], truths: dict[str, tuple[Callable[[Sample], Interval], float]] = TRUTHS
) -> dict[str, float]:
    """Return how often the intervals of samples hold the truth."""
    return {
        name: float(np.mean([(one := of(sample)).low <= truth <= one.high for sample in samples]))
        for name, (of, truth) in truths.items()
    }


def plain(values: np.ndarray, design: str = "monte_carlo", replicates: int = 1, **more: np.ndarray) -> Sample:
    return Sample(np.asarray(values, dtype=np.float64), design, np.arange(len(values)) % replicates, **more)


def test_cvar_of_the_worked_example() -> None:
    costs = np.array([40.0, 10, 30, 20])
    weights = equal_weights(4)
    assert estimators.mean(costs, weights) == 25
    assert estimators.quantile(costs, weights, 0.6) == 30
    assert estimators.cvar(costs, weights, 0.6) == pytest.approx(36.25)
    assert -estimators.cvar(-costs, weights, 0.6) == pytest.approx(13.75)  # of gains
    assert -estimators.quantile(-costs, weights, 0.6) == 20


def test_regret_and_share_of_best() -> None:
    costs = -np.array([[-4.0, -2, 3], [4, 3, 2], [12, 8, 1]])  # returns of stocks, bonds, money market by state
    regret = estimators.regret(costs)
    np.testing.assert_array_equal(regret, [[7, 5, 0], [0, 1, 2], [0, 4, 11]])
    assert [float(column.max()) for column in regret.T] == [7, 5, 11]
    assert estimators.is_best(costs, 0).tolist() == [0, 1, 1]
    assert estimators.is_best(np.array([[1.0, 1.0, 2.0]]), 1).tolist() == [0.5]
    assert [largest(plain(column)).estimate for column in regret.T] == [7, 5, 11]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(1, 4)), min_size=1, max_size=12), st.floats(0.01, 0.99))
def test_a_weight_counts_like_repeated_draws(draws: list[tuple[float, int]], level: float) -> None:
    values, counts = (np.array(column) for column in zip(*draws, strict=True))
    repeated = np.repeat(values, counts)
    weights = counts / counts.sum()
    for estimate in (
        estimators.mean,
        partial(estimators.quantile, level=level),
        partial(estimators.cvar, level=level),
        partial(estimators.probability_above, threshold=0.0),
    ):
        expected = estimate(repeated, equal_weights(len(repeated)))
        assert estimate(values, weights) == pytest.approx(expected, rel=1e-9, abs=1e-6)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    draws=st.lists(st.tuples(st.floats(-100, 100), st.integers(0, 9)), min_size=2, max_size=12),
    levels=st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted),
)
def test_a_linear_quantile_is_numpys_with_equal_weights_and_a_quantile_with_any(
    draws: list[tuple[float, int]], levels: list[float]
) -> None:
    values, weights = (np.array(each, dtype=np.float64) for each in zip(*draws, strict=True))
    of = estimators.linear_quantile
    assert of(values, np.full(len(values), 0.3), levels[0]) == np.quantile(values, levels[0])
    if not weights.any():
        return
    low, high = (of(values, weights, level) for level in levels)
    there = values[weights > 0]
    assert there.min() <= low <= high <= there.max()
    assert of(values, 7 * weights, levels[0]) == pytest.approx(low, abs=1e-9)
    assert of(there, weights[weights > 0], levels[0]) == low  # what weighs nothing counts for nothing
    assert of(-values, weights, 1 - levels[0]) == pytest.approx(-low, abs=1e-6)
    assert (of(values, weights, 0.0), of(values, weights, 1.0)) == (there.min(), there.max())


def test_a_linear_quantile_by_hand() -> None:
    values, weights = np.array([30.0, 10.0, 20.0]), np.array([1.0, 2.0, 1.0])
    # 10 and 20 stand 1.5 apart, 20 and 30 stand 1 apart: half the way of 2.5 is 1.25
    assert estimators.linear_quantile(values, weights, 0.5) == pytest.approx(10 + 10 * 1.25 / 1.5)


def test_replicates_that_agree_leave_an_interval_as_of_independent_draws() -> None:
    values = np.tile([1.0, 1.0, 0.0, 0.0], 4)  # three of eight above in both replicates would do as well
    found = share_interval(plain(values, "sobol", 2))
    wilson = stats.binomtest(8, 16).proportion_ci(0.95, method="wilson")
    assert (found.low, found.high) == (pytest.approx(wilson.low), pytest.approx(wilson.high))
    assert found.how == "replicates agree: as if draws were independent"


def test_a_tail_needs_draws_in_it() -> None:
    values = np.random.default_rng(2).exponential(size=600)
    assert not np.isnan(cvar_interval(plain(values[:500]), 0.9).high)
    few = cvar_interval(plain(values[:480]), 0.9)
    assert np.isnan(few.low)
    assert few.how == "no interval: fewer than 50 draws beyond the quantile"
    assert few.estimate == estimators.cvar(values[:480], equal_weights(480), 0.9)


def test_cvar_lies_between_the_quantile_and_the_largest() -> None:
    values = np.random.default_rng(1).gamma(3, size=500)
    for level in (0.1, 0.5, 0.9, 0.999):
        tail = estimators.cvar(values, equal_weights(500), level)
        assert estimators.quantile(values, equal_weights(500), level) <= tail <= values.max()


# coverage


def test_coverage_of_independent_draws() -> None:
    rng = np.random.default_rng(11)
    samples = [plain(rng.gamma(3, size=800)) for _ in range(REPETITIONS)]
    for name, share in covered(samples).items():
        assert 0.93 <= share <= 0.97, (name, share)


def test_coverage_of_a_share_that_is_small() -> None:
    rng = np.random.default_rng(12)
    samples = [plain((rng.random(60) < 0.1).astype(float)) for _ in range(REPETITIONS)]
    assert 0.93 <= covered(samples, {"share": (share_interval, 0.1)})["share"] <= 0.97


def test_coverage_of_replicated_latin_hypercubes() -> None:
    rng = np.random.default_rng(13)
    samples = []
    for _ in range(REPETITIONS):
        slices = np.argsort(rng.random((8, 3, 64)), axis=2)
        points = (slices + rng.random(slices.shape)) / 64
        samples.append(plain(-np.log1p(-points).sum(axis=1).T.reshape(-1), "lhs", 8))
    for name, share in covered(samples).items():
        assert 0.93 <= share <= 0.97, (name, share)


def test_coverage_of_replicated_sobol_points() -> None:
    rng = np.random.default_rng(14)
    scrambles = np.stack([qmc.Sobol(3, rng=rng).random_base2(6) for _ in range(2500)])
    sums = -np.log1p(-scrambles).sum(axis=2)
    weight = np.array([1.0, 2.0, 5.0])
    product = ((np.abs(4 * scrambles - 2) + weight) / (1 + weight)).prod(axis=2)  # its mean is 1
    chosen = [rng.choice(2500, 10, replace=False) for _ in range(REPETITIONS)]
    samples = [plain(sums[places].T.reshape(-1), "sobol", 10) for places in chosen]
    truths = {name: TRUTHS[name] for name in ("quantile", "probability", "cvar")}
    found = covered(samples, truths)
    even = [plain(product[places].T.reshape(-1), "sobol", 10) for places in chosen]
    found |= covered(even, {"mean": (mean_interval, 1.0)})
    for name, share in found.items():
        assert 0.93 <= share <= 0.97, (name, share)
    # The point of it: far narrower than independent draws would allow.
    as_if = plain(even[0].values)
    assert mean_interval(even[0]).high - 1 < 0.2 * (mean_interval(as_if).high - mean_interval(as_if).estimate)


def test_coverage_of_weighted_draws() -> None:
    # Drawn from a standard normal, weighted to one of mean 0.4.
    rng = np.random.default_rng(15)
    truths = {
        "mean": (mean_interval, 0.4),
        "median": (partial(quantile_interval, level=0.5), 0.4),
        "probability": (partial(probability_interval, threshold=1.0), float(stats.norm.sf(0.6))),
    }
    samples = []
    for _ in range(REPETITIONS):
        x = rng.standard_normal(500)
        samples.append(plain(x, weights=np.exp(0.4 * x)))
    for name, share in covered(samples, truths).items():
        assert 0.93 <= share <= 0.97, (name, share)


def test_coverage_of_draws_that_share_points() -> None:
    rng = np.random.default_rng(16)
    truths = {"mean": (mean_interval, 1.5), "probability": (partial(probability_interval, threshold=2.0), None)}
    truths["probability"] = (truths["probability"][0], (np.exp(-2.0) + np.exp(-1.0)) / 2)
    samples, apart = [], []
    for _ in range(REPETITIONS):
        x = np.repeat(rng.exponential(size=300), 2) * np.tile([1.0, 2.0], 300)  # two scenarios of each point
        samples.append(plain(x, point=np.arange(600) // 2))
        apart.append(plain(x))
    for name, share in covered(samples, truths).items():
        assert 0.93 <= share <= 0.97, (name, share)
    assert covered(apart, truths)["mean"] < 0.93  # as if they were independent


def test_one_latin_hypercube_is_conservative() -> None:
    rng = np.random.default_rng(17)
    samples = [plain(-np.log1p(-qmc.LatinHypercube(3, rng=rng).random(256)).sum(axis=1), "lhs") for _ in range(300)]
    assert all(share > 0.97 for name, share in covered(samples).items() if name != "cvar")  # 26 draws bound no tail
    assert mean_interval(samples[0]).how == "as if draws were independent: conservative for one Latin hypercube"


# which method, and what has none


@pytest.mark.parametrize(
    ("design", "replicates", "how"),
    [
        ("monte_carlo", 1, "independent draws"),
        ("monte_carlo", 4, "independent draws"),
        ("sobol", 4, "spread of 4 independent replicates"),
        ("halton", 4, "spread of 4 independent replicates"),
        ("lhs", 4, "spread of 4 independent replicates"),
        ("lhs", 1, "as if draws were independent: conservative for one Latin hypercube"),
        ("sobol", 1, "no interval: one randomisation of sobol points"),
        ("halton", 1, "no interval: one randomisation of halton points"),
        ("factorial", 1, "no interval: factorial is no sample of futures"),
        ("saltelli", 1, "no interval: saltelli is no sample of futures"),
        ("file", 1, "no interval: file is no sample of futures"),
    ],
)
def test_the_design_decides_the_method(design: str, replicates: int, how: str) -> None:
    sample = plain(np.random.default_rng(1).random(640), design, replicates)
    for of, _ in TRUTHS.values():
        interval = of(sample)
        assert interval.how == how
        assert np.isnan(interval.low) == np.isnan(interval.high) == how.startswith("no interval")
        assert not np.isnan(interval.estimate)


def test_student_and_wilson_by_hand() -> None:
    values = np.array([3.0, 5, 1, 4, 9])
    interval = mean_interval(plain(values))
    reference = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (interval.low, interval.high) == (pytest.approx(reference.low), pytest.approx(reference.high))
    wilson = stats.binomtest(2, 5).proportion_ci(0.95, method="wilson")
    share = probability_interval(plain(values), 4.0)
    assert (share.estimate, share.low, share.high) == (0.4, pytest.approx(wilson.low), pytest.approx(wilson.high))
    replicated = mean_interval(plain(np.array([1.0, 4, 3, 8]), "sobol", 2))  # means 2 and 6
    half = stats.t.ppf(0.975, 1) * np.sqrt(8 / 2)
    assert (replicated.low, replicated.high) == (pytest.approx(4 - half), pytest.approx(4 + half))


def test_order_statistics_are_those_of_the_binomial_law() -> None:
    values = np.arange(1.0, 101)
    interval = quantile_interval(plain(values), 0.5)
    assert (interval.low, interval.high) == (40, 61)  # P(40 <= B <= 60), B binomial(100, 1/2), is 0.9648
    assert np.isnan(quantile_interval(plain(np.arange(10.0)), 0.95).high)  # ten draws say nothing above


def test_missing_draws() -> None:
    values = np.array([1.0, np.nan, 3.0, 5.0])
    assert mean_interval(plain(values)).estimate == 3
    assert mean_interval(plain(values)).low == mean_interval(plain(np.array([1.0, 3, 5]))).low
    lost = mean_interval(Sample(values, "sobol", np.array([0, 1, 0, 0])))
    assert (lost.estimate, lost.how) == (3, "no interval: a replicate without a finished draw")
    assert np.isnan(lost.low)
    none = plain(np.full(3, np.nan))
    for of in (*(of for of, _ in TRUTHS.values()), largest):
        assert np.isnan(of(none).estimate)
        assert of(none).how.startswith("no interval: ")
    assert np.isnan(mean_interval(plain(np.array([2.0]))).low)


def test_the_largest_value_is_open_to_above() -> None:
    interval = largest(plain(np.arange(59.0)))
    assert (interval.estimate, interval.low, np.isnan(interval.high)) == (58, 58, True)
    assert "at 95% confidence at least 95.05% of futures are below" in interval.how  # 59 draws: Wilks' well-known case
    assert "%" not in largest(plain(np.arange(64.0), "sobol", 4)).how
