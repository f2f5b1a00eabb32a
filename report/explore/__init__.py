"""Write an interactive page of a cube: brush uncertainties, and every number follows; works without a network."""

from report.explore.page import explorer, write_explorer

__all__ = ["explorer", "write_explorer"]
