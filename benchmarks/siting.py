"""``python -m benchmarks.siting``: one siting for all draws by cuts, beside the extensive form, ours and mpi-sppy's.

Each program decides the same siting of least mean cost over the same draws and days to the same gap, and its processor time is
taken from the first line after the tables were read, building included. Cuts start from nothing: what a sweep has paid for is
not counted in their favour.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyomo.environ as pyo

from benchmarks.extensive import extensive_form, solve_extensive
from benchmarks.workloads import make_workload
from model import Case, Configuration
from sweep.kept_workers import Workers
from sweep.robust import Goal, Measure, decompose
from sweep.siting_points import Points, solve_asked
from sweep.siting_problem import demand_range, problem_of
from sweep.theta import Theta, theta_of

GAP = 1e-3
MEAN = Goal(((1.0, Measure("mean")),))


@dataclass(frozen=True)
class Took:
    """One program on some draws.

    Attributes
    ----------
    seconds : float
        Of processor time.
    value, bound : float
        Billion yen per year; infinite where a time limit left none.
    rounds : int or None
        Of evaluation, for cuts.
    """

    program: str
    draws: int
    seconds: float
    value: float
    bound: float
    rounds: int | None = None

    @property
    def gap(self) -> float:
        """Relative, as proven."""
        return (self.value - self.bound) / abs(self.value) if np.isfinite(self.value) else np.inf


def workload(name: str, areas: int, draws: int, folder: Path) -> tuple[Case, Configuration, list[Theta]]:
    """The case, its free configuration and so many draws."""
    plan = make_workload(name, folder, areas, draws=max(draws, 2))
    [free] = [c for c in plan.case.configurations if c.is_free]
    return plan.case, free, [theta_of(plan.table, draw) for draw in range(draws)]


def by_cuts(case: Case, free: Configuration, thetas: Sequence[Theta], seconds: float) -> Took:
    """Our decomposition in this process; homes are found around an even split."""
    begun = time.process_time()
    shape = len(case.inputs.areas), len(case.tiers)
    problem = problem_of(case, free, thetas, demand_range(thetas))
    even = np.full(shape[0], 1 / shape[0])
    homes = {n: float(theta["dc_demand"]) * even for n, theta in enumerate(thetas)}
    with Workers(solve_asked, case, serial=True) as alone:
        points = Points(alone, dict(enumerate(thetas)), shape, len(thetas), home_loads=homes)
        first = points.oracle(range(len(thetas)))
        found = decompose(problem, first, MEAN, gap=GAP)
    rounds = len(found.rounds)
    return Took("cuts", len(thetas), time.process_time() - begun, found.value, found.bound, rounds)


def by_extensive_form(case: Case, free: Configuration, thetas: Sequence[Theta], seconds: float) -> Took:
    """Everything in one Pyomo program, handed to HiGHS."""
    begun = time.process_time()
    model, _, costs = extensive_form(case, free, thetas, demand_range(thetas))
    value, bound = solve_extensive(model, sum(costs) / len(costs), GAP, seconds)
    return Took("extensive", len(thetas), time.process_time() - begun, value, bound)


def by_mpi_sppy(case: Case, free: Configuration, thetas: Sequence[Theta], seconds: float) -> Took:
    """The extensive form that mpi-sppy makes of one model for each draw, by HiGHS (its L-shaped method needs another)."""
    from mpisppy.opt.ef import ExtensiveForm
    from mpisppy.utils.sputils import attach_root_node

    begun = time.process_time()
    names = [f"draw{n}" for n in range(len(thetas))]
    within = demand_range(thetas)

    def scenario(name: str) -> pyo.ConcreteModel:
        number = names.index(name)
        model, shares, [cost] = extensive_form(case, free, [thetas[number]], within)
        model.aim = pyo.Objective(expr=cost)
        attach_root_node(model, 0.0, shares)
        model._mpisppy_probability = 1 / len(thetas)
        return model

    options = {"solver": "appsi_highs"}
    program = ExtensiveForm(options, names, scenario)
    limits = {"mip_rel_gap": GAP, "time_limit": seconds, "threads": 1, "random_seed": 0}
    found = program.solve_extensive_form(solver_options=limits)
    value, bound = found.problem[0].upper_bound, found.problem[0].lower_bound
    value, bound = np.inf if value is None else float(value), -np.inf if bound is None else float(bound)
    return Took("mpi-sppy", len(thetas), time.process_time() - begun, value, bound)


PROGRAMS: dict[str, Callable[[Case, Configuration, Sequence[Theta], float], Took]] = {
    "cuts": by_cuts,
    "extensive": by_extensive_form,
    "mpi-sppy": by_mpi_sppy,
}


def growth(took: Sequence[Took]) -> float | None:
    """The power of the number of draws with which the time of cuts grows, by least squares of logarithms; 1 is linear."""
    own = [(each.draws, each.seconds) for each in took if each.program == "cuts"]
    if len({draws for draws, _ in own}) < 2:
        return None
    x, y = np.log(np.array(own, dtype=np.float64)).T
    return float(np.polyfit(x, y, 1)[0])


@click.command()
@click.option("--draws", "numbers", type=click.IntRange(1), multiple=True, default=(2, 4, 8, 16, 32), show_default=True)
@click.option("--only", type=click.Choice(list(PROGRAMS)), multiple=True, default=tuple(PROGRAMS), show_default=True)
@click.option("--most", type=click.IntRange(1), default=4, show_default=True, help="Draws up to which the others run.")
@click.option("--seconds", type=float, default=2000.0, show_default=True, help="Limit of the solver of the others.")
@click.option("--workload", "name", type=click.Choice(["small", "default"]), default="default", show_default=True)
@click.option("--areas", type=click.Choice(["2", "10"]), default="10", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print records.")
def main(
    numbers: tuple[int, ...], only: tuple[str, ...], most: int, seconds: float, name: str, areas: str, as_json: bool
) -> None:
    """Decide one siting for more and more draws by each program."""
    took: list[Took] = []
    with tempfile.TemporaryDirectory() as folder:
        case, free, thetas = workload(name, int(areas), max(numbers), Path(folder))
    for number in numbers:
        for program in only:
            if program == "cuts" or number <= most:
                took.append(PROGRAMS[program](case, free, thetas[:number], seconds))
                click.echo(line(took[-1]), err=as_json)
    power = growth(took)
    if as_json:
        records: list[dict[str, Any]] = [asdict(each) | {"gap": each.gap} for each in took]
        click.echo(json.dumps({"took": records, "growth": power}, indent=1))
    elif power is not None:
        click.echo(f"cuts: processor time grows with the {power:.2f}th power of the number of draws")


def line(each: Took) -> str:
    """One result, to be read."""
    rounds = "" if each.rounds is None else f", {each.rounds} rounds"
    return f"{each.program}: {each.draws} draws, {each.seconds:.1f} s, {each.value:.3f}, gap {100 * each.gap:.3f} %{rounds}"


if __name__ == "__main__":
    main()
