"""Chooses days and weights so that what decisions rest on comes out as over the whole year.

A day of a future has outcomes f: a saving, a cost, curtailment. Days with weights w give the year's sum f . 1 with the
error f . (w - 1), and all outcomes of some futures with a mean squared error (w - 1)' K (w - 1), K the mean of f f'. What
other futures hold beyond these is unknown. It enters K as a smooth function of the day's residual load, alike in like
days, and as noise of each day, which makes weights even. Days and weights are then those of a quadrature for the kernel
K, as in Bayesian quadrature (Huszar and Duvenaud 2012, "Optimally-weighted herding is Bayesian quadrature"): taken one
by one where they lower the error most, and at random, then exchanged one for one as long as that lowers it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.spatial.distance import cdist

from model.day_outcomes import DayOutcomes
from model.days import Days, extreme_day, in_order, residual_load
from model.inputs import Inputs
from model.weather import DAYS, WeatherYear

Floats = NDArray[np.float64]

# Found on some 40 futures of the shipped study, split into those that choose and those that judge; see docs/days.md.
MOVED = 0.4  # of the load, to other areas
SMALL = 0.15  # of an outcome's mean over futures: below it an error counts by this rather than by the outcome's size
OF_AREA = 0.5  # weight of an area's curtailment beside the country's
NOISE, ALIKE = 1e-3, 1e-2  # kernel of noise and of likeness, over the mean variance of outcomes between days
LIKENESS = 0.6  # distance at which likeness falls off, over the median distance of days
WHOLE_YEAR = 300.0  # weight of the sum of weights, over the same variance
EXCHANGES, EXCHANGED_UP_TO = 300, 120  # steps; and days, beyond which the choice hardly matters
BEGINNINGS, SEED = 12, 365  # of the exchange: one greedy, others at random
LEAST_GAIN = 1e-9  # of the error: an exchange that spares less is rounding
DECIMALS = 4  # of a weight: what differs beyond depends on the processor


def other_sitings(reference: Floats, inputs: Inputs) -> list[Floats]:
    """Shares of the load by area (A,) that differ from the reference as sitings do: what is compared with it in futures.

    All by the share of users; and ``MOVED`` of the reference to areas where it has nothing, by their grid headroom or by
    their solar and wind capacity. They follow from the tables alone: a study that gains configurations keeps its days.
    """
    elsewhere = reference == 0
    users = inputs.user_share
    if inputs.options.left_out:
        users = np.where(np.isin(inputs.areas, inputs.options.left_out), 0.0, users)
        users = users / users.sum()
    found = [users]
    for size in (inputs.headroom, inputs.curtailable.sum(axis=1)):
        share = np.where(elsewhere & np.isfinite(size), size, 0.0)
        if share.sum() > 0:
            found.append((1 - MOVED) * reference + MOVED * share / share.sum())
    return [one for one in found if not np.allclose(one, reference)]


def decision_days(outcomes: Sequence[DayOutcomes], weather: WeatherYear, inputs: Inputs, number: int) -> Days:
    """Days and weights that give the outcomes of the whole year in the given futures.

    Parameters
    ----------
    outcomes : sequence of DayOutcomes
        Of each future, all days of the weather year; the first siting is the reference.
    number : int
        Days, 2 to 364. The :func:`extreme_day` is one of them and stands for itself alone; all others for themselves
        at least.
    """
    profile = residual_load(weather, inputs, np.arange(DAYS))
    chosen = best_days(features(outcomes), profile, number, extreme_day(weather, inputs))
    return in_order(chosen, weather, inputs)


def features(outcomes: Sequence[DayOutcomes]) -> Floats:
    """What is to come out right, each in units of its own year (features, 365); what is zero all year is left out."""
    groups = [
        [one.cost[0].astype(np.float64) - cost for one in outcomes for cost in one.cost[1:]],
        [curtailed.sum(axis=1) for one in outcomes for curtailed in one.curtailment],
        [cost for one in outcomes for cost in one.cost],
    ]
    found = []
    for group in filter(len, groups):
        rows = np.array(group, dtype=np.float64)
        size = np.abs(rows.sum(axis=1))
        size += SMALL * size.mean()
        there = rows.any(axis=1) & (size > 0)
        found.append(rows[there] / size[there, None])
    for one in outcomes:
        for curtailed in one.curtailment:
            if curtailed.sum() > 0:
                found.append(OF_AREA * curtailed.T / curtailed.sum())
    return np.concatenate(found)


def best_days(outcomes: Floats, profile: Floats, number: int, extreme: int) -> Days:
    """Days of the least kernel error, found by greedy choice and exchange.

    Parameters
    ----------
    outcomes : (features, days) array
    profile : (days, ...) array
        By which days are alike.
    number : int
        From 2 to one less than there are days.
    extreme : int
        The day that is in any choice, with weight 1.
    """
    rest, problem = _problem(outcomes, profile, extreme)
    chosen = problem.choose(number - 1)
    return _with_extreme(rest[chosen], problem.weights(chosen), extreme, len(profile))


def best_weights(outcomes: Floats, profile: Floats, day: NDArray[np.int64], extreme: int) -> Days:
    """Weights of the least kernel error for days that are given, the extreme one among them."""
    rest, problem = _problem(outcomes, profile, extreme)
    chosen = np.flatnonzero(np.isin(rest, day)).tolist()
    return _with_extreme(rest[chosen], problem.weights(chosen), extreme, len(profile))


def _problem(outcomes: Floats, profile: Floats, extreme: int) -> tuple[NDArray[np.int64], _Quadrature]:
    """The candidates, all days but the extreme one, and the quadrature over them."""
    kernel = _kernel(outcomes, profile.reshape(len(profile), -1))
    rest = np.delete(np.arange(len(kernel)), extreme)
    among = kernel[np.ix_(rest, rest)]
    return rest, _Quadrature(among, among.sum(axis=1))


def _with_extreme(day: NDArray[np.int64], weight: Floats, extreme: int, days: int) -> Days:
    day = np.append(day, extreme)
    weight = np.append(_rounded(weight, days - 1.0), 1.0)
    order = np.argsort(day)
    return Days(day[order], weight[order])


def _kernel(outcomes: Floats, profile: Floats) -> Floats:
    spread = float(((outcomes - outcomes.mean(axis=1, keepdims=True)) ** 2).mean()) or 1.0
    distance = cdist(profile, profile)
    apart = distance[distance > 0]
    scale = LIKENESS * float(np.median(apart)) if apart.size else 1.0
    alike = np.exp(-0.5 * (distance / scale) ** 2)
    kernel: Floats = outcomes.T @ outcomes / len(outcomes)
    return kernel + spread * (NOISE * np.eye(len(kernel)) + ALIKE * alike + WHOLE_YEAR)


class _Quadrature:
    """Minimise w' K w - 2 wanted . w over weights w >= 1 of some candidates and 0 of all others."""

    def __init__(self, kernel: Floats, wanted: Floats) -> None:
        self.kernel, self.wanted = kernel, wanted
        self.diagonal = np.diag(kernel)

    def weights(self, chosen: list[int]) -> Floats:
        """Best weights of the chosen candidates."""
        among = self.kernel[np.ix_(chosen, chosen)]
        lower = np.linalg.cholesky(among)
        more, _ = nnls(lower.T, np.linalg.solve(lower, self.wanted[chosen] - among.sum(axis=1)))
        return 1.0 + more

    def error(self, chosen: list[int]) -> float:
        """The least value with the chosen candidates, up to a constant."""
        weight = self.weights(chosen)
        return float(weight @ self.kernel[np.ix_(chosen, chosen)] @ weight - 2 * self.wanted[chosen] @ weight)

    def choose(self, number: int) -> list[int]:
        """Candidates that make the error small: the best of what exchanges reach from several beginnings."""
        chosen: list[int] = []
        while len(chosen) < number:
            _, gain = self._gains(chosen, np.linalg.inv(self.kernel[np.ix_(chosen, chosen)]))
            chosen.append(int(gain.argmax()))
        if number > EXCHANGED_UP_TO:
            return chosen
        rng = np.random.default_rng(SEED)
        at_random = [rng.choice(len(self.wanted), number, replace=False).tolist() for _ in range(BEGINNINGS - 1)]
        return min((self._exchanged_until_best(one) for one in (chosen, *at_random)), key=lambda one: one[0])[1]

    def _exchanged_until_best(self, chosen: list[int]) -> tuple[float, list[int]]:
        error = self.error(chosen)
        for _ in range(EXCHANGES):
            tried = ((self.error(other), other) for other in self._exchanged(chosen))
            better = next((one for one in tried if one[0] < error - LEAST_GAIN * abs(error)), None)
            if better is None:
                break
            error, chosen = better
        return error, chosen

    def _gains(self, chosen: list[int], inverse: NDArray[np.floating[Any]]) -> tuple[float, Floats]:
        """What the chosen lower the error by, and what each further candidate would, were weights of any sign."""
        known = self.wanted[chosen]
        towards = self.kernel[:, chosen] @ inverse
        left = self.diagonal - np.einsum("ij,ij->i", towards, self.kernel[:, chosen])
        gain = (self.wanted - towards @ known) ** 2 / np.maximum(left, 1e-12 * self.diagonal)
        gain[chosen] = -np.inf
        return float(known @ inverse @ known), gain

    def _exchanged(self, chosen: list[int], tried: int = 20) -> list[list[int]]:
        """The most promising choices that differ in one candidate, best first."""
        inverse = np.linalg.inv(self.kernel[np.ix_(chosen, chosen)])
        found = []
        for place in range(len(chosen)):
            kept = np.delete(np.arange(len(chosen)), place)
            # The inverse without a row and column, from the one with them.
            lost = np.outer(inverse[kept, place], inverse[place, kept]) / inverse[place, place]
            without: Floats = inverse[np.ix_(kept, kept)] - lost
            value, gain = self._gains([chosen[k] for k in kept], without)
            gain[chosen[place]] = -np.inf
            found += [(value + float(gain[new]), place, int(new)) for new in np.argsort(-gain, kind="stable")[:2]]
        found.sort(reverse=True)
        return [[*chosen[:place], new, *chosen[place + 1 :]] for _, place, new in found[:tried]]


def _rounded(weight: Floats, total: float) -> Floats:
    """Weights of at least 1 that sum to ``total``, with few decimals; the heaviest takes what rounding leaves."""
    more = weight - 1.0
    share = more / more.sum() if more.sum() > 0 else np.full(more.shape, 1 / more.size)
    rounded: Floats = np.round(1.0 + share * (total - weight.size), DECIMALS)
    rounded[rounded.argmax()] += total - rounded.sum()
    return rounded
