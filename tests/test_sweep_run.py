"""Test that a cube's bytes depend on its study alone: serial, Ray, killed, resumed, in any order of batches."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import sweep.run
import sweep.worker
from model import solve_draw
from storage import NotACubeError, cube_progress, open_cube
from sweep.errors import StudyError
from sweep.growth import fitted
from sweep.plan import Plan
from sweep.run import default_store, run
from sweep.theta import theta_of
from sweep.worker import Draws, Work, solve_batch
from tests.sweep_cases import (
    DRAWS,
    NORTH,
    WITH_NORTH,
    WITH_OPTIMAL,
    commit_record,
    files,
    files_outside_run,
    plan_of,
    write_study,
)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Three batches of 2, 2 and 1 draws, a free configuration among the three."""
    return plan_of(write_study(tmp_path_factory.mktemp("study"), WITH_NORTH, more=NORTH))


@pytest.fixture(scope="module")
def undisturbed(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cube of one serial run; tests that change it take a copy."""
    store = tmp_path_factory.mktemp("undisturbed") / "small.zarr"
    outcome = run(plan, store, serial=True)
    assert (outcome.solved, outcome.found) == (DRAWS, 0)
    return store


@pytest.fixture
def copy(undisturbed: Path, tmp_path: Path) -> Path:
    return shutil.copytree(undisturbed, tmp_path / "copy.zarr")


def test_finished_cube_holds_every_draw_solved_and_the_seconds_it_took(plan: Plan, undisturbed: Path) -> None:
    cube = open_cube(undisturbed)
    assert (cube.sizes["draw"], cube.sizes["configuration"]) == (DRAWS, 3)
    assert (cube["status"] == 1).all()
    for name in plan.table.data_vars:
        assert (cube[name].values == plan.table[name].values).all()
    seconds = xr.open_zarr(undisturbed, group="run")["seconds"]
    assert (seconds > 0).all()
    record = cube_progress(undisturbed)
    assert (record.draws_committed, record.missing_batches) == (DRAWS, ())


@pytest.mark.parametrize("draw", [2, 4])
def test_free_optimum_over_all_areas_is_found(draw: int, tmp_path: Path) -> None:
    plan = plan_of(write_study(tmp_path, WITH_OPTIMAL))
    found = solve_draw(plan.case, theta_of(plan.table, draw))
    assert found["status"].tolist() == [1, 1, 1]
    assert found["total_cost"][2] < found["total_cost"].max()


def test_ray_writes_the_same_bytes(plan: Plan, undisturbed: Path, tmp_path: Path) -> None:
    outcome = run(plan, tmp_path / "ray.zarr", workers=2)
    assert (outcome.solved, outcome.found) == (DRAWS, 0)
    assert files_outside_run(tmp_path / "ray.zarr") == files_outside_run(undisturbed)


def test_interrupted_run_goes_on_to_the_same_bytes(
    plan: Plan, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(solve: Any, work: Work, batches: list[int], part: Any) -> Iterator[Any]:
        yield solve(work, part(batches[0]))
        raise KeyboardInterrupt

    store = tmp_path / "small.zarr"
    with monkeypatch.context() as patched:
        patched.setattr(sweep.run, "run_serial", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(plan, store, serial=True)
    assert cube_progress(store).missing_batches == (1, 2)
    half = open_cube(store)
    assert (half["status"][:2] == 1).all()
    assert (half["status"][2:] == 0).all()
    assert half["total_cost"][2:].isnull().all()
    outcome = run(plan, store, serial=True)
    assert (outcome.solved, outcome.found) == (3, 2)
    assert files_outside_run(store) == files_outside_run(undisturbed)


def test_missing_commit_record_has_its_batch_and_no_other_solved_again(
    plan: Plan, undisturbed: Path, copy: Path
) -> None:
    commit_record(copy, 1).unlink()
    shard = next((copy / "total_cost").glob("c.1*"))
    shard.write_bytes(b"half written")
    others = [commit_record(copy, batch).stat().st_mtime_ns for batch in (0, 2)]
    outcome = run(plan, copy, serial=True)
    assert (outcome.solved, outcome.found) == (2, 3)
    assert [commit_record(copy, batch).stat().st_mtime_ns for batch in (0, 2)] == others
    assert files_outside_run(copy) == files_outside_run(undisturbed)


def test_finished_cube_is_run_again_without_a_solve_or_a_write(
    plan: Plan, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: Any) -> None:
        raise AssertionError("nothing is left to solve")

    monkeypatch.setattr(sweep.worker, "solve_draw", refuse)
    monkeypatch.setattr(sweep.run, "run_on_ray", refuse)  # nor is Ray started
    before = files(copy)
    outcome = run(plan, copy)
    assert (outcome.solved, outcome.found) == (0, DRAWS)
    assert files(copy) == before


def test_batches_in_another_order_write_the_same_bytes(
    plan: Plan, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def backwards(solve: Any, work: Work, batches: list[int], part: Any) -> Iterator[Any]:
        for batch in reversed(batches):
            yield solve(work, part(batch))

    monkeypatch.setattr(sweep.run, "run_serial", backwards)
    run(plan, tmp_path / "small.zarr", serial=True)
    assert files_outside_run(tmp_path / "small.zarr") == files_outside_run(undisturbed)


def test_batch_size_changes_no_value(undisturbed: Path, tmp_path: Path) -> None:
    study = write_study(tmp_path, WITH_NORTH, ("batch = 2", "batch = 3"), more=NORTH)
    run(plan_of(study), tmp_path / "threes.zarr", serial=True)
    twos, threes = open_cube(undisturbed), open_cube(tmp_path / "threes.zarr")
    assert [*twos.variables] == [*threes.variables]
    for name, array in twos.variables.items():
        if array.dtype.kind == "O":
            assert array.values.tolist() == threes[name].values.tolist()
        else:
            assert array.values.tobytes() == threes[name].values.tobytes(), name


def test_draws_of_a_longer_study_begin_with_those_of_the_shorter(undisturbed: Path, tmp_path: Path) -> None:
    study = write_study(tmp_path, WITH_NORTH, more=NORTH)
    run(plan_of(study, draws=2), tmp_path / "two.zarr", serial=True)
    long, short = open_cube(undisturbed).isel(draw=slice(2)), open_cube(tmp_path / "two.zarr")
    for name in ("total_cost", "generation", "siting_value", "iterations"):
        assert long[name].values.tobytes() == short[name].values.tobytes()


def test_another_study_is_refused_with_its_differences_and_nothing_is_touched(copy: Path, tmp_path: Path) -> None:
    before = files(tmp_path)
    edits = (("seed = 7", "seed = 8"), ("five_hubs", "four_hubs"))
    other = plan_of(write_study(tmp_path.parent / f"{tmp_path.name}_other", *edits, more="[fixed]\nco2_price = 9000\n"))
    for attempt in (fitted, run):
        with pytest.raises(StudyError) as caught:
            attempt(other, copy)
        said = str(caught.value)
        assert "copy.zarr holds another study" in said
        assert "study.design.seed: the store has 7, this study has 8" in said
        assert "study.configurations: " in said
        assert "study.fixed.co2_price: the store has null, this study has 9000.0" in said
        assert "draws: " in said
        assert "versions" not in said
    assert files(tmp_path) == before


def test_store_that_is_no_cube_is_refused_and_left_alone(plan: Plan, tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "keep.txt").write_text("mine")
    with pytest.raises(NotACubeError, match="notes is no cube"):
        run(plan, tmp_path / "notes", serial=True)
    assert files(tmp_path) == {"notes/keep.txt": b"mine"}


def test_fault_in_a_solve_ends_the_run_and_keeps_what_is_finished(
    plan: Plan, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    solve_draw, solved = sweep.worker.solve_draw, []

    def fail_at_the_fourth(case: Any, theta: Any) -> Any:
        if len(solved) == 3:
            raise MemoryError("no room")
        solved.append(theta)
        return solve_draw(case, theta)

    store = tmp_path / "small.zarr"
    with monkeypatch.context() as patched:
        patched.setattr(sweep.worker, "solve_draw", fail_at_the_fourth)
        with pytest.raises(MemoryError, match="no room"):
            run(plan, store, serial=True)
    assert cube_progress(store).missing_batches == (1, 2)
    assert run(plan, store, serial=True).solved == 3
    assert files_outside_run(store) == files_outside_run(undisturbed)


def test_batch_tells_its_draws_and_seconds(plan: Plan, copy: Path) -> None:
    commit_record(copy, 2).unlink()
    summary = solve_batch(Work(plan.case, str(copy), plan.identity["versions"]), Draws.of(plan.rows, plan.layout, 2))
    assert (summary.batch, summary.draws) == (2, 1)
    assert np.isfinite(summary.seconds)
    assert summary.seconds > 0


def test_cube_goes_to_results_by_the_name_of_the_study(plan: Plan) -> None:
    assert default_store(plan) == Path("results") / "small.zarr"
