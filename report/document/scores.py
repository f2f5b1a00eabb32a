"""Write the scorecard: configurations by all metrics with ranks, where the metrics disagree, how stable ranks are."""

from __future__ import annotations

import numpy as np

from report.document import labels
from report.document.language import number
from report.document.material import Material
from report.document.parts import Cell, Chart, Section, Sentence, Table
from report.document.plotting import canvas, styles
from report.metrics import METRICS, Metric, Scorecard

CARDS = {"total_cost": ("total cost", "総費用"), "fuel_co2_cost": ("fuel and CO2 cost", "燃料・CO2対策費用")}


def how_text(material: Material) -> str:
    """Say how intervals were had."""
    words = material.words
    card = material.cards["total_cost"]
    count = len(card.resampled)
    return {
        "independent": words(
            f"Intervals: 95 %, {count} resamples of the independent draws.",
            f"区間：95％、独立な将来の再標本化{count}回。",
        ),
        "replicates": words(
            "Intervals: 95 %, Student's t over independent replicates.",
            "区間：95％、独立な反復間のばらつきによるt区間。",
        ),
        "conservative": words(
            f"Intervals: 95 %, {count} resamples; conservative for one Latin hypercube.",
            f"区間：95％、再標本化{count}回（単一のラテン超方格では保守的）。",
        ),
        "indicative": words(
            f"Intervals: {count} resamples as if draws were independent; indicative only, as one randomisation of this "
            "design tells nothing of its own error.",
            f"区間：独立とみなした再標本化{count}回による目安。単一の乱択では自身の誤差は分からない。",
        ),
        "none": words(
            "No intervals: this design is no random sample of futures.",
            "区間なし：この設計は将来の無作為標本ではない。",
        ),
    }[card.how]


def score_text(material: Material, metric: Metric, value: float) -> str:
    """Write a score in the unit of its metric."""
    return material.words.amount(value) if metric.in_costs else number(value)


def _table(material: Material, card: Scorecard) -> Table:
    words = material.words
    rows = []
    for row, metric in enumerate(METRICS):
        cells: list[Cell | str] = [Cell(f"{words.metric(metric.name)} ({labels.SOURCES[metric.name]})", metric.name)]
        for at in range(len(card.names)):
            value, low, high, rank = (float(array[row, at]) for array in (card.value, card.low, card.high, card.rank))
            text = score_text(material, metric, value)
            if not (np.isnan(low) and np.isnan(high)):
                low_text, high_text = (
                    "…" if np.isnan(end) else score_text(material, metric, end) for end in (low, high)
                )
                text += f"\n[{low_text}, {high_text}]"
            shade = None
            if not np.isnan(rank):
                text = f"{rank:g}.  {text}"
                shade = (rank - 1) / max(1, card.rivals - 1)
            cells.append(Cell(text, value, shade))
        rows.append(cells)
    told = words(*CARDS[card.cost])
    caption = words(
        f"Scores in {told} [{words.unit} where a metric is an amount]; before each: its rank, 1 is best. "
        f"n = {card.draws:,} draws, equal weights.",
        f"{told}の頑健性指標［金額は{words.unit}］。数字の前は順位（1が最良）。n＝{card.draws:,}、等しい重み。",
    )
    heads = [words("metric", "指標"), *(material.shown(name) for name in card.names)]
    return Table(f"scorecard_{card.cost}", caption, heads, rows)


def _agreement(material: Material) -> Chart:
    words, told = material.words, material.agreement
    figure, (axes,) = canvas(5.0)
    image = axes.imshow(told.kendall, vmin=-1, vmax=1, cmap="PuOr")
    names = [words.metric(name) for name in told.metrics]
    axes.set_xticks(range(len(names)), names, rotation=55, ha="right", fontsize=7)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    for row, column in np.ndindex(told.kendall.shape):
        value = told.kendall[row, column]
        text = "–" if np.isnan(value) else f"{value:.1f}".replace("-", "−")
        axes.text(
            column, row, text, ha="center", va="center", fontsize=6.5, color="white" if abs(value) > 0.7 else "black"
        )
    bar = figure.colorbar(image, shrink=0.7)
    bar.set_label(words("Kendall's τ between rankings", "順位のケンドールτ"), fontsize=8)
    bar.ax.tick_params(labelsize=7)
    caption = words(
        "Where the metrics disagree: rank correlation between the rankings of the plans in total cost. 1: the same order, "
        "below 0: rather the opposite one.",
        "指標どうしの不一致：総費用での案の順位の相関。1は同じ順、負は逆順。",
    )
    return Chart("metrics_agreement", caption, figure)


