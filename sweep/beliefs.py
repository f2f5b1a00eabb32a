"""The file of beliefs, and what a cube was drawn from: distributions before and after, parameter by parameter."""

from __future__ import annotations

import copy
import csv
import math
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import xarray as xr
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sampling import DependenceSpec, Marginal, SamplingError, marginal_from_dict, read_uncertainty
from sampling.categories import Fixed
from sampling.errors import nearest_name
from sampling.ratio import Joint
from storage import Place, local_tables, read_inputs, read_study
from sweep.drawing import kept_as
from sweep.errors import StudyError, explain
from sweep.theta import DRIVER, ROLE

AS_DRAWN = "study"
MIX = "mix"
RANDOM = ("monte_carlo", "lhs", "sobol", "halton")


class Belief(BaseModel):
    """One set of beliefs: what it declares takes the place of the study's, all else stays."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    uncertain: dict[str, dict[str, Any]] = Field(default_factory=dict, description="distributions by parameter")
    driver: dict[str, dict[str, Any]] = Field(default_factory=dict, description="distributions by driver")
    dependence: DependenceSpec | None = Field(default=None, description="in place of the study's")


class Beliefs(BaseModel):
    """A file of beliefs as its author wrote it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    belief: dict[str, Belief] = Field(min_length=1, description="sets of beliefs by name")
    mix: dict[str, float] = Field(default_factory=dict, description="odds of the sets")

    @model_validator(mode="after")
    def _odds(self) -> Beliefs:
        for name in (AS_DRAWN, MIX):
            if name in self.belief:
                raise ValueError(f"a belief with a name other than {AS_DRAWN}, {MIX}, which are rows of their own")
        for name, odds in self.mix.items():
            if name not in self.belief:
                near = nearest_name(name, self.belief)
                raise ValueError(
                    f"[mix] of {', '.join(self.belief)}, found {name!r}"
                    + (f"; nearest known name: {near}" if near else "")
                )
            if odds < 0:
                raise ValueError(f"[mix] odds of at least 0, found {name} = {odds:g}")
        total = math.fsum(self.mix.values())
        if self.mix and abs(total - 1) > 1e-9:
            raise ValueError(f"[mix] odds that sum to 1, found {total:.12g}")
        return self


def read_beliefs(path: Path) -> Beliefs:
    """Read a file of beliefs.

    Raises
    ------
    StudyError
        No such file, not TOML, or any key that is unknown, missing or wrong (all of them, a line each).
    """
    if not path.is_file():
        raise StudyError(f"{path}: found nothing, expected a file of beliefs (TOML)")
    try:
        return Beliefs.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise StudyError(f"{path}: no valid TOML: {fault}") from fault
    except ValidationError as fault:
        raise StudyError(explain(fault, Beliefs, path.name)) from fault


@dataclass(frozen=True, eq=False)
class Origin:
    """What a cube was drawn from.

    Attributes
    ----------
    joint : Joint
        The distributions in the order of the draw table, and what moves together.
    drivers : frozenset of str
        Those that are no parameters of the model.
    fixed : frozenset of str
        Parameters held at one value.
    scenarios : mapping
        Scenario -> the parameters that it sets.
    table : xarray.Dataset
        The draws.
    """

    joint: Joint
    drivers: frozenset[str]
    fixed: frozenset[str]
    scenarios: Mapping[str, frozenset[str]]
    table: xr.Dataset


