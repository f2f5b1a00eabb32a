"""Say what each column of the robustness table is: its headings, unit, digits and definition."""

import math
from dataclasses import dataclass

import numpy as np
import xarray as xr

COST = "billion yen per year"


@dataclass(frozen=True)
class Column:
    """
    One column of the robustness table.

    Attributes
    ----------
    name
        Variable of the table's dataset.
    group, heading
        Upper and lower heading on the page.
    short
        Heading of the plain-text table, lines parted by a newline.
    units
        Unit of the stored value; "1" for shares in 0..1 and counts.
    digits
        Digits after the decimal point when shown.
    definition
        What the number is, in one or two sentences.
    percent
        Whether a share is shown in per cent.
    bounded
        Whether the table has an interval of it, ``NAME_low`` to ``NAME_high``.
    """

    name: str
    group: str
    heading: str
    short: str
    units: str
    digits: int
    definition: str
    percent: bool = False
    bounded: bool = True

    @property
    def is_count(self) -> bool:
        """Whether it tells how many draws the columns before it rest on."""
        return self.heading == "n"

    @property
    def shown_units(self) -> str:
        """Unit of the number as shown; empty for a count."""
        if self.percent:
            return "%"
        return "" if self.units == "1" else self.units

    def show(self, value: float, *, missing: str = "-", minus: str = "-") -> str:
        """Write one value; ``missing`` where it is NaN, never a zero; ``minus`` is the sign to write."""
        if math.isnan(value):
            return missing
        scaled = round(value * (100.0 if self.percent else 1.0), self.digits) + 0.0  # + 0.0 turns -0.0 into 0.0
        return f"{scaled:,.{self.digits}f}".replace("-", minus)

    def side(self, row: xr.Dataset, *, missing: str = "") -> str:
        """Write how far the interval of one configuration's number reaches at most; ``missing`` without both ends."""
        if self.is_count or not self.bounded:
            return missing
        at, low, high = (float(row[name]) for name in (self.name, f"{self.name}_low", f"{self.name}_high"))
        half = float(np.maximum(at - low, high - at))
        return missing if math.isnan(half) else f"±{self.show(half)}"

    def ends(self, row: xr.Dataset) -> str:
        """Write the ends of that interval, open ones as …; empty without any."""
        low, high = (float(row[f"{self.name}_{end}"]) for end in ("low", "high"))
        if math.isnan(low) and math.isnan(high):
            return ""
        return " to ".join(self.show(end, missing="…", minus="−") for end in (low, high))


