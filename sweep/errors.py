"""Errors of a study or a run that its author can mend, each one clear message; refusals have exit code 2."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError


class StudyError(ValueError):
    """A study file, a command-line value or a store that does not fit; nothing was written."""


class RunStoppedError(RuntimeError):
    """The disk or the store failed in the middle of a run; what was finished is kept."""


def explain(error: ValidationError, model: type[BaseModel], where: str) -> str:
    """One line per fault of a pydantic error: file, key, value found, what was expected, the nearest known key."""
    from sampling import SamplingError  # slow to import, and most commands explain nothing

    lines = []
    for fault in _without_branches(error.errors()):
        location = fault["loc"]
        key = ".".join(location)
        cause = fault.get("ctx", {}).get("error")
        if isinstance(cause, SamplingError):  # it names its key itself, from that of its table on
            named = location[-1:] == [cause.key.split(".")[0]]
            inside = ".".join(location[:-1] if named else location)
            lines.append(f"{where}: {cause.inside(inside) if inside else cause}")
        elif fault["type"] == "extra_forbidden":
            known = _keys_at(model, location[:-1])
            near = get_close_matches(location[-1], known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            lines.append(f"{where}: {key}: unknown key, expected one of {', '.join(known)}{hint}")
        elif fault["type"] == "missing":
            lines.append(f"{where}: {key}: found nothing, expected a value")
        else:
            message = fault["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
            message = message.replace("a valid dictionary", "a table of keys and values")
            # a rule between several keys: its message says what it found
            whole = isinstance(fault["input"], dict) and fault["type"] == "value_error"
            found = "" if whole else f"found {fault['input']!r}, expected "
            lines.append(f"{where}: {key + ': ' if key else ''}{found}{message}")
    return "\n".join(lines)


def _without_branches(faults: Sequence[Any]) -> list[dict[str, Any]]:
    """Faults with the parts of their location as text; those of a value that may be a number or a text are one."""
    found: list[dict[str, Any]] = []
    for fault in faults:
        location = [str(part) for part in fault["loc"]]
        if location[-1:] in (["float"], ["str"]):
            del location[-1]
            if found and found[-1]["loc"] == location:
                found[-1]["msg"] += f" or {fault['msg'].removeprefix('Input should be ')}"
                continue
        found.append({**fault, "loc": location})
    return found


def _keys_at(model: type[BaseModel], location: Sequence[str]) -> list[str]:
    """Names of the keys allowed at a location of nested models."""
    current: Any = model
    for part in location:
        if isinstance(current, type) and issubclass(current, BaseModel):
            current = current.model_fields[part].annotation
        else:  # a mapping of names to models
            current = get_args(current)[-1]
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []
