"""Compute the robustness table of a cube: how each configuration does over all draws, in numbers that can be defended.

Savings are paired: reference minus configuration in the same draw. Regret is read from the cube, where it is taken
against the best *named* configuration of the same draw (Savage 1951); a free configuration can lie below zero.
"""

from typing import Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from report.columns import COLUMNS, COST, DRAWS
from report.estimators import is_best
from report.intervals import (
    CONFIDENCE,
    Interval,
    Sample,
    cvar_interval,
    largest,
    mean_interval,
    probability_interval,
    quantile_interval,
    share_interval,
)
from report.outcomes import (
    NOT_RUN,
    OPTIMAL,
    attribute,
    configuration_names,
    free_configurations,
    from_summary,
    outcome,
    paired_outcome,
    reference_configuration,
    states,
    variable,
)
from report.samples import count, draws_of, longer_side, of_scenario, scenarios_of
from storage import Summary

QUANTILE_METHOD: Final = "linear"
TAIL: Final = 0.9
MOST_READ = 32_000_000
"""Values of an outcome with areas and technologies that are read for the interval of its sum, where a summary has the mean."""


def _summed_mean(cube: xr.Dataset, name: str, summary: Summary | None) -> tuple[xr.DataArray | None, xr.Dataset | None]:
    """Return the sum of every draw, or, where that takes reading too much, what a summary tells of the means."""
    told = from_summary(cube, name, summary)
    if told is not None and cube[name].size > MOST_READ:
        return None, told
    # min_count: a draw in which every part is missing is missing, not zero
    dims = [str(dim) for dim in cube[name].dims if dim not in ("draw", "configuration")]
    return outcome(cube, name).sum(dims, skipna=True, min_count=1).compute(), None


def _of_summary(told: xr.Dataset, name: str) -> dict[str, float]:
    one = told.sel(configuration=name)
    mean = float(one["mean"].sum(skipna=True, min_count=1))
    return {"curtailment_mean": mean, "curtailment_draws": int(one["n"].max())} | _ends("curtailment_mean")


def _ends(name: str, low: float = float("nan"), high: float = float("nan")) -> dict[str, float]:
    return {f"{name}_low": low, f"{name}_high": high}


def _told(name: str, interval: Interval) -> dict[str, float]:
    return {name: interval.estimate} | _ends(name, interval.low, interval.high)


