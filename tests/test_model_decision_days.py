"""Check days chosen by decisions: laws of the weights, that outcomes of the year come out, and what is shipped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import read_inputs
from model.day_outcomes import DayOutcomes, find_outcomes, program_digest, solve_days
from model.days import Days, extreme_day
from model.decision_days import best_days, best_weights, decision_days, features, other_sitings
from sweep.days import WholeYear, study_days, whole_year
from sweep.study import read_study
from tests.cases import YEAR, small_weather, system

STUDIES = Path(__file__).parents[1] / "studies"


def random_year(seed: int, days: int = 60, kinds: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes (features, days) that share a few patterns, and profiles of the days."""
    rng = np.random.default_rng(seed)
    outcomes = rng.random((kinds, 4)) @ rng.random((4, days)) + 0.1 * rng.random((kinds, days))
    return outcomes / outcomes.sum(axis=1, keepdims=True), rng.random((days, 3))


def error(outcomes: np.ndarray, days: Days) -> float:
    """Root mean square error of the outcomes of the year."""
    weight = np.zeros(outcomes.shape[1])
    weight[days.day] = days.weight
    return float(np.sqrt(((outcomes @ (weight - 1)) ** 2).mean()))


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), number=st.integers(2, 59), extreme=st.integers(0, 59))
def test_laws_of_the_weights(seed: int, number: int, extreme: int) -> None:
    days = best_days(*random_year(seed), number, extreme)
    assert days.day.size == days.weight.size == number
    assert (np.diff(days.day) > 0).all(), "ascending, none twice"
    assert days.weight.sum() == pytest.approx(60, abs=1e-9)
    assert days.weight.min() >= 1
    assert days.weight[days.day == extreme].tolist() == [1.0], "the extreme day stands for itself alone"


@pytest.mark.parametrize("seed", range(3))
def test_neither_order_nor_scale_of_futures_counts(seed: int) -> None:
    outcomes, profile = random_year(seed)
    chosen = best_days(outcomes, profile, 8, 3)
    for other in (outcomes[::-1], np.concatenate([outcomes, outcomes])):
        again = best_days(other, profile, 8, 3)
        assert again.day.tolist() == chosen.day.tolist()
        assert again.weight == pytest.approx(chosen.weight, abs=2e-4)


def test_days_of_few_kinds_are_told_by_one_of_each() -> None:
    """Worked out by hand: 20 days of one kind, 29 of another, 10 of a third, and the extreme day."""
    kind = np.repeat([0, 1, 2, 3], [20, 29, 10, 1])
    outcomes = np.array([[1.0, 2.0, 5.0, 9.0], [0.0, 3.0, 1.0, 4.0], [2.0, 0.0, 0.0, 7.0]])[:, kind]
    days = best_days(outcomes, outcomes.T, 4, 59)
    assert kind[days.day].tolist() == [0, 1, 2, 3]
    assert days.weight == pytest.approx([20, 29, 10, 1], rel=0.01)


def test_choice_is_better_than_others_and_no_single_exchange_betters_it() -> None:
    outcomes, profile = random_year(5, days=30)
    chosen = best_days(outcomes, profile, 6, 3)
    others = np.delete(np.arange(30), 3)
    rng = np.random.default_rng(1)
    at_random = [np.sort(np.append(rng.choice(others, 5, replace=False), 3)) for _ in range(50)]
    errors = [error(outcomes, best_weights(outcomes, profile, day, 3)) for day in at_random]
    assert error(outcomes, chosen) < min(errors)
    assert error(outcomes, best_weights(outcomes, profile, chosen.day, 3)) == pytest.approx(error(outcomes, chosen))


def test_features_are_relative_to_the_year_and_leave_out_what_is_not_there() -> None:
    cost = np.array([[3.0, 1.0], [1.0, 1.0]], dtype=np.float32)
    nothing = np.zeros((2, 2, 2), dtype=np.float32)
    found = features([DayOutcomes(cost, nothing)])
    assert found.shape == (3, 2), "a saving and two costs, no curtailment"
    assert found[0] == pytest.approx(np.array([2.0, 0.0]) / 2 / 1.15)
    curtailed = nothing.copy()
    curtailed[0, :, 1] = 1.0, 3.0
    assert features([DayOutcomes(cost, curtailed)]).shape == (3 + 1 + 2, 2), "of the country where any, of both areas"


