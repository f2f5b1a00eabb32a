"""Say what a study draws, before anything is solved: as text, as a record, as CSV, as a figure."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from sampling import correlations, table_summary, write_csv
from sweep.drawing import Drawn
from sweep.errors import StudyError
from sweep.study import Study

QUANTILES = {0.0: "least", 0.05: "5 %", 0.25: "25 %", 0.5: "median", 0.75: "75 %", 0.95: "95 %", 1.0: "largest"}
FIGURES = (".svg", ".png")


def sample_record(drawn: Drawn, study: Study) -> dict[str, Any]:
    """Every parameter with its quantiles, mean, unit, source and distribution, and correlations; missing is None."""
    summary = table_summary(drawn.table)
    parameters = {}
    for name in summary["parameter"].values.tolist():
        one = summary.sel(parameter=name)
        told = {key: str(one[key].item()) for key in ("unit", "source", "distribution")}
        quantiles = {f"{q:g}": _number(value) for q, value in zip(QUANTILES, one["value"].values.tolist(), strict=True)}
        numbers = {"mean": _number(one["mean"].item()), "quantiles": quantiles}
        texts = one["values"].item()
        parameters[name] = told | ({"values": texts} if texts else numbers)
    return {
        "study": study.name,
        "design": study.design.model_dump(mode="json", exclude_defaults=True),
        "draws": drawn.table.sizes["draw"],
        "scenarios": list(study.scenario),
        "parameters": parameters,
        "rank_correlations": [
            {
                "parameters": [each.one, each.other],
                "measure": each.measure,
                "asked": each.asked,
                "achieved": _number(each.achieved),
            }
            for each in _correlations(drawn, study)
        ],
        "notes": list(drawn.notes),
    }


def sample_text(drawn: Drawn, study: Study, width: int, sources: bool = True) -> str:
    """The same as tables: quantiles over all draws, then where each parameter comes from, then correlations."""
    summary = table_summary(drawn.table)
    numbers = Table(box=None, pad_edge=False)
    for heading in ("parameter", "unit", *QUANTILES.values(), "mean"):
        numbers.add_column(heading, justify="left" if heading in ("parameter", "unit") else "right", no_wrap=True)
    lines = []
    for name in summary["parameter"].values.tolist():
        one = summary.sel(parameter=name)
        row = [*one["value"].values.tolist(), one["mean"].item()]
        numbers.add_row(name, one["unit"].item(), *("" if math.isnan(value) else f"{value:.5g}" for value in row))
        texts = f" ({one['values'].item()})" if one["values"].item() else ""
        told = [f"{name}: {one['distribution'].item()}{texts}", *([one["source"].item()] if sources else [])]
        lines.append("; ".join(part for part in told if part))
    parts = [_text(numbers, width), "\n".join(lines)]
    asked = _correlations(drawn, study)
    if asked:
        pairs = Table(box=None, pad_edge=False)
        for heading in ("parameter", "with", "measure", "asked", "achieved"):
            pairs.add_column(heading, justify="right" if heading in ("asked", "achieved") else "left")
        for each in asked:
            achieved = "-" if math.isnan(each.achieved) else f"{each.achieved:.3f}"
            pairs.add_row(each.one, each.other, each.measure, f"{each.asked:.3f}", achieved)
        parts.append(f"rank correlations\n{_text(pairs, width)}")
    count = f"{drawn.table.sizes['draw']:,} draws"
    if study.scenario:
        several = "s" * (len(study.scenario) > 1)
        count += f", {len(study.scenario)} scenario{several} of each point: {', '.join(study.scenario)}"
    return "\n\n".join([*parts, f"quantiles over all {count} of the study"])


def told(drawn: Drawn, study: Study, width: int, as_json: bool, csv: Path | None) -> str:
    """What `wattbit sample` prints: the draws for ``csv`` "-", else the record or the text; writes any other file.

    Raises
    ------
    StudyError
        JSON and CSV both for standard output.
    """
    if csv is not None and str(csv) == "-":
        if as_json:
            raise StudyError("--csv - and --json: found both, expected one of them on standard output")
        return sample_csv(drawn)
    if csv is not None:
        csv.write_text(sample_csv(drawn), encoding="utf-8")
        click.echo(f"draws {csv}", err=True)
    text = json.dumps(sample_record(drawn, study), indent=1) if as_json else sample_text(drawn, study, width)
    return text + "\n"


def tell_notes(drawn: Drawn) -> None:
    """Say on standard error what the reader of a design should know."""
    for note in drawn.notes:
        click.echo(f"note: {note}", err=True)


def sample_csv(drawn: Drawn) -> str:
    """The draws as CSV; ``kind = "file"`` reads them back bit for bit."""
    stream = io.StringIO()
    write_csv(drawn.table, stream)
    return stream.getvalue()


def check_folder(option: str, path: Path) -> None:
    """Refuse a file to be written where there is no folder for it, or that is a folder itself."""
    if path.is_dir():
        raise StudyError(f"{option} {path}: found a folder, expected the name of a file")
    if not path.parent.is_dir():
        raise StudyError(f"{option} {path}: found no folder {path.parent}, expected one that exists")


def check_figure(path: Path) -> None:
    """Refuse a figure file that is neither SVG nor PNG, or that cannot be there."""
    if path.suffix not in FIGURES:
        raise StudyError(f"--figure {path}: found {path.suffix or 'no ending'}, expected one of {', '.join(FIGURES)}")
    check_folder("--figure", path)


def write_figure(drawn: Drawn, path: Path) -> None:
    """Write the distributions of the draws as SVG or PNG, by the ending of the file."""
    from report import marginals_figure, to_png, to_svg  # only here, for they are slow to import

    figure = marginals_figure(drawn.table)
    if path.suffix == ".png":
        to_png(figure, path)
    else:
        path.write_text('<?xml version="1.0" encoding="UTF-8"?>\n' + to_svg(figure), encoding="utf-8")
    click.echo(f"figure {path}", err=True)


def _correlations(drawn: Drawn, study: Study) -> list[Any]:
    return [] if study.design.kind == "file" else correlations(drawn.table, drawn.marginals, study.dependence)


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _text(table: Table, width: int) -> str:
    console = Console(width=width, color_system=None, file=io.StringIO())
    with console.capture() as captured:
        console.print(table)
    return "\n".join(line.rstrip() for line in captured.get().rstrip().splitlines())
