"""The options of a study: refinements of the dispatch beyond the specification, every one of them off unless asked for.

With all of them off the dispatch is the specification's, entry by entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from model.errors import InputError
from model.spec import Spec
from model.tables import Table

if TYPE_CHECKING:
    from model.days import Days

Floats = NDArray[np.float64]
THERMAL, NUCLEAR = ("coal", "lng", "oil"), "nuclear"
ALL = "all"  # in place of an area: every area that the table does not name
MONTHS, HOURS = 12, 24
MONTH_LENGTHS = (30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28, 31)  # from April
MONTH_OF_DAY = np.repeat((np.arange(MONTHS) + 3) % MONTHS, MONTH_LENGTHS)  # 0 = January; day 0 = 1 April
SUM_TOLERANCE = 1e-6
TABLES = ("heat_rates", "availability", "pue_profile", "dc_profile")


class OptionsSpec(Spec):
    """``[options]``: own tables (paths relative to the study file) and numbers."""

    heat_rates: str | None = Field(default=None, description="CSV: area, technology, block, share, heat_rate")
    availability: str | None = Field(default=None, description="CSV: technology, area, month, share")
    pue_profile: str | None = Field(default=None, description="CSV: area, month, hour, factor of PUE")
    dc_profile: str | None = Field(default=None, description="CSV: hour, factor of the mean IT load")
    reserve: float = Field(default=0.0, ge=0, le=1, description="share of load kept as spinning thermal reserve")
    reserve_penalty: float = Field(
        default=100.0, ge=0, allow_inf_nan=False, description="yen/kWh of reserve that is missing"
    )
    forecast_margin: float = Field(default=0.0, ge=0, le=1, description="share of sun and wind that may come on top")
    transmission_loss: float = Field(default=0.0, ge=0, lt=1, description="share of what a line is sent")
    ramp: dict[str, float] = Field(
        default_factory=dict, description="technology -> share of committed capacity an hour"
    )

    @field_validator("ramp")
    @classmethod
    def _ramp(cls, ramp: dict[str, float]) -> dict[str, float]:
        for name, share in ramp.items():
            if name not in THERMAL:
                raise ValueError(f"technologies of {', '.join(THERMAL)}, found {name!r}")
            if not 0 <= share <= 1:
                raise ValueError(f"a share in 0..1 for {name}, found {share}")
        return ramp


@dataclass(frozen=True, eq=False)
class Options:
    """The options as arrays; what is off is None, 0 or empty.

    Attributes
    ----------
    block_share, heat_rate : (A, 3, B) arrays or None
        Of coal, lng and oil: share of an area's capacity in a block (0 where there is no such block), and its fuel
        per kWh relative to the fleet's mean. A unit without any block has heat rate 1.
    thermal_share : (12, A, 3) array or None
        What of the usual availability there is in a month, 0 = January.
    nuclear_share : (12, A) array or None
    pue_factor : (12, 24, A) array or None
        PUE of the hour over that of the year.
    dc_factor : (24,) array or None
        IT load of the hour over its mean; mean 1.
    ramp : (3,) array or None
        Share of committed capacity by which output may change in an hour; infinite where it is free.
    """

    block_share: Floats | None = None
    heat_rate: Floats | None = None
    thermal_share: Floats | None = None
    nuclear_share: Floats | None = None
    pue_factor: Floats | None = None
    dc_factor: Floats | None = None
    ramp: Floats | None = None
    reserve: float = 0.0
    reserve_penalty: float = 0.0
    forecast_margin: float = 0.0
    transmission_loss: float = 0.0

    def nuclear_of_year(self, days: Days) -> Floats | float:
        """What of the usual nuclear output there is over a year's days (A,); 1 where the option is off."""
        if self.nuclear_share is None:
            return 1.0
        mean: Floats = days.weight @ self.nuclear_share[MONTH_OF_DAY[days.day]] / days.weight.sum()
        return mean

    def load_of_year(self, days: Days) -> Floats | float:
        """Load at the meter before shifts over PUE x mean IT load, mean of a year's days (A,); 1 where both are off."""
        if self.pue_factor is None:
            return 1.0
        hourly = self.pue_factor[MONTH_OF_DAY[days.day]]
        shape = np.ones(HOURS) if self.dc_factor is None else self.dc_factor
        mean: Floats = np.einsum("d,dta,t->a", days.weight, hourly, shape) / (HOURS * days.weight.sum())
        return mean

    def of_day(self, day: int, units: NDArray[np.bool_]) -> dict[str, Floats]:
        """What a day sets: Params of the dispatch by name.

        Parameters
        ----------
        units : (A, 3) array of bool
            Thermal plants that exist.
        """
        month = MONTH_OF_DAY[day]
        found: dict[str, Floats] = {}
        if self.thermal_share is not None and self.nuclear_share is not None:
            found |= {"thermal_share": self.thermal_share[month][units], "nuclear_share": self.nuclear_share[month]}
        if self.pue_factor is not None:
            factor = self.pue_factor[month].T
            found |= {"pue_factor": factor, "inv_pue_factor": 1 / factor}
        return found


def option_paths(spec: OptionsSpec, base: Path) -> dict[str, Path]:
    """Path of every table that the options name, as ``options.NAME``."""
    named = {name: getattr(spec, name) for name in TABLES}
    return {f"options.{name}": base / path for name, path in named.items() if path is not None}


