"""Test that a cube is created whole, opens plainly, and gives back what it was given."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import zarr

import storage
from storage import Layout, Variable

STATUS = {"flag_values": [0, 1, 2], "flag_meanings": "not_run optimal infeasible"}
CELL = ("draw", "configuration")


def make_layout(draws: int = 7, batch: int = 3) -> Layout:
    return Layout(
        variables=(
            Variable("status", CELL, "int8", STATUS),
            Variable("total_cost", CELL, "float64", {"units": "1e9 JPY year-1", "valid_range": (0, 1)}),
            Variable("generation", (*CELL, "area", "technology"), "float64", {"units": "TWh"}),
            Variable("iterations", CELL, "int64", {"units": "1"}),
        ),
        coords={"configuration": ("today", "optimal"), "area": ("東京", "Kyushu"), "technology": ("coal", "solar")},
        draws=draws,
        batch=batch,
        run_variables=(
            Variable("seconds", ("draw",), "float64", {"units": "s"}),
            Variable("attempts", ("draw",), "int64", {"units": "1"}),
        ),
    )


def make_inputs(draws: int = 7) -> xr.Dataset:
    years = np.array(["fy2024", "fy2019"], dtype=object)[np.arange(draws) % 2]
    return xr.Dataset(
        {
            "dc_demand": (
                "draw",
                np.r_[-0.0, np.linspace(5, 18, draws - 1)],
                {"units": "GW", "marginal": {"min": 5, "max": 18}},
            ),
            "weather_year": ("draw", years, {"units": "1"}),
            "japan_sea_hvdc": ("draw", np.arange(draws) % 2, {"units": "1"}),
        },
        coords={
            "draw": ("draw", np.arange(draws), {"long_name": "draw"}),
            "replicate": ("draw", np.arange(draws) % 2, {"long_name": "replicate"}),
        },
        attrs={"design": "sobol", "seed": 2040},
    )


def batch_arrays(layout: Layout, batch: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays that depend on the number of the batch alone; some cells missing, some variables wholly so."""
    start, stop = layout.bounds(batch)
    random = np.random.default_rng(batch)
    arrays: dict[str, Any] = {}
    for variable in layout.variables:
        shape = layout.shape(variable, stop - start)
        values = random.normal(size=shape) if variable.dtype == "float64" else random.integers(1, 3, size=shape)
        arrays[variable.name] = values.astype(variable.dtype)
    arrays["generation"][..., 0] = np.nan
    if batch == 1:
        arrays["total_cost"][:] = np.nan
        arrays["status"][:] = 2
    return arrays, {"seconds": np.full(stop - start, 1.5), "attempts": np.ones(stop - start, dtype=np.int64)}


def make_cube(path: Path, layout: Layout) -> Path:
    storage.create_cube(path, layout, make_inputs(layout.draws), {"name": "日本", "hash": "ab12"})
    return path


def files_outside_run(root: Path) -> dict[str, bytes]:
    files = {str(file.relative_to(root)): file for file in root.rglob("*") if file.is_file()}
    return {name: file.read_bytes() for name, file in files.items() if not name.startswith("run/")}


def test_new_cube_opens_plainly_and_shows_everything(tmp_path: Path) -> None:
    layout = make_layout()
    plain = xr.open_zarr(make_cube(tmp_path / "deep" / "new.zarr", layout))
    assert {*plain.data_vars} == {variable.name for variable in layout.variables} | {*make_inputs().data_vars}
    assert {*plain.coords} == {"draw", "replicate", "configuration", "area", "technology"}
    assert all("units" in array.attrs or name == "status" for name, array in plain.data_vars.items())
    assert plain["status"].attrs == STATUS
    assert plain["status"].dtype == np.int8
    assert plain["total_cost"].sel(configuration="optimal").isnull().all()
    assert plain["generation"].sel(area="東京", technology="coal").dims == CELL
    assert (plain["weather_year"] == "fy2024").values.tolist() == [True, False, True, False, True, False, True]
    assert plain.attrs["wattbit_format"] == 2
    run = xr.open_zarr(tmp_path / "deep" / "new.zarr", group="run")
    assert {*run.data_vars} == {"seconds", "attempts"}
    assert run["draw"].values.tolist() == list(range(7))
    assert [*xr.open_datatree(tmp_path / "deep" / "new.zarr", engine="zarr").groups] == ["/", "/run"]
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["new.zarr"]


def test_layout_inputs_and_study_come_back_equal(tmp_path: Path) -> None:
    path, layout = make_cube(tmp_path / "a.zarr", make_layout()), make_layout()
    assert storage.read_layout(path) == layout
    inputs = storage.read_inputs(path)
    xr.testing.assert_identical(inputs, make_inputs())
    assert [*inputs.data_vars] == [*make_inputs().data_vars]
    assert {name: array.dtype for name, array in inputs.variables.items()} == {
        name: array.dtype for name, array in make_inputs().variables.items()
    }
    assert math.copysign(1, inputs["dc_demand"].values[0]) == -1
    assert storage.read_study(path) == {"name": "日本", "hash": "ab12"}


def test_layout_counts_batches_bytes_and_files() -> None:
    layout = make_layout(draws=7, batch=3)
    assert [layout.bounds(batch) for batch in range(layout.batches)] == [(0, 3), (3, 6), (6, 7)]
    assert layout.nbytes == 7 * (2 * (1 + 8 + 8 + 4 * 8) + 8 + 8)
    assert layout.files == 3 * 8  # a commit record and a summary each
    with pytest.raises(storage.LayoutError, match=r"batch 3: expected 0 to 2"):
        layout.bounds(3)


