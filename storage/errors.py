"""Say what went wrong with a cube, grouped by what the reader does next.

Every error has a stable `code` that a script may test; the message is for people.

=====================  =========================  =================================================
what to do next        error                      code
=====================  =========================  =================================================
give another path      `CubeExistsError`          ``cube_exists``
give another path      `NotACubeError`            ``not_a_cube``
give another path      `CannotWriteError`         ``cannot_write``
give another path,     `StoreRefusedError`        ``store_refused``
or credentials
run again later        `StoreUnavailableError`    ``store_unavailable``
install a newer        `FormatTooNewError`        ``format_too_new``
program
wait, or stop the      `StoreInUseError`          ``store_in_use``
other run
run again              `LeaseLostError`           ``lease_lost``
mend the calling code  `LayoutError`              ``layout``
mend the calling code  `BatchError`               ``batch``
leave the batch alone  `AlreadyCommittedError`    ``already_committed``
restore or rerun       `CubeDamagedError`         ``cube_damaged``
=====================  =========================  =================================================
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar


class StorageError(Exception):
    """A cube could not be created, written or read.

    Attributes
    ----------
    code : str
        Stable name of the kind of error, the same in every version.
    """

    code: ClassVar[str] = "storage"


class PathError(StorageError):
    """The path does not lead where the call needs it: give another path."""

    code = "path"


class CubeExistsError(PathError):
    """Something already lies at the path of a new cube."""

    code = "cube_exists"


class NotACubeError(PathError):
    """The path holds no cube that this program can read."""

    code = "not_a_cube"


class FormatTooNewError(NotACubeError):
    """The cube was written by a newer program: install that one or a later one."""

    code = "format_too_new"


class CannotWriteError(PathError):
    """The cube may be read and not written to."""

    code = "cannot_write"


class StoreRefusedError(PathError):
    """The object store cannot be used as asked: no such bucket, access denied, or settings that do not fit."""

    code = "store_refused"


class StoreUnavailableError(StorageError):
    """The object store did not answer, or with errors of its own, in every try: run again when it is back."""

    code = "store_unavailable"


class StoreInUseError(StorageError):
    """Another run is writing into the cube: wait for it to end, or stop it."""

    code = "store_in_use"


class LeaseLostError(StorageError):
    """The run's lease ran out before it was renewed, and another run may be writing: run again later."""

    code = "lease_lost"


class CallError(StorageError):
    """The caller asks for something a cube cannot hold: mend the calling code."""

    code = "call"


class LayoutError(CallError):
    """A layout, its variables or its draw table contradict themselves."""

    code = "layout"


class BatchError(CallError):
    """The arrays of a batch do not fit the layout of the cube."""

    code = "batch"


class AlreadyCommittedError(StorageError):
    """The batch has its commit record: it is finished, and is not written again."""

    code = "already_committed"


class CubeDamagedError(StorageError):
    """A part of the cube is missing or unreadable: restore it, or remove the batch named and run it again."""

    code = "cube_damaged"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return a hint at the known name nearest to `name`, or an empty string where none is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
