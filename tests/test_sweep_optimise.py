"""Test `wattbit optimise` on a small cube: what it writes, that it can be swept, resumed and refused, serial and on Ray."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import xarray as xr

from report.intervals import mean_interval
from storage import open_cube
from sweep.decisions import decisions
from sweep.siting_told import sample, scenarios
from sweep.siting_worth import independent_parts
from tests.processes import start_wattbit, wait_for
from tests.sweep_cases import WITH_OPTIMAL, files_outside_run, strict_json, wattbit, write_study

GAP = 1e-3
FOUR, SIMPLE = ("draws = 5", "draws = 4"), ("batch = 2", 'batch = 2\nsiting = "simple"')
INDEPENDENT = ('"sobol"', '"monte_carlo"')


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("optimise")
    study = write_study(folder, WITH_OPTIMAL, FOUR, SIMPLE, INDEPENDENT)
    assert wattbit(folder, "run", str(study), "--serial", "--store", "cube.zarr").exit_code == 0
    return folder / "cube.zarr"


@pytest.fixture
def store(cube: Path, tmp_path: Path) -> Path:
    shutil.copytree(cube, tmp_path / "cube.zarr")
    return tmp_path / "cube.zarr"


def answer(store: Path, *arguments: str) -> dict[str, Any]:
    found = wattbit(store.parent, "optimise", str(store), "--serial", "--json", *arguments)
    assert found.exit_code == 0, found.output
    record: dict[str, Any] = strict_json(found.stdout)
    return record


def result_files(store: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (store / "run" / "optimise").glob("*/result-*.json")}


@pytest.fixture(scope="module")
def solved(cube: Path) -> tuple[Path, dict[str, Any], Path]:
    store = cube.with_name("solved.zarr")
    shutil.copytree(cube, store)
    table = store.with_name("with_robust.csv")
    return store, answer(store, "--export", str(table), "--replications", "2"), table


def test_the_report_finds_the_answer(solved: tuple[Path, dict[str, Any], Path], cube: Path) -> None:
    store, found, _ = solved
    [kept] = decisions(store)
    assert kept == {name: value for name, value in found.items() if name in kept}
    assert decisions(cube) == []
    folder = next((store / "run" / "optimise").iterdir())
    older = shutil.copytree(folder, folder.with_name("f" * 16))
    for file in older.glob("result-*.json"):
        file.write_text(json.dumps({**kept, "value": 0.0}), encoding="utf-8")
    try:
        assert decisions(store) == [kept]  # of this version of the model alone
    finally:
        shutil.rmtree(older)


def test_answer_keeps_its_bounds_and_rules(solved: tuple[Path, dict[str, Any], Path], cube: Path) -> None:
    store, found, _ = solved
    assert found["bounds"] == {"lower": found["lower_bound"], "upper": found["value"]}
    assert 0 <= found["gap"] <= GAP
    assert found["value"] - found["lower_bound"] == pytest.approx(found["gap"] * found["value"])
    assert sum(share for area in found["x"].values() for share in area.values()) == pytest.approx(1, abs=1e-9)
    assert found["draws_with_site_rules_broken"] == found["draws_beyond_headroom"] == 0
    cells = open_cube(store)
    best = cells["total_cost"].sel(configuration="optimal").values
    assert found["value"] >= cells["lower_bound"].sel(configuration="optimal").values.mean()
    assert found["information"]["estimate"] == pytest.approx(found["value"] - best.mean())
    assert found["stochastic_solution"]["vss"]["estimate"] >= -GAP * found["value"]
    mean = found["measures"]["mean"]
    assert mean["low"] < mean["estimate"] < mean["high"]
    assert mean["estimate"] == pytest.approx(found["value"])
    parts = found["replications"]
    assert parts["parts"] == 2
    assert 0 <= parts["gap"] <= parts["gap_at_most"]
    for name, told in found["against"].items():
        other = cells["total_cost"].sel(configuration=name).values
        assert told["mean_saving"]["estimate"] == pytest.approx(other.mean() - found["value"])
    assert files_outside_run(store) == files_outside_run(cube)


def test_space_of_good_plans_holds_the_best_one(store: Path) -> None:
    found = answer(store, "--draws", "1", "--near", "2", "--quick")
    [space] = found["near"]
    assert space["limit"] == pytest.approx(1.02 * found["value"])
    for label, ends in space["ranges"].items():
        own = sum(share for area, tiers in found["x"].items() for tier, share in tiers.items() if label in (area, tier))
        assert ends["least_outer"] - 1e-6 <= ends["least"] <= own + 1e-9
        assert own - 1e-9 <= ends["most"] <= ends["most_outer"] + 1e-6
    assert all(plan["value"] <= space["limit"] * (1 + 1e-6) for plan in space["plans"])
    assert space["plans"][0]["x"] == found["x"]
    assert set(space["must_have"]) <= set(found["x"])
    for pair in space["interchangeable"]:
        assert not {*pair} & {*space["must_have"], *space["never"]}
        assert all(space["ranges"][area]["least"] == 0 < space["ranges"][area]["most"] for area in pair)
    amount = space["billion_yen"]
    assert amount == pytest.approx(0.02 * found["value"])
    again = answer(store, "--draws", "1", "--near", f"{amount!r}bn", "--quick")
    assert again["near"][0]["limit"] == pytest.approx(again["value"] + amount)
    assert again["near"][0]["ranges"].keys() == space["ranges"].keys()


def test_answer_can_be_swept_and_costs_the_same(solved: tuple[Path, dict[str, Any], Path]) -> None:
    store, found, table = solved
    own = ('configurations = ["tokyo_osaka", "five_hubs"]', 'configurations = ["tokyo_osaka", "robust"]')
    text = f'[inputs]\nconfigurations = "{table.name}"\n'
    study = write_study(store.parent / "again", own, FOUR, SIMPLE, INDEPENDENT, more=text)
    shutil.copy(table, study.parent)
    assert wattbit(study.parent, "run", str(study), "--serial", "--store", "again.zarr").exit_code == 0
    cells = open_cube(study.parent / "again.zarr").sel(configuration="robust")
    assert cells["total_cost"].values.mean() == pytest.approx(found["value"], rel=1e-9)
    assert cells["headroom_exceeded"].values == pytest.approx(np.zeros(4))


@pytest.mark.soak
def test_killed_run_goes_on_to_the_same_answer(store: Path, cube: Path) -> None:
    arguments = ("--quick", "--measure", "regret", "--gap", "0.05")
    with start_wattbit(store.parent, "optimise", str(store), "--serial", *arguments) as process:
        wait_for(
            lambda: len(list(store.glob("run/optimise/*/*/*.npy"))) > 1 or process.poll() is not None,
            "nothing was evaluated",
        )
        process.send_signal(signal.SIGKILL)
    assert not result_files(store)
    again = answer(store, *arguments)
    assert again["found_in_store"] > 0
    undisturbed = store.with_name("undisturbed.zarr")
    shutil.copytree(cube, undisturbed)
    answer(undisturbed, *arguments)
    assert result_files(store) == result_files(undisturbed)
    assert files_outside_run(store) == files_outside_run(cube)
    assert answer(store, *arguments)["solved_now"] == 0


@pytest.mark.soak
def test_workers_change_no_byte(store: Path) -> None:
    other = store.with_name("other.zarr")
    shutil.copytree(store, other)
    arguments = ("--quick", "--measure", "cvar:0.5", "--gap", "0.02", "--draws", "3")
    alone = answer(store, *arguments)
    found = wattbit(other.parent, "optimise", str(other), "--json", "--workers", "2", *arguments)
    assert found.exit_code == 0, found.output
    assert strict_json(found.stdout) == alone
    assert result_files(other) == result_files(store)
    assert alone["fresh_draws"]["draws"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--measure", "men"), "--measure: found 'men', expected mean, cvar:LEVEL"),
        (("--measure", "cvar:2"), "0 < LEVEL < 1"),
        (("--budget", "regret"), "--budget: found 'regret', expected MEASURE=NUMBER"),
        (("--lambda", "1"), "--lambda: expected with a --measure other than mean"),
        (("--near", "x"), "--near: found 'x', expected percents"),
        (("--near", "nan"), "--near: found 'nan', expected percents"),
        (("--near", "-3bn"), "--near: found '-3bn', expected percents"),
        (("--draws", "9"), "--draws: found 9, expected 1 to 4"),
        (("--free", "north"), "--free: found 'north', expected a free configuration"),
        (("--export", "table.csv", "--name", "today"), "--name: found 'today'"),
        (("--export", "table.csv", "--name", "optimal"), "--name: found 'optimal', which"),
        (("--export", "table.csv", "--name", ""), "--name: found '', expected at most 100 letters"),
        (
            ("--export", "nowhere/table.csv"),
            "--export: found nowhere/table.csv, expected a file in a folder that is there",
        ),
        (("--export", "cube.zarr"), "--export: found cube.zarr taken"),
        (("--budget", "worst=1"), "--budget worst=1: no decision keeps within the budgets: the cuts prove it"),
        (("--budget", "worst=9", "--budget", "worst=8"), "--budget: found worst twice"),
    ],
)
def test_refusals(store: Path, arguments: tuple[str, ...], message: str) -> None:
    found = wattbit(store.parent, "optimise", str(store), "--serial", *arguments)
    assert found.exit_code == 2
    assert message in found.stderr
    assert not result_files(store)


def test_compacted_cube_is_refused(store: Path) -> None:
    assert wattbit(store.parent, "compact", str(store)).exit_code == 0
    found = wattbit(store.parent, "optimise", str(store.with_name("cube.compact.zarr")), "--serial")
    assert found.exit_code == 2
    assert "compacted cube, for reading only" in found.stderr


@pytest.mark.parametrize("name", ["sitings.json", "[0-9a-f]*/*.npy", "home/*.npz"])
def test_damage_of_what_an_earlier_run_left_is_named(
    solved: tuple[Path, dict[str, Any], Path], tmp_path: Path, name: str
) -> None:
    store = tmp_path / "cube.zarr"
    shutil.copytree(solved[0], store)
    damaged = next(iter(sorted((store / "run" / "optimise").glob(f"*/{name}"))))
    damaged.write_bytes(b"")
    found = wattbit(tmp_path, "optimise", str(store), "--serial", "--measure", "worst", "--quick")
    assert found.exit_code == 2
    assert f"{damaged.relative_to(tmp_path)}: found a damaged file" in found.stderr
    damaged.unlink()
    assert wattbit(tmp_path, "optimise", str(store), "--serial", "--measure", "worst", "--quick").exit_code == 0


def test_parts_of_draws_keep_scenarios_together() -> None:
    study = {"design": {"kind": "monte_carlo"}, "scenario": {"high": {}, "low": {}}}
    table = xr.Dataset({"replicate": ("draw", np.zeros(8, dtype=np.int64))})
    cube = SimpleNamespace(study=SimpleNamespace(identity={"study": study}, table=table))
    session: Any = SimpleNamespace(cube=cube, draws=list(range(8)), request=SimpleNamespace(replications=2))
    assert scenarios(session) == ["high", "low"]
    parts, _ = independent_parts(session)
    assert [part.tolist() for part in parts] == [[0, 1, 4, 5], [2, 3, 6, 7]]
    costs = np.array([1.0, 101, 2, 102, 3, 103, 4, 104])  # scenarios apart, points alike
    assert np.ptp([costs[part].mean() for part in parts]) < 10
    told = mean_interval(sample(session, session.draws, costs))
    assert told.high - told.low < 10
