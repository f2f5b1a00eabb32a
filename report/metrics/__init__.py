"""Score configurations by robustness metrics and weigh them against each other, from costs (draws, configurations)."""

from report.metrics.agreement import Agreement, Stability, agreement, stability, winners
from report.metrics.definitions import METRICS, RANKED, Costs, Metric
from report.metrics.futures import Futures, read_futures
from report.metrics.scorecard import Scorecard, scorecard
from report.metrics.strongest import strongest_first

__all__ = [
    "METRICS",
    "RANKED",
    "Agreement",
    "Costs",
    "Futures",
    "Metric",
    "Scorecard",
    "Stability",
    "agreement",
    "read_futures",
    "scorecard",
    "stability",
    "strongest_first",
    "winners",
]
