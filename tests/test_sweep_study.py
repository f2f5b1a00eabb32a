"""Test that a wrong study is refused before anything is written: file, key, value found, what was expected, nearest name."""

from __future__ import annotations

import tempfile
from contextlib import chdir
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from sweep.cli import main
from sweep.errors import StudyError
from sweep.study import read_study
from tests.sweep_cases import DRAWS, OWN_DESIGN, Edit, files, write_own_table, write_study

STUDIES = Path(__file__).parent.parent / "studies"


class Fault(NamedTuple):
    """A study with one fault: how it differs from the good one, what the refusal must say, and of which file."""

    says: tuple[str, ...]
    edits: tuple[Edit, ...] = ()
    more: str = ""
    table: tuple[str, ...] = ()  # own table: its name, the text replaced, the new text
    own: tuple[str, ...] = ()  # another file: its name and content
    file: str = "study.toml"


def free(more: str) -> Fault:
    return Fault((), (('"five_hubs"', '"north"'),), more)


def own(name: str, old: str, new: str, *says: str) -> Fault:
    key = name if name not in ("fy2019", "fy2024") else "hourly"
    value = f'"my_{name}.csv"' if key == name else f'{{ {name} = "my_{name}.csv" }}'
    return Fault(says, (), f"[inputs]\n{key} = {value}\n", (name, old, new), file=f"my_{name}.csv")


def uncertain(text: str, *says: str, name: str = "dc_demand") -> Fault:
    return Fault(says, (), f"[uncertain.{name}]\n{text}\n")


def fixed(text: str, *says: str) -> Fault:
    return Fault(says, (), f"[fixed]\n{text}\n")


def inputs(text: str, *says: str) -> Fault:
    return Fault(says, (), f"[inputs]\n{text}\n")


def edit(old: str, new: str, *says: str) -> Fault:
    return Fault(says, ((old, new),))


def futures(content: str, *says: str, more: str = "", file: str = "futures.csv") -> Fault:
    return Fault(says, (OWN_DESIGN,), more, own=("futures.csv", content), file=file)


def days(content: str, *says: str) -> Fault:
    return Fault(says, (), "", own=("days.csv", f"weather_year,day,weight\n{content}"), file="days.csv")


