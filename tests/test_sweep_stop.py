"""Test studies that grow until a statistic is known: where they end, that nothing on the way moves it, and refusals."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sweep.run
import sweep.stopping
from storage import cube_progress, open_cube, read_layout, read_study
from sweep.run import Outcome, run
from sweep.stop_text import stopped_record, stopped_text
from sweep.stopping import Standing, ahead, run_growing
from sweep.study import read_study as read_study_file
from tests.processes import start_wattbit
from tests.sweep_cases import (
    TOO_SMALL,
    WITH_NORTH,
    files,
    files_outside_run,
    plan_of,
    strict_json,
    wattbit,
    write_study,
)

FOUR = ("batch = 2", "batch = 4"), ("draws = 5", "draws = 4\nreplicates = 2")
END = 16  # draws at which RULE holds
RULE = """
[stop]
outcome = "saving_fuel_co2"
configuration = "five_hubs"
half_width = "60 billion yen/yr"
cap = 32
"""
TIGHT = RULE.replace("60", "5").replace("32", "20")
LOOSE = RULE.replace("60", "400")
PARTS = """
[[stop]]
outcome = "curtailment"
configuration = "five_hubs"
select = { area = "Hokkaido" }
sum = ["technology"]
statistic = "quantile:0.5"
half_width = "900 TWh"
scenario = "low"
cap = 4
[[stop]]
outcome = "saving_total"
configuration = "five_hubs"
statistic = "probability"
above = "0 billion yen per year"
half_width = "99 %"
scenario = "high"
cap = 8
[scenario.low]
co2_price = 3000
[scenario.high]
co2_price = 20000
"""
FINISHED = "stopped at 16 draws: mean saving_fuel_co2 of five_hubs 89 ± 57 billion yen/yr (95 %, over 4 looks)"


def grow(folder: Path, store: Path, draws: int | None = None, **options: Any) -> tuple[Outcome, list[Standing]]:
    """Run the study of a folder as the command does, without its page."""
    study = read_study_file(folder / "study.toml", draws)
    plan = ahead(plan_of(folder / "study.toml", draws), store, folder)
    return run_growing(study, plan, store, folder, **{"serial": True, **options})


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study that grew from 4 draws to `END`; tests that change its cube take a copy."""
    folder = tmp_path_factory.mktemp("grown")
    write_study(folder, *FOUR, more=RULE)
    result = wattbit(folder, "run", "study.toml", "--serial", "--store", "x.zarr", "--json")
    assert result.exit_code == 0
    assert FINISHED in result.stderr
    assert "these intervals are wider than those of the table: to hold at every one of 4 looks" in result.stderr
    assert "with 95 %, each is one of 98.75 % (Bonferroni)" in result.stderr
    logged = [strict_json(line)["event"] for line in (folder / "x.log.jsonl").read_text().splitlines()]
    assert (logged.count("run_began"), logged.count("run_ended"), logged[-1]) == (3, 1, "run_ended")
    [stop] = strict_json(result.stdout)["stop"]
    assert (stop["holds"], stop["draws"], stop["draws_needed"]) == (True, END, None)
    assert [one["draws"] for one in stop["looks"]] == [4, 8, 16]
    assert stop["estimate"] == pytest.approx(
        float(open_cube(folder / "x.zarr")["saving_fuel_co2"].sel(configuration="five_hubs").mean())
    )
    assert stop["confidence_of_a_look"] == pytest.approx(1 - 0.05 / 4)
    return folder


@pytest.fixture
def store(grown: Path, tmp_path: Path) -> Path:
    return shutil.copytree(grown / "x.zarr", tmp_path / "x.zarr")


def test_the_bytes_are_those_of_a_run_with_so_many_draws_at_once(grown: Path, tmp_path: Path) -> None:
    run(plan_of(write_study(tmp_path, *FOUR), END), tmp_path / "x.zarr", serial=True)
    assert files_outside_run(tmp_path / "x.zarr") == files_outside_run(grown / "x.zarr")
    assert read_study(tmp_path / "x.zarr") == read_study(grown / "x.zarr")


