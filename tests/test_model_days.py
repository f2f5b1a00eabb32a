"""Check the days that stand for a year: their number, weights, the extreme day, and that the same come out again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from model import DaysSpec, Inputs, choose_days
from model.days import representative_days
from model.inputs import read_inputs
from model.weather import WeatherYear
from tests.cases import YEAR, small_weather, system


def inputs_of(weather: WeatherYear) -> Inputs:
    """Two areas with sun and wind in a given weather year."""
    return system(solar=(2, 1), wind_onshore=(0.5, 0.5), demand=(50, 40), lng=(10, 10), weather=weather)


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return inputs_of(small_weather(2))


def residual(inputs: Inputs) -> np.ndarray:
    """National demand of 2040 less sun and wind (365, 24) [GW]."""
    weather = inputs.weather[YEAR]
    demand = weather.demand / weather.demand.sum(axis=(0, 1)) * inputs.demand * 1000
    return (demand - (weather.capacity_factor * inputs.curtailable).sum(axis=3)).sum(axis=2)


@pytest.mark.parametrize("number", [2, 3, 12, 40, 364])
def test_representative_days(inputs: Inputs, number: int) -> None:
    days = representative_days(inputs.weather[YEAR], inputs, number)
    assert days.day.size == days.weight.size == number
    assert days.weight.sum() == 365
    assert (np.diff(days.day) > 0).all(), "ascending, none twice"
    assert days.day.min() >= 0
    assert days.day.max() <= 364
    assert (days.weight >= 1).all()
    assert (days.weight % 1 == 0).all(), "each stands for whole days"


@pytest.mark.parametrize("number", [2, 12])
def test_extreme_day_stands_for_itself(inputs: Inputs, number: int) -> None:
    extreme = residual(inputs).max(axis=1).argmax()
    days = representative_days(inputs.weather[YEAR], inputs, number)
    assert days.weight[days.day == extreme].tolist() == [1.0]


def test_extreme_day_is_one_of_an_hour_and_of_renewables_that_fail() -> None:
    """Day 50 has the most energy asked for, day 200 the hour in which most is left to supply."""
    weather = small_weather(2, seed=4)
    demand, factors = weather.demand.copy(), weather.capacity_factor.copy()
    demand[50] += 1.0
    demand[200, 18] += 6.0
    factors[200] = 0.0
    inputs = inputs_of(WeatherYear(demand, factors, weather.hydro))
    days = representative_days(inputs.weather[YEAR], inputs, 6)
    assert days.weight[days.day == 200].tolist() == [1.0]
    assert representative_days(inputs.weather[YEAR], inputs, 1).day.tolist() == [200]


def test_one_day_is_the_extreme_one(inputs: Inputs) -> None:
    days = representative_days(inputs.weather[YEAR], inputs, 1)
    assert days.day.tolist() == [residual(inputs).max(axis=1).argmax()]
    assert days.weight.tolist() == [365.0]


def test_same_days_every_time() -> None:
    chosen = [representative_days(i.weather[YEAR], i, 8) for i in (inputs_of(small_weather(2)) for _ in range(2))]
    np.testing.assert_array_equal(chosen[0].day, chosen[1].day)
    np.testing.assert_array_equal(chosen[0].weight, chosen[1].weight)


def test_clusters_find_days_of_a_kind() -> None:
    """A year of 100 windy and 265 calm days, but for the extreme one: two medoids stand for 100 and 264."""
    weather = small_weather(2, seed=7)
    factors, demand = np.zeros_like(weather.capacity_factor), np.full_like(weather.demand, 5.0)
    windy = np.arange(365) % 7 < 2
    windy &= np.cumsum(windy) <= 100
    factors[windy, :, :, 1] = 0.9
    factors += 1e-3 * np.random.default_rng(1).random(factors.shape)
    factors[10] = 0.0
    demand[10] = 9.0
    assert windy.sum() == 100
    assert not windy[10]
    inputs = inputs_of(WeatherYear(demand, factors, weather.hydro))
    days = representative_days(inputs.weather[YEAR], inputs, 3)
    found = {
        ("windy" if windy[d] else "extreme" if d == 10 else "calm"): w
        for d, w in zip(days.day, days.weight, strict=True)
    }
    assert found == {"windy": 100.0, "calm": 264.0, "extreme": 1.0}


def test_a_series_that_never_varies_does_no_harm() -> None:
    """No sun in one area and no wind at all: nothing to scale by."""
    weather = small_weather(2)
    factors = weather.capacity_factor.copy()
    factors[..., 0, 0] = 0.0
    factors[..., 1:] = 0.0
    inputs = inputs_of(WeatherYear(weather.demand, factors, weather.hydro))
    assert representative_days(inputs.weather[YEAR], inputs, 5).weight.sum() == 365


def test_shipped_year() -> None:
    inputs = read_inputs()
    chosen = choose_days(DaysSpec(number=12, method="clusters"), inputs, ["fy2019", "fy2024"])
    assert list(chosen) == ["fy2019", "fy2024"]
    for days in chosen.values():
        assert days.day.size == 12
        assert days.weight.sum() == 365
        assert days.weight.min() == 1
    assert chosen["fy2019"].day.tolist() != chosen["fy2024"].day.tolist()


def test_all_days(inputs: Inputs) -> None:
    for spec in (DaysSpec(all=True), DaysSpec(number=365)):
        days = choose_days(spec, inputs, [YEAR])[YEAR]
        np.testing.assert_array_equal(days.day, np.arange(365))
        np.testing.assert_array_equal(days.weight, np.ones(365))


def test_days_of_a_file(inputs: Inputs, tmp_path: Path) -> None:
    """In any order, weights of any size that sum to 365; a year that no draw uses is passed over."""
    rows = [f"{YEAR},200,65.5", f"{YEAR},3,299.5"]
    (tmp_path / "days.csv").write_text("\n".join(["weather_year,day,weight,source", *(f"{r},own" for r in rows)]))
    days = choose_days(DaysSpec(file="days.csv"), inputs, [YEAR], tmp_path)[YEAR]
    assert days.day.tolist() == [3, 200]
    assert days.weight.tolist() == [299.5, 65.5]
    assert choose_days(DaysSpec(file="days.csv"), inputs, [], tmp_path) == {}
