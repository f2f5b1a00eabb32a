"""Writes docs/validation.md: what the model says of a year that happened, of a published figure, and where not to trust it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from report import validation_figures as figures
from report.validation_data import Misfit, Observed, at_most, by_area, by_hour, misfit, modelled_hours, read_observed
from report.validation_futures import (
    CONFIGURATION,
    OMITTED,
    PHOTONIC,
    TODAY,
    latency_table,
    markdown,
    okinawa_parts,
    omissions_table,
    options_table,
    published_parts,
    weeks_table,
)
from report.validation_numbers import combinations, omissions, option_effects, published


@dataclass(frozen=True)
class Material:
    """What the page is written from.

    Attributes
    ----------
    backcasts : mapping
        "specification" and "with options" -> hours of FY2024.
    steps : mapping
        The same with the steps between, in order.
    cubes : mapping
        Name of a back-cast -> its cube: its yearly sums must be those of its hours.
    options : mapping
        Option -> its cube of 2040, the specification first.
    omissions, region, okinawa, published : xarray.Dataset
        Cubes of 2040.
    weeks : mapping
        Configuration -> link -> cost of some weeks [million yen].
    users : Series
        Population by area.
    actual : Path
        Folder of the observed year.
    """

    backcasts: Mapping[str, xr.Dataset]
    steps: Mapping[str, xr.Dataset]
    cubes: Mapping[str, xr.Dataset]
    options: Mapping[str, xr.Dataset]
    omissions: xr.Dataset
    region: xr.Dataset
    okinawa: xr.Dataset
    published: xr.Dataset
    weeks: Mapping[str, Mapping[str, Sequence[float]]]
    users: pd.Series
    actual: Path


def write_page(material: Material, docs: Path) -> None:
    """Write the page and its pictures below ``docs``."""
    observed = read_observed(material.actual, tuple(map(str, material.backcasts["specification"]["area"].to_numpy())))
    tables = {name: by_area(hours, observed) for name, hours in material.backcasts.items()}
    for table, cube in zip(tables.values(), material.cubes.values(), strict=True):
        stored = float(cube["generation"].isel(draw=0, configuration=0).sel(technology=["coal", "lng", "oil"]).sum())
        if abs(stored - table["thermal", "model"].sum()) > 1e-3 * stored:
            raise ValueError(
                f"hours sum to {table['thermal', 'model'].sum():g} TWh of thermal output, the cube has {stored:g}"
            )
    hours = {name: modelled_hours(each) for name, each in material.backcasts.items()}
    place = published(material.published, CONFIGURATION)
    drawn: dict[str, Figure] = {
        "validation_areas": figures.area_figure(tables),
        "validation_duration": figures.duration_figure(hours, observed),
        "validation_shape": figures.shape_figure(hours, observed),
        "validation_published": figures.published_figure(material.published, CONFIGURATION, place.plane),
        "validation_latency": figures.latency_figure(material.omissions, TODAY, PHOTONIC),
    }
    folder = docs / "images"
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in drawn.items():
        figure.savefig(folder / f"{name}.png", dpi=110, metadata={"Software": None})
    template = (Path(__file__).parent / "validation.md").read_text(encoding="utf-8")
    for name, text in _parts(material, observed, tables, hours).items():
        if f"{{{name}}}" not in template:
            raise ValueError(f"the page has no place for {name}")
        template = template.replace(f"{{{name}}}", text)
    (docs / "validation.md").write_text(template, encoding="utf-8")


def _parts(
    material: Material,
    observed: Observed,
    tables: Mapping[str, pd.DataFrame],
    hours: Mapping[str, Mapping[str, np.ndarray]],
) -> dict[str, str]:
    """Every part of the page that is made of numbers."""
    steps = {name: misfit(by_area(each, observed)) for name, each in material.steps.items()}
    return {
        "steps": _steps(steps, tables),
        **_in_words(material, steps, tables, hours, observed),
        "areas": _areas(tables),
        "hours": _hours(hours, observed),
        "options": options_table(material.options),
        "weeks": weeks_table(material.weeks),
        **okinawa_parts(material.options, material.okinawa),
        **published_parts(material.published),
        "combinations": markdown(
            ["", "saving"],
            ([str(what), f"{saving:.0f}"] for what, saving in combinations(material.region, CONFIGURATION).to_numpy()),
        ),
        "omissions": omissions_table(material.omissions),
        "latency": latency_table(material.omissions, material.users),
    }


def _steps(steps: Mapping[str, Misfit], tables: Mapping[str, pd.DataFrame]) -> str:
    table = next(iter(tables.values()))
    seen = table["curtailment", "observed"].sum(), table["pumped", "observed"].sum()
    rows = [
        [
            name if place == 0 else f"+ {name}",
            f"{100 * m.mean_area:.1f} %",
            f"{m.mean_area_twh:.1f}",
            f"{m.tokyo_thermal:+.1f}",
            f"{m.tokyo_import:+.1f}",
            f"{100 * m.coal:+.0f} %",
            f"{m.curtailment:.2f}",
            f"{m.pumped:.1f}",
            f"{100 * m.national_thermal:+.1f} %",
        ]
        for place, (name, m) in enumerate(steps.items())
    ]
    rows.append(["observed", "", "", "", "", "", f"{seen[0]:.2f}", f"{seen[1]:.1f}", ""])
    header = ["", "mean error of area thermal", "TWh", "Tokyo thermal", "Tokyo imports", "coal"]
    return markdown([*header, "curtailed", "pumped storage", "national thermal"], rows)


def _in_words(
    material: Material,
    steps: Mapping[str, Misfit],
    tables: Mapping[str, pd.DataFrame],
    hours: Mapping[str, Mapping[str, np.ndarray]],
    observed: Observed,
) -> dict[str, str]:
    """Numbers that stand in sentences."""
    first, last = (list(steps.values())[at] for at in (0, -1))
    seen = next(iter(tables.values()))["curtailment", "observed"].sum()
    effects = option_effects(material.options, CONFIGURATION)
    single = effects["change"].iloc[1:-1]
    rows = omissions(material.omissions, OMITTED)
    total, fuel = rows["total"][CONFIGURATION], rows["fuel and CO2"][CONFIGURATION]
    return {
        "import_before": f"{abs(first.tokyo_import):.1f}",
        "share_curtailed": f"{100 * first.curtailment / seen:.0f} %",
        "coal_left": f"{100 * last.coal:+.0f} %",
        "coal_whole": f"{100 * _with_unsplit(tables):+.0f} %",
        "import_after": f"{abs(last.tokyo_import):.1f}",
        "worst": _worst(tables),
        "at_limit": f"{100 * at_most(hours['with options'], 'Kyushu', observed):.0f} %",
        "times": f"{effects['base'].iloc[-1] / effects['base'].iloc[0]:.1f}",
        "times_others": f"{effects['others'].iloc[-1] / effects['others'].iloc[0]:.1f}",
        "curtailed_2040": f"{effects['curtailed_reference'].iloc[-1]:.0f}",
        "curtailed_before": f"{effects['curtailed_reference'].iloc[0]:.0f}",
        "floor_alone": f"{effects['change']['committed_floor']:+.0f}",
        "single": f"{single.min():+.0f} to {single.max():+.0f}",
        "together": f"{effects['change'].iloc[-1]:+.0f}",
        "discount": f"{total.loc[OMITTED[0]] - total.loc[OMITTED[9]]:.0f}",
        "middle": f"{fuel.loc[OMITTED[0]]:.0f}",
        "no_gap": f"{fuel.loc[OMITTED[1]]:.0f}",
        "no_sea": f"{fuel.loc[OMITTED[2]]:.0f}",
    }


def _with_unsplit(tables: Mapping[str, pd.DataFrame]) -> float:
    """Relative error of coal with options if all that operators do not split were coal."""
    seen, refined = (list(tables.values())[at] for at in (0, -1))
    return float(refined["coal", "model"].sum() / (seen["coal", "observed"] + seen["unsplit", "observed"]).sum() - 1)


def _worst(tables: Mapping[str, pd.DataFrame]) -> str:
    """The areas whose curtailment with options is furthest from what was observed, model for observed [TWh]."""
    table = list(tables.values())[-1]["curtailment"]
    furthest = (table["model"] - table["observed"]).abs().sort_values(ascending=False).index[:3]
    return ", ".join(f"{area} ({table['model'][area]:.2f} TWh for {table['observed'][area]:.2f})" for area in furthest)


def _areas(tables: Mapping[str, pd.DataFrame]) -> str:
    plain, refined = tables.values()
    rows = []
    for area in plain.index:
        row = [str(area)]
        for quantity, digits in (("thermal", 1), ("net_import", 1), ("curtailment", 2), ("pumped", 1)):
            values = (plain[quantity, "observed"], plain[quantity, "model"], refined[quantity, "model"])
            row.append(" / ".join(f"{v[area]:.{digits}f}" for v in values))
        coal = plain["coal", "observed"], plain["unsplit", "observed"], plain["coal", "model"], refined["coal", "model"]
        row.append(f"{coal[0][area]:.1f} (+{coal[1][area]:.1f}) / {coal[2][area]:.1f} / {coal[3][area]:.1f}")
        rows.append(row)
    return markdown(["", "thermal", "net imports", "curtailed", "pumped storage", "coal (+ not split)"], rows)


def _hours(hours: Mapping[str, Mapping[str, np.ndarray]], observed: Observed) -> str:
    plain, refined = (by_hour(dict(each), observed) for each in hours.values())
    rows = []
    for area in plain.index:
        row = [str(area)]
        for name in ("thermal", "net_import"):
            for table in (plain, refined):
                fit = table[f"{name}_correlation"][area]
                row.append(f"{table[f'{name}_rmse'][area]:.2f} ({'-' if np.isnan(fit) else f'{fit:.2f}'})")
        counts = plain["hours_observed"][area], plain["hours_model"][area], refined["hours_model"][area]
        row.append(" / ".join(f"{count:.0f}" for count in counts))
        rows.append(row)
    return markdown(["", "thermal", "with options", "net imports", "with options", "hours curtailed"], rows)
