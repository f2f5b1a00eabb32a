"""Correlate the ranks of parameters that move together (a Gaussian copula, one earlier parent per parameter).

With z the standard normal score of a rank, a child's score becomes rho * z_parent + sqrt(1 - rho^2) * z_own, and its
rank the normal distribution function of that. The child's rank stays uniform and the parent's column stays as it is.
See Nelsen, An Introduction to Copulas, 2nd ed. (2006), section 2.3, for the Gaussian family.
"""

from collections.abc import Container, Iterable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from sampling.errors import SamplingError, nearest_name
from sampling.marginals import Marginal

_BELOW_ONE = np.nextafter(1.0, 0.0)
_ABOVE_ZERO = 2.0**-54


class Link(NamedTuple):
    """Column `child` follows the earlier column `parent` with correlation `rho` of the normal scores."""

    child: int
    parent: int
    rho: float


def check_parent(key: str, marginal: Marginal, earlier: Container[str], known: Iterable[str]) -> None:
    """Refuse, under `key`, a correlation with a name that is not among the `earlier` parameters.

    Raises
    ------
    SamplingError
        With the nearest of the earlier ones among the `known` names.
    """
    for parent in marginal.correlation:
        if parent not in earlier:
            raise SamplingError(
                key,
                parent,
                "the name of an earlier parameter",
                nearest_name(parent, [each for each in known if each in earlier]),
            )


def links(marginals: Mapping[str, Marginal]) -> list[Link]:
    """Return the correlations of `marginals` as pairs of columns, in the order of the parameters.

    Raises
    ------
    SamplingError
        A correlation names a parameter that is unknown or comes later in the list.
    """
    names = list(marginals)
    found = []
    for child, (name, marginal) in enumerate(marginals.items()):
        check_parent(f"uncertain.{name}.correlation", marginal, names[:child], names)
        found += [Link(child, names.index(parent), rho) for parent, rho in marginal.correlation.items()]
    return found


def correlate(points: NDArray[np.float64], pairs: Iterable[Link]) -> NDArray[np.float64]:
    """Return `points` with every child column correlated with its parent.

    Parameters
    ----------
    points : float64 array (n, d)
        Independent ranks in [0, 1).
    pairs : iterable of Link
        In the order of the children; a parent that is itself a child is used as correlated.

    Returns
    -------
    float64 array (n, d)
        Ranks in [0, 1). A row depends on the same row of `points` alone.
    """
    ranks = points.copy()
    for child, parent, rho in pairs:
        # A rank of exactly 0 has no finite score, and infinities of opposite sign do not add up.
        own, led = (stats.norm.ppf(np.maximum(ranks[:, column], _ABOVE_ZERO)) for column in (child, parent))
        joined = stats.norm.cdf(rho * led + np.sqrt(1 - rho**2) * own)
        ranks[:, child] = np.clip(joined, _ABOVE_ZERO, _BELOW_ONE)
    return ranks
