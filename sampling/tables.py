"""Read a CSV file into rows of text cells and a cell into a number, refusing what has no clear shape."""

import csv
import math
from pathlib import Path
from typing import NamedTuple

from sampling.errors import SamplingError


class Row(NamedTuple):
    """One row: its number as a spreadsheet counts it (the header is row 1) and its cells by column."""

    number: int
    cells: dict[str, str]


def read_rows(path: Path) -> tuple[list[str], list[Row]]:
    """Read the header and the rows of a UTF-8 CSV file; blanks around a cell are dropped, empty lines skipped.

    Parameters
    ----------
    path : Path
        File with one header row and at least one more row.

    Returns
    -------
    columns : list of str
    rows : list of Row
        Every row has a cell, possibly empty, for each column.

    Raises
    ------
    SamplingError
        No such file, not UTF-8, an unnamed or repeated column, a row that is too long or too short, or no row at all.
    """
    if not path.is_file():
        raise SamplingError("file", str(path), "an existing CSV file")
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:  # spreadsheets put a byte-order mark first
            cells = [[cell.strip() for cell in line] for line in csv.reader(stream)]
    except UnicodeDecodeError as fault:
        raise SamplingError(path.name, f"byte {fault.object[fault.start]:#04x}", "a CSV file in UTF-8") from fault
    lines = [(count, line) for count, line in enumerate(cells, 1) if any(line)]
    if len(lines) < 2:
        raise SamplingError(path.name, None, "a header row and at least one more row")
    columns = lines[0][1]
    for position, column in enumerate(columns, 1):
        if not column:
            raise SamplingError(f"{path.name} row {lines[0][0]}, column {position}", None, "the name of the column")
        if column in columns[: position - 1]:
            raise SamplingError(f"{path.name} row {lines[0][0]}, column {position}", column, "each column once")
    rows = []
    for count, line in lines[1:]:
        if len(line) != len(columns):
            raise SamplingError(f"{path.name} row {count}", f"{len(line)} cells", f"{len(columns)} cells")
        rows.append(Row(count, dict(zip(columns, line, strict=True))))
    return columns, rows


def is_number(text: str) -> bool:
    """Return whether `text` is a finite number."""
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def number(key: str, text: str) -> float:
    """Return the finite number in `text`, or refuse it with a SamplingError under `key`."""
    if not is_number(text):
        raise SamplingError(key, text or None, "a finite number")
    return float(text)
