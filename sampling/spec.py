"""Give every declared uncertainty and design one base: frozen, strictly typed, unknown keys refused.

Strict means that a number written as text (``min = "5"``) or as a truth value is refused, not converted;
an integer still counts as a float.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from sampling.errors import SamplingError, nearest_name


class Spec(BaseModel):
    """Frozen pydantic base of all that a study declares about its draws."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _know_every_key(cls, data: Any) -> Any:
        # Ahead of the fields: a misspelt key is the cause, the "missing" field only its effect.
        if isinstance(data, Mapping):
            for key, value in data.items():
                known = [field.alias or name for name, field in cls.model_fields.items()]
                if key not in known:
                    raise SamplingError(key, value, f"one of the keys {', '.join(known)}", nearest_name(key, known))
        return data
