"""Options of the dispatch: each binds as its docstring works out by hand, none of them ever makes a day cheaper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import Days, InputError, Status, build_case, compile_template, read_inputs
from model.chain import Dispatcher
from model.configurations import Configuration
from model.dispatch import build_dispatch
from model.hourly import solve_hours
from model.inputs import Inputs
from model.option_tables import read_options
from model.options import MONTH_OF_DAY, Options, OptionsSpec
from model.outcomes import of_configuration
from model.siting import Placement
from tests.cases import THETA, YEAR, small_weather, solve_day, system

SUN = np.zeros(24)
SUN[8:16] = 1.0
PEAK = np.full(24, 4.0)
PEAK[18] = 8.0
FLAT = np.full(24, 4.0)
# The compiled dispatch of the shipped tables, from before there were options.
SPECIFICATION = "191cc28c756c7b47a4df36331d914d318d3e88666b37eb88b6f396441c5dc199"


def near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def lng(share: float) -> list[float]:
    return [0.0, share, 0.0]


def blocks(*pairs: tuple[float, float]) -> dict[str, Any]:
    """Heat-rate blocks (share, rate) of lng in the only area."""
    share, rate = np.zeros((1, 3, len(pairs))), np.ones((1, 3, len(pairs)))
    share[0, 1], rate[0, 1] = np.array(pairs).T
    return {"block_share": share, "heat_rate": rate}


def with_options(inputs: Inputs, **options: Any) -> Inputs:
    return replace(inputs, options=Options(**options))


def test_without_options_the_dispatch_is_that_of_the_specification() -> None:
    assert compile_template(build_dispatch(read_inputs())).fingerprint() == SPECIFICATION


def test_blocks_run_in_the_order_of_their_heat_rate() -> None:
    """Half of 8 GW burns 0.9, half 1.2: 4 GW at 9 yen, and the peak's 4 more at 12. CO2 follows fuel."""
    inputs = with_options(system("W", lng=8, emission=lng(0.4)), **blocks((0.5, 0.9), (0.5, 1.2)))
    assert solve_day(inputs, PEAK).cost == near(24 * 4 * 9 + 4 * 12)
    dear = {"co2_price": 5000.0}  # 2 yen/kWh at heat rate 1
    assert solve_day(inputs, PEAK, theta=dear).cost == near(1.2 * (24 * 4 * 9 + 4 * 12))


def test_reserve_commits_more_than_the_load_needs() -> None:
    """A reserve of 0.25 x 4 GW: 5 GW committed, of which at least half run, so at noon the sun's 4 GW give 1.5."""
    inputs = system("W", lng=10, solar=4, min_output=lng(0.5))
    assert solve_day(inputs, FLAT, cf=SUN).hourly("re").max() == near(2.0)
    held = solve_day(with_options(inputs, reserve=0.25, reserve_penalty=100.0), FLAT, cf=SUN)
    assert held["committed"] == near([5.0])
    assert held.hourly("re").max() == near(1.5)


def test_reserve_that_no_plant_can_hold_is_paid_for() -> None:
    """5 GW for a load of 4 and a reserve of 2: 1 GW is missing in every hour, at 100 yen/kWh."""
    day = solve_day(with_options(system("W", lng=5), reserve=0.5, reserve_penalty=100.0), FLAT)
    assert day["reserve_missing"] == near(np.ones(24))
    assert day.cost == near(24 * (4 * 10 + 100))


def test_forecast_margin_curtails_before_storage_is_full() -> None:
    """Of 4 GW sun for 2 of load and a battery of 2 GW: at a margin of 0.25, re <= (2 - ch) / 0.25 and re = 2 + ch: 3.2."""
    inputs = system("W", lng=10, solar=4, battery=[(2.0, 50.0)])
    assert solve_day(inputs, np.full(24, 2.0), cf=SUN).hourly("re")[0, 8:16] == near(np.full(8, 4.0))
    careful = solve_day(with_options(inputs, forecast_margin=0.25), np.full(24, 2.0), cf=SUN)
    assert careful.hourly("re")[0, 8:16] == near(np.full(8, 3.2))
    assert careful.hourly("charge")[0, 8:16] == near(np.full(8, 1.2))


def test_ramp() -> None:
    """Output may change by half of what is committed in an hour: up to 8 GW over 6, committed 8 all day, no minimum."""
    inputs = with_options(system("W", lng=8), ramp=np.array([np.inf, 0.25, np.inf]))
    day = solve_day(inputs, PEAK)
    # From 4 to 6 at most: 2 GW of the peak are unserved, since output cannot exceed the load beforehand.
    assert day["shed"].sum() == near(2.0)
    assert solve_day(with_options(inputs, ramp=np.array([np.inf, 0.5, np.inf])), PEAK)["shed"].sum() == near(0.0)


