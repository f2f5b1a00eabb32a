"""Show the siting decided for all draws: where it stands, what safety costs, what it saves, how free the choice is."""

from __future__ import annotations

from typing import Any

import numpy as np

from report.document.decided import (
    Point,
    Record,
    decided_points,
    efficient,
    estimate,
    measure_name,
    named_points,
    title_of,
)
from report.document.language import number
from report.document.material import Material
from report.document.parts import Cell, Chart, Table
from report.document.plotting import canvas
from report.figures import BLUE, GREY, VERMILION

LEAST_SHARE = 5e-4


def siting_table(material: Material, record: Record) -> Table:
    """Return the siting by area and tier, with the ranges of areas among good plans."""
    words, nears = material.words, record["near"]
    rows: list[list[Cell | str]] = []
    for area, tiers in record["x"].items():
        for tier, share in sorted(tiers.items(), key=lambda each: -each[1]):
            if share >= LEAST_SHARE and len(tiers) > 1:
                load = float(record["load"][area][tier])
                told = [Cell(words.area(area), area), Cell(words.tier(tier), tier)]
                rows.append([*told, Cell(words.share(share), share), Cell(number(load), load)])
        ranges = [_range(words, space["ranges"].get(area)) for space in nears]
        total, load = sum(tiers.values()), sum(record["load"][area].values())
        tier = words("all tiers", "計") if len(tiers) > 1 else words.tier(next(iter(tiers)))
        sums: list[Cell | str] = [Cell(words.area(area), area), tier]
        rows.append([*sums, Cell(words.share(total), total), Cell(number(load), load), *ranges])
    heads = [
        words("area", "エリア"),
        words("tier", "類型"),
        words("share", "比率"),
        words("mean load [GW]", "平均負荷 [GW]"),
    ]
    heads += [
        words(f"area within {each['percent']:.3g} %", f"エリア計、{each['percent']:.3g}％以内の範囲") for each in nears
    ]
    rows = [[*row, *[""] * (len(heads) - len(row))] for row in rows]
    caption = words(
        f"The siting of least {measure_name(words, record)}: share of the national load by area and tier, load at the mean demand of "
        f"{record['dc_demand_mean']:.1f} GW"
        + (", and the shares that plans at most so much worse were found with." if nears else "."),
        f"{measure_name(words, record)}を最小にする立地：エリア・類型別の比率と、平均需要{record['dc_demand_mean']:.1f} GWでの負荷"
        + ("、および最良からの差がその範囲にある案の比率。" if nears else "。"),
    )
    return Table("robust_siting", caption, heads, rows)


def _range(words: Any, ends: Record | None) -> str:
    return "" if ends is None else f"{words.share(max(ends['least'], 0.0))}–{words.share(ends['most'])}"


def goals_table(material: Material, records: list[Record]) -> Table:
    """Return the answers for several goals side by side."""
    words = material.words
    rows: list[list[Cell | str]] = []
    for each in records:
        point = decided_points([each])[0]
        numbers = [float(each["value"]), float(each["lower_bound"])]
        shares = {area: sum(tiers.values()) for area, tiers in each["x"].items()}
        where = ", ".join(
            f"{words.area(area)} {words.share(share)}"
            for area, share in sorted(shares.items(), key=lambda one: -one[1])
        )
        rows.append(
            [
                title_of(each),
                *(Cell(words.amount(value), value) for value in numbers),
                Cell(f"{100 * each['gap']:.2f} %", float(each["gap"])),
                *(Cell(words.amount(value), value) for value in (point.mean, point.tail, point.regret)),
                where,
            ]
        )
    heads = [
        *(words("made least", "最小化した量"), words("value", "値"), words("bound", "下界"), words("gap", "差")),
        *(words("mean cost", "平均費用"), "CVaR 0.9", words("largest regret", "最大後悔"), words("shares", "比率")),
    ]
    caption = words(
        f"Sitings decided for {records[0]['draws']:,} futures, one for each goal [{words.unit}].",
        f"{records[0]['draws']:,}通りの将来に対して求めた立地（目的別）［{words.unit}］。",
    )
    return Table("robust_goals", caption, heads, rows)


