"""Compare every outcome of the model with the oracle, a second implementation that shares no line with it."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import OUTCOMES, Case, Days, Siting, coordinates, solve_draw
from model.inputs import THERMAL
from model.outcomes import TECHNOLOGIES
from tests.draws import FIXED, PLENTY, SCARCE, shipped, small_case, wide_draw
from tests.oracle import solve_draw as solve_by_oracle

Rows = list[tuple[str, str, float]]
Result = Mapping[str, np.ndarray]
UNIQUE = (
    "fuel_cost",
    "co2_cost",
    "dispatch_cost",
    "siting_cost",
    "total_cost",
    "building_cost",
    "site_cost",
    "network_cost",
    "latency_cost",
    "unserved_cost",
    "saving_fuel_co2",
    "saving_fuel",
    "saving_co2",
    "saving_dispatch",
    "saving_total",
    "regret_total",
    "co2",
    "dc_capacity",
    "shifted_time",
    "shifted_space",
    "area_price",
    "siting_value",
    "siting_cut_constant",
    "line_value",
    "apn_value",
    "latency_unserved",
    "headroom_exceeded",
    "sites_violated",
    "lower_bound",
)
# Which area or hour sheds, spills, curtails or stores, money does not decide: the totals that it does decide are
# compared, and the rest where an island leaves no choice.
NOT_UNIQUE = (
    "generation",
    "curtailment",
    "storage_discharge",
    "unserved",
    "spill",
    "lole",
    "dc_load",
    "flow_net",
    "flow_gross",
    "congested_hours",
)
NATIONAL = [TECHNOLOGIES.index(t) for t in (*THERMAL, "nuclear", "hydro", "biomass_geothermal")]


@dataclass(frozen=True)
class Trial:
    """A random draw with its days and siting.

    ``names`` are shipped configurations, ``made`` counts random ones beside them; ``reaches`` names outcomes that must
    not be zero, lest the trial show nothing.
    """

    seed: int
    kind: Siting = "tiers"
    names: Sequence[str] = FIXED
    made: int = 2
    days: int = 2
    theta: Mapping[str, float | str] = field(default_factory=dict)
    scalars: Mapping[str, float] = field(default_factory=dict)
    reaches: Sequence[str] = ()


TRIALS = {
    "wide": Trial(11),
    "wide, simple": Trial(12, kind="simple"),
    "own scalars": Trial(
        13, days=1, scalars={"committed_floor": 0.5, "pumped_derate": 0.6, "voll": 1000.0, "headroom": 0.0}
    ),
    "other siting scalars": Trial(
        14, days=1, scalars={"load_factor": 0.75, "crf": 0.05, "net_cost": 0.01, "route_factor": 2}
    ),
    "scarce": Trial(15, kind="simple", theta=SCARCE, reaches=("unserved", "headroom_exceeded", "lole")),
    "plenty": Trial(16, theta=PLENTY, reaches=("spill", "sites_violated", "curtailment")),
    "nothing moves": Trial(
        17,
        days=1,
        theta={"wls_time_share": 0.0, "wls_space_share": 0.0, "apn_adoption": 0.0, "battery_buildout": 0.0},
    ),
    "all moves": Trial(
        18, days=1, theta={"wls_time_share": 0.4, "wls_space_share": 0.6, "apn_adoption": 1.0, "transfer_derate": 1.0}
    ),
}


def random_shares(rng: np.random.Generator) -> Rows:
    """Shares of a few areas and tiers at random; smart cities stay within the needs of their own users."""
    users = shipped().areas["population_m"]
    areas = list(users.index)
    local = rng.choice(areas, 3, replace=False)
    rows = [(str(a), "smart_city", float(0.9 * rng.uniform() * users[a] / users.sum())) for a in local]
    cells = [(a, tier) for a in areas for tier in ("any", "hub", "renewable_city")]
    chosen = rng.choice(len(cells), 7, replace=False)
    rest = rng.dirichlet(np.ones(7)) * (1 - sum(share for _, _, share in rows))
    return rows + [(*cells[number], float(share)) for number, share in zip(chosen, rest, strict=True)]


def write_table(path: Path, configurations: Mapping[str, Rows]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["configuration", "area", "tier", "share"])
        table.writerows([name, *row] for name, rows in configurations.items() for row in rows)
    return path


def both(trial: Trial, folder: Path, free: Sequence[str] = ()) -> tuple[Case, Result, dict[str, Result]]:
    """Solve a trial by the model and by the oracle; the oracle's answer by configuration, as arrays."""
    rng = np.random.default_rng(trial.seed)
    theta = wide_draw(trial.seed, **trial.theta)
    weight = rng.dirichlet(np.full(trial.days, 5.0)) * 365
    days = Days(np.sort(rng.choice(365, trial.days, replace=False)), weight)
    fixed = {name: shipped().configurations[name] for name in trial.names}
    fixed |= {f"made_{number}": random_shares(rng) for number in range(trial.made)}
    table = write_table(folder / "configurations.csv", fixed)
    case = small_case([*fixed, *free], days, kind=trial.kind, scalars=trial.scalars, table=table)
    pairs = list(zip(days.day.tolist(), days.weight.tolist(), strict=True))
    expected = solve_by_oracle(
        shipped(), theta, fixed, trial.names[0], pairs, siting=trial.kind, scalars=trial.scalars, free=free
    )
    labels = coordinates(case.inputs, case.configurations, case.tiers)
    arrays = {
        name: {o.name: laid_out(found[o.name], [labels[d] for d in o.dims]) for o in OUTCOMES if o.name in found}
        for name, found in expected.items()
    }
    return case, solve_draw(case, theta), arrays


