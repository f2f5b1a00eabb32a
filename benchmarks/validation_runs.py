"""The runs behind docs/validation.md: the back-cast, one cube for each option, what omissions do, and many futures.

What a folder holds already is found finished, so that a broken run goes on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from model import Days, OptionsSpec
from model.linked import linked_cost
from storage import read_study as read_record
from sweep.drawing import draw
from sweep.hourly import write_hours
from sweep.plan import make_case, make_plan
from sweep.run import run
from sweep.study import Study, read_study
from sweep.theta import theta_of
from sweep.what_if import future

STUDIES = Path("studies")
BACKCASTS = ("backcast_fy2024", "backcast_fy2024_refined")
# The way from the one to the other, each step with those before it: what of the refined study is not there yet.
STEPS: dict[str, tuple[str, ...]] = {
    "capacity as seen": ("heat_rates", "availability", "scalars", "forecast_margin", "lines"),
    "LNG plants by vintage": ("availability", "scalars", "forecast_margin", "lines"),
    "coal outages as seen": ("scalars", "forecast_margin", "lines"),
    "committed floor, pumped storage in use": ("forecast_margin", "lines"),
    "room for forecast errors": ("lines",),
}
HEAT, SEASONS = {"heat_rates": "../backcast/heat_rates.csv"}, {"availability": "seasons.csv"}
MARGIN, LOSS = {"forecast_margin": 0.1}, {"transmission_loss": 0.02}
FLOOR, PUMPED = {"committed_floor": 0.5}, {"pumped_derate": 0.6}
# Name of an option -> [options], scalars, [fixed]; the first is the specification.
VARIANTS: dict[str, tuple[Mapping[str, Any], Mapping[str, float], Mapping[str, float]]] = {
    "specification": ({}, {}, {}),
    "heat_rates": (HEAT, {}, {}),
    "seasons": (SEASONS, {}, {}),
    "committed_floor": ({}, FLOOR, {}),
    "pumped_derate": ({}, PUMPED, {}),
    "forecast_margin": (MARGIN, {}, {}),
    "transmission_loss": (LOSS, {}, {}),
    "line_margin": ({}, {}, {"transfer_derate": 0.8}),
    "reserve": ({"reserve": 0.05}, {}, {}),
    "ramp": ({"ramp": {"coal": 0.1, "lng": 0.3}}, {}, {}),
    "pue_profile": ({"pue_profile": "pue_profile.csv"}, {}, {}),
    "dc_profile": ({"dc_profile": "dc_profile.csv"}, {}, {}),
    "all_of_the_back_cast": (HEAT | SEASONS | MARGIN | LOSS, FLOOR | PUMPED, {"transfer_derate": 0.8}),
}


def variant(name: str) -> Study:
    """The study of one option."""
    study = read_study(STUDIES / "validation" / "options.toml")
    options, scalars, fixed = VARIANTS[name]
    return study.model_copy(
        update={
            "name": f"option_{name}",
            "options": OptionsSpec.model_validate(options),
            "inputs": study.inputs.model_copy(update={"scalars": dict(scalars)}),
            "fixed": {**study.fixed, **fixed},
        }
    )


def step(name: str) -> Study:
    """The refined back-cast without what comes after a step."""
    study = read_study(STUDIES / "backcast_fy2024_refined.toml")
    options, inputs, fixed = study.options, study.inputs, dict(study.fixed)
    for missing in STEPS[name]:
        if missing == "scalars":
            inputs = inputs.model_copy(update={"scalars": {}})
        elif missing == "lines":
            options = options.model_copy(update={"transmission_loss": 0.0})
            fixed["transfer_derate"] = read_study(STUDIES / "backcast_fy2024.toml").fixed["transfer_derate"]
        else:
            options = options.model_copy(update={missing: OptionsSpec.model_fields[missing].default})
    return study.model_copy(update={"options": options, "inputs": inputs, "fixed": fixed})


def run_all(results: Path) -> None:
    """Run what is missing, in this process; cubes and hours go to ``results``."""
    results.mkdir(parents=True, exist_ok=True)
    for name in BACKCASTS:
        study = read_study(STUDIES / f"{name}.toml")
        _run(study, STUDIES, results)
        hours = results / f"{name}.nc"
        if not hours.exists():
            write_hours(future(study, STUDIES).hours(), hours)
    for number, name in enumerate(STEPS):
        hours = results / f"backcast_step_{number}.nc"
        if not hours.exists():
            write_hours(future(step(name), STUDIES).hours(), hours)
    for name in VARIANTS:
        _run(variant(name), STUDIES / "validation", results)
    if not (results / "weeks.json").exists():
        linked_weeks(results / "weeks.json")
    for name in ("omissions", "region", "published"):
        _run(read_study(STUDIES / "validation" / f"{name}.toml"), STUDIES / "validation", results)


WEEKS = range(3, 360, 51)  # first days of seven weeks, spread over the year
LINKS = {"days apart": (False, False), "storage linked": (True, False), "storage and commitment": (True, True)}


def linked_weeks(file: Path) -> None:
    """Cost of some whole weeks of the base draw, days apart and linked, by configuration [million yen], as JSON."""
    study = variant("specification")
    drawn = draw(study, STUDIES / "validation")
    days = {"fy2024": Days(np.arange(2), np.full(2, 182.5))}
    case = make_case(study, drawn.inputs, days, drawn.mids)
    theta = theta_of(drawn.table, 0)
    found: dict[str, dict[str, list[float]]] = {}
    for each in case.configurations:
        assert each.shares is not None
        load = float(theta["dc_demand"]) * each.shares.sum(axis=1)
        found[each.name] = {
            name: [linked_cost(case, theta, load, range(day, day + 7), *links) for day in WEEKS]
            for name, links in LINKS.items()
        }
    file.write_text(json.dumps(found, indent=1), encoding="utf-8")


def _run(study: Study, base: Path, results: Path) -> None:
    store = results / f"{study.name}.zarr"
    run(make_plan(study, base), store, serial=True)
    print(f"{store}: {read_record(store)['identity']['study']['name']}", flush=True)
