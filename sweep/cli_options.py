"""What commands share: arguments and options, which import nothing that is slow."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from storage import Place

WIDTH = 132


class StoreType(click.ParamType["Place"]):
    """A local path, or the address of a cube in an object store."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """Return where the cube lies; what is neither ends with exit code 2."""
        from storage import StorageError, root_of

        try:
            return root_of(value)
        except StorageError as fault:
            self.fail(str(fault), param, ctx)


STUDY = click.argument("study", type=click.Path(path_type=Path))
STORE = click.argument("store", type=StoreType())
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    envvar="WATTBIT_WORKERS",
    help="Worker processes; default: $WATTBIT_WORKERS, else one per processor.",
)
