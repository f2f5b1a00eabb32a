"""Test two cubes of the same futures: the full-year companion of a study, `wattbit correct`, and what is no such pair."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import xarray as xr

from benchmarks.workloads import make_workload
from report.intervals import Sample, mean_interval
from report.multifidelity import Pairs, corrected_mean
from storage import open_cube, read_layout
from sweep.errors import StudyError
from sweep.fidelity import companion, correct
from sweep.run import run
from sweep.study import read_study
from tests.sweep_cases import DAYS_TABLE, files, plan_of, strict_json, wattbit, write_study

DESIGN = ("batch = 2", "batch = 8"), ("draws = 5", "draws = 24\nreplicates = 4")
MORE_DAYS = DAYS_TABLE.replace("fy2019,200,165", "fy2019,120,65\nfy2019,200,100").replace(
    "fy2024,300,365", "fy2024,300,200\nfy2024,120,165"
)


class Two(NamedTuple):
    folder: Path
    cheap: Path
    full: Path


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Two:
    """Cubes of 24 draws of one or two days, and of the first 8 of them with two or three."""
    folder = tmp_path_factory.mktemp("two")
    run(plan_of(write_study(folder / "few", *DESIGN)), folder / "cheap.zarr", serial=True)
    study = write_study(folder / "more", *DESIGN)
    (folder / "more" / "days.csv").write_text(MORE_DAYS)
    run(plan_of(study, 8), folder / "full.zarr", serial=True)
    return Two(folder, folder / "cheap.zarr", folder / "full.zarr")


def test_correct_prints_what_the_estimator_makes_of_both_cubes(two: Two) -> None:
    result = wattbit(two.folder, "correct", "cheap.zarr", "full.zarr", "--json", "--budget", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    record = strict_json(result.stdout)
    assert (record["statistic"], record["draws"], record["full_draws"]) == ("mean of saving_fuel_co2", 24, 8)
    assert list(record["configurations"]) == ["tokyo_osaka", "five_hubs"]
    many, few = (open_cube(store)["saving_fuel_co2"].sel(configuration="five_hubs") for store in (two.cheap, two.full))
    expected = corrected_mean(Pairs(many.to_numpy(), few.to_numpy(), np.arange(24) % 4))
    row = record["configurations"]["five_hubs"]
    assert row["corrected"]["estimate"] == expected.estimate
    assert row["corrected"]["how"] == expected.how
    assert row["corrected"]["low"] == (expected.low if np.isfinite(expected.low) else None)
    assert (record["not_run"], record["full_not_run"]) == (0, 0)
    alone = mean_interval(Sample(few.to_numpy(), "sobol", np.arange(8) % 4))
    assert (row["full"]["estimate"], row["full"]["high"]) == (alone.estimate, alone.high)
    assert (row["pairs"], row["draws"]) == (8, 24)
    assert row["correlation"] == pytest.approx(np.corrcoef(many[:8], few)[0, 1])
    seconds = [
        xr.open_zarr(store, group="run")["seconds"].sum("configuration").mean() for store in (two.cheap, two.full)
    ]
    assert record["seconds_of_a_draw"] == pytest.approx(float(seconds[0]))
    assert record["seconds_of_a_full_draw"] == pytest.approx(float(seconds[1]))
    left = (1 - row["correlation"] ** 2) / 8 + row["correlation"] ** 2 / 24
    spent = 8 + 24 * record["seconds_of_a_draw"] / record["seconds_of_a_full_draw"]
    assert row["cost_share"] == pytest.approx(spent * left)
    assert record["configurations"]["tokyo_osaka"]["correlation"] is None  # the reference saves nothing over itself
    assert record["splits"]["tokyo_osaka"] is None
    split = record["splits"]["five_hubs"]
    spent = split["draws"] * record["seconds_of_a_draw"] + split["full_draws"] * record["seconds_of_a_full_draw"]
    assert 0.95 * 3600 < spent <= 3600


def test_correct_in_text(two: Two) -> None:
    result = wattbit(two.folder, "correct", "cheap.zarr", "full.zarr", "--configuration", "five_hubs", "--budget", "1")
    assert result.exit_code == 0
    assert "mean of saving_fuel_co2 [billion yen per year (2024 prices)]" in result.stdout
    assert "tokyo_osaka" not in result.stdout
    assert "24 draws at " in result.stdout
    assert "the first 8 of them also with more days at" in result.stdout
    assert "spread of 4 sections (independent parts of the draws)" in result.stdout or "Cochran's rule" in result.stdout
    assert "The corrected mean is unbiased: over all designs" in result.stdout
    assert "not run yet" not in result.stdout
    assert "with 1 h of solving, for the mean of\n  five_hubs: " in result.stdout


def test_probabilities_and_quantiles(two: Two) -> None:
    few = open_cube(two.full)["saving_total"].sel(configuration="five_hubs").to_numpy()
    middle = float(np.median(few))
    [share] = correct(two.cheap, two.full, "saving_total", ["five_hubs"], above=middle).rows
    assert 0 <= share.corrected.low <= share.corrected.high <= 1
    assert share.full.estimate == (few > middle).mean()
    [quantile] = correct(two.cheap, two.full, "saving_total", ["five_hubs"], quantile=0.5).rows
    assert few.min() <= quantile.corrected.estimate <= few.max()
    text = wattbit(two.folder, "correct", "cheap.zarr", "full.zarr", "--above", "0").stdout
    assert text.startswith("probability of saving_fuel_co2 above 0 [1]")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("cheap.zarr", "cheap.zarr"), "found the same days in both, expected few and all"),
        (("full.zarr", "cheap.zarr"), "the cube of more days has 24 draws, the other one 8"),
        (("cheap.zarr", "full.zarr", "--outcome", "saving_fuel"), ""),
        (("cheap.zarr", "full.zarr", "--outcome", "lole"), "expected one in a draw: --select area=NAME or --sum"),
        (("cheap.zarr", "full.zarr", "--outcome", "lole", "--sum", "area"), "does not add up"),
        (("cheap.zarr", "full.zarr", "--outcome", "unserved", "--select", "area=Tokio"), "nearest known: 'Tokyo'"),
        (("cheap.zarr", "full.zarr", "--outcome", "dc_demand"), "it is a parameter"),
        (("cheap.zarr", "full.zarr", "--configuration", "five_hub"), "nearest known: 'five_hubs'"),
        (("cheap.zarr", "full.zarr", "--scenario", "low"), "none: the study has no scenarios"),
        (("cheap.zarr", "full.zarr", "--above", "0", "--quantile", "0.5"), "found both, expected one of them"),
        (("cheap.zarr", "none.zarr"), "none.zarr"),
    ],
)
def test_what_is_no_pair_or_not_there_is_refused(options: tuple[str, ...], says: str, two: Two) -> None:
    result = wattbit(two.folder, "correct", *options)
    assert result.exit_code == (2 if says else 0)
    assert says in result.stderr


def test_one_number_of_areas_and_technologies(two: Two) -> None:
    few = open_cube(two.full)["curtailment"].sel(configuration="five_hubs")
    options = ("--outcome", "curtailment", "--configuration", "five_hubs", "--json")
    for more, expected in (
        (("--sum", "area", "--sum", "technology"), few.sum(["area", "technology"], min_count=1)),
        (("--select", "area=Kyushu", "--select", "technology=solar"), few.sel(area="Kyushu", technology="solar")),
    ):
        record = strict_json(wattbit(two.folder, "correct", "cheap.zarr", "full.zarr", *options, *more).stdout)
        row = record["configurations"]["five_hubs"]
        assert row["full"]["estimate"] == pytest.approx(float(expected.mean()))
    assert record["statistic"] == "mean of curtailment area Kyushu technology solar"
    assert record["units"].startswith("TWh")


def test_an_unfinished_cube_says_what_is_missing_and_what_finishes_it(two: Two, tmp_path: Path) -> None:
    shutil.copytree(two.full, tmp_path / "full.zarr")
    [record] = (tmp_path / "full.zarr" / "run" / "commits").iterdir()
    record.unlink()
    shutil.copytree(two.cheap, tmp_path / "cheap.zarr")
    result = wattbit(tmp_path, "correct", "cheap.zarr", "full.zarr")
    assert result.exit_code == 0
    assert "full cube: 8 of 8 draws are not run yet; finish it with" in result.stdout
    assert "wattbit run STUDY --full-year N" in result.stdout
    found = strict_json(wattbit(tmp_path, "correct", "cheap.zarr", "full.zarr", "--json").stdout)
    assert (found["not_run"], found["full_not_run"]) == (0, 8)
    assert found["configurations"]["five_hubs"]["corrected"]["estimate"] is None


def test_another_study_is_no_companion(two: Two, tmp_path: Path) -> None:
    study = write_study(tmp_path, *DESIGN, ("seed = 7", "seed = 8"), more="[inputs]\nscalars = { voll = 4000 }\n")
    (tmp_path / "days.csv").write_text(MORE_DAYS)
    run(plan_of(study, 4), tmp_path / "other.zarr", serial=True)
    with pytest.raises(StudyError) as caught:
        correct(two.cheap, tmp_path / "other.zarr")
    assert "differ in more than their days" in str(caught.value)
    assert "study.design.seed: the store has 7, this study has 8" in str(caught.value)
    assert "study.inputs.scalars.voll" in str(caught.value)


def test_full_year_of_the_first_draws(tmp_path: Path) -> None:
    """Two areas, a draw of each of two replicates: the command makes the cube beside that of the study."""
    (tmp_path / "study").mkdir()
    make_workload("small", tmp_path / "study", 2)
    tables = ("areas", "capacity", "configurations", "interconnectors", "uncertainty")
    own = [f'{table} = "{table}.csv"' for table in tables]
    own.append('hourly = { fy2019 = "fy2019.csv", fy2024 = "fy2024.csv" }')
    edits = ("draws = 5", "draws = 4\nreplicates = 2"), ('["tokyo_osaka", "five_hubs"]', '["tokyo_osaka"]')
    more = "\n".join(["[fixed]", 'weather_year = "fy2024"', "[inputs]", *own])
    write_study(tmp_path / "study", *edits, more=more)
    result = wattbit(tmp_path / "study", "run", "study.toml", "--serial", "--full-year", "2")
    assert result.exit_code == 0, result.stderr
    assert "2 draws x 1 fixed configurations x 365 days" in result.stderr
    full = tmp_path / "study" / "results" / "small.full.zarr"
    assert read_layout(full).draws == 2
    run(plan_of(tmp_path / "study" / "study.toml"), tmp_path / "cheap.zarr", serial=True)
    cheap = open_cube(tmp_path / "cheap.zarr")
    np.testing.assert_array_equal(open_cube(full)["dc_demand"], cheap["dc_demand"][:2])
    [row] = correct(tmp_path / "cheap.zarr", full, "total_cost").rows
    assert (row.pairs, row.draws) == (2, 4)
    assert np.isfinite(row.corrected.estimate)


def test_companion_that_cannot_be_is_refused(tmp_path: Path) -> None:
    write_study(tmp_path, *DESIGN)
    study = read_study(tmp_path / "study.toml")
    made = companion(study, 8)
    assert (made.design.draws, made.days.all, made.stop) == (8, True, ())
    before = files(tmp_path)
    result = wattbit(tmp_path, "run", "study.toml", "--serial", "--full-year", "6")
    assert result.exit_code == 2
    assert "--full-year 6: expected a multiple of 4 replicates, as 8" in result.stderr
    assert files(tmp_path) == before
    write_study(tmp_path, ('"sobol"', '"lhs"'))
    with pytest.raises(StudyError, match="found a design of kind lhs, expected monte_carlo, sobol or halton"):
        companion(read_study(tmp_path / "study.toml"), 2)
