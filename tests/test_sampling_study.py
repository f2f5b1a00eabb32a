"""Test a study with all kinds of uncertainty through the commands: sample, check, run, extend, verify, query."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest

from model.inputs import SHIPPED
from sampling import read_uncertainty
from storage import open_cube
from sweep.drawing import draw
from sweep.study import read_study
from sweep.theta import model_columns, theta_of
from tests.sweep_cases import DRAWS, files, files_outside_run, plan_of, strict_json, wattbit, write_study

RICH = """
[dependence]
rank_correlation = [["dc_demand", "co2_price", 0.7]]
groups = [["solar_buildout", "-battery_buildout"]]

[uncertain.regional_capex]
distribution = "empirical"
file = "capex.csv"
column = "ratio"
unit = "USD"
source = "own table"

[uncertain.nuclear_capacity]
distribution = "uniform"
min = 0.3
max = { by = "policy", values = { exit = 0.5, restart = 1.62 } }

[driver.policy]
distribution = "choice"
odds = { exit = 0.5, restart = 0.5 }

[scenario.low]
apn_adoption = 0.2

[scenario.high]
apn_adoption = 1.0
solar_buildout_Hokkaido = 2
"""
CAPEX = "ratio\n0.8\n0.9\n1.05\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rich")
    write_study(folder, (f"draws = {DRAWS}", "draws = 2"), ('"tokyo_osaka", "five_hubs"]', '"tokyo_osaka"]'), more=RICH)
    (folder / "capex.csv").write_text(CAPEX)
    return folder


def test_sample_tells_everything_and_writes_nothing(folder: Path) -> None:
    before = files(folder)
    result = wattbit(folder, "sample", "study.toml", "--draws", "64", "--json")
    assert result.exit_code == 0
    assert result.stderr == "note: uncertain.regional_capex.unit is 'USD'; its values are taken as they are, in '1'\n"
    record = strict_json(result.stdout)
    assert (record["draws"], record["scenarios"]) == (128, ["low", "high"])
    capex = record["parameters"]["regional_capex"]
    assert (capex["unit"], capex["source"]) == ("USD", "own table")
    assert capex["distribution"] == "empirical(values=3, file=capex.csv, column=ratio)"
    assert list(capex["quantiles"]) == ["0", "0.05", "0.25", "0.5", "0.75", "0.95", "1"]
    assert capex["quantiles"]["0.5"] == pytest.approx(0.9, abs=0.01)
    assert capex["mean"] == pytest.approx(2.75 / 3, abs=0.005)
    assert record["parameters"]["policy"]["values"] == "exit: 64, restart: 64"
    found = {tuple(each["parameters"]): each for each in record["rank_correlations"]}
    assert found["dc_demand", "co2_price"]["asked"] == 0.7
    assert found["dc_demand", "co2_price"]["achieved"] == pytest.approx(0.7, abs=0.1)
    assert found["solar_buildout", "battery_buildout"]["achieved"] == pytest.approx(-1)
    assert found["lng_fuel_cost", "coal_fuel_cost"]["measure"] == "spearman"
    text = wattbit(folder, "sample", "study.toml", "--draws", "64").stdout
    assert "uniform(min=0.3, max=by policy (exit: 0.5, restart: 1.62))" in text
    assert "own table" in text
    assert "128 draws, 2 scenarios of each point: low, high" in text
    assert files(folder) == before


def test_draws_as_csv_are_read_back_bit_for_bit(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    result = wattbit(tmp_path, "sample", "study.toml", "--csv", "-")
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    table = plan_of(study).table
    assert [*rows[0]] == ["draw", "replicate", *map(str, table.data_vars)]
    assert len(rows) == DRAWS
    assert wattbit(tmp_path, "sample", "study.toml", "--csv", "futures.csv").exit_code == 0
    assert (tmp_path / "futures.csv").read_text() == result.stdout
    again = write_study(tmp_path, (f'kind = "sobol"\ndraws = {DRAWS}\nseed = 7', 'kind = "file"\nfile = "futures.csv"'))
    read = draw(read_study(again), tmp_path).table
    for name, column in table.data_vars.items():
        np.testing.assert_array_equal(read[name].values, column.values)
    refused = wattbit(tmp_path, "sample", "study.toml", "--csv", "-", "--json")
    assert (refused.exit_code, refused.stdout) == (2, "")


def test_check_draws_a_figure(folder: Path, tmp_path: Path) -> None:
    for name, begins in {"one.svg": b"<?xml", "one.png": b"\x89PNG"}.items():
        result = wattbit(folder, "check", "study.toml", "--figure", str(tmp_path / name))
        assert (result.exit_code, "study.toml: ok" in result.stdout) == (0, True)
        assert (tmp_path / name).read_bytes().startswith(begins)
    refused = wattbit(folder, "check", "study.toml", "--figure", str(tmp_path / "one.pdf"))
    assert refused.exit_code == 2
    assert "found .pdf, expected one of .svg, .png" in refused.stderr


def test_run_extend_verify_and_query(folder: Path) -> None:
    store = folder / "results" / "small.zarr"
    first = wattbit(folder, "run", "study.toml", "--serial")
    assert (first.exit_code, "4 draws solved" in first.stderr) == (0, True)
    less = wattbit(folder, "run", "study.toml", "--serial", "--draws", "1")
    assert "the store has 2, this study has 1: a cube does not shrink, --draws 2 goes on with it" in less.stderr
    more = wattbit(folder, "run", "study.toml", "--serial", "--draws", "3")
    assert (more.exit_code, "2 draws solved, 4 found finished" in more.stderr) == (0, True)
    cube = open_cube(store)
    assert cube["scenario"].values.tolist() == ["low", "high"] * 3
    assert set(cube["policy"].values) <= {"exit", "restart"}
    assert cube["apn_adoption"].values.tolist() == [0.2, 1.0] * 3
    assert cube["solar_buildout_Hokkaido"].values.tolist() == [1.0, 2.0] * 3
    verified = wattbit(folder, "verify", str(store), "--json")
    assert strict_json(verified.stdout)["believed"], verified.stdout
    asked = wattbit(folder, "query", str(store), "total_cost", "--by", "scenario", "--json")
    assert asked.exit_code == 0
    assert {"low", "high"} == {row["scenario"] for row in strict_json(asked.stdout)["rows"]}
    whole = folder / "whole.zarr"
    assert wattbit(folder, "run", "study.toml", "--serial", "--draws", "3", "--store", str(whole)).exit_code == 0
    assert files_outside_run(whole) == files_outside_run(store)
    (folder / "capex.csv").write_text(CAPEX.replace("0.9", "0.91"))
    other = wattbit(folder, "run", "study.toml", "--serial", "--draws", "3")
    (folder / "capex.csv").write_text(CAPEX)
    assert other.exit_code == 2
    assert "files.uncertain.regional_capex" in other.stderr


def test_scenario_and_driver_are_no_parameters_of_the_model(folder: Path) -> None:
    drawn = draw(read_study(folder / "study.toml"), folder)
    assert {"scenario", "policy"} <= set(drawn.table.data_vars)
    assert not {"scenario", "policy"} & set(model_columns(drawn.table))
    assert "scenario" not in theta_of(drawn.table, 0)
    assert "policy" not in drawn.mids


def test_a_morris_study_knows_its_draws(tmp_path: Path) -> None:
    design = f'kind = "sobol"\ndraws = {DRAWS}', 'kind = "morris"\ntrajectories = 2'
    plan = plan_of(write_study(tmp_path, design, more='[fixed]\nweather_year = "fy2024"\npue_gap = 1\n'))
    known, _ = read_uncertainty(SHIPPED / "uncertainty.csv")
    assert plan.layout.draws == 2 * (len(known) - 2 + 1)
    assert any("lng_fuel_cost and coal_fuel_cost are correlated" in note for note in plan.drawn.notes)
