"""Say where each part of a cube lies, and put files there whole or not at all.

A cube is a directory, or what lies below an address of an object store (`storage.remote`)::

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
    root/run/creating.json             object stores only: the cube is being made; without zarr.json it is none yet

On a local file system files are written under ``run/partial``, flushed to disk and then renamed into place. Whatever
is found under its own name is therefore whole, and a writer that is killed leaves nothing beside the arrays. The file
system must be a POSIX one; on a shared one (NFS) renaming must be atomic, as the standard asks. In an object store
every file is one object and one PUT, which is atomic and lasting by itself.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from urllib.parse import unquote

from zarr.storage import StorePath as ZarrPath

from storage.errors import CubeDamagedError
from storage.remote import RemotePath, at_once
from storage.remote_zarr import zarr_store

Place = Path | RemotePath
"""Where something lies: on a local file system or in an object store."""
StorePath = str | os.PathLike[str] | RemotePath


def root_of(path: StorePath) -> Place:
    """Return where the cube at `path` lies: a local directory, or an address in an object store.

    Raises
    ------
    PathError
        Where `path` is an address of another kind.
    """
    if isinstance(path, RemotePath):
        return path
    text = os.fspath(path)
    if text.startswith("file:///"):
        return Path(unquote(text.removeprefix("file://")))
    return RemotePath.parse(text) if "://" in text else Path(text)


def exists(path: StorePath) -> bool:
    """Return whether anything lies at `path`; a cube in an object store that was never made to the end is nothing."""
    root = root_of(path)
    if isinstance(root, Path):
        return root.exists()
    # The listing comes first: only it tells that there is no such bucket.
    return root.is_dir() and ((root / "zarr.json").exists() or not creating_file(root).exists())


def zarr_place(root: Place, metadata: bytes) -> Any:
    """Return what Zarr opens a cube by, given its root metadata; for reading, where it lies in an object store."""
    return os.fspath(root) if isinstance(root, Path) else ZarrPath(zarr_store(root, metadata), root.key)


def study_file(root: Place) -> Place:
    """Return the file that holds the record of the study."""
    return root / "run" / "study.json"


def commits_directory(root: Place) -> Place:
    """Return the directory of the commit records."""
    return root / "run" / "commits"


def commit_file(root: Place, batch: int, generation: int = 0) -> Place:
    """Return the file that says which draws of a `generation` in `batch` are complete."""
    return commits_directory(root) / (f"{batch:06d}.{generation}.json" if generation else f"{batch:06d}.json")


def tables_directory(root: Place) -> Place:
    """Return the directory of the study's input tables."""
    return root / "run" / "tables"


def lease_directory(root: Place) -> Place:
    """Return the directory of the leases."""
    return root / "run" / "lease"


def extension_directory(root: Place) -> Place:
    """Return the directory of an extension that is decided on and not yet in place."""
    return root / "run" / "extension"


def creating_file(root: Place) -> Place:
    """Return the file that says, in an object store, that a cube is being made."""
    return root / "run" / "creating.json"


