"""Discover in which futures a configuration meets a threshold that a user names, and how far the answer can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from report.discovery.boxes import Booleans, Box, Inputs
from report.discovery.cart import Leaf, cart
from report.discovery.prim import Step, prim, quasi_p
from report.factors import Factor
from report.metrics.futures import Futures
from report.where import QueryError, Where

LEAST_CASES: Final = 5
"""With fewer cases of interest, or of the others, a box would describe single draws."""
RESAMPLES: Final = 10
LARGEST_QUASI_P: Final = 0.05
PUBLISHED: Final = 65.0  # billion yen a year, Mitsubishi Research Institute, 8 October 2025
PUBLISHED_THRESHOLD: Final = f"saving_fuel_co2 < {PUBLISHED:g}"


@dataclass(frozen=True)
class Finding:
    """What was discovered about one threshold.

    Attributes
    ----------
    of_interest : bool array (m,)
        Over the judged draws, ``rows`` of the cube.
    steps : list of Step
        PRIM's trajectory; empty where there is nothing to discover, as ``reason`` then says: too few ``cases``, too few
        ``others``, or no ``factors``.
    chosen : int
        The step with the largest harmonic mean of coverage and density.
    final : Step or None
        The chosen box without the restrictions that chance may have made.
    quasi : dict
        Of the chosen box, see `report.discovery.prim.quasi_p`.
    again : dict of float
        Share of half samples whose chosen box, limits by chance included, restricts an uncertainty.
    """

    threshold: str
    configuration: str
    rows: Booleans
    of_interest: Booleans
    inputs: Inputs
    steps: list[Step]
    chosen: int
    final: Step | None
    quasi: dict[str, tuple[float, float]]
    again: dict[str, float]
    leaves: list[Leaf]
    reason: str

    @property
    def share(self) -> float:
        """Share of the judged draws that are of interest."""
        return float(self.of_interest.mean()) if self.of_interest.size else float("nan")


def default_threshold(futures: Futures, configuration: str) -> str:
    """Return the threshold used where nobody named one: the published saving if it compares, else the worst quarter."""
    saving = futures.saving("fuel_co2_cost", configuration)
    if futures.reference == "tokyo_osaka" and configuration != futures.reference:
        share = float((saving[np.isfinite(saving)] < PUBLISHED).mean()) if np.isfinite(saving).any() else 0.0
        if 0.05 <= share <= 0.95:
            return PUBLISHED_THRESHOLD
    if configuration == futures.reference:
        costs = futures.column("total_cost", configuration)
        return f"total_cost > {np.nanquantile(costs, 0.75):.6g}"
    return f"saving_fuel_co2 < {np.nanquantile(saving, 0.25):.4g}"


def discover(futures: Futures, configuration: str, threshold: str, *, seed: int = 0) -> Finding:
    """
    Find the box of uncertainties in which a configuration meets a condition.

    Parameters
    ----------
    futures : Futures
        Of one cube. Every draw counts alike, whatever its weight.
    configuration : str
        Whose outcomes the condition is about.
    threshold : str
        A condition of `report.where`, as ``saving_fuel_co2 < 65``. Failed draws are neither of interest nor not.
    seed : int
        Of the half samples.

    Raises
    ------
    QueryError
        For a condition that cannot be read, or a configuration that is not there.
    """
    if configuration not in futures.names:
        raise QueryError(f"configuration {configuration!r} is not in the cube, which has {', '.join(futures.names)}")
    if not threshold.strip():
        raise QueryError("--threshold is empty, expected a condition, as 'saving_fuel_co2 < 65'")
    try:
        where = Where(threshold, futures.cube)
    except QueryError as fault:
        raise QueryError(str(fault).replace("--where", "--threshold")) from fault
    at = futures.place(configuration)
    meets, fails = where.meets[:, at], where.fails[:, at]
    done = np.isfinite(futures.column("total_cost", configuration))
    if threshold.strip().startswith("saving") or "saving_" in threshold:
        done = done & np.isfinite(futures.column("total_cost", futures.reference))
    rows = (meets | fails) & done
    of_interest = meets[rows]
    kept = [Factor(factor.name, factor.values[rows], factor.labels) for factor in futures.factors]
    inputs = Inputs.of([factor for factor in kept if rows.any() and np.ptp(factor.values) > 0])
    reason = _reason(of_interest, inputs)
    if reason:
        return Finding(threshold, configuration, rows, of_interest, inputs, [], -1, None, {}, {}, [], reason)
    steps = prim(inputs, of_interest)
    chosen = _chosen(steps)
    quasi = quasi_p(inputs, of_interest, steps[chosen])
    final = _without_chance(inputs, of_interest, steps[chosen], quasi)
    again = _again(inputs, of_interest, np.random.default_rng(seed))
    leaves = cart(inputs, of_interest)
    return Finding(threshold, configuration, rows, of_interest, inputs, steps, chosen, final, quasi, again, leaves, "")


def _reason(of_interest: Booleans, inputs: Inputs) -> str:
    if not inputs.names and not inputs.texts:
        return "factors"
    if int(of_interest.sum()) < LEAST_CASES:
        return "cases"
    return "others" if int((~of_interest).sum()) < LEAST_CASES else ""


def _chosen(steps: Sequence[Step]) -> int:
    return max(range(len(steps)), key=lambda place: (_balance(steps[place]), -steps[place].dimensions))


def _balance(step: Step) -> float:
    return 2 * step.coverage * step.density / (step.coverage + step.density) if step.k else 0.0


def _without_chance(inputs: Inputs, of_interest: Booleans, step: Step, quasi: dict[str, tuple[float, float]]) -> Step:
    """Drop, one after the other and the least certain first, the limits whose quasi-p value is above 0.05."""
    whole, box = Box.around(inputs), step.box
    told = quasi
    while True:
        doubtful = [(p, name, end) for name, ends in told.items() for end, p in enumerate(ends) if p > LARGEST_QUASI_P]
        if not doubtful:
            break
        _, name, end = max(doubtful)
        if name in inputs.names:
            column = inputs.names.index(name)
            box = (
                box.limited(column, low=float(whole.low[column]))
                if end == 0
                else box.limited(column, high=float(whole.high[column]))
            )
        else:
            at = inputs.texts.index(name)
            box = box.keeping(at, whole.kept[at])
        step = measured(inputs, of_interest, box, whole)
        told = quasi_p(inputs, of_interest, step)
    return step


def measured(inputs: Inputs, of_interest: Booleans, box: Box, whole: Box) -> Step:
    """Return coverage, density and mass of any box."""
    inside = box.holds(inputs)
    n, k = int(inside.sum()), int(of_interest[inside].sum())
    return Step(
        box, k / int(of_interest.sum()), k / n if n else float("nan"), n / len(inputs), n, k, box.dimensions(whole)
    )


def _again(inputs: Inputs, of_interest: Booleans, rng: np.random.Generator) -> dict[str, float]:
    """Choose the box of half samples, limits by chance included, and count which uncertainties it restricts there."""
    found = dict.fromkeys([*inputs.names, *inputs.texts], 0.0)
    done = 0
    for _ in range(RESAMPLES):
        rows = rng.choice(len(inputs), size=len(inputs) // 2, replace=False)
        half, y = inputs.take(rows), of_interest[rows]
        if y.all() or not y.any():
            continue
        done += 1
        steps = prim(half, y)
        numbers, texts = steps[_chosen(steps)].box.restricted(Box.around(half))
        for name in [*(half.names[at] for at in numbers), *(half.texts[at] for at in texts)]:
            found[name] += 1
    return {name: count / done for name, count in found.items()} if done else {}
