"""Say whether a cube may be believed: its checksums, its books, and some of its draws solved again."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import numpy as np

from model import OUTCOMES
from storage import CubeDamagedError, Place, check_sums, open_cube
from sweep.books import Books
from sweep.cold import ColdSolver
from sweep.drawing import theta_of
from sweep.plan import PACKAGES, current_source, current_versions
from sweep.stored import StoredStudy, identity_faults, stored_study

DRAWS_AT_ONCE = 256
FAULTS_KEPT = 100
Record = dict[str, Any]


def verify(store: Place, sample: int = 1, seed: int = 0) -> Record:
    """Check a cube from what it keeps itself.

    Parameters
    ----------
    sample : int
        How many of the finished draws, taken at random, are solved again cold, in all configurations.
    seed : int
        Which ones.

    Returns
    -------
    dict
        ``believed``; ``draws`` and ``draws_finished``; ``values_recomputed``; ``resolved``, a record for each
        configuration of each sampled draw; ``residuals``, the largest primal and dual one of these solves;
        ``other_code``, what the cube was made with and this program is not; ``faults``, a line each.

    Raises
    ------
    StudyError
        The cube is of a format that cannot be checked.
    CubeDamagedError
        Its metadata or a commit record cannot be read; any other damage is a fault in the record.
    """
    study, faults = None, list[str]()
    try:
        study = stored_study(store)
        faults += identity_faults(store, study)
    except CubeDamagedError as fault:
        faults.append(str(fault))
    record: Record = {
        "store": str(store),
        "faults": [*faults, *check_sums(store)],
        "values_recomputed": 0,
        "resolved": [],
        "residuals": None,
        "other_code": _other_code(study.identity) if study else [],
    }
    if study and not record["faults"]:  # what cannot be read, or is not what was written, needs no further look
        _check_values(store, study, record, sample, seed)
    record["faults"] = record["faults"][:FAULTS_KEPT]
    return {"believed": not record["faults"], **record}


def _check_values(store: Place, study: StoredStudy, record: Record, sample: int, seed: int) -> None:
    cube = open_cube(store)
    finished = np.flatnonzero((cube["status"] != 0).all("configuration").values)
    record |= {"draws": cube.sizes["draw"], "draws_finished": len(finished)}
    chosen = set(random.Random(seed).sample(finished.tolist(), min(sample, len(finished))))
    books, cold = Books(study), ColdSolver(study)
    names = [outcome.name for outcome in OUTCOMES]
    for first in range(0, cube.sizes["draw"], DRAWS_AT_ONCE):
        part = cube[names].isel(draw=slice(first, first + DRAWS_AT_ONCE)).load()
        for draw in finished[(finished >= first) & (finished < first + DRAWS_AT_ONCE)].tolist():
            cells = {name: part[name].values[draw - first] for name in names}
            theta = theta_of(study.table, draw)
            record["faults"] += books.faults(theta, cells, draw)
            if draw in chosen:
                record["resolved"] += cold.compare(theta, cells, draw)
    record["values_recomputed"] = books.values
    record["residuals"] = {"primal": cold.residuals.primal, "dual": cold.residuals.dual}
    for one in record["resolved"]:
        if not one.get("agrees", True):
            where = f"draw {one['draw']}, {one['configuration']}"
            said = f"costs differ by {one['difference']:.2g}" if "difference" in one else "it has a solution"
            record["faults"].append(f"{where}: solved again, {said}")


def _other_code(identity: Mapping[str, Any]) -> list[str]:
    """What the cube was made with and this program is not: a note, no fault."""
    now = current_versions()
    notes = [
        f"{n} {identity['versions'].get(n)}, here {now[n]}" for n in PACKAGES if identity["versions"].get(n) != now[n]
    ]
    return notes + (["other code of model and sampling"] if identity["source"] != current_source() else [])


def verdict(record: Record) -> str:
    """The one line that says whether the cube may be believed."""
    if not record["believed"]:
        count = len(record["faults"])
        return f"{record['store']} must not be believed: {count} fault{'s' * (count > 1)}; first: {record['faults'][0]}"
    part = (
        f"{record['draws_finished']} of {record['draws']}"
        if record["draws_finished"] < record["draws"]
        else record["draws"]
    )
    compared = [one["difference"] for one in record["resolved"] if "difference" in one]
    again = f"; {len(record['resolved'])} solutions found again cold" + (
        f", the costs to {max(compared):.1e}" if compared else ""
    )
    return (
        f"{record['store']} may be believed: {part} draws, all checksums right, {record['values_recomputed']:,} values "
        f"follow from the rest, energy balances{again if record['resolved'] else '; no draw was solved again'}"
    )
