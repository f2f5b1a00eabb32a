"""Test densities and the ratios of draws: they integrate to one, belong to the quantile functions, and know their limits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sampling import DependenceSpec, DesignSpec, SamplingError, draw_table, marginal_from_dict
from sampling.ratio import LARGEST_OUTSIDE, Joint, log_ratio

LOW = {"distribution": "triangular", "min": 3000, "mode": 5000, "max": 9000}
HIGH = {"distribution": "normal", "mean": 12000, "sd": 4000, "min": 6000}
EDGED = {"distribution": "empirical", "values": [1.0, 2.0, 4.0, 4.0, 9.0], "weights": [1, 2, 1, 3, 1]}
CONTINUOUS: dict[str, tuple[dict[str, Any], Any]] = {
    "uniform": ({"min": -2, "max": 5}, stats.uniform(-2, 7)),
    "triangular": ({"min": 5, "mode": 13, "max": 18}, stats.triang(8 / 13, 5, 13)),
    "pert": ({"min": 0, "mode": 1, "max": 4}, stats.beta(2, 4, 0, 4)),
    "normal": ({"mean": 3, "sd": 2}, stats.norm(3, 2)),
    "lognormal": ({"median": 8.5, "sigma": 0.25}, stats.lognorm(0.25, scale=8.5)),
    "beta": ({"a": 2.5, "b": 3}, stats.beta(2.5, 3)),
    "gamma": ({"a": 2.5, "scale": 3}, stats.gamma(2.5, scale=3)),
    "gumbel_r": ({"loc": 1}, stats.gumbel_r(1)),
}
CUT: dict[str, dict[str, Any]] = {
    "normal, cut": {"distribution": "normal", "mean": 3, "sd": 2, "min": 2, "max": 9},
    "lognormal, cut": {"distribution": "lognormal", "median": 8.5, "ratio": 2, "max": 13},
    "lognormal_truncated": {"distribution": "lognormal_truncated", "median": 8.5, "sigma": 0.25, "min": 5, "max": 13},
    "beta_truncated": {"distribution": "beta_truncated", "a": 2, "b": 6, "min": 0, "max": 0.45},
    "gamma, cut": {"distribution": "gamma", "a": 2.5, "min": 1, "max": 4},
    "mixture": {"distribution": "mixture", "regimes": {"low": {"weight": 3, **LOW}, "high": {"weight": 1, **HIGH}}},
}
ATOMS: dict[str, dict[str, Any]] = {
    "bernoulli": {"distribution": "bernoulli", "p": 0.55},
    "fixed": {"distribution": "fixed", "value": 3},
    "poisson, cut": {"distribution": "poisson", "mu": 4.2, "min": 2, "max": 9},
    "values alone": {**EDGED, "interpolate": False},
    "joined values": EDGED,
    "one value": {"distribution": "empirical", "values": [3.0]},
    "mixture with atoms": {
        "distribution": "mixture",
        "regimes": {
            "none": {"weight": 1, "distribution": "fixed", "value": 0},
            "some": {"weight": 2, "distribution": "uniform", "min": 0, "max": 2},
            "steps": {"weight": 1, "distribution": "randint", "low": 0, "high": 3},
        },
    },
}
WITH_DENSITY = {name: {"distribution": name, **own} for name, (own, _) in CONTINUOUS.items()} | CUT
ALL = WITH_DENSITY | ATOMS


def marginal(declaration):
    return marginal_from_dict("x", declaration)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_a_plain_family_has_the_density_of_scipy(name: str) -> None:
    x = CONTINUOUS[name][1].ppf((np.arange(99) + 1) / 100)
    found = marginal(WITH_DENSITY[name])
    np.testing.assert_allclose(found.log_density(x), CONTINUOUS[name][1].logpdf(x), rtol=1e-12, atol=1e-12)
    assert (found.log_mass(x) == -np.inf).all()


@pytest.mark.parametrize("name", ALL)
def test_densities_and_atoms_make_one_together(name: str) -> None:
    one = marginal(ALL[name])
    ranks = np.linspace(0, np.nextafter(1.0, 0.0), 2001)
    x = np.unique(one.ppf(ranks))
    nodes, weights = np.polynomial.legendre.leggauss(12)
    low, high = x[:-1, np.newaxis], x[1:, np.newaxis]
    inside = (low + high) / 2 + (high - low) / 2 * nodes
    pieces = np.exp(one.log_density(inside.reshape(-1))).reshape(inside.shape) @ weights * np.diff(x) / 2
    assert pieces.sum() + np.exp(one.log_mass(x)).sum() == pytest.approx(1, abs=3e-4)


@pytest.mark.parametrize("name", [*WITH_DENSITY, "joined values", "mixture with atoms"])
@given(rank=st.floats(0.002, 0.998))
@settings(max_examples=12, deadline=None)
def test_the_density_is_the_slope_of_the_distribution(name: str, rank: float) -> None:
    one = marginal(ALL[name])
    [x] = one.ppf(np.array([rank]))
    step = 1e-6 * max(1.0, abs(x))
    before, after = one.cdf(np.array([x - step, x + step]))
    around = one.log_mass(np.array([x]))[0] > -np.inf
    sides = np.exp(one.log_density(np.array([x - step, x + step])))
    if not around and np.isclose(*sides, rtol=1e-2):  # not at a kink or a jump
        assert np.exp(one.log_density(np.array([x])))[0] == pytest.approx((after - before) / (2 * step), rel=2e-2)
        slope = np.diff(one.ppf(np.array([rank - 1e-6, rank + 1e-6])))[0] / 2e-6
        if slope > 0 and name != "mixture with atoms":
            assert np.exp(-one.log_density(np.array([x])))[0] == pytest.approx(slope, rel=5e-2)


@pytest.mark.parametrize("name", ATOMS)
def test_an_atom_has_the_share_of_ranks_that_lead_to_it(name: str) -> None:
    one = marginal(ATOMS[name])
    values, counts = np.unique(one.ppf((np.arange(20_000) + 0.5) / 20_000), return_counts=True)
    often = counts > 200 if name != "mixture with atoms" else np.isin(values, [0.0, 1.0, 2.0])
    expected = counts[often] / 20_000
    np.testing.assert_allclose(np.exp(one.log_mass(values[often])), expected, atol=2e-4)
    assert one.log_mass(np.array([-7.25])) == one.log_density(np.array([-7.25])) == -np.inf


def test_texts_have_their_odds() -> None:
    choice = marginal({"distribution": "choice", "odds": {"dry": 0.25, "wet": 0.75, "none": 0.0}})
    texts = np.array(["wet", "dry", "none", "other"], dtype=object)
    assert np.exp(choice.log_mass(texts)).tolist() == [0.75, 0.25, 0, 0]
    assert (choice.log_density(texts) == -np.inf).all()


# ratios of whole draws


def joint(declarations: dict[str, dict[str, Any]], **dependence: Any) -> Joint:
    made = {name: marginal_from_dict(name, one) for name, one in declarations.items()}
    return Joint(made, DependenceSpec.model_validate(dependence))


def drawn(of: Joint, number: int = 4000, kind: str = "monte_carlo") -> dict[str, Any]:
    design = DesignSpec.model_validate({"kind": kind, "draws": number, "seed": 3})
    table = draw_table(of.marginals, design, dependence=of.dependence)
    return {str(name): column.values for name, column in table.data_vars.items()}


def normal(mean: float, sd: float, **more: Any) -> dict[str, Any]:
    return {"distribution": "normal", "mean": mean, "sd": sd, **more}


def test_normals_that_move_together_are_a_multivariate_normal() -> None:
    old = joint(
        {"a": normal(0, 1), "b": normal(2, 3), "c": normal(1, 1, correlation={"a": 0.5}), "d": normal(0, 2)},
        rank_correlation=[["a", "b", 0.4]],
    )
    new = joint(
        {"a": normal(0.3, 1), "b": normal(2, 2.5), "c": normal(1, 1, correlation={"a": 0.2}), "d": normal(0, 2)},
        rank_correlation=[["a", "b", -0.1]],
    )
    columns = drawn(old, 200)
    rho, other = 2 * np.sin(np.pi * 0.4 / 6), 2 * np.sin(np.pi * -0.1 / 6)
    x = np.stack([columns[name] for name in "abc"], axis=1)

    def density(mean: list[float], sd: list[float], ab: float, ac: float) -> Any:
        correlation = np.array([[1, ab, ac], [ab, 1, ac * ab], [ac, ac * ab, 1]])
        return stats.multivariate_normal(mean, correlation * np.outer(sd, sd)).logpdf(x)

    expected = density([0.3, 2, 1], [1, 2.5, 1], other, 0.2) - density([0, 2, 1], [1, 3, 1], rho, 0.5)
    np.testing.assert_allclose(log_ratio(columns, old, new, {"a", "b", "c"}).log, expected, atol=1e-9)
    # What changes in one of those that move together changes the ranks of it beside the others' too.
    only = joint(
        {name: normal(0.3, 1) if name == "a" else one for name, one in declared(old).items()},
        rank_correlation=[["a", "b", 0.4]],
    )
    expected = density([0.3, 2, 1], [1, 3, 1], rho, 0.5) - density([0, 2, 1], [1, 3, 1], rho, 0.5)
    np.testing.assert_allclose(log_ratio(columns, old, only, {"a"}).log, expected, atol=1e-9)


def declared(of: Joint) -> dict[str, dict[str, Any]]:
    return {name: one.model_dump(exclude_none=True) for name, one in of.marginals.items()}


SWITCHED = {
    "policy": {"distribution": "choice", "odds": {"exit": 0.5, "restart": 0.5}},
    "nuclear": {"distribution": "uniform", "min": 0, "max": {"by": "policy", "values": {"exit": 1.0, "restart": 2.0}}},
    "load": normal(10, 1),
    "price": {"distribution": "normal", "mean": {"constant": 1.0, "slopes": {"load": 0.5}}, "sd": 1.0},
}


def test_what_follows_others_has_the_density_of_its_own_draw() -> None:
    old = joint(SWITCHED)
    steeper = {"distribution": "normal", "mean": {"constant": 0.0, "slopes": {"load": 0.6}}, "sd": 0.9}
    odds = {"distribution": "choice", "odds": {"exit": 0.8, "restart": 0.2}}
    new = joint(SWITCHED | {"policy": odds, "price": steeper})
    columns = drawn(old, 300)
    load, price, policy = (columns[name] for name in ("load", "price", "policy"))
    expected = np.log(np.where(policy == "exit", 1.6, 0.4))
    expected = expected + stats.norm(0.6 * load, 0.9).logpdf(price) - stats.norm(1 + 0.5 * load, 1).logpdf(price)
    found = log_ratio(columns, old, new, {"policy", "price"})
    np.testing.assert_allclose(found.log, expected, atol=1e-9)
    weights = np.exp(found.log)
    assert weights.mean() == pytest.approx(1, abs=0.12)
    assert weights @ columns["nuclear"] / weights.sum() == pytest.approx(0.8 * 0.5 + 0.2 * 1.0, abs=0.08)
    # Reach is judged in worlds that the new beliefs know: nuclear power above 1 is drawn under "restart" alone.
    wide = {"distribution": "uniform", "min": 0, "max": 2}
    restart = {"distribution": "choice", "odds": {"exit": 0.0, "restart": 1.0}}
    assert (
        log_ratio(columns, old, joint(SWITCHED | {"policy": restart, "nuclear": wide}), {"policy", "nuclear"}).notes
        == ()
    )
    with pytest.raises(SamplingError, match=r"of which 2\d\.\d\d% lies where uniform.* has nothing"):
        log_ratio(columns, old, joint(SWITCHED | {"nuclear": wide}), {"nuclear"})


@given(st.sampled_from([name for name in ALL if name not in ("bernoulli", "fixed")]), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_the_same_distribution_again_weighs_one(name: str, seed: int) -> None:
    old = joint({"x": ALL[name], "y": ALL["gamma"]})
    ranks = np.random.default_rng(seed).random(50)
    columns = {each: one.ppf(ranks) for each, one in old.marginals.items()}
    assert (log_ratio(columns, old, joint({"x": ALL[name], "y": ALL["gamma"]}), {"x"}).log == 0).all()


def test_ratios_have_the_mean_one_and_atoms_weigh_against_atoms() -> None:
    old = joint({"x": ALL["mixture with atoms"], "switch": ALL["bernoulli"], "n": {"distribution": "poisson", "mu": 4}})
    regimes = ALL["mixture with atoms"]["regimes"]
    other = {"distribution": "mixture", "regimes": {**regimes, "none": {**regimes["none"], "weight": 2}}}
    new = joint(
        {"x": other, "switch": {"distribution": "fixed", "value": 1}, "n": {"distribution": "poisson", "mu": 3.5}}
    )
    columns = drawn(old, 40_000)
    weights = np.exp(log_ratio(columns, old, new, {"x", "switch", "n"}).log)
    assert weights.mean() == pytest.approx(1, abs=0.02)
    assert (weights[columns["switch"] == 0] == 0).all()
    share = weights[columns["x"] == 0].sum() / weights.sum()
    assert share == pytest.approx(2 / 5 + 1 / 5 / 3, abs=0.02)


def test_a_draw_at_the_very_end_of_its_range_has_a_ratio() -> None:
    old, new = (joint({"x": {"distribution": "triangular", "min": 0, "mode": m, "max": 4}}) for m in (1, 2))
    ends = log_ratio({"x": np.array([0.0, 4.0])}, old, new, {"x"}).log
    np.testing.assert_allclose(ends, np.log([1 / 2, 3 / 2]), atol=1e-3)
    with pytest.raises(SamplingError, match=r"uncertain.x: found 4.5, expected a draw of triangular"):
        log_ratio({"x": np.array([4.5])}, old, new, {"x"})


def test_a_tiny_share_out_of_reach_is_told_and_a_larger_one_refused() -> None:
    old = joint({"x": normal(0, 1, min=-4, max=4)})
    columns = drawn(old, 100)
    [note] = log_ratio(columns, old, joint({"x": normal(0.0, 1.0)}), {"x"}).notes
    assert "x: 0.01% of the new distribution lies where nothing was drawn" in note
    with pytest.raises(SamplingError, match=r"found 'normal.*of which 0.\d\d% lies where .* at most 0.01%"):
        log_ratio(columns, old, joint({"x": normal(1.0, 1.0)}), {"x"})
    assert LARGEST_OUTSIDE == 1e-4


GROUP = {"groups": [["a", "b", "-c"]]}
THREE = {
    "a": normal(0, 1),
    "b": normal(5, 2),
    "c": {"distribution": "uniform", "min": 0, "max": 1},
    "k": ALL["bernoulli"],
}


def test_a_group_in_step_moves_as_a_whole() -> None:
    old = joint(THREE, **GROUP)
    new = joint(THREE | {"a": normal(0.5, 1)}, **GROUP)
    columns = drawn(old)
    found = log_ratio(columns, old, new, {"a"})
    assert found.notes == ("a: moves b, c along, which follow it in step",)
    weights = np.exp(found.log)
    assert weights @ columns["b"] / weights.sum() == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize(
    ("change", "dependence", "message"),
    [
        (
            {"b": normal(5, 1)},
            GROUP,
            "uncertain.b: found 'normal.*it follows a in step.*change a, which moves it along",
        ),
        ({}, {}, "dependence.groups: found .*, expected those that were drawn, "),
        (
            {"a": {"distribution": "choice", "odds": {"x": 1.0}}},
            GROUP,
            "found 'choice', expected a distribution of numbers",
        ),
        (
            {"a": {"distribution": "poisson", "mu": 3}},
            GROUP,
            r"of which 100.00% lies where normal\(mean=0, sd=1\) has nothing",
        ),
        (
            {"k": ALL["bernoulli"] | {"correlation": {"a": 0.3}}},
            GROUP,
            "uncertain.k: found 'bernoulli.*without atoms: it is ",
        ),
    ],
)
def test_what_has_no_ratio_is_refused(change: dict[str, Any], dependence: dict[str, Any], message: str) -> None:
    old = joint(THREE, **GROUP)
    with pytest.raises(SamplingError, match=message):
        log_ratio(drawn(old, 50), old, joint(THREE | change, **dependence), set(change))


def test_a_held_parameter_counts_for_nothing_and_its_rank_is_unknown() -> None:
    declared = {"a": normal(0, 1), "b": normal(0, 1, correlation={"a": 0.6}), "c": normal(0, 1, correlation={"b": 0.5})}
    old, new = joint(declared), joint(declared | {"c": normal(0.4, 1, correlation={"b": 0.5})})
    columns = drawn(old, 60) | {"b": np.zeros(60)}  # c is still correlated with a, by 0.3
    x = np.stack([columns["a"], columns["c"]], axis=1)
    cov = [[1, 0.3], [0.3, 1]]
    expected = stats.multivariate_normal([0, 0.4], cov).logpdf(x) - stats.multivariate_normal([0, 0], cov).logpdf(x)
    np.testing.assert_allclose(log_ratio(columns, old, new, {"c"}, {"b"}).log, expected, atol=1e-9)