def test_transmission_loss() -> None:
    """4 GW in E come from W over a line that loses a fifth: 5 GW are sent and made."""
    inputs = system(("W", "E"), lng=[10, 0], lines=[("W", "E", 9.0, 9.0, "")])
    day = solve_day(with_options(inputs, transmission_loss=0.2), np.array([[0.0], [4.0]]))
    assert day["forward"] == near(np.full(24, 5.0))
    assert day.cost == near(24 * (5 * 10 + 5 * 0.01))


def year_case(inputs: Inputs, day: int, **theta: float) -> tuple[Any, dict[str, Any], np.ndarray]:
    draw = {**THETA, "dc_demand": 1.0, **theta}
    shares = np.full((len(inputs.areas), 1), 1 / len(inputs.areas))
    days = {YEAR: Days(np.array([day]), np.array([365.0]))}
    case = build_case(inputs, days, [Configuration("dc", shares, shares > 0)], "dc", "tiers", draw)
    return case, draw, shares[:, 0]


def monthly(inputs: Inputs, month: int, thermal: float, nuclear: float) -> Options:
    share = np.ones((12, len(inputs.areas), 3)), np.ones((12, len(inputs.areas)))
    share[0][month], share[1][month] = thermal, nuclear
    return Options(thermal_share=share[0], nuclear_share=share[1])


def test_availability_by_month() -> None:
    """In May half of 8 GW lng and a quarter of 2 GW nuclear; other months whole. Day 40 is in May, day 100 in July."""
    assert [MONTH_OF_DAY[d] for d in (0, 29, 30, 40, 100, 274, 275, 364)] == [3, 3, 4, 4, 6, 11, 0, 2]
    base = system("W", lng=8, nuclear=[2.0], demand=[120.0], weather=small_weather(1))
    inputs = replace(base, options=monthly(base, 4, 0.5, 0.25))
    for day, most, made in ((40, 4.0, 0.5), (100, 8.0, 2.0)):
        case, draw, load = year_case(inputs, day)
        hours = solve_hours(case, draw, load)
        assert hours["thermal"][..., 1].max() == near(most)
        assert hours["nuclear"] == near(np.full((1, 24, 1), made))
        [(year, _)] = Dispatcher(case, draw).solve_days([load])
        none = np.zeros((1, 1))
        placement = Placement(none, np.zeros((1, 1, 1)), none, None, np.nan)
        found = of_configuration(draw, inputs, placement, year)
        assert found["generation"][0, 3] == near(made * 8.76)  # type: ignore[index]


def profiles(areas: int, rng: np.random.Generator) -> dict[str, Any]:
    shape = rng.uniform(0.7, 1.3, 24)
    return {"pue_factor": rng.uniform(0.9, 1.1, (12, 24, areas)), "dc_factor": shape / shape.mean()}


def test_profiles_of_load_and_their_slope() -> None:
    """Load before shifts is PUE x X x both factors, and siting_value is still the slope of cost."""
    options = profiles(2, np.random.default_rng(3))
    inputs = system(
        lng=[30, 30],
        coal=[1, 2],
        solar=[6, 3],
        battery=[(1, 4), (0, 0)],
        lines=[("W", "E", 1, 1, "")],
        pue=[1.1, 1.3],
        demand=[40.0, 50.0],
        weather=small_weather(2),
    )
    case, draw, load = year_case(with_options(inputs, **options), 200, pue_gap=1.0)
    hours = solve_hours(case, draw, load)
    expected = np.array([1.1, 1.3]) * load * options["pue_factor"][MONTH_OF_DAY[200]] * options["dc_factor"][:, None]
    assert hours["dc_load"][0] == near(expected)
    assert case.slopes_by_day
    moving = {**draw, "wls_time_share": 0.2, "wls_space_share": 0.3, "apn_adoption": 0.5}
    step = np.array([1e-3, 0.0])
    dispatcher = Dispatcher(case, moving)
    sums = [year for year, _ in dispatcher.solve_days([load - step, load, load + step])]
    assert [year.status for year in sums] == [Status.OPTIMAL] * 3
    before, here, after = (year.cost for year in sums)
    slope = sums[1].slope[0]
    assert (here - before) / 1e-3 - 1e-3 <= slope <= (after - here) / 1e-3 + 1e-3
    # Space and time shifts move work, so energy at the meter may change, but what is moved balances as work.
    shifted = solve_hours(case, moving, load)["dc_load"][0] - expected
    factor = np.array([1.1, 1.3]) * options["pue_factor"][MONTH_OF_DAY[200]]
    assert (shifted / factor).sum() == pytest.approx(0.0, abs=1e-6)


