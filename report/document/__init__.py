"""Write the robustness report that goes into a policy proposal: one page, a PDF, figures and tables, Japanese or English."""

from report.document.build import Document, build
from report.document.material import Wanted
from report.document.write import write_document

__all__ = ["Document", "Wanted", "build", "write_document"]