def read_options(spec: OptionsSpec, base: Path, areas: tuple[str, ...]) -> Options:
    """Read and check the options' tables.

    Raises
    ------
    InputError
        As :func:`model.inputs.read_inputs`.
    """
    paths = {name.removeprefix("options."): path for name, path in option_paths(spec, base).items()}
    blocks = _read_blocks(paths["heat_rates"], areas) if "heat_rates" in paths else (None, None)
    share = _read_availability(paths["availability"], areas) if "availability" in paths else None
    ramp = np.array([spec.ramp.get(g, np.inf) for g in THERMAL]) if spec.ramp else None
    return Options(
        block_share=blocks[0],
        heat_rate=blocks[1],
        thermal_share=None if share is None else share[..., : len(THERMAL)],
        nuclear_share=None if share is None else share[..., len(THERMAL)],
        pue_factor=_read_pue(paths["pue_profile"], areas) if "pue_profile" in paths else None,
        dc_factor=_read_dc(paths["dc_profile"]) if "dc_profile" in paths else None,
        ramp=ramp,
        reserve=spec.reserve,
        reserve_penalty=spec.reserve_penalty if spec.reserve else 0.0,
        forecast_margin=spec.forecast_margin,
        transmission_loss=spec.transmission_loss,
    )


def _read_blocks(path: Path, areas: tuple[str, ...]) -> tuple[Floats, Floats]:
    table = Table(path, ["share", "heat_rate"], ["area", "technology", "block"])
    of = zip(table.text("area", areas), table.text("technology", THERMAL), strict=True)
    share, rate = table.number("share", 0.0, 1.0), table.number("heat_rate", 0.1, 10.0)
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for row, (area, technology) in enumerate(of):
        unit = areas.index(area), THERMAL.index(technology)
        found.setdefault(unit, []).append((float(rate[row]), float(share[row])))
    most = max(map(len, found.values()))
    shares, rates = np.zeros((len(areas), len(THERMAL), most)), np.ones((len(areas), len(THERMAL), most))
    for (a, g), blocks in found.items():
        total = sum(part for _, part in blocks)
        if abs(total - 1) > SUM_TOLERANCE:
            key = f"share[{areas[a]}/{THERMAL[g]}]"
            raise InputError(table.where, key, f"a sum of {total:.9g}", "shares that sum to 1")
        for place, (each, part) in enumerate(sorted(blocks)):
            rates[a, g, place], shares[a, g, place] = each, part / total
    return shares, rates


def _by_area(
    table: Table, areas: tuple[str, ...], keys: list[tuple[int, ...]], values: Floats, size: tuple[int, ...]
) -> Floats:
    """Rows as an array (A, *size): of the area, else of ``all``, else NaN."""
    found = np.full((len(areas) + 1, *size), np.nan)
    for area, key, value in zip(table.text("area", [*areas, ALL]), keys, values, strict=True):
        found[(len(areas) if area == ALL else areas.index(area), *key)] = value
    return np.where(np.isnan(found[:-1]), found[-1], found[:-1])


def _whole(table: Table, column: str, low: int, high: int) -> list[int]:
    numbers = table.number(column, low, high)
    for row in np.flatnonzero(numbers % 1):
        raise InputError(table.where, f"{column}[{table.label(row)}]", float(numbers[row]), "a whole number")
    return [int(n) for n in numbers]


def _read_availability(path: Path, areas: tuple[str, ...]) -> Floats:
    """(12, A, 4) of coal, lng, oil, nuclear; 1 where the table says nothing of a technology."""
    table = Table(path, ["share"], ["technology", "area", "month"])
    known = (*THERMAL, NUCLEAR)
    technology = [known.index(name) for name in table.text("technology", known)]
    month = [m - 1 for m in _whole(table, "month", 1, MONTHS)]
    keys: list[tuple[int, ...]] = list(zip(month, technology, strict=True))
    found = _by_area(table, areas, keys, table.number("share", 0.0, 100.0), (MONTHS, len(known)))
    silent = np.isnan(found).all(axis=1, keepdims=True)
    found = np.where(silent, 1.0, found)
    for a, m, g in np.argwhere(np.isnan(found)):
        raise InputError(table.where, "technology/area/month", f"{known[g]}/{areas[a]}/{m + 1} missing", "every month")
    return np.moveaxis(found, 0, 1)


def _read_pue(path: Path, areas: tuple[str, ...]) -> Floats:
    table = Table(path, ["factor"], ["area", "month", "hour"])
    month = [m - 1 for m in _whole(table, "month", 1, MONTHS)]
    keys: list[tuple[int, ...]] = list(zip(month, _whole(table, "hour", 0, HOURS - 1), strict=True))
    found = _by_area(table, areas, keys, table.number("factor", 0.1, 10.0), (MONTHS, HOURS))
    for a, m, t in np.argwhere(np.isnan(found)):
        raise InputError(table.where, "area/month/hour", f"{areas[a]}/{m + 1}/{t} missing", "every hour of every month")
    return np.moveaxis(found, 0, 2)


def _read_dc(path: Path) -> Floats:
    table = Table(path, ["factor"], ["hour"])
    hours = _whole(table, "hour", 0, HOURS - 1)
    if len(hours) != HOURS:
        raise InputError(table.where, "hour", f"{len(hours)} hours", f"each of 0..{HOURS - 1}")
    factor = np.empty(HOURS)
    factor[hours] = table.number("factor", 0.0, 10.0)
    if abs(factor.mean() - 1) > SUM_TOLERANCE:
        raise InputError(table.where, "factor", f"a mean of {factor.mean():.9g}", "factors of mean 1")
    return factor
