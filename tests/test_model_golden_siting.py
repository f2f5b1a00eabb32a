"""One tiny case for each family of constraints of the siting stage, worked out by hand in its docstring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from model import Status
from tests.cases import solve_siting, system

# Of every siting below: D = 10 GW in one class; W (an exchange) and E 1000 km apart: 8 ms within an area, 18 between
# them, by photons 1 and 13. Load factor 0.5, annuity 0.1, 1000 billion yen per GW: 200 a year for a GW of load.
# Network 0.001 x 1000 km = 1 a year for a GW served from afar. Billion yen a year.
RTT = 0.0001
BUILDING = 10 * 200


def near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


class TestUsers:
    inputs = system(user_share=[0.6, 0.4])

    def test_users_are_served_at_least_distance(self) -> None:
        """All load in W: E's 4 GW of work are served from afar, its users see 18 ms, W's 8."""
        solved, placed = solve_siting(self.inputs, x=[[10], [0]])
        assert placed.y[0] == near(np.array([[6, 0], [4, 0]]))
        assert placed.z == near(np.zeros((1, 2)))
        assert solved.cost == near(BUILDING + 4 * 1 + RTT * (6 * 8 + 4 * 18))

    def test_load_near_its_users_serves_them(self) -> None:
        """5 and 5: one GW of W's work is served in E; alpha 0.5 makes 18 ms 15.5 and 8 ms 4.5."""
        solved, placed = solve_siting(self.inputs, x=[[5], [5]], theta={"apn_adoption": 0.5})
        assert placed.y[0] == near(np.array([[5, 1], [0, 4]]))
        assert solved.cost == near(BUILDING + 1 * 1 + RTT * (9 * 4.5 + 1 * 15.5))

    def test_limit_excludes_areas(self) -> None:
        """10 ms: nobody is served from afar. Of 5 and 5, W's users lack 1 GW, which runs all the same, in E."""
        inputs = system(user_share=[0.6, 0.4], classes={"realtime": (1.0, 10.0)})
        solved, placed = solve_siting(inputs, x=[[5], [5]], theta={"apn_adoption": 1.0})
        assert placed.y[0] == near(np.array([[5, 0], [0, 4]]))
        assert placed.z == near(np.array([[1, 0]]))
        assert solved["Z"] == near([0, 1])
        assert solved.cost == near(BUILDING + 5 * 8.76 * 1 + RTT * 9 * 1)

    def test_photonic_share_caps_what_needs_it(self) -> None:
        """15 ms are met by photons alone: alpha 0.25 of E's 4 GW may be served from W, at 13 ms; 3 meet it nowhere."""
        inputs = system(user_share=[0.6, 0.4], classes={"realtime": (1.0, 15.0)})
        solved, placed = solve_siting(inputs, x=[[10], [0]], theta={"apn_adoption": 0.25})
        assert placed.y[0] == near(np.array([[6, 0], [1, 0]]))
        assert placed.z == near(np.array([[0, 3]]))
        assert solved["Z"] == near([3, 0])
        near_rtt = 0.25 * 1 + 0.75 * 8
        assert solved.cost == near(BUILDING + 3 * 5 * 8.76 + 1 * 1 + RTT * (6 * near_rtt + 1 * 13))

    def test_classes_by_their_limits(self) -> None:
        """Half realtime (10 ms), half without limit: of E's 2 + 2 GW the first half goes unserved where all stands in W."""
        classes = {"realtime": (0.5, 10.0), "batch": (0.5, np.inf)}
        inputs = system(user_share=[0.6, 0.4], classes=classes)
        _, placed = solve_siting(inputs, x=[[10], [0]])
        assert placed.z == near(np.array([[0, 2], [0, 0]]))
        assert placed.y[1] == near(np.array([[3, 0], [2, 0]]))

    def test_building_cost(self) -> None:
        """E, no exchange, costs 0.9 x W's 1000 whatever its own column says: 0.1 x (6 x 1000 + 4 x 900) / 0.5."""
        inputs = system(user_share=[0.6, 0.4], capex=[1000, 5000])
        solved, _ = solve_siting(inputs, x=[[6], [4]], theta={"regional_capex": 0.9})
        assert solved.cost == near(1200 + 720 + RTT * 10 * 8)

    def test_building_cost_of_exchanges_is_their_own(self) -> None:
        inputs = system(user_share=[0.6, 0.4], capex=[1000, 1100], exchanges=(0, 1))
        solved, _ = solve_siting(inputs, x=[[6], [4]], theta={"regional_capex": 0.9})
        assert solved.cost == near(1200 + 880 + RTT * 10 * 8)


HUB = {"site_cost": 5.0}


