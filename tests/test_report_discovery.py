"""PRIM finds what the EMA workbench finds, and the box that made the data; CART parts the draws."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pandas as pd
import pytest

from report.discovery import Inputs, cart, default_threshold, discover, prim, quasi_p
from report.factors import Factor
from report.metrics import read_futures
from report.where import QueryError
from tests.report_cases import small_cube

LABELS = ("a", "b", "c")


def table(seed: int, n: int = 250) -> tuple[pd.DataFrame, np.ndarray, Inputs]:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({f"x{i}": rng.random(n) for i in range(4)})
    data["switch"] = (rng.random(n) < 0.6).astype(float)
    codes = rng.integers(3, size=n)
    data["text"] = np.array(LABELS)[codes]
    y = (data.x0 < 0.5) & (data.x1 > 0.4) & ((data.switch == 1) | (data.text == "b")) | (rng.random(n) < 0.08)
    factors = [Factor(name, data[name].to_numpy()) for name in data.columns[:-1]]
    return data, y.to_numpy(), Inputs.of([*factors, Factor("text", codes.astype(float), LABELS)])


@pytest.mark.parametrize("seed", range(3))
def test_prim_equals_the_ema_workbench(seed: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs, on import and inside
        from ema_workbench.analysis import prim as theirs

        logging.getLogger("EMA").setLevel(logging.WARNING)
        data, y, inputs = table(seed)
        box = theirs.Prim(data, y.astype(int), threshold=0.1).find_box()
    steps, trajectory = prim(inputs, y), box.peeling_trajectory
    assert len(steps) == len(trajectory) > 5
    for name, mine in (("coverage", "coverage"), ("density", "density"), ("mass", "mass"), ("res_dim", "dimensions")):
        np.testing.assert_allclose([getattr(step, mine) for step in steps], trajectory[name].astype(float))
    for step, limits in zip(steps, box.box_lims, strict=True):
        np.testing.assert_allclose(step.box.low, limits.loc[0, inputs.names].astype(float))
        np.testing.assert_allclose(step.box.high, limits.loc[1, inputs.names].astype(float))
        assert {LABELS[code] for code in step.box.kept[0]} == set(limits.loc[0, "text"])
    told = quasi_p(inputs, y, steps[-1])
    assert set(told) == set(box.qp[-1])
    for name, values in box.qp[-1].items():
        np.testing.assert_allclose(np.nan_to_num(told[name], nan=-1), values, rtol=1e-9)


def test_prim_and_cart_find_the_box_that_made_the_cases() -> None:
    rng = np.random.default_rng(1)
    x = rng.random((2000, 3))
    y = (x[:, 0] > 0.6) & (x[:, 1] < 0.5)
    inputs = Inputs.of([Factor(name, column) for name, column in zip("abc", x.T, strict=True)])
    last = prim(inputs, y)[-1]
    assert last.density > 0.97
    assert last.coverage > 0.8
    leaf = cart(inputs, y)[0]
    assert leaf.density == leaf.coverage == 1
    assert leaf.box.low[0] == pytest.approx(0.6, abs=0.01)
    assert leaf.box.high[1] == pytest.approx(0.5, abs=0.01)
    assert np.isin(leaf.box.holds(inputs), y).all()


def test_leaves_part_all_draws() -> None:
    _, y, inputs = table(5)
    inside = np.array([leaf.box.holds(inputs) for leaf in cart(inputs, y)])
    assert np.array_equal(inside.sum(axis=0), np.ones(len(y)))


def test_a_threshold_is_discovered_with_what_chance_made_dropped() -> None:
    futures = read_futures(small_cube(draws=256))
    found = discover(futures, "north", "saving_fuel_co2 < 20")
    saving = futures.saving("fuel_co2_cost", "north")
    assert np.array_equal(found.of_interest, saving[found.rows] < 20)
    assert found.final is not None
    assert found.final.dimensions <= found.steps[found.chosen].dimensions
    inside = found.final.box.holds(found.inputs)
    assert found.final.k == int(found.of_interest[inside].sum())
    numbers, _ = found.final.box.restricted(found.steps[0].box)
    assert {found.inputs.names[at] for at in numbers} == {"dc_demand", "japan_sea_hvdc"}  # what it is made of
    assert found.again["japan_sea_hvdc"] == 1
    assert discover(futures, "north", "saving_fuel_co2 < 20").again == found.again


def test_what_cannot_be_discovered_is_said() -> None:
    futures = read_futures(small_cube())
    assert discover(futures, "north", "saving_fuel_co2 < -1e9").reason == "cases"
    assert discover(futures, "north", "saving_fuel_co2 < 1e9").reason == "others"
    with pytest.raises(QueryError, match=r"--threshold.*saving_fuel_co2"):
        discover(futures, "north", "saving_fuel_c02 < 3")
    with pytest.raises(QueryError, match="'south' is not in the cube"):
        discover(futures, "south", "saving_fuel_co2 < 3")
    assert default_threshold(futures, "north").startswith("saving_fuel_co2 < ")


def test_failed_draws_are_neither_of_interest_nor_not() -> None:
    cube = small_cube()
    cube["status"][:9, 1] = 2
    futures = read_futures(cube)
    found = discover(futures, "north", "saving_fuel_co2 < 30")
    assert int(found.rows.sum()) == futures.n - 9
