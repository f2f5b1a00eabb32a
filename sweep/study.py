"""The study file: one frozen, forbidding model of the TOML, composed of what each package declares for itself."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from model import OUTCOMES, DaysSpec, FreeSpec, InputsSpec, OptionsSpec, Siting
from sampling import DependenceSpec, DesignSpec
from sweep.errors import StudyError, explain
from sweep.stop_rule import StopRule, check_against_study

LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
DIMENSIONS = ("configuration", "area", "tier", "technology", "line")
OF_A_CUBE = (*DIMENSIONS, *(outcome.name for outcome in OUTCOMES))  # names that no driver may take

CONFIGURATIONS = ("tokyo_osaka", "today", "four_hubs", "five_hubs", "watt_bit_2040", "ten_areas", "optimal")


class Study(BaseModel):
    """A study as its author wrote it; the defaults are those of the Japan 2040 study."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: str = Field(description="name of the study; the cube is results/<name>.zarr unless told otherwise")
    reference: str = Field(default="tokyo_osaka", description="configuration that savings are measured against")
    configurations: tuple[str, ...] = Field(default=CONFIGURATIONS, strict=False, min_length=1)
    siting: Siting = Field(default="tiers", description='"simple": tier-blind, continuous, no site costs')
    batch: int = Field(default=4, ge=1, description="draws per task and per shard of the cube")
    design: DesignSpec
    days: DaysSpec
    uncertain: dict[str, dict[str, Any]] = Field(default_factory=dict, description="own distributions by parameter")
    fixed: dict[str, float | str] = Field(default_factory=dict, description="parameters held at one value")
    dependence: DependenceSpec = Field(default_factory=DependenceSpec, description="parameters that move together")
    scenario: dict[str, dict[str, float | str]] = Field(default_factory=dict, description="named futures")
    driver: dict[str, dict[str, Any]] = Field(default_factory=dict, description="what is no parameter, but moves some")
    free: dict[str, FreeSpec] = Field(default_factory=dict, description="configurations that the model chooses")
    inputs: InputsSpec = Field(default_factory=InputsSpec, description="own tables and scalars")
    options: OptionsSpec = Field(default_factory=OptionsSpec, description="refinements of the dispatch, off by default")
    stop: tuple[StopRule, ...] = Field(default=(), strict=False, description="until when the sweep grows")

    @field_validator("stop", mode="before")
    @classmethod
    def _one_rule_or_several(cls, rules: Any) -> Any:
        return (rules,) if isinstance(rules, dict) else rules

    @model_validator(mode="after")
    def _names(self) -> Study:
        if not LABEL.fullmatch(self.name):
            raise ValueError(
                f"a name of at most 100 letters, digits, '.', '_' and '-' (it names a file), found {self.name!r}"
            )
        twice = {c for c in self.configurations if self.configurations.count(c) > 1}
        if twice:
            raise ValueError(f"each configuration once, found {', '.join(sorted(twice))} twice")
        both = sorted(set(self.uncertain) & set(self.fixed))
        if both:
            raise ValueError(f"[uncertain] or [fixed] for a parameter, found both for {', '.join(both)}")
        for section, names in (("driver", tuple(self.driver)), ("free", tuple(self.free))):
            if odd := [name for name in names if not LABEL.fullmatch(name)]:
                raise ValueError(
                    f"[{section}.NAME] with a name of at most 100 letters, digits, '.', '_' and '-', found {odd[0]!r}"
                )
        taken = {"scenario", "draw", "replicate", *OF_A_CUBE}
        both = sorted(set(self.driver) & (set(self.uncertain) | taken))
        if both:
            raise ValueError(f"a driver with a name of its own, found {', '.join(both)} (of a parameter, or of a cube)")
        check_against_study(self.stop, self.design, self.configurations, tuple(self.scenario))
        return self

    def with_draws(self, draws: int) -> Study:
        """Return the study with another number of draws of its design, at least 1, whatever its rules say of a cap."""
        return self.model_copy(update={"design": self.design.model_copy(update={"draws": draws})})


def read_study(path: Path, draws: int | None = None) -> Study:
    """Read a study file; ``draws`` takes the place of the design's number.

    Raises
    ------
    StudyError
        No such file, not TOML, or any key that is unknown, missing or wrong (all of them, a line each).
    """
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise StudyError(f"{path}: found {found}, expected a study file (TOML)")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise StudyError(f"{path}: no valid TOML: {fault}") from fault
    if draws is not None and isinstance(content.get("design"), dict):
        content["design"]["draws"] = draws
    try:
        return Study.model_validate(content)
    except ValidationError as fault:
        raise StudyError(explain(fault, Study, path.name)) from fault
