"""Write the regrets: how large, who is best where, what robustness costs, and break-even odds."""

from __future__ import annotations

import itertools

import numpy as np

from report.document.changing import change
from report.document.language import number
from report.document.material import Material
from report.document.odds import break_even_odds
from report.document.parts import Cell, Chart, Section, Sentence, Table
from report.document.plotting import MOST_POINTS, canvas, styles, thinned
from report.factors import Factor, is_few
from report.metrics.deciding import price_of_robustness, value_of_information, wait_and_see
from report.metrics.definitions import LEVEL, conditional_value_at_risk, expected, minimax_regret

GROUPS = 5
FEW_GROUPS, FEW_DRAWS = 3, 300  # with few draws wider groups, so that each holds some


def _curves(material: Material) -> Chart:
    words, futures = material.words, material.futures
    costs, _, there = futures.costs("total_cost")
    figure, (axes,) = canvas(3.4)
    style = styles(futures.names)
    for at, name in enumerate(futures.rivals):
        ordered = np.sort(costs.regret[:, at]) * words.scale
        places = thinned(len(ordered), MOST_POINTS)
        axes.step(
            ordered[places],
            (places + 1) / len(ordered),
            where="post",
            label=material.shown(name),
            linewidth=1.5,
            **style[name],
        )
    axes.set_ylim(0, 1.02)
    axes.set_xlabel(f"{words('regret in total cost', '総費用の後悔')} [{words.unit}]")
    axes.set_ylabel(words("share of futures up to it", "これ以下の将来の割合"))
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    caption = words(
        f"Regret: what a plan costs above the best plan of the same future. The further left, the better. n = {int(there.sum()):,}.",
        f"後悔：同じ将来で最良の案を上回る費用。左ほど良い。n＝{int(there.sum()):,}。",
    )
    return Chart("regret_curves", caption, figure)


def grouped(factor: Factor) -> tuple[list[str], np.ndarray]:
    """Part draws into groups by an uncertainty: its values where they are few, else parts of equally many; labels, and group of each draw."""
    if is_few(factor):
        values, group = np.unique(factor.values, return_inverse=True)
        return [factor.labels[int(v)] if factor.labels else f"{v:g}" for v in values], group
    groups = GROUPS if len(factor.values) >= FEW_DRAWS else FEW_GROUPS
    edges = np.unique(np.quantile(factor.values, np.linspace(0, 1, groups + 1)))
    group = np.clip(np.searchsorted(edges, factor.values, side="right") - 1, 0, len(edges) - 2)
    return [f"{number(float(a))}–{number(float(b))}" for a, b in itertools.pairwise(edges)], group


def _best_where(material: Material) -> Chart | None:
    words, futures = material.words, material.futures
    factors = material.deciding_factors[:4]
    if not factors:
        return None
    costs, weights, there = futures.costs("total_cost")
    least = costs.values == costs.best[:, np.newaxis]
    best = least / least.sum(axis=1, keepdims=True)
    figure, axes = canvas(4.6, columns=2, rows=2)
    style = styles(futures.names)
    for place, each in enumerate(axes):
        if place >= len(factors):
            each.set_visible(False)
            continue
        told, group = grouped(factors[place])
        group = group[there]
        bottom = np.zeros(len(told))
        total = np.bincount(group, weights, len(told))
        for at, name in enumerate(futures.rivals):
            share = np.divide(
                np.bincount(group, weights * best[:, at], len(told)), total, out=np.zeros(len(told)), where=total > 0
            )
            each.bar(
                range(len(told)),
                share,
                bottom=bottom,
                color=style[name]["color"],
                edgecolor="white",
                width=0.85,
                label=material.shown(name),
            )
            bottom += share
        each.set_xticks(range(len(told)), told, fontsize=6.5)
        each.set_xlabel(material.measured(factors[place].name))
        each.set_ylim(0, 1)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    caption = words(
        "Who is best where: share of futures in which each plan has the least total cost, by the uncertainties that "
        "move the savings in total cost most (rank correlation).",
        "どの案がどこで最良か：総費用の節約額との順位相関が大きい不確実性ごとに、総費用が最小となる案の割合。",
    )
    return Chart("best_where", caption, figure)


