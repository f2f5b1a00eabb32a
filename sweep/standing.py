"""How a sweep stands, read from its cube alone and from anywhere: done, failed and why, how fast, what took longest, who writes.

What commit records do not tell - those of older versions name no times - is None, never zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from storage import History, StorePath, lease_holder, note_numbers, read_history, read_note
from sweep.events import ASIDE
from sweep.progress import duration

RATE_RECORDS = 200  # the newest records of a run, from which its rate is taken
SLOWEST = 5
CAUSES = 1000  # notes on draws that were set aside, of which the causes are read
NO_FAILURE = ("optimal", "not_run")


@dataclass(frozen=True, eq=False)
class _Solved:
    """Draws of which the records tell seconds: number, seconds, iterations, hardest configuration and its iterations."""

    draw: npt.NDArray[np.int64]
    seconds: npt.NDArray[np.float64]
    iterations: npt.NDArray[np.int64]
    hardest: npt.NDArray[np.int64]
    most: npt.NDArray[np.int64]


def standing(store: StorePath, now: datetime | None = None, slowest: int = SLOWEST) -> dict[str, Any]:
    """Tell how a sweep stands.

    Parameters
    ----------
    store : path
        The cube, being written or not.
    now : datetime, optional
        With its time zone; default: now.
    slowest : int
        How many of the slowest draws to name.

    Returns
    -------
    dict
        As JSON can hold it. ``draws``, ``draws_committed``, ``missing_batches``; ``draws_done``: ``solved``, ``failed``
        (in some configuration), ``set_aside``, ``unknown`` (some cell failed and the record does not say in which
        draw), of those whose records were read; ``status``: cells by word, None where not all records were read;
        ``failures``: those of them that failed; ``set_aside``: draws by their cause; ``records`` and
        ``records_read``; ``rate``, ``solver``, ``last_commit``, ``lease``: None where nothing is known or nobody
        writes; ``slowest``: draws by seconds of solving.
    """
    now = now or datetime.now(UTC)
    history = read_history(store)
    cells: Counter[str] = Counter()
    for record in history.records:
        cells.update(record["status"])
    lease, solved, last = lease_holder(store), _solved(history), _last(history)
    rate = _rate(history)
    if rate is not None:
        done_cells = _total(history) - _cells_missing(history)
        rate["seconds_left"] = None
        if lease is not None and done_cells < _total(history) and lease["run"] == rate["run"]:
            rate["seconds_left"] = _cells_missing(history) / (rate["draws_per_second"] * _width(history))
    return {
        "draws": history.layout.draws,
        "draws_committed": history.draws_committed,
        "draws_done": _done(history),
        "status": None if history.status_counts is None else dict(history.status_counts),
        "failures": {word: count for word, count in cells.items() if word not in NO_FAILURE and count},
        "set_aside": _causes(store),
        "missing_batches": list(history.missing_batches),
        "records": history.records_total,
        "records_read": len(history.records),
        "last_commit": None if last is None else {"finished": last.isoformat(), "age_seconds": _age(now, last)},
        "rate": rate,
        "lease": None if lease is None else {**lease, "seconds": _age(now, datetime.fromisoformat(lease["since"]))},
        "solver": _solver(solved),
        "slowest": _slowest(history, solved, slowest),
    }


def _age(now: datetime, then: datetime) -> float:
    return max((now - then).total_seconds(), 0.0)  # clocks of two machines differ


def _width(history: History) -> int:
    return len(history.layout.coords["configuration"])


def _total(history: History) -> int:
    return history.layout.draws * _width(history)


def _cells_missing(history: History) -> int:
    if history.status_counts is not None:
        return history.status_counts["not_run"]
    return (history.layout.draws - history.draws_committed) * _width(history)


def _written_by(record: Mapping[str, Any]) -> Mapping[str, Any]:
    told: Mapping[str, Any] = record["written_by"]
    return told


def _done(history: History) -> dict[str, int]:
    """Draws that are committed for all configurations, by how they ended."""
    layout, missing = history.layout, set(history.missing_batches)
    failed: set[int] = set()
    aside: set[int] = set()
    unknown: set[int] = set()
    read: set[int] = set()
    for record in history.records:
        told, (start, stop) = _written_by(record), record["draws"]
        committed = range(start, stop)
        if record["batch"] in missing:
            committed = range(start, layout.bounds(record["batch"])[0] + history.parts.get(record["batch"], 0))
        read.update(committed)
        failures = sum(count for word, count in record["status"].items() if word not in NO_FAILURE)
        if failures and told.get("first") != start:  # some of its draws, or all, were written by others
            unknown.update(draw for draw in committed if draw < told.get("first", stop))
        failed.update(draw for draw in told.get("failed", ()) if draw in committed)
        aside.update(draw for draw in told.get("set_aside", ()) if draw in committed)
    failed -= aside
    unknown -= failed | aside
    solved = len(read) - len(failed) - len(aside) - len(unknown)
    return {"solved": solved, "failed": len(failed), "set_aside": len(aside), "unknown": len(unknown)}


def _causes(store: StorePath) -> dict[str, int]:
    """Draws that were set aside, by what is noted of them."""
    notes = (read_note(store, ASIDE, draw) for draw in note_numbers(store, ASIDE)[:CAUSES])
    return dict(Counter(str(note["cause"]) for note in notes if note is not None).most_common())


def _finished(history: History) -> Iterator[tuple[datetime, Mapping[str, Any]]]:
    for record in history.records:
        if "finished" in _written_by(record):
            yield datetime.fromisoformat(_written_by(record)["finished"]), record


def _last(history: History) -> datetime | None:
    return max((time for time, _ in _finished(history)), default=None)


def _rate(history: History) -> dict[str, Any] | None:
    """How fast the run of the newest record was, or is, going by its newest records."""
    timed = sorted(_finished(history), key=lambda each: each[0])
    if not timed:
        return None
    run = _written_by(timed[-1][1])["run"]
    of_run = [(time, record) for time, record in timed if _written_by(record)["run"] == run]
    counted = of_run[-RATE_RECORDS:]
    if len(of_run) > len(counted):
        begun = of_run[-len(counted) - 1][0].timestamp()
    else:  # the first batches began to be solved before they were finished
        begun = min(time.timestamp() - sum(_written_by(record)["seconds"]) for time, record in counted)
    seconds = counted[-1][0].timestamp() - begun
    cells = sum(len(_written_by(record)["seconds"]) * len(record["configurations"]) for _, record in counted)
    if seconds <= 0:
        return None
    workers = {(_written_by(record)["host"], _written_by(record)["pid"]) for _, record in counted}
    rate = cells / _width(history) / seconds
    return {"run": run, "draws_per_second": rate, "over_seconds": seconds, "workers": len(workers)}


def _solved(history: History) -> _Solved:
    """What the records tell draw by draw; the configurations that were added are counted to their draw."""
    columns: dict[str, list[int]] = {name: [] for name in ("draw", "iterations", "hardest", "most")}
    seconds: list[float] = []
    labels = list(history.layout.coords["configuration"])
    for record in history.records:
        told = _written_by(record)
        if "seconds" not in told:
            continue
        seconds += told["seconds"]
        columns["draw"] += range(told["first"], told["first"] + len(told["seconds"]))
        columns["iterations"] += told["iterations"]
        offset = labels.index(record["configurations"][0])
        columns["hardest"] += [offset + place for place in told["hardest"]]
        columns["most"] += told["most_iterations"]
    whole = {name: np.array(values, dtype=np.int64) for name, values in columns.items()}
    draws, place = np.unique(whole["draw"], return_inverse=True)
    order = np.argsort(whole["most"], kind="stable")  # of several entries of a draw the last one written counts
    hardest, most = np.zeros_like(draws), np.zeros_like(draws)
    hardest[place[order]], most[place[order]] = whole["hardest"][order], whole["most"][order]
    taken, iterations = np.zeros(len(draws)), np.zeros_like(draws)
    np.add.at(taken, place, np.array(seconds))
    np.add.at(iterations, place, whole["iterations"])
    return _Solved(draws, taken, iterations, hardest, most)


def _solver(solved: _Solved) -> dict[str, Any] | None:
    """Seconds of solving, by draw."""
    if not len(solved.draw):
        return None
    median, q95 = np.quantile(solved.seconds, [0.5, 0.95])
    return {
        "draws": len(solved.draw),
        "seconds": float(solved.seconds.sum()),
        "median": float(median),
        "q95": float(q95),
        "iterations": int(solved.iterations.sum()),
    }


def _slowest(history: History, solved: _Solved, number: int) -> list[dict[str, Any]]:
    labels = history.layout.coords["configuration"]
    return [
        {
            "draw": int(solved.draw[place]),
            "seconds": float(solved.seconds[place]),
            "iterations": int(solved.iterations[place]),
            "hardest": str(labels[solved.hardest[place]]),
            "hardest_iterations": int(solved.most[place]),
        }
        for place in np.argsort(-solved.seconds, kind="stable")[:number]
    ]


def standing_text(record: Mapping[str, Any]) -> str:
    """Tell the same in some lines."""
    lines = [f"{record['draws_committed']}/{record['draws']} draws done{_ended(record)}"]
    if record["status"] is not None:
        counts = ", ".join(f"{count} {word}" for word, count in record["status"].items() if count)
        lines[0] += f"; draws x configurations: {counts}"
    for cause, count in record["set_aside"].items():
        lines.append(f"set aside: {count} draw{'s' * (count > 1)}: {cause}")
    if record["solver"] is not None:
        lines.append(_solver_text(record["solver"]))
        lines += [
            f"  draw {each['draw']}: {each['seconds']:.3g} s, {each['iterations']:,} iterations, most of them in "
            f"{each['hardest']} ({each['hardest_iterations']:,})"
            for each in record["slowest"]
        ]
    if record["last_commit"] is not None:
        lines.append(f"last batch {duration(record['last_commit']['age_seconds'])} ago{_rate_text(record['rate'])}")
    lease = record["lease"]
    if lease is not None:
        lines.append(f"being written by host {lease['host']}, process {lease['pid']}, since {lease['since']}")
    missing = len(record["missing_batches"])
    if missing:
        hint = "" if lease is not None else ": run the study again to finish them"
        lines.append(f"{missing} batches missing{hint}")
    return "\n".join(lines)


def _ended(record: Mapping[str, Any]) -> str:
    done = record["draws_done"]
    if not record["records"]:
        return ""
    words = {"solved": "solved", "failed": "failed", "set_aside": "set aside", "unknown": "not told whether failed"}
    told = ", ".join(f"{done[key]} {word}" for key, word in words.items() if done[key] or key in ("solved", "failed"))
    sampled = record["records_read"] < record["records"]
    where = f"of {sum(done.values())} in a sample of {record['records_read']:,} batches: " if sampled else ""
    return f" ({where}{told})"


def _solver_text(solver: Mapping[str, Any]) -> str:
    return (
        f"solver: {duration(solver['seconds'])} and {solver['iterations']:,} iterations for {solver['draws']:,} draws; "
        f"a draw {solver['median']:.3g} s in the median, {solver['q95']:.3g} s at 95 %; the slowest:"
    )


def _rate_text(rate: Mapping[str, Any] | None) -> str:
    if rate is None:
        return ""
    of_workers = f" of {rate['workers']} worker{'s' * (rate['workers'] != 1)}"
    left = "" if rate["seconds_left"] is None else f", {duration(rate['seconds_left'])} left"
    return f"; {rate['draws_per_second']:.2f} draws/s{of_workers}{left}"