class TestSites:
    cheap_east: Mapping[str, float | str] = {"regional_capex": 0.5}

    def test_smart_cities_serve_their_own_region(self) -> None:
        """E costs half, but smart cities alone may stand there and E's users ask for 2 GW."""
        inputs = system(user_share=[0.8, 0.2], tiers={"hub": {}, "smart_city": {}})
        _, placed = solve_siting(inputs, allowed=[[1, 0], [0, 1]], theta=self.cheap_east)
        assert placed.x == near(np.array([[8, 0], [0, 2]]))

    def test_smart_cities_beyond_their_region_are_infeasible(self) -> None:
        inputs = system(user_share=[0.8, 0.2], tiers={"hub": {}, "smart_city": {}})
        assert solve_siting(inputs, x=[[8, 0], [0, 2]])[0].solution.status is Status.OPTIMAL
        assert solve_siting(inputs, x=[[7, 0], [0, 3]])[0].solution.status is Status.INFEASIBLE

    def test_headroom_of_the_grid(self) -> None:
        """12 GW of contract in cheap E hold 6 GW of load; 5 users' GW are E's, 1 is served from afar."""
        inputs = system(headroom=[100, 12])
        solved, placed = solve_siting(inputs, allowed=[[1], [1]], theta=self.cheap_east)
        assert placed.x == near(np.array([[4], [6]]))
        assert solved.cost == near(4 * 200 + 6 * 100 + 1 + RTT * (9 * 8 + 18))

    def test_simple_study_has_headroom_and_no_sites(self) -> None:
        inputs = system(headroom=[100, 12], tiers={"hub": HUB, "smart_city": {}})
        solved, placed = solve_siting(inputs, allowed=[[1], [1]], theta=self.cheap_east, siting="simple")
        assert placed.x == near(np.array([[4], [6]]))
        assert solved.cost == near(4 * 200 + 6 * 100 + 1 + RTT * (9 * 8 + 18))
        assert placed.sites is None

    def test_largest_size_and_most_sites_of_an_area(self) -> None:
        """20 GW of contract; two hubs of 8 at most in cheap E: x = 8 there, 2 in W. Three sites at 5."""
        inputs = system(tiers={"hub": {**HUB, "size_max": 8, "sites_max_per_area": 2}})
        solved, placed = solve_siting(inputs, allowed=[[1], [1]], theta=self.cheap_east)
        assert placed.x == near(np.array([[2], [8]]))
        assert placed.sites == near(np.array([[1], [2]]))
        assert solved.cost == near(2 * 200 + 8 * 100 + 3 * 5 + 3 * 1 + RTT * (7 * 8 + 3 * 18))

    def test_least_size(self) -> None:
        """One hub an area, 18 GW of contract at most, 5 at least: the rest of 2 GW in W must be 5, so E has 15: 2.5 and 7.5."""
        inputs = system(tiers={"hub": {**HUB, "size_min": 5, "size_max": 18, "sites_max_per_area": 1}})
        solved, placed = solve_siting(inputs, allowed=[[1], [1]], theta=self.cheap_east)
        assert placed.x == near(np.array([[2.5], [7.5]]))
        assert solved.cost == near(2.5 * 200 + 7.5 * 100 + 2 * 5 + 2.5 * 1 + RTT * (7.5 * 8 + 2.5 * 18))

    def test_least_national_number(self) -> None:
        """One hub would do; three are asked for and paid for."""
        inputs = system("W", tiers={"hub": {**HUB, "sites_min": 3}})
        solved, placed = solve_siting(inputs, allowed=[[1]])
        assert placed.sites == near(np.array([[3]]))
        assert solved.cost == near(BUILDING + 3 * 5 + RTT * 10 * 8)

    def test_most_national_number(self) -> None:
        """20 GW of contract in sites of 8 need three; two may be built: infeasible. With three it can be done."""
        tier = {**HUB, "size_max": 8}
        for most, status in ((2, Status.INFEASIBLE), (3, Status.OPTIMAL)):
            solved, _ = solve_siting(system("W", tiers={"hub": {**tier, "sites_max": most}}), allowed=[[1]])
            assert solved.solution.status is status

    def test_every_tier_is_used(self) -> None:
        """Smart cities (4 a site) cost more than hubs, yet two of 0.5 GW of contract must be: x = 0.5, hubs 9.5."""
        smart = {"site_cost": 4.0, "size_min": 0.5, "size_max": 1.0, "sites_min": 2}
        solved, placed = solve_siting(system("W", tiers={"hub": HUB, "smart_city": smart}), allowed=[[1, 1]])
        assert placed.sites[0] == near([1, 2])
        assert 0.5 - 1e-9 <= placed.x[0, 1] <= 1 + 1e-9
        assert solved.cost == near(BUILDING + 5 + 2 * 4 + RTT * 10 * 8)
