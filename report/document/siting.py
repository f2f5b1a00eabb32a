"""Write where data centres stand: a map of capacity, how often an area is chosen, latency, curtailment, benefit by area."""

from __future__ import annotations

import json

import numpy as np
from matplotlib.collections import PolyCollection

from report.document.fonts import page_file
from report.document.language import number
from report.document.margins import quantiles_over_draws
from report.document.material import Material
from report.document.parts import Cell, Chart, Section, Sentence, Table
from report.document.plotting import canvas
from report.outcomes import outcome

LEAST = 1e-6  # GW: less is nothing
OFTEN = 0.25  # areas chosen more rarely have no figures on the map
STRETCH = float(1 / np.cos(np.radians(37)))  # a degree of latitude over one of longitude in the middle of Japan
CREDIT = (
    "国土数値情報（行政区域データ, N03 2021）（国土交通省）を加工して作成 / Made by processing National Land Numerical Information "
    "(Administrative Areas, MLIT); simplification: SmartNews Media Research Institute"
)
SEEN = (126.0, 146.2, 25.2, 45.8)  # longitudes and latitudes shown; outlying islands lie beyond


def focus(material: Material) -> str:
    """Return the configuration that the map shows: the free one if there is any, else the plan."""
    for name in material.futures.free:
        if np.isfinite(material.futures.column("total_cost", name)).any():
            return name
    return material.plan


def _anew(material: Material) -> str:
    """Say of a free configuration that it is no siting that anybody could choose."""
    if focus(material) not in material.futures.free:
        return ""
    return material.words(
        "It is sited anew in every future, with that future known: a yardstick, no plan. ",
        "将来ごとに、その将来を知った上で立地し直した場合の目安であり、案ではない。",
    )


def outlines() -> dict[str, list[np.ndarray]]:
    """Return the polygons of every area, outer rings alone, as (points, 2) of longitude and latitude."""
    found = {}
    for feature in json.loads(page_file("areas.geojson"))["features"]:
        shape = feature["geometry"]
        parts = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]]
        found[str(feature["properties"]["area"])] = [np.array(part[0]) for part in parts]
    return found


def places() -> dict[str, tuple[float, float]]:
    """Return where the label of every area stands."""
    told = json.loads(page_file("areas.geojson"))["features"]
    return {
        str(each["properties"]["area"]): (each["properties"]["label_lon"], each["properties"]["label_lat"])
        for each in told
    }


def _map(material: Material, capacity: np.ndarray) -> Chart:
    """Draw a map for each tier: colour is the median contract, figures are p10, p50, p90 and how often it is chosen."""
    words, cube = material.words, material.cube
    tiers, areas = cube["tier"].to_numpy(), [str(area) for area in cube["area"].to_numpy()]
    figure, axes = canvas(3.6, columns=len(tiers))
    ends = np.quantile(capacity, [0.1, 0.5, 0.9], axis=0)
    chosen = (capacity > LEAST).mean(axis=0)
    shapes, labels = outlines(), places()
    for tier, each in enumerate(axes):
        each.set_axis_off()
        top = float(ends[1, :, tier].max()) or 1.0
        polygons, values = [], []
        for at, area in enumerate(areas):
            for ring in shapes.get(area, []):
                polygons.append(ring)
                values.append(ends[1, at, tier])
        shown = PolyCollection(polygons, array=np.array(values), cmap="Blues", edgecolors="#666666", linewidths=0.25)
        shown.set_clim(0, top)
        each.add_collection(shown)
        for at, area in enumerate(areas):
            if area in labels and chosen[at, tier] >= OFTEN:
                each.text(
                    *labels[area],
                    number(middle)
                    if (middle := float(ends[1, at, tier])) > LEAST
                    else f"{100 * chosen[at, tier]:.0f}%",
                    fontsize=6.5,
                    ha="center",
                    va="center",
                    bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
                )
        each.set_xlim(SEEN[0], SEEN[1])
        each.set_ylim(SEEN[2], SEEN[3])
        each.set_aspect(STRETCH)
        each.set_title(words.tier(str(tiers[tier])), fontsize=9)
        bar = figure.colorbar(shown, ax=each, shrink=0.75, orientation="horizontal", pad=0.02)
        bar.ax.tick_params(labelsize=6.5)
        bar.set_label(words("median contract [GW]", "契約容量の中央値 [GW]"), fontsize=7)
    figure.supxlabel(
        words(
            "%: share of futures in which any is placed, where the median is nothing",
            "％：中央値が0の地域で、立地が選ばれた将来の割合",
        ),
        fontsize=7,
    )
    caption = words(
        f"Where {material.shown(focus(material))} places data centres: median contract [GW] over {len(capacity):,} futures, by tier; where that is "
        f"nothing, the share of futures in which it places any there. {_anew(material)}The table has the 10 and 90 % points. Map: {CREDIT}.",
        f"「{material.shown(focus(material))}」の立地：{len(capacity):,}通りの将来での契約容量の中央値［GW］（類型別、0の場合は選ばれた割合、濃さは類型ごとの尺度）。{_anew(material)}10・90％点は表に示す。"
        f"地図：{CREDIT}。",
    )
    return Chart("siting_map", caption, figure)


