"""Test the plan: what it counts, what it draws, and when two studies are the same sweep."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import OUTCOMES
from model.inputs import SHIPPED
from sweep.plan import Plan
from sweep.tell import plan_record, plan_text, proposed_batch
from tests.sweep_cases import (
    DAYS,
    DAYS_TABLE,
    DRAWS,
    OWN_DESIGN,
    WITH_OPTIMAL,
    Edit,
    files,
    plan_of,
    write_own_table,
    write_study,
)

SIZES = {"area": 10, "technology": 11, "tier": 3, "line": 12}


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return plan_of(write_study(tmp_path_factory.mktemp("plan")))


def identity(folder: Path, *edits: Edit, more: str = "") -> dict[str, Any]:
    """What decides the bytes of a study's cube, as it is stored."""
    record: dict[str, Any] = json.loads(json.dumps(dict(plan_of(write_study(folder, *edits, more=more)).identity)))
    return record


def test_counts_are_those_made_by_hand(tmp_path: Path) -> None:
    plan = plan_of(write_study(tmp_path, WITH_OPTIMAL))
    per_draw = [DAYS[year] for year in plan.table["weather_year"].values]
    assert {*per_draw} == {1, 2}
    assert plan.days_per_draw == sum(per_draw) / DRAWS
    values = sum(int(np.prod([SIZES[dim] for dim in outcome.dims])) for outcome in OUTCOMES if outcome.name != "status")
    assert plan.counts() == {
        "draws": 5,
        "configurations": 3,
        "free_configurations": 1,
        "day_solves_fixed": 2 * sum(per_draw),
        "batches": 3,  # of 2, 2 and 1 draws
        "bytes": 5 * 3 * (8 * values + 1 + 3 * 8),  # the status is one byte; seconds and residuals of each cell
        "files": 3 * (len(OUTCOMES) + 3 + 2),  # with seconds, two residuals, commit record and summary
    }


def test_number_of_draws_given_takes_the_place_of_the_studys(plan: Plan, tmp_path: Path) -> None:
    study = write_study(tmp_path)
    for draws, batches in ((3, 2), (8, 4)):
        other = plan_of(study, draws)
        assert (other.layout.draws, other.layout.batches) == (draws, batches)
        common = min(draws, DRAWS)
        for name in plan.table.data_vars:
            assert (other.table[name].values[:common] == plan.table[name].values[:common]).all()


def test_parameters_stand_in_the_order_of_their_table(plan: Plan) -> None:
    with (SHIPPED / "uncertainty.csv").open(encoding="utf-8") as stream:
        names = [row["name"] for row in csv.DictReader(stream)]
    assert [*plan.table.data_vars] == names


def test_own_distribution_keeps_its_place_and_an_optional_parameter_comes_last(plan: Plan, tmp_path: Path) -> None:
    own = '[uncertain.solar_buildout_Kyushu]\ndistribution = "uniform"\nmin = 1\nmax = 2\nunit = "1"\n'
    own += '[uncertain.pue_gap]\ndistribution = "uniform"\nmin = 0.5\nmax = 0.6\nunit = "1"\n'
    table = plan_of(write_study(tmp_path, more=own)).table
    assert [*table.data_vars] == [*plan.table.data_vars, "solar_buildout_Kyushu"]
    assert ((table["pue_gap"] >= 0.5) & (table["pue_gap"] <= 0.6)).all()
    assert table["solar_buildout_Kyushu"].values.min() >= 1
    assert len({*table["solar_buildout_Kyushu"].values}) == DRAWS


def test_fixed_parameter_keeps_its_column_and_moves_no_other(plan: Plan, tmp_path: Path) -> None:
    fixed = "[fixed]\nlng_fuel_cost = 20\njapan_sea_hvdc = 0\nweather_year = 'fy2019'\n"
    held = {"lng_fuel_cost": 20.0, "japan_sea_hvdc": 0.0, "weather_year": "fy2019"}
    table = plan_of(write_study(tmp_path, more=fixed)).table
    assert [*table.data_vars] == [*plan.table.data_vars]
    for name in table.data_vars:
        if name in held:
            assert table[name].values.tolist() == [held[str(name)]] * DRAWS
        else:
            assert table[name].values.tobytes() == plan.table[name].values.tobytes()


def test_days_are_chosen_for_the_weather_years_drawn_and_no_other(plan: Plan, tmp_path: Path) -> None:
    assert {year: len(days.day) for year, days in plan.case.days.items()} == DAYS
    study = write_study(tmp_path, more="[fixed]\nweather_year = 'fy2019'\n")
    (tmp_path / "days.csv").write_text("weather_year,day,weight\nfy2019,200,165\nfy2019,10,200\n")
    [(year, days)] = plan_of(study).case.days.items()
    assert (year, days.day.tolist(), days.weight.tolist()) == ("fy2019", [10, 200], [200.0, 165.0])


def test_file_of_draws_leaves_the_rest_at_mid_and_counts_from_the_studys_folder(tmp_path: Path) -> None:
    study = write_study(tmp_path / "deep", OWN_DESIGN, more="[fixed]\nco2_price = 20000\n")
    (tmp_path / "deep" / "futures.csv").write_text("weather_year,dc_demand\nfy2019,6\nfy2024,7.5\nfy2024,8\n")
    plan = plan_of(study)
    assert plan.table["dc_demand"].values.tolist() == [6.0, 7.5, 8.0]
    assert plan.table["weather_year"].values.tolist() == ["fy2019", "fy2024", "fy2024"]
    assert plan.table["co2_price"].values.tolist() == [20000.0] * 3
    assert plan.table["lng_fuel_cost"].values.tolist() == [8.5] * 3
    assert plan.table["kanmon_second_link"].values.tolist() == [1.0] * 3
    assert plan_of(study, draws=2).layout.draws == 2