def drawn_from(store: Place) -> Origin:
    """Read back what a cube was drawn from, out of its own record, tables and draws.

    Raises
    ------
    StudyError
        Its design is no sample of its distributions, or the cube kept no tables.
    """
    study = read_study(store).get("identity", {}).get("study", {})
    kind = study.get("design", {}).get("kind")
    if kind not in RANDOM:
        raise StudyError(
            f"{store}: found a design of kind {kind!r}, whose draws have no density; expected one of {', '.join(RANDOM)}"
        )
    table = read_inputs(store)
    columns = [str(name) for name, column in table.data_vars.items() if column.attrs.get(ROLE) in (None, DRIVER)]
    declared = {**study.get("uncertain", {}), **study.get("driver", {})}
    with local_tables(store) as files:
        tables = {name.removesuffix(".gz").removesuffix(".csv"): path for name, path in files.items()}
        if "uncertainty" not in tables:
            raise StudyError(f"{store} holds no table of uncertainties: expected a cube of format 2")
        shipped = _shipped(tables)
        marginals: dict[str, Marginal] = {}
        for name in columns:
            if name in declared:
                marginals[name] = marginal_from_dict(name, _with_tables(name, declared[name], tables))
            else:  # an optional parameter that nobody declares is 1 where no [fixed] or scenario sets it
                marginals[name] = shipped.get(name, Fixed(distribution="fixed", value=1.0))
    return Origin(
        joint=Joint(marginals, DependenceSpec.model_validate(study.get("dependence", {}))),
        drivers=frozenset(study.get("driver", ())),
        fixed=frozenset(study.get("fixed", ())),
        scenarios={name: frozenset(own) for name, own in study.get("scenario", {}).items()},
        table=table,
    )


def believed(belief: Belief, origin: Origin, base: Path) -> tuple[Joint, frozenset[str]]:
    """Return the joint distribution of a set of beliefs, and the parameters that it declares anew.

    Parameters
    ----------
    base : Path
        Folder of the file of beliefs, which its tables of values are relative to.

    Raises
    ------
    SamplingError
        A name that the cube does not know or holds at one value, or a wrong distribution.
    """
    made = dict(origin.joint.marginals)
    for table, entries in (("uncertain", belief.uncertain), ("driver", belief.driver)):
        known = [each for each in made if (each in origin.drivers) == (table == "driver")]
        for parameter, entry in entries.items():
            key = f"{table}.{parameter}"
            if parameter not in known:
                expected = f"a {'driver' if table == 'driver' else 'parameter'} of the cube"
                raise SamplingError(key, parameter, expected, nearest_name(parameter, known))
            everywhere = origin.scenarios and all(parameter in own for own in origin.scenarios.values())
            if parameter in origin.fixed or everywhere:
                where = "scenarios" if everywhere else "[fixed]"
                raise SamplingError(key, parameter, f"a parameter that varies: the study's {where} held it")
            made[parameter] = marginal_from_dict(parameter, entry, base)
    dependence = origin.joint.dependence if belief.dependence is None else belief.dependence
    return Joint(made, dependence), frozenset([*belief.uncertain, *belief.driver])


def _shipped(tables: Mapping[str, Path]) -> dict[str, Marginal]:
    """Read the cube's table of uncertainties, its tables of values by the names under which the cube keeps them."""
    with tables["uncertainty"].open(encoding="utf-8-sig", newline="") as stream:
        rows = [row for row in csv.reader(stream) if row]
    header = [cell.strip() for cell in rows[0]]
    place, name = header.index("parameters"), header.index("name")
    for row in rows[1:]:
        parts = [part.strip() for part in row[place].split(";")]
        kept = tables.get(f"uncertain.{row[name].strip()}")
        row[place] = ";".join(f"file={kept.absolute()}" if kept and part.startswith("file") else part for part in parts)
    with tempfile.TemporaryDirectory(prefix="wattbit-") as folder:
        changed = Path(folder) / tables["uncertainty"].name
        with changed.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)
        return read_uncertainty(changed)[0]


def _with_tables(name: str, entry: Mapping[str, Any], tables: Mapping[str, Path]) -> dict[str, Any]:
    """Return a declaration with its table of values where the cube keeps it."""
    places = list(_files(entry))
    keys = kept_as(name, len(places))
    if missing := [key for key in keys if key not in tables]:
        raise StudyError(
            f"uncertain.{name}: found no {missing[0]}.csv in the cube, expected the table of values that it was drawn from"
        )
    made = copy.deepcopy(dict(entry))
    for way, key in zip(places, keys, strict=True):
        inner = made
        for step in way:
            inner = inner[step]
        inner["file"] = str(tables[key].absolute())
    return made


def _files(entry: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Give the way to each empirical distribution of a declaration that reads a table, regimes in the order of their names."""
    if entry.get("distribution") == "empirical" and entry.get("file") is not None:
        yield path
    regimes = entry.get("regimes")
    for name, regime in sorted(regimes.items()) if isinstance(regimes, Mapping) else ():
        yield from _files(regime, (*path, "regimes", name))
