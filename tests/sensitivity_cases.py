"""Functions with published sensitivity indices, and cubes of their values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from SALib.sample import morris as morris_sample
from SALib.sample import sobol as saltelli_sample

Numbers = NDArray[np.float64]
Function = Callable[[Numbers], Numbers]
CELL = ("draw", "configuration")

# Ishigami and Homma 1990, a = 7, b = 0.1, inputs uniform in -pi..pi
ISHIGAMI_S1 = (0.313905, 0.442411, 0.0)
ISHIGAMI_ST = (0.557589, 0.442411, 0.243684)
ISHIGAMI_PAIR = 0.243684  # of the first and the third input; no other pair interacts

A = np.array([1.0, 2.0, 5.0])


def ishigami(unit: Numbers) -> Numbers:
    x = np.pi * (2 * unit - 1)
    return np.asarray(np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))


def sobol_g(unit: Numbers) -> Numbers:
    """Sobol's G function with a = (1, 2, 5)."""
    return np.asarray(np.prod((np.abs(4 * unit - 2) + A) / (1 + A), axis=1))


def sobol_g_indices() -> tuple[Numbers, Numbers, Numbers]:
    """First-order, total and second-order indices in closed form (Saltelli et al. 2010, section 6)."""
    own = 1 / 3 / (1 + A) ** 2
    whole = np.prod(1 + own) - 1
    return own / whole, own * np.prod(1 + own) / (1 + own) / whole, np.outer(own, own) / whole


def cube_of(unit: Numbers, function: Function, kind: str, **more: Any) -> xr.Dataset:
    """Make a cube of two configurations: the function, and ten minus it; a fixed parameter among the others."""
    y = function(unit)
    columns: dict[str, Any] = {f"x{j}": ("draw", unit[:, j]) for j in range(unit.shape[1])}
    columns["held"] = ("draw", np.full(len(unit), 0.5))
    return xr.Dataset(
        columns
        | {
            "status": (CELL, np.ones((len(unit), 2), dtype=np.int8)),
            "y": (CELL, np.stack([y, 10 - y], axis=1), {"units": "TWh"}),
        }
        | more,
        coords={"configuration": ["first", "second"]},
        attrs={"design_kind": kind, "reference": "first"},
    )


def problem(inputs: int) -> dict[str, Any]:
    return {"num_vars": inputs, "names": [f"x{j}" for j in range(inputs)], "bounds": [[0.0, 1.0]] * inputs}


def saltelli(points: int, inputs: int = 3, *, second_order: bool = True, seed: int = 1) -> Numbers:
    return np.asarray(
        saltelli_sample.sample(problem(inputs), points, calc_second_order=second_order, seed=seed), dtype=np.float64
    )


def morris(trajectories: int, inputs: int = 3, levels: int = 4, seed: int = 1) -> Numbers:
    return np.asarray(
        morris_sample.sample(problem(inputs), trajectories, num_levels=levels, seed=seed), dtype=np.float64
    )


def fail(cube: xr.Dataset, draws: list[int], configuration: int = 0) -> xr.Dataset:
    """Let draws of one configuration fail, with a number in them that would spoil everything it entered."""
    failed = cube.copy(deep=True)
    failed["status"][draws, configuration] = 2
    failed["y"][draws, configuration] = 1e9
    return failed
