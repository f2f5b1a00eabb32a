"""Turn uncertainties and a design into the draw table: one row per draw, one column per uncertain parameter.

Draw i depends on the seed, the design, the ordered list of parameters and i, and on nothing else. A fixed parameter
keeps its dimension in the design and its column, and a parameter correlated with it follows its unfixed rank: so
fixing one parameter moves no other.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import xarray as xr

from sampling.dependence import correlate, links
from sampling.designs import DesignSpec, unit_points
from sampling.errors import SamplingError, nearest_name
from sampling.marginals import Choice, Fixed, Marginal, Values
from sampling.tables import Row, number, read_rows

DrawTable = xr.Dataset
"""Dataset over ``draw`` (0..n-1, int64) with the coordinate ``replicate(draw)`` (int64) and one variable per parameter
in the order of the list: float64, or object for texts; attributes ``units``, ``source``, ``distribution``."""

_Column = tuple[Values, str]  # the values, and where they come from as text


def draw_table(
    marginals: Mapping[str, Marginal],
    design: DesignSpec,
    *,
    fixed: Mapping[str, float | str] = {},
    defaults: Mapping[str, float | str] = {},
    base: Path = Path("."),
) -> DrawTable:
    """Return the draw table of a design.

    Parameters
    ----------
    marginals : mapping
        The distribution of every parameter, in the order of the design's dimensions.
    design : DesignSpec
        Number and placing of the draws.
    fixed : mapping
        Parameters held at one value, whatever their distribution. Not checked against its range: that a value is
        physically possible is for the model to say.
    defaults : mapping
        For a file of draws: the values of the parameters that are neither fixed nor a column of the file.
    base : Path
        Folder from which the name of a file of draws counts.

    Returns
    -------
    xarray.Dataset
        See `DrawTable`.

    Raises
    ------
    SamplingError
        An unknown name, a value of the wrong type, a correlation with no earlier parameter, or a file of draws with an
        unknown column, a missing or non-numeric cell, too few rows, or a column for a fixed parameter.
    """
    pairs = links(marginals)
    constants = {name: _constant(f"fixed.{name}", name, value, marginals) for name, value in fixed.items()}
    columns: dict[str, _Column]
    if design.kind == "file":
        columns = _columns_of_file(marginals, design, constants, defaults, base)
    else:
        ranks = correlate(unit_points(design, len(marginals)), pairs)
        # One parameter, one contiguous row: numpy may round strided data otherwise than contiguous data.
        by_parameter = np.ascontiguousarray(ranks.T)
        columns = {
            name: (marginal.ppf(u), marginal.describe())
            for (name, marginal), u in zip(marginals.items(), by_parameter, strict=True)
        }
        columns |= {name: _constant_column(value, len(ranks)) for name, value in constants.items()}
    draws = np.arange(len(next(iter(columns.values()))[0]), dtype=np.int64)
    variables = {
        name: (
            "draw",
            columns[name][0],
            {"units": marginal.unit, "source": marginal.source, "distribution": columns[name][1]},
        )
        for name, marginal in marginals.items()
    }
    return xr.Dataset(variables, coords={"draw": draws, "replicate": ("draw", draws % design.replicates)})


def _constant(key: str, name: str, value: float | str, marginals: Mapping[str, Marginal]) -> float | str:
    """Return the one value of a parameter, checked for its name and type."""
    if name not in marginals:
        raise SamplingError(key, value, "the name of an uncertain parameter", nearest_name(name, marginals))
    if marginals[name].is_text:
        if not isinstance(value, str):
            raise SamplingError(key, value, "a text")
        return value
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        raise SamplingError(key, value, "a finite number")
    return float(value)


def _constant_column(value: float | str, number: int) -> _Column:
    marginal = Fixed(distribution="fixed", value=value)
    return marginal.ppf(np.zeros(number)), marginal.describe()


def _columns_of_file(
    marginals: Mapping[str, Marginal],
    design: DesignSpec,
    constants: Mapping[str, float | str],
    defaults: Mapping[str, float | str],
    base: Path,
) -> dict[str, _Column]:
    """Return the columns of a file of draws, completed by fixed values and defaults."""
    path = base / str(design.file)
    names, rows = read_rows(path)
    for name in names:
        if name not in marginals:
            expected = "a column for each of some uncertain parameters"
            raise SamplingError(f"{path.name} header", name, expected, nearest_name(name, marginals))
    if design.draws is not None and design.draws > len(rows):
        raise SamplingError("design.draws", design.draws, f"at most the {len(rows)} rows of {path.name}")
    columns: dict[str, _Column] = {}
    for name, marginal in marginals.items():
        own = marginal.value if isinstance(marginal, Fixed) else None
        value = constants.get(name, own)
        if name in names:
            if value is not None:
                raise SamplingError(f"fixed.{name}", value, f"no fixed value beside the column of {path.name}")
            values = _file_values(path.name, name, marginal, rows)
            columns[name] = (values[: design.draws], f"file({path.name})")
        else:
            if value is None and name not in defaults:
                raise SamplingError(f"{path.name} header", None, f"a column, a fixed value or a default of {name}")
            if value is None:
                value = _constant(f"defaults.{name}", name, defaults[name], marginals)
            columns[name] = _constant_column(value, len(rows) if design.draws is None else design.draws)
    return columns


def _file_values(file: str, name: str, marginal: Marginal, rows: list[Row]) -> Values:
    """Return one column of a file of draws as values (rows,)."""
    texts = [row.cells[name] for row in rows]
    keys = [f"{file} row {row.number}, column {name}" for row in rows]
    if isinstance(marginal, Choice):
        for key, text in zip(keys, texts, strict=True):
            if text not in marginal.odds:
                nearest = nearest_name(text, marginal.odds)
                raise SamplingError(key, text or None, f"one of {', '.join(marginal.odds)}", nearest)
        return np.array(texts, dtype=np.object_)
    return np.array([number(key, text) for key, text in zip(keys, texts, strict=True)], dtype=np.float64)
