"""Check the numbers and words of the robustness table on cubes small enough to work out by hand."""

import warnings

import dask.array
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import report
from report import intervals
from report.columns import COLUMNS, DRAWS
from report.intervals import Sample
from report.samples import of_scenario

NAMES = ["base", "north", "free"]


def tiny_cube(saving, *, status=None, replicate=None, design_kind="sobol", regret=None) -> xr.Dataset:
    """Make a cube of three configurations from the savings of ``north`` and ``free``, shape (draw, 2)."""
    saving = np.column_stack([np.zeros(len(saving)), np.asarray(saving, dtype=float)])
    draws, dims = len(saving), ("draw", "configuration")
    regret = saving[:, :2].max(axis=1, keepdims=True) - saving if regret is None else np.asarray(regret, dtype=float)
    curtailment = np.full((draws, 3, 2, 2), np.nan)
    curtailment[..., 1] = np.array([4.0, 3.0, 2.0])[:, None] * np.array([1.0, 0.5])
    return xr.Dataset(
        {
            "status": (dims, np.ones((draws, 3), np.int8) if status is None else np.asarray(status, np.int8)),
            "saving_fuel_co2": (dims, saving),
            "saving_total": (dims, 2 * saving),
            "regret_total": (dims, regret),
            "latency_unserved": (dims, np.tile([0.1, 0.2, 0.0], (draws, 1))),
            "curtailment": ((*dims, "area", "technology"), curtailment),
        },
        coords={
            "configuration": NAMES,
            "area": ["A", "B"],
            "technology": ["coal", "solar"],
            "replicate": ("draw", np.zeros(draws, int) if replicate is None else np.asarray(replicate)),
        },
        attrs={
            "title": "t",
            "study_name": "s",
            "reference": "base",
            "free_configurations": ["free"],
            "design_kind": design_kind,
        },
    )


def value(cube, name, configuration):
    return report.robustness_table(cube)[name].sel(configuration=configuration).item()


def test_numbers_worked_out_by_hand():
    cube = tiny_cube([[10, 20], [-4, 6], [0, 1], [30, 50]])
    assert value(cube, "saving_mean", "north") == 9
    assert value(cube, "saving_median", "north") == 5
    # sorted -4, 0, 10, 30: 5 % lies 0.15 of the way from -4 to 0, 95 % lies 0.85 of the way from 10 to 30
    assert value(cube, "saving_p5", "north") == pytest.approx(-3.4)
    assert value(cube, "saving_p95", "north") == pytest.approx(27)
    assert value(cube, "saving_share", "north") == 0.5  # a saving of exactly zero is none
    assert value(cube, "saving_total_mean", "north") == 18
    assert value(cube, "regret_mean", "north") == 1
    assert value(cube, "regret_max", "north") == 4
    assert value(cube, "regret_max", "base") == 30
    assert value(cube, "regret_max", "free") == -1  # against the best named one, so below zero
    assert value(cube, "curtailment_mean", "north") == 4.5
    assert value(cube, "latency_unserved_mean", "north") == pytest.approx(0.2)
    assert value(cube, "draws_finished", "north") == 4


def test_reference_saves_nothing_by_definition():
    table = report.robustness_table(tiny_cube([[10, 20], [3, 6]]))
    row = table.sel(configuration="base")
    assert [float(row[name]) for name in ("saving_mean", "saving_p5", "saving_p95", "saving_total_mean")] == [0] * 4
    assert np.isnan(row["saving_share"])
    assert np.isnan(row["saving_half_width"])
    line = next(line for line in report.table_text(table).splitlines() if line.strip().startswith("base"))
    assert line.split()[2:6] == ["0.0", "0.0", "0.0", "-"]


def test_only_finished_draws_count_whatever_the_cube_holds_elsewhere():
    saving = [[10, 20], [9999, 9999], [9999, 6], [30, 50]]
    status = [[1, 1, 1], [0, 0, 0], [1, 4, 1], [2, 1, 1]]
    cube = tiny_cube(saving, status=status)
    assert value(cube, "saving_mean", "north") == 10  # draw 3 lacks its reference
    assert value(cube, "draws_finished", "north") == 2
    assert value(cube, "saving_draws", "north") == value(cube, "saving_total_draws", "north") == 1
    assert value(cube, "regret_draws", "north") == value(cube, "curtailment_draws", "north") == 2
    assert value(cube, "draws_failed", "north") == 1
    assert value(cube, "draws_not_run", "north") == 1
    assert report.robustness_table(cube).attrs["draws_common"] == 1
    assert any("do not rest on the same draws" in note for note in report.notes(report.robustness_table(cube)))


