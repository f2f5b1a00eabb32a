"""Draw what is uncertain: one small figure of each parameter of a draw table, its histogram or its categories."""

import math

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from report.figures import BLUE, GREY, VERMILION

COLUMNS = 4
SIZE = (2.9, 1.9)  # inches of one parameter
MOST_BINS = 40
FEW = 8  # numbers of so few values are shown one by one


def marginals_figure(table: xr.Dataset) -> Figure:
    """
    Draw the distribution of every parameter as the draws have it.

    Parameters
    ----------
    table
        Draw table: variables over ``draw``, numbers or texts, with the attribute ``units``.

    Returns
    -------
    Figure
        A panel for each variable, in their order: a histogram with the median and the 5 and 95 % quantiles marked, or
        the share of draws of each value where there are few.
    """
    names = [str(name) for name in table.data_vars]
    rows = math.ceil(len(names) / COLUMNS)
    columns = min(COLUMNS, len(names))
    figure = Figure(figsize=(SIZE[0] * columns, SIZE[1] * rows), layout="constrained")
    for place, name in enumerate(names, 1):
        axes = figure.add_subplot(rows, columns, place)
        _panel(axes, table[name])
        unit = str(table[name].attrs.get("units", ""))
        axes.set_title(name if unit in ("", "1") else f"{name} [{unit}]", fontsize=9, loc="left")
    figure.suptitle(f"Distributions over {table.sizes['draw']:,} draws", fontsize=11, x=0.01, ha="left")
    return figure


def _panel(axes: Axes, column: xr.DataArray) -> None:
    values = column.to_numpy()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=8, color=GREY)
    axes.set_yticks([])
    is_text = values.dtype.kind not in "fiu"
    found, counts = np.unique(values.astype(str) if is_text else values, return_counts=True)
    if is_text or len(found) <= FEW:
        labels = [str(one) if is_text else f"{one:.4g}" for one in found.tolist()]
        axes.bar(range(len(found)), counts / counts.sum(), width=0.6, color=BLUE)
        axes.set_xticks(range(len(found)), labels)
        for place, count in enumerate(counts.tolist()):
            axes.annotate(
                f"{count / len(values):.0%}", (place, count / len(values)), ha="center", va="bottom", fontsize=7
            )
        axes.margins(y=0.25)
        return
    axes.hist(values, bins=int(np.clip(math.isqrt(len(values)), 5, MOST_BINS)), density=True, color=BLUE)
    for quantile, style in ((0.05, ":"), (0.5, "-"), (0.95, ":")):
        axes.axvline(float(np.quantile(values, quantile)), color=VERMILION, linestyle=style, linewidth=1)
