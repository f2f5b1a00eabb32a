"""Read a design that is a file of draws: one column per parameter, completed by fixed values and defaults."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from sampling.categories import Choice, Fixed
from sampling.designs import DesignSpec
from sampling.errors import SamplingError, nearest_name
from sampling.marginals import Marginal, Values
from sampling.tables import Row, number, read_rows

LABELS = ("draw", "replicate")
"""Columns that `wattbit sample --csv` writes beside the parameters; reading them back, they are passed over."""


def columns_of_file(
    marginals: Mapping[str, Marginal], design: DesignSpec, constants: Mapping[str, float | str], base: Path
) -> tuple[dict[str, Values], int]:
    """Return the columns that a file of draws has, and its number of draws.

    Parameters
    ----------
    constants : mapping
        Parameters held at one value, which must have no column.
    base : Path
        Folder from which the name of the file counts.

    Raises
    ------
    SamplingError
        An unknown column, a missing or non-numeric cell, too few rows, or a column for a fixed parameter.
    """
    path = base / str(design.file)
    names, rows = read_rows(path)
    names = [name for name in names if name not in LABELS or name in marginals]
    for name in names:
        if name not in marginals:
            expected = "a column for each of some uncertain parameters"
            raise SamplingError(f"{path.name} header", name, expected, nearest_name(name, marginals))
    if design.draws is not None and design.draws > len(rows):
        raise SamplingError("design.draws", design.draws, f"at most the {len(rows)} rows of {path.name}")
    columns: dict[str, Values] = {}
    for name, marginal in marginals.items():
        if name not in names:
            continue
        value = constants.get(name, marginal.value if isinstance(marginal, Fixed) else None)
        if value is not None:
            raise SamplingError(f"fixed.{name}", value, f"no fixed value beside the column of {path.name}")
        columns[name] = _file_values(path.name, name, marginal, rows)[: design.draws]
    return columns, len(rows) if design.draws is None else design.draws


def _file_values(file: str, name: str, marginal: Marginal, rows: list[Row]) -> Values:
    """Return one column of a file of draws as values (rows,)."""
    texts = [row.cells[name] for row in rows]
    keys = [f"{file} row {row.number}, column {name}" for row in rows]
    if isinstance(marginal, Choice):
        for key, text in zip(keys, texts, strict=True):
            if text not in marginal.odds:
                nearest = nearest_name(text, marginal.odds)
                raise SamplingError(key, text or None, f"one of {', '.join(marginal.odds)}", nearest)
        return np.array(texts, dtype=np.object_)
    return np.array([number(key, text) for key, text in zip(keys, texts, strict=True)], dtype=np.float64)
