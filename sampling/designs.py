"""Say how many draws, placed how; and place those of random designs in the unit cube, extensible and in replicates.

With R replicates, draw i is point ``i div R`` of replicate ``i mod R``; each replicate is a randomisation of its own,
seeded by ``SeedSequence(seed, spawn_key=(replicate,))``. The spread of the R means then gives an honest error bar
(randomised quasi-Monte Carlo: L'Ecuyer and Lemieux 2002, Recent advances in randomized quasi-Monte Carlo methods).
"""

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator
from scipy.stats import qmc

from sampling.errors import SamplingError, nearest_name
from sampling.spec import Spec

RANDOM_KINDS = ("monte_carlo", "lhs", "sobol", "halton")
STRUCTURED_KINDS = ("factorial", "one_at_a_time", "morris", "saltelli")
KINDS = (*RANDOM_KINDS, *STRUCTURED_KINDS, "file")
MOST_DRAWS = 10_000_000
EXTENSIBLE_KINDS = ("monte_carlo", "sobol", "halton")
KEYS = {  # keys that belong to some kinds only
    "optimization": ("lhs",),
    "levels": ("factorial", "one_at_a_time", "morris"),
    "span": ("factorial", "one_at_a_time", "morris"),
    "trajectories": ("morris",),
    "points": ("saltelli",),
    "second_order": ("saltelli",),
    "file": ("file",),
    "replicates": (*RANDOM_KINDS, "file"),
}
LLOYD_DIMENSIONS = 6  # its Voronoi cells need memory that grows exponentially with the dimensions

Levels = int | tuple[float | str, ...]


class DesignSpec(Spec):
    """How many draws, placed how, from which seed.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    draws : int
        Number of draws (under each scenario), at least 1. For ``file`` it may be left out (all rows) or cut the file
        short; for `STRUCTURED_KINDS` it may be left out, or must be a number that such a design has.
    seed : int
        At least 0. Required for random designs, ``morris`` and ``saltelli``.
    replicates : int
        Number R of independent randomisations, at least 1; only random designs have more than one.
    file : str
        CSV file of draws, with ``kind = "file"`` always and only.
    optimization : str
        ``lhs``: ``"random-cd"`` (exchanges that lower the centred discrepancy) or ``"lloyd"`` (scipy.stats.qmc).
    levels : int, or mapping of names to an int or a list of values
        ``factorial``, ``one_at_a_time``: levels of all parameters, or of those named, all others staying at their
        median. ``morris``: an even number, default 4.
    span : [low, high]
        The quantiles that the lowest and the highest level stand for, default [0.05, 0.95].
    trajectories : int
        ``morris``: number of trajectories, each of one draw more than there are parameters that vary.
    points : int
        ``saltelli``: base points N; draws are N (k + 2), or N (2k + 2) with second order, of k parameters that vary.
    second_order : bool
        ``saltelli``: also what indices of pairs need. Default true.
    """

    kind: Literal["monte_carlo", "lhs", "sobol", "halton", "factorial", "one_at_a_time", "morris", "saltelli", "file"]
    draws: int | None = Field(default=None, ge=1, le=MOST_DRAWS)
    seed: int | None = Field(default=None, ge=0)
    replicates: int = Field(default=1, ge=1)
    file: str | None = None
    optimization: Literal["random-cd", "lloyd"] | None = None
    levels: int | dict[str, Levels] | None = None
    span: tuple[float, float] = Field(default=(0.05, 0.95), strict=False)
    trajectories: int | None = Field(default=None, ge=1)
    points: int | None = Field(default=None, ge=1)
    second_order: bool = True

    @field_validator("kind", mode="before")
    @classmethod
    def _check_kind(cls, kind: Any) -> Any:
        if kind not in KINDS:
            raise SamplingError("kind", kind, f"one of {', '.join(KINDS)}", nearest_name(str(kind), KINDS))
        return kind

    @field_validator("levels", mode="before")
    @classmethod
    def _check_kinds_of_levels(cls, levels: Any) -> Any:
        # Ahead of the union of types, whose own complaints tell of each of its branches.
        if levels is None or _is_count(levels):
            return levels
        if not isinstance(levels, Mapping):
            raise SamplingError(
                "levels", levels, "a whole number of at least 1, or such numbers and lists by parameter"
            )
        found: dict[str, Levels] = {}
        for name, one in levels.items():
            values = tuple(one) if isinstance(one, list | tuple) else None
            if values is not None and all(isinstance(v, int | float | str) and not isinstance(v, bool) for v in values):
                found[name] = tuple(v if isinstance(v, str) else float(v) for v in values)
            elif _is_count(one):
                found[name] = one
            else:
                raise SamplingError(f"levels.{name}", one, "a whole number of at least 1, or a list of values")
        return found

    @model_validator(mode="after")
    def _check(self) -> Self:
        for key, kinds in KEYS.items():
            value = getattr(self, key)
            if key in self.model_fields_set and self.kind not in kinds and value not in (None, 1):
                raise SamplingError(key, value, f'no {key} with kind = "{self.kind}"')
        if self.kind == "file":
            if self.file is None:
                raise SamplingError("file", None, 'a CSV file of draws, as kind = "file" says')
            if self.replicates != 1:
                raise SamplingError("replicates", self.replicates, "1: a file is no randomisation to repeat")
            return self
        if self.kind in RANDOM_KINDS and self.draws is None:
            raise SamplingError("draws", None, "the number of draws")
        if self.kind not in ("factorial", "one_at_a_time") and self.seed is None:
            raise SamplingError("seed", None, "a seed, 0 or more")
        self._check_levels()
        if self.kind == "morris" and self.trajectories is None and self.draws is None:
            raise SamplingError("trajectories", None, "the number of trajectories, or of draws")
        if self.kind == "saltelli" and self.points is None and self.draws is None:
            raise SamplingError("points", None, "the number of base points, or of draws")
        return self

    def _check_levels(self) -> None:
        low, high = self.span
        if not 0 <= low < high <= 1:
            raise SamplingError("span", list(self.span), "two quantiles, 0 <= low < high <= 1")
        if self.kind in ("factorial", "one_at_a_time") and self.levels in (None, {}):
            raise SamplingError("levels", None, "a number of levels, or one for each of some parameters")
        if self.kind == "morris" and (isinstance(self.levels, dict) or (self.levels or 4) % 2):
            raise SamplingError("levels", self.levels, "an even number of levels")
        for name, one in self.levels.items() if isinstance(self.levels, dict) else ():
            if isinstance(one, tuple) and (not one or len(set(one)) < len(one)):
                raise SamplingError(f"levels.{name}", list(one), "values, each once")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def is_extensible(spec: DesignSpec) -> bool:
    """Return whether the first n draws of a longer design of this kind are the n draws, bit for bit."""
    return spec.kind in EXTENSIBLE_KINDS


