"""The farmer problem of Birge and Louveaux (Introduction to Stochastic Programming, section 1.1) as problem and oracle."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyomo.environ as pyo
from scipy.optimize import linprog

from sweep.robust import Problem, Recourse, Stage

LAND = 500.0
PLANTING = (150.0, 230.0, 260.0)  # wheat, corn, sugar beets; $ per acre
MEAN_YIELD = np.array([2.5, 3.0, 20.0])
YIELDS = (0.8, 1.0, 1.2)
# What is bought (wheat, corn) and sold (wheat, corn, beets at the two prices), $ per tonne.
PRICES = np.array([238.0, 210.0, -170.0, -150.0, -36.0, -10.0])


def stage(scenarios: int) -> Stage:
    model = pyo.ConcreteModel()
    model.acres = pyo.Var(range(3), bounds=(0, LAND))
    model.land = pyo.Constraint(expr=sum(model.acres[c] for c in range(3)) <= LAND)
    cost = sum(PLANTING[c] * model.acres[c] for c in range(3))
    return Stage(model, list(model.acres.values()), np.eye(3), [cost], np.zeros(scenarios, dtype=np.int64))


def problem(yields: Sequence[float] = YIELDS, best: np.ndarray | None = None) -> Problem:
    number = len(yields)
    return Problem(
        build=lambda: stage(number),
        probability=np.full(number, 1 / number),
        stage_cost=lambda point: np.full(number, float(np.dot(PLANTING, point))),
        best=best,
    )


def oracle(yields: Sequence[float] = YIELDS):
    def evaluate(point: np.ndarray, scenarios: np.ndarray) -> Recourse:
        found = [_harvest(point, MEAN_YIELD * yields[s]) for s in scenarios]
        cost = np.array([value for value, _ in found])
        slope = np.array([each for _, each in found])
        return Recourse(cost, (cost - slope @ point)[:, None], slope[:, None, :])

    return evaluate


def _harvest(acres: np.ndarray, per_acre: np.ndarray) -> tuple[float, np.ndarray]:
    """Cost of a harvest and its derivative by acres: feed 200 t of wheat and 240 t of corn, 6000 t of beets sell well."""
    harvest = np.maximum(acres, 0.0) * per_acre
    rows = np.array([[-1.0, 0, 1, 0, 0, 0], [0, -1, 0, 1, 0, 0], [0, 0, 0, 0, 1, 1]])
    limit = harvest - np.array([200.0, 240.0, 0.0])
    bounds = [(0, None)] * 4 + [(0, 6000.0), (0, None)]
    found = linprog(PRICES, A_ub=rows, b_ub=limit, bounds=bounds, method="highs")
    return float(found.fun), found.ineqlin.marginals * per_acre
