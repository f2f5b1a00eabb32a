"""Metrics for Prometheus: the dashboard asks for those that are there, and a scrape of a real run finds them."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sweep.events import Event
from sweep.metrics import METRICS, PREFIX, RunMetrics
from tests.processes import PATIENCE, ROOT
from tests.sweep_cases import write_study

DASHBOARD = ROOT / "clusters" / "grafana.json"
PARTS = re.compile(r"_(bucket|count|sum)$")
AGENT = ("aiohttp", "opencensus", "opentelemetry", "prometheus_client")  # what Ray exports metrics with


def expressions(dashboard: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def test_dashboard_asks_for_the_metrics_that_are_exported_and_for_all_of_them() -> None:
    asked = re.findall(rf"\b{PREFIX}(wattbit_\w+)", " ".join(expressions(json.loads(DASHBOARD.read_text()))))
    by_name = {PARTS.sub("", name) if METRICS.get(name) is None else name for name in asked}
    assert by_name == set(METRICS)
    for name in asked:
        part = PARTS.search(name)
        assert (part is not None) == (METRICS[PARTS.sub("", name)].kind == "Histogram"), name
    for name, metric in METRICS.items():
        assert name.endswith("_total") == (metric.kind == "Counter"), name


def test_dashboard_is_one_that_grafana_imports() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    assert dashboard["schemaVersion"] >= 36  # data sources by uid
    assert dashboard["title"]
    assert {each["name"] for each in dashboard["templating"]["list"]} == {"datasource", "study"}
    panels = dashboard["panels"]
    assert [panel["id"] for panel in panels] == list(range(1, len(panels) + 1))
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        assert panel["type"] in {"stat", "timeseries"}
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, f"{panel['title']} lies over another panel"
        taken |= cells
        references = [target["refId"] for target in panel["targets"]]
        assert references
        assert len(set(references)) == len(references)
        for thing in (panel, *panel["targets"]):
            assert thing["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    for text in expressions(dashboard):
        assert all(text.count(left) == text.count(right) for left, right in ("()", "[]", "{}")), text
        variables = set(re.findall(r"\$(\w+)", text))
        assert variables <= {"study", "__rate_interval"}, text


class Noted:
    """A metric that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[float, dict[str, str]]] = []

    def note(self, value: float, tags: dict[str, str]) -> None:
        self.told.append((value, tags))

    inc = set = observe = note


def test_every_metric_is_told_by_events_with_the_tags_it_has() -> None:
    metrics = RunMetrics()
    metrics.made = {name: Noted() for name in METRICS}
    batch = {"draws": 4, "seconds": 6.0, "draw_seconds": (1.0, 2.0, 3.0), "iterations": 70, "write_seconds": 0.5}
    batch |= {"statuses": {"optimal": 5, "infeasible": 1}, "failed": [2], "set_aside": [3], "store_faults": 2}
    found = {**batch, "seconds": 0, "draws": 4, "store_faults": 0}
    metrics.heed(Event("run_began", {"study": "s", "draws": 64, "found": 8}))
    metrics.heed(Event("pool", {"workers": 2, "flying": 3, "waiting": 9, "processors": 4}))
    metrics.heed(Event("batch_done", batch))
    metrics.heed(Event("batch_done", found))
    metrics.heed(Event("worker_died", {"cause": "", "at_work_on": []}))
    told = {name: metric.told for name, metric in metrics.made.items()}
    assert {tuple(sorted(tags)) for name, values in told.items() for _, tags in values if "cells" not in name} == {
        ("study",)
    }
    assert told.pop("wattbit_cells_total") == [
        (5, {"study": "s", "status": "optimal"}),
        (1, {"study": "s", "status": "infeasible"}),
    ]
    assert {name: [value for value, _ in values] for name, values in told.items()} == {
        "wattbit_batches_done_total": [1],
        "wattbit_draws_done_total": [4],
        "wattbit_draws_failed_total": [1],
        "wattbit_draws_set_aside_total": [1],
        "wattbit_iterations_total": [70],
        "wattbit_solve_seconds": [1.0, 2.0, 3.0],
        "wattbit_write_seconds": [0.5],
        "wattbit_store_retries_total": [2],
        "wattbit_worker_deaths_total": [1],
        "wattbit_draws": [64],
        "wattbit_draws_committed": [8, 12, 16],
        "wattbit_workers": [2],
        "wattbit_batches_in_flight": [3],
        "wattbit_batches_waiting": [9],
    }


@pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in AGENT),
    reason="Ray without ray[default] exports no metrics: pip install -e '.[cluster]'",
)
@pytest.mark.slow
def test_scrape_of_a_run_finds_what_it_did(tmp_path: Path) -> None:
    study = write_study(tmp_path, ("draws = 5", "draws = 12"))
    line = [sys.executable, "-m", "tests.metrics_scraped", str(study), str(tmp_path / "x.zarr"), str(tmp_path / "log")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        line, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=2 * PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    scraped = {
        found[1]: float(found[2]) for found in re.finditer(r"^ray_(wattbit_\w+)\{[^}]*\} (\S+)$", done.stdout, re.M)
    }
    draws = scraped["wattbit_draws_done_total"]
    assert 2 <= draws <= 12
    assert scraped["wattbit_draws"] == 12
    assert scraped["wattbit_draws_committed"] == draws
    assert scraped["wattbit_batches_done_total"] * 2 == draws == scraped["wattbit_solve_seconds_count"]
    assert scraped["wattbit_cells_total"] == 2 * draws
    assert scraped["wattbit_workers"] == 1
    nothing_happened = {"wattbit_draws_failed_total", "wattbit_draws_set_aside_total", "wattbit_store_retries_total"}
    nothing_happened |= {"wattbit_worker_deaths_total"}
    assert {PARTS.sub("", name) for name in scraped} == set(METRICS) - nothing_happened
