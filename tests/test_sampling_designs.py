"""Test the designs: prefix law, replicates, accuracy on a known integral, correlation of ranks, refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy import stats

from sampling import DesignSpec, SamplingError, is_extensible, unit_points
from sampling.dependence import Link, correlate

RANDOM_KINDS = ["monte_carlo", "lhs", "sobol", "halton"]
EXTENSIBLE = ["monte_carlo", "sobol", "halton"]


def points(kind, draws, dimensions, *, seed=2040, replicates=1):
    return unit_points(DesignSpec(kind=kind, draws=draws, seed=seed, replicates=replicates), dimensions)


@settings(max_examples=150, deadline=None)
@given(
    kind=st.sampled_from(EXTENSIBLE),
    draws=st.integers(1, 80),
    more=st.integers(0, 120),
    dimensions=st.integers(1, 20),
    randomisation=st.fixed_dictionaries({"seed": st.integers(0, 2**63), "replicates": st.integers(1, 9)}),
)
def test_a_longer_design_begins_with_the_shorter(kind, draws, more, dimensions, randomisation):
    short = points(kind, draws, dimensions, **randomisation)
    long = points(kind, draws + more, dimensions, **randomisation)
    assert short.tobytes() == long[:draws].tobytes()


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(RANDOM_KINDS),
    draws=st.integers(1, 60),
    replicates=st.integers(1, 9),
    dimensions=st.integers(1, 20),
)
def test_points_lie_in_the_unit_cube_and_repeat(kind, draws, replicates, dimensions):
    first = points(kind, draws, dimensions, replicates=replicates)
    assert first.shape == (draws, dimensions)
    assert first.dtype == np.float64
    assert ((first >= 0) & (first < 1)).all()
    assert first.tobytes() == points(kind, draws, dimensions, replicates=replicates).tobytes()


@pytest.mark.parametrize("kind", RANDOM_KINDS)
def test_seeds_differ(kind):
    assert not (points(kind, 16, 3, seed=1) == points(kind, 16, 3, seed=2)).any()


@pytest.mark.parametrize("kind", RANDOM_KINDS)
def test_draw_i_is_point_i_div_r_of_replicate_i_mod_r(kind):
    together = points(kind, 96, 3, replicates=3)
    alone = points(kind, 32, 3)
    np.testing.assert_array_equal(together[0::3], alone)


@pytest.mark.parametrize("kind", RANDOM_KINDS)
def test_replicates_are_independent(kind):
    together = points(kind, 3 * 128, 2, replicates=3)
    assert len(np.unique(together[:, 0])) == 3 * 128
    # Means of f over many replicates scatter like independent numbers: no correlation between neighbours.
    means = points(kind, 400 * 8, 1, replicates=400).reshape(8, 400).mean(axis=0) - 0.5
    neighbours = np.corrcoef(means[:-1], means[1:])[0, 1]
    assert abs(neighbours) < 4 / np.sqrt(400)


@pytest.mark.parametrize("draws", [64, 50])
def test_every_latin_hypercube_replicate_has_one_point_in_each_slice(draws):
    together = points("lhs", draws, 4, replicates=3)
    for replicate in range(3):
        own = together[replicate::3]
        slices = np.sort(np.floor(own * len(own)), axis=0)
        np.testing.assert_array_equal(slices, np.tile(np.arange(len(own))[:, None], 4))


def test_every_sobol_replicate_is_balanced():
    own = points("sobol", 3 * 32, 4, replicates=3)[1::3]
    np.testing.assert_array_equal(np.sort(np.floor(own * 32), axis=0), np.tile(np.arange(32)[:, None], 4))


PUBLISHED = {  # root mean square error of a mean over 100 scrambles of 64, 256 and 1,024 points
    "monte_carlo": (4.3e-2, 2.2e-2, 1.3e-2),
    "lhs": (8.1e-3, 3.7e-3, 2.0e-3),
    "sobol": (2.8e-3, 4.7e-4, 5.9e-5),
}


@pytest.mark.parametrize("kind", PUBLISHED)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_error_of_a_mean_is_the_published_one(kind, place):
    draws, published = (64, 256, 1024)[place], PUBLISHED[kind][place]
    weight = np.array([1.0, 2.0, 5.0])
    u = points(kind, 100 * draws, 3, seed=7, replicates=100)
    product = ((np.abs(4 * u - 2) + weight) / (1 + weight)).prod(axis=1)  # its mean over the cube is 1
    means = product.reshape(draws, 100).mean(axis=0)
    error = np.sqrt(((means - 1) ** 2).mean())
    assert published / 1.5 < error < published * 1.5


def test_which_kinds_can_be_extended():
    specs = [DesignSpec(kind=kind, draws=4, seed=1) for kind in RANDOM_KINDS] + [DesignSpec(kind="file", file="f.csv")]
    assert [spec.kind for spec in specs if is_extensible(spec)] == EXTENSIBLE


@pytest.mark.parametrize("rho", [0.6, -0.8, 0.0])
def test_correlation_of_the_normal_scores(rho):
    before = points("sobol", 4096, 3)
    after = correlate(before, [Link(child=2, parent=0, rho=rho)])
    scores = stats.norm.ppf(after)
    assert np.corrcoef(scores[:, 0], scores[:, 2])[0, 1] == pytest.approx(rho, abs=0.01)
    np.testing.assert_array_equal(after[:, :2], before[:, :2])
    assert stats.kstest(after[:, 2], "uniform").statistic < 0.02
    assert ((after >= 0) & (after < 1)).all()


def test_a_parent_that_is_a_child_counts_as_correlated():
    chain = [Link(child=1, parent=0, rho=0.8), Link(child=2, parent=1, rho=0.5)]
    scores = stats.norm.ppf(correlate(points("sobol", 4096, 3), chain))
    np.testing.assert_allclose(np.corrcoef(scores.T), [[1.0, 0.8, 0.4], [0.8, 1.0, 0.5], [0.4, 0.5, 1.0]], atol=0.015)


def test_correlation_survives_extreme_ranks():
    extremes = np.array([0.0, 2.0**-40, 0.5, np.nextafter(1.0, 0.0)])
    pairs = np.array(np.meshgrid(extremes, extremes)).reshape(2, -1).T
    for rho in (-0.999999, -0.5, 0.0, 0.5, 0.999999):
        after = correlate(pairs, [Link(child=1, parent=0, rho=rho)])
        assert ((after >= 0) & (after < 1)).all()


SOBOL = {"kind": "sobol", "draws": 8, "seed": 1}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (SOBOL | {"kind": "moris"}, "found 'moris', expected one of monte_carlo, .*; nearest known name: morris"),
        (
            SOBOL | {"optimization": "lloyd"},
            "optimization: found 'lloyd', expected no optimization with kind = \"sobol\"",
        ),
        (SOBOL | {"kind": "lhs", "optimization": "random"}, "'random-cd' or 'lloyd'"),
        (SOBOL | {"levels": 3}, 'levels: found 3, expected no levels with kind = "sobol"'),
        (SOBOL | {"kind": "morris", "levels": 3}, "levels: found 3, expected an even number of levels"),
        (
            SOBOL | {"kind": "morris", "replicates": 2},
            'replicates: found 2, expected no replicates with kind = "morris"',
        ),
        (
            {"kind": "morris", "seed": 1},
            "trajectories: found nothing, expected the number of trajectories, or of draws",
        ),
        ({"kind": "saltelli", "seed": 1}, "points: found nothing, expected the number of base points, or of draws"),
        ({"kind": "saltelli", "points": 4}, "seed: found nothing, expected a seed, 0 or more"),
        (
            {"kind": "factorial"},
            "levels: found nothing, expected a number of levels, or one for each of some parameters",
        ),
        ({"kind": "factorial", "levels": {"a": [1, 1]}}, r"levels.a: found \[1.0, 1.0\], expected values, each once"),
        ({"kind": "factorial", "levels": {"a": []}}, r"levels.a: found \[\], expected values, each once"),
        ({"kind": "factorial", "levels": 0}, "levels: found 0, expected a whole number of at least 1, or such"),
        (
            {"kind": "factorial", "levels": {"a": "3"}},
            "levels.a: found '3', expected a whole number of at least 1, or a l",
        ),
        ({"kind": "factorial", "levels": {"a": [True]}}, r"levels.a: found \[True\], expected a whole number of at"),
        ({"kind": "factorial", "levels": 2, "span": [0.9, 0.1]}, r"span: found \[0.9, 0.1\], expected two quantiles"),
        (SOBOL | {"kind": "sobel"}, "found 'sobel', expected one of monte_carlo, .*; nearest known name: sobol"),
        (SOBOL | {"draw": 8}, "draw: found 8, expected one of the keys .*; nearest known name: draws"),
        (SOBOL | {"draws": 0}, "greater than or equal to 1"),
        (SOBOL | {"draws": "8"}, "valid integer"),
        (SOBOL | {"seed": -1}, "greater than or equal to 0"),
        (SOBOL | {"replicates": 0}, "greater than or equal to 1"),
        (SOBOL | {"file": "f.csv"}, "file: found 'f.csv', expected no file with kind = \"sobol\""),
        ({"kind": "sobol", "seed": 1}, "draws: found nothing, expected the number of draws"),
        ({"kind": "sobol", "draws": 1}, "seed: found nothing, expected a seed, 0 or more"),
        ({"kind": "file"}, 'file: found nothing, expected a CSV file of draws, as kind = "file" says'),
        ({"kind": "file", "file": "f.csv", "replicates": 2}, "replicates: found 2, expected 1: a file is no random"),
    ],
)
def test_bad_designs_are_refused(spec, message):
    with pytest.raises(ValidationError, match=message):
        DesignSpec(**spec)


def test_a_file_has_no_points():
    with pytest.raises(SamplingError, match=r"^design\.kind: found 'file', expected a random design, one of"):
        unit_points(DesignSpec(kind="file", file="f.csv", draws=3, seed=1), 2)


def test_no_parameter_is_refused():
    with pytest.raises(SamplingError, match="expected at least one parameter"):
        points("sobol", 4, 0)
