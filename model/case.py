"""A study's case: inputs, days, configurations and compiled templates, all that a worker needs beside the draw itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import highspy
import numpy as np
from numpy.typing import NDArray

from model import dispatch, siting
from model.configurations import Configuration, tier_names
from model.days import Days
from model.errors import InputError, TemplateError
from model.inputs import Inputs
from model.kept_templates import kept_template
from model.live import LiveHighs, Status
from model.neighbours import short_path
from model.parameters import WEATHER_YEAR, Theta, check_theta
from model.spec import Siting
from model.template import Floats, Gradient, Part, Template
from model.year import YearReader


@dataclass(frozen=True, eq=False)
class Basis:
    """A simplex basis as two arrays of HiGHS basis statuses, so that it can be sent to workers."""

    column: NDArray[np.int8]
    row: NDArray[np.int8]

    @classmethod
    def of(cls, live: LiveHighs) -> Basis:
        """The basis of a solved program."""
        return cls.of_highs(live.basis())

    @classmethod
    def of_highs(cls, found: highspy.HighsBasis) -> Basis:
        """What HiGHS handed over."""
        return cls(
            np.array([int(s) for s in found.col_status], dtype=np.int8),
            np.array([int(s) for s in found.row_status], dtype=np.int8),
        )

    def to_highs(self) -> highspy.HighsBasis:
        """As HiGHS takes it."""
        basis = highspy.HighsBasis()
        basis.col_status = [highspy.HighsBasisStatus(int(s)) for s in self.column]
        basis.row_status = [highspy.HighsBasisStatus(int(s)) for s in self.row]
        basis.valid = True
        return basis


@dataclass(frozen=True, eq=False)
class Case:
    """Everything that stays the same over the draws of a study; picklable, sent once to each worker.

    Attributes
    ----------
    inputs : Inputs
    days : mapping
        Weather year -> its days.
    configurations : tuple of Configuration
    reference : int
        Position of the reference configuration.
    siting : "tiers" or "simple"
    dispatch : Template
        The day's dispatch.
    start : Basis
        Where the first day of every draw starts, whatever was solved before it: so a draw's bytes are its own.
    stages : mapping
        "" -> the siting stage of fixed configurations, name of a free one -> its own.
    """

    inputs: Inputs
    days: Mapping[str, Days]
    configurations: tuple[Configuration, ...]
    reference: int
    siting: Siting
    dispatch: Template
    start: Basis
    stages: Mapping[str, Template]

    @cached_property
    def chain(self) -> tuple[Configuration, ...]:
        """The fixed configurations in the order of solving: neighbours differ little, however the study lists them."""
        fixed = [c for c in self.configurations if c.shares is not None]
        shares = [c.shares.sum(axis=1) for c in fixed if c.shares is not None]
        return tuple(fixed[number] for number in short_path(np.array(shares))) if fixed else ()

    @cached_property
    def of_day(self) -> Part:
        """The entries of the dispatch that a day and a siting move."""
        return Part(self.dispatch, [*self.names_of_day, "X"])

    @cached_property
    def names_of_day(self) -> tuple[str, ...]:
        """The dispatch's parameters that ``dispatch.of_day`` sets, in its order."""
        year = next(iter(self.days))
        return tuple(dispatch.of_day(self.inputs.weather[year], 0, self.inputs))

    @cached_property
    def of_siting(self) -> Part:
        """The entries of the dispatch that a siting moves."""
        return Part(self.dispatch, ["X"])

    @cached_property
    def of_spatial_share(self) -> Part:
        """The entries that the share of work movable in space moves: upper bounds of shifts in space, and no others."""
        part, bounds = Part(self.dispatch, ["alpha_psi"]), self.dispatch.sections["column_upper"]
        if not np.isin(part.entries, bounds.start + self.reader.spatial).all():
            raise TemplateError("the share of work movable in space moves more than the bounds of sig_up and sig_dn")
        return part

    def spatial_room(self, vectors: Floats) -> Floats:
        """By how much upper bounds of columns rise with the share of work movable in space [GW], linear in it.

        Parameters
        ----------
        vectors : (n, parameters) array

        Returns
        -------
        (n, columns) array
        """
        at, part = self.dispatch.parameters["alpha_psi"], self.of_spatial_share
        none, all_of_it = vectors.copy(), vectors.copy()
        none[:, at], all_of_it[:, at] = 0.0, 1.0
        room = np.zeros((len(vectors), self.dispatch.shape[1]))
        room[:, part.columns] = part.values(all_of_it) - part.values(none)
        return room

    @cached_property
    def by_apn(self) -> Gradient:
        """The derivative of the siting stage around a given load by APN adoption."""
        return Gradient(self.stages[""], "alpha")

    @cached_property
    def by_load(self) -> Gradient:
        """The derivative of the dispatch by the load of each area, which no siting moves."""
        gradient = Gradient(self.dispatch, "X")
        if np.isin(gradient.companions, self.dispatch.parameters["X"]).any() or gradient.needs_primal:
            raise TemplateError("the dispatch is not linear in the load X with factors of the draw and the day alone")
        return gradient

    @cached_property
    def slopes_by_day(self) -> bool:
        """Whether a day moves what a GW of load draws, as an hourly PUE does; else the draw alone."""
        moving = np.concatenate([self.dispatch.parameters[name] for name in self.names_of_day])
        return bool(np.isin(self.by_load.companions, moving).any())

    @cached_property
    def reader(self) -> YearReader:
        """Reads quantities from a solved dispatch."""
        return YearReader(self.inputs, self.dispatch)

    @cached_property
    def _of_days(self) -> dict[str, Floats]:
        """Weather year -> values of the parameters ``names_of_day`` on its days (days, values)."""
        return {
            year: np.stack(
                [
                    np.concatenate(
                        [v.ravel() for v in dispatch.of_day(self.inputs.weather[year], int(d), self.inputs).values()]
                    )
                    for d in days.day
                ]
            )
            for year, days in self.days.items()
        }

    def day_vectors(self, year: str, draw: Floats) -> Floats:
        """Parameter vectors (days, parameters) of the dispatch on every day, from a draw's vector; X is not set."""
        positions = np.concatenate([self.dispatch.parameters[name] for name in self.names_of_day])
        vectors = np.repeat(draw[None], len(self.days[year].day), axis=0)
        vectors[:, positions] = self._of_days[year]
        return vectors

    @property
    def tiers(self) -> tuple[str, ...]:
        """Labels of the tier dimension."""
        return tier_names(self.inputs, self.siting)

    def fingerprint(self) -> str:
        """SHA-256 of the compiled templates: they hold structure and every certain number of the inputs."""
        digest = hashlib.sha256(self.dispatch.fingerprint().encode())
        for name in sorted(self.stages):
            digest.update(name.encode() + self.stages[name].fingerprint().encode())
        return digest.hexdigest()


