"""Run a study with ``[stop]``: solve a stage, look at the cube, and go on with more draws until every rule holds.

The stages are fixed by the study (`ladder`), and a look at n draws takes the values of the first n draws alone. So the
last stage depends on the study and its results, and on nothing that happened on the way: no clock, no worker, no
interruption, not on how far an earlier run or another ``[stop]`` had taken the cube.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import xarray as xr

from model import Status
from report.intervals import Sample
from report.query import Question, asked_values
from report.stopping import Look, Statistic, confidence_of_look, draws_needed, look, stages
from report.where import QueryError
from sampling import SamplingError
from sampling.conditions import SCENARIO
from storage import Place, exists, open_cube, read_layout
from sweep.drawing import draw
from sweep.plan import Plan, make_plan
from sweep.run import Outcome, run
from sweep.stop_rule import StopRule
from sweep.study import Study


@dataclass
class Standing:
    """How one rule stands after the looks so far.

    Attributes
    ----------
    rule : StopRule
    stages : tuple of int
        Numbers of draws at which it is looked at, if it comes to that.
    looks : list of Look
    """

    rule: StopRule
    stages: tuple[int, ...]
    looks: list[Look] = field(default_factory=list)

    @property
    def confidence(self) -> float:
        """Confidence of each look: all looks together have that of the rule."""
        return confidence_of_look(self.rule.confidence, len(self.stages))

    @property
    def holds(self) -> bool:
        """Whether the last look was narrow enough."""
        return bool(self.looks) and self.looks[-1].holds(self.rule.width)

    @property
    def is_settled(self) -> bool:
        """Whether it asks for no more draws: it holds, met its cap, or no draw has a value for it."""
        return bool(self.looks) and (self.holds or len(self.looks) == len(self.stages) or not self.looks[-1].values)


def ladder(study: Study) -> tuple[int, ...]:
    """Return the numbers of draws of the design at which a study is looked at, the one it begins with first."""
    design = study.design
    draws, each = design.draws or 1, 1 if design.kind == "monte_carlo" else design.replicates
    cap = max(rule.cap for rule in study.stop)
    return stages(draws, max(draws, cap // each * each), design.kind != "sobol")


def check_stop(plan: Plan, base: Path) -> None:
    """Refuse, before anything is solved, rules that the cube cannot answer, and draws up to the cap that cannot be.

    Parameters
    ----------
    base : Path
        Folder of the study file.

    Raises
    ------
    SamplingError, InputError
        Naming the rule by its place, from 0; or a draw.
    """
    study = plan.study
    for place, rule in enumerate(study.stop):
        try:
            array = asked_values(_blank(plan, rule.outcome), _question(rule))
        except QueryError as fault:
            option, _, told = str(fault).partition(": ")
            key = "sum" if option.startswith("--sum") else "select"
            found = list(rule.sum) if key == "sum" else dict(rule.select)
            raise SamplingError(f"stop.{place}.{key}", found, f"what {rule.outcome} has: {told}") from fault
        left = [str(dim) for dim in array.dims if dim not in ("draw", "configuration", *rule.select)]
        if left:
            expected = f"one number in each draw: select or sum over {', '.join(left)}"
            raise SamplingError(f"stop.{place}.outcome", rule.outcome, expected)
    if study.stop and (last := ladder(study)[-1]) > draws_of(plan):
        draw(study.with_draws(last), base)


def run_growing(study: Study, plan: Plan, store: Place, base: Path, **options: Any) -> tuple[Outcome, list[Standing]]:
    """Run a study stage by stage until each of its rules holds or met its cap.

    Parameters
    ----------
    study : Study
        As it is written: its draws are those that the first stage has.
    plan : Plan
        As `ahead` makes it from that of the study.
    base : Path
        Folder of the study file.
    **options
        As `sweep.run.run` takes them.

    Returns
    -------
    outcome : Outcome
        Of all stages together.
    standings : list of Standing
        One a rule, in the order of the study.

    Raises
    ------
    Exception
        As `sweep.run.run`. What was solved is kept, and the same call goes on from there.
    """
    steps = ladder(study)
    standings = [Standing(rule, tuple(step for step in steps if step <= rule.cap)) for rule in study.stop]
    outcome = run(plan, store, **options)
    for draws in steps:
        if draws > draws_of(plan):
            plan = make_plan(study.with_draws(draws), base)
            further = run(plan, store, **options | {"retry": False})
            outcome = replace(further, solved=outcome.solved + further.solved, found=outcome.found)
        look_again(standings, store, draws, study)
        if all(each.is_settled for each in standings):
            break
        click.echo(
            f"{draws:,} draws: {'; '.join(_wanted(each) for each in standings if not each.is_settled)}", err=True
        )
    return outcome, standings


def ahead(plan: Plan, store: Place, base: Path) -> Plan:
    """Return the plan with the draws that a cube was grown to, where these are more than the study begins with."""
    if not plan.study.stop or not exists(store):
        return plan
    held = read_layout(store).draws // per_point(plan.study)
    return plan if held <= draws_of(plan) else make_plan(plan.study.with_draws(held), base)


def draws_of(plan: Plan) -> int:
    """Draws of a plan's design, under each scenario."""
    return plan.layout.draws // per_point(plan.study)