def _best(regret: xr.DataArray, name: str, free: list[str]) -> NDArray[np.float64]:
    """Give 1 where a named configuration has the least total cost of the named ones, shared by ties; NaN for a free one."""
    named = [each for each in regret["configuration"].to_numpy().tolist() if each not in free]
    share = np.full(regret.sizes["draw"], np.nan)
    if name in named:
        costs = regret.sel(configuration=named).to_numpy()  # of one draw, costs less the same number
        whole = ~np.isnan(costs).any(axis=1)
        share[whole] = is_best(costs[whole], named.index(name))
    return share


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
    attribute(cube, "design_kind")
    draws = draws_of(cube)

    saving = paired_outcome(cube, "saving_fuel_co2").compute()
    saving_total = paired_outcome(cube, "saving_total").compute()
    regret = outcome(cube, "regret_total").compute()
    curtailed, of_summary = _summed_mean(cube, "curtailment", summary)
    latency = outcome(cube, "latency_unserved").compute()
    status = variable(cube, "status").compute()
    failed = {value: word for value, word in states(cube).items() if value not in (OPTIMAL, NOT_RUN)}

    def of(array: xr.DataArray, name: str) -> Sample:
        return draws.sample(array.sel(configuration=name).to_numpy())

    rows: list[dict[str, float]] = []
    for name in names:
        savings, totals, regrets, latencies = (of(each, name) for each in (saving, saving_total, regret, latency))
        best = draws.sample(_best(regret, name, free))
        of_draws = status.sel(configuration=name).to_numpy()
        row: dict[str, float] = {
            **_told("saving_mean", mean_interval(savings)),
            **_told("saving_p5", quantile_interval(savings, 0.05)),
            **_told("saving_median", quantile_interval(savings, 0.5)),
            **_told("saving_p95", quantile_interval(savings, 0.95)),
            **_told("saving_share", probability_interval(savings, 0.0)),
            "saving_draws": count(savings),
            **_told("saving_total_mean", mean_interval(totals)),
            "saving_total_draws": count(totals),
            **_told("regret_mean", mean_interval(regrets)),
            **_told("regret_cvar90", cvar_interval(regrets, TAIL)),
            **_told("regret_max", largest(regrets)),
            "regret_draws": count(regrets),
            **_told("best_share", share_interval(best)),
            "best_draws": count(best),
            **_told("latency_unserved_mean", mean_interval(latencies)),
            "latency_unserved_draws": count(latencies),
            "draws_finished": int((of_draws == OPTIMAL).sum()),
            "draws_failed": int(((of_draws != OPTIMAL) & (of_draws != NOT_RUN)).sum()),
            "draws_not_run": int((of_draws == NOT_RUN).sum()),
            **{f"draws_{word}": int((of_draws == value).sum()) for value, word in failed.items()},
        }
        if curtailed is not None:
            one = of(curtailed, name)
            row |= _told("curtailment_mean", mean_interval(one)) | {"curtailment_draws": count(one)}
        elif of_summary is not None:
            row |= _of_summary(of_summary, name)
        if name == reference:
            row |= _ends("saving_share") | {"saving_share": float("nan")}
            zero = 0.0 if row["draws_finished"] else float("nan")
            for key in ("saving_mean", "saving_p5", "saving_median", "saving_p95", "saving_total_mean"):
                row |= {key: zero} | _ends(key)
            if row["draws_finished"]:
                row |= dict.fromkeys(("saving_draws", "saving_total_draws"), row["draws_finished"])
        ends = (row["saving_mean_low"], row["saving_mean_high"])
        row["saving_half_width"] = longer_side(Interval(row["saving_mean"], *ends, ""))
        rows.append(row)

    table = xr.Dataset(
        {key: ("configuration", np.array([row[key] for row in rows])) for key in rows[0]},
        coords={"configuration": names},
        attrs={
            "days": str(cube.attrs.get("days", "")),
            "reference": reference,
            "free_configurations": free,
            "design_kind": draws.design,
            "draws": cube.sizes["draw"],
            "failed_states": list(failed.values()),
            "draws_common": int((status == OPTIMAL).all("configuration").sum()),
            "replicates": int(np.unique(draws.replicate).size),
            "quantile_method": QUANTILE_METHOD,
            "confidence": CONFIDENCE,
            "interval": draws.how,
            "interval_method": draws.method,
            "pooled_scenarios": scenarios_of(cube),
        },
    )
    for column in (*COLUMNS, *DRAWS):
        table[column.name].attrs = {"units": column.units, "long_name": column.definition}
    table["saving_median"].attrs = {"units": COST, "long_name": "Median of the saving over the same draws."}
    table["saving_half_width"].attrs = {"units": COST, "long_name": "Longer side of the interval of the mean saving."}
    for name in [str(each).removesuffix("_low") for each in table.data_vars if str(each).endswith("_low")]:
        for end in ("low", "high"):
            told = f"{end.capitalize()} end of the {CONFIDENCE:.0%} confidence interval of {name}."
            table[f"{name}_{end}"].attrs = {"units": table[name].attrs["units"], "long_name": told}
    for word in failed.values():
        table[f"draws_{word}"].attrs = {"units": "1", "long_name": f"Draws that failed: {word.replace('_', ' ')}."}
    return table


def scenario_tables(cube: xr.Dataset) -> dict[str, xr.Dataset]:
    """Compute `robustness_table` for the draws of each scenario; empty where the study has none."""
    return {name: robustness_table(of_scenario(cube, name)) for name in scenarios_of(cube)}
