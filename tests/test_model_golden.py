"""One tiny case for each family of constraints, worked out by hand in its docstring, and the case of ``tiny_case.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import Days, Status, build_case
from model.configurations import Configuration
from model.draw import Dispatcher
from model.inputs import Inputs
from model.weather import WeatherYear
from tests.cases import THETA, YEAR, solve_day, solve_siting, system

# Of every dispatch below: lng 10 yen/kWh, coal 5, no CO2 price, no minimum output; 24 hours; costs in million yen.
SUN = np.zeros(24)
SUN[8:16] = 1.0
BASE: dict[str, float | str] = {}


def near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def lng(share: float) -> list[float]:
    """A thermal column (coal, lng, oil) of the tables for lng alone."""
    return [0.0, share, 0.0]


class TestThermal:
    def test_minimum_output_curtails_the_sun(self) -> None:
        """4 GW at night commit 4 GW, which run at 1 GW at least: the sun's 8 GW may give 3. lng 16 x 4 + 8 x 1 = 72 GWh."""
        day = solve_day(system("W", lng=10, solar=8, min_output=lng(0.25)), demand=4, cf=SUN)
        assert day["committed"] == near([4.0])
        assert day.cost == near(72 * 10)
        assert day["re"].sum() == near(8 * 3)

    def test_minimum_output_of_what_a_peak_commits(self) -> None:
        """A peak of 8 over a base of 4: at mu = 0.75 u may be 4/0.75 = 16/3, so 8/3 GW of the peak go unserved."""
        demand = np.full(24, 4.0)
        demand[18] = 8.0
        day = solve_day(system("W", lng=10, min_output=lng(0.75)), demand)
        assert day["committed"] == near([16 / 3])
        assert day["shed"].sum() == near(8 / 3)
        assert day.cost == near((23 * 4 + 16 / 3) * 10 + 8 / 3 * 3000)

    def test_committed_floor(self) -> None:
        """Half of 0.8 x 12.5 GW must be committed: at least 1.25 GW by day. lng 16 x 4 + 8 x 1.25 = 74 GWh."""
        inputs = system("W", lng=12.5, solar=8, min_output=lng(0.25), availability=lng(0.8), committed_floor=lng(0.5))
        day = solve_day(inputs, demand=4, cf=SUN)
        assert day["committed"] == near([5.0])
        assert day.cost == near(74 * 10)

    def test_committed_floor_above_demand_is_spilled(self) -> None:
        """All 10 GW committed, 5 at least run, 4 are needed: 1 GW is spilled at 1 yen/kWh. 24 x (50 + 1)."""
        day = solve_day(system("W", lng=10, min_output=lng(0.5), committed_floor=lng(1.0)), demand=4)
        assert day["spill"] == near(np.ones(24))
        assert day.cost == near(24 * 51)

    def test_availability(self) -> None:
        """0.8 of 10 GW may run, 9 are needed: 1 GW is unserved."""
        day = solve_day(system("W", lng=10, availability=lng(0.8)), demand=9)
        assert day.cost == near(24 * (8 * 10 + 1 * 3000))

    def test_fuel_and_co2(self) -> None:
        """0.4 kg/kWh at 5000 yen/t add 2 yen/kWh to lng's 9; coal with 0.9 kg costs 4 + 4.5 and runs first, its 1 GW."""
        inputs = system("W", coal=1, lng=10, emission=[0.9, 0.4, 0.0])
        theta = {"lng_fuel_cost": 9.0, "coal_fuel_cost": 4.0, "co2_price": 5000.0}
        assert solve_day(inputs, demand=4, theta=theta).cost == near(24 * (1 * 8.5 + 3 * 11))


