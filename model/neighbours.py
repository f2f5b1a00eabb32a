"""Orders points so that each lies near the one before: what is solved next then differs little from what was solved last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

STARTS = 12  # points, evenly taken, from which a path is begun; the shortest path counts
LEAST_GAIN = 1e-9  # of the longest distance: below it a reversal changes nothing but rounding


def short_path(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Positions of the points in the order of a short path through all of them, by sums of absolute differences.

    As listed, and from each of ``STARTS`` points to the nearest that is left; then stretches are reversed as long as
    that shortens the path (2-opt). Not the shortest path, but the same one every time, and none longer than as listed.

    Parameters
    ----------
    points : (points, coordinates) array
    """
    distance = cdist(points, points, "cityblock")
    number = len(points)
    if number < 2:
        return np.arange(number)
    starts = np.unique(np.linspace(0, number - 1, min(STARTS, number)).round().astype(np.int64))
    begun = [np.arange(number), *(_to_nearest(distance, int(start)) for start in starts)]
    paths = [_shortened(path, distance) for path in begun]
    lengths = [distance[path[:-1], path[1:]].sum() for path in paths]
    return paths[int(np.argmin(lengths))]


def _to_nearest(distance: NDArray[np.float64], start: int) -> NDArray[np.int64]:
    left = np.ones(len(distance), dtype=bool)
    path = [start]
    left[start] = False
    while left.any():
        path.append(int(np.where(left, distance[path[-1]], np.inf).argmin()))
        left[path[-1]] = False
    return np.array(path, dtype=np.int64)


def _shortened(path: NDArray[np.int64], distance: NDArray[np.float64]) -> NDArray[np.int64]:
    """Reverse the stretch that spares most until none spares anything."""
    number = len(path)
    first, last = np.triu_indices(number, 1)
    nothing = np.zeros(number)
    while True:
        apart = distance[np.ix_(path, path)]
        step = np.append(np.diagonal(apart, 1), 0.0)  # from each place of the path to the next
        before = np.append(0.0, step[:-1])
        to_last = np.vstack([nothing, apart[:-1]])[first, last]  # from the place before the stretch to its end
        from_first = np.column_stack([apart[:, 1:], nothing])[first, last]  # from its beginning to the place after it
        gain = before[first] + step[last] - to_last - from_first
        if gain.max() <= LEAST_GAIN * distance.max():
            return path
        best = int(gain.argmax())
        stretch = slice(first[best], last[best] + 1)
        path = path.copy()
        path[stretch] = path[stretch][::-1]
