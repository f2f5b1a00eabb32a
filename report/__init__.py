"""Turn a cube into what people read: a robustness table, figures and one HTML page.

What is imported from here is loaded when it is asked for: figures bring Matplotlib, which a table does without.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from report.figures import curtailment_figure, regret_figure, saving_figure
    from report.image import to_png, to_svg
    from report.outcomes import CubeContentError
    from report.page import PageError, render_report, write_report
    from report.robustness import robustness_table, scenario_tables
    from report.text import table_record, table_text
    from report.uncertainty import marginals_figure
    from report.words import notes, summary

__all__ = [
    "CubeContentError",
    "PageError",
    "curtailment_figure",
    "marginals_figure",
    "notes",
    "regret_figure",
    "render_report",
    "robustness_table",
    "saving_figure",
    "scenario_tables",
    "summary",
    "table_record",
    "table_text",
    "to_png",
    "to_svg",
    "write_report",
]
_MODULES = {
    "figures": ("curtailment_figure", "regret_figure", "saving_figure"),
    "image": ("to_png", "to_svg"),
    "outcomes": ("CubeContentError",),
    "page": ("PageError", "render_report", "write_report"),
    "robustness": ("robustness_table", "scenario_tables"),
    "text": ("table_record", "table_text"),
    "uncertainty": ("marginals_figure",),
    "words": ("notes", "summary"),
}
_HOMES = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import what is asked for from the module that has it."""
    if name in _HOMES:
        return getattr(import_module(f"report.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
