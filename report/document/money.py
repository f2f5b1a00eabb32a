"""Write the savings: distributions against the reference, how surely, what the worst futures bring, dominance."""

from __future__ import annotations

import numpy as np

from report.document.by_scenario import savings_by_scenario
from report.document.material import Material
from report.document.parts import Cell, Chart, Section, Table
from report.document.plotting import MOST_POINTS, canvas, styles, thinned
from report.estimators import Floats, equal_weights
from report.figures import BLUE, GREY, VERMILION
from report.intervals import mean_interval, quantile_interval, share_interval
from report.metrics.deciding import dominance

DOTS = 50
OUTCOMES = (
    ("saving_total", "total cost", "総費用"),
    ("saving_fuel_co2", "fuel and CO2 cost", "燃料・CO2対策費用"),
    ("saving_fuel", "fuel cost", "燃料費"),
    ("saving_co2", "CO2 cost", "CO2費用"),
)


def tail_means(ordered: Floats) -> tuple[Floats, Floats]:
    """Return shares of the worst draws and the mean saving in each such tail (CVaR), from sorted savings."""
    count = np.arange(1, len(ordered) + 1)
    return count / len(ordered), np.cumsum(ordered) / count


def _curves(material: Material) -> Chart:
    words = material.words
    figure, axes = canvas(6.0, columns=2, rows=2)
    names = material.others
    style = styles(material.futures.names)
    for cost, title, first in (
        ("total_cost", words("total cost", "総費用"), 0),
        ("fuel_co2_cost", words("fuel and CO2 cost", "燃料・CO2対策費用"), 2),
    ):
        exceeding, tails = axes[first], axes[first + 1]
        for name, values in material.savings(cost, names).items():
            ordered = np.sort(values) * words.scale
            places = thinned(len(ordered), MOST_POINTS)
            exceeding.step(
                ordered[places],
                1 - places / len(ordered),
                where="post",
                label=material.shown(name),
                linewidth=1.4,
                **style[name],
            )
            share, mean = tail_means(ordered)
            tails.plot(share[places], mean[places], label=material.shown(name), linewidth=1.4, **style[name])
        for each in (exceeding, tails):
            each.set_title(title, fontsize=9, loc="left")
        exceeding.axvline(0, color=GREY, linewidth=0.8)
        exceeding.set_xlabel(f"{words('saving', '節約額')} [{words.unit}]")
        exceeding.set_ylabel(words("share of futures above", "これを超える将来の割合"))
        tails.axhline(0, color=GREY, linewidth=0.8)
        tails.set_xlabel(words("share of worst futures", "悪い方からの将来の割合"))
        tails.set_ylabel(f"{words('their mean saving', 'その平均節約額')}\n[{words.unit}]")
    handles, told = axes[0].get_legend_handles_labels()
    figure.legend(handles, told, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    caption = words(
        f"Savings against {material.shown(material.futures.reference)} in the same future. Left: share of futures that save "
        "more (one minus the ECDF). Right: mean of the worst futures (CVaR of the saving), all of them at 1.",
        f"同じ将来における「{material.shown(material.futures.reference)}」に対する節約額。左：超過確率（1−経験分布）。"
        "右：悪い方からの平均（節約額のCVaR）、横軸1で全平均。",
    )
    return Chart("savings_curves", caption, figure)


def _dots(material: Material) -> Chart:
    words = material.words
    names = material.others[::-1]
    figure, (axes,) = canvas(0.9 + 0.62 * len(names))
    saved = material.savings("fuel_co2_cost", names)
    pooled = (
        np.concatenate([np.quantile(values, (np.arange(DOTS) + 0.5) / DOTS) for values in saved.values()]) * words.scale
    )
    width = (float(np.ptp(pooled)) or 1.0) / 70
    for row, name in enumerate(names):
        dots = np.quantile(saved[name], (np.arange(DOTS) + 0.5) / DOTS) * words.scale
        bins = np.floor(dots / width)
        level = np.arange(DOTS) - np.searchsorted(bins, bins)
        step = min(0.11, 0.8 / (level.max() + 1))
        colours = np.where(dots < 0, VERMILION, BLUE).tolist()
        axes.scatter((bins + 0.5) * width, row + step * level, s=9, c=colours, linewidths=0)
    axes.axvline(0, color="black", linewidth=0.9)
    axes.set_yticks(range(len(names)), [material.shown(name) for name in names])
    axes.set_ylim(-0.3, len(names) - 0.05)
    axes.set_xlabel(f"{words('saving in fuel and CO2 cost', '燃料・CO2対策費用の節約額')} [{words.unit}]")
    caption = words(
        f"{DOTS} dots a row, each as likely as the other: 1 in {DOTS} futures. Orange: costs more than the reference.",
        f"各行{DOTS}個の点は等確率（1点＝将来の{DOTS}分の1）。橙は基準より高くつく将来。",
    )
    return Chart("savings_dots", caption, figure)


def _table(material: Material) -> Table:
    words, futures, cube = material.words, material.futures, material.cube
    rows = []
    for outcome, en, ja in OUTCOMES:
        if outcome not in cube.data_vars:
            continue
        array = cube[outcome].transpose("draw", "configuration").to_numpy()
        for name in material.others:
            at = futures.place(name)
            done = np.isfinite(futures.saving("total_cost", name))
            values = np.where(done, array[:, at], np.nan)
            sample = futures.sample(values)
            mean = mean_interval(sample)
            chance = share_interval(futures.sample(np.where(done, (values > 0).astype(np.float64), np.nan)))
            ends = [quantile_interval(sample, level).estimate for level in (0.05, 0.5, 0.95)]
            kept = np.sort(values[done])
            worst = float(tail_means(kept)[1][max(0, int(np.ceil(0.1 * len(kept))) - 1)])
            told = [mean.estimate, mean.low, mean.high, *ends, worst]
            rows.append(
                [
                    Cell(words(en, ja), outcome),
                    Cell(material.shown(name), name),
                    *(Cell(words.amount(value), value) for value in told),
                    Cell(words.share(chance.estimate), chance.estimate),
                    Cell(f"{int(done.sum()):,}", int(done.sum())),
                    Cell(f"{futures.failed[name]:,}", futures.failed[name]),
                ]
            )
    heads = [
        words("saving in", "費目"),
        words("configuration", "案"),
        *(words("mean", "平均"), words("95 % low", "区間下"), words("95 % high", "区間上"), "5 %"),
        *(
            words("median", "中央値"),
            "95 %",
            words("mean of worst 10 %", "下位10％平均"),
            words("chance > 0", "正の確率"),
        ),
        *("n", words("failed", "解なし")),
    ]
    caption = words(
        f"Savings [{words.unit}; CSV: billion yen per year]; “–” where the design allows no honest interval.",
        f"節約額［{words.unit}、CSVは10億円/年］。「–」は信頼できる区間を示せないもの。",
    )
    return Table("savings", caption, heads, rows)


def _dominance(material: Material) -> Table:
    words, futures = material.words, material.futures
    costs, weights, there = futures.costs("total_cost")
    told = dominance(costs.values, weights)
    fuel = dominance(futures.costs("fuel_co2_cost")[0].values, equal_weights(int(there.sum())))
    rows = []
    for a, name in enumerate(futures.rivals):
        cells = [Cell(material.shown(name), name)]
        for each in (told.first, told.second, fuel.first, fuel.second):
            beaten = [material.words.configuration(futures.rivals[b]) for b in np.flatnonzero(each[a])]
            cells.append(Cell(words.listed(beaten) or "–"))
        rows.append(cells)
    heads = [
        words("plan", "案"),
        *(words("total: 1st order over", "総費用：1次で優越"), words("2nd order over", "2次で優越")),
        *(words("fuel & CO2: 1st order over", "燃料・CO2：1次で優越"), words("2nd order over", "2次で優越")),
    ]
    caption = words(
        "Stochastic dominance among the draws: first order, whatever one thinks of risk; second order, for whoever dislikes it.",
        "確率優越（計算した将来の中で）：1次は危険への態度によらず、2次は危険を嫌う場合に成り立つ。",
    )
    return Table("dominance", caption, heads, rows)


def money(material: Material) -> Section:
    """Return the section on savings."""
    words = material.words
    if not material.others:
        return Section("savings", words("Savings", "節約額"))
    shown: list[Table | Chart] = [_curves(material), _dots(material), _table(material), _dominance(material)]
    shown[:0] = savings_by_scenario(material)
    return Section("savings", words("What is saved, and how surely", "節約額とその確からしさ"), (), shown)
