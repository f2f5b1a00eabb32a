"""Test a sweep on nodes of separate networks, one of which is cut off in the middle: the cube is as if nothing had been."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from storage import cube_progress
from sweep.run import run
from tests.cluster_cases import lines, until
from tests.namespaces import Machines, can_make_namespaces
from tests.sweep_cases import files_outside_run, plan_of, write_study

pytestmark = pytest.mark.skipif(not can_make_namespaces(), reason="takes root and iproute2")
GATED = 4  # batches from this one on wait for the cut
PATIENCE = 120.0


def test_a_node_that_is_cut_off_in_mid_run_costs_its_batches_alone(tmp_path: Path) -> None:
    study = write_study(tmp_path, ("draws = 5", "draws = 40"), ("five_hubs", "today"))
    store, log, said, gate = (tmp_path / name for name in ("x.zarr", "log", "run.log", "gate"))
    with Machines(tmp_path, nodes=2) as machines:
        given = map(str, (study, store, machines.address, log, 0.0, GATED, gate))
        driver = machines.start(0, [sys.executable, "-m", "tests.cluster_driver", *given], said.name)

        def both_at_the_gate() -> bool:
            assert driver.poll() is None, said.read_text()
            return len({process for batch, process in lines(log) if int(batch) >= GATED}) == 2

        until(both_at_the_gate, "a worker of each node")
        machines.cut(1)
        cut = time.monotonic()
        until(lambda: said.read_text().count("batch requeued") == 2, "the loss")
        print(f"handed out again {time.monotonic() - cut:.1f} s after the cut")
        gate.touch()  # for the worker behind the cut too, which solves its batch as if nothing had been
        assert driver.wait(PATIENCE) == 0, said.read_text()
    assert "cause its node or the network to it is gone" in said.read_text()
    assert cube_progress(store).missing_batches == ()
    run(plan_of(study), tmp_path / "once.zarr", serial=True)
    assert files_outside_run(store) == files_outside_run(tmp_path / "once.zarr")
