"""Read a study back from its cube alone: inputs, configurations, days and draws as they were when it was run."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from model import (
    Configuration,
    Days,
    FreeSpec,
    Inputs,
    InputsSpec,
    OptionsSpec,
    Siting,
    read_configurations,
    read_inputs,
)
from storage import Place, local_tables, read_labels, read_study, read_tables
from storage import read_inputs as read_draws
from sweep.draws_hash import hash_in_store
from sweep.errors import StudyError

NO_TABLES = ("days", "design", "scalars")  # files of a study that are no tables of its inputs; nor are uncertain.NAME


@dataclass(frozen=True, eq=False)
class StoredStudy:
    """What a cube tells of its own study.

    Attributes
    ----------
    identity : mapping
        The record that decides the cube's bytes.
    table : xarray.Dataset
        The draws.
    """

    identity: Mapping[str, Any]
    inputs: Inputs
    siting: Siting
    configurations: tuple[Configuration, ...]
    days: Mapping[str, Days]
    table: xr.Dataset

    @property
    def reference(self) -> int:
        """Position of the configuration that savings are measured against."""
        return [c.name for c in self.configurations].index(self.identity["study"]["reference"])


def stored_study(store: Place) -> StoredStudy:
    """Read a study back from the tables and the record that its cube keeps.

    Raises
    ------
    StudyError
        The cube is of a format that kept no tables.
    InputError
        A table that is kept there is no such table any more.
    """
    identity = read_study(store).get("identity", {})
    with local_tables(store) as tables:
        if not tables:
            raise StudyError(
                f"{store} holds no input tables, found {sorted(identity)} in its record: expected a cube of format 2"
            )
        return _of_tables(store, identity, tables)


def _of_tables(store: Place, identity: Mapping[str, Any], tables: Mapping[str, Path]) -> StoredStudy:
    study = identity["study"]
    paths = {name.removesuffix(".gz").removesuffix(".csv"): str(path) for name, path in tables.items()}
    hourly = {name.removeprefix("hourly."): path for name, path in paths.items() if name.startswith("hourly.")}
    with Path(paths["scalars"]).open(encoding="utf-8") as stream:
        scalars = {row["name"].strip(): float(row["value"]) for row in csv.DictReader(stream)}
    spec = InputsSpec(
        **{name: path for name, path in paths.items() if name not in NO_TABLES and "." not in name},
        hourly=hourly,
        scalars=scalars | study["inputs"]["scalars"],
        exchanges=tuple(study["inputs"]["exchanges"]),
    )
    tabled = {name.removeprefix("options."): path for name, path in paths.items() if name.startswith("options.")}
    inputs = read_inputs(spec, options=OptionsSpec.model_validate({**study.get("options", {}), **tabled}))
    free = {name: FreeSpec.model_validate(one, strict=False) for name, one in study["free"].items()}
    names = read_labels(store, "configuration")
    return StoredStudy(
        identity=identity,
        inputs=inputs,
        siting=study["siting"],
        configurations=read_configurations(inputs.tables["configurations"], names, inputs, study["siting"], free),
        days={
            year: Days(np.array(of_year["day"]), np.array(of_year["weight"]))
            for year, of_year in identity["days"].items()
        },
        table=read_draws(store),
    )


def identity_faults(store: Place, study: StoredStudy) -> Iterator[str]:
    """Lines on what the cube keeps and its record does not know: draws, tables, shares."""
    identity = study.identity
    if hash_in_store(store, identity["draws"]) != identity["draws"]:
        yield "the draw table is not the one that the record names: the checksums differ"
    files = {name.removesuffix(".gz").removesuffix(".csv"): path for name, path in read_tables(store).items()}
    for name, known in identity["files"].items():
        if name not in files:
            yield f"run/tables: {name} is missing"
        elif hashlib.sha256(files[name].read_bytes()).hexdigest() != known:
            yield f"run/tables: {name} is not the file that the record names: the checksums differ"
    for configuration in study.configurations:
        if configuration.shares is not None:
            found = hashlib.sha256(configuration.shares.tobytes()).hexdigest()
            if identity["shares"].get(configuration.name) != found:
                yield f"the shares of {configuration.name} are not those of the record"
