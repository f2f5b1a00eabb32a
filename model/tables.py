"""Reads one CSV table with every check a user's own table may need, before anything is computed from it."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.errors import InputError, nearest


def missing_column(where: str, column: str, found: Iterable[str]) -> InputError:
    """The error of a table that lacks a column, with the nearest one found."""
    names = list(map(str, found))
    close = nearest(column, names)
    hint = f" (did you mean {close!r}?)" if close else ""
    return InputError(where, "columns", ", ".join(names), f"a column named {column!r}{hint}")


def read_frame(path: Path, **options: Any) -> pd.DataFrame:
    """Read a CSV file, gzipped or not; whatever is no table with a header row is refused.

    Raises
    ------
    InputError
        No such file, not a CSV in UTF-8, a damaged archive, more cells than columns.
    """
    if not path.is_file():
        raise InputError(str(path), "file", "no file" if path.exists() else "nothing", "a CSV file")
    try:
        # Read before it is parsed: a Ctrl-C while pandas' parser asks for more bytes would look like a damaged table.
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        frame: pd.DataFrame = pd.read_csv(io.BytesIO(content), **options)
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        UnicodeDecodeError,
        gzip.BadGzipFile,
        zlib.error,
        EOFError,
    ) as fault:
        raise InputError(path.name, "file", str(fault), "a CSV table with a header row") from fault
    if not isinstance(frame.index, pd.RangeIndex):
        raise InputError(path.name, "file", "more cells than columns", "a CSV table with a header row")
    return frame


class Table:
    """A CSV file whose columns are asked for by name and checked on the way out.

    Parameters
    ----------
    path : Path
    columns : sequence of str
        Columns that must be there; further ones (``source``) are ignored.
    key : str
        Column or columns that identify a row; a repeated key is refused.

    Raises
    ------
    InputError
        No such file, not a CSV, a missing column (with the nearest one found), a repeated key.
    """

    def __init__(self, path: Path, columns: Sequence[str], key: Sequence[str]) -> None:
        self.where = path.name
        self.frame = read_frame(path, dtype=str, keep_default_na=False)
        for column in (*key, *columns):
            if column not in self.frame.columns:
                raise missing_column(self.where, column, self.frame.columns)
        self.key = list(key)
        if not len(self.frame):
            raise InputError(self.where, "rows", 0, "at least one row")
        for column in key:
            self.frame[column] = self.frame[column].str.strip()
        repeated = self.frame.duplicated(self.key)
        if repeated.any():
            raise InputError(self.where, "/".join(key), self.label(int(repeated.argmax())), "each key once")

    def label(self, row: int | np.integer[Any]) -> str:
        """The key of a row, for messages."""
        return "/".join(str(self.frame[k].iloc[row]) for k in self.key)

    def text(self, column: str, known: Iterable[str] | None = None) -> list[str]:
        """A column of names; with ``known``, each must be one of them."""
        values = [v.strip() for v in self.frame[column]]
        names = None if known is None else list(known)
        for row, value in enumerate(values):
            if names is not None and value not in names:
                raise InputError(self.where, f"{column}[{self.label(row)}]", value, f"one of {', '.join(names)}", names)
        return values

    def number(
        self, column: str, low: float = 0.0, high: float = np.inf, blank: float | None = None
    ) -> NDArray[np.float64]:
        """A column of finite numbers in low..high; an empty cell takes ``blank`` where that is given."""
        numbers = np.empty(len(self.frame))
        for row, cell in enumerate(self.frame[column]):
            where = f"{column}[{self.label(row)}]"
            if not cell.strip() and blank is not None:
                numbers[row] = blank
                continue
            try:
                numbers[row] = float(cell)
            except ValueError as fault:
                raise InputError(self.where, where, cell, "a number") from fault
            if not low <= numbers[row] <= high or not np.isfinite(numbers[row]):
                raise InputError(self.where, where, cell, f"a number in {low:g}..{high:g}")
        return numbers

    def by(
        self, rows: Sequence[str], columns: Sequence[str], value: str, others: Sequence[str] = ()
    ) -> NDArray[np.float64]:
        """Pivot a long table on its two keys into an array (rows, columns); every pair must be there.

        ``others`` are column keys that may occur and are passed over.
        """
        row_key, column_key = self.key
        self.text(row_key, rows)
        self.text(column_key, [*columns, *others])
        numbers = dict(
            zip(zip(self.frame[row_key], self.frame[column_key], strict=True), self.number(value), strict=True)
        )
        for pair in ((r, c) for r in rows for c in columns):
            if pair not in numbers:
                raise InputError(self.where, "/".join(self.key), "/".join(pair) + " missing", "every pair")
        return np.array([[numbers[r, c] for c in columns] for r in rows])
