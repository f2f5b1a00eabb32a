"""Give an answer as a table of fixed-width text, as CSV, or as a record for JSON."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

from report.query import Answer, Row

COUNTS = {"not_run": "not run", "no_value": "no value"}
NOISE = 1e-9  # text shows what is smaller as 0: it is rounding in a solve; CSV and JSON have it
SHARES = {"failed_share": "failed share", "not_run_share": "not-run share"}


def headings(answer: Answer, *, shares: bool) -> dict[str, str]:
    """Name the columns of an answer, units in brackets; ``shares``: those of failed and not-run draws and ends of intervals."""
    values = ["mean", "sd", *(f"q{share:g}" for share in answer.question.quantiles)]
    columns = {key: key for key in answer.keys} | {name: f"{name} [{answer.units}]" for name in values}
    bounded = {name: f"{name}{{}} [{answer.units}]" for name in values if name != "sd"}
    if answer.question.above is not None:
        columns["above"] = f"share above {answer.question.above:g}"
        bounded["above"] = f"{columns['above']}{{}}"
    of_failed = {f"failed_{word}": word.replace("_", " ") for word in answer.states}
    columns |= {"n": "n", "failed": "failed"} | of_failed | COUNTS
    ends = {f"{name}_{end}": told.format(f" {end}") for name, told in bounded.items() for end in ("low", "high")}
    return columns | (SHARES | ends if shares else {})


def answer_text(answer: Answer, *, width: int = 120) -> str:
    """Set an answer as text: the unit above, one line a row, notes below; "-" where a number is missing."""
    grid = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    columns = headings(answer, shares=False)
    rows = [row for row in answer.rows if row["n"] or not row["no_value"]] or answer.rows
    if not any(row["no_value"] for row in rows):
        del columns["no_value"]
    for name, heading in columns.items():
        short = heading.replace(f" [{answer.units}]", "")
        grid.add_column(short, justify="left" if name in answer.keys else "right", no_wrap=True)
    for row in rows:
        grid.add_row(*(_shown(row[name], name in answer.keys) + _side(row, name) for name in columns))
    question = answer.question
    title = f"{question.variable} [{answer.units}]" + (
        f", summed over {', '.join(question.sum)}" if question.sum else ""
    )
    lines = [title + (f", where {question.where}" if question.where else ""), *answer.notes]
    if left_out := len(answer.rows) - len(rows):
        lines.append(
            f"{left_out} rows in which {question.variable} is not defined are left out; --csv and --json have them."
        )
    console = Console(file=io.StringIO(), width=width, color_system=None, highlight=False, markup=False, emoji=False)
    console.width = max(width, Measurement.get(console, console.options.update_width(10**4), grid).maximum)
    with console.capture() as captured:
        console.print(lines[0], soft_wrap=True)
        console.print(grid)
        for note in lines[1:]:
            console.print(note, soft_wrap=True)
    return "\n".join(line.rstrip() for line in captured.get().strip("\n").splitlines()) + "\n"


def answer_csv(answer: Answer) -> str:
    """Set an answer as CSV (RFC 4180 but for plain newlines), units in the headings; empty where a number is missing."""
    columns, text = headings(answer, shares=True), io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns.values())
    for row in answer.rows:
        writer.writerow("" if _missing(row[name]) else row[name] for name in columns)
    return text.getvalue()


def answer_record(answer: Answer) -> dict[str, Any]:
    """Give an answer as plain values for JSON, None where a number is missing."""
    question = answer.question
    return {
        "variable": question.variable,
        "units": answer.units,
        "where": question.where or None,
        "sum": list(question.sum),
        "above": question.above,
        "by": list(answer.keys),
        "rows": [{name: None if _missing(value) else value for name, value in row.items()} for row in answer.rows],
        "notes": answer.notes,
    }


def _missing(value: str | int | float) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _side(row: Row, name: str) -> str:
    """Set how far the interval of a number reaches at most; nothing without both ends."""
    at, low, high = (
        float(row.get(f"{name}{end}", math.nan)) if f"{name}_low" in row else math.nan for end in ("", "_low", "_high")
    )
    half = max(at - low, high - at)
    return "" if math.isnan(low) or math.isnan(high) or half == 0 else f" ±{_shown(half, False)}"


def _shown(value: str | int | float, key: bool) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value}" if key else f"{value:,}"
    if math.isnan(value):
        return "-"
    if not key and abs(value) < NOISE:
        return "0"
    return f"{value:g}" if key else f"{value + 0.0:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
