"""Check free configurations: what they may choose, the rules they keep, their bounds, and what no freedom can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from model import Case, Days, FreeSpec, Status, solve_draw
from model.chain import Dispatcher
from model.free import CONTINUOUS_GAP, SITES_GAP, FreeSolution, solve_free
from model.siting import LOCAL_TIER
from tests.draws import (
    FIXED,
    PLENTY,
    SCARCE,
    loads,
    nothing_but_status,
    nuclear_fuel,
    shipped,
    small_case,
    wide_draw,
)

NORTH = ("Hokkaido", "Tohoku", "Tokyo", "Chubu")
DAYS = Days(np.array([15, 280]), np.array([165.0, 200.0]))
FREE = {
    "optimal": FreeSpec(),
    "north": FreeSpec(areas=NORTH),
    "hubs": FreeSpec(tiers=("hub",)),
    "north_hubs": FreeSpec(areas=NORTH, tiers=("hub",)),
}
# The first may do less than the second. Hubs alone is no part of all tiers: who may use a tier must use it.
NESTED = [("north", "optimal"), ("north_hubs", "hubs")]
GAP = {"tiers": SITES_GAP, "simple": CONTINUOUS_GAP}
DRAWS = {
    "mid": dict(shipped().mid),
    "wide": wide_draw(32, dc_demand=12.0),
    "scarce": wide_draw(33, **SCARCE, wls_space_share=0.3) | {"dc_demand": 16.0},
    "plenty": wide_draw(34, **PLENTY),
}
TRIALS = [("tiers", "mid"), ("tiers", "wide"), ("tiers", "plenty"), *(("simple", name) for name in DRAWS)]


@dataclass(frozen=True)
class Solved:
    case: Case
    theta: Mapping[str, Any]
    result: Mapping[str, np.ndarray]

    def of(self, outcome: str, configuration: str) -> np.ndarray:
        names = [c.name for c in self.case.configurations]
        return np.asarray(self.result[outcome][names.index(configuration)])


@pytest.fixture(scope="module", params=TRIALS, ids=" ".join)
def solved(request: pytest.FixtureRequest) -> Solved:
    kind, draw = request.param
    case = small_case([*FIXED, *FREE], DAYS, kind=kind, free={n: f for n, f in FREE.items() if n != "optimal"})
    return Solved(case, DRAWS[draw], solve_draw(case, DRAWS[draw]))


def test_load_is_whole_and_stands_where_it_is_allowed(solved: Solved) -> None:
    inputs = solved.case.inputs
    assert (solved.result["status"] == Status.OPTIMAL).all()
    for configuration in solved.case.configurations:
        if not configuration.is_free:
            continue
        contract = solved.of("dc_capacity", configuration.name)
        load = contract * inputs.scalars["load_factor"]
        assert load.sum() == pytest.approx(solved.theta["dc_demand"], rel=1e-7)
        assert (contract >= 0).all()
        assert (contract[~configuration.allowed] == 0).all()
        assert (contract.sum(axis=1) <= inputs.headroom + 1e-6).all()
        assert solved.of("headroom_exceeded", configuration.name) == pytest.approx(0, abs=1e-6)


def test_sites_are_whole_and_keep_every_rule(solved: Solved) -> None:
    t, users = solved.case.inputs.tiers, solved.case.inputs.user_share
    for configuration in solved.case.configurations:
        if not configuration.is_free:
            continue
        sites, contract = (solved.of(outcome, configuration.name) for outcome in ("sites", "dc_capacity"))
        if solved.case.siting == "simple":
            assert np.isnan(sites).all()
            assert np.isnan(solved.of("sites_violated", configuration.name))
            assert solved.of("site_cost", configuration.name) == 0
            continue
        used = configuration.allowed.any(axis=0)
        assert (sites == np.rint(sites)).all()
        assert (sites[:, ~used] == 0).all(), "a tier that is not allowed need not be used"
        assert (sites.sum(axis=0) >= t.sites_min)[used].all()
        assert (sites.sum(axis=0) <= t.sites_max)[used].all()
        assert (sites <= t.sites_max_per_area).all()
        assert (contract >= sites * t.size_min - 1e-6).all()
        assert (contract <= sites * t.size_max + 1e-6).all()
        local = contract[:, t.names.index(LOCAL_TIER)] * solved.case.inputs.scalars["load_factor"]
        assert (local <= solved.theta["dc_demand"] * users + 1e-6).all(), "no more than the area's users need"
        assert solved.of("sites_violated", configuration.name) == 0
        assert solved.of("site_cost", configuration.name) == pytest.approx(float((sites @ t.site_cost).sum()))


def test_bound_and_total_are_within_the_gap(solved: Solved) -> None:
    for name in FREE:
        total, bound = solved.of("total_cost", name), solved.of("lower_bound", name)
        assert bound <= total * (1 + 1e-9)
        assert bound >= total * (1 - GAP[solved.case.siting])


def test_more_freedom_never_costs_more(solved: Solved) -> None:
    for less, more in NESTED:
        assert solved.of("lower_bound", more) <= solved.of("total_cost", less) * (1 + 1e-9)
        assert solved.of("total_cost", more) * (1 - GAP[solved.case.siting]) <= solved.of("total_cost", less)


def test_free_costs_no_more_than_what_it_might_have_chosen(solved: Solved) -> None:
    compared = 0
    for name in FIXED:
        uses_all = solved.case.siting == "simple" or bool((solved.of("sites", name).sum(axis=0) > 0).all())
        if not uses_all or solved.of("headroom_exceeded", name) > 0 or solved.of("sites_violated", name) == 1:
            continue
        compared += 1
        assert solved.of("lower_bound", "optimal") <= solved.of("total_cost", name) * (1 + 1e-9)
        assert solved.of("total_cost", "optimal") * (1 - GAP[solved.case.siting]) <= solved.of("total_cost", name)
    if solved.case.siting == "simple" and solved.theta is not DRAWS["scarce"]:
        assert compared >= 3
    if solved.case.siting == "tiers" and solved.theta is DRAWS["mid"]:
        assert compared == 1, "watt_bit_2040 keeps every rule"


def test_regret_is_against_the_named_configurations(solved: Solved) -> None:
    best = solved.result["total_cost"][: len(FIXED)].min()
    np.testing.assert_allclose(solved.result["regret_total"], solved.result["total_cost"] - best, atol=1e-9)
    assert (solved.result["regret_total"][: len(FIXED)] >= 0).all()
    assert np.isnan(solved.result["lower_bound"][: len(FIXED)]).all()


def test_siting_cut_of_a_free_configuration_bounds_the_others(solved: Solved) -> None:
    x = loads(solved.case, solved.result)
    for name in FREE:
        bound = solved.of("siting_cut_constant", name) + x @ solved.of("siting_value", name)
        assert (bound <= solved.result["dispatch_cost"] * (1 + 1e-9)).all()


def search(case: Case, theta: Mapping[str, Any]) -> FreeSolution:
    """Solve the case's last configuration, free, from no cut at all."""
    dispatcher = Dispatcher(case, theta)
    weights = dispatcher.days.weight
    return solve_free(case, theta, case.configurations[-1], dispatcher.solve_days, weights, [])


