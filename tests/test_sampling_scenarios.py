"""Test named futures: every point under each of them, the prefix law, what they come before, and what is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampling import DesignSpec, SamplingError, draw_table, marginal_from_dict

DECLARED = {
    "a": {"distribution": "uniform", "min": 0, "max": 10},
    "b": {"distribution": "normal", "mean": 0, "sd": 1},
    "year": {"distribution": "choice", "odds": {"fy2019": 0.25, "fy2024": 0.75}},
    "switch": {"distribution": "bernoulli", "p": 0.5},
}
FOUR = {name: marginal_from_dict(name, one) for name, one in DECLARED.items()}


def draw(kind, scenarios=None, fixed=None, **keys):
    return draw_table(FOUR, DesignSpec(kind=kind, **keys), fixed=fixed or {}, scenarios=scenarios or {})


WORLDS = {"low": {"a": 1, "year": "fy2019"}, "high": {"a": 2}, "free": {}}


def test_every_point_is_drawn_under_each_scenario():
    plain, crossed = (
        draw("sobol", draws=8, seed=1, replicates=2),
        draw("sobol", draws=8, seed=1, replicates=2, scenarios=WORLDS),
    )
    assert crossed.sizes["draw"] == 24
    assert crossed["scenario"].values.tolist() == ["low", "high", "free"] * 8
    assert crossed["scenario"].attrs["role"] == "scenario"
    assert crossed["replicate"].values.tolist() == np.repeat(plain["replicate"].values, 3).tolist()
    np.testing.assert_array_equal(crossed["a"].values.reshape(8, 3)[:, :2], [[1, 2]] * 8)
    np.testing.assert_array_equal(crossed["a"].values[2::3], plain["a"].values)
    assert crossed["year"].values[0::3].tolist() == ["fy2019"] * 8
    for place in range(3):
        np.testing.assert_array_equal(crossed["b"].values[place::3], plain["b"].values)
    np.testing.assert_array_equal(crossed["year"].values[2::3], plain["year"].values)
    assert crossed["a"].attrs["distribution"] == "scenario(low=1, high=2), else uniform(min=0, max=10)"


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(["monte_carlo", "sobol", "halton"]),
    draws=st.integers(1, 40),
    more=st.integers(0, 40),
    replicates=st.integers(1, 4),
)
def test_a_longer_table_of_scenarios_begins_with_the_shorter(kind, draws, more, replicates):
    short = draw(kind, draws=draws, seed=1, replicates=replicates, scenarios=WORLDS)
    long = draw(kind, draws=draws + more, seed=1, replicates=replicates, scenarios=WORLDS)
    assert short.identical(long.isel(draw=slice(short.sizes["draw"])))


def test_scenarios_come_before_fixed_values_and_files(tmp_path):
    held = draw("sobol", draws=2, seed=1, fixed={"a": 9}, scenarios=WORLDS)
    assert held["a"].values.tolist() == [1, 2, 9] * 2
    (tmp_path / "f.csv").write_text("a,b\n5,6\n7,8\n")
    design = DesignSpec(kind="file", file="f.csv")
    defaults = {"year": "fy2024", "switch": 1.0}
    listed = draw_table(FOUR, design, defaults=defaults, base=tmp_path, scenarios=WORLDS)
    assert listed["a"].values.tolist() == [1, 2, 5, 1, 2, 7]
    assert listed["b"].values.tolist() == [6, 6, 6, 8, 8, 8]


@pytest.mark.parametrize(
    ("worlds", "message"),
    [
        (
            {"low": {"yaer": 1}},
            "scenario.low.yaer: found 1, expected the name of an uncertain parameter; nearest known",
        ),
        ({"low": {"year": 3}}, "scenario.low.year: found 3, expected a text"),
        ({"low": {"a": "x"}}, "scenario.low.a: found 'x', expected a finite number"),
    ],
)
def test_bad_scenarios_are_refused(worlds, message):
    with pytest.raises(SamplingError) as refused:
        draw("sobol", draws=2, seed=1, scenarios=worlds)
    assert str(refused.value).startswith(message)