def _capacity(material: Material, capacity: np.ndarray) -> Table:
    words, cube = material.words, material.cube
    ends, chosen = np.quantile(capacity, [0.1, 0.5, 0.9], axis=0), (capacity > LEAST).mean(axis=0)
    rows = []
    for at, area in enumerate(cube["area"].to_numpy()):
        cells: list[Cell | str] = [Cell(words.area(str(area)), str(area))]
        for tier in range(cube.sizes["tier"]):
            low, middle, high = (float(end[at, tier]) for end in ends)
            cells += [
                Cell(number(low), low),
                Cell(number(middle), middle),
                Cell(number(high), high),
                Cell(words.share(float(chosen[at, tier])), float(chosen[at, tier])),
            ]
        rows.append(cells)
    parts = ("p10", "p50", "p90", words("chosen", "選択率"))
    heads = [
        words("area", "エリア"),
        *(f"{words.tier(str(tier))} {part}" for tier in cube["tier"].to_numpy() for part in parts),
    ]
    caption = words(
        f"Contract by area and tier [GW] of {material.shown(focus(material))}, and in which share of futures it places any there.",
        f"エリア・類型別の契約容量［GW］（{material.shown(focus(material))}）と、立地が選ばれた将来の割合。",
    )
    return Table("capacity_by_area", caption, heads, rows)


