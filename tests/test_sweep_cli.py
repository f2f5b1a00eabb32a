"""Test the commands: what they print where, the shape of their JSON, their exit codes, and the cube they leave."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import click
import pytest
import xarray as xr
from click.testing import CliRunner, Result

import sweep.ask
import sweep.cli
import sweep.cli_run
import sweep.ending
from model import OUTCOMES
from storage import open_cube
from sweep.executors import WorkersLostError
from tests.processes import ROOT
from tests.sweep_cases import (
    DRAWS,
    OWN_DESIGN,
    TOO_SMALL,
    WITH_NORTH,
    commit_record,
    files,
    mids,
    strict_json,
    wattbit,
    write_study,
)


class Ran(NamedTuple):
    folder: Path
    result: Result

    @property
    def store(self) -> Path:
        return self.folder / "results" / "small.zarr"


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A study run to its end into the default store; tests that change it take a copy."""
    folder = tmp_path_factory.mktemp("ran")
    write_study(folder)
    return Ran(folder, wattbit(folder, "run", "study.toml", "--serial", "--json"))


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A study of three futures from a file, with a free configuration that has no room in any of them."""
    folder = tmp_path_factory.mktemp("failed")
    write_study(folder, OWN_DESIGN, WITH_NORTH, more=TOO_SMALL)
    (folder / "futures.csv").write_text("dc_demand,weather_year\n6,fy2024\n8,fy2019\n10,fy2024\n")
    return Ran(folder, wattbit(folder, "run", "study.toml", "--serial"))


@pytest.fixture(scope="module")
def studies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that nothing is run of."""
    folder = tmp_path_factory.mktemp("studies")
    write_study(folder)
    return folder


# run


def test_run_prints_results_to_stdout_and_progress_to_stderr(ran: Ran) -> None:
    assert ran.result.exit_code == 0
    strict_json(ran.result.stdout)
    said = ran.result.stderr
    assert f"small: {DRAWS} draws x 2 fixed configurations" in said
    assert f"0/{DRAWS} draws" in said
    assert f"{DRAWS}/{DRAWS} draws" in said
    assert f"{DRAWS} draws solved, 0 found finished" in said
    assert "tokyo_osaka" not in said
    assert str(Path("results") / "small.zarr") in said


def test_run_leaves_the_cube_its_report_its_log_and_nothing_else(ran: Ran) -> None:
    assert {path.name for path in ran.folder.iterdir()} == {"study.toml", "days.csv", "results"}
    assert {path.name for path in (ran.folder / "results").iterdir()} == {"small.zarr", "small.html", "small.log.jsonl"}
    page = (ran.folder / "results" / "small.html").read_text(encoding="utf-8")
    assert "five_hubs" in page
    assert "wattbit run study.toml" in page


def test_run_again_solves_nothing_and_prints_the_same(ran: Ran) -> None:
    before = files(ran.store)
    again = wattbit(ran.folder, "run", "study.toml", "--serial", "--json")
    assert (again.exit_code, again.stdout) == (0, ran.result.stdout)
    assert f"0 draws solved, {DRAWS} found finished" in again.stderr
    assert files(ran.store) == before


def test_run_of_a_changed_study_is_refused_before_anything_is_touched(ran: Ran, tmp_path: Path) -> None:
    before = files(ran.store)
    write_study(tmp_path, ("seed = 7", "seed = 8"))
    result = wattbit(tmp_path, "run", "study.toml", "--serial", "--store", str(ran.store))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "study.design.seed: the store has 7, this study has 8" in result.stderr
    less = wattbit(ran.folder, "run", "study.toml", "--serial", "--draws", "4")
    assert (less.exit_code, less.stdout) == (2, "")
    assert "study.design.draws: the store has 5, this study has 4: a cube does not shrink" in less.stderr
    assert files(ran.store) == before
    assert {*files(tmp_path)} == {"study.toml", "days.csv"}


