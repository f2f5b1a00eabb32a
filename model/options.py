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

from model.spec import Spec

if TYPE_CHECKING:
    from model.days import Days

Floats = NDArray[np.float64]
THERMAL, NUCLEAR = ("coal", "lng", "oil"), "nuclear"
ALL = "all"  # in place of an area: every area that the table does not name
MONTHS, HOURS = 12, 24
MONTH_LENGTHS = (30, 31, 30, 31, 31, 30, 31, 30, 31, 31, 28, 31)  # from April
MONTH_OF_DAY = np.repeat((np.arange(MONTHS) + 3) % MONTHS, MONTH_LENGTHS)  # 0 = January; day 0 = 1 April
SUM_TOLERANCE = 1e-6
WAYS = ("forward", "backward")
TABLES = ("heat_rates", "availability", "pue_profile", "dc_profile", "committed_floor", "pumped_derate", "line_margin")


class OptionsSpec(Spec):
    """``[options]``: own tables (paths relative to the study file) and numbers."""

    heat_rates: str | None = Field(default=None, description="CSV: area, technology, block, share, heat_rate")
    availability: str | None = Field(default=None, description="CSV: technology, area, month, share")
    pue_profile: str | None = Field(default=None, description="CSV: area, month, hour, factor of PUE")
    dc_profile: str | None = Field(default=None, description="CSV: hour, factor of the mean IT load")
    committed_floor: str | None = Field(default=None, description="CSV: technology, area, month, share")
    pumped_derate: str | None = Field(default=None, description="CSV: area, month, share")
    line_margin: str | None = Field(default=None, description="CSV: line, direction, month, share")
    curtailment_sharing: float = Field(
        default=0.0, ge=0, le=1, description="yen/kWh that areas' last kWh of curtailment costs more than their first"
    )
    left_out: tuple[str, ...] = Field(
        default=(), strict=False, description="areas without lines, whose power system is left out"
    )
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
    floor_share : (12, A, 3) array or None
        Least committed share of what of a unit's capacity is available in a month, in place of ``committed_floor``.
    pumped_share : (12, A) array or None
        What of the power and energy of pumped hydro is in use in a month, in place of ``pumped_derate``.
    line_forward, line_backward : (12, lines) arrays or None
        What of a line's limit may be used in a month, times ``transfer_derate``.
    ramp : (3,) array or None
        Share of committed capacity by which output may change in an hour; infinite where it is free.
    """

    block_share: Floats | None = None
    heat_rate: Floats | None = None
    thermal_share: Floats | None = None
    nuclear_share: Floats | None = None
    pue_factor: Floats | None = None
    dc_factor: Floats | None = None
    floor_share: Floats | None = None
    pumped_share: Floats | None = None
    line_forward: Floats | None = None
    line_backward: Floats | None = None
    ramp: Floats | None = None
    curtailment_sharing: float = 0.0
    left_out: tuple[str, ...] = ()
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

    def of_day(
        self, day: int, units: NDArray[np.bool_], pumped: NDArray[np.bool_], ways: NDArray[np.bool_]
    ) -> dict[str, Floats]:
        """What a day sets: Params of the dispatch by name.

        Parameters
        ----------
        units, pumped, ways : (A, 3), (A,), (2, lines) arrays of bool
            Thermal plants, pumped hydro and directions of lines that exist.
        """
        month = MONTH_OF_DAY[day]
        found: dict[str, Floats] = {}
        if self.thermal_share is not None and self.nuclear_share is not None:
            found |= {"thermal_share": self.thermal_share[month][units], "nuclear_share": self.nuclear_share[month]}
        if self.pue_factor is not None:
            factor = self.pue_factor[month].T
            found |= {"pue_factor": factor, "inv_pue_factor": 1 / factor}
        if self.floor_share is not None:
            found["floor_share"] = self.floor_share[month][units]
        if self.pumped_share is not None:
            found["pumped_share"] = self.pumped_share[month][pumped]
        if self.line_forward is not None and self.line_backward is not None:
            found["line_forward"] = self.line_forward[month][ways[0]]
            found["line_backward"] = self.line_backward[month][ways[1]]
        return found


def option_paths(spec: OptionsSpec, base: Path) -> dict[str, Path]:
    """Path of every table that the options name, as ``options.NAME``."""
    named = {name: getattr(spec, name) for name in TABLES}
    return {f"options.{name}": base / path for name, path in named.items() if path is not None}
