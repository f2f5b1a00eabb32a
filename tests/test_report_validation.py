"""Test the numbers of the validation page on made-up years and cubes whose answers are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from report.validation_data import at_most, by_area, by_hour, misfit, modelled_hours, read_observed
from report.validation_futures import okinawa_parts, published_parts
from report.validation_numbers import combinations, least_curtailed, option_effects, published

AREAS = ("Tokyo", "Tohoku")
HOURS = 8760


def actual(folder: Path) -> None:
    """A year of 10 GW thermal in Tokyo and 5 in Tohoku, which sends 1 GW; 0.1 GW curtailed in Tohoku at noon."""
    time = pd.date_range("2024-04-01", periods=HOURS, freq="h")
    rows = []
    for area, thermal, imports in (("Tohoku", 5.0, -1.0), ("Tokyo", 10.0, 1.0)):
        curtailed = np.where((time.hour == 12) & (area == "Tohoku"), 0.1, 0.0)
        rows.append(
            pd.DataFrame(
                {
                    "time": time,
                    "area": area,
                    "demand_GW": thermal + imports,
                    "thermal_GW": thermal,
                    "net_import_GW": imports,
                    "solar_curtailed_GW": curtailed,
                    "wind_curtailed_GW": 0.0,
                    "pumped_storage_GW": 0.0,
                }
            )
        )
    pd.concat(rows).to_csv(folder / "fy2024_hourly.csv.gz", index=False)
    totals = pd.DataFrame(
        {
            "area": ["Tohoku", "Tokyo"],
            "thermal": [43.8, 87.6],
            "coal": [43.8, 43.8],
            "lng": [0.0, 43.8],
            "oil": 0.0,
            "thermal_other": 0.0,
            "net_import": [-8.76, 8.76],
            "solar_curtailed": [0.0365, 0.0],
            "wind_curtailed": 0.0,
            "pumped_generation": 0.0,
            "source": "made up",
        }
    )
    totals.to_csv(folder / "fy2024_area_totals.csv", index=False)


def model_hours(tokyo: float) -> xr.Dataset:
    """Hours in which Tokyo makes so much LNG power beyond 5 GW of coal, and Tohoku's 5 GW of coal send the rest."""
    thermal = np.zeros((365, 24, 2, 3))
    thermal[..., 0] = 5.0
    thermal[:, :, 0, 1] = tokyo
    imports = np.zeros((365, 24, 2))
    imports[..., 0], imports[..., 1] = 6.0 - tokyo, tokyo - 6.0
    zero = np.zeros((365, 24, 2))
    return xr.Dataset(
        {
            "thermal": (("day", "hour", "area", "fuel"), thermal),
            "net_import": (("day", "hour", "area"), imports),
            "demand": (("day", "hour", "area"), zero),
            "curtailment": (("day", "hour", "area"), zero),
            "discharge": (("day", "hour", "area", "storage"), np.zeros((365, 24, 2, 1))),
            "charge": (("day", "hour", "area", "storage"), np.zeros((365, 24, 2, 1))),
        },
        coords={"area": list(AREAS), "fuel": ["coal", "lng", "oil"], "storage": ["pumped_hydro"]},
    )


def test_misfit_of_a_year_that_imports_too_little(tmp_path: Path) -> None:
    actual(tmp_path)
    observed = read_observed(tmp_path, AREAS)
    exact = misfit(by_area(model_hours(5.0), observed))
    assert exact.mean_area == pytest.approx(0.0)
    assert exact.tokyo_import == pytest.approx(0.0, abs=1e-9)
    off = misfit(by_area(model_hours(6.0), observed))
    assert off.tokyo_thermal == pytest.approx(8.76)
    assert off.tokyo_import == pytest.approx(-8.76)
    assert off.mean_area == pytest.approx(0.05)
    assert off.lng == pytest.approx(0.2)
    assert off.curtailment == 0.0
    hourly = by_hour(modelled_hours(model_hours(6.0)), observed)
    assert hourly.loc["Tokyo", "thermal_rmse"] == pytest.approx(1.0)
    assert hourly.loc["Tohoku", "hours_observed"] == 365
    assert hourly.loc["Tohoku", "hours_model"] == 0
    assert np.isnan(hourly.loc["Tokyo", "thermal_correlation"])


def cube(saving: np.ndarray, **parameters: np.ndarray) -> xr.Dataset:
    draws = saving.size
    energy = np.ones((draws, 2, 1, 3))
    energy[:, 0] = 2.0  # the reference curtails more
    named = ["solar", "wind_onshore", "wind_offshore"]
    table = {f"{name}_buildout": ("draw", parameters.pop(name, np.ones(draws))) for name in named}
    return xr.Dataset(
        {
            "saving_fuel_co2": (("draw", "configuration"), np.stack([np.zeros(draws), saving], axis=1)),
            "curtailment": (("draw", "configuration", "area", "technology"), energy),
            "generation": (("draw", "configuration", "area", "technology"), energy),
            **table,
            **{name: ("draw", values) for name, values in parameters.items()},
        },
        coords={"configuration": ["tokyo_osaka", "five_hubs"], "area": ["W"], "technology": named},
        attrs={"reference": "tokyo_osaka"},
    )


