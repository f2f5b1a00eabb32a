"""The checksum by which a cube knows its draws again, made a block of draws at a time."""

from __future__ import annotations

import hashlib

import xarray as xr

from sampling import BLOCK, DrawRows, rows_of
from storage import Place, input_blocks, read_inputs


class DrawsHash:
    """SHA-256 of draws, block by block: in each, the names in order, numbers by their bytes, text as it is.

    Draws of more than one block have the size of a block before the checksum. Cubes made before there were blocks have
    all their draws in one.
    """

    def __init__(self, size: int = BLOCK) -> None:
        self.size, self.blocks, self.digest = size, 0, hashlib.sha256()

    def add(self, block: xr.Dataset) -> None:
        """Take the next block; all but the last have the full size."""
        self.blocks += 1
        for name, column in block.data_vars.items():
            values = column.values
            numeric = values.dtype.kind == "f"
            self.digest.update(str(name).encode() + (values.tobytes() if numeric else "\n".join(values).encode()))

    def text(self) -> str:
        """The checksum of what was taken so far."""
        return f"{self.size}:{self.digest.hexdigest()}" if self.blocks > 1 else self.digest.hexdigest()


def hash_of(rows: DrawRows, draws: int | None = None, size: int = BLOCK) -> str:
    """Return the checksum of the draws, or of the first so many."""
    made = DrawsHash(size)
    for block in rows.blocks(draws, size):
        made.add(block)
    return made.text()


def hash_like(stored: str, rows: DrawRows, draws: int | None = None) -> str:
    """Return the checksum in blocks of the size that a stored one has: equal to it where the draws are."""
    size, sign, _ = stored.partition(":")
    whole = rows.draws if draws is None else draws
    return hash_of(rows, draws, int(size) if sign and size.isdigit() else max(whole, 1))


def hash_in_store(store: Place, stored: str) -> str:
    """Return the checksum of the draw table that a cube holds, made as the one that its record names."""
    size, sign, _ = stored.partition(":")
    if sign and size != str(BLOCK):
        return hash_like(stored, rows_of(read_inputs(store)))
    made = DrawsHash()
    for _, block in input_blocks(store):
        made.add(block)
    if made.blocks > 1 and not sign:  # made before there were blocks
        return hash_like(stored, rows_of(read_inputs(store)))
    return made.text()
