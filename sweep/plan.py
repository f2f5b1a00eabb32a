"""The plan: everything checked, every draw drawn, every solve counted, before anything runs or is written."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import model
import sampling
from model import (
    OUTCOMES,
    RESIDUALS,
    WEATHER_YEAR,
    Case,
    Days,
    Inputs,
    InputsSpec,
    Status,
    build_case,
    coordinates,
    read_configurations,
    solve_draw,
)
from model.options import TABLES as OPTION_TABLES
from sampling import DrawRows
from storage import Layout, Variable
from sweep.days import StudyDays, study_days
from sweep.drawing import Drawn, draw, tables_of_values
from sweep.labels import labelled
from sweep.study import Study
from sweep.theta import REGRET, Theta, theta_of

PACKAGES = ("wattbit-sweep", "highspy", "numpy", "pyomo", "scipy", "tsam")  # what may change a byte of the cube
PILOT_DAYS = 24


@dataclass(frozen=True, eq=False)
class Plan:
    """A study that can run: its draws, its case, the shape of its cube, and what the cube must agree with.

    Attributes
    ----------
    rows : DrawRows
        The draws as the cube has them, with what is told of each column.
    """

    study: Study
    rows: DrawRows
    case: Case
    layout: Layout
    identity: Mapping[str, Any]
    tables: Mapping[str, Path]
    mids: Theta
    drawn: Drawn
    days: StudyDays

    @cached_property
    def table(self) -> xr.Dataset:
        """All draws in memory: for what looks at them as a whole, never for a sweep."""
        return self.rows.whole()

    @property
    def days_per_draw(self) -> float:
        """Mean number of days over the draws."""
        return sum(len(self.case.days[y].day) * count for y, count in self.drawn.years.items()) / self.rows.draws

    def counts(self) -> dict[str, int]:
        """Draws, configurations, batches, values and files of the sweep."""
        configurations = self.case.configurations
        free = sum(c.is_free for c in configurations)
        return {
            "draws": self.layout.draws,
            "configurations": len(configurations),
            "free_configurations": free,
            "day_solves_fixed": round(self.layout.draws * self.days_per_draw * (len(configurations) - free)),
            "batches": self.layout.batches,
            "bytes": self.layout.nbytes,
            "files": self.layout.files,
        }

    def pilot_seconds(self) -> float:
        """Seconds that one draw takes on this machine, measured on the first draw with at most ``PILOT_DAYS`` days."""
        theta = theta_of(self.rows.rows(0, 1), 0)
        year = str(theta[WEATHER_YEAR])
        days = self.case.days[year]
        chosen = np.unique(np.linspace(0, len(days.day) - 1, PILOT_DAYS).round().astype(int))
        weight = days.weight[chosen] * 365 / days.weight[chosen].sum()
        begun = time.perf_counter()
        solve_draw(replace(self.case, days={year: Days(days.day[chosen], weight)}), theta)
        return (time.perf_counter() - begun) * self.days_per_draw / len(chosen)

    def continuing(self, layout: Layout, start: str) -> Plan:
        """Return this plan as the continuation of a cube that begins with some of its draws and configurations.

        Parameters
        ----------
        layout : Layout
            Of the cube. Its configurations keep their order and come first, whatever their order in the study; the
            others become a generation of their own.
        start : str
            The weather year whose first day gave the cube's starting basis.
        """
        held = layout.coords["configuration"]
        names = (*held, *(c for c in self.study.configurations if c not in held))
        study = self.study.model_copy(update={"configurations": names})
        case = self.case
        if names != self.study.configurations or start != self.identity["start"]:
            case = make_case(study, case.inputs, case.days, self.mids, start)
        whole = layout.grown(self.layout.draws, names[len(held) :])
        of_study = {**self.identity["study"], "configurations": list(names)}
        return replace(
            self, study=study, case=case, layout=whole, identity={**self.identity, "study": of_study, "start": start}
        )


def make_plan(study: Study, base: Path) -> Plan:
    """Check a study whole and lay out its sweep; arguments and errors as `sweep.drawing.draw`, and what else is wrong."""
    drawn = draw(study, base)
    inputs, mids = drawn.inputs, drawn.mids
    years = [y for y in inputs.weather if y in drawn.years]
    days = study_days(study, inputs, years, base)
    case = make_case(study, inputs, days.days, mids)
    attrs = {
        "study_name": study.name,
        "reference": study.reference,
        "free_configurations": [c.name for c in case.configurations if c.is_free],
        "design_kind": study.design.kind,
        "siting": study.siting,
        "days": days.text(),
        "days_error": json.dumps(days.record()),
        **({"scenarios": list(study.scenario)} if study.scenario else {}),
    }
    files = _files(study, case, base, tables_of_values(drawn.marginals))
    return Plan(
        study=study,
        rows=drawn.rows.changed(lambda part: labelled(part).assign_attrs(attrs)),
        case=case,
        layout=_layout(study, case, drawn.rows.draws),
        identity=_identity(study, case, drawn.checksum, files),
        tables=files,
        mids=mids,
        drawn=drawn,
        days=days,
    )


def make_case(
    study: Study, inputs: Inputs, days: Mapping[str, Days], mids: Theta, start_year: str | None = None
) -> Case:
    """Compile a study's case; every draw starts from the basis of the mid values in one weather year, default the first."""
    configurations = read_configurations(
        inputs.tables["configurations"], study.configurations, inputs, study.siting, study.free
    )
    start = mids | {WEATHER_YEAR: start_year or next(iter(days))}
    return build_case(inputs, days, configurations, study.reference, study.siting, start)