def build_case(
    inputs: Inputs,
    days: Mapping[str, Days],
    configurations: Sequence[Configuration],
    reference: str,
    siting_kind: Siting,
    start: Theta,
) -> Case:
    """Compile the templates and find the basis that every draw starts from.

    Parameters
    ----------
    start : mapping
        A draw (the mid values) whose first day gives the starting basis; its weather year must be among ``days``.

    Raises
    ------
    InputError
        The reference is not among the configurations, or is free.
    TemplateError
        The start day could not be solved.
    """
    position = reference_position(configurations, reference)
    check_theta(start, inputs, "start")
    template, stages = _templates(inputs, siting_kind, configurations)
    year = str(start[WEATHER_YEAR])
    shares = configurations[position].shares
    assert shares is not None
    vector = template.vector(dispatch.of_draw(start, inputs))
    vector = template.vector(dispatch.of_day(inputs.weather[year], int(days[year].day[0]), inputs), vector)
    vector = template.vector({"X": load(start, shares)}, vector)
    live = LiveHighs(template)
    live.move(template.values(vector))
    solved = live.solve()
    if solved.status is not Status.OPTIMAL:
        raise TemplateError(f"the day that every draw starts from ended {solved.status.name.lower()}")
    return Case(
        inputs=inputs,
        days=days,
        configurations=tuple(configurations),
        reference=position,
        siting=siting_kind,
        dispatch=template,
        start=Basis.of(live),
        stages=stages,
    )


def reference_position(configurations: Sequence[Configuration], reference: str) -> int:
    """Where the reference is among the configurations; InputError where it is not, or is free."""
    names = [c.name for c in configurations]
    if reference not in names:
        raise InputError(
            "study", "reference", reference, f"one of the study's configurations {', '.join(names)}", names
        )
    position = names.index(reference)
    if configurations[position].is_free:
        raise InputError("study", "reference", reference, "a configuration with fixed shares")
    return position


def _templates(
    inputs: Inputs, siting_kind: Siting, configurations: Sequence[Configuration]
) -> tuple[Template, dict[str, Template]]:
    """The compiled dispatch and siting stages."""

    def compiled(build: Callable[..., Any], *arguments: Any) -> Template:
        def compile_it() -> Template:
            from model.compilation import compile_template  # with Pyomo, which a kept template does not need

            return compile_template(build(inputs, *arguments))

        return kept_template((build.__name__, numbers, arguments), compile_it)

    numbers = replace(inputs, weather={}, tables={})  # neither decides a coefficient
    stages = {"": compiled(siting.build_siting, siting_kind)}
    stages |= {c.name: compiled(siting.build_siting, siting_kind, c) for c in configurations if c.is_free}
    return compiled(dispatch.build_dispatch), stages


def load(theta: Theta, shares: Floats) -> Floats:
    """Mean IT load of each area (A,) [GW] of a fixed configuration."""
    total: Floats = float(theta["dc_demand"]) * shares.sum(axis=1)
    return total