class TestRenewables:
    def test_available_energy_by_plant_and_buildout(self) -> None:
        """2 GW x cf 0.5 x 1.5 x 1.2 (that area alone) = 1.8 GW of sun, 1 GW x 0.4 x 2 = 0.8 of wind: lng gives 1.4 of 4."""
        inputs = system("W", lng=10, solar=2, wind_onshore=1)
        theta = {"solar_buildout": 1.5, "solar_buildout_W": 1.2, "wind_onshore_buildout": 2.0}
        day = solve_day(inputs, demand=4, theta=theta, cf=[[0.5], [0.4]])
        assert day.hourly("re") == near(np.array([[1.8] * 24, [0.8] * 24]))
        assert day.cost == near(24 * 1.4 * 10)

    def test_buildout_of_one_area_leaves_the_other(self) -> None:
        """1 GW of sun in each area, tripled in E alone."""
        inputs = system(lng=(10, 10), solar=(1, 1))
        day = solve_day(inputs, demand=4, theta={"solar_buildout_E": 3.0}, cf=1.0)
        assert day.cost == near(24 * (3 + 1) * 10)


class TestBalance:
    def test_everything_in_it(self) -> None:
        """Nuclear 2 x 0.75 x 1.2 = 1.8, hydro 0.5, must-run 0.3: of 5 x 1.1 + 1.2 x 2 = 7.9 GW lng gives 5.3."""
        inputs = system("W", lng=10, nuclear=[2], nuclear_availability=0.75, mustrun=[0.3], pue=[1.2])
        theta = {"nuclear_capacity": 1.2, "demand_growth": 1.1}
        day = solve_day(inputs, demand=5, load=2, theta=theta, hydro=0.5)
        assert day.cost == near(24 * 5.3 * 10)

    def test_spill_is_the_last_resort(self) -> None:
        """The same 2.6 GW for a demand of 1: 1.6 are spilled at 1 yen/kWh."""
        inputs = system("W", nuclear=[2.4], nuclear_availability=0.75, mustrun=[0.3])
        day = solve_day(inputs, demand=1, hydro=0.5)
        assert day["spill"] == near(np.full(24, 1.6))
        assert day.cost == near(24 * 1.6)

    def test_nuclear_hydro_and_mustrun_can_all_be_spilled(self) -> None:
        """No demand at all: nothing is infeasible."""
        day = solve_day(system("W", nuclear=[1.8], mustrun=[0.3]), demand=0, hydro=0.5)
        assert day["spill"] == near(np.full(24, 2.6))

    def test_shed_is_the_last_resort(self) -> None:
        """Nothing generates: all of 4 x 1.1 + 1.5 x 1 GW is unserved at 3000 yen/kWh."""
        day = solve_day(system("W", pue=[1.5]), demand=4, load=1, theta={"demand_growth": 1.1})
        assert day["shed"] == near(np.full(24, 5.9))
        assert day.cost == near(24 * 5.9 * 3000)

    def test_pue_gap(self) -> None:
        """PUE is that of the first exchange plus twice the difference: W 1.2, E 1.2 + 2 x 0.1. 24 x (1.2 + 1.4) x 10."""
        inputs = system(lng=(10, 10), pue=[1.2, 1.3])
        assert solve_day(inputs, demand=0, load=1, theta={"pue_gap": 2.0}).cost == near(24 * 2.6 * 10)


