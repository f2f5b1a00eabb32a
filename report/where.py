"""Read a condition on parameters and outcomes, such as ``apn_adoption < 0.4 and japan_sea_hvdc == 0``.

A condition is parsed, never run: comparisons (``<  <=  ==  !=  >=  >``, chained too) of names, numbers and quoted
text, joined by ``and``, ``or``, ``not`` and brackets. ``NAME[LABEL]`` takes one configuration, area, line, ...:
``regret_total[five_hubs] > 0``, ``lole[five_hubs, Tokyo] > 2``.

What is missing makes a comparison neither true nor false (Kleene's logic): a failed draw meets no condition on its
outcomes, nor does it meet the opposite.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from report.outcomes import CubeContentError, finished, nearest

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

    Raises
    ------
    QueryError
        For what is no condition, an unknown name (with the nearest known one), or text compared with a number.
    """

    def __init__(self, text: str, cube: xr.Dataset) -> None:
        self._cube, self._text = cube, text
        self.on_outcomes = False
        shape = tuple(cube.sizes[dim] for dim in DIMS)
        if text.strip():
            meets, fails = self._condition(self._parse())
        else:
            meets, fails = np.True_, np.False_
        self.meets: Booleans = np.broadcast_to(meets, shape)
        self.fails: Booleans = np.broadcast_to(fails, shape)

    def _parse(self) -> ast.expr:
        if len(self._text) > LONGEST:
            raise QueryError(f"--where is {len(self._text)} characters long, expected {LONGEST} or fewer")
        try:
            return ast.parse(self._text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise QueryError(f"--where {self._text!r} cannot be read: {GRAMMAR}") from error

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
                values = [self._value(each) for each in (left, *others)]
                pairs = [self._compare(*each) for each in zip(values, signs, values[1:], strict=False)]
                met, failed = zip(*pairs, strict=True)
                return _joined(np.logical_and, met), _joined(np.logical_or, failed)
        raise QueryError(f"--where: {ast.unparse(node)!r} is no condition; {GRAMMAR}")

    def _compare(self, left: Any, sign: ast.cmpop, right: Any) -> tuple[Any, Any]:
        if type(sign) not in COMPARISONS:
            raise QueryError(f"--where {self._text!r}: expected one of <, <=, ==, !=, >=, > between two values")
        texts = [np.asarray(value).dtype.kind in "OU" for value in (left, right)]
        if texts[0] != texts[1]:
            raise QueryError(f"--where {self._text!r} compares text with a number; text stands in quotes: 'fy2024'")
        if all(texts) and not isinstance(sign, ast.Eq | ast.NotEq):
            raise QueryError(f"--where {self._text!r}: text is compared by == or !=")
        there = True if all(texts) else ~np.isnan(left) & ~np.isnan(right)
        meets = COMPARISONS[type(sign)](left, right)
        return meets & there, ~np.asarray(meets, dtype=np.bool_) & there

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=bool() | None):
                raise QueryError(f"--where: {ast.unparse(node)} is neither number nor text; yes and no are 1 and 0")
            case ast.Constant(value=int() | float() | str() as constant):
                return constant if isinstance(constant, str) else float(constant)
            case ast.UnaryOp(op=ast.USub() | ast.UAdd() as sign, operand=ast.Constant(value=int() | float() as number)):
                return -float(number) if isinstance(sign, ast.USub) else float(number)
            case ast.Name(id=name):
                return self._column(name, [])
            case ast.Subscript(value=ast.Name(id=name), slice=labels):
                parts = labels.elts if isinstance(labels, ast.Tuple) else [labels]
                return self._column(name, [_label(part) for part in parts])
        raise QueryError(f"--where: {ast.unparse(node)!r} is no name, number or text; {GRAMMAR}")

    def _column(self, name: str, labels: list[str]) -> Any:
        """Return a parameter or outcome as an array that broadcasts to (draws, configurations)."""
        known = [str(each) for each in (*self._cube.data_vars, "replicate") if each in self._cube.variables]
        if name not in known:
            raise QueryError(f"--where: no parameter or outcome {name!r}{nearest(name, known)}")
        array = self._cube[name]
        if "configuration" in array.dims:
            self.on_outcomes = True
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
            first = str(array[more[0]].to_numpy()[0])
            raise QueryError(f"--where: {name} runs over {' and '.join(more)}: name one of each, as in {name}[{first}]")
        values = array.to_numpy()
        values = values if values.dtype.kind in "OU" else values.astype(np.float64)
        return values if "configuration" in array.dims else values[:, np.newaxis]


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
