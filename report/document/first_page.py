"""Write the first page in plain words from the numbers: what holds up, what it saves, where it fails, what to watch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from report.document.changing import change, watched
from report.document.doubts import doubts
from report.document.margins import sentences as margin_sentences
from report.document.material import Material
from report.document.overview import overview
from report.document.parts import Section, Sentence
from report.document.robust import verdict
from report.document.signposts import limits, said
from report.estimators import Floats
from report.intervals import Interval, mean_interval, share_interval
from report.metrics import METRICS, Metric
from report.outcomes import outcome

LEAST_BUILDING = 0.05  # of the saving in total cost, below which buildings are not told apart


def first_page(material: Material) -> Section:
    """Return the first page."""
    words = material.words
    groups: list[tuple[str, list[Sentence]]] = [
        (
            words("Which plan holds up", "どの案が頑健か"),
            [_verdict(material), *_rivals(material), *_troubles(material), *verdict(material)],
        ),
        (words("What it saves", "どれだけ節約するか"), _savings(material)),
        (words("Where it does badly", "どこで弱いか"), [*_failing(material), *_worst(material)]),
        (
            words("What would change the answer", "結論を変えるもの"),
            [change(material), *watched(material)],
        ),
        (words("What the next step is worth", "次の一手の価値"), margin_sentences(material)),
        (words("How sure this is", "どこまで確かか"), doubts(material)),
    ]
    if material.futures.not_run:
        groups.insert(0, (words("Not finished", "計算の途中"), [_unfinished(material)]))
    told = [
        replace(sentence, heading=heading if place == 0 else "")
        for heading, sentences in groups
        for place, sentence in enumerate(sentences)
    ]
    return Section(
        "first_page", words("What this study says", "要点"), told, [overview(material)] if material.others else []
    )


def _unfinished(material: Material) -> Sentence:
    words, left, n = material.words, material.futures.not_run, material.futures.n
    return Sentence(
        words(
            f"{left:,} of {n:,} futures have not been run: whatever follows may change when they are.",
            f"{n:,}通りのうち{left:,}通りの将来が未計算であり、以下の内容は計算が進むと変わりうる。",
        ),
        {"left": left, "draws": n},
    )


def _verdict(material: Material) -> Sentence:
    words, plan = material.words, material.plan
    firsts = len(material.winners[plan])
    ranked = sum(bool(metric.better) and not np.isnan(row).all() for metric, row in _ranks(material))
    draws, name = material.cards["total_cost"].draws, material.shown(plan)
    if len(material.futures.rivals) == 1:
        text = words(
            f"There is one plan alone, {name}, solved in {draws:,} futures: nothing it could be ranked beside.",
            f"案は「{name}」のみで（{draws:,}通りの将来）、比較する相手がない。",
        )
        return Sentence(text, {"draws": draws})
    if plan == material.leader:
        text = words(
            f"Of the {len(material.futures.rivals)} plans, {name} holds up best: in total cost it comes first by "
            f"{firsts} of {ranked} measures of robustness, over the {draws:,} futures in which every plan was solved.",
            f"{len(material.futures.rivals)}案のうち最も頑健なのは「{name}」である。総費用の頑健性指標{ranked}種のうち"
            f"{firsts}種で首位となった（全案を解けた{draws:,}通りの将来による）。",
        )
    else:
        text = words(
            f"The plan in focus, {name}, comes first by {firsts} of {ranked} measures of robustness in total cost, over "
            f"{draws:,} futures; {material.shown(material.leader)} by {len(material.winners[material.leader])}.",
            f"対象の案「{name}」は、総費用の頑健性指標{ranked}種のうち{firsts}種で首位である（{draws:,}通りの将来）。"
            f"「{material.shown(material.leader)}」は{len(material.winners[material.leader])}種で首位である。",
        )
    return Sentence(text, {"firsts": firsts, "ranked": ranked, "draws": draws})


def _ranks(material: Material) -> list[tuple[Metric, Floats]]:
    card = material.cards["total_cost"]
    return [(metric, card.rank[row]) for row, metric in enumerate(METRICS)]


def _rivals(material: Material) -> list[Sentence]:
    words = material.words
    if len(material.futures.rivals) == 1:
        return []
    others = [
        words(
            f"{material.shown(name)} ({', '.join(words.metric(each) for each in metrics)})",
            f"「{material.shown(name)}」（{'、'.join(words.metric(each) for each in metrics)}）",
        )
        for name, metrics in material.winners.items()
        if name != material.plan and metrics
    ]
    if not others:
        return [Sentence(words("No other plan comes first by any of them.", "他の案が首位となる指標はない。"))]
    return [
        Sentence(
            words(
                f"The measures do not all agree; first, alone or shared: {'; '.join(others)}.",
                f"指標の結論は一致しない。単独または同率の首位：{'；'.join(others)}。",
            )
        )
    ]


def doubt(interval: Interval, material: Material, *, share: bool = False) -> str:
    """Return an interval in words, or that there is none; empty for a share without one, which the sentence before told."""
    words = material.words
    if np.isnan(interval.low) or np.isnan(interval.high):
        return ""
    shown = words.share if share else words.amount
    return words(
        f" (95 % interval {shown(interval.low)} to {shown(interval.high)})",
        f"（95％信頼区間 {shown(interval.low)}～{shown(interval.high)}）",
    )


def _savings(material: Material) -> list[Sentence]:
    words, futures, plan = material.words, material.futures, material.plan
    if plan == futures.reference:
        return [
            Sentence(
                words(
                    "It is the reference itself, which savings are measured against: its own is 0.",
                    "これは節約額を測る基準そのものであり、それ自身の節約額は0である。",
                )
            )
        ]
    found = []
    for cost, en, ja in (
        ("total_cost", "total cost", "総費用"),
        ("fuel_co2_cost", "fuel and CO2 cost", "燃料・CO2対策費用"),
    ):
        saving = futures.saving(cost, plan)
        there = np.isfinite(saving)
        weights = futures.weights_of(there)
        mean = float(weights @ saving[there])
        low, high = (float(each) for each in np.quantile(saving[there], [0.05, 0.95]))
        sure = float(weights @ (saving[there] > 0))
        interval = mean_interval(futures.sample(saving))
        chance = share_interval(futures.sample(np.where(there, (saving > 0).astype(np.float64), np.nan)))
        found.append(
            Sentence(
                words(
                    f"In {en} {material.shown(plan)} saves {words.money(mean)} a year on average{doubt(interval, material)} against "
                    f"{material.shown(futures.reference)}; in 90 % of futures between {words.amount(low)} and "
                    f"{words.money(high)}; it saves at all in {words.share(sure)} of "
                    f"{int(there.sum()):,} futures{doubt(chance, material, share=True)}.",
                    f"{ja}では「{material.shown(plan)}」は「{material.shown(futures.reference)}」に対し年平均{words.money(mean)}を節約する"
                    f"{doubt(interval, material)}。90％の将来で{words.amount(low)}～{words.money(high)}の範囲にあり、"
                    f"{int(there.sum()):,}通りの将来の{words.share(sure)}で節約となる{doubt(chance, material, share=True)}。",
                ),
                {f"{cost}_mean": mean, f"{cost}_low": low, f"{cost}_high": high, f"{cost}_share": sure},
            )
        )
    return [found[0], *_building(material), *found[1:]]


def _building(material: Material) -> list[Sentence]:
    """Say how much of the saving in total cost is cheaper building, which rests on an assumption more than all else."""
    words, futures = material.words, material.futures
    if "building_cost" not in material.cube.data_vars:
        return []
    cost = outcome(material.cube, "building_cost").transpose("draw", "configuration").to_numpy()
    saved = cost[:, futures.place(futures.reference)] - cost[:, futures.place(material.plan)]
    there = np.isfinite(saved) & np.isfinite(futures.saving("total_cost", material.plan))
    mean = float(futures.weights_of(there) @ saved[there])
    if abs(mean) < LEAST_BUILDING * abs(
        float(futures.weights_of(there) @ futures.saving("total_cost", material.plan)[there])
    ):
        return []
    text = words(
        f"{words.money(mean)} of it is the cost of buildings, which rests on assumed prices by area.",
        f"このうち{words.money(mean)}は建設費の差で、地域別の建設単価の仮定による。",
    )
    return [Sentence(text, {"building_mean": mean})]


def _failing(material: Material) -> list[Sentence]:
    words, finding = material.words, material.finding
    count, size = int(finding.of_interest.sum()), int(finding.of_interest.size)
    begun = (
        _worst_quarter(material)
        if material.is_worst_quarter
        else words(
            f"Where it fails: {said(finding.threshold, words)} holds in {count:,} of {size:,} futures ({words.share(finding.share)}).",
            f"弱点：条件「{said(finding.threshold, words)}」は{size:,}通りの将来のうち{count:,}通り（{words.share(finding.share)}）で成り立つ。",
        )
    )
    sentences = [Sentence(begun, {"cases": count, "judged": size})]
    final = finding.final
    if final is None:
        why = {
            "cases": words("too few to say what they have in common", "少なすぎて共通点は言えない"),
            "others": words(
                "so many that too few others are left to set them apart from", "大半を占め、区別する相手が少なすぎる"
            ),
            "factors": words("and no uncertainty varies", "変動する不確実性がない"),
        }[finding.reason]
        return [*sentences, Sentence(words(f"These are {why}.", f"これは{why}。"))]
    told = limits(final.box, finding.inputs, words, material.units)
    if not told:
        nothing = words("No uncertainty sets them apart beyond chance.", "偶然を超えてそれらを区別する不確実性はない。")
        return [*sentences, Sentence(nothing)]
    return [
        *sentences,
        Sentence(
            words(
                f"What they share: {words.listed(told)}. Of the futures like that, {words.share(final.density)} are such "
                f"cases, and they are {words.share(final.coverage)} of all such cases.",
                f"共通点：{words.listed(told)}。この範囲の将来の{words.share(final.density)}が該当し、"
                f"該当する将来全体の{words.share(final.coverage)}を含む。",
            ),
            {"density": final.density, "coverage": final.coverage},
        ),
    ]


def _worst_quarter(material: Material) -> str:
    """Say that what is looked at is worst by this plan's own measure alone."""
    words, finding = material.words, material.finding
    condition, count, size = (
        said(finding.threshold, words),
        int(finding.of_interest.sum()),
        int(finding.of_interest.size),
    )
    return words(
        f"Where it does least well: no limit was named, so this looks at the worst quarter of its own futures, {count:,} of "
        f"{size:,} ({condition}).",
        f"効果が最も小さい場合：しきい値の指定がないため、この案自身の将来のうち下位4分の1（{size:,}通りのうち{count:,}通り、"
        f"{condition}）を調べた。",
    )


