"""The model's part of a study file: which days, which tables in place of the shipped ones, which free configurations."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Siting = Literal["tiers", "simple"]
Method = Literal["decision", "clusters"]


class Spec(BaseModel):
    """Frozen, strict and forbidding: an unknown key or a number given as text is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DaysSpec(Spec):
    """``[days]``: N representative days, a file of days and weights, or the whole year; exactly one of them."""

    number: int | None = Field(default=None, ge=1, le=365, description="representative days, the extreme one included")
    method: Method = Field(
        default="decision",
        description='how they are chosen: "decision", so that savings and curtailment of the whole year come out in '
        'futures of the study\'s own distributions; "clusters", by demand, sun and wind alone',
    )
    futures: int = Field(default=24, ge=2, description="futures that `decision` chooses days by")
    file: str | None = Field(default=None, description="CSV: weather_year, day (0 = 1 April), weight")
    all: bool = Field(default=False, description="all 365 days")

    @model_validator(mode="after")
    def _one_way(self) -> DaysSpec:
        chosen = [n for n, given in (("number", self.number), ("file", self.file), ("all", self.all)) if given]
        if len(chosen) != 1:
            raise ValueError(f"exactly one of number, file or all = true is expected, found {chosen or 'none'}")
        for name in ("method", "futures"):
            if self.number is None and name in self.model_fields_set:
                raise ValueError(f"{name} goes with number, found it with {chosen[0]}")
        return self

    @property
    def by_decision(self) -> bool:
        """Whether days are to be chosen from what they do in futures; one day, and all of them, leave no choice."""
        return self.number is not None and self.method == "decision" and 1 < self.number < 365


class InputsSpec(Spec):
    """``[inputs]``: own tables (paths relative to the study file) and scalars in place of the shipped ones."""

    areas: str | None = None
    capacity: str | None = None
    configurations: str | None = None
    fuels: str | None = None
    interconnectors: str | None = None
    tiers: str | None = None
    uncertainty: str | None = None
    workloads: str | None = None
    hourly: dict[str, str] = Field(default_factory=dict, description="weather year -> hourly CSV")
    scalars: dict[str, float] = Field(default_factory=dict, description="values in place of those of scalars.csv")
    exchanges: tuple[str, ...] = Field(
        default=("Tokyo", "Kansai"),
        strict=False,
        min_length=1,
        description="areas with a main internet exchange and a building cost of their own; the first is the reference "
        "for PUE and regional building cost",
    )


class FreeSpec(Spec):
    """``[free.NAME]``: a configuration that the model chooses itself, within areas and tiers."""

    areas: tuple[str, ...] | None = Field(
        default=None, strict=False, min_length=1, description="allowed areas; default all"
    )
    tiers: tuple[str, ...] | None = Field(
        default=None, strict=False, min_length=1, description="allowed tiers; default all"
    )
