"""The parts of docs/validation.md that tell of 2040: options, weeks, Okinawa, the published figure, omissions, round trips."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr

from report.validation_numbers import NEAR, least_curtailed, mean_latency, omissions, option_effects, published

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


def markdown(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table, its first column to the left, all others to the right."""
    header = list(header)
    lines = ["| " + " | ".join(header) + " |", "|---|" + "---:|" * (len(header) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _signed(value: float) -> str:
    """A change with its sign, to a tenth; what rounds to nothing is +0.0."""
    return f"{round(value, 1) + 0.0:+.1f}"


def options_table(cubes: Mapping[str, xr.Dataset]) -> str:
    """Saving with each option alone, the specification first."""
    table = option_effects(cubes, CONFIGURATION)
    rows = [
        [
            f"`{name}`" if place and name != "all_of_the_back_cast" else str(name).replace("_", " "),
            f"{row['base']:.1f}",
            "" if not place else _signed(row["change"]),
            f"{row['others']:.1f}",
            "" if not place else f"{_signed(row['least'])} to {_signed(row['most'])}",
            f"{row['curtailed_reference']:.1f} / {row['curtailed']:.1f}",
        ]
        for place, (name, row) in enumerate(table.iterrows())
    ]
    header = ["", "saving, middle case", "change", "mean of four draws", "change in each", "curtailed [TWh]"]
    return markdown(header, rows)


def weeks_table(weeks: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Weeks whose days are apart or linked: change of cost, and the saving."""
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


def published_parts(cube: xr.Dataset) -> dict[str, str]:
    """Where the published figure lies: in words, and by parameter."""
    found = published(cube, CONFIGURATION)
    least = least_curtailed(cube)
    others = ", ".join(f"`{name}` in {100 * share:.0f} %" for name, share in least.items() if name != CONFIGURATION)
    where = (
        f"{found.draws} draws of the default distributions give `{CONFIGURATION}` a mean saving of {found.mean:.0f} billion "
        f"yen a year, median {found.median:.0f}: the published 65 is their {100 * found.quantile:.0f} % quantile (95 % "
        f"interval {100 * found.low:.0f} to {100 * found.high:.0f} %), and the {100 * found.with_link:.0f} % quantile of "
        f"draws with the Japan Sea link in service. {found.near} draws lie within {NEAR:.0f} of it. In "
        f"{100 * found.least_curtailed:.0f} % of draws `{CONFIGURATION}` curtails least of the four configurations, {others}."
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


def omissions_table(cube: xr.Dataset) -> str:
    """Savings with one thing left out at a time."""
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


def latency_table(cube: xr.Dataset, population: pd.Series) -> str:
    """Mean round trip by configuration, without and with the all-photonic network."""
    users = population[[str(a) for a in cube["area"].to_numpy()]].to_numpy(dtype=np.float64)
    today, photonic = (mean_latency(cube, draw, users) for draw in (TODAY, PHOTONIC))
    return markdown(
        ["mean round trip of all users [ms]", *(f"`{name}`" for name in today.index)],
        [
            ["network of today", *(f"{v:.1f}" for v in today)],
            ["all-photonic network", *(f"{v:.1f}" for v in photonic)],
        ],
    )


def okinawa_parts(options: Mapping[str, xr.Dataset], cube: xr.Dataset) -> dict[str, str]:
    """What leaving Okinawa out does to the saving, and what one percent of the load there costs [billion yen a year]."""
    effects = option_effects(options, CONFIGURATION).loc["left_out", ["change", "least", "most"]]
    saving = cube["saving_fuel_co2"]
    cost = (saving.sel(configuration=CONFIGURATION) - saving.sel(configuration="one_percent")).to_numpy()
    return {
        "left_out": f"{np.abs(effects.to_numpy(dtype=np.float64)).max():.2f}",
        "okinawa_cost": f"{cost[0]:.1f}",
        "okinawa_range": f"{cost[1:].min():.1f} to {cost[1:].max():.1f}",
    }
