"""Test the executors with functions that know no science: same results from both, and what a lost worker does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sweep.events import Event, listening
from sweep.executors import ATTEMPTS, WorkersLostError, connect, run_on_ray, run_serial

BATCHES = [3, 0, 7, 1, 2, 5]
Execute = Callable[..., Iterator[Any]]


@pytest.fixture
def address(ray_address: str) -> str:
    return ray_address


@pytest.fixture(params=["serial", "ray"])
def execute(request: pytest.FixtureRequest) -> Execute:
    if request.param == "serial":
        return run_serial
    found = request.getfixturevalue("address")
    return lambda solve, shared, batches, **more: run_on_ray(solve, shared, batches, 2, found, **more)


def collect(results: Iterator[int], done: list[int]) -> None:
    """Keep what came before an error."""
    for result in results:
        done.append(result)


# The functions that are sent to workers are made inside the tests: so they travel by value, and no worker needs to find
# this file.


def test_every_batch_is_run_once_with_what_is_shared(execute: Execute) -> None:
    def square(shared: dict[str, int], batch: int) -> tuple[int, int]:
        return batch, batch**2 + shared["offset"]

    assert sorted(execute(square, {"offset": 100}, BATCHES)) == [(n, n**2 + 100) for n in sorted(BATCHES)]
    assert [*execute(square, {"offset": 0}, [4])] == [(4, 16)]


def test_a_batch_takes_its_part_along(execute: Execute) -> None:
    rows = list(range(100, 110))
    found = execute(
        lambda shared, part: (part, shared), "same", BATCHES, part=lambda batch, deaths: rows[batch : batch + 2]
    )
    assert sorted(found) == [([100 + n, 101 + n], "same") for n in sorted(BATCHES)]


def test_results_come_as_they_finish(execute: Execute) -> None:
    results = execute(lambda shared, batch: batch, None, BATCHES)
    first = next(results)
    assert sorted([first, *results]) == sorted(BATCHES)


def test_exception_ends_the_run_as_what_it_was(execute: Execute) -> None:
    class OddError(ValueError):
        pass

    def refuse(shared: None, batch: int) -> int:
        if batch == 7:
            raise OddError("seven is odd")
        return batch

    done: list[int] = []
    with pytest.raises(ValueError, match="seven is odd"):
        collect(execute(refuse, None, BATCHES), done)
    assert 7 not in done
    assert {*done} <= {*BATCHES}
    if execute is run_serial:
        assert done == BATCHES[:2]


def test_run_that_is_given_up_leaves_nothing_behind(execute: Execute) -> None:
    import ray

    results = execute(lambda shared, batch: batch, None, BATCHES)
    assert next(results) in BATCHES
    results.close()  # type: ignore[attr-defined]
    assert not ray.is_initialized()


def test_shared_part_is_the_runs_own(address: str) -> None:
    def count(shared: list[int], batch: int) -> tuple[int, int]:
        shared.append(batch)
        return os.getpid(), shared[0]

    ours = [-1]
    first = [*run_on_ray(count, ours, BATCHES, 2, address)]
    second = [*run_on_ray(count, [-2], BATCHES, 2, address)]
    assert ours == [-1]
    assert {kept for _, kept in first} == {-1}
    assert {kept for _, kept in second} == {-2}
    assert os.getpid() not in {process for process, _ in first + second}
    assert not {process for process, _ in first} & {process for process, _ in second}
    assert len({process for process, _ in first}) <= 2


def test_killed_worker_loses_no_batch(address: str, tmp_path: Path) -> None:
    marker = tmp_path / "killed"

    def die_once(shared: None, batch: int) -> int:
        if batch == 7 and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return batch

    assert sorted(run_on_ray(die_once, None, BATCHES, 2, address)) == sorted(BATCHES)
    assert marker.exists()


@pytest.mark.parametrize("workers", [1, 2])
def test_batch_that_always_kills_its_worker_is_left_alone_and_all_others_are_done(
    address: str, workers: int, tmp_path: Path
) -> None:
    log = tmp_path / "attempts"

    def die(shared: None, batch: int) -> int:
        if batch == 7:
            with log.open("a") as stream:
                stream.write("7\n")
            time.sleep(0.3)  # an answer just given could be lost with the process
            os.kill(os.getpid(), signal.SIGKILL)
        return batch

    done: list[int] = []
    with pytest.raises(WorkersLostError) as caught:
        collect(run_on_ray(die, None, BATCHES, workers, address), done)
    assert caught.value.batches == (7,)
    assert sorted(done) == sorted({*BATCHES} - {7})
    assert log.read_text() == "7\n" * ATTEMPTS


def test_no_batch_lost_or_run_again_after_a_death(address: str, tmp_path: Path) -> None:
    log = tmp_path / "log"

    def die_first(shared: None, batch: int) -> int:
        first = not log.exists()
        with log.open("a") as stream:
            stream.write(f"{batch}\n")
        if first:
            os.kill(os.getpid(), signal.SIGKILL)
        return batch

    batches = list(range(12))
    assert sorted(run_on_ray(die_first, None, batches, 1, address)) == batches
    ran = [int(line) for line in log.read_text().split()]
    assert len(ran) == len(batches) + 1  # the batch that was running, and it alone, ran twice


def test_worker_learns_how_often_a_batch_killed_one_and_the_log_tells(address: str, tmp_path: Path) -> None:
    marker = tmp_path / "killed"

    def die_once(shared: None, part: tuple[int, int]) -> tuple[int, int]:
        if part[0] == 7 and not marker.exists():
            marker.touch()
            os.abort()
        return part

    events: list[Event] = []
    with listening(events.append):
        found = sorted(run_on_ray(die_once, None, BATCHES, 1, address, lambda batch, deaths: (batch, deaths)))
    assert (7, 1) in found
    assert [batch for batch, _ in found] == sorted(BATCHES)
    told = {event.kind: event.fields for event in events}
    assert 7 in told["worker_died"]["at_work_on"]
    assert "its process ended (SYSTEM_ERROR" in told["worker_died"]["cause"]
    assert "batch_requeued" in told


def test_workers_use_one_thread_and_are_recycled(address: str) -> None:
    def threads(shared: None, batch: int) -> tuple[str, int]:
        return os.environ["OMP_NUM_THREADS"], os.getpid()

    found = [*run_on_ray(threads, None, range(6), 1, address, recycle=2, memory=100 * 2**20)]
    assert {number for number, _ in found} == {"1"}
    assert len({process for _, process in found}) == 3


def test_lost_batches_are_named_and_a_long_list_is_cut() -> None:
    error = WorkersLostError(range(7))
    assert str(error) == f"7 batches lost their worker {ATTEMPTS} times each: 0, 1, 2, 3, 4, ..."


def test_a_driver_gives_a_lost_head_up_sooner_than_ray_does_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, asked = "RAY_gcs_rpc_server_reconnect_timeout_s", []
    monkeypatch.setattr("ray.init", lambda **options: asked.append(os.environ[name]))
    monkeypatch.setenv(name, "")  # put back as it was, whatever is set in between
    monkeypatch.delenv(name)
    connect(None, "auto")
    monkeypatch.setenv(name, "300")
    connect(None, "auto")
    assert asked == ["20", "300"]
