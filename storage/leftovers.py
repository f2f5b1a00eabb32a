"""Remove what killed processes left behind: files half written, cubes half made.

Whoever writes holds the lease of a cube, or makes it under a name of its own. But a writer that was given up for dead
may still be at work, on another machine too, so only what nobody has touched for `STALE_SECONDS` is removed, by the
clock of the file system, which all machines share. In an object store nothing half written has a name.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from storage.files import StorePath, partial_directory, root_of

STALE_SECONDS = 3600.0


def remove_leftovers(path: StorePath, now: float) -> None:
    """Remove leftovers in a local cube and beside it; the caller holds its lease, or is making it.

    Parameters
    ----------
    path : path
        The cube, or where one is to be.
    now : float
        When a file of the same file system was just written, in seconds since 1970.
    """
    root = root_of(path)
    if not isinstance(root, Path):
        return
    beside = root.absolute().parent.glob(f".{_literal(root.absolute().name)}.*.partial")
    for found in [*beside, *partial_directory(root).glob("*")]:
        if _touched(found) < now - STALE_SECONDS:
            if found.is_dir():
                shutil.rmtree(found, ignore_errors=True)
            else:
                with suppress(OSError):  # of another user, say: it harms nobody
                    found.unlink()


def _literal(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


def _touched(place: Path) -> float:
    """When anything at or below a place was last written; a process that makes a cube is long deep inside."""
    below: Iterable[str] = (
        os.path.join(folder, name) for folder, folders, files in os.walk(place) for name in [*folders, *files]
    )
    latest = 0.0
    for each in (os.fspath(place), *below):
        with suppress(FileNotFoundError):
            latest = max(latest, os.stat(each).st_mtime)
    return latest
