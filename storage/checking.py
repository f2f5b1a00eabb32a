"""Check a cube against its commit records: every shard is there, can be decoded, and holds what was committed."""

from __future__ import annotations

import zarr

from storage.compacted import MARK, layout_of_compacted, read_batches
from storage.cube import layout_of, open_root
from storage.files import StorePath, root_of
from storage.layout import GROWS
from storage.records import Records, read_records, sha256


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
    faults = []
    for (batch, generation), record in records.items():
        file = f"run/commits/{batch:06d}{f'.{generation}' if generation else ''}.json"
        for variable in layout.variables:
            if not layout.is_written(variable, generation):
                continue
            place = f"{root}: {variable.name} of batch {batch}"
            if variable.name not in record["sha256"]:
                faults.append(f"{place}: no checksum in {file}")
                continue
            start, stop = record["draws"]
            try:
                values = group[variable.name][layout.region(variable, generation, start, stop)]
            except (RuntimeError, ValueError) as error:  # what the codecs raise where they cannot decode
                faults.append(f"{place} cannot be decoded: {error}")
                continue
            if sha256(values) != record["sha256"][variable.name]:
                faults.append(f"{place} is missing or not what {file} says: the checksums differ")
    return faults + _out_of_order(records)


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
