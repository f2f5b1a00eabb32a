"""Turn a cube into what people read: a robustness table, figures and one HTML page."""

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
