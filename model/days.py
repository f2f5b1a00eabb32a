"""Which days stand for the year: all of them, representative ones by clustering, or a given list, with weights.

Days chosen by what decisions feel need futures to be solved: ``decision_days``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from model.errors import InputError
from model.inputs import Inputs
from model.neighbours import short_path
from model.spec import DaysSpec
from model.tables import Table
from model.weather import DAYS, HOURS, WeatherYear

WEIGHT_TOLERANCE = 1e-3  # days; weights are often given with a few decimals


@dataclass(frozen=True, eq=False)
class Days:
    """Days of a weather year, and how many days of the year each stands for.

    Attributes
    ----------
    day : (days,) array
        0 = 1 April, ascending.
    weight : (days,) array
        Sum 365.
    order : (days,) array
        Positions in the order of solving: neighbours differ little. As listed where it is not given.
    """

    day: NDArray[np.int64]
    weight: NDArray[np.float64]
    order: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __post_init__(self) -> None:
        if not self.order.size:
            object.__setattr__(self, "order", np.arange(self.day.size))


def choose_days(spec: DaysSpec, inputs: Inputs, weather_years: Sequence[str], base: Path = Path()) -> dict[str, Days]:
    """Days of each weather year.

    Raises
    ------
    InputError
        In a file: an unknown weather year, a day out of 0..364 or repeated, weights that do not sum to 365, a year
        that the draws need and the file leaves out.
    """
    if spec.file is not None:
        chosen = _from_file(base / spec.file, inputs, weather_years)
    elif spec.all:
        chosen = {year: Days(np.arange(DAYS), np.ones(DAYS)) for year in weather_years}
    else:
        assert spec.number is not None  # the spec allows exactly one of the three
        assert not spec.by_decision, "futures choose these days, see decision_days"
        chosen = {year: representative_days(inputs.weather[year], inputs, spec.number) for year in weather_years}
    return {year: in_order(days, inputs.weather[year], inputs) for year, days in chosen.items()}


def in_order(days: Days, weather: WeatherYear, inputs: Inputs) -> Days:
    """The days with an order of solving in which residual load changes little from one to the next."""
    return replace(days, order=short_path(residual_load(weather, inputs, days.day).reshape(days.day.size, -1)))


def residual_load(weather: WeatherYear, inputs: Inputs, day: NDArray[np.int64]) -> NDArray[np.float64]:
    """Demand less what sun, wind and hydro could give, of days (days, 24, A) [GW]."""
    to_2040 = 1000 * inputs.demand / weather.demand.sum(axis=(0, 1))
    available = (weather.capacity_factor[day] * inputs.curtailable).sum(axis=-1) + weather.hydro[day]
    load: NDArray[np.float64] = weather.demand[day] * to_2040 - available
    return load


def extreme_day(weather: WeatherYear, inputs: Inputs) -> int:
    """The day that holds the highest national residual load (demand less solar and wind)."""
    available = (weather.capacity_factor * inputs.curtailable).sum(axis=(2, 3))
    to_2040 = 1000 * inputs.demand / weather.demand.sum(axis=(0, 1))
    residual = (weather.demand * to_2040).sum(axis=2) - available
    return int(residual.max(axis=1).argmax())


def _from_file(path: Path, inputs: Inputs, weather_years: Sequence[str]) -> dict[str, Days]:
    table = Table(path, ["weight"], ["weather_year", "day"])
    years = np.array(table.text("weather_year", inputs.weather))
    day, weight = table.number("day", 0, DAYS - 1), table.number("weight")
    for row in np.flatnonzero(day % 1):
        raise InputError(table.where, f"day[{table.label(row)}]", float(day[row]), "a whole number in 0..364")
    chosen = {}
    for year in weather_years:
        of_year = np.flatnonzero(years == year)
        if not of_year.size:
            raise InputError(table.where, "weather_year", ", ".join(sorted(set(years))), f"days of {year} too")
        total = weight[of_year].sum()
        if abs(total - DAYS) > WEIGHT_TOLERANCE:
            raise InputError(table.where, f"weight[{year}]", f"a sum of {total:.6g}", f"weights that sum to {DAYS}")
        order = of_year[np.argsort(day[of_year])]
        for row in order[1:][np.diff(day[order]) == 0]:
            raise InputError(table.where, "weather_year/day", table.label(row), "each key once")
        chosen[year] = Days(day[order].astype(np.int64), weight[order])
    return chosen


def representative_days(weather: WeatherYear, inputs: Inputs, number: int) -> Days:
    """Real days that stand for the year: medoids of a hierarchical clustering, and the day of highest residual load.

    Clusters are of area demand, solar and wind together, scaled to 0..1 each (tsam, ``hierarchical``). The
    :func:`extreme_day` stands for itself alone and is counted in ``number``.
    """
    import tsam  # brings 60 MB along, which no worker needs

    if number >= DAYS:
        return Days(np.arange(DAYS), np.ones(DAYS))
    profile = _profile(weather, inputs)
    extreme = extreme_day(weather, inputs)
    if number == 1:
        return Days(np.array([extreme]), np.array([float(DAYS)]))
    rest = np.delete(np.arange(DAYS), extreme)
    frame = pd.DataFrame(
        profile[rest].reshape(rest.size * HOURS, -1),
        index=pd.date_range("2001-01-01", periods=rest.size * HOURS, freq="h"),
        columns=[f"c{n:03d}" for n in range(profile.shape[2])],
    )
    clustered = tsam.aggregate(
        frame,
        n_clusters=number - 1,
        period_duration=HOURS,
        cluster=tsam.ClusterConfig(method="hierarchical", representation="medoid"),
        preserve_column_means=False,
    ).clustering
    centres = rest[np.asarray(clustered.cluster_centers, dtype=np.int64)]
    members = np.bincount(np.asarray(clustered.cluster_assignments, dtype=np.int64), minlength=number - 1)
    day = np.append(centres, extreme)
    weight = np.append(members, 1).astype(np.float64)
    order = np.argsort(day)
    return Days(day[order], weight[order])


def _profile(weather: WeatherYear, inputs: Inputs) -> NDArray[np.float64]:
    """Columns to cluster by (365, 24, columns): demand, solar and wind of every area; constant ones left out."""
    wind = (weather.capacity_factor * inputs.curtailable)[..., 1:].sum(axis=-1)
    columns = np.concatenate([weather.demand, weather.capacity_factor[..., 0], wind], axis=-1)
    varies = np.ptp(columns, axis=(0, 1)) > 0
    return columns[..., varies]
