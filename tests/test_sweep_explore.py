"""The explorer's hours: a file carries those that `wattbit solve --hourly` computes, a served page solves any draw on a click."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from benchmarks.chromium import Chromium, program
from sweep.stored_hours import StoredHours
from tests.processes import start_wattbit
from tests.sweep_cases import TOO_SMALL, WITH_NORTH, strict_json, wattbit, write_study

PLACE = """
const view = Bokeh.index.roots.find((each) => each.model.name === "scatter");
view.el.scrollIntoView({ block: "center" }); await new Promise((done) => setTimeout(done, 100));
const now = view.el.getBoundingClientRect(), [x, y] = dots.columns, frame = view.frame;
return [now.x + frame.x_scale.compute(x.values[DRAW]), now.y + frame.y_scale.compute(y.values[DRAW])];
"""
SHOWN = """
const { hours } = explorer.last(), area = hours.record.areas.indexOf("Tokyo");
const of = (name) => Array.from(hoursOf(hours.record, name, area, hours.days));
return { draw: hours.record.draw, plan: hours.record.configuration, lng: of("lng"), solar: of("solar"), dc_load: of("dc_load"),
  import: of("import"), top: Math.max(...models["hours-source"].data.high_curtailment), title: byId("hours-title").textContent,
  days: hours.record.days, hash: decodeURIComponent(location.hash) };
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of five draws whose free configuration has room in none of them, and its cube."""
    folder = tmp_path_factory.mktemp("explorer")
    write_study(folder, WITH_NORTH, more=TOO_SMALL)
    assert wattbit(folder, "run", "study.toml", "--serial", "--store", "small.zarr").exit_code == 1
    return folder


@pytest.fixture(scope="module")
def page(folder: Path) -> Path:
    arguments = ("--draw", "1", "--draw", "3", "--hours", "1", "--configuration", "five_hubs", "--out", "x.html")
    result = wattbit(folder, "explore", "small.zarr", *arguments)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    return folder / "x.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    if program() is None:
        pytest.skip("no browser on this machine")
    with Chromium() as started:
        yield started


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = start_wattbit(folder, "explore", "small.zarr", "--serve", "--port", "0")
    assert process.stderr is not None
    told = process.stderr.readline()
    found = re.fullmatch(r"explorer http://127\.0\.0\.1:(\d+)/ \(this machine alone; Ctrl-C ends it\)\n", told)
    assert found, told + process.stderr.read()
    yield process, int(found[1])
    process.kill()
    process.wait()
    process.stderr.close()


def ask(port: int, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.putrequest("GET", path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    told = answer.status, answer.read()
    connection.close()
    return told


def solved_by_line(folder: Path, draw: str) -> xr.Dataset:
    """What `wattbit solve --hourly` writes of a draw with all its parameters set."""
    theta = StoredHours(folder / "small.zarr").theta(draw)
    line = [part for name, value in theta.items() for part in ("--set", f"{name}={value!s}")]
    result = wattbit(folder, "solve", "study.toml", *line, "--configuration", "five_hubs", "--hourly", "one.nc")
    assert result.exit_code == 0, result.stderr
    return xr.load_dataset(folder / "one.nc")


def check(shown: Any, hours: xr.Dataset) -> None:
    """The page's hours of Tokyo are the dataset's, to half a megawatt."""
    tokyo = hours.sel(area="Tokyo")
    told = {
        "lng": tokyo["thermal"].sel(fuel="lng"),
        "solar": tokyo["by_source"].sel(source="solar"),
        "dc_load": tokyo["dc_load"],
        "import": tokyo["net_import"].clip(min=0),
    }
    for name, values in told.items():
        assert float(values.max()) > 0 or name == "import"
        np.testing.assert_allclose(shown[name], values.to_numpy().ravel(), rtol=0, atol=5.1e-4, err_msg=name)
    assert [weight for _, _, weight in shown["days"]] == hours["weight"].to_numpy().tolist()


@pytest.mark.slow
def test_a_file_carries_the_hours_that_solve_computes_and_a_click_chooses(
    folder: Path, page: Path, browser: Chromium
) -> None:
    browser.errors.clear()
    browser.asked.clear()
    browser.open(f"{page.as_uri()}#draw=1&in=Tokyo&sx=dc_demand&sy=co2_price")
    first = browser.run(SHOWN)
    assert (first["draw"], first["plan"]) == ("1", "five_hubs")
    check(first, solved_by_line(folder, "1"))
    browser.click(*browser.run(PLACE.replace("DRAW", "3")))
    browser.wait("explorer.last().hours?.record.draw === '3'")
    second = browser.run(SHOWN)
    assert "draw=3" in second["hash"]
    assert second["lng"] != first["lng"]
    assert second["top"] != first["top"]
    # by keyboard: to the draw of least demand, then the next
    theta = xr.open_zarr(folder / "small.zarr")["dc_demand"].to_numpy()
    browser.run("byId('drawing-scatter').focus();")
    browser.press("Home")
    browser.wait(f"explorer.last() && explorer.state.draw === '{theta.argsort()[0]}'")
    browser.press("ArrowRight")
    browser.wait(f"explorer.last() && explorer.state.draw === '{theta.argsort()[1]}'")
    # a day alone, in Japanese; a draw whose hours are elsewhere
    browser.run("location.hash = 'lang=ja&draw=1&in=Tokyo&day=0';")
    browser.wait("explorer.last().hours?.days.length === 1 && document.documentElement.lang === 'ja'")
    one = browser.run(SHOWN)
    assert one["lng"] == first["lng"][:24]
    assert "東京" in one["title"]
    browser.run("location.hash = 'draw=2&plan=north';")
    browser.wait("!byId('hours-message').hidden")
    assert browser.run("return byId('hours-message').textContent;").startswith("Draw 2, north")
    assert "infeasible" in browser.run("return byId('hours-message').textContent;")
    assert browser.errors == []
    assert [each for each in browser.asked if not each.startswith(("file:", "data:"))] == []


@pytest.mark.slow
def test_a_served_page_solves_any_draw_and_tells_what_failed(
    folder: Path, served: tuple[subprocess.Popen[str], int], browser: Chromium
) -> None:
    _, port = served
    browser.errors.clear()
    browser.asked.clear()
    browser.open(f"http://127.0.0.1:{port}/#draw=0&plan=five_hubs&in=Tokyo&sx=dc_demand&sy=co2_price")
    browser.wait("explorer.last().hours?.record.draw === '0'")
    browser.click(*browser.run(PLACE.replace("DRAW", "4")))
    browser.wait("explorer.last().hours?.record.draw === '4'")
    check(browser.run(SHOWN), StoredHours(folder / "small.zarr").hours("4", "five_hubs"))
    browser.run("byId('plan').value = 'north'; byId('plan').onchange();")
    browser.wait("byId('hours-message').textContent.includes('infeasible')")
    assert browser.errors == []
    assert {each.partition("?")[0] for each in browser.asked if not each.startswith("data:")} == {
        f"http://127.0.0.1:{port}/",
        f"http://127.0.0.1:{port}/hours",
    }


@pytest.mark.slow
def test_a_server_answers_nobody_else_and_ends_in_order(
    folder: Path, served: tuple[subprocess.Popen[str], int]
) -> None:
    process, port = served
    own = f"127.0.0.1:{port}"
    wanted = "/hours?draw=1&configuration=tokyo_osaka"
    assert ask(port, wanted, Host=f"localhost:{port}", Origin=f"http://localhost:{port}")[0] == 200
    status, body = ask(port, wanted)
    assert (status, strict_json(body.decode())["status"]) == (200, "optimal")
    assert ask(port, wanted, Host=f"evil.example:{port}")[0] == 403
    assert ask(port, "/", Host="127.0.0.1")[0] == 403
    assert ask(port, wanted, Host=own, Origin="http://evil.example")[0] == 403
    assert ask(port, wanted, Host=own, Origin="null")[0] == 403
    assert ask(port, wanted, Host=own, Sec_Fetch_Site="cross-site")[0] == 403
    assert ask(port, "/../etc/passwd")[0] == 404
    assert ask(port, "http://[::1/", Host=own)[0] == 400
    for path in ("/hours", "/hours?draw=1", "/hours?draw=5&configuration=five_hubs", "/hours?draw=1&configuration=x"):
        status, body = ask(port, path)
        assert (status, "expected" in json.loads(body)["error"]) == (400, True), path
    taken = wattbit(folder, "explore", "small.zarr", "--serve", "--port", str(port))
    assert taken.exit_code == 2
    assert taken.stderr.startswith(f"wattbit: --port {port}: Address already in use; expected a free port")
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.read() == "wattbit: interrupted\n"
    assert process.wait(30) == 130


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--port", "8000"), "--port: found without --serve"),
        (("--serve", "--out", "y.html"), "--serve and --out: found both"),
        (("--draw", "5"), "--draw: found '5', expected a draw of the cube, 0 to 4, or base"),
        (("--draw", "x"), "--draw: found 'x'"),
        (("--hours", "6"), "expected 1 to 5 or none"),
        (("--configuration", "five_hub"), "no such configuration; nearest known: 'five_hubs'"),
    ],
)
def test_what_makes_no_page_is_refused(folder: Path, arguments: tuple[str, ...], message: str) -> None:
    out = () if "--out" in arguments else ("--out", "y.html")
    result = wattbit(folder, "explore", "small.zarr", *out, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (folder / "y.html").exists()


def test_a_page_without_hours_says_how_to_have_them(folder: Path) -> None:
    result = wattbit(folder, "explore", "small.zarr", "--hours", "none", "--out", "none.html")
    assert result.exit_code == 0
    text = (folder / "none.html").read_text(encoding="utf-8")
    record = json.loads(re.search(r'<script id="draws"[^>]*>(.*?)</script>', text, re.DOTALL)[1])  # type: ignore[index]
    assert record["hourly"] is None
