"""Sobol indices of Saltelli designs and elementary effects of Morris designs, by SALib, with failed draws left out whole.

A failed draw takes with it the block of its base point, or its trajectory: what is left is a smaller design of the same
kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from report.factors import Factors, Numbers
from report.structure import Matrices, Trajectories

CONFIDENCE: Final = 0.95
LEAST_BLOCKS = 8
LEAST_TRAJECTORIES = 3

SOBOL = {
    "S1": "first-order Sobol index: share of the variance that the parameter drives alone",
    "ST": "total Sobol index: share of the variance that would go with the parameter, all interactions included",
}
MORRIS = {
    "mu_star": "mean size of the effect of moving the parameter over its whole range",
    "mu": "mean effect, signs kept: near zero beside a large mu_star, the effect changes its direction",
    "sigma": "standard deviation of the effects: large where the effect bends, or depends on other parameters",
}


@dataclass(frozen=True)
class Designed:
    """Estimates from a design.

    Attributes
    ----------
    value, low, high : dict of ndarray
        By measure, shape (parameters,).
    sets, sets_total : int
        Base points or trajectories that the estimates rest on, and all there are.
    reason : str
        Why there is no estimate; empty where there is one.
    pairs : tuple of ndarray
        Second order: value, low, high, each (parameters, parameters), NaN but above the diagonal; empty without.
    """

    sets: int
    sets_total: int
    reason: str = ""
    value: dict[str, Numbers] = field(default_factory=dict)
    low: dict[str, Numbers] = field(default_factory=dict)
    high: dict[str, Numbers] = field(default_factory=dict)
    pairs: tuple[Numbers, ...] = ()


def is_constant(values: Numbers) -> bool:
    """Return whether values vary by no more than rounding does."""
    return bool(np.ptp(values) <= 1e-12 * np.abs(values).max())


def sobol_indices(outcome: Numbers, matrices: Matrices, rng: np.random.Generator, resamples: int) -> Designed:
    """
    Compute first-order, total and second-order Sobol indices with bootstrap intervals over base points.

    Parameters
    ----------
    outcome : ndarray of float64
        Shape (draws,), in draw order, NaN where missing.
    matrices : Matrices
        As recognised in the draw table.
    rng : numpy.random.Generator
        Gives SALib its seed.
    resamples : int
        Bootstrap samples.

    Notes
    -----
    Estimators as in SALib: first order and total of Saltelli et al. 2010 (doi 10.1016/j.cpc.2009.09.018), second order of
    Saltelli 2002 (doi 10.1016/S0010-4655(02)00280-1).
    """
    from SALib.analyze import sobol

    blocks = outcome.reshape(-1, matrices.size)
    whole = blocks[np.isfinite(blocks).all(axis=1)][:, matrices.rows]
    reason = _reason(whole, LEAST_BLOCKS, len(blocks), "base points")
    if reason:
        return Designed(len(whole), len(blocks), reason)
    # SALib takes seed 0 for no seed, and would draw from numpy's global generator
    found = sobol.analyze(
        _problem(matrices.names),
        whole.reshape(-1),
        calc_second_order=matrices.second_order,
        num_resamples=resamples,
        conf_level=CONFIDENCE,
        seed=int(rng.integers(1, 2**31)),
    )
    value = {name: np.asarray(found[name]) for name in SOBOL}
    error = {name: np.asarray(found[f"{name}_conf"]) for name in SOBOL}
    pairs: tuple[Numbers, ...] = ()
    if matrices.second_order:
        second, spread = np.asarray(found["S2"]), np.asarray(found["S2_conf"])
        pairs = (second, second - spread, second + spread)
    low = {name: value[name] - error[name] for name in SOBOL}
    return Designed(len(whole), len(blocks), "", value, low, {name: value[name] + error[name] for name in SOBOL}, pairs)


def morris_effects(
    outcome: Numbers, factors: Factors, trajectories: Trajectories, rng: np.random.Generator, resamples: int
) -> Designed:
    """
    Compute mean and spread of the elementary effects, with intervals from resampled trajectories.

    Parameters
    ----------
    outcome : ndarray of float64
        Shape (draws,), in draw order, NaN where missing.
    factors, trajectories
        The parameters, and what was recognised in them.
    rng : numpy.random.Generator
        Draws the bootstrap samples.
    resamples : int
        Bootstrap samples.

    Notes
    -----
    An effect is the change of the outcome over the step, scaled up from the step to all levels of the design: in the
    unit of the outcome. Morris 1991 (doi 10.2307/1269043); mu_star: Campolongo, Cariboni and Saltelli 2007 (doi
    10.1016/j.envsoft.2006.10.004). Intervals are the 2.5 and 97.5 percentiles of the bootstrap.
    """
    paths = outcome.reshape(-1, trajectories.size)
    inputs = factors.matrix[:, trajectories.columns].reshape(len(paths), trajectories.size, -1)
    there = np.isfinite(paths).all(axis=1)
    paths, inputs, total = paths[there], inputs[there], len(paths)
    reason = _reason(paths, LEAST_TRAJECTORIES, total, "trajectories")
    if reason:
        return Designed(len(paths), total, reason)
    value = _effects(paths, inputs, trajectories)
    samples = rng.integers(len(paths), size=(resamples, len(paths)))
    found = [_effects(paths[sample], inputs[sample], trajectories) for sample in samples]
    tails = {name: np.quantile([each[name] for each in found], [0.025, 0.975], axis=0) for name in MORRIS}
    low, high = ({name: tails[name][end] for name in MORRIS} for end in (0, 1))
    return Designed(len(paths), total, "", value, low, high)


def _effects(paths: Numbers, inputs: Numbers, trajectories: Trajectories) -> dict[str, NDArray[np.float64]]:
    from SALib.analyze import morris

    # SALib leaves a trajectory as it is where its parameters number one less than its draws; a step that changes no
    # value (two ranks of one category) has no effect, and a design's column of a fixed parameter has none to tell
    idle = trajectories.size - 1 - len(trajectories.names)
    padded = np.concatenate([inputs, np.zeros((*inputs.shape[:2], idle))], axis=2)
    names = [*trajectories.names, *(f"idle {number}" for number in range(idle))]
    found = morris.analyze(
        _problem(names), padded.reshape(-1, len(names)), paths.reshape(-1), 2, num_levels=trajectories.levels, seed=0
    )
    return {name: np.asarray(found[name], dtype=np.float64)[: len(trajectories.names)] for name in MORRIS}


def _problem(names: list[str]) -> dict[str, object]:
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def _reason(sets: Numbers, least: int, total: int, what: str) -> str:
    if len(sets) < least:
        return f"only {len(sets)} of {total} {what} have all their draws; {least} or more are needed"
    return f"does not vary: {sets.flat[0]:g} in all {sets.size} draws" if is_constant(sets) else ""
