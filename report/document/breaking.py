"""Write where a plan breaks: PRIM's box and its trajectory, what CART says, how far both can be trusted, signposts."""

from __future__ import annotations

import itertools

import numpy as np

from report.discovery import Box
from report.discovery.boxes import Inputs
from report.document.language import number
from report.document.material import Material
from report.document.parts import Cell, Chart, Section, Sentence, Table
from report.document.plotting import MOST_DOTS, canvas, some
from report.document.signposts import limits, said, signposts
from report.figures import BLUE, VERMILION


def _trajectory(material: Material) -> Chart:
    words, finding = material.words, material.finding
    figure, (axes,) = canvas(3.4)
    told = finding.steps
    points = axes.scatter(
        [step.coverage for step in told],
        [step.density for step in told],
        c=[step.dimensions for step in told],
        cmap="viridis",
        s=30,
    )
    picked = told[finding.chosen]
    axes.scatter(
        [picked.coverage],
        [picked.density],
        s=130,
        facecolors="none",
        edgecolors=VERMILION,
        linewidths=1.8,
        label=words("chosen", "選択"),
    )
    if finding.final is not None:
        axes.scatter(
            [finding.final.coverage],
            [finding.final.density],
            marker="D",
            s=48,
            color=VERMILION,
            label=words("after dropping what chance may have made", "偶然の制限を除いた後"),
        )
    axes.set_xlim(-0.02, 1.05)
    axes.set_ylim(0, 1.05)
    axes.set_xlabel(words("coverage: cases caught", "網羅率（該当する将来のうち箱に入る割合）"))
    axes.set_ylabel(words("density: cases in the box", "密度（箱の中で該当する割合）"))
    axes.legend(fontsize=8, frameon=False, loc="lower left")
    figure.colorbar(points, label=words("restricted uncertainties", "制限された不確実性の数"))
    caption = words(
        "PRIM's trajectory, from all draws (right) to the densest box. The chosen box has the largest harmonic mean of "
        "coverage and density.",
        "PRIMの軌跡。右端が全体。網羅率と密度の調和平均が最大の箱を選ぶ。",
    )
    return Chart("prim_trajectory", caption, figure)


def _box(material: Material) -> Table:
    words, finding = material.words, material.finding
    step, final, inputs = finding.steps[finding.chosen], finding.final, finding.inputs
    whole = Box.around(inputs)
    final_names = _names(final.box, inputs, whole) if final else []
    units = material.units
    rows = []
    for name in _names(step.box, inputs, whole):
        told = limits(_only(step.box, whole, inputs, name), inputs, words, units)
        quasi = finding.quasi[name]
        again = finding.again.get(name, float("nan"))
        kept = words("yes", "残す") if name in final_names else words("no", "除く")
        rows.append(
            [
                Cell(words.listed(told), name),
                *(Cell(_p(value), value) for value in quasi),
                Cell(words.share(again), again),
                Cell(kept),
            ]
        )
    heads = [
        *(
            words("restriction", "制限"),
            words("quasi-p, lower", "準p値（下限）"),
            words("quasi-p, upper", "準p値（上限）"),
        ),
        *(words("in half samples", "半標本での再現"), words("kept", "採否")),
    ]
    stats = [step, *([final] if final else [])]
    shares = "; ".join(
        words(
            f"coverage {words.share(each.coverage)}, density {words.share(each.density)}, mass {words.share(each.mass)}, n = {each.n:,}",
            f"網羅率{words.share(each.coverage)}、密度{words.share(each.density)}、割合{words.share(each.mass)}、n＝{each.n:,}",
        )
        for each in stats
    )
    caption = words(
        f"The chosen box ({said(finding.threshold, words)}; {words.configuration(finding.configuration)}) and, after it, the one from which "
        f"limits were dropped one after the other, the least certain first, while a quasi-p was above 0.05: {shares}. In half samples: how "
        "often the box chosen there, limits by chance included, restricts it.",
        f"選ばれた箱（{said(finding.threshold, words)}、{words.configuration(finding.configuration)}）と、準p値0.05超の制限を不確かなものから順に除いた箱：{shares}。"
        "半標本での再現：半分の標本で選ばれた箱（偶然の制限を含む）がその不確実性を制限した割合。",
    )
    return Table("prim_box", caption, heads, rows)


def _p(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}" if value >= 0.001 else "<0.001"


def _names(box: Box, inputs: Inputs, whole: Box) -> list[str]:
    numbers, texts = box.restricted(whole)
    return [*(inputs.names[at] for at in numbers), *(inputs.texts[at] for at in texts)]


def _only(box: Box, whole: Box, inputs: Inputs, name: str) -> Box:
    """Return the whole box with the limits of one uncertainty alone."""
    if name in inputs.names:
        at = inputs.names.index(name)
        return whole.limited(at, low=float(box.low[at]), high=float(box.high[at]))
    at = inputs.texts.index(name)
    return whole.keeping(at, box.kept[at])


