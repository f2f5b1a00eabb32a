"""Makes the tables of the back-cast, studies/backcast/, from the observed year: ``python -m benchmarks.backcast_tables``.

Sun, wind, hydro, nuclear and must-run output are as observed, thermal plants and storage as they stood. Thermal output,
storage, flows and curtailment are what the model has to find. LNG plants are told by vintage in ``plants.csv``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

DATA = Path("model/data")
TABLES = Path("studies/backcast")
Frame = Any  # of pandas, whose stubs know columns of mixed kinds too loosely
THERMAL = ("coal", "lng", "oil")
HOURS = 8760
JOETSU_GW = 2.38  # stands in Niigata, feeds Chubu: the table of plants by prefecture counts it in Tohoku
MARGIN = 0.8  # of the limits of lines whose flows nobody reports, for margins and planned outages
SWITCHES = ("japan_sea_hvdc", "kanmon_second_link")  # lines that were not there


def observed_hours() -> Frame:
    """The observed hours of FY2024, in the order of time and area."""
    return pd.read_csv(DATA / "actual" / "fy2024_hourly.csv.gz").fillna(0.0)


def capacity(hours: Frame, seen: bool) -> Frame:
    """Capacities of FY2024; with ``seen``, plants are at least what they gave in some hour, and Joetsu stands in Chubu."""
    table: Frame = pd.read_csv(DATA / "capacity_2040.csv").drop(columns="source")
    built: Frame = table.pivot(index="area", columns="technology", values="now_GW")
    year: Frame = pd.read_csv(DATA / "actual" / "fy2024_area_totals.csv").set_index("area").fillna(0.0)
    share: Frame = pd.read_csv(DATA / "fuels.csv").set_index("technology")["availability"]
    peak: Frame = hours.groupby("area").max(numeric_only=True)
    built["solar"], built["wind_onshore"] = (
        _sun(hours).groupby(hours["area"]).max(),
        _wind(hours).groupby(hours["area"]).max(),
    )
    built["wind_offshore"] = 0.0
    # The model takes these flat, at capacity x availability; what is neither is counted as biomass.
    built["nuclear"] = year["nuclear"] * 1000 / HOURS / share["nuclear"]
    built["geothermal"] = year["geothermal"] * 1000 / HOURS / share["geothermal"]
    built["biomass"] = (year["biomass"] + year["other"]) * 1000 / HOURS / share["biomass"]
    if seen:
        built.loc["Tohoku", "lng"] -= JOETSU_GW
        built.loc["Chubu", "lng"] += JOETSU_GW
        for fuel in THERMAL:
            built[fuel] = np.maximum(built[fuel], peak[f"{fuel}_GW"])
    long: Frame = built.rename_axis(index="area").melt(
        ignore_index=False, var_name="technology", value_name="capacity_GW"
    )
    return long.reset_index().sort_values(["area", "technology"], ignore_index=True).round(6)


def _sun(hours: Frame) -> Frame:
    return hours["solar_GW"] + hours["solar_curtailed_GW"]


def _wind(hours: Frame) -> Frame:
    return hours["wind_GW"] + hours["wind_curtailed_GW"]


def hourly(hours: Frame, built: Frame) -> Frame:
    """Hours as the model reads them."""
    size: Frame = built.pivot(index="area", columns="technology", values="capacity_GW")
    factor = {"solar_cf": (_sun(hours), "solar"), "wind_onshore_cf": (_wind(hours), "wind_onshore")}
    table: Frame = hours[["time", "area", "demand_GW"]].copy()
    for name, (output, technology) in factor.items():
        table[name] = (output / hours["area"].map(size[technology])).clip(0.0, 1.0).round(5)
    table["wind_offshore_cf"] = 0.0
    table["hydro_GW"] = hours["hydro_GW"].clip(lower=0.0)
    return table


def availability(hours: Frame, built: Frame) -> Frame:
    """Coal by area and month as seen; nuclear as observed.

    What coal could give on a day is the most it gave in any hour of it: it is the cheapest fuel, so that what does not
    run then is out. A month is the mean over its days. Over capacity x availability.
    """
    share: Frame = pd.read_csv(DATA / "fuels.csv").set_index("technology")["availability"]
    size: Frame = built[built["technology"] == "coal"].set_index("area")["capacity_GW"] * share["coal"]
    coal: Frame = hours.pivot(index="time", columns="area", values="coal_GW")
    day, month = np.arange(HOURS) // 24, coal.index.str[5:7].astype(int)
    most: Frame = coal.groupby(day).max().groupby(month[::24]).mean() / size
    nuclear: Frame = hours.pivot(index="time", columns="area", values="nuclear_GW")
    relative: Frame = (nuclear.groupby(month).mean() / nuclear.mean()).fillna(1.0)
    parts = []
    for technology, table in (("coal", most.clip(upper=1 / share["coal"])), ("nuclear", relative)):
        long = table.rename_axis(index="month").melt(ignore_index=False, var_name="area", value_name="share")
        parts.append(long.reset_index().assign(technology=technology))
    return pd.concat(parts)[["technology", "area", "month", "share"]].round(5)


def committed_floor(hours: Frame, built: Frame, present: Frame) -> Frame:
    """Least committed share of thermal plants by area, fuel and month: what the observed least output needs.

    What plants have to give on a day, for frequency, voltage, contracts and the evening, is the least that they gave in
    any hour of it; a month is the mean over its days. Of what is available in the month.
    """
    fuels: Frame = pd.read_csv(DATA / "fuels.csv").set_index("technology")
    there: Frame = present[present["technology"] == "coal"].set_index(["area", "month"])["share"]
    parts = []
    for fuel in THERMAL:
        output: Frame = hours.pivot(index="time", columns="area", values=f"{fuel}_GW")
        day, month = np.arange(HOURS) // 24, output.index.str[5:7].astype(int)
        least: Frame = output.groupby(day).min().clip(lower=0.0).groupby(month[::24]).mean()
        size: Frame = built[built["technology"] == fuel].set_index("area")["capacity_GW"] * fuels["availability"][fuel]
        long = least.rename_axis(index="month").melt(ignore_index=False, var_name="area", value_name="least")
        table: Frame = long.reset_index().assign(technology=fuel)
        whole = table["area"].map(size) * fuels["min_output_share"][fuel]
        if fuel == "coal":
            whole = whole * there.reindex(pd.MultiIndex.from_frame(table[["area", "month"]])).to_numpy()
        table["share"] = (table["least"] / whole.where(whole > 0)).fillna(0.0).clip(upper=1.0)
        parts.append(table)
    return pd.concat(parts)[["technology", "area", "month", "share"]].round(5)


def pumped_derate(hours: Frame, built: Frame) -> Frame:
    """What of pumped storage was in use: the most it drew or gave in any hour of the month, over its power."""
    size: Frame = built[built["technology"] == "pumped_hydro"].set_index("area")["capacity_GW"]
    power: Frame = hours.pivot(index="time", columns="area", values="pumped_storage_GW").abs()
    most: Frame = power.groupby(power.index.str[5:7].astype(int)).max() / size.where(size > 0)
    long = most.rename_axis(index="month").melt(ignore_index=False, var_name="area", value_name="share")
    return (
        long.dropna()
        .reset_index()[["area", "month", "share"]]
        .assign(share=lambda t: t["share"].clip(upper=1))
        .round(5)
    )


def line_flows(hours: Frame) -> Frame:
    """Flows over the lines that the areas' net imports settle, positive from ``from`` to ``to`` [GW], by the hour.

    North of the frequency border and west of the Kanmon strait the network is a tree; inside the loops nothing is known.
    """
    imports: Frame = hours.pivot(index="time", columns="area", values="net_import_GW")
    north = -imports["Hokkaido"]
    east = north - imports["Tohoku"]
    return pd.DataFrame(
        {
            "hokkaido_tohoku": north,
            "tohoku_tokyo": east,
            "tokyo_chubu_fc": east - imports["Tokyo"],
            "chugoku_kyushu": imports["Kyushu"],
        }
    )


def line_margin(hours: Frame) -> Frame:
    """What of a line's limit was in use: the most that flowed in the month, where it is known, else ``MARGIN``.

    Known is the direction in which a line of :func:`line_flows` carries more; the other way it is hardly ever asked.
    """
    limits: Frame = pd.read_csv(TABLES / "interconnectors.csv").set_index("line")
    rows = [("all", way, month, MARGIN) for way in ("forward", "backward") for month in range(1, 13)]
    for line, flow in line_flows(hours).items():
        way, sign = ("forward", 1) if flow.sum() > 0 else ("backward", -1)
        most: Frame = (sign * flow).groupby(flow.index.str[5:7].astype(int)).max() / float(limits[f"{way}_GW"][line])
        rows += [(line, way, month, share) for month, share in most.items()]
    return pd.DataFrame(rows, columns=["line", "direction", "month", "share"]).round(5)


def seasons(hours: Frame) -> Frame:
    """Coal and LNG by month for other years: the country's outages of coal as seen in FY2024, relative to their mean."""
    coal: Frame = hours.groupby("time")["coal_GW"].sum()
    month = coal.index.str[5:7].astype(int)
    most = coal.groupby(np.arange(HOURS) // 168).transform("max").groupby(month).mean()
    share = (most / most.mean()).round(5)
    rows = [(fuel, "all", m, value) for fuel in ("coal", "lng") for m, value in share.items()]
    return pd.DataFrame(rows, columns=["technology", "area", "month", "share"])


def pue_profile() -> Frame:
    """PUE by month and hour, ASSUMED(low): 5 % of season, most in August, and 2 % of the day, most at 15 h."""
    rows = [
        ("all", m, t, 1 + 0.05 * np.cos(2 * np.pi * (m - 8) / 12) + 0.02 * np.cos(2 * np.pi * (t - 15) / 24))
        for m in range(1, 13)
        for t in range(24)
    ]
    return pd.DataFrame(rows, columns=["area", "month", "hour", "factor"]).round(5)


def dc_profile() -> Frame:
    """IT load by hour, ASSUMED(low): 5 % about the mean, most at 20 h."""
    factor = 1 + 0.05 * np.cos(2 * np.pi * (np.arange(24) - 20) / 24)
    return pd.DataFrame({"hour": np.arange(24), "factor": factor.round(6)})


def heat_rates(plants: Frame) -> Frame:
    """Blocks of LNG by vintage: share of the area's capacity, fuel per kWh relative to the national mean."""
    table: Frame = plants.groupby(["area", "vintage"], sort=False).agg(
        GW=("GW", "sum"), efficiency=("efficiency", "first")
    )
    mean = (table["GW"] / table["efficiency"]).sum() / table["GW"].sum()
    table["share"] = table["GW"] / table.groupby("area")["GW"].transform("sum")
    table["heat_rate"] = 1 / table["efficiency"] / mean
    table = table.reset_index().rename(columns={"vintage": "block"}).assign(technology="lng")
    return table[["area", "technology", "block", "share", "heat_rate"]].round(6)


def areas() -> Frame:
    """Areas with the observed demand of FY2024, data centres of the time included."""
    table: Frame = pd.read_csv(DATA / "areas.csv")
    return table.assign(demand_2040_TWh=table["demand_fy2024_TWh"]).drop(columns="source")


def tables() -> dict[str, Frame]:
    """Every table by file name."""
    hours: Frame = observed_hours()
    listed, seen = capacity(hours, seen=False), capacity(hours, seen=True)
    present = availability(hours, seen)
    uncertainty: Frame = pd.read_csv(DATA / "uncertainty.csv", keep_default_na=False)
    uncertainty = uncertainty[~uncertainty["name"].isin(SWITCHES)].copy()
    uncertainty.loc[uncertainty["name"] == "weather_year", ["parameters", "low"]] = ["fy2024=1", "fy2024"]
    return {
        "areas.csv": areas(),
        "availability_by_area.csv": present,
        "capacity.csv": listed,
        "capacity_seen.csv": seen,
        "committed_floor.csv": committed_floor(hours, seen, present),
        "line_margin.csv": line_margin(hours),
        "pumped_derate.csv": pumped_derate(hours, seen),
        "heat_rates.csv": heat_rates(pd.read_csv(TABLES / "plants.csv")),
        "hourly.csv.gz": hourly(hours, seen),
        "uncertainty.csv": uncertainty,
        "../validation/seasons.csv": seasons(hours),
        "../validation/pue_profile.csv": pue_profile(),
        "../validation/dc_profile.csv": dc_profile(),
    }


if __name__ == "__main__":
    for name, table in tables().items():
        packed = {"method": "gzip", "mtime": 0} if name.endswith(".gz") else None
        table.to_csv(TABLES / name, index=False, compression=packed)
