"""Make a cube whole where nothing lies: beside the place and renamed, or in an object store with its root last."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path

from storage.errors import CannotWriteError, CubeExistsError, LeaseLostError, StoreInUseError
from storage.files import (
    Place,
    creating_file,
    exists,
    lease_directory,
    put_file,
    put_files,
    put_new_file,
    remove_file,
    sync_directory,
    sync_tree,
)
from storage.lease import Lease
from storage.leftovers import remove_leftovers
from storage.remote import RemotePath, at_once

UPLOAD_BYTES = 64 * 1024 * 1024
"""Files are put together up to this size, which bounds the memory."""


def refuse_taken(root: Place) -> None:
    """Raise CubeExistsError where something lies at `root`."""
    if exists(root):
        raise CubeExistsError(f"{root} exists already, expected a path where nothing lies")


def check_place(root: Place) -> None:
    """Make sure, by trying, that a cube can be made at `root`, where nothing lies; nothing is left.

    Raises
    ------
    CannotWriteError, StoreRefusedError, StoreUnavailableError
        Where it cannot.
    """
    if isinstance(root, RemotePath):
        tried = root.with_name(f".{root.name}.{uuid.uuid4().hex}.partial")
        tried.put(b"")
        tried.unlink()
        return
    folder = next(parent for parent in root.absolute().parents if parent.exists())
    try:
        os.rmdir(tempfile.mkdtemp(prefix=f".{root.name}.", suffix=".partial", dir=folder))
    except OSError as error:
        raise CannotWriteError(
            f"{root} cannot be made: {folder} cannot be written to: {error.strerror or error}"
        ) from error


def make_whole(root: Place, write: Callable[[Path], None]) -> None:
    """Make a cube at `root`: `write` puts all of it into a new local directory.

    Locally that directory lies beside `root` under a hidden name, is flushed to disk and renamed at the end. For an
    object store it is a temporary one, whose files are then put there under a lease, the root metadata last and only
    where there are none: so a cube is there whole or not at all, and of two that are made at once one is. What a
    killed process left there before its root metadata is removed and written anew.

    Raises
    ------
    CubeExistsError
        Where something lies at `root`, or another process makes or made a cube there meanwhile.
    CannotWriteError
        Where nothing can be made beside `root`.
    """
    refuse_taken(root)
    if isinstance(root, RemotePath):
        with tempfile.TemporaryDirectory(prefix="wattbit-") as folder:
            making = Path(folder) / "cube.zarr"
            write(making)
            _upload_new(making, root)
        return
    making = root.parent / f".{root.name}.{uuid.uuid4().hex}.partial"
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        making.mkdir()
    except OSError as error:
        raise CannotWriteError(f"{root.parent} cannot be written to: {error.strerror or error}") from error
    try:
        remove_leftovers(root, making.stat().st_mtime)
        write(making)
        sync_tree(making)
        try:
            making.rename(root)
        except OSError as error:
            if root.exists():
                raise CubeExistsError(f"{root} was made by another process meanwhile") from error
            raise
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    sync_directory(root.parent)


def upload(making: Path, root: Place) -> None:
    """Put every file of a local directory into an object store, but for its root metadata."""
    contents: dict[Place, bytes] = {}
    size = 0
    for file in sorted(file for file in making.rglob("*") if file.is_file()):
        name = file.relative_to(making).as_posix()
        if name == "zarr.json":
            continue
        contents[root / name] = file.read_bytes()
        size += len(contents[root / name])
        if size > UPLOAD_BYTES:
            put_files(root, contents)
            contents, size = {}, 0
    put_files(root, contents)


def _upload_new(making: Path, root: RemotePath) -> None:
    marker = creating_file(root)
    try:
        put_file(root, marker, b"{}\n")
        with Lease(root) as lease:
            refuse_taken(root)
            remains = [file for file in root.below() if file != marker and file.parent != lease_directory(root)]
            remove_files(remains)
            upload(making, root)
            lease.check()
            if not put_new_file(root, root / "zarr.json", (making / "zarr.json").read_bytes()):
                raise CubeExistsError(f"{root} was made by another process meanwhile")
            remove_file(marker)
    except (StoreInUseError, LeaseLostError) as error:
        raise CubeExistsError(f"{root} is being made by another process: {error}") from error


def remove_files(files: list[RemotePath]) -> None:
    """Remove many objects."""
    for _ in at_once(remove_file, files):
        pass
