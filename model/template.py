"""The compiled template: any linear Pyomo model with mutable Params, as arrays and the map by which Params move them.

Pyomo states the model once, ``compile_template`` reads it once, and every draw, day and siting is then a vector of
Param values: ``Template.values`` gives all coefficients, bounds and right-hand sides for it in one sparse product,
and ``Template.gradient`` gives the exact derivative of the optimal objective by any Param from the duals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyomo.environ as pyo
from numpy.typing import NDArray
from scipy import sparse

from model.errors import TemplateError, nearest
from model.polynomial import CONSTANT, INTERCEPT, Linear, Polynomial, Reader

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
SECTIONS = ("matrix", "row_lower", "row_upper", "column_lower", "column_upper", "cost", "offset")


@dataclass(frozen=True, eq=False)
class Template:
    """A linear (or mixed-integer linear) program whose entries are polynomials of parameters.

    Attributes
    ----------
    columns, rows : dict
        Component name -> positions of its members, in the order of the Pyomo index set.
    parameters : dict
        Component name -> positions of its members in the parameter vector.
    defaults : (parameters,) array
        Values at compile time; NaN where the Pyomo Param had none.
    row_start, column_index : arrays
        The matrix pattern by rows (compressed sparse row).
    sections : dict
        Section of ``SECTIONS`` -> slice of the entry vector.
    constant : (entries,) array
        The part of each entry that no parameter moves.
    factors : (monomials, degree) array
        Positions of the parameters in each monomial, padded with the position of a constant 1.
    map : (entries, monomials) sparse matrix
        entries = constant + map @ monomials.
    integer : (columns,) array of bool
    maximise : bool
    """

    columns: Mapping[str, Ints]
    rows: Mapping[str, Ints]
    parameters: Mapping[str, Ints]
    defaults: Floats
    row_start: Ints
    column_index: Ints
    sections: Mapping[str, slice]
    constant: Floats
    factors: Ints
    map: sparse.csr_array
    integer: NDArray[np.bool_]
    maximise: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the matrix."""
        return len(self.row_start) - 1, len(self.integer)

    def vector(self, values: Mapping[str, Any], start: Floats | None = None) -> Floats:
        """Return a parameter vector: ``start`` (default: the values at compile time) with ``values`` in place.

        Parameters
        ----------
        values : mapping
            Component name -> number or array of the component's size, in the order of its index set.

        Raises
        ------
        TemplateError
            A name that moves nothing in the template, an array of the wrong size, a value that is not finite.
        """
        vector = (self.defaults if start is None else start).copy()
        for name, value in values.items():
            if name not in self.parameters:
                close = nearest(name, self.parameters)
                hint = f"; did you mean {close!r}?" if close else ""
                raise TemplateError(
                    f"parameter {name!r} moves no coefficient, bound or cost of the template: it is unknown, or was "
                    f"read as a plain number while the model was built and so fixes its structure{hint}"
                )
            positions = self.parameters[name]
            numbers = np.asarray(value, dtype=np.float64).ravel()
            if numbers.size not in (1, positions.size):
                raise TemplateError(f"parameter {name!r}: {numbers.size} values given, {positions.size} expected")
            if not np.isfinite(numbers).all():
                raise TemplateError(f"parameter {name!r}: every value must be finite, found {numbers}")
            vector[positions] = numbers
        return vector

    def values(self, vector: Floats) -> Floats:
        """Entries for one parameter vector (parameters,) or a batch of them (n, parameters)."""
        entries: Floats = self.constant + (self.map @ self._monomials(vector).T).T
        return entries

    def _monomials(self, vector: Floats) -> Floats:
        if np.isnan(vector).any():
            missing = [n for n, p in self.parameters.items() if np.isnan(vector[..., p]).any()]
            raise TemplateError(f"parameters without a value: {', '.join(missing)}")
        one = np.ones((*vector.shape[:-1], 1))
        product: Floats = np.concatenate([vector, one], axis=-1)[..., self.factors].prod(axis=-1)
        return product

    def gradient(self, name: str, vector: Floats, primal: Floats, row_dual: Floats, column_dual: Floats) -> Floats:
        """Derivative of the optimal objective by each member of parameter ``name``, exact from the duals.

        The Lagrangian's derivative: costs count with the primal, right-hand sides and bounds with the dual of the side
        that binds (HiGHS: positive at a lower, negative at an upper side), coefficients with minus dual times primal.

        Parameters
        ----------
        vector : (parameters,) array
            The parameter values of the solve.
        primal, column_dual : (columns,) arrays
        row_dual : (rows,) array

        Returns
        -------
        (size of the component,) array
            In units of the objective per unit of the parameter.
        """
        multiplier = np.zeros(self.constant.size)
        row_of = np.repeat(np.arange(self.shape[0]), np.diff(self.row_start))
        multiplier[self.sections["matrix"]] = -row_dual[row_of] * primal[self.column_index]
        sign = -1.0 if self.maximise else 1.0
        for side, dual in (("row", row_dual), ("column", column_dual)):
            multiplier[self.sections[f"{side}_lower"]] = np.where(sign * dual > 0, dual, 0.0)
            multiplier[self.sections[f"{side}_upper"]] = np.where(sign * dual < 0, dual, 0.0)
        multiplier[self.sections["cost"]] = primal
        multiplier[self.sections["offset"]] = 1.0
        weight = self.map.T @ multiplier
        padded = np.append(vector, 1.0)
        slope = np.zeros(self.defaults.size + 1)
        for place in range(self.factors.shape[1]):
            others = np.delete(self.factors, place, axis=1)
            np.add.at(slope, self.factors[:, place], weight * padded[others].prod(axis=1))
        gradient: Floats = slope[self.parameters[name]]
        return gradient

    def fingerprint(self) -> str:
        """SHA-256 of everything that decides a solve: pattern, map, constants, labels."""
        digest = hashlib.sha256()
        for labels in (self.columns, self.rows, self.parameters):
            for name in sorted(labels):
                digest.update(name.encode() + np.ascontiguousarray(labels[name]).tobytes())
        arrays = (self.defaults, self.row_start, self.column_index, self.constant, self.factors, self.integer)
        for array in (*arrays, self.map.data, self.map.indices, self.map.indptr):
            digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(bytes([self.maximise]))
        return digest.hexdigest()


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
    columns: dict[str, list[int]] = {}
    for column, variable in enumerate(variables):
        columns.setdefault(variable.parent_component().name, []).append(column)
    constant, factors, moved, sections = entries.assemble(blocks)
    return Template(
        columns=_positions(columns),
        rows=_positions(rows),
        parameters=_parameter_positions(reader),
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


def _parameter_positions(reader: Reader) -> dict[str, Ints]:
    """Positions of each Param component's members, in the order of its index set; refuses half-used components."""
    positions: dict[str, Ints] = {}
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
