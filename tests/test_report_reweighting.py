"""Test weighted statistics: effective sizes and their laws, intervals that hold the truth, and who is best."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from report.intervals import (
    Interval,
    Sample,
    cvar_interval,
    mean_interval,
    probability_interval,
    quantile_interval,
    share_interval,
)
from report.reweighting import asked_size, effective_of_mean, effective_size, reweighted
from report.reweighting_text import reweighting_record, reweighting_text
from sampling import DependenceSpec, marginal_from_dict
from sampling.ratio import Joint, log_ratio

OLD = {"distribution": "triangular", "min": 0, "mode": 9, "max": 23}
NEW = {"distribution": "triangular", "min": 0, "mode": 7, "max": 20}
REPETITIONS, DRAWS = 1000, 400
POSITIVE = st.lists(st.floats(1e-3, 1e3), min_size=2, max_size=30)


@given(POSITIVE, st.floats(1e-3, 1e3))
@settings(max_examples=60, deadline=None)
def test_the_effective_size_lies_between_one_and_all(listed: list[float], scale: float) -> None:
    weights = np.array(listed)
    size = effective_size(weights)
    assert 1 - 1e-9 <= size <= len(weights) + 1e-9
    assert effective_size(scale * weights) == pytest.approx(size)
    assert effective_size(np.append(weights, 0.0)) == pytest.approx(size)
    assert effective_size(np.full(len(weights), scale)) == pytest.approx(len(weights))


def test_effective_sizes_by_hand() -> None:
    assert effective_size(np.array([3.0, 1.0, 1.0, 1.0])) == 3
    assert np.isnan(effective_size(np.zeros(3)))
    assert effective_of_mean(np.array([1.0, 2, 4, 9]), np.full(4, 7.0)) == pytest.approx(4)
    # Two values that weigh 1/2 together and lie at the mean: the error comes from the others alone.
    assert effective_of_mean(np.array([0.0, 0, 1, -1]), np.array([1.0, 1, 1, 1])) == pytest.approx(4)
    assert effective_of_mean(np.array([0.0, 1, -1]), np.array([2.0, 1, 1])) == pytest.approx(4)
    assert np.isnan(effective_of_mean(np.ones(3), np.ones(3)))
    assert [asked_size(n, None) for n in (64, 2000, 100_000)] == [20, 20, 1000]
    assert asked_size(64, 5.0) == 5


def test_coverage_of_reweighted_draws() -> None:
    old, new = (Joint({"x": marginal_from_dict("x", one)}, DependenceSpec()) for one in (OLD, NEW))
    rng = np.random.default_rng(21)
    x = old.marginals["x"].ppf(rng.random(REPETITIONS * DRAWS))
    weights = np.exp(log_ratio({"x": np.asarray(x)}, old, new, {"x"}).log).reshape(REPETITIONS, DRAWS)
    values = np.asarray(x).reshape(REPETITIONS, DRAWS)
    sizes = [effective_size(row) for row in weights]
    assert 0.75 * DRAWS < np.mean(sizes) < 0.9 * DRAWS
    of = stats.triang(7 / 20, 0, 20)
    beyond = of.ppf(np.linspace(0.8, 1, 20_002)[1:-1]).mean()
    truths: dict[str, tuple[Callable[[Sample], Interval], float]] = {
        "mean": (mean_interval, 9.0),
        "above": (partial(probability_interval, threshold=12.0), float(of.sf(12.0))),
        "q5": (partial(quantile_interval, level=0.05), float(of.ppf(0.05))),
        "q50": (partial(quantile_interval, level=0.5), float(of.ppf(0.5))),
        "q90": (partial(quantile_interval, level=0.9), float(of.ppf(0.9))),
        "cvar": (partial(cvar_interval, level=0.8), float(beyond)),
    }
    replicate = np.zeros(DRAWS, dtype=np.int64)
    samples = [Sample(v, "monte_carlo", replicate, w) for v, w in zip(values, weights, strict=True)]
    for name, (interval, truth) in truths.items():
        held = np.mean([(one := interval(sample)).low <= truth <= one.high for sample in samples])
        assert 0.93 <= held <= 0.97, (name, held)


def test_few_draws_bound_no_tail_and_agreement_is_no_certainty() -> None:
    weights = np.linspace(1.0, 2.0, 30)
    sample = Sample(np.arange(30.0), "monte_carlo", np.zeros(30, dtype=np.int64), weights)
    tail = quantile_interval(sample, 0.05)
    assert np.isnan(tail.low)
    assert tail.high > tail.estimate
    for values, design in ((np.ones(30), "monte_carlo"), (np.ones(30), "sobol")):
        sure = share_interval(Sample(values, design, np.arange(30) % 3, weights))
        assert (sure.estimate, sure.high) == (1.0, 1.0)
        assert 0.85 < sure.low < 0.95


def cube(costs: np.ndarray, free: list[str] | None = None) -> xr.Dataset:
    """Make a cube in memory of costs (draw, configuration), NaN where a draw failed; "a" is the reference."""
    names = ["a", "b", "c"][: costs.shape[1]]
    named = [place for place, name in enumerate(names) if name not in (free or [])]
    over = ("draw", "configuration")
    return xr.Dataset(
        {
            "status": (over, np.where(np.isnan(costs), 2, 1).astype(np.int8)),
            "saving_total": (over, costs[:, :1] - costs, {"units": "billion yen"}),
            "regret_total": (over, costs - costs[:, named].min(axis=1, keepdims=True)),
        },
        {"configuration": names, "replicate": ("draw", np.zeros(len(costs), dtype=np.int64))},
        {"design_kind": "monte_carlo", "reference": "a", "free_configurations": free or []},
    )


def test_who_is_best_is_judged_among_named_ones_by_weight() -> None:
    costs = np.array([[2.0, 1, 0], [1, 2, 0], [3, 3, 1], [4, 5, 2]])
    logs = np.log([4.0, 1.0, 2.0, 1.0])
    found = reweighted(cube(costs, ["c"]), {"study": np.zeros(4), "new": logs}, name="saving_total", least=1)
    best = found["best"].sel(scenario="", belief="new")
    assert best.sel(configuration="a").item() == pytest.approx((1 + 2 / 2 + 1) / 8)
    assert best.sel(configuration="b").item() == pytest.approx((4 + 2 / 2) / 8)
    assert np.isnan(best.sel(configuration="c").item())
    assert found["mean"].sel(scenario="", belief="new", configuration="b").item() == pytest.approx((4 - 1 - 1) / 8)
    assert np.isnan(found["mean"].sel(configuration="a")).all()
    assert found["effective_least"].values.tolist() == [[4, pytest.approx(64 / 22)]]
    assert found["largest_share"].values.tolist() == [[0.25, 0.5]]


def test_impossible_draws_weigh_nothing_and_all_impossible_is_refused() -> None:
    costs = np.column_stack([np.arange(6.0), np.zeros(6)])
    logs = np.where(np.arange(6) < 3, 0.7, -np.inf)
    found = reweighted(
        cube(costs), {"s": np.zeros(6), "half": logs, "none": np.full(6, -np.inf)}, name="saving_total", least=2
    )
    assert found["mean"].sel(belief="half", configuration="b").item() == pytest.approx(1)
    assert found["effective_least"].sel(belief="half").item() == 3
    assert found["refused"].values.tolist() == [["", "", "6 draws count as 0.0 of the new beliefs, 2.0 are asked for"]]
    record = reweighting_record(found)
    assert record["sets"][2]["configurations"]["b"]["mean"]["value"] is None
    assert "The ratios of densities of none average 0.00 where 1 is expected" in reweighting_text(found)


def test_the_mixture_is_that_of_densities() -> None:
    costs = np.column_stack([np.array([1.0, 2, 3, 4]), np.zeros(4)])
    logs = np.log([1.5, 1.5, 0.5, 0.5])
    found = reweighted(
        cube(costs), {"s": np.zeros(4), "n": logs}, odds={"s": 0.5, "n": 0.5}, name="saving_total", least=1
    )
    expected = np.array([1.25, 1.25, 0.75, 0.75]) @ [1, 2, 3, 4] / 4
    assert found["mean"].sel(belief="mix", configuration="b").item() == pytest.approx(expected)
    assert "mix: the sets by their odds, s 0.5, n 0.5." in reweighting_text(found)
