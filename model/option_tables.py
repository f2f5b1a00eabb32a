"""Reads the tables of a study's options and checks them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from model.errors import InputError
from model.options import (
    ALL,
    HOURS,
    MONTHS,
    NUCLEAR,
    SUM_TOLERANCE,
    THERMAL,
    WAYS,
    Floats,
    Options,
    OptionsSpec,
    option_paths,
)
from model.tables import Table


def read_options(
    spec: OptionsSpec,
    base: Path,
    areas: tuple[str, ...],
    lines: tuple[str, ...] = (),
    floor: Floats | None = None,
    pumped: float = 1.0,
) -> Options:
    """Read and check the options' tables.

    Parameters
    ----------
    lines : tuple of str
    floor, pumped : (3,) array, float
        Committed floor by fuel and derate of pumped storage where the options' tables say nothing; default: 0 and 1.

    Raises
    ------
    InputError
        As :func:`model.inputs.read_inputs`.
    """
    paths = {name.removeprefix("options."): path for name, path in option_paths(spec, base).items()}
    blocks = _read_blocks(paths["heat_rates"], areas) if "heat_rates" in paths else (None, None)
    share = _read_availability(paths["availability"], areas) if "availability" in paths else None
    floors = np.zeros(len(THERMAL)) if floor is None else floor
    margins = _read_margins(paths["line_margin"], lines) if "line_margin" in paths else (None, None)
    ramp = np.array([spec.ramp.get(g, np.inf) for g in THERMAL]) if spec.ramp else None
    return Options(
        block_share=blocks[0],
        heat_rate=blocks[1],
        thermal_share=None if share is None else share[..., : len(THERMAL)],
        nuclear_share=None if share is None else share[..., len(THERMAL)],
        pue_factor=_read_pue(paths["pue_profile"], areas) if "pue_profile" in paths else None,
        dc_factor=_read_dc(paths["dc_profile"]) if "dc_profile" in paths else None,
        floor_share=_read_floor(paths["committed_floor"], areas, floors) if "committed_floor" in paths else None,
        pumped_share=_read_pumped(paths["pumped_derate"], areas, pumped) if "pumped_derate" in paths else None,
        line_forward=margins[0],
        line_backward=margins[1],
        ramp=ramp,
        curtailment_sharing=spec.curtailment_sharing,
        left_out=spec.left_out,
        reserve=spec.reserve,
        reserve_penalty=spec.reserve_penalty if spec.reserve else 0.0,
        forecast_margin=spec.forecast_margin,
        transmission_loss=spec.transmission_loss,
    )


def _read_blocks(path: Path, areas: tuple[str, ...]) -> tuple[Floats, Floats]:
    table = Table(path, ["share", "heat_rate"], ["area", "technology", "block"])
    of = zip(table.text("area", areas), table.text("technology", THERMAL), strict=True)
    share, rate = table.number("share", 0.0, 1.0), table.number("heat_rate", 0.1, 10.0)
    found: dict[tuple[int, int], list[tuple[float, float]]] = {}
    for row, (area, technology) in enumerate(of):
        unit = areas.index(area), THERMAL.index(technology)
        found.setdefault(unit, []).append((float(rate[row]), float(share[row])))
    most = max(map(len, found.values()))
    shares, rates = np.zeros((len(areas), len(THERMAL), most)), np.ones((len(areas), len(THERMAL), most))
    for (a, g), blocks in found.items():
        total = sum(part for _, part in blocks)
        if abs(total - 1) > SUM_TOLERANCE:
            key = f"share[{areas[a]}/{THERMAL[g]}]"
            raise InputError(table.where, key, f"a sum of {total:.9g}", "shares that sum to 1")
        for place, (each, part) in enumerate(sorted(blocks)):
            rates[a, g, place], shares[a, g, place] = each, part / total
    return shares, rates


def _by_area(
    table: Table,
    areas: tuple[str, ...],
    keys: list[tuple[int, ...]],
    values: Floats,
    size: tuple[int, ...],
    column: str = "area",
) -> Floats:
    """Rows as an array (A, *size): of the area (or line), else of ``all``, else NaN."""
    found = np.full((len(areas) + 1, *size), np.nan)
    for area, key, value in zip(table.text(column, [*areas, ALL]), keys, values, strict=True):
        found[(len(areas) if area == ALL else areas.index(area), *key)] = value
    return np.where(np.isnan(found[:-1]), found[-1], found[:-1])


def _months(table: Table) -> list[int]:
    return [m - 1 for m in _whole(table, "month", 1, MONTHS)]


def _whole(table: Table, column: str, low: int, high: int) -> list[int]:
    numbers = table.number(column, low, high)
    for row in np.flatnonzero(numbers % 1):
        raise InputError(table.where, f"{column}[{table.label(row)}]", float(numbers[row]), "a whole number")
    return [int(n) for n in numbers]


def _read_availability(path: Path, areas: tuple[str, ...]) -> Floats:
    """(12, A, 4) of coal, lng, oil, nuclear; 1 where the table says nothing of a technology."""
    table = Table(path, ["share"], ["technology", "area", "month"])
    known = (*THERMAL, NUCLEAR)
    technology = [known.index(name) for name in table.text("technology", known)]
    month = _months(table)
    keys: list[tuple[int, ...]] = list(zip(month, technology, strict=True))
    found = _by_area(table, areas, keys, table.number("share", 0.0, 100.0), (MONTHS, len(known)))
    silent = np.isnan(found).all(axis=1, keepdims=True)
    found = np.where(silent, 1.0, found)
    for a, m, g in np.argwhere(np.isnan(found)):
        raise InputError(table.where, "technology/area/month", f"{known[g]}/{areas[a]}/{m + 1} missing", "every month")
    return np.moveaxis(found, 0, 1)


def _read_pue(path: Path, areas: tuple[str, ...]) -> Floats:
    table = Table(path, ["factor"], ["area", "month", "hour"])
    month = _months(table)
    keys: list[tuple[int, ...]] = list(zip(month, _whole(table, "hour", 0, HOURS - 1), strict=True))
    found = _by_area(table, areas, keys, table.number("factor", 0.1, 10.0), (MONTHS, HOURS))
    for a, m, t in np.argwhere(np.isnan(found)):
        raise InputError(table.where, "area/month/hour", f"{areas[a]}/{m + 1}/{t} missing", "every hour of every month")
    return np.moveaxis(found, 0, 2)


def _read_dc(path: Path) -> Floats:
    table = Table(path, ["factor"], ["hour"])
    hours = _whole(table, "hour", 0, HOURS - 1)
    if len(hours) != HOURS:
        raise InputError(table.where, "hour", f"{len(hours)} hours", f"each of 0..{HOURS - 1}")
    factor = np.empty(HOURS)
    factor[hours] = table.number("factor", 0.0, 10.0)
    if abs(factor.mean() - 1) > SUM_TOLERANCE:
        raise InputError(table.where, "factor", f"a mean of {factor.mean():.9g}", "factors of mean 1")
    return factor


def _read_floor(path: Path, areas: tuple[str, ...], usual: Floats) -> Floats:
    """(12, A, 3) least committed share; ``usual`` (3,) for months that the table leaves out."""
    table = Table(path, ["share"], ["technology", "area", "month"])
    technology = [THERMAL.index(name) for name in table.text("technology", THERMAL)]
    keys: list[tuple[int, ...]] = list(zip(_months(table), technology, strict=True))
    found = _by_area(table, areas, keys, table.number("share", 0.0, 1.0), (MONTHS, len(THERMAL)))
    return np.moveaxis(np.where(np.isnan(found), usual, found), 0, 1)


def _read_pumped(path: Path, areas: tuple[str, ...], usual: float) -> Floats:
    """(12, A) share of pumped storage in use; ``usual`` for months that the table leaves out."""
    table = Table(path, ["share"], ["area", "month"])
    keys: list[tuple[int, ...]] = [(month,) for month in _months(table)]
    found = _by_area(table, areas, keys, table.number("share", 0.0, 1.0), (MONTHS,))
    return np.where(np.isnan(found), usual, found).T


def _read_margins(path: Path, lines: tuple[str, ...]) -> tuple[Floats, Floats]:
    """(12, lines) forward and backward, 1 for months that the table leaves out."""
    table = Table(path, ["share"], ["line", "direction", "month"])
    way = [WAYS.index(name) for name in table.text("direction", WAYS)]
    keys: list[tuple[int, ...]] = list(zip(way, _months(table), strict=True))
    found = _by_area(table, lines, keys, table.number("share", 0.0, 10.0), (len(WAYS), MONTHS), "line")
    forward, backward = np.moveaxis(np.where(np.isnan(found), 1.0, found), 0, -1)
    return forward, backward
