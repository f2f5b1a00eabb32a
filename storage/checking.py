"""Check a cube against its commit records: every shard is there, can be decoded, and holds what was committed."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from functools import partial
from typing import NamedTuple

import zarr

from storage.compacted import MARK, layout_of_compacted, read_batches
from storage.cube import layout_of, open_root
from storage.errors import CubeDamagedError
from storage.files import Place, StorePath, commit_file, file_sizes, root_of
from storage.layout import GROWS, Layout, Variable
from storage.records import Record, Records, is_whole, read_records, sha256
from storage.remote import RemotePath, at_once
from storage.shards import SHOWN, check_shards, shard_names

CHECKED = 5_000
"""Committed shards up to which `check_committed` reads all: some seconds."""


class _Held(NamedTuple):
    """What one commit record says of one variable; ``name``: its path in the cube, as run/seconds."""

    name: str
    variable: Variable
    batch: int
    generation: int
    record: Record


def check_committed(path: StorePath, compared: Collection[str] = ()) -> None:
    """Refuse a cube that is damaged, as far as that can be told in a time that a run has to spare.

    Every shard of what is committed must be there. Shards of another size than their record says, of batches that are
    to be completed, and of `compared` must hold what was committed, and in a cube of up to `CHECKED` shards all of
    them. So in a larger one a shard that was changed and kept its size is found by `check_sums` alone.

    Parameters
    ----------
    path : path
        A cube that is not compacted.
    compared : collection of str
        Outputs that what is to be solved will be compared with, in every batch.

    Raises
    ------
    CubeDamagedError
        The message names up to `SHOWN` files, and what to do.
    """
    root, group = root_of(path), open_root(path)
    layout = layout_of(group)
    records = read_records(root, layout)
    check_shards(root, layout, records, of_run=True)
    unfinished = {
        batch
        for batch in range(layout.batches)
        if not is_whole(layout, records, batch) or layout.bounds(batch)[1] % layout.batch
    }
    shards = len(records) * len(layout.variables)
    doubtful = [
        held
        for variables, names in ((layout.variables, "{}"), (layout.run_variables, "run/{}"))
        for variable in variables
        for held, whole in _sized(root, layout, records, variable, names.format(variable.name))
        if not whole or shards <= CHECKED or held.batch in unfinished or held.name in compared
    ]
    check = partial(_fault, group, layout)
    told = at_once(check, doubtful) if isinstance(root, RemotePath) else map(check, doubtful)
    found = [(held, fault) for held, fault in zip(doubtful, told, strict=True) if fault]
    if found:
        more = f"\nand {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        files = {commit_file(root, held.batch, held.generation).name: None for held, _ in found[:SHOWN]}
        raise CubeDamagedError(
            "\n".join(f"{root}: {fault}" for _, fault in found[:SHOWN])
            + f"{more}\nRestore these files, or remove {', '.join(files)} under {root / 'run' / 'commits'} and run the "
            "study again, which solves these batches anew; wattbit verify lists all damage"
        )


def check_sums(path: StorePath) -> list[str]:
    """Return what is damaged in a cube, one line for each variable and batch; nothing where all is as committed.

    Every committed draw of every output is read, whatever format the cube has; a compacted one is checked against what
    it keeps of the commit records.

    Raises
    ------
    CubeDamagedError
        Where the root metadata or a commit record cannot be read.
    """
    root, group = root_of(path), open_root(path)
    if MARK in group.attrs:
        return _check_compacted(group)
    layout = layout_of(group)
    records = read_records(root, layout)
    held = (
        _Held(variable.name, variable, batch, generation, record)
        for ((batch, generation), record), variable in itertools.product(records.items(), layout.variables)
        if layout.is_written(variable, generation)
    )
    return [f"{root}: {fault}" for fault in map(partial(_fault, group, layout), held) if fault] + _out_of_order(records)


def _sized(
    root: Place, layout: Layout, records: Records, variable: Variable, name: str
) -> Iterator[tuple[_Held, bool]]:
    """Give what each record says of a variable, and whether its shards have the size that the record names."""
    sizes = file_sizes(root / name)
    for (batch, generation), record in records.items():
        if layout.is_written(variable, generation):
            found = [sizes.get(file) for file in shard_names(layout, variable, batch, generation)]
            # Records of before kept no sizes; shards that were written anew since are of another one.
            known = record.get("bytes", {}).get(name)
            whole = None not in found and known in (None, sum(size or 0 for size in found))
            yield _Held(name, variable, batch, generation, record), whole


def _fault(group: zarr.Group, layout: Layout, held: _Held) -> str:
    """Say what is wrong with the shards of a variable that a record names; empty where nothing is."""
    name, variable, batch, generation, record = held
    file = f"run/commits/{batch:06d}{f'.{generation}' if generation else ''}.json"
    shards = ", ".join(f"{name}/{each}" for each in shard_names(layout, variable, batch, generation))
    place = f"{name} of batch {batch} ({shards})"
    known = record["sha256"].get(name)
    if known is None and not name.startswith("run/"):
        return f"{place}: no checksum in {file}"
    try:
        values = group[name][layout.region(variable, generation, *record["draws"])]
    except (RuntimeError, ValueError) as error:  # what the codecs raise where they cannot decode
        return f"{place} cannot be decoded: {error}"
    if known is not None and sha256(values) != known:
        return f"{place} is missing or not what {file} says: the checksums differ"
    return ""


def _check_compacted(group: zarr.Group) -> list[str]:
    """The same of a compacted cube, block by block: a piece of it holds the draws of many records."""
    layout, block, faults = layout_of_compacted(group), group.attrs[MARK]["block"], []
    records, labels = read_batches(group), list(layout.coords.get(GROWS, ()))
    across = group.attrs.get("wattbit_across", ())
    for variable in layout.variables:
        for first in range(0, layout.draws, block):
            held = [each for each in records if first <= each["draws"][0] < first + block]
            try:
                values = group[variable.name][first : first + block]
            except (RuntimeError, ValueError) as error:  # what the codecs raise where they cannot decode
                faults.append(f"{variable.name}, draws from {first} on, cannot be decoded: {error}")
                continue
            for record in held:
                known, names = record["sha256"].get(variable.name), record.get("configurations", labels)
                if known is None or (variable.name in across and names[-1:] != labels[-1:]):
                    continue  # not written with these configurations, or anew with later ones
                start, stop = record["draws"]
                part = values[start - first : stop - first]
                if GROWS in variable.dims and variable.name not in across:
                    at = labels.index(names[0])
                    part = part[:, at : at + len(names)]
                if sha256(part) != known:
                    faults.append(f"{variable.name}, draws {start} to {stop - 1}: the checksum of its record differs")
    return faults


def _out_of_order(records: Records) -> list[str]:
    """Lines on records of a later generation without the one before it, which no writer leaves."""
    return [
        f"generation {generation} of batch {batch} has a record, generation {generation - 1} has none that reaches as far"
        for (batch, generation), record in records.items()
        if generation and records.get((batch, generation - 1), {"draws": [0, -1]})["draws"][1] < record["draws"][1]
    ]
