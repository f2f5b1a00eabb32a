"""Take in what `wattbit optimise` left in a store: sitings decided for all draws, and plans of the cube beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from report.document.language import Words
from report.estimators import cvar, equal_weights
from report.metrics import Futures
from report.outcomes import NOT_RUN, variable

Record = Mapping[str, Any]
LEVEL = 0.9  # of the CVaR that every record tells


@dataclass(frozen=True)
class Point:
    """Mean, CVaR and largest regret of total cost [billion yen per year]; NaN where it is not known."""

    label: str
    mean: float
    tail: float
    regret: float


def title_of(record: Record) -> str:
    """Return what a record made least, under which budgets."""
    held = [f"{name} ≤ {limit:g}" for name, limit in record["budgets"].items()]
    return f"{record['measure']} ({', '.join(held)})" if held else str(record["measure"])


def measure_name(words: Words, record: Record) -> str:
    """Name in running text what a record made least."""
    told = {
        "mean": ("mean cost", "平均費用"),
        "regret": ("largest regret", "最大後悔"),
        "worst": ("worst cost", "最悪費用"),
    }
    told[f"cvar:{LEVEL:g}"] = (
        "mean cost of the worst tenth of futures (CVaR 0.9)",
        "費用の悪い方から1割の将来の平均（CVaR 0.9）",
    )
    measure = str(record["measure"])
    name = words(*told[measure]) if measure in told else words(f"{measure} of cost", f"費用の{measure}")
    held = [
        f"{words(*told[each]) if each in told else each} ≤ {words.money(limit)}"
        for each, limit in record["budgets"].items()
    ]
    return f"{name}{words(' (', '（')}{words.listed(held)}{words(')', '）')}" if held else name


def estimate(found: Record | None) -> float:
    """Return the estimate of an interval as the record keeps it, NaN where it is not there."""
    return np.nan if found is None or found["estimate"] is None else float(found["estimate"])


def in_order(records: Sequence[Record]) -> list[Record]:
    """Return records, that in focus first: of most draws, then with a space of good plans, of fewest budgets, of least gap."""
    return sorted(
        records, key=lambda each: (-each["draws"], not each["near"], len(each["budgets"]), each["gap"], title_of(each))
    )


def with_space(records: Sequence[Record]) -> Record | None:
    """Return the first of the ordered records that has a space of good plans, None where there is none."""
    return next((each for each in records if each["near"]), None)


def comparable(records: Sequence[Record]) -> list[Record]:
    """Return those that were decided for the draws and the areas that the first was, each goal once, least gap first."""
    found: dict[str, Record] = {}
    first = records[0]
    for each in records:
        same = all(each[key] == first[key] for key in ("draws", "cover", "free"))
        known = found.get(title_of(each))
        if same and (known is None or each["gap"] < known["gap"]) and title_of(each) != title_of(first):
            found[title_of(each)] = each
    return [first, *(found[name] for name in sorted(found))]


def point_of(label: str, measures: Record) -> Point:
    """Return the measures of a record as a point."""
    return Point(label, estimate(measures["mean"]), estimate(measures[f"cvar:{LEVEL:g}"]), estimate(measures["regret"]))


def decided_points(records: Sequence[Record]) -> list[Point]:
    """Return the points of the records, and of the siting of least mean cost that one of them was held against."""
    found = [point_of(title_of(each), each["measures"]) for each in records]
    if all(title_of(each) != "mean" for each in records):
        beside = next((each["robustness"] for each in records if each["robustness"]), None)
        if beside:
            found.append(point_of("mean", beside["neutral"]["measures"]))
    return found


def draws_of_record(futures: Futures, record: Record) -> NDArray[np.int64]:
    """Return the draws (positions) that a record was decided for: the first so many finished ones."""
    status = variable(futures.cube, "status").to_numpy()
    finished = np.flatnonzero((status != NOT_RUN).all(axis=1)).astype(np.int64)
    return finished[: int(record["draws"])]


def named_points(futures: Futures, record: Record) -> list[Point]:
    """Return the points of the plans of the cube in the same draws; a plan that failed in one of them has none."""
    draws = draws_of_record(futures, record)
    weights = equal_weights(len(draws))
    free = record["free"]
    best = futures.column("total_cost", free)[draws] if free in futures.names else np.full(len(draws), np.nan)
    found = []
    for name in futures.rivals:
        cost = futures.column("total_cost", name)[draws]
        if np.isfinite(cost).all():
            regret = float((cost - best).max())
            found.append(Point(name, float(cost.mean()), cvar(cost, weights, LEVEL), regret))
    return found


def efficient(points: Sequence[Point], by: str) -> list[Point]:
    """Return the points that no other one beats both in mean and in ``tail`` or ``regret``, by mean."""
    known = [each for each in points if np.isfinite(getattr(each, by))]
    kept: list[Point] = []
    for each in sorted(known, key=lambda one: (one.mean, getattr(one, by))):
        if not kept or getattr(each, by) < getattr(kept[-1], by):
            kept.append(each)
    return kept
