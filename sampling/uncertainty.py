"""Read uncertainties: the shipped table (uncertainty.csv) and a study's own ``[uncertain.NAME]`` tables.

The table has the columns name, low, mid, high, unit, distribution, parameters, source. ``parameters`` holds key=value
pairs joined by semicolons; ``corr_X=0.6`` is a correlation with the earlier parameter X; the pairs of a ``choice`` are
its odds. Mixtures and conditions, which nest, are for studies. ``low`` and ``high`` describe the range that the sources
name and bound nothing, so they are not read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sampling.categories import Bernoulli, Choice, Fixed
from sampling.conditions import Conditional, is_condition
from sampling.dependence import check_parent
from sampling.errors import SamplingError, nearest_name
from sampling.families import SCIPY, Lognormal, Normal, OfScipy, Pert
from sampling.marginals import Beta, BetaTruncated, LognormalTruncated, Marginal, Triangular, Uniform
from sampling.mixtures import Empirical, Mixture
from sampling.tables import Row, is_number, number, read_rows

COLUMNS = ("name", "low", "mid", "high", "unit", "distribution", "parameters", "source")

FAMILIES: dict[str, type[Marginal]] = {
    "triangular": Triangular,
    "uniform": Uniform,
    "pert": Pert,
    "normal": Normal,
    "lognormal": Lognormal,
    "lognormal_truncated": LognormalTruncated,
    "beta": Beta,
    "beta_truncated": BetaTruncated,
    "bernoulli": Bernoulli,
    "choice": Choice,
    "empirical": Empirical,
    "mixture": Mixture,
    "fixed": Fixed,
}
"""Distributions with a form of their own, by the key ``distribution``; beside them any name of scipy.stats."""


def marginal_from_dict(name: str, mapping: Mapping[str, Any], base: Path = Path(".")) -> Marginal:
    """Return the distribution that the table ``[uncertain.NAME]`` of a study declares.

    Parameters
    ----------
    name : str
        Name of the parameter, for messages.
    mapping : mapping
        ``distribution`` and the keys of that distribution; optionally ``unit``, ``source`` and ``correlation``. A
        number may be a condition on other parameters (`sampling.conditions`).
    base : Path
        Folder from which the name of a table of values counts.

    Raises
    ------
    SamplingError
        An unknown distribution or key (with the nearest known one), a missing key, or a value out of its range.
    """
    return _parse(f"uncertain.{name}", mapping, base)


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
        marginal = _parse(where, _declaration(where, row), path.parent)
        check_parent(f"{where}.correlation", marginal, marginals, marginals)
        marginals[name] = marginal
        mids[name] = _mid(f"{where}.mid", row.cells["mid"], marginal)
    return marginals, mids


def _parse(where: str, mapping: Mapping[str, Any], base: Path) -> Marginal:
    """Validate a declaration; what is wrong is told under the key `where`."""
    found = mapping.get("distribution")
    family = FAMILIES.get(str(found))
    if family is None and str(found).removeprefix("scipy.") not in SCIPY:
        known = f"one of {', '.join(FAMILIES)}, or a distribution of scipy.stats"
        nearest = nearest_name(str(found), FAMILIES) or nearest_name(str(found), SCIPY)
        raise SamplingError(f"{where}.distribution", found, known, None if found is None else nearest)
    conditions = {key: value for key, value in mapping.items() if is_condition(value)}
    if conditions:
        return _conditional(where, mapping, conditions, base)
    if family is Mixture and isinstance(mapping.get("regimes"), Mapping):
        mapping = {**mapping, "regimes": _regimes(f"{where}.regimes", mapping["regimes"], base)}
    try:
        marginal = (family or OfScipy).model_validate(dict(mapping))
        return marginal.read(base) if isinstance(marginal, Empirical) else marginal
    except SamplingError as refused:
        raise refused.inside(where) from refused
    except ValidationError as refused:
        fault = refused.errors()[0]
    raise _explained(where, fault)


def _explained(where: str, fault: Any) -> SamplingError:
    """Turn pydantic's first complaint into one line of our own."""
    # A union of types (number or text) adds its branches at the end of the location.
    path = [str(part) for part in fault["loc"] if part not in {"float", "str"}]
    cause = fault.get("ctx", {}).get("error")
    if isinstance(cause, SamplingError):
        return cause.inside(".".join([where, *path]))
    missing = fault["type"] == "missing"
    expected = "a value" if missing else fault["msg"].removeprefix("Input should be ").removeprefix("Input should ")
    return SamplingError(".".join([where, *path]), None if missing else fault["input"], expected)


def _regimes(where: str, regimes: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Return the regimes of a mixture with their weight and their distribution apart."""
    parsed: dict[str, Any] = {}
    for name, regime in regimes.items():
        if not isinstance(regime, Mapping):
            raise SamplingError(f"{where}.{name}", regime, "a table with a weight and a distribution")
        if "weight" not in regime:
            raise SamplingError(f"{where}.{name}.weight", None, "a weight above 0")
        own = {key: value for key, value in regime.items() if key != "weight"}
        parsed[name] = {"weight": regime["weight"], "marginal": _parse(f"{where}.{name}", own, base)}
    return parsed


def _conditional(where: str, mapping: Mapping[str, Any], conditions: Mapping[str, Any], base: Path) -> Marginal:
    """Return a distribution of which some numbers follow other parameters."""
    if str(mapping["distribution"]) in {"choice", "mixture", "empirical", "fixed"}:
        key = next(iter(conditions))
        expected = f'no condition with distribution = "{mapping["distribution"]}"'
        raise SamplingError(f"{where}.{key}", conditions[key], expected)
    common = {"distribution", "unit", "source", "correlation"}
    own = {key: mapping[key] for key in common if key in mapping}
    numbers = {key: value for key, value in mapping.items() if key not in common and key not in conditions}
    for key in common & set(conditions):
        raise SamplingError(f"{where}.{key}", conditions[key], "a condition on a number of the distribution only")
    try:
        made = Conditional.model_validate(own | {"numbers": numbers, "conditions": dict(conditions)})
    except ValidationError as refused:
        fault = refused.errors()[0]
        path = tuple(part for part in fault["loc"] if part not in {"conditions", "numbers", "Linear", "ByValue"})
        raise _explained(where, {**fault, "loc": path}) from refused
    return made.parsed_by(lambda declaration: _parse(where, declaration, base))


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
        elif cells["distribution"] in {"fixed", "empirical"} and not is_number(text):
            values[key] = {"true": True, "false": False}.get(text, text)
        else:
            values[key] = number(f"{where}.{key}", text)
    own: dict[str, Any] = {"odds": values} if cells["distribution"] == "choice" else values
    common = {name: cells[name] for name in ("distribution", "unit", "source")}
    return own | common | {"correlation": correlation}


def _mid(key: str, text: str, marginal: Marginal) -> float | str:
    if isinstance(marginal, Choice) and text not in marginal.odds:
        raise SamplingError(key, text or None, f"one of {', '.join(marginal.odds)}", nearest_name(text, marginal.odds))
    return text if marginal.is_text else number(key, text)
