"""Set a document as PDF with Typst, which its Python package carries whole; no program of the system is called."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from report.document.build import Document
from report.document.fonts import MISSING, font_file, page_file
from report.document.page import shade
from report.document.parts import Chart, Table
from report.outcomes import CubeContentError

LONGEST_WORD: Final = 14
WIDEST: Final = 46


def pdf(document: Document, pictures: Mapping[str, str]) -> bytes:
    """
    Return the document as PDF, the same bytes for the same pictures.

    Parameters
    ----------
    document : Document
        What to set.
    pictures : mapping of str
        SVG of every figure by name.

    Raises
    ------
    CubeContentError
        If Typst is not installed.
    """
    check_typst()
    import typst

    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "content.json").write_text(json.dumps(_content(document), ensure_ascii=False), encoding="utf-8")
        (root / "document.typ").write_text(page_file("document.typ"), encoding="utf-8")
        for name, svg in pictures.items():
            (root / f"{name}.svg").write_text(_standing_alone(svg), encoding="utf-8")
        fonts = [str(font_file().parent)]
        return bytes(typst.compile(str(root / "document.typ"), root=folder, font_paths=fonts, ignore_system_fonts=True))


def check_typst() -> None:
    """
    Refuse a document early.

    Raises
    ------
    CubeContentError
        If Typst is not installed.
    """
    if find_spec("typst") is None:
        raise CubeContentError(MISSING.format("typst"))


def _standing_alone(svg: str) -> str:
    return svg if "xmlns=" in svg[:400] else svg.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)


def _content(document: Document) -> dict[str, Any]:
    return {
        "title": document.title,
        "subtitle": document.subtitle,
        "language": document.material.wanted.language,
        "sections": [
            {
                "title": section.title,
                "sentences": [{"text": each.text, "heading": each.heading} for each in section.sentences],
                "shown": [_chart(each) if isinstance(each, Chart) else _table(each) for each in section.shown],
                "notes": list(section.notes),
            }
            for section in document.sections
        ],
    }


def _chart(chart: Chart) -> dict[str, Any]:
    return {"kind": "chart", "name": chart.name, "caption": chart.caption}


def _table(table: Table) -> dict[str, Any]:
    rows = [[{"text": _breakable(cell.text), "shade": shade(cell.rank)} for cell in row] for row in table.cells]
    widths = [
        min(WIDEST, max(4, *(_width(text) for text in (table.columns[at], *(row[at].text for row in table.cells)))))
        for at in range(len(table.columns))
    ]
    return {
        "kind": "table",
        "caption": table.caption,
        "columns": list(table.columns),
        "rows": rows,
        "widths": [width**0.7 for width in widths],
    }


def _width(text: str) -> int:
    """Return how many letters wide the longest line is, Japanese ones counting twice."""
    return max((sum(2 if ord(letter) > 0x2E80 else 1 for letter in line) for line in text.split("\n")), default=1)


def _breakable(text: str) -> str:
    """Allow a line to end within what has no blank, such as a checksum."""
    return re.sub(rf"([^\s\u2e80-\uffff]{{{LONGEST_WORD}}})(?=[^\s\u2e80-\uffff])", "\\1\u200b", text)
