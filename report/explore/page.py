"""Write the explorer: one page that holds the draws and everything it needs, and asks nobody else."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import xarray as xr
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from report.document.fonts import embedded
from report.document.language import Language
from report.explore.draws import packed
from report.explore.hours import Hourly, packed_hourly
from report.figures import LINE_COLOURS, LINE_STYLES
from report.outcomes import attribute
from report.page import PageError

PROGRAMS = ("statistics.js", "words.js", "scatter.js", "hours.js", "explore.js")
DASHES = {"-": "solid", "--": "dashed", "-.": "dotdash"}
UNIQUE = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?<=\")p[0-9]{4,}(?=\")")  # of documents, of models


def explorer(cube: xr.Dataset, language: Language, hourly: Hourly | None = None) -> str:
    """
    Render the explorer.

    Parameters
    ----------
    cube : xr.Dataset
        An opened cube.
    language : {"ja", "en"}
        That the page opens in; it speaks both.
    hourly : Hourly, optional
        Hours of single draws; without them the page tells what the cube holds of a draw.

    Raises
    ------
    CubeContentError
        If the cube lacks what it needs, or a package is not installed.
    """
    from report.explore.figures import drawings, script

    data = packed(cube)
    colours = [LINE_COLOURS[at % len(LINE_COLOURS)] for at in range(len(data["configurations"]))]
    dashes = [DASHES[LINE_STYLES[at % len(LINE_STYLES)]] for at in range(len(data["configurations"]))]
    record = {**data, "colours": colours, "dashes": dashes, "language": language, "hourly": packed_hourly(hourly)}
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(_file("explore.html"))

    def rendered(font: str) -> str:
        return template.render(
            language=language,
            study=str(attribute(cube, "study_name")),
            font=font,
            most=data["n"] - 1,
            style=Markup(_file("explore.css")),
            bokeh=Markup(_in_script(script())),
            drawings=Markup(_in_script(_without_chance(json.dumps(drawings())))),
            data=Markup(_in_script(json.dumps(record, ensure_ascii=False, allow_nan=False))),
            programs=Markup("\n".join(_file(name) for name in PROGRAMS)),
        )

    letters = (
        re.sub(r'"[A-Za-z0-9+/=]{40,}"', "", json.dumps(record, ensure_ascii=False))
        + "".join(_file(name) for name in PROGRAMS)
        + _file("explore.html")
    )
    return rendered(embedded(letters))


def write_explorer(cube: xr.Dataset, out: Path, language: Language = "en", hourly: Hourly | None = None) -> Path:
    """
    Write the explorer into a file; folders on the way are made.

    Raises
    ------
    PageError
        Where it cannot be written.
    CubeContentError
        As `explorer`.
    """
    page = explorer(cube, language, hourly)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(page, encoding="utf-8")
    except OSError as fault:
        raise PageError(f"the page {out} cannot be written: {fault.strerror or fault}") from fault
    return out


def _file(name: str) -> str:
    return files("report.explore").joinpath(name).read_text(encoding="utf-8")


def _in_script(text: str) -> str:
    """Keep a script's text from ending its element."""
    return text.replace("</script", "<\\/script").replace("<!--", "<\\!--")


def _without_chance(text: str) -> str:
    """Replace the identities that Bokeh draws or counts up by numbers, so that equal cubes make equal pages."""
    found: dict[str, Any] = {}
    return UNIQUE.sub(lambda match: found.setdefault(match[0], f"id-{len(found)}"), text)
