"""Test that a draw that kills a run without workers is set aside, how calls in processes of their own end, and patience."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import sweep.worker
from model import TemplateError
from storage import (
    BatchError,
    CubeDamagedError,
    NotACubeError,
    cube_progress,
    note_numbers,
    open_cube,
    put_note,
    read_note,
    read_summary,
    reopen_batch,
)
from sweep.alone import CrashedError, call_alone
from sweep.events import ASIDE
from sweep.patience import patiently
from sweep.plan import Plan
from sweep.run import run
from sweep.set_aside import ATTEMPTS, TOGETHER, TRIES
from sweep.worker import BEGUN
from tests.sweep_cases import files_outside_run, plan_of, strict_json, wattbit, write_study

ROOT = Path(__file__).parents[1]
FEW = ("draws = 5", "draws = 3"), ("five_hubs", "today")
CRASHING = """
import os, sys
import sweep.worker
poison, whole = float(sys.argv.pop()), sweep.worker.solve_draw
def solve_draw(case, theta):
    if float(theta["dc_demand"]) == poison:
        os.abort()
    return whole(case, theta)
sweep.worker.solve_draw = solve_draw
from sweep.cli import main
main()
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"), *FEW)


@pytest.fixture(scope="module")
def plan(study: Path) -> Plan:
    return plan_of(study)


