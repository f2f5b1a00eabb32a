"""What commands share: arguments and options, which import nothing that is slow."""

from __future__ import annotations

from math import isfinite
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


class Finite(click.FloatRange):
    """A number in a range; infinity and NaN, which no comparison keeps out, are none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Turn text into the number, or refuse it."""
        return finite(ctx, param, super().convert(value, param, ctx))


def finite(ctx: click.Context | None, param: click.Parameter | None, number: float | None) -> float | None:
    """Refuse infinity and NaN, which are numbers to Python; for options of any number."""
    if number is not None and not isfinite(number):
        raise click.BadParameter(f"{number} is no finite number", ctx, param)
    return number


STUDY = click.argument("study", type=click.Path(path_type=Path))
STORE = click.argument("store", type=StoreType())
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
WORKERS = click.option(
    "--workers",
    type=click.IntRange(min=1),
    envvar="WATTBIT_WORKERS",
    help="Worker processes; default: $WATTBIT_WORKERS, else one per processor.",
)
