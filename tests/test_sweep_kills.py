"""Test a few kills of real runs, as `make soak` does many: of serial runs, an extension among them, and of all of Ray."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from tests.soak.course import MORE_DRAWS, PHASES, Soak
from tests.soak.faults import SERIAL, kill_everything
from tests.soak.ledger import Held, Ledger, differences, records
from tests.sweep_cases import commit_record

KILLS, CUBES = 2, 5
TWO = PHASES[:2]  # draws, then more of them


@pytest.fixture(scope="module")
def soak() -> Iterator[Soak]:
    with TemporaryDirectory(prefix="soak", ignore_cleanup_errors=True) as folder:  # Ray's sockets want a short name
        made = Soak(Path(folder), Random(7))
        made.prepare(ray=False, phases=TWO)
        yield made


def test_killed_runs_lose_nothing_solve_nothing_twice_and_leave_the_bytes_of_an_undisturbed_one(soak: Soak) -> None:
    while soak.kinds.total() < KILLS and soak.cubes < CUBES:  # a run that was sooner done than its kill makes no kill
        soak.cube(KILLS - soak.kinds.total(), SERIAL, TWO)
    assert soak.kinds.total() == KILLS
    assert soak.faults == []
    assert (soak.lost, soak.duplicates) == (0, 0)


def test_everything_killed_on_ray_at_once_and_the_same_line_again(soak: Soak) -> None:
    store = soak.folder / "ray.zarr"
    ledger = Ledger(store, soak.folder / "ray.log")
    run = soak.start(TWO[0], store, True, ledger.log.name)
    run.wait_for("solve")
    assert kill_everything(run, Random(7))
    assert run.members() == {}
    ledger.enter()
    again = soak.start(TWO[1], store, False, ledger.log.name)
    assert again.wait() == 0, again.stderr()
    ledger.audit()
    assert (ledger.lost, ledger.duplicates) == (0, 0)
    assert differences(store, soak.undisturbed(ray=False)) == []


def test_the_books_of_a_soak_find_what_is_lost_and_what_is_solved_twice(soak: Soak, tmp_path: Path) -> None:
    store = soak.undisturbed(ray=False)
    log = soak.folder / "undisturbed False.log"
    ledger = Ledger(store, tmp_path / "log")
    ledger.enter()
    ledger.log.write_bytes(log.read_bytes())
    ledger.audit()
    assert (ledger.lost, ledger.duplicates) == (0, MORE_DRAWS * 2)
    assert ledger.begun_when_done() == 0
    with ledger.log.open("a") as stream:
        note = {"event": "solve", "time": time.time(), "draw": 0, "configurations": ["tokyo_osaka", "five_hubs"]}
        stream.write(json.dumps(note) + "\n")
    assert ledger.begun_when_done() == 2
    held = records(store)
    ledger.entries = [
        ({**held, "000099.json": Held(commit_record(store, 0).read_bytes(), 0)}, ledger.log.stat().st_size)
    ]
    ledger.audit()
    assert ledger.lost == 2 * 2