def run_with_poison(study: Path, demand: float) -> subprocess.CompletedProcess[str]:
    line = ("run", "study.toml", "--serial", "--store", "x.zarr", "--json")
    return subprocess.run(
        [sys.executable, "-c", CRASHING, *line, repr(demand)],
        cwd=study.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_serial_run_that_a_draw_kills_sets_it_aside_when_it_is_run_again(
    study: Path, plan: Plan, tmp_path: Path
) -> None:
    demand = float(plan.table["dc_demand"].values[1])
    store = study.parent / "x.zarr"
    assert run_with_poison(study, demand).returncode == -signal.SIGABRT
    assert note_numbers(store, BEGUN) == [0]
    assert read_note(store, BEGUN, 0) == {"batch": 0, "times": 1}
    put_note(store, BEGUN, 0, {"batch": 0, "times": TOGETHER})  # as after one more such run
    put_note(store, ATTEMPTS, 1, {"draw": 1, "tries": TRIES - 1, "cause": "as of tries before"})
    again = run_with_poison(study, demand)
    assert again.returncode == 1, again.stderr
    assert "1 draw set aside" in again.stderr
    assert f"draw 1: its process died with signal {int(signal.SIGABRT)} (SIGABRT)" in again.stderr
    assert f"wattbit solve study.toml --set {next(iter(plan.table.data_vars))}=" in again.stderr
    note = read_note(store, ASIDE, 1)
    assert note is not None
    assert (note["tries"], note["theta"]["dc_demand"]) == (TRIES, demand)
    assert (note_numbers(store, BEGUN), note_numbers(store, ATTEMPTS)) == ([], [])
    cube = open_cube(store)
    assert cube["status"].values.tolist() == [[1, 1], [5, 5], [1, 1]]
    run(plan, study.parent / "y.zarr", serial=True)
    whole = open_cube(study.parent / "y.zarr")
    rest = [0, 2]
    for name, array in whole.data_vars.items():
        if array.dtype.kind == "f":
            assert cube[name].values[rest].tobytes() == array.values[rest].tobytes(), name
    # The line that replays it is one that solves; verify believes the rest; a further run leaves the draw as it is.
    replayed = wattbit(study.parent, *note["replay"].split()[1:], "--json")
    assert replayed.exit_code == 0
    solved = strict_json(replayed.stdout)["configurations"]["today"]
    assert solved["total_cost"] == whole["total_cost"].values[1, 1]
    assert wattbit(study.parent, "verify", "x.zarr", "--sample", "3").exit_code == 0
    assert "set_aside" in wattbit(study.parent, "status", "x.zarr").stdout
    last = wattbit(study.parent, "run", "study.toml", "--serial", "--store", "x.zarr")
    assert last.exit_code == 1
    assert "0 draws solved, 3 found finished" in last.stderr
    assert "1 draw set aside" in last.stderr
    # Asked to, a run tries it again: it works now, and the cube is as if it had never been set aside.
    retried = wattbit(study.parent, "run", "study.toml", "--serial", "--store", "x.zarr", "--retry-set-aside")
    assert retried.exit_code == 0, retried.stderr
    assert "1 batch with draws that were set aside will be solved again" in retried.stderr
    assert "2 draws solved, 1 found finished" in retried.stderr
    assert files_outside_run(store) == files_outside_run(study.parent / "y.zarr")
    assert (note_numbers(store, ASIDE), note_numbers(store, ATTEMPTS)) == ([], [])
    assert read_summary(store).states.tolist() == read_summary(study.parent / "y.zarr").states.tolist()
    assert wattbit(study.parent, "verify", "x.zarr").exit_code == 0


def test_a_retry_that_fails_again_or_is_cut_short_leaves_the_draw_set_aside(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "x.zarr"
    run(plan, store, serial=True)
    reopen_batch(store, 0)
    note = {"draw": 1, "batch": 0, "cause": "memory", "tries": 3, "theta": {}, "replay": ""}
    put_note(store, ASIDE, 1, note)
    run(plan, store, serial=True)
    before = files_outside_run(store)

    def cut(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("sweep.set_aside.remove_note", cut)
        with pytest.raises(KeyboardInterrupt):
            run(plan, store, serial=True, retry=True)
    assert cube_progress(store).missing_batches == (0,)
    run(plan, store, serial=True)  # without the wish, it stays as it was
    assert files_outside_run(store) == before

    def fails(solve: Any, case: Any, future: Any, seconds: float | None) -> tuple[None, str]:
        future.set_aside("memory again", 3)
        return None, "memory again"

    with monkeypatch.context() as patched:
        patched.setattr(sweep.worker, "TOGETHER", 0)
        patched.setattr(
            sweep.worker,
            "solve_alone",
            lambda solve, case, future, seconds: (
                fails(solve, case, future, seconds)
                if future.draw == 1
                else (sweep.worker.solve_draw(case, future.theta), "")
            ),
        )
        assert [one["cause"] for one in run(plan, store, serial=True, retry=True).set_aside] == ["memory again"]
    assert files_outside_run(store) == before


def test_tries_that_took_their_worker_along_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where memory runs out, and the worker is ended with its child: only the notes tell the next one."""
    store, calls = tmp_path / "x.zarr", []

    def call(solve: Any, case: Any, theta: Any, seconds: float | None) -> Any:
        calls.append(theta)
        return solve(case, theta)

    few = plan_of(write_study(tmp_path, *FEW), draws=2)
    run(few, store, serial=True)
    monkeypatch.setattr("sweep.set_aside.call_alone", call)
    for tried, expected in ((TRIES - 1, 1), (TRIES, 5)):
        put_note(store, ATTEMPTS, 1, {"draw": 1, "tries": tried, "cause": "its worker died"})
        put_note(store, BEGUN, 0, {"batch": 0, "times": TOGETHER})
        (store / "run" / "commits" / "000000.json").unlink()
        outcome = run(few, store, serial=True)
        assert open_cube(store)["status"].values.tolist() == [[1, 1], [expected, expected]]
        assert note_numbers(store, ATTEMPTS) == []
    assert [note["cause"] for note in outcome.set_aside] == ["its worker died"]
    assert len(calls) == 3  # draw 0 twice, draw 1 once


def test_exception_of_a_serial_run_is_no_death(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(case: Any, theta: Any) -> Any:
        raise TemplateError("a fault of the program")

    with monkeypatch.context() as patched:
        patched.setattr(sweep.worker, "solve_draw", fail)
        with pytest.raises(TemplateError):
            run(plan, tmp_path / "x.zarr", serial=True)
    assert note_numbers(tmp_path / "x.zarr", BEGUN) == []
    run(plan, tmp_path / "x.zarr", serial=True)
    run(plan, tmp_path / "y.zarr", serial=True)
    assert files_outside_run(tmp_path / "x.zarr") == files_outside_run(tmp_path / "y.zarr")


def test_call_alone_answers_raises_or_tells_how_it_ended() -> None:
    def add(a: int, b: int) -> tuple[int, int]:
        return a + b, os.getpid()

    def divide(a: int, b: int) -> float:
        return a / b

    def leave(code: int) -> None:
        os._exit(code)

    def sleep() -> None:
        time.sleep(600)

    total, process = call_alone(add, 2, 3, seconds=60)
    assert (total, process != os.getpid()) == (5, True)
    with pytest.raises(ZeroDivisionError):
        call_alone(divide, 1, 0)
    with pytest.raises(CrashedError, match="ended with exit code 7") as caught:
        call_alone(leave, 7)
    assert not caught.value.watchdog
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("sweep.alone.STARTING_SECONDS", 1.0)
        with pytest.raises(CrashedError, match=r"watchdog: no end after 0.5 s") as caught:
            call_alone(sleep, seconds=0.5)
    assert caught.value.watchdog


@pytest.mark.parametrize("fault", [OSError(errno.EIO, "I/O"), OSError(errno.ESTALE, "stale"), NotACubeError("gone")])
def test_fault_that_passes_is_waited_for_and_one_that_lasts_is_raised(
    fault: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("sweep.patience.time.sleep", waits.append)
    left = [fault, fault, fault]

    def call() -> str:
        if left:
            raise left.pop()
        return "written"

    faults: list[str] = []
    assert patiently(call, faults) == "written"
    assert (waits, faults) == ([1.0, 2.0, 4.0], [str(fault)] * 3)
    left += [fault] * 8
    with pytest.raises(type(fault)):
        patiently(call)
    assert sum(waits[3:]) == 123.0


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "full"), PermissionError(13, "no"), BatchError("x")])
def test_fault_that_waiting_does_not_mend_is_raised_at_once(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_waiting(seconds: float) -> None:
        raise AssertionError("waited")

    monkeypatch.setattr("sweep.patience.time.sleep", no_waiting)

    def call() -> None:
        raise fault

    with pytest.raises(type(fault)):
        patiently(call)


def test_damage_is_looked_at_three_times_as_a_store_that_goes_away_looks_like_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("sweep.patience.time.sleep", waits.append)
    seen: list[Exception] = [NotACubeError("gone"), CubeDamagedError("half of it is missing")]

    def call() -> str:
        if seen:
            raise seen.pop()
        return "written"

    assert patiently(call) == "written"
    seen += [CubeDamagedError("damaged")] * 4
    with pytest.raises(CubeDamagedError):
        patiently(call)
    assert (waits, len(seen)) == ([1.0, 2.0, 1.0, 2.0], 1)
