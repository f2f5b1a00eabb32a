"""Write what a decision rests on: uncertainties, levers, model and measures with sources; the sample; where it comes from."""

from __future__ import annotations

import numpy as np
from matplotlib.ticker import LogLocator, NullLocator
from scipy import stats

from report.document.language import number
from report.document.material import Material
from report.document.parts import Cell, Chart, Section, Sentence, Table
from report.document.plotting import MOST_POINTS, canvas
from report.factors import parameter_names
from report.figures import BLUE
from report.page import provenance_rows


def frame(material: Material) -> Section:
    """Return the frame of the decision: X uncertainties, L levers, R model, M measures (Lempert, Popper and Bankes 2003)."""
    words, futures, cube = material.words, material.futures, material.cube
    rows: list[list[Cell | str]] = []
    for name in parameter_names(cube):
        told = cube[name].attrs
        unit = words.units(str(told.get("units", "")))
        law = str(told.get("distribution", "")) + (f" [{unit}]" if unit else "")
        if name in futures.left_out:
            law = f"{futures.left_out[name]}; {law}"
        rows.append(["X", Cell(words.parameter(name), name), law, str(told.get("source", ""))])
    for name in futures.names:
        kind = (
            words("free: sited anew in every future", "自由：将来ごとに立地")
            if name in futures.free
            else words("fixed shares", "固定比率")
        )
        rows.append(
            [
                "L",
                Cell(material.shown(name), name),
                kind,
                words("study file, in the cube", "スタディファイル（キューブ内）"),
            ]
        )
    model = words(
        "siting and hourly dispatch of ten areas, linear with whole sites; perfect foresight within a day",
        "10エリアの立地と時間別給電（線形、サイトは整数、日内は完全予見）",
    )
    rows.append(["R", words("model", "モデル"), model, "docs/model.md"])
    measures = words(
        "total cost, fuel and CO2 cost, regret, curtailment, latency, lost load",
        "総費用、燃料・CO2対策費用、後悔、出力抑制、遅延、供給支障",
    )
    rows.append(["M", words("measures", "尺度"), measures, "docs/model.md"])
    caption = words(
        "X: uncertainties, L: levers, R: relationships, M: measures.",
        "X：不確実性、L：選択肢、R：関係（モデル）、M：尺度。",
    )
    heads = ["XLRM", words("what", "項目"), words("how", "内容"), words("source", "出典")]
    return Section(
        "frame",
        words("The frame of the decision", "意思決定の枠組み"),
        (),
        [Table("decision_frame", caption, heads, rows)],
    )


def sample(material: Material) -> Section:
    """Return what the sample is worth: evenness of each uncertainty, and how headlines settle as draws are added."""
    words, futures = material.words, material.futures
    rows: list[list[Cell | str]] = []
    for factor in futures.factors:
        values = np.sort(factor.values)
        ends = [float(each) for each in np.quantile(values, [0.05, 0.5, 0.95])]
        drawn = ["–" if factor.labels else number(each) for each in ends]  # names have no order
        rows.append(
            [
                Cell(material.measured(factor.name), factor.name),
                Cell(f"{len(np.unique(values)):,}", len(np.unique(values))),
                *drawn,
            ]
        )
    heads = [words("uncertainty", "不確実性"), words("values", "値の数"), "5 %", words("median", "中央値"), "95 %"]
    caption = words(
        f"What was drawn: design {futures.design}, {futures.n:,} draws, {len(np.unique(futures.replicate)):,} independent replicates, equal weights.",
        f"標本：設計{futures.design}、{futures.n:,}通り、独立な反復{len(np.unique(futures.replicate)):,}、等しい重み。",
    )
    shown: list[Table | Chart] = [
        Table("sample", caption, heads, rows),
        *([_convergence(material)] if material.others else []),
    ]
    told = []
    numbers = [factor for factor in futures.factors if not factor.labels and len(np.unique(factor.values)) > 2]
    if len(numbers) > 1:
        found = np.corrcoef([stats.rankdata(factor.values) for factor in numbers])
        np.fill_diagonal(found, 0)
        largest = float(np.abs(found).max())
        a, b = np.unravel_index(int(np.abs(found).argmax()), found.shape)
        pair = [words.parameter(numbers[int(at)].name) for at in (a, b)]
        told.append(
            Sentence(
                words(
                    f"The strongest rank correlation between two uncertainties in the sample is {largest:.2f} ({pair[0]}, {pair[1]}).",
                    f"標本中の不確実性間の順位相関は最大{largest:.2f}（{pair[0]}、{pair[1]}）である。",
                ),
                {"correlation": largest},
            )
        )
    return Section("sample", words("Quality of the sample", "標本の質"), told, shown)


