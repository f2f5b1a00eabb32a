"""Test the commands that read a cube: query, compact, and status, report and run on a compacted cube."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

import storage
from sweep.so_far import beside
from tests.sweep_cases import files, strict_json, wattbit, write_study


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run a small study of five draws."""
    folder = tmp_path_factory.mktemp("asked")
    write_study(folder)
    assert wattbit(folder, "run", "study.toml", "--serial", "--store", "a.zarr").exit_code == 0
    return folder / "a.zarr"


def test_a_run_leaves_a_summary_of_each_batch(store: Path) -> None:
    assert len([*(store / "run" / "summaries").iterdir()]) == 3
    cube, summary = storage.open_cube(store), storage.read_summary(store)
    for name in ("total_cost", "curtailment"):
        of, values = summary.of(name), cube[name]
        assert of["n"].equals(values.notnull().sum("draw"))
        assert abs(of["mean"] - values.mean("draw")).max() < 1e-9


def test_status_tells_savings_and_regret_so_far(store: Path) -> None:
    told = wattbit(store.parent, "status", "a.zarr", "--summary").stdout
    mean = float(storage.open_cube(store)["saving_total"].sel(configuration="five_hubs").mean())
    [row] = [line.split() for line in told.splitlines() if line.split()[:2] == ["saving_total", "five_hubs"]]
    assert row[2] == f"{mean:,.1f}"
    assert row[-1] == "5"
    record = strict_json(wattbit(store.parent, "status", "a.zarr", "--summary", "--json").stdout)
    of = record["summary"]["saving_total"]["configurations"]["five_hubs"]
    assert (of["n"], of["mean"]) == (5, pytest.approx(mean))