def _areas(material: Material) -> Table | None:
    """Tell by area: latency, curtailment avoided, sites, and the benefit of load there, of the plan in focus."""
    words, cube, futures, plan = material.words, material.cube, material.futures, material.plan
    needed = {"latency", "curtailment", "dc_capacity", "siting_value"}
    if not needed <= set(cube.data_vars):
        return None
    done = np.isfinite(futures.saving("total_cost", plan))
    curtailed = outcome(cube, "curtailment").sum("technology", min_count=1)
    own = curtailed.sel(configuration=plan).to_numpy()[done].mean(axis=0)
    avoided = curtailed.sel(configuration=futures.reference).to_numpy()[done].mean(axis=0) - own
    value = outcome(cube, "siting_value").sel(configuration=plan).to_numpy()[done].mean(axis=0)
    capacity = outcome(cube, "dc_capacity").sel(configuration=plan).to_numpy()[done]
    latency = quantiles_over_draws(material, "latency", plan)
    names = [str(area) for area in cube["area"].to_numpy()]
    tiers = [str(tier) for tier in cube["tier"].to_numpy()] if "sites" in cube.data_vars and "tier" in cube.dims else []
    sites = (
        outcome(cube, "sites").sel(configuration=plan).to_numpy()[done].mean(axis=0)
        if tiers
        else np.empty((len(names), 0))
    )
    dearest = float(value.max())
    share = capacity.sum(axis=2) / capacity.sum(axis=(1, 2))[:, np.newaxis]
    built = None
    if "building_cost" in cube.data_vars:
        cost = outcome(cube, "building_cost").sel(configuration=plan).to_numpy()[done]
        built = (share * cost[:, np.newaxis]).mean(axis=0)
    rows = []
    for at, area in enumerate(names):
        middle = float(latency[1, at]) if latency is not None else float("nan")
        money = float(built[at]) if built is not None else float("nan")
        rows.append(
            [
                Cell(words.area(area), area),
                Cell(number(float(capacity[:, at].sum(axis=1).mean())), float(capacity[:, at].sum(axis=1).mean())),
                Cell(number(middle), middle),
                Cell(number(float(own[at])), float(own[at])),
                Cell(number(float(avoided[at])), float(avoided[at])),
                Cell(words.amount(dearest - float(value[at])), dearest - float(value[at])),
                Cell(words.amount(money), money),
                *(Cell(number(float(count)), float(count)) for count in sites[at]),
            ]
        )
    heads = [
        *(
            words("area", "エリア"),
            words("contract [GW]", "契約容量 [GW]"),
            words("round trip, median [ms]", "往復遅延の中央値 [ms]"),
        ),
        *(words("curtailed [TWh]", "出力抑制 [TWh]"), words("less than reference [TWh]", "基準比の削減 [TWh]")),
        words(f"relief per GW [{words.unit}]", f"1GWあたり軽減 [{words.unit}]"),
        words(f"building [{words.unit}]", f"建設投資 [{words.unit}]"),
        *(words(f"sites: {words.tier(tier)}", f"拠点数：{words.tier(tier)}") for tier in tiers),
    ]
    caption = words(
        f"By area, {material.shown(plan)}, means over {int(done.sum()):,} futures, but for latency, the median of the mean round trip. Relief: by how much a GW of load costs the power "
        "system less there than in the dearest area. Building: the plan's yearly cost of buildings, parted by contract.",
        f"エリア別（「{material.shown(plan)}」、{int(done.sum()):,}通りの平均、遅延のみ平均往復時間の中央値）。軽減：最も高いエリアと比べ1GWの負荷が電力系統に与える費用の差。"
        "建設投資：年間の建設費を契約容量で按分。",
    )
    return Table("benefit_by_area", caption, heads, rows)


def _shifted(material: Material) -> list[Sentence]:
    words, cube, plan = material.words, material.cube, material.plan
    if not {"shifted_time", "shifted_space"} <= set(cube.data_vars):
        return []
    time, space = (
        float(np.nanmean(outcome(cube, name).sel(configuration=plan).to_numpy()))
        for name in ("shifted_time", "shifted_space")
    )
    return [
        Sentence(
            words(
                f"Of the plan's load, {number(time)} TWh a year move to other hours and {number(space)} TWh to other areas, on average.",
                f"この案の負荷のうち年平均{number(time)} TWhは他の時間帯へ、{number(space)} TWhは他の地域へ移される。",
            ),
            {"shifted_time": time, "shifted_space": space},
        )
    ]


def siting(material: Material) -> Section:
    """Return the section on siting."""
    words, cube = material.words, material.cube
    shown: list[Table | Chart] = []
    name = focus(material)
    if "dc_capacity" in cube.data_vars and "tier" in cube.dims:
        values = outcome(cube, "dc_capacity").sel(configuration=name).to_numpy()
        capacity = values[np.isfinite(material.futures.column("total_cost", name))]
        shown += [_map(material, capacity), _capacity(material, capacity)]
    table = _areas(material)
    shown += [table] if table else []
    return Section(
        "siting",
        words("Where data centres stand", "立地"),
        _shifted(material),
        shown,
        [words(f"Map: {CREDIT}", f"地図：{CREDIT}")],
    )
