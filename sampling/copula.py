"""Correlate the ranks of any parameters as a study's ``[dependence]`` asks: a Gaussian copula, and groups in step.

The rank correlation that is asked for becomes that of the normal scores: 2 sin(pi rho / 6) for Spearman's and
sin(pi tau / 2) for Kendall's (Kruskal 1958, Journal of the American Statistical Association 53(284)); exact for
continuous distributions. With L the Cholesky factor of that matrix, the scores are L times the independent ones.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any, Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationInfo, field_validator, model_validator
from scipy import special

from sampling.dependence import Link
from sampling.errors import SamplingError, nearest_name
from sampling.nearest_correlation import nearest_correlation
from sampling.spec import Spec

Floats = NDArray[np.float64]
LEAST_EIGENVALUE = 1e-8
BELOW_ONE, ABOVE_ZERO = np.nextafter(1.0, 0.0), 2.0**-54
Measure = Literal["spearman", "kendall", "normal"]


class DependenceSpec(Spec):
    """``[dependence]``: which parameters move together.

    Parameters
    ----------
    rank_correlation : list of [name, name, number]
        Pairs and their rank correlation, in (-1, 1). A pair that is not named has 0, or what the correlations that
        distributions have of their own make of it.
    parameters, matrix : list of names, list of rows
        The same as a whole matrix, in place of `rank_correlation`.
    measure : str
        ``"spearman"`` or ``"kendall"``.
    groups : list of lists of names
        The ranks of a group are those of its first name; a name with ``-`` before it moves against it.
    """

    rank_correlation: tuple[tuple[str, str, float], ...] = ()
    parameters: tuple[str, ...] = Field(default=(), strict=False)
    matrix: tuple[tuple[float, ...], ...] = ()
    measure: Literal["spearman", "kendall"] = "spearman"
    groups: tuple[tuple[str, ...], ...] = ()

    @field_validator("rank_correlation", "matrix", "groups", mode="before")
    @classmethod
    def _as_tuples(cls, rows: Any, info: ValidationInfo) -> Any:
        # TOML has lists; the model is strict.
        if not isinstance(rows, list | tuple) or not all(isinstance(row, list | tuple) for row in rows):
            raise SamplingError(str(info.field_name), rows, "a list of lists")
        return tuple(map(tuple, rows))

    @model_validator(mode="after")
    def _check_matrix(self) -> Self:
        if self.rank_correlation and (self.matrix or self.parameters):
            raise SamplingError("rank_correlation", str(self.rank_correlation), "pairs or a matrix, not both")
        size = len(self.parameters)
        if len(self.matrix) != size or any(len(row) != size for row in self.matrix):
            shape = f"{len(self.matrix)} rows of {sorted({len(row) for row in self.matrix})}"
            raise SamplingError("matrix", shape, f"{size} rows of {size} numbers, as parameters has {size} names")
        for i, j in combinations(range(size), 2):
            if self.matrix[i][j] != self.matrix[j][i]:
                here, there = (f"{self.parameters[a]}, {self.parameters[b]}" for a, b in ((i, j), (j, i)))
                raise SamplingError(f"matrix[{here}]", self.matrix[i][j], f"{self.matrix[j][i]:g}, as [{there}] has")
        for i in range(size):
            if self.matrix[i][i] != 1:
                raise SamplingError(f"matrix[{self.parameters[i]}, {self.parameters[i]}]", self.matrix[i][i], "1")
        return self

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        seen: set[frozenset[str]] = set()
        for a, b, rho in self.pairs():
            if a == b or frozenset((a, b)) in seen:
                raise SamplingError("rank_correlation", [a, b, rho], "two parameters, each pair once")
            if not -1 < rho < 1:
                raise SamplingError(f"rank_correlation[{a}, {b}]", rho, "a number in (-1, 1); for 1 use groups")
            seen.add(frozenset((a, b)))
        members = [name.removeprefix("-") for group in self.groups for name in group]
        for group in self.groups:
            if len(group) < 2 or group[0].startswith("-"):
                raise SamplingError("groups", list(group), "two names or more, the first without -")
        for name in members:
            if members.count(name) > 1:
                raise SamplingError("groups", name, "each parameter in one group, once")
        return self

    def pairs(self) -> list[tuple[str, str, float]]:
        """Return the pairs that are asked for, from the list or from the matrix."""
        if not self.parameters:
            return list(self.rank_correlation)
        names = self.parameters
        return [(names[i], names[j], self.matrix[i][j]) for i, j in combinations(range(len(names)), 2)]

    def followers(self) -> dict[str, tuple[str, bool]]:
        """Return, for each parameter that follows, the one that leads it, and whether it moves against it."""
        found: dict[str, tuple[str, bool]] = {}
        for leader, *rest in self.groups:
            found |= {name.removeprefix("-"): (leader, name.startswith("-")) for name in rest}
        return found


class Copula(NamedTuple):
    """Which columns are made from which: the links kept as they were, the joint columns with their factor, the groups.

    ``joint`` are columns, in order; ``factor`` (k, k) the lower Cholesky factor of their scores' correlation;
    ``groups`` are (follower, leader, against).
    """

    links: list[Link]
    joint: list[int]
    factor: Floats
    groups: list[tuple[int, int, bool]]


def of_scores(rho: float, measure: Measure) -> float:
    """Return the correlation of the normal scores that a rank correlation comes from."""
    if measure == "normal":
        return rho
    return float(2 * np.sin(np.pi * rho / 6)) if measure == "spearman" else float(np.sin(np.pi * rho / 2))


def of_ranks(rho: float, measure: Measure) -> float:
    """Return the rank correlation that a correlation of normal scores leads to."""
    if measure == "normal":
        return rho
    return float(6 / np.pi * np.arcsin(rho / 2)) if measure == "spearman" else float(2 / np.pi * np.arcsin(rho))


def make_copula(spec: DependenceSpec, names: Iterable[str], links: list[Link]) -> Copula:
    """Put a study's dependence together with the correlations that distributions have of their own.

    Columns that `spec` correlates, and all that hang on them by a link, become one matrix; a pair named in `spec`
    replaces what the links make of it. All other links stay as they are, bit for bit.

    Parameters
    ----------
    names : iterable of str
        The parameters in the order of the columns.

    Raises
    ------
    SamplingError
        An unknown name, a follower that is also correlated, or a matrix that no variables can have, with the nearest
        one that they can.
    """
    known = list(names)
    pairs, followers = spec.pairs(), spec.followers()
    for key, named in (
        ("dependence.rank_correlation", [name for a, b, _ in pairs for name in (a, b)]),
        ("dependence.groups", [name.removeprefix("-") for group in spec.groups for name in group]),
    ):
        for name in named:
            if name not in known:
                raise SamplingError(key, name, "the name of an uncertain parameter", nearest_name(name, known))
            if key == "dependence.rank_correlation" and name in followers:
                leader = followers[name][0]
                raise SamplingError(key, name, f"no correlation of its own: it follows {leader}, name that one")
    for link in links:
        if known[link.child] in followers:
            found = {known[link.parent]: link.rho}
            raise SamplingError(f"uncertain.{known[link.child]}.correlation", found, "none: it follows a group")
        if known[link.parent] in followers:
            expected = f"it first in its group, as {known[link.child]} is correlated with it"
            raise SamplingError("dependence.groups", known[link.parent], expected)
    groups = [(known.index(name), known.index(leader), against) for name, (leader, against) in followers.items()]
    own = {frozenset((known.index(a), known.index(b))): of_scores(rho, spec.measure) for a, b, rho in pairs}
    joint = _connected({column for pair in own for column in pair}, links)
    inside = [link for link in links if link.child in joint]
    matrix = _matrix(joint, inside, own)
    if joint and _least(matrix) < LEAST_EIGENVALUE:
        raise _refusal(known, joint, inside, own, spec.measure)
    outside = [link for link in links if link.child not in joint]
    return Copula(outside, joint, np.asarray(np.linalg.cholesky(matrix), dtype=np.float64), groups)


def apply_copula(points: Floats, copula: Copula) -> Floats:
    """Return `points` (n, d), independent ranks in [0, 1), with the columns of `copula.joint` and its groups dependent.

    A row depends on the same row of `points` alone: products are summed column by column, in one order, since the sums
    of a matrix product may depend on the number of rows. Links are for `sampling.dependence.correlate`.
    """
    ranks = points.copy()
    # One column, one contiguous row: numpy may round strided data otherwise than contiguous data.
    scores = [special.ndtri(np.clip(np.ascontiguousarray(points[:, c]), ABOVE_ZERO, BELOW_ONE)) for c in copula.joint]
    for i, column in enumerate(copula.joint):
        total = copula.factor[i, 0] * scores[0]
        for j in range(1, i + 1):
            total = total + copula.factor[i, j] * scores[j]
        if np.count_nonzero(copula.factor[i]) > 1:  # a column on its own keeps its ranks to the bit
            ranks[:, column] = np.clip(special.ndtr(total), ABOVE_ZERO, BELOW_ONE)
    return ranks


def follow(ranks: Floats, copula: Copula) -> Floats:
    """Return `ranks` (n, d) with each follower at its leader's rank u, or at 1 - u where it moves against it."""
    led = ranks.copy()
    for follower, leader, against in copula.groups:
        led[:, follower] = np.minimum(1 - led[:, leader], BELOW_ONE) if against else led[:, leader]
    return led


