"""Test `wattbit sensitivity` on stored cubes: batches that are missing, draws that failed, text, JSON and refusals."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import storage
from storage import Layout, Variable
from tests.sensitivity_cases import CELL, ISHIGAMI_S1, ISHIGAMI_ST, Numbers, ishigami, saltelli
from tests.sweep_cases import strict_json, wattbit

STATUS = {"flag_values": [0, 1, 2], "flag_meanings": "not_run optimal infeasible"}
UNIT = {"units": "billion yen per year"}
BATCH = 500
MISSING, FAILED = 2, (3, 11, 1560)  # draws 1000 to 1499 are not run


def write_cube(path: Path, units: Numbers, kind: str) -> Path:
    """Store a cube of Ishigami's function, one batch left out, some draws failed, the reference never saving."""
    draws = len(units)
    layout = Layout(
        variables=(
            Variable("status", CELL, "int8", STATUS),
            Variable("saving_fuel_co2", CELL, "float64", UNIT),
            Variable("regret_total", CELL, "float64", UNIT),
            Variable("curtailment", (*CELL, "area"), "float64", {"units": "TWh"}),
        ),
        coords={"configuration": ("base", "plan"), "area": ("Hokkaido", "Tokyo")},
        draws=draws,
        batch=BATCH,
    )
    columns = {f"x{j}": ("draw", units[:, j], {"units": "1"}) for j in range(3)}
    years = np.full(draws, "fy2024", dtype=object)
    table = xr.Dataset(
        {**columns, "weather_year": ("draw", years, {"units": "1"})},
        coords={"draw": np.arange(draws), "replicate": ("draw", np.zeros(draws, dtype=np.int64))},
        attrs={"design_kind": kind, "reference": "base", "free_configurations": []},
    )
    storage.create_cube(path, layout, table, {"study": "ishigami"})
    y = ishigami(units)
    status = np.ones((draws, 2), dtype=np.int8)
    status[list(FAILED), 1] = 2
    values = np.where(status == 1, np.stack([0 * y, y], axis=1), np.nan)
    outcomes = {
        "status": status,
        "saving_fuel_co2": values,
        "regret_total": values,
        "curtailment": np.stack([values, 2 * values], axis=2),
    }
    for batch in range(layout.batches):
        if batch != MISSING:
            rows = slice(*layout.bounds(batch))
            storage.write_batch(path, batch, {name: array[rows] for name, array in outcomes.items()}, {}, {})
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cube(tmp_path_factory.mktemp("driven") / "a.zarr", saltelli(1024), "saltelli")


