"""Test the quantile functions of the marginals against scipy and known moments, and what they refuse."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from sampling import SamplingError, marginal_from_dict

MIDPOINTS = (np.arange(200_000) + 0.5) / 200_000
"""Ranks of a fine midpoint rule: the mean of ppf over them is the mean of the distribution."""

TRIANGULAR = {"distribution": "triangular", "min": 5, "mode": 13, "max": 18}
UNIFORM = {"distribution": "uniform", "min": -2, "max": 6}
LOGNORMAL = {"distribution": "lognormal_truncated", "median": 8.5, "sigma": 0.25, "min": 5, "max": 13}
BETA = {"distribution": "beta", "a": 3, "b": 2}
BETA_TRUNCATED = {"distribution": "beta_truncated", "a": 2, "b": 6, "min": 0.1, "max": 0.45}
CHOICE = {"distribution": "choice", "odds": {"fy2019": 0.5, "fy2024": 0.3, "fy2031": 0.2}}
KNOWN = (
    "one of triangular, uniform, pert, normal, lognormal, lognormal_truncated, beta, beta_truncated, bernoulli, choice, "
    "empirical, mixture, fixed, or a distribution of scipy.stats"
)
CONTINUOUS = [TRIANGULAR, UNIFORM, LOGNORMAL, BETA, BETA_TRUNCATED]


def moment(density, low, high):
    """Return the mean of a density conditioned on low..high, by quadrature."""
    mass = integrate.quad(density, low, high)[0]
    return integrate.quad(lambda x: x * density(x), low, high)[0] / mass


@pytest.mark.parametrize(
    ("declaration", "mean"),
    [
        (TRIANGULAR, (5 + 13 + 18) / 3),
        (UNIFORM, 2.0),
        (LOGNORMAL, moment(stats.lognorm(s=0.25, scale=8.5).pdf, 5, 13)),
        (BETA, 3 / 5),
        (BETA_TRUNCATED, moment(stats.beta(2, 6).pdf, 0.1, 0.45)),
    ],
)
def test_mean(declaration, mean):
    values = marginal_from_dict("x", declaration).ppf(MIDPOINTS)
    assert values.mean() == pytest.approx(mean, rel=1e-6)


def test_triangular_variance_and_mode_rank():
    marginal = marginal_from_dict("x", TRIANGULAR)
    values = marginal.ppf(MIDPOINTS)
    variance = (5**2 + 13**2 + 18**2 - 5 * 13 - 5 * 18 - 13 * 18) / 18
    assert values.var() == pytest.approx(variance, rel=1e-6)
    assert marginal.ppf(np.array([(13 - 5) / (18 - 5)]))[0] == pytest.approx(13)


@pytest.mark.parametrize("mode", [5, 18])
def test_triangular_mode_may_lie_on_an_end(mode):
    values = marginal_from_dict("x", TRIANGULAR | {"mode": mode}).ppf(MIDPOINTS)
    assert values.mean() == pytest.approx((5 + mode + 18) / 3, rel=1e-6)


@pytest.mark.parametrize(
    ("declaration", "whole"),
    [(LOGNORMAL, stats.lognorm(s=0.25, scale=8.5)), (BETA_TRUNCATED, stats.beta(2, 6))],
)
def test_truncation_conditions_the_whole_distribution(declaration, whole):
    values = marginal_from_dict("x", declaration).ppf(MIDPOINTS)
    low, high = whole.cdf(declaration["min"]), whole.cdf(declaration["max"])
    np.testing.assert_allclose((whole.cdf(values) - low) / (high - low), MIDPOINTS, atol=1e-10)


def test_lognormal_median_is_that_of_the_whole():
    symmetric = LOGNORMAL | {"min": 8.5 / 2, "max": 8.5 * 2}
    assert marginal_from_dict("x", symmetric).ppf(np.array([0.5]))[0] == pytest.approx(8.5)


@pytest.mark.parametrize("declaration", CONTINUOUS)
@given(steps=st.lists(st.integers(0, 2**53 - 1), min_size=2, max_size=20))
def test_values_stay_in_range_and_rise_with_the_rank(declaration, steps):
    u = np.sort(steps) / 2**53  # the ranks that a random generator can give
    values = marginal_from_dict("x", declaration).ppf(u)
    assert values.dtype == np.float64
    assert (values >= declaration.get("min", 0)).all()
    assert (values <= declaration.get("max", 1)).all()
    assert (np.diff(values) >= -1e-12).all()


def test_rank_zero_is_finite():
    for declaration in CONTINUOUS:
        assert np.isfinite(marginal_from_dict("x", declaration).ppf(np.array([0.0]))).all()


def test_bernoulli_is_one_in_the_upper_p():
    marginal = marginal_from_dict("x", {"distribution": "bernoulli", "p": 0.25})
    np.testing.assert_array_equal(marginal.ppf(np.array([0.0, 0.7499, 0.75, 0.9999])), [0.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize(("p", "value"), [(0, 0.0), (1, 1.0)])
def test_bernoulli_of_certain_outcome(p, value):
    marginal = marginal_from_dict("x", {"distribution": "bernoulli", "p": p})
    assert (marginal.ppf(np.append(MIDPOINTS, [0.0, np.nextafter(1.0, 0.0)])) == value).all()


def test_choice_fills_the_ranks_in_the_order_given():
    values = marginal_from_dict("x", CHOICE).ppf(np.array([0.0, 0.49, 0.5, 0.79, 0.81, np.nextafter(1.0, 0.0)]))
    assert values.dtype == np.object_
    assert values.tolist() == ["fy2019", "fy2019", "fy2024", "fy2024", "fy2031", "fy2031"]


def test_choice_never_draws_a_text_of_odds_zero():
    odds = {"a": 0.0, "b": 0.3, "c": 0.7, "d": 0.0}
    marginal = marginal_from_dict("x", {"distribution": "choice", "odds": odds})
    values = marginal.ppf(np.append(MIDPOINTS, [0.0, np.nextafter(1.0, 0.0)]))
    assert set(values) == {"b", "c"}


@pytest.mark.parametrize(("value", "dtype"), [(3, np.float64), ("fy2024", np.object_)])
def test_fixed_is_one_value(value, dtype):
    values = marginal_from_dict("x", {"distribution": "fixed", "value": value}).ppf(MIDPOINTS[:5])
    assert values.dtype == dtype
    assert values.tolist() == [value] * 5


@pytest.mark.parametrize(
    ("declaration", "text"),
    [
        (TRIANGULAR, "triangular(min=5, mode=13, max=18)"),
        (
            LOGNORMAL | {"correlation": {"oil": 0.6}},
            "lognormal_truncated(median=8.5, sigma=0.25, min=5, max=13, corr_oil=0.6)",
        ),
        (CHOICE, "choice(fy2019=0.5, fy2024=0.3, fy2031=0.2)"),
        ({"distribution": "fixed", "value": "fy2024"}, "fixed(value=fy2024)"),
    ],
)
def test_describe(declaration, text):
    assert marginal_from_dict("x", declaration).describe() == text


def test_unit_and_source_are_kept():
    marginal = marginal_from_dict("x", UNIFORM | {"unit": "GW", "source": "a report"})
    assert (marginal.unit, marginal.source) == ("GW", "a report")


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        (TRIANGULAR | {"min": 20}, "uncertain.x.min: found 20.0, expected a number below max=18"),
        (TRIANGULAR | {"mode": 19}, "uncertain.x.mode: found 19.0, expected a number from min=5 to max=18"),
        (UNIFORM | {"min": 6}, "uncertain.x.min: found 6.0, expected a number below max=6"),
        (LOGNORMAL | {"sigma": 0}, "uncertain.x.sigma: found 0, expected greater than 0"),
        (LOGNORMAL | {"median": -1}, "uncertain.x.median: found -1, expected greater than 0"),
        (LOGNORMAL | {"min": 14}, "uncertain.x.min: found 14.0, expected a number below max=13"),
        (
            LOGNORMAL | {"min": -3, "max": -2},
            "uncertain.x.min: found -3.0, expected min..max=-2 to hold at least 1e-06 of the whole distribution",
        ),
        (BETA | {"a": 0}, "uncertain.x.a: found 0, expected greater than 0"),
        (BETA | {"b": -2}, "uncertain.x.b: found -2, expected greater than 0"),
        (BETA_TRUNCATED | {"max": 1.1}, "uncertain.x.max: found 1.1, expected less than or equal to 1"),
        (BETA_TRUNCATED | {"min": -0.1}, "uncertain.x.min: found -0.1, expected greater than or equal to 0"),
        (BETA_TRUNCATED | {"min": 0.5}, "uncertain.x.min: found 0.5, expected a number below max=0.45"),
        ({"distribution": "bernoulli", "p": 1.5}, "uncertain.x.p: found 1.5, expected less than or equal to 1"),
        (
            {"distribution": "choice", "odds": {"a": 0.5, "b": 0.4}},
            "uncertain.x.odds: found {'a': 0.5, 'b': 0.4}, expected odds that sum to 1, not to 0.9",
        ),
        (
            {"distribution": "choice", "odds": {"a": 1.5, "b": -0.5}},
            "uncertain.x.odds.b: found -0.5, expected greater than or equal to 0",
        ),
        (TRIANGULAR | {"min": "5"}, "uncertain.x.min: found '5', expected a valid number"),
        (TRIANGULAR | {"min": True}, "uncertain.x.min: found True, expected a valid number"),
        (UNIFORM | {"max": float("inf")}, "uncertain.x.max: found inf, expected a finite number"),
        ({"distribution": "beta", "a": 1}, "uncertain.x.b: found nothing, expected a value"),
        (
            {"distribution": "triangular", "min": 5, "mod": 13, "max": 18},
            "uncertain.x.mod: found 13, expected one of the keys distribution, unit, source, correlation, min, mode, "
            "max; nearest known name: mode",
        ),
        (
            {"distribution": "triangel"},
            f"uncertain.x.distribution: found 'triangel', expected {KNOWN}; nearest known name: triangular",
        ),
        (
            {"min": 1, "max": 2},
            f"uncertain.x.distribution: found nothing, expected {KNOWN}",
        ),
        (UNIFORM | {"correlation": {"y": 1}}, "uncertain.x.correlation.y: found 1, expected less than 1"),
        (UNIFORM | {"correlation": {"y": -1.0}}, "uncertain.x.correlation.y: found -1.0, expected greater than -1"),
        ({"distribution": "fixed", "value": None}, "uncertain.x.value: found nothing, expected a valid number"),
    ],
)
def test_bad_declarations_are_refused(declaration, message):
    with pytest.raises(SamplingError) as refused:
        marginal_from_dict("x", declaration)
    assert str(refused.value) == message


def test_two_correlations_are_refused():
    with pytest.raises(SamplingError, match=r"^uncertain\.x\.correlation: .*at most 1 item"):
        marginal_from_dict("x", UNIFORM | {"correlation": {"y": 0.1, "z": 0.2}})


def test_a_marginal_is_frozen():
    marginal = marginal_from_dict("x", UNIFORM)
    with pytest.raises(ValueError, match="frozen"):
        marginal.min = 3.0
