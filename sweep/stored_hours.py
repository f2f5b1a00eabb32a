"""Solve draws of a cube again, hour by hour, from what the cube keeps of its own study."""

from __future__ import annotations

import csv
from collections.abc import Sequence

import xarray as xr

from model import WEATHER_YEAR, Case, Status, UnsolvedError, build_case, check_theta
from storage import Place, open_cube, read_tables
from sweep.errors import StudyError
from sweep.hourly import hours_of
from sweep.stored import StoredStudy, stored_study
from sweep.theta import Theta, model_columns, theta_of

BASE = "base"
"""The future in which every parameter is at its mid value, or where the study holds it: no draw of the cube."""


class StoredHours:
    """Solves draws of one cube.

    Parameters
    ----------
    store : path
        The cube.

    Raises
    ------
    StudyError
        The cube keeps no tables, so that nothing of it can be solved again.
    """

    def __init__(self, store: Place) -> None:
        self.store = store
        self.study: StoredStudy = stored_study(store)
        self.cube = open_cube(store)
        self.names = tuple(each.name for each in self.study.configurations)
        self.mids = _mids(store, model_columns(self.study.table))
        self._cases: dict[str, Case] = {}

    def case(self, year: str) -> Case:
        """The case of the fixed configurations, compiled when a weather year is first asked for.

        Where optima are equal, it ends at the one that `wattbit solve --hourly` finds: both start from that year's first day.
        """
        if year not in self._cases:
            study = self.study
            fixed = [each for each in study.configurations if each.shares is not None]
            reference = study.identity["study"]["reference"]
            start = self.mids | {WEATHER_YEAR: year}
            self._cases[year] = build_case(study.inputs, study.days, fixed, reference, study.siting, start)
        return self._cases[year]

    def check(self, draws: Sequence[str]) -> None:
        """Refuse what is no draw of the cube.

        Raises
        ------
        StudyError
            Naming it, and which draws there are.
        """
        most = self.cube.sizes["draw"]
        for draw in draws:
            if draw != BASE and not (draw.isascii() and draw.isdigit() and int(draw) < most):
                raise StudyError(f"--draw: found {draw!r}, expected a draw of the cube, 0 to {most - 1}, or {BASE}")

    def is_fixed(self, configuration: str) -> bool:
        """Whether a configuration's shares are given, not found anew in every draw."""
        return self.study.configurations[self.names.index(configuration)].shares is not None

    def theta(self, draw: str) -> Theta:
        """The parameters of a draw by its number, or of ``BASE``."""
        if draw != BASE:
            return theta_of(self.study.table, int(draw))
        study = self.study.identity["study"]
        held = {name: value for name, value in study["fixed"].items() if name not in study["driver"]}
        theta = self.mids | held
        if theta[WEATHER_YEAR] not in self.study.days:
            theta[WEATHER_YEAR] = self.study.identity["start"]
        return theta

    def hours(self, draw: str, configuration: str) -> xr.Dataset:
        """Solve a draw hour by hour.

        Parameters
        ----------
        draw : str
            Its number, or ``BASE``; one that `check` lets pass.
        configuration : str
            Of a free one the siting is taken that the cube keeps of the draw.

        Returns
        -------
        xarray.Dataset
            As `sweep.hourly.hours_of`, with ``draw`` among its attributes; or, where the cube holds no solution of the pair or
            none is found, an empty dataset with the name of its status in the attribute ``status``.

        Raises
        ------
        StudyError
            An unknown configuration, or a free one of ``BASE``.
        InputError
            The draw is physically impossible.
        """
        if configuration not in self.names:
            raise StudyError(f"configuration: found {configuration!r}, expected one of {', '.join(self.names)}")
        place, load = self.names.index(configuration), None
        if draw == BASE:
            if not self.is_fixed(configuration):
                raise StudyError(f"{configuration} is sited anew in every draw, and the future {BASE!r} is no draw")
        else:
            cell = self.cube[["status", "dc_capacity"]].isel(draw=int(draw), configuration=place).load()
            status = Status(int(cell["status"]))
            if status is not Status.OPTIMAL:
                return _without(draw, configuration, status)
            if not self.is_fixed(configuration):
                load = cell["dc_capacity"].sum("tier").to_numpy() * self.study.inputs.scalars["load_factor"]
        theta = self.theta(draw)
        check_theta(theta, self.study.inputs)
        try:
            return hours_of(self.case(str(theta[WEATHER_YEAR])), theta, configuration, load).assign_attrs(draw=draw)
        except UnsolvedError:
            return _without(draw, configuration, Status.SOLVER_ERROR)


def _without(draw: str, configuration: str, status: Status) -> xr.Dataset:
    return xr.Dataset(attrs={"draw": draw, "configuration": configuration, "status": status.name.lower()})


def _mids(store: Place, columns: Sequence[str]) -> Theta:
    """Mid values from the cube's table of uncertainties; a parameter that it lacks is an optional one, and 1 unless set."""
    tables = {name.removesuffix(".csv"): path for name, path in read_tables(store).items()}
    if "uncertainty" not in tables:
        raise StudyError(f"{store} holds no table of uncertainties: expected a cube of format 2")
    rows = csv.DictReader(tables["uncertainty"].read_bytes().decode("utf-8-sig").splitlines())
    read = {row["name"].strip(): row["mid"].strip() for row in rows}
    mids: Theta = {name: text if name == WEATHER_YEAR else float(text) for name, text in read.items()}
    return {name: mids.get(name, 1.0) for name in columns}
