"""Two published packages for sweeps and scenario studies on the same programs: parameter-sweep and EMA Workbench.

Both come by the optional extra ``peers``; without it their runners are left out and named as such.
"""

from __future__ import annotations

import importlib
import importlib.util
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyomo.environ as pyo

from benchmarks.clock import WORKERS, Clock, read_spooled, spooled
from benchmarks.programs import YearProgram
from benchmarks.runners import COSTS, Persistent
from model.parameters import WEATHER_YEAR
from model.template import Floats
from sweep.plan import Plan
from sweep.theta import theta_of

PACKAGES = {"parameter_sweep": "parameter-sweep", "ema_workbench": "ema-workbench"}


def missing(runner: str) -> str | None:
    """The distribution that a runner needs and that is not installed."""
    package = PACKAGES.get(runner)
    return package if package is not None and importlib.util.find_spec(runner) is None else None


def parameter_sweep(plan: Plan, draws: Sequence[int], clock: Clock) -> Floats:
    """parameter-sweep with its Ray back end: Pyomo models kept in each worker, every case solved by ``appsi_highs``.

    One case is one draw and configuration. A worker builds the year's model once, and once more for free
    configurations; each solve hands the whole model to HiGHS, as ``SolverFactory("appsi_highs")`` does.
    """
    package = importlib.import_module("parameter_sweep")
    places = range(len(plan.case.configurations))
    cases = [(draw, place) for draw in draws for place in places]
    with tempfile.TemporaryDirectory() as folder:
        started = time.time()
        sweep = package.ParameterSweep(
            optimize_function=_Optimise(plan, cases, Path(folder)),
            number_of_subprocesses=WORKERS,
            parallel_back_end="ray",
        )
        _, results = sweep.parameter_sweep(
            _build_cases,
            lambda m: {"case": package.PredeterminedFixedSample(m.case, np.arange(len(cases), dtype=np.float64))},
            build_outputs=lambda m: {name: m.found[name] for name in COSTS},
        )
        clock.gather(started, read_spooled(Path(folder)))
    found = np.stack([results["outputs"][name]["value"] for name in COSTS], axis=-1)
    return found.reshape(len(draws), len(places), -1)


def _build_cases() -> pyo.ConcreteModel:
    """The swept model: the number of the case, and what was found for it."""
    m = pyo.ConcreteModel("cases")
    m.case = pyo.Param(mutable=True, initialize=0.0)
    m.found = pyo.Param(COSTS, mutable=True, initialize=0.0)
    return m


class _Optimise:
    """Solves the case that the swept model's Param names; keeps the years' programs between the cases of a worker."""

    def __init__(self, plan: Plan, cases: Sequence[tuple[int, int]], folder: Path) -> None:
        self.plan, self.cases, self.folder = plan, cases, folder

    def __call__(self, m: pyo.ConcreteModel) -> Any:
        draw, place = self.cases[round(m.case.value)]
        theta, configuration = theta_of(self.plan.table, draw), self.plan.case.configurations[place]
        days = len(self.plan.case.days[str(theta[WEATHER_YEAR])].day)
        key = days, configuration.name if configuration.is_free else ""
        kept = m.__dict__.setdefault("programs", {})
        with spooled(self.folder) as clock, clock.for_free() if configuration.is_free else nullcontext():
            if key not in kept:
                kept[key] = YearProgram(self.plan.case, configuration, days, clock)
            program = kept[key]
            program.set(theta, configuration)
            solver = pyo.SolverFactory("appsi_highs")
            solver.options.update(program.options)
            results = solver.solve(program.model)
            costs = program.costs(theta, configuration)
        for name, cost in zip(COSTS, costs.tolist(), strict=True):
            m.found[name] = cost
        return results


def ema_workbench(plan: Plan, draws: Sequence[int], clock: Clock) -> Floats:
    """EMA Workbench with a pool of processes; the model function keeps the persistent solvers in its worker."""
    package = importlib.import_module("ema_workbench")
    names = [f"{cost}_{place}" for place in range(len(plan.case.configurations)) for cost in COSTS]
    scenarios = [package.Scenario(f"draw_{draw}", draw=draw) for draw in draws]
    with tempfile.TemporaryDirectory() as folder:
        model = package.Model("siting", function=_Kept(plan, names, Path(folder)))
        model.uncertainties = [package.IntegerParameter("draw", 0, max(*draws, 1))]
        model.outcomes = [package.ScalarOutcome(name) for name in names]
        started = time.time()
        with package.MultiprocessingEvaluator(model, n_processes=WORKERS) as evaluator:
            experiments, outcomes = evaluator.perform_experiments(scenarios=scenarios)
        clock.gather(started, read_spooled(Path(folder)))
    found = np.stack([outcomes[name] for name in names], axis=-1)
    row = {int(draw): place for place, draw in enumerate(experiments["draw"])}
    return found[[row[draw] for draw in draws]].reshape(len(draws), -1, len(COSTS))


class _Kept:
    """The model function of EMA Workbench; its solvers are built at the first call in each process."""

    __name__ = "siting"

    def __init__(self, plan: Plan, names: Sequence[str], folder: Path) -> None:
        self.plan, self.names, self.folder = plan, names, folder
        self.kept: Persistent | None = None

    def __call__(self, draw: int) -> dict[str, float]:
        with spooled(self.folder) as clock:
            if self.kept is None:
                self.kept = Persistent(self.plan, clock)
            self.kept.clock = clock
            found = self.kept.solve(theta_of(self.plan.table, int(draw)))
        return dict(zip(self.names, found.ravel().tolist(), strict=True))