HUB = 'distribution = "uniform"\nmin = 8\nmax = 9'
FAULTS = {
    # unknown keys
    "key at the top": edit("batch = 2", "batch = 2\nbatchs = 3", "batchs", "one of name", "'batch'"),
    "key of design": edit("seed = 7", "seed = 7\nseeed = 3", "design", "seeed", "found 3", "kind, draws", "seed"),
    "key of days": edit(
        "[days]", "[days]\nnumbr = 3", "days.numbr", "one of number, method, futures, file, all", "'number'"
    ),
    "key of inputs": inputs('capacty = "x.csv"', "inputs.capacty", "one of areas, capacity", "'capacity'"),
    "key of free": free('[free.north]\narea = ["Tokyo"]')._replace(says=("free.north.area", "areas, tiers", "'areas'")),
    "key of uncertain": uncertain(
        HUB + "\nmodus = 8", "uncertain.dc_demand.modus", "found 8", "keys distribution", "min, max"
    ),
    "key of uncertain, misspelt": uncertain(
        'distribution = "triangular"\nmin = 5\nmod = 6\nmax = 8', "uncertain.dc_demand.mod", "found 6", "name: mode"
    ),
    # misspelt names
    "parameter of uncertain": uncertain(HUB, "'dc_demnd'", "an uncertain parameter", "'dc_demand'", name="dc_demnd"),
    "parameter of fixed": fixed("co2_prise = 5", "'co2_prise'", "an uncertain parameter", "'co2_price'"),
    "parameter of an area": fixed("solar_buildout_Hokaido = 2", "'solar_buildout_Hokkaido'"),
    "distribution": uncertain(
        'distribution = "triangle"', "dc_demand.distribution", "'triangle'", "uniform", "triangular"
    ),
    "configuration": edit('"five_hubs"', '"five_hub"', "configurations", "'five_hub'", "one of", "'five_hubs'"),
    "reference": edit("batch", 'reference = "tokio_osaka"\nbatch', "reference", "'tokio_osaka'", "'tokyo_osaka'"),
    "area of free": free('[free.north]\nareas = ["Tokio"]')._replace(says=("free.north", "'Tokio'", "'Tokyo'")),
    "area of free, not used": Fault(("free.north", "'Tokio'", "'Tokyo'"), (), '[free.north]\nareas = ["Tokio"]'),
    "tier of free": free('[free.north]\ntiers = ["hubb"]')._replace(says=("free.north", "tiers", "'hubb'", "'hub'")),
    "scalar": inputs("scalars = { vol = 3 }", "scalars", "'vol'", "one of crf", "'voll'"),
    "exchange": inputs('exchanges = ["Tokyoo"]', "exchanges", "'Tokyoo'", "'Tokyo'"),
    "design": edit('"sobol"', '"sobl"', "design.kind", "'sobl'", "monte_carlo", "sobol"),
    "design without its key": edit(
        f'"sobol"\ndraws = {DRAWS}', '"saltelli"', "design", "points", "base points, or of draws"
    ),
    "draws that no design has": edit('"sobol"', '"morris"', "design.draws", "found 5", "a multiple of 20, such as 20"),
    "key of another design": edit(
        "seed = 7", "seed = 7\nlevels = 3", "design", "levels", "found 3", "no levels with kind"
    ),
    "key of dependence": Fault(
        ("dependence", "rank_corelation", "nearest known name: rank_correlation"),
        (),
        '[dependence]\nrank_corelation = [["dc_demand", "co2_price", 0.5]]',
    ),
    "parameter of dependence": Fault(
        ("dependence.rank_correlation", "'co2_prise'", "an uncertain parameter", "co2_price"),
        (),
        '[dependence]\nrank_correlation = [["dc_demand", "co2_prise", 0.5]]',
    ),
    "correlations that cannot be": Fault(
        ("dependence.rank_correlation", "least eigenvalue", "the nearest that can: rank_correlation = [["),
        (),
        '[dependence]\nrank_correlation = [["dc_demand", "co2_price", 0.9], ["dc_demand", "pue_gap", 0.9], '
        '["co2_price", "pue_gap", -0.9]]',
    ),
    "parameter of a scenario": Fault(
        ("[scenario.high]", "'co2_prise'", "an uncertain parameter", "'co2_price'"),
        (),
        "[scenario.high]\nco2_prise = 9\n",
    ),
    "impossible scenario": Fault(
        ("apn_adoption[draw 1]", "found 3", "0..1 share"), (), "[scenario.a]\n[scenario.b]\napn_adoption = 3\n"
    ),
    "driver that no cube can name": Fault(
        ("[driver.NAME]", "letters, digits", "'a/b'"),
        (),
        '[driver."a/b"]\ndistribution = "uniform"\nmin = 0\nmax = 1\n',
    ),
    "driver with the name of an outcome": Fault(
        ("a driver with a name of its own, found status",),
        (),
        '[driver.status]\ndistribution = "uniform"\nmin = 0\nmax = 1\n',
    ),
    "more draws than any sweep holds": Fault(
        ("design.draws", "10000000000", "10000000"),
        (("draws = 5", "draws = 10000000000"),),
    ),
    "driver that is a parameter": Fault(
        ("[driver]", "'co2_price'", "no parameter of the model"),
        (),
        '[driver.co2_price]\ndistribution = "fixed"\nvalue = 1\n',
    ),
    "condition on nothing": uncertain(
        'distribution = "uniform"\nmin = 8\nmax = { by = "polcy", values = { a = 9 } }',
        "dc_demand.max",
        "'polcy'",
        "to follow",
    ),
    "table of values": uncertain(
        'distribution = "empirical"\nfile = "futures.csv"\ncolumn = "demand"',
        "uncertain.dc_demand.file",
        "existing CSV",
    ),
    "siting": edit("batch", 'siting = "tier"\nbatch', "siting", "'tier'", "'tiers' or 'simple'"),
    # types
    "text for a batch": edit("batch = 2", 'batch = "2"', "batch", "'2'", "integer"),
    "text for configurations": edit('["tokyo_osaka", "five_hubs"]', '"five_hubs"', "configurations", "'five_hubs'"),
    "text for draws": edit(f"draws = {DRAWS}", 'draws = "5"', "design.draws", "'5'", "integer"),
    "text for a number of days": edit('file = "days.csv"', 'number = "2"', "days.number", "'2'", "integer"),
    "text for a scalar": inputs('scalars = { voll = "3000" }', "inputs.scalars.voll", "'3000'", "number"),
    "text for a bound": uncertain(HUB.replace("8", '"8"'), "uncertain.dc_demand.min", "'8'", "number"),
    "text for a fixed number": fixed('apn_adoption = "half"', "fixed.apn_adoption", "'half'", "a finite number"),
    "truth for a fixed number": fixed("dc_demand = true", "fixed.dc_demand", "True", "number"),
    "number for a fixed text": fixed("weather_year = 2024", "fixed.weather_year", "2024", "a text"),
    "number for a name": edit('"small"', "5", "name", "found 5", "string"),
    # ranges
    "no batch": edit("batch = 2", "batch = 0", "batch", "found 0", "greater than or equal to 1"),
    "no draws": edit(f"draws = {DRAWS}", "draws = 0", "design.draws", "found 0", "greater than or equal to 1"),
    "no days": edit('file = "days.csv"', "number = 0", "days.number", "found 0", "greater than or equal to 1"),
    "more days than a year": edit('file = "days.csv"', "number = 366", "days.number", "found 366", "365"),
    "range upside down": uncertain(HUB.replace("9", "5"), "uncertain.dc_demand.min", "found 8", "below max=5"),
    "mode outside": uncertain(
        'distribution = "triangular"\nmin = 5\nmode = 4\nmax = 8', "dc_demand.mode", "found 4", "min=5 to max=8"
    ),
    "impossible draws": uncertain(HUB, "apn_adoption", "draw 0", "0..1 share", name="apn_adoption"),
    "impossible fixed share": fixed("apn_adoption = 1.5", "apn_adoption", "found 1.5", "a number in 0..1 share"),
    "fixed not a number": fixed(
        "dc_demand = nan", "fixed.dc_demand: found nan, expected a finite number or a valid string\n"
    ),
    "half a switch": fixed("japan_sea_hvdc = 0.5", "japan_sea_hvdc", "found 0.5", "0 or 1"),
    "weather year": fixed('weather_year = "fy2020"', "weather_year", "'fy2020'", "one of fy2019, fy2024", "did you"),
    "scalar out of range": inputs("scalars = { load_factor = 1.5 }", "load_factor", "found 1.5", "..1"),
    "name that is a path": edit('"small"', '"a/b"', "name", "'a/b'", "letters, digits"),
    # contradictions and gaps
    "uncertain and fixed": Fault(
        ("[uncertain] or [fixed]", "both for dc_demand"), (), f"[uncertain.dc_demand]\n{HUB}\n[fixed]\ndc_demand = 8"
    ),
    "configuration twice": edit('"five_hubs"', '"tokyo_osaka"', "each configuration once", "tokyo_osaka twice"),
    "free reference": Fault(
        ("reference", "'optimal'", "fixed shares"),
        (("batch", 'reference = "optimal"\nbatch'), ('"five_hubs"', '"optimal"')),
    ),
    "name both fixed and free": Fault(("free", "'five_hubs'"), (), '[free.five_hubs]\nareas = ["Tokyo"]'),
    "no kind of days": edit('file = "days.csv"', "", "days", "exactly one of number, file or all", "found none"),
    "method of a file of days": edit(
        "[days]", '[days]\nmethod = "clusters"', "days", "method goes with number", "file"
    ),
    "unknown method": edit('file = "days.csv"', 'number = 2\nmethod = "luck"', "days.method", "'luck'", "clusters"),
    "no futures": edit('file = "days.csv"', "number = 2\nfutures = 1", "days.futures", "found 1", "equal to 2"),
    "two kinds of days": edit("[days]", "[days]\nnumber = 2", "days", "exactly one", "number", "file"),
    "no seed": edit("seed = 7", "", "design", "seed", "found nothing", "a seed, 0 or more"),
    "no name": edit('name = "small"', "", "name", "found nothing", "expected a value"),
    "bound missing": uncertain('distribution = "uniform"\nmin = 8', "uncertain.dc_demand.max", "nothing", "a value"),
    # tables
    "shares": own("configurations", "osaka,Kansai,any,0.35", "osaka,Kansai,any,0.3", "tokyo_osaka", "0.95", "sum to 1"),
    "area of shares": own("configurations", "Kansai,any", "Kanzai,any", "area[", "'Kanzai'", "'Kansai'"),
    "tier of shares": own("configurations", "Tokyo,hub", "Tokyo,hubs", "tier[", "'hubs'", "'hub'"),
    "share over 1": own("configurations", "any,0.65", "any,1.65", "share[tokyo_osaka/Tokyo/any]", "'1.65'", "0..1"),
    "column missing": own("areas", "grid_headroom_GW", "headroom", "'grid_headroom_GW'", "a column named", "pue"),
    "no number": own("areas", "Sapporo,5.04", "Sapporo,five", "population_m[Hokkaido]", "'five'", "a number"),
    "tier bounds": own("tiers", "hub,0.5,15.0", "hub,15.5,15.0", "hub", "15.5", "15.0", "size_min_GW <= size_max_GW"),
    "classes": own("workloads", "realtime,0.1", "realtime,0.2", "share", "1.1", "sum to 1"),
    "technology": own("fuels", "\ncoal", "\ncole", "technology[cole]", "'cole'", "'coal'"),
    "line end": own("interconnectors", "Hokkaido", "Hokaido", "'Hokaido'", "'Hokkaido'"),
    "parameter of the table": own("uncertainty", "apn_adoption", "apn_adopton", "'apn_adopton'", "'apn_adoption'"),
    "range of the table": own("uncertainty", "min=5;", "min=19;", "row 2", "dc_demand.min", "19", "below max=18"),
    "hour missing": own(
        "fy2024", "\n2024-06-09T05:00+09:00,Chubu", "\n2024-06-09T05:01+09:00,Chubu", "2024-06-09T05:0", "Chubu", "8760"
    ),
    "capacity factor": own(
        "fy2024",
        "2024-04-01T00:00+09:00,Hokkaido,3.019,0.0",
        "2024-04-01T00:00+09:00,Hokkaido,3.019,1.2",
        "solar_cf",
        "1.2",
        "0..1",
    ),
    "no such table": inputs('areas = "mine.csv"', "mine.csv", "nothing", "a CSV file")._replace(file="mine.csv"),
    "table in another encoding": Fault(
        (), (), '[inputs]\nuncertainty = "mine.csv"', own=("mine.csv", "\udc93\n"), file="mine.csv"
    ),
    "empty hourly table": Fault(
        (), (), '[inputs]\nhourly = { fy2024 = "mine.csv" }', own=("mine.csv", ""), file="mine.csv"
    ),
    # files of draws and days
    "shares of a draw": futures(
        "wls_time_share,wls_space_share\n0.2,0.2\n0.6,0.5\n", "draw 1", "1.1", "at most 1", file="study.toml"
    ),
    "column of draws": futures("dc_demnd\n10\n", "'dc_demnd'", "uncertain parameters", "dc_demand"),
    "cell of draws": futures("dc_demand\nten\n", "row 2, column dc_demand", "'ten'", "a finite number"),
    "choice of draws": futures("weather_year\nfy2042\n", "row 2", "'fy2042'", "one of fy2019, fy2024", "fy2024"),
    "column and fixed": futures("dc_demand\n10\n", "fixed.dc_demand", "8", "column", more="[fixed]\ndc_demand = 8"),
    "weights of days": days("fy2019,1,365\nfy2024,1,364\n", "weight[fy2024]", "364", "sum to 365"),
    "year without days": days("fy2024,1,365\n", "weather_year", "fy2024", "days of fy2019"),
    "day past the year": days("fy2019,1,365\nfy2024,365,365\n", "day[fy2024/365]", "'365'", "0..364"),
    "no TOML": edit('name = "small"', "name = ", "no valid TOML", "line 1"),
}