def test_configuration_without_finished_draws_is_missing_and_never_zero():
    cube = tiny_cube([[0, 0], [0, 0]], status=[[1, 2, 1], [1, 0, 1]])
    table = report.robustness_table(cube)
    row = table.sel(configuration="north")
    for column in COLUMNS:
        assert row[column.name] == 0 if column.is_count else np.isnan(row[column.name]), column.name
    record = next(each for each in report.table_record(table)["configurations"] if each["configuration"] == "north")
    assert record["curtailment_mean"] is None
    numbers, draws = [line for line in report.table_text(table).splitlines() if line.strip().startswith("north")]
    assert numbers.split()[1:] == [*["-"] * 4, "0", "-", "0", *["-"] * 3, "0", "-", "0", "-", "0", "-", "0"]
    assert draws.split()[1:] == ["0", "1", "1", "1"]
    assert "no saving to show" in report.summary(table)


def test_each_number_tells_how_many_values_it_rests_on_and_failed_draws_their_state():
    status = np.array([[1, 1, 1], [4, 1, 1], [1, 2, 1], [1, 4, 0], [1, 1, 1], [1, 1, 1]])
    cube = tiny_cube([[1, 2]] * 6, status=status)
    cube["status"].attrs = {"flag_values": [0, 1, 2, 4], "flag_meanings": "not_run optimal infeasible iteration_limit"}
    cube["regret_total"][4] = np.nan  # compared with configurations that are not there yet
    cube["curtailment"][{"draw": 5}] = np.nan
    cube["latency_unserved"][4:] = np.nan
    row = report.robustness_table(cube).sel(configuration="north")
    told = {name: int(row[name]) for name in row.data_vars if "draws" in str(name)}
    assert told == {
        "saving_draws": 3,
        "saving_total_draws": 3,
        "regret_draws": 3,
        "best_draws": 2,
        "curtailment_draws": 3,
        "latency_unserved_draws": 2,
        "draws_finished": 4,
        "draws_failed": 2,
        "draws_not_run": 0,
        "draws_infeasible": 1,
        "draws_iteration_limit": 1,
    }
    text = report.table_text(report.robustness_table(cube))
    assert "finished failed of them infeasible of them iteration limit not run" in " ".join(text.split())
    assert "Draws by state" in report.render_report(cube, command=None)


def test_draws_by_state_take_one_line_where_all_configurations_agree():
    text = report.table_text(report.robustness_table(tiny_cube([[1, 2]] * 3, status=[[1, 1, 1]] * 2 + [[0, 0, 0]])))
    assert "Draws, in every configuration: 2 finished, 0 failed, 1 not run; 3 in all." in text


def test_reference_without_finished_draws_is_missing():
    cube = tiny_cube([[1, 2]], status=[[2, 1, 1]])
    assert np.isnan(value(cube, "saving_mean", "base"))
    assert np.isnan(value(cube, "saving_mean", "north"))
    assert value(cube, "curtailment_mean", "north") == 4.5


def test_draw_with_no_curtailment_at_all_is_missing():
    cube = tiny_cube([[1, 2], [1, 2]])
    cube["curtailment"][{"draw": 0}] = np.nan
    assert value(cube, "curtailment_mean", "north") == 4.5
    cube["curtailment"][:] = np.nan
    assert np.isnan(value(cube, "curtailment_mean", "north"))


def test_interval_over_replicate_means():
    saving = [[1, 0], [10, 0], [3, 0], [14, 0], [5, 0], [18, 0]]
    cube = tiny_cube(saving, replicate=[0, 1, 0, 1, 0, 1])
    means = np.array([3.0, 14.0])
    expected = stats.t.ppf(0.975, 1) * means.std(ddof=1) / np.sqrt(2)
    assert value(cube, "saving_half_width", "north") == pytest.approx(expected)
    assert "Student's t over 2 independent replicates" in " ".join(report.notes(report.robustness_table(cube)))


def test_interval_over_draws_of_a_monte_carlo_design():
    saving = np.array([1.0, 2.0, 4.0, 9.0])
    cube = tiny_cube(np.column_stack([saving, saving]), design_kind="monte_carlo")
    low, high = stats.t.interval(0.95, 3, loc=saving.mean(), scale=stats.sem(saving))
    assert value(cube, "saving_half_width", "north") == pytest.approx((high - low) / 2)
    assert "± " in report.summary(report.robustness_table(cube))


