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
LINES = ("transmission_loss", "line_margin")
FLEXIBLE = ("forecast_margin", "curtailment_sharing", *LINES)
STEPS: dict[str, tuple[str, ...]] = {
    "capacity as seen": ("heat_rates", "availability", "committed_floor", "pumped_derate", *FLEXIBLE),
    "LNG plants by vintage": ("availability", "committed_floor", "pumped_derate", *FLEXIBLE),
    "coal outages as seen": ("committed_floor", "pumped_derate", *FLEXIBLE),
    "least output as seen": ("pumped_derate", *FLEXIBLE),
    "pumped storage in use as seen": FLEXIBLE,
    "room for forecast errors": ("curtailment_sharing", *LINES),
    "curtailment shared by areas": LINES,
}
HEAT, SEASONS = {"heat_rates": "../backcast/heat_rates.csv"}, {"availability": "seasons.csv"}
MARGIN, LOSS, SHARING = {"forecast_margin": 0.15}, {"transmission_loss": 0.02}, {"curtailment_sharing": 0.5}
SEEN = ("committed_floor", "pumped_derate", "line_margin")
FLOOR, PUMPED, LINE = ({name: f"../backcast/{name}.csv"} for name in SEEN)
# Name of an option -> [options], [fixed]; the first is the specification.
VARIANTS: dict[str, tuple[Mapping[str, Any], Mapping[str, float]]] = {
    "specification": ({}, {}),
    "heat_rates": (HEAT, {}),
    "seasons": (SEASONS, {}),
    "committed_floor": (FLOOR, {}),
    "pumped_derate": (PUMPED, {}),
    "forecast_margin": (MARGIN, {}),
    "curtailment_sharing": (SHARING, {}),
    "transmission_loss": (LOSS, {}),
    "line_margin": (LINE, {"transfer_derate": 1.0}),
    "reserve": ({"reserve": 0.05}, {}),
    "ramp": ({"ramp": {"coal": 0.1, "lng": 0.3}}, {}),
    "pue_profile": ({"pue_profile": "pue_profile.csv"}, {}),
    "dc_profile": ({"dc_profile": "dc_profile.csv"}, {}),
    "left_out": ({"left_out": ["Okinawa"]}, {}),
    "all_of_the_back_cast": (
        HEAT | SEASONS | FLOOR | PUMPED | MARGIN | SHARING | LINE | LOSS,
        {"transfer_derate": 1.0},
    ),
}


def variant(name: str) -> Study:
    """The study of one option."""
    study = read_study(STUDIES / "validation" / "options.toml")
    options, fixed = VARIANTS[name]
    return study.model_copy(
        update={
            "name": f"option_{name}",
            "options": OptionsSpec.model_validate(options),
            "fixed": {**study.fixed, **fixed},
        }
    )


def step(name: str) -> Study:
    """The refined back-cast without what comes after a step."""
    study = read_study(STUDIES / "backcast_fy2024_refined.toml")
    absent = {missing: OptionsSpec.model_fields[missing].default for missing in STEPS[name]}
    fixed = dict(study.fixed)
    if "line_margin" in absent:
        fixed["transfer_derate"] = read_study(STUDIES / "backcast_fy2024.toml").fixed["transfer_derate"]
    return study.model_copy(update={"options": study.options.model_copy(update=absent), "fixed": fixed})


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
    for name in ("omissions", "region", "okinawa", "published"):
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
