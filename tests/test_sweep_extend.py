"""Test that a study continues its cube: what is new is solved, what was there stays, and anything else is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sweep.worker
from storage import open_cube, read_layout, read_study
from sweep.errors import RunStoppedError, StudyError
from sweep.growth import fitted
from sweep.plan import Plan
from sweep.run import run
from tests.sweep_cases import (
    NORTH,
    Edit,
    commit_record,
    files,
    files_outside_run,
    plan_of,
    wattbit,
    write_own_table,
    write_study,
)

FEW = ("draws = 5", "draws = 3")
WITH_FOUR_AND_NORTH = ('["tokyo_osaka", "five_hubs"]', '["north", "five_hubs", "four_hubs", "tokyo_osaka"]')
GAP = 1e-4  # of the total cost of a free configuration with whole sites


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study of three draws in batches of two, and its finished cube."""
    folder = tmp_path_factory.mktemp("few")
    assert wattbit(folder, "run", "study.toml", "--serial", "--store", "x.zarr").exit_code == 2  # no study yet
    run(plan_of(write_study(folder, FEW)), folder / "small.zarr", serial=True)
    return folder


@pytest.fixture
def store(few: Path, tmp_path: Path) -> Path:
    return shutil.copytree(few / "small.zarr", tmp_path / "small.zarr")