@pytest.mark.parametrize(
    ("kind", "replicate", "note"),
    [
        ("sobol", [0, 0, 0, 0], "single sobol replicate"),
        ("factorial", [0, 1, 0, 1], "no random sample"),
        ("morris", [0, 0, 0, 0], "no random sample"),
    ],
)
def test_no_interval_where_none_is_honest(kind, replicate, note):
    cube = tiny_cube([[1, 1], [2, 2], [3, 3], [4, 4]], design_kind=kind, replicate=replicate)
    assert np.isnan(value(cube, "saving_half_width", "north"))
    assert any(note in each for each in report.notes(report.robustness_table(cube)))


def test_no_interval_where_a_replicate_has_no_finished_draw():
    status = [[1, 1, 1], [1, 2, 1], [1, 1, 1], [1, 2, 1]]
    cube = tiny_cube([[1, 1], [2, 2], [3, 3], [4, 4]], status=status, replicate=[0, 1, 0, 1])
    assert np.isnan(value(cube, "saving_half_width", "north"))
    assert not np.isnan(value(cube, "saving_half_width", "free"))


def test_every_number_has_both_ends_or_none_and_the_reference_has_no_saving_to_estimate():
    rng = np.random.default_rng(5)
    cube = tiny_cube(rng.normal(10, 20, (600, 2)), design_kind="monte_carlo")
    table = report.robustness_table(cube)
    row = table.sel(configuration="north")
    sample = Sample(cube["saving_fuel_co2"].values[:, 1], "monte_carlo", np.zeros(600, np.int64))
    regrets = Sample(cube["regret_total"].values[:, 1], "monte_carlo", np.zeros(600, np.int64))
    expected = {
        "saving_mean": intervals.mean_interval(sample),
        "saving_p5": intervals.quantile_interval(sample, 0.05),
        "saving_median": intervals.quantile_interval(sample, 0.5),
        "saving_p95": intervals.quantile_interval(sample, 0.95),
        "saving_share": intervals.probability_interval(sample, 0.0),
        "regret_mean": intervals.mean_interval(regrets),
        "regret_cvar90": intervals.cvar_interval(regrets, 0.9),
        "best_share": intervals.share_interval(
            Sample((cube["saving_total"].values[:, 1] > 0) * 1.0, "monte_carlo", regrets.replicate)
        ),
    }
    for name, one in expected.items():
        assert (float(row[name]), float(row[f"{name}_low"]), float(row[f"{name}_high"])) == (
            one.estimate,
            one.low,
            one.high,
        ), name
        assert one.low < one.estimate < one.high
    assert (row["regret_max_low"], row["regret_max_high"].isnull()) == (row["regret_max"], True)
    base = table.sel(configuration="base")
    assert all(np.isnan(base[f"saving_{name}_low"]) for name in ("mean", "p5", "p95", "share", "total_mean"))
    assert float(table["best_share"].sel(configuration=["base", "north"]).sum()) == pytest.approx(1)
    assert np.isnan(table["best_share"].sel(configuration="free"))

    lines = report.table_text(table, width=127).splitlines()
    [at] = [number for number, line in enumerate(lines) if line.strip().startswith("north")]
    assert lines[at + 1].split()[0] == f"±{float(row['saving_half_width']):.1f}"
    assert max(map(len, lines)) <= 127
    record = report.table_record(table)["configurations"][1]
    assert record["saving_p95_low"] == expected["saving_p95"].low
    assert record["regret_max_high"] is None


def test_intervals_of_a_tail_need_draws_in_it():
    cube = tiny_cube(np.random.default_rng(6).normal(10, 20, (40, 2)), design_kind="monte_carlo")
    row = report.robustness_table(cube).sel(configuration="north")
    assert all(np.isnan(row[f"{name}_high"]) for name in ("regret_cvar90", "saving_p95"))
    assert not np.isnan(row["saving_mean_high"])


def in_two_worlds() -> xr.Dataset:
    """Every point under ``low`` and ``high``, where north saves ten times as much."""
    saving = (
        np.repeat(np.random.default_rng(3).normal(4, 1, (30, 2)), 2, axis=0) * np.tile([1.0, 10.0], 30)[:, np.newaxis]
    )
    cube = tiny_cube(saving, design_kind="monte_carlo")
    cube["scenario"] = ("draw", np.array(["low", "high"] * 30, dtype=object))
    return cube.assign_attrs(scenarios=["low", "high"])