def test_place_of_the_published_figure() -> None:
    """Saving = 5 D + 100 (solar - 1): 65 is the middle of D = 8 to 18, and a line in the plane of both."""
    rng = np.random.default_rng(1)
    demand, solar = rng.uniform(8, 18, 400), rng.uniform(0.9, 1.1, 400)
    found = published(cube(5 * demand + 100 * (solar - 1), dc_demand=demand, solar=solar), "five_hubs")
    assert found.draws == 400
    assert found.quantile == pytest.approx(0.5, abs=0.06)
    assert found.low < found.quantile < found.high
    assert found.fit == pytest.approx(1.0)
    assert found.least_curtailed == 1.0
    assert list(found.ranges.index) == ["dc_demand", "solar_buildout"]
    assert found.plane == pytest.approx((-300.0, 5.0, 300.0), rel=1e-3)  # a third of the build-out is the sun's
    assert found.ranges.loc["dc_demand", "near 0.05"] > found.ranges.loc["dc_demand", "all 0.05"]


def test_effects_are_of_the_same_draws() -> None:
    plain, option = cube(np.array([97.0, 50.0, 60.0])), cube(np.array([100.0, 55.0, 58.0]))
    table = option_effects({"specification": plain, "finer": option}, "five_hubs")
    assert table.loc["finer", ["change", "least", "most"]].tolist() == [3.0, -2.0, 5.0]
    assert table.loc["specification", ["base", "others", "curtailed_reference", "curtailed"]].tolist() == [97, 55, 6, 3]


def test_who_curtails_least_is_counted_over_solved_draws() -> None:
    """Of three solved draws the configuration curtails least in two; a draw without a saving does not count."""
    found = cube(np.array([1.0, 2.0, np.nan, 3.0]), dc_demand=np.array([8.0, 9.0, 10.0, 11.0]))
    found["curtailment"][3, 1] = 5.0
    assert least_curtailed(found).to_dict() == {"tokyo_osaka": pytest.approx(1 / 3), "five_hubs": pytest.approx(2 / 3)}
    told = published_parts(cube(np.arange(60.0, 100.0), dc_demand=np.arange(40.0)))["published"]
    assert (
        "In 100 % of draws `five_hubs` curtails least of the four configurations, `tokyo_osaka` in 0 %."
        in told.replace("\n", " ")
    )


def test_okinawa_in_words() -> None:
    """Left out it moves no saving; one percent of the load there costs 5, and 4 to 6."""
    options = {name: cube(np.array([97.0, 50.0, 60.0])) for name in ("specification", "left_out")}
    there = cube(np.array([97.0, 50.0, 60.0]))["saving_fuel_co2"].assign_coords(
        configuration=["one_percent", "five_hubs"]
    )
    there[:, 1], there[:, 0] = [97.0, 50.0, 60.0], [92.0, 46.0, 54.0]
    found = okinawa_parts(options, xr.Dataset({"saving_fuel_co2": there}))
    assert found == {"left_out": "0.00", "okinawa_cost": "5.0", "okinawa_range": "4.0 to 6.0"}


def test_hours_at_a_limit(tmp_path: Path) -> None:
    """Tohoku sends 1 GW in all hours as observed; where it sends more in one hour of April, all others of April are below."""
    actual(tmp_path)
    observed = read_observed(tmp_path, AREAS)
    assert at_most(observed.hours, "Tohoku", observed) == 1.0
    hours = {"net_import": observed.hours["net_import"].copy()}
    hours["net_import"][5, AREAS.index("Tohoku")] = -1.5
    assert at_most(hours, "Tohoku", observed) == pytest.approx(1 - 719 / HOURS)


def test_combinations_tell_what_differs_from_the_first() -> None:
    less = np.array([1.0, 0.9, 1.0])
    made = cube(
        np.array([94.0, 60.0, 70.0]),
        solar=less,
        wind_onshore=less,
        wind_offshore=less,
        co2_price=np.array([12000.0, 8000.0, 12000.0]),
        nuclear_capacity=np.array([1.0, 1.0, 0.5]),
    )
    told = combinations(made, "five_hubs")
    assert told["what"].tolist() == ["middle case", "sun and wind 0.9, co2_price 8,000", "nuclear_capacity 0.5"]
    assert told["saving"].tolist() == [94.0, 60.0, 70.0]
