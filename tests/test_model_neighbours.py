"""Paths through points: every point once, short, the same every time."""

from __future__ import annotations

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.neighbours import short_path


def length(points: np.ndarray, path: np.ndarray) -> float:
    return float(sum(np.abs(points[a] - points[b]).sum() for a, b in pairwise(path)))


@given(st.integers(1, 30), st.integers(0, 2**32 - 1))
def test_every_point_once_and_no_longer_than_as_listed(number: int, seed: int) -> None:
    points = np.random.default_rng(seed).random((number, 3))
    path = short_path(points)
    assert sorted(path.tolist()) == list(range(number))
    assert np.array_equal(path, short_path(points))
    assert length(points, path) <= length(points, np.arange(number)) + 1e-9


def test_points_on_a_line_are_walked_along_it() -> None:
    points = np.array([[0.0, 5.0], [9.0, 5.0], [1.0, 5.0], [8.0, 5.0], [3.0, 5.0]])
    path = short_path(points).tolist()
    assert path in ([0, 2, 4, 3, 1], [1, 3, 4, 2, 0])


@pytest.mark.parametrize("seed", range(5))
def test_near_the_shortest_path_of_six(seed: int) -> None:
    points = np.random.default_rng(seed).random((6, 2))
    shortest = min(length(points, np.array(p)) for p in permutations(range(6)))
    assert length(points, short_path(points)) <= 1.1 * shortest


def test_equal_points() -> None:
    assert sorted(short_path(np.zeros((4, 2))).tolist()) == [0, 1, 2, 3]


@pytest.mark.parametrize("number", [0, 1])
def test_nothing_to_order(number: int) -> None:
    assert short_path(np.zeros((number, 2))).tolist() == list(range(number))