def _leaves(material: Material) -> Table:
    words, finding = material.words, material.finding
    units = material.units
    rows: list[list[Cell | str]] = [
        [
            words.listed(limits(leaf.box, finding.inputs, words, units)) or words("all", "全体"),
            Cell(words.share(leaf.density), leaf.density),
            Cell(words.share(leaf.coverage), leaf.coverage),
            Cell(f"{leaf.n:,}", leaf.n),
        ]
        for leaf in finding.leaves
    ]
    caption = words(
        "CART on the same draws: the leaves of a tree with at most six, densest first. What PRIM and CART both name can be "
        "believed sooner.",
        "同じ将来へのCART（葉は最大6、密度順）。PRIMと共通するものほど信じてよい。",
    )
    return Table(
        "cart_leaves", caption, [words("leaf", "葉"), words("density", "密度"), words("coverage", "網羅率"), "n"], rows
    )


def _pairs(material: Material) -> Chart | None:
    words, finding = material.words, material.finding
    inputs, whole = finding.inputs, finding.steps[0].box
    box = finding.final.box if finding.final else whole
    names = [name for name in _names(finding.steps[finding.chosen].box, inputs, whole) if name in inputs.names]
    names = sorted(names, key=lambda name: min(p for p in (*finding.quasi[name], 1.0) if not np.isnan(p)))[:3]
    if len(names) < 2:
        return None
    pairs = list(itertools.combinations(names, 2))
    figure, axes = canvas(2.7 if len(pairs) == 3 else 3.2, columns=len(pairs))
    shown = some(len(inputs))
    y = finding.of_interest[shown]
    jitter = np.random.default_rng(0)
    for each, (a, b) in zip(axes, pairs, strict=True):
        columns = [inputs.names.index(name) for name in (a, b)]
        data = [_spread(inputs.numbers[shown, column], jitter) for column in columns]
        for inside, colour, mark, label in (
            (~y, BLUE, "o", words("others", "その他")),
            (y, VERMILION, "^", words("of interest", "該当")),
        ):
            each.scatter(
                data[0][inside], data[1][inside], s=10, color=colour, marker=mark, alpha=0.65, linewidths=0, label=label
            )
        low, high = ([float(ends[column]) for column in columns] for ends in (box.low, box.high))
        for axis, column in enumerate(columns):
            if len(np.unique(inputs.numbers[:, column])) == 2:  # whose draws are spread
                low[axis] -= 0.2 * (low[axis] == whole.low[column])
                high[axis] += 0.2 * (high[axis] == whole.high[column])
        each.plot(
            [low[0], high[0], high[0], low[0], low[0]],
            [low[1], low[1], high[1], high[1], low[1]],
            color="black",
            linewidth=1.2,
        )
        each.set_xlabel(words.parameter(a))
        each.set_ylabel(words.parameter(b))
        each.xaxis.label.set_fontsize(7.5)
        each.yaxis.label.set_fontsize(7.5)
    handles, told = axes[0].get_legend_handles_labels()
    figure.legend(handles, told, loc="outside lower center", ncols=2, fontsize=8, frameon=False)
    thin = (
        words(f" {MOST_DOTS:,} of {len(inputs):,} draws are shown.", f"{len(inputs):,}のうち{MOST_DOTS:,}を表示。")
        if len(inputs) > MOST_DOTS
        else ""
    )
    caption = words(
        f"The draws in pairs of the most telling uncertainties; frame: the final box. Switches are spread a little.{thin}",
        f"主な不確実性の組ごとの将来。枠は最終の箱。0/1の値は少しずらして表示。{thin}",
    )
    return Chart("prim_pairs", caption, figure)


def _spread(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    if len(np.unique(values)) > 2:
        return values
    return values + rng.uniform(-0.12, 0.12, len(values))


def breaking(material: Material) -> Section:
    """Return the section on scenario discovery."""
    words, finding = material.words, material.finding
    title = words("Where it breaks", "どこで崩れるか")
    told = [
        Sentence(
            words(
                f"Threshold: {said(finding.threshold, words)}, for {material.shown(finding.configuration)}. It holds in "
                f"{int(finding.of_interest.sum()):,} of {finding.of_interest.size:,} judged draws; draws count alike.",
                f"条件：{said(finding.threshold, words)}（{material.shown(finding.configuration)}）。判定できた{finding.of_interest.size:,}通りのうち"
                f"{int(finding.of_interest.sum()):,}通りで成り立つ。",
            ),
            {"cases": int(finding.of_interest.sum()), "judged": finding.of_interest.size},
        ),
        *[Sentence(text) for text in signposts(finding, words, material.units, material.is_worst_quarter)],
    ]
    if not finding.steps:
        note = (
            words("No uncertainty varies.", "変動する不確実性がない。")
            if finding.reason == "factors"
            else words("Too few cases on one side to look for a box.", "一方の数が少なすぎるため箱を探せない。")
        )
        return Section("where_it_breaks", title, told, (), [note])
    pairs = _pairs(material)
    shown: list[Table | Chart] = [_trajectory(material), _box(material), _leaves(material), *([pairs] if pairs else [])]
    notes = [
        words(
            "A quasi-p value tells how likely as many cases would lie inside by chance; since the same draws chose the box, it is "
            f"too favourable. Fewer than {number(200.0)} draws make boxes of few cases: look at the reproduction.",
            "準p値は偶然にこれだけ入る確率の目安で、同じ将来で箱を選ぶため甘めに出る。将来の数が200未満では再現率に注意。",
        )
    ]
    return Section("where_it_breaks", title, told, shown, notes)
