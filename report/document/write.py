"""Write a document into a folder: page, PDF, every figure as SVG and PNG, every table as CSV; all of it or a clear error."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from report.document.build import Document
from report.document.fonts import drawing
from report.document.page import drawn, page
from report.document.parts import Table
from report.document.pdf import check_typst, pdf
from report.image import to_png
from report.page import PageError

XML = '<?xml version="1.0" encoding="utf-8"?>\n'


def write_document(document: Document, out: Path) -> list[Path]:
    """
    Write a document.

    Parameters
    ----------
    document : Document
        As `report.document.build.build` gives it.
    out : Path
        Folder, made where it is not there; files of an earlier document are replaced.

    Returns
    -------
    list of Path
        The files: ``report.html``, ``report.pdf``, ``figures/NAME.svg``, ``figures/NAME.png``, ``tables/NAME.csv``.

    Raises
    ------
    PageError
        Where a file cannot be written.
    CubeContentError
        If a package that is needed is not installed.
    """
    check_typst()
    try:
        for folder in (out, out / "figures", out / "tables"):
            folder.mkdir(parents=True, exist_ok=True)
        pictures = drawn(document)
        texts = {out / "report.html": page(document, pictures).encode("utf-8", errors="replace")}
        texts[out / "report.pdf"] = pdf(document, pictures)
        for path, content in texts.items():
            path.write_bytes(content)
        figures = _write_figures(document, pictures, out / "figures")
        tables = [_write_table(table, out / "tables" / f"{table.name}.csv") for table in document.tables]
    except OSError as fault:
        raise PageError(f"the report {out} cannot be written: {fault.strerror or fault}") from fault
    return [*texts, *figures, *tables]


def _write_figures(document: Document, pictures: Mapping[str, str], folder: Path) -> list[Path]:
    written = []
    for chart in document.charts:
        svg, png = folder / f"{chart.name}.svg", folder / f"{chart.name}.png"
        svg.write_text(XML + pictures[chart.name], encoding="utf-8")
        with drawing(document.material.wanted.language):
            to_png(chart.figure, png)
        written += [svg, png]
    return written


def _write_table(table: Table, path: Path) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows([cell.plain for cell in row] for row in table.cells)
    return path