def _convergence(material: Material) -> Chart:
    words, futures = material.words, material.futures
    figure, axes = canvas(2.7, columns=2)
    plan = material.plan if material.plan != futures.reference else material.others[0]
    saving = futures.saving("fuel_co2_cost", plan)
    saving = saving[np.isfinite(saving)]
    count = np.arange(1, len(saving) + 1)
    places = np.unique(np.round(np.geomspace(min(4, len(saving)), len(saving), MOST_POINTS)).astype(np.int64)) - 1
    axes[0].plot(count[places], (np.cumsum(saving) / count)[places] * words.scale, color=BLUE)
    axes[0].set_ylabel(f"{words('mean saving', '平均節約額')} [{words.unit}]")
    costs, _, _ = futures.costs("total_cost")
    if plan in futures.rivals:
        regret = np.maximum.accumulate(costs.regret[:, futures.rivals.index(plan)])
        places = np.unique(np.round(np.geomspace(min(4, len(regret)), len(regret), MOST_POINTS)).astype(np.int64)) - 1
        axes[1].plot(np.arange(1, len(regret) + 1)[places], regret[places] * words.scale, color=BLUE)
    axes[1].set_ylabel(f"{words('largest regret', '最大後悔')} [{words.unit}]")
    for each in axes:
        each.set_xscale("log", base=2)
        each.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        each.xaxis.set_major_locator(LogLocator(base=2, numticks=7))
        each.xaxis.set_minor_locator(NullLocator())
        each.set_xlabel(words("draws taken, in their order", "使った将来の数（順番どおり）"))
    caption = words(
        f"How the headlines of {material.shown(plan)} settle as draws are added: mean saving in fuel and CO2 cost, largest regret.",
        f"将来を増やしたときの「{material.shown(plan)}」の主要値の推移（燃料・CO2対策費用の平均節約額、最大後悔）。",
    )
    return Chart("convergence", caption, figure)


def limits(material: Material) -> Section:
    """Return what the model cannot say."""
    words = material.words
    notes = [
        words(
            "Few representative days misstate a year: twelve ordinary days misstated the saving by a fifth in a trial. "
            "`wattbit correct` with a full-year companion cube tells the error.",
            "代表日が少ないと年間値がずれる（試算では通常の12日で節約額が2割ずれた）。全日計算の対照キューブと`wattbit correct`で誤差が分かる。",
        ),
        words(
            "Building cost dominates total cost, and its regional discount is an assumption: that is why fuel and CO2 cost stand apart.",
            "総費用は建設費が支配的で、その地域差は仮定である。そのため燃料・CO2対策費用を分けて示す。",
        ),
        words(
            "Perfect foresight, free commitment and full pumped storage make curtailment a lower estimate. Lost load in representative "
            "days is a sign of strain, no adequacy study.",
            "完全予見・自由な起動停止・揚水の全利用により出力抑制は下限に近い。代表日の供給支障は逼迫の兆候であり、信頼度評価ではない。",
        ),
    ]
    return Section("limits", words("Limits of the model", "モデルの限界"), (), (), notes)


def provenance(material: Material) -> Section:
    """Return where the figures come from, and the line that makes them again."""
    words = material.words
    rows: list[list[Cell | str]] = [[name, text] for name, text in provenance_rows(material.cube)]
    rows.append([words("command", "再現コマンド"), material.wanted.command])
    heads = [words("what", "項目"), words("value", "値")]
    caption = words("What the cube says about its own making.", "キューブ自身が記録した作成情報。")
    return Section("provenance", words("Where it comes from", "出所"), (), [Table("provenance", caption, heads, rows)])