def test_plain_xarray_opens_the_cube_and_shows_what_it_is(ran: Ran) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cube = xr.open_zarr(ran.store)
    expected = {
        "reference": "tokyo_osaka",
        "study_name": "small",
        "design_kind": "sobol",
        "siting": "tiers",
        "free_configurations": [],
    }
    assert {name: cube.attrs[name] for name in expected} == expected
    assert cube["configuration"].values.tolist() == ["tokyo_osaka", "five_hubs"]
    assert {*cube.dims} == {"draw", "configuration", "area", "tier", "technology", "line"}
    assert {outcome.name for outcome in OUTCOMES} | {*mids()} == {*cube.data_vars}
    for outcome in OUTCOMES:
        assert cube[outcome.name].dims == ("draw", "configuration", *outcome.dims)
        assert cube[outcome.name].dtype == outcome.dtype
        if outcome.name != "status":
            assert cube[outcome.name].attrs["units"] == outcome.unit
    assert cube["status"].attrs["flag_meanings"].split()[:3] == ["not_run", "optimal", "infeasible"]
    assert (cube["status"] == 1).all()
    for name, variable in cube.variables.items():
        assert variable.attrs["long_name"], name
        assert "units" in variable.attrs or variable.dtype.kind == "T" or "flag_values" in variable.attrs, name
    assert cube["dc_demand"].attrs["units"] == "GW"
    run = xr.open_zarr(ran.store, group="run")
    assert all({"units", "long_name"} <= variable.attrs.keys() for variable in run.data_vars.values())
    assert cube["replicate"].dims == ("draw",)
    assert cube["curtailment"].sel(technology="coal").isnull().all()
    assert (cube["saving_total"].sel(configuration="tokyo_osaka") == 0).all()


def test_configuration_that_cannot_be_solved_keeps_its_row(failed: Ran) -> None:
    assert failed.result.exit_code == 1
    cube = open_cube(failed.store)
    north = cube.sel(configuration="north")
    assert (north["status"] == 2).all()
    for outcome in OUTCOMES:
        if outcome.name not in ("status", "iterations"):
            assert north[outcome.name].isnull().all(), outcome.name
    others = cube.sel(configuration=["tokyo_osaka", "five_hubs"])
    assert (others["status"] == 1).all()
    assert others["saving_total"].notnull().all()
    assert others["regret_total"].notnull().all()
    again = wattbit(failed.folder, "run", "study.toml", "--serial")
    assert again.exit_code == 1  # a finished draw that failed is no draw to solve again
    assert "0 draws solved, 3 found finished" in again.stderr


def test_columns_that_a_file_of_draws_leaves_out_are_at_mid(failed: Ran) -> None:
    cube = open_cube(failed.store)
    given = {"dc_demand": [6.0, 8.0, 10.0], "weather_year": ["fy2024", "fy2019", "fy2024"]}
    for name, mid in mids().items():
        assert cube[name].values.tolist() == given.get(name, [mid] * 3)


def test_table_in_text_names_every_configuration(failed: Ran) -> None:
    for name in ("tokyo_osaka", "five_hubs", "north"):
        assert name in failed.result.stdout


@pytest.mark.parametrize(
    ("fault", "code", "says"),
    [
        (KeyboardInterrupt(), 130, "interrupted; finished batches are kept"),
        (WorkersLostError([1]), 1, "1 batches lost their worker 3 times each: 1"),
    ],
)
def test_run_that_ends_early_says_so(
    fault: BaseException, code: int, says: str, ran: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*arguments: Any, **options: Any) -> None:
        raise fault

    monkeypatch.setattr(sweep.cli_run, "run_plan", end)
    result = wattbit(ran.folder, "run", "study.toml", "--serial")
    assert (result.exit_code, result.stdout) == (code, "")
    assert says in result.stderr


def test_run_whose_page_cannot_be_written_says_that_the_cube_is_complete(ran: Ran, tmp_path: Path) -> None:
    write_study(tmp_path)
    (tmp_path / "a.html").mkdir()
    store = shutil.copytree(ran.store, tmp_path / "a.zarr")
    result = wattbit(tmp_path, "run", "study.toml", "--serial", "--store", "a.zarr")
    assert result.exit_code == 1
    assert "five_hubs" in result.stdout
    said = "the cube a.zarr is complete, but the page a.html cannot be written: Is a directory; wattbit report a.zarr --out"
    assert said in result.stderr
    assert files(store) == files(ran.store)
    told = wattbit(tmp_path, "report", "a.zarr")
    assert (told.exit_code, told.stdout) == (1, result.stdout)
    assert "wattbit: the page a.html cannot be written: Is a directory; --out PAGE writes it elsewhere" in told.stderr
    assert wattbit(tmp_path, "report", "a.zarr", "--out", "b.html").exit_code == 0


