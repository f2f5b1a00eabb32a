"""Test what surrounds a run: paths that cannot be written, clusters that do not answer, a second run on the same store."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

import sweep.worker
from model import InputError, read_inputs
from sweep.executors import ClusterError, reach
from sweep.progress import DrawProgress
from sweep.run import run
from tests.case_tables import hourly_table, put_at, two_area_tables, write_tables
from tests.case_tables import spec as own_tables
from tests.sweep_cases import DRAWS, OWN_DESIGN, files, plan_of, strict_json, wattbit
from tests.sweep_cases import write_study as write_sweep


def test_store_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    write_sweep(tmp_path)
    (tmp_path / "afile").write_text("mine")
    before = files(tmp_path)
    refused = wattbit(tmp_path, "run", "study.toml", "--serial", "--store", "afile/x.zarr")
    assert refused.exit_code == 2
    assert refused.stderr.splitlines()[-1].startswith("wattbit: ")
    assert "Traceback" not in refused.stderr
    assert files(tmp_path) == before


@pytest.mark.parametrize("address", ["gibberish", "ray://127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:99999999"])
def test_cluster_that_does_not_answer_is_refused_and_leaves_no_cube(address: str, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="--address"):
        reach(address)
    write_sweep(tmp_path)
    before = files(tmp_path)
    refused = wattbit(tmp_path, "run", "study.toml", "--address", address, "--store", "x.zarr")
    assert (refused.exit_code, "--address" in refused.stderr) == (2, True)
    assert files(tmp_path) == before


def test_serial_and_a_cluster_exclude_each_other(tmp_path: Path) -> None:
    write_sweep(tmp_path)
    refused = wattbit(tmp_path, "run", "study.toml", "--serial", "--address", "auto")
    assert (refused.exit_code, "--serial and --address" in refused.stderr) == (2, True)


def test_second_run_on_a_store_is_refused_and_the_first_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_of(write_sweep(tmp_path))
    solve_draw, refused = sweep.worker.solve_draw, []

    def while_another_run_is_started(case: object, theta: object) -> object:
        if not refused:
            refused.append(wattbit(tmp_path, "run", "study.toml", "--serial", "--store", "shared.zarr"))
        return solve_draw(case, theta)  # type: ignore[arg-type]

    monkeypatch.setattr(sweep.worker, "solve_draw", while_another_run_is_started)
    assert run(plan, tmp_path / "shared.zarr", serial=True).solved == DRAWS
    [second] = refused
    assert (second.exit_code, second.stdout) == (2, "")
    assert (
        f"is being written by another run: host {socket.gethostname()}, process {os.getpid()}, since" in second.stderr
    )
    assert [*(tmp_path / "shared.zarr" / "run" / "lease").iterdir()] == []


def test_batches_that_another_run_finished_say_nothing_of_the_rate(capsys: pytest.CaptureFixture[str]) -> None:
    with DrawProgress(total=10, done=0) as progress:
        progress.add(10, seconds=0.0)
    assert "draws/s" not in capsys.readouterr().err


def test_finished_cube_is_told_without_a_pilot(tmp_path: Path) -> None:
    write_sweep(tmp_path)
    first = wattbit(tmp_path, "run", "study.toml", "--serial")
    again = wattbit(tmp_path, "run", "study.toml", "--serial")
    assert ("pilot" in first.stderr, "pilot" in again.stderr) == (True, False)
    assert first.stdout == again.stdout


def test_file_of_draws_may_set_one_area_apart(tmp_path: Path) -> None:
    (tmp_path / "futures.csv").write_text("dc_demand,solar_buildout_Tokyo\n10,1.5\n11,0.5\n")
    table = plan_of(write_sweep(tmp_path, OWN_DESIGN)).table
    assert table["solar_buildout_Tokyo"].values.tolist() == [1.5, 0.5]
    assert table["dc_demand"].values.tolist() == [10.0, 11.0]


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [("sites_min", 1.5, "a whole number"), ("sites_max_per_area", 0, "sites_max_per_area of 1 or more")],
)
def test_tiers_that_contradict_themselves(column: str, value: float, says: str, tmp_path: Path) -> None:
    tables = two_area_tables()
    put_at("tiers", "tier", "hub", column, value)(tables)
    write_tables(tmp_path, {**tables, "hourly": hourly_table(tuple(tables["areas"]["area"]))})
    with pytest.raises(InputError, match=says):
        read_inputs(own_tables(), tmp_path)


def test_identity_knows_the_program(tmp_path: Path) -> None:
    identity = plan_of(write_sweep(tmp_path)).identity
    assert len(identity["source"]) == 64
    assert json.loads(json.dumps(identity)) == identity


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (("run", "."), "wattbit: .: found a folder, expected a study file (TOML)"),
        (("run", "none.toml"), "wattbit: none.toml: found nothing, expected a study file (TOML)"),
        (
            ("sample", "study.toml", "--csv", "no/x.csv"),
            "wattbit: --csv no/x.csv: found no folder no, expected one that",
        ),
        (("sample", "study.toml", "--csv", "."), "wattbit: --csv .: found a folder, expected the name of a file"),
        (
            ("check", "study.toml", "--figure", "no/x.svg"),
            "wattbit: --figure no/x.svg: found no folder no, expected one",
        ),
    ],
)
def test_a_place_that_is_none_is_refused_with_one_line(line: tuple[str, ...], says: str, tmp_path: Path) -> None:
    write_sweep(tmp_path)
    result = wattbit(tmp_path, *line)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(says)
    assert result.stderr.count("\n") == 1


def test_one_scenario_is_no_scenarios_and_a_plan_for_machines_has_the_notes_too(tmp_path: Path) -> None:
    write_sweep(tmp_path, more="[scenario.low]\nco2_price = 3000\n")
    assert "1 scenario of each point: low" in wattbit(tmp_path, "sample", "study.toml").stdout
    told = wattbit(tmp_path, "plan", "study.toml", "--json")
    notes = strict_json(told.stdout)["notes"]
    assert notes == [line.removeprefix("note: ") for line in told.stderr.splitlines()]
    assert any("no power of two" in note for note in notes)
