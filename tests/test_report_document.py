"""The report for a proposal is whole in two languages, stands alone, and refuses what it cannot do."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest
import xarray as xr

from report import CubeContentError, PageError
from report.document import Document, Wanted, build, write_document
from report.document.fonts import embedded
from report.document.language import Words, number
from report.document.material import Material
from report.document.page import drawn, shade
from report.document.signposts import said
from tests.browser import browse
from tests.report_cases import decided, marked_cube, small_cube, told
from tests.sweep_cases import wattbit

SMALL = 64


@pytest.fixture(scope="module")
def cube() -> xr.Dataset:
    return marked_cube()


@pytest.fixture(scope="module")
def japanese(cube: xr.Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Document, Path, list[Path]]:
    document = build(cube, Wanted("ja", command="wattbit report x --lang ja"), [decided(cube)])
    folder = tmp_path_factory.mktemp("report") / "new"
    return document, folder, write_document(document, folder)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if key == "id":
                self.ids.append(str(value))
            if key in {"src", "href", "xlink:href", "data", "action"} and not str(value).startswith(
                ("#", "data:image/")
            ):
                self.outside.append(str(value))


def test_the_folder_has_page_pdf_figures_and_tables(japanese: tuple[Document, Path, list[Path]]) -> None:
    document, folder, written = japanese
    names = {str(path.relative_to(folder)) for path in written}
    assert {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()} == {Path(name) for name in names}
    assert {f"figures/{chart.name}.{end}" for chart in document.charts for end in ("svg", "png")} < names
    assert {f"tables/{table.name}.csv" for table in document.tables} < names
    assert len(document.charts) == 18
    assert (folder / "report.pdf").read_bytes().startswith(b"%PDF")
    assert b"IPAexGothic" in (folder / "report.pdf").read_bytes()
    for path in written:
        if path.suffix == ".svg":
            assert "<text" not in path.read_text(encoding="utf-8")  # letters are paths and need no font
    page = (folder / "report.html").read_text(encoding="utf-8")
    parser = _Page()
    parser.feed(page)
    assert parser.outside == []
    assert len(parser.ids) == len(set(parser.ids))
    assert '<html lang="ja">' in page
    assert "億円" in page
    assert "国土数値情報（行政区域データ, N03 2021）（国土交通省）を加工して作成" in page
    assert "wattbit report x --lang ja" in page
    assert "font/woff;base64," in page


@pytest.mark.slow
def test_the_page_opens_without_errors_or_requests(japanese: tuple[Document, Path, list[Path]], tmp_path: Path) -> None:
    document, folder, _ = japanese
    seen = browse(folder / "report.html", tmp_path)
    assert seen.errors == []
    assert seen.asked == []
    assert seen.dom.count("<svg") == len(document.charts)
    for sentence in document.sections[0].sentences:
        assert escape(sentence.text, quote=False) in seen.dom
    for table in document.tables:
        shown = seen.dom.split(f'<table id="table-{table.name}">')[1].split("</table>")[0]
        cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", shown.split("<tbody>")[1], re.DOTALL)
        assert cells == [escape(cell.text, quote=False) for row in table.cells for cell in row], table.name


def test_tables_hold_the_numbers_themselves(cube: xr.Dataset, japanese: tuple[Document, Path, list[Path]]) -> None:
    _, folder, _ = japanese
    with (folder / "tables" / "savings.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.reader(stream))[1:]
    row = next(each for each in rows if each[:2] == ["saving_total", "five_hubs"])
    values = cube["saving_total"].sel(configuration="five_hubs").to_numpy()
    assert float(row[2]) == pytest.approx(values.mean())
    assert row[3] == ""  # one Sobol randomisation has no honest interval: missing, not zero
    assert int(row[-2]) == SMALL
    with (folder / "tables" / "marks.csv").open(encoding="utf-8", newline="") as stream:
        marks = {each[0]: each[1:] for each in csv.reader(stream)}
    assert float(marks["five_hubs"][2]) == 1 / SMALL
    assert marks["north"][0] == "1"


def test_a_name_never_ranks_without_its_marks(japanese: tuple[Document, Path, list[Path]]) -> None:
    document, _, _ = japanese
    heads = next(table for table in document.tables if table.name == "scorecard_total_cost").columns
    assert list(heads[1:]) == ["東京・大阪集中", "north [F]", "5拠点 [L]", "最適（将来ごと） [*]"]
    assert "5拠点 [L]" in told(document, "first_page")[0]


def test_numbers_and_money_in_words() -> None:
    assert Words("ja").money(19.18) == "192億円"
    assert Words("en").money(19.18) == "19.2 billion yen"
    assert number(float("nan")) == "–"
    assert said("saving_fuel_co2<65", Words("ja")) == "燃料・CO2対策費用の節約額が年650億円未満"
    assert said("lole[Tokyo] > 2", Words("ja")) == "lole[Tokyo] > 2"
    assert shade(0.0) != shade(1.0) != shade(0.5) == "#ffffff"
    assert shade(None) == ""


def test_a_subset_of_the_font_is_small() -> None:
    assert 500 < len(embedded("億円と将来")) < 20_000


def test_what_cannot_be_written_is_said(japanese: tuple[Document, Path, list[Path]], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PageError, match="cannot be written"):
        write_document(japanese[0], tmp_path / "file" / "report")


def test_wishes_that_name_something_unknown_are_refused(cube: xr.Dataset) -> None:
    with pytest.raises(CubeContentError, match=r"--configuration nord.*'north'"):
        build(cube, Wanted("en", configuration="nord"))
    with pytest.raises(CubeContentError, match=r"--map dc_demandd.*'dc_demand'"):
        build(cube, Wanted("en", axes=("dc_demandd", "co2_price")))
    with pytest.raises(CubeContentError, match="nothing to compare yet"):
        build(cube.assign(status=cube["status"] * 0), Wanted("en"))


def test_cubes_that_lack_much_still_make_a_document() -> None:
    only = small_cube(16).sel(configuration=["tokyo_osaka"]).assign_attrs(free_configurations=[])
    assert "It is the reference itself" in told(build(only, Wanted("en")), "first_page")[0]
    failed = small_cube(2)
    failed["status"][:, 1] = 2
    document = build(failed, Wanted("en"))
    drawn_twice = [
        drawn(replace(each, sections=each.sections[1:3])) for each in (document, build(failed, Wanted("en")))
    ]
    assert drawn_twice[0] == drawn_twice[1]  # equal cubes make equal figures
    assert document.material.futures.rivals == ["tokyo_osaka", "five_hubs"]
    assert "2 solves failed" in told(document, "first_page")[0]
    marks = next(table for table in document.tables if table.name == "marks")
    assert [row[0].text for row in marks.cells if row[1].value == 2] == ["north [F]"]
    failed["status"][:, 0] = 2
    with pytest.raises(CubeContentError, match="no draw of the reference tokyo_osaka has finished"):
        build(failed, Wanted("en"))


def test_wishes_of_the_full_report_need_a_language(tmp_path: Path) -> None:
    found = wattbit(tmp_path, "report", "x.zarr", "--threshold", "saving_fuel_co2<65")
    assert found.exit_code == 2
    assert "expected --lang ja or --lang en" in found.output
    found = wattbit(tmp_path, "report", "x.zarr", "--lang", "ja", "--out", "x.html")
    assert found.exit_code == 2
    assert "expected a folder" in found.output


def test_one_uncertainty_makes_no_map(cube: xr.Dataset) -> None:
    with pytest.raises(CubeContentError, match=r"--map: found dc_demand twice, expected two"):
        Material(cube, Wanted(axes=("dc_demand", "dc_demand")))
