"""Draw a study: its distributions put together, its draws made and checked, without any compiling or solving."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import xarray as xr

from model import WEATHER_YEAR, InputError, Inputs, check_draws, optional_parameters, read_inputs, required_parameters
from sampling import DrawRows, Marginal, design_notes, draw_rows, marginal_from_dict, read_uncertainty
from sampling.tables import read_rows
from sweep.draws_hash import DrawsHash
from sweep.study import Study
from sweep.theta import DRIVER, ROLE, Theta, model_columns


@dataclass(frozen=True, eq=False)
class Drawn:
    """The draws of a study, what they were drawn from, and what its reader should know of them.

    Attributes
    ----------
    rows : DrawRows
        The draws, made when they are asked for where the design lets that be.
    years : mapping
        How many draws have each weather year.
    checksum : str
        Of the draws; see `DrawsHash`.
    mids : dict
        Value of every parameter of the model that nobody sets.
    notes : tuple of str
        What the design can do less well than it seems to; units that differ from the model's.
    """

    inputs: Inputs
    rows: DrawRows
    years: Mapping[str, int]
    checksum: str
    marginals: Mapping[str, Marginal]
    mids: Theta
    notes: tuple[str, ...]

    @cached_property
    def table(self) -> xr.Dataset:
        """All draws in memory, 8 bytes for each of their values."""
        return self.rows.whole()


def draw(study: Study, base: Path) -> Drawn:
    """Draw a study and check every draw for what is physically possible, a block of draws at a time.

    Parameters
    ----------
    base : Path
        Folder of the study file, which its paths are relative to.

    Raises
    ------
    InputError, SamplingError
        Whatever is wrong with the study's distributions, design, scenarios or draws.
    """
    inputs = read_inputs(study.inputs, base, study.options)
    columns = read_rows(base / study.design.file)[0] if study.design.file is not None else []
    marginals, mids = read_marginals(study, inputs, columns, base)
    rows = draw_rows(
        marginals,
        study.design,
        fixed=study.fixed,
        defaults=mids,
        base=base,
        dependence=study.dependence,
        scenarios=study.scenario,
    )
    if study.driver:
        rows = rows.changed(lambda part: _with_drivers(part, study))
    years: Counter[str] = Counter()
    checksum = DrawsHash()
    first = 0
    for block in rows.blocks():
        values = {name: block[name].values for name in model_columns(block)}
        check_draws(values, inputs, study.design.file or "draws", first)
        checksum.add(block)
        years.update(values[WEATHER_YEAR].tolist())
        first += block.sizes["draw"]
    notes = design_notes(marginals, study.design, fixed=study.fixed, dependence=study.dependence)
    return Drawn(inputs, rows, years, checksum.text(), marginals, mids, (*notes, *_unit_notes(study, inputs)))


def _with_drivers(table: xr.Dataset, study: Study) -> xr.Dataset:
    for name in study.driver:
        table[name].attrs[ROLE] = DRIVER
    return table


def read_marginals(
    study: Study, inputs: Inputs, columns: Iterable[str] = (), base: Path = Path(".")
) -> tuple[dict[str, Marginal], Theta]:
    """Distribution of every parameter in the order of the table, then the study's optional ones and its drivers; mid values.

    Parameters
    ----------
    columns : iterable of str
        Names that a file of draws gives values for.
    base : Path
        Folder of the study file, which its tables of values are relative to.

    Raises
    ------
    InputError, SamplingError
        A name that is no parameter of the model, a parameter without a distribution, a wrong distribution.
    """
    marginals, mids = read_uncertainty(inputs.tables["uncertainty"])
    required, optional = required_parameters(inputs), optional_parameters(inputs)
    known = [*required, *optional]
    for name in study.driver:
        if name in known:
            raise InputError("[driver]", "name", name, "a name that is no parameter of the model", ())
    named: dict[str, tuple[Iterable[str], Iterable[str]]] = {
        inputs.tables["uncertainty"].name: (marginals, known),
        "[uncertain]": (study.uncertain, known),
        "[fixed]": (study.fixed, [*known, *study.driver]),
        **{f"[scenario.{scenario}]": (own, [*known, *study.driver]) for scenario, own in study.scenario.items()},
    }
    for where, (names, allowed) in named.items():
        for name in names:
            if name not in allowed:
                raise InputError(where, "name", name, "an uncertain parameter of the model", allowed)
    marginals |= {name: marginal_from_dict(name, entry, base) for name, entry in study.uncertain.items()}
    one = {"distribution": "uniform", "min": 0.0, "max": 2.0, "unit": "1"}  # a column's values come from elsewhere
    set_elsewhere = [name for own in study.scenario.values() for name in own]
    for name in (*study.fixed, *columns):
        if name in optional and name not in marginals:
            marginals[name] = marginal_from_dict(name, one)
    for name in set_elsewhere:
        if name in optional and name not in marginals:  # 1 in the scenarios that do not set it
            marginals[name] = marginal_from_dict(name, {"distribution": "fixed", "value": 1.0, "unit": "1"})
    for name in required:
        if name not in marginals:
            raise InputError(inputs.tables["uncertainty"].name, "name", f"no row {name}", "a row for every parameter")
    mids = {**mids, **{name: 1.0 for name in marginals if name in optional}}
    return marginals | {name: marginal_from_dict(name, entry, base) for name, entry in study.driver.items()}, mids


def tables_of_values(marginals: Mapping[str, Marginal]) -> dict[str, Path]:
    """Return the tables that distributions were read from, by the names under which a cube keeps them."""
    return {
        key: path
        for name, marginal in marginals.items()
        for key, path in zip(kept_as(name, len(marginal.files)), marginal.files, strict=True)
    }


def kept_as(name: str, number: int) -> list[str]:
    """Return the names under which a cube keeps so many tables of one parameter: one, or by the order of regimes' names."""
    return [f"uncertain.{name}"] if number == 1 else [f"uncertain.{name}.by_name.{place}" for place in range(number)]


def _unit_notes(study: Study, inputs: Inputs) -> list[str]:
    known = required_parameters(inputs) | optional_parameters(inputs)
    notes = []
    for name, entry in study.uncertain.items():
        parameter, unit = known[name], entry.get("unit", "")
        if parameter is not None and unit not in ("", parameter.unit):
            notes.append(f"uncertain.{name}.unit is {unit!r}; its values are taken as they are, in {parameter.unit!r}")
    return notes
