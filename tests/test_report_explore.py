"""The explorer opens in a browser without a network, shows the cube's numbers, and follows the brushes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from report import CubeContentError
from report.explore import explorer, focus, named_draws, write_explorer
from report.explore.draws import packed
from tests.browser import browse
from tests.report_cases import small_cube

NUMBERS = """
const last = explorer.last();
return { n: last.places.length, outcome: last.outcome, rows: last.rows.map((r) => ({ name: r.name, best: r.best,
  ...r.numbers, regret: r.lost.mean, worst: r.lost.most })), map: last.map, hash: decodeURIComponent(location.hash),
  heads: [...document.querySelectorAll("#numbers thead th")].map((each) => each.textContent),
  shown: [...document.querySelectorAll("#numbers tbody tr")].map((tr) => [...tr.children].map((each) => each.textContent)) };
"""


@pytest.fixture(scope="module")
def cube() -> xr.Dataset:
    made = small_cube(200)
    made["status"][3, 1] = 2
    return made


@pytest.fixture(scope="module")
def written(cube: xr.Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_explorer(cube, tmp_path_factory.mktemp("explorer") / "new" / "x.html")


def expected(cube: xr.Dataset, outcome: str, keep: np.ndarray) -> dict[str, dict[str, float]]:
    """Compute with numpy what the page computes."""
    done = (cube["status"] == 1).to_numpy()
    values = cube[outcome].to_numpy().copy()
    regret = cube["regret_total"].to_numpy()
    common = done[:, :3].all(axis=1) & keep
    best = cube["total_cost"].to_numpy()[:, :3].argmin(axis=1)
    found = {}
    for at, name in enumerate(cube["configuration"].to_numpy()):
        told = values[keep & done[:, at] & done[:, 0], at]
        lost = regret[keep & done[:, at], at]
        found[str(name)] = {
            "n": len(told),
            "mean": told.mean(),
            "low": np.quantile(told, 0.05),
            "median": np.quantile(told, 0.5),
            "high": np.quantile(told, 0.95),
            "above": (told > 0).mean(),
            "best": (best[common] == at).mean() if at < 3 else 0,
            "regret": lost.mean(),
            "worst": lost.max(),
        }
    return found


def check(answer: Any, told: dict[str, dict[str, float]]) -> None:
    assert [row["name"] for row in answer["rows"]] == list(told)
    for row in answer["rows"]:
        for key, value in told[row["name"]].items():
            assert row[key] == pytest.approx(value, abs=1e-9), (row["name"], key)


@pytest.mark.slow
def test_numbers_are_those_of_the_cube_and_brushing_changes_them(
    cube: xr.Dataset, written: Path, tmp_path: Path
) -> None:
    brushed = """
    const told = async () => { NUMBERS };
    const before = await told();
    const move = (name, end, value) => { const input = document.querySelectorAll(`[data-name=${name}] input`)[end];
      input.value = value; input.dispatchEvent(new Event("input")); };
    move("dc_demand", 0, 80); move("japan_sea_hvdc", 0, 1);
    const after = await told();
    document.getElementById("reset").click();
    const again = await told();
    return { before, after, again };
    """.replace("NUMBERS", NUMBERS)
    seen = browse(written, tmp_path, script=brushed)
    assert seen.errors == []
    assert seen.asked == []
    everything = np.ones(200, dtype=bool)
    check(seen.answer["before"], expected(cube, "saving_total", everything))
    assert seen.answer["before"]["n"] == 200
    demand = cube["dc_demand"].to_numpy()
    edge = demand.min() + (demand.max() - demand.min()) * 80 / 200
    keep = (demand >= edge) & (cube["japan_sea_hvdc"].to_numpy() == 1)
    assert 20 < keep.sum() < 180
    assert seen.answer["after"]["n"] == keep.sum()
    check(seen.answer["after"], expected(cube, "saving_total", keep))
    assert "r.japan_sea_hvdc=1~1" in seen.answer["after"]["hash"]
    assert seen.answer["again"]["rows"] == seen.answer["before"]["rows"]
    # what stands in the table is what was computed
    row = next(each for each in seen.answer["before"]["shown"] if each[0].startswith("five_hubs"))
    mean = expected(cube, "saving_total", everything)["five_hubs"]["mean"]
    assert float(row[2].replace(",", "")) == pytest.approx(mean, abs=0.05)


@pytest.mark.slow
def test_an_address_shares_the_view(cube: xr.Dataset, written: Path, tmp_path: Path) -> None:
    address = (
        "lang=ja&outcome=curtailment&area=Tokyo&show=north,optimal&r.co2_price=9000~15000&x=dc_demand&y=japan_sea_hvdc"
    )
    seen = browse(written, tmp_path, address=address, script=NUMBERS)
    assert seen.errors == []
    price = cube["co2_price"].to_numpy()
    keep = (price >= 9000) & (price <= 15000)
    assert seen.answer["n"] == keep.sum()
    assert [row["name"] for row in seen.answer["rows"]] == ["north", "optimal"]
    north = cube["curtailment"].sel(configuration="north", area="Tokyo").sum("technology").to_numpy()
    done = (cube["status"].sel(configuration="north") == 1).to_numpy()
    assert seen.answer["rows"][0]["mean"] == pytest.approx(north[keep & done].mean(), rel=1e-6)
    assert "平均後悔" in seen.answer["heads"]
    assert 'lang="ja"' in seen.dom
    # the decision map: every cell's plan has the least mean cost of its draws
    total, demand, link = (cube[name].to_numpy() for name in ("total_cost", "dc_demand", "japan_sea_hvdc"))
    common = (cube["status"].to_numpy()[:, :3] == 1).all(axis=1) & keep
    edges = np.quantile(demand, [0, 1 / 3, 2 / 3, 1])
    group = np.clip(np.searchsorted(edges, demand, side="right") - 1, 0, 2)
    assert sum(cell["n"] for cell in seen.answer["map"]) == common.sum()
    for cell in seen.answer["map"]:
        inside = common & (group == cell["x"]) & (link == cell["y"])
        assert inside.sum() == cell["n"]
        assert total[inside][:, :3].mean(axis=0).argmin() == cell["plan"]


@pytest.mark.slow
def test_requests_and_errors_of_a_page_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "bad.html").write_text(
        "<script src='http://nowhere.invalid/x.js'></script><script>nothing.there()</script>"
    )
    seen = browse(tmp_path / "bad.html", tmp_path)
    assert [each.partition("/x.js")[0] for each in seen.asked] == ["http://nowhere.invalid"]
    assert any("nothing is not defined" in text for text in seen.errors)


def test_the_page_holds_every_draw_bit_for_bit_and_nothing_outside(cube: xr.Dataset, written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    assert re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="(?!data:)[^"]*"', text) == []
    record = json.loads(re.search(r'<script id="draws"[^>]*>(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    assert json.loads(json.dumps(packed(cube))) == {
        key: value for key, value in record.items() if key not in ("colours", "dashes", "language", "hourly")
    }
    assert explorer(cube, "en") == text  # equal cubes make equal pages


def test_what_cannot_be_explored_is_refused(cube: xr.Dataset) -> None:
    fixed = cube.isel(draw=slice(0, 2)).isel(draw=[0, 0])
    with pytest.raises(CubeContentError, match="no parameter varies"):
        explorer(fixed, "en")


def test_named_draws_are_what_they_are_called(cube: xr.Dataset) -> None:
    assert focus(cube) != "tokyo_osaka"
    found = {reason: each.draw for each in named_draws(cube, "five_hubs", 5) for reason in each.label[0].split(", ")}
    saving = cube["saving_total"].sel(configuration="five_hubs").to_numpy()
    regret = cube["regret_total"].sel(configuration="five_hubs").to_numpy()
    demand = cube["dc_demand"].to_numpy()
    assert int((saving < saving[int(found["median saving"])]).sum()) == (len(saving) - 1) // 2
    assert regret[int(found["largest regret"])] == regret.max() > 0
    assert demand[int(found["most data-centre demand"])] == demand.max()
    assert demand[int(found["least data-centre demand"])] == demand.min()
    assert len(named_draws(cube, "five_hubs", 2)) == 2
    with pytest.raises(CubeContentError, match="five_hub: no such configuration; nearest known: 'five_hubs'"):
        focus(cube, "five_hub")
