"""One decision for many scenarios: decomposition over scenarios for risk measures, with bounds on both sides.

Knows nothing of what is decided: the first stage is a Pyomo model, what follows it an oracle that gives costs and cuts.
"""

from sweep.robust.decomposition import Found, NoneMeetsBudgetError, Round, decompose
from sweep.robust.measures import Budget, Goal, Measure
from sweep.robust.near import End, Space, different, near_optimal, nested
from sweep.robust.problem import Cuts, Problem, Recourse, Stage

__all__ = [
    "Budget",
    "Cuts",
    "End",
    "Found",
    "Goal",
    "Measure",
    "NoneMeetsBudgetError",
    "Problem",
    "Recourse",
    "Round",
    "Space",
    "Stage",
    "decompose",
    "different",
    "near_optimal",
    "nested",
]