def test_large_shards_are_cut_by_configuration_and_small_ones_are_not(tmp_path: Path) -> None:
    layout = make_layout(draws=3000, batch=1024)
    group = zarr.open_group(str(make_cube(tmp_path / "a.zarr", layout)), mode="r")
    assert (group["generation"].shards, group["generation"].chunks) == ((1024, 2, 2, 2), (1024, 1, 2, 2))
    assert (group["total_cost"].shards, group["total_cost"].chunks) == (None, (1024, 2))
    assert storage.read_layout(tmp_path / "a.zarr") == layout
    arrays, run = batch_arrays(layout, 2)
    storage.write_batch(tmp_path / "a.zarr", 2, arrays, run, {})
    opened = storage.open_cube(tmp_path / "a.zarr")
    assert opened["generation"].chunks == ((1024, 1024, 952), (2,), (2,), (2,))
    np.testing.assert_array_equal(opened["generation"][2048:], arrays["generation"])


def test_existing_path_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.zarr").mkdir()
    with pytest.raises(storage.CubeExistsError, match=r"a\.zarr exists already") as caught:
        make_cube(tmp_path / "a.zarr", make_layout())
    assert caught.value.code == "cube_exists"
    assert [*(tmp_path / "a.zarr").iterdir()] == []


def test_failed_creation_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(zarr, "consolidate_metadata", fail)
    with pytest.raises(OSError, match="disk full"):
        make_cube(tmp_path / "a.zarr", make_layout())
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda inputs: inputs.isel(draw=slice(5)), "has 5 draws, the layout 7"),
        (lambda inputs: inputs.assign_coords(draw=np.arange(7) + 1), "must count from 0 to 6"),
        (lambda inputs: inputs.drop_vars("replicate"), "needs an integer coordinate 'replicate'"),
        (lambda inputs: inputs.rename(dc_demand="total_cost"), "'total_cost' is taken"),
        (lambda inputs: inputs.assign(x=("other", [1.0])), r"'x' has dims \('other',\)"),
        (lambda inputs: inputs.assign(x=("draw", np.arange(7) * 1j)), "'x' has dtype complex128"),
        (lambda inputs: inputs.assign(x=("draw", np.array(["a", 1] * 3 + ["a"], object))), "'x' mixes strings"),
        (lambda inputs: inputs.assign(x=("draw", np.zeros(7), {"units": np.nan})), "cannot be written as JSON"),
    ],
)
def test_draw_table_that_does_not_fit_is_refused(tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(storage.LayoutError, match=message):
        storage.create_cube(tmp_path / "a.zarr", make_layout(), change(make_inputs()), {})
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Variable("a b", CELL, "float64", {"units": "1"}), "expected an identifier"),
        (lambda: Variable("draw", CELL, "float64", {"units": "1"}), "expected an identifier other than"),
        (lambda: Variable("x", ("configuration", "draw"), "float64", {"units": "1"}), "'draw' first"),
        (lambda: Variable("x", CELL, "float32", {"units": "1"}), "dtype 'float32'"),  # type: ignore[arg-type]
        (lambda: Variable("x", CELL, "float64"), "expected 'units' among them"),
        (lambda: make_layout(draws=0), "draws = 0, expected 1 or more"),
        (lambda: Layout((), {"area": ("a", "a")}, 1, 1), "none twice"),
        (lambda: Layout((), {}, 1, 1), "needs an int8 variable 'status'"),
        (lambda: Layout((Variable("status", CELL, "int8", STATUS),), {"configurations": ("a",)}, 1, 1), "did you mean"),
        (lambda: Layout((Variable("status", ("draw",), "int8", {"units": "1"}),), {}, 1, 1), "flag_values None"),
        (lambda: Layout((Variable("status", ("draw",), "int8", STATUS),) * 2, {}, 1, 1), "taken twice"),
        (
            lambda: Layout((Variable("status", ("draw",), "int8", {**STATUS, "flag_values": [1, 2, 3]}),), {}, 1, 1),
            "expected 0",
        ),
    ],
)
def test_contradictory_layouts_are_refused(make: Any, message: str) -> None:
    with pytest.raises(storage.LayoutError, match=message):
        make()


def test_what_is_no_cube_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(storage.NotACubeError, match="nothing is there"):
        storage.open_cube(tmp_path / "absent")
    with pytest.raises(storage.NotACubeError, match=r"there is no zarr\.json"):
        storage.read_inputs(tmp_path)
    zarr.create_group(str(tmp_path / "other"))
    with pytest.raises(storage.NotACubeError, match="wattbit_format = None") as caught:
        storage.cube_progress(tmp_path / "other")
    assert caught.value.code == "not_a_cube"
    with pytest.raises(storage.PathError, match="unknown scheme 'http', expected a local path, s3://"):
        storage.open_cube("http://bucket/a.zarr")


def test_newer_format_is_refused(tmp_path: Path) -> None:
    path = make_cube(tmp_path / "a.zarr", make_layout())
    metadata = json.loads((path / "zarr.json").read_text())
    metadata["attributes"]["wattbit_format"] = 3
    (path / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(storage.FormatTooNewError, match="wattbit_format = 3, this program reads 1 to 2") as caught:
        storage.read_study(path)
    assert isinstance(caught.value, storage.NotACubeError)
    (path / "zarr.json").write_text('{"attributes"')
    with pytest.raises(storage.CubeDamagedError, match=r"zarr\.json cannot be read"):
        storage.read_study(path)


def test_missing_variable_is_damage(tmp_path: Path) -> None:
    path = make_cube(tmp_path / "a.zarr", make_layout())
    metadata = json.loads((path / "zarr.json").read_text())
    metadata["attributes"]["wattbit_outputs"].append("lole")
    (path / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(storage.CubeDamagedError, match="lole"):
        storage.read_layout(path)
