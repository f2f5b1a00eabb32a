"""Solves one draw for every configuration, the fixed ones together, then the free ones, and returns every outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from model import outcomes, siting
from model.case import Case, load
from model.chain import Dispatcher
from model.configurations import Configuration
from model.free import Cuts, FreeSolution, solve_free
from model.live import LiveHighs, Status
from model.outcomes import OUTCOMES, RESIDUALS
from model.parameters import Theta, check_theta
from model.template import Floats
from model.year import Year


def solve_draw(case: Case, theta: Theta) -> dict[str, Floats]:
    """Solve one draw for every configuration of the case.

    Parameters
    ----------
    theta : mapping
        Every uncertain parameter of the model.

    Returns
    -------
    dict
        Name of an outcome -> array (configuration, ...) as ``OUTCOMES`` and ``RESIDUALS`` say; NaN where a
        configuration was not solved, for the reason in ``status``.

    Raises
    ------
    InputError
        The draw is incomplete or physically impossible.
    """
    check_theta(theta, case.inputs)
    dispatcher = Dispatcher(case, theta)
    fixed = case.chain
    results: dict[str, Mapping[str, Floats | float]] = {}
    sitings = LiveHighs(case.stages[""], options=siting.EXACT)
    loads = [load(theta, c.shares) for c in fixed if c.shares is not None]
    cuts: list[Cuts] = []
    for configuration, (year, cut) in zip(fixed, dispatcher.solve_days(loads), strict=True):
        results[configuration.name] = _fixed(case, theta, configuration, sitings, year)
        if year.status is Status.OPTIMAL:
            cuts.append(cut)
    for configuration in case.configurations:
        if configuration.is_free:
            found = solve_free(case, theta, configuration, dispatcher.solve_days, dispatcher.days.weight, cuts)
            results[configuration.name] = _free(case, theta, found)
    return _assemble(case, results)


def _fixed(
    case: Case, theta: Theta, configuration: Configuration, live: LiveHighs, year: Year
) -> dict[str, Floats | float]:
    template = case.stages[""]
    assert configuration.shares is not None
    x = float(theta["dc_demand"]) * configuration.shares
    vector = template.vector(siting.of_load(theta, case.inputs, x))
    live.move(template.values(vector))
    solution = live.solve()
    if year.status is not Status.OPTIMAL or solution.status is not Status.OPTIMAL:
        failed = solution.status if year.status is Status.OPTIMAL else year.status
        return {"status": float(failed), "iterations": float(year.iterations + solution.iterations)}
    placement = siting.read_placement(template, solution.primal, case.inputs, None)
    placement = replace(placement, apn_value=siting.apn_value(case.by_apn, template, vector, solution))
    if case.siting == "tiers":
        sites, violated = siting.count_sites(x, case.inputs)
        placement = replace(placement, sites=sites, sites_violated=violated)
    found = outcomes.of_configuration(theta, case.inputs, placement, year, solution.iterations)
    return {**found, **_residuals(year), "status": float(Status.OPTIMAL)}


def _free(case: Case, theta: Theta, found: FreeSolution) -> dict[str, Floats | float]:
    if found.placement is None or found.year is None:
        return {"status": float(found.status), "iterations": float(found.iterations)}
    solved = outcomes.of_configuration(theta, case.inputs, found.placement, found.year)
    nuclear = float(solved["dispatch_cost"]) - found.year.cost / 1000
    return {
        **solved,
        **_residuals(found.year),
        "lower_bound": found.lower_bound + nuclear,
        "iterations": float(found.iterations),
        "status": float(found.status),
    }


def _residuals(year: Year) -> dict[str, float]:
    return {"primal_residual": year.primal_residual, "dual_residual": year.dual_residual}


def _assemble(case: Case, results: Mapping[str, Mapping[str, Floats | float]]) -> dict[str, Floats]:
    """Stack the configurations' outcomes; what is missing is NaN."""
    labels = outcomes.coordinates(case.inputs, case.configurations, case.tiers)
    arrays: dict[str, Floats] = {}
    for outcome in (*OUTCOMES, *RESIDUALS):
        shape = tuple(len(labels[dim]) for dim in outcome.dims)
        arrays[outcome.name] = np.stack(
            [np.broadcast_to(results[c.name].get(outcome.name, np.nan), shape) for c in case.configurations]
        ).astype(outcome.dtype)
    solved = arrays["status"] == Status.OPTIMAL
    fixed = [not c.is_free for c in case.configurations]
    return arrays | outcomes.compare(arrays, case.reference, fixed, solved.tolist())
