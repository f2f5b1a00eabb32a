"""Write the savings scenario by scenario: scenarios have no odds, so that their mean together is no forecast."""

from __future__ import annotations

import numpy as np

from report.document.material import Material
from report.document.parts import Cell, Table
from report.samples import scenarios_of


def savings_by_scenario(material: Material) -> list[Table]:
    """Return mean saving and chance of one by scenario and configuration; nothing for a study with fewer than two."""
    words, futures = material.words, material.futures
    scenarios = scenarios_of(material.cube)
    if len(scenarios) < 2:
        return []
    of_draw = material.cube["scenario"].to_numpy().astype(str)
    rows: list[list[Cell | str]] = []
    for scenario in scenarios:
        for name in material.others:
            total, fuel = (futures.saving(cost, name)[of_draw == scenario] for cost in ("total_cost", "fuel_co2_cost"))
            there = np.isfinite(total)
            told = [float(each[there].mean()) if there.any() else np.nan for each in (total, fuel)]
            sure = float((total[there] > 0).mean()) if there.any() else np.nan
            rows.append(
                [
                    Cell(scenario, scenario),
                    Cell(material.shown(name), name),
                    *(Cell(words.amount(value), value) for value in told),
                    Cell(words.share(sure), sure),
                    Cell(f"{int(there.sum()):,}", int(there.sum())),
                ]
            )
    heads = [
        *(words("scenario", "シナリオ"), words("configuration", "案")),
        *(words("mean, total cost", "総費用の平均"), words("mean, fuel and CO2 cost", "燃料・CO2対策費用の平均")),
        *(words("chance > 0, total cost", "総費用が節約となる割合"), "n"),
    ]
    caption = words(
        f"Savings by scenario [{words.unit}]. Scenarios have no odds: all other figures of this report count them alike.",
        f"シナリオ別の節約額［{words.unit}］。シナリオに確率はなく、本報告の他の数値は各シナリオを同じ重みで数えたものである。",
    )
    return [Table("savings_by_scenario", caption, heads, rows)]
