"""Small cases for the tests of the model: a system in memory that lists only what it has, and its dispatch and siting solved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import LiveHighs, Solution, Template, compile_template
from model.configurations import Configuration
from model.dispatch import build_dispatch, of_draw
from model.inputs import CURTAILABLE, STORAGE, THERMAL, Inputs, Lines, Tiers
from model.siting import Placement, build_siting, of_load, read_placement
from model.siting import of_draw as siting_of_draw
from model.spec import Siting
from model.weather import WeatherYear

Floats = NDArray[np.float64]
YEAR = "fy2030"  # the weather year of every small case

THETA: dict[str, float | str] = {  # a draw that changes nothing: no shifts, no CO2 price, tables as they stand
    "dc_demand": 10.0,
    "demand_growth": 1.0,
    "solar_buildout": 1.0,
    "wind_onshore_buildout": 1.0,
    "wind_offshore_buildout": 1.0,
    "battery_buildout": 1.0,
    "nuclear_capacity": 1.0,
    "pue_gap": 1.0,
    "regional_capex": 1.0,
    "lng_fuel_cost": 10.0,
    "coal_fuel_cost": 5.0,
    "co2_price": 0.0,
    "apn_adoption": 0.0,
    "wls_time_share": 0.0,
    "wls_space_share": 0.0,
    "transfer_derate": 1.0,
    "weather_year": YEAR,
}
SCALARS: dict[str, float] = {
    "crf": 0.1,
    "load_factor": 0.5,
    "net_cost": 0.001,
    "latency_penalty": 5.0,
    "headroom": 0.15,
    "voll": 3000.0,
    "route_factor": 1.0,
    "conv_ms_per_km": 0.005,
    "conv_overhead_ms": 8.0,
    "apn_ms_per_km": 0.006,
    "apn_overhead_ms": 1.0,
    "storage_cost": 0.5,
    "flow_cost": 0.01,
    "spill_cost": 1.0,
    "tie_breaker_time_shift": 0.013,
    "tie_breaker_space_shift": 0.017,
    "tie_breaker_rtt": 0.0001,
    "pumped_derate": 1.0,
}
KM_PER_DEGREE = 6371.0 * np.pi / 180  # along the equator


def system(
    areas: Sequence[str] = ("W", "E"),
    lines: Sequence[tuple[str, str, float, float, str]] = (),
    classes: Mapping[str, tuple[float, float]] | None = None,
    tiers: Mapping[str, Mapping[str, float]] | None = None,
    scalars: Mapping[str, float] | None = None,
    weather: WeatherYear | None = None,
    **given: Any,
) -> Inputs:
    """Inputs of a system in which everything that is not given is zero, 1000 km apart along the equator.

    Parameters
    ----------
    lines : (from, to, forward GW, backward GW, switch) each
    classes : name -> (share, limit in ms)
    given : keyword
        A technology's name -> capacity by area [GW] (storage: (GW, GWh) by area); or a field of ``Inputs``.
    """
    number = len(areas)
    fleet = {name: np.zeros((number, len(group))) for name, group in _FLEET.items()}
    fleet["energy"] = np.zeros((number, len(STORAGE)))
    for field, group in _FLEET.items():
        for column, technology in enumerate(group):
            sizes = given.pop(technology, None)
            if sizes is not None and field == "power":
                fleet["power"][:, column], fleet["energy"][:, column] = np.array(sizes, dtype=float).T
            elif sizes is not None:
                fleet[field][:, column] = sizes
    ends = [[areas.index(line[end]) for line in lines] for end in (0, 1)]
    limits = [np.array([line[side] for line in lines], dtype=float) for side in (2, 3)]
    kinds = {"batch": (1.0, np.inf)} if classes is None else classes
    sizes = {"hub": {}} if tiers is None else tiers
    usual = {
        "size_min": 0.0,
        "size_max": 100.0,
        "sites_min": 0.0,
        "sites_max": 99.0,
        "sites_max_per_area": 99.0,
        "site_cost": 0.0,
    }
    fields: dict[str, Any] = {
        "areas": tuple(areas),
        "exchanges": (0,),
        "latitude": np.zeros(number),
        "longitude": np.arange(number) * 1000 / KM_PER_DEGREE,
        "user_share": np.full(number, 1 / number),
        "pue": np.ones(number),
        "capex": np.full(number, 1000.0),
        "headroom": np.full(number, 100.0),
        "demand": np.zeros(number),
        "nuclear": np.zeros(number),
        "mustrun": np.zeros(number),
        "fuel_cost": np.array([5.0, 10.0, 20.0]),
        "emission": np.zeros(len(THERMAL)),
        "min_output": np.zeros(len(THERMAL)),
        "availability": np.ones(len(THERMAL)),
        "committed_floor": np.zeros(len(THERMAL)),
        "one_way": np.array([0.8, 0.9]),
        "nuclear_fuel_cost": 0.0,
        "nuclear_availability": 1.0,
        "lines": Lines(
            names=tuple(f"line{n}" for n in range(len(lines))),
            start=np.array(ends[0], dtype=np.int64),
            end=np.array(ends[1], dtype=np.int64),
            forward=limits[0],
            backward=limits[1],
            switch=tuple(line[4] for line in lines),
        ),
        "tiers": Tiers(
            names=tuple(sizes), **{key: np.array([{**usual, **t}[key] for t in sizes.values()]) for key in usual}
        ),
        "class_names": tuple(kinds),
        "class_share": np.array([share for share, _ in kinds.values()]),
        "class_limit": np.array([limit for _, limit in kinds.values()]),
        "scalars": {**SCALARS, **(scalars or {})},
        "weather": {YEAR: weather} if weather is not None else {},
    }
    arrays = {name: np.array(value, dtype=float) if name in _ARRAYS else value for name, value in given.items()}
    return Inputs(**{**fields, **fleet, **arrays})


_FLEET = {"thermal": THERMAL, "curtailable": CURTAILABLE, "power": STORAGE}
_ARRAYS = {
    "user_share",
    "pue",
    "capex",
    "headroom",
    "demand",
    "nuclear",
    "mustrun",
    "emission",
    "min_output",
    "availability",
    "committed_floor",
}


@dataclass(frozen=True)
class Solved:
    """A solved template; ``solved["gen"]`` are the values of a variable, hours last where it has them."""

    template: Template
    solution: Solution

    def __getitem__(self, variable: str) -> Floats:
        return self.solution.primal[self.template.columns[variable]]

    def hourly(self, variable: str) -> Floats:
        """Values (members, 24)."""
        return self[variable].reshape(-1, 24)

    @property
    def cost(self) -> float:
        """The objective."""
        return self.solution.objective


def solve_day(
    inputs: Inputs,
    demand: Any,
    load: Any = 0.0,
    theta: Mapping[str, float | str] | None = None,
    hydro: Any = 0.0,
    cf: Any = 0.0,
) -> Solved:
    """Solve one day of dispatch.

    Parameters
    ----------
    demand, hydro : array that fits (A, 24), GW
        One number: all areas and hours; (A, 1): all hours.
    load : array that fits (A,), GW
    cf : array that fits (curtailable plants, 24)
    """
    template = compile_template(build_dispatch(inputs))
    shape = (len(inputs.areas), 24)
    plants = (int((inputs.curtailable > 0).sum()), 24)
    day = {
        "demand": np.broadcast_to(demand, shape),
        "hydro": np.broadcast_to(hydro, shape),
        "cf": np.broadcast_to(cf, plants),
        "X": np.broadcast_to(load, shape[:1]),
    }
    draw = of_draw({**THETA, **(theta or {})}, inputs)
    return _solve(template, {name: v for name, v in {**draw, **day}.items() if name in template.parameters})


def solve_siting(
    inputs: Inputs,
    x: Any = None,
    allowed: Any = None,
    theta: Mapping[str, float | str] | None = None,
    siting: Siting = "tiers",
) -> tuple[Solved, Placement]:
    """Solve the siting stage around a given load ``x`` (A, J) [GW], or freely where ``allowed`` (A, J) says."""
    free = None if allowed is None else Configuration("free", None, np.array(allowed, dtype=bool))
    draw = {**THETA, **(theta or {})}
    template = compile_template(build_siting(inputs, siting, free))
    values = of_load(draw, inputs, np.array(x, float)) if free is None else siting_of_draw(draw, inputs, free)
    # Param alpha moves nothing where the tie-breaker on the round trip is off and no class is capped.
    solved = _solve(template, {name: v for name, v in values.items() if name in template.parameters})
    return solved, read_placement(template, solved.solution.primal, inputs, free)


def _solve(template: Template, values: Mapping[str, Any]) -> Solved:
    live = LiveHighs(template, options={"mip_rel_gap": 0.0, "mip_abs_gap": 0.0})
    live.move(template.values(template.vector(values)))
    return Solved(template, live.solve())


@cache
def small_weather(areas: int, seed: int = 1) -> WeatherYear:
    """A synthetic year: demand of seasons and hours, sun by day, wind at random (seeded)."""
    rng = np.random.default_rng(seed)
    season = np.cos(2 * np.pi * (np.arange(365) - 300) / 365)[:, None, None]
    hour = np.arange(24)[None, :, None]
    size = (365, 24, areas)
    demand = 5 + season + np.sin(np.pi * hour / 24) + 0.2 * rng.random(size)
    sun = np.clip(np.sin(np.pi * (hour - 6) / 12), 0, None) * rng.uniform(0.2, 1.0, (365, 1, areas))
    wind = np.clip(rng.uniform(0, 1, (365, 1, areas)) + 0.1 * rng.standard_normal(size), 0, 1)
    return WeatherYear(
        demand=demand, capacity_factor=np.stack([sun, wind, wind**0.5], axis=-1), hydro=np.full(size, 0.3)
    )
