"""Take the statistics of a cube under other beliefs: the same draws, each with an importance weight of its own.

Weights w are ratios of densities, and count relative to their sum (Owen 2013, Monte Carlo theory, methods and examples,
chapter 9). How many draws are left is told by Kish's effective sample size (sum w)^2 / sum w^2 (Kish 1965, Survey
Sampling); beside it, for the mean of an outcome, by the number of plain draws that would leave the same standard error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy import special

from report.estimators import Floats, is_best
from report.intervals import (
    CONFIDENCE,
    Interval,
    Sample,
    cvar_interval,
    mean_interval,
    probability_interval,
    quantile_interval,
    share_interval,
)
from report.outcomes import (
    NOT_RUN,
    OPTIMAL,
    CubeContentError,
    attribute,
    configuration_names,
    free_configurations,
    nearest,
    outcome,
    paired_outcome,
    reference_configuration,
    variable,
)

LEAST_EFFECTIVE: Final = 20.0
"""Below it less than one effective draw lies beyond the 5 % or the 95 % quantile."""
LEAST_SHARE: Final = 0.01
"""Below this share of the draws the effective size itself is not to be believed: it rests on a few large weights, and
the larger ones that were missed do not show (Chatterjee and Diaconis 2018, Annals of Applied Probability 28(2))."""

MIX: Final = "mix"
REGRET: Final = "regret_total"
STATISTICS: Final[Mapping[str, str]] = {
    "mean": "mean of the outcome",
    "above": "probability of an outcome above 0",
    "q5": "5 % quantile of the outcome",
    "q50": "median of the outcome",
    "q95": "95 % quantile of the outcome",
    "regret_q90": "90 % quantile of regret_total",
    "regret_cvar90": "mean of the worst 10 % of regret_total",
    "best": "probability of the least total cost of the named configurations, shared by ties",
}


def effective_size(weights: Floats) -> float:
    """Return Kish's effective sample size of weights (n,), 1..n; NaN without any weight."""
    total = weights.sum()
    return float(total**2 / (weights**2).sum()) if total > 0 else float("nan")


def effective_of_mean(values: Floats, weights: Floats) -> float:
    """Return how many plain draws would leave the mean the same error; NaN where values (n,) do not vary."""
    shares = weights / weights.sum() if weights.sum() > 0 else weights
    squares = (values - values @ shares) ** 2
    error = shares**2 @ squares
    return float(shares @ squares / error) if error > 0 else float("nan")


def asked_size(draws: int, least: float | None) -> float:
    """Return the effective size asked for: `least`, else the larger of `LEAST_EFFECTIVE` and `LEAST_SHARE` of the draws."""
    return max(LEAST_EFFECTIVE, LEAST_SHARE * draws) if least is None else least


