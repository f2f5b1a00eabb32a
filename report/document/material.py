"""Compute once what several sections of a document tell: futures, scores, the plan that holds up, where it fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from report.discovery import PUBLISHED_THRESHOLD, Finding, default_threshold, discover
from report.document.decided import Record
from report.document.language import Language, Words
from report.estimators import Floats
from report.factors import Factor
from report.metrics import (
    Agreement,
    Futures,
    Scorecard,
    Stability,
    agreement,
    read_futures,
    scorecard,
    stability,
    strongest_first,
    winners,
)
from report.outcomes import CubeContentError, nearest
from report.sensitivity import sensitivity

MOST_SENSITIVITY: Final = 4000
FIRST_ORDER: Final = "S1"  # the measure that bars and orders go by, as those of `wattbit sensitivity` do


@dataclass(frozen=True)
class Wanted:
    """What a user may choose.

    Attributes
    ----------
    language : str
        ``ja`` or ``en``.
    threshold : str
        Condition for scenario discovery; empty: the default.
    configuration : str
        The plan that discovery, drivers and siting are about; empty: the one that comes first in most metrics.
    axes : tuple of str
        Two uncertainties of the decision map; empty: the two that move the savings in total cost most.
    command : str
        Line that makes the document again.
    store : str
        What the cube is called on a command line.
    """

    language: Language = "en"
    threshold: str = ""
    configuration: str = ""
    axes: tuple[str, ...] = ()
    command: str = ""
    store: str = "STORE"


class Material:
    """What the sections are written from.

    Parameters
    ----------
    decided : sequence of mapping
        What ``wattbit optimise`` left in the store, as docs/optimise.md says.

    Raises
    ------
    CubeContentError
        If the cube lacks something, or has no such configuration or uncertainty as is wanted.
    """

    def __init__(self, cube: xr.Dataset, wanted: Wanted, decided: Sequence[Record] = ()) -> None:
        self.decided = list(decided)
        self.cube, self.wanted, self.words = cube, wanted, Words(wanted.language)
        self.futures: Futures = read_futures(cube)
        if wanted.configuration and wanted.configuration not in self.futures.rivals:
            known = self.futures.rivals
            raise CubeContentError(
                f"--configuration {wanted.configuration}: no fixed configuration with a finished draw"
                f"{nearest(wanted.configuration, known)}"
            )
        varied = [factor.name for factor in self.futures.factors]
        for name in wanted.axes:
            if name not in varied:
                raise CubeContentError(f"--map {name}: no uncertainty that varies{nearest(name, varied)}")
        if len(set(wanted.axes)) < len(wanted.axes):
            raise CubeContentError(f"--map: found {wanted.axes[0]} twice, expected two uncertainties")
        self.cards: dict[str, Scorecard] = {
            cost: scorecard(self.futures, cost) for cost in ("total_cost", "fuel_co2_cost")
        }
        self.winners = winners(self.cards["total_cost"])

    @property
    def plan(self) -> str:
        """The configuration in focus."""
        return self.wanted.configuration or self.leader

    @property
    def leader(self) -> str:
        """The plan that comes first in most metrics of total cost."""
        return next(iter(self.winners))

    @cached_property
    def agreement(self) -> Agreement:
        """How the rankings of total cost agree."""
        return agreement(self.cards["total_cost"])

    @cached_property
    def stability(self) -> Stability:
        """How stable they are."""
        return stability(self.cards["total_cost"])

    @cached_property
    def finding(self) -> Finding:
        """Where the plan meets the threshold."""
        threshold = self.wanted.threshold or default_threshold(self.futures, self.plan)
        return discover(self.futures, self.plan, threshold)

    @property
    def is_worst_quarter(self) -> bool:
        """Whether the threshold is only the worst quarter of this plan's own futures, which need not be bad."""
        return not self.wanted.threshold and self.finding.threshold != PUBLISHED_THRESHOLD

    @cached_property
    def drivers(self) -> xr.Dataset | None:
        """How much each uncertainty moves the plan's saving (or, of the reference, its cost); None without any."""
        outcome = "total_cost" if self.plan == self.futures.reference else "saving_fuel_co2"
        if not self.futures.factors or outcome not in self.cube.data_vars:
            return None
        some = self.cube if self.futures.n <= MOST_SENSITIVITY else self.cube.isel(draw=slice(0, MOST_SENSITIVITY))
        return sensitivity(some, outcome, configurations=(self.plan,), method="given").isel(configuration=0)

    @cached_property
    def ranked_factors(self) -> list[Factor]:
        """The uncertainties by their first-order share of what the plan in focus saves; of all plans where none is told."""
        if self.drivers is None or str(self.drivers["reason"].item()):
            return self.deciding_factors
        size = self.drivers["value"].sel(measure=FIRST_ORDER).to_series()
        return sorted(
            self.futures.factors, key=lambda factor: -float(np.nan_to_num(size.get(factor.name, np.nan), nan=-1.0))
        )

    @cached_property
    def deciding_factors(self) -> list[Factor]:
        """The uncertainties by how much they move the savings in total cost of all plans."""
        return strongest_first(self.futures)

    @cached_property
    def axes(self) -> list[Factor]:
        """Two uncertainties of the decision map, or fewer where no two vary."""
        if self.wanted.axes:
            by_name = {factor.name: factor for factor in self.futures.factors}
            return [by_name[name] for name in self.wanted.axes]
        return self.deciding_factors[:2]

    def savings(self, cost: str, names: Sequence[str]) -> dict[str, Floats]:
        """Return the savings of configurations that are there, by name, without the missing ones."""
        found = {name: self.futures.saving(cost, name) for name in names}
        return {name: values[np.isfinite(values)] for name, values in found.items()}

    @property
    def others(self) -> list[str]:
        """Rivals and free configurations but the reference."""
        told = [*self.futures.rivals, *self.futures.free]
        return [
            name
            for name in told
            if name != self.futures.reference and np.isfinite(self.futures.saving("total_cost", name)).any()
        ]

    @property
    def units(self) -> dict[str, str]:
        """The unit of every uncertainty."""
        return {factor.name: str(self.cube[factor.name].attrs.get("units", "")) for factor in self.futures.factors}

    def measured(self, name: str) -> str:
        """Name an uncertainty with its unit, for axes and tables."""
        unit = self.words.units(self.units[name])
        return f"{self.words.parameter(name)} [{unit}]" if unit else self.words.parameter(name)

    def where_built(self, line: str, configuration: str) -> NDArray[np.bool_] | None:
        """Tell in which finished draws of a configuration a line stands, (draws,); None for one that always does."""
        switches = [
            factor
            for factor in self.futures.factors
            if factor.name.startswith(f"{line}_") and self.units[factor.name] == "0/1"
        ]
        if not switches:
            return None
        finished = np.isfinite(self.futures.column("total_cost", configuration))
        return np.asarray(switches[0].values[finished] > 0)

    def shown(self, name: str) -> str:
        """Name a configuration with the marks of its troubles: it never stands without them where it ranks."""
        trouble = self.futures.trouble(name) + ("*" if name in self.futures.free else "")
        return f"{self.words.configuration(name)}{f' [{trouble}]' if trouble else ''}"