def test_the_design_decides_and_what_failed_or_is_not_run_takes_its_base_point(store: Path) -> None:
    done = wattbit(store.parent, "sensitivity", "a.zarr", "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    outcomes = strict_json(done.stdout)["outcomes"]
    assert [each["outcome"] for each in outcomes] == ["saving_fuel_co2", "regret_total"]
    base, plan = outcomes[0]["results"]
    assert base["reason"].startswith("does not vary: 0 in all ")
    lost = {draw // 8 for draw in (*range(1000, 1500), *FAILED)}
    assert (plan["sets"], plan["sets_total"], plan["reason"]) == (1024 - len(lost), 1024, None)
    assert [one["S1"]["value"] for one in plan["parameters"]] == pytest.approx(ISHIGAMI_S1, abs=0.04)
    assert [one["ST"]["value"] for one in plan["parameters"]] == pytest.approx(ISHIGAMI_ST, abs=0.04)
    assert len(plan["pairs"]) == 3
    assert outcomes[0]["left_out"] == {"weather_year": "fy2024 in all of these draws"}
    assert (outcomes[0]["method"], outcomes[0]["design_kind"]) == ("sobol", "saltelli")


def test_the_text_says_it_in_words(store: Path) -> None:
    line = ["sensitivity", "a.zarr", "--outcome", "saving_fuel_co2", "--configuration", "plan"]
    done = wattbit(store.parent, *line)
    assert re.match(r"x1 drives 4\d % of the variance of saving_fuel_co2 of plan \(0\.\d\d–0\.\d\d\), x0 ", done.stdout)
    assert "take their base point with them" in done.stdout
    assert "Left out: weather_year (fy2024 in all of these draws)." in done.stdout
    given = wattbit(store.parent, *line, "--method", "given", "--seed", "4")
    assert "(by chance)" in given.stdout
    assert given.stdout == wattbit(store.parent, *line, "--method", "given", "--seed", "4").stdout


def test_areas_are_selected_and_summed(store: Path) -> None:
    line = ["sensitivity", "a.zarr", "--outcome", "curtailment", "--configuration", "plan", "--json"]
    [one] = strict_json(wattbit(store.parent, *line, "--select", "area=Tokyo").stdout)["outcomes"]
    [summed] = strict_json(wattbit(store.parent, *line, "--sum", "area").stdout)["outcomes"]
    assert [result["area"] for result in one["results"]] == ["Tokyo"]
    assert summed["summed_over"] == ["area"]
    for left, right in zip(one["results"][0]["parameters"], summed["results"][0]["parameters"], strict=True):
        assert left["ST"]["value"] == pytest.approx(right["ST"]["value"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--method", "morris"], "method 'morris' needs a design of kind 'morris', found 'saltelli'"),
        (["--outcome", "saving_fuel"], "nearest known: 'saving_fuel_co2'"),
        (["--configuration", "plans"], "nearest known: 'plan'"),
        (["--select", "area"], "--select area: expected DIM=LABEL"),
        (["--where", "x0 > 0.5"], "a design of kind 'saltelli' tells something with all its draws alone"),
        (["--outcome", "regret_total", "--sum", "area"], "--sum area: regret_total does not run over it"),
    ],
)
def test_bad_questions_end_with_a_message_and_code_2(store: Path, words: list[str], message: str) -> None:
    result = wattbit(store.parent, "sensitivity", "a.zarr", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("wattbit: ")
    assert message in result.stderr


def test_any_sample_of_futures_has_an_answer_compacted_too(tmp_path: Path) -> None:
    units = np.random.default_rng(6).random((1600, 3))
    write_cube(tmp_path / "b.zarr", units, "monte_carlo")
    assert wattbit(tmp_path, "compact", "b.zarr").exit_code == 0
    line = ["--outcome", "saving_fuel_co2", "--json"]
    plain, compacted = (wattbit(tmp_path, "sensitivity", name, *line).stdout for name in ("b.zarr", "b.compact.zarr"))
    assert plain == compacted
    half = wattbit(tmp_path, "sensitivity", "b.zarr", *line, "--where", "x0 > 0.5 and x1 < 0.9").stdout
    [found] = strict_json(half)["outcomes"]
    kept = (units[:, 0] > 0.5) & (units[:, 1] < 0.9)
    assert (found["where"], found["draws"]) == ("x0 > 0.5 and x1 < 0.9", kept.sum())
    for condition, message in (
        ("saving_fuel_co2 > 0", "expected parameters alone"),
        ("x0 > 2", "no draw of 1600 meets --where 'x0 > 2': x0 runs from"),
        ("x9 > 2", "no parameter or outcome 'x9'"),
    ):
        refused = wattbit(tmp_path, "sensitivity", "b.zarr", "--where", condition)
        assert refused.exit_code == 2
        assert message in refused.stderr
    silent = wattbit(tmp_path, "sensitivity", "b.zarr", "--configuration", "base").stdout  # never varies
    assert "no answer, as it does not vary" in silent
    assert "S1:" not in silent
    assert "In brackets" not in silent
    plan = strict_json(plain)["outcomes"][0]["results"][1]
    assert (plan["n"], plan["dropped"]) == (1097, 503)
    assert [one["S1"]["value"] for one in plan["parameters"]] == pytest.approx(ISHIGAMI_S1, abs=0.1)
