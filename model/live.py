"""One live HiGHS: holds a template's program in memory, moves only what changed, and solves hot from the last basis."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from functools import cached_property
from typing import Any, NamedTuple

import highspy
import numpy as np

from model.template import Floats, Ints, Part, Template

ITERATION_LIMIT = 50_000  # simplex iterations of one solve: some fifty times what a cold day takes
NODE_LIMIT = 100_000  # branch-and-bound nodes of one solve: a thousand times what a whole-number siting takes
INFINITY = highspy.kHighsInf


class Status(IntEnum):
    """What became of a solve; 0 and 5 are given by the run around it, never by the solver."""

    NOT_RUN = 0
    OPTIMAL = 1
    INFEASIBLE = 2
    UNBOUNDED = 3
    ITERATION_LIMIT = 4
    SET_ASIDE = 5
    SOLVER_ERROR = 6


_ERROR = highspy.HighsStatus.kError
_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Status.UNBOUNDED,
    highspy.HighsModelStatus.kUnboundedOrInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kIterationLimit: Status.ITERATION_LIMIT,
    highspy.HighsModelStatus.kSolutionLimit: Status.ITERATION_LIMIT,  # of nodes
}


class Residuals(NamedTuple):
    """How far a solution is off at most: a row or bound in the model's unit, a reduced cost in cost by it."""

    primal: float
    dual: float


class Solution:
    """A solve's answer: objective in the model's unit, and, read on demand, primal and duals (HiGHS signs).

    HiGHS hands arrays over number by number, which takes as long as several simplex iterations: most solves are asked
    for one or two of the three. They are to be read before the same HiGHS solves again.
    """

    def __init__(self, live: LiveHighs, status: Status, iterations: int) -> None:
        self.status, self.iterations, self.residuals = status, iterations, live.residuals
        self.objective: float = live.highs.getObjectiveValue()
        self._live, self._solve, self._found = live, live.solves, live.highs.getSolution()

    @cached_property
    def primal(self) -> Floats:
        """Values (columns,)."""
        return self._read("col_value")

    @cached_property
    def column_dual(self) -> Floats:
        """Reduced costs (columns,)."""
        return self._read("col_dual")

    @cached_property
    def row_dual(self) -> Floats:
        """Duals (rows,)."""
        return self._read("row_dual")

    def _read(self, name: str) -> Floats:
        if self._live.solves != self._solve:
            raise RuntimeError(f"{name} of solve {self._solve} is gone: its HiGHS has solved again")
        numbers = getattr(self._found, name)
        return np.frombuffer(struct.pack(f"{len(numbers)}d", *numbers))  # a third of the time of np.array(numbers)