def laid_out(value: Any, labels: Sequence[Sequence[str]]) -> np.ndarray:
    """The oracle's dict by label, nested for two dims, as an array."""
    if not labels:
        return np.array(value, dtype=float)
    assert set(value) == set(labels[0])
    return np.stack([laid_out(value[label], labels[1:]) for label in labels[0]])


def assert_close(found: np.ndarray, expected: np.ndarray, what: str) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6, err_msg=what)


def test_every_outcome_is_compared() -> None:
    by_rule = {"sites", "latency", "iterations", "status"}
    assert {o.name for o in OUTCOMES} == set(UNIQUE) | set(NOT_UNIQUE) | by_rule


@pytest.mark.parametrize("name", TRIALS)
def test_fixed_configurations_are_those_of_the_oracle(name: str, tmp_path: Path) -> None:
    case, result, expected = both(TRIALS[name], tmp_path)
    assert (result["status"] == 1).all()
    assert all(np.nanmax(result[outcome]) > 0 for outcome in TRIALS[name].reaches)
    for number, (configuration, of_oracle) in enumerate(expected.items()):
        mine = {outcome: array[number] for outcome, array in result.items()}
        # At the ends of adoption its limit binds beside another one (no work at all, all work): its dual is not unique.
        at_an_end = TRIALS[name].theta.get("apn_adoption") in (0.0, 1.0)
        for outcome in (o for o in UNIQUE if o != "apn_value" or not at_an_end):
            assert_close(mine[outcome], of_oracle[outcome], f"{outcome} of {configuration}")
        # The tie-breaker on round trips is so small that latency is known to fewer digits.
        np.testing.assert_allclose(mine["latency"], of_oracle["latency"], rtol=1e-5)
        of_fuel = [array.sum(axis=0)[NATIONAL] for array in (mine["generation"], of_oracle["generation"])]
        assert_close(*of_fuel, f"generation of {configuration}")
        for outcome in ("unserved", "spill"):
            assert_close(mine[outcome].sum(), of_oracle[outcome].sum(), f"{outcome} of {configuration}")
        assert (mine["lole"] > 0).any() == (of_oracle["lole"] > 0).any()
        same_sites(case, mine["sites"], of_oracle["sites"], configuration)


