"""Robustness metrics equal the published numbers, and obey the laws that they are defined by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.optimize import linprog

from report.estimators import cvar, quantile
from report.metrics import METRICS, RANKED, Costs, agreement, read_futures, scorecard, stability, winners
from report.metrics import definitions as of
from report.metrics.deciding import (
    breaks_even,
    dominance,
    price_of_robustness,
    value_of_information,
    value_of_stochastic_solution,
    wait_and_see,
)
from tests.report_cases import small_cube

RETURNS = np.array([[0.99, 1.0, 0.5], [0.69, 0.6, 0.6]])  # configuration x draw, higher is better


def equal(n: int) -> np.ndarray:
    return np.full(n, 1 / n)


def test_returns_table() -> None:
    costs, w = Costs(-RETURNS.T), equal(3)
    assert -of.worst_case(costs, w) == pytest.approx([0.5, 0.6])
    assert -of.best_case(costs, w) == pytest.approx([1.0, 0.69])
    assert -of.hurwicz(costs, w, 0.75) == pytest.approx([0.625, 0.6225])
    assert -of.expected(costs, w) == pytest.approx([0.83, 0.63])
    assert of.minimax_regret(costs, w) == pytest.approx([0.1, 0.4])
    assert of.quantile_regret(costs, w, 0.5) == pytest.approx([0.0, 0.3])
    assert -of.undesirable_deviations(costs, w) == pytest.approx([-0.245, 0.0])


def test_investor() -> None:
    costs, w = Costs(-np.array([[-4, 4, 12], [-2, 3, 8], [3, 2, 1]], float).T), equal(3)
    assert -of.worst_case(costs, w) == pytest.approx([-4, -2, 1])
    assert costs.regret.T.tolist() == [[7, 0, 0], [5, 1, 4], [0, 2, 11]]
    assert of.minimax_regret(costs, w) == pytest.approx([7, 5, 11])
    assert int(of.minimax_regret(costs, w).argmin()) == 1  # bonds


def test_cvar_of_four_costs_and_as_gains() -> None:
    costs, w = Costs(np.array([[10.0], [20], [30], [40]])), equal(4)
    assert of.expected(costs, w) == pytest.approx([25])
    assert of.value_at_risk(costs, w, 0.6) == pytest.approx([30])
    assert of.conditional_value_at_risk(costs, w, 0.6) == pytest.approx([36.25])
    gains = Costs(-np.array([[10.0], [20], [30], [40]]))
    assert -of.value_at_risk(gains, w, 0.6) == pytest.approx([20])
    assert -of.conditional_value_at_risk(gains, w, 0.6) == pytest.approx([13.75])


def test_a_textbook_table_is_wrong_and_we_do_not_follow_it() -> None:
    returns = np.array([[5000, 7000, 3000], [2000, 10000, 6000], [4000, 4000, 4000]], float)
    printed = [3000, 7000, 6000]
    told = of.minimax_regret(Costs(-returns.T), equal(3))
    assert told == pytest.approx([3000, 3000, 6000])
    assert told.tolist() != printed


YIELDS = np.outer([0.8, 1.0, 1.2], [2.5, 3.0, 20.0])  # scenario x (wheat, corn, beets), t/acre
PLANTING, NEEDED = np.array([150.0, 230, 260]), np.array([200.0, 240])


def farm_costs(acres: np.ndarray) -> np.ndarray:
    """Cost of a plan in each scenario: plant, buy what cattle lack, sell the rest (Birge and Louveaux 2011)."""
    found = []
    for each in YIELDS:
        crop = each * acres
        trade = sum(
            np.where(over >= 0, -price * over, -1.4 * price * over)
            for over, price in zip(crop[:2] - NEEDED, (170.0, 150.0), strict=True)
        )
        found.append(float(PLANTING @ acres + trade - 36 * min(crop[2], 6000) - 10 * max(crop[2] - 6000, 0)))
    return np.array(found)


def perfect_plan(scenario: int) -> float:
    """Least cost if the yields were known: a linear program in acres, buying, selling."""
    each = YIELDS[scenario]
    cost = [*PLANTING, 238, 210, -170, -150, -36, -10]
    rows = [
        [1, 1, 1, 0, 0, 0, 0, 0, 0],
        [-each[0], 0, 0, -1, 0, 1, 0, 0, 0],
        [0, -each[1], 0, 0, -1, 0, 1, 0, 0],
        [0, 0, -each[2], 0, 0, 0, 0, 1, 1],
    ]
    bounds = [(0, None)] * 7 + [(0, 6000), (0, None)]
    return float(linprog(cost, rows, [500, -200, -240, 0], bounds=bounds).fun)


def test_farmer() -> None:
    plans = np.array([[170, 80, 250], [120, 80, 300], [134.617918, 100, 265.382082], [100, 100, 300], [100, 25, 375]])
    known = np.array([perfect_plan(s) for s in range(3)])
    costs, w = Costs(np.array([farm_costs(plan) for plan in plans]).T, yardstick=known), equal(3)
    assert of.expected(costs, w)[0] == pytest.approx(-108390)
    assert wait_and_see(costs, w) == pytest.approx(-115405.5556, abs=1e-3)
    assert value_of_information(costs, w) == pytest.approx(7015.5556, abs=1e-3)
    assert of.expected(costs, w)[1] == pytest.approx(-107240)
    assert value_of_stochastic_solution(costs, w, planned=1) == pytest.approx(1150)
    assert of.minimax_regret(costs, w)[2] == pytest.approx(7511.857708, abs=1e-3)
    assert of.worst_case(costs, w)[4] == pytest.approx(-59950)
    assert of.conditional_value_at_risk(costs, w, 0.5)[3] == pytest.approx(-77033.3333, abs=1e-3)


def test_price_of_robustness_by_hand() -> None:
    costs, w = Costs(np.array([[0.0, 4], [0, 4], [0, 4], [20, 8]])), equal(4)
    assert price_of_robustness(costs, w, robust=1, neutral=0, level=0.75) == pytest.approx((5 - 5) / (20 - 8))
    assert np.isnan(price_of_robustness(costs, w, robust=0, neutral=1, level=0.75))


def test_break_even_odds_are_where_means_meet() -> None:
    p = breaks_even((10.0, 2.0), (6.0, 4.0))  # first kind of future: B is 4 cheaper; second: 2 dearer
    assert p == pytest.approx(1 / 3)
    assert p * 10 + (1 - p) * 2 == pytest.approx(p * 6 + (1 - p) * 4)
    assert np.isnan(breaks_even((5.0, 5.0), (6.0, 6.0)))


NUMBERS = st.integers(-40, 40).map(float)  # few values make ties, where weights go wrong
TABLES = hnp.arrays(np.float64, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=NUMBERS)


@given(TABLES, st.integers(0, 2**31))
def test_equal_draws_and_their_weights_are_the_same_thing(values: np.ndarray, seed: int) -> None:
    counts = np.random.default_rng(seed).integers(1, 4, size=len(values))
    many = Costs(np.repeat(values, counts, axis=0), satisfied=np.repeat(values[:, 0], counts))
    few = Costs(values, satisfied=values[:, 0])
    for metric in METRICS:
        left = metric.score(few, counts / counts.sum())
        right = metric.score(many, equal(int(counts.sum())))
        np.testing.assert_allclose(left, right, rtol=1e-6, atol=1e-6 * (1 + np.abs(values).max()))


@given(TABLES, st.floats(0.05, 0.95))
def test_quantile_and_cvar_agree_with_the_estimators(values: np.ndarray, level: float) -> None:
    w = equal(len(values))
    costs = Costs(values)
    for at in range(values.shape[1]):
        assert of.value_at_risk(costs, w, level)[at] == quantile(values[:, at], w, level)
        assert of.conditional_value_at_risk(costs, w, level)[at] == pytest.approx(cvar(values[:, at], w, level))


@given(TABLES)
def test_laws(values: np.ndarray) -> None:
    costs, w = Costs(values, satisfied=values[:, 0]), equal(len(values))
    slack = 1e-9 * (1 + np.abs(values).max())
    tail = of.conditional_value_at_risk(costs, w)
    assert np.all(of.best_case(costs, w) <= of.expected(costs, w) + slack)
    assert np.all(of.expected(costs, w) <= tail + slack)
    assert np.all(tail <= of.worst_case(costs, w) + slack)
    assert np.all(of.minimax_regret(costs, w) >= of.quantile_regret(costs, w))
    assert of.domain_criterion(costs, w)[0] == pytest.approx(1)
    assert value_of_information(costs, w) >= -slack
    told = dominance(values, w)
    assert not (told.first & told.first.T).any()
    assert np.all(told.second[told.first])  # first order implies second order
    for a, b in zip(*np.nonzero(told.second), strict=True):
        assert of.expected(costs, w)[a] <= of.expected(costs, w)[b] + slack
        assert tail[a] <= tail[b] + slack


def test_dominance_by_hand() -> None:
    told = dominance(np.array([[1.0, 2.0, 0.0], [3.0, 3.0, 4.0]]), equal(2))
    assert told.first.tolist() == [[False, True, False], [False, False, False], [False, False, False]]
    assert told.second.tolist() == [[False, True, True], [False, False, False], [False, False, False]]


def test_scorecard_ranks_named_plans_and_only_shows_the_free_one() -> None:
    futures = read_futures(small_cube())
    card = scorecard(futures)
    assert card.names == [*futures.fixed, "optimal"]
    rows = np.array([not metric.better for metric in METRICS])
    assert np.isnan(card.rank[:, -1]).all()
    assert np.isnan(card.rank[rows]).all()
    told = winners(card)
    assert sum(map(len, told.values())) >= len(RANKED)
    both = agreement(card)
    of_itself = np.diag(both.kendall)
    assert of_itself[~np.isnan(of_itself)] == pytest.approx(1)  # NaN: all plans tie
    np.testing.assert_allclose(both.kendall, both.kendall.T)
    firm = stability(card)
    ranked = [row for row, metric in enumerate(METRICS) if metric.better]
    assert firm.first[ranked].sum(axis=1) == pytest.approx(1)


def test_only_draws_that_all_plans_finished_are_compared_and_trouble_is_marked() -> None:
    cube = small_cube()
    cube["status"][3, 1] = 2
    cube["lole"][5, 2, 0] = 4.0
    cube["total_cost"][3, 1] = 0.0  # a failed draw would win, were it counted
    futures = read_futures(cube)
    card = scorecard(futures)
    assert card.draws == futures.n - 1
    assert futures.failed[futures.names[1]] == 1
    assert futures.trouble(futures.names[1]) == "F"
    assert futures.trouble(futures.names[2]) == "L"
    assert card.value[card.of("best_case"), 1] > 0


def test_interval_follows_the_design() -> None:
    assert scorecard(read_futures(small_cube())).how == "indicative"
    mc = scorecard(read_futures(small_cube(design="monte_carlo")))
    assert mc.how == "independent"
    row = mc.of("expected")
    assert np.all((mc.low[row] < mc.value[row]) & (mc.value[row] < mc.high[row]))
    worst = mc.of("worst_case")
    assert np.isnan(mc.high[worst]).all()
    assert np.array_equal(mc.low[worst], mc.value[worst])
    assert scorecard(read_futures(small_cube(replicates=4))).how == "replicates"
    none = scorecard(read_futures(small_cube(design="factorial")))
    assert none.how == "none"
    assert np.isnan(none.low[none.of("expected")]).all()
    assert np.isnan(stability(none).first).all()
