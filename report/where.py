"""Read a condition on parameters and outcomes, such as ``apn_adoption < 0.4 and japan_sea_hvdc == 0``.

A condition is parsed, never run: comparisons (``<  <=  ==  !=  >=  >``, chained too) of names, numbers and quoted
text, joined by ``and``, ``or``, ``not`` and brackets. ``NAME[LABEL]`` takes one configuration, area, line, ...:
``regret_total[five_hubs] > 0``, ``lole[five_hubs, Tokyo] > 2``.

Text must be one of the labels that a parameter takes; ``status`` may be compared with its words, such as
``'infeasible'``.

What is missing makes a comparison neither true nor false (Kleene's logic): a failed draw meets no condition on its
outcomes, nor does it meet the opposite.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from report.outcomes import SHOWN, CubeContentError, finished, nearest, states

Booleans = NDArray[np.bool_]
DIMS = ("draw", "configuration")
COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.GtE: operator.ge,
    ast.Gt: operator.gt,
}
GRAMMAR = "expected comparisons of names, numbers and quoted text, joined by and, or, not"
HINTS = {
    r"(?<![<>=!])=(?!=)": "equal is ==",
    r"%": "a share is 0.4, not 40%",
    r"\b(AND|OR|NOT)\b": "and, or, not are small letters",
    r"&&|\|\|": "&& is and, || is or",
}
HEAD = 64  # draws that are looked at for an example
LONGEST = 2000  # characters; nesting stays within what Python can parse


class QueryError(CubeContentError):
    """A question that the cube cannot answer as it is put; the message says what to change."""


class Where:
    """A condition on the cells of a cube.

    Parameters
    ----------
    text : str
        The condition; empty: every cell meets it.
    cube : xr.Dataset
        With ``status`` over draw and configuration.

    Attributes
    ----------
    meets, fails : ndarray of bool
        Shape (draws, configurations). A cell that does neither lacks a value that the condition asks for.
    on_outcomes : bool
        Whether the condition asks for an outcome, so that failed draws cannot be judged by it.
    on_status : bool
        Whether it asks for the status of draws.

    Raises
    ------
    QueryError
        For what is no condition, an unknown name or label (with the nearest known one), or text compared with a number.
    """

    def __init__(self, text: str, cube: xr.Dataset) -> None:
        self._cube, self._text = cube, text
        self.on_outcomes = self.on_status = False
        self._columns: dict[str, Any] = {}  # what the condition asks for, by how it is written
        shape = tuple(cube.sizes[dim] for dim in DIMS)
        if text.strip():
            meets, fails = self._condition(self._parse())
        else:
            meets, fails = np.True_, np.False_
        self.meets: Booleans = np.broadcast_to(meets, shape)
        self.fails: Booleans = np.broadcast_to(fails, shape)

    def ranges(self, configurations: list[int]) -> str:
        """Tell which values the names in the condition take in some configurations, by their places."""
        told = []
        for name, values in self._columns.items():
            of_these = values[:, configurations] if values.shape[1] > 1 else values
            if of_these.dtype.kind in "OU":
                told.append(f"{name} is {_listed(of_these, 'or')}")
            elif np.isnan(of_these).all():
                told.append(f"{name} has no value")
            else:
                told.append(f"{name} runs from {np.nanmin(of_these):.4g} to {np.nanmax(of_these):.4g}")
        return ", ".join(told)

    def _parse(self) -> ast.expr:
        if len(self._text) > LONGEST:
            raise QueryError(f"--where is {len(self._text)} characters long, expected {LONGEST} or fewer")
        try:
            return ast.parse(self._text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            hints = [hint for pattern, hint in HINTS.items() if re.search(pattern, self._text)]
            raise QueryError(f"--where {self._text!r} cannot be read: {'; '.join([GRAMMAR, *hints])}") from error

    def _condition(self, node: ast.expr) -> tuple[Any, Any]:
        """Return where a condition is met and where it fails, in shapes that broadcast to (draws, configurations)."""
        match node:
            case ast.BoolOp(op=joined, values=parts):
                met, failed = zip(*map(self._condition, parts), strict=True)
                if isinstance(joined, ast.And):
                    return _joined(np.logical_and, met), _joined(np.logical_or, failed)
                return _joined(np.logical_or, met), _joined(np.logical_and, failed)
            case ast.UnaryOp(op=ast.Not(), operand=inner):
                meets, fails = self._condition(inner)
                return fails, meets
            case ast.Compare(left=left, ops=signs, comparators=others):
                nodes = [left, *others]
                values = [self._value(each) for each in nodes]
                pairs = [
                    self._compare(values[at], sign, values[at + 1], nodes[at], nodes[at + 1])
                    for at, sign in enumerate(signs)
                ]
                met, failed = zip(*pairs, strict=True)
                return _joined(np.logical_and, met), _joined(np.logical_or, failed)
            case ast.Tuple():
                raise QueryError(f"--where {self._text!r}: no commas between conditions, nor in numbers (14000)")
        raise QueryError(f"--where: {ast.unparse(node)!r} is no condition; {GRAMMAR}")

    def _compare(
        self, left: Any, sign: ast.cmpop, right: Any, left_node: ast.expr, right_node: ast.expr
    ) -> tuple[Any, Any]:
        if type(sign) not in COMPARISONS:
            raise QueryError(f"--where {self._text!r}: expected one of <, <=, ==, !=, >=, > between two values")
        left, right = self._label_of(left, right, right_node), self._label_of(right, left, left_node)
        texts = [np.asarray(value).dtype.kind in "OU" for value in (left, right)]
        if texts[0] != texts[1]:
            raise QueryError(f"--where {self._text!r} compares text with a number; text stands in quotes: 'fy2024'")
        if all(texts) and not isinstance(sign, ast.Eq | ast.NotEq):
            raise QueryError(f"--where {self._text!r}: text is compared by == or !=")
        there: Any = True if all(texts) else ~np.isnan(left) & ~np.isnan(right)
        meets = COMPARISONS[type(sign)](left, right)
        return meets & there, ~np.asarray(meets, dtype=np.bool_) & there

    def _label_of(self, value: Any, other: Any, beside: ast.expr) -> Any:
        """Return a text that stands beside a name as that name has it; any other value as it is."""
        if not isinstance(value, str) or isinstance(other, str | float):
            return value
        name = ast.unparse(beside)
        if name.partition("[")[0] == "status":
            flags = {word: float(number) for number, word in states(self._cube).items()}
            if value not in flags:
                raise QueryError(f"--where: no status {value!r}{nearest(value, flags)}")
            return flags[value]
        if np.asarray(other).dtype.kind in "OU" and not (other == value).any():
            raise QueryError(
                f"--where: {name} is never {value!r} in this cube, it is {_listed(other, 'or')}"
                f"{nearest(value, np.unique(other.astype(str)))}"
            )
        return value

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=bool() | None):
                raise QueryError(f"--where: {ast.unparse(node)} is neither number nor text; yes and no are 1 and 0")
            case ast.Constant(value=int() | float() | str() as constant):
                return constant if isinstance(constant, str) else float(constant)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as number)):
                return -float(number) if isinstance(sign, ast.USub) else float(number)
            case ast.Name(id=name):
                self._columns[name] = self._column(name, [])
                return self._columns[name]
            case ast.Subscript(value=ast.Name(id=name), slice=labels):
                parts = labels.elts if isinstance(labels, ast.Tuple) else [labels]
                written = ast.unparse(node)
                self._columns[written] = self._column(name, [_label(part) for part in parts])
                return self._columns[written]
        raise QueryError(f"--where: {ast.unparse(node)!r} is no name, number or text; {GRAMMAR}")

    def _column(self, name: str, labels: list[str]) -> Any:
        """Return a parameter or outcome as an array that broadcasts to (draws, configurations)."""
        known = [str(each) for each in (*self._cube.data_vars, "replicate", "draw") if each in self._cube.variables]
        if name not in known:
            raise QueryError(f"--where: no parameter or outcome {name!r}{self._what_is(name) or nearest(name, known)}")
        array = self._cube[name]
        if "configuration" in array.dims:
            self.on_outcomes = True
            self.on_status = self.on_status or name == "status"
            if name != "status":
                array = array.where(finished(self._cube))
        for label in labels:
            dims = [dim for dim in array.dims if dim != "draw" and label in array[dim].to_numpy()]
            if not dims:
                there = [str(each) for dim in array.dims if dim != "draw" for each in array[dim].to_numpy()]
                raise QueryError(f"--where: {name} has no {label!r}{nearest(label, there)}")
            array = array.sel({dims[0]: label}, drop=True)
        more = [str(dim) for dim in array.dims if dim not in DIMS]
        if more:
            form = ", ".join([*labels, *self._labels_with_values(array, more)])
            raise QueryError(
                f"--where: {name} runs over {' and '.join(more)} too: name one of each, as in {name}[{form}]"
            )
        values = array.to_numpy()
        values = values if values.dtype.kind in "OU" else values.astype(np.float64)
        return values if "configuration" in array.dims else values[:, np.newaxis]

    @staticmethod
    def _labels_with_values(array: xr.DataArray, dims: list[str]) -> list[str]:
        """Return a label of each of these dimensions under which some draw, of the first few, has a value."""
        found = []
        for dim in dims:
            head = array.isel(draw=slice(HEAD)).notnull().any([each for each in array.dims if each != dim]).to_numpy()
            place = int(head.argmax())
            label = str(array[dim].to_numpy()[place])
            found.append(label if label.isidentifier() else repr(label))
            array = array.isel({dim: place})
        return found

    def _what_is(self, name: str) -> str:
        """Say what a name is that is no variable: a dimension, one of its labels, or a text without quotes."""
        for dim in map(str, self._cube.dims):
            labels = [str(each) for each in self._cube[dim].to_numpy()] if dim in self._cube.coords else []
            if name == dim:
                return f", it is a dimension: --select {dim}={labels[0]} keeps one, as does NAME[{labels[0]}] here"
            if dim != "draw" and name in labels:
                return f", it is a label of {dim}: --select {dim}={name} keeps it, as does NAME[{name}] here"
        for text in (array for array in self._cube.data_vars.values() if array.dtype.kind in "OUT"):
            if (text == name).any():
                return f"; text stands in quotes: {text.name} == '{name}'"
        if name in states(self._cube).values():
            return f"; text stands in quotes: status == '{name}'"
        return ""


def _listed(texts: Any, joint: str) -> str:
    found = [repr(str(each)) for each in np.unique(texts.astype(str))]
    more = [f"{len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return f" {joint} ".join([*found[:SHOWN], *more])


def _label(node: ast.expr) -> str:
    match node:
        case ast.Name(id=label) | ast.Constant(value=str() as label):
            return label
    raise QueryError(f"--where: {ast.unparse(node)!r} is no label; labels that are no plain word stand in quotes")


def _joined(join: Any, parts: tuple[Any, ...]) -> Any:
    found = parts[0]
    for part in parts[1:]:
        found = join(found, part)
    return found
