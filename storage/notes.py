"""Small JSON notes of a run inside its cube: what was tried, which draws were set aside. No array rests on them.

A note is ``run/<folder>/<number>.json``, put there whole; the last one counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storage.files import StorePath, json_bytes, list_files, put_file, read_json_or_none, remove_file, root_of


def put_note(path: StorePath, folder: str, number: int, note: Mapping[str, Any]) -> None:
    """Put a note there, in place of the one of that number if there is one."""
    root = root_of(path)
    file = root / "run" / folder / f"{number:06d}.json"
    if isinstance(file, Path):
        file.parent.mkdir(exist_ok=True)
    put_file(root, file, json_bytes(note))


def read_note(path: StorePath, folder: str, number: int) -> dict[str, Any] | None:
    """Return a note, None where there is none of that number."""
    return read_json_or_none(root_of(path) / "run" / folder / f"{number:06d}.json")


def note_numbers(path: StorePath, folder: str) -> list[int]:
    """Return the numbers of the notes in a folder, in order."""
    names = list_files(root_of(path) / "run" / folder)
    return sorted(int(name.removesuffix(".json")) for name in names if name.removesuffix(".json").isdigit())


def remove_note(path: StorePath, folder: str, number: int) -> None:
    """Remove a note, where it is there."""
    remove_file(root_of(path) / "run" / folder / f"{number:06d}.json")