def unit_points(spec: DesignSpec, dimensions: int) -> NDArray[np.float64]:
    """Return the points of a random design.

    Parameters
    ----------
    spec : DesignSpec
        Of one of `RANDOM_KINDS`.
    dimensions : int
        Number d of parameters, at least 1.

    Returns
    -------
    float64 array (draws, d)
        Points in [0, 1); row i belongs to replicate ``i mod R``. Replicates differ by at most one point.

    Raises
    ------
    SamplingError
        The design is not random, there is no parameter, or too many for the method.
    """
    check_random(spec, dimensions)
    assert spec.draws is not None
    points = np.empty((spec.draws, dimensions))
    for replicate in range(min(spec.replicates, spec.draws)):
        rng = np.random.default_rng(np.random.SeedSequence(spec.seed, spawn_key=(replicate,)))
        rows = points[replicate :: spec.replicates]
        rows[:] = _replicate_points(spec, len(rows), dimensions, rng)
    return points


def check_random(spec: DesignSpec, dimensions: int) -> None:
    """Refuse what has no random points; errors as `unit_points`."""
    if spec.kind not in RANDOM_KINDS or spec.draws is None or spec.seed is None:
        raise SamplingError("design.kind", spec.kind, f"a random design, one of {', '.join(RANDOM_KINDS)}")
    if dimensions < 1:
        raise SamplingError("uncertain", dimensions, "at least one parameter")
    if spec.kind == "sobol" and dimensions > qmc.Sobol.MAXDIM:
        raise SamplingError("uncertain", dimensions, f"at most {qmc.Sobol.MAXDIM} parameters in a Sobol design")
    if spec.optimization == "lloyd" and dimensions > LLOYD_DIMENSIONS:
        expected = f'"random-cd", or at most {LLOYD_DIMENSIONS} parameters, here {dimensions}'
        raise SamplingError("design.optimization", "lloyd", expected)


def _replicate_points(spec: DesignSpec, number: int, dimensions: int, rng: np.random.Generator) -> NDArray[np.float64]:
    if spec.kind == "sobol":
        # Whole powers of two, then cut: scipy warns of any other number, and the points are the same.
        exponent = (number - 1).bit_length()
        return qmc.Sobol(dimensions, scramble=True, rng=rng).random_base2(exponent)[:number]
    if spec.kind == "halton":
        return qmc.Halton(dimensions, scramble=True, rng=rng).random(number)
    if spec.kind == "lhs":
        method = spec.optimization if number > 1 else None
        found = qmc.LatinHypercube(dimensions, optimization=method, rng=rng).random(number)
        return np.clip(found, 0.0, np.nextafter(1.0, 0.0)) if method else found
    return rng.random((number, dimensions))
