"""Say a box of futures in words, and what to watch for on the way there."""

from __future__ import annotations

import re

from report.discovery import Box, Finding, Inputs
from report.document.language import Words, number

READ_BY = 2030
AMOUNTS = {
    "saving_fuel_co2": ("the saving in fuel and CO2 cost", "燃料・CO2対策費用の節約額"),
    "saving_total": ("the saving in total cost", "総費用の節約額"),
    "total_cost": ("total cost", "総費用"),
    "regret_total": ("regret in total cost", "総費用の後悔"),
}
SIGNS = {"<": ("below", "未満"), "<=": ("at most", "以下"), ">": ("above", "超"), ">=": ("at least", "以上")}


def said(threshold: str, words: Words) -> str:
    """Say a plain threshold of an amount in words and the money of the language; any other condition as it was typed."""
    match = re.fullmatch(r"\s*(\w+)\s*(<=?|>=?)\s*(-?\d+(?:\.\d+)?)\s*", threshold)
    if match is None or match[1] not in AMOUNTS:
        return threshold
    name, sign, amount = words(*AMOUNTS[match[1]]), words(*SIGNS[match[2]]), words.money(float(match[3]))
    return words(f"{name} {sign} {amount} a year", f"{name}が年{amount}{sign}")


def limits(box: Box, inputs: Inputs, words: Words, units: dict[str, str]) -> list[str]:
    """Return each restriction of a box in words, most telling form: built or not, a label, at most, at least."""
    whole = Box.around(inputs)
    numbers, texts = box.restricted(whole)
    found = []
    for column in numbers:
        name, low, high = inputs.names[column], float(box.low[column]), float(box.high[column])
        unit = words.units(units.get(name, ""))
        told = words.parameter(name)
        ends = f" {unit}" if unit else ""
        if units.get(name) == "0/1":
            built = low > 0
            found.append(words(f"{told}: {'yes' if built else 'no'}", f"{told}：{'あり' if built else 'なし'}"))
        elif low == whole.low[column]:
            found.append(words(f"{told} at most {number(high)}{ends}", f"{told}が{number(high)}{ends}以下"))
        elif high == whole.high[column]:
            found.append(words(f"{told} at least {number(low)}{ends}", f"{told}が{number(low)}{ends}以上"))
        else:
            found.append(
                words(
                    f"{told} from {number(low)} to {number(high)}{ends}", f"{told}が{number(low)}～{number(high)}{ends}"
                )
            )
    for at in texts:
        kept = "/".join(inputs.labels[at][code] for code in sorted(box.kept[at]))
        found.append(f"{words.parameter(inputs.texts[at])} = {kept}")
    return found


def signposts(finding: Finding, words: Words, units: dict[str, str], is_worst_quarter: bool) -> list[str]:
    """Return what to watch for, one sentence for each restriction of the final box; none where nothing was found.

    The worst quarter of a plan's own futures need not be bad: what leads there is no warning.
    """
    if finding.final is None:
        return []
    meaning = (
        (
            "expect this plan to do less well than the mean says, which need not make another one better",
            "この案の効果は平均より小さいと見る（他の案が有利になるとは限らない）",
        )
        if is_worst_quarter
        else ("take it as a warning", "警戒信号とする")
    )
    return [
        words(
            f"If by {READ_BY} the outlook for 2040 points to: {told}, {meaning[0]}.",
            f"{READ_BY}年までに2040年の見通しが「{told}」に向かう場合は、{meaning[1]}。",
        )
        for told in limits(finding.final.box, finding.inputs, words, units)
    ]
