"""Lay out the drawings of the explorer with Bokeh; what they show is computed in the page."""

from __future__ import annotations

from typing import Any, Final

from report.document.fonts import MISSING
from report.explore.hours import SERIES
from report.outcomes import CubeContentError

try:
    from bokeh.embed import json_item
    from bokeh.models import ColumnDataSource, CustomJS, FixedTicker, HoverTool, Range1d
    from bokeh.plotting import figure
    from bokeh.resources import Resources
except ModuleNotFoundError as fault:
    raise CubeContentError(MISSING.format("bokeh")) from fault

FONT: Final = 'system-ui, "DejaVu Sans", "Embedded", sans-serif'


def _plain(name: str, height: int, **options: Any) -> Any:
    shown = figure(height=height, sizing_mode="stretch_width", toolbar_location=None, tools="", name=name, **options)
    shown.outline_line_color = None
    shown.grid.grid_line_alpha = 0.35
    return shown


def drawings() -> list[dict[str, Any]]:
    """Return Bokeh's JSON of every drawing, each for the element ``drawing-NAME``."""
    curves = _plain("curves", 300, x_range=Range1d(0, 1), y_range=Range1d(0, 1))
    curves.multi_line(
        "xs", "ys", color="color", line_width=2, line_dash="dash", source=_source("curves", "xs", "ys", "color", "dash")
    )
    parallel = _plain("parallel", 350, x_range=Range1d(-0.3, 1), min_border_left=110)
    parallel.y_range = Range1d(-0.03, 1.03)
    parallel.multi_line(
        "xs", "ys", color="color", line_alpha="alpha", source=_source("parallel", "xs", "ys", "color", "alpha")
    )
    parallel.multi_line("xs", "ys", color="black", line_width=2.5, source=_source("own", "xs", "ys"))
    parallel.xaxis.ticker = FixedTicker(ticks=[])
    parallel.xaxis.major_label_orientation = 0.9
    parallel.yaxis.visible = False
    grid = _plain("map", 330, x_range=Range1d(0, 1), y_range=Range1d(0, 1))
    boxes = grid.rect(
        "x",
        "y",
        1,
        1,
        fill_color="color",
        fill_alpha="alpha",
        line_color="white",
        source=_source("map", "x", "y", "color", "alpha", "name", "n", "gap"),
    )
    grid.text(
        "x", "y", text="n", text_align="center", text_baseline="middle", text_font_size="11px", source=boxes.data_source
    )
    grid.add_tools(HoverTool(renderers=[boxes], tooltips=[("", "@name"), ("n", "@n"), ("+", "@gap")]))
    for axis in (grid.xaxis, grid.yaxis):
        axis.ticker = FixedTicker(ticks=[])
    every = (curves, parallel, grid, _scatter(), _hours())
    for shown in every:
        for axis in (shown.xaxis, shown.yaxis):
            axis.axis_label_text_font = axis.major_label_text_font = FONT
            axis.axis_label_text_font_style = "normal"
    return [dict(json_item(shown, f"drawing-{shown.name}")) for shown in every]


def _scatter() -> Any:
    """Draws as one image, which the page paints dot by dot: ten thousand glyphs would take longer than a brush may."""
    shown = _plain("scatter", 330, x_range=Range1d(0, 1), y_range=Range1d(0, 1))
    shown.image_rgba("image", "x", "y", "dw", "dh", source=_source("scatter", "image", "x", "y", "dw", "dh"))
    chosen = _source("chosen", "x", "y")
    for colour, width in (("white", 6), ("#D55E00", 3)):
        shown.scatter("x", "y", size=15, line_color=colour, line_width=width, fill_color=None, source=chosen)
    shown.js_on_event("tap", CustomJS(code="window.explorer.tap(cb_obj.x, cb_obj.y)"))
    shown.xaxis.ticker, shown.yaxis.ticker = FixedTicker(ticks=[]), FixedTicker(ticks=[])
    return shown


def _hours() -> Any:
    """Hours side by side, day after day, stacked by technology; the page moves tops and bottoms."""
    shown = _plain("hours", 380, x_range=Range1d(0, 24), y_range=Range1d(0, 1))
    stacked = [each for each in SERIES if each.shown != "line"]
    lines = [each for each in SERIES if each.shown == "line"]
    ends = [f"{end}_{each.name}" for each in stacked for end in ("low", "high")]
    source = _source("hours", "x", "text", *ends, *(each.name for each in lines))  # both ends of every hour
    for each in stacked:
        shown.varea(
            *("x", f"low_{each.name}", f"high_{each.name}"),
            source=source,
            fill_color=each.colour,
            hatch_pattern=each.hatch or None,
            hatch_color="#333333",
            hatch_scale=7,
            hatch_weight=0.7,
        )
    for each in lines:
        drawn = shown.line(
            "x", each.name, source=source, line_color="black", line_width=1.6, line_dash=each.hatch or "solid"
        )
    shown.xaxis.ticker = FixedTicker(ticks=[])
    shown.add_tools(HoverTool(renderers=[drawn], mode="vline", line_policy="nearest", tooltips="<pre>@text</pre>"))
    return shown


def _source(name: str, *columns: str) -> ColumnDataSource:
    return ColumnDataSource({column: [] for column in columns}, name=f"{name}-source")


def script() -> str:
    """Return Bokeh's own JavaScript, as its package carries it."""
    return "\n".join(Resources(mode="inline", components=["bokeh"]).js_raw)
