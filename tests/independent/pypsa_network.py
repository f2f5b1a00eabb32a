"""Build a day's dispatch as a PyPSA network, and keep or check its cost: ``python -m tests.independent.pypsa_network``.

PyPSA brings pyarrow, bottleneck and numexpr, with which pandas computes otherwise: it is kept out of the environment whose
cubes must not change, and in one of its own (`make independent`). What it found stands in ``pypsa.json``, and
tests/test_model_independent.py holds the model to that.

Committed capacity u of a unit is PyPSA's extendable capacity of no cost, so that mu u <= output <= u; must-run output is a
negative load, spill a generator that consumes. Shifts of load need equations beyond a network's: none here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.oracle.data import Data, load, power_system, weather_day
from tests.oracle.dispatch import Day, System
from tests.oracle.tiny import _build

ROOT = Path(__file__).parents[2]
KEPT = Path(__file__).parent / "pypsa.json"
TOLERANCE = 1e-6  # relative
STILL = {"wls_time_share": 0.0, "wls_space_share": 0.0}  # no shifts
SETTINGS = {"plain": {}, "floor": {"committed_floor": 0.5, "pumped_derate": 0.6}}
DAYS = (30, 110, 300)  # of FY2024: a sunny day of May, a hot one of July, a cold one of January
LOAD = {"Tokyo": 5.2, "Kansai": 2.6, "Hokkaido": 1.82, "Tohoku": 1.56, "Kyushu": 1.82}  # five_hubs at 13 GW


def network(system: System, day: Day, x: Any) -> Any:
    """The day as a PyPSA network; x: mean IT load (A,) [GW]."""
    import pypsa

    n = pypsa.Network()
    n.set_snapshots(range(24))
    marginal = system.variable_cost + system.emission * system.co2_price / 1000
    for a, area in enumerate(system.areas):
        n.add("Bus", area)
        base = float(system.pue[a] * x[a])
        must = system.nuclear[a] + system.mustrun[a] + day.hydro[a]
        n.add("Load", f"{area} load", bus=area, p_set=day.demand[a] + base)
        n.add("Load", f"{area} must-run", bus=area, p_set=-must)
        least = (system.minimum_output * system.committed_floor * system.availability * system.capacity[a]).sum()
        for g, fuel in enumerate(system.thermal):
            most = float(system.availability[g] * system.capacity[a, g])
            if most > 0:
                n.add(
                    "Generator",
                    f"{area} {fuel}",
                    bus=area,
                    p_nom_extendable=True,
                    p_nom_min=float(system.committed_floor[g]) * most,
                    p_nom_max=most,
                    p_min_pu=float(system.minimum_output[g]),
                    capital_cost=0.0,
                    marginal_cost=float(marginal[g]),
                )
        sun = day.renewable[a].sum(axis=0)
        for name, most, cost, sign in (
            ("renewable", sun, 0.0, 1.0),
            ("shed", day.demand[a] + base, system.voll, 1.0),
            ("spill", must + least, system.spill_cost, -1.0),
        ):
            peak = float(np.max(most))
            if peak > 0:
                n.add(
                    "Generator",
                    f"{area} {name}",
                    bus=area,
                    p_nom=peak,
                    p_max_pu=most / peak,
                    marginal_cost=cost,
                    sign=sign,
                )
        for s, store in enumerate(system.storage):
            power = float(system.power[a, s])
            if power > 0:
                n.add(
                    "StorageUnit",
                    f"{area} {store}",
                    bus=area,
                    p_nom=power,
                    max_hours=float(system.energy[a, s]) / power,
                    efficiency_store=float(system.efficiency[s]),
                    efficiency_dispatch=float(system.efficiency[s]),
                    cyclic_state_of_charge=True,
                    marginal_cost=system.storage_cost,
                )
    for line, name in enumerate(system.lines):
        ends = system.areas[system.line_from[line]], system.areas[system.line_to[line]]
        for way, limit in (("forward", system.forward[line]), ("backward", system.backward[line])):
            start, end = ends if way == "forward" else ends[::-1]
            n.add("Link", f"{name} {way}", bus0=start, bus1=end, p_nom=float(limit), marginal_cost=system.flow_cost)
    return n


def cost(system: System, day: Day, x: Any) -> float:
    """Cost of the day [million yen] as PyPSA and HiGHS find it."""
    n = network(system, day, x)
    status, condition = n.optimize(solver_name="highs", log_to_console=False)
    if status != "ok":
        raise RuntimeError(f"PyPSA ended {condition}")
    return float(n.objective) + float(getattr(n, "objective_constant", 0.0) or 0.0)


def cases() -> dict[str, tuple[System, Day, Any]]:
    """Every case by name: the one done by hand, and days of the ten areas."""
    tiny = json.loads((ROOT / "tests" / "data" / "tiny_case.json").read_text(encoding="utf-8"))
    found: dict[str, tuple[System, Day, Any]] = {}
    for expected in tiny["expected"]:
        system, day = _build(tiny["input"])
        found[f"tiny: {expected['name']}"] = system, day, np.array([expected["X"][a] for a in system.areas], float)
    data: Data = load(ROOT / "model" / "data")
    theta = data.theta(STILL)
    x = np.array([LOAD.get(area, 0.0) for area in data.areas.index])
    for name, scalars in SETTINGS.items():
        system = power_system(data, theta, data.settings(scalars))
        for number in DAYS:
            found[f"{name}: day {number}"] = system, weather_day(data, theta, number), x
    return found


def main() -> int:
    """Print every case's cost; with ``--keep`` write them, else compare them with those kept."""
    costs = {name: cost(*case) for name, case in cases().items()}
    if "--keep" in sys.argv:
        KEPT.write_text(json.dumps(costs, indent=1) + "\n", encoding="utf-8")
        return 0
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    wrong = [name for name in costs if abs(costs[name] - kept[name]) > TOLERANCE * abs(kept[name])]
    for name, value in costs.items():
        print(f"{name}: {value:.9g}, kept {kept[name]:.9g}{'  DIFFERS' if name in wrong else ''}")
    return 1 if wrong or costs.keys() != kept.keys() else 0


if __name__ == "__main__":
    sys.exit(main())