def _layout(study: Study, case: Case, draws: int) -> Layout:
    flags = {"flag_values": [int(s) for s in Status], "flag_meanings": " ".join(s.name.lower() for s in Status)}
    variables = [
        Variable(
            o.name,
            ("draw", "configuration", *o.dims),
            o.dtype,
            {"long_name": o.meaning, **(flags if o.name == "status" else {"units": o.unit})},
            across=o.name == REGRET,
        )
        for o in OUTCOMES
    ]
    told = "time to solve the draw, shared evenly by the configurations that were solved together"
    of_run = {"seconds": ("s", told)} | {each.name: (each.unit, each.meaning) for each in RESIDUALS}
    run = [
        Variable(name, ("draw", "configuration"), "float64", {"units": unit, "long_name": meaning})
        for name, (unit, meaning) in of_run.items()
    ]
    return Layout(
        variables=tuple(variables),
        coords=coordinates(case.inputs, case.configurations, case.tiers),
        draws=draws,
        batch=study.batch,
        run_variables=tuple(run),
    )


def _files(study: Study, case: Case, base: Path, values: Mapping[str, Path]) -> dict[str, Path]:
    """Every file that the study rests on, by its name in the record; ``values``: those of distributions."""
    files = {**case.inputs.tables, **values}
    if study.days.file is not None:
        files["days"] = base / study.days.file
    if study.design.file is not None:
        files["design"] = base / study.design.file
    return dict(sorted(files.items()))


def _identity(study: Study, case: Case, draws: str, files: Mapping[str, Path]) -> dict[str, Any]:
    """What decides the bytes of the cube: the study, the content of its files, days, templates and solver versions."""
    paths: dict[str, Any] = {
        "days": {"file"},
        "design": {"file"},
        "inputs": set(InputsSpec.model_fields) - {"scalars", "exchanges"},
        "options": set(OPTION_TABLES),
    }
    shares = {c.name: c.shares for c in case.configurations if c.shares is not None}
    stages = {f"siting {name}".strip(): template.fingerprint() for name, template in sorted(case.stages.items())}
    return {
        # Until when a sweep grows decides no byte of a draw: a cube goes on under other rules.
        "study": study.model_dump(mode="json", exclude=paths | {"stop": True}),
        "files": {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items()},
        "shares": {name: hashlib.sha256(values.tobytes()).hexdigest() for name, values in shares.items()},
        "days": {year: {"day": days.day.tolist(), "weight": days.weight.tolist()} for year, days in case.days.items()},
        "start": next(iter(case.days)),
        "draws": draws,
        "template": {"dispatch": case.dispatch.fingerprint(), **stages},
        "source": current_source(),
        "versions": current_versions(),
    }


def current_versions() -> dict[str, str]:
    """Versions of what may change a byte of a cube."""
    return {name: version(name) for name in PACKAGES}


def current_source() -> str:
    """SHA-256 of the code that decides a cube's bytes: packages model and sampling, file by file."""
    digest = hashlib.sha256()
    for package in (model, sampling):
        for path in sorted(Path(package.__path__[0]).glob("*.py")):
            digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()
