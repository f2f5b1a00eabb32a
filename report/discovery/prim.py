"""Find a box with many cases of interest: the patient rule induction method (PRIM).

Friedman and Fisher 1999, Statistics and Computing 9(2), doi 10.1023/A:1008894516817; for scenario discovery Bryant and
Lempert 2010, doi 10.1016/j.techfore.2009.08.002. The rules of choice are those of the EMA workbench (Kwakkel 2017, doi
10.1016/j.envsoft.2017.06.054), its lenient objective included, so that both find the same boxes; this one takes a
hundred thousand draws in seconds, which theirs, made for tables of mixed types, does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from report.discovery.boxes import Booleans, Box, Inputs
from report.estimators import Floats

PEEL: Final = 0.05
PASTE: Final = 0.05
LEAST_MASS: Final = 0.05


@dataclass(frozen=True)
class Step:
    """One box of the trajectory.

    Attributes
    ----------
    coverage : float
        Cases of interest inside over all of them.
    density : float
        Cases of interest inside over all draws inside.
    mass : float
        Draws inside over all draws.
    n, k : int
        Draws, and cases of interest, inside.
    """

    box: Box
    coverage: float
    density: float
    mass: float
    n: int
    k: int
    dimensions: int


@dataclass(frozen=True)
class _Cut:
    box: Box
    inside: NDArray[np.int64]
    gain: float
    free: int


def prim(
    inputs: Inputs, of_interest: Booleans, *, peel: float = PEEL, paste: float = PASTE, least_mass: float = LEAST_MASS
) -> list[Step]:
    """
    Peel a box from the outside in, then paste what it lost too much.

    Parameters
    ----------
    inputs : Inputs
        Uncertainties of n draws.
    of_interest : bool array (n,)
        With at least one case and one that is none.
    peel, paste : float
        Share of the box that one step takes or gives, in 0..1.
    least_mass : float
        Share of all draws that a box must hold.

    Returns
    -------
    list of Step
        From the box of all draws to the last one.

    Raises
    ------
    ValueError
        If all draws are of interest, or none.
    """
    if of_interest.all() or not of_interest.any():
        raise ValueError("expected some draws of interest and some that are not")
    whole, y = Box.around(inputs), of_interest.astype(np.int64)
    all_draws = np.arange(len(inputs))
    box, inside = whole, all_draws
    steps = [_step(box, inside, y, whole)]
    while True:
        cut = _best(_peels(inputs, box, inside, peel), inside, y, whole)
        if cut is None or not (
            len(cut.inside) / len(y) >= least_mass and len(cut.inside) < len(inside) and cut.gain > 0
        ):
            break
        box, inside = cut.box, cut.inside
        steps.append(_step(box, inside, y, whole))
    while True:
        cut = _best(_pastes(inputs, box, whole, paste), inside, y, whole)
        if cut is None or not (
            len(cut.inside) / len(y) >= least_mass
            and len(cut.inside) > len(inside)
            and cut.gain > 0
            and y[cut.inside].mean() > y[inside].mean()
        ):
            return steps
        box, inside = cut.box, cut.inside
        steps.append(_step(box, inside, y, whole))


def _step(box: Box, inside: NDArray[np.int64], y: NDArray[np.int64], whole: Box) -> Step:
    n, k = len(inside), int(y[inside].sum())
    return Step(box, k / int(y.sum()), k / n, n / len(y), n, k, box.dimensions(whole))


def _best(
    cuts: Iterator[tuple[Box, NDArray[np.int64]]], inside: NDArray[np.int64], y: NDArray[np.int64], whole: Box
) -> _Cut | None:
    """Return the cut of the largest gain in density for each draw moved; among equals the one with fewer restrictions."""
    best: _Cut | None = None
    size = len(whole.low) + len(whole.kept)
    before = y[inside].mean()
    for box, after in cuts:
        mean = y[after].mean() if len(after) else 0.0
        gain = (mean - before) / abs(len(inside) - len(after)) if mean != before else 0.0
        cut = _Cut(box, after, float(gain), size - box.dimensions(whole))
        if best is None or (cut.gain, cut.free) > (best.gain, best.free):
            best = cut
    return best


def _peels(
    inputs: Inputs, box: Box, inside: NDArray[np.int64], share: float
) -> Iterator[tuple[Box, NDArray[np.int64]]]:
    for column in range(inputs.numbers.shape[1]):
        values = inputs.numbers[inside, column]
        edge = between(values, 1 - share)
        yield box.limited(column, high=edge), inside[values <= edge]
        edge = between(values, share)
        yield box.limited(column, low=edge), inside[values >= edge]
    for column, kept in enumerate(box.kept):
        if len(kept) > 1:
            for code in sorted(kept):
                yield box.keeping(column, kept - {code}), inside[inputs.codes[inside, column] != code]


def _pastes(inputs: Inputs, box: Box, whole: Box, share: float) -> Iterator[tuple[Box, NDArray[np.int64]]]:
    numbers, texts = box.restricted(whole)
    parts = {column: box.holds_number(inputs, column) for column in numbers}
    parts |= {-1 - column: box.holds_text(inputs, column) for column in texts}

    def others(left_out: int) -> Booleans:
        found = np.ones(len(inputs), dtype=np.bool_)
        for column, part in parts.items():
            if column != left_out:
                found &= part
        return found

    for column in numbers:
        beside, values = others(column), inputs.numbers[:, column]
        outside = values[beside & (values <= box.low[column])]
        edge = between(outside, 1 - share) if outside.size else float(whole.low[column])
        wider = box.limited(column, low=edge)
        yield wider, np.flatnonzero(beside & wider.holds_number(inputs, column))
        outside = values[beside & (values >= box.high[column])]
        edge = between(outside, share) if outside.size else float(whole.high[column])
        wider = box.limited(column, high=edge)
        yield wider, np.flatnonzero(beside & wider.holds_number(inputs, column))
    for column in texts:
        beside = others(-1 - column)
        for code in sorted(whole.kept[column] - box.kept[column]):
            wider = box.keeping(column, box.kept[column] | {code})
            yield wider, np.flatnonzero(beside & wider.holds_text(inputs, column))


def between(values: Floats, share: float) -> float:
    """
    Return a place between two values that leaves about a share below it.

    Halfway between the two ordered values around rank ``share (n - 1)``. Where these are equal, the one towards the
    nearer end is exchanged for the next that differs, so that ties are never cut in two (as in sdtoolkit).
    """
    rank = (len(values) - 1) * share
    low, high = int(np.floor(rank)), int(np.ceil(rank))
    parted = np.partition(values, (low, high))
    lower, upper = float(parted[low]), float(parted[high])
    if lower == upper and share > 0.5:
        beyond = values[values < lower]
        lower = float(beyond.max()) if beyond.size else lower
    elif lower == upper:
        beyond = values[values > upper]
        upper = float(beyond.min()) if beyond.size else upper
    return (lower + upper) / 2


def quasi_p(inputs: Inputs, of_interest: Booleans, step: Step) -> dict[str, tuple[float, float]]:
    """
    Return for each restriction how likely as many cases of interest would lie inside by chance.

    A one-sided binomial test against the density of the box without that restriction (Bryant and Lempert 2010). It is no
    p-value of a test planned beforehand, since the same draws chose the box.

    Returns
    -------
    dict of (float, float)
        Of the lower and the upper limit by name; NaN where there is none. A text has one, in the first place.
    """
    whole, box = Box.around(inputs), step.box
    found: dict[str, tuple[float, float]] = {}
    numbers, texts = box.restricted(whole)

    def tested(wider: Box) -> float:
        there = wider.holds(inputs)
        return float(stats.binomtest(step.k, step.n, float(of_interest[there].mean()), alternative="greater").pvalue)

    for column in numbers:
        low, high = float(whole.low[column]), float(whole.high[column])
        found[inputs.names[column]] = (
            tested(box.limited(column, low=low)) if box.low[column] != low else float("nan"),
            tested(box.limited(column, high=high)) if box.high[column] != high else float("nan"),
        )
    for column in texts:
        found[inputs.texts[column]] = (tested(box.keeping(column, whole.kept[column])), float("nan"))
    return found
