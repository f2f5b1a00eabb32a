"""The draw table a stretch at a time is the whole one, bit for bit, however it is cut."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampling import DependenceSpec, DesignSpec, SamplingError, draw_rows, draw_table, is_extensible, marginal_from_dict

MARGINALS = {
    name: marginal_from_dict(name, entry)
    for name, entry in {
        "demand": {"distribution": "triangular", "min": 5.0, "mode": 13.0, "max": 18.0, "unit": "GW"},
        "price": {"distribution": "lognormal", "median": 8.0, "sigma": 0.4, "correlation": {"demand": 0.5}},
        "year": {"distribution": "choice", "odds": {"fy2019": 0.25, "fy2024": 0.75}},
        "share": {"distribution": "normal", "mean": 0.3, "sd": 0.1},
        "follows": {
            "distribution": "uniform",
            "min": 0.0,
            "max": {"by": "year", "values": {"fy2019": 1.0, "fy2024": 2.0}},
        },
    }.items()
}
TOGETHER = DependenceSpec(rank_correlation=[["demand", "share", 0.4]])
WORLDS = {"low": {"share": 0.1}, "high": {}, "none": {"share": 0.0}}


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(["monte_carlo", "sobol", "halton", "lhs", "morris"]),
    draws=st.integers(1, 70),
    replicates=st.integers(1, 5),
    size=st.integers(1, 80),
    scenarios=st.booleans(),
    together=st.booleans(),
    backwards=st.booleans(),
)
def test_any_stretch_is_that_of_the_whole_table(kind, draws, replicates, size, scenarios, together, backwards):
    own = {"trajectories": 3} if kind == "morris" else {"draws": draws, "replicates": replicates}
    more = {"dependence": TOGETHER if together else DependenceSpec(), "scenarios": WORLDS if scenarios else {}}
    design = DesignSpec(kind=kind, seed=3, **own)
    whole = draw_table(MARGINALS, design, **more)
    rows = draw_rows(MARGINALS, design, **more)
    assert rows.draws == whole.sizes["draw"]
    assert (rows.held == 0) == is_extensible(design)
    starts = list(range(0, rows.draws, size))
    for start in reversed(starts) if backwards else starts:
        part = rows.rows(start, min(start + size, rows.draws))
        expected = whole.isel(draw=slice(start, start + size))
        assert part.identical(expected)
        for name, column in part.data_vars.items():
            if column.dtype.kind == "f":
                assert np.ascontiguousarray(column.values).tobytes() == expected[name].values.tobytes(), name


def test_blocks_cut_the_table_or_its_first_rows_into_equal_parts():
    rows = draw_rows(MARGINALS, DesignSpec(kind="sobol", seed=3, draws=10))
    assert [block["draw"].values.tolist() for block in rows.blocks(7, 3)] == [[0, 1, 2], [3, 4, 5], [6]]
    assert sum(block.sizes["draw"] for block in rows.blocks()) == 10


def test_rows_go_to_another_process_as_the_whole_table():
    rows = draw_rows(MARGINALS, DesignSpec(kind="sobol", seed=3, draws=10))
    assert pickle.loads(pickle.dumps(rows)).rows(3, 7).identical(rows.rows(3, 7))


def test_a_draw_that_cannot_be_is_named_by_its_number_in_the_table():
    short = {"by": "year", "values": {"fy2019": 1.0}}
    marginals = MARGINALS | {
        "year": marginal_from_dict("year", {"distribution": "uniform", "min": 0.0, "max": 2.0}),
        "follows": marginal_from_dict("follows", {"distribution": "uniform", "min": 0.0, "max": short}),
    }
    rows = draw_rows(marginals, DesignSpec(kind="halton", seed=3, draws=40))
    with pytest.raises(SamplingError, match=r"\[draw 30\]"):
        rows.rows(30, 40)
