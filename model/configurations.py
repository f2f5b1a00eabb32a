"""Configurations: who decides where the data centres stand - fixed shares of a table, or the model within areas and tiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.errors import InputError
from model.inputs import Inputs
from model.spec import FreeSpec, Siting
from model.tables import Table

SUM_TOLERANCE = 1e-6  # shares that sum to 1 within this are scaled to 1 exactly
ANY_TIER = "any"  # load of no particular tier: counted as hubs
HUB_TIER = "hub"
OPTIMAL = "optimal"  # the shipped free configuration: every area, every tier


@dataclass(frozen=True, eq=False)
class Configuration:
    """One configuration.

    Attributes
    ----------
    shares : (A, J) array or None
        Shares of the national DC load by area and tier, summing to 1; None where the model chooses.
    allowed : (A, J) array of bool
        Where load may stand.
    """

    name: str
    shares: NDArray[np.float64] | None
    allowed: NDArray[np.bool_]

    @property
    def is_free(self) -> bool:
        """Whether the model chooses the siting."""
        return self.shares is None


def tier_names(inputs: Inputs, siting: Siting) -> tuple[str, ...]:
    """Tiers of the siting stage; the simple study has the single tier ``any``."""
    return inputs.tiers.names if siting == "tiers" else (ANY_TIER,)


def read_configurations(
    path: Path, names: Sequence[str], inputs: Inputs, siting: Siting, free: Mapping[str, FreeSpec]
) -> tuple[Configuration, ...]:
    """Read the named configurations from a table of shares (configuration, area, tier, share) and the free ones.

    ``optimal`` is free over all areas and tiers unless ``free`` says otherwise.

    Raises
    ------
    InputError
        An unknown name, area or tier, shares that do not sum to 1, a name both fixed and free, load in an area that the
        study leaves out.
    """
    table = Table(path, ["share"], ["configuration", "area", "tier"])
    tiers = (*inputs.tiers.names, ANY_TIER)
    rows = list(
        zip(
            table.text("configuration"),
            table.text("area", inputs.areas),
            table.text("tier", tiers),
            table.number("share", 0.0, 1.0).tolist(),
            strict=True,
        )
    )
    fixed = list(dict.fromkeys(row[0] for row in rows))
    free = {OPTIMAL: FreeSpec()} | dict(free)
    for name in free:
        if name in fixed:
            raise InputError("[free]", "name", name, f"a name that {table.where} does not use for fixed shares")
    chosen = {name: _free(name, spec, inputs, siting) for name, spec in free.items()}
    known = [*fixed, *free]
    configurations = []
    for name in names:
        if name in free:
            configurations.append(chosen[name])
        elif name in fixed:
            shares = [row[1:] for row in rows if row[0] == name]
            configurations.append(_fixed(name, shares, inputs, siting, table.where))
        else:
            raise InputError("study", "configurations", name, f"one of {', '.join(known)}", known)
    return tuple(configurations)


def _fixed(name: str, rows: list[tuple[str, str, float]], inputs: Inputs, siting: Siting, where: str) -> Configuration:
    tiers = tier_names(inputs, siting)
    shares = np.zeros((len(inputs.areas), len(tiers)))
    for area, tier, share in rows:
        column = 0 if siting == "simple" else tiers.index(HUB_TIER if tier == ANY_TIER else tier)
        shares[inputs.areas.index(area), column] += share
    for area in inputs.options.left_out:
        if shares[inputs.areas.index(area)].any():
            raise InputError(where, f"share[{name}/{area}]", "load in an area that is left out", "0")
    total = shares.sum()
    if abs(total - 1) > SUM_TOLERANCE:
        raise InputError(where, f"share[{name}]", f"a sum of {total:.9g}", "shares that sum to 1")
    return Configuration(name, shares / total, shares > 0)


def _free(name: str, spec: FreeSpec, inputs: Inputs, siting: Siting) -> Configuration:
    tiers = tier_names(inputs, siting)
    for chosen, known, key in ((spec.areas, inputs.areas, "areas"), (spec.tiers, inputs.tiers.names, "tiers")):
        for item in chosen or ():
            if item not in known:
                raise InputError(f"[free.{name}]", key, item, f"one of {', '.join(known)}", known)
    for left in inputs.options.left_out:
        if left in (spec.areas or ()):
            raise InputError(f"[free.{name}]", "areas", left, "areas that [options] does not leave out")
    area = np.isin(inputs.areas, spec.areas or inputs.areas) & ~np.isin(inputs.areas, inputs.options.left_out)
    tier = np.ones(len(tiers), dtype=bool) if siting == "simple" else np.isin(tiers, spec.tiers or tiers)
    return Configuration(name, None, area[:, None] & tier[None, :])
