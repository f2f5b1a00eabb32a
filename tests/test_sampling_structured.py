"""Test the designs with a structure, optimised Latin hypercubes, large designs, and the notes on designs."""

import numpy as np
import pytest
from SALib.analyze import morris as morris_indices
from SALib.analyze import sobol as sobol_indices
from scipy import stats
from scipy.spatial.distance import pdist
from scipy.stats import qmc

from sampling import (
    DependenceSpec,
    DesignSpec,
    SamplingError,
    design_notes,
    draw_table,
    marginal_from_dict,
    unit_points,
)
from sampling.draws import design_points

UNIFORM = {"distribution": "uniform", "min": 0, "max": 1}


def declared(**all_of_them):
    return {name: marginal_from_dict(name, one) for name, one in all_of_them.items()}


FOUR = declared(
    a=UNIFORM | {"max": 10},
    b={"distribution": "normal", "mean": 0, "sd": 1},
    year={"distribution": "choice", "odds": {"fy2019": 0.25, "fy2024": 0.75, "fy2030": 0.0}},
    switch={"distribution": "bernoulli", "p": 0.5},
)


def rows(table):
    return list(zip(*(column.values.tolist() for column in table.data_vars.values()), strict=True))


def draw(kind, marginals=FOUR, fixed=None, **keys):
    more = {key: keys.pop(key) for key in ("scenarios", "dependence") if key in keys}
    return draw_table(marginals, DesignSpec(kind=kind, **keys), fixed=fixed or {}, **more)


# factorial


def test_a_full_factorial_has_every_combination_once():
    table = draw("factorial", levels=3, span=[0, 0.5])
    assert table.sizes["draw"] == 3 * 3 * 2 * 2
    assert len(set(rows(table))) == 36
    assert sorted(set(table["a"].values)) == [0, 2.5, 5]
    assert sorted(set(table["b"].values))[1:] == [pytest.approx(stats.norm.ppf(0.25)), 0]
    assert set(table["year"].values) == {"fy2019", "fy2024"}  # categories with any odds, not quantiles
    assert set(table["switch"].values) == {0.0, 1.0}
    assert np.unique(table["replicate"]).tolist() == [0]


def test_levels_of_some_parameters_leave_the_others_at_their_median():
    table = draw("factorial", levels={"year": ["fy2030", "fy2019"], "a": [7, 3.5, 11], "switch": 2})
    assert rows(table) == [
        (a, 0.0, year, switch) for a in (7, 3.5, 11) for year in ("fy2030", "fy2019") for switch in (0.0, 1.0)
    ]
    assert draw("factorial", levels={"b": 1})["b"].values.tolist() == [0.0]


def test_the_default_span_is_of_the_5_and_95_percent_quantiles():
    assert draw("factorial", levels={"a": 2})["a"].values.tolist() == [0.5, 9.5]


def test_one_at_a_time_is_the_middle_and_each_level_of_each():
    table = draw("one_at_a_time", levels={"a": 2, "b": 1, "year": 2, "switch": [0]})
    middle = (5.0, 0.0, "fy2024", 1.0)
    assert (
        rows(table)
        == [
            middle,
            (0.5, *middle[1:]),
            (9.5, *middle[1:]),
            middle,  # the one level of b is its median
            (5.0, 0.0, "fy2019", 1.0),
            middle,
            (*middle[:3], 0.0),
        ]
    )


def test_a_fixed_parameter_takes_no_draws():
    table = draw("factorial", levels=2, fixed={"a": 3, "year": "fy2019"})
    assert table.sizes["draw"] == 4
    assert set(table["a"].values) == {3.0}
    assert draw("morris", trajectories=2, seed=1, fixed={"a": 3}).sizes["draw"] == 2 * 4
    follows = DependenceSpec(groups=[["a", "b"]])
    assert draw("saltelli", points=2, seed=1, dependence=follows).sizes["draw"] == 2 * (2 * 3 + 2)


# Morris and Saltelli