def test_other_sitings_are_sitings() -> None:
    inputs = system(solar=(2, 1, 1), lng=(1, 1, 1), areas=("Tokyo", "Kansai", "Kyushu"))
    reference = np.array([0.6, 0.4, 0.0])
    others = other_sitings(reference, inputs)
    assert len(others) == 3
    for share in others:
        assert share.sum() == pytest.approx(1)
        assert share.min() >= 0
        assert not np.allclose(share, reference)
    assert others[1] == pytest.approx([0.36, 0.24, 0.4])
    assert len(other_sitings(inputs.user_share, inputs)) == 0, (
        "no area without load, and the users' share is the reference"
    )


def test_all_in_a_weather_year() -> None:
    """On whole years of weather, with the order of solving."""
    inputs = system(solar=(2, 1), demand=(50, 40), lng=(10, 10), weather=small_weather(2))
    rng = np.random.default_rng(2)
    outcomes = [
        DayOutcomes(rng.random((2, 365)).astype(np.float32), rng.random((2, 365, 2)).astype(np.float32))
        for _ in range(3)
    ]
    days = decision_days(outcomes, inputs.weather[YEAR], inputs, 12)
    assert days.weight.sum() == pytest.approx(365, abs=1e-9)
    assert days.weight[days.day == extreme_day(inputs.weather[YEAR], inputs)].tolist() == [1.0]
    assert sorted(days.order.tolist()) == list(range(12))


@pytest.fixture(scope="module", params=["fy2019", "fy2024"])
def shipped(request: pytest.FixtureRequest) -> WholeYear:
    study = read_study(STUDIES / "japan2040.toml")
    return whole_year(study, read_inputs(study.inputs, STUDIES), request.param, STUDIES)


def test_outcomes_of_the_shipped_study_are_shipped(shipped: WholeYear, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, tables or model have changed: ``python -m benchmarks.days --ship`` on an idle machine."""
    monkeypatch.setenv("WATTBIT_CACHE", "off")
    assert shipped.unknown() == 0


def test_days_of_the_shipped_study_err_little_in_futures_held_out() -> None:
    study = read_study(STUDIES / "japan2040.toml")
    inputs = read_inputs(study.inputs, STUDIES)
    found = study_days(study, inputs, list(inputs.weather), STUDIES)
    assert found.error is not None
    summary = found.error.summary()
    assert summary["futures"] == 12
    for name in ("four_hubs", "five_hubs", "watt_bit_2040", "ten_areas"):
        assert summary["saving"]["by_configuration"][name]["worst"] < 0.08
    assert summary["saving"]["mean"] < 0.025
    assert summary["curtailment"]["mean"] < 0.01
    assert summary["curtailment"]["worst"] < 0.05
    assert summary["order_kept"] > 0.9


def test_48_days_of_the_shipped_study_err_by_less_than_5_percent_in_every_future_held_out() -> None:
    study = read_study(STUDIES / "japan2040.toml")
    study = study.model_copy(update={"days": study.days.model_copy(update={"number": 48})})
    inputs = read_inputs(study.inputs, STUDIES)
    found = study_days(study, inputs, list(inputs.weather), STUDIES)
    assert found.error is not None
    summary = found.error.summary()
    assert max(each["worst"] for each in summary["saving"]["by_configuration"].values()) < 0.05
    assert summary["curtailment"]["worst"] < 0.05
    assert max(summary["saving"]["mean"], summary["curtailment"]["mean"]) < 0.02
    assert summary["order_kept"] == 1.0


def test_shipped_outcomes_are_those_of_the_model(shipped: WholeYear) -> None:
    """Some days of a future that chooses, solved anew."""
    future = shipped.choose[2]
    [year] = shipped.case.days
    day = np.array([3, 120, 300])
    few = replace(shipped.case, days={year: Days(day, np.ones(3))})
    kept = find_outcomes(program_digest(shipped.case, future.theta, future.loads))
    assert kept is not None
    anew = solve_days(few, future.theta, future.loads)
    assert anew.cost == pytest.approx(kept.cost[:, day], rel=1e-5)
    assert anew.curtailment.sum(axis=2) == pytest.approx(kept.curtailment[:, day].sum(axis=2), rel=0.02, abs=1e-3)