class Refusal(NamedTuple):
    exit_code: int
    stdout: str
    stderr: str
    changed: set[str]
    crash: BaseException | None


@cache
def refusal(name: str) -> Refusal:
    """Run a faulty study in a folder of its own."""
    fault = FAULTS[name]
    with tempfile.TemporaryDirectory() as directory, chdir(directory):
        folder = Path(directory)
        write_study(folder, *fault.edits, more=fault.more)
        if fault.table:
            table, old, new = fault.table
            write_own_table(folder, table, (old, new))
        if fault.own:
            file, content = fault.own
            (folder / file).write_text(content, errors="surrogateescape")
        before = files(folder)
        result = CliRunner().invoke(main, ["run", "study.toml", "--serial"])
        after = files(folder)
        crash = None if isinstance(result.exception, SystemExit) else result.exception
        changed = {file for file in before | after if before.get(file) != after.get(file)}
        return Refusal(result.exit_code, result.stdout, result.stderr, changed, crash)


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_refused_with_key_found_expected_and_nearest_and_writes_nothing(name: str) -> None:
    found = refusal(name)
    assert found.crash is None
    assert (found.exit_code, found.stdout, found.changed) == (2, "", set())
    assert found.stderr.startswith("wattbit: ")
    assert [text for text in FAULTS[name].says if text not in found.stderr] == [], found.stderr


