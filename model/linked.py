"""Whole weeks as one program: storage that carries energy over nights and weekends, commitment that lasts a week.

The dispatch of a study separates by day, and its speed rests on that: linked days would be one program of as many times
the rows, without cuts by day. This states the linked program from the same template, to measure what the day split hides.
"""

from __future__ import annotations

from collections.abc import Sequence

import highspy
import numpy as np
from scipy import sparse

from model import dispatch
from model.case import Case
from model.live import taken
from model.parameters import WEATHER_YEAR, Theta
from model.template import Floats
from model.weather import HOURS


def linked_cost(case: Case, theta: Theta, load: Floats, days: Sequence[int], storage: bool, commitment: bool) -> float:
    """Cost of consecutive days [million yen] around a siting, without nuclear fuel.

    Parameters
    ----------
    load : (A,) array, GW
        Mean IT load of each area.
    days : sequence of int
        0 = 1 April; the last one is followed by the first.
    storage : bool
        Storage carries energy from day to day; else every day closes on its own.
    commitment : bool
        The same capacity is committed on all of them.

    Raises
    ------
    RuntimeError
        The program was not solved.
    """
    template, year = case.dispatch, str(theta[WEATHER_YEAR])
    draw = template.vector({**dispatch.of_draw(theta, case.inputs), "X": load})
    weather = case.inputs.weather[year]
    entries = np.array(
        [template.values(template.vector(dispatch.of_day(weather, day, case.inputs), draw)) for day in days]
    )
    rows, columns = template.shape
    at, number = template.sections, len(days)
    place = np.arange(number * columns).reshape(number, columns)
    if commitment:
        place[1:, template.columns["committed"]] = place[0, template.columns["committed"]]
    of_row = np.repeat(np.arange(rows), np.diff(template.row_start))
    # Rows and columns of the first hour's energy from the last hour: there the days are linked.
    first = template.rows["storage"].reshape(-1, HOURS)[:, 0] if "storage" in template.rows else np.empty(0, int)
    last = template.columns["soc"].reshape(-1, HOURS)[:, -1] if "soc" in template.columns else np.empty(0, int)
    carried = np.isin(of_row, first) & np.isin(template.column_index, last)
    parts = []
    for day in range(number):
        column = place[day, template.column_index]
        if storage:
            column = np.where(carried, place[day - 1, template.column_index], column)
        parts.append((entries[day, at["matrix"]], day * rows + of_row, column))
    value, row, column = (np.concatenate(part) for part in zip(*parts, strict=True))
    matrix = sparse.csr_array((value, (row, column)), shape=(number * rows, number * columns))
    cost = np.bincount(place.ravel(), entries[:, at["cost"]].ravel(), minlength=number * columns)
    low, high = np.zeros(number * columns), np.zeros(number * columns)
    for day in range(number):
        low[place[day]], high[place[day]] = entries[day, at["column_lower"]], entries[day, at["column_upper"]]
    highs = highspy.Highs()
    for option, setting in (("output_flag", False), ("threads", 1), ("random_seed", 0)):
        highs.setOptionValue(option, setting)
    taken(
        highs.passModel(
            number * columns,
            number * rows,
            matrix.nnz,
            int(highspy.MatrixFormat.kRowwise),
            int(highspy.ObjSense.kMinimize),
            float(entries[:, at["offset"]].sum()),
            cost,
            low,
            high,
            entries[:, at["row_lower"]].ravel(),
            entries[:, at["row_upper"]].ravel(),
            matrix.indptr.astype(np.int32),
            matrix.indices.astype(np.int32),
            matrix.data,
            np.zeros(number * columns, dtype=np.int32),
        ),
        "a program of linked days",
    )
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"days {days[0]} to {days[-1]} ended {highs.getModelStatus()}")
    return float(highs.getObjectiveValue())
