"""Writes docs/validation.md: what the model says of a year that happened, of a published figure, and where not to trust it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from report import validation_figures as figures
from report.validation_data import Misfit, Observed, by_area, by_hour, misfit, modelled_hours, read_observed
from report.validation_numbers import NEAR, combinations, mean_latency, omissions, option_effects, published

CONFIGURATION = "five_hubs"
PHOTONIC, TODAY = 6, 5  # draws of the study of omissions in which the all-photonic network is everywhere, nowhere
OMITTED = (
    "middle case",
    "no difference in cooling (`pue_gap` 0)",
    "no Japan Sea link",
    "no second Kanmon link",
    "no load moved in time or space",
    "no all-photonic network",
    "all-photonic network everywhere",
    "line limits × 0.75 (middle: 0.9)",
    "line limits × 1",
    "building costs the same everywhere outside Kansai",
    "no cooling gap, no new links, no moved load, no discount",
)


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
    omissions, region, published : xarray.Dataset
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
    published: xr.Dataset
    weeks: Mapping[str, Mapping[str, Sequence[float]]]
    users: pd.Series
    actual: Path


def markdown(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table, its first column to the left, all others to the right."""
    header = list(header)
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


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
        **_in_words(material, steps, tables),
        "areas": _areas(tables),
        "hours": _hours(hours, observed),
        "options": _options(material.options),
        "weeks": _weeks(material.weeks),
        **_published(material),
        "combinations": markdown(
            ["", "saving"],
            ([str(what), f"{saving:.0f}"] for what, saving in combinations(material.region, CONFIGURATION).to_numpy()),
        ),
        "omissions": _omissions(material.omissions),
        "latency": _latency(material),
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


def _in_words(material: Material, steps: Mapping[str, Misfit], tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
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
        "coal_left": f"{100 * last.coal:.0f} %",
        "times": f"{effects['base'].iloc[-1] / effects['base'].iloc[0]:.1f}",
        "single": f"{single.min():+.0f} to {single.max():+.0f}",
        "together": f"{effects['change'].iloc[-1]:+.0f}",
        "discount": f"{total.loc[OMITTED[0]] - total.loc[OMITTED[9]]:.0f}",
        "middle": f"{fuel.loc[OMITTED[0]]:.0f}",
        "no_gap": f"{fuel.loc[OMITTED[1]]:.0f}",
        "no_sea": f"{fuel.loc[OMITTED[2]]:.0f}",
    }


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


def _options(cubes: Mapping[str, xr.Dataset]) -> str:
    table = option_effects(cubes, CONFIGURATION)
    rows = [
        [
            f"`{name}`" if place and name != "all_of_the_back_cast" else str(name).replace("_", " "),
            f"{row['base']:.1f}",
            "" if not place else f"{row['change']:+.1f}",
            f"{row['others']:.1f}",
            "" if not place else f"{row['least']:+.1f} to {row['most']:+.1f}",
            f"{row['curtailed_reference']:.1f} / {row['curtailed']:.1f}",
        ]
        for place, (name, row) in enumerate(table.iterrows())
    ]
    header = ["", "saving, middle case", "change", "mean of four draws", "change in each", "curtailed [TWh]"]
    return markdown(header, rows)


def _weeks(weeks: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    names = list(weeks)
    apart = {name: sum(weeks[name]["days apart"]) for name in names}
    number = len(weeks[names[0]]["days apart"])
    rows = []
    for link in weeks[names[0]]:
        cost = {name: sum(weeks[name][link]) for name in names}
        saving = (cost[names[0]] - cost[names[1]]) * 365 / (7 * number) / 1000
        change = [f"{100 * (cost[name] / apart[name] - 1):+.2f} %" for name in names]
        rows.append([link, *change, f"{saving:.1f}"])
    return markdown(["", *(f"cost of {name}" for name in names), "saving of dispatch cost"], rows)


def _published(material: Material) -> dict[str, str]:
    found = published(material.published, CONFIGURATION)
    where = (
        f"{found.draws} draws of the default distributions give `{CONFIGURATION}` a mean saving of {found.mean:.0f} billion "
        f"yen a year, median {found.median:.0f}: the published 65 is their {100 * found.quantile:.0f} % quantile (95 % "
        f"interval {100 * found.low:.0f} to {100 * found.high:.0f} %), and the {100 * found.with_link:.0f} % quantile of "
        f"draws with the Japan Sea link in service. {found.near} draws lie within {NEAR:.0f} of it. In "
        f"{100 * found.least_curtailed:.0f} % of draws `{CONFIGURATION}` curtails least of the four configurations."
    )
    rows = []
    for name, row in found.ranges.head(9).iterrows():
        rows.append(
            [
                f"`{name}`",
                f"{row['slope']:+.0f}",
                " / ".join(_plain(row[f"all {q:g}"]) for q in (0.05, 0.5, 0.95)),
                " / ".join(_plain(row[f"near {q:g}"]) for q in (0.05, 0.5, 0.95)),
            ]
        )
    header = [
        "",
        "slope by one standard deviation",
        "all draws, 5 / 50 / 95 %",
        f"draws within {NEAR:.0f} of 65",
    ]
    return {"published": textwrap.fill(where, 120), "region": markdown(header, rows), "fit": f"{100 * found.fit:.0f} %"}


def _plain(value: float) -> str:
    """A parameter's value, short."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _omissions(cube: xr.Dataset) -> str:
    table = omissions(cube, OMITTED)
    rows = []
    for name in OMITTED:
        saving = table["fuel and CO2"].loc[name]
        rows.append(
            [
                name,
                f"{saving[CONFIGURATION]:.0f}",
                f"{saving['four_hubs']:.0f}",
                f"{saving['ten_areas']:.0f}",
                f"{table['total'].loc[name][CONFIGURATION]:.0f}",
            ]
        )
    return markdown(["", "five_hubs", "four_hubs", "ten_areas", "five_hubs, total cost"], rows)


def _latency(material: Material) -> str:
    users = material.users[[str(a) for a in material.omissions["area"].to_numpy()]].to_numpy(dtype=np.float64)
    today, photonic = (mean_latency(material.omissions, draw, users) for draw in (TODAY, PHOTONIC))
    return markdown(
        ["mean round trip of all users [ms]", *(f"`{name}`" for name in today.index)],
        [
            ["network of today", *(f"{v:.1f}" for v in today)],
            ["all-photonic network", *(f"{v:.1f}" for v in photonic)],
        ],
    )
