"""``[stop]``: which statistic of which outcome is to be known how well, and how many draws that may take at most."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from model import OUTCOMES
from sampling import DesignSpec, SamplingError, is_extensible
from sampling.errors import nearest_name
from sampling.spec import Spec

UNITS = {o.name: "" if o.unit == "1" else o.unit for o in OUTCOMES if o.name != "status"}
STATISTICS = 'mean, probability (with above), quantile:LEVEL, cvar:LEVEL, as "quantile:0.05"'
FEW_REPLICATES = 8
Kind = Literal["mean", "quantile", "probability", "cvar"]


class StopRule(Spec):
    """One rule; the sweep stops growing where all hold, or at the cap.

    Parameters
    ----------
    outcome, configuration : str
        What is estimated, of which configuration.
    statistic : str
        ``mean``, ``probability``, ``quantile:LEVEL`` or ``cvar:LEVEL``, the level between 0 and 1.
    above : number or text
        The threshold of a probability.
    half_width : number or text
        How far the interval may reach from the estimate, with the unit of the outcome.
    confidence : float
        Of the interval at the end, between 0.5 and 1.
    cap : int
        Draws at most.
    select : mapping
        Labels of the outcome's further dimensions.
    sum : list of names
        Dimensions that are summed over, draw by draw.
    scenario : str
        Which of the study's scenarios, where it has any.
    """

    outcome: str
    configuration: str
    statistic: str = "mean"
    above: float | str | None = None
    half_width: float | str
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    cap: int = Field(ge=1)
    select: dict[str, str] = Field(default_factory=dict)
    sum: tuple[str, ...] = Field(default=(), strict=False)
    scenario: str | None = None

    @field_validator("half_width", "above", mode="before")
    @classmethod
    def _number_or_text(cls, value: Any, info: Any) -> Any:
        # Ahead of the union of types, whose own complaints tell of each of its branches.
        if isinstance(value, bool) or not isinstance(value, int | float | str | None):
            raise SamplingError(str(info.field_name), value, "a number with its unit, as '5 billion yen/yr'")
        return value

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.outcome not in UNITS:
            expected = "an outcome of the model, as saving_fuel_co2"
            raise SamplingError("outcome", self.outcome, expected, nearest_name(self.outcome, UNITS))
        kind, number = self._kind()
        if (self.above is None) == (kind == "probability"):
            expected = "the threshold of the probability" if kind == "probability" else f"none with {kind}"
            raise SamplingError("above", self.above, expected)
        if not self.width > 0:
            raise SamplingError("half_width", self.half_width, "a number above 0")
        if kind == "probability" and self.width >= 1:
            raise SamplingError("half_width", self.half_width, "a share below 1, or per cent, as '2 %'")
        if kind in ("quantile", "cvar") and not 0 < number < 1:
            raise SamplingError("statistic", self.statistic, "a level between 0 and 1")
        return self

    def _kind(self) -> tuple[Kind, float]:
        kind, colon, text = self.statistic.partition(":")
        try:
            level = float(text) if colon else math.nan
        except ValueError:
            level = math.inf
        if kind == "mean" and not colon:
            return "mean", 0.0
        if kind == "probability" and not colon:
            above = self.above
            return "probability", math.nan if above is None else _quantity("above", above, UNITS[self.outcome])
        if kind in ("quantile", "cvar") and colon and math.isfinite(level):
            return ("quantile" if kind == "quantile" else "cvar"), level
        names = ("mean", "probability", "quantile:0.05", "cvar:0.9")
        raise SamplingError("statistic", self.statistic, f"one of {STATISTICS}", nearest_name(self.statistic, names))

    @property
    def kind(self) -> Kind:
        """The statistic without its level."""
        return self._kind()[0]

    @property
    def number(self) -> float:
        """Level of a quantile or CVaR, threshold of a probability, 0 for a mean."""
        return self._kind()[1]

    @property
    def width(self) -> float:
        """The half width as a number in the outcome's unit; of a probability a share."""
        return _quantity("half_width", self.half_width, "" if self.kind == "probability" else UNITS[self.outcome])

    @property
    def unit(self) -> str:
        """Unit of the estimate, short; empty where it has none."""
        return "" if self.kind == "probability" else _short(UNITS[self.outcome])

    def __str__(self) -> str:
        of = "".join(f" {label}" for label in self.select.values()) + (f" in {self.scenario}" if self.scenario else "")
        what = f"probability of {self.outcome} above {self.above}" if self.kind == "probability" else None
        return f"{what or f'{self.statistic} {self.outcome}'} of {self.configuration}{of}"


def check_against_study(
    rules: Sequence[StopRule], design: DesignSpec, configurations: Sequence[str], scenarios: Sequence[str]
) -> None:
    """Refuse rules that the rest of a study contradicts.

    Raises
    ------
    SamplingError
        Naming the rule by its place, from 0.
    """
    if not rules:
        return
    if not is_extensible(design):
        kinds = "monte_carlo, sobol or halton, which can be given more draws"
        raise SamplingError("stop", f'design.kind = "{design.kind}"', f"a design of kind {kinds}")
    if design.kind != "monte_carlo" and design.replicates < 2:
        told = f"design.replicates = {design.replicates}, which tells nothing of its own error"
        expected = f"replicates = {FEW_REPLICATES} or more, of which the draws are a multiple"
        raise SamplingError("stop", told, expected)
    draws = design.draws or 0
    if design.kind != "monte_carlo" and draws < design.replicates:
        raise SamplingError("design.draws", draws, f"at least a draw for each of {design.replicates} replicates")
    for place, rule in enumerate(rules):
        key = f"stop.{place}"
        if rule.configuration not in configurations:
            near = nearest_name(rule.configuration, configurations)
            raise SamplingError(f"{key}.configuration", rule.configuration, "a configuration of the study", near)
        if rule.cap < draws:
            raise SamplingError(f"{key}.cap", rule.cap, f"at least the draws that it begins with, {draws}")
        if scenarios and rule.scenario not in scenarios:
            known = ", ".join(scenarios)
            expected = f"one of the study's scenarios, {known}, which have no odds to be taken together"
            raise SamplingError(f"{key}.scenario", rule.scenario, expected)
        if rule.scenario is not None and not scenarios:
            raise SamplingError(f"{key}.scenario", rule.scenario, "none: the study has no [scenario.NAME]")


def _quantity(key: str, value: float | str, unit: str) -> float:
    """Return the number of a quantity, in the unit that it must have."""
    short = _short(unit)
    example = f"a number in {short}, as '5 {short}'" if unit else "a number, as 0.02, or per cent, as '2 %'"
    if not isinstance(value, str):
        if unit:
            raise SamplingError(key, value, example)
        return float(value)
    found = re.fullmatch(r"\s*([-+]?[0-9][0-9,]*\.?[0-9]*(?:[eE][-+]?[0-9]+)?)\s*(.*?)\s*", value)
    number = float(found.group(1).replace(",", "")) if found else math.nan
    told = found.group(2) if found else ""
    if not unit and told == "%":
        return number / 100
    if not math.isfinite(number) or _short(told) != short:
        raise SamplingError(key, value, example)
    return number


def _short(unit: str) -> str:
    return unit.replace(" (2024 prices)", "").replace(" per year", "/yr")
