"""A study's case: inputs, days, configurations and compiled templates, all that a worker needs beside the draw itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

from model import dispatch, siting
from model.compilation import compile_template
from model.configurations import Configuration, tier_names
from model.days import Days
from model.errors import InputError, TemplateError
from model.inputs import Inputs
from model.live import LiveHighs, Status
from model.parameters import WEATHER_YEAR, Theta, check_theta
from model.spec import Siting
from model.template import Floats, Template


@dataclass(frozen=True, eq=False)
class Basis:
    """A simplex basis as two arrays of HiGHS basis statuses, so that it can be sent to workers."""

    column: NDArray[np.int8]
    row: NDArray[np.int8]

    @classmethod
    def of(cls, live: LiveHighs) -> Basis:
        """The basis of a solved program."""
        found = live.basis()
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
    names = [c.name for c in configurations]
    if reference not in names:
        raise InputError(
            "study", "reference", reference, f"one of the study's configurations {', '.join(names)}", names
        )
    position = names.index(reference)
    if configurations[position].is_free:
        raise InputError("study", "reference", reference, "a configuration with fixed shares")
    check_theta(start, inputs, "start")
    template = compile_template(dispatch.build_dispatch(inputs))
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
    stages = {"": compile_template(siting.build_siting(inputs, siting_kind))}
    stages |= {
        c.name: compile_template(siting.build_siting(inputs, siting_kind, c)) for c in configurations if c.is_free
    }
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


def load(theta: Theta, shares: Floats) -> Floats:
    """Mean IT load of each area (A,) [GW] of a fixed configuration."""
    total: Floats = float(theta["dc_demand"]) * shares.sum(axis=1)
    return total