def per_point(study: Study) -> int:
    """How many draws of a cube one draw of the design makes."""
    return max(1, len(study.scenario))


def look_again(standings: list[Standing], store: Place, draws: int, study: Study) -> None:
    """Take the look at so many draws of the design, from the values of these draws alone."""
    cube = open_cube(store).isel(draw=slice(draws * per_point(study)))
    for each in standings:
        if draws in each.stages:
            statistic = Statistic(each.rule.kind, each.rule.number)
            each.looks.append(look(statistic, _sample(cube, each.rule, study.design.kind), draws, each.confidence))


def _sample(cube: xr.Dataset, rule: StopRule, design: str) -> Sample:
    one = {"configuration": rule.configuration}
    values = asked_values(cube, _question(rule)).sel(one).squeeze(list(rule.select)).to_numpy()
    values = np.where(cube["status"].sel(one).to_numpy() == Status.OPTIMAL, values, np.nan)
    kept = np.ones(len(values), dtype=bool) if rule.scenario is None else cube[SCENARIO].to_numpy() == rule.scenario
    return Sample(values[kept], design, cube["replicate"].to_numpy()[kept])


def _question(rule: StopRule) -> Question:
    return Question(rule.outcome, select={dim: (label,) for dim, label in rule.select.items()}, sum=rule.sum)


def _blank(plan: Plan, outcome: str) -> xr.Dataset:
    """One draw of an outcome, of no value: what can be asked of it can be asked of the cube."""
    [variable] = [each for each in plan.layout.variables if each.name == outcome]
    coords = {dim: list(labels) for dim, labels in plan.layout.coords.items() if dim in variable.dims}
    shape = [1 if dim == "draw" else len(coords[dim]) for dim in variable.dims]
    return xr.Dataset({outcome: (variable.dims, np.full(shape, np.nan))}, coords=coords)


def _wanted(standing: Standing) -> str:
    return f"{estimate_text(standing)}, wanted ± {standing.rule.width:g}"


def estimate_text(standing: Standing) -> str:
    """The last look at a rule: the statistic, its estimate and the half width of its interval."""
    rule, last = standing.rule, standing.looks[-1]
    unit = f" {rule.unit}" if rule.unit else ""
    if not last.values:
        return f"{rule}: no finished draw has a value"
    if not math.isfinite(last.half_width):
        return f"{rule} {last.interval.estimate:.4g}{unit}, too few draws for an interval"
    digits = max(0, 1 - math.floor(math.log10(last.half_width))) if last.half_width else 1
    return f"{rule} {last.interval.estimate:,.{digits}f} ± {last.half_width:,.{digits}f}{unit}"


def needed(standing: Standing, study: Study) -> float:
    """About how many draws a rule would need, from what was seen of it; NaN where that tells nothing."""
    return draws_needed(standing.looks, standing.rule.width, study.design.kind == "monte_carlo")