def reweighted(
    cube: xr.Dataset,
    log_ratios: Mapping[str, Floats],
    *,
    odds: Mapping[str, float] | None = None,
    name: str = "saving_fuel_co2",
    configurations: Sequence[str] = (),
    least: float | None = None,
) -> xr.Dataset:
    """Return how each configuration does under each set of beliefs, within each scenario.

    Parameters
    ----------
    cube : xr.Dataset
        With ``status``, the outcome and ``regret_total`` over (draw, configuration), coordinate ``replicate(draw)``
        and the attributes of a cube.
    log_ratios : mapping
        Set of beliefs -> log ratio (draws,) of its density to the one the draws come from; -inf: cannot be. A set of
        zeros alone is taken as the draws are.
    odds : mapping, optional
        Odds of some of these sets, summing to 1: a row ``mix`` more, of their mixture.
    name : str
        An outcome over draw and configuration alone; savings are paired with the reference.
    configurations : sequence of str
        Those to show; default all. Who is best is judged among all named ones.
    least : float, optional
        Effective size below which a set is refused; see `asked_size`.

    Returns
    -------
    xr.Dataset
        Over (scenario, belief, configuration): each of `STATISTICS` with its ``_low`` and ``_high``, the finished draws
        ``n``, ``failed``, ``not_run``, the weight's share ``failed_share`` of failed draws, ``effective`` and
        ``effective_mean``. Over (scenario, belief): ``effective_least`` and ``largest_share`` of the weight, the worst
        configuration's; ``asked``; ``mean_ratio``, near 1; and ``refused``, the reason or "". NaN where missing or
        refused. Without scenarios there is one, named "".

    Raises
    ------
    CubeContentError
        An unknown outcome or configuration, or one that runs over more than draw and configuration.
    """
    sets = dict(log_ratios)
    if odds:
        parts = np.stack([sets[each] for each in odds])
        with np.errstate(divide="ignore"):
            sets[MIX] = special.logsumexp(parts, axis=0, b=np.array(list(odds.values()))[:, np.newaxis])
    shown = _shown(cube, configurations)
    world = _World(cube, name, shown)
    scenarios = [str(each) for each in cube.attrs.get("scenarios", ())] or [""]
    cells: list[list[list[dict[str, float]]]] = []
    heads: list[list[dict[str, Any]]] = []
    for scenario in scenarios:
        rows = np.flatnonzero(cube["scenario"].to_numpy() == scenario) if scenario else np.arange(cube.sizes["draw"])
        found = {each: world.under(logs[rows], rows, least) for each, logs in sets.items()}
        for part in (each for each, share in (odds or {}).items() if share > 0 and found[each][0]["refused"]):
            found[MIX] = _refused(found[MIX], f"its part {part} is refused")
        heads.append([head for head, _ in found.values()])
        cells.append([row for _, row in found.values()])
    over = ("scenario", "belief", "configuration")
    data: dict[str, Any] = {key: (over, _stacked(cells, key)) for key in cells[0][0][0]}
    for key, first in heads[0][0].items():
        values = [[head[key] for head in row] for row in heads]
        data[key] = (over[:2], np.array(values, dtype=object if isinstance(first, str) else np.float64))
    attrs = {
        "outcome": name,
        "units": world.units,
        "reference": world.reference,
        "free_configurations": free_configurations(cube),
        "design_kind": world.design,
        "replicates": int(np.unique(world.replicate).size),
        "draws": cube.sizes["draw"],
        "confidence": CONFIDENCE,
        "how": mean_interval(Sample(np.zeros(len(world.replicate)), world.design, world.replicate)).how,
        "odds": dict(odds or {}),
    }
    return xr.Dataset(data, {"scenario": scenarios, "belief": list(sets), "configuration": shown}, attrs)


def _shown(cube: xr.Dataset, asked: Sequence[str]) -> list[str]:
    known = configuration_names(cube)
    for name in asked:
        if name not in known:
            raise CubeContentError(f"{name!r} is no configuration of the cube{nearest(name, known)}")
    return [name for name in known if not asked or name in asked]


def _stacked(cells: list[list[list[dict[str, float]]]], key: str) -> Floats:
    return np.array([[[cell[key] for cell in row] for row in scenario] for scenario in cells], dtype=np.float64)


Found = tuple[dict[str, Any], list[dict[str, float]]]


def _refused(found: Found, why: str) -> Found:
    head, row = found
    nothing = {f"{key}{end}": float("nan") for key in STATISTICS for end in ("", "_low", "_high")}
    return head | {"refused": why}, [cell | nothing for cell in row]


