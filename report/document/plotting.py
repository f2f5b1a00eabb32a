"""What all figures of a document share: sizes, colours that stay apart in colour blindness, plain axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from report.figures import GREY, LINE_COLOURS, LINE_STYLES

WIDTH: Final = 7.2  # inches
MOST_POINTS: Final = 400
"""Points of a curve; more cannot be seen and make files large."""
MOST_DOTS: Final = 1500
"""Dots of a scatter plot."""


def canvas(height: float, columns: int = 1, rows: int = 1) -> tuple[Figure, list[Axes]]:
    """Return a figure with plain axes, row by row."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = [figure.add_subplot(rows, columns, place + 1) for place in range(rows * columns)]
    for each in axes:
        plain(each)
    return figure, axes


def plain(axes: Axes) -> None:
    """Take away what carries no data."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=8, color=GREY)
    axes.xaxis.label.set_fontsize(9)
    axes.yaxis.label.set_fontsize(9)


def styles(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return colour and line style of every configuration: styles differ too, so that print in grey can be read."""
    return {
        name: {
            "color": LINE_COLOURS[place % len(LINE_COLOURS)],
            "linestyle": LINE_STYLES[place % len(LINE_STYLES)],
        }
        for place, name in enumerate(names)
    }


def thinned(size: int, most: int) -> NDArray[np.int64]:
    """Return evenly spaced places, first and last among them."""
    return np.unique(np.linspace(0, size - 1, min(size, most)).round().astype(np.int64)) if size else np.arange(0)


def some(size: int, most: int = MOST_DOTS) -> NDArray[np.int64]:
    """Return places of draws to show in a scatter plot: all, or evenly spaced ones."""
    return thinned(size, most)
