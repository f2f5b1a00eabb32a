"""Test measures of sensitivity against published answers, closed forms and integrals, with failed draws among them."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from SALib.analyze import pawn as salib_pawn
from scipy import stats

from report.factors import Factor, correlated_pairs, read_factors
from report.given_data import MEASURES, first_order, pawn
from report.sensitivity import sensitivity
from report.sensitivity_text import sensitivity_record, sensitivity_text
from report.where import QueryError
from tests.sensitivity_cases import (
    ISHIGAMI_PAIR,
    ISHIGAMI_S1,
    ISHIGAMI_ST,
    cube_of,
    fail,
    ishigami,
    morris,
    problem,
    saltelli,
    sobol_g,
    sobol_g_indices,
)
from tests.sweep_cases import strict_json

TEXTS = np.array(["fy2019", "fy2024"], dtype=object)


def of(found: xr.Dataset, measure: str, part: str = "value", configuration: str = "first") -> Any:
    return found[part].sel(measure=measure, configuration=configuration).to_numpy()


def random_units(draws: int, inputs: int = 3, seed: int = 0) -> Any:
    return np.random.default_rng(seed).random((draws, inputs))


@pytest.fixture(scope="module")
def sobol_of_ishigami() -> xr.Dataset:
    cube = fail(cube_of(saltelli(1024), ishigami, "saltelli"), [5, 77, 78, 900])
    return sensitivity(cube, "y", seed=3)


def test_sobol_indices_are_those_published_with_failed_draws_among_them(sobol_of_ishigami: xr.Dataset) -> None:
    found = sobol_of_ishigami
    assert list(found["parameter"].values) == ["x0", "x1", "x2"]
    for measure, published in (("S1", ISHIGAMI_S1), ("ST", ISHIGAMI_ST)):
        assert of(found, measure) == pytest.approx(published, abs=0.02)
        assert (of(found, measure, "low") <= published).all()
        assert (of(found, measure, "high") >= published).all()
    pairs = {(0, 1): 0.0, (0, 2): ISHIGAMI_PAIR, (1, 2): 0.0}
    for (i, j), published in pairs.items():
        parts = (found[f"pair_{part}"].sel(configuration="first")[i, j].item() for part in ("low", "value", "high"))
        low, value, high = parts
        assert value == pytest.approx(published, abs=0.05)
        assert low <= published <= high
    # draws 5, 77 and 78, 900 lie in blocks 0, 9 and 112 of 8 draws each
    assert found["sets"].values.tolist() == [1021, 1024]
    assert found["n"].values.tolist() == [1021 * 8, 1024 * 8]
    assert any("take their base point with them" in note for note in found.attrs["notes"])
    assert found.attrs["left_out"] == {"held": "0.5 in all of these draws"}


def test_sobol_indices_of_the_g_function() -> None:
    found = sensitivity(cube_of(saltelli(512), sobol_g, "saltelli"), "y")
    first, total, second = sobol_g_indices()
    for measure, exact in (("S1", first), ("ST", total)):
        assert of(found, measure) == pytest.approx(exact, abs=0.01)
        assert (np.abs(of(found, measure) - exact) <= of(found, measure, "high") - of(found, measure)).all()
    for i, j in combinations(range(3), 2):
        assert found["pair_value"].sel(configuration="second")[i, j].item() == pytest.approx(second[i, j], abs=0.02)


@pytest.mark.parametrize("second_order", [False, True])
def test_a_failed_base_point_leaves_the_estimate_of_the_others(second_order: bool) -> None:
    units = saltelli(64, second_order=second_order)
    size = 8 if second_order else 5
    cube = cube_of(units, ishigami, "saltelli")
    failed = sensitivity(fail(cube, [3 * size + 1]), "y")
    without = sensitivity(cube.isel(draw=np.r_[0 : 3 * size, 4 * size : len(units)]), "y")
    xr.testing.assert_identical(failed["value"].sel(configuration="first"), without["value"].sel(configuration="first"))
    assert ("pair_value" in failed) == second_order


def test_parameters_that_follow_each_other_exactly_share_an_index_and_fixed_columns_of_the_design_have_none() -> None:
    units = saltelli(256, 4)
    units[:, 3] = 0.5
    cube = cube_of(units, lambda unit: ishigami(unit[:, :3]), "saltelli", follower=("draw", 1 - units[:, 1]))
    found = sensitivity(cube, "y")
    assert list(found["parameter"].values) == ["x0", "x1+follower", "x2"]
    assert of(found, "ST") == pytest.approx(ISHIGAMI_ST, abs=0.06)
    assert found.attrs["left_out"] == {"x3": "0.5 in all of these draws", "held": "0.5 in all of these draws"}


def test_given_data_measures_find_the_first_order_indices_with_failed_draws_among_them() -> None:
    failed = list(range(10, 400, 13))
    for function, exact in ((ishigami, np.array(ISHIGAMI_S1)), (sobol_g, sobol_g_indices()[0])):
        found = sensitivity(fail(cube_of(random_units(3000), function, "monte_carlo"), failed), "y")
        assert of(found, "S1") == pytest.approx(exact, abs=0.04)
        assert of(found, "S1", configuration="second") == pytest.approx(exact, abs=0.04)
        inside = (of(found, "S1", "low") <= exact) & (exact <= of(found, "S1", "high"))
        assert inside.sum() >= 2  # 95 % intervals
        assert found["n"].values.tolist() == [3000 - len(failed), 3000]
        assert found["dropped"].values.tolist() == [len(failed), 0]
        if function is ishigami:  # its third input moves the distribution and not the mean
            for measure in ("delta", "PAWN"):
                floor = found["floor"].sel(measure=measure, configuration="first").item()
                assert of(found, measure, "low")[2] > floor


def test_delta_and_pawn_against_integrals() -> None:
    """Y = 0.9 X + 0.436 E, all standard normal: the areas and distances follow from the normal distribution."""
    a, b = 0.9, np.sqrt(1 - 0.81)
    y, x = np.linspace(-6, 6, 2001), stats.norm.ppf((np.arange(2000) + 0.5) / 2000)
    density = stats.norm.pdf((y[:, None] - a * x) / b) / b
    delta = float(np.trapezoid(np.abs(stats.norm.pdf(y)[:, None] - density), y, axis=0).mean() / 2)
    inside = stats.norm.cdf((y[:, None] - a * x) / b).reshape(len(y), 10, 200).mean(axis=2)
    distance = float(np.median(np.abs(inside - stats.norm.cdf(y)[:, None]).max(axis=0)))
    units = random_units(4000, 2, seed=4)
    cube = cube_of(units, lambda unit: a * stats.norm.ppf(unit[:, 0]) + b * stats.norm.ppf(unit[:, 1]), "monte_carlo")
    found = sensitivity(cube, "y", configurations=["first"])
    assert of(found, "delta")[0] == pytest.approx(delta, abs=0.04)
    assert of(found, "PAWN")[0] == pytest.approx(distance, abs=0.03)
    assert of(found, "S1")[0] == pytest.approx(a**2, abs=0.03)


def test_pawn_is_that_of_salib() -> None:
    units = random_units(800)
    y = ishigami(units)
    ours = [pawn(y, units[:, j], False, 800) for j in range(3)]
    # SALib leaves the greatest value of the parameter out of its last slice
    assert ours == pytest.approx(salib_pawn.analyze(problem(3), units, y)["median"], abs=0.01)


def test_a_parameter_without_influence_stays_below_the_floor() -> None:
    found = sensitivity(
        cube_of(random_units(800, 12), lambda unit: ishigami(unit[:, :3]), "monte_carlo"), "y", configurations=["first"]
    )
    for measure in ("S1", "delta", "PAWN"):
        floor = found["floor"].sel(measure=measure, configuration="first").item()
        assert (of(found, measure)[3:] > floor).sum() <= 2  # of nine, 5 % each
        assert (of(found, measure)[:2] > floor).all()


def test_texts_and_numbers_of_few_values_are_taken_by_their_values() -> None:
    units = random_units(2000, 2)
    few = np.searchsorted([0.2, 0.7], units[:, 1])
    year = np.array(["middle", "a low one", "high"], dtype=object)[few]
    effect = np.array([0.0, -1.0, 1.0])[few]
    cube = cube_of(
        units[:, :1], lambda unit: unit[:, 0] + effect, "monte_carlo", year=("draw", year), few=("draw", few * 1.0)
    )
    found = sensitivity(cube, "y", configurations=["first"])
    mean = 0.3 - 0.5
    exact = (0.5 + 0.3 - mean**2) / (0.5 + 0.3 - mean**2 + 1 / 12)
    assert of(found, "S1")[1:] == pytest.approx([exact, exact], abs=0.02)
    assert found.attrs["coded"] == {"year": ("a low one", "high", "middle")}
    assert of(found, "delta")[1] == pytest.approx(of(found, "delta")[2], abs=1e-12)
    assert any("Texts are taken as categories" in note for note in found.attrs["notes"])
    relabelled = np.array(["z", "b", "q"], dtype=object)[few]  # another order of the codes
    again = sensitivity(cube.assign(year=("draw", relabelled)), "y", configurations=["first"])
    for measure in ("S1", "delta", "PAWN"):
        assert of(again, measure)[1] == pytest.approx(of(found, measure)[1])


def test_morris_effects_of_a_line_a_product_and_a_square() -> None:
    units = morris(60, 4, levels=6)
    cube = cube_of(units, lambda u: 3 * u[:, 0] - 5 * u[:, 1] + 2 * u[:, 2] * u[:, 3], "morris")
    found = sensitivity(fail(cube, [7]), "y", seed=1)
    assert of(found, "mu")[:2] == pytest.approx([3, -5])
    assert of(found, "mu_star")[:2] == pytest.approx([3, 5])
    assert of(found, "sigma")[:2] == pytest.approx([0, 0], abs=1e-12)
    assert of(found, "mu", configuration="second")[:2] == pytest.approx([-3, 5])
    # the effect of one factor of a product is twice the other, which is uniform on 0, 0.2, ..., 1
    assert of(found, "mu")[2:] == pytest.approx([1, 1], abs=0.25)
    assert of(found, "sigma")[2:] == pytest.approx([2 * np.sqrt(0.35 / 3)] * 2, abs=0.15)
    assert (of(found, "mu", "low")[2:] < 1).all()
    assert (of(found, "mu", "high")[2:] > 1).all()
    assert found["sets"].values.tolist() == [59, 60]


def test_morris_with_texts_and_a_design_that_keeps_fixed_parameters() -> None:
    units = morris(20, 3)
    year = TEXTS[(units[:, 2] > 0.5).astype(int)]
    cube = cube_of(units[:, :2], lambda u: u[:, 0] + 4 * (year == "fy2024"), "morris", year=("draw", year))
    found = sensitivity(cube, "y")
    assert of(found, "mu_star")[:2] == pytest.approx([1, 0])
    assert 4 <= of(found, "mu_star")[2] <= 6  # 4 over a step of two thirds of the range
    text = sensitivity_text(found)
    assert "the sign of mu follows that order" in text
    units[:, 1] = 0.5
    assert list(sensitivity(cube_of(units, ishigami, "morris"), "y")["parameter"].values) == ["x0", "x2"]


@pytest.mark.parametrize(
    ("kind", "asked", "message"),
    [
        ("sobol", {"method": "sobol"}, "needs a design of kind 'saltelli', found 'sobol'"),
        ("saltelli", {"method": "morris"}, "needs a design of kind 'morris', found 'saltelli'"),
        ("morris", {"method": "given"}, "found a design of kind 'morris', expected monte_carlo"),
        ("one_at_a_time", {}, "found a design of kind 'one_at_a_time'"),
        ("sobol", {"method": "sobl"}, "nearest known: 'sobol'"),
        ("saltelli", {"method": "sobol"}, "Sobol indices need independent parameters"),
        ("morris", {}, "no trajectories in which parameters change one at a time"),
        ("sobol", {"outcome": "x0"}, "x0 is a parameter; expected an outcome"),
        ("sobol", {"outcome": "yy"}, "nearest known: 'y'"),
        ("sobol", {"select": {"area": ("A",)}}, "--select area"),
        ("sobol", {"select": {"held": ("0.7",)}}, "no such held"),
        ("sobol", {"select": {"x0": ("0.5",)}}, "no such x0"),
        ("sobol", {"configurations": ["third"]}, "no such configuration"),
        ("sobol", {"resamples": 1}, "expected 2 or more"),
    ],
)
def test_what_has_no_answer_is_refused(kind: str, asked: dict[str, Any], message: str) -> None:
    cube = cube_of(random_units(160), ishigami, kind)
    with pytest.raises(QueryError, match=message):
        sensitivity(cube, **({"outcome": "y"} | asked))


def test_dependent_parameters_have_no_sobol_indices() -> None:
    units = saltelli(64)
    cube = cube_of(units, ishigami, "saltelli")
    cube["x1"].attrs["correlation"] = "x0: 0.6"
    with pytest.raises(QueryError, match=r"depend on each other \(x1 on x0: 0.6\)"):
        sensitivity(cube, "y", method="sobol")
    found = sensitivity(cube, "y")
    assert found.attrs["method"] == "given"
    assert found["n"].values.tolist() == [128, 128]
    mixed = units.copy()
    mixed[:, 1] = 0.8 * mixed[:, 0] + 0.2 * mixed[:, 1]
    undeclared = sensitivity(cube_of(mixed, ishigami, "saltelli"), "y")
    assert undeclared.attrs["method"] == "given"
    notes = " ".join(undeclared.attrs["notes"])
    assert "depend on each other" in notes
    assert "rank correlation: x0 and x1 (+0." in notes


def test_correlation_is_found_and_independence_is_not_doubted() -> None:
    units = random_units(500, 8, seed=2)
    factors = [Factor(f"x{j}", units[:, j]) for j in range(8)]
    assert correlated_pairs(factors) == []
    factors[3] = Factor("x3", units[:, 1] + 0.5 * units[:, 3])
    assert [pair[:2] for pair in correlated_pairs(factors)] == [("x1", "x3")]


def test_an_outcome_that_does_not_vary_or_is_missing_is_null_with_its_reason() -> None:
    for kind, units in (("sobol", random_units(64)), ("saltelli", saltelli(16)), ("morris", morris(16))):
        cube = cube_of(units, lambda unit: np.full(len(unit), 2.5), kind)
        cube["status"][:, 1] = 2
        found = sensitivity(cube, "y")
        assert np.isnan(found["value"]).all()
        reasons = found["reason"].values.tolist()
        assert reasons == [f"does not vary: 2.5 in all {len(units)} draws", "no draw has a value"]
        record = strict_json(json.dumps(sensitivity_record(found), allow_nan=False))
        assert [result["reason"] for result in record["results"]] == reasons
        parts = [part for one in record["results"][0]["parameters"] for part in list(one.values())[1:]]
        assert all(part == {"value": None, "low": None, "high": None} for part in parts)
        assert "no answer" in sensitivity_text(found)
    cube["status"][:-8, 0] = 5
    assert "of 16 trajectories have all their draws" in sensitivity(cube, "y")["reason"].values[0]


def test_savings_rest_on_draws_in_which_the_reference_finished_too() -> None:
    cube = cube_of(random_units(100), ishigami, "monte_carlo").rename(y="saving_total")
    cube["status"][:30, 0] = 2
    assert sensitivity(cube, "saving_total")["n"].values.tolist() == [70, 70]


def test_areas_are_summed_selected_or_told_apart() -> None:
    units = random_units(120)
    parts = np.stack([units[:, [j, j]] for j in range(3)], axis=2)
    load = (("draw", "configuration", "area"), parts, {"units": "TWh"})
    cube = cube_of(units, ishigami, "monte_carlo", dc_load=load).assign_coords(area=["A", "B", "C"])
    apart = sensitivity(cube, "dc_load")
    assert apart["value"].dims == ("configuration", "area", "measure", "parameter")
    for j, area in enumerate("ABC"):
        assert of(apart.sel(area=area), "S1").argmax() == j
    assert "of first, area B" in sensitivity_text(apart)
    summed = sensitivity(cube, "dc_load", sums=["area"], configurations=["first"])
    assert of(summed, "S1") == pytest.approx([1 / 3] * 3, abs=0.25)
    one = sensitivity(cube, "dc_load", select={"area": ("B",)}, configurations=["second"])
    xr.testing.assert_identical(one["value"], apart["value"].sel(area=["B"], configuration=["second"]))
    many = cube.assign_coords(area=["A", "B", "C"]).isel(area=np.zeros(101, dtype=int))
    with pytest.raises(QueryError, match="202 values in a draw, expected 200 or fewer"):
        sensitivity(many.assign_coords(area=[str(j) for j in range(101)]), "dc_load")


def test_scenarios_are_taken_one_at_a_time_in_a_design() -> None:
    units = np.repeat(saltelli(64), 2, axis=0)
    names = np.array(["base", "strict"] * (len(units) // 2), dtype=object)
    cube = cube_of(units, ishigami, "saltelli", scenario=("draw", names, {"role": "scenario"}))
    with pytest.raises(QueryError, match="take one, as in --select scenario=NAME"):
        sensitivity(cube, "y")
    found = sensitivity(cube, "y", select={"scenario": ("strict",)})
    plain = sensitivity(cube_of(saltelli(64), ishigami, "saltelli"), "y")
    assert of(found, "ST") == pytest.approx(of(plain, "ST"))


def test_the_same_seed_gives_the_same_numbers_and_the_global_generator_is_left_alone() -> None:
    for kind, units in (("sobol", random_units(80)), ("saltelli", saltelli(16)), ("morris", morris(10))):
        cube = cube_of(units, ishigami, kind)
        np.random.seed(17)
        before = np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]
        first, again, other = (sensitivity(cube, "y", seed=seed) for seed in (0, 0, 5))
        assert np.random.get_state()[1].tolist() == before  # type: ignore[index, union-attr]
        xr.testing.assert_identical(first, again)
        assert not first["low"].equals(other["low"])


def test_the_words_name_the_strongest_with_its_share_and_interval(sobol_of_ishigami: xr.Dataset) -> None:
    text = sensitivity_text(sobol_of_ishigami, top=2)
    low, high = (of(sobol_of_ishigami, "S1", part)[1] for part in ("low", "high"))
    assert f"x1 drives 44 % of the variance of y of first ({low:.2f}–{high:.2f}), x0 " in text
    assert "1,021 of 1,024 base points" in text
    assert "Pairs, second order: x0 x x2 0.2" in text
    assert "... 1 more" in text
    effects = sensitivity_text(sensitivity(cube_of(morris(20), lambda u: 3 * u[:, 0], "morris"), "y"))
    assert "Moved over its range, a parameter changes y of first on average: x0 by 3 TWh (3–3)" in effects
    nothing = sensitivity_text(
        sensitivity(cube_of(random_units(50), lambda u: u[:, 0] * 0 + noise(len(u)), "lhs"), "y")
    )
    assert nothing.startswith("No parameter alone can be told from chance for y of first [50 draws]")


def noise(draws: int) -> Any:
    return np.random.default_rng(8).normal(size=draws)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100), st.floats(-1e3, 1e3))
def test_measures_do_not_depend_on_scale_and_origin_of_the_outcome(seed: int, scale: float, origin: float) -> None:
    units = random_units(60, seed=seed)
    y = ishigami(units)
    for measure in MEASURES:
        for few in (False, True):
            column = np.floor(4 * units[:, 0]) if few else units[:, 0]
            assert measure.estimate(y, column, few, 60) == pytest.approx(
                measure.estimate(scale * y + origin, column, few, 60), abs=1e-6
            )


def test_a_column_with_gaps_is_left_out_and_nothing_that_varies_is_refused() -> None:
    units = random_units(50)
    cube = cube_of(units, ishigami, "file", gaps=("draw", np.where(units[:, 0] > 0.5, np.nan, 1.0)))
    assert set(read_factors(cube).left_out) == {"held", "gaps"}
    with pytest.raises(QueryError, match="no parameter varies"):
        sensitivity(cube[["held", "status", "y"]], "y")
    assert np.isnan(first_order(np.arange(3.0), np.arange(3.0), True, 3))
