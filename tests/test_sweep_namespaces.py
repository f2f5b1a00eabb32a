"""Test a sweep on nodes of separate networks, one of which is cut off in the middle: the cube is as if nothing had been."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from storage import cube_progress
from sweep.run import run
from tests.namespaces import Machines, can_make_namespaces
from tests.sweep_cases import files_outside_run, plan_of, write_study

pytestmark = pytest.mark.skipif(not can_make_namespaces(), reason="takes root and iproute2")
DRAWS, PATIENCE = 40, 200.0
COMMAND = (sys.executable, "-c", "from sweep.cli import main; main()", "run", "study.toml", "--store", "x.zarr")


def finished(store: Path) -> int:
    """Batches with a record."""
    folder = store / "run" / "commits"
    return len([*folder.iterdir()]) if folder.is_dir() else 0


@pytest.mark.timeout(600)
def test_a_node_that_is_cut_off_in_mid_run_costs_its_batch_alone(tmp_path: Path) -> None:
    study = write_study(tmp_path, ("draws = 5", f"draws = {DRAWS}"))
    store = tmp_path / "x.zarr"
    with Machines(tmp_path, nodes=2) as machines:
        driver = machines.start(0, [*COMMAND, "--address", machines.address], "run.log")
        until = time.monotonic() + PATIENCE
        while finished(store) < 4 and driver.poll() is None and time.monotonic() < until:
            time.sleep(0.1)
        assert driver.poll() is None, (tmp_path / "run.log").read_text()
        assert finished(store) < DRAWS // 2
        machines.cut(1)
        assert driver.wait(PATIENCE) == 0, (tmp_path / "run.log").read_text()
    assert cube_progress(store).missing_batches == ()
    run(plan_of(study), tmp_path / "once.zarr", serial=True)
    assert files_outside_run(store) == files_outside_run(tmp_path / "once.zarr")
