"""Say how far a cube has come and what its commit records tell of the way there, in bounded time however many there are.

Which batches are committed, the names of the records tell. Up to so many records are read whole; of more, those at the
end of the cube, which are the newest but for batches that were done again, and others at equal distances.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import zarr

from storage.compacted import MARK, layout_of_compacted
from storage.cube import layout_of, open_root
from storage.errors import CubeDamagedError
from storage.files import StorePath, commits_directory, list_files, root_of
from storage.layout import Layout
from storage.records import Record, is_whole, read_records
from storage.shards import check_shards

MOST = 10_000  # records that are read: a second or so
NEWEST = 1_000  # of them, where there are more: those at the end


@dataclass(frozen=True)
class History:
    """How far a cube has come, and some or all of its commit records.

    Attributes
    ----------
    layout : Layout
        Of the cube.
    draws_committed : int
        Draws that are committed for all configurations. Where not all records were read and draws were added to the
        cube, the batch that was its last one may be counted whole too early.
    missing_batches : tuple of int
        Numbers of the batches that are not committed whole, in order.
    parts : mapping of int to int
        Missing batches that hold some draws for all configurations, and how many: those of before it became longer.
    status_counts : mapping of str to int, optional
        Cells (draws times configurations) of the whole cube by the word of their status, as in `CubeProgress`; None
        where not all records were read.
    records : tuple of dict
        Those that were read, as `write_batch` returned them, in order; one for each generation of configurations. From
        a compacted cube without ``sha256``.
    records_total : int
        Commit records of the cube.
    """

    layout: Layout
    draws_committed: int
    missing_batches: tuple[int, ...]
    parts: Mapping[int, int]
    status_counts: Mapping[str, int] | None
    records: tuple[Record, ...]
    records_total: int

    @property
    def is_sampled(self) -> bool:
        """Whether there are records that were not read."""
        return len(self.records) < self.records_total


def read_history(path: StorePath, most: int = MOST) -> History:
    """Return how far the cube has come and at most about ``most`` of its records.

    Raises
    ------
    NotACubeError, FormatTooNewError
        Where there is no cube that this program can read.
    CubeDamagedError
        Where a commit record cannot be read or does not fit the cube; where at most ``most`` records stand, also where
        a shard of what is committed is missing.
    """
    try:
        return _read_once(path, most)
    except CubeDamagedError:  # an extension that was put into place meanwhile looks like one
        return _read_once(path, most)


def _read_once(path: StorePath, most: int) -> History:
    root, group = root_of(path), open_root(path)
    if MARK in group.attrs:
        return _of_compacted(group, most)
    layout = layout_of(group)
    held = Counter(_batches_named(list_files(commits_directory(root)), layout))
    generations = len(layout.generations)
    if held.total() <= most:
        records = read_records(root, layout)
        check_shards(root, layout, records)
        missing = [batch for batch in range(layout.batches) if not is_whole(layout, records, batch)]
    else:
        chosen = _chosen(sorted(held), most // generations)
        records = read_records(root, layout, chosen)
        cut_short = {batch for batch in chosen if not is_whole(layout, records, batch)}
        missing = [batch for batch in range(layout.batches) if held[batch] < generations or batch in cut_short]
    done = layout.draws - sum(stop - start for start, stop in map(layout.bounds, missing))
    parts = {batch: part for batch in missing if held[batch] and (part := _draws_of_part(layout, records, batch))}
    done += sum(parts.values())
    counts: Counter[str] | None = None
    if held.total() <= most:
        counts = Counter(dict.fromkeys(layout.status_meanings.values(), 0))
        for record in records.values():
            counts.update(record["status"])
        counts[layout.status_meanings[0]] += int(np.prod(layout.shape(layout.status))) - counts.total()
    told = None if counts is None else dict(counts)
    return History(layout, done, tuple(missing), parts, told, tuple(records.values()), held.total())


def _draws_of_part(layout: Layout, records: Mapping[tuple[int, int], Record], batch: int) -> int:
    """Draws of a batch that are committed for all configurations, though the batch is not whole."""
    held = [records.get((batch, generation)) for generation in range(len(layout.generations))]
    stops = [layout.bounds(batch)[0] if record is None else record["draws"][1] for record in held]
    return int(min(stops)) - layout.bounds(batch)[0]


def _batches_named(names: Sequence[str], layout: Layout) -> Iterator[int]:
    """The batch of each record, by the name of its file."""
    for name in names:
        if not name.endswith(".json"):
            continue
        number = name.removesuffix(".json").partition(".")[0]
        if not number.isdigit() or int(number) >= layout.batches:
            raise CubeDamagedError(f"run/commits/{name} is the record of no batch of this cube")
        yield int(number)


def _chosen(batches: Sequence[int], most: int) -> list[int]:
    """The last ``NEWEST`` (or half of what is allowed), and others before them at equal distances."""
    newest = min(NEWEST, most // 2)
    before = batches[:-newest]
    places = np.linspace(0, len(before) - 1, most - newest).round().astype(int)
    return [before[place] for place in np.unique(places)] + list(batches[-newest:])


def _of_compacted(group: zarr.Group, most: int) -> History:
    layout, mark, rows = layout_of_compacted(group), group.attrs[MARK], group["run/batches"]
    words = rows.attrs["states"]
    start, stop, status, rest = (rows[name][:] for name in ("start", "stop", "status", "record"))
    total = len(start)
    records = [
        {
            **json.loads(str(rest[row])),
            "draws": [int(start[row]), int(stop[row])],
            "status": {word: int(count) for word, count in zip(words, status[row], strict=True) if count},
        }
        for row in (range(total) if total <= most else _chosen(range(total), most))
    ]
    counts, missing = dict(mark["status"]), tuple(mark["missing_batches"])
    return History(layout, mark["draws_committed"], missing, {}, counts, tuple(records), total)
