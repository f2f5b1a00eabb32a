"""Keep the results of a sweep: batches of draws go into a Zarr cube, labelled arrays come out.

This package knows nothing of what it keeps: the variables come as a `Layout`.
"""

from storage.batches import committed_batches, read_commit, write_batch
from storage.cube import FORMAT, create_cube, read_layout
from storage.errors import (
    AlreadyCommittedError,
    BatchError,
    CallError,
    CubeDamagedError,
    CubeExistsError,
    FormatTooNewError,
    LayoutError,
    NotACubeError,
    PathError,
    StorageError,
)
from storage.layout import Layout, Variable
from storage.reading import CubeProgress, cube_progress, open_cube, read_inputs, read_study

__all__ = [
    "FORMAT",
    "AlreadyCommittedError",
    "BatchError",
    "CallError",
    "CubeDamagedError",
    "CubeExistsError",
    "CubeProgress",
    "FormatTooNewError",
    "Layout",
    "LayoutError",
    "NotACubeError",
    "PathError",
    "StorageError",
    "Variable",
    "committed_batches",
    "create_cube",
    "cube_progress",
    "open_cube",
    "read_commit",
    "read_inputs",
    "read_layout",
    "read_study",
    "write_batch",
]