def test_scenarios_stand_apart_and_pooled_ones_are_named():
    cube = in_two_worlds()
    pooled, worlds = report.robustness_table(cube), report.scenario_tables(cube)
    assert list(worlds) == ["low", "high"]
    means = [float(each["saving_mean"].sel(configuration="north")) for each in worlds.values()]
    assert means[1] == pytest.approx(10 * means[0])
    assert float(pooled["saving_mean"].sel(configuration="north")) == pytest.approx(np.mean(means))
    # as of 30 points and not of 60 draws
    of_points = cube["saving_fuel_co2"].values[:, 1].reshape(30, 2).mean(axis=1)
    half = float(pooled["saving_half_width"].sel(configuration="north"))
    assert half == pytest.approx(stats.t.ppf(0.975, 29) * stats.sem(of_points))
    assert float(worlds["low"]["saving_half_width"].sel(configuration="north")) == pytest.approx(
        stats.t.ppf(0.975, 29) * stats.sem(of_scenario(cube, "low")["saving_fuel_co2"].values[:, 1])
    )
    text = report.table_text(pooled, scenarios=worlds)
    for told in ("Scenario low", "Scenario high", "All scenarios pooled, each with equal weight", "are no forecast"):
        assert told in " ".join(text.split())
    assert "draws of one point taken together" in " ".join(text.split())
    record = report.table_record(pooled, worlds)
    assert record["scenarios"]["high"][1]["saving_mean"] == means[1]
    assert record["pooled_scenarios"] == ["low", "high"]
    assert "pooled with equal weight" in report.summary(pooled)
    page = report.render_report(cube, command=None)
    assert all(told in page for told in ("Scenario low", "All scenarios pooled", "Both ends of the 95 %"))


def test_summary_names_the_best_and_keeps_the_two_views_apart():
    cube = tiny_cube([[40, 90], [20, 80]], regret=[[5, 9, -1], [4, 2, -2]])
    text = report.summary(report.robustness_table(cube))
    assert "north has the largest mean saving of the named configurations: 30 billion yen a year against base" in text
    assert "in each of its 2 draws" in text
    assert "base has the least maximum regret of the named configurations, 5.0 billion yen" in text
    assert "free is sited anew in every draw" in text
    assert "every configuration was solved in each of them" in text


def test_summary_admits_when_nothing_saves():
    text = report.summary(report.robustness_table(tiny_cube([[-40, 90], [20, 80]])))
    assert "no named configuration saves on average, and north comes nearest: -10 billion yen" in text
    assert "in 1 of 2 draws (50.0%)" in text


def test_summary_counts_what_is_missing():
    cube = tiny_cube([[1, 2]] * 3, status=[[1, 1, 1], [1, 3, 1], [0, 0, 0]])
    assert "; failed: 1 for north; not run yet: 1 for every configuration." in report.summary(
        report.robustness_table(cube)
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            lambda cube: cube.drop_vars("saving_total"),
            "no variable 'saving_total'; known: status, saving_fuel_co2,",
        ),
        (lambda cube: cube.assign_attrs(reference="bse"), "reference 'bse' is no configuration.*nearest known: 'base'"),
        (lambda cube: cube.assign_attrs(free_configurations="free"), "expected a list of names"),
        (lambda cube: cube.assign_attrs(free_configurations=["fre"]), "nearest known: 'free'"),
        (lambda cube: cube.drop_vars("replicate"), "no coordinate 'replicate'"),
        (lambda cube: cube.drop_vars("configuration"), "no coordinate 'configuration'"),
        (lambda cube: cube.assign(regret_total=cube["regret_total"].max("draw")), "expected draw and configuration"),
        (lambda cube: cube.drop_attrs(), "no attribute 'reference'; known: none"),
    ],
)
def test_errors_say_what_is_missing_and_what_is_near(damage, message):
    with pytest.raises(report.CubeContentError, match=message):
        report.robustness_table(damage(tiny_cube([[1, 2]])))


def test_lazy_cube_gives_the_same_table():
    cube = tiny_cube(np.random.default_rng(7).normal(size=(9, 2)))
    lazy = cube.chunk({"draw": 4})
    assert isinstance(lazy["status"].data, dask.array.Array)
    xr.testing.assert_identical(report.robustness_table(lazy), report.robustness_table(cube))


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    saving=st.lists(st.tuples(*[st.floats(-500, 500)] * 2), min_size=1, max_size=12),
    data=st.data(),
)
def test_table_is_that_of_the_finished_draws_alone(saving, data):
    status = data.draw(st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=len(saving), max_size=len(saving)))
    cube = tiny_cube(saving, status=status)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = report.robustness_table(cube)
    counts = table["draws_finished"] + table["draws_failed"] + table["draws_not_run"]
    assert (counts == len(saving)).all()
    paired = [each[0] for each, state in zip(saving, status, strict=True) if state[0] == state[1] == 1]
    if paired:
        row = table.sel(configuration="north")
        assert float(row["saving_mean"]) == pytest.approx(np.mean(paired))
        assert min(paired) <= row["saving_p5"] <= row["saving_median"] <= row["saving_p95"] <= max(paired)
        assert float(row["saving_share"]) == pytest.approx(np.mean(np.array(paired) > 0))
    else:
        assert np.isnan(table["saving_mean"].sel(configuration="north"))
    report.table_text(table)
    report.summary(table)


