"""Keep the results of a sweep: batches of draws go into a Zarr cube, labelled arrays come out.

This package knows nothing of what it keeps: the variables come as a `Layout`.
"""

from storage.batches import committed_batches, read_commit, write_batch
from storage.compacted import is_compacted
from storage.compaction import Compaction, compact
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
from storage.reading import CubeProgress, cube_progress, open_cube, read_inputs, read_study, read_summary
from storage.summaries import Summary, write_summary

__all__ = [
    "FORMAT",
    "AlreadyCommittedError",
    "BatchError",
    "CallError",
    "Compaction",
    "CubeDamagedError",
    "CubeExistsError",
    "CubeProgress",
    "FormatTooNewError",
    "Layout",
    "LayoutError",
    "NotACubeError",
    "PathError",
    "StorageError",
    "Summary",
    "Variable",
    "committed_batches",
    "compact",
    "create_cube",
    "cube_progress",
    "is_compacted",
    "open_cube",
    "read_commit",
    "read_inputs",
    "read_layout",
    "read_study",
    "read_summary",
    "write_batch",
    "write_summary",
]