def partial_directory(root: Path) -> Path:
    """Return the directory of files being written."""
    return root / "run" / "partial"


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """Return `value` as JSON text for people, keys in order; NaN and infinity raise ValueError."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_json(file: Place) -> dict[str, Any]:
    """Return the JSON object in `file`.

    Raises
    ------
    CubeDamagedError
        Where the file is missing or holds anything else.
    """
    return parsed(file, read_bytes(file))


def parsed(file: Place, content: bytes) -> dict[str, Any]:
    """Return the JSON object in the `content` of `file`; errors as `read_json`."""
    try:
        value = json.loads(content)
    except ValueError as error:
        raise CubeDamagedError(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise CubeDamagedError(f"{file} holds {type(value).__name__}, expected a JSON object")
    return value


def read_bytes(file: Place) -> bytes:
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


def read_many(files: Iterable[Place]) -> Iterator[bytes]:
    """Return what is in `files`, in order; errors as `read_bytes`. From an object store many come at once."""
    found = list(files)
    return at_once(read_bytes, found) if found and isinstance(found[0], RemotePath) else map(read_bytes, found)


def list_files(directory: Place) -> list[str]:
    """Return the names of the files in `directory`, in order; none where it is not there."""
    if isinstance(directory, RemotePath):
        names = (file.relative_to(directory) for file in directory.below())
        return [name for name in names if "/" not in name]
    if not directory.is_dir():
        return []
    with os.scandir(directory) as entries:  # asks nothing of each file: there may be hundreds of thousands
        return sorted(entry.name for entry in entries if entry.is_file())


def file_sizes(directory: Place) -> dict[str, int]:
    """Return the files in `directory` with their sizes in bytes; none where it is not there."""
    if isinstance(directory, RemotePath):
        return {name: size for name, size in sizes_below(directory).items() if "/" not in name}
    if not directory.is_dir():
        return {}
    with os.scandir(directory) as entries:
        return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}


def sizes_below(directory: Place) -> dict[str, int]:
    """Return the files below `directory`, at any depth, by their names relative to it, with their sizes in bytes."""
    if isinstance(directory, RemotePath):
        return {file.relative_to(directory): size for file, size in directory.below().items()}
    files = (file for file in sorted(directory.rglob("*")) if file.is_file())
    return {file.relative_to(directory).as_posix(): file.stat().st_size for file in files}


def put_files(root: Place, contents: Mapping[Place, bytes]) -> None:
    """Write files whole, in order: into ``run/partial``, flushed to disk, then each renamed over what is there.

    When this returns, files and names survive a power cut. In an object store they are put many at once.
    """
    if isinstance(root, RemotePath):
        for _ in at_once(lambda each: put_file(root, *each), contents.items()):
            pass
        return
    for file, content in contents.items():
        put_file(root, file, content)
    for directory in dict.fromkeys(cast("Path", file).parent for file in contents):
        sync_directory(directory)


def put_new_file(root: Place, file: Place, content: bytes) -> bool:
    """Write `file` whole where nothing has its name, in one step; return False where something has.

    In an object store by a conditional PUT. A server that ignores the condition lets the last writer win, so whoever
    must be alone puts a token of its own into the file and looks for it again (`storage.lease`).
    """
    if isinstance(file, RemotePath):
        return file.put_new(content)
    partial = partial_directory(cast("Path", root)) / f"{file.name}.{uuid.uuid4().hex}"
    try:
        file.parent.mkdir(exist_ok=True)
        try:
            _write_flushed(partial, content)
            os.link(partial, file)
        except FileExistsError:
            return False
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise _named(error, file) from error
    return True


def remove_file(file: Place) -> None:
    """Remove `file`, where it is there."""
    file.unlink(missing_ok=True)


def read_json_or_none(file: Place) -> dict[str, Any] | None:
    """Return the JSON object in `file`, None where there is no such file."""
    content = read_bytes_or_none(file)
    return None if content is None else parsed(file, content)


def read_bytes_or_none(file: Place) -> bytes | None:
    """Return what is in `file`, None where there is no such file."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def put_file(root: Place, file: Place, content: bytes) -> None:
    """Write `file` whole: into ``run/partial``, flushed to disk, then renamed over what is there.

    The new name survives a power cut only after `sync_directory` of the directory of `file`.
    """
    if isinstance(file, RemotePath):
        file.put(content)
        return
    # A name of its own for every write: a writer given up for dead may still be writing the same batch.
    partial = partial_directory(cast("Path", root)) / f"{file.name}.{uuid.uuid4().hex}"
    try:
        _write_flushed(partial, content)
        partial.replace(file)
    except OSError as error:
        with suppress(OSError):
            partial.unlink(missing_ok=True)  # a full disk needs the room
        raise _named(error, file) from error


def _named(error: OSError, file: Path) -> OSError:
    """Return the error with the name of the file that was to be, in place of the one under ``run/partial``."""
    return OSError(error.errno, error.strerror, os.fspath(file)) if error.errno is not None else error


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