def test_pilot_takes_time_and_writes_nothing(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert 0 < plan.pilot_seconds() < 60
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    ("seconds", "draws", "workers", "batch"),
    [
        (3.0, 1_000_000, 100, 20),  # a minute
        (3.0, 64, 2, 3),  # ten batches for each worker
        (3.0, 64, 100, 1),
        (500.0, 1_000_000, 100, 1),
        (0.01, 10_000_000, 10_000, 100),
    ],
)
def test_batch_is_proposed_that_takes_a_minute_and_leaves_each_worker_ten(
    seconds: float, draws: int, workers: int, batch: int
) -> None:
    assert proposed_batch(seconds, draws, workers) == batch


def test_plan_names_another_batch_where_the_studys_own_does_not_suit(plan: Plan) -> None:
    assert "batch = 1 would suit: about 40 s a batch" in plan_text(plan, 40.0, 2)
    assert plan_record(plan, 40.0, 2)["batch_proposed"] == 1
    fitting = plan_of_batch(plan, 1)
    assert "would suit" not in plan_text(fitting, 40.0, 2)
    assert "would suit" not in plan_text(plan, None, 2)


def plan_of_batch(plan: Plan, batch: int) -> Plan:
    return replace(plan, layout=replace(plan.layout, batch=batch))


def test_moved_or_commented_study_is_the_same_sweep(plan: Plan, tmp_path: Path) -> None:
    expected = json.loads(json.dumps(dict(plan.identity)))
    assert identity(tmp_path / "moved" / "far", ("batch = 2", "# two at a time\nbatch    = 2  # draws")) == expected
    write_own_table(tmp_path, "areas")
    same_days = ('file = "days.csv"', 'file = "same.csv"')
    (tmp_path / "same.csv").write_text(DAYS_TABLE)
    assert identity(tmp_path, same_days, more='[inputs]\nareas = "my_areas.csv"\n') == expected


@pytest.mark.parametrize(
    ("edits", "more", "differs"),
    [
        ((("seed = 7", "seed = 8"),), "", {"study", "draws"}),
        ((("five_hubs", "four_hubs"),), "", {"study", "shares"}),
        ((('"tokyo_osaka", "five_hubs"', '"five_hubs", "tokyo_osaka"'),), "", {"study"}),
        ((("batch = 2", "batch = 3"),), "", {"study"}),
        ((("batch", 'siting = "simple"\nbatch'),), "", {"study", "template", "shares"}),
        ((), "[inputs]\nscalars = { voll = 2999 }\n", {"study", "template"}),
    ],
)
def test_changed_study_is_another_sweep(
    plan: Plan, edits: tuple[Edit, ...], more: str, differs: set[str], tmp_path: Path
) -> None:
    assert differing(identity(tmp_path, *edits, more=more), plan) == differs


def differing(record: dict[str, Any], plan: Plan) -> set[str]:
    expected = json.loads(json.dumps(dict(plan.identity)))
    assert record.keys() == expected.keys()
    return {key for key in expected if record[key] != expected[key]}


@pytest.mark.parametrize(
    ("table", "old", "new", "differs"),
    [
        ("areas", "Tokyo,45.4,0.64,1.25", "Tokyo,45.4,0.64,1.26", {"files"}),
        ("configurations", "five_hubs,Tokyo,any,0.4", "five_hubs,Tokyo,any,0.4000001", {"files"}),
        ("uncertainty", "max=18", "max=19", {"files", "draws"}),
        ("fy2024", "2024-04-01T00:00+09:00,Hokkaido,3.019", "2024-04-01T00:00+09:00,Hokkaido,3.018", {"files"}),
    ],
)
def test_changed_table_is_another_sweep(
    plan: Plan, table: str, old: str, new: str, differs: set[str], tmp_path: Path
) -> None:
    write_own_table(tmp_path, table, (old, new))
    value = f'"my_{table}.csv"'
    if table == "fy2024":
        write_own_table(tmp_path, "fy2019")
        table, value = "hourly", f'{{ fy2019 = "my_fy2019.csv", fy2024 = {value} }}'
    assert differs <= differing(identity(tmp_path, more=f"[inputs]\n{table} = {value}\n"), plan)


def test_changed_day_weight_or_file_of_draws_is_another_sweep(plan: Plan, tmp_path: Path) -> None:
    study = write_study(tmp_path)
    (tmp_path / "days.csv").write_text(DAYS_TABLE.replace("fy2019,10,", "fy2019,11,"))
    assert differing(json.loads(json.dumps(dict(plan_of(study).identity))), plan) == {"files", "days"}
    (tmp_path / "days.csv").write_text(DAYS_TABLE.replace("fy2019,10,200", "fy2019,10,201").replace(",165", ",164"))
    assert differing(json.loads(json.dumps(dict(plan_of(study).identity))), plan) == {"files", "days"}
    (tmp_path / "futures.csv").write_text("dc_demand\n10\n")
    before = identity(tmp_path, OWN_DESIGN)
    (tmp_path / "futures.csv").write_text("dc_demand\n10.000000000000002\n")
    after = identity(tmp_path, OWN_DESIGN)
    assert {key for key in before if before[key] != after[key]} == {"files", "draws"}