class TestStorage:
    def test_day_closes_with_efficiencies(self) -> None:
        """4 GWh of battery, 0.9 each way: 4/0.9 GWh in, 3.6 out. lng 16 - 3.6 GWh, and 0.5 yen/kWh discharged."""
        day = solve_day(system("W", lng=10, solar=10, battery=[(1, 4)]), demand=1, cf=SUN)
        assert day["charge"].sum() == near(4 / 0.9)
        assert day["discharge"].sum() == near(3.6)
        assert day.cost == near(12.4 * 10 + 3.6 * 0.5)

    def test_hour_0_follows_hour_23(self) -> None:
        """Sun in the last 6 hours alone, battery of 6 GWh charged at 1 GW: 5.4 in, 4.86 out, all of it `next` morning."""
        late = np.zeros(24)
        late[18:] = 1.0
        demand = np.ones(24)
        demand[6:] = 0.0
        day = solve_day(system("W", lng=10, solar=10, battery=[(1, 6)]), demand, cf=late)
        state = day["soc"]
        assert state[23] == near(5.4)
        assert state[0] == near(state[23] - day["discharge"][0] / 0.9)
        assert day.cost == near((6 - 4.86) * 10 + 4.86 * 0.5)

    def test_power_limits_charge_and_discharge(self) -> None:
        """2 hours of sun charge 2 GWh at 1 GW, 1.8 reach the store, 1.62 come back."""
        sun = np.zeros(24)
        sun[10:12] = 1.0
        day = solve_day(system("W", lng=10, solar=10, battery=[(1, 4)]), demand=1, cf=sun)
        assert day["discharge"].sum() == near(1.62)
        # Out: 0.5 GW at most serve the one dark hour that has a demand.
        demand = np.zeros(24)
        demand[20] = 1.0
        day = solve_day(system("W", lng=10, solar=10, battery=[(0.5, 4)]), demand, cf=SUN)
        assert day.cost == near(0.5 * 10 + 0.5 * 0.5)

    def test_battery_buildout(self) -> None:
        """Twice the battery: 8 GWh, 7.2 come back; pumped hydro (0.8 each way) stays at its 5 GWh, 4 come back."""
        inputs = system("W", lng=10, solar=20, battery=[(1, 4)], pumped_hydro=[(1, 5)])
        day = solve_day(inputs, demand=1, theta={"battery_buildout": 2.0}, cf=SUN)
        assert day.hourly("discharge").sum(axis=1) == near([4.0, 7.2])  # in the order pumped hydro, battery
        assert day.cost == near((16 - 11.2) * 10 + 11.2 * 0.5)

    def test_pumped_derate(self) -> None:
        """Half of 2 GW and 8 GWh: 4 GWh at 0.8 give 3.2, though no more than 1 GW at a time: 0.8 x 2 = 1.6 stay of 2 hours."""
        inputs = system("W", lng=10, solar=10, pumped_hydro=[(2, 8)], scalars={"pumped_derate": 0.5})
        assert solve_day(inputs, demand=1, cf=SUN).cost == near((16 - 3.2) * 10 + 3.2 * 0.5)
        sun = np.zeros(24)
        sun[10:12] = 1.0
        assert solve_day(inputs, demand=1, cf=sun)["soc"].max() == near(1.6)


class TestLines:
    inputs = system(coal=(10, 0), lng=(0, 10), lines=[("W", "E", 2, 1, "switch")])
    on: Mapping[str, float | str] = {"switch": 1.0}

    def test_forward_limit_with_derate(self) -> None:
        """2 x 0.75 = 1.5 GW of coal replace lng in E, at 0.01 yen/kWh of flow."""
        day = solve_day(self.inputs, [[1], [4]], theta={**self.on, "transfer_derate": 0.75})
        assert day["forward"] == near(np.full(24, 1.5))
        assert day["backward"] == near(np.zeros(24))
        assert day.cost == near(24 * (2.5 * 5 + 2.5 * 10 + 1.5 * 0.01))

    def test_backward_limit(self) -> None:
        """The other way round the limit is 1 x 0.75."""
        inputs = system(coal=(0, 10), lng=(10, 0), lines=[("W", "E", 2, 1, "switch")])
        day = solve_day(inputs, [[4], [1]], theta={**self.on, "transfer_derate": 0.75})
        assert day["backward"] == near(np.full(24, 0.75))
        assert day.cost == near(24 * (1.75 * 5 + 3.25 * 10 + 0.75 * 0.01))

    def test_switch(self) -> None:
        """Switched off, each area is alone; a line without a switch stands."""
        assert solve_day(self.inputs, [[1], [4]], theta={"switch": 0.0}).cost == near(24 * (5 + 40))
        lines = [("W", "E", 2, 1, "switch"), ("W", "E", 0.5, 0.5, "")]
        inputs = system(coal=(10, 0), lng=(0, 10), lines=lines)
        day = solve_day(inputs, [[1], [4]], theta={"switch": 0.0})
        assert day.cost == near(24 * (1.5 * 5 + 3.5 * 10 + 0.5 * 0.01))

    def test_transit(self) -> None:
        """What flows into an area may flow on: coal in W reaches E through M."""
        inputs = system(
            ("W", "M", "E"), coal=(10, 0, 0), lng=(0, 0, 10), lines=[("W", "M", 3, 0, ""), ("E", "M", 0, 1, "")]
        )
        assert solve_day(inputs, [[0], [1], [4]]).cost == near(24 * (2 * 5 + 3 * 10 + 3 * 0.01))


