"""Weigh draws of one joint distribution as draws of another one: the logarithm of the ratio of their densities.

The density of a draw is the product of the densities of its parameters, each given the ones that it follows, times that
of the Gaussian copula at the normal scores (Song 2000, Scandinavian Journal of Statistics 27(2)): with R the scores'
correlation, -1/2 log|R| - 1/2 z' (R^-1 - I) z. Only what differs between the two is evaluated. Where a distribution has
atoms, probabilities take the place of densities. Ratios reach no further than the draws do: what the new distribution
puts where the old one has nothing is lost, and more than `LARGEST_OUTSIDE` of it is refused.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from sampling.categories import Fixed
from sampling.conditions import Columns, Conditional, order_of_values
from sampling.copula import ABOVE_ZERO, BELOW_ONE, DependenceSpec, make_copula
from sampling.dependence import links
from sampling.errors import SamplingError
from sampling.marginals import Floats, Marginal, Numeric, Values, floats

LARGEST_OUTSIDE = 1e-4
"""Largest share of a new distribution outside the old one's support: it moves no probability by more than itself, which
is far below what any sample can tell."""

GRID, ROWS, RANKS = 20_001, 200, 501  # ranks of the grid that finds this share; of a conditional one: draws, ranks each
EDGE = 2.0**-30
LEAST_CORRELATION = 1e-12  # below it: rounding

Method = Literal["log_mass", "log_density", "cdf"]


class Joint(NamedTuple):
    """What draws come from: the distribution of every parameter, and which of them move together."""

    marginals: Mapping[str, Marginal]
    dependence: DependenceSpec


class Ratio(NamedTuple):
    """Log ratios (n,) of the new density to the old one, -inf where a draw cannot be; and what to know of them."""

    log: Floats
    notes: tuple[str, ...]


def log_ratio(columns: Columns, old: Joint, new: Joint, changed: Collection[str], held: Collection[str] = ()) -> Ratio:
    """Return the log ratio of the densities of every draw.

    Parameters
    ----------
    columns : mapping
        Parameter (and ``scenario``) -> its values (n,).
    old, new : Joint
        What the draws come from, and what they are to stand for.
    changed : collection of str
        Parameters whose distribution differs.
    held : collection of str
        Parameters held at one value, whatever their distribution.

    Raises
    ------
    SamplingError
        Under the key ``uncertain.NAME`` or ``dependence``: a new distribution of which more than `LARGEST_OUTSIDE` lies
        where nothing was drawn, or a ratio that does not exist.
    """
    _check_groups(old, new, changed)
    total = np.zeros(len(next(iter(columns.values()))))
    notes = []
    for name in order_of_values(new.marginals, [each for each in columns if each not in new.marginals]):
        if name not in changed or name in held:
            continue
        before, after = old.marginals[name], new.marginals[name]
        if before.is_text != after.is_text:
            kind = "texts" if before.is_text else "numbers"
            raise SamplingError(f"uncertain.{name}.distribution", after.distribution, f"a distribution of {kind}")
        share = _share_outside(name, before, after, columns, total)
        if share > LARGEST_OUTSIDE:
            found = f"{after.describe()}, of which {share:.2%} lies where {before.describe()} has nothing"
            raise SamplingError(
                f"uncertain.{name}", found, f"at most {LARGEST_OUTSIDE:.2%}: no weight reaches where nothing was drawn"
            )
        if share:
            notes.append(f"{name}: {share:.2%} of the new distribution lies where nothing was drawn, and is left out")
        if before.correlation and not after.correlation:
            notes.append(f"{name}: no correlation with {next(iter(before.correlation))} any more; name it to keep it")
        total = total + _of_marginal(name, before, after, columns)
        followers = [follower for follower, (leader, _) in old.dependence.followers().items() if leader == name]
        if followers:
            notes.append(f"{name}: moves {', '.join(followers)} along, which follow it in step")
    return Ratio(total + _of_copula(columns, old, new, changed, held), tuple(notes))


def _check_groups(old: Joint, new: Joint, changed: Collection[str]) -> None:
    followers = old.dependence.followers()
    if followers != new.dependence.followers():
        expected = f"those that were drawn, {[list(group) for group in old.dependence.groups]}: what moves in step has no density"
        raise SamplingError("dependence.groups", [list(group) for group in new.dependence.groups], expected)
    for name in changed:
        if name in followers:
            expected = (
                f"none: it follows {followers[name][0]} in step, so that both lie on one line and weights leave the line"
                f" where it is; change {followers[name][0]}, which moves it along"
            )
            raise SamplingError(f"uncertain.{name}", new.marginals[name].describe(), expected)


def _evaluate(name: str, marginal: Marginal, columns: Columns, x: Values, *methods: Method) -> list[Floats]:
    """Return what each method of the distribution that a draw has says of `x` (n,)."""
    if not isinstance(marginal, Conditional):
        return [floats(getattr(marginal, method)(x)) for method in methods]
    found = [np.empty(len(x)) for _ in methods]
    for one, members in marginal.given(columns, f"uncertain.{name}"):
        for method, values in zip(methods, found, strict=True):
            values[members] = getattr(one, method)(x[members])
    return found


def _quantiles(name: str, marginal: Marginal, columns: Columns, u: Floats) -> Values:
    if isinstance(marginal, Conditional):
        return marginal.values(u, columns, f"uncertain.{name}")
    return marginal.ppf(u)


def _of_marginal(name: str, old: Marginal, new: Marginal, columns: Columns) -> Floats:
    x = columns[name]
    mass, density = _evaluate(name, old, columns, x, "log_mass", "log_density")
    is_atom = mass > -np.inf
    edge = ~is_atom & ~np.isfinite(density)
    if edge.any():
        # At the very end of its range a density may be 0 or infinite: the ratio there is that of a rank just inside.
        x = _inside(name, old, columns, edge)
        [density] = _evaluate(name, old, columns, x, "log_density")
    if not np.isfinite(density[~is_atom]).all():
        found = columns[name][~is_atom & ~np.isfinite(density)][0]
        raise SamplingError(f"uncertain.{name}", found, f"a draw at which {old.describe()} has a density")
    new_mass, new_density = _evaluate(name, new, columns, x, "log_mass", "log_density")
    return floats(np.where(is_atom, new_mass, new_density) - np.where(is_atom, mass, density))


def _inside(name: str, old: Marginal, columns: Columns, edge: NDArray[np.bool_]) -> Floats:
    """Return the values (n,), those at the edge moved to the nearest rank in `EDGE`..1 - `EDGE`."""
    x = floats(columns[name])
    ends = [floats(_quantiles(name, old, columns, np.full(len(x), end))) for end in (0.0, BELOW_ONE)]
    slack = 1e-6 * (ends[1] - ends[0])  # near an end, values are denser than the ranks have digits
    outside = edge & ((x < ends[0] - slack) | (x > ends[1] + slack))
    if outside.any():
        raise SamplingError(f"uncertain.{name}", float(x[outside][0]), f"a draw of {old.describe()}")
    [ranks] = _evaluate(name, old, columns, x, "cdf")
    return floats(np.where(edge, _quantiles(name, old, columns, np.clip(ranks, EDGE, 1 - EDGE)), x))


def _share_outside(name: str, old: Marginal, new: Marginal, columns: Columns, so_far: Floats) -> float:
    """Return the share of the new distribution that lies where the old one has neither density nor atom.

    Distributions that follow others are taken at `ROWS` draws, weighted by the log ratios `so_far` (n,).
    """
    odds = np.ones(1)
    given: Columns = {}
    ranks = (np.arange(GRID) + 0.5) / GRID
    if isinstance(old, Conditional) or isinstance(new, Conditional):
        weights = np.exp(so_far - so_far.max())
        possible = np.flatnonzero(weights > 0)
        rows = possible[np.unique(np.linspace(0, len(possible) - 1, ROWS).round().astype(np.int64))]
        odds, ranks = weights[rows] / weights[rows].sum(), np.tile((np.arange(RANKS) + 0.5) / RANKS, len(rows))
        given = {each: _repeated(values[rows]) for each, values in columns.items()}
    x = _quantiles(name, new, given, ranks)
    is_atom = _evaluate(name, new, given, x, "log_mass")[0] > -np.inf
    mass, density = _evaluate(name, old, given, x, "log_mass", "log_density")
    reached = np.where(is_atom, mass, density)
    return float(odds @ (reached == -np.inf).reshape(len(odds), -1).mean(axis=1))


def _repeated(values: Values) -> Values:
    return np.repeat(values, RANKS)  # type: ignore[return-value]


def score_correlation(joint: Joint) -> Floats:
    """Return the correlation (d, d) of the normal scores of all parameters, as if no group moved in step."""
    copula = make_copula(joint.dependence, joint.marginals, links(joint.marginals))
    made = np.eye(len(joint.marginals))  # each row: a parameter's score as a sum of independent ones
    if copula.joint:
        made[np.ix_(copula.joint, copula.joint)] = copula.factor
    for child, parent, rho in copula.links:
        made[child] = rho * made[parent] + np.sqrt(1 - rho**2) * made[child]
    correlation = made @ made.T
    return floats(np.where(np.abs(correlation) > LEAST_CORRELATION, correlation, 0.0))


def _of_copula(columns: Columns, old: Joint, new: Joint, changed: Collection[str], held: Collection[str]) -> Floats:
    """Return the log ratio (n,) of the copulas' densities, parameters that move together taken together."""
    names = list(old.marginals)
    total = np.zeros(len(next(iter(columns.values()))))
    before, after = score_correlation(old), score_correlation(new)
    unseen = {*held, *old.dependence.followers(), *(n for n in names if isinstance(old.marginals[n], Fixed))}
    for group in _together((before != 0) | (after != 0)):
        members = [place for place in group if names[place] not in unseen]
        pair = np.ix_(members, members)
        same = np.array_equal(before[pair], after[pair])
        if len(members) < 2 or (same and not set(changed) & {names[place] for place in members}):
            continue
        hidden = {names[place] for place in group} & set(held)
        for follower, (leader, _) in old.dependence.followers().items():
            if leader in hidden and follower not in held:
                expected = (
                    f"no change of what is correlated with {leader}, which is held while {follower} follows its rank"
                )
                raise SamplingError("dependence", [names[place] for place in members], expected)
        scores = [
            np.stack([_scores(names[place], joint.marginals[names[place]], columns) for place in members])
            for joint in (old, new)
        ]
        total = total + _log_density(scores[1], after[pair]) - _log_density(scores[0], before[pair])
    return total


