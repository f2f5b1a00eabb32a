"""A second, independent implementation of the siting and dispatch model, used as the oracle of tests."""

from tests.oracle.data import Data, load
from tests.oracle.solve import solve_draw

__all__ = ["Data", "load", "solve_draw"]