def test_the_same_line_again_solves_nothing_and_says_the_same(grown: Path) -> None:
    before = files(grown / "x.zarr")
    again = wattbit(grown, "run", "study.toml", "--serial", "--store", "x.zarr")
    assert again.exit_code == 0
    assert f"0 draws solved, {END} found finished" in again.stderr
    assert FINISHED in again.stderr
    assert files(grown / "x.zarr") == before


@pytest.mark.parametrize(("stage", "batches"), [(8, 0), (16, 1)])
def test_interrupted_run_goes_on_to_the_same_end(
    stage: int, batches: int, grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted in a stage, before its first batch (the cube is extended already) or after some."""
    run_serial, store = sweep.run.run_serial, tmp_path / "x.zarr"

    def interrupted(solve: Any, work: Any, numbers: Any, part: Any) -> Iterator[Any]:
        if read_layout(store).draws < stage:
            yield from run_serial(solve, work, numbers, part)
            return
        yield from run_serial(solve, work, numbers[:batches], part)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sweep.run, "run_serial", interrupted)
        with pytest.raises(KeyboardInterrupt):
            grow(grown, store)
    assert read_layout(store).draws == stage
    assert len(cube_progress(store).missing_batches) > 0
    _, [standing] = grow(grown, store)
    assert [one.draws for one in standing.looks] == [4, 8, 16]
    assert files_outside_run(store) == files_outside_run(grown / "x.zarr")
    assert read_study(store) == read_study(grown / "x.zarr")


def test_killed_between_two_stages(grown: Path, tmp_path: Path) -> None:
    """A process of its own, killed as soon as it says that it goes on; the same line again ends as undisturbed."""
    for name in ("study.toml", "days.csv"):
        shutil.copy(grown / name, tmp_path / name)
    line = ("run", "study.toml", "--serial", "--store", "x.zarr")
    first = start_wattbit(tmp_path, *line)
    assert first.stderr is not None
    assert any(", wanted ± 60" in told for told in first.stderr)
    first.kill()
    first.communicate()
    assert first.returncode == -signal.SIGKILL
    store = tmp_path / "x.zarr"
    assert cube_progress(store).draws_committed < END
    again = wattbit(tmp_path, *line)
    assert again.exit_code == 0
    assert FINISHED in again.stderr
    assert files_outside_run(store) == files_outside_run(grown / "x.zarr")
    assert read_study(store) == read_study(grown / "x.zarr")


def test_workers_leave_the_same_bytes(grown: Path, tmp_path: Path, ray_address: str) -> None:
    """On Ray, in two stages: two drivers of a cluster, one after the other."""
    options = {"workers": 2, "address": ray_address, "serial": False}
    outcome, [standing] = grow(grown, tmp_path / "ray.zarr", 8, **options)
    assert (outcome.solved, outcome.found) == (END, 0)
    assert standing.holds
    assert [one.draws for one in standing.looks] == [8, 16]
    assert files_outside_run(tmp_path / "ray.zarr") == files_outside_run(grown / "x.zarr")


def test_cap_that_is_met_says_what_is_missing(tmp_path: Path) -> None:
    write_study(tmp_path, *FOUR, ('"sobol"', '"monte_carlo"'), more=TIGHT)
    _, standings = grow(tmp_path, tmp_path / "mc.zarr")
    study = read_study_file(tmp_path / "study.toml")
    [stop] = stopped_record(standings, study)
    assert [one["draws"] for one in stop["looks"]] == [4, 8, 16, 20]
    expected = 20 * (stop["looks"][-1]["half_width"] / 5) ** 2
    assert stop["draws_needed"] == pytest.approx(expected)
    said = stopped_text(standings, study, 20)
    assert said.startswith("cap of 20 draws met: mean saving_fuel_co2 of five_hubs ")
    assert said.endswith(f"wanted ± 5; it would need about {int(float(f'{expected:.2g}')):,} draws")
    assert not stop["holds"]


def test_another_rule_goes_on_with_the_cube_and_none_shrinks_it(store: Path, tmp_path: Path) -> None:
    write_study(tmp_path, *FOUR, more=TIGHT.replace("5 b", "1 b").replace("cap = 20", "cap = 33"))
    tight = wattbit(tmp_path, "run", "study.toml", "--serial", "--store", "x.zarr")
    assert tight.exit_code == 0  # a cap that is met is no failure
    assert "16 draws solved, 16 found finished" in tight.stderr
    assert "cap of 33 draws met at 32: mean saving_fuel_co2" in tight.stderr
    write_study(tmp_path, *FOUR, more=LOOSE)
    outcome, loose = grow(tmp_path, store)
    assert (outcome.solved, outcome.found) == (0, 32)
    said = stopped_text(loose, read_study_file(tmp_path / "study.toml"), 32)
    assert said.startswith("stopped at 4 draws: mean saving_fuel_co2 of five_hubs 105 ± 362 billion yen/yr")
    assert said.endswith("; the cube holds 32 draws")


def test_configuration_that_has_no_value_ends_the_growth(tmp_path: Path) -> None:
    write_study(tmp_path, *FOUR, WITH_NORTH, more=TOO_SMALL + RULE.replace("five_hubs", "north"))
    _, standings = grow(tmp_path, tmp_path / "x.zarr")
    assert stopped_text(standings, read_study_file(tmp_path / "study.toml"), 4) == (
        "stopped at 4 draws: mean saving_fuel_co2 of north: no finished draw has a value, and more draws would not help"
    )
    assert read_layout(tmp_path / "x.zarr").draws == 4


def test_draws_without_a_value_are_left_out_and_counted(
    grown: Path, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def with_a_failed_draw(place: Any) -> Any:
        cube = open_cube(place).load()
        cube["status"][5, 1] = 2
        return cube

    monkeypatch.setattr(sweep.stopping, "open_cube", with_a_failed_draw)
    _, [standing] = grow(grown, store)
    assert [(one.draws, one.values, one.lacking) for one in standing.looks][:2] == [(4, 4, 0), (8, 7, 1)]
    said = stopped_text([standing], read_study_file(grown / "study.toml"), standing.looks[-1].draws)
    assert said.endswith("; 1 draw without a value left out")


def test_rules_on_parts_of_an_outcome_and_on_a_scenario(tmp_path: Path) -> None:
    write_study(tmp_path, *FOUR, more=PARTS)
    _, standings = grow(tmp_path, tmp_path / "x.zarr")
    curtailment, probability = stopped_record(standings, read_study_file(tmp_path / "study.toml"))
    assert (curtailment["values"], curtailment["draws"], curtailment["unit"]) == (4, 4, "TWh")
    cube = open_cube(tmp_path / "x.zarr").load()
    own = cube["curtailment"].sel(configuration="five_hubs", area="Hokkaido").sum("technology")[:8:2].values
    assert curtailment["estimate"] == sorted(own)[1]
    assert 0 <= probability["low"] <= probability["estimate"] <= probability["high"] <= 1
    assert probability["statistic"] == "probability of saving_total above 0 billion yen per year of five_hubs in high"


def test_plan_tells_stages_and_cap(grown: Path) -> None:
    result = wattbit(grown, "plan", "study.toml", "--json", "--draws", "8")
    assert strict_json(result.stdout)["stop"] == {
        "stages": [8, 16, 32],
        "rules": ["mean saving_fuel_co2 of five_hubs"],
    }
    assert [
        note for note in strict_json(result.stdout)["notes"] if "a spread of 2 replicates alone is known badly" in note
    ]
    text = wattbit(grown, "plan", "study.toml").stdout
    assert "4 draws at first, doubled up to 32 draws, until mean saving_fuel_co2 of five_hubs is known to ± 60" in text
    assert "a spread of 2 replicates alone is known badly" in text


REFUSED = {
    "key": (("half_width", "half_with"), "stop.0.half_with", "nearest known name: half_width"),
    "outcome": (("saving_fuel_co2", "saving_fuel_co3"), "stop.0.outcome", "nearest known name: saving_fuel_co2"),
    "outcome with areas": (('"saving_fuel_co2"', '"unserved"'), "stop.0.half_width", "a number in TWh, as '5 TWh'"),
    "unit": (("billion yen/yr", "TWh"), "stop.0.half_width", "found '60 TWh'", "a number in billion yen/yr"),
    "no unit": (('"60 billion yen/yr"', "60"), "stop.0.half_width", "found 60.0", "billion yen/yr"),
    "zero": (('"60 b', '"0 b'), "stop.0.half_width", "a number above 0"),
    "configuration": (("five_hubs", "six_hubs"), "stop.0.configuration", "nearest known name: five_hubs"),
    "cap": (("cap = 32", "cap = 3"), "stop.0.cap", "found 3", "at least the draws that it begins with, 4"),
    "no cap": (("cap = 32", ""), "stop.0.cap", "found nothing"),
    "confidence": (("cap = 32", "cap = 32\nconfidence = 95"), "stop.0.confidence", "found 95", "less than 1"),
    "statistic": (("cap = 32", 'cap = 32\nstatistic = "men"'), "stop.0.statistic", "nearest known name: mean"),
    "level": (("cap = 32", 'cap = 32\nstatistic = "quantile:5"'), "stop.0.statistic", "a level between 0 and 1"),
    "no level": (("cap = 32", 'cap = 32\nstatistic = "cvar"'), "stop.0.statistic", "cvar:LEVEL"),
    "no threshold": (("cap = 32", 'cap = 32\nstatistic = "probability"'), "stop.0.above", "the threshold"),
    "threshold of a mean": (("cap = 32", "cap = 32\nabove = 0"), "stop.0.above", "none with mean"),
    "select": (("cap = 32", 'cap = 32\nselect = { area = "Tokyo" }'), "stop.0.select", "does not run over it"),
    "sum": (("cap = 32", 'cap = 32\nsum = ["area"]'), "stop.0.sum", "does not run over it"),
    "scenario": (("cap = 32", 'cap = 32\nscenario = "low"'), "stop.0.scenario", "none: the study has no"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_rule_that_cannot_be_is_refused(name: str, tmp_path: Path) -> None:
    (old, new), *says = REFUSED[name]
    assert old in RULE
    write_study(tmp_path, *FOUR, more=RULE.replace(old, new))
    before = files(tmp_path)
    result = wattbit(tmp_path, "check", "study.toml")
    assert (result.exit_code, result.stdout) == (2, "")
    for text in ("study.toml: ", *says):
        assert text in result.stderr
    assert files(tmp_path) == before


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (
            ("draws = 5", "draws = 4"),
            "stop: found 'design.replicates = 1, which tells nothing of its own error', expected",
        ),
        (('"sobol"\ndraws = 5', '"lhs"\ndraws = 5'), "monte_carlo, sobol or halton, which can be given more draws"),
        (("draws = 5", "draws = 2\nreplicates = 4"), "at least a draw for each of 4 replicates"),
    ],
)
def test_design_that_tells_no_error_or_cannot_grow_is_refused(edit: tuple[str, str], says: str, tmp_path: Path) -> None:
    write_study(tmp_path, edit, more=RULE)
    result = wattbit(tmp_path, "run", "study.toml", "--serial")
    assert result.exit_code == 2
    assert f"study.toml: {says}" in result.stderr or says in result.stderr
    assert not (tmp_path / "results").exists()


def test_parts_that_are_not_chosen_are_refused(tmp_path: Path) -> None:
    rule = RULE.replace("saving_fuel_co2", "unserved").replace("billion yen/yr", "TWh")
    write_study(tmp_path, *FOUR, more=rule)
    result = wattbit(tmp_path, "check", "study.toml")
    assert result.exit_code == 2
    assert (
        "study.toml: stop.0.outcome: found 'unserved', expected one number in each draw: select or sum over area"
        in (result.stderr)
    )


def test_draw_on_the_way_to_the_cap_that_cannot_be_is_refused_before_anything_is_solved(tmp_path: Path) -> None:
    # The fourth of the draws to come exceeds what is possible.
    impossible = '[uncertain.apn_adoption]\ndistribution = "uniform"\nmin = 0.9\nmax = 1.02\n'
    write_study(tmp_path, *FOUR, more=impossible)
    assert wattbit(tmp_path, "check", "study.toml").exit_code == 0
    write_study(tmp_path, *FOUR, more=impossible + RULE)
    result = wattbit(tmp_path, "check", "study.toml")
    assert result.exit_code == 2
    assert "apn_adoption" in result.stderr
