"""Savings against another reference: what the study would have stored, and no word of a configuration that is none."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from model.outcomes import _SAVINGS
from report.outcomes import CubeContentError
from report.reference import SAVINGS, against

COSTS = ("fuel_cost", "co2_cost", "dispatch_cost", "total_cost")


def made(seed: int = 1) -> xr.Dataset:
    rng = np.random.default_rng(seed)
    names = ["a", "b", "c"]
    costs = {name: (("draw", "configuration"), rng.uniform(1, 9, (6, 3))) for name in COSTS}
    cube = xr.Dataset(costs, {"configuration": names}, {"reference": "a"})
    cube["total_cost"][2, 1] = np.nan  # b failed in draw 2
    for saving, parts in SAVINGS.items():
        cost = sum(cube[part] for part in parts)
        cube[saving] = (cost.sel(configuration="a", drop=True) - cost).transpose("draw", "configuration")
        cube[saving].attrs["units"] = "billion yen per year"
    return cube


def test_savings_are_those_of_a_study_with_that_reference() -> None:
    cube = made()
    moved = against(cube, "b")
    assert moved.attrs["reference"] == "b"
    assert cube.attrs["reference"] == "a"
    for saving, parts in SAVINGS.items():
        cost = sum(cube[part].values for part in parts)
        np.testing.assert_array_equal(moved[saving].values, cost[:, 1:2] - cost)
        assert moved[saving].attrs == cube[saving].attrs
    assert np.isnan(moved.saving_total[2]).all()  # nothing is known against a reference that failed
    assert not np.isnan(moved.saving_fuel[2]).any()
    xr.testing.assert_identical(against(moved, "a").saving_fuel, cube.saving_fuel)
    assert against(cube, "a") is cube


def test_another_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(CubeContentError, match="reference 'bb' is no configuration of the cube; "):
        against(made(), "bb")
    with pytest.raises(CubeContentError, match="no variable 'co2_cost', of which saving_fuel_co2 against b is made"):
        against(made().drop_vars("co2_cost"), "b")


def test_savings_are_made_of_the_costs_that_the_sweep_makes_them_of() -> None:
    assert SAVINGS == _SAVINGS  # report may not import model
