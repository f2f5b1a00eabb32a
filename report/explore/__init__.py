"""Write an interactive page of a cube: brush uncertainties, and every number follows; works without a network."""

from report.explore.hours import Hourly, bytes_of, packed_hours
from report.explore.named import BASE, Named, focus, named_draws
from report.explore.page import explorer, write_explorer

__all__ = [
    "BASE",
    "Hourly",
    "Named",
    "bytes_of",
    "explorer",
    "focus",
    "named_draws",
    "packed_hours",
    "write_explorer",
]