class LiveHighs:
    """A program of a template, alive in one single-threaded HiGHS.

    Parameters
    ----------
    template : Template
    basis : highspy.HighsBasis, optional
        Where the first solve starts.
    options : mapping, optional
        HiGHS options beside ours.
    """

    def __init__(
        self,
        template: Template,
        basis: highspy.HighsBasis | None = None,
        options: Mapping[str, float | str] | None = None,
    ) -> None:
        self.template = template
        self.highs = highspy.Highs()
        for name, value in {
            "output_flag": False,
            "threads": 1,
            "random_seed": 0,
            "simplex_iteration_limit": ITERATION_LIMIT,
            "mip_max_nodes": NODE_LIMIT,
            **(options or {}),
        }.items():
            if self.highs.setOptionValue(name, value) == _ERROR:
                raise ValueError(f"HiGHS does not know the option {name!r} = {value!r}")
        self._entries: Floats | None = None
        self._start = basis
        self.iterations = self.solves = 0
        self.residuals = Residuals(np.nan, np.nan)

    def move(self, entries: Floats) -> None:
        """Make the program that of ``entries`` (one row of ``Template.values``); passes on only what differs."""
        if self._entries is None:
            self._pass(entries)
        else:
            self._patch(self._entries, entries)
        self._entries = entries.copy()

    @property
    def entries(self) -> Floats:
        """The entries as they were moved last (entries,); not to be changed."""
        if self._entries is None:
            raise RuntimeError("nothing was moved yet")
        return self._entries

    def move_part(self, part: Part, values: Floats) -> None:
        """Give the entries of ``part`` (``Part.values``) new values; all others stay as they were moved last."""
        self.entries[part.entries] = values
        self._change(part.columns, part.rows, part.costs, part.matrix, part.moves_offset)

    def _change(self, columns: Ints, rows: Ints, costs: Ints, places: Ints, offset: bool) -> None:
        """Pass the entries of some columns' bounds, rows' sides, costs and matrix places on to HiGHS."""
        highs, entries = self.highs, self.entries
        section = {name: entries[where] for name, where in self.template.sections.items()}
        if columns.size:
            lower, upper = section["column_lower"][columns], section["column_upper"][columns]
            taken(highs.changeColsBounds(columns.size, columns, lower, upper), "bounds of columns")
        if rows.size:
            lower, upper = section["row_lower"][rows], section["row_upper"][rows]
            taken(highs.changeRowsBounds(rows.size, rows, lower, upper), "bounds of rows")
        if costs.size:
            taken(highs.changeColsCost(costs.size, costs, section["cost"][costs]), "costs")
        owners = np.searchsorted(self.template.row_start, places, side="right") - 1
        for place, row in zip(places.tolist(), owners.tolist(), strict=True):
            column, value = int(self.template.column_index[place]), float(section["matrix"][place])
            taken(highs.changeCoeff(row, column, value), "a coefficient")
        if offset:
            taken(highs.changeObjectiveOffset(float(section["offset"][0])), "an objective offset")

    def _pass(self, entries: Floats) -> None:
        template, (rows, columns) = self.template, self.template.shape
        part = {name: np.ascontiguousarray(entries[where]) for name, where in template.sections.items()}
        sense = highspy.ObjSense.kMaximize if template.maximise else highspy.ObjSense.kMinimize
        status = self.highs.passModel(
            columns,
            rows,
            template.column_index.size,
            int(highspy.MatrixFormat.kRowwise),
            int(sense),
            float(part["offset"][0]),
            part["cost"],
            part["column_lower"],
            part["column_upper"],
            part["row_lower"],
            part["row_upper"],
            template.row_start,
            template.column_index,
            part["matrix"],
            template.integer.astype(np.int32),
        )
        taken(status, "a program")
        if self._start is not None:
            self.start_from(self._start)

    def _patch(self, before: Floats, after: Floats) -> None:
        moved = before != after
        at = self.template.sections

        def changed(*names: str) -> Ints:
            return np.flatnonzero(np.logical_or.reduce([moved[at[name]] for name in names])).astype(np.int32)

        self._entries = after
        self._change(
            changed("column_lower", "column_upper"),
            changed("row_lower", "row_upper"),
            changed("cost"),
            changed("matrix"),
            bool(moved[at["offset"]][0]),
        )

    def solve(self) -> Solution:
        """Solve from the last basis; where that does not end well, once more from scratch.

        Which of the two answers is decided by the solver's status alone, never by a clock.
        """
        status, iterations = self._run()
        if status is not Status.OPTIMAL:
            self.highs.clearSolver()
            status, more = self._run()
            iterations += more
        self.iterations += iterations
        self.solves += 1
        return Solution(self, status, iterations)

    def _run(self) -> tuple[Status, int]:
        outcome = self.highs.run()
        if outcome == highspy.HighsStatus.kError:
            return Status.SOLVER_ERROR, 0
        status, info = _STATUS.get(self.highs.getModelStatus(), Status.SOLVER_ERROR), self.highs.getInfo()
        self.residuals = Residuals(info.max_primal_infeasibility, info.max_dual_infeasibility)
        return status, max(int(info.simplex_iteration_count), 0)

    def basis(self) -> highspy.HighsBasis:
        """The basis of the last solve, a copy."""
        basis: highspy.HighsBasis = self.highs.getBasis()
        return basis

    def start_from(self, basis: highspy.HighsBasis) -> None:
        """Let the next solve start from ``basis``."""
        taken(self.highs.setBasis(basis), "a basis")


def taken(status: Any, what: str) -> None:
    """Make sure that HiGHS took what it was given; else it would go on with what was there before.

    Raises
    ------
    RuntimeError
        It refused, as it does numbers that are none and places beyond the program.
    """
    if status == _ERROR:
        raise RuntimeError(f"HiGHS refused {what}")