@pytest.fixture
def solved(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The configurations of every draw that is solved from here on."""
    calls: list[tuple[str, ...]] = []
    solve_draw = sweep.worker.solve_draw

    def counted(case: Any, theta: Any) -> Any:
        calls.append(tuple(c.name for c in case.configurations))
        return solve_draw(case, theta)

    monkeypatch.setattr(sweep.worker, "solve_draw", counted)
    return calls


def larger(folder: Path, *edits: Edit, more: str = "", draws: int | None = None) -> Plan:
    return plan_of(write_study(folder / "larger", *edits, more=more), draws)


def test_more_draws_are_solved_alone_and_leave_the_bytes_of_one_run(
    store: Path, solved: list[tuple[str, ...]], tmp_path: Path
) -> None:
    write_study(tmp_path)
    result = wattbit(tmp_path, "run", "study.toml", "--serial", "--store", "small.zarr", "--draws", "6")
    assert result.exit_code == 0
    assert "small.zarr will be extended by 3 draws; what it holds is kept" in result.stderr
    assert "3 draws solved, 3 found finished" in result.stderr
    assert len(solved) == 3
    plan = larger(tmp_path, draws=6)
    run(plan, tmp_path / "once.zarr", serial=True)
    assert files_outside_run(store) == files_outside_run(tmp_path / "once.zarr")
    assert read_study(store) == read_study(tmp_path / "once.zarr")
    again = wattbit(tmp_path, "run", "study.toml", "--serial", "--store", "small.zarr", "--draws", "6")
    assert "0 draws solved, 6 found finished" in again.stderr
    less = wattbit(tmp_path, "run", "study.toml", "--serial", "--store", "small.zarr")
    assert less.exit_code == 2
    assert "the store has 6, this study has 5: a cube does not shrink, --draws 6 goes on with it" in less.stderr


def test_more_configurations_are_solved_alone_and_compared_with_what_is_stored(
    store: Path, solved: list[tuple[str, ...]], tmp_path: Path
) -> None:
    before, kept = open_cube(store).load(), files_outside_run(store)
    plan = larger(tmp_path, FEW, WITH_FOUR_AND_NORTH, more=NORTH)
    assert run(plan, store, serial=True).solved == 3
    assert solved == [("north", "four_hubs")] * 3
    assert run(plan, store, serial=True).solved == 0
    found = open_cube(store).load()
    assert found["configuration"].values.tolist() == ["tokyo_osaka", "five_hubs", "north", "four_hubs"]
    for name, variable in before.data_vars.items():
        if name != "regret_total" and "configuration" in variable.dims:
            assert found[name].values[:, :2].tobytes() == variable.values.tobytes(), name
    assert all(files_outside_run(store)[name] == kept[name] for name in kept if name.startswith("generation/c."))
    run(plan, tmp_path / "once.zarr", serial=True)
    once = open_cube(tmp_path / "once.zarr").load().sel(configuration=found["configuration"].values)
    fixed = ["tokyo_osaka", "five_hubs", "four_hubs"]
    for name in ("fuel_cost", "co2_cost", "dispatch_cost", "total_cost", "saving_total", "saving_fuel_co2"):
        np.testing.assert_allclose(
            found[name].sel(configuration=fixed), once[name].sel(configuration=fixed), rtol=1e-9, atol=1e-6
        )
    for name in ("total_cost", "lower_bound"):
        np.testing.assert_allclose(
            found[name].sel(configuration="north"), once[name].sel(configuration="north"), rtol=GAP
        )
    best = found["total_cost"].sel(configuration=fixed).min("configuration")
    np.testing.assert_array_equal(found["regret_total"], found["total_cost"] - best)


def test_every_way_to_the_same_extension_leaves_the_same_bytes(
    few: Path, store: Path, tmp_path: Path, ray_address: str
) -> None:
    first, plan = plan_of(few / "study.toml"), larger(tmp_path, WITH_FOUR_AND_NORTH, more=NORTH)
    run(plan, store, serial=True)
    commit_record(tmp_path / "half.zarr", 0)
    half = shutil.copytree(few / "small.zarr", tmp_path / "half.zarr")
    commit_record(half, 1).unlink()  # extended before it was finished
    run(plan, half, workers=2, address=ray_address)
    assert files_outside_run(half) == files_outside_run(store)
    lost = shutil.copytree(store, tmp_path / "lost.zarr")
    for name in ("000000.1.json", "000001.json", "000001.1.json"):
        (lost / "run" / "commits" / name).unlink()
    assert run(plan, lost, serial=True).solved == 4
    assert files_outside_run(lost) == files_outside_run(store)
    with pytest.raises(StudyError, match="a cube does not shrink"):
        run(first, store, serial=True)


def test_row_appended_to_the_table_of_configurations_is_no_other_study(store: Path, tmp_path: Path) -> None:
    table = '[inputs]\nconfigurations = "my_configurations.csv"\n'
    folder = tmp_path / "larger"
    write_own_table(folder, "configurations", ("five_hubs,Tokyo", "all_tokyo,Tokyo,any,1,assumed\nfive_hubs,Tokyo"))
    plan = plan_of(write_study(folder, FEW, ('"five_hubs"]', '"five_hubs", "all_tokyo"]'), more=table))
    assert run(plan, store, serial=True).solved == 3
    assert (open_cube(store)["status"] == 1).all()
    write_own_table(folder, "configurations", ("five_hubs,Tokyo,any,0.4", "five_hubs,Tokyo,any,0.4000001"))
    with pytest.raises(StudyError, match=r"shares\.five_hubs: the store has"):
        fitted(plan_of(write_study(folder, FEW, more=table)), store)


@pytest.mark.parametrize(
    ("edits", "more", "draws", "says"),
    [
        ((('"five_hubs"]', '"four_hubs"]'),), "", 3, "study.configurations: the store has"),
        ((("seed = 7", "seed = 8"),), "", 6, "study.design.seed: the store has 7, this study has 8"),
        ((('"days.csv"', '"other.csv"'),), "", 6, "days.fy2024.day: the store has"),
        ((("batch = 2", "batch = 3"),), "", 6, "study.batch: the store has 2, this study has 3"),
        ((), "[fixed]\nco2_price = 9000\n", 6, "study.fixed.co2_price: the store has null, this study has 9000"),
        ((), "[inputs]\nscalars = { voll = 2999 }\n", 6, "template.dispatch: the store has"),
        ((('"sobol"', '"lhs"'),), "", 6, "a longer design of kind lhs does not begin with the shorter one"),
    ],
)
def test_another_study_is_refused_key_by_key_and_nothing_is_touched(
    edits: tuple[Edit, ...], more: str, draws: int, says: str, store: Path, tmp_path: Path
) -> None:
    study = write_study(tmp_path / "other", *edits, more=more)
    (tmp_path / "other" / "other.csv").write_text("weather_year,day,weight\nfy2019,10,365\nfy2024,301,365\n")
    before = files(store)
    with pytest.raises(StudyError) as caught:
        run(plan_of(study, draws), store, serial=True)
    assert says in str(caught.value)
    assert files(store) == before


def test_new_draws_may_bring_a_weather_year(tmp_path: Path, solved: list[tuple[str, ...]]) -> None:
    one = '[uncertain.weather_year]\ndistribution = "choice"\nodds = { fy2024 = 0.6, fy2019 = 0.4 }\n'
    study = write_study(tmp_path, more=one)
    years = plan_of(study, 8).table["weather_year"].values
    first = int((years != years[0]).argmax())
    assert first > 0
    store = tmp_path / "x.zarr"
    run(plan_of(study, first), store, serial=True)
    run(plan_of(study, 8), store, serial=True)
    assert len(solved) == 8
    identity = read_study(store)["identity"]
    assert (identity["start"], {*identity["days"]}) == (years[0], {"fy2019", "fy2024"})
    assert read_layout(store).draws == 8
    assert (open_cube(store)["status"] == 1).all()


@pytest.mark.parametrize("name", ["total_cost", "fuel_cost", "status"])
def test_what_is_lost_or_changed_is_never_compared_with(store: Path, tmp_path: Path, name: str) -> None:
    """A missing shard reads as missing values, another one as plausible ones: neither may enter savings and regrets."""
    plan = larger(tmp_path, FEW, WITH_FOUR_AND_NORTH, more=NORTH)
    [shard, *_] = sorted(file for file in (store / name).iterdir() if file.name.startswith("c.0"))
    shard.unlink()
    with pytest.raises(RunStoppedError, match=f"{name} of batch 0 is missing or not what its commit record says"):
        run(plan, store, serial=True)
    other = sorted(file for file in (store / name).iterdir() if file.name.startswith("c.1"))
    if name != "status":
        shard.write_bytes(other[0].read_bytes())
        with pytest.raises(RunStoppedError, match=f"{name} of batch 0 is missing or not what its commit record says"):
            run(plan, store, serial=True)
