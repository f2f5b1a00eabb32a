"""Find what `wattbit optimise` left in a store, for the report."""

from __future__ import annotations

import json
import re

from storage import Place, is_compacted, read_side, side_names_below
from sweep.optimise import Record
from sweep.siting_problem import read_cube

RESULT = re.compile(r"([0-9a-f]+)/(result-[0-9a-f]+\.json)")


def decisions(store: Place) -> list[Record]:
    """Return the records of the sitings that were decided for a cube's draws, in the order of their names.

    Where several versions of the model left some, those of this one alone, or, if it left none, those of the last name.
    """
    found = [match.groups() for name in side_names_below(store, "optimise") if (match := RESULT.fullmatch(name))]
    folders = sorted({folder for folder, _ in found})
    chosen = folders[-1] if folders else ""
    if len(folders) > 1 and not is_compacted(store):
        own = read_cube(store).folder.removeprefix("optimise/")
        chosen = own if own in folders else chosen
    records = []
    for folder, name in found:
        content = read_side(store, f"optimise/{folder}", name) if folder == chosen else None
        if content is not None:
            records.append(json.loads(content))
    return records
