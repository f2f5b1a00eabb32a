"""Files beside a cube's arrays, below ``run``: whole or not there, by whoever needs to find his own work again.

No array rests on them, and whoever reads the cube need not know them.
"""

from __future__ import annotations

from pathlib import Path

from storage.files import StorePath, list_files, put_file, read_bytes_or_none, root_of, sizes_below


def put_side(path: StorePath, folder: str, name: str, content: bytes) -> None:
    """Put ``run/<folder>/<name>`` there, in place of what has that name."""
    root = root_of(path)
    file = root / "run" / folder / name
    if isinstance(file, Path):
        file.parent.mkdir(parents=True, exist_ok=True)
    put_file(root, file, content)


def read_side(path: StorePath, folder: str, name: str) -> bytes | None:
    """Return what is in ``run/<folder>/<name>``, None where there is no such file."""
    return read_bytes_or_none(root_of(path) / "run" / folder / name)


def side_names(path: StorePath, folder: str) -> list[str]:
    """Return the names of the files in ``run/<folder>``, in order."""
    return list_files(root_of(path) / "run" / folder)


def side_names_below(path: StorePath, folder: str) -> list[str]:
    """Return the names of the files below ``run/<folder>``, relative to it, at any depth and in order."""
    return sorted(sizes_below(root_of(path) / "run" / folder))
