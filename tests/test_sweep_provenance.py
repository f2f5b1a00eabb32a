"""Test what a cube tells of its own making: the commit, the host, the solver's residuals, and what verify makes of them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import zarr

from storage import compact, open_cube, read_run
from sweep.code import code_version_of
from sweep.run import run
from sweep.verify import RESIDUAL, notes, verify
from tests.sweep_cases import DRAWS, NORTH, TOO_SMALL, WITH_NORTH, commit_record, plan_of, wattbit, write_study


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an extended cube, and of a compacted one made from it."""
    folder = tmp_path_factory.mktemp("made")
    run(plan_of(write_study(folder), 3), folder / "x.zarr", serial=True)
    run(plan_of(write_study(folder, WITH_NORTH, more=NORTH)), folder / "x.zarr", serial=True)
    compact(folder / "x.zarr", folder / "compact.zarr")
    return folder


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made / "x.zarr", tmp_path / "x.zarr")


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_commit_of_a_checkout_and_whether_it_was_changed(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("1\n")
    git(tmp_path, "init", "-q")
    assert code_version_of(code) == {"commit": "unknown", "changed": None}, "a file that git does not know"
    git(tmp_path, "add", "code.py")
    assert code_version_of(code)["commit"] == "unknown", "nothing is committed yet"
    git(tmp_path, "commit", "-qm", "first")
    assert code_version_of(code) == {"commit": git(tmp_path, "rev-parse", "HEAD"), "changed": False}
    (tmp_path / "notes.txt").write_text("of no account\n")
    assert code_version_of(code)["changed"] is False
    code.write_text("2\n")
    assert code_version_of(code)["changed"] is True


def test_commit_is_unknown_without_a_checkout_and_without_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "code.py").write_text("1\n")
    assert code_version_of(tmp_path / "code.py") == {"commit": "unknown", "changed": None}
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_version_of(Path(__file__)) == {"commit": "unknown", "changed": None}


def test_every_batch_tells_its_commit_and_host_and_a_changed_commit_refuses_no_resume(store: Path, made: Path) -> None:
    for file in (store / "run" / "commits").iterdir():
        written = json.loads(file.read_text())["written_by"]
        assert {*written} >= {"versions", "code", "host", "finished"}
        assert {*written["code"]} == {"commit", "changed"}
    record = json.loads(commit_record(store, 1).read_text())
    record["written_by"]["code"] = {"commit": "0" * 40, "changed": True}
    commit_record(store, 1).write_text(json.dumps(record))
    found = verify(store, sample=0)
    assert found["believed"]
    assert {"commit": "0" * 40, "changed": True} in found["code"]
    assert f"note: solved by commit {'0' * 40}, with changes" in [*notes(found)]
    commit_record(store, 2).unlink()
    again = wattbit(made, "run", "study.toml", "--serial", "--store", str(store))
    assert (again.exit_code, "1 draws solved" in again.stderr) == (0, True)


def test_residuals_of_the_sweep_are_kept_and_told(made: Path) -> None:
    kept = read_run(made / "x.zarr")
    assert kept["primal_residual"].shape == (DRAWS, 3)
    found = verify(made / "x.zarr", sample=0)
    for name in ("primal", "dual"):
        values = kept[f"{name}_residual"].values
        assert np.isfinite(values).all()
        assert (values >= 0).all()
        assert found["stored_residuals"][name] == values.max() <= RESIDUAL
    assert any("largest residuals of the sweep's own solves" in note for note in notes(found))


@pytest.mark.parametrize("value", [1e-3, np.nan])
def test_residual_that_is_too_large_or_missing_is_a_fault(value: float, store: Path) -> None:
    zarr.open_group(str(store), mode="r+")["run"]["dual_residual"][3, 1] = value
    [fault] = verify(store, sample=0)["faults"]
    assert fault.startswith("draw 3, five_hubs, dual_residual: found ")


def test_what_was_not_solved_has_no_residual(tmp_path: Path) -> None:
    study = write_study(tmp_path, ('"five_hubs"]', '"five_hubs", "north"]'), more=TOO_SMALL)
    run(plan_of(study, 2), tmp_path / "x.zarr", serial=True)
    kept = read_run(tmp_path / "x.zarr")
    assert (open_cube(tmp_path / "x.zarr")["status"].values == [1, 1, 2]).all()
    assert (np.isnan(kept["primal_residual"].values) == [False, False, True]).all()
    assert verify(tmp_path / "x.zarr", sample=0)["believed"]


def test_batches_without_a_record_are_noted(store: Path) -> None:
    commit_record(store, 1).unlink()
    (store / "run" / "commits" / "000001.1.json").unlink()
    found = verify(store, sample=0)
    assert (found["believed"], found["missing_batches"], found["draws_finished"]) == (True, [1], 3)
    assert "note: 1 batches have no commit record and count as not run: 1" in [*notes(found)]


def test_compacted_cube_is_checked_as_the_one_it_was_made_from(made: Path, tmp_path: Path) -> None:
    result = wattbit(made, "verify", "compact.zarr")
    assert result.exit_code == 0
    assert "compact.zarr may be believed: 5 draws; all checksums right" in result.stdout
    whole, compacted = verify(made / "x.zarr"), verify(made / "compact.zarr")
    assert {**whole, "store": ""} == {**compacted, "store": ""}
    for name in ("total_cost", "area_price", "regret_total"):
        copy = shutil.copytree(made / "compact.zarr", tmp_path / f"{name}.zarr")
        array = zarr.open_group(str(copy), mode="r+")[name]
        array[2, 1] = array[2, 1] + 1e-9
        found = verify(copy)
        assert not found["believed"]
        assert found["faults"][0] == f"{name}, draws 2 to 3: the checksum of its record differs"
