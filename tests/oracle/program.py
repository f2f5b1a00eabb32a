"""Hold one linear or mixed-integer program by labelled blocks and solve it cold with HiGHS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]
Number = float | Floats


@dataclass(frozen=True)
class Solution:
    """Optimal values of a program.

    Attributes
    ----------
    objective : float
        Cost at the optimum.
    bound : float
        Proven lower bound of the cost: the objective itself for a linear program.
    value, reduced_cost : array (column,)
        Value of each column, and change of the objective per unit of its active bound.
    price : array (row,)
        Change of the objective per unit of the row's active side. Duals are NaN in a mixed-integer program.
    """

    objective: float
    bound: float
    value: Floats
    reduced_cost: Floats
    price: Floats


class Program:
    """Minimise cost over columns and rows that are added block by block."""

    def __init__(self) -> None:
        self._cost: list[Floats] = []
        self._lower: list[Floats] = []
        self._upper: list[Floats] = []
        self._integer: list[npt.NDArray[np.bool_]] = []
        self._columns = 0
        self._row_lower: list[Floats] = []
        self._row_upper: list[Floats] = []
        self._rows = 0
        self._entries: list[tuple[Index, Index, Floats]] = []

    def columns(
        self,
        shape: tuple[int, ...],
        lower: Number = 0.0,
        upper: Number = np.inf,
        cost: Number = 0.0,
        integer: bool = False,
    ) -> Index:
        """Add a block of columns; bounds and cost broadcast to `shape`; return their numbers in that shape."""
        numbers = self._columns + np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
        for store, given in ((self._cost, cost), (self._lower, lower), (self._upper, upper)):
            store.append(np.broadcast_to(np.asarray(given, dtype=np.float64), shape).ravel())
        self._integer.append(np.full(numbers.size, integer))
        self._columns += numbers.size
        return numbers

    def rows(
        self,
        shape: tuple[int, ...],
        terms: Sequence[tuple[Number, Index]],
        lower: Number = -np.inf,
        upper: Number = np.inf,
    ) -> Index:
        """Add a block of rows lower <= sum of terms <= upper; return their numbers.

        A term is (coefficient, columns). The columns have the rows' shape followed by any axes to be summed over;
        the coefficient broadcasts to the columns.
        """
        numbers = self._rows + np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
        for coefficient, columns in terms:
            if columns.shape[: len(shape)] != shape:
                raise ValueError(f"term of shape {columns.shape} in rows of shape {shape}")
            spread = numbers.reshape(shape + (1,) * (columns.ndim - len(shape)))
            self._entries.append(
                (
                    np.broadcast_to(spread, columns.shape).ravel(),
                    columns.ravel(),
                    np.broadcast_to(np.asarray(coefficient, dtype=np.float64), columns.shape).ravel(),
                )
            )
        for store, given in ((self._row_lower, lower), (self._row_upper, upper)):
            store.append(np.broadcast_to(np.asarray(given, dtype=np.float64), shape).ravel())
        self._rows += numbers.size
        return numbers

    def solve(self, gap: float = 1e-6) -> Solution:
        """Solve from nothing; raise RuntimeError unless HiGHS calls the result optimal."""
        row, column, entry = (np.concatenate(part) for part in zip(*self._entries, strict=True))
        matrix = sparse.csc_matrix((entry, (row, column)), shape=(self._rows, self._columns))
        matrix.eliminate_zeros()
        integer = np.concatenate(self._integer)

        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = self._columns, self._rows
        lp.col_cost_ = np.concatenate(self._cost)
        lp.col_lower_, lp.col_upper_ = np.concatenate(self._lower), np.concatenate(self._upper)
        lp.row_lower_, lp.row_upper_ = np.concatenate(self._row_lower), np.concatenate(self._row_upper)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
        mixed = bool(integer.any())
        if mixed:
            kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
            lp.integrality_ = [kinds[int(flag)] for flag in integer]

        solver = highspy.Highs()
        for option, setting in (
            ("output_flag", False),
            ("threads", 1),
            ("primal_feasibility_tolerance", 1e-9),
            ("dual_feasibility_tolerance", 1e-9),
            ("mip_feasibility_tolerance", 1e-9),
            ("mip_rel_gap", gap),
        ):
            solver.setOptionValue(option, setting)
        solver.passModel(lp)
        solver.run()
        status = solver.getModelStatus()
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"HiGHS ended with {status}, expected an optimum")
        found, info = solver.getSolution(), solver.getInfo()
        objective = float(info.objective_function_value)
        return Solution(
            objective=objective,
            bound=float(info.mip_dual_bound) if mixed else objective,
            value=np.array(found.col_value),
            reduced_cost=np.full(self._columns, np.nan) if mixed else np.array(found.col_dual),
            price=np.full(self._rows, np.nan) if mixed else np.array(found.row_dual),
        )
