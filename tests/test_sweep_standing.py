"""How a sweep stands: from the records of real cubes, of grown and older ones, and of one too large to read whole."""

from __future__ import annotations

import io
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import storage.history
import sweep.run
import sweep.worker
from model import Status
from storage import Lease, committed_batches, compact, cube_progress, open_cube, put_note, read_history
from sweep.events import Event
from sweep.growth import fitted
from sweep.progress import DrawProgress
from sweep.run import run
from sweep.standing import standing, standing_text
from tests.growing_cases import begin, extend, layout_of, write_missing
from tests.sweep_cases import DRAWS, commit_record, plan_of, strict_json, wattbit, write_study

FAILING, ASIDE = 3, 4  # draws


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five draws: one has a configuration without a solution, one is set aside, all others are solved."""
    folder = tmp_path_factory.mktemp("cube")
    plan = plan_of(write_study(folder))
    store, solve = folder / "x.zarr", sweep.worker._solve_draw

    def some_fail(work: Any, case: Any, batch: Any, draw: int, aside: dict[int, str]) -> Any:
        row = dict(solve(work, case, batch, draw, aside))
        if draw in (FAILING, ASIDE):
            status = row["status"].copy()
            status[1 if draw == FAILING else slice(None)] = Status.INFEASIBLE if draw == FAILING else Status.SET_ASIDE
            row["status"] = status
        return row

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sweep.worker, "_solve_draw", some_fail)
        run(plan, store, serial=True)
    put_note(store, "set_aside", ASIDE, {"draw": ASIDE, "cause": "died with signal 6 (SIGABRT)", "replay": "wattbit"})
    return store


def edited(store: Path, batch: int, **written_by: Any) -> None:
    file = commit_record(store, batch)
    record = json.loads(file.read_text())
    for name, value in written_by.items():
        if value is None:
            del record["written_by"][name]
        else:
            record["written_by"][name] = value
    file.write_text(json.dumps(record))


def test_draws_are_told_by_how_they_ended(cube: Path) -> None:
    record = standing(cube)
    assert (record["draws"], record["draws_committed"], record["missing_batches"]) == (DRAWS, DRAWS, [])
    assert record["draws_done"] == {"solved": 3, "failed": 1, "set_aside": 1, "unknown": 0}
    assert record["failures"] == {"infeasible": 1, "set_aside": 2}
    assert record["set_aside"] == {"died with signal 6 (SIGABRT)": 1}
    assert record["status"] == dict(cube_progress(cube).status_counts)
    text = standing_text(record)
    assert "5/5 draws done (3 solved, 1 failed, 1 set aside)" in text
    assert "7 optimal, 1 infeasible, 2 set_aside" in text
    assert "set aside: 1 draw: died with signal 6 (SIGABRT)" in text


def test_seconds_and_iterations_are_those_of_the_cube(cube: Path) -> None:
    record = standing(cube, slowest=2)
    iterations = open_cube(cube)["iterations"]
    assert record["solver"]["draws"] == DRAWS
    assert record["solver"]["iterations"] == int(iterations.sum())
    seconds = [s for batch in committed_batches(cube).values() for s in batch["written_by"]["seconds"]]
    assert record["solver"]["seconds"] == pytest.approx(sum(seconds))
    assert record["solver"]["median"] == pytest.approx(np.median(seconds))
    first, second = record["slowest"]
    assert first["seconds"] == max(seconds)
    assert first["seconds"] >= second["seconds"]
    of_first = iterations.sel(draw=first["draw"])
    assert (first["iterations"], first["hardest_iterations"]) == (int(of_first.sum()), int(of_first.max()))
    assert int(of_first.sel(configuration=first["hardest"])) == first["hardest_iterations"]


def test_rate_and_time_left_follow_from_when_batches_were_finished(cube: Path, tmp_path: Path) -> None:
    store = shutil.copytree(cube, tmp_path / "x.zarr")
    commit_record(store, 2).unlink()
    now = datetime.now(UTC)
    with Lease(store) as lease:
        for batch, ago in ((0, 60), (1, 20)):
            finished = (now - timedelta(seconds=ago)).isoformat()
            edited(store, batch, finished=finished, seconds=[20.0, 20.0], run=lease.token, pid=batch)
        record = standing(store, now)
    assert record["rate"]["draws_per_second"] == pytest.approx(4 / 80)
    assert (record["rate"]["over_seconds"], record["rate"]["workers"]) == (pytest.approx(80), 2)
    assert record["rate"]["seconds_left"] == pytest.approx(1 / (4 / 80))
    assert record["last_commit"]["age_seconds"] == pytest.approx(20)
    assert 0 <= record["lease"]["seconds"] < 100
    text = standing_text(record)
    assert "last batch 20 s ago; 0.05 draws/s of 2 workers, 20 s left" in text
    assert f"being written by host {record['lease']['host']}, process" in text
    assert text.endswith("1 batches missing")
    after = standing(store, now)  # nobody is at work: nothing is left to wait for
    assert (after["lease"], after["rate"]["seconds_left"]) == (None, None)
    assert standing_text(after).endswith("1 batches missing: run the study again to finish them")


def test_what_older_records_do_not_tell_is_unknown(cube: Path, tmp_path: Path) -> None:
    store = shutil.copytree(cube, tmp_path / "x.zarr")
    told = ("finished", "first", "seconds", "iterations", "hardest", "most_iterations", "failed", "set_aside", "run")
    for batch in range(3):
        edited(store, batch, **dict.fromkeys(told))
    record = standing(store)
    assert (record["rate"], record["solver"], record["last_commit"], record["slowest"]) == (None, None, None, [])
    assert record["draws_done"] == {"solved": 2, "failed": 0, "set_aside": 0, "unknown": 3}
    assert "5/5 draws done (2 solved, 0 failed, 3 not told whether failed)" in standing_text(record)


def test_compacted_cube_stands_as_the_one_it_was_made_from(cube: Path, tmp_path: Path) -> None:
    compact(cube, tmp_path / "c.zarr")
    now = datetime.now(UTC)
    assert standing(tmp_path / "c.zarr", now) == standing(cube, now)


def test_cube_without_a_batch_and_the_command(tmp_path: Path) -> None:
    begin(tmp_path / "x.zarr", layout_of(4))
    result = wattbit(tmp_path, "status", "x.zarr")
    assert (result.exit_code, result.stderr) == (0, "")
    first, last = result.stdout.splitlines()
    assert first == "0/4 draws done; draws x configurations: 8 not_run"
    assert last == "2 batches missing: run the study again to finish them"
    assert strict_json(wattbit(tmp_path, "status", "x.zarr", "--json").stdout)["rate"] is None


def test_history_says_what_the_progress_of_a_grown_cube_says(tmp_path: Path) -> None:
    path = begin(tmp_path / "x.zarr", layout_of(5))
    write_missing(path)
    extend(path, 8, ["c2"])
    for _ in range(2):
        history, progress = read_history(path), cube_progress(path)
        assert (history.draws_committed, history.missing_batches) == (
            progress.draws_committed,
            progress.missing_batches,
        )
        assert history.status_counts == progress.status_counts
        write_missing(path)
    extend(path, 10)
    history = read_history(path)
    assert (history.draws_committed, history.parts) == (8, {})


def test_of_many_batches_some_records_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = begin(tmp_path / "x.zarr", layout_of(61))
    write_missing(path)
    commit_record(path, 7).unlink()
    monkeypatch.setattr(storage.history, "NEWEST", 4)
    history = read_history(path, most=10)
    assert history.is_sampled
    assert (history.draws_committed, history.missing_batches) == (59, (7,))
    assert (history.records_total, history.status_counts) == (30, None)
    batches = [record["batch"] for record in history.records]
    assert len(batches) == 10
    assert batches[-4:] == [27, 28, 29, 30]
    assert batches[0] == 0
    monkeypatch.setattr("sweep.standing.read_history", lambda store: read_history(store, most=10))
    assert "in a sample of 10 batches" in standing_text(standing(path))
    assert not read_history(path).is_sampled


def test_progress_tells_failures_and_workers_and_throttles_lines() -> None:
    stream = io.StringIO()
    with DrawProgress(total=100, done=0, stream=stream) as progress:
        progress.heed(Event("pool", {"workers": 1}))
        for batch in range(50):
            done = {"draws": 2, "seconds": 0.1, "failed": [batch] if batch < 3 else [], "set_aside": []}
            progress.heed(Event("batch_done", {**done, "set_aside": [batch] if batch == 9 else []}))
            if batch == 48:
                middle = progress.line()
    assert middle.startswith("98/100 draws, 3 failed, 1 set aside, ")
    assert middle.endswith(" left, 1 worker")
    lines = stream.getvalue().splitlines()
    assert lines[0] == "0/100 draws"
    assert lines[-1].startswith("100/100 draws, 3 failed, 1 set aside, ")
    assert lines[-1].endswith("in all")
    assert len(lines) < 10


def test_added_configurations_are_counted_to_their_draw(cube: Path, tmp_path: Path) -> None:
    store = shutil.copytree(cube, tmp_path / "x.zarr")
    plan = fitted(plan_of(write_study(tmp_path, ('"five_hubs"]', '"five_hubs", "today"]'))), store)
    run(plan, store, serial=True)
    record, iterations = standing(store, slowest=DRAWS), open_cube(store)["iterations"]
    assert record["draws_done"] == {"solved": 3, "failed": 1, "set_aside": 1, "unknown": 0}
    assert record["solver"]["draws"] == DRAWS
    for each in record["slowest"]:
        of_draw = iterations.sel(draw=each["draw"])
        assert each["iterations"] == int(of_draw.sum())
        assert int(of_draw.sel(configuration=each["hardest"])) == each["hardest_iterations"] == int(of_draw.max())