def test_query_prints_text_csv_and_json(store: Path) -> None:
    line = ["query", "a.zarr", "saving_fuel_co2", "--by", "configuration", "dc_demand:2", "--quantile", ".05", ".95"]
    text = wattbit(store.parent, *line)
    assert text.exit_code == 0
    assert "saving_fuel_co2 [billion yen per year" in text.stdout
    assert text.stderr == ""
    rows = [*csv.reader(io.StringIO(wattbit(store.parent, *line, "--csv").stdout))]
    assert rows[0][:2] == ["configuration", "dc_demand"]
    assert [heading.split(" ")[0] for heading in rows[0][2:6]] == ["mean", "sd", "q0.05", "q0.95"]
    record = strict_json(wattbit(store.parent, *line, "--json").stdout)
    assert [row["configuration"] for row in record["rows"]] == ["tokyo_osaka"] * 2 + ["five_hubs"] * 2
    assert sum(row["n"] for row in record["rows"]) == 10
    one = ["query", "a.zarr", "curtailment", "--sum", "area", "technology", "--where", "apn_adoption < 2", "--json"]
    [first, _] = strict_json(wattbit(store.parent, *one, "--above=-1").stdout)["rows"]
    assert (first["n"], first["above"]) == (5, 1.0)
    selected = strict_json(
        wattbit(
            store.parent,
            "query",
            "a.zarr",
            "lole",
            "--select",
            "area=Tokyo,Kyushu",
            "configuration=five_hubs",
            "--json",
        ).stdout
    )
    assert [row["area"] for row in selected["rows"]] == ["Tokyo", "Kyushu"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["saving_fuel", "--where", "apn_adoptoin<0.4"], "'apn_adoptoin'; nearest known: 'apn_adoption'"),
        (["saving_fuel_c02"], "no parameter or outcome 'saving_fuel_c02'; nearest known: 'saving_fuel_co2'"),
        (["saving_fuel", "--where", "weather_year == 'fy2018'"], "is never 'fy2018' in this cube, it is 'fy2019' or"),
        (["saving_fuel", "--csv", "--json"], "--csv and --json: found both"),
        (["saving_fuel", "--quantile", "half"], "--quantile half: expected a share"),
        (["saving_fuel", "--select", "area"], "--select area: expected DIM=LABEL"),
        (["saving_fuel", "--by", "area"], "--by area"),
    ],
)
def test_bad_questions_end_with_a_message_and_code_2(store: Path, words: list[str], message: str) -> None:
    result = wattbit(store.parent, "query", "a.zarr", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("wattbit: ")
    assert message in result.stderr


def test_savings_against_another_reference_need_no_run(store: Path) -> None:
    line = ["query", "a.zarr", "saving_total", "--csv"]
    usual, other = wattbit(store.parent, *line).stdout, wattbit(store.parent, *line, "--reference", "five_hubs").stdout
    assert wattbit(store.parent, *line, "--reference", "tokyo_osaka").stdout == usual
    cost = storage.open_cube(store)["total_cost"]
    mean = float((cost.sel(configuration="five_hubs") - cost.sel(configuration="tokyo_osaka")).mean())
    [row] = [row for row in csv.DictReader(io.StringIO(other)) if row["configuration"] == "tokyo_osaka"]
    assert float(next(value for name, value in row.items() if name.startswith("mean"))) == pytest.approx(mean)
    refused = wattbit(store.parent, *line, "--reference", "five_hub")
    assert (refused.exit_code, "nearest known: 'five_hubs'" in refused.stderr) == (2, True)


def test_query_without_a_variable_lists_what_can_be_asked_for(store: Path) -> None:
    told = wattbit(store.parent, "query", "a.zarr")
    record = strict_json(wattbit(store.parent, "query", "a.zarr", "--json").stdout)
    assert told.exit_code == 0
    cube = storage.open_cube(store)
    assert {each["name"] for each in record["variables"]} == {*map(str, cube.data_vars)} - {"status"}
    for each in record["variables"]:
        assert each["meaning"]
        assert f"\n{each['name']} " in told.stdout
    assert record["labels"]["configuration"] == ["tokyo_osaka", "five_hubs"]
    assert "area: Hokkaido, Tohoku" in told.stdout
    refused = wattbit(store.parent, "query", "a.zarr", "--where", "apn_adoption < 0.4")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "VARIABLE is missing" in refused.stderr


def test_the_line_of_the_handbook_answers_as_csv(store: Path) -> None:
    least = float(storage.open_cube(store)["apn_adoption"].min())
    line = [
        "query",
        "a.zarr",
        "saving_fuel_co2",
        "--by",
        "configuration",
        "--quantile",
        ".05",
        ".5",
        ".95",
        "--csv",
        "--where",
    ]
    [headings, *rows] = csv.reader(io.StringIO(wattbit(store.parent, *line, f"apn_adoption<{least + 0.01}").stdout))
    assert [heading.split(" ")[0] for heading in headings[:7]] == [
        "configuration",
        "mean",
        "sd",
        "q0.05",
        "q0.5",
        "q0.95",
        "n",
    ]
    assert [row[0] for row in rows] == ["tokyo_osaka", "five_hubs"]
    refused = wattbit(store.parent, *line, f"apn_adoption<{least}")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"no draw of 5 meets --where 'apn_adoption<{least}': apn_adoption runs from {least:.4g} to" in refused.stderr


def test_an_outcome_that_no_draw_has_is_an_answer_and_says_so(store: Path) -> None:
    line = ["query", "a.zarr", "dc_demand", "--where", "total_cost < 0"]
    told = wattbit(store.parent, *line)
    assert (told.exit_code, "no draw of 5 meets" in told.stdout) == (0, True)
    table = wattbit(store.parent, *line, "--csv")
    assert table.exit_code == 0
    assert table.stderr.startswith("wattbit: no draw of 5 meets --where 'total_cost < 0' in these configurations")
    assert [row.split(",")[:2] for row in table.stdout.splitlines()[1:]] == [["tokyo_osaka", ""], ["five_hubs", ""]]


def test_query_of_what_is_no_cube(tmp_path: Path) -> None:
    result = wattbit(tmp_path, "query", "absent.zarr", "saving_fuel")
    assert result.exit_code == 2
    assert "is no cube: nothing is there" in result.stderr


def test_compact_and_what_a_compacted_cube_is_good_for(store: Path) -> None:
    before = files(store)
    done = wattbit(store.parent, "compact", "a.zarr")
    assert done.exit_code == 0
    assert "a.compact.zarr: 5 of 5 draws, every value checked" in done.stdout
    assert files(store) == before
    again = wattbit(store.parent, "compact", "a.zarr")
    assert (again.exit_code, "exists already" in again.stderr) == (2, True)
    for command in (["status"], ["report"], ["query"]):
        words = ["saving_total", "--json"] if command == ["query"] else ["--json"]
        results = [wattbit(store.parent, *command, name, *words) for name in ("a.zarr", "a.compact.zarr")]
        assert [result.exit_code for result in results] == [0, 0]
        old, new = (strict_json(result.stdout) for result in results)
        if command == ["report"]:
            for left, right in zip(old.pop("configurations"), new.pop("configurations"), strict=True):
                assert left.keys() == right.keys()
                assert [v for v in left.values() if isinstance(v, float)] == pytest.approx(
                    [v for v in right.values() if isinstance(v, float)]
                )
        if command == ["status"]:
            for record in (old, new):
                assert record["last_commit"].pop("age_seconds") >= 0  # goes on between the two
        assert old == new
    told = [wattbit(store.parent, "status", name).stdout for name in ("a.zarr", "a.compact.zarr")]
    assert ["compacted: " in text for text in told] == [False, True]
    refused = wattbit(store.parent, "run", "study.toml", "--serial", "--store", "a.compact.zarr")
    assert refused.exit_code == 2
    assert "is a compacted cube, for reading only" in refused.stderr
    assert (store.parent / "a.compact.html").is_file()


def test_an_unfinished_cube_is_compacted_as_far_as_it_is(tmp_path: Path, store: Path) -> None:
    write_study(tmp_path)
    assert wattbit(tmp_path, "run", "study.toml", "--serial", "--store", "a.zarr").exit_code == 0
    (tmp_path / "a.zarr" / "run" / "commits" / "000001.json").unlink()
    done = wattbit(tmp_path, "compact", "a.zarr", "--out", "deep/b.zarr")
    assert "3 of 5 draws" in done.stdout
    assert "2 draws are not run and are masked" in done.stdout
    rows = strict_json(wattbit(tmp_path, "query", "deep/b.zarr", "co2", "--json").stdout)["rows"]
    assert [(row["n"], row["not_run"], row["not_run_share"]) for row in rows] == [(3, 2, 0.4)] * 2


def test_the_compacted_cube_lies_beside() -> None:
    assert beside(Path("results/x.zarr")) == Path("results/x.compact.zarr")
    assert beside(Path("results/x")) == Path("results/x.compact.zarr")