EACH: dict[str, dict[str, Any]] = {
    "blocks": {
        "block_share": np.array([[[0, 0], [0.5, 0.5], [0, 0]]] * 2, dtype=float),
        "heat_rate": np.array([[[1, 1], [1.0, 1.3], [1, 1]]] * 2),
    },
    "reserve": {"reserve": 0.1, "reserve_penalty": 100.0},
    "forecast_margin": {"forecast_margin": 0.2},
    "ramp": {"ramp": np.array([0.1, 0.2, np.inf])},
    "transmission_loss": {"transmission_loss": 0.05},
    "curtailment_sharing": {"curtailment_sharing": 0.5},
}


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 1000), name=st.sampled_from(sorted(EACH)))
def test_an_option_never_makes_a_day_cheaper(seed: int, name: str) -> None:
    rng = np.random.default_rng(seed)
    inputs = system(
        coal=[3, 1],
        lng=[6, 7],
        solar=[12, 2],
        battery=[(2, 6), (0.5, 2)],
        lines=[("W", "E", 2, 1, "")],
        min_output=[0.4, 0.3, 0.0],
        emission=[0.8, 0.4, 0.0],
    )
    demand, sun = rng.uniform(2, 6, (2, 24)), SUN * rng.uniform(0.3, 1.0, (2, 1))
    plain = solve_day(inputs, demand, cf=sun).cost
    assert solve_day(with_options(inputs, **EACH[name]), demand, cf=sun).cost >= plain * (1 - 1e-9)


TABLES = {
    "heat_rates": "area,technology,block,share,heat_rate\nW,lng,old,0.4,1.2\nW,lng,new,0.6,0.9\n",
    "availability": "technology,area,month,share\n" + "".join(f"coal,all,{m},0.{m % 10}5\n" for m in range(1, 13)),
    "pue_profile": "area,month,hour,factor\n"
    + "".join(f"all,{m},{t},{1 + t / 100}\n" for m in range(1, 13) for t in range(24)),
    "dc_profile": "hour,factor\n" + "".join(f"{t},{1.0 + (-1) ** t * 0.1}\n" for t in range(24)),
}


def write(folder: Path, name: str, *edits: tuple[str, str]) -> OptionsSpec:
    text = TABLES[name]
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "t.csv").write_text(text)
    return OptionsSpec.model_validate({name: "t.csv"})


def test_tables_are_read(tmp_path: Path) -> None:
    areas = ("W", "E")
    read = read_options(write(tmp_path, "heat_rates"), tmp_path, areas)
    assert read.block_share is not None
    assert read.heat_rate is not None
    assert read.block_share[0, 1].tolist() == [0.6, 0.4]  # the cheapest first
    assert read.heat_rate[0, 1].tolist() == [0.9, 1.2]
    assert not read.block_share[1].any()
    read = read_options(write(tmp_path, "availability"), tmp_path, areas)
    assert read.thermal_share is not None
    assert read.nuclear_share is not None
    assert read.thermal_share[2].tolist() == [[0.35, 1.0, 1.0]] * 2
    assert (read.nuclear_share == 1).all()
    read = read_options(write(tmp_path, "pue_profile"), tmp_path, areas)
    assert read.pue_factor is not None
    assert read.pue_factor[5, 7].tolist() == [1.07, 1.07]
    assert read_options(write(tmp_path, "dc_profile"), tmp_path, areas).dc_factor is not None


@pytest.mark.parametrize(
    ("name", "edit", "key", "expected"),
    [
        ("heat_rates", ("0.4,1.2", "0.5,1.2"), "share[W/lng]", "sum to 1"),
        ("heat_rates", ("W,lng,old", "V,lng,old"), "area[V/lng/old]", "one of W, E"),
        ("heat_rates", ("0.4,1.2", "0.4,0"), "heat_rate[W/lng/old]", "a number in 0.1..10"),
        ("availability", ("coal,all,4,0.45\n", ""), "technology/area/month", "every month"),
        ("availability", ("coal,all,4,", "coal,all,13,"), "month[coal/all/13]", "a number in 1..12"),
        ("availability", ("coal,all,4,", "solar,all,4,"), "technology[solar/all/4]", "one of coal"),
        ("pue_profile", ("all,3,5,1.05\n", ""), "area/month/hour", "every hour"),
        ("dc_profile", ("3,0.9", "3,1.9"), "factor", "mean 1"),
        ("dc_profile", ("3,0.9\n", ""), "hour", "each of 0..23"),
        ("dc_profile", ("3,0.9", "3.5,0.9"), "hour[3.5]", "a whole number"),
    ],
)
def test_wrong_tables_are_refused(tmp_path: Path, name: str, edit: tuple[str, str], key: str, expected: str) -> None:
    with pytest.raises(InputError) as fault:
        read_options(write(tmp_path, name, edit), tmp_path, ("W", "E"))
    assert fault.value.where == "t.csv"
    assert fault.value.key == key
    assert expected in fault.value.expected


@pytest.mark.parametrize("ramp", [{"nuclear": 0.1}, {"coal": 1.5}])
def test_wrong_ramps_are_refused(ramp: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="found"):
        OptionsSpec(ramp=ramp)
