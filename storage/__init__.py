"""Keep the results of a sweep: batches of draws go into a Zarr cube, labelled arrays come out.

This package knows nothing of what it keeps: the variables come as a `Layout`.
"""

from storage.batches import reopen_batch, write_batch
from storage.checking import check_committed, check_sums
from storage.compacted import is_compacted
from storage.compaction import Compaction, compact
from storage.cube import FORMAT, create_cube, read_layout
from storage.draw_table import Rows
from storage.errors import (
    AlreadyCommittedError,
    BatchError,
    CallError,
    CannotWriteError,
    CubeDamagedError,
    CubeExistsError,
    FormatTooNewError,
    LayoutError,
    LeaseLostError,
    NotACubeError,
    PathError,
    StorageError,
    StoreInUseError,
    StoreRefusedError,
    StoreUnavailableError,
)
from storage.files import Place, StorePath, exists, root_of
from storage.growth import extend_cube, finish_extension, is_being_extended
from storage.history import History, read_history
from storage.layout import Layout, Variable
from storage.lease import LEASE_SECONDS, Lease, check_lease, lease_holder
from storage.leftovers import remove_leftovers
from storage.making import check_place
from storage.notes import note_numbers, put_note, read_note, remove_note
from storage.opened import Opened, opened
from storage.reading import (
    CubeProgress,
    cube_progress,
    input_blocks,
    local_tables,
    open_cube,
    read_commits,
    read_inputs,
    read_labels,
    read_run,
    read_study,
    read_summary,
    read_tables,
)
from storage.records import Piece, committed_batches, missing_pieces, read_batch, read_commit, read_pieces
from storage.remote import RemotePath
from storage.side import put_side, read_side, side_names, side_names_below
from storage.summaries import Summary, write_summary

__all__ = [
    "FORMAT",
    "LEASE_SECONDS",
    "AlreadyCommittedError",
    "BatchError",
    "CallError",
    "CannotWriteError",
    "Compaction",
    "CubeDamagedError",
    "CubeExistsError",
    "CubeProgress",
    "FormatTooNewError",
    "History",
    "Layout",
    "LayoutError",
    "Lease",
    "LeaseLostError",
    "NotACubeError",
    "Opened",
    "PathError",
    "Piece",
    "Place",
    "RemotePath",
    "Rows",
    "StorageError",
    "StoreInUseError",
    "StorePath",
    "StoreRefusedError",
    "StoreUnavailableError",
    "Summary",
    "Variable",
    "check_committed",
    "check_lease",
    "check_place",
    "check_sums",
    "committed_batches",
    "compact",
    "create_cube",
    "cube_progress",
    "exists",
    "extend_cube",
    "finish_extension",
    "input_blocks",
    "is_being_extended",
    "is_compacted",
    "lease_holder",
    "local_tables",
    "missing_pieces",
    "note_numbers",
    "open_cube",
    "opened",
    "put_note",
    "put_side",
    "read_batch",
    "read_commit",
    "read_commits",
    "read_history",
    "read_inputs",
    "read_labels",
    "read_layout",
    "read_note",
    "read_pieces",
    "read_run",
    "read_side",
    "read_study",
    "read_summary",
    "read_tables",
    "remove_leftovers",
    "remove_note",
    "reopen_batch",
    "root_of",
    "side_names",
    "side_names_below",
    "write_batch",
    "write_summary",
]