def frontier_chart(material: Material, records: list[Record]) -> Chart:
    """Draw mean cost against CVaR and against largest regret: answers, and plans of the study in the same draws."""
    words = material.words
    decided, named = decided_points(records), named_points(material.futures, records[0])
    kinds = [("tail", "CVaR 0.9"), ("regret", words("largest regret", "最大後悔"))]
    if not any(np.isfinite(each.regret) for each in decided):
        kinds = kinds[:1]
    figure, axes = canvas(4.0, columns=len(kinds))
    origin = min(each.mean for each in (*decided, *named))
    for each, (by, label) in zip(axes, kinds, strict=True):
        values = [getattr(one, by) for one in (*decided, *named)]
        base = float(np.nanmin(values)) if by == "tail" else 0.0
        _dots(material, each, (decided, named), by, (origin, base))
        line = efficient(decided, by)
        each.plot(
            [(one.mean - origin) * words.scale for one in line],
            [(getattr(one, by) - base) * words.scale for one in line],
            color=VERMILION,
            linewidth=1.1,
            zorder=1,
        )
        each.set_xlabel(f"{words('mean cost above the least', '平均費用の増分')} [{words.unit}]")
        above = words(f"{label} above the least", f"{label}の増分") if by == "tail" else label
        each.set_ylabel(f"{above} [{words.unit}]")
        each.margins(0.2, 0.12)
    handles, told = axes[0].get_legend_handles_labels()
    figure.legend(handles, told, loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    caption = words(
        f"What safety costs: mean cost against the mean of the worst tenth of futures, and against the largest regret. Diamonds: sitings "
        f"decided for {records[0]['draws']:,} futures, the line through those that no other one beats in both; dots: the plans of the study.",
        f"頑健性の費用：平均費用と、費用の悪い方から1割の平均（CVaR 0.9）、最大後悔。菱形は{records[0]['draws']:,}通りの将来に対して求めた立地"
        "（線は効率的なもの）、丸は既存案。",
    )
    return Chart("robust_frontier", caption, figure)


def _dots(
    material: Material, axes: Any, groups: tuple[list[Point], list[Point]], by: str, origin: tuple[float, float]
) -> None:
    words = material.words
    looks = (
        (groups[0], "D", VERMILION, words("decided for all futures", "全将来に対して求めた立地")),
        (groups[1], "o", BLUE, words("plan of the study", "既存案")),
    )
    for points, mark, colour, label in looks:
        known = [one for one in points if np.isfinite(getattr(one, by))]
        x = [(one.mean - origin[0]) * words.scale for one in known]
        y = [(getattr(one, by) - origin[1]) * words.scale for one in known]
        axes.scatter(x, y, marker=mark, color=colour, s=26, label=label, zorder=2)
        for at, (one, across, up) in enumerate(zip(known, x, y, strict=True)):
            name = material.shown(one.label) if mark == "o" else one.label
            beside = (4, -9) if mark == "D" and at % 2 else (4, 4)  # sitings lie close together
            axes.annotate(name, (across, up), xytext=beside, textcoords="offset points", fontsize=6.5)


def savings_chart(material: Material, record: Record) -> Chart:
    """Draw what the siting saves beside each plan of the study."""
    words = material.words
    known = {name: each for name, each in record["against"].items() if each["better_in"] is not None}
    figure, (axes,) = canvas(1.1 + 0.34 * max(len(known), 1))
    for place, each in enumerate(known.values()):
        saving = each["mean_saving"]
        middle, loss = estimate(saving) * words.scale, -float(each["largest_loss"]) * words.scale
        if saving["low"] is not None and saving["high"] is not None:
            axes.hlines(place, saving["low"] * words.scale, saving["high"] * words.scale, color=BLUE, linewidth=3)
        first = place == 0
        axes.plot(
            middle, place, "o", color=BLUE, label=words("mean, 95 % interval", "平均と95％区間") if first else None
        )
        worst = words("worst future", "最も不利な将来") if first else None
        axes.plot(loss, place, "x", color=VERMILION, label=worst)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_yticks(range(len(known)), [material.shown(name) for name in known], fontsize=8)
    axes.set_ylim(len(known) - 0.5, -0.5)
    axes.set_xlabel(f"{words('what it saves in total cost', '総費用の節約額')} [{words.unit}]")
    figure.legend(loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    caption = words(
        f"What the siting of least {measure_name(words, record)} saves beside each plan of the study, in the same future.",
        f"{measure_name(words, record)}を最小にする立地の、同じ将来における既存案に対する節約額。",
    )
    return Chart("robust_savings", caption, figure)


def against_table(material: Material, record: Record) -> Table:
    """Return the same as a table."""
    words = material.words
    rows: list[list[Cell | str]] = []
    for name, each in record["against"].items():
        saving = each["mean_saving"]
        ends = [Cell(words.amount(_or_nan(saving[key])), _or_nan(saving[key])) for key in ("estimate", "low", "high")]
        better, loss = _or_nan(each["better_in"]), _or_nan(each["largest_loss"])
        rows.append(
            [
                Cell(material.shown(name), name),
                *ends,
                Cell(words.share(better), better),
                Cell(words.amount(loss), loss),
                Cell(f"{each['draws_compared']:,}", each["draws_compared"]),
            ]
        )
    heads = [
        *(words("beside", "比較対象"), words("mean saving", "平均節約額"), words("95 %, low", "95％下限")),
        *(
            words("95 %, high", "95％上限"),
            words("cheaper in", "安い将来の割合"),
            words("largest loss (below 0: least gain)", "最大損失（負は最小の節約）"),
        ),
        words("futures", "将来の数"),
    ]
    how = {each["mean_saving"]["how"] for each in record["against"].values()}
    caption = words(
        f"The same as a table [{words.unit}]; intervals: {', '.join(sorted(how))}. Empty: this design tells of none.",
        f"同じ内容の表［{words.unit}］。区間の種類：{'、'.join(sorted(how))}（空欄は設計上求められないもの）。",
    )
    return Table("robust_against", caption, heads, rows)


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _labels(material: Material, record: Record) -> list[tuple[str, str]]:
    """Return the areas and tiers of the ranges with the names they are shown by."""
    words, areas = material.words, [str(each) for each in material.cube["area"].to_numpy()]
    labels = list(record["near"][0]["ranges"])
    return [(each, words.area(each) if each in areas else words.tier(each)) for each in labels]


def near_chart(material: Material, record: Record) -> Chart:
    """Draw the shares of areas and tiers among good plans."""
    words, spaces = material.words, record["near"]
    labels = _labels(material, record)
    figure, (axes,) = canvas(1.2 + 0.34 * len(labels))
    height = 0.74 / len(spaces)
    for at, space in enumerate(sorted(spaces, key=lambda each: each["percent"])):
        colour = str(1 - (at + 1) * 0.75 / (len(spaces) + 1))
        place = np.arange(len(labels)) - 0.37 + (at + 0.5) * height
        ends = [space["ranges"][label] for label, _ in labels]
        least, most = (np.array([100 * max(each[key], 0.0) for each in ends]) for key in ("least", "most"))
        outer = [
            np.array([100 * max(_or_nan(each[key]), 0.0) for each in ends]) for key in ("least_outer", "most_outer")
        ]
        told = words(f"at most {space['percent']:g} % worse", f"最良から{space['percent']:g}％以内")
        axes.barh(place, most - least, left=least, height=0.8 * height, color=BLUE, alpha=1 - 0.25 * at, label=told)
        axes.hlines(place, outer[0], outer[1], color=colour, linewidth=0.9)
    shares = [sum(tiers.values()) for tiers in record["x"].values()]
    by_area = dict(zip(record["x"], shares, strict=True))
    for tiers in record["x"].values():
        for tier, share in tiers.items():
            by_area[tier] = by_area.get(tier, 0.0) + share
    best = [100 * by_area.get(label, 0.0) for label, _ in labels]
    axes.plot(
        best, range(len(labels)), "D", color=VERMILION, markersize=4, label=words("the siting itself", "求めた立地")
    )
    axes.set_yticks(range(len(labels)), [shown for _, shown in labels], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(words("share of the national load [%]", "全国需要に対する比率［％］"))
    figure.legend(loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    caption = words(
        "How free the choice is: the share of each area and tier among plans that are at most so much worse in "
        f"{measure_name(words, record)} over {record['draws']:,} futures. Bars were reached by "
        "plans that were computed; thin lines end where it is proven that no plan goes.",
        f"選択の余地：{record['draws']:,}通りの将来の{measure_name(words, record)}で最良からの差がその範囲にある案における各エリア・類型の比率。帯は計算された案、細線の外に案がないことは証明済み。",
    )
    return Chart("near_optimal_ranges", caption, figure)


def near_table(material: Material, record: Record) -> Table:
    """Return the same as a table."""
    words, spaces = material.words, record["near"]
    rows: list[list[Cell | str]] = []
    for label, shown in _labels(material, record):
        for space in spaces:
            ends = space["ranges"][label]
            told = [max(_or_nan(ends[key]), 0.0) for key in ("least_outer", "least", "most", "most_outer")]
            percent = float(space["percent"])
            row: list[Cell | str] = [Cell(shown, label), Cell(f"{percent:g} %", percent)]
            rows.append([*row, *(Cell(words.share(each), each) for each in told)])
    heads = [
        *(words("area or tier", "エリア・類型"), words("at most worse", "許容差")),
        *(words("proven least", "証明された最小"), words("found least", "得られた最小")),
        *(words("found most", "得られた最大"), words("proven most", "証明された最大")),
    ]
    caption = words(
        "The same ranges as a table, shares of the national load.", "同じ範囲の表（全国需要に対する比率）。"
    )
    return Table("near_optimal", caption, heads, rows)
