"""Compute the robustness table of a cube: how each configuration does over all draws, in numbers that can be defended.

Savings are paired: reference minus configuration in the same draw. Regret is read from the cube, where it is taken
against the best *named* configuration of the same draw (Savage 1951); a free configuration can lie below zero.
"""

from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import stats

from report.columns import COLUMNS, COST, DRAWS
from report.intervals import Sample, mean_interval
from report.outcomes import (
    NOT_RUN,
    OPTIMAL,
    CubeContentError,
    attribute,
    configuration_names,
    defined,
    free_configurations,
    from_summary,
    outcome,
    paired_outcome,
    reference_configuration,
    states,
    variable,
)
from storage import Summary

QUANTILE_METHOD: Final = "linear"
CONFIDENCE = 0.95
REPLICATED_DESIGNS = ("sobol", "halton", "lhs")  # replicates are independent randomisations of the same point set


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else float("nan")


def _quantile(values: NDArray[np.float64], share: float) -> float:
    return float(np.quantile(values, share, method=QUANTILE_METHOD)) if values.size else float("nan")


def _t_half_width(values: NDArray[np.float64]) -> float:
    """Compute the half-width of the confidence interval of a mean of independent values; NaN with fewer than two."""
    if values.size < 2:
        return float("nan")
    t = stats.t.ppf(0.5 + CONFIDENCE / 2, values.size - 1)
    return float(t * values.std(ddof=1) / np.sqrt(values.size))


def mean_half_width(saving: xr.DataArray, design_kind: str, draws_per_point: int = 1) -> float:
    """
    Compute the half-width of the 95 % confidence interval of a paired mean.

    Monte Carlo: Student's t over the draws. Sobol, Halton, LHS with R > 1 replicates: Student's t with R - 1 degrees of
    freedom over the R replicate means, since draws inside one point set are not independent. Anything else has no
    honest interval.

    Parameters
    ----------
    saving
        One value per draw, NaN where missing, with coordinate ``replicate(draw)``.
    design_kind
        Kind of the design, as in the study file.
    draws_per_point
        Number of scenarios under which each point was drawn: such draws are not independent of each other.

    Returns
    -------
    float
        In the unit of ``saving``, >= 0; NaN without an honest interval or where a replicate has no finished draw.
    """
    present = saving.dropna("draw")
    if design_kind == "monte_carlo" and draws_per_point > 1:
        values = saving.to_numpy()
        of_point = np.arange(values.size) // draws_per_point
        interval = mean_interval(
            Sample(values, design_kind, saving["replicate"].to_numpy(), point=of_point), CONFIDENCE
        )
        return interval.high - interval.estimate
    if design_kind == "monte_carlo":
        return _t_half_width(present.to_numpy())
    replicates = np.unique(saving["replicate"].to_numpy())
    if design_kind not in REPLICATED_DESIGNS or replicates.size < 2:
        return float("nan")
    of_draw = present["replicate"].to_numpy()
    return _t_half_width(np.array([_mean(present.to_numpy()[of_draw == each]) for each in replicates]))


