"""Test what a sweep would take on a rented cluster: exact sums by hand, laws, and options that are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sweep.bill import CORES_PER_NODE, IDLING, Offer, bill, bill_text
from sweep.plan import Plan
from tests.sweep_cases import files, strict_json, wattbit, write_study

OFFER = ("--nodes", "4", "--cores-per-node", "8", "--price", "0.5", "--currency", "EUR")
POWER = ("--watts-per-core", "5", "--grid-intensity", "400")


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study of five draws in batches of two, whose pilot draw takes 1,800 seconds."""
    monkeypatch.setattr(Plan, "pilot_seconds", lambda plan: 1800.0)
    write_study(tmp_path)
    return tmp_path


def test_bill_is_the_one_made_by_hand(study: Path) -> None:
    result = wattbit(study, "plan", "study.toml", "--json", "--draws", "64", *OFFER, *POWER)
    assert (result.exit_code, result.stderr) == (0, "")
    found = strict_json(result.stdout)["cluster"]
    assumptions = found.pop("assumptions")
    # 64 draws are 32 batches for 32 cores: two draws of half an hour to an hour one after the other on each
    node_hours = [4 * (1 + 180 / 3600 + 300 / 3600), 4 * (2 + 600 / 3600 + 300 / 3600)]
    kwh = [hours * 8 * 5 * 1.135 / 1000 for hours in node_hours]
    exact = {"nodes": 4, "nodes_asked": 4, "cores_per_node": 8, "workers": 32, "currency": "EUR"}
    assert {name: found.pop(name) for name in exact} == exact
    assert found == {
        "core_hours": [32.0, 64.0],
        "seconds": [3600.0, 7200.0],
        "node_hours": pytest.approx(node_hours),
        "cost": pytest.approx([hours * 0.5 for hours in node_hours]),
        "energy_kwh": pytest.approx(kwh),
        "co2_kg": pytest.approx([of * 0.4 for of in kwh]),
    }
    assert assumptions["price_per_node_hour"] == 0.5
    assert assumptions["grid_intensity_g_per_kwh"] == 400
    assert files(study).keys() == {"study.toml", "days.csv"}


def test_text_says_the_same_in_ranges_of_two_figures(study: Path) -> None:
    text = wattbit(study, "plan", "study.toml", "--draws", "64", *OFFER, *POWER).stdout
    assert "on 4 nodes of 8 cores, 32 workers: 32 to 64 core-hours of solving, 60 min to 2.0 h after 3 min to" in text
    assert "2.3 to 4.5 EUR for 4.5 to 9 node-hours at 0.5" in text
    assert "0.21 to 0.41 kWh and 0.082 to 0.16 kg of CO2 (5 W per core, PUE 1.135, 400 g CO2 per kWh)" in text
    assert "the pilot ran on this machine" in text


def test_nodes_and_cores_that_find_no_batch_are_told(study: Path) -> None:
    text = wattbit(study, "plan", "study.toml", "--nodes", "2", "--cores-per-node", "2").stdout  # three batches
    assert "1 of the 4 cores would find no batch and idle: paid all the same" in text
    assert "nodes would find" not in text
    text = wattbit(study, "plan", "study.toml", "--nodes", "5", "--cores-per-node", "2").stdout
    assert "3 of the 5 nodes would find no batch: they are not launched, nor paid" in text
    text = wattbit(study, "plan", "study.toml", "--nodes", "3", "--cores-per-node", "1").stdout
    assert "would find no batch" not in text


def test_without_a_price_there_is_no_cost_and_without_nodes_no_cluster(study: Path) -> None:
    found = strict_json(wattbit(study, "plan", "study.toml", "--json", "--nodes", "2").stdout)["cluster"]
    assert (found["cost"], found["currency"]) == (None, None)
    assert "USD" not in wattbit(study, "plan", "study.toml", "--nodes", "2").stdout
    assert "cluster" not in strict_json(wattbit(study, "plan", "study.toml", "--json").stdout)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (("--price", "1"), "wattbit: --price: found it without --nodes"),
        (("--cores-per-node", "4"), "wattbit: --cores-per-node: found it without --nodes"),
        (("--nodes", "1", "--currency", "JPY"), "wattbit: --currency: found it without --price"),
        (("--nodes", "0"), "'--nodes'"),
        (("--nodes", "1", "--price", "0"), "'--price'"),
        (("--nodes", "1", "--price", "nan"), "'--price': nan is no finite number"),
        (("--nodes", "1", "--watts-per-core", "inf"), "'--watts-per-core': inf is no finite number"),
        (("--nodes", "1", "--grid-intensity", "-1"), "'--grid-intensity'"),
    ],
)
def test_half_an_offer_is_refused(study: Path, line: tuple[str, ...], says: str) -> None:
    result = wattbit(study, "plan", "study.toml", *line)
    assert (result.exit_code, result.stdout) == (2, "")
    assert says in result.stderr


OFFERS = st.builds(Offer, nodes=st.integers(1, 300), cores_per_node=st.integers(1, 200), price=st.floats(0.01, 100))
SWEEPS = {"seconds_per_draw": st.floats(1e-3, 1e4), "draws": st.integers(1, 10**6), "batch": st.integers(1, 1000)}


@given(offer=OFFERS, **SWEEPS)
def test_no_range_is_upside_down_and_no_core_works_longer_than_it_is_paid(offer: Offer, **sweep: Any) -> None:
    found = bill(offer, **sweep)
    for name in ("core_hours", "seconds", "node_hours", "cost", "energy_kwh", "co2_kg"):
        low, high = found[name]
        assert 0 < low <= high, name
    assert 1 <= found["nodes"] <= offer.nodes
    assert (found["nodes"] - 1) * offer.cores_per_node < found["workers"] <= found["nodes"] * offer.cores_per_node
    for worked, paid in zip(found["core_hours"], found["node_hours"], strict=True):
        assert worked <= paid * offer.cores_per_node
    assert bill_text(found)


@given(offer=OFFERS, **SWEEPS)
def test_more_draws_never_cost_less(offer: Offer, **sweep: Any) -> None:
    more = bill(offer, **(sweep | {"draws": sweep["draws"] * 2}))
    assert all(a <= b for a, b in zip(bill(offer, **sweep)["cost"], more["cost"], strict=True))


def test_defaults_are_those_of_the_cluster_file() -> None:
    text = (Path(__file__).parents[1] / "cluster.yaml").read_text(encoding="utf-8")
    cluster = yaml.safe_load(text)
    assert cluster["idle_timeout_minutes"] * 60 == IDLING
    sizes = {"c7i.4xlarge": 16}  # vCPU, as in the maker's table of instance types
    assert sizes[cluster["available_node_types"]["worker"]["node_config"]["InstanceType"]] == CORES_PER_NODE
