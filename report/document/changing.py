"""Say what would change the answer, by which odds, and what to watch for on the way there."""

from __future__ import annotations

from report.document.material import Material
from report.document.odds import LEAST_DRAWS, break_even_odds
from report.document.parts import Sentence
from report.document.signposts import READ_BY, signposts


def _dearer(material: Material) -> Sentence | None:
    """Say by how much the plan in focus is beaten on average; None where no other plan is cheaper."""
    words, futures = material.words, material.futures
    costs, weights, _ = futures.costs("total_cost")
    mean = weights @ costs.values
    above, best = float(mean[futures.rivals.index(material.plan)] - mean.min()), futures.rivals[int(mean.argmin())]
    if above <= 0:
        return None
    return Sentence(
        words(
            f"On average {material.shown(best)} is already cheaper, by {words.money(above)} a year.",
            f"平均では「{material.shown(best)}」の方が既に年{words.money(above)}安い。",
        ),
        {"dearer_by": above},
    )


def change(material: Material) -> Sentence:
    """Say which odds turn the choice, or that the plan in focus is beaten already."""
    words, odds, dearer = material.words, break_even_odds(material), _dearer(material)
    if dearer is not None:
        return dearer
    if len(material.futures.rivals) < 2:
        return Sentence(words("There is no other plan that could be chosen.", "選択肢となる他の案は計算されていない。"))
    if material.futures.common().sum() < 2 * LEAST_DRAWS:
        return Sentence(
            words(
                "There are too few futures to tell which odds would turn the choice.",
                "将来の数が少なく、どの確率で選択が変わるかは言えない。",
            )
        )
    if not odds:
        return Sentence(
            words(
                "No odds on any single uncertainty make another plan cheaper on average; "
                "only something that the model leaves out would.",
                "どの不確実性一つについて確率を変えても、平均費用で他の案が有利になることはない。"
                "変えうるのはモデルの外にある事情である。",
            )
        )
    first = odds[0]
    return Sentence(
        words(
            f"Choose {material.shown(first.other)} if the chance of “{first.kind}” exceeds "
            f"{first.chance:.2f} (it is {first.share:.2f} among these futures).",
            f"「{first.kind}」の確率が{first.chance:.2f}を超えるなら「{material.shown(first.other)}」を選ぶ"
            f"（本計算では{first.share:.2f}）。",
        ),
        {"chance": first.chance, "share": first.share},
    )


def watched(material: Material) -> list[Sentence]:
    """Say what to watch for: the limits of the box of failures, and odds that would turn the choice where there is none."""
    words = material.words
    told = [Sentence(text) for text in signposts(material.finding, words, material.units, material.is_worst_quarter)]
    odds = break_even_odds(material)
    if told or not odds or _dearer(material) is not None:
        return told
    first = odds[0]
    return [
        Sentence(
            words(
                f"If by {READ_BY} the chance of “{first.kind}” in 2040 is put above {first.chance:.2f}, choose anew: "
                f"{material.shown(first.other)} is then cheaper on average.",
                f"{READ_BY}年までに、2040年に「{first.kind}」となる確率が{first.chance:.2f}を超えると見込まれる場合は選び直す。平均では"
                f"「{material.shown(first.other)}」の方が安くなる。",
            ),
            {"signpost_chance": first.chance},
        )
    ]
