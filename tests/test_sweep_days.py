"""Check a study's days: the same for the same study, whatever its draws and configurations; their error, told and kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.workloads import make_workload, study_of
from model import Days, Inputs, read_inputs
from model import day_outcomes as solving
from model.day_outcomes import DayOutcomes
from sweep import days as of_study
from sweep.days import StudyDays, study_days, whole_year
from sweep.days_error import DaysError, days_error, error_text
from sweep.plan import make_plan
from sweep.study import Study
from tests.sweep_cases import write_study

YEAR = "fy2024"
CHOICE = {"number": 4, "futures": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two areas, two futures that choose, one that judges; what is solved is kept here."""
    folder = tmp_path_factory.mktemp("two_areas")
    make_workload("small", folder, areas=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WATTBIT_CACHE", str(folder / "cache"))
        patch.setattr(of_study, "HELD_OUT", 1)
        yield folder


def study(**changes: Any) -> Study:
    given = study_of("small", areas=2) | {"days": CHOICE, "fixed": {"weather_year": YEAR}}
    return Study.model_validate(given | changes)


def days_of(folder: Path, one: Study) -> StudyDays:
    return study_days(one, read_inputs(one.inputs, folder), [YEAR], folder)


@pytest.fixture(scope="module")
def inputs(folder: Path) -> Inputs:
    return read_inputs(study().inputs, folder)


@pytest.fixture(scope="module")
def chosen(folder: Path) -> StudyDays:
    return days_of(folder, study())


def same(a: StudyDays, b: StudyDays) -> bool:
    [one], [other] = a.days.values(), b.days.values()
    return one.day.tolist() == other.day.tolist() and one.weight.tolist() == other.weight.tolist()


def test_days_and_their_error(chosen: StudyDays) -> None:
    [days] = chosen.days.values()
    assert days.day.size == 4
    assert days.weight.sum() == pytest.approx(365, abs=1e-9)
    assert chosen.error is not None
    found = chosen.error.summary()
    assert found["futures"] == 1
    assert 0 < found["cost"]["worst"] < 0.5
    assert chosen.text().startswith("4 days by decision; error in 1 futures held out: saving ")
    assert json.loads(json.dumps(chosen.record()))["number"] == {YEAR: 4}


def test_same_study_same_days_whatever_its_draws_and_configurations(
    chosen: StudyDays, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> None:
        raise AssertionError("solved again")

    with monkeypatch.context() as patch:
        patch.setattr(solving, "solve_days", refused)
        assert same(days_of(folder, study()), chosen)
        assert same(days_of(folder, study(design={"kind": "monte_carlo", "draws": 5, "seed": 1})), chosen)
        assert same(days_of(folder, study(siting="simple")), chosen)
    fewer = ["tokyo_osaka", "optimal"]
    monkeypatch.setattr(of_study, "HELD_OUT", 0)
    assert same(days_of(folder, study(configurations=fewer)), chosen)
    turned = ["optimal", "five_hubs", "tokyo_osaka"]
    assert same(days_of(folder, study(configurations=turned)), chosen)


def test_other_beliefs_are_other_futures(folder: Path, inputs: Inputs) -> None:
    usual, low = (
        whole_year(study(uncertain=own), inputs, YEAR, folder)
        for own in ({}, {"dc_demand": {"distribution": "uniform", "min": 1.0, "max": 2.0, "unit": "GW"}})
    )
    assert max(one.theta["dc_demand"] for one in (*low.choose, *low.judge)) <= 2
    assert usual.unknown() in (0, low.unknown())
    assert low.unknown() == (2 * 2 + 2) * 365, "reference and another siting of two, both configurations of one"


def test_more_futures_begin_with_the_fewer(folder: Path, inputs: Inputs) -> None:
    few, more = (whole_year(study(days={"number": 4, "futures": n}), inputs, YEAR, folder).choose for n in (3, 6))
    assert [one.theta for one in few] == [one.theta for one in more[:3]]


def test_futures_of_scenarios_and_of_a_file(folder: Path, inputs: Inputs) -> None:
    scenario = {"little": {"dc_demand": 5.0}, "much": {"dc_demand": 15.0}}
    found = whole_year(study(scenario=scenario), inputs, YEAR, folder)
    assert [one.theta["dc_demand"] for one in found.choose] == [5.0, 15.0]
    rows = "\n".join(str(5 + n) for n in range(8))
    (folder / "futures.csv").write_text(f"dc_demand\n{rows}\n")
    found = whole_year(study(design={"kind": "file", "file": "futures.csv", "draws": 2}), inputs, YEAR, folder)
    assert [one.theta["dc_demand"] for one in found.choose] == [6.0, 11.0]
    assert [one.theta["dc_demand"] for one in found.judge] == [9.0]


def test_a_study_of_one_future_has_nothing_to_judge_by(folder: Path, inputs: Inputs) -> None:
    mids = whole_year(study(), inputs, YEAR, folder).choose[0].theta
    found = whole_year(study(fixed=mids), inputs, YEAR, folder)
    assert (len(found.choose), len(found.judge)) == (1, 0)


def test_error_worked_out_by_hand() -> None:
    """Two days stand for four; saving 3 in place of 4, curtailment 6 of 5, in one future."""
    cost = np.array([[4.0, 3.0, 3.0, 2.0], [3.0, 2.0, 2.0, 1.0]], dtype=np.float32)
    cost[1, 3] = 1.0
    curtailed = np.array([[[1.0], [1.0], [2.0], [1.0]], [[0.0], [0.0], [0.0], [0.0]]], dtype=np.float32)
    days = Days(np.array([0, 2]), np.array([2.0, 2.0]))
    error = days_error(["ref", "other"], [DayOutcomes(cost, curtailed)], days)
    assert error.errors["saving"]["other"] == pytest.approx([0.0]), "a saving of 1 each day"
    assert error.errors["cost"]["ref"] == pytest.approx([2 / 12])
    assert error.errors["cost"]["other"] == pytest.approx([2 / 8])
    assert error.errors["curtailment"]["ref"] == pytest.approx([1 / 5])
    assert error.errors["curtailment"]["other"].tolist() == [0.0], "nothing in place of nothing"
    assert error.order.tolist() == [1.0]
    both = DaysError.together([error, error]).summary()
    assert both["futures"] == 2
    assert both["cost"] == {
        "mean": 0.2083,
        "worst": 0.25,
        "by_configuration": {"ref": {"mean": 0.1667, "worst": 0.1667}, "other": {"mean": 0.25, "worst": 0.25}},
    }
    assert "curtailment 10.0 % mean, 20.0 % worst" in error_text(both)


def test_small_outcomes_count_by_a_part_of_their_mean() -> None:
    cost = np.ones((1, 2), dtype=np.float32)
    futures = [DayOutcomes(cost, np.array([[[a], [b]]], dtype=np.float32)) for a, b in ((10.0, 10.0), (0.0, 0.002))]
    error = days_error(["ref"], futures, Days(np.array([0]), np.array([2.0])))
    assert error.errors["curtailment"]["ref"] == pytest.approx([0.0, -0.002 / (0.1 * 10.001)])
    assert error.errors["saving"] == {}


def test_cube_and_table_tell_of_days(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    plan = make_plan(Study.model_validate(study_of("small", draws=2)), path.parent)
    assert plan.table.attrs["days"] == "1 or 2 days of days.csv; their error was not measured"
    assert json.loads(plan.table.attrs["days_error"])["error"] is None
