"""Pick the draws that tell most about a plan: where it saves as usual, loses most, and where demand is least or most."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import xarray as xr

from report.metrics import Futures, read_futures, scorecard, winners
from report.outcomes import CubeContentError, nearest, outcome

BASE: Final = "base"
DEMAND: Final = "dc_demand"
LABELS: Final = {
    "median": ("median saving", "節約額が中央"),
    "regret": ("largest regret", "後悔が最大"),
    "most": ("most data-centre demand", "データセンター需要が最大"),
    "least": ("least data-centre demand", "データセンター需要が最小"),
    BASE: ("base future: mid values", "基準の将来：中位値"),
    "asked": ("asked for", "指定"),
}


@dataclass(frozen=True)
class Named:
    """A draw, by its number or ``BASE``, and why it is told, in English and Japanese."""

    draw: str
    label: tuple[str, str]

    @classmethod
    def asked(cls, draw: str) -> Named:
        """A draw that somebody asked for."""
        return cls(draw, LABELS["asked"])


def focus(cube: xr.Dataset, wanted: str = "") -> str:
    """
    Return the plan to look at: the wanted one, else the first by most metrics of total cost that is not the reference.

    Raises
    ------
    CubeContentError
        If there is no such configuration, or none has a finished draw.
    """
    futures = read_futures(cube)
    if wanted:
        if wanted not in futures.names:
            raise CubeContentError(f"--configuration {wanted}: no such configuration{nearest(wanted, futures.names)}")
        return wanted
    ordered = list(winners(scorecard(futures, "total_cost")))
    return next((name for name in ordered if name != futures.reference), ordered[0])


def named_draws(cube: xr.Dataset, plan: str, most: int) -> tuple[Named, ...]:
    """
    Return at most so many draws, all finished in the plan and the reference; a draw for two reasons is one.

    The base future, which is no draw of a cube, comes last.
    """
    futures = read_futures(cube)
    found: dict[str, list[tuple[str, str]]] = {}
    for reason, draw in _reasons(cube, futures, plan).items():
        if draw in found or len(found) < most:
            found.setdefault(draw, []).append(LABELS[reason])
    return tuple(
        Named(draw, (", ".join(each[0] for each in labels), "、".join(each[1] for each in labels)))
        for draw, labels in found.items()
    )


def _reasons(cube: xr.Dataset, futures: Futures, plan: str) -> dict[str, str]:
    saving = futures.saving("total_cost", plan)
    there = np.flatnonzero(np.isfinite(saving))
    found: dict[str, str] = {}
    if there.size:
        ordered = there[np.argsort(saving[there], kind="stable")]
        found["median"] = str(ordered[(len(ordered) - 1) // 2])
        if "regret_total" in cube.data_vars:
            regret = outcome(cube, "regret_total").sel(configuration=plan).to_numpy()[there]
            if np.nanmax(regret, initial=0.0) > 0:
                found["regret"] = str(there[int(np.nanargmax(regret))])
        demand = next((factor.values[there] for factor in futures.factors if factor.name == DEMAND), None)
        if demand is not None:
            found["most"], found["least"] = str(there[int(demand.argmax())]), str(there[int(demand.argmin())])
    if plan not in futures.free:
        found[BASE] = BASE
    return found