def _trade_off(material: Material) -> Chart:
    words, futures = material.words, material.futures
    costs, weights, _ = futures.costs("total_cost")
    mean = expected(costs, weights) * words.scale
    figure, axes = canvas(3.2, columns=2)
    style = styles(futures.names)
    for each, values, label in (
        (axes[0], conditional_value_at_risk(costs, weights), words(f"CVaR {LEVEL:g}", f"CVaR {LEVEL:g}")),
        (axes[1], minimax_regret(costs, weights), words("largest regret", "最大後悔")),
    ):
        told = values * words.scale
        for at, name in enumerate(futures.rivals):
            each.scatter(
                [mean[at]],
                [told[at]],
                s=46,
                color=style[name]["color"],
                marker="osD^vPX"[at % 7],
                label=material.shown(name),
            )
        each.margins(0.12)
        each.set_xlabel(f"{words('expected total cost', '総費用の期待値')} [{words.unit}]")
        each.set_ylabel(f"{label} [{words.unit}]")
        each.ticklabel_format(useOffset=False, style="plain")
        each.tick_params(axis="x", rotation=25)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    caption = words(
        "What robustness costs: expected cost against the mean of the worst tenth and against the largest regret. "
        "Lower left is better in both.",
        "頑健性の代償：期待費用と、最悪1割の平均（CVaR）・最大後悔。左下ほど良い。",
    )
    return Chart("trade_off", caption, figure)


def _prices(material: Material) -> Table:
    words, futures = material.words, material.futures
    costs, weights, _ = futures.costs("total_cost")
    mean, tail, most = (
        expected(costs, weights),
        conditional_value_at_risk(costs, weights),
        minimax_regret(costs, weights),
    )
    neutral = int(mean.argmin())
    rows = []
    for at, name in enumerate(futures.rivals):
        price = price_of_robustness(costs, weights, at, neutral, LEVEL)
        told = [mean[at], tail[at], most[at]]
        amounts = [Cell(words.amount(float(value)), float(value)) for value in told]
        rows.append([Cell(material.shown(name), name), *amounts, Cell(number(price), price)])
    heads = [
        *(words("plan", "案"), words("expected", "期待値"), f"CVaR {LEVEL:g}", words("largest regret", "最大後悔")),
        words("price of robustness", "頑健性の価格"),
    ]
    caption = words(
        f"Amounts in {words.unit}. Price of robustness: expected cost paid for each unit of CVaR avoided, against the plan of "
        "least expected cost; “–”: it avoids none.",
        f"金額は{words.unit}。頑健性の価格：期待費用最小の案に対し、CVaRを1下げるために払う期待費用。「–」は下がらない。",
    )
    return Table("price_of_robustness", caption, heads, rows)


def _odds(material: Material) -> Table:
    words = material.words
    rows = [
        [
            Cell(odds.kind, odds.factor),
            Cell(material.shown(odds.other), odds.other),
            Cell(f"{odds.chance:.2f}", odds.chance),
            Cell(f"{odds.share:.2f}", odds.share),
            Cell(f"{odds.draws[0]:,} / {odds.draws[1]:,}", odds.draws[0]),
        ]
        for odds in break_even_odds(material)
    ]
    heads = [
        *(
            words("kind of future", "将来の種類"),
            words("then choose", "選ぶ案"),
            words("if its chance exceeds", "確率がこれを超えるなら"),
        ),
        *(words("chance in this study", "本計算での確率"), words("n of it / of others", "該当／他の数")),
    ]
    caption = words(
        f"Break-even odds against {material.shown(material.plan)} in mean total cost, one uncertainty at a time: outer thirds, "
        "or single values where there are few. Uncertainties that never turn the choice are left out.",
        f"「{material.shown(material.plan)}」との損益分岐の確率（総費用の平均、不確実性一つずつ）。選択を変えないものは省く。",
    )
    return Table("break_even_odds", caption, heads, rows)


def regrets(material: Material) -> Section:
    """Return the section on regret."""
    words = material.words
    costs, weights, _ = material.futures.costs("total_cost")
    worth, known = value_of_information(costs, weights), wait_and_see(costs, weights)
    told = [
        Sentence(
            words(
                f"To know the future before choosing among these plans would be worth {words.money(worth)} a year on average "
                f"(EVPI): the best plan of each future costs {words.money(known)}.",
                f"選択の前に将来を知ることの価値（EVPI）は年平均{words.money(worth)}である。将来ごとの最良案の費用は{words.money(known)}。",
            ),
            {"evpi": worth, "wait_and_see": known},
        )
    ]
    where = _best_where(material)
    shown: list[Table | Chart] = [
        _curves(material),
        *([where] if where else []),
        _trade_off(material),
        _prices(material),
        *([_odds(material)] if break_even_odds(material) else []),
    ]
    if not break_even_odds(material):
        told.append(change(material))
    return Section("regret", words("Regret", "後悔と選択"), told, shown)
