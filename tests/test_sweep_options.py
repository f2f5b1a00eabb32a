"""A study with every option is run, kept with its tables, verified from its cube alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model.options import TABLES as OPTION_TABLES
from storage import open_cube, read_study
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
    "floor": "technology,area,month,share\n" + "".join(f"lng,Tokyo,{m},0.{m % 10}\n" for m in range(1, 13)),
    "pumped": "area,month,share\n" + "".join(f"all,{m},0.7\n" for m in range(1, 13)),
    "lines": "line,direction,month,share\n" + "".join(f"tohoku_tokyo,forward,{m},0.8\n" for m in range(1, 13)),
    "it": "hour,factor\n" + "".join(f"{t},{1 + (-1) ** t * 0.1}\n" for t in range(24)),
}
OPTIONS = """
[options]
heat_rates = "heat.csv"
availability = "months.csv"
pue_profile = "pue.csv"
dc_profile = "it.csv"
committed_floor = "floor.csv"
pumped_derate = "pumped.csv"
line_margin = "lines.csv"
curtailment_sharing = 0.5
left_out = ["Okinawa"]
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
    assert named == {f"options.{name}" for name in OPTION_TABLES}
    assert options.floor_share is not None
    assert options.floor_share[4, 2].tolist() == [0.0, 0.5, 0.0]
    assert options.line_forward is not None
    assert options.line_forward[0].tolist().count(0.8) == 1
    assert (options.curtailment_sharing, options.left_out) == (0.5, ("Okinawa",))


def test_a_left_out_area_takes_no_part(folder: Path) -> None:
    with open_cube(folder / "cube.zarr") as cube:
        okinawa = cube.sel(area="Okinawa")
        for name in ("generation", "curtailment", "unserved", "dc_load", "spill"):
            assert not np.nan_to_num(okinawa[name].to_numpy()).any(), name
        assert (okinawa["latency"] > 0).all()  # its users stay


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('left_out = ["Okinawa"]', 'left_out = ["Okinava"]', ("left_out", "Okinava", "Okinawa")),
        ('left_out = ["Okinawa"]', 'left_out = ["Tokyo"]', ("left_out", "tohoku_tokyo", "without lines")),
        ('"five_hubs"', '"ten_areas"', ("ten_areas/Okinawa", "left out")),
        ('"lines.csv"', '"misspelt.csv"', ("line", "tohoku_tokio", "tohoku_tokyo")),
        ("curtailment_sharing = 0.5", "curtailment_shering = 0.5", ("curtailment_shering", "curtailment_sharing")),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(folder: Path, old: str, new: str, told: tuple[str, ...]) -> None:
    text = (folder / "study.toml").read_text()
    assert old in text
    (folder / "misspelt.csv").write_text(TABLES["lines"].replace("tohoku_tokyo", "tohoku_tokio"))
    (folder / "wrong.toml").write_text(text.replace(old, new))
    found = wattbit(folder, "run", "wrong.toml", "--serial", "--store", "wrong.zarr")
    assert found.exit_code == 2
    assert all(word in found.stderr for word in told), found.stderr
    assert not (folder / "wrong.zarr").exists()


def test_another_table_is_another_study(folder: Path) -> None:
    (folder / "heat.csv").write_text(TABLES["heat"].replace("1.2", "1.3"))
    found = wattbit(folder, "run", "study.toml", "--serial", "--store", "cube.zarr")
    (folder / "heat.csv").write_text(TABLES["heat"])
    assert found.exit_code == 2
    assert "options.heat_rates" in found.stderr