class TestShifts:
    def test_time_shift_closes_and_keeps_to_the_machines(self) -> None:
        """2 GW of DC alone, free sun for 12 hours: 0.15 x 2 GW more then, 3.6 GWh less at night. 0.013 each way."""
        noon = np.zeros(24)
        noon[6:18] = 1.0
        inputs = system("W", lng=10, solar=10)
        day = solve_day(inputs, demand=0, load=2, theta={"wls_time_share": 0.25}, cf=noon)
        assert day["tau_up"] == near(0.3 * noon)
        assert day["tau_dn"].sum() == near(3.6)
        assert day.cost == near((24 - 3.6) * 10 + 7.2 * 0.013)

    def test_time_share_bounds_the_shift(self) -> None:
        """With machines to spare a quarter of the load moves: 0.5 x 12 GWh; at the meter, so PUE 1.5 makes it 0.75 x 12."""
        noon = np.zeros(24)
        noon[6:18] = 1.0
        for pue in (1.0, 1.5):
            inputs = system("W", lng=10, solar=10, pue=[pue], scalars={"headroom": 1.0})
            day = solve_day(inputs, demand=0, load=2, theta={"wls_time_share": 0.25}, cf=noon)
            assert day.cost == near(pue * ((24 - 6) * 10 + 12 * 0.013))

    space: Mapping[str, float | str] = {"apn_adoption": 0.5, "wls_space_share": 0.4}

    def test_space_shift_keeps_the_work(self) -> None:
        """0.5 x 0.4 of E's 1.5 GW leave lng: 0.3 at the meter, 0.2 of work, 0.2 at the meter of W (PUE 1) on coal."""
        inputs = system(coal=(10, 0), lng=(0, 10), pue=[1.0, 1.5], scalars={"headroom": 0.25})
        day = solve_day(inputs, demand=0, load=1, theta=self.space)
        assert day.hourly("sig_up") == near(np.array([[0.2] * 24, [0.0] * 24]))
        assert day.hourly("sig_dn") == near(np.array([[0.0] * 24, [0.3] * 24]))
        assert day.cost == near(24 * (1.2 * 5 + 1.2 * 10 + 0.5 * 0.017))

    def test_space_shift_keeps_to_the_machines(self) -> None:
        """W can take 0.15 GW more only: 0.225 at the meter of E."""
        inputs = system(coal=(10, 0), lng=(0, 10), pue=[1.0, 1.5])
        day = solve_day(inputs, demand=0, load=1, theta=self.space)
        assert day.cost == near(24 * (1.15 * 5 + 1.275 * 10 + 0.375 * 0.017))

    def test_both_shifts_share_the_machines(self) -> None:
        """By day W (sun) takes 0.15 GW in all, of both kinds: nothing is won by the second; space is dearer by 0.004."""
        inputs = system(lng=(10, 10), solar=(10, 0))
        theta = {**self.space, "wls_time_share": 0.5}
        day = solve_day(inputs, demand=0, load=1, theta=theta, cf=SUN)
        assert (day.hourly("tau_up") + day.hourly("sig_up"))[0].max() == near(0.15)
        assert day.cost == near((24 - 8 + 24) * 10 - 8 * 0.15 * 10 + 2 * 8 * 0.15 * 0.013)

    def test_without_photonic_network_nothing_moves_in_space(self) -> None:
        inputs = system(coal=(10, 0), lng=(0, 10))
        day = solve_day(inputs, demand=0, load=1, theta={"wls_space_share": 0.4})
        assert day.cost == near(24 * 15)


# Of every siting below: D = 10 GW in one class; W (an exchange) and E 1000 km apart: 8 ms within an area, 18 between
# them, by photons 1 and 13. Load factor 0.5, annuity 0.1, 1000 billion yen per GW: 200 a year for a GW of load.
# Network 0.001 x 1000 km = 1 a year for a GW served from afar. Billion yen a year.
RTT = 0.0001
BUILDING = 10 * 200


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
LOCAL = {"site_cost": 0.0}


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
        inputs = system(headroom=[100, 12], tiers={"hub": HUB, "smart_city": LOCAL})
        solved, placed = solve_siting(inputs, allowed=[[1], [1]], theta=self.cheap_east, siting="simple")
        assert placed.x == near(np.array([[4], [6]]))
        assert solved.cost == near(4 * 200 + 6 * 100 + 1 + RTT * (9 * 8 + 18))
        assert np.isnan(placed.sites).all()

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


