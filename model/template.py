"""The compiled template: a linear program as arrays, and the map by which parameters move them.

Pyomo states the model once, ``compilation`` reads it once, and every draw, day and siting is then a vector of Param
values: ``Template.values`` gives all coefficients, bounds and right-hand sides for it in one sparse product,
and ``Template.gradient`` gives the exact derivative of the optimal objective by any Param from the duals.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from model.errors import TemplateError, nearest

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
        by = Gradient(self, name)
        return by.of(by.jacobian(vector), primal, row_dual, column_dual)

    def fingerprint(self) -> str:
        """SHA-256 of everything that decides a solve: pattern, map, constants, labels."""
        digest = hashlib.sha256()
        for labels in (self.columns, self.rows, self.parameters):
            for name in sorted(labels):
                digest.update(name.encode() + np.ascontiguousarray(labels[name]).tobytes())
        arrays = (self.defaults, self.row_start, self.column_index, self.constant, self.factors, self.integer)
        for array in (*arrays, self.map.data, self.map.indices, self.map.indptr):
            digest.update(np.ascontiguousarray(array).tobytes())
        for name in SECTIONS:
            at = self.sections[name]
            digest.update(f"{name} {at.start} {at.stop};".encode())
        digest.update(bytes([self.maximise]))
        return digest.hexdigest()


class Part:
    """The entries that some parameters move, picked out once, so that a move of these alone costs what it moves.

    Attributes
    ----------
    entries : (moved,) array
        Positions in the entry vector, ascending.
    columns, rows, costs : arrays
        Columns with a moved bound, rows with a moved side, columns with a moved cost.
    """

    def __init__(self, template: Template, names: Sequence[str]) -> None:
        positions = np.concatenate([template.parameters[name] for name in names])
        moving = np.isin(template.factors, positions).any(axis=1)
        self.entries = np.flatnonzero(np.diff(template.map[:, np.flatnonzero(moving)].tocsr().indptr))
        self.constant = template.constant[self.entries]
        moved = template.map[self.entries].tocsc()
        monomials = np.flatnonzero(np.diff(moved.indptr))
        self.factors = template.factors[monomials]
        self.map = sparse.csr_array(moved[:, monomials])
        places = {name: self._within(at) for name, at in template.sections.items()}
        self.columns = np.union1d(places["column_lower"], places["column_upper"]).astype(np.int32)
        self.rows = np.union1d(places["row_lower"], places["row_upper"]).astype(np.int32)
        self.costs, self.matrix = places["cost"].astype(np.int32), places["matrix"].astype(np.int32)
        self.moves_offset = bool(places["offset"].size)

    def _within(self, section: slice) -> NDArray[np.int64]:
        inside = (self.entries >= section.start) & (self.entries < section.stop)
        return np.asarray(self.entries[inside] - section.start, dtype=np.int64)

    def values(self, vectors: Floats) -> Floats:
        """Values of ``entries`` for parameter vectors (parameters,) or (n, parameters), the same as of the whole."""
        one = np.ones((*vectors.shape[:-1], 1))
        monomials = np.concatenate([vectors, one], axis=-1)[..., self.factors].prod(axis=-1)
        values: Floats = self.constant + (self.map @ monomials.T).T
        return values


class Gradient:
    """The derivative by one parameter's members, its entries picked out once so that many solves can be differentiated.

    Attributes
    ----------
    columns : (columns,) array of bool
        Where the reduced cost of a column counts.
    """

    def __init__(self, template: Template, name: str) -> None:
        self.positions = template.parameters[name]
        self.size = template.defaults.size
        self.sign = -1.0 if template.maximise else 1.0
        monomials = np.flatnonzero(np.isin(template.factors, self.positions).any(axis=1))
        self.factors = template.factors[monomials]
        moved = template.map[:, monomials].tocsr()
        entries = np.flatnonzero(np.diff(moved.indptr))
        self.map = sparse.csr_array(moved[entries].T)
        parts = {
            n: entries[(entries >= at.start) & (entries < at.stop)] - at.start for n, at in template.sections.items()
        }
        self.parts: dict[str, NDArray[np.int64]] = parts
        rows = np.repeat(np.arange(template.shape[0]), np.diff(template.row_start))
        self.matrix_row, self.matrix_column = rows[parts["matrix"]], template.column_index[parts["matrix"]]

    @property
    def needs_primal(self) -> bool:
        """Whether the parameter moves the matrix or a cost, so that the primal counts."""
        return bool(self.parts["matrix"].size or self.parts["cost"].size)

    @property
    def companions(self) -> Ints:
        """Positions of the parameters that the derivatives of the entries depend on."""
        one = self.size  # the padding
        alone = [np.delete(row, np.flatnonzero(np.isin(row, self.positions))[0]) for row in self.factors]
        found: Ints = np.setdiff1d(np.concatenate(alone), [one]).astype(np.int32)
        return found

    def jacobian(self, vector: Floats) -> Floats:
        """Derivative of each moved entry by each member (members, moved entries) at one parameter vector."""
        padded = np.append(vector, 1.0)[self.factors]
        place_of = {int(position): member for member, position in enumerate(self.positions)}
        member, monomial, slope = [], [], []
        for place in range(self.factors.shape[1]):
            others = np.delete(padded, place, axis=1).prod(axis=1)
            for number in np.flatnonzero(np.isin(self.factors[:, place], self.positions)):
                member.append(place_of[int(self.factors[number, place])])
                monomial.append(number)
                slope.append(others[number])
        by_monomial = sparse.csr_array((slope, (member, monomial)), shape=(self.positions.size, len(self.factors)))
        dense: Floats = (by_monomial @ self.map).toarray()
        return dense

    def of(self, jacobian: Floats, primal: Floats | None, row_dual: Floats, column_dual: Floats) -> Floats:
        """Derivative of the optimal objective by each member; see :meth:`Template.gradient`.

        Parameters
        ----------
        primal : (columns,) array, or None
            None will do where the parameter moves neither the matrix nor a cost.
        """
        part = self.parts
        if primal is None:
            if self.needs_primal:
                raise ValueError("the parameter moves the matrix or a cost, so that the primal counts; found None")
            primal = np.zeros(0)
        at_lower, at_upper = (np.maximum, np.minimum) if self.sign > 0 else (np.minimum, np.maximum)
        multiplier = np.concatenate(
            [
                -row_dual[self.matrix_row] * primal[self.matrix_column],
                at_lower(row_dual[part["row_lower"]], 0.0),
                at_upper(row_dual[part["row_upper"]], 0.0),
                at_lower(column_dual[part["column_lower"]], 0.0),
                at_upper(column_dual[part["column_upper"]], 0.0),
                primal[part["cost"]],
                np.ones(part["offset"].size),
            ]
        )
        gradient: Floats = jacobian @ multiplier
        return gradient