@pytest.mark.parametrize(
    ("name", "number", "shown"),
    [
        ("saving_mean", -0.04, "0.0"),
        ("saving_mean", 1234.56, "1,234.6"),
        ("saving_share", 0.984, "98.4"),
        ("draws_finished", 64.0, "64"),
        ("regret_max", float("nan"), "-"),
        ("regret_mean", -2.06, "-2.1"),
    ],
)
def test_values_as_shown(name, number, shown):
    assert next(column for column in (*COLUMNS, *DRAWS) if column.name == name).show(number) == shown


def test_unfinished_cube_says_so_first():
    saving = [[10.0, 15.0], [20.0, 25.0], [30.0, 35.0]]
    whole = report.notes(report.robustness_table(tiny_cube(saving)))
    begun = report.notes(report.robustness_table(tiny_cube(saving, status=[[1, 1, 1], [1, 1, 1], [0, 0, 0]])))
    assert not whole[0].startswith("Unfinished")
    assert begun[0].startswith("Unfinished: 1 of 3 draws")


def farmer(acres: np.ndarray) -> np.ndarray:
    """Cost of acreages (plans, 3) of wheat, corn and sugar beets at yields 0.8, 1 and 1.2: (3, plans); Birge and Louveaux."""
    wheat, corn, beets = (np.array([[0.8], [1.0], [1.2]]) * acres.T[crop] * (2.5, 3, 20)[crop] for crop in range(3))
    bought = 238 * np.maximum(200 - wheat, 0) + 210 * np.maximum(240 - corn, 0)
    sold = 170 * np.maximum(wheat - 200, 0) + 150 * np.maximum(corn - 240, 0)
    return acres @ (150, 230, 260) + bought - sold - 36 * np.minimum(beets, 6000) - 10 * np.maximum(beets - 6000, 0)


def test_the_value_of_perfect_information_is_the_least_mean_regret():
    foreseen = [(100, 25, 375), (120, 80, 300), (550 / 3, 200 / 3, 250)]  # best where the yield is known beforehand
    plans = np.array([(170, 80, 250), *foreseen])
    cost = farmer(plans)
    names = ["robust", "low", "mean", "high"]
    dims = ("draw", "configuration")
    missing = np.full((3, 4, 1, 1), np.nan)
    cube = xr.Dataset(
        {
            "status": (dims, np.ones((3, 4), np.int8)),
            **{name: (dims, cost[:, [2]] - cost) for name in ("saving_fuel_co2", "saving_total")},
            "regret_total": (dims, cost - cost.min(axis=1, keepdims=True)),
            "latency_unserved": (dims, np.zeros((3, 4))),
            "curtailment": ((*dims, "area", "technology"), missing),
        },
        coords={"configuration": names, "replicate": ("draw", np.zeros(3, int))},
        attrs={"reference": "mean", "free_configurations": [], "design_kind": "monte_carlo"},
    )
    table = report.robustness_table(cube)
    assert cost.mean(axis=0)[[0, 2]] == pytest.approx([-108390, -107240])
    regret = table["regret_mean"].to_series()
    assert regret.idxmin() == "robust"
    assert regret["robust"] == pytest.approx(7015.5556, abs=1e-3)  # EVPI
    assert float(table["saving_total_mean"].sel(configuration="robust")) == pytest.approx(1150)  # VSS
    assert table["best_share"].to_series().tolist() == [0, *[pytest.approx(1 / 3)] * 3]


def test_note_on_days_where_the_cube_tells_of_them() -> None:
    cube = tiny_cube([[0.0, 1.0], [0.0, 2.0]])
    assert not any("Days" in note for note in report.notes(report.robustness_table(cube)))
    told = cube.assign_attrs(days="24 days by decision; error 1 %")
    assert "Days: 24 days by decision; error 1 %." in report.notes(report.robustness_table(told))