def _connected(columns: set[int], links: list[Link]) -> list[int]:
    """Return the columns and all that hang on them by links, in order."""
    joint = set(columns)
    while True:
        more = {c for link in links if {link.child, link.parent} & joint for c in (link.child, link.parent)} | joint
        if more == joint:
            return sorted(joint)
        joint = more


def _matrix(joint: list[int], links: list[Link], own: Mapping[frozenset[int], float]) -> Floats:
    """Return the correlation of the scores of the joint columns.

    Pairs in `own` have what they are given there. Others have 0, but for a child of a link: to any column it has rho
    times what its parent has.
    """
    place = {column: i for i, column in enumerate(joint)}
    matrix = np.eye(len(joint))
    children = {link.child: link for link in links}
    done: list[int] = []
    for column in [*(c for c in joint if c not in children), *children]:  # a parent stands before its children
        for other in done:
            link = children.get(column)
            made = 0.0 if link is None else link.rho * matrix[place[link.parent], place[other]]
            rho = own.get(frozenset((column, other)), made)
            matrix[place[column], place[other]] = matrix[place[other], place[column]] = rho
        done.append(column)
    return matrix


def _least(matrix: Floats) -> float:
    return float(np.linalg.eigvalsh(matrix).min())


def _refusal(
    names: list[str], joint: list[int], links: list[Link], own: Mapping[frozenset[int], float], measure: Measure
) -> SamplingError:
    """Return the refusal of a matrix, with the nearest one that can be, in as many digits as one would type."""
    matrix = _matrix(joint, links, own)
    shown: dict[tuple[int, int], float] = {}
    for floor in (1e-3, 3e-3, 1e-2, 3e-2, 0.1):  # of the eigenvalues: what is shown is rounded, and must hold as shown
        nearest = nearest_correlation(matrix, floor)
        shown = {}
        for i, j in combinations(range(len(joint)), 2):
            before, after = (of_ranks(float(np.clip(m[i, j], -1, 1)), measure) for m in (matrix, nearest))
            if frozenset((joint[i], joint[j])) in own or abs(before - after) > 5e-4:
                shown[joint[i], joint[j]] = round(after, 3)
        typed = {frozenset(pair): of_scores(rho, measure) for pair, rho in shown.items()}
        if _least(_matrix(joint, links, typed)) >= LEAST_EIGENVALUE:
            break
    told = ", ".join(f'["{names[a]}", "{names[b]}", {rho:g}]' for (a, b), rho in shown.items())
    return SamplingError(
        "dependence.rank_correlation",
        f"least eigenvalue {_least(matrix):.3g}",
        f"correlations that can hold together; the nearest that can: rank_correlation = [{told}]",
    )
