"""A cube opened once for many batches: its root metadata and labels, which nothing changes while a run holds its lease."""

from __future__ import annotations

from dataclasses import dataclass

import zarr

from storage.cube import layout_of, open_root
from storage.files import Place, StorePath, root_of
from storage.layout import Layout


@dataclass(frozen=True, eq=False)
class Opened:
    """Where a cube lies, its root group and its layout, as they were read."""

    root: Place
    group: zarr.Group
    layout: Layout


def opened(path: StorePath | Opened) -> Opened:
    """Return the cube at `path` opened, or as it was opened before; errors as `storage.cube.open_root`."""
    if isinstance(path, Opened):
        return path
    group = open_root(path)
    return Opened(root_of(path), group, layout_of(group))
