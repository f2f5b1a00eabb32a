"""Run studies of two areas from end to end: designs for sensitivity with draws that fail, two and two hundred parameters."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.workloads import make_workload
from storage import open_cube
from tests.sweep_cases import mids, strict_json, wattbit

TABLES = ("areas", "capacity", "configurations", "interconnectors", "uncertainty")
VARIED = ("dc_demand", "co2_price")
DEMAND = (4.0, 24.0)  # GW; the grid takes no more than a part of it


def write_two_areas(folder: Path, design: str, more: str = "", varied: Sequence[str] = VARIED) -> None:
    """Write a study of two areas whose free configuration finds no grid where demand is large."""
    make_workload("small", folder, 2, 1)
    with (folder / "uncertainty.csv").open(encoding="utf-8") as stream:
        known = [row["name"] for row in csv.DictReader(stream)]
    fixed = {name: value for name, value in mids().items() if name in known and name not in varied}
    lines = [
        'name = "two"\nconfigurations = ["tokyo_osaka", "five_hubs", "hubs"]\nbatch = 16\n[design]',
        design,
        '[days]\nfile = "days.csv"\n[free.hubs]\ntiers = ["hub"]\n[fixed]',
        *(f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}" for name, value in fixed.items()),
        "[inputs]",
        *(f'{table} = "{table}.csv"' for table in TABLES),
        'hourly = { fy2019 = "fy2019.csv", fy2024 = "fy2024.csv" }',
        f'[uncertain.dc_demand]\ndistribution = "uniform"\nmin = {DEMAND[0]}\nmax = {DEMAND[1]}',
        more,
    ]
    (folder / "study.toml").write_text("\n".join(lines))


def answers(folder: Path, outcome: str, *more: str) -> dict[str, dict[str, Any]]:
    done = wattbit(folder, "sensitivity", "two.zarr", "--outcome", outcome, "--json", *more)
    assert done.exit_code == 0, done.stderr
    [found] = strict_json(done.stdout)["outcomes"]
    return {row["configuration"]: row | {"method": found["method"]} for row in found["results"]}


@pytest.mark.parametrize(
    ("design", "draws", "method", "measure"),
    [
        ('kind = "saltelli"\npoints = 16\nsecond_order = false\nseed = 5', 64, "sobol", "ST"),
        ('kind = "morris"\ntrajectories = 8\nseed = 5', 24, "morris", "mu_star"),
    ],
)
def test_a_design_for_sensitivity_from_study_to_answer(
    design: str, draws: int, method: str, measure: str, tmp_path: Path
) -> None:
    write_two_areas(tmp_path, design)
    result = wattbit(tmp_path, "run", "study.toml", "--serial", "--store", "two.zarr")
    assert result.exit_code == 1, result.stderr  # with draws that failed
    assert "no number has a confidence interval" in " ".join(result.stdout.split())
    cube = open_cube(tmp_path / "two.zarr")
    failed = (cube["status"].sel(configuration="hubs") != 1).to_numpy()
    assert (len(failed), 0 < failed.sum() < draws) == (draws, True)
    found = answers(tmp_path, "fuel_cost")
    whole, part = found["tokyo_osaka"], found["hubs"]
    assert whole["method"] == method
    assert whole["sets"] == whole["sets_total"] > part["sets"] > 0
    size = draws // whole["sets_total"]
    assert part["sets"] == whole["sets_total"] - failed.reshape(-1, size).any(axis=1).sum()
    told = {row["parameter"]: row[measure]["value"] for row in whole["parameters"]}
    assert told["dc_demand"] > 5 * abs(told["co2_price"])  # more load burns more fuel
    if part["reason"] is None:
        assert all(np.isfinite(row[measure]["value"]) for row in part["parameters"])
    else:
        assert "have all their draws" in part["reason"]


def test_two_hundred_uncertain_parameters(tmp_path: Path) -> None:
    drivers = "\n".join(
        f'[driver.d{number}]\ndistribution = "uniform"\nmin = 0\nmax = {number}' for number in range(1, 199)
    )
    write_two_areas(tmp_path, 'kind = "monte_carlo"\ndraws = 3\nseed = 5', drivers)
    sampled = wattbit(tmp_path, "sample", "study.toml", "--json")
    assert sampled.exit_code == 0, sampled.stderr
    result = wattbit(tmp_path, "run", "study.toml", "--serial", "--store", "two.zarr")
    assert result.exit_code in (0, 1), result.stderr
    cube = open_cube(tmp_path / "two.zarr")
    varied = [name for name in cube.data_vars if cube[name].dims == ("draw",) and np.unique(cube[name].values).size > 1]
    assert len(varied) == 200
    assert strict_json(sampled.stdout)["parameters"]["d198"]["mean"] == pytest.approx(float(cube["d198"].mean()))
    few = wattbit(tmp_path, "sensitivity", "two.zarr", "--outcome", "fuel_cost", "--configuration", "tokyo_osaka")
    assert "no answer: 3 draws have a value, 40 or more are needed" in few.stdout
    assert "By chance" not in few.stdout
    assert "S1: " not in few.stdout
