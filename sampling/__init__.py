"""Turn uncertainties into draws.

    uncertainty.csv, [uncertain.NAME] -> read_uncertainty, marginal_from_dict -> one Marginal per parameter
    [design] -> DesignSpec -> unit_points, structured_points: points in the unit cube
    [dependence] -> DependenceSpec -> make_copula: ranks that move together
    all -> draw_table: ranks through each quantile function, under each scenario -> an xarray Dataset over `draw`
    draw_rows -> the same a stretch at a time, for millions of draws
    draw_table -> table_summary, correlations, write_csv: what was drawn

Knows nothing of the model, the store or the cluster.
"""

from sampling.copula import DependenceSpec
from sampling.designs import MOST_DRAWS, DesignSpec, is_extensible, unit_points
from sampling.draws import DrawTable, draw_rows, draw_table
from sampling.errors import SamplingError
from sampling.marginals import Marginal
from sampling.notes import design_notes
from sampling.rows import BLOCK, DrawRows, rows_of
from sampling.summary import correlations, table_summary, write_csv
from sampling.uncertainty import marginal_from_dict, read_uncertainty

__all__ = [
    "BLOCK",
    "MOST_DRAWS",
    "DependenceSpec",
    "DesignSpec",
    "DrawRows",
    "DrawTable",
    "Marginal",
    "SamplingError",
    "correlations",
    "design_notes",
    "draw_rows",
    "draw_table",
    "is_extensible",
    "marginal_from_dict",
    "read_uncertainty",
    "rows_of",
    "table_summary",
    "unit_points",
    "write_csv",
]