def test_morris_moves_one_parameter_at_a_time_between_levels():
    table = draw("morris", trajectories=6, seed=3, levels=6, span=[0.1, 0.9])
    assert table.sizes["draw"] == 6 * 5
    points = design_points(
        DesignSpec(kind="morris", trajectories=6, seed=3, levels=6, span=[0.1, 0.9]), FOUR, list(FOUR)
    )
    for trajectory in points.ranks.reshape(6, 5, 4):
        moved = np.diff(trajectory, axis=0) != 0
        np.testing.assert_array_equal(moved.sum(axis=0), 1)
        np.testing.assert_array_equal(moved.sum(axis=1), 1)
    levels = 0.1 + 0.8 * np.linspace(0, 1, 6)
    assert np.abs(points.ranks[..., None] - levels).min(axis=-1).max() < 1e-12
    assert draw("morris", trajectories=6, seed=3, levels=6, span=[0.1, 0.9]).identical(table)
    assert not draw("morris", trajectories=6, seed=4, levels=6, span=[0.1, 0.9]).identical(table)


def test_morris_finds_the_slopes_of_a_plane():
    three = declared(x=UNIFORM, y=UNIFORM, z=UNIFORM)
    table = draw("morris", three, draws=40, seed=3, span=[0, 1])
    x = np.column_stack([table[name] for name in three])
    problem = {"num_vars": 3, "names": list(three), "bounds": [[0, 1]] * 3}
    found = morris_indices.analyze(problem, x, x @ [3.0, -1.0, 0.0], num_levels=4, seed=1)
    np.testing.assert_allclose(np.asarray(found["mu"]), [3, -1, 0], atol=1e-12)


def test_saltelli_gives_the_published_indices_of_ishigami():
    three = declared(**{name: {"distribution": "uniform", "min": -np.pi, "max": np.pi} for name in "xyz"})
    problem = {"num_vars": 3, "names": list(three), "bounds": [[0, 1]] * 3}
    for second_order, each in ((True, 8), (False, 5)):
        table = draw("saltelli", three, points=2048, seed=11, second_order=second_order)
        assert table.sizes["draw"] == 2048 * each
        x, y, z = (table[name].values for name in three)
        value = np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)
        found = sobol_indices.analyze(problem, value, calc_second_order=second_order, num_resamples=2, seed=1)
        np.testing.assert_allclose(found["S1"], [0.313905, 0.442411, 0], atol=0.02)
        np.testing.assert_allclose(found["ST"], [0.557589, 0.442411, 0.243684], atol=0.02)


def test_the_number_of_draws_may_say_how_many():
    assert draw("morris", draws=15, seed=1).identical(draw("morris", trajectories=3, seed=1))
    assert draw("saltelli", draws=40, seed=1).identical(draw("saltelli", points=4, seed=1))
    assert draw("factorial", draws=36, levels=3).identical(draw("factorial", levels=3))


@pytest.mark.parametrize(
    ("design", "message"),
    [
        (
            {"kind": "morris", "draws": 14, "seed": 1},
            "design.draws: found 14, expected a multiple of 5, such as 15; or traj",
        ),
        (
            {"kind": "saltelli", "draws": 3, "seed": 1},
            "design.draws: found 3, expected a multiple of 10, such as 10; or po",
        ),
        (
            {"kind": "morris", "draws": 10, "trajectories": 3, "seed": 1},
            "design.draws: found 10, expected the 15 draws of 3 trajectories, or none",
        ),
        (
            {"kind": "factorial", "levels": 3, "draws": 9},
            "design.draws: found 9, expected the 36 draws of this factorial",
        ),
        (
            {"kind": "factorial", "levels": {"yaer": 2}},
            "design.levels.yaer: found 'yaer', expected the name of an uncertain parameter; nearest known name: year",
        ),
        ({"kind": "factorial", "levels": {"b": 2}}, "design.levels.b: found 'b', expected a parameter that varies"),
        (
            {"kind": "factorial", "levels": {"year": ["fy2018"]}},
            "design.levels.year: found 'fy2018', expected one of fy2019, fy2024, fy2030; nearest known name: fy2019",
        ),
        ({"kind": "factorial", "levels": {"a": ["low"]}}, "design.levels.a: found 'low', expected numbers"),
        ({"kind": "factorial", "levels": 10_000}, "design.levels: found '400,000,000 draws'"),
    ],
)
def test_designs_that_cannot_be_are_refused(design, message):
    fixed = {"b": 1.0} if "b" in str(design.get("levels")) else {}
    marginals = FOUR if design.get("levels") != 10_000 else FOUR | declared(c=UNIFORM)
    with pytest.raises(SamplingError) as refused:
        draw_table(marginals, DesignSpec(**design), fixed=fixed)
    assert str(refused.value).startswith(message) or "400,000,000" in message


