"""Say how far the first page can be trusted: draws and their weights, days, how headlines settle, what the model leaves out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from report.discovery.finding import PUBLISHED
from report.document.material import Material
from report.document.parts import Sentence

WHOLE_YEAR = 365
PUBLISHED_REFERENCE, PUBLISHED_PLAN = "tokyo_osaka", "five_hubs"


def doubts(material: Material) -> list[Sentence]:
    """Return the sentences on what the figures rest on."""
    told = [_draws(material), *_design(material), *_settling(material), *_days(material)]
    return [*told, *_published(material), _model(material)]


def _draws(material: Material) -> Sentence:
    words, futures = material.words, material.futures
    failed = sum(futures.failed.values())
    numbers: dict[str, float] = {"draws": futures.n, "failed": failed, "not_run": futures.not_run}
    scenarios = len(material.cube.attrs.get("scenarios", ()))
    weights = words("all of them count alike", "すべて同じ重みで数える")
    if futures.not_run:
        weights = words(
            f"{futures.n - futures.not_run:,} of them have been run and count alike: the figures change when the others are",
            f"そのうち計算済みの{futures.n - futures.not_run:,}通りを同じ重みで数える（残りを計算すると数値は変わる）",
        )
    if scenarios > 1:
        weights = words(
            f"its {scenarios} scenarios count alike, which says nothing of their odds: read the table by scenario",
            f"{scenarios}つのシナリオは同じ重みで数える。確率を意味しないため、シナリオ別の表を読むこと",
        )
        numbers["scenarios"] = scenarios
    return Sentence(
        words(
            f"The study has {futures.n:,} draws, and {weights}; {failed:,} solves failed and {futures.not_run:,} draws are not run yet.",
            f"本調査は{futures.n:,}通りの将来からなり、{weights}。解けなかった計算は{failed:,}件、未計算は{futures.not_run:,}通りである。",
        ),
        numbers,
    )


def _design(material: Material) -> list[Sentence]:
    words, how = material.words, material.cards["total_cost"].how
    if how not in ("indicative", "none"):
        return []
    resampled = (
        (
            " Intervals in the tables come from resampling and are indicative.",
            "表の区間は再標本化による目安である。",
        )
        if how == "indicative"
        else ("", "")
    )
    return [
        Sentence(
            words(
                "How far these figures lie from those of endlessly many draws cannot be told from this design: it has no independent "
                f"repetitions.{resampled[0]}",
                f"この設計には独立な反復がないため、無限に多い将来での値からの誤差は分からない。{resampled[1]}",
            )
        )
    ]


def headlines(material: Material, draws: int) -> dict[str, float]:
    """Return the headlines of the plan from the first draws alone: mean savings, its largest regret."""
    futures, plan = material.futures, material.plan
    found = {}
    if plan != futures.reference:
        for cost in ("total_cost", "fuel_co2_cost"):
            saving = futures.saving(cost, plan)[:draws]
            saving = saving[np.isfinite(saving)]
            found[f"{cost}_mean"] = float(saving.mean()) if saving.size else float("nan")
    costs, _, there = futures.costs("total_cost")
    first = there[:draws].sum()
    regret = costs.regret[:first, futures.rivals.index(plan)]
    found["largest_regret"] = float(regret.max()) if regret.size else float("nan")
    return found


def _settling(material: Material) -> list[Sentence]:
    words, n = material.words, material.futures.n
    half = n // 2
    if half < 1 or material.futures.not_run:
        return []  # which draws come first says nothing while some are not run
    before, now = headlines(material, half), headlines(material, n)
    if any(np.isnan(value) for value in before.values()):
        return []
    names = {
        "total_cost_mean": ("mean saving in total cost", "総費用の平均節約額"),
        "fuel_co2_cost_mean": ("in fuel and CO2 cost", "燃料・CO2対策費用の平均節約額"),
        "largest_regret": ("largest regret", "最大後悔"),
    }
    told = []
    for key, value in now.items():
        told.append(
            words(
                f"{names[key][0]} {words.amount(before[key])} → {words.amount(value)}",
                f"{names[key][1]} {words.amount(before[key])}→{words.amount(value)}",
            )
        )
    numbers = {f"half_{key}": value for key, value in before.items()} | {"half": half}
    return [
        Sentence(
            words(
                f"How settled this is: from the first {half:,} draws to all {n:,}, {'; '.join(told)} (amounts in {words.unit}).",
                f"収束：最初の{half:,}通りから全{n:,}通りへ、{'、'.join(told)}（金額は{words.unit}）。",
            ),
            numbers | {"all": n},
        )
    ]


def _days(material: Material) -> list[Sentence]:
    words = material.words
    told = material.cube.attrs.get("days_error")
    if told is None:
        text = words(
            "How many days stand for the year, and how wrong that is, this cube does not tell.",
            "何日で1年を代表させ、どれだけ誤差があるかは、このキューブに記録されていない。",
        )
        return [Sentence(text)]
    record: dict[str, Any] = json.loads(told)
    counts = sorted(set(record["number"].values()))
    numbers: dict[str, float] = {f"days_{at}": count for at, count in enumerate(counts)}
    days = words(" or ".join(map(str, counts)), "または".join(map(str, counts)))
    if counts == [WHOLE_YEAR]:
        return [Sentence(words(f"All {days} days of the year are solved.", f"1年{days}日すべてを計算した。"), numbers)]
    error = record["error"]
    if error is None:
        text = words(
            f"{days} days stand for the year; how wrong that is was not measured (days chosen by decision tell it).",
            f'{days}日で1年を代表させた。その誤差は測定していない（method = "decision"で選んだ日は誤差が記録される）。',
        )
        return [Sentence(text, numbers)]
    begun = words(
        f"{days} days stand for the year: in {error['futures']} futures of which every day was solved",
        f"{days}日で1年を代表させた。全日を計算した{error['futures']}通りの将来で比べると",
    )
    numbers["judging_futures"] = error["futures"]
    parts = []
    saving = error.get("saving", {}).get("by_configuration", {}).get(material.plan)
    if saving is not None:
        mean, worst = float(saving["mean"]), float(saving["worst"])
        numbers |= {"days_saving_mean": mean, "days_saving_worst": worst}
        amount = ""
        if "fuel_co2_cost_mean" in (now := headlines(material, material.futures.n)):
            off = abs(now["fuel_co2_cost_mean"]) * mean
            numbers["days_off"] = off
            amount = words(f" ({words.money(off)} of its mean a year)", f"（平均節約額の年{words.money(off)}にあたる）")
        parts.append(
            words(
                f"the plan's saving in fuel and CO2 cost was off by {words.share(mean)} on average{amount} and {words.share(worst)} at worst",
                f"この案の燃料・CO2対策費用の節約額の誤差は平均{words.share(mean)}{amount}、最大{words.share(worst)}",
            )
        )
    for name, en, ja in (
        ("curtailment", "curtailment", "出力抑制"),
        ("cost", "fuel and CO2 cost itself", "燃料・CO2対策費用"),
    ):
        if name in error:
            mean = float(error[name]["mean"])
            numbers[f"days_{name}_mean"] = mean
            off_by = "by" if parts else "was off by"
            parts.append(words(f"{en} {off_by} {words.share(mean)}", f"{ja}の誤差は平均{words.share(mean)}"))
    return [Sentence(words(f"{begun}, {', '.join(parts)}.", f"{begun}、{'、'.join(parts)}である。"), numbers)]


def _published(material: Material) -> list[Sentence]:
    """Hold the one published figure beside these futures, where they compare the same sitings."""
    words, futures = material.words, material.futures
    if futures.reference != PUBLISHED_REFERENCE or PUBLISHED_PLAN not in futures.rivals:
        return []
    saving = futures.saving("fuel_co2_cost", PUBLISHED_PLAN)
    there = np.isfinite(saving)
    above = float(futures.weights_of(there) @ (saving[there] > PUBLISHED))
    return [
        Sentence(
            words(
                f"The one published figure, {words.money(PUBLISHED)} a year in fuel and CO2 cost for five areas (Mitsubishi Research "
                f"Institute 2025), is exceeded by {material.shown(PUBLISHED_PLAN)} in {words.share(above)} of these futures.",
                f"唯一の公表値である5地域分散の燃料・CO2対策費用の節約額・年{words.money(PUBLISHED)}（三菱総合研究所、2025年）を、"
                f"「{material.shown(PUBLISHED_PLAN)}」は{words.share(above)}の将来で上回る。",
            ),
            {"published": PUBLISHED, "above_published": above},
        )
    ]


def _model(material: Material) -> Sentence:
    return Sentence(
        material.words(
            "The model sees each day ahead perfectly; solved without options for the last year observed, it curtails less than a tenth of what was. "
            "Savings and curtailment are rather too low than too high, and lost load is no adequacy study.",
            "モデルは各日を完全に予見し、オプションなしで直近の実績年度を解くと出力抑制は実績の一割に満たない。節約額と出力抑制は低めに出やすく、"
            "供給支障は信頼度評価ではない。",
        )
    )