COLUMNS = (
    Column(
        "saving_mean",
        "Saving in fuel and CO2 cost",
        "mean",
        "saving\nmean",
        COST,
        1,
        "Fuel and CO2 cost of the reference minus that of the configuration in the same draw, averaged over the draws "
        "that finished in both. Positive: the configuration is cheaper.",
    ),
    Column(
        "saving_p5",
        "Saving in fuel and CO2 cost",
        "5th pct.",
        "saving\np5",
        COST,
        1,
        "5th percentile of the saving over the same draws (quantile method: numpy 'linear').",
    ),
    Column(
        "saving_p95",
        "Saving in fuel and CO2 cost",
        "95th pct.",
        "saving\np95",
        COST,
        1,
        "95th percentile of the saving over the same draws (quantile method: numpy 'linear').",
    ),
    Column(
        "saving_share",
        "Saving in fuel and CO2 cost",
        "draws\u00a0>\u00a00",
        "draws\nsaving %",
        "1",
        1,
        "Share of the draws, among those where the saving is defined, in which it is above zero. Not defined for the "
        "reference.",
        percent=True,
    ),
    Column(
        "saving_draws",
        "Saving in fuel and CO2 cost",
        "n",
        "\nn",
        "1",
        0,
        "Draws behind these numbers: finished in the configuration and in the reference.",
    ),
    Column(
        "saving_total_mean",
        "Total cost",
        "mean saving",
        "total\nsaving",
        COST,
        1,
        "Mean saving in total cost: siting (building, sites, network, latency penalty) and dispatch, against the "
        "reference in the same draw.",
    ),
    Column(
        "saving_total_draws",
        "Total cost",
        "n",
        "\nn",
        "1",
        0,
        "Draws behind the mean saving: finished in the configuration and in the reference.",
    ),
    Column(
        "regret_mean",
        "Total cost",
        "mean regret",
        "regret\nmean",
        COST,
        1,
        "Total cost of the configuration minus that of the best named configuration in the same draw, averaged over "
        "draws.",
    ),
    Column(
        "regret_cvar90",
        "Total cost",
        "worst\u00a010\u00a0%",
        "worst\n10 %",
        COST,
        1,
        "Mean regret of the tenth of the draws where it is largest: its conditional value at risk at 0.9 (Rockafellar and "
        "Uryasev 2002).",
    ),
    Column(
        "regret_max",
        "Total cost",
        "max. regret",
        "regret\nmax",
        COST,
        1,
        "Largest such regret over the draws. It can only grow with more draws, and no sample bounds it from above.",
        bounded=False,
    ),
    Column(
        "regret_draws",
        "Total cost",
        "n",
        "\nn",
        "1",
        0,
        "Draws behind the regrets: finished in the configuration and compared with all the others.",
    ),
    Column(
        "best_share",
        "Total cost",
        "best in",
        "best\nin %",
        "1",
        1,
        "Share of the draws in which the configuration has the least total cost of the named ones; ties share. Free "
        "configurations do not compete.",
        percent=True,
    ),
    Column(
        "best_draws",
        "Total cost",
        "n",
        "\nn",
        "1",
        0,
        "Draws behind the share: finished in every named configuration.",
    ),
    Column(
        "curtailment_mean",
        "Curtailment",
        "mean",
        "curtail.\nTWh/yr",
        "TWh per year",
        2,
        "Solar and wind energy that could not be used, summed over areas and technologies, averaged over draws.",
    ),
    Column(
        "curtailment_draws",
        "Curtailment",
        "n",
        "\nn",
        "1",
        0,
        "Draws behind it: finished in the configuration.",
    ),
    Column(
        "latency_unserved_mean",
        "Latency-unserved",
        "mean",
        "latency-\nunserved %",
        "1",
        2,
        "Share of data-centre work that meets its latency limit nowhere, averaged over draws. The work still runs and "
        "stays in the load.",
        percent=True,
    ),
    Column(
        "latency_unserved_draws",
        "Latency-unserved",
        "n",
        "\nn",
        "1",
        0,
        "Draws behind it: finished in the configuration.",
    ),
)

DRAWS = (
    Column(
        "draws_finished",
        "Draws",
        "finished",
        "finished",
        "1",
        0,
        "Draws solved to the optimum for this configuration. How many of them a number rests on stands beside it, as n.",
    ),
    Column(
        "draws_failed",
        "Draws",
        "failed",
        "failed",
        "1",
        0,
        "Draws tried without an optimum (infeasible, unbounded, iteration limit, set aside or solver error). They "
        "enter no number.",
    ),
    Column(
        "draws_not_run",
        "Draws",
        "not run",
        "not run",
        "1",
        0,
        "Draws of the design that have not been solved yet. They enter no number.",
    ),
)


def shown_columns(table: xr.Dataset) -> tuple[Column, ...]:
    """Return the columns to show: where all numbers of every row rest on the same draws, one count at the end is enough."""
    *counts, last = [column for column in COLUMNS if column.is_count]
    free = table["configuration"].isin(table.attrs["free_configurations"])

    def is_last(count: Column) -> bool:
        equal = table[count.name] == table[last.name]
        # a free configuration never is the best named one: there is nothing to count
        return bool((equal | free if count.name == "best_draws" else equal).all())

    agree = all(map(is_last, counts))
    return tuple(column for column in COLUMNS if not agree or column not in counts)


def has_intervals(table: xr.Dataset) -> bool:
    """Return whether any number of the table has an interval."""
    ends = [f"{column.name}_{end}" for column in COLUMNS if not column.is_count for end in ("low", "high")]
    return any(bool(table[end].notnull().any()) for end in ends if not end.startswith("regret_max"))
