"""Test answers against numbers reckoned apart, and that each row accounts for every draw."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import Any

import numpy as np
import pytest
import xarray as xr

import report.query
from model import OUTCOMES
from report.answers import answer_csv, answer_record, answer_text
from report.intervals import Sample, mean_interval, probability_interval, quantile_interval
from report.query import SUMMABLE, Answer, Question, answer
from report.where import QueryError
from tests.sweep_cases import strict_json

DRAWS = 24
UNITS = "billion yen per year"


def cube() -> xr.Dataset:
    random, dims = np.random.default_rng(5), ("draw", "configuration")
    status = np.ones((DRAWS, 2), dtype=np.int8)
    status[3, 1], status[4:6, 1], status[6, :] = 2, 0, 5
    curtailment = random.random((DRAWS, 2, 3, 2))
    curtailment[:, :, :, 1] = np.nan
    saving = random.normal(10, 5, (DRAWS, 2))
    saving[8, 1] = np.nan
    return xr.Dataset(
        {
            "demand": ("draw", random.random(DRAWS), {"units": "GW"}),
            "line": ("draw", np.arange(DRAWS) % 2 * 1.0, {"units": "1"}),
            "year": ("draw", np.array(["fy2019", "fy2024", "fy2024"] * 8, dtype=object), {"units": "1"}),
            "status": (dims, status),
            "saving": (dims, saving, {"units": UNITS}),
            "curtailment": ((*dims, "area", "technology"), curtailment, {"units": "TWh"}),
            "area_price": ((*dims, "area"), random.random((DRAWS, 2, 3)), {"units": "yen/kWh"}),
        },
        coords={
            "configuration": ["base", "north"],
            "area": ["A", "B", "C"],
            "technology": ["coal", "solar"],
            "replicate": ("draw", np.arange(DRAWS) % 4),
        },
    )


def ask(variable: str, **question: Any) -> Answer:
    return answer(cube(), Question(variable, **question))


def test_mean_spread_quantiles_and_counts_of_each_configuration() -> None:
    found, made = ask("saving", quantiles=(0.1, 0.9), above=8.0), cube()
    assert (found.keys, found.units, len(found.rows)) == (("configuration",), UNITS, 2)
    for row, counts in zip(found.rows, [(23, 1, 0, 0), (19, 2, 2, 1)], strict=True):
        values = made["saving"].where(made["status"] == 1).sel(configuration=row["configuration"]).dropna("draw").values
        assert (row["n"], row["failed"], row["not_run"], row["no_value"]) == counts
        assert sum(counts) == DRAWS
        assert row["n"] == len(values)
        assert [row["mean"], row["sd"]] == pytest.approx([values.mean(), values.std(ddof=1)])
        assert [row["q0.1"], row["q0.9"]] == pytest.approx(np.quantile(values, [0.1, 0.9]))
        assert row["above"] == (values > 8).mean()
        assert (row["failed_share"], row["not_run_share"]) == (counts[1] / DRAWS, counts[2] / DRAWS)


def test_every_number_has_its_interval_and_scenarios_are_named() -> None:
    made = cube().assign_attrs(design_kind="monte_carlo", scenarios=["low", "high"])
    made["scenario"] = ("draw", np.array(["low", "high"] * 12, dtype=object))
    found = answer(made, Question("saving", select={"configuration": ("base",)}, above=10.0))
    [row] = found.rows
    values = np.where(made["status"].values[:, 0] == 1, made["saving"].values[:, 0], np.nan)
    sample = Sample(values, "monte_carlo", np.zeros(DRAWS, np.int64), point=np.arange(DRAWS) // 2)
    for name, one in (
        ("mean", mean_interval(sample)),
        ("q0.5", quantile_interval(sample, 0.5)),
        ("above", probability_interval(sample, 10.0)),
    ):
        assert (row[name], row[f"{name}_low"], row[f"{name}_high"]) == (one.estimate, one.low, one.high)
    assert any("Scenarios (low, high) are pooled" in note for note in found.notes)
    assert f"{row['mean']:.4g} ±" in answer_text(found)
    assert f"mean low [{UNITS}],mean high [{UNITS}]" in answer_csv(found)
    apart = answer(made, Question("saving", by=("scenario",)))
    assert [each["scenario"] for each in apart.rows] == ["high", "high", "low", "low"]
    assert not any("pooled" in note for note in apart.notes)
    alone = mean_interval(Sample(values[::2], "monte_carlo", np.zeros(12, np.int64)))
    assert apart.rows[2]["mean_low"] == pytest.approx(alone.low)
    none = answer(made.assign_attrs(design_kind="sobol").isel(draw=slice(0, None, 4)), Question("saving"))
    assert any(note.startswith("No 95 % intervals: ") for note in none.notes)
    assert "±" not in answer_text(none)


def test_groups_by_text_by_few_values_and_by_bins_account_for_every_draw() -> None:
    found, made = ask("saving", by=("year", "configuration", "demand:3"), where="line == 1"), cube()
    assert found.keys == ("year", "configuration", "demand")
    assert [row["year"] for row in found.rows] == sorted(str(row["year"]) for row in found.rows)
    assert sum(int(row[part]) for row in found.rows for part in ("n", "failed", "not_run", "no_value")) == 2 * 12
    edges = np.quantile(made["demand"], [1 / 3, 2 / 3])
    low = (made["year"] == "fy2024") & (made["line"] == 1) & (made["demand"] < edges[0])
    values = made["saving"].sel(configuration="base").where(low & (made["status"].sel(configuration="base") == 1))
    [row] = [
        row
        for row in found.rows
        if (row["year"], row["configuration"]) == ("fy2024", "base") and str(row["demand"]).endswith(f"{edges[0]:.4g}")
    ]
    assert row["mean"] == pytest.approx(float(values.mean()))
    assert [row["line"] for row in ask("saving", by=("line",)).rows] == [0.0, 0.0, 1.0, 1.0]
    assert [row["n"] for row in ask("saving", by=("replicate",), select={"configuration": ("base",)}).rows] == [
        6,
        6,
        5,
        6,
    ]
    first = ask("line", by=("demand:2",)).rows[0]
    assert str(first["demand"]).startswith(f"{made['demand'].min():.4g} to ")


def test_a_condition_on_outcomes_leaves_failed_draws_in_the_count() -> None:
    found = ask("demand", where="saving > 10")
    for row in found.rows:
        saving = cube()["saving"].where(cube()["status"] == 1).sel(configuration=row["configuration"]).values
        assert row["n"] == (saving > 10).sum()
        assert row["mean"] == pytest.approx(cube()["demand"].values[saving > 10].mean())
    assert [(row["failed"], row["not_run"], row["no_value"]) for row in found.rows] == [(1, 0, 0), (2, 2, 1)]
    assert any("might have met it" in note for note in found.notes)
    nothing = ask("demand", where="saving > 1000")
    assert [(row["n"], row["failed"], row["not_run"]) for row in nothing.rows] == [(0, 1, 0), (0, 2, 2)]
    assert all(math.isnan(float(row["mean"])) for row in nothing.rows)
    assert nothing.notes[0] == nothing.nothing
    assert "no draw of 24 meets --where 'saving > 1000' in these configurations: saving runs from " in nothing.nothing
    assert ask("demand", where="saving > 10").nothing == ""


def test_failed_draws_are_told_by_state_and_can_be_asked_for() -> None:
    made = cube()
    made["status"].attrs = {
        "flag_values": [0, 1, 2, 4, 5],
        "flag_meanings": "not_run optimal infeasible iteration_limit set_aside",
    }
    found = answer(made, Question("saving"))
    assert found.states == ("infeasible", "set_aside")
    assert [(r["failed"], r["failed_infeasible"], r["failed_set_aside"]) for r in found.rows] == [(1, 0, 1), (2, 1, 1)]
    assert "failed_iteration_limit" not in found.rows[0]
    assert "n failed infeasible set aside not run" in " ".join(answer_text(found).split())
    assert "failed,infeasible,set aside,not run" in answer_csv(found)
    asked = answer(made, Question("demand", where="status == 'infeasible'"))
    assert [(row["n"], row["failed"], row["no_value"]) for row in asked.rows] == [(0, 0, 0), (1, 0, 0)]
    assert asked.rows[1]["mean"] == made["demand"].values[3]
    outcome = answer(made, Question("saving", where="status == 'infeasible'"))
    assert [(row["n"], row["failed"]) for row in outcome.rows] == [(0, 0), (0, 1)]


def test_rows_without_any_value_are_left_out_of_the_text_alone() -> None:
    found = ask("curtailment", by=("technology",))
    text = answer_text(found)
    assert "coal" in text
    assert "solar" not in text
    assert "6 rows in which curtailment is not defined are left out" in text
    assert len(answer_record(found)["rows"]) == len(answer_csv(found).splitlines()) - 1 == 12
    assert "solar" in answer_text(ask("curtailment", select={"technology": ("solar",)}))


@pytest.mark.parametrize("loaded", [report.query.LOADED_VALUES, DRAWS * 4, 1])
def test_cells_are_rows_and_sums_are_of_a_draw(loaded: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report.query, "LOADED_VALUES", loaded)
    made = cube()
    finished = made["curtailment"].where(made["status"] == 1)
    found = ask("curtailment", select={"area": ("C", "A"), "technology": ("solar", "coal")}, by=("area",))
    assert found.keys == ("area", "configuration", "technology")
    assert [row["area"] for row in found.rows] == ["C"] * 4 + ["A"] * 4
    for row in found.rows:
        values = finished.sel({key: row[key] for key in found.keys})
        assert (row["n"] == 0) == (row["technology"] == "solar")
        assert row["mean"] == pytest.approx(float(values.mean()), nan_ok=True)
    summed = ask("curtailment", sum=("area", "technology"))
    total = finished.sum(["area", "technology"], min_count=1)
    assert [row["q0.5"] for row in summed.rows] == pytest.approx(total.quantile(0.5, "draw").values)
    assert [row["n"] for row in summed.rows] == [23, 20]


@pytest.mark.parametrize(
    ("variable", "question", "message"),
    [
        ("savings", {}, "no parameter or outcome 'savings'; nearest known: 'saving'"),
        ("status", {}, "every row tells how many draws failed"),
        ("year", {}, "year is text and has no mean"),
        ("saving", {"by": ("demand",)}, "it has 24 values; say how many bins, as in demand:4"),
        ("saving", {"by": ("demand:1",)}, "expected 2 to 100 bins"),
        ("saving", {"by": ("demand:many",)}, "expected 2 to 100 bins"),
        ("saving", {"by": ("year:2",)}, "year is text and has no bins"),
        ("saving", {"by": ("configuration:2",)}, "configuration is a dimension and has no bins, only a parameter has"),
        ("saving", {"where": "curtailment[B] > 2"}, r"name one of each, as in curtailment\[B, coal\]"),
        ("saving", {"where": "curtailment > 2"}, r"as in curtailment\[A, coal\]"),
        ("saving", {"by": ("area",)}, "--by area: no parameter or dimension of this variable"),
        ("saving", {"by": ("demnd:2",)}, "nearest known: 'demand'"),
        ("saving", {"select": {"area": ("A",)}}, "--select area: saving does not run over it"),
        ("curtailment", {"select": {"area": ("D",)}}, "--select area=D: no such area"),
        ("curtailment", {"sum": ("line",)}, "--sum line: curtailment does not run over it"),
        ("area_price", {"sum": ("area",)}, "does not add up"),
        ("saving", {"sum": ("configuration",)}, "does not add up"),
        ("curtailment", {"sum": ("area",), "by": ("area",)}, "--sum area and --by area"),
        ("saving", {"above": float("nan")}, "--above nan: expected a number"),
        ("saving", {"quantiles": (5.0,)}, "--quantile 5: expected shares between 0 and 1"),
        ("area", {}, "area is a dimension; ask for a parameter or outcome"),
        ("sav", {}, "no parameter or outcome 'sav'; nearest known: 'saving'"),
        ("Saving", {}, "no parameter or outcome 'Saving'; nearest known: 'saving'"),
        ("curtailment", {"sum": ("all",)}, "does not run over it; known: area, technology$"),
        ("saving", {"where": "demand > 2"}, "no draw of 24 meets --where 'demand > 2': demand runs from 0.0"),
        ("saving", {"where": "demand > 2 and year == 'fy2019'"}, "year is 'fy2019' or 'fy2024'"),
        ("saving", {"where": "year == 'fy2018'"}, "year is never 'fy2018' in this cube, it is 'fy2019' or 'fy2024'"),
    ],
)
def test_what_has_no_answer_is_refused(variable: str, question: dict[str, Any], message: str) -> None:
    with pytest.raises(QueryError, match=message):
        ask(variable, **question)


def test_text_csv_and_json_say_the_same_with_units() -> None:
    found = ask("saving", by=("line",), where="demand < 2", above=0.0)
    text = answer_text(found)
    assert f"saving [{UNITS}], where demand < 2" in text
    assert all(word in text for word in ("failed", "not run", "no value", "share above 0", "of 24 in the study"))
    rows = list(csv.DictReader(io.StringIO(answer_csv(found))))
    record = strict_json(json.dumps(answer_record(found), allow_nan=False))
    assert len(rows) == len(record["rows"]) == 4
    for line, row in zip(rows, record["rows"], strict=True):
        assert float(line[f"mean [{UNITS}]"]) == row["mean"]
        assert (line["configuration"], int(line["not run"])) == (row["configuration"], row["not_run"])
    nothing = ask("saving", where="saving > 1000")
    assert answer_record(nothing)["rows"][0]["mean"] is None
    assert answer_csv(nothing).splitlines()[1].startswith("base,,,")
    assert "-" in answer_text(nothing).splitlines()[4]
    assert "no draw of 24 meets" in answer_text(nothing)


def test_the_form_that_a_refusal_shows_works() -> None:
    solar_first = cube().isel(technology=[1, 0])  # which has no values, as coal in a real cube
    with pytest.raises(QueryError) as caught:
        answer(solar_first, Question("saving", where="curtailment[north, C] > 0.5"))
    form = str(caught.value).rpartition("as in ")[2]
    assert form == "curtailment[north, C, coal]"
    assert ask("saving", where=f"{form} > 0.5").rows[0]["n"] > 0


def test_only_what_adds_up_is_summed() -> None:
    known = {outcome.name: outcome for outcome in OUTCOMES}
    for name, dims in SUMMABLE.items():
        assert set(dims) <= set(known[name].dims)
        assert known[name].unit in {"TWh", "GW", "1"} or name == "line_value"
    left_out = {name for name, outcome in known.items() if outcome.dims} - {*SUMMABLE}
    assert left_out == {"lole", "flow_net", "congested_hours", "area_price", "siting_value", "latency"}
