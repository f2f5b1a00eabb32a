"""Turn a figure into SVG text for a page or into a PNG file, the same bytes for the same figure."""

import io
import re
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure


def to_svg(figure: Figure, *, prefix: str = "") -> str:
    """
    Give the figure as one ``<svg>`` element, equal bit for bit for equal figures under one version of matplotlib.

    Parameters
    ----------
    figure
        Any figure of `report.figures`.
    prefix
        Put before every id inside, so that several figures can stand in one page without clashes.

    Returns
    -------
    str
        Without XML header, date or any reference to the outside; letters are drawn as paths, so it looks the same
        everywhere.
    """
    buffer = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "report", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}", svg)


def to_png(figure: Figure, path: Path) -> None:
    """Write the figure as PNG at 150 dots per inch."""
    figure.savefig(path, format="png", dpi=150, metadata={"Software": None})
