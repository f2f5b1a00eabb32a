"""Say where each part of a cube lies on disk, and put files there whole or not at all.

A cube is a directory::

    root/zarr.json                     the root group, with the metadata of everything below it
    root/<variable>/c.<batch>.0...     one shard of one variable
    root/run/<variable>/c.<batch>...   the same, for what concerns the run
    root/run/study.json                the record of the study
    root/run/tables/                   the input tables of the study
    root/run/commits/000012.json       batch 12 is complete: its first configurations
    root/run/commits/000012.1.json     the same for those that were added first, .2 for those added next
    root/run/lease/000001.json         who writes into the cube
    root/run/extension/                an extension that is decided on, being put into place
    root/run/partial/                  files being written; what a killed writer leaves here means nothing

Files are written under ``run/partial``, flushed to disk and then renamed into place. Whatever is found under its own
name is therefore whole, and a writer that is killed leaves nothing beside the arrays. Local POSIX file systems only;
on a shared one (NFS) renaming must be atomic, as the standard asks.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storage.errors import CubeDamagedError, PathError

StorePath = str | os.PathLike[str]


def local_root(path: StorePath) -> Path:
    """Return the directory of the cube at `path`.

    Raises
    ------
    PathError
        Where `path` is an address and not a local path.
    """
    text = os.fspath(path)
    if "://" in text:
        raise PathError(f"{text!r} is an address, expected a path of the local file system")
    return Path(text)


def study_file(root: Path) -> Path:
    """Return the file that holds the record of the study."""
    return root / "run" / "study.json"


def commits_directory(root: Path) -> Path:
    """Return the directory of the commit records."""
    return root / "run" / "commits"


def commit_file(root: Path, batch: int, generation: int = 0) -> Path:
    """Return the file that says which draws of a `generation` in `batch` are complete."""
    return commits_directory(root) / (f"{batch:06d}.{generation}.json" if generation else f"{batch:06d}.json")


def tables_directory(root: Path) -> Path:
    """Return the directory of the study's input tables."""
    return root / "run" / "tables"


def lease_directory(root: Path) -> Path:
    """Return the directory of the leases."""
    return root / "run" / "lease"


def extension_directory(root: Path) -> Path:
    """Return the directory of an extension that is decided on and not yet in place."""
    return root / "run" / "extension"


def partial_directory(root: Path) -> Path:
    """Return the directory of files being written."""
    return root / "run" / "partial"


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Return `value` as JSON text for people, keys in order; NaN and infinity raise ValueError."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_json(file: Path) -> dict[str, Any]:
    """Return the JSON object in `file`.

    Raises
    ------
    CubeDamagedError
        Where the file is missing or holds anything else.
    """
    try:
        value = json.loads(file.read_bytes())
    except FileNotFoundError as error:
        raise CubeDamagedError(f"{file} is missing") from error
    except ValueError as error:
        raise CubeDamagedError(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise CubeDamagedError(f"{file} holds {type(value).__name__}, expected a JSON object")
    return value


def read_bytes(file: Path) -> bytes:
    """Return what is in `file`.

    Raises
    ------
    CubeDamagedError
        Where it is missing.
    """
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise CubeDamagedError(f"{file} is missing") from error


def list_files(directory: Path) -> list[str]:
    """Return the names of the files in `directory`, in order; none where it is not there."""
    return sorted(entry.name for entry in directory.iterdir() if entry.is_file()) if directory.is_dir() else []


def put_files(root: Path, contents: Mapping[Path, bytes]) -> None:
    """Write files whole, in order: into ``run/partial``, flushed to disk, then each renamed over what is there.

    When this returns, files and names survive a power cut.
    """
    for file, content in contents.items():
        put_file(root, file, content)
    for directory in dict.fromkeys(file.parent for file in contents):
        sync_directory(directory)


def put_new_file(root: Path, file: Path, content: bytes) -> bool:
    """Write `file` whole where nothing has its name, in one step; return False where something has."""
    partial = partial_directory(root) / f"{file.name}.{uuid.uuid4().hex}"
    file.parent.mkdir(exist_ok=True)
    try:
        _write_flushed(partial, content)
        os.link(partial, file)
    except FileExistsError:
        return False
    finally:
        partial.unlink(missing_ok=True)
    return True


def remove_file(file: Path) -> None:
    """Remove `file`, where it is there."""
    file.unlink(missing_ok=True)


def read_json_or_none(file: Path) -> dict[str, Any] | None:
    """Return the JSON object in `file`, None where there is no such file."""
    return read_json(file) if file.exists() else None


def put_file(root: Path, file: Path, content: bytes) -> None:
    """Write `file` whole: into ``run/partial``, flushed to disk, then renamed over what is there.

    The new name survives a power cut only after `sync_directory` of the directory of `file`.
    """
    # A name of its own for every write: a writer given up for dead may still be writing the same batch.
    partial = partial_directory(root) / f"{file.name}.{uuid.uuid4().hex}"
    try:
        _write_flushed(partial, content)
        partial.replace(file)
    except OSError:
        partial.unlink(missing_ok=True)  # a full disk needs the room
        raise


def _write_flushed(file: Path, content: bytes) -> None:
    file.parent.mkdir(exist_ok=True)  # a copy of a cube may lack a directory that was empty
    with file.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def sync_directory(directory: Path) -> None:
    """Flush the names in `directory` to disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(root: Path) -> None:
    """Flush every file and every directory below `root` to disk."""
    for directory, _, names in os.walk(root):
        for name in names:
            with (Path(directory) / name).open("rb") as stream:
                os.fsync(stream.fileno())
        sync_directory(Path(directory))
