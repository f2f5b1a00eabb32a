"""Tell whether a study is that of a cube, a continuation of it, or another one, key by key.

A study continues a cube where it has the same draws and then more, the same configurations and then more, or further
weather years that the new draws need. Whatever else decides a result must be equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sampling import is_extensible
from storage import Lease, Place, exists, finish_extension, is_being_extended, is_compacted, read_layout, read_study
from sweep.draws_hash import hash_like
from sweep.errors import StudyError
from sweep.plan import Plan

DIFFERENCES_SHOWN = 12
GROWING = ("shares", "days", "template")  # parts of the record in which a continuation may have more keys
Record = dict[str, Any]


def fitted(plan: Plan, store: Place) -> Plan:
    """Return the plan as the cube at `store` needs it: its configurations in its order, what is added after them.

    Raises
    ------
    StudyError
        The store holds another study; the differences are listed, nothing is touched. Or it is a compacted cube.
    """
    if not exists(store):
        return plan
    if is_compacted(store):
        raise StudyError(f"{store} is a compacted cube, for reading only: run into the cube that it was made from")
    if is_being_extended(store):
        with Lease(store):
            finish_extension(store)
    stored = read_study(store).get("identity", {})
    layout, start = read_layout(store), stored.get("start", plan.identity["start"])
    different = list(_other(stored, plan, layout.draws))
    if different:
        raise StudyError(_refusal(store, different))
    return plan.continuing(layout, start)


def added(plan: Plan, store: Place) -> str:
    """Say in a few words what a fitted plan adds to the cube; empty where it adds nothing."""
    layout = read_layout(store)
    draws = plan.layout.draws - layout.draws
    names = plan.case.configurations[len(layout.coords["configuration"]) :]
    parts = [f"{draws} draws"] if draws else []
    return " and ".join([*parts, *(["configurations " + ", ".join(c.name for c in names)] if names else [])])


@dataclass(frozen=True)
class Difference:
    """Where a study is no continuation of the stored one: a line on the key, and what to say if no more is the matter."""

    line: str
    matter: str = ""


def _refusal(store: Place, different: Sequence[Difference]) -> str:
    """What is the matter and what may be done; of another study, the keys in which it differs."""
    if all(each.matter for each in different):
        matters = [f"{store} {each.matter}; or run into another --store" for each in different]
        return "\n".join([*matters, *(each.line for each in different)])
    shown = [each.line for each in different[:DIFFERENCES_SHOWN]]
    more = [f"  ... and {len(different) - len(shown)} more"] if len(different) > len(shown) else []
    return "\n".join([f"{store} holds another study; run into another --store, or remove it:", *shown, *more])


def _other(stored: Record, plan: Plan, draws: int) -> Iterator[Difference]:
    """Tell where the plan's study is no continuation of the stored one."""
    given: Record = json.loads(json.dumps(plan.identity))
    yield from _other_draws(stored, given, plan, draws)
    were, are = _pop(stored, "configurations") or [], _pop(given, "configurations")
    if lacking := [name for name in were if name not in are]:
        yield Difference(
            f"  study.configurations: the store has {_short(were)}, this study has {_short(are)}",
            f"holds {', '.join(lacking)} too, which this study leaves out: a cube keeps its configurations. Name all of "
            f"{', '.join(were)} again, in any order, and further ones",
        )
    for part in GROWING:
        given[part] = _common(stored.get(part, {}), given[part])
    if plan.layout.draws < draws:  # fewer draws may need fewer weather years
        stored["days"] = _common(given["days"], stored.get("days", {}))
        stored["files"] = {
            n: v for n, v in stored.get("files", {}).items() if n in given["files"] or "hourly." not in n
        }
    if lacking:  # what belongs to them went with them
        for part in ("shares", "template"):
            stored[part] = _common(given[part], stored.get(part, {}))
        stored["study"]["free"] = _common(given["study"]["free"], stored["study"].get("free", {}))
    of_study = given["study"]
    of_study["free"] = _common(stored.get("study", {}).get("free", {}), of_study["free"])
    files = given["files"]
    for name in [name for name in files if name not in stored.get("files", {}) and name.startswith("hourly.")]:
        del files[name]
    for record in (stored, given):  # the shares of each configuration count, not the rest of their table
        record.get("files", {}).pop("configurations", None)
        record.pop("start", None)
    yield from map(Difference, differences(stored, given))


def _other_draws(stored: Record, given: Record, plan: Plan, draws: int) -> Iterator[Difference]:
    """The same of the draws; takes them out of both records."""
    hashes = stored.pop("draws", None), given.pop("draws")
    for record in (stored, given):
        record.get("study", {}).get("design", {}).pop("draws", None)
    now, kind = plan.layout.draws, plan.study.design.kind
    each = max(1, len(plan.study.scenario))  # draws of one point of the design
    held, asked = draws // each, now // each
    differ = f"  study.design.draws: the store has {held}, this study has {asked}"
    holds = f"holds {held} draws, the study asks for {asked}"
    if now < draws:
        yield Difference(
            f"{differ}: a cube does not shrink, --draws {held} goes on with it",
            f"{holds}: a cube does not shrink. Ask for {held} or more, as with --draws {held}",
        )
    elif now > draws and not is_extensible(plan.study.design):
        why = f"a longer design of kind {kind} does not begin with the shorter one"
        yield Difference(f"{differ}: {why}", f"{holds}: {why}. Ask for {held}")
    elif now > draws or hashes[0] != hashes[1]:
        found = hash_like(str(hashes[0]), plan.rows, draws)
        if found != hashes[0]:
            first = "" if now == draws else f" of the first {draws}"
            yield Difference(f"  draws: the store has {_short(hashes[0])}, this study has {_short(found)}{first}")


def _pop(record: Record, key: str) -> Any:
    return record.get("study", {}).pop(key, None)


def _common(were: Mapping[str, Any], are: Mapping[str, Any]) -> Record:
    return {key: value for key, value in are.items() if key in were}


def differences(stored: Any, given: Any, key: str = "") -> Iterator[str]:
    """Yield lines that tell, key by key, where two records differ."""
    if isinstance(stored, Mapping) and isinstance(given, Mapping):
        for name in dict.fromkeys([*stored, *given]):
            yield from differences(stored.get(name), given.get(name), f"{key}.{name}" if key else str(name))
    elif stored != given:
        yield f"  {key}: the store has {_short(stored)}, this study has {_short(given)}"


def _short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
