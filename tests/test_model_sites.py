"""Check the count of sites of fixed configurations by cases made by hand, and against the oracle's count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import Inputs, read_configurations, read_inputs
from model.siting import count_sites
from tests.draws import shipped
from tests.oracle.siting import count_sites as count_by_oracle

HUB, RENEWABLE, SMART = range(3)


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return read_inputs()


def count(inputs: Inputs, tier: int, *contract: float) -> tuple[list[float], bool]:
    """Sites of one tier in the first areas, and the flag; contract in GW."""
    x = np.zeros((len(inputs.areas), 3))
    x[: len(contract), tier] = np.array(contract) * inputs.scalars["load_factor"]
    sites, violated = count_sites(x, inputs)
    assert (np.delete(sites, tier, axis=1) == 0).all()
    assert (sites[len(contract) :] == 0).all()
    return sites[: len(contract), tier].tolist(), bool(violated)


def test_the_shipped_tiers_are_those_of_the_cases(inputs: Inputs) -> None:
    t = inputs.tiers
    assert t.names == ("hub", "renewable_city", "smart_city")
    assert (t.size_min.tolist(), t.size_max.tolist()) == ([0.5, 0.1, 0.02], [15, 0.5, 0.1])
    assert (t.sites_min.tolist(), t.sites_max.tolist()) == ([2, 5, 10], [5, 15, 20])
    assert t.sites_max_per_area.tolist() == [1, 5, 5]


@pytest.mark.parametrize(
    ("tier", "contract", "sites"),
    [
        pytest.param(HUB, (14.0, 7.0), [1, 1], id="one hub an area"),
        pytest.param(HUB, (15.0, 0.5), [1, 1], id="sizes at their limits"),
        pytest.param(RENEWABLE, (0.4, 0.9, 1.0), [1, 2, 2], id="the least number that holds the contract"),
        pytest.param(RENEWABLE, (0.4, 0.9), [1, 4], id="filled up to the national minimum of five"),
        pytest.param(RENEWABLE, (0.25, 0.31), [2, 3], id="no more than fit: 0.31 GW has room for three of 0.1 GW"),
        pytest.param(RENEWABLE, (0.7, 0.1, 0.1), [3, 1, 1], id="extras where there is most room"),
        pytest.param(RENEWABLE, (2.5,), [5], id="five in one area"),
        pytest.param(SMART, (0.1, 0.1), [5, 5], id="the least size in each site"),
        pytest.param(SMART, tuple([0.2] * 10), [2] * 10, id="twenty, the most"),
    ],
)
def test_rules_that_can_be_met(inputs: Inputs, tier: int, contract: tuple[float, ...], sites: list[float]) -> None:
    assert count(inputs, tier, *contract) == (sites, False)


@pytest.mark.parametrize(
    ("tier", "contract", "sites"),
    [
        pytest.param(HUB, (14.0,), [2], id="two hubs at least, one an area at most"),
        pytest.param(HUB, (16.0, 7.0), [2, 1], id="more than one hub holds"),
        pytest.param(HUB, (0.4, 7.0), [1, 1], id="smaller than the least hub"),
        pytest.param(HUB, (1.0,) * 6, [1] * 6, id="more than five hubs"),
        pytest.param(RENEWABLE, (2.6, 0.2), [6, 1], id="more than five in an area"),
        pytest.param(RENEWABLE, (0.49,), [5], id="five do not fit into 0.49 GW"),
        pytest.param(RENEWABLE, (2.0,) * 4, [4] * 4, id="more than fifteen in all"),
        pytest.param(SMART, (0.05, 0.03), [9, 1], id="ten do not fit: the rest goes to the largest"),
        pytest.param(SMART, (0.01, 0.5, 0.5), [1, 5, 5], id="one area too small, the others fill up"),
    ],
)
def test_rules_that_cannot_be_met_are_flagged(
    inputs: Inputs, tier: int, contract: tuple[float, ...], sites: list[float]
) -> None:
    assert count(inputs, tier, *contract) == (sites, True)


def test_a_tier_without_load_asks_for_nothing(inputs: Inputs) -> None:
    assert count(inputs, HUB, 6.0, 6.0, 6.0) == ([1, 1, 1], False)


def test_a_rounding_error_asks_for_no_further_site(inputs: Inputs) -> None:
    contract = 0.1 * 3 / 0.6 * 0.6  # 0.30000000000000004
    assert contract > 0.3
    few = replace(inputs, tiers=replace(inputs.tiers, sites_min=np.array([0.0, 0.0, 3.0])))
    assert count(few, SMART, contract) == ([3], False)
    assert count(few, SMART, 0.06 * (1 - 1e-12)) == ([3], False)


def test_a_tier_may_have_no_least_size(inputs: Inputs) -> None:
    tiny = replace(inputs, tiers=replace(inputs.tiers, size_min=np.zeros(3)))
    assert count(tiny, HUB, 1e-4, 3.0) == ([1, 1], False)


def test_tiers_are_counted_apart(inputs: Inputs) -> None:
    x = np.zeros((10, 3))
    x[0] = 6.0, 1.2, 0.12  # contract 10, 2 and 0.2 GW
    x[1] = 6.0, 0.3, 0.24
    sites, violated = count_sites(x, inputs)
    assert sites[:2].sum(axis=0).tolist() == [2, 5, 10]
    assert sites[0, RENEWABLE] == 4
    assert not violated
    x[0, HUB] = 0.0
    assert count_sites(x, inputs)[1] == 1.0, "one hub alone"


def test_load_of_any_tier_is_counted_as_hubs(inputs: Inputs, tmp_path: Path) -> None:
    rows = ["Tokyo,any,0.5", "Tokyo,hub,0.1", "Kansai,any,0.3", "Kansai,renewable_city,0.1"]
    table = tmp_path / "configurations.csv"
    table.write_text("configuration,area,tier,share\n" + "".join(f"made,{row}\n" for row in rows), encoding="utf-8")
    [made] = read_configurations(table, ["made"], inputs, "tiers", {})
    assert made.shares is not None
    tokyo, kansai = inputs.areas.index("Tokyo"), inputs.areas.index("Kansai")
    np.testing.assert_allclose(made.shares[[tokyo, kansai]], [[0.6, 0.0, 0.0], [0.3, 0.1, 0.0]])
    sites, violated = count_sites(10.0 * made.shares, inputs)
    assert sites[[tokyo, kansai]].tolist() == [[1, 0, 0], [1, 5, 0]]
    assert not violated
    [blind] = read_configurations(table, ["made"], inputs, "simple", {})
    assert blind.shares is not None
    np.testing.assert_allclose(blind.shares[[tokyo, kansai]], [[0.6], [0.4]])


@pytest.mark.parametrize("tier", [HUB, RENEWABLE, SMART])
def test_numbers_and_flags_are_those_of_the_oracle(inputs: Inputs, tier: int) -> None:
    rng, flags = np.random.default_rng(tier), set()
    name, size = inputs.tiers.names[tier], inputs.tiers.size_max[tier]
    for _ in range(300):
        contract = np.zeros((10, 1))
        used = rng.choice(10, rng.integers(1, 9), replace=False)
        contract[used, 0] = rng.uniform(0, rng.choice([0.3, 1.0, 3.0]) * size, used.size)
        theirs, broken = count_by_oracle(shipped(), [name], contract)
        mine, violated = count(inputs, tier, *contract[:, 0])
        assert sum(mine) == theirs.sum(), contract
        assert violated == broken, contract
        if theirs.sum() > inputs.tiers.sites_min[tier]:
            assert mine == theirs[:, 0].tolist(), contract
        flags.add(violated)
    assert flags == {True, False}
