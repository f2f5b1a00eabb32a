"""Read uncertainties: the shipped table (uncertainty.csv) and a study's own ``[uncertain.NAME]`` tables.

The table has the columns name, low, mid, high, unit, distribution, parameters, source. ``parameters`` holds key=value
pairs joined by semicolons; ``corr_X=0.6`` is a correlation with the earlier parameter X; the pairs of a ``choice`` are
its odds. ``low`` and ``high`` describe the range that the sources name and bound nothing, so they are not read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sampling.dependence import check_parent
from sampling.errors import SamplingError, nearest_name
from sampling.marginals import DISTRIBUTIONS, Choice, Marginal
from sampling.tables import Row, is_number, number, read_rows

COLUMNS = ("name", "low", "mid", "high", "unit", "distribution", "parameters", "source")

_MARGINAL: TypeAdapter[Marginal] = TypeAdapter(Marginal)


def marginal_from_dict(name: str, mapping: Mapping[str, Any]) -> Marginal:
    """Return the distribution that the table ``[uncertain.NAME]`` of a study declares.

    Parameters
    ----------
    name : str
        Name of the parameter, for messages.
    mapping : mapping
        ``distribution`` and the keys of that distribution; optionally ``unit``, ``source`` and ``correlation``.

    Raises
    ------
    SamplingError
        An unknown distribution or key (with the nearest known one), a missing key, or a value out of its range.
    """
    return _parse(f"uncertain.{name}", mapping)


def read_uncertainty(path: Path) -> tuple[dict[str, Marginal], dict[str, float | str]]:
    """Read a table of uncertainties.

    Parameters
    ----------
    path : Path
        CSV file with the columns of `COLUMNS`, in any order.

    Returns
    -------
    marginals : dict
        The distributions in the order of the file, which is the order of the design's dimensions.
    mids : dict
        The value of a parameter that nobody sets: text for a ``choice``, else a finite number (or, for a ``fixed``
        text, that text).

    Raises
    ------
    SamplingError
        Naming the file, the row (the header is row 1) and the key.
    """
    columns, rows = read_rows(path)
    for column in columns:
        if column not in COLUMNS:
            raise SamplingError(
                f"{path.name} header", column, f"the columns {', '.join(COLUMNS)}", nearest_name(column, COLUMNS)
            )
    for column in COLUMNS:
        if column not in columns:
            raise SamplingError(f"{path.name} header", None, f"the column {column}")
    marginals: dict[str, Marginal] = {}
    mids: dict[str, float | str] = {}
    for row in rows:
        name = row.cells["name"]
        where = f"{path.name} row {row.number}, {name}" if name else f"{path.name} row {row.number}"
        if not name or name in marginals:
            raise SamplingError(f"{where}.name", name or None, "the name of a parameter, each once")
        marginal = _parse(where, _declaration(where, row))
        check_parent(f"{where}.correlation", marginal, marginals, marginals)
        marginals[name] = marginal
        mids[name] = _mid(f"{where}.mid", row.cells["mid"], marginal)
    return marginals, mids


def _parse(where: str, mapping: Mapping[str, Any]) -> Marginal:
    """Validate a declaration and turn pydantic's first complaint into one line of our own."""
    try:
        return _MARGINAL.validate_python(dict(mapping))
    except ValidationError as refused:
        fault = refused.errors()[0]
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, SamplingError):
        raise cause.inside(where)
    if fault["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        found = mapping.get("distribution")
        nearest = nearest_name(str(found), DISTRIBUTIONS)
        raise SamplingError(f"{where}.distribution", found, f"one of {', '.join(DISTRIBUTIONS)}", nearest)
    # The location starts with the distribution; a union of types (number or text) adds its branches at the end.
    path = [str(part) for part in fault["loc"][1:] if part not in {"float", "str"}]
    missing = fault["type"] == "missing"
    expected = "a value" if missing else fault["msg"].removeprefix("Input should be ").removeprefix("Input should ")
    raise SamplingError(".".join([where, *path]), None if missing else fault["input"], expected)


def _declaration(where: str, row: Row) -> dict[str, Any]:
    """Return a row in the form of an ``[uncertain.NAME]`` table."""
    cells = row.cells
    values: dict[str, float | str] = {}
    correlation: dict[str, float] = {}
    seen: set[str] = set()
    for pair in filter(None, (pair.strip() for pair in cells["parameters"].split(";"))):
        key, equals, text = (part.strip() for part in pair.partition("="))
        if not equals or not key or key in seen:
            raise SamplingError(f"{where}.parameters", pair, "key=value pairs joined by semicolons, each key once")
        seen.add(key)
        if key.startswith("corr_"):
            correlation[key.removeprefix("corr_")] = number(f"{where}.{key}", text)
        elif cells["distribution"] == "fixed" and not is_number(text):
            values[key] = text
        else:
            values[key] = number(f"{where}.{key}", text)
    own: dict[str, Any] = {"odds": values} if cells["distribution"] == "choice" else values
    common = {name: cells[name] for name in ("distribution", "unit", "source")}
    return own | common | {"correlation": correlation}


def _mid(key: str, text: str, marginal: Marginal) -> float | str:
    if isinstance(marginal, Choice) and text not in marginal.odds:
        raise SamplingError(key, text or None, f"one of {', '.join(marginal.odds)}", nearest_name(text, marginal.odds))
    return text if marginal.is_text else number(key, text)