def _correlations(material: Material) -> Table:
    words, told = material.words, material.agreement
    rows = [
        [
            Cell(words.metric(a), a),
            Cell(words.metric(b), b),
            *(Cell(number(float(m[i, j])), float(m[i, j])) for m in (told.kendall, told.spearman)),
        ]
        for i, a in enumerate(told.metrics)
        for j, b in enumerate(told.metrics)
        if i < j and told.kendall[i, j] < 0.5
    ]
    caption = words(
        "Pairs of metrics whose rankings agree little (Kendall's τ below 0.5).",
        "順位が大きく異なる指標の組（τ＜0.5）。",
    )
    return Table(
        "metrics_disagreement", caption, [words("metric", "指標"), words("and", "対"), "Kendall τ", "Spearman ρ"], rows
    )


def _stable(material: Material) -> Chart:
    words, told, card = material.words, material.stability, material.cards["total_cost"]
    rows = [row for row in range(len(METRICS)) if not np.isnan(told.first[row]).any()]
    figure, (axes,) = canvas(0.9 + 0.27 * max(4, len(rows)))
    left = np.zeros(len(rows))
    names = card.names[: card.rivals]
    for at, name in enumerate(names):
        share = told.first[rows, at]
        style = styles(names)[name]
        axes.barh(
            range(len(rows)), share, left=left, color=style["color"], edgecolor="white", label=material.shown(name)
        )
        left += share
    axes.set_yticks(range(len(rows)), [words.metric(METRICS[row].name) for row in rows], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel(words("share of resamples in which a plan comes first", "再標本化で首位となる割合"))
    figure.legend(loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    caption = words(
        f"How stable the first place is: {told.resamples} resamples of the draws.",
        f"首位の安定性：将来の再標本化{told.resamples}回。",
    )
    return Chart("rank_stability", caption, figure)


def _marks(material: Material) -> Table:
    words, futures = material.words, material.futures
    kinds = list(labels.TROUBLES)
    rows = []
    for name in futures.names:
        marks = futures.marks[name]
        cells = [Cell(words.share(marks[kind]), marks[kind]) for kind in kinds]
        rows.append([Cell(material.shown(name), name), Cell(f"{futures.failed[name]:,}", futures.failed[name]), *cells])
    heads = [
        words("configuration", "案"),
        words("failed draws", "解けなかった数"),
        *(words(*labels.TROUBLES[kind]) for kind in kinds),
    ]
    caption = words(
        "What stands against a configuration wherever it ranks: share of its draws. * free: sited anew in every future, "
        "no plan; it has no rank.",
        "順位に付く留意印：該当する将来の割合。*は将来ごとに立地し直す自由配置で、計画ではなく順位を付けない。",
    )
    return Table("marks", caption, heads, rows)


def scores(material: Material) -> Section:
    """Return the scorecard section."""
    words = material.words
    shown = [_marks(material), *(_table(material, card) for card in material.cards.values())]
    if len(material.agreement.metrics) > 1 and material.cards["total_cost"].rivals > 1:
        told: list[Table | Chart] = [*shown, _agreement(material), _correlations(material)]
    else:
        told = [*shown]
    if len(material.cards["total_cost"].resampled):
        told.append(_stable(material))
    notes = [
        how_text(material),
        words(
            "Extremes have no bound on the far side (…): more draws can only move them on. Quantiles: inf{t : F(t) ≥ level}.",
            "極値には片側の限界がない（…）。将来を増やせば更に動きうる。分位点は inf{t : F(t) ≥ 水準}。",
        ),
    ]
    return Section("scorecard", words("Robustness scorecard", "頑健性の成績表"), _words(material), told, notes)


def _words(material: Material) -> list[Sentence]:
    words, card = material.words, material.cards["fuel_co2_cost"]
    first = card.names[int(np.nanargmin(card.value[card.of("expected"), : card.rivals]))]
    return [
        Sentence(
            words(
                f"Total cost and fuel and CO2 cost are judged apart; in fuel and CO2 cost alone, {material.shown(first)} is the "
                "cheapest plan on average.",
                f"総費用と燃料・CO2対策費用は分けて評価する。燃料・CO2対策費用のみでは「{material.shown(first)}」が平均で最も安い。",
            )
        )
    ]
