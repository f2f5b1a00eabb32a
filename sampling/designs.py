"""Place the draws in the unit cube: Monte Carlo, Latin hypercube, scrambled Sobol and scrambled Halton points.

With R replicates, draw i is point ``i div R`` of replicate ``i mod R``; each replicate is a randomisation of its own,
seeded by ``SeedSequence(seed, spawn_key=(replicate,))``. The spread of the R means then gives an honest error bar
(randomised quasi-Monte Carlo: L'Ecuyer and Lemieux 2002, Recent advances in randomized quasi-Monte Carlo methods).
"""

from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator
from scipy.stats import qmc

from sampling.errors import SamplingError, nearest_name
from sampling.spec import Spec

KINDS = ("monte_carlo", "lhs", "sobol", "halton", "file")
KINDS_NOT_BUILT = ("factorial", "morris", "saltelli")
EXTENSIBLE_KINDS = ("monte_carlo", "sobol", "halton")


class DesignSpec(Spec):
    """How many draws, placed how, from which seed.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    draws : int
        Number of draws, at least 1. For ``file`` it may be left out (all rows) or cut the file short.
    seed : int
        At least 0. Required but for ``file``, which has no use for it.
    replicates : int
        Number R of independent randomisations, at least 1; a file has one.
    file : str
        CSV file of draws, with ``kind = "file"`` always and only.
    """

    kind: Literal["monte_carlo", "lhs", "sobol", "halton", "file"]
    draws: int | None = Field(default=None, ge=1)
    seed: int | None = Field(default=None, ge=0)
    replicates: int = Field(default=1, ge=1)
    file: str | None = None

    @field_validator("kind", mode="before")
    @classmethod
    def _check_kind(cls, kind: Any) -> Any:
        if kind in KINDS_NOT_BUILT:
            raise SamplingError("kind", kind, f"a design that is built: {', '.join(KINDS)}")
        if kind not in KINDS:
            known = (*KINDS, *KINDS_NOT_BUILT)
            raise SamplingError("kind", kind, f"one of {', '.join(KINDS)}", nearest_name(str(kind), known))
        return kind

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.kind == "file":
            if self.file is None:
                raise SamplingError("file", None, 'a CSV file of draws, as kind = "file" says')
            if self.replicates != 1:
                raise SamplingError("replicates", self.replicates, "1: a file is no randomisation to repeat")
            return self
        if self.file is not None:
            raise SamplingError("file", self.file, f'no file with kind = "{self.kind}"')
        if self.draws is None:
            raise SamplingError("draws", None, "the number of draws")
        if self.seed is None:
            raise SamplingError("seed", None, "a seed, 0 or more")
        return self


def is_extensible(spec: DesignSpec) -> bool:
    """Return whether the first n draws of a longer design of this kind are the n draws, bit for bit."""
    return spec.kind in EXTENSIBLE_KINDS


def unit_points(spec: DesignSpec, dimensions: int) -> NDArray[np.float64]:
    """Return the points of a random design.

    Parameters
    ----------
    spec : DesignSpec
        Any kind but ``file``.
    dimensions : int
        Number d of parameters, at least 1.

    Returns
    -------
    float64 array (draws, d)
        Points in [0, 1); row i belongs to replicate ``i mod R``. Replicates differ by at most one point.

    Raises
    ------
    SamplingError
        The design is a file, or there is no parameter.
    """
    if spec.kind == "file" or spec.draws is None or spec.seed is None:
        raise SamplingError("design.kind", spec.kind, "a random design: a file has values and no points")
    if dimensions < 1:
        raise SamplingError("uncertain", dimensions, "at least one parameter")
    points = np.empty((spec.draws, dimensions))
    for replicate in range(min(spec.replicates, spec.draws)):
        rng = np.random.default_rng(np.random.SeedSequence(spec.seed, spawn_key=(replicate,)))
        rows = points[replicate :: spec.replicates]
        rows[:] = _replicate_points(spec.kind, len(rows), dimensions, rng)
    return points


def _replicate_points(kind: str, number: int, dimensions: int, rng: np.random.Generator) -> NDArray[np.float64]:
    if kind == "sobol":
        # Whole powers of two, then cut: scipy warns of any other number, and the points are the same.
        exponent = (number - 1).bit_length()
        return qmc.Sobol(dimensions, scramble=True, rng=rng).random_base2(exponent)[:number]
    if kind == "halton":
        return qmc.Halton(dimensions, scramble=True, rng=rng).random(number)
    if kind == "lhs":
        return qmc.LatinHypercube(dimensions, rng=rng).random(number)
    return rng.random((number, dimensions))
