"""Compiles any linear Pyomo model with mutable Params into a template, without evaluating the Params."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyomo.environ as pyo
from scipy import sparse

from model.errors import TemplateError
from model.polynomial import CONSTANT, INTERCEPT, Linear, Polynomial, Reader
from model.template import SECTIONS, Floats, Ints, Template


def compile_template(model: pyo.ConcreteModel) -> Template:
    """Compile any linear Pyomo model with mutable Params into a :class:`Template`.

    Parameters
    ----------
    model : pyomo.environ.ConcreteModel
        Active constraints, one active objective, variables of any linear domain; not changed.

    Raises
    ------
    TemplateError
        Names the parameter or constraint that the template cannot carry: a product of variables, a parameter that
        divides, is inside a function or a condition, a fixed variable, no objective or more than one.
    """
    variables = list(model.component_data_objects(pyo.Var, active=True))
    reader = Reader({id(v): column for column, v in enumerate(variables)})
    entries = _Entries(reader)
    start, index, matrix = [0], [], []
    lowers, uppers = [], []
    rows: dict[str, list[int]] = {}
    for number, constraint in enumerate(model.component_data_objects(pyo.Constraint, active=True)):
        name = constraint.name
        rows.setdefault(constraint.parent_component().name, []).append(number)
        lower, body, upper = constraint.to_bounded_expression()
        intercept, terms = reader.read(body, name).split()
        for column in sorted(terms):
            index.append(column)
            matrix.append(terms[column])
        start.append(len(index))
        lowers.append(entries.side(lower, intercept, -np.inf, name))
        uppers.append(entries.side(upper, intercept, np.inf, name))
    bounds = [
        (entries.side(v.lower, {}, -np.inf, v.name), entries.side(v.upper, {}, np.inf, v.name)) for v in variables
    ]
    objectives = list(model.component_data_objects(pyo.Objective, active=True))
    if len(objectives) != 1:
        raise TemplateError(f"{model.name}: {len(objectives)} active objectives found, one expected")
    offset, costs = reader.read(objectives[0].expr, objectives[0].name).split()
    blocks: dict[str, Sequence[Polynomial]] = {
        "matrix": matrix,
        "row_lower": lowers,
        "row_upper": uppers,
        "column_lower": [low for low, _ in bounds],
        "column_upper": [high for _, high in bounds],
        "cost": [costs.get(column, {}) for column in range(len(variables))],
        "offset": [offset],
    }
    columns: dict[str, list[int]] = {v.name: [] for v in model.component_objects(pyo.Var, active=True)}
    for column, variable in enumerate(variables):
        columns.setdefault(variable.parent_component().name, []).append(column)
    constant, factors, moved, sections = entries.assemble(blocks)
    return Template(
        columns=_positions(columns),
        rows=_positions(rows),
        parameters=_parameter_positions(reader, model),
        defaults=np.array([_number(p) for p in reader.parameter_data]),
        row_start=np.array(start, dtype=np.int32),
        column_index=np.array(index, dtype=np.int32),
        sections=sections,
        constant=constant,
        factors=factors,
        map=moved,
        integer=np.array([not v.is_continuous() for v in variables], dtype=bool),
        maximise=objectives[0].sense == pyo.maximize,
    )


class _Entries:
    """Collects the polynomials of all entries and turns them into one sparse map."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def side(self, expression: Any, intercept: Polynomial, absent: float, where: str) -> Polynomial:
        """A bound of a row or column, less the constant part of the row's body."""
        if expression is None:
            return {CONSTANT: absent}
        form = self.reader.read(expression, where)
        if not form.is_free_of_variables():
            raise TemplateError(f"{where}: a bound depends on a variable")
        return form.add(Linear({INTERCEPT: intercept}), -1.0).terms.get(INTERCEPT, {})

    def assemble(
        self, blocks: Mapping[str, Sequence[Polynomial]]
    ) -> tuple[Floats, Ints, sparse.csr_array, dict[str, slice]]:
        """Constants, monomial factors, map and slices of all entries in the order of ``SECTIONS``."""
        sections: dict[str, slice] = {}
        constant: list[float] = []
        monomials: dict[tuple[int, ...], int] = {}
        where, which, how = [], [], []
        for section in SECTIONS:
            begin = len(constant)
            for polynomial in blocks[section]:
                for monomial, coefficient in sorted(polynomial.items()):
                    if monomial and coefficient != 0.0:
                        where.append(len(constant))
                        which.append(monomials.setdefault(monomial, len(monomials)))
                        how.append(coefficient)
                constant.append(polynomial.get(CONSTANT, 0.0))
            sections[section] = slice(begin, len(constant))
        one = len(self.reader.parameter_data)
        degree = max((len(m) for m in monomials), default=1)
        factors = np.array([m + (one,) * (degree - len(m)) for m in monomials], dtype=np.int32).reshape(-1, degree)
        moved = sparse.csr_array((how, (where, which)), shape=(len(constant), len(monomials)), dtype=np.float64)
        return np.array(constant), factors, moved, sections


def _positions(groups: Mapping[str, Iterable[int]]) -> dict[str, Ints]:
    return {name: np.array(list(members), dtype=np.int32) for name, members in groups.items()}


def _parameter_positions(reader: Reader, model: pyo.ConcreteModel) -> dict[str, Ints]:
    """Positions of each Param component's members, in the order of its index set; refuses half-used components."""
    empty = [p for p in model.component_objects(pyo.Param) if p.is_indexed() and not p.index_set()]
    positions: dict[str, Ints] = {p.name: np.zeros(0, dtype=np.int32) for p in empty}
    for parameter in reader.parameter_data:
        component = parameter.parent_component()
        if component.name in positions:
            continue
        data = [component[index] for index in component.index_set()] if component.is_indexed() else [component]
        members = [reader.parameters.get(id(member)) for member in data]
        if None in members:
            unused = [m.name for m in data if id(m) not in reader.parameters]
            raise TemplateError(f"parameter {', '.join(unused[:3])} moves no coefficient, bound or cost: leave it out")
        positions[component.name] = np.array(members, dtype=np.int32)
    return positions


def _number(parameter: Any) -> float:
    """A Param's value at compile time, NaN where it has none."""
    value = parameter(exception=False)
    return np.nan if value is None else float(value)
