"""Test the further distributions: scipy's by name, PERT, normal, lognormal, mixtures, empirical ones, and refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from sampling import SamplingError, marginal_from_dict, read_uncertainty
from sampling.families import SCIPY
from sampling.mixtures import least

RANKS = (np.arange(400) + 0.5) / 400
EXTREMES = np.array([0.0, 2.0**-53, 0.5, np.nextafter(1.0, 0.0)])
LOW_HIGH = {
    "distribution": "mixture",
    "regimes": {
        "low": {"weight": 3, "distribution": "triangular", "min": 3000, "mode": 5000, "max": 9000},
        "high": {"weight": 1, "distribution": "normal", "mean": 12000, "sd": 4000, "min": 6000},
    },
}
SHAPES = {  # of a few families whose shape parameters have bounds between each other
    "gamma": {"a": 2.5},
    "weibull_min": {"c": 1.7},
    "t": {"df": 3.0},
    "beta": {"a": 2.0, "b": 3.0},
    "genextreme": {"c": -0.1},
    "truncnorm": {"a": -1.0, "b": 2.0},
    "cauchy": {},
    "gumbel_r": {},
    "poisson": {"mu": 4.2},
    "binom": {"n": 12, "p": 0.3},
    "nbinom": {"n": 5, "p": 0.4},
    "randint": {"low": 2, "high": 9},
    "geom": {"p": 0.2},
}


def marginal(**declaration):
    return marginal_from_dict("x", declaration)


@pytest.mark.parametrize("name", SHAPES)
@given(loc=st.integers(-5, 5), scale=st.floats(0.1, 30))
@settings(max_examples=15, deadline=None)
def test_scipy_by_name_is_scipy(name, loc, scale):
    own = {"loc": loc} | ({"scale": scale} if isinstance(SCIPY[name], stats.rv_continuous) else {})
    values = marginal(distribution=f"scipy.{name}", **SHAPES[name], **own).ppf(RANKS)
    np.testing.assert_array_equal(values, SCIPY[name](**SHAPES[name], **own).ppf(RANKS))


def test_every_distribution_of_scipy_can_be_named():
    assert len(SCIPY) > 120
    assert marginal(distribution="gamma", a=2).describe() == "gamma(a=2)"
    assert isinstance(SCIPY["gamma"], stats.rv_continuous)
    for name, found in SCIPY.items():
        if not found.shapes:
            assert np.isfinite(marginal(distribution=f"scipy.{name}").ppf(EXTREMES)).all(), name


@pytest.mark.parametrize("name", SHAPES)
@given(ends=st.tuples(st.floats(0.02, 0.45), st.floats(0.55, 0.98)))
@settings(max_examples=15, deadline=None)
def test_truncation_keeps_the_mass_between_its_ends(name, ends):
    whole = SCIPY[name](**SHAPES[name])
    low, high = (float(end) for end in whole.ppf(ends))
    cut = marginal(distribution=f"scipy.{name}", **SHAPES[name], min=low, max=high + 0.25)
    values = cut.ppf(np.append(RANKS, EXTREMES))
    assert ((values >= low) & (values <= high + 0.25)).all()
    middle = float(whole.ppf(0.5))
    inside = (whole.cdf(middle) - whole.cdf(np.nextafter(low, -np.inf))) / (
        whole.cdf(high + 0.25) - whole.cdf(np.nextafter(low, -np.inf))
    )
    assert (cut.ppf(RANKS) <= middle).mean() == pytest.approx(inside, abs=1 / 400)
    assert float(cut.cdf(np.array([middle]))[0]) == pytest.approx(inside, abs=1e-12)


@pytest.mark.parametrize(
    ("declaration", "mean"),
    [
        ({"distribution": "pert", "min": 2, "mode": 3, "max": 10}, (2 + 4 * 3 + 10) / 6),
        ({"distribution": "pert", "min": 2, "mode": 10, "max": 10, "lambda": 2}, (2 + 2 * 10 + 10) / 4),
        ({"distribution": "normal", "mean": -3, "sd": 2}, -3),
        ({"distribution": "normal", "mean": 0, "sd": 1, "min": 0}, np.sqrt(2 / np.pi)),
        ({"distribution": "lognormal", "median": 4, "sigma": 0.5}, 4 * np.exp(0.125)),
        (
            {"distribution": "scipy.gamma", "a": 2, "max": 3},
            integrate.quad(lambda x: x * stats.gamma(2).pdf(x), 0, 3)[0] / stats.gamma(2).cdf(3),
        ),
        ({"distribution": "empirical", "values": [5, 1, 3], "interpolate": False, "weights": [1, 2, 1]}, 2.5),
        ({"distribution": "empirical", "values": [5, 1, 3, 8]}, 17 / 4),
    ],
)
def test_means(declaration, mean):
    one = marginal(**declaration)
    value = integrate.quad(lambda u: float(one.ppf(np.array([u]))[0]), 0, 1, limit=400, points=[0.25, 0.5, 0.75])[0]
    assert value == pytest.approx(mean, rel=1e-6)


def test_the_ratio_of_a_lognormal_is_that_of_its_quantiles():
    five, half, ninety_five = marginal(distribution="lognormal", median=4, ratio=3).ppf(np.array([0.05, 0.5, 0.95]))
    assert (half, ninety_five / five) == (pytest.approx(4), pytest.approx(3))


NUMBERS = [
    LOW_HIGH,
    {"distribution": "pert", "min": 2, "mode": 3, "max": 10},
    {"distribution": "normal", "mean": 5, "sd": 2, "max": 6},
    {"distribution": "lognormal", "median": 4, "ratio": 3, "min": 3},
    {"distribution": "gamma", "a": 2.5, "scale": 3},
    {"distribution": "poisson", "mu": 3, "min": 1},
    {"distribution": "empirical", "values": [5, 1, 3, 3, 8], "weights": [1, 0, 2, 1, 4]},
    {"distribution": "empirical", "values": [5, 1, 3, 3, 8], "interpolate": False},
    {"distribution": "triangular", "min": 1, "mode": 2, "max": 4},
    {"distribution": "uniform", "min": 1, "max": 4},
    {"distribution": "beta", "a": 2, "b": 3},
    {"distribution": "beta_truncated", "a": 2, "b": 3, "min": 0.2, "max": 0.7},
    {"distribution": "lognormal_truncated", "median": 4, "sigma": 0.3, "min": 3, "max": 7},
    {"distribution": "bernoulli", "p": 0.3},
]


@pytest.mark.parametrize("declaration", NUMBERS, ids=lambda one: one["distribution"])
@given(steps=st.lists(st.integers(0, 2**53 - 1), min_size=2, max_size=20))
@settings(max_examples=10, deadline=None)
def test_values_are_finite_rise_with_the_rank_and_fit_the_distribution_function(declaration, steps):
    one = marginal(**declaration)
    u = np.sort(steps) / 2**53
    values = one.ppf(u)
    assert values.dtype == np.float64
    assert np.isfinite(values).all()
    assert (np.diff(values) >= -1e-12 * np.abs(values[1:])).all()
    assert (one.cdf(values) >= u - 1e-9).all()
    assert (one.cdf(values - 1e-6 * np.abs(values) - 1e-9) <= u + 1e-6).all()


def test_a_mixture_has_the_shares_of_its_regimes():
    one = marginal(**LOW_HIGH)
    values = one.ppf((np.arange(20_000) + 0.5) / 20_000)
    low = marginal(**{k: v for k, v in LOW_HIGH["regimes"]["low"].items() if k != "weight"})
    high = marginal(**{k: v for k, v in LOW_HIGH["regimes"]["high"].items() if k != "weight"})
    for x in (4000.0, 7000.0, 9000.0, 15_000.0):
        at = np.array([x])
        assert (values <= x).mean() == pytest.approx(float(0.75 * low.cdf(at)[0] + 0.25 * high.cdf(at)[0]), abs=1e-4)


def test_atoms_of_a_mixture_are_met_exactly():
    regimes = {
        "off": {"weight": 1, "distribution": "fixed", "value": 0},
        "on": {"weight": 1, "distribution": "fixed", "value": 1},
        "part": {"weight": 2, "distribution": "uniform", "min": 0.3, "max": 0.4},
    }
    values = marginal(distribution="mixture", regimes=regimes).ppf(np.array([0.0, 0.25, 0.5, 0.76, 0.99]))
    assert values[[0, 1, 3, 4]].tolist() == [0.0, 0.0, 1.0, 1.0]
    assert values[2] == pytest.approx(0.35)


@given(target=st.floats(-1e300, 1e300))
def test_bisection_finds_the_very_number(target):
    found = least(lambda x: x >= target, np.array([-1.7e308]), np.array([1.7e308]))
    assert found[0] == target


def test_tables_of_values(tmp_path):
    (tmp_path / "prices.csv").write_text("year,price,days\n2020,3,100\n2021,5,200\n2022,4,65\n")
    declaration = {"distribution": "empirical", "file": "prices.csv", "column": "price", "interpolate": False}
    even = marginal_from_dict("x", declaration, tmp_path)
    assert even.ppf(np.array([0.0, 0.34, 0.67])).tolist() == [3.0, 4.0, 5.0]
    weighted = marginal_from_dict("x", declaration | {"weight_column": "days"}, tmp_path)
    assert weighted.ppf(np.array([0.27, 0.28, 0.45, 0.46])).tolist() == [3.0, 4.0, 4.0, 5.0]
    assert weighted.files == (tmp_path / "prices.csv",)
    told = "empirical(values=3, file=prices.csv, column=price, weight_column=days, interpolate=false)"
    assert weighted.describe() == told
    (tmp_path / "uncertainty.csv").write_text(
        "name,low,mid,high,unit,distribution,parameters,source\n"
        "a,,4,,GW,empirical,file=prices.csv;column=price;weight_column=days;interpolate=false,\n"
        "b,,4,,GW,gamma,a=2;scale=3;corr_a=0.5,\n"
    )
    read, _ = read_uncertainty(tmp_path / "uncertainty.csv")
    assert (read["a"].describe(), read["b"].describe()) == (told, "gamma(a=2, scale=3, corr_a=0.5)")


UNIFORM = {"distribution": "uniform", "min": 0, "max": 1}


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"distribution": "gamma"}, "x.a: found nothing, expected a number in (0, inf) for scipy.stats.gamma"),
        ({"distribution": "gamma", "a": -1}, "x.a: found -1, expected a number in (0, inf) for scipy.stats.gamma"),
        ({"distribution": "gamma", "a": "2"}, "x.a: found '2', expected a number in (0, inf) for scipy.stats.gamma"),
        (
            {"distribution": "gamma", "a": 2, "scle": 1},
            "x.scle: found 1, expected one of the keys distribution, unit, source, correlation, a, min, max, loc, scale; "
            "nearest known name: scale",
        ),
        ({"distribution": "gamma", "a": 2, "scale": 0}, "x.scale: found 0, expected greater than 0"),
        (
            {"distribution": "binom", "n": 2.5, "p": 0.5},
            "x.n: found 2.5, expected a whole number in [0, inf) for scipy.stats.binom",
        ),
        (
            {"distribution": "poisson", "mu": 2, "scale": 3},
            "x.scale: found 3, expected one of the keys distribution, unit, source, correlation, mu, min, max, loc",
        ),
        (
            {"distribution": "randint", "low": 5, "high": 2},
            "x.distribution: found 'randint(low=5, high=2)', expected shape parameters that scipy.stats accepts together",
        ),
        (
            {"distribution": "normal", "mean": 0, "sd": 1, "min": 40},
            "x.min: found 40.0, expected min..max=inf to hold at least 1e-06 of the whole distribution",
        ),
        (
            {"distribution": "normal", "mean": 0, "sd": 1, "min": 2, "max": 1},
            "x.min: found 2.0, expected a number below",
        ),
        (
            {"distribution": "lognormal", "median": 1, "sigma": 1, "ratio": 2},
            "x.sigma: found 1, expected either sigma, of the logarithm, or ratio, of the 95 % to the 5 % quantile",
        ),
        ({"distribution": "lognormal", "median": 1, "ratio": 1}, "x.ratio: found 1, expected greater than 1"),
        ({"distribution": "pert", "min": 0, "mode": 2, "max": 1}, "x.mode: found 2.0, expected a number from min=0 to"),
        (
            {"distribution": "pert", "min": 0, "mode": 0, "max": 1, "lamda": 2},
            "x.lamda: found 2, expected one of the keys distribution, unit, source, correlation, min, mode, max, lambda; "
            "nearest known name: lambda",
        ),
        ({"distribution": "mixture"}, "x.regimes: found nothing, expected a value"),
        ({"distribution": "mixture", "regimes": {}}, "x.regimes: found {}, expected "),
        (
            {"distribution": "mixture", "regimes": {"a": UNIFORM}},
            "x.regimes.a.weight: found nothing, expected a weight above",
        ),
        (
            {"distribution": "mixture", "regimes": {"a": UNIFORM | {"weight": -1}}},
            "x.regimes.a.weight: found -1, expected greater than 0",
        ),
        (
            {"distribution": "mixture", "regimes": {"a": UNIFORM | {"weight": 1, "max": -1}}},
            "x.regimes.a.min: found 0.0, expected a number below max=-1",
        ),
        (
            {"distribution": "mixture", "regimes": {"a": {"weight": 1, "distribution": "choice", "odds": {"b": 1.0}}}},
            "x.regimes.a.distribution: found 'choice', expected a distribution of numbers, or fixed",
        ),
        (
            {"distribution": "mixture", "regimes": {"a": UNIFORM | {"weight": 1, "correlation": {"b": 0.5}}}},
            "x.regimes.a.correlation: found \"{'b': 0.5}\", expected none: a mixture correlates as a whole",
        ),
        ({"distribution": "empirical"}, "x.file: found nothing, expected either a CSV file, or values"),
        ({"distribution": "empirical", "file": "t.csv"}, "x.column: found nothing, expected a column of t.csv"),
        (
            {"distribution": "empirical", "file": "t.csv", "column": "pric"},
            "x.column: found 'pric', expected a column of t.csv; nearest known name: price",
        ),
        (
            {"distribution": "empirical", "file": "t.csv", "column": "year"},
            "x.t.csv row 3, column year: found 'x', expected a finite number",
        ),
        (
            {"distribution": "empirical", "file": "t.csv", "column": "price", "weight_column": "days"},
            "x.t.csv row 2, column days: found -1.0, expected a weight of at least 0",
        ),
        (
            {"distribution": "empirical", "values": [1], "column": "a"},
            "x.column: found 'a', expected no column without a",
        ),
        (
            {"distribution": "empirical", "values": [1, 2], "weights": [1]},
            "x.weights: found 1, expected 2 weights, one for",
        ),
        (
            {"distribution": "empirical", "values": [1], "weights": [0]},
            "x.weights: found 0.0, expected weights with a sum",
        ),
    ],
)
def test_bad_declarations_are_refused(tmp_path, declaration, message):
    (tmp_path / "t.csv").write_text("year,price,days\n2020,3,-1\nx,4,1\n")
    with pytest.raises(SamplingError) as refused:
        marginal_from_dict("x", declaration, tmp_path)
    assert str(refused.value).startswith(f"uncertain.{message}")
