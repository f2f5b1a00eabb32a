"""Test what makes parameters move together: copula, nearest correlation, groups; each stage on its own."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import special, stats

from sampling import DependenceSpec, DesignSpec, SamplingError, correlations, draw_table, marginal_from_dict
from sampling.copula import apply_copula, follow, make_copula, of_ranks, of_scores
from sampling.dependence import Link
from sampling.nearest_correlation import nearest_correlation

UNIFORM = {"distribution": "uniform", "min": 0, "max": 1}
FOUR = {
    "a": marginal_from_dict("a", {"distribution": "triangular", "min": 5, "mode": 13, "max": 18}),
    "b": marginal_from_dict("b", {"distribution": "lognormal", "median": 8, "ratio": 3}),
    "c": marginal_from_dict("c", {"distribution": "gamma", "a": 2, "correlation": {"b": 0.6}}),
    "d": marginal_from_dict("d", {"distribution": "choice", "odds": {"x": 0.3, "y": 0.3, "z": 0.4}}),
    "e": marginal_from_dict("e", UNIFORM),
}


def pairs(*given_pairs, **more):
    return DependenceSpec(rank_correlation=[list(pair) for pair in given_pairs], **more)


def table(dependence=None, draws=4096, kind="sobol", marginals=FOUR, **more):
    design = DesignSpec(kind=kind, draws=draws, seed=5)
    return draw_table(marginals, design, dependence=dependence or DependenceSpec(), **more)


@pytest.mark.parametrize("measure", ["spearman", "kendall"])
def test_asked_rank_correlations_are_achieved(measure):
    spec = pairs(["a", "b", 0.6], ["a", "e", -0.3], ["b", "e", -0.1], measure=measure)
    drawn = table(spec)
    found = {(each.one, each.other): each for each in correlations(drawn, FOUR, spec)}
    for pair, asked in {("a", "b"): 0.6, ("a", "e"): -0.3, ("b", "e"): -0.1}.items():
        assert (found[pair].asked, found[pair].measure) == (asked, measure)
        assert found[pair].achieved == pytest.approx(asked, abs=0.012)
    link = found["b", "c"]
    assert link.asked == pytest.approx(6 / np.pi * np.arcsin(0.3))
    assert link.achieved == pytest.approx(link.asked, abs=0.012)


def test_marginals_stay_what_they_are():
    apart, together = table(), table(pairs(["a", "d", 0.7], ["a", "b", -0.5]))
    for name in ("a", "b", "c"):
        assert stats.ks_2samp(apart[name].values, together[name].values).statistic < 0.01
    assert (together["d"].values == "z").mean() == pytest.approx(0.4, abs=0.01)
    # A text of a copula moves by its quantiles: mean of `a` rises from x to z.
    means = [together["a"].values[together["d"].values == text].mean() for text in ("x", "y", "z")]
    assert means == sorted(means)
    assert means[2] - means[0] > 3


def test_what_is_not_named_keeps_its_bytes():
    apart, together = table(draws=64), table(pairs(["a", "e", 0.7]), draws=64)
    for name in ("a", "b", "c", "d"):
        assert apart[name].identical(together[name])
    assert not apart["e"].identical(together["e"])
    assert table(DependenceSpec(), draws=64).identical(apart)


def test_a_named_pair_replaces_the_correlation_of_a_distribution():
    spec = pairs(["b", "c", 0.0])
    [one] = correlations(table(spec), FOUR, spec)
    assert (one.asked, one.achieved) == (0.0, pytest.approx(0.0, abs=0.02))


def test_a_matrix_says_the_same_as_pairs():
    matrix = [[1, 0.6, -0.4], [0.6, 1, 0.1], [-0.4, 0.1, 1]]
    whole = DependenceSpec(parameters=["a", "b", "e"], matrix=matrix)
    listed = pairs(["a", "b", 0.6], ["a", "e", -0.4], ["b", "e", 0.1])
    assert table(whole, 64).identical(table(listed, 64))


@settings(max_examples=30, deadline=None)
@given(kind=st.sampled_from(["monte_carlo", "sobol", "halton"]), draws=st.integers(1, 70), more=st.integers(0, 70))
def test_a_longer_table_begins_with_the_shorter(kind, draws, more):
    spec = pairs(["a", "b", 0.6], ["d", "e", -0.4], groups=[])
    short, long = table(spec, draws, kind), table(spec, draws + more, kind).isel(draw=slice(draws))
    for name in FOUR:
        assert short[name].values.tolist() == long[name].values.tolist()


@given(st.floats(-0.999, 0.999))
def test_conversion_to_scores_and_back(rho):
    for measure in ("spearman", "kendall"):
        assert of_ranks(of_scores(rho, measure), measure) == pytest.approx(rho, abs=1e-12)


def test_the_stage_of_dependence_alone():
    rng = np.random.default_rng(3)
    points = rng.random((50_000, 3))
    copula = make_copula(pairs(["p", "q", 0.5]), ["p", "q", "r"], [Link(child=2, parent=1, rho=-0.4)])
    assert (copula.joint, copula.links, copula.groups) == ([0, 1, 2], [], [])
    factor = copula.factor
    expected = 2 * np.sin(np.pi * 0.5 / 6)
    # What hangs on a link keeps its correlation with the parent, and has rho times the parent's with all else.
    scores = [[1, expected, -0.4 * expected], [expected, 1, -0.4], [-0.4 * expected, -0.4, 1]]
    np.testing.assert_allclose(factor @ factor.T, scores, atol=1e-12)
    ranks = apply_copula(points, copula)
    np.testing.assert_array_equal(ranks[:, 0], points[:, 0])
    scores = special.ndtri(ranks)
    np.testing.assert_allclose(np.corrcoef(scores.T), factor @ factor.T, atol=0.012)
    assert apply_copula(points[:7], copula).tobytes() == ranks[:7].tobytes()
    assert ((ranks >= 0) & (ranks < 1)).all()


def test_ranks_survive_the_ends_of_the_cube():
    ends = np.array([0.0, 2.0**-54, 0.5, np.nextafter(1.0, 0.0)])
    points = np.array(np.meshgrid(ends, ends)).reshape(2, -1).T
    for rho in (-0.999, 0.5, 0.999):
        ranks = apply_copula(points, make_copula(pairs(["p", "q", rho]), ["p", "q"], []))
        assert ((ranks >= 0) & (ranks < 1)).all()


def test_groups_move_in_step_and_against():
    spec = DependenceSpec(groups=[["a", "b", "-e"]])
    marginals = {name: one for name, one in FOUR.items() if name != "c"}
    drawn = table(spec, 128, marginals=marginals)
    assert drawn["a"].identical(table(draws=128, marginals=marginals)["a"])
    np.testing.assert_array_equal(stats.rankdata(drawn["a"]), stats.rankdata(drawn["b"]))
    np.testing.assert_array_equal(stats.rankdata(drawn["a"]), stats.rankdata(-drawn["e"]))
    found = {(each.one, each.other): (each.asked, each.achieved) for each in correlations(drawn, marginals, spec)}
    assert found == {("a", "b"): (1.0, pytest.approx(1.0)), ("a", "e"): (-1.0, pytest.approx(-1.0))}
    copula = make_copula(spec, marginals, [])
    np.testing.assert_array_equal(follow(np.array([[0.25, 0.9, 0.1, 0.6]]), copula), [[0.25, 0.25, 0.1, 0.75]])


def test_the_leader_of_a_group_may_be_correlated():
    spec = pairs(["a", "e", 0.8], groups=[["a", "b"]])
    marginals = {name: FOUR[name] for name in ("a", "b", "e")}
    drawn = table(spec, marginals=marginals)
    assert stats.spearmanr(drawn["b"], drawn["e"]).statistic == pytest.approx(0.8, abs=0.012)


# nearest correlation


def test_nearest_correlation_of_a_published_matrix():
    # Higham 2002, section 4: the tridiagonal matrix; the distance is printed there as 0.528.
    matrix = np.array([[2.0, -1, 0, 0], [-1, 2, -1, 0], [0, -1, 2, -1], [0, 0, -1, 2]])
    nearest = nearest_correlation(matrix)
    np.testing.assert_allclose(nearest[0, :3], [1.0, -0.8084, 0.1916], atol=1e-4)
    assert nearest[1, 2] == pytest.approx(-0.6562, abs=1e-4)
    three = nearest_correlation(np.array([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]]))
    np.testing.assert_allclose(three, [[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]], atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 8), st.integers(0, 2**32))
def test_nearest_correlation_is_one_and_none_drawn_is_nearer(size, seed):
    rng = np.random.default_rng(seed)
    wild = rng.uniform(-1, 1, (size, size))
    matrix = (wild + wild.T) / 2
    np.fill_diagonal(matrix, 1)
    nearest = nearest_correlation(matrix, 1e-6)
    assert np.linalg.eigvalsh(nearest).min() >= 1e-6 * (1 - 1e-6)
    np.testing.assert_allclose(np.diag(nearest), 1, atol=1e-12)
    np.testing.assert_array_equal(nearest, nearest.T)
    distance = np.linalg.norm(nearest - matrix)
    for _ in range(20):
        loads = rng.normal(size=(size, size))
        other = np.corrcoef(loads)
        for share in (1.0, 0.1, 0.01):
            assert np.linalg.norm((1 - share) * nearest + share * other - matrix) >= distance - 1e-4
    valid = np.corrcoef(rng.normal(size=(size, 4 * size)))
    np.testing.assert_allclose(nearest_correlation(valid), valid, atol=1e-9)


def test_an_impossible_matrix_is_refused_with_the_nearest_one():
    with pytest.raises(SamplingError) as refused:
        table(pairs(["a", "b", 0.9], ["a", "e", 0.9], ["b", "e", -0.9]))
    assert refused.value.key == "dependence.rank_correlation"
    message = str(refused.value)
    assert "found 'least eigenvalue -0.8" in message
    shown = message.split("the nearest that can: rank_correlation = ")[1]
    nearest = json.loads(shown)
    assert {(one, other) for one, other, _ in nearest} >= {("a", "b"), ("a", "e"), ("b", "e")}
    assert table(pairs(*nearest), 8).sizes["draw"] == 8  # what is shown can be taken


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"rank_correlation": [["a", "b", 1]]}, r"rank_correlation\[a, b\]: found 1.0, expected a number in \(-1, 1\)"),
        ({"rank_correlation": [["a", "a", 0.5]]}, "expected two parameters, each pair once"),
        ({"rank_correlation": [["a", "b", 0.5], ["b", "a", 0.4]]}, "expected two parameters, each pair once"),
        ({"rank_correlation": [["a", "b"]]}, "Field required"),
        ({"rank_correlation": ["a", "b", 0.5]}, "rank_correlation: found .*, expected a list of lists"),
        ({"groups": "a"}, "groups: found 'a', expected a list of lists"),
        ({"rank_corelation": []}, "rank_corelation: found .*nearest known name: rank_correlation"),
        ({"measure": "pearson"}, "'spearman' or 'kendall'"),
        ({"parameters": ["a", "b"], "matrix": [[1, 0.5]]}, "matrix: found .*expected 2 rows of 2 numbers"),
        ({"parameters": ["a", "b"], "matrix": [[1, 0.5], [0.4, 1]]}, r"matrix\[a, b\]: found 0.5, expected 0.4"),
        ({"parameters": ["a", "b"], "matrix": [[2, 0.5], [0.5, 1]]}, r"matrix\[a, a\]: found 2.0, expected 1"),
        (
            {"parameters": ["a"], "matrix": [[1]], "rank_correlation": [["a", "b", 0.1]]},
            "expected pairs or a matrix, not both",
        ),
        ({"groups": [["a"]]}, "expected two names or more, the first without -"),
        ({"groups": [["-a", "b"]]}, "expected two names or more, the first without -"),
        ({"groups": [["a", "b"], ["c", "b"]]}, "groups: found 'b', expected each parameter in one group, once"),
    ],
)
def test_bad_dependence_is_refused(spec, message):
    with pytest.raises(ValidationError, match=message):
        DependenceSpec.model_validate(spec)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            pairs(["a", "bb", 0.5]),
            "dependence.rank_correlation: found 'bb', expected the name of an uncertain parameter",
        ),
        (DependenceSpec(groups=[["a", "-f"]]), "dependence.groups: found 'f', expected the name of an uncertain"),
        (pairs(["b", "e", 0.5], groups=[["a", "e"]]), "found 'e', expected no correlation of its own: it follows a"),
        (DependenceSpec(groups=[["a", "c"]]), "uncertain.c.correlation: found {'b': 0.6}, expected none: it follows"),
        (DependenceSpec(groups=[["a", "b"]]), "dependence.groups: found 'b', expected it first in its group, as c is"),
    ],
)
def test_dependence_that_does_not_fit_the_parameters_is_refused(spec, message):
    with pytest.raises(SamplingError) as refused:
        table(spec, 8)
    assert message in str(refused.value)