class _World:
    """The values of a cube that statistics are taken of, read once."""

    def __init__(self, cube: xr.Dataset, name: str, shown: list[str]) -> None:
        read = paired_outcome if name.startswith("saving") else outcome
        values = read(cube, name)
        if set(values.dims) != {"draw", "configuration"}:
            more = ", ".join(str(dim) for dim in values.dims if dim not in ("draw", "configuration"))
            raise CubeContentError(
                f"{name!r} runs over {more} too: expected an outcome over draw and configuration alone"
            )
        self.reference = reference_configuration(cube)
        self.units = str(values.attrs.get("units", cube[name].attrs.get("units", "")))
        self.design, self.replicate = str(attribute(cube, "design_kind")), cube["replicate"].to_numpy()
        self.values = values.sel(configuration=shown).to_numpy()
        if name.startswith("saving") and self.reference in shown:
            self.values[:, shown.index(self.reference)] = np.nan  # 0 by definition: nothing to estimate
        regret, free = outcome(cube, REGRET).compute(), free_configurations(cube)
        named = [each for each in configuration_names(cube) if each not in free]
        self.regret = regret.sel(configuration=shown).to_numpy()
        self.best = np.full(self.regret.shape, np.nan)
        costs = regret.sel(configuration=named).to_numpy()  # of one draw, costs less the same number
        whole = ~np.isnan(costs).any(axis=1)
        for place, each in enumerate(shown):
            if each in named:
                self.best[whole, place] = is_best(costs[whole], named.index(each))
        self.status = variable(cube, "status").sel(configuration=shown).to_numpy()

    def under(self, logs: Floats, rows: NDArray[np.int64], least: float | None) -> Found:
        """Take the statistics of some draws with log weights (rows,)."""
        weights = np.exp(logs - max(logs.max(), -np.finfo(float).max))
        is_plain = bool((logs == 0).all())
        row = [self._cell(place, rows, weights, is_plain) for place in range(self.status.shape[1])]
        there = [cell for cell in row if cell["n"]]
        done = [weights[self.status[rows, place] == OPTIMAL] for place in range(self.status.shape[1])]
        head: dict[str, Any] = {
            "effective_least": min((cell["effective"] for cell in there), default=float("nan")),
            "largest_share": max((float(w.max() / w.sum()) for w in done if w.sum() > 0), default=float("nan")),
            "asked": asked_size(int(max((cell["n"] for cell in there), default=0)), least),
            "mean_ratio": float(np.exp(special.logsumexp(logs) - np.log(len(logs)))),
            "refused": "",
        }
        if is_plain or not there:
            return head, row
        if not head["effective_least"] >= head["asked"]:
            n = min(there, key=lambda cell: cell["effective"] if cell["effective"] > 0 else 0.0)["n"]
            size = 0.0 if np.isnan(head["effective_least"]) else head["effective_least"]
            why = f"{int(n):,} draws count as {size:.1f} of the new beliefs, {head['asked']:,.1f} are asked for"
            return _refused((head, row), why)
        return head, row

    def _cell(self, place: int, rows: NDArray[np.int64], weights: Floats, is_plain: bool) -> dict[str, float]:
        status = self.status[rows, place]
        done, failed = status == OPTIMAL, (status != OPTIMAL) & (status != NOT_RUN)
        ran = weights[status != NOT_RUN].sum()
        values = self.values[rows, place]
        there = ~np.isnan(values)
        cell = {
            "n": float(done.sum()),
            "failed": float(failed.sum()),
            "not_run": float((status == NOT_RUN).sum()),
            "failed_share": float(weights[failed].sum() / ran) if ran > 0 else float("nan"),
            "effective": effective_size(weights[done]),
            "effective_mean": effective_of_mean(values[there], weights[there]),
        }

        def sample(of: Floats) -> Sample:
            missing = np.where(weights > 0, of[rows, place], np.nan) if not is_plain else of[rows, place]
            return Sample(missing, self.design, self.replicate[rows], None if is_plain else weights)

        spread, regrets = sample(self.values), sample(self.regret)
        found: dict[str, Interval] = {
            "mean": mean_interval(spread),
            "above": probability_interval(spread, 0.0),
            **{key: quantile_interval(spread, level) for key, level in (("q5", 0.05), ("q50", 0.5), ("q95", 0.95))},
            "regret_q90": quantile_interval(regrets, 0.9),
            "regret_cvar90": cvar_interval(regrets, 0.9),
            "best": share_interval(sample(self.best)),
        }
        for key, one in found.items():
            cell |= {key: one.estimate, f"{key}_low": one.low, f"{key}_high": one.high}
        return cell
