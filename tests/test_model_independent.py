"""The same days by other solvers and by another package's equations: their costs agree to a millionth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import swiglpk as glpk

from model import Inputs, InputsSpec, LiveHighs, Status, Template, compile_template, read_inputs
from model.dispatch import build_dispatch, of_day, of_draw
from tests.independent.pypsa_network import DAYS, KEPT, LOAD, SETTINGS, STILL
from tests.sweep_cases import mids

TINY = json.loads((Path(__file__).parent / "data" / "tiny_case.json").read_text(encoding="utf-8"))
PYPSA: dict[str, float] = json.loads(KEPT.read_text(encoding="utf-8"))
TOLERANCE = 1e-6


@pytest.fixture(scope="module", params=sorted(SETTINGS))
def shipped(request: pytest.FixtureRequest) -> tuple[str, Inputs, Template]:
    inputs = read_inputs(InputsSpec(scalars=SETTINGS[request.param]))
    return request.param, inputs, compile_template(build_dispatch(inputs))


def entries_of(inputs: Inputs, template: Template, day: int, still: bool) -> Any:
    theta = {**mids(), **(STILL if still else {}), "weather_year": "fy2024"}
    vector = template.vector(of_draw(theta, inputs))
    vector = template.vector(of_day(inputs.weather["fy2024"], day, inputs), vector)
    x = np.array([LOAD.get(area, 0.0) for area in inputs.areas])
    return template.values(template.vector({"X": x}, vector))


def by_highs(template: Template, entries: Any, **options: str) -> float:
    live = LiveHighs(template, options=options)
    live.move(entries)
    solution = live.solve()
    assert solution.status is Status.OPTIMAL
    return solution.objective


def by_glpk(template: Template, entries: Any) -> float:
    """Solve the program of a template by GLPK's simplex; its arrays count from 1."""
    part = {name: entries[at] for name, at in template.sections.items()}
    rows, columns = template.shape
    problem = glpk.glp_create_prob()
    glpk.glp_add_rows(problem, rows)
    glpk.glp_add_cols(problem, columns)

    def kind(low: float, high: float) -> int:
        if low == high:
            return int(glpk.GLP_FX)
        finite = np.isfinite(low), np.isfinite(high)
        names = {(True, True): "DB", (True, False): "LO", (False, True): "UP", (False, False): "FR"}
        return int(getattr(glpk, f"GLP_{names[finite]}"))

    for row in range(rows):
        low, high = float(part["row_lower"][row]), float(part["row_upper"][row])
        glpk.glp_set_row_bnds(problem, row + 1, kind(low, high), low, high)
    for column in range(columns):
        low, high = float(part["column_lower"][column]), float(part["column_upper"][column])
        glpk.glp_set_col_bnds(problem, column + 1, kind(low, high), low, high)
        glpk.glp_set_obj_coef(problem, column + 1, float(part["cost"][column]))
    glpk.glp_set_obj_coef(problem, 0, float(part["offset"][0]))
    owner = np.repeat(np.arange(rows), np.diff(template.row_start))
    size = owner.size
    of_row, of_column, value = glpk.intArray(size + 1), glpk.intArray(size + 1), glpk.doubleArray(size + 1)
    for place in range(size):
        of_row[place + 1] = int(owner[place]) + 1
        of_column[place + 1] = int(template.column_index[place]) + 1
        value[place + 1] = float(part["matrix"][place])
    glpk.glp_load_matrix(problem, size, of_row, of_column, value)
    settings = glpk.glp_smcp()
    glpk.glp_init_smcp(settings)
    settings.msg_lev, settings.presolve = glpk.GLP_MSG_OFF, glpk.GLP_ON
    assert glpk.glp_simplex(problem, settings) == 0
    assert glpk.glp_get_status(problem) == glpk.GLP_OPT
    found = float(glpk.glp_get_obj_val(problem))
    glpk.glp_delete_prob(problem)
    return found


@pytest.mark.parametrize("day", DAYS[:2])
def test_three_solvers_find_the_same_cost(shipped: tuple[str, Inputs, Template], day: int) -> None:
    _, inputs, template = shipped
    entries = entries_of(inputs, template, day, still=False)
    simplex = by_highs(template, entries)
    interior = by_highs(template, entries, solver="ipm")
    assert simplex == pytest.approx(interior, rel=TOLERANCE)
    assert simplex == pytest.approx(by_glpk(template, entries), rel=TOLERANCE)


@pytest.mark.parametrize("day", DAYS)
def test_pypsa_finds_the_same_cost(shipped: tuple[str, Inputs, Template], day: int) -> None:
    name, inputs, template = shipped
    found = by_highs(template, entries_of(inputs, template, day, still=True))
    assert found == pytest.approx(PYPSA[f"{name}: day {day}"], rel=TOLERANCE)


@pytest.mark.parametrize("case", TINY["expected"], ids=lambda case: case["name"])
def test_pypsa_finds_the_cost_done_by_hand(case: dict[str, Any]) -> None:
    assert PYPSA[f"tiny: {case['name']}"] == pytest.approx(case["objective_million_yen"], rel=TOLERANCE)
