"""Check the oracle itself: against the case done by hand, and against laws that hold whatever the numbers."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.oracle import Data, load, solve_draw
from tests.oracle.data import power_system, weather_day
from tests.oracle.dispatch import solve_day
from tests.oracle.siting import count_sites, network
from tests.oracle.tiny import solve_tiny

HERE = Path(__file__).parent
CASE: dict[str, Any] = json.loads((HERE / "data" / "tiny_case.json").read_text(encoding="utf-8"))
DAY = [(100, 365.0)]


@pytest.fixture(scope="module")
def data() -> Data:
    return load(HERE.parent / "model" / "data")


@pytest.fixture(scope="module")
def draw(data: Data) -> dict[str, dict[str, Any]]:
    names = ("tokyo_osaka", "five_hubs", "watt_bit_2040")
    return solve_draw(data, {}, {name: data.configurations[name] for name in names}, "tokyo_osaka", DAY)


@pytest.mark.parametrize("expected", CASE["expected"], ids=lambda e: e["name"])
def test_tiny_case_as_by_hand(expected: dict[str, Any]) -> None:
    found = solve_tiny(CASE["input"], expected["X"])
    answers = {key: value for key, value in expected.items() if key not in ("name", "X")}
    assert found.keys() == answers.keys()
    for key, answer in answers.items():
        assert found[key] == pytest.approx(answer, rel=1e-9, abs=1e-9), key


def test_siting_value_is_the_slope_of_dispatch_cost(data: Data) -> None:
    theta, settings = data.theta({}), data.settings(None)
    system, day = power_system(data, theta, settings), weather_day(data, theta, 100)
    at = np.linspace(0.5, 2.3, len(system.areas))
    here = solve_day(system, day, at)
    for area in range(len(at)):
        step = np.zeros_like(at)
        step[area] = 1e-4
        behind, ahead = solve_day(system, day, at - step).cost, solve_day(system, day, at + step).cost
        # Cost is convex in X: the dual lies between the slopes on either side.
        assert (here.cost - behind) / 1e-4 - 1e-3 <= here.value_of_load[area] <= (ahead - here.cost) / 1e-4 + 1e-3


def test_cut_bounds_the_other_configurations_from_below(data: Data, draw: dict[str, dict[str, Any]]) -> None:
    load_factor = data.scalars["load_factor"]
    for cut in draw.values():
        for other in draw.values():
            at = {area: load_factor * sum(tiers.values()) for area, tiers in other["dc_capacity"].items()}
            bound = cut["siting_cut_constant"] + sum(cut["siting_value"][area] * x for area, x in at.items())
            assert bound <= other["dispatch_cost"] * (1 + 1e-9)


def test_every_area_balances(data: Data, draw: dict[str, dict[str, Any]]) -> None:
    theta = data.theta({})
    demand = weather_day(data, theta, 100).demand.sum(axis=1) * 365 / 1000
    for found in draw.values():
        generation = sum(v for row in found["generation"].values() for v in row.values() if not math.isnan(v))
        # Charged minus discharged is what the round trip loses.
        losses = sum(
            row[s] * (1 / data.fuels["round_trip_efficiency"][s] - 1)
            for row in found["storage_discharge"].values()
            for s in ("pumped_hydro", "battery")
        )
        served = demand.sum() + sum(found["dc_load"].values()) + losses
        supplied = generation + sum(found["unserved"].values()) - sum(found["spill"].values())
        assert supplied == pytest.approx(served, rel=1e-9)


def test_parts_sum_and_reference_saves_nothing(draw: dict[str, dict[str, Any]]) -> None:
    for found in draw.values():
        parts = sum(found[f"{part}_cost"] for part in ("building", "site", "network", "latency"))
        assert found["siting_cost"] == pytest.approx(parts)
        assert found["total_cost"] == pytest.approx(found["siting_cost"] + found["dispatch_cost"])
        assert found["regret_total"] >= 0
    assert draw["tokyo_osaka"]["saving_total"] == 0
    assert min(found["regret_total"] for found in draw.values()) == 0


@pytest.mark.parametrize("siting", ["simple", "tiers"])
def test_freedom_costs_no_more_and_meets_its_bound(data: Data, siting: str) -> None:
    names = ("tokyo_osaka", "watt_bit_2040")
    fixed = {name: data.configurations[name] for name in names}
    found = solve_draw(data, {}, fixed, "tokyo_osaka", DAY, siting=siting, free=["optimal"])
    best = found["optimal"]
    assert found["watt_bit_2040"]["headroom_exceeded"] == 0
    assert best["total_cost"] <= found["watt_bit_2040"]["total_cost"]
    assert best["lower_bound"] == pytest.approx(best["total_cost"], rel=2e-6)
    assert best["regret_total"] < 0
    contract = sum(sum(tiers.values()) for tiers in best["dc_capacity"].values())
    assert contract == pytest.approx(13 / 0.6)


def test_sites_of_fixed_configurations(data: Data) -> None:
    areas = len(data.areas)

    def count(*contract: float, tier: str = "hub") -> tuple[list[float], bool]:
        load = np.zeros((areas, 1))
        load[: len(contract), 0] = contract
        sites, violated = count_sites(data, [tier], load)
        return sites[: len(contract), 0].tolist(), violated

    assert count(14.0, 7.0) == ([1, 1], False)
    assert count(14.0) == ([2], True), "two hubs at least, one an area at most"
    assert count(16.0, 7.0) == ([2, 1], True)
    assert count(0.4, 7.0) == ([1, 1], True), "smaller than the least hub"
    assert count(*[1.0] * 6) == ([1] * 6, True), "more than five hubs"
    assert count(0.4, 0.9, 1.0, tier="renewable_city") == ([1, 2, 2], False)
    assert count(0.4, 0.9, tier="renewable_city") == ([2, 3], False), "raised to the national minimum"


def test_latency_by_hand(data: Data) -> None:
    net = network(data, data.scalars, 0.6)
    tokyo, kansai, kyushu = (list(data.areas.index).index(area) for area in ("Tokyo", "Kansai", "Kyushu"))
    # Tokyo to Osaka is about 400 km along the great circle.
    assert net.km[tokyo, kansai] == pytest.approx(1.4 * 400, rel=0.02)
    assert net.rtt_conv[tokyo, tokyo] == 8
    assert net.rtt_conv[kyushu, kyushu] == 8, "a local exchange"
    assert net.rtt_conv[tokyo, kansai] == pytest.approx(8 + 0.01 * net.km[tokyo, kansai])
    assert net.rtt_apn[kyushu, kyushu] == 1


def test_refuses_what_it_does_not_know(data: Data) -> None:
    with pytest.raises(KeyError, match="dc_demnad"):
        data.theta({"dc_demnad": 3})
    with pytest.raises(KeyError, match="volll"):
        data.settings({"volll": 3})
    with pytest.raises(ValueError, match="expected at most 1"):
        data.theta({"wls_time_share": 0.6, "wls_space_share": 0.5})