def _scores(name: str, marginal: Marginal, columns: Columns) -> Floats:
    """Return the normal scores (n,) of the ranks of a parameter's values; refuse one with atoms, which has no one rank."""
    x = columns[name]
    numeric = marginal if isinstance(marginal, Numeric | Conditional) else None
    mass, ranks = _evaluate(name, numeric, columns, x, "log_mass", "cdf") if numeric else (np.zeros(len(x)), x)
    if (mass > -np.inf).any():
        expected = "a distribution without atoms: it is correlated, and an atom has no one rank that says with what"
        raise SamplingError(f"uncertain.{name}", marginal.describe(), expected)
    return floats(special.ndtri(np.clip(floats(ranks), ABOVE_ZERO, BELOW_ONE)))


def _log_density(scores: Floats, correlation: Floats) -> Floats:
    """Return the log density (n,) of a Gaussian copula at scores (k, n)."""
    factor = np.linalg.cholesky(correlation)
    independent = np.linalg.solve(factor, scores)
    return floats(-np.log(np.diag(factor)).sum() - ((independent**2).sum(axis=0) - (scores**2).sum(axis=0)) / 2)


def _together(joined: NDArray[np.bool_]) -> Iterator[list[int]]:
    """Give the parameters that are connected with each other, in groups of two or more."""
    left = set(range(len(joined)))
    while left:
        group = {min(left)}
        while more := {int(j) for i in group for j in np.flatnonzero(joined[i])} - group:
            group |= more
        left -= group
        if len(group) > 1:
            yield sorted(group)
