"""One live HiGHS: holds a template's program in memory, moves only what changed, and solves hot from the last basis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import highspy
import numpy as np
from numpy.typing import NDArray

from model.template import Floats, Template

ITERATION_LIMIT = 50_000  # simplex iterations of one solve: some fifty times what a cold day takes
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


_STATUS = {
    highspy.HighsModelStatus.kOptimal: Status.OPTIMAL,
    highspy.HighsModelStatus.kInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kUnbounded: Status.UNBOUNDED,
    highspy.HighsModelStatus.kUnboundedOrInfeasible: Status.INFEASIBLE,
    highspy.HighsModelStatus.kIterationLimit: Status.ITERATION_LIMIT,
}


@dataclass(frozen=True)
class Solution:
    """A solve's answer: objective in the model's unit, primal and duals by column and row (HiGHS signs)."""

    status: Status
    objective: float
    primal: Floats
    column_dual: Floats
    row_dual: Floats
    iterations: int


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
            **(options or {}),
        }.items():
            if self.highs.setOptionValue(name, value) is highspy.HighsStatus.kError:
                raise ValueError(f"HiGHS does not know the option {name!r} = {value!r}")
        self._entries: Floats | None = None
        self._start = basis
        self.iterations = 0

    def move(self, entries: Floats) -> None:
        """Make the program that of ``entries`` (one row of ``Template.values``); passes on only what differs."""
        if self._entries is None:
            self._pass(entries)
        else:
            self._patch(self._entries, entries)
        self._entries = entries

    def _pass(self, entries: Floats) -> None:
        template, (rows, columns) = self.template, self.template.shape
        part = {name: np.ascontiguousarray(entries[where]) for name, where in template.sections.items()}
        sense = highspy.ObjSense.kMaximize if template.maximise else highspy.ObjSense.kMinimize
        self.highs.passModel(
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
        if self._start is not None:
            self.highs.setBasis(self._start)

    def _patch(self, before: Floats, after: Floats) -> None:
        moved = before != after
        sections, highs = self.template.sections, self.highs

        def changed(*names: str) -> NDArray[np.int32]:
            return np.flatnonzero(np.logical_or.reduce([moved[sections[n]] for n in names])).astype(np.int32)

        def passed(change: Callable[..., object], *names: str) -> None:
            which = changed(*names)
            if which.size:
                change(which.size, which, *(np.ascontiguousarray(after[sections[n]][which]) for n in names))

        passed(highs.changeColsBounds, "column_lower", "column_upper")
        passed(highs.changeRowsBounds, "row_lower", "row_upper")
        passed(highs.changeColsCost, "cost")
        which = changed("matrix")
        rows = np.searchsorted(self.template.row_start, which, side="right") - 1
        for place, row in zip(which.tolist(), rows.tolist(), strict=True):
            highs.changeCoeff(row, int(self.template.column_index[place]), float(after[sections["matrix"]][place]))
        if moved[sections["offset"]][0]:
            highs.changeObjectiveOffset(float(after[sections["offset"]][0]))

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
        found = self.highs.getSolution()
        return Solution(
            status=status,
            objective=self.highs.getObjectiveValue(),
            primal=np.array(found.col_value),
            column_dual=np.array(found.col_dual),
            row_dual=np.array(found.row_dual),
            iterations=iterations,
        )

    def _run(self) -> tuple[Status, int]:
        outcome = self.highs.run()
        if outcome == highspy.HighsStatus.kError:
            return Status.SOLVER_ERROR, 0
        status = _STATUS.get(self.highs.getModelStatus(), Status.SOLVER_ERROR)
        return status, max(int(self.highs.getInfo().simplex_iteration_count), 0)

    def basis(self) -> highspy.HighsBasis:
        """The basis of the last solve, a copy."""
        basis: highspy.HighsBasis = self.highs.getBasis()
        return basis

    def start_from(self, basis: highspy.HighsBasis) -> None:
        """Let the next solve start from ``basis``."""
        self.highs.setBasis(basis)
