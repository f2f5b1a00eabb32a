"""Draw the first page's picture: what every plan saves, on average and in nine futures of ten."""

from __future__ import annotations

import numpy as np

from report.document.material import Material
from report.document.parts import Chart
from report.document.plotting import canvas
from report.figures import BLUE, GREY, VERMILION

COSTS = (
    ("total_cost", "total cost", "総費用", BLUE, "o", 0.16),
    ("fuel_co2_cost", "fuel and CO2 cost", "燃料・CO2対策費用", VERMILION, "s", -0.16),
)
ENDS = (0.05, 0.95)


def overview(material: Material) -> Chart:
    """Return mean and 5 to 95 % of the saving of every plan but the reference, in total and in fuel and CO2 cost."""
    words, names = material.words, material.others[::-1]
    figure, (axes,) = canvas(0.8 + 0.24 * len(names))
    for cost, en, ja, colour, marker, above in COSTS:
        saved = material.savings(cost, names)
        low, high = np.array([np.quantile(saved[name], ENDS) for name in names]).reshape(-1, 2).T * words.scale
        mean = np.array([saved[name].mean() for name in names]) * words.scale
        at = np.arange(len(names)) + above
        axes.hlines(at, low, high, color=colour, linewidth=1.6)
        axes.plot(mean, at, marker, color=colour, markersize=5, label=words(en, ja))
    axes.axvline(0, color=GREY, linewidth=0.9)
    axes.set_yticks(range(len(names)), [material.shown(name) for name in names])
    axes.set_xlabel(f"{words('saving', '節約額')} [{words.unit}]")
    figure.legend(fontsize=8, frameon=False, loc="outside upper right", ncols=2)
    reference = material.shown(material.futures.reference)
    caption = words(
        f"Saving against {reference} in the same future: mean, and 5 to 95 % of futures.",
        f"同じ将来における「{reference}」に対する節約額：平均と、5～95％の将来の範囲。",
    )
    return Chart("overview", caption, figure)