def _worst(material: Material) -> list[Sentence]:
    words, futures = material.words, material.futures
    if len(futures.rivals) == 1:
        return []
    costs, _, _ = futures.costs("total_cost")
    regret = costs.regret[:, futures.rivals.index(material.plan)]
    largest, beaten = float(regret.max()), float((regret > 0).mean())
    if largest <= 0:
        text = words("No other plan was cheaper in any of these futures.", "他の案の方が安い将来は一つもなかった。")
        return [Sentence(text)]
    found = Sentence(
        words(
            f"In the worst future it costs {words.money(largest)} a year more than the plan that would have been best; "
            f"some other plan is cheaper in {words.share(beaten)} of futures. More draws can only find a larger regret.",
            f"最悪の将来では、その将来で最良の案より年{words.money(largest)}高くつく。他の案の方が安い将来は"
            f"{words.share(beaten)}である。計算する将来を増やせば、より大きな後悔が見つかることはあっても、減ることはない。",
        ),
        {"largest_regret": largest, "beaten": beaten},
    )
    return [found]


def _troubles(material: Material) -> list[Sentence]:
    words, marks = material.words, material.futures.marks[material.plan]
    said = {
        "failed": words("the model found no solution", "解が得られない"),
        "load_lost": words("some load goes unserved", "供給支障が生じる"),
        "headroom": words("grid headroom is exceeded", "系統空容量を超過する"),
        "sites": words("rules on sites are broken", "立地規則に反する"),
    }
    hit = {kind: share for kind, share in marks.items() if share > 0}
    if not hit:
        return []
    begun = "Its first place has a mark against it" if material.plan == material.leader else "It has a mark against it"
    told = [
        words(f"in {words.share(share)} {said[kind]}", f"{words.share(share)}で{said[kind]}")
        for kind, share in hit.items()
    ]
    return [
        Sentence(
            words(
                f"{begun}: of its futures, {words.listed(told)}.",
                f"留意点：この案の将来のうち、{words.listed(told)}。",
            ),
            hit,
        )
    ]
