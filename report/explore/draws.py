"""Pack the draws of a cube for a page that computes with them: parameters, outcomes by configuration, some by area."""

from __future__ import annotations

import base64
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from report.document.language import Words
from report.factors import Factor, is_few
from report.metrics import Futures, read_futures, strongest_first
from report.outcomes import CubeContentError, outcome, paired_outcome, states

OUTCOMES: Final = {
    "saving_total": ("saving in total cost", "総費用の節約額", True),
    "saving_fuel_co2": ("saving in fuel and CO2 cost", "燃料・CO2対策費用の節約額", True),
    "regret_total": ("regret in total cost", "総費用の後悔", True),
    "total_cost": ("total cost", "総費用", True),
    "co2": ("CO2 emitted [Mt]", "CO2排出量 [Mt]", False),
}
BY_AREA: Final = {
    "curtailment": ("curtailment [TWh]", "出力抑制 [TWh]", False),
    "siting_value": ("value of one more GW", "1GW増の費用", True),
}
STATES: Final = {
    "not_run": ("not run yet", "未計算"),
    "optimal": ("solved", "解あり"),
    "infeasible": ("infeasible: no siting or dispatch meets all constraints", "実行不可能：制約をすべて満たす解がない"),
    "unbounded": ("unbounded", "非有界"),
    "iteration_limit": ("given up at the iteration limit", "反復回数の上限で打切り"),
    "set_aside": ("set aside: it took too long or ended its worker", "保留：時間超過または異常終了"),
    "solver_error": ("the solver failed", "ソルバーの失敗"),
}
MOST_CELLS: Final = 6_000_000
"""Numbers by area, in all: more would make a page that no browser opens gladly."""


def packed(cube: xr.Dataset) -> dict[str, Any]:
    """
    Return what the page computes with, as plain values for JSON; arrays are base64 of little-endian numbers.

    Returns
    -------
    dict
        ``n``, ``reference``, ``states`` (name, labels, by code), ``status`` (int8 (configurations, n), codes), ``configurations`` (name, labels, free, trouble), ``parameters`` (name, labels, unit, the
        values of a few or none, ``data``: float64 (n,)), ``outcomes`` (name, labels, money, ``data``: float64
        (configurations, n), NaN where missing), ``areas`` and ``by_area`` (``data``: float32 (configurations, areas, n)).

    Raises
    ------
    CubeContentError
        If the cube lacks what it needs, or no parameter varies.
    """
    futures = read_futures(cube)
    if not futures.factors:
        raise CubeContentError("no parameter varies over these draws: there is nothing to explore")
    return {
        "n": futures.n,
        "reference": futures.reference,
        "design": futures.design,
        "states": {
            str(code): {"name": word, "label": list(STATES.get(word, (word, word)))}
            for code, word in states(cube).items()
        },
        "status": base64_of(cube["status"].transpose("configuration", "draw").to_numpy().astype(np.int8)),
        "configurations": [
            {
                "name": name,
                "label": _both("configuration", name),
                "free": name in futures.free,
                "trouble": futures.trouble(name),
                "failed": futures.failed[name],
            }
            for name in futures.names
        ],
        "parameters": [_parameter(futures, factor) for factor in strongest_first(futures)],
        "outcomes": [_outcome(cube, name) for name in OUTCOMES if name in cube.data_vars],
        "areas": [{"name": str(area), "label": _both("area", str(area))} for area in _areas(cube)],
        "by_area": [_by_area(cube, name) for name in BY_AREA if name in cube.data_vars and _fits(cube)],
    }


def _both(kind: str, name: str) -> list[str]:
    return [str(getattr(Words("en"), kind)(name)), str(getattr(Words("ja"), kind)(name))]


def _areas(cube: xr.Dataset) -> list[str]:
    return [str(area) for area in cube["area"].to_numpy()] if "area" in cube.coords and _fits(cube) else []


def _fits(cube: xr.Dataset) -> bool:
    cells = cube.sizes["draw"] * cube.sizes["configuration"] * cube.sizes.get("area", 0) * len(BY_AREA)
    return 0 < cells <= MOST_CELLS


def _parameter(futures: Futures, factor: Factor) -> dict[str, Any]:
    unit = str(futures.cube[factor.name].attrs.get("units", ""))
    return {
        "name": factor.name,
        "label": _both("parameter", factor.name),
        "unit": [Words("en").units(unit), Words("ja").units(unit)],
        "few": np.unique(factor.values).tolist() if is_few(factor) else [],
        "texts": list(factor.labels),
        "data": base64_of(factor.values),
    }


def _outcome(cube: xr.Dataset, name: str) -> dict[str, Any]:
    array = paired_outcome(cube, name) if name.startswith("saving_") else outcome(cube, name)
    english, japanese, money = OUTCOMES[name]
    values = array.transpose("configuration", "draw").to_numpy()
    return {"name": name, "label": [english, japanese], "money": money, "data": base64_of(values)}


def _by_area(cube: xr.Dataset, name: str) -> dict[str, Any]:
    array = outcome(cube, name)
    if "technology" in array.dims:
        array = array.sum("technology", min_count=1)
    english, japanese, money = BY_AREA[name]
    values = array.transpose("configuration", "area", "draw").to_numpy().astype(np.float32)
    return {"name": name, "label": [english, japanese], "money": money, "data": base64_of(values)}


def base64_of(values: NDArray[Any]) -> str:
    """Return numbers as base64 of their bytes, little-endian, in the order of the last dimension."""
    small = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<"))
    return base64.b64encode(small.tobytes()).decode("ascii")
