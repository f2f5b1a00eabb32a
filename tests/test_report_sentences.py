"""Every sentence of the report for a proposal says what the cube says."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import xarray as xr

from report.document import Document, Wanted, build
from report.document.by_scenario import savings_by_scenario
from report.document.decided import Point, comparable, efficient, in_order, named_points
from report.document.doubts import doubts, headlines
from report.document.first_page import first_page
from report.document.language import Words, number
from report.document.margins import margins
from report.document.material import Material
from report.document.odds import break_even_odds
from report.document.robust import robust, verdict
from tests.report_cases import decided, marked_cube, small_cube, told

SMALL = 64


@pytest.fixture(scope="module")
def cube() -> xr.Dataset:
    return marked_cube()


@pytest.fixture(scope="module")
def english(cube: xr.Dataset) -> Document:
    wanted = Wanted("en", threshold="saving_fuel_co2 < 20", configuration="north")
    return build(cube, wanted, [decided(cube, "cvar:0.9", near=False), decided(cube)])


def test_every_number_of_the_first_page_is_that_of_the_cube(cube: xr.Dataset, english: Document) -> None:
    text, numbers = told(english, "first_page")
    plans = ["tokyo_osaka", "north", "five_hubs"]
    done = cube["status"].sel(configuration=plans).to_numpy() == 1
    common = done.all(axis=1)
    total = cube["total_cost"].sel(configuration=plans).to_numpy()
    fuel = (cube["fuel_cost"] + cube["co2_cost"]).sel(configuration=plans).to_numpy()
    both = done[:, 0] & done[:, 1]
    expected: dict[str, float] = {"draws": SMALL, "failed": 1, "not_run": 0}
    for name, costs in (("total_cost", total), ("fuel_co2_cost", fuel)):
        saving = (costs[:, 0] - costs[:, 1])[both]
        expected |= {
            f"{name}_mean": saving.mean(),
            f"{name}_low": np.quantile(saving, 0.05),
            f"{name}_high": np.quantile(saving, 0.95),
            f"{name}_share": (saving > 0).mean(),
        }
    regret = total[common, 1] - total[common].min(axis=1)
    expected |= {"largest_regret": regret.max(), "beaten": (regret > 0).mean()}
    expected |= {"cases": ((fuel[:, 0] - fuel[:, 1])[both] < 20).sum(), "judged": both.sum()}
    for key, value in expected.items():
        assert numbers[key] == pytest.approx(value), key
    assert (
        f"the {int(common.sum())} futures" in told(english, "first_page")[0]
        or f"over {int(common.sum())} futures" in text
    )
    money = Words("en")
    for key in ("total_cost_mean", "fuel_co2_cost_mean", "largest_regret"):
        assert money.money(expected[key]) in text
    assert f"in {money.share(expected['total_cost_share'])} of {int(both.sum())} futures" in text
    assert f"holds in {expected['cases']} of {expected['judged']} futures" in text
    assert "in 1.6 % the model found no solution" in text  # one failed draw of 64 is a mark against it


def test_what_the_box_says_holds_in_the_cube(cube: xr.Dataset, english: Document) -> None:
    _, numbers = told(english, "first_page")
    finding = english.material.finding
    assert finding.final is not None
    inside = np.ones(len(finding.inputs), dtype=bool)
    for at, name in enumerate(finding.inputs.names):
        values = cube[name].to_numpy()[finding.rows]
        inside &= (values >= finding.final.box.low[at]) & (values <= finding.final.box.high[at])
    saving = cube["saving_fuel_co2"].sel(configuration="north").to_numpy()[finding.rows]
    assert numbers["density"] == pytest.approx((saving[inside] < 20).mean())
    assert numbers["coverage"] == pytest.approx((saving[inside] < 20).sum() / (saving < 20).sum())


def test_other_sentences_with_numbers(cube: xr.Dataset, english: Document) -> None:
    plans = ["tokyo_osaka", "north", "five_hubs"]
    common = (cube["status"].sel(configuration=plans) == 1).all("configuration").to_numpy()
    total = cube["total_cost"].sel(configuration=plans).to_numpy()[common]
    _, regret = told(english, "regret")
    assert regret["evpi"] == pytest.approx(total.mean(axis=0).min() - total.min(axis=1).mean(), abs=1e-6)
    assert regret["wait_and_see"] == pytest.approx(total.min(axis=1).mean())
    done = cube["status"].sel(configuration="north").to_numpy() == 1
    _, siting = told(english, "siting")
    assert siting["shifted_time"] == pytest.approx(
        cube["shifted_time"].sel(configuration="north").to_numpy()[done].mean()
    )
    assert siting["shifted_space"] == pytest.approx(
        cube["shifted_space"].sel(configuration="north").to_numpy()[done].mean()
    )
    _, sample = told(english, "sample")
    ranks = [cube[name].to_series().rank().to_numpy() for name in ("dc_demand", "co2_price", "apn_adoption")]
    found = np.corrcoef(ranks) - np.eye(3)
    assert sample["correlation"] == pytest.approx(np.abs(found).max())


def test_what_the_first_page_says_of_its_doubts(cube: xr.Dataset, english: Document) -> None:
    text, numbers = told(english, "first_page")
    plans = ["tokyo_osaka", "north", "five_hubs"]
    done = cube["status"].sel(configuration=plans).to_numpy() == 1
    total = cube["total_cost"].sel(configuration=plans).to_numpy()
    fuel = (cube["fuel_cost"] + cube["co2_cost"]).sel(configuration=plans).to_numpy()
    half, first = SMALL // 2, done[: SMALL // 2]
    assert (numbers["half"], numbers["all"]) == (half, SMALL)
    for name, costs in (("total_cost", total), ("fuel_co2_cost", fuel)):
        saving = (costs[:half, 0] - costs[:half, 1])[first[:, :2].all(axis=1)]
        assert numbers[f"half_{name}_mean"] == pytest.approx(saving.mean())
        assert f"{number(saving.mean())} → {number(numbers[f'{name}_mean'])}" in text
    common = total[:half][first.all(axis=1)]
    assert numbers["half_largest_regret"] == pytest.approx((common[:, 1] - common.min(axis=1)).max())
    assert headlines(english.material, SMALL)["largest_regret"] == pytest.approx(numbers["largest_regret"])
    assert (numbers["days_0"], numbers["judging_futures"]) == (12, 12)
    assert (numbers["days_saving_mean"], numbers["days_saving_worst"]) == (0.02, 0.05)
    assert numbers["days_off"] == pytest.approx(0.02 * abs(numbers["fuel_co2_cost_mean"]))
    assert "off by 2.0 % on average (" in text
    assert "of its mean a year) and 5.0 % at worst" in text
    assert "all of them count alike" in text


@pytest.mark.parametrize(
    ("days", "scenarios", "expected"),
    [
        ({"number": {"a": 365}, "error": None}, 1, "All 365 days of the year are solved."),
        ({"number": {"a": 4, "b": 6}, "error": None}, 3, "4 or 6 days stand for the year; how wrong that is was not"),
        (None, 3, "this cube does not tell"),
    ],
)
def test_doubts_that_were_not_measured_are_said(days: object, scenarios: int, expected: str) -> None:
    attrs = {"scenarios": list(range(scenarios)), **({"days_error": json.dumps(days)} if days else {})}
    material = Material(small_cube(15).assign_attrs(attrs), Wanted("en"))
    text = " ".join(sentence.text for sentence in doubts(material))
    assert expected in text
    assert ("its 3 scenarios count alike" in text) == (scenarios == 3)


def test_values_at_the_margin_are_those_of_the_cube(cube: xr.Dataset, english: Document) -> None:
    done = cube["status"].sel(configuration="north").to_numpy() == 1
    line, area, apn = (
        cube[name].sel(configuration="north").to_numpy()[done] for name in ("line_value", "siting_value", "apn_value")
    )
    for section in ("first_page", "margins"):
        text, numbers = told(english, section)
        at = int(line.mean(axis=0).argmax())
        assert numbers["line_mean"] == pytest.approx(line[:, at].mean())
        assert [numbers["line_low"], numbers["line_high"]] == pytest.approx(np.quantile(line[:, at], [0.1, 0.9]))
        cheap, dear = area.mean(axis=0).argmin(), area.mean(axis=0).argmax()
        assert numbers["area_gap"] == pytest.approx(area[:, dear].mean() - area[:, cheap].mean())
        assert numbers["area_often"] == pytest.approx((area[:, cheap] < area[:, dear]).mean())
        assert numbers["apn_mean"] == pytest.approx(apn.mean())
        assert "worth most on Hokkaido–Tokyo (Japan Sea HVDC): at most" in text
        built = cube["japan_sea_hvdc"].to_numpy()[done] > 0
        assert numbers["line_where_built"] == pytest.approx(line[built, 1].mean())
        assert numbers["line_where_not"] == pytest.approx(line[~built, 1].mean())
    tables = {table.name: table for table in english.tables}
    assert "congested_hours" not in tables
    row = tables["line_value"].cells[1]
    assert [cell.value for cell in row[1:5]] == pytest.approx(
        [*np.quantile(line[:, 1], [0.1, 0.5, 0.9]), line[:, 1].mean()]
    )
    full = cube["congested_hours"].sel(configuration="north").to_numpy()[done]
    assert [row[6].value for row in tables["line_value"].cells] == pytest.approx(
        [full[:, 0].mean(), full[built, 1].mean()]
    )
    assert [cell.value for cell in tables["next_gigawatt"].cells[0][1:4]] == pytest.approx(
        np.quantile(area[:, 0], [0.1, 0.5, 0.9])
    )
    north = next(row for row in tables["apn_value"].cells if row[0].value == "north")
    assert north[4].value == pytest.approx(apn.mean())


def test_a_cube_without_values_of_lines_tells_hours(cube: xr.Dataset) -> None:
    section = margins(Material(cube.drop_vars(["line_value", "apn_value"]), Wanted("en")))
    assert [each.name for each in section.shown] == ["congested_hours", "next_gigawatt"]
    assert "made before values of lines were kept" in section.shown[0].caption
    nothing = cube.drop_vars(["line_value", "apn_value", "siting_value", "congested_hours"])
    assert margins(Material(nothing, Wanted("en"))).shown == []


def test_the_robust_siting_is_told_as_it_was_decided(cube: xr.Dataset, english: Document) -> None:
    text, numbers = told(english, "robust_siting")
    record = decided(cube)  # that with a space of good plans comes before that of CVaR
    assert (numbers["robust_value"], numbers["robust_draws"]) == (record["value"], SMALL)
    assert numbers["robust_share_Tokyo"] == pytest.approx(0.55)
    name = min(record["against"], key=lambda each: record["against"][each]["mean_saving"]["estimate"])
    assert f"Beside the best named plan, {english.material.shown(name)}" in text
    assert numbers["robust_saving"] == record["against"][name]["mean_saving"]["estimate"]
    assert numbers["robust_loss"] == record["against"][name]["largest_loss"]
    assert (numbers["evpi"], numbers["vss"], numbers["gap_at_most"]) == (14.0, 3.5, 4.0)
    assert "Every plan at most 2 % worse in mean cost over 64 futures uses Hokkaido; none uses Okinawa." in text
    page, first = told(english, "first_page")
    assert first["robust_value"] == record["value"]
    assert "The one siting of least mean cost over 64 futures puts its load as follows" in page
    assert "as follows: 55.0 % in Tokyo, 35.0 % in Hokkaido and 10.0 % in Kansai" in page
    tables = {table.name: table for table in english.tables}
    assert [row[0].text for row in tables["robust_goals"].cells] == ["mean", "cvar:0.9"]
    assert tables["robust_against"].cells[1][5].value == pytest.approx(10.0)  # north is 10 cheaper in one draw
    assert len(tables["near_optimal"].cells) == 2 * 11
    rows = tables["robust_siting"].cells
    assert [row[1].text for row in rows] == ["renewable city", "hub", "smart city", "all tiers", "hub"]
    sums = [rows[0], *rows[3:]]
    assert sum(row[2].value for row in sums) == pytest.approx(1)


def test_a_siting_is_held_beside_the_best_plan_on_fresh_futures(cube: xr.Dataset) -> None:
    record = decided(cube)
    name = min(record["against"], key=lambda each: record["against"][each]["mean_saving"]["estimate"])
    saving = {"estimate": 3.0, "low": None, "high": None, "how": "x"}
    told_of = {"mean_saving": saving, "draws_compared": 5, "better_in": 0.8, "largest_loss": 40.0}
    fresh = {"draws": 5, "measures": {"mean": saving}, "against": {name: told_of}}
    material = Material(cube, Wanted("en"), [record | {"fresh_draws": fresh}])
    [sentence] = [each for each in verdict(material) if "other futures" in each.text]
    assert sentence.numbers == {"fresh_saving": 3.0, "fresh_better": 0.8, "fresh_loss": 40.0}
    assert "On 5 other futures it saves 3.00 billion yen a year on average and is cheaper in 80.0 %" in sentence.text
    assert "at worst it costs 40.0 billion yen more" in sentence.text


def test_a_frontier_has_only_what_nothing_beats(cube: xr.Dataset) -> None:
    points = [
        Point("a", 1, 9, 5),
        Point("b", 2, 7, np.nan),
        Point("c", 3, 8, 2),
        Point("d", 1, 9.5, 1),
        Point("e", 4, 7, 0),
    ]
    assert [each.label for each in efficient(points, "tail")] == ["a", "b"]
    assert [each.label for each in efficient(points, "regret")] == ["d", "e"]
    whole = small_cube(SMALL)
    futures = Material(whole, Wanted("en")).futures
    record = decided(whole, draws=20)
    [_, north, _] = named_points(futures, record)
    total = whole["total_cost"].to_numpy()[:20]
    assert north.mean == pytest.approx(total[:, 1].mean())
    assert north.tail == pytest.approx(np.sort(total[:, 1])[-2:].mean())
    assert north.regret == pytest.approx((total[:, 1] - total[:, 3]).max())
    assert "north" not in [each.label for each in named_points(Material(cube, Wanted("en")).futures, decided(cube))]
    others = [decided(cube, draws=20), decided(cube, gap=0.01), decided(cube, "cvar:0.9", near=False)]
    kept = comparable(in_order([*others, decided(cube)]))
    assert [(each["measure"], each["gap"], each["draws"]) for each in kept] == [
        ("mean", 0.001, SMALL),
        ("cvar:0.9", 0.001, SMALL),
    ]


def test_without_a_decided_siting_the_command_is_named(cube: xr.Dataset) -> None:
    section = robust(Material(cube, Wanted("en", store="results/x.zarr")))
    [sentence] = section.sentences
    assert "wattbit optimise results/x.zarr --measure mean --near 1,2,5" in sentence.text
    assert section.shown == ()


def test_every_sentence_that_shows_a_number_names_it(english: Document) -> None:
    plain = [s.text for section in english.sections for s in section.sentences if not s.numbers]
    free = re.compile(r"2030|2040|1 %|90 %|95 %|CO2|0\.75|0\.9|VaR|APN|[a-z]+_\w+")
    watched = ("What they share", "If by 2030", "The measures do not all agree", "first, alone")
    for text in plain:
        if not text.startswith(watched):
            assert not re.search(r"\d", free.sub("", text)), text


def test_break_even_odds_turn_the_choice(cube: xr.Dataset) -> None:
    cube = cube.copy(deep=True)
    dear = cube["co2_price"] > cube["co2_price"].quantile(0.94)
    cube["total_cost"].loc[{"configuration": "north"}] = (
        cube["total_cost"].sel(configuration="five_hubs") - 5 + 40 * dear
    )
    material = Material(cube, Wanted("en", configuration="north"))
    first = next(odds for odds in break_even_odds(material) if odds.factor == "co2_price")
    inside = (cube["co2_price"] >= cube["co2_price"].quantile(2 / 3)).to_numpy()
    common = material.futures.common()
    gap = (cube["total_cost"].sel(configuration="north") - cube["total_cost"].sel(configuration=first.other)).to_numpy()
    inside, gap = inside[common], gap[common]
    page = first_page(material)
    posts = [each for each in page.sentences if "If by 2030" in each.text]
    assert posts  # from the box of failures, or else from these odds
    nothing = Material(cube, Wanted("en", configuration="north", threshold="total_cost < 0"))
    [post] = [each for each in first_page(nothing).sentences if "If by 2030" in each.text]
    leading = break_even_odds(nothing)[0]
    assert post.numbers == {"signpost_chance": leading.chance}
    assert leading.kind in post.text
    p = first.chance
    assert p * gap[inside].mean() + (1 - p) * gap[~inside].mean() == pytest.approx(0, abs=1e-9)


def test_a_plan_that_another_beats_on_average_is_said_to_be_dearer(cube: xr.Dataset) -> None:
    cube = cube.copy(deep=True)
    five = cube["total_cost"].sel(configuration="five_hubs")
    odd = np.arange(SMALL) % 2 == 1
    cube["total_cost"].loc[{"configuration": "north"}] = five + np.where(odd, 30.0, -5.0)
    cube["total_cost"].loc[{"configuration": "tokyo_osaka"}] = five + 20.0 * odd + 1.0
    material = Material(cube, Wanted("en", configuration="north"))
    common = material.futures.common()
    gap = float(np.where(odd, 30.0, -5.0)[common].mean())
    sentences = [each for each in first_page(material).sentences if "already cheaper" in each.text]
    assert [each.numbers["dearer_by"] for each in sentences] == pytest.approx([gap])
    assert f"On average five_hubs [L] is already cheaper, by {Words('en').money(gap)} a year." in sentences[0].text
    text = " ".join(each.text for each in first_page(material).sentences)
    assert "Its first place" not in text
    assert "Choose tokyo_osaka" not in text
    # Between these two odds would turn the choice, were there not a third that beats both wherever they tie.
    assert [odds for odds in break_even_odds(material) if odds.other == "tokyo_osaka"] == []


def test_what_the_first_page_says_of_buildings_and_the_published_figure(cube: xr.Dataset, english: Document) -> None:
    _, numbers = told(english, "first_page")
    done = (cube["status"].sel(configuration=["tokyo_osaka", "north"]) == 1).all("configuration").to_numpy()
    cost = cube["building_cost"].sel(configuration=["tokyo_osaka", "north"]).to_numpy()[done]
    assert numbers["building_mean"] == pytest.approx((cost[:, 0] - cost[:, 1]).mean())
    saving = cube["saving_fuel_co2"].sel(configuration="five_hubs").to_numpy()
    assert numbers["above_published"] == pytest.approx((saving[np.isfinite(saving)] > 65).mean())
    other = Material(cube.assign_attrs(reference="north"), Wanted("en", configuration="five_hubs"))
    assert "published" not in " ".join(each.text for each in doubts(other))


def test_one_plan_is_ranked_beside_nothing(cube: xr.Dataset) -> None:
    alone = Material(cube.sel(configuration=["tokyo_osaka"]).assign_attrs(free_configurations=[]), Wanted("en"))
    page = first_page(alone)
    text = " ".join(each.text for each in page.sentences)
    assert "There is one plan alone, tokyo_osaka" in text
    assert "There is no other plan that could be chosen." in text
    assert "best" not in text
    assert page.shown == []


def test_savings_are_told_by_scenario(cube: xr.Dataset) -> None:
    names = np.array(["low", "high"])[np.arange(SMALL) % 2]
    worlds = cube.assign(scenario=("draw", names.astype(object))).assign_attrs(scenarios=["low", "high"])
    [table] = savings_by_scenario(Material(worlds, Wanted("en")))
    row = next(row for row in table.cells if (row[0].value, row[1].value) == ("high", "north"))
    total, fuel = (
        cube[name].sel(configuration="north").to_numpy()[1::2] for name in ("saving_total", "saving_fuel_co2")
    )
    there = (cube["status"].sel(configuration=["tokyo_osaka", "north"]) == 1).all("configuration").to_numpy()[1::2]
    assert [cell.value for cell in row[2:]] == pytest.approx(
        [total[there].mean(), fuel[there].mean(), (total[there] > 0).mean(), there.sum()]
    )
    assert savings_by_scenario(Material(cube, Wanted("en"))) == []


def test_a_worst_quarter_that_nobody_named_is_no_failure(cube: xr.Dataset) -> None:
    costly = cube.copy(deep=True)
    costly["fuel_cost"].loc[{"configuration": "tokyo_osaka"}] += 1000.0
    costly["saving_fuel_co2"].loc[{"configuration": ["north", "five_hubs"]}] += 1000.0
    material = Material(costly, Wanted("en", configuration="north"))
    assert material.is_worst_quarter
    text = " ".join(each.text for each in first_page(material).sentences)
    count, size = int(material.finding.of_interest.sum()), material.finding.of_interest.size
    assert (size, count) == (63, pytest.approx(63 / 4, abs=1))
    assert f"the worst quarter of its own futures, {count} of {size}" in text
    assert "Where it fails" not in text
    assert "take it as a warning" not in text
    named = Material(costly, Wanted("en", configuration="north", threshold=material.finding.threshold))
    assert "Where it fails" in " ".join(each.text for each in first_page(named).sentences)


def test_a_cube_that_is_not_finished_says_of_what_it_speaks(cube: xr.Dataset) -> None:
    begun = cube.copy(deep=True)
    begun["status"][-16:] = 0
    document = build(begun, Wanted("en", configuration="north"))
    assert "48 of 64 futures" in document.subtitle
    text, numbers = told(document, "first_page")
    assert "The study has 64 draws, and 48 of them have been run" in text
    assert numbers["not_run"] == 16
    assert "How settled" not in text
    assert "（うち計算済み48通り）" in build(begun, Wanted("ja", configuration="north")).subtitle
