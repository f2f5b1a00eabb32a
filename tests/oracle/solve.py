"""Solve one draw for all its configurations and name the outcomes as the cube does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from tests.oracle.data import RENEWABLE, STORAGE, THERMAL, Data, power_system, weather_day
from tests.oracle.dispatch import HOURS, Day, System, add_day, solve_day
from tests.oracle.program import Floats, Program, Solution
from tests.oracle.siting import Siting, SitingBlocks, count_sites

TECHNOLOGIES = (*THERMAL, "nuclear", "hydro", "biomass_geothermal", *RENEWABLE, *STORAGE)
TIERS = ("hub", "renewable_city", "smart_city")
LEAST_LOAD = 0.001  # GW: siting_value is taken with every X_a at least this
Shares = Sequence[tuple[str, str, float]]
Outcome = dict[str, Any]


def solve_draw(
    data: Data,
    theta: Mapping[str, Any],
    configurations: Mapping[str, Shares],
    reference: str,
    days: Sequence[tuple[int, float]],
    *,
    siting: str = "tiers",
    scalars: Mapping[str, float] | None = None,
    free: Sequence[str] = (),
) -> dict[str, Outcome]:
    """Solve one draw.

    Parameters
    ----------
    data : Data
        Tables from `load`.
    theta : mapping
        Uncertain parameters by name; what is not given takes its `mid`.
    configurations : mapping
        Rows (area, tier, share of dc_demand) of each fixed configuration.
    reference : str
        The configuration that savings are measured from.
    days : sequence of (day, weight)
        Days of the weather year (0 = 1 April) and how many days of the year each stands for.
    siting : {"tiers", "simple"}
        "simple" sums shares over tiers and knows no sites.
    scalars : mapping, optional
        In place of those of scalars.csv; `committed_floor` in place of that of each fuel.
    free : sequence of str
        Names of configurations whose siting the model chooses, in all areas and all tiers.

    Returns
    -------
    dict
        By configuration, outcomes named as in the cube; those with dims are dicts by label, nested for two dims.
    """
    if siting not in ("tiers", "simple"):
        raise ValueError(f"siting is {siting!r}, expected 'tiers' or 'simple'")
    theta, settings = data.theta(theta), data.settings(scalars)
    system = power_system(data, theta, settings)
    weather = [(weather_day(data, theta, number), weight) for number, weight in days]
    stage = Siting(data, theta, settings, TIERS if siting == "tiers" else ("any",))

    results: dict[str, Outcome] = {}
    for name, shares in configurations.items():
        results[name] = _fixed(stage, system, weather, shares)
    for name in free:
        results[name] = _free(stage, system, weather)

    best = min((results[name]["total_cost"] for name in configurations), default=np.nan)
    base = results[reference]
    for result in results.values():
        for part in ("fuel", "co2", "dispatch", "total"):
            result[f"saving_{part}"] = base[f"{part}_cost"] - result[f"{part}_cost"]
        result["saving_fuel_co2"] = result["saving_fuel"] + result["saving_co2"]
        result["regret_total"] = result["total_cost"] - best
    return results


def _fixed(stage: Siting, system: System, weather: Sequence[tuple[Day, float]], shares: Shares) -> Outcome:
    areas, tiers = list(system.areas), list(stage.tiers)
    if abs(sum(share for _, _, share in shares) - 1) > 1e-9:
        raise ValueError(f"shares sum to {sum(share for _, _, share in shares)}, expected 1")
    x = np.zeros((len(areas), len(tiers)))
    for area, tier, share in shares:
        # Load of tier `any` is counted as hubs; the tier-blind study has one column.
        column = 0 if stage.blind or tier == "any" else tiers.index(tier)
        x[areas.index(area), column] += share * stage.demand
    contract = x / stage.settings["load_factor"]

    program = Program()
    blocks = stage.add(program, x)
    found = program.solve()
    if stage.blind:
        sites, violated = np.full_like(x, np.nan), np.nan
    else:
        sites, flag = count_sites(stage.data, tiers, contract)
        violated = float(flag)
    outcome = _siting_outcome(stage, blocks, found, x, sites)
    over = contract.sum(axis=1) - stage.headroom
    outcome |= {"headroom_exceeded": float(np.maximum(over, 0).sum()), "sites_violated": violated}
    outcome |= _dispatch_outcome(system, weather, x.sum(axis=1))
    outcome["total_cost"] = outcome["siting_cost"] + outcome["dispatch_cost"]
    moved = outcome.pop("value_of_space_share") * stage.theta["wls_space_share"]
    outcome["apn_value"] = (moved + stage.value_of_apn(blocks, found)) / 100
    outcome["lower_bound"] = np.nan
    return outcome


def _free(stage: Siting, system: System, weather: Sequence[tuple[Day, float]]) -> Outcome:
    program = Program()
    blocks = stage.add(program, None)
    load = program.columns((len(system.areas),))
    program.rows(load.shape, [(1, load), (-1, blocks.x)], lower=0, upper=0)
    for day, weight in weather:
        add_day(program, system, day, load, scale=weight / 1000)
    found = program.solve()

    x = np.maximum(found.value[blocks.x], 0)
    sites = np.full_like(x, np.nan) if blocks.sites is None else np.abs(np.round(found.value[blocks.sites]))
    outcome = _siting_outcome(stage, blocks, found, x, sites)
    outcome |= {"headroom_exceeded": 0.0, "sites_violated": np.nan if stage.blind else 0.0}
    outcome |= _dispatch_outcome(system, weather, x.sum(axis=1))
    outcome["total_cost"] = outcome["siting_cost"] + outcome["dispatch_cost"]
    outcome["lower_bound"] = found.bound + _nuclear_fuel(system, weather)
    return outcome


def _siting_outcome(stage: Siting, b: SitingBlocks, found: Solution, x: Floats, sites: Floats) -> Outcome:
    areas, tiers = list(stage.data.areas.index), list(stage.tiers)
    y, z = found.value[b.y], found.value[b.z]
    building = float((stage.building_rate[:, None] * x).sum())
    site = 0.0 if stage.blind else float((sites * stage.site_rate).sum())
    wires = float((stage.network_rate * y).sum())
    latency = float(stage.latency_rate * z.sum())
    served = y.sum(axis=(0, 2))
    with np.errstate(invalid="ignore"):
        seen = np.where(served > 0, (y * stage.network.seen).sum(axis=(0, 2)) / served, np.nan)
    return {
        "building_cost": building,
        "site_cost": site,
        "network_cost": wires,
        "latency_cost": latency,
        "siting_cost": building + site + wires + latency,
        "dc_capacity": _table(areas, tiers, x / stage.settings["load_factor"]),
        "sites": _table(areas, tiers, sites),
        "latency": _row(areas, seen),
        "latency_unserved": float(z.sum() / stage.demand),
    }


def _nuclear_fuel(system: System, weather: Sequence[tuple[Day, float]]) -> float:
    days = sum(weight for _, weight in weather)
    return float(days * HOURS * system.nuclear.sum() * system.nuclear_cost / 1000)


def _dispatch_outcome(system: System, weather: Sequence[tuple[Day, float]], load: Floats) -> Outcome:
    raised = np.maximum(load, LEAST_LOAD)
    solved = [(solve_day(system, day, load), weight) for day, weight in weather]
    cut = solved if (raised == load).all() else [(solve_day(system, day, raised), weight) for day, weight in weather]

    def year(name: str) -> Any:
        """Sum over the days by weight: million yen to billion, GWh to TWh, kt to Mt."""
        return sum(weight * getattr(result, name) for result, weight in solved) / 1000

    nuclear = _nuclear_fuel(system, weather)
    days = sum(weight for _, weight in weather)
    slope = sum(weight * result.value_of_load for result, weight in cut) / 1000
    cost_of_cut = sum(weight * result.cost for result, weight in cut) / 1000 + nuclear
    hydro = sum(weight * day.hydro.sum(axis=1) for day, weight in weather) / 1000
    constant = np.stack([system.nuclear * days * HOURS / 1000, hydro, system.mustrun * days * HOURS / 1000], axis=1)
    made = year("generation")
    areas, lines, nothing = list(system.areas), list(system.lines), np.full((len(load), 1), np.nan)
    first, second = len(THERMAL), len(STORAGE)
    generation = np.hstack([made[:, :first], constant, made[:, first:], nothing.repeat(second, axis=1)])
    curtailment = np.hstack([nothing.repeat(first + 3, axis=1), year("curtailment"), nothing.repeat(second, axis=1)])
    discharge = np.hstack([nothing.repeat(first + 3 + len(RENEWABLE), axis=1), year("discharge")])
    fuel = year("fuel") + nuclear
    return {
        "fuel_cost": fuel,
        "co2_cost": year("co2_kt") * system.co2_price / 1000,
        "dispatch_cost": year("cost") + nuclear,
        "unserved_cost": year("unserved_cost"),
        "co2": year("co2_kt"),
        "generation": _table(areas, TECHNOLOGIES, generation),
        "curtailment": _table(areas, TECHNOLOGIES, curtailment),
        "storage_discharge": _table(areas, TECHNOLOGIES, discharge),
        "unserved": _row(areas, year("unserved")),
        "spill": _row(areas, year("spill")),
        "lole": _row(areas, year("shed_hours") * 1000),
        "dc_load": _row(areas, year("dc_load")),
        "flow_net": _row(lines, year("flow_net")),
        "flow_gross": _row(lines, year("flow_gross")),
        "congested_hours": _row(lines, year("congested") * 1000),
        "shifted_time": year("shifted_time"),
        "shifted_space": year("shifted_space"),
        "area_price": _row(areas, year("price") * 1000 / days),
        "siting_value": _row(areas, slope),
        "line_value": _row(lines, year("value_of_lines")),
        "value_of_space_share": year("value_of_space_share"),
        "siting_cut_constant": float(cost_of_cut - slope @ raised),
    }


def _row(labels: Sequence[str], values: Any) -> dict[str, float]:
    return {label: float(value) for label, value in zip(labels, values, strict=True)}


def _table(rows: Sequence[str], columns: Sequence[str], values: Floats) -> dict[str, dict[str, float]]:
    return {row: _row(columns, line) for row, line in zip(rows, values, strict=True)}
