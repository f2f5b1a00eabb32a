"""Test looks at an estimate: their numbers of draws, what a rule takes for known, and how often that holds the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import qmc

from report.intervals import Interval, Sample
from report.stopping import Look, Statistic, confidence_of_look, draws_needed, look, stages

REPETITIONS = 1000
MEAN = Statistic()


def sample(values: np.ndarray, design: str = "monte_carlo", replicates: int = 1) -> Sample:
    return Sample(values, design, np.arange(len(values)) % replicates)


def of_width(draws: int, half_width: float) -> Look:
    return Look(draws, draws, 0, Interval(0.0, -half_width, half_width, ""))


@given(st.integers(1, 500), st.integers(0, 100_000), st.booleans())
def test_stages_double_and_end_at_the_cap(draws: int, further: int, to_cap: bool) -> None:
    cap = draws + further
    found = stages(draws, cap, to_cap)
    assert found[0] == draws
    assert list(found) == sorted(set(found))
    assert all(each == draws * 2**power for power, each in enumerate(found[:-1]))
    assert found[-1] == cap if to_cap else cap / 2 < found[-1] <= cap


def test_looks_share_the_error() -> None:
    assert confidence_of_look(0.95, 1) == 0.95
    assert confidence_of_look(0.95, 5) == pytest.approx(0.99)


def stopped(
    values: np.ndarray, steps: tuple[int, ...], width: float, confidence: float, design: str, replicates: int
) -> Look:
    """The first look that is narrow enough, or the last."""
    for draws in steps:
        found = look(MEAN, sample(values[:draws], design, replicates), draws, confidence)
        if found.holds(width):
            break
    return found


def shares_that_hold(
    runs: list[np.ndarray], truth: float, steps: tuple[int, ...], width: float, design: str, replicates: int = 1
) -> tuple[float, float, float]:
    """How often the interval at the end holds the truth, the error shared or not, and mean draws with it shared."""
    held, draws = [], 0.0
    for confidence in (confidence_of_look(0.95, len(steps)), 0.95):
        ends = [stopped(values, steps, width, confidence, design, replicates) for values in runs]
        held.append(float(np.mean([each.interval.low <= truth <= each.interval.high for each in ends])))
        draws = draws or float(np.mean([each.draws for each in ends]))
    return held[0], held[1], draws


def test_coverage_after_stopping_of_independent_draws() -> None:
    rng = np.random.default_rng(21)
    runs = [rng.exponential(size=2048) for _ in range(REPETITIONS)]
    steps = stages(32, 2048, True)
    shared, nominal, draws = shares_that_hold(runs, 1.0, steps, 0.25, "monte_carlo")
    assert steps[0] < draws < steps[-1]
    assert shared >= 0.95
    assert nominal < 0.94


def test_coverage_after_stopping_of_replicated_sobol_points() -> None:
    rng = np.random.default_rng(22)
    pool = -np.log1p(-np.stack([qmc.Sobol(3, rng=rng).random_base2(7) for _ in range(1500)])).sum(axis=2)
    runs = [pool[rng.choice(1500, 8, replace=False)].T.reshape(-1) for _ in range(REPETITIONS)]
    steps = stages(32, 1024, False)
    shared, nominal, draws = shares_that_hold(runs, 3.0, steps, 0.1, "sobol", 8)
    assert steps[0] < draws < steps[-1]
    assert shared >= 0.95
    assert nominal < 0.94  # why the looks share the error


def test_what_is_needed_follows_the_rate() -> None:
    looks = [of_width(64 * 2**k, 8.0 / 2**k) for k in range(4)]  # halved with every doubling: rate 1
    assert draws_needed(looks, 0.5, False) == pytest.approx(1024)
    assert draws_needed(looks, 0.5, True) == pytest.approx(
        512 * 4
    )  # what independent draws allow from the last look on
    assert draws_needed(looks[:2], 2.0, False) == pytest.approx(128 * 4)  # two looks tell no rate
    widening = [of_width(64 * 2**k, 1.0 + k) for k in range(4)]
    assert draws_needed(widening, 2.0, False) == pytest.approx(512 * 4)
    assert math.isnan(draws_needed([of_width(8, math.nan)], 1.0, True))


def test_missing_values_are_counted_apart() -> None:
    values = np.array([1.0, np.nan, 2.0, 3.0])
    found = look(MEAN, sample(values), 4, 0.95)
    assert (found.values, found.lacking, found.interval.estimate) == (3, 1, 2.0)
    nothing = look(MEAN, sample(np.full(4, np.nan)), 4, 0.95)
    assert (nothing.values, nothing.lacking) == (0, 4)
    assert not nothing.holds(1e9)


def test_replicates_that_agree_on_all_or_none_are_no_certainty() -> None:
    found = look(Statistic("probability", 0.0), sample(np.arange(1.0, 65.0), "sobol", 4), 64, 0.95)
    assert found.interval.estimate == 1
    assert 0.05 < found.half_width < 0.1  # Wilson's interval of 64 of 64


def test_the_longer_side_of_an_interval_counts() -> None:
    values = np.random.default_rng(3).exponential(size=500)
    for statistic in (Statistic("quantile", 0.9), Statistic("cvar", 0.9), Statistic("probability", 3.0), MEAN):
        found = look(statistic, sample(values), 500, 0.95)
        sides = found.interval.estimate - found.interval.low, found.interval.high - found.interval.estimate
        assert found.half_width == max(sides) > 0
        assert found.holds(max(sides))
        assert not found.holds(max(sides) * 0.999)
    assert look(Statistic("quantile", 0.9), sample(values), 500, 0.95).interval.estimate == np.quantile(values, 0.9)


@pytest.mark.parametrize("level", [0.02, 0.98])
def test_an_interval_that_is_open_to_one_side_is_not_narrow(level: float) -> None:
    found = look(Statistic("quantile", level), sample(np.arange(60.0)), 60, 0.95)
    assert math.isnan(found.interval.low) != math.isnan(found.interval.high)
    assert not found.holds(1e9)