TINY: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "tiny_case.json").read_text(encoding="utf-8"))


def tiny_inputs(case: Mapping[str, Any]) -> Inputs:
    """The case's system; demand and sun as a weather year of equal days, so that they take the usual way."""
    areas, gas, battery, line = case["areas"], case["lng"], case["battery_W"], case["line"]
    size = (365, 24, len(areas))
    demand = np.array([case["demand_GW"][a] for a in areas])
    factor = np.zeros((*size, 3))
    factor[..., 0] = SUN[None, :, None]
    assert case["solar_cf"] == "1 in hours 8..15, else 0"
    return system(
        areas,
        lng=[case["lng_GW"][a] for a in areas],
        solar=[case["solar_GW"].get(a, 0.0) for a in areas],
        battery=[(battery["power_GW"], battery["energy_GWh"]) if a == "W" else (0.0, 0.0) for a in areas],
        lines=[(line["from"], line["to"], line["forward_GW"], line["backward_GW"], "")],
        one_way=np.sqrt([1.0, battery["round_trip"]]),
        pue=case["pue"],
        emission=lng(gas["co2_kg_per_kWh"]),
        min_output=lng(gas["mu"]),
        availability=lng(gas["availability"]),
        demand=demand * 8.76,
        scalars={name: case[name] for name in SCALARS_OF_TINY} | {"headroom": 0.0},
        weather=WeatherYear(np.broadcast_to(demand, size), factor, np.zeros(size)),
    )


SCALARS_OF_TINY = (
    "flow_cost",
    "storage_cost",
    "voll",
    "spill_cost",
    "tie_breaker_time_shift",
    "tie_breaker_space_shift",
)


@pytest.mark.parametrize("expected", TINY["expected"], ids=lambda e: e["name"])
def test_tiny_case(expected: dict[str, Any]) -> None:
    given = TINY["input"]
    inputs = tiny_inputs(given)
    theta = {
        **THETA,
        "lng_fuel_cost": float(given["lng"]["cost"]),
        "co2_price": float(given["co2_price"]),
        "wls_time_share": float(given["wls_time_share"]),
        "wls_space_share": float(given["wls_space_share"]),
        "dc_demand": 1.0,
    }
    x = np.array([expected["X"][a] for a in inputs.areas], dtype=float)
    fixed = Configuration("dc", x[:, None] / x.sum(), x[:, None] > 0)
    days = {YEAR: Days(np.array([200]), np.array([1.0]))}
    case = build_case(inputs, days, [fixed], "dc", "tiers", theta)
    [(year, _)] = Dispatcher(case, theta).solve_days([x])
    lng_gwh = year.thermal[:, 1]
    co2_kt = (year.thermal * inputs.emission).sum()
    found = {
        "objective_million_yen": year.cost,
        "fuel_million_yen": lng_gwh.sum() * given["lng"]["cost"],
        "co2_cost_million_yen": co2_kt * given["co2_price"] / 1000,
        "co2_kt": co2_kt,
        "lng_GWh": dict(zip(inputs.areas, lng_gwh, strict=True)),
        "solar_curtailed_GWh": year.curtailed[:, 0].sum(),
        "battery_discharge_GWh": year.discharge[:, 1].sum(),
        "battery_charge_GWh": year.discharge[:, 1].sum() / given["battery_W"]["round_trip"],
        "flow_W_to_E_net_GWh": year.flow_net[0],
        "unserved_GWh": year.shed.sum(),
        "spill_GWh": year.spill.sum(),
        "siting_value_million_yen_per_GW_day": dict(zip(inputs.areas, year.slope, strict=True)),
    }
    assert found.keys() == expected.keys() - {"name", "X"}
    for name, value in found.items():
        assert value == near(expected[name]), name
    assert year.status is Status.OPTIMAL
