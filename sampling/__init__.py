"""Turn uncertainties into draws.

    uncertainty.csv, [uncertain.NAME] -> read_uncertainty, marginal_from_dict -> one Marginal per parameter
    [design] -> DesignSpec -> unit_points: points in the unit cube, extensible and in independent replicates
    both -> draw_table: correlated ranks through each quantile function -> an xarray Dataset over `draw`

Knows nothing of the model, the store or the cluster.
"""

from sampling.designs import DesignSpec, is_extensible, unit_points
from sampling.draws import DrawTable, draw_table
from sampling.errors import SamplingError
from sampling.marginals import Marginal
from sampling.uncertainty import marginal_from_dict, read_uncertainty

__all__ = [
    "DesignSpec",
    "DrawTable",
    "Marginal",
    "SamplingError",
    "draw_table",
    "is_extensible",
    "marginal_from_dict",
    "read_uncertainty",
    "unit_points",
]
