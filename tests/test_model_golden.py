"""One tiny case for each family of constraints of dispatch, worked out by hand in its docstring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from model.dispatch import renewable_mix, renewable_output
from model.weather import WeatherYear
from tests.cases import THETA, solve_day, system

# Of every dispatch below: lng 10 yen/kWh, coal 5, no CO2 price, no minimum output; 24 hours; costs in million yen.
SUN = np.zeros(24)
SUN[8:16] = 1.0


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
        assert day.hourly("re") == near(np.full((1, 24), 1.8 + 0.8))
        assert day.cost == near(24 * 1.4 * 10)
        weather = WeatherYear(np.zeros(0), np.broadcast_to([0.5, 0.4, 0.9], (1, 24, 1, 3)), np.zeros(0))
        [output] = renewable_output({**THETA, **theta}, inputs, weather, np.array([0]))
        assert output[0] == near(np.array([[1.8] * 24, [0.8] * 24, [0.0] * 24]))
        assert renewable_mix(output)[0] == near(np.array([[1.8 / 2.6] * 24, [0.8 / 2.6] * 24, [0.0] * 24]))

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

    @pytest.mark.parametrize("hours", [8, 16])
    @pytest.mark.parametrize("pue", [1.0, 1.5])
    def test_time_share_bounds_the_shift(self, hours: int, pue: float) -> None:
        """A quarter of the load moves at most, up where there are 8 hours of sun, down where 8 are dark: 0.5 x 8 GWh x PUE."""
        sun = np.zeros(24)
        sun[:hours] = 1.0
        inputs = system("W", lng=10, solar=10, pue=[pue], scalars={"headroom": 1.0})
        day = solve_day(inputs, demand=0, load=2, theta={"wls_time_share": 0.25}, cf=sun)
        assert day.cost == near(pue * ((2 * (24 - hours) - 4) * 10 + 8 * 0.013))

    def test_machines_at_the_meter(self) -> None:
        """0.15 of 2 GW at PUE 1.5 are 0.45 GW more for 12 hours."""
        noon = np.zeros(24)
        noon[6:18] = 1.0
        inputs = system("W", lng=10, solar=10, pue=[1.5])
        day = solve_day(inputs, demand=0, load=2, theta={"wls_time_share": 0.25}, cf=noon)
        assert day["tau_up"] == near(0.45 * noon)

    space: Mapping[str, float | str] = {"apn_adoption": 0.5, "wls_space_share": 0.4}

    def test_space_shift_keeps_the_work(self) -> None:
        """0.5 x 0.4 of E's 1.5 GW leave lng: 0.3 at the meter, 0.2 of work, 0.2 at the meter of W (PUE 1) on coal."""
        inputs = system(coal=(10, 0), lng=(0, 10), pue=[1.0, 1.5], scalars={"headroom": 0.25})
        day = solve_day(inputs, demand=0, load=1, theta=self.space)
        assert day.hourly("sig_up") == near(np.array([[0.2] * 24, [0.0] * 24]))
        assert day.hourly("sig_dn") == near(np.array([[0.0] * 24, [0.3] * 24]))
        assert day.cost == near(24 * (1.2 * 5 + 1.2 * 10 + 0.5 * 0.017))

    @pytest.mark.parametrize(("load", "up", "down"), [((2, 1), 0.2, 0.3), ((1, 2), 0.2, 0.3), ((0.5, 3), 0.1, 0.15)])
    def test_space_share_bounds_either_end(self, load: tuple[float, float], up: float, down: float) -> None:
        """A fifth of E's load may leave, a fifth of W's may come: the less, in work, is moved; E's meter sees 1.5 times that."""
        inputs = system(coal=(10, 0), lng=(0, 10), pue=[1.0, 1.5], scalars={"headroom": 0.25})
        day = solve_day(inputs, demand=0, load=load, theta=self.space)
        assert day.hourly("sig_up")[0] == near(np.full(24, up))
        assert day.hourly("sig_dn")[1] == near(np.full(24, down))

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