def test_nothing_that_varies_is_refused():
    with pytest.raises(SamplingError, match="at least one parameter that varies"):
        draw("morris", declared(a=UNIFORM), trajectories=2, seed=1, fixed={"a": 1})


# random designs


@pytest.mark.parametrize(
    ("method", "dimensions", "unevenness"),
    [("random-cd", 10, qmc.discrepancy), ("lloyd", 2, lambda points: -pdist(points).min())],
)
def test_an_optimised_latin_hypercube_is_more_even(method, dimensions, unevenness):
    plain = unit_points(DesignSpec(kind="lhs", draws=24, seed=1), dimensions)
    design = DesignSpec(kind="lhs", draws=24, seed=1, optimization=method)
    better = unit_points(design, dimensions)
    assert unevenness(better) < unevenness(plain)
    assert ((better >= 0) & (better < 1)).all()
    np.testing.assert_array_equal(better, unit_points(design, dimensions))


def test_lloyd_in_many_dimensions_is_refused():
    with pytest.raises(SamplingError, match=r'design\.optimization: found .lloyd., expected "random-cd", or at most 6'):
        unit_points(DesignSpec(kind="lhs", draws=4, seed=1, optimization="lloyd"), 19)


@pytest.mark.parametrize("number", [2, 200])
@pytest.mark.parametrize("kind", ["monte_carlo", "lhs", "sobol", "halton", "morris", "saltelli"])
def test_few_and_many_parameters(kind, number):
    names = [f"p{i}" for i in range(number)]
    kinds = [UNIFORM, {"distribution": "gamma", "a": 2}, {"distribution": "normal", "mean": 0, "sd": 1}]
    marginals = {name: marginal_from_dict(name, kinds[i % 3]) for i, name in enumerate(names)}
    keys = {"morris": {"trajectories": 2}, "saltelli": {"points": 2, "second_order": False}}.get(kind, {"draws": 64})
    spec = DependenceSpec(rank_correlation=[["p0", f"p{number - 1}", 0.5]])
    table = draw(kind, marginals, seed=1, dependence=spec, **keys)
    assert list(table.data_vars) == names
    assert all(np.isfinite(table[name]).all() for name in names)


# notes


def notes(kind, **keys):
    more = {key: keys.pop(key) for key in ("dependence", "fixed") if key in keys}
    return design_notes(FOUR, DesignSpec(kind=kind, **keys), **more)


def test_a_balanced_design_needs_no_note():
    assert notes("sobol", draws=64, seed=1, replicates=4) == ()
    assert notes("monte_carlo", draws=5, seed=1, replicates=2) == ()
    assert notes("lhs", draws=60, seed=1, replicates=4) == ()


def test_what_breaks_the_balance_is_noted():
    [uneven] = notes("sobol", draws=48, seed=1)
    assert uneven.startswith("48 Sobol points are no power of two")
    assert "32 or 64 draws do better" in uneven
    remainder, also = notes("sobol", draws=50, seed=1, replicates=4)
    assert remainder.startswith("50 draws are no multiple of 4 replicates")
    assert also.startswith("13 Sobol points in each replicate are no power of two")
    assert "32 or 64 draws do better" in also
    assert len(notes("halton", draws=50, seed=1, replicates=4)) == 1
    [moved] = notes("lhs", draws=50, seed=1, optimization="lloyd")
    assert moved.startswith("lloyd moves the points out of their slices")


def test_correlated_parameters_in_a_structured_design_are_noted():
    spec = DependenceSpec(rank_correlation=[["a", "b", 0.5]])
    [note] = notes("saltelli", points=4, seed=1, dependence=spec)
    assert "a and b are correlated" in note
    assert notes("saltelli", points=4, seed=1, dependence=spec, fixed={"a": 1.0}) == ()
    assert notes("sobol", draws=4, seed=1, dependence=spec) == ()
    assert notes("factorial", levels={"year": 2}, dependence=spec) == ()
    assert len(notes("factorial", levels={"a": 2}, dependence=spec)) == 1
