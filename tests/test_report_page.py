"""Check text, figures and page of the report on a made-up cube of realistic size."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import xarray as xr

import report
from report.drivers import drivers_figure
from report.figures import DOTS
from report.page import provenance_rows, published_saving
from report.words import FREE_MARK

NAMED = ["tokyo_osaka", "today", "four_hubs", "five_hubs", "watt_bit_2040", "ten_areas"]
NAMES = [*NAMED, "optimal"]
AREAS = ["Hokkaido", "Tohoku", "Tokyo", "Chubu", "Hokuriku", "Kansai", "Chugoku", "Shikoku", "Kyushu", "Okinawa"]
TECHNOLOGIES = ["coal", "solar", "wind_onshore", "wind_offshore"]


def made_up_cube(draws: int = 64, seed: int = 2040) -> xr.Dataset:
    """Make up savings of tens to 200 billion yen a year, with some failed and some missing pairs."""
    rng = np.random.default_rng(seed)
    names, dims = len(NAMES), ("draw", "configuration")
    level = np.array([0.0, 14.0, 78.0, 98.0, 112.0, 60.0, 128.0])
    saving = level * rng.gamma(4.0, 0.25, (draws, 1)) + np.where(level > 0, rng.normal(0, 9, (draws, names)), 0)
    siting = np.array([0.0, -20.0, -95.0, -115.0, -104.0, -150.0, -135.0]) * rng.normal(1, 0.3, (draws, 1))
    saving_total = saving - siting + np.where(level > 0, rng.normal(0, 12, (draws, names)), 0)
    total = 9000.0 - saving_total
    regret = total - total[:, :-1].min(axis=1, keepdims=True)
    regret[:, -1] = -rng.gamma(3.0, 12.0, draws)
    by_area = np.array([6.0, 4.5, 0.3, 0.4, 0.05, 0.1, 0.5, 0.4, 3.2, 0.0])
    relief = 1 - level / 300
    curtailment = np.full((draws, names, len(AREAS), len(TECHNOLOGIES)), np.nan)  # coal stays NaN
    for column, part in ((1, 0.5), (2, 0.2), (3, 0.3)):
        curtailment[..., column] = (
            part * by_area * relief[:, None] * rng.gamma(5.0, 0.2, (draws, 1, 1)) * np.ones((draws, names, 1))
        )
    status = np.ones((draws, names), dtype=np.int8)
    status[5, 4], status[6, 6], status[-2:, :] = 4, 5, 0
    provenance = {
        "seed": seed,
        "days": {"number": 24, "method": "hierarchical, extreme day kept"},
        "versions": {"highspy": "1.15.1", "numpy": "2.4.6"},
        "inputs": {"areas.csv": "9f2c" * 16, "capacity_2040.csv": "77ab" * 16},
    }
    return xr.Dataset(
        {
            "status": (dims, status),
            "saving_fuel_co2": (dims, saving),
            "saving_total": (dims, saving_total),
            "regret_total": (dims, regret),
            "latency_unserved": (dims, np.tile([0.09, 0.08, 0.05, 0.05, 0.03, 0.02, 0.03], (draws, 1))),
            "curtailment": ((*dims, "area", "technology"), curtailment),
        },
        coords={
            "draw": np.arange(draws),
            "configuration": NAMES,
            "area": AREAS,
            "technology": TECHNOLOGIES,
            "replicate": ("draw", np.zeros(draws, dtype=np.int64)),
        },
        attrs={
            "title": "Where should Japan's data centres stand in 2040?",
            "study_name": "japan2040",
            "reference": "tokyo_osaka",
            "free_configurations": ["optimal"],
            "design_kind": "sobol",
            "provenance": json.dumps(provenance),
        },
    )


@pytest.fixture(scope="module")
def cube():
    return made_up_cube()


@pytest.fixture(scope="module")
def page(cube):
    return report.render_report(cube, command="wattbit report results/japan2040.zarr")


class _Links(HTMLParser):
    """Collect ids, links to the outside and the text of cells."""

    def __init__(self):
        super().__init__()
        self.ids, self.outside, self.open = [], [], []

    def handle_starttag(self, tag, attrs):
        for key, value in attrs:
            if key == "id":
                self.ids.append(value)
            if key in {"src", "href", "xlink:href", "data", "action"} and not value.startswith("#"):
                self.outside.append((tag, value))
        if tag not in {"meta", "br", "link", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_page_is_well_formed_and_stands_alone(page):
    parser = _Links()
    parser.feed(page)
    assert parser.open == []
    assert parser.outside == []
    assert len(parser.ids) == len(set(parser.ids))
    assert "<script" not in page
    assert "@import" not in page
    assert set(re.findall(r"url\(([^)]*)\)", page)) <= {f"#{each}" for each in parser.ids}
    assert '<html lang="en">' in page


def test_page_shows_table_words_provenance_and_credits(page, cube):
    table = report.robustness_table(cube)
    assert report.summary(table) in page
    for name in NAMES:
        assert f'<th scope="row">{name}' in page
    assert "−36.3" not in report.table_text(table)  # the terminal gets plain minus signs
    assert page.count("<svg") == 3
    assert "days / number" in page
    assert "9f2c" * 16 in page
    assert "wattbit report results/japan2040.zarr" in page
    assert "エリア需給実績" in page
    assert "Mitsubishi Research Institute" in page


def test_page_shows_what_drives_the_saving_or_why_nothing_is_told(cube):
    demand = np.linspace(5, 18, cube.sizes["draw"])
    driven = cube.assign(dc_demand=("draw", demand), co2_price=("draw", np.random.default_rng(1).random(demand.size)))
    figure, caption = drivers_figure(driven)
    assert figure.axes[0].get_title(loc="left") == "five_hubs"
    assert len(figure.axes) == len(NAMES) - 1
    assert "share of the variance that the parameter drives alone" in caption
    assert "dashed line" in caption
    whole = report.render_report(driven, command=None)
    assert whole.count("<svg") == 4
    assert "Which uncertainty drives the saving" in whole
    few = drivers_figure(driven.isel(draw=slice(0, 20)))
    assert few[0] is None
    assert "40 or more are needed" in few[1]
    assert drivers_figure(cube) == (None, "")


def test_page_does_not_depend_on_the_clock_or_on_earlier_figures(page, cube):
    assert report.render_report(cube, command="wattbit report results/japan2040.zarr") == page


def test_page_escapes_what_it_is_given(cube):
    text = report.render_report(cube.assign_attrs(title="<b>2040 & later</b>"), command=None)
    assert "&lt;b&gt;2040 &amp; later&lt;/b&gt;" in text
    assert "<b>2040" not in text
    assert "<dt>command</dt>" not in text


def test_write_report_makes_folders_and_replaces(tmp_path, cube, page):
    out = tmp_path / "new" / "report.html"
    for _ in range(2):
        assert report.write_report(cube, out, command="wattbit report results/japan2040.zarr") == out
    assert out.read_text(encoding="utf-8") == page


def test_published_figure_only_beside_what_it_was_published_for(cube, page):
    assert published_saving(cube) == 65.0
    assert published_saving(cube.assign_attrs(reference="today")) is None
    assert published_saving(cube.drop_sel(configuration="five_hubs")) is None
    assert "The dashed line" in page
    assert "The dashed line" not in report.render_report(cube.assign_attrs(reference="today"), command=None)


def test_provenance_is_optional_but_must_be_a_json_object(cube):
    assert ("seed", "2040") in provenance_rows(cube)
    del (bare := cube.copy()).attrs["provenance"]
    assert provenance_rows(bare) == [
        ("study", "japan2040"),
        ("reference", "tokyo_osaka"),
        ("design", "sobol"),
        ("draws", "64"),
        ("replicates", "1"),
    ]
    for broken in ("{", "[1]"):
        with pytest.raises(report.CubeContentError, match=r"'provenance' is .*expected a JSON object"):
            provenance_rows(cube.assign_attrs(provenance=broken))


def test_text_has_one_line_per_configuration_and_never_cuts_a_number(cube):
    table = report.robustness_table(cube)
    wide, narrow = report.table_text(table, width=120), report.table_text(table, width=40)
    numbers = wide.splitlines()[: wide.splitlines().index("Draws by state, 64 in all:")]
    rows = {line.split()[0]: line for line in numbers if line.split() and line.split()[0] in NAMES}
    assert list(rows) == NAMES
    assert "…" not in wide + narrow
    assert "\x1b" not in wide
    assert all(len(line) <= 120 for line in wide.splitlines())
    assert all(line == line.rstrip() for line in wide.splitlines())
    assert f"{float(table['saving_mean'].sel(configuration='five_hubs')):.1f}" in rows["five_hubs"].split()
    assert rows["optimal"].split()[1] == FREE_MARK
    assert any(line.startswith(FREE_MARK) for line in wide.splitlines())


def test_record_is_strict_json_with_null_for_missing(cube):
    record = json.loads(json.dumps(report.table_record(report.robustness_table(cube)), allow_nan=False))
    rows = {row["configuration"]: row for row in record["configurations"]}
    assert list(rows) == NAMES
    assert rows["tokyo_osaka"]["saving_share"] is None
    assert rows["five_hubs"]["saving_half_width"] is None
    assert rows["watt_bit_2040"]["draws_failed"] == 1
    assert record["units"]["saving_mean"] == "billion yen per year"
    assert record["reference"] == "tokyo_osaka"


@pytest.mark.parametrize("draw_figure", [report.saving_figure, report.regret_figure, report.curtailment_figure])
def test_figures_are_equal_bit_for_bit_and_take_empty_configurations(cube, draw_figure):
    emptied = cube.copy(deep=True)
    emptied["status"].loc[{"configuration": ["five_hubs"]}] = 2
    nothing = cube.assign(status=cube["status"] * 0)
    for each in (cube, emptied, nothing):
        svg = report.to_svg(draw_figure(each))
        assert svg.startswith("<svg")
        assert svg == report.to_svg(draw_figure(each))
        assert "date" not in svg.lower()


def test_saving_figure_orders_by_median_and_marks_the_published_value(cube):
    figure = report.saving_figure(cube, published=65.0)
    axes = figure.axes[0]
    labels = [label.get_text() for label in axes.get_yticklabels()]
    medians = report.robustness_table(cube)["saving_median"]
    values = [float(medians.sel(configuration=label.split()[0])) for label in labels]
    assert values == sorted(values)
    assert "tokyo_osaka" not in labels
    assert axes.get_xlabel() == "saving in fuel and CO2 cost against tokyo_osaka [billion yen per year]"
    assert [text.get_text() for text in axes.texts if "published" in text.get_text()] == [
        "published single-future figure (five areas): 65"
    ]
    assert not [text for text in report.saving_figure(cube).axes[0].texts if "published" in text.get_text()]


def test_dots_stay_in_their_row_on_the_right_side_of_zero():
    cube = made_up_cube(300)
    cube["saving_fuel_co2"] -= 60
    axes = report.saving_figure(cube).axes[0]
    low, high = axes.get_xlim()
    for row, name in enumerate(label.get_text().split()[0] for label in axes.get_yticklabels()):
        x, y = np.asarray(axes.collections[row].get_offsets()).T
        saving = cube["saving_fuel_co2"].sel(configuration=name).where(cube["status"].sel(configuration=name) == 1)
        assert x.size == DOTS
        assert np.all((x > low) & (x < high) & (y > row) & (y < row + 0.75))
        assert np.mean(x < 0) == pytest.approx(float((saving.dropna("draw") < 0).mean()), abs=1 / DOTS)


def test_regret_lines_end_at_the_maximum_regret():
    cube = made_up_cube(300)
    largest = report.robustness_table(cube)["regret_max"]
    lines = {line.get_label().split()[0]: line for line in report.regret_figure(cube).axes[0].lines}
    for name in NAMES:
        assert lines[name].get_xdata()[-1] == pytest.approx(float(largest.sel(configuration=name)))
        assert lines[name].get_ydata()[[0, -1]].tolist() == [0, 1]


def test_png_is_written(tmp_path, cube):
    report.to_png(report.curtailment_figure(cube), tmp_path / "curtailment.png")
    assert (tmp_path / "curtailment.png").read_bytes().startswith(b"\x89PNG")


def test_a_cube_without_any_finished_draw_still_makes_a_page(cube):
    nothing = cube.assign(status=cube["status"] * 0)
    table = report.robustness_table(nothing)
    assert report.summary(table).startswith("No draw has finished yet, out of 64")
    texts = [text.get_text() for text in report.saving_figure(nothing).axes[0].texts]
    assert texts == ["no finished draw"] * (len(NAMES) - 1)
    assert report.summary(table) in report.render_report(nothing, command=None)
