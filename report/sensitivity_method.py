"""Choose the measures of sensitivity that the design of the draws allows, and say what they may not be taken for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from report.designed import MORRIS, SOBOL
from report.factors import Factors, declared_dependence, parameter_names
from report.given_data import MEASURES
from report.outcomes import nearest
from report.structure import Matrices, Trajectories, matrices_of, trajectories_of
from report.where import QueryError

GIVEN, SOBOL_METHOD, MORRIS_METHOD = "given", "sobol", "morris"
METHODS: Final = ("auto", GIVEN, SOBOL_METHOD, MORRIS_METHOD)
SALTELLI: Final = "saltelli"
DESIGN_OF: Final = {SOBOL_METHOD: SALTELLI, MORRIS_METHOD: "morris"}
NO_SAMPLE: Final = ("morris", "one_at_a_time")
"""Designs whose draws do not follow the distributions of the parameters, so that no share of a variance has a meaning."""


@dataclass(frozen=True)
class Way:
    """How the numbers are reckoned.

    Attributes
    ----------
    method : str
        One of `METHODS` but ``auto``.
    measures : mapping of str to str
        Name and meaning.
    names : list of str
        Of the parameters, or of those that change together.
    matrices, trajectories : optional
        What was recognised in the draws.
    sample : ndarray of int64, optional
        Positions of the draws that are a sample, where not all are.
    notes : list of str
        What has to be said about it.
    """

    method: str
    measures: Mapping[str, str]
    names: list[str]
    matrices: Matrices | None = None
    trajectories: Trajectories | None = None
    sample: NDArray[np.int64] | None = None
    notes: list[str] = field(default_factory=list)


def design_of(cube: xr.Dataset) -> str:
    """Name the design of the draws."""
    return str(cube.attrs.get("design_kind", "not declared"))


def choose_way(cube: xr.Dataset, factors: Factors, method: str) -> Way:
    """
    Choose the method that the design allows, or refuse the one that is asked for.

    Raises
    ------
    QueryError
        The message names the design found and those that are accepted.
    """
    design = design_of(cube)
    if method not in METHODS:
        raise QueryError(f"method {method!r}: expected one of {', '.join(METHODS)}{nearest(method, METHODS)}")
    if method in DESIGN_OF and design != DESIGN_OF[method]:
        raise QueryError(
            f"method {method!r} needs a design of kind {DESIGN_OF[method]!r}, found {design!r}; "
            "from any sample of futures: method 'given'"
        )
    by_design = {kind: name for name, kind in DESIGN_OF.items()}
    wanted = by_design.get(design, GIVEN) if method == "auto" else method
    scenarios = [factor.name for factor in factors.varied if cube[factor.name].attrs.get("role") == "scenario"]
    if wanted != GIVEN and scenarios:
        raise QueryError(f"the draws stand under several scenarios; take one, as in --select {scenarios[0]}=NAME")
    if wanted == MORRIS_METHOD:
        paths = trajectories_of(factors, len(parameter_names(cube)))
        if paths is None:
            raise QueryError(
                "design 'morris': the draws are no trajectories in which parameters change one at a time; expected parameters "
                "that do not depend on each other (in the study, declare them without a correlation)"
            )
        return Way(MORRIS_METHOD, MORRIS, paths.names, trajectories=paths, notes=_together(paths.names))
    if design in NO_SAMPLE:
        raise QueryError(
            f"method {GIVEN!r} needs draws that follow the distributions of the parameters; found a design of kind "
            f"{design!r}, expected monte_carlo, lhs, sobol, halton, saltelli, factorial or file"
        )
    if design == SALTELLI and not scenarios:
        return _of_saltelli(cube, factors, method, wanted)
    notes = []
    if design == SALTELLI:
        notes.append(REPEATED)
    elif design == "factorial":
        notes.append("A factorial design gives all its levels the same weight, whatever the distributions are.")
    return _given(factors, notes)


REPEATED: Final = "The draws of a Saltelli design repeat each other: the intervals are too narrow."


def _of_saltelli(cube: xr.Dataset, factors: Factors, method: str, wanted: str) -> Way:
    declared = declared_dependence(cube)
    matrices = matrices_of(factors, len(parameter_names(cube)))
    notes = []
    if declared or matrices is None:
        told = f" ({'; '.join(declared)})" if declared else ": the draws are no blocks in which they change one by one"
        why = f"Sobol indices need independent parameters, and these depend on each other{told}"
        if method == SOBOL_METHOD:
            raise QueryError(f"{why}; method 'given' has measures that remain valid")
        notes.append(f"{why}; so these measures are given in their place.")
    elif wanted == SOBOL_METHOD:
        return Way(SOBOL_METHOD, SOBOL, matrices.names, matrices=matrices, notes=_together(matrices.names))
    if matrices is None:
        return _given(factors, [*notes, REPEATED])
    ends = np.arange(0, cube.sizes["draw"], matrices.size)
    sample = np.sort(np.concatenate([ends, ends + matrices.size - 1]))
    notes.append(f"Of a Saltelli design only the {len(sample):,} draws of its two independent matrices are used.")
    return _given(factors, notes, sample)


def _given(factors: Factors, notes: list[str], sample: NDArray[np.int64] | None = None) -> Way:
    measures = {measure.name: measure.meaning for measure in MEASURES}
    return Way(GIVEN, measures, factors.names, sample=sample, notes=notes)


def _together(names: Sequence[str]) -> list[str]:
    return [f"{name}: these change together and have one index." for name in names if "+" in name]


def notes_on(
    cube: xr.Dataset, factors: Factors, correlated: Sequence[tuple[str, str, float]], way: Way, dropped: bool
) -> list[str]:
    """Say what was left out, coded or dropped, and which parameters move together."""
    notes = []
    if dropped:
        takes = {SOBOL_METHOD: "take their base point with them", MORRIS_METHOD: "take their trajectory with them"}
        notes.append(
            f"Draws that failed, were not run or have no value {takes.get(way.method, 'are left out')}, and are never "
            "counted as zero: if they fail where the outcome is extreme, this is about the others."
        )
    if factors.coded:
        told = "; ".join(f"{name}: {', '.join(labels)}" for name, labels in factors.coded.items())
        sign = "; the sign of mu follows that order" if way.method == MORRIS_METHOD else ""
        notes.append(f"Texts are taken as categories ({told}){sign}.")
    if factors.left_out:
        reasons = "; ".join(f"{name} ({reason})" for name, reason in factors.left_out.items())
        notes.append(f"Left out: {reasons}.")
    if way.method == GIVEN and (correlated or declared_dependence(cube)):
        by_rank = ", ".join(f"{a} and {b} ({rho:+.2f})" for a, b, rho in correlated)
        told = f" (rank correlation: {by_rank})" if by_rank else ""
        notes.append(
            f"Parameters move together{told}. Each then carries what the other does: shares overlap and may sum to "
            "more than 1."
        )
    return notes
