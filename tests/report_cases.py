"""A made-up cube that has everything a policy report asks for, small and of known make."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import xarray as xr

from report.document import Document

NAMES = ["tokyo_osaka", "north", "five_hubs", "optimal"]
AREAS = ["Hokkaido", "Tohoku", "Tokyo", "Chubu", "Hokuriku", "Kansai", "Chugoku", "Shikoku", "Kyushu", "Okinawa"]
TIERS = ["hub", "renewable_city", "smart_city"]
TECHNOLOGIES = ["coal", "solar", "wind_onshore"]
LINES = ["hokkaido_tohoku", "japan_sea"]
MONEY = {"units": "billion yen per year (2024 prices)"}


def small_cube(draws: int = 64, design: str = "sobol", replicates: int = 1, seed: int = 3) -> xr.Dataset:
    """Make a cube of four configurations whose saving depends on ``dc_demand`` and a link, and little else."""
    rng = np.random.default_rng(seed)
    inputs = {
        "dc_demand": (rng.triangular(5, 13, 18, draws), "GW"),
        "co2_price": (rng.triangular(3000, 12000, 26000, draws), "yen/t"),
        "apn_adoption": (rng.beta(3, 2, draws), "share"),
        "japan_sea_hvdc": ((rng.random(draws) < 0.55).astype(float), "0/1"),
    }
    demand, link = inputs["dc_demand"][0], inputs["japan_sea_hvdc"][0]
    dims, count = ("draw", "configuration"), len(NAMES)
    relief = np.array([0.0, 1.0, 1.2, 1.4])
    fuel = (
        4000 + 40 * demand[:, None] - relief * (4 * demand - 20 * link - 15)[:, None] + rng.normal(0, 2, (draws, count))
    )
    fuel[:, 0] = 4000 + 40 * demand
    siting = np.array([3000.0, 2950, 2930, 2900]) * (demand / 13)[:, None]
    co2 = np.full((draws, count), 1000.0) * (inputs["co2_price"][0] / 12000)[:, None]
    total = fuel + co2 + siting + 50
    paired = {
        "saving_fuel_co2": (fuel + co2)[:, :1] - (fuel + co2),
        "saving_total": total[:, :1] - total,
        "saving_fuel": fuel[:, :1] - fuel,
        "saving_co2": co2[:, :1] - co2,
    }
    share = np.array([[0, 0, 0.65, 0, 0, 0.35, 0, 0, 0, 0], [0.3, 0.3, 0.4, 0, 0, 0, 0, 0, 0, 0]])
    shares = np.array([share[0], share[1], share[1], share[1]])
    capacity = shares[:, :, None] * np.array([0.8, 0.15, 0.05]) * (demand / 0.6)[:, None, None, None]
    by_area = (draws, count, len(AREAS))
    curtailment = np.full((*by_area, len(TECHNOLOGIES)), np.nan)
    curtailment[..., 1:] = rng.gamma(3, 0.2, (draws, 1, len(AREAS), 2)) * np.array([1, 0.8, 0.8, 0.7])[:, None, None]
    areas, lines = (*dims, "area"), (*dims, "line")
    outcomes = {
        "total_cost": (dims, total, MONEY),
        "fuel_cost": (dims, fuel, MONEY),
        "co2_cost": (dims, co2, MONEY),
        "regret_total": (dims, total - total[:, :3].min(axis=1, keepdims=True), MONEY),
        "building_cost": (dims, 0.7 * siting, MONEY),
        "siting_cost": (dims, siting, MONEY),
        "co2": (dims, co2 / 12, {"units": "Mt"}),
        "lole": (areas, np.zeros(by_area), {"units": "h"}),
        "unserved": (areas, np.zeros(by_area), {"units": "TWh"}),
        "latency": (areas, 10 + rng.random(by_area), {"units": "ms"}),
        "latency_unserved": (dims, rng.random((draws, count)) / 20, {"units": "1"}),
        "siting_value": (areas, 60 + 20 * rng.random(by_area), {"units": "billion yen per GW-year"}),
        "line_value": (
            lines,
            rng.gamma(2, 5, (draws, count, len(LINES))) * np.array([1.0, 3.0]),
            {"units": "billion yen per GW-year"},
        ),
        "apn_value": (
            dims,
            rng.gamma(2, 0.1, (draws, count)),
            {"units": "billion yen per year and percentage point"},
        ),
        "headroom_exceeded": (dims, np.zeros((draws, count)), {"units": "GW"}),
        "sites_violated": (dims, np.zeros((draws, count)), {"units": "1"}),
        "shifted_time": (dims, rng.random((draws, count)), {"units": "TWh"}),
        "shifted_space": (dims, rng.random((draws, count)), {"units": "TWh"}),
        "dc_capacity": ((*areas, "tier"), capacity, {"units": "GW"}),
        "sites": ((*areas, "tier"), np.ceil(capacity), {"units": "1"}),
        "curtailment": ((*areas, "technology"), curtailment, {"units": "TWh"}),
        "congested_hours": (lines, 2000 * rng.random((draws, count, len(LINES))), {"units": "h"}),
        **{name: (dims, values, MONEY) for name, values in paired.items()},
    }
    told = {
        name: (
            "draw",
            values,
            {"units": unit, "long_name": f"what {name} is", "source": "made up", "distribution": "x"},
        )
        for name, (values, unit) in inputs.items()
    }
    told["weather_year"] = (
        "draw",
        np.array(["fy2019", "fy2024"], dtype=object)[rng.integers(2, size=draws)],
        {"units": "choice"},
    )
    flags = {"flag_values": [0, 1, 2, 5], "flag_meanings": "not_run optimal infeasible set_aside"}
    return xr.Dataset(
        {**told, "status": (dims, np.ones((draws, count), np.int8), flags), **outcomes},
        coords={
            "draw": np.arange(draws),
            "configuration": NAMES,
            "area": AREAS,
            "tier": TIERS,
            "technology": TECHNOLOGIES,
            "line": LINES,
            "replicate": ("draw", np.arange(draws) % replicates),
        },
        attrs={
            "title": "Sweep of a small made-up study",
            "study_name": "made_up",
            "reference": "tokyo_osaka",
            "free_configurations": ["optimal"],
            "design_kind": design,
            "wattbit_inputs": list(told),
            "provenance": json.dumps({"seed": seed, "versions": {"numpy": "2"}}),
        },
    )


def decided(cube: xr.Dataset, measure: str = "mean", near: bool = True, **changed: Any) -> dict[str, Any]:
    """Make the record of a siting as `wattbit optimise` leaves it, 30 billion yen below plan `north` in every draw but one."""
    draws = cube.sizes["draw"]
    north = cube["total_cost"].sel(configuration="north").to_numpy()
    cost = north - 30 + 40 * (np.arange(draws) == 7) + (5 if measure != "mean" else 0)
    worst = np.sort(cost)[-round(draws / 10) :]

    def interval(value: float, ends: bool = True) -> dict[str, Any]:
        told = {"low": value - 1, "high": value + 1, "how": "replicates"} if ends else {"low": None, "high": None}
        return {"how": "one randomisation", **told, "estimate": value}

    measures = {
        "mean": interval(float(cost.mean())),
        "cvar:0.9": interval(float(worst.mean()), ends=False),
        "worst": interval(float(cost.max()), ends=False),
        "regret": interval(12.0 if measure == "mean" else 8.0, ends=False),
    }
    saved = {name: cube["total_cost"].sel(configuration=name).to_numpy() - cost for name in NAMES[:3]}
    shares = {"Hokkaido": {"renewable_city": 0.35}, "Tokyo": {"hub": 0.5, "smart_city": 0.05}, "Kansai": {"hub": 0.1}}
    ranges = {
        **{area: {"least_outer": 0.0, "least": 0.0, "most": 0.1, "most_outer": 0.12} for area in AREAS},
        "Hokkaido": {"least_outer": 0.2, "least": 0.25, "most": 0.45, "most_outer": 0.5},
        "hub": {"least_outer": 0.4, "least": 0.5, "most": 0.8, "most_outer": 0.9},
    }
    spaces = [
        {"percent": percent, "ranges": ranges, "must_have": ["Hokkaido"], "never": ["Okinawa"], "plans": []}
        for percent in (1.0, 2.0)
    ]
    value = float(cost.mean()) if measure == "mean" else float(worst.mean())
    return {
        "measure": measure,
        "budgets": {},
        "draws": draws,
        "cover": 1.0,
        "free": "optimal",
        "unit": "billion yen per year",
        "value": value,
        "lower_bound": 0.999 * value,
        "gap": 0.001,
        "x": shares,
        "load": {area: {tier: 13 * share for tier, share in tiers.items()} for area, tiers in shares.items()},
        "dc_demand_mean": 13.0,
        "measures": measures,
        "against": {
            name: {
                "mean_saving": interval(float(np.nanmean(values))),
                "draws_compared": draws,
                "better_in": float((values > 0).mean()),
                "largest_loss": float((-values).max()),
            }
            for name, values in saved.items()
        },
        "information": interval(14.0),
        "stochastic_solution": {"vss": interval(3.5)},
        "robustness": None,
        "fresh_draws": None,
        "replications": {"parts": 2, "gap": 1.0, "gap_at_most": 4.0, "why": None},
        "near": spaces if near else [],
        **changed,
    }


def marked_cube(draws: int = 64) -> xr.Dataset:
    """Make the small cube with a failed draw, lost load in another, and errors of its days."""
    made = small_cube(draws)
    made["status"][3, 1] = 2
    made["lole"][5, 2, 0] = 4.0
    plan = {"mean": 0.02, "worst": 0.05}
    error = {"futures": 12, "saving": {"by_configuration": {"north": plan}}, "curtailment": {"mean": 0.013}}
    days = {"how": "by decision", "number": {"fy2019": 12, "fy2024": 12}, "error": error}
    return made.assign_attrs(days_error=json.dumps(days))


def told(document: Document, name: str) -> tuple[str, dict[str, float]]:
    """Give the text of a section of a document, and the numbers that its sentences name."""
    section = next(each for each in document.sections if each.name == name)
    numbers = {key: value for sentence in section.sentences for key, value in sentence.numbers.items()}
    return " ".join(sentence.text for sentence in section.sentences), numbers
