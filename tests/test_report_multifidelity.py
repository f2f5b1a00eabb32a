"""Test corrected estimates against known pairs of models: no bias, honest intervals, the variance that theory leaves."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from scipy.stats import norm, qmc

from report.multifidelity import (
    Pairs,
    best_split,
    corrected_mean,
    corrected_probability,
    corrected_quantile,
    sections,
    variance_left,
)

REPETITIONS = 1000
N, M, RHO = 1600, 80, 0.95


def gaussian(rng: np.random.Generator, n: int = N, m: int = M, rho: float = RHO, design: str = "monte_carlo") -> Pairs:
    """The dear model has mean 10 and sd 2, the cheap one mean 7 and sd 5: another unit, and wrong by far."""
    one, other = rng.standard_normal((2, n))
    full = 10 + 2 * (rho * one + math.sqrt(1 - rho**2) * other)
    return Pairs(7 + 5 * one, full[:m], sections(design, np.zeros(n, dtype=np.int64), m))


def test_means_of_independent_draws_are_unbiased_and_as_certain_as_theory_has_them() -> None:
    rng = np.random.default_rng(31)
    found = [corrected_mean(gaussian(rng)) for _ in range(REPETITIONS)]
    estimates = np.array([each.estimate for each in found])
    expected = 4 * variance_left(RHO, N, M)
    assert abs(estimates.mean() - 10) < 3 * math.sqrt(expected / REPETITIONS)
    assert estimates.var(ddof=1) / expected == pytest.approx(
        1, abs=0.15
    )  # 3 sd of a sample variance, a little lost to the slope
    assert expected < 0.16 * 4 / M  # what the m dear draws alone would leave
    assert 0.93 <= np.mean([each.low <= 10 <= each.high for each in found]) <= 0.97


def test_few_pairs_are_no_reason_for_bias() -> None:
    """The dear model is no line of the cheap one; the slope from the same six draws would bias, that of the others does not."""
    rng = np.random.default_rng(32)
    estimates, naive = [], []
    for _ in range(8_000):
        cheap = rng.exponential(size=24)
        full = cheap[:6] ** 2
        estimates.append(corrected_mean(Pairs(cheap, full, np.arange(24) % 3)).estimate)
        naive.append(full.mean() + np.polyfit(cheap[:6], full, 1)[0] * (cheap.mean() - cheap[:6].mean()))
    error = 3 * np.std(estimates) / math.sqrt(len(estimates))
    assert abs(np.mean(estimates) - 2) < error
    assert abs(np.mean(naive) - 2) > error


@pytest.mark.parametrize("threshold", [10.0, 12.5])
def test_probabilities_of_independent_draws(threshold: float) -> None:
    rng = np.random.default_rng(33)
    truth = float(norm.sf((threshold - 10) / 2))
    samples = [gaussian(rng, m=200) for _ in range(REPETITIONS)]
    found = [corrected_probability(each, threshold) for each in samples]
    estimates = np.array([each.estimate for each in found])
    assert abs(estimates.mean() - truth) < 3 * estimates.std() / math.sqrt(REPETITIONS)
    assert estimates.var() < 0.6 * truth * (1 - truth) / 200
    assert 0.93 <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.97


def test_quantiles_of_independent_draws() -> None:
    rng = np.random.default_rng(34)
    truth = float(norm.ppf(0.2, 10, 2))
    samples = [gaussian(rng, n=600, m=100) for _ in range(600)]
    found = [corrected_quantile(each, 0.2) for each in samples]
    plain = np.array([np.quantile(each.full, 0.2) for each in samples])
    assert 0.93 <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.97
    assert np.mean([(each.estimate - truth) ** 2 for each in found]) < 0.7 * np.mean((plain - truth) ** 2)


def test_means_of_replicated_sobol_points() -> None:
    """Pointwise slopes, intervals from the replicates; the pairs are the first points of each replicate."""
    rng = np.random.default_rng(35)
    pool = np.stack([qmc.Sobol(3, rng=rng).random_base2(6) for _ in range(1500)])
    cheap = np.exp(pool[..., 0]) + pool[..., 1]
    full = cheap + 0.3 * (pool[..., 2] - 0.5) ** 2 + 0.2 * pool[..., 0]
    truth = math.e - 1 + 0.5 + 0.3 / 12 + 0.1
    found = []
    for _ in range(REPETITIONS):
        chosen = rng.choice(1500, 10, replace=False)
        replicate = np.arange(640) % 10
        of = sections("sobol", replicate, 80)
        found.append(corrected_mean(Pairs(cheap[chosen].T.reshape(-1), full[chosen, :8].T.reshape(-1), of)))
    assert 0.93 <= np.mean([each.low <= truth <= each.high for each in found]) <= 0.97


def test_means_of_one_of_several_scenarios() -> None:
    """Every point stands under two scenarios, of which one is asked for: its draws are independent of each other."""
    rng = np.random.default_rng(36)
    held = []
    for _ in range(REPETITIONS):
        point = np.repeat(rng.standard_normal(300), 2)
        world = np.tile([0.0, 3.0], 300)
        cheap = point * (1 + world) + world
        full = cheap + 0.4 * np.repeat(rng.standard_normal(300), 2) + 1
        chosen = world == 3.0
        few = full[:100][chosen[:100]]
        found = corrected_mean(Pairs(cheap[chosen], few, sections("monte_carlo", np.zeros(300, np.int64), len(few))))
        held.append(found.low <= 4 <= found.high)
    assert 0.93 <= np.mean(held) <= 0.97


def test_too_few_pairs_and_a_tail_of_a_few_have_no_interval() -> None:
    rng = np.random.default_rng(37)
    cheap = rng.standard_normal(200)
    few = corrected_mean(Pairs(cheap, cheap[:6] + 0.1 * rng.standard_normal(6), np.arange(200) % 3))
    assert (few.how, np.isnan(few.low)) == ("no interval: 6 pairs, expected 8 or more", True)
    full = np.zeros(40)
    full[7] = 50.0  # one draw makes all of it
    tail = corrected_mean(Pairs(cheap, full, sections("monte_carlo", np.zeros(200, np.int64), 40)))
    assert np.isnan(tail.low)
    assert np.isfinite(tail.estimate)
    assert "a few pairs make most of it" in tail.how
    assert "Cochran" in tail.how


def test_a_perfect_copy_takes_all_from_the_cheap_model() -> None:
    cheap = np.random.default_rng(36).standard_normal(400)
    pairs = Pairs(cheap, 3 * cheap[:40] + 1, sections("monte_carlo", np.zeros(400, dtype=np.int64), 40))
    assert corrected_mean(pairs).estimate == pytest.approx(3 * cheap.mean() + 1)
    assert pairs.correlation() == pytest.approx(1)
    quantile = corrected_quantile(pairs, 0.5)
    assert quantile.estimate == pytest.approx(3 * np.median(cheap) + 1, abs=0.05)


def test_a_model_that_tells_nothing_is_not_heeded() -> None:
    full = np.random.default_rng(37).standard_normal(40)
    pairs = Pairs(np.ones(400), full, sections("monte_carlo", np.zeros(400, dtype=np.int64), 40))
    assert corrected_mean(pairs).estimate == pytest.approx(full.mean())
    assert math.isnan(pairs.correlation())


def test_missing_values_take_their_pair_along() -> None:
    rng = np.random.default_rng(38)
    pairs = gaussian(rng, n=400, m=40)
    cheap, full = pairs.cheap.copy(), pairs.full.copy()
    cheap[3], full[5], cheap[100] = np.nan, np.nan, np.nan
    lacking = Pairs(cheap, full, pairs.section)
    assert len(lacking.paired()[0]) == 38
    there = [corrected_mean(lacking), corrected_probability(lacking, 10.0)]
    assert all(math.isfinite(each.low) for each in there)
    assert math.isnan(corrected_mean(Pairs(cheap, np.full(40, np.nan), pairs.section)).estimate)


@pytest.mark.parametrize(
    ("design", "replicates", "m", "number"),
    [
        ("monte_carlo", 1, 80, 20),
        ("monte_carlo", 4, 9, 4),
        ("monte_carlo", 1, 3, 0),
        ("sobol", 4, 8, 4),
        ("sobol", 1, 8, 0),
    ],
)
def test_what_is_independent_depends_on_the_design(design: str, replicates: int, m: int, number: int) -> None:
    found = sections(design, np.arange(160) % replicates, m)
    assert (0 if found is None else len(np.unique(found))) == number
    if found is None:
        cheap = np.random.default_rng(1).random(160)
        interval = corrected_mean(Pairs(cheap, cheap[:m] * 2, found))
        assert math.isfinite(interval.estimate)
        assert math.isnan(interval.low)


@given(st.floats(0.3, 0.999), st.floats(2, 100), st.floats(300, 1e5))
def test_no_other_split_of_a_budget_does_better(rho: float, ratio: float, dear_draws: float) -> None:
    budget = dear_draws * ratio
    split = best_split(budget, 1.0, ratio, rho)
    assert split is not None
    assert split.full * ratio + split.cheap <= budget
    least = optimize.minimize_scalar(
        lambda m: variance_left(rho, (budget - m * ratio), m), bounds=(1, budget / (ratio + 1)), method="bounded"
    ).fun
    assert split.variance <= min(least, 1 / int(dear_draws)) * 1.02  # whole draws


def test_split_of_the_worked_example() -> None:
    # w = 16 and 1, rho^2 = 16/17: n / m = sqrt(16 * 16) = 16, so half of the budget each.
    split = best_split(3200.0, 1.0, 16.0, math.sqrt(16 / 17))
    assert split is not None
    assert (split.full, split.cheap) == (100, 1600)
    assert split.variance == pytest.approx((1 / 17) / 100 + (16 / 17) / 1600)
    assert best_split(3200.0, 15.0, 16.0, 0.3) == best_split(3200.0, 1.0, 16.0, 0.0)  # the dear model alone
    assert best_split(20.0, 1.0, 16.0, 0.9) is None


def test_quantile_and_probability_agree() -> None:
    pairs = gaussian(np.random.default_rng(39), n=800, m=100)
    at = corrected_quantile(pairs, 0.7).estimate
    assert 1 - corrected_probability(pairs, at).estimate == pytest.approx(0.7, abs=0.02)
    levels = [corrected_quantile(pairs, level).estimate for level in (0.1, 0.5, 0.9)]
    assert levels == sorted(levels)
