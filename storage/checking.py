"""Check a cube against its commit records: every shard is there, can be decoded, and holds what was committed."""

from __future__ import annotations

from storage.cube import layout_of, open_root
from storage.files import StorePath, root_of
from storage.records import Records, read_records, sha256


def check_sums(path: StorePath) -> list[str]:
    """Return what is damaged in a cube, one line for each variable and batch; nothing where all is as committed.

    Every committed draw of every output is read, whatever format the cube has.

    Raises
    ------
    CubeDamagedError
        Where the root metadata or a commit record cannot be read.
    """
    root, group = root_of(path), open_root(path)
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


def _out_of_order(records: Records) -> list[str]:
    """Lines on records of a later generation without the one before it, which no writer leaves."""
    return [
        f"generation {generation} of batch {batch} has a record, generation {generation - 1} has none that reaches as far"
        for (batch, generation), record in records.items()
        if generation and records.get((batch, generation - 1), {"draws": [0, -1]})["draws"][1] < record["draws"][1]
    ]
