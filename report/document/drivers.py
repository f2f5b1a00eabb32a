"""Write what drives a plan: sensitivity bars and the decision map of two uncertainties."""

from __future__ import annotations

import numpy as np
from matplotlib.patches import Rectangle

from report.document.language import number
from report.document.material import FIRST_ORDER, MOST_SENSITIVITY, Material
from report.document.parts import Cell, Chart, Section, Table
from report.document.plotting import canvas, styles
from report.document.regrets import grouped
from report.figures import BLUE, GREY

LEAST_IN_CELL = 3
TOP = 12


def _bars(material: Material) -> Chart | None:
    words, told = material.words, material.drivers
    if told is None or str(told["reason"].item()):
        return None
    part = told.sel(measure=FIRST_ORDER)
    order = np.argsort(-np.nan_to_num(part["value"].to_numpy(), nan=-1))[:TOP]
    names = [str(part["parameter"].to_numpy()[at]) for at in order]
    value, low, high = (part[key].to_numpy()[order] for key in ("value", "low", "high"))
    figure, (axes,) = canvas(0.9 + 0.28 * len(names))
    axes.barh(range(len(names)), value, color=BLUE, height=0.62)
    axes.errorbar(
        value,
        range(len(names)),
        xerr=np.abs([value - low, high - value]),
        fmt="none",
        ecolor="black",
        elinewidth=1,
        capsize=2,
    )
    axes.axvline(
        float(part["floor"]),
        color=GREY,
        linestyle="--",
        linewidth=1.2,
        label=words("what no influence stays below", "影響なしの上限"),
    )
    axes.set_yticks(range(len(names)), [words.parameter(name) for name in names], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(words("share of the variance that it moves alone", "単独で動かす分散の割合"))
    figure.legend(loc="outside lower center", fontsize=8, frameon=False)
    caption = words(
        f"What moves the {_outcome(material)} of {material.shown(material.plan)}: first-order Sobol index, 95 % intervals, "
        f"n = {int(told['n']):,}; bars within the dashed line cannot be told from chance.",
        f"「{material.shown(material.plan)}」の{_outcome(material)}を動かすもの：1次Sobol指数、95％区間、n＝{int(told['n']):,}。"
        "破線以内は偶然と区別できない。",
    )
    return Chart("drivers", caption, figure)


def _outcome(material: Material) -> str:
    if material.plan == material.futures.reference:
        return material.words("total cost", "総費用")
    return material.words("saving in fuel and CO2 cost", "燃料・CO2対策費用の節約額")


def _drivers_table(material: Material) -> Table | None:
    words, told = material.words, material.drivers
    if told is None or str(told["reason"].item()):
        return None
    measures = [str(name) for name in told["measure"].to_numpy()]
    rows = []
    for name in [factor.name for factor in material.ranked_factors]:
        cells = []
        for measure in measures:
            one = told.sel(measure=measure, parameter=name)
            value, low, high = (float(one[key]) for key in ("value", "low", "high"))
            cells.append(Cell(f"{number(value)} [{number(low)}, {number(high)}]", value))
        rows.append([Cell(words.parameter(name), name), *cells])
    caption = words(
        "All measures of sensitivity, with 95 % intervals: first-order Sobol index, Borgonovo's delta, PAWN.",
        "感度の全指標と95％区間：1次Sobol指数、Borgonovoのδ、PAWN。",
    )
    return Table("sensitivity", caption, [words("uncertainty", "不確実性"), *measures], rows)


def _map(material: Material) -> Chart | None:
    words, futures = material.words, material.futures
    if len(material.axes) < 2:
        return None
    a, b = material.axes
    costs, weights, there = futures.costs("total_cost")
    (labels_a, group_a), (labels_b, group_b) = grouped(a), grouped(b)
    cell = (group_b * len(labels_a) + group_a)[there]
    size = len(labels_a) * len(labels_b)
    counts = np.bincount(cell, minlength=size)
    total = np.bincount(cell, weights, size)
    means = np.stack([np.bincount(cell, weights * column, size) for column in costs.values.T]) / np.where(
        total > 0, total, np.nan
    )
    figure, (axes,) = canvas(4.2)
    style = styles(futures.names)
    for place in range(size):
        row, column = divmod(place, len(labels_a))
        if not counts[place]:
            continue
        best = int(np.nanargmin(means[:, place]))
        second = float(np.sort(means[:, place])[1] - means[best, place]) if len(futures.rivals) > 1 else float("nan")
        thin = counts[place] < LEAST_IN_CELL
        axes.add_patch(_square(column, row, str(style[futures.rivals[best]]["color"]), 0.3 if thin else 0.75))
        text = f"+{words.amount(second)}\nn={counts[place]:,}" if not np.isnan(second) else f"n={counts[place]:,}"
        axes.text(column, row, text, ha="center", va="center", fontsize=6.5)
    for name in futures.rivals:
        axes.scatter([], [], marker="s", s=60, color=style[name]["color"], label=material.shown(name))
    axes.set_xlim(-0.5, len(labels_a) - 0.5)
    axes.set_ylim(-0.5, len(labels_b) - 0.5)
    axes.set_xticks(range(len(labels_a)), labels_a, fontsize=7)
    axes.set_yticks(range(len(labels_b)), labels_b, fontsize=7)
    axes.set_xlabel(material.measured(a.name))
    axes.set_ylabel(material.measured(b.name))
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    caption = words(
        f"Decision map: the plan of least mean total cost in each cell, by how much the next one is dearer [{words.unit}], and "
        f"the draws of the cell; pale below {LEAST_IN_CELL}.",
        f"意思決定マップ：各区画で総費用の平均が最小の案、次点との差［{words.unit}］、将来の数（{LEAST_IN_CELL}未満は淡色）。",
    )
    return Chart("decision_map", caption, figure)


def _square(column: int, row: int, colour: str, alpha: float) -> Rectangle:
    return Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=colour, alpha=alpha, edgecolor="white")


def drivers(material: Material) -> Section:
    """Return the section on what drives the plan."""
    words = material.words
    found = [_bars(material), _drivers_table(material), _map(material)]
    notes = []
    if material.futures.n > MOST_SENSITIVITY:
        notes.append(
            words(
                f"Sensitivity from the first {MOST_SENSITIVITY:,} draws.",
                f"感度は最初の{MOST_SENSITIVITY:,}通りによる。",
            )
        )
    return Section(
        "drivers",
        words("What drives it", "何が結果を動かすか"),
        (),
        [each for each in found if each is not None],
        notes,
    )
