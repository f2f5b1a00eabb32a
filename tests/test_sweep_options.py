"""A study with every option is run, kept with its tables, verified from its cube alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from storage import read_study
from sweep.plan import make_plan
from sweep.run import run
from sweep.stored import stored_study
from sweep.study import read_study as read_study_file
from tests.sweep_cases import wattbit, write_study

TABLES = {
    "heat": "area,technology,block,share,heat_rate\nTokyo,lng,old,0.4,1.2\nTokyo,lng,new,0.6,0.9\n",
    "months": "technology,area,month,share\n"
    + "".join(f"{fuel},all,{month},{0.7 + 0.02 * month}\n" for fuel in ("coal", "nuclear") for month in range(1, 13)),
    "pue": "area,month,hour,factor\n"
    + "".join(f"all,{m},{t},{1 + 0.01 * (m - 6) + t / 1000}\n" for m in range(1, 13) for t in range(24)),
    "it": "hour,factor\n" + "".join(f"{t},{1 + (-1) ** t * 0.1}\n" for t in range(24)),
}
OPTIONS = """
[options]
heat_rates = "heat.csv"
availability = "months.csv"
pue_profile = "pue.csv"
dc_profile = "it.csv"
reserve = 0.03
forecast_margin = 0.1
transmission_loss = 0.03
ramp = { coal = 0.2 }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("options")
    write_study(folder, ("draws = 5", "draws = 2"), more=OPTIONS)
    for name, text in TABLES.items():
        (folder / f"{name}.csv").write_text(text)
    run(make_plan(read_study_file(folder / "study.toml"), folder), folder / "cube.zarr", serial=True)
    return folder


def test_the_cube_is_verified_by_what_it_keeps(folder: Path) -> None:
    found = wattbit(folder, "verify", "cube.zarr", "--sample", "1")
    assert found.exit_code == 0, found.stdout
    options = stored_study(folder / "cube.zarr").inputs.options
    assert options.heat_rate is not None
    assert options.heat_rate[2, 1].tolist() == [0.9, 1.2]
    assert options.reserve == 0.03
    assert options.ramp is not None
    assert options.ramp.tolist() == [0.2, np.inf, np.inf]
    named = {name for name in read_study(folder / "cube.zarr")["identity"]["files"] if name.startswith("options.")}
    assert named == {f"options.{name}" for name in ("heat_rates", "availability", "pue_profile", "dc_profile")}


def test_another_table_is_another_study(folder: Path) -> None:
    (folder / "heat.csv").write_text(TABLES["heat"].replace("1.2", "1.3"))
    found = wattbit(folder, "run", "study.toml", "--serial", "--store", "cube.zarr")
    (folder / "heat.csv").write_text(TABLES["heat"])
    assert found.exit_code == 2
    assert "options.heat_rates" in found.stderr