@pytest.mark.parametrize("name", FAULTS)
def test_refusal_names_the_file(name: str) -> None:
    assert FAULTS[name].file in refusal(name).stderr


@pytest.mark.parametrize("command", ["run", "plan", "check", "solve"])
def test_every_command_refuses(command: str, tmp_path: Path) -> None:
    study = write_study(tmp_path, ("batch = 2", "batchs = 2"))
    before = files(tmp_path)
    with chdir(tmp_path):
        result = CliRunner().invoke(main, [command, study.name])
        absent = CliRunner().invoke(main, [command, "absent.toml"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "batchs: unknown key" in result.stderr
    assert (absent.exit_code, absent.stdout) == (2, "")
    assert "absent.toml: found nothing, expected a study file" in absent.stderr
    assert files(tmp_path) == before


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    study = write_study(tmp_path, ("batch = 2", "batch = 0\nbatchs = 3"), ("[days]", "[days]\nfiles = 3"))
    with pytest.raises(StudyError) as caught:
        read_study(study)
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("study.toml: ") for line in lines)
    assert {line.split(": ")[1] for line in lines} == {"batch", "batchs", "days.files"}


def test_folder_and_text_in_another_encoding_are_no_study(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="found a folder, expected a study file"):
        read_study(tmp_path)
    (tmp_path / "study.toml").write_bytes("name = '電力'".encode("shift-jis"))
    with pytest.raises(StudyError, match=r"study\.toml: no valid TOML"):
        read_study(tmp_path / "study.toml")


def test_study_reads_as_written_and_cannot_be_changed(tmp_path: Path) -> None:
    study = read_study(write_study(tmp_path, more="[fixed]\ndc_demand = 8\nweather_year = 'fy2019'\n"))
    assert (study.name, study.reference, study.siting, study.batch) == ("small", "tokyo_osaka", "tiers", 2)
    assert study.configurations == ("tokyo_osaka", "five_hubs")
    assert study.fixed == {"dc_demand": 8.0, "weather_year": "fy2019"}
    assert read_study(tmp_path / "study.toml", draws=3).design.draws == 3
    with pytest.raises(ValidationError, match="frozen"):
        study.batch = 3  # type: ignore[misc]


@pytest.mark.parametrize(
    "path", sorted({*STUDIES.glob("*.toml")} - {STUDIES / "beliefs.toml"}), ids=lambda path: path.stem
)
def test_shipped_studies_read(path: Path) -> None:
    assert read_study(path).name == path.stem
