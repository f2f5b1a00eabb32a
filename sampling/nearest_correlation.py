"""Find the correlation matrix nearest to a symmetric one, by alternating projections with Dykstra's correction.

Higham 2002, Computing the nearest correlation matrix, IMA Journal of Numerical Analysis 22(3), algorithm 3.3, with
equal weights: nearest in the Frobenius norm.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
ROUNDS = 1000
TOLERANCE = 1e-10


def nearest_correlation(matrix: Floats, least: float = 0.0) -> Floats:
    """Return the nearest symmetric matrix with ones on its diagonal and no eigenvalue below `least`.

    Parameters
    ----------
    matrix : float64 array (k, k)
        Symmetric.
    least : float
        At least 0 and well below 1; above 0 the result is positive definite.

    Returns
    -------
    float64 array (k, k)
        Shrunk a little towards the identity where needed, so that the bound holds to the last digit.
    """
    nearest, correction = matrix.copy(), np.zeros_like(matrix)
    for _ in range(ROUNDS):
        before = nearest
        shifted = nearest - correction
        values, vectors = np.linalg.eigh(shifted)
        definite = (vectors * np.maximum(values, least)) @ vectors.T
        correction = definite - shifted
        nearest = (definite + definite.T) / 2
        np.fill_diagonal(nearest, 1.0)
        if np.abs(nearest - before).max() <= TOLERANCE:
            break
    lowest = float(np.linalg.eigvalsh(nearest).min())
    if lowest >= least:
        return nearest
    share = (1 - least) / (1 - lowest)  # of the matrix beside the identity: then the least eigenvalue is `least`
    return share * nearest + (1 - share) * np.eye(len(matrix))
