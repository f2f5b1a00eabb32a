"""Write the report page: one self-contained HTML file with words, table, figures and where it all comes from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from report.columns import COLUMNS, DRAWS, Column, has_intervals, shown_columns
from report.drivers import drivers_figure
from report.figures import curtailment_figure, regret_figure, saving_figure
from report.image import to_svg
from report.outcomes import CubeContentError, attribute, configuration_names, reference_configuration
from report.robustness import robustness_table, scenario_tables
from report.samples import in_words
from report.text import POOLED, draws_columns, draws_line, row_label
from report.words import notes
from report.words import summary as told_in_words
from storage import Summary

PUBLISHED_SAVING = (
    65.0  # billion yen per year of fuel and CO2-measure cost, Mitsubishi Research Institute, 8 October 2025
)


class PageError(OSError):
    """The page cannot be written where it was asked for; the message names it and the cause."""


@dataclass(frozen=True)
class _Group:
    """Upper heading of the table with its unit and the columns below it, which name their unit if it is another."""

    heading: str
    units: str
    columns: tuple[Column, ...]


@dataclass(frozen=True)
class _Part:
    """One table of numbers with its intervals: all draws, or those of a scenario."""

    title: str
    rows: list[tuple[str, str, list[tuple[str, str]]]]
    intervals: list[tuple[str, list[str]]]


def _part(table: xr.Dataset, columns: Sequence[Column], title: str) -> _Part:
    each = [(str(name), table.sel(configuration=name)) for name in table["configuration"].to_numpy()]
    rows = [
        (
            name,
            row_label(table, name),
            [(column.show(float(row[column.name]), missing="–", minus="−"), column.side(row)) for column in columns],
        )
        for name, row in each
    ]
    told = [column for column in columns if not column.is_count] if has_intervals(table) else []
    units = {column: f" [{column.shown_units}]" if column.shown_units else "" for column in told}
    intervals = [
        (f"{column.group}: {column.heading}{units[column]}", [column.ends(row) for _, row in each]) for column in told
    ]
    return _Part(title, rows, [(heading, cells) for heading, cells in intervals if any(cells)])


def published_saving(cube: xr.Dataset) -> float | None:
    """
    Give the published single-future saving, where it can stand beside the cube's.

    Returns
    -------
    float or None
        65 billion yen per year, if the study has ``five_hubs`` against ``tokyo_osaka``, which is what was published;
        else None.
    """
    comparable = reference_configuration(cube) == "tokyo_osaka" and "five_hubs" in configuration_names(cube)
    return PUBLISHED_SAVING if comparable else None


def _flat(value: Any, above: str = "") -> list[tuple[str, str]]:
    """Flatten nested JSON to rows of (name, text), names joined by a slash; what is null or empty was not set: no row."""
    if value is None or value in ({}, [], ""):
        return []
    if isinstance(value, dict):
        return [row for key, each in value.items() for row in _flat(each, f"{above} / {key}" if above else str(key))]
    if isinstance(value, list) and all(not isinstance(each, dict | list) for each in value):
        return [(above, ", ".join(map(str, value)))]
    return [(above, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))]


def provenance_rows(cube: xr.Dataset) -> list[tuple[str, str]]:
    """
    List what the cube says about its own making.

    Returns
    -------
    list of (name, text)
        Study, reference, design, draws and replicates, then the content of the attribute ``provenance`` (a JSON
        object), if there is one.

    Raises
    ------
    CubeContentError
        If ``provenance`` is no JSON object.
    """
    rows = [
        ("study", str(attribute(cube, "study_name"))),
        ("reference", reference_configuration(cube)),
        ("design", str(attribute(cube, "design_kind"))),
        ("draws", str(cube.sizes["draw"])),
        ("replicates", str(np.unique(cube["replicate"].to_numpy()).size)),
    ]
    if "provenance" not in cube.attrs:
        return rows
    text = cube.attrs["provenance"]
    try:
        record = json.loads(text)
    except (TypeError, json.JSONDecodeError) as error:
        raise CubeContentError(f"attribute 'provenance' is {text!r}, expected a JSON object: {error}") from error
    if not isinstance(record, dict):
        raise CubeContentError(f"attribute 'provenance' is {text!r}, expected a JSON object")
    return rows + [row for row in _flat(record) if row not in rows]


def render_report(cube: xr.Dataset, *, command: str | None, summary: Summary | None = None) -> str:
    """
    Render the report page.

    Parameters
    ----------
    cube
        As `report.robustness.robustness_table` needs it, with the further attributes ``title``, ``study_name`` and, if
        known, ``provenance``.
    command
        Command line that made the page, to be shown; or None.
    summary
        Of the same cube, to take means from that would take long to read; or None.

    Returns
    -------
    str
        HTML that refers to nothing outside itself; equal for equal cubes, since no clock enters it.

    Raises
    ------
    CubeContentError
        If the cube lacks something that the page needs.
    """
    table, worlds = robustness_table(cube, summary), scenario_tables(cube)
    published = published_saving(cube)
    names = [str(name) for name in table["configuration"].to_numpy()]
    columns = shown_columns(table)
    by_heading = {heading: tuple(each) for heading, each in groupby(columns, key=lambda column: column.group)}
    groups = [_Group(heading, each[0].shown_units, each) for heading, each in by_heading.items()]
    parts = [_part(each, columns, f"Scenario {name}") for name, each in worlds.items()]
    parts.append(_part(table, columns, POOLED if worlds else ""))
    drivers, about_drivers = drivers_figure(cube)
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files("report").joinpath("template.html").read_text(encoding="utf-8"))
    return template.render(
        title=str(attribute(cube, "title")),
        summary=told_in_words(table),
        groups=groups,
        columns=(*COLUMNS, *DRAWS),
        parts=parts,
        confidence=in_words(),
        pooled=f"{POOLED}. " if worlds else "",
        draws_line=draws_line(table),
        draws_headings=list(draws_columns(table).values()),
        draws_rows=[
            (row_label(table, name), [f"{int(table[each].sel(configuration=name)):,}" for each in draws_columns(table)])
            for name in names
        ],
        reference=table.attrs["reference"],
        notes=notes(table),
        published=published,
        saving_svg=Markup(to_svg(saving_figure(cube, published=published), prefix="saving-")),
        regret_svg=Markup(to_svg(regret_figure(cube), prefix="regret-")),
        curtailment_svg=Markup(to_svg(curtailment_figure(cube, summary), prefix="curtailment-")),
        sensitivity_svg=Markup(to_svg(drivers, prefix="drivers-")) if drivers else None,
        sensitivity_caption=about_drivers,
        provenance=provenance_rows(cube),
        command=command,
    )


def write_report(cube: xr.Dataset, out: Path, *, command: str | None, summary: Summary | None = None) -> Path:
    """
    Write the report page of a cube.

    Parameters
    ----------
    cube, command, summary
        As for `render_report`.
    out
        File to write; folders on the way are made, an older file is replaced.

    Returns
    -------
    Path
        ``out``.

    Raises
    ------
    PageError
        Where it cannot be written.
    """
    page = render_report(cube, command=command, summary=summary)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(
            page, encoding="utf-8", errors="replace"
        )  # a path in the command may hold bytes that are no text
    except OSError as fault:
        raise PageError(f"the page {out} cannot be written: {fault.strerror or fault}") from fault
    return out
