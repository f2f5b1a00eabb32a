"""Test summaries of batches: moments against numpy, quantiles within their bound, merging in any order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays as numpy_arrays

import storage
from storage.sketch import RELATIVE_ERROR, SMALLEST, merged, sketch
from storage.summaries import merge, summarise, summary_file, write_summary
from tests.test_storage_cube import batch_arrays, make_cube, make_layout

SHARES = np.array([0.0, 0.05, 0.5, 0.95, 1.0])
VALUES = st.floats(-1e6, 1e6) | st.sampled_from([np.nan, 0.0, -0.0, 1e-12, 5.0])


@settings(max_examples=60, derandomize=True, deadline=None)
@given(numpy_arrays(np.float64, st.tuples(st.integers(1, 40), st.integers(1, 3)), elements=VALUES))
def test_quantiles_lie_within_the_stated_bound(values: np.ndarray) -> None:
    found = sketch(values, first_cell=5)
    for column in range(values.shape[1]):
        told, there = found.quantiles(5 + column, SHARES), np.sort(values[~np.isnan(values[:, column]), column])
        if not there.size:
            assert np.isnan(told).all()
            continue
        places = SHARES * (there.size - 1)
        sides = np.abs([there[np.floor(places).astype(int)], there[np.ceil(places).astype(int)]]).max(axis=0)
        exact = np.quantile(there, SHARES)
        assert (np.abs(told - exact) <= RELATIVE_ERROR * sides * (1 + 1e-9) + SMALLEST * 1.01).all()


def test_a_large_sample_keeps_its_quantiles_through_many_merges() -> None:
    values = np.random.default_rng(3).normal(20, 100, (20_000, 2))
    whole, parts = sketch(values), merged([sketch(part) for part in np.array_split(values, 37)])
    np.testing.assert_array_equal(whole.codes, parts.codes)
    np.testing.assert_array_equal(whole.counts, parts.counts)
    exact = np.quantile(values[:, 1], SHARES)
    np.testing.assert_allclose(parts.quantiles(1, SHARES), exact, rtol=RELATIVE_ERROR * 1.001, atol=1e-3)
    infinite = sketch(np.array([[np.inf], [-np.inf], [1.0]]))
    assert infinite.quantiles(0, np.array([0.0, 1.0])).tolist() == [-np.inf, np.inf]


def test_moments_are_those_of_numpy_whatever_the_grouping() -> None:
    layout = make_layout(draws=30, batch=7)
    random = np.random.default_rng(1)
    arrays = {
        "status": random.integers(0, 3, (30, 2)).astype(np.int8),
        "total_cost": np.where(random.random((30, 2)) < 0.3, np.nan, random.normal(1e6, 1, (30, 2))),
        "generation": random.normal(size=(30, 2, 2, 2)),
        "iterations": np.zeros((30, 2), dtype=np.int64),
    }
    arrays["generation"][:, 0, 1, 0] = np.nan
    parts = [
        summarise(layout, start, {name: each[start : start + 7] for name, each in arrays.items()})
        for start in range(0, 30, 7)
    ]
    for summary in (merge(parts), merge([merge(parts[:2]), merge(parts[2:])]), summarise(layout, 0, arrays)):
        assert (summary.start, summary.stop) == (0, 30)
        for name in ("total_cost", "generation"):
            values, of = arrays[name], summary.of(name)
            np.testing.assert_array_equal(of["n"], (~np.isnan(values)).sum(axis=0))
            there = of["n"].values > 0
            for part, exact in (("mean", np.nanmean), ("low", np.nanmin), ("high", np.nanmax)):
                expected = [exact(column) for column in values.reshape(30, -1).T[there.ravel()]]
                np.testing.assert_allclose(of[part].values[there], expected, rtol=1e-14)
                assert np.isnan(of[part].values[~there]).all()
            sd = [np.nanstd(column, ddof=1) for column in values.reshape(30, -1).T[there.ravel()]]
            np.testing.assert_allclose(of["sd"].values[there], sd, rtol=1e-9)
        assert summary.of("generation")["mean"].attrs["units"] == "TWh"
        assert summary.states.sum(axis=-1).tolist() == [30, 30]
        assert summary.states[1, 2] == (arrays["status"][:, 1] == 2).sum()
    with pytest.raises(storage.LayoutError, match=r"no summary of 'total_costs'.*'total_cost'"):
        merge(parts).of("total_costs")
    with pytest.raises(storage.LayoutError, match="no sketch of 'generation'"):
        merge(parts).quantiles("generation", [0.5])


def test_a_cube_is_summed_up_with_and_without_kept_summaries(tmp_path: Path) -> None:
    layout, path = make_layout(), tmp_path / "a.zarr"
    make_cube(path, layout)
    empty = storage.read_summary(path)
    assert empty.of("total_cost")["n"].values.tolist() == [0, 0]
    assert np.isnan(empty.quantiles("total_cost", [0.5])).all()
    for batch in (2, 0):
        arrays, run = batch_arrays(layout, batch)
        storage.write_batch(path, batch, arrays, run, {})
    bare = storage.read_summary(path)
    for batch in (0, 2):
        write_summary(path, layout, layout.bounds(batch)[0], batch_arrays(layout, batch)[0])
    kept = storage.read_summary(path)
    storage.compact(path, tmp_path / "b.zarr")
    compacted = storage.read_summary(tmp_path / "b.zarr")
    cube = storage.open_cube(path)
    for summary in (bare, kept, compacted):
        xr.testing.assert_allclose(summary.of("generation"), bare.of("generation"), rtol=1e-14)
        np.testing.assert_allclose(summary.of("total_cost")["mean"], cube["total_cost"].mean("draw"), rtol=1e-14)
        assert summary.quantiles("total_cost", SHARES).identical(bare.quantiles("total_cost", SHARES))
    assert len([*(path / "run" / "summaries").iterdir()]) == 2


def test_a_summary_of_something_else_is_not_used(tmp_path: Path) -> None:
    layout, path = make_layout(), tmp_path / "a.zarr"
    make_cube(path, layout)
    arrays, run = batch_arrays(layout, 0)
    storage.write_batch(path, 0, arrays, run, {})
    fewer = {name: each[:2] for name, each in arrays.items()}  # as before the batch was made longer
    write_summary(path, layout, 0, fewer)
    assert storage.read_summary(path).of("total_cost")["n"].values.tolist() == [3, 3]
    summary_file(path, 0).unlink()
    write_summary(path, layout, 0, {name: each[:, :1] for name, each in arrays.items()})
    assert not summary_file(path, 0).exists()
    write_summary(path, layout, 0, arrays)
    summary_file(path, 0).write_bytes(summary_file(path, 0).read_bytes()[:100])
    with pytest.raises(storage.CubeDamagedError, match=r"000000000\.npz cannot be read.*remove it"):
        storage.read_summary(path)
