"""Run the benchmark of large cubes small, so that it never rots: what it makes is a cube that says it is no result."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from benchmarks.cube import ONE_OUTCOME, QUESTIONS, asked_apart, main, repeated, solved_draws
from storage import is_compacted, open_cube


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return solved_draws(tmp_path_factory.mktemp("solved"))


@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_the_repeated_cube_says_what_it_is_and_answers(solved: Path, tmp_path: Path, noise: float) -> None:
    repeated(solved, tmp_path / "a.zarr", 50, noise)
    old, new = open_cube(solved), open_cube(tmp_path / "a.zarr")
    assert is_compacted(tmp_path / "a.zarr")
    assert "no result" in new.attrs["comment"]
    assert "no result" in new.attrs["title"]
    assert new.attrs["repeated_draws"] == 4
    assert {*new.variables} == {*old.variables}
    assert (new["status"] == 1).all()
    for name in ("total_cost", "generation", "dc_demand"):
        np.testing.assert_allclose(new[name][44:48], old[name], rtol=0.1 if noise else 0)
    told = {question: ask(tmp_path / "a.zarr") for question, ask in QUESTIONS.items()}
    assert told["status"] == 50
    assert [*tmp_path.iterdir()] == [tmp_path / "a.zarr"]
    sketched = told["quantiles of one outcome, from summaries"][1][-1]
    assert sketched == pytest.approx(told[ONE_OUTCOME], rel=2e-3)


def test_a_question_is_asked_in_a_fresh_process(solved: Path) -> None:
    found = asked_apart(solved, "status")
    assert found["seconds"] >= 0
    assert found["peak_memory_mb"] > 10
    result = CliRunner().invoke(main, ["--ask", ONE_OUTCOME, "--store", str(solved)])
    assert {*json.loads(result.output)} == {"seconds", "peak_memory_mb"}