@pytest.mark.parametrize("kind", ["simple", "tiers"])
def test_found_without_the_cuts_of_others_too(kind: Any) -> None:
    theta, case = DRAWS["mid"], small_case(["tokyo_osaka", "optimal"], DAYS, kind=kind)
    found, result = search(case, theta), solve_draw(case, theta)
    assert found.status is Status.OPTIMAL
    assert found.placement is not None
    assert 2 <= found.rounds <= 60
    bound, total = found.lower_bound + nuclear_fuel(theta, case.inputs), result["total_cost"][1]
    assert bound == pytest.approx(result["lower_bound"][1], abs=2 * GAP[kind] * total)
    assert bound <= total * (1 + 1e-9)
    if kind == "tiers":  # rule 6 exactly: smart cities serve users of their own area
        own = np.einsum("kaa->a", found.placement.y)
        assert (found.placement.x[:, case.tiers.index(LOCAL_TIER)] <= own + 1e-7).all()


def test_the_reference_beside_it_is_enough() -> None:
    theta = DRAWS["mid"]
    alone = solve_draw(small_case(["tokyo_osaka", "optimal"], DAYS, kind="simple"), theta)
    among = solve_draw(small_case([*FIXED, "optimal"], DAYS, kind="simple"), theta)
    assert alone["total_cost"][1] == pytest.approx(among["total_cost"][-1], rel=2 * CONTINUOUS_GAP)
    assert alone["regret_total"][1] == pytest.approx(alone["total_cost"][1] - alone["total_cost"][0])
    assert alone["saving_total"][1] == pytest.approx(-alone["regret_total"][1])


@pytest.mark.parametrize(
    ("kind", "areas", "demand"),
    [
        pytest.param("simple", ("Okinawa",), 13.0, id="headroom of one area"),
        pytest.param("tiers", ("Okinawa",), 13.0, id="headroom of one area, tiers"),
        pytest.param("simple", None, 45.0, id="headroom of all areas"),
        pytest.param("tiers", ("Tokyo",), 8.0, id="two hubs at least, one an area"),
        pytest.param("tiers", None, 0.9, id="less load than the least sites hold"),
    ],
)
def test_what_cannot_be_is_infeasible_and_keeps_its_row(
    kind: Any, areas: tuple[str, ...] | None, demand: float
) -> None:
    case = small_case(["tokyo_osaka", "ten_areas", "caged"], DAYS, kind=kind, free={"caged": FreeSpec(areas=areas)})
    theta = DRAWS["mid"] | {"dc_demand": demand}
    result = solve_draw(case, theta)
    assert result["status"].tolist() == [Status.OPTIMAL, Status.OPTIMAL, Status.INFEASIBLE]
    assert nothing_but_status({n: a for n, a in result.items() if n != "regret_total"}, 2)
    assert np.isfinite(result["total_cost"][:2]).all()
    assert result["regret_total"][:2].min() == 0, "the named configurations are known all the same"
    assert np.isnan(result["regret_total"][2])
    assert search(case, theta).rounds == 1


def test_one_allowed_area_leaves_no_choice() -> None:
    case = small_case(["tokyo_osaka", "in_tokyo"], DAYS, kind="simple", free={"in_tokyo": FreeSpec(areas=("Tokyo",))})
    result = solve_draw(case, DRAWS["mid"] | {"dc_demand": 9.0})
    expected = np.zeros((10, 1))
    expected[case.inputs.areas.index("Tokyo")] = 15.0
    np.testing.assert_allclose(result["dc_capacity"][1], expected, atol=1e-6)
    assert result["lower_bound"][1] == pytest.approx(result["total_cost"][1], rel=CONTINUOUS_GAP)
