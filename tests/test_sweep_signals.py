"""Ctrl-C and SIGTERM end the command line with one line and its exit code at any moment, from the first one on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.processes import PATIENCE, ROOT
from tests.sweep_cases import write_study

BEGIN = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job ignores it
from sweep import entry
assert not {"click", "numpy", "model", "storage"} & set(sys.modules), "slow imports before the signals are settled"
print("here", flush=True)
entry.main()
"""
CASES = {
    signal.SIGINT: (130, "wattbit: interrupted", (0.1, 0.5, 1.0, 2.5)),
    signal.SIGTERM: (143, "wattbit: terminated", (0.1, 1.0)),
}


@pytest.mark.parametrize("number", CASES)
def test_one_line_and_its_exit_code_at_any_moment(number: signal.Signals, tmp_path: Path) -> None:
    code, line, moments = CASES[number]
    study = write_study(tmp_path, ("draws = 5", "draws = 4096"))
    running = []
    for moment in moments:
        process = subprocess.Popen(
            [sys.executable, "-c", BEGIN, "run", str(study), "--serial", "--store", f"{moment}.zarr"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        time.sleep(moment)
        if moment == moments[-1]:  # once a run holds the store, however fast it got there
            while not [*tmp_path.glob(f"{moment}.zarr/run/lease/*")]:
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.01)
        process.send_signal(number)
        running.append(process)
    for process in running:
        _, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, said
        assert said.count(line) == 1
        assert said.splitlines()[-1].startswith(line)
        assert "Traceback" not in said
    # Where a run was at work, it gave the store free; before that, nothing was made.
    assert not [*tmp_path.glob("*.zarr/run/lease/*")]


def test_a_job_in_the_background_goes_on_ignoring_ctrl_c(tmp_path: Path) -> None:
    ignoring = BEGIN.replace("signal.default_int_handler", "signal.SIG_IGN")
    with subprocess.Popen(
        [sys.executable, "-c", ignoring, "check", str(write_study(tmp_path))],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        assert "ok" in process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0
