"""Run the small benchmark, so that it never rots: all ways to solve the model find the same costs, and the ratios are told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import highspy
import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks import peers
from benchmarks.__main__ import main
from benchmarks.clock import clocked
from benchmarks.driver import driver_cost, simulated_cost
from benchmarks.long_run import growth, long_run, make_long_plan
from benchmarks.measure import (
    RUNNERS,
    SAME,
    Measurement,
    cold_iterations,
    day_solves,
    disagreements,
    measure,
    measure_apart,
)
from benchmarks.programs import nearest_neighbour_order
from benchmarks.runners import COSTS
from benchmarks.siting import main as siting_main
from benchmarks.table import NOTES, figures_of, record_of, rows_of, text_of
from benchmarks.workloads import WORKLOADS, make_workload, study_of
from sweep.plan import Plan, make_plan
from sweep.study import Study

BASELINES = ("persistent", "rebuild")
DRAWS = (0, 1)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return make_workload("small", tmp_path_factory.mktemp("two_areas"), areas=2)


@pytest.fixture(scope="module")
def measured(plan: Plan) -> dict[str, Measurement]:
    return {name: measure(plan, name, DRAWS) for name in ("ours", *BASELINES)}


@pytest.mark.parametrize("name", BASELINES)
def test_baselines_find_the_costs_of_this_engine(plan: Plan, measured: dict[str, Measurement], name: str) -> None:
    ours, other = measured["ours"], measured[name]
    assert ours.costs.shape == other.costs.shape == (2, 3, len(COSTS))
    assert np.isfinite(other.costs).all()
    assert disagreements(plan.case, ours, other) == []
    assert not (ours.costs[0] == ours.costs[1]).any(), "draws differ"


def test_baselines_find_the_costs_of_ten_areas(tmp_path: Path) -> None:
    make_workload("small", tmp_path, draws=1)  # writes the days
    study = study_of("small", draws=1) | {"configurations": ["tokyo_osaka", "watt_bit_2040"]}
    plan = make_plan(Study.model_validate(study), tmp_path)
    ours = measure(plan, "ours", [0])
    for name in BASELINES:
        other = measure(plan, name, [0])
        assert disagreements(plan.case, ours, other) == []
    assert set(figures_of(plan, {"ours": ours}, 1.0)) == {
        "floor_over_ours",
        "cold_iterations",
        "hot_iterations_per_solve",
        "cold_over_hot_per_solve",
        "cold_over_hot_per_day_and_configuration",
    }, "nothing of free configurations"


def test_a_difference_is_told(plan: Plan, measured: dict[str, Measurement]) -> None:
    ours = measured["ours"]
    costs = ours.costs.copy()
    costs[1, 0, 1] *= 1 + 3 * SAME
    costs[0, 2, 2] *= 1.01
    costs[0, 2, 0] = 0.0  # fuel of a free configuration: not compared
    costs[0, 1, 2] = np.nan
    told = disagreements(plan.case, ours, replace(ours, runner="other", costs=costs))
    assert [line.split(" in ")[1] for line in told] == [
        "dispatch_cost of tokyo_osaka, draw 1",
        "total_cost of five_hubs, draw 0",
        "total_cost of optimal, draw 0",
    ]


def test_clock_sees_every_solve(plan: Plan, measured: dict[str, Measurement]) -> None:
    solves = day_solves(plan, DRAWS)
    assert solves == 2 * 2 * 2
    assert measured["persistent"].solves == solves + 2 * 2 + 2, "days, siting stages, joint programs"
    assert measured["rebuild"].solves == 2 * 3
    assert measured["ours"].solves > solves
    for found in measured.values():
        assert 0 < found.solver_seconds < found.seconds
        assert set(found.by_draw) == set(DRAWS)
        seconds, free = np.sum(list(found.by_draw.values()), axis=0)
        assert free == pytest.approx(found.free)
        assert 0 < free < seconds < found.seconds


def test_hot_solves_take_fewer_iterations(plan: Plan, measured: dict[str, Measurement]) -> None:
    cold = cold_iterations(plan.case, plan, 0)
    solves = day_solves(plan, DRAWS)
    assert measured["ours"].iterations / solves < measured["persistent"].iterations / solves < cold


def test_clock_leaves_no_trace() -> None:
    before = highspy.Highs.run
    with clocked() as clock:
        assert highspy.Highs.run is not before
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        highs.run()
    assert highspy.Highs.run is before
    [run] = clock.runs
    assert (run.iterations, run.columns, run.free) == (0, 0, False)


def test_table_tells_every_runner(plan: Plan, measured: dict[str, Measurement]) -> None:
    rows = {row.runner: row for row in rows_of(plan, measured)}
    assert list(rows) == ["ours", "floor", *BASELINES]
    assert rows["ours"].ratio == pytest.approx(1)
    assert rows["ours"].ratio_fixed == pytest.approx(1)
    assert rows["floor"].seconds == rows["ours"].inside
    figures = figures_of(plan, measured, 500.0)
    assert figures["floor_over_ours"] == pytest.approx(rows["floor"].ratio)
    text = text_of("small", list(rows.values()), figures)
    for name in rows:
        assert f"| {name} |" in text
        assert f"- {name}: {NOTES[name]}" in text
    assert record_of(rows["floor"])["peak_mb"] is None


def test_ratio_is_of_the_draws_that_both_solved(plan: Plan, measured: dict[str, Measurement]) -> None:
    ours = replace(measured["ours"], seconds=10.0, by_draw={0: (2.0, 1.0), 1: (6.0, 1.0)}, free=2.0)
    other = replace(measured["rebuild"], draws=(0,), seconds=50.0, by_draw={0: (50.0, 30.0)}, free=30.0)
    *_, row = rows_of(plan, {"ours": ours, "rebuild": other})
    assert row.ratio == pytest.approx(50 / 2.5), "a quarter of our seconds went to draw 0"
    assert row.ratio_fixed == pytest.approx(20 / 1.5)


def test_command_writes_the_table_and_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.__main__.measure_apart", measure)
    monkeypatch.setattr("benchmarks.peers.importlib.util.find_spec", lambda name: None)
    record = tmp_path / "record.json"
    arguments = ["--areas", "2", "--draws", "1", "--runners", "persistent,ema_workbench", "--json", str(record)]
    result = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    assert "ema_workbench: left out, ema-workbench is not installed (extra `peers`)" in result.stderr
    found = json.loads(record.read_text())
    assert [row["runner"] for row in found["runners"]] == ["ours", "floor", "persistent"]
    assert found["disagreements"] == []
    assert set(found["costs"]["ours"]) == {"tokyo_osaka", "five_hubs", "optimal"}


def test_command_refuses_an_unknown_runner() -> None:
    result = CliRunner().invoke(main, ["--runners", "faster"])
    assert result.exit_code == 2
    assert "'faster': one of ours, ours_ray" in result.stderr


def test_a_runner_can_be_measured_in_a_process_of_its_own(plan: Plan, measured: dict[str, Measurement]) -> None:
    apart = measure_apart(plan, "ours", [0])
    np.testing.assert_array_equal(apart.costs[0], measured["ours"].costs[0])
    assert apart.peak_mb > 50


def test_workloads_name_known_runners() -> None:
    for workload in WORKLOADS.values():
        assert set(workload.runners) <= set(RUNNERS)
    assert set(peers.PACKAGES) < set(RUNNERS)


def test_nearest_neighbours_follow_each_other() -> None:
    points = np.array([[0.0, 5.0], [9.0, 5.0], [1.0, 5.0], [8.0, 5.0], [3.0, 5.0]])
    assert nearest_neighbour_order(points, [0, 1, 2, 3, 4]) == [0, 2, 4, 3, 1]
    assert nearest_neighbour_order(points, [1, 4]) == [1, 4]


def test_long_run_watches_the_memory_of_a_worker(tmp_path: Path) -> None:
    plan = make_long_plan(tmp_path, draws=5, areas=2, configurations=("tokyo_osaka",), batch=2)
    found = long_run(plan)
    assert [at["draws"] for at in found] == [2, 4, 5]
    assert all(at["resident_mb"] > 50 for at in found)


def test_growth_is_of_the_settled_process() -> None:
    draws = np.arange(100, 10_100, 100.0)
    memory = np.where(draws < 900, draws / 10, 200 + draws * 3e-6)
    found = [{"draws": d, "resident_mb": m, "seconds": 0.0} for d, m in zip(draws, memory, strict=True)]
    assert growth(found) == pytest.approx(3.0)


def test_driver_cost_counts_every_batch() -> None:
    found = driver_cost(50, workers=1, seconds=0.002)
    assert found.batches == 50
    assert found.batches_per_second < 500  # each sleeps 2 ms
    assert 0 <= found.overhead < 1
    assert found.batches_per_second > 0
    assert 0 <= found.driver_seconds < 1


def test_simulated_sweep_hands_every_batch_over() -> None:
    found = simulated_cost(draws=40_000, batch=4, workers=100)
    assert found.batches == 10_000
    assert found.handed_over >= 10_000
    assert found.batches_per_second > 0
    assert found.simulated_hours == pytest.approx(10_000 * 105 / 100 / 3600, rel=0.2)


def test_siting_by_cuts_equals_the_extensive_form() -> None:
    arguments = ["--workload", "small", "--areas", "2", "--draws", "1", "--draws", "2", "--json"]
    found = CliRunner().invoke(siting_main, [*arguments, "--only", "cuts", "--only", "extensive"])
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    values = {(each["program"], each["draws"]): each["value"] for each in told["took"]}
    for draws in (1, 2):
        assert values["cuts", draws] == pytest.approx(values["extensive", draws], rel=1e-3)
    assert all(0 <= each["gap"] <= 1e-3 for each in told["took"])
    assert [each["rounds"] is None for each in told["took"]] == [False, True] * 2
    assert np.isfinite(told["growth"])