def same_sites(case: Case, found: np.ndarray, expected: np.ndarray, configuration: str) -> None:
    """By area; where a tier is filled up to its national minimum, in total alone: where the extras go is open."""
    if case.siting == "simple":
        assert np.isnan(found).all()
        assert np.isnan(expected).all()
        return
    np.testing.assert_array_equal(found.sum(axis=0), expected.sum(axis=0), err_msg=configuration)
    decided = expected.sum(axis=0) > case.inputs.tiers.sites_min
    np.testing.assert_array_equal(found[:, decided], expected[:, decided], err_msg=configuration)


def test_islands_without_storage_leave_no_choice(tmp_path: Path) -> None:
    still = {"transfer_derate": 0.0, "battery_buildout": 0.0, "wls_time_share": 0.0, "wls_space_share": 0.0}
    trial = Trial(
        19,
        names=["tokyo_osaka", "ten_areas"],
        theta={**still, "dc_demand": 20.0, "demand_growth": 1.1, "solar_buildout": 3.0},
        scalars={"pumped_derate": 0.0, "committed_floor": 0.3},
    )
    _, result, expected = both(trial, tmp_path)
    for number, (configuration, of_oracle) in enumerate(expected.items()):
        for outcome in (*UNIQUE, *(o for o in NOT_UNIQUE if o not in ("generation", "curtailment"))):
            assert_close(result[outcome][number], of_oracle[outcome], f"{outcome} of {configuration}")
        mine, theirs = result["generation"][number], of_oracle["generation"]
        assert_close(mine[:, NATIONAL], theirs[:, NATIONAL], "generation that is not curtailed")
        # Sun and wind cost the same, nothing: only together are they unique.
        curtailed = [np.nansum(array, axis=1) for array in (result["curtailment"][number], of_oracle["curtailment"])]
        assert_close(*curtailed, "curtailment")
        assert_close(np.nansum(mine, axis=1), np.nansum(theirs, axis=1), "generation")
    assert ((result["lole"] > 0) & (result["lole"] < 8760)).any()
    assert np.nansum(result["curtailment"]) > 1
    assert result["spill"].any()


FREE = {
    "simple": (Trial(21, kind="simple", names=FIXED[:2], made=0), 1e-6),
    "simple, cheap network": (
        Trial(22, kind="simple", names=FIXED[:1], made=1, scalars={"net_cost": 0.0, "latency_penalty": 0.5}),
        1e-6,
    ),
    "simple, scarce": (Trial(23, kind="simple", names=FIXED[:1], made=0, days=1, theta=SCARCE), 1e-6),
    "tiers": (Trial(25, names=FIXED[:1], made=0, days=1), 1e-4),
    "tiers, made configuration": (Trial(26, names=FIXED[:1], made=1, days=1), 1e-4),
    "tiers, mid of demand": (Trial(25, names=["five_hubs"], made=0, days=1, theta={"dc_demand": 13.0}), 1e-4),
}


@pytest.mark.parametrize("name", FREE)
def test_free_configuration_meets_the_oracle_within_its_gap(name: str, tmp_path: Path) -> None:
    trial, gap = FREE[name]
    _, result, expected = both(trial, tmp_path, free=["optimal"])
    total, bound = result["total_cost"][-1], result["lower_bound"][-1]
    of_oracle, solver = expected["optimal"], 1e-6  # the oracle's own gap
    assert result["status"][-1] == 1
    assert bound <= of_oracle["total_cost"] * (1 + 1e-9)
    assert bound >= of_oracle["total_cost"] * (1 - gap - solver)
    assert bound >= total * (1 - gap)
    assert of_oracle["lower_bound"] * (1 - 1e-9) <= total <= of_oracle["total_cost"] * (1 + gap)
    assert result["regret_total"][-1] == pytest.approx(total - result["total_cost"][:-1].min())
    assert_close(result["headroom_exceeded"][-1], np.zeros(()), "headroom")
