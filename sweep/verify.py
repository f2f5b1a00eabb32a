"""Say whether a cube may be believed: its checksums, its books, and some of its draws solved again."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from model import OUTCOMES, RESIDUALS, Status
from storage import CubeDamagedError, Place, check_sums, cube_progress, open_cube, read_commits, read_run
from sweep.books import Books
from sweep.code import UNKNOWN
from sweep.cold import ColdSolver
from sweep.plan import PACKAGES, current_source, current_versions
from sweep.stored import StoredStudy, identity_faults, stored_study
from sweep.theta import theta_of

DRAWS_AT_ONCE = 256
RESIDUAL = 1e-6  # of a stored solve; HiGHS aims at 1e-7
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
        ``believed``; ``draws``, ``draws_finished`` and ``draws_failed`` (of these, in some
        configuration); ``values_recomputed``; ``resolved``, a record for each
        configuration of each sampled draw; ``residuals``, the largest primal and dual one of these solves;
        ``stored_residuals``, those that the sweep kept of its own, None where it kept none; ``missing_batches``, those
        without a commit record; ``code``, the commits that the batches were made with; ``other_code``, what the cube
        was made with and this program is not; ``faults``, a line each.

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
        "stored_residuals": None,
        "missing_batches": list(cube_progress(store).missing_batches),
        "code": _code(store),
        "other_code": _other_code(study.identity) if study else [],
    }
    if study and not record["faults"]:  # what cannot be read, or is not what was written, needs no further look
        _check_values(store, study, record, sample, seed)
    record["faults"] = record["faults"][:FAULTS_KEPT]
    return {"believed": not record["faults"], **record}


def _check_values(store: Place, study: StoredStudy, record: Record, sample: int, seed: int) -> None:
    cube = open_cube(store)
    finished = np.flatnonzero((cube["status"] != 0).all("configuration").values)
    failed = (cube["status"] > Status.OPTIMAL).any("configuration").values[finished]
    record |= {"draws": cube.sizes["draw"], "draws_finished": len(finished), "draws_failed": int(failed.sum())}
    chosen = set(random.Random(seed).sample(finished.tolist(), min(sample, len(finished))))
    _check_residuals(store, record, cube["status"].values)
    books, cold = Books(study), ColdSolver(study)
    names = [outcome.name for outcome in OUTCOMES if outcome.name in cube]  # an older cube may lack some
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


def _check_residuals(store: Place, record: Record, status: Any) -> None:
    """Take in the residuals of the sweep's own solves; one beyond `RESIDUAL`, or missing where it was solved, is a fault."""
    kept = read_run(store)
    if not {each.name for each in RESIDUALS} <= {*kept}:
        return  # made before they were kept
    record["stored_residuals"] = {}
    solved = status == Status.OPTIMAL
    for outcome in RESIDUALS:
        values = np.where(solved, kept[outcome.name].values, 0.0)
        record["stored_residuals"][outcome.name.removesuffix("_residual")] = float(np.max(values, initial=0.0))
        for draw, number in np.argwhere(~(values <= RESIDUAL)):
            name = kept["configuration"].values[number]
            record["faults"].append(
                f"draw {draw}, {name}, {outcome.name}: found {values[draw, number]:.2g}, expected {RESIDUAL:g} or less"
            )


def _code(store: Place) -> list[Record]:
    """Commits of the code that solved the batches, each once; none of a cube made before they were kept."""
    written = [record["written_by"]["code"] for record in read_commits(store) if "code" in record["written_by"]]
    return [dict(one) for one in sorted({tuple(sorted(each.items())) for each in written}, key=str)]


def _other_code(identity: Mapping[str, Any]) -> list[str]:
    """What the cube was made with and this program is not: a note, no fault."""
    now = current_versions()
    notes = [
        f"{n} {identity['versions'].get(n)}, here {now[n]}" for n in PACKAGES if identity["versions"].get(n) != now[n]
    ]
    return notes + (["other code of model and sampling"] if identity["source"] != current_source() else [])


def notes(record: Record) -> Iterator[str]:
    """Lines on what is no fault and worth knowing."""
    if missing := record["missing_batches"]:
        listed = ", ".join(map(str, missing[:10])) + (", ..." if len(missing) > 10 else "")
        yield f"note: {len(missing)} batches have no commit record and count as not run: {listed}"
    if kept := record["stored_residuals"]:
        yield f"note: largest residuals of the sweep's own solves: primal {kept['primal']:.1e}, dual {kept['dual']:.1e}"
    for code in record["code"]:
        if code["commit"] != UNKNOWN:
            yield f"note: solved by commit {code['commit']}" + (", with changes" if code["changed"] else "")
    for made in record["other_code"]:
        yield f"note: made with {made}"


def verdict(record: Record) -> str:
    """The one line that says whether the cube may be believed, and of how much of it that is said."""
    if not record["believed"]:
        count = len(record["faults"])
        return f"{record['store']} must not be believed: {count} fault{'s' * (count > 1)}; first: {record['faults'][0]}"
    done, draws = record["draws_finished"], record["draws"]
    if not done:
        return f"{record['store']} holds no finished draw of {draws}, so there is nothing to believe in it yet"
    part = f"{draws} draws" if done == draws else f"{done} of {draws} draws, {draws - done} are not there yet"
    if record["draws_failed"]:
        part += f", {record['draws_failed']} failed in some configuration"
    compared = [one["difference"] for one in record["resolved"] if "difference" in one]
    again = f"; {len(record['resolved'])} solutions found again cold" + (
        f", the costs to {max(compared):.1e}" if compared else ""
    )
    unfinished = "" if done == draws else "is unfinished; what it holds "
    return (
        f"{record['store']} {unfinished}may be believed: {part}; all checksums right, {record['values_recomputed']:,} values "
        f"follow from the rest, energy balances{again if record['resolved'] else '; no draw was solved again'}"
    )