def robustness_table(cube: xr.Dataset, summary: Summary | None = None) -> xr.Dataset:
    """
    Compute how each configuration does over the finished draws.

    Parameters
    ----------
    cube
        Dataset with ``status``, ``saving_fuel_co2``, ``saving_total``, ``regret_total``, ``latency_unserved`` over
        (draw, configuration), ``curtailment`` over (draw, configuration, area, technology), coordinate
        ``replicate(draw)`` and attributes ``reference``, ``free_configurations``, ``design_kind``.

    Returns
    -------
    xr.Dataset
        Over ``configuration``, in the cube's order: the variables of `report.columns.COLUMNS` and
        `report.columns.DRAWS` with their units, ``saving_median``, and ``draws_STATE`` for every state of a failed
        draw, which the attribute ``failed_states`` lists. NaN where no draw has finished. Each ``..._draws`` counts
        the values that the numbers of its group rest on. For the reference the saving is 0 by definition and its share
        and interval are NaN. The attribute ``draws_common`` counts the draws that finished in every configuration.

    Raises
    ------
    CubeContentError
        If the cube lacks a variable, coordinate or attribute named above.
    """
    names = configuration_names(cube)
    reference = reference_configuration(cube)
    free = free_configurations(cube)
    design_kind = str(attribute(cube, "design_kind"))
    draws_per_point = max(1, len(cube.attrs.get("scenarios", ())))
    if "replicate" not in cube.coords:
        raise CubeContentError("cube has no coordinate 'replicate' over draw")

    saving = paired_outcome(cube, "saving_fuel_co2").compute()
    saving_total = paired_outcome(cube, "saving_total").compute()
    regret = outcome(cube, "regret_total").compute()
    # min_count: a draw in which every pair of area and technology is NaN is missing, not zero
    told = from_summary(cube, "curtailment", summary)
    if told is None:
        of_draw = outcome(cube, "curtailment").sum(["area", "technology"], skipna=True, min_count=1).compute()
        curtailed = {name: _mean(defined(of_draw, name)) for name in names}
        behind = {name: defined(of_draw, name).size for name in names}
    else:
        total = told["mean"].sum(["area", "technology"], skipna=True, min_count=1)
        curtailed = {name: float(total.sel(configuration=name)) for name in names}
        most = told["n"].max(["area", "technology"])
        behind = {name: int(most.sel(configuration=name)) for name in names}
    latency = outcome(cube, "latency_unserved").compute()
    status = variable(cube, "status").compute()
    failed = {value: word for value, word in states(cube).items() if value not in (OPTIMAL, NOT_RUN)}

    rows: list[dict[str, float]] = []
    for name in names:
        savings = defined(saving, name)
        totals = defined(saving_total, name)
        regrets = defined(regret, name)
        latencies = defined(latency, name)
        of_draws = status.sel(configuration=name).to_numpy()
        row = {
            "saving_mean": _mean(savings),
            "saving_half_width": mean_half_width(saving.sel(configuration=name), design_kind, draws_per_point),
            "saving_p5": _quantile(savings, 0.05),
            "saving_median": _quantile(savings, 0.5),
            "saving_p95": _quantile(savings, 0.95),
            "saving_share": _mean((savings > 0).astype(np.float64)),
            "saving_draws": savings.size,
            "saving_total_mean": _mean(totals),
            "saving_total_draws": totals.size,
            "regret_mean": _mean(regrets),
            "regret_max": float(regrets.max()) if regrets.size else float("nan"),
            "regret_draws": regrets.size,
            "curtailment_mean": curtailed[name],
            "curtailment_draws": behind[name],
            "latency_unserved_mean": _mean(latencies),
            "latency_unserved_draws": latencies.size,
            "draws_finished": int((of_draws == OPTIMAL).sum()),
            "draws_failed": int(((of_draws != OPTIMAL) & (of_draws != NOT_RUN)).sum()),
            "draws_not_run": int((of_draws == NOT_RUN).sum()),
            **{f"draws_{word}": int((of_draws == value).sum()) for value, word in failed.items()},
        }
        if name == reference:
            row |= {"saving_share": float("nan"), "saving_half_width": float("nan")}
            if row["draws_finished"]:
                row |= dict.fromkeys(
                    ("saving_mean", "saving_p5", "saving_median", "saving_p95", "saving_total_mean"), 0.0
                )
                row |= dict.fromkeys(("saving_draws", "saving_total_draws"), row["draws_finished"])
        rows.append(row)

    table = xr.Dataset(
        {key: ("configuration", np.array([row[key] for row in rows])) for key in rows[0]},
        coords={"configuration": names},
        attrs={
            "days": str(cube.attrs.get("days", "")),
            "reference": reference,
            "free_configurations": free,
            "design_kind": design_kind,
            "draws": cube.sizes["draw"],
            "failed_states": list(failed.values()),
            "draws_common": int((status == OPTIMAL).all("configuration").sum()),
            "replicates": int(np.unique(cube["replicate"].to_numpy()).size),
            "quantile_method": QUANTILE_METHOD,
            "confidence": CONFIDENCE,
        },
    )
    for column in (*COLUMNS, *DRAWS):
        table[column.name].attrs = {"units": column.units, "long_name": column.definition}
    table["saving_median"].attrs = {"units": COST, "long_name": "Median of the saving over the same draws."}
    for word in failed.values():
        table[f"draws_{word}"].attrs = {"units": "1", "long_name": f"Draws that failed: {word.replace('_', ' ')}."}
    return table
