"""Render a document as one HTML page that needs nothing but itself, Japanese glyphs included."""

from __future__ import annotations

import re
from collections.abc import Mapping

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from report.document.build import Document
from report.document.fonts import drawing, embedded, page_file
from report.document.parts import Chart, Table
from report.image import to_svg

BEST, WORST = (158, 202, 225), (253, 190, 133)  # blue and orange stay apart in all common kinds of colour blindness


def shade(rank: float | None) -> str:
    """Return the colour of a rank in 0..1 as #rrggbb, white in the middle; empty without a rank."""
    if rank is None:
        return ""
    end, strength = (BEST, 1 - 2 * rank) if rank < 0.5 else (WORST, 2 * rank - 1)
    return "#" + "".join(f"{round(255 + (channel - 255) * strength):02x}" for channel in end)


def drawn(document: Document) -> dict[str, str]:
    """Return every figure as SVG, letters as paths, by its name."""
    with drawing(document.material.wanted.language):
        pictures = {chart.name: to_svg(chart.figure, prefix=f"{chart.name}-") for chart in document.charts}
    # colour bars that look alike have the same id, which nothing refers to
    return {name: re.sub(r'(<image\b[^>]*?) id="[^"]*"', r"\1", svg) for name, svg in pictures.items()}


def page(document: Document, pictures: Mapping[str, str]) -> str:
    """
    Render the page.

    Parameters
    ----------
    document : Document
        What to render.
    pictures : mapping of str
        SVG of every figure by name, as `drawn` gives it.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.tests["table"] = lambda each: isinstance(each, Table)
    environment.tests["chart"] = lambda each: isinstance(each, Chart)
    environment.filters["shade"] = shade
    template = environment.from_string(page_file("page.html"))

    def rendered(font: str) -> str:
        return template.render(
            document=document,
            language=document.material.wanted.language,
            pictures={name: Markup(svg) for name, svg in pictures.items()},
            style=Markup(page_file("page.css")),
            font=font,
            contents=document.material.words("Contents", "目次"),
        )

    return rendered(embedded(rendered("")))
