"""How wrong a choice of days is: savings, curtailment and cost beside those of the whole year, in futures held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from model import Days
from model.day_outcomes import DayOutcomes

Floats = NDArray[np.float64]
SMALL = 0.1  # of an outcome's mean over futures: errors of a smaller outcome are relative to this
OUTCOMES = {"saving": "saving", "curtailment": "curtailment", "cost": "fuel and CO2 cost"}
DIGITS = 4


@dataclass(frozen=True, eq=False)
class DaysError:
    """Relative errors by outcome and configuration, one of each future (futures,), signed.

    Attributes
    ----------
    errors : mapping
        Name in ``OUTCOMES`` -> configuration -> (futures,).
    order : (futures,) array
        Kendall's tau between the configurations' order by cost on these days and over the whole year; 1 is the same.
    """

    errors: Mapping[str, Mapping[str, Floats]]
    order: Floats

    @classmethod
    def together(cls, parts: Sequence[DaysError]) -> DaysError:
        """Of several weather years."""
        errors = {
            outcome: {name: np.concatenate([part.errors[outcome][name] for part in parts]) for name in of_names}
            for outcome, of_names in parts[0].errors.items()
        }
        return cls(errors, np.concatenate([part.order for part in parts]))

    def summary(self) -> dict[str, Any]:
        """Mean and worst absolute error of each outcome, over all configurations and of each, as plain numbers."""
        found: dict[str, Any] = {"futures": len(self.order), "order_kept": _plain((self.order > 1 - 1e-9).mean())}
        found["order_tau"] = _plain(self.order.mean())
        for outcome, of_names in self.errors.items():
            every = [values for _, values in sorted(of_names.items())]
            if every:
                each = {name: _mean_and_worst(values) for name, values in of_names.items()}
                found[outcome] = {**_mean_and_worst(np.concatenate(every)), "by_configuration": each}
        return found


def days_error(names: Sequence[str], outcomes: Sequence[DayOutcomes], days: Days) -> DaysError:
    """Errors of days in futures of which every day was solved.

    Parameters
    ----------
    names : sequence of str
        Configurations in the order of the outcomes' sitings, the reference first.
    """
    weight = np.zeros(outcomes[0].cost.shape[-1])
    weight[days.day] = days.weight
    ones = np.ones(weight.size)
    cost, cost_of_year = (np.array([one.cost.astype(np.float64) @ w for one in outcomes]) for w in (weight, ones))
    curtailed = [
        np.array([one.curtailment.sum(axis=2, dtype=np.float64) @ w for one in outcomes]) for w in (weight, ones)
    ]
    saving = [values[:, :1] - values[:, 1:] for values in (cost, cost_of_year)]
    errors = {
        "saving": dict(zip(names[1:], _relative(*saving).T, strict=True)),
        "curtailment": dict(zip(names, _relative(*curtailed).T, strict=True)),
        "cost": dict(zip(names, _relative(cost, cost_of_year).T, strict=True)),
    }
    order = [kendalltau(a, b).statistic if len(names) > 1 else 1.0 for a, b in zip(cost, cost_of_year, strict=True)]
    return DaysError(errors, np.nan_to_num(np.array(order), nan=1.0))


def error_text(summary: Mapping[str, Any]) -> str:
    """The error in one line."""
    parts = [
        f"{told} {summary[outcome]['mean']:.1%} mean, {summary[outcome]['worst']:.1%} worst"
        for outcome, told in OUTCOMES.items()
        if outcome in summary
    ]
    return f"error in {summary['futures']} futures held out: {'; '.join(parts)}".replace("%", " %")


def _relative(found: Floats, true: Floats) -> Floats:
    """Error over the outcome itself, or over a part of its mean where it is smaller; 0 where there is nothing at all."""
    size = np.maximum(np.abs(true), SMALL * np.abs(true).mean(axis=0))
    relative: Floats = np.divide(found - true, size, out=np.zeros(true.shape), where=size > 0)
    return relative


def _mean_and_worst(values: Floats) -> dict[str, float]:
    return {"mean": _plain(np.abs(values).mean()), "worst": _plain(np.abs(values).max())}


def _plain(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