# status, report, plan, check


def test_status_counts_draws_and_missing_batches(ran: Ran, tmp_path: Path) -> None:
    whole = strict_json(wattbit(ran.folder, "status", str(ran.store), "--json").stdout)
    assert (whole["draws"], whole["draws_committed"], whole["missing_batches"]) == (DRAWS, DRAWS, [])
    half = shutil.copytree(ran.store, tmp_path / "half.zarr")
    commit_record(half, 1).unlink()
    result = wattbit(tmp_path, "status", "half.zarr", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    record = strict_json(result.stdout)
    assert (record["draws"], record["draws_committed"], record["missing_batches"]) == (DRAWS, 3, [1])
    assert {name: count for name, count in record["status"].items() if count} == {"optimal": 6, "not_run": 4}
    text = wattbit(tmp_path, "status", "half.zarr").stdout
    assert "3/5 draws done (3 solved, 0 failed)" in text
    assert "6 optimal" in text
    assert "4 not_run" in text
    assert "1 batches missing" in text


def test_report_of_a_half_finished_cube_is_written_where_asked(ran: Ran, tmp_path: Path) -> None:
    half = shutil.copytree(ran.store, tmp_path / "half.zarr")
    commit_record(half, 1).unlink()
    result = wattbit(tmp_path, "report", "half.zarr", "--out", "page.html", "--json")
    assert result.exit_code == 0
    assert strict_json(result.stdout) != strict_json(ran.result.stdout)
    assert "page.html" in result.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<html" in page
    assert "five_hubs" in page
    assert {path.name for path in tmp_path.iterdir()} == {"half.zarr", "page.html"}


@pytest.mark.parametrize("command", ["status", "report"])
def test_what_is_no_cube_is_refused(command: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name, says in (("empty", "is no cube"), ("absent.zarr", "nothing is there")):
        result = wattbit(tmp_path, command, name)
        assert (result.exit_code, result.stdout) == (2, "")
        assert says in result.stderr
    assert files(tmp_path) == {}


def test_plan_counts_and_measures_and_writes_nothing(studies: Path) -> None:
    before = files(studies)
    result = wattbit(studies, "plan", "study.toml", "--json", "--workers", "2", "--draws", "4")
    assert (result.exit_code, result.stderr) == (0, "")
    record = strict_json(result.stdout)
    counted = {"study": "small", "draws": 4, "configurations": 2, "free_configurations": 0, "batches": 2, "workers": 2}
    assert {name: record[name] for name in counted} == counted
    assert record["seconds_per_draw"] > 0
    assert record["seconds"] == pytest.approx(record["seconds_per_draw"] * 4 / 2)
    text = wattbit(studies, "plan", "study.toml").stdout
    assert "small: 5 draws x 2 fixed configurations x 1.6 days = 16 day solves; 0 free configurations" in text
    assert "3 batches of 2 draws" in text
    assert files(studies) == before


def test_check_shows_every_parameter(studies: Path) -> None:
    before = files(studies)
    result = wattbit(studies, "check", "study.toml")
    assert result.exit_code == 0
    assert result.stderr.startswith("note: 5 Sobol points are no power of two")
    assert [name for name in mids() if name not in result.stdout] == []
    assert "triangular(min=5, mode=13, max=18)" in result.stdout
    assert "study.toml: ok" in result.stdout
    assert files(studies) == before


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "study.toml", "--draws", "0"),
        ("run", "study.toml", "--workers", "0"),
        ("run", "study.toml", "--jsn"),
        ("run",),
        ("solv", "study.toml"),
    ],
)
def test_wrong_options_are_refused(arguments: tuple[str, ...], studies: Path) -> None:
    before = files(studies)
    result = wattbit(studies, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert files(studies) == before


def test_status_of_a_damaged_cube_names_what_is_lost(ran: Ran, tmp_path: Path) -> None:
    store = shutil.copytree(ran.store, tmp_path / "a.zarr")
    (store / "co2" / "c.1.0").unlink()
    for options in ((), ("--json",)):
        result = wattbit(tmp_path, "status", "a.zarr", *options)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "a.zarr: committed, but missing: co2/c.1.0; " in result.stderr


@pytest.mark.parametrize(
    "line",
    [
        "run study.toml --watchdog nan",
        "query STORE co2 --above inf",
        "reweight STORE beliefs.toml --least-effective nan",
        "correct STORE STORE --above nan",
        "correct STORE STORE --quantile nan",
        "correct STORE STORE --budget inf",
        "optimise STORE --lambda inf --measure worst",
        "optimise STORE --gap nan",
        "optimise STORE --cover nan",
        "optimise STORE --near nan",
        "optimise STORE --budget mean=inf",
        "solve study.toml --set dc_demand=nan",
        "solve study.toml --set voll=inf",
    ],
)
def test_infinity_and_nan_are_no_numbers(line: str, ran: Ran) -> None:
    result = wattbit(ran.folder, *line.replace("STORE", str(ran.store)).split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert re.search(r"\b(nan|inf)\b", result.stderr)
    assert re.search("no finite number|expected a number in|expected MEASURE=NUMBER|expected percents", result.stderr)


@pytest.mark.parametrize("number", ["nan", "inf"])
def test_a_study_with_infinity_or_nan_is_refused(number: str, tmp_path: Path) -> None:
    for more, says in (
        (
            f"[inputs]\nscalars = {{ voll = {number} }}\n",
            f"[inputs] scalars: voll: found {number}, expected a number in",
        ),
        (
            f"[options]\nreserve = 0.1\nreserve_penalty = {number}\n",
            f"options.reserve_penalty: found {number}, expected",
        ),
        (f"[options]\nramp = {{ coal = {number} }}\n", "options.ramp"),
        (f"[fixed]\nco2_price = {number}\n", f"fixed.co2_price: found {number}, expected"),
    ):
        write_study(tmp_path, more=more)
        result = wattbit(tmp_path, "check", "study.toml")
        assert (result.exit_code, result.stdout) == (2, "")
        assert says in result.stderr


def test_who_stops_reading_is_told_nothing(ran: Ran, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*arguments: Any, **options: Any) -> str:
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr(sweep.ask, "query_text", gone)
    result = wattbit(ran.folder, "query", str(ran.store), "co2")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "")


def test_the_exit_codes_are_told_with_every_command() -> None:
    text = (Path(__file__).parents[1] / "docs/studies.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.*?) \|", text.partition("## Exit codes")[2], re.MULTILINE)
    known = {sweep.ending.DONE, sweep.ending.WITH_FAILURES, sweep.ending.REFUSAL, sweep.ending.INTERRUPTED}
    known.add(sweep.ending.TERMINATED)
    assert {int(code) for code, _ in rows} == known
    told = {command for code, commands in rows if code == "0" for command in re.findall(r"`(\w+)`", commands)}
    assert told == {*sweep.cli.main.commands}


def test_the_list_of_commands_says_what_each_says_of_itself() -> None:
    listed = {name: summary for name, (_, summary) in sweep.cli.COMMANDS.items()}
    commands = {name: sweep.cli.main.get_command(click.Context(sweep.cli.main), name) for name in listed}
    told = {name: command.help.partition("\n\n")[0] for name, command in commands.items() if command and command.help}
    assert listed == {name: " ".join(text.split()) for name, text in told.items()}
    assert {command.name for command in commands.values() if command} == {*listed}


@pytest.mark.parametrize(
    ("line", "without"),
    [
        (["--help"], {"numpy", "pydantic", "rich"}),
        (["status", "STORE"], {"matplotlib", "model", "pyomo", "ray", "sampling", "scipy.stats", "sklearn"}),
        (["check", "study.toml"], {"bokeh", "matplotlib", "pyomo", "ray", "sklearn"}),
    ],
    ids=["help", "status", "check"],
)
def test_a_command_imports_what_it_needs_alone(line: list[str], without: set[str], ran: Ran) -> None:
    code = "import sys; from sweep.entry import main\ntry: main()\nfinally: print(*sys.modules, file=sys.stderr)"
    line = [str(ran.store) if word == "STORE" else word for word in line]
    command = [sys.executable, "-c", code, *line]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ran.folder, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout
    assert not without & {*done.stderr.split()}


def test_help_names_the_commands() -> None:
    result = CliRunner().invoke(sweep.cli.main, ["--help"])
    assert result.exit_code == 0
    for command in ("run", "plan", "check", "sample", "solve", "status", "report"):
        assert command in result.stdout
