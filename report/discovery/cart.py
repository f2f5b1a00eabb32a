"""Part the draws by a small tree (CART) into leaves with many or few cases of interest, as a check on PRIM's box.

Breiman et al. 1984; the tree is scikit-learn's. PRIM and CART look at the same draws in different ways (Lempert, Bryant and
Bankes 2008, RAND WR-557): what both name can be believed sooner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from report.discovery.boxes import Booleans, Box, Inputs

LEAVES: Final = 6
LEAST_MASS: Final = 0.05


@dataclass(frozen=True)
class Leaf:
    """A leaf of the tree as a box, with what `report.discovery.prim.Step` calls coverage, density and mass."""

    box: Box
    coverage: float
    density: float
    mass: float
    n: int
    k: int


def cart(inputs: Inputs, of_interest: Booleans, *, leaves: int = LEAVES, least_mass: float = LEAST_MASS) -> list[Leaf]:
    """
    Grow a tree of Gini impurity, best split first.

    Parameters
    ----------
    inputs : Inputs
        Uncertainties of n draws; texts are split by their codes.
    of_interest : bool array (n,)
        Cases of interest, some and not all.
    leaves : int
        At most, 2 or more.
    least_mass : float
        Share of all draws that a leaf must hold.

    Returns
    -------
    list of Leaf
        Densest first.
    """
    from sklearn.tree import DecisionTreeClassifier

    table = np.hstack([inputs.numbers, inputs.codes.astype(np.float64)])
    least = max(1, int(np.ceil(least_mass * len(table))))
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, min_samples_leaf=least, random_state=0)
    tree.fit(table, of_interest)
    of_draw = tree.apply(table)
    boxes: dict[int, Box] = {}
    _descend(tree.tree_, 0, Box.around(inputs), inputs.numbers.shape[1], boxes)
    total = int(of_interest.sum())
    found = []
    for leaf, box in boxes.items():
        inside = of_draw == leaf
        n, k = int(inside.sum()), int(of_interest[inside].sum())
        found.append(Leaf(box, k / total, k / n, n / len(table), n, k))
    return sorted(found, key=lambda leaf: (-leaf.density, -leaf.coverage))


def _descend(tree: object, node: int, box: Box, numbers: int, found: dict[int, Box]) -> None:
    """Collect the boxes of the leaves below a node; the tree has arrays of children, features and thresholds."""
    left, right = int(tree.children_left[node]), int(tree.children_right[node])  # type: ignore[attr-defined]
    if left < 0:
        found[node] = box
        return
    column, edge = int(tree.feature[node]), float(tree.threshold[node])  # type: ignore[attr-defined]
    if column < numbers:
        below, above = box.limited(column, high=edge), box.limited(column, low=float(np.nextafter(edge, np.inf)))
    else:
        at = column - numbers
        below = box.keeping(at, frozenset(code for code in box.kept[at] if code <= edge))
        above = box.keeping(at, frozenset(code for code in box.kept[at] if code > edge))
    _descend(tree, left, below, numbers, found)
    _descend(tree, right, above, numbers, found)
