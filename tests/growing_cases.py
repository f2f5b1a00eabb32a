"""A cube for tests of growth: every value follows from its draw and configuration, so that any part can be foretold."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

import storage
from storage import Layout, Piece, Variable
from tests.test_storage_cube import STATUS

CELL = ("draw", "configuration")
DATA = Path(__file__).parent / "data"


def layout_of(draws: int, batch: int = 2, configurations: int = 2) -> Layout:
    return Layout(
        variables=(
            Variable("status", CELL, "int8", STATUS),
            Variable("cost", CELL, "float64", {"units": "1"}),
            Variable("regret", CELL, "float64", {"units": "1"}, across=True),
        ),
        coords={"configuration": tuple(f"c{number}" for number in range(configurations))},
        draws=draws,
        batch=batch,
        run_variables=(Variable("seconds", ("draw",), "float64", {"units": "s"}),),
    )


def draw_table(draws: int) -> xr.Dataset:
    number = np.arange(draws)
    years = np.array(["a", "b"] * draws, dtype=object)[:draws]
    return xr.Dataset(
        {
            "dc_demand": ("draw", number * 0.5, {"units": "GW"}),
            "weather_year": ("draw", years),
        },
        coords={"draw": number, "replicate": ("draw", number % 2)},
    )


def answer(draws: npt.NDArray[Any], configurations: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The cost of each cell (draws, configurations)."""
    return np.sin(1.0 + draws[:, None] * 17 + configurations[None, :] * 5)


def begin(path: Path, layout: Layout) -> Path:
    storage.create_cube(path, layout, draw_table(layout.draws), {"draws": layout.draws}, tables={"a.csv": b"1"})
    return path


def extend(path: Path, draws: int, added: Sequence[str] = ()) -> None:
    layout = storage.read_layout(path).grown(draws, added)
    storage.extend_cube(path, layout, draw_table(draws), {"draws": draws}, {"b.csv": b"2"})


def missing(path: Path) -> list[Piece]:
    batches = range(storage.read_layout(path).batches)
    return [piece for batch in batches for piece in storage.read_pieces(path, batch)[1]]


def write_piece(path: Path, piece: Piece) -> None:
    """Write a piece as its numbers foretell it."""
    layout = storage.read_layout(path)
    last = piece.generation == len(layout.generations) - 1
    draws, own = np.arange(piece.start, piece.stop), layout.labels(piece.generation)
    cost = answer(draws, np.arange(own.stop))
    arrays: dict[str, Any] = {
        "status": np.ones((len(draws), own.stop - own.start), dtype=np.int8),
        "cost": cost[:, own],
    }
    if last:
        arrays["regret"] = cost - cost.min(axis=1, keepdims=True)
    run = {} if piece.generation else {"seconds": np.ones(len(draws))}
    storage.write_batch(path, piece.batch, arrays, run, {}, piece.generation)


def write_missing(path: Path) -> None:
    for piece in missing(path):
        write_piece(path, piece)


def compare_with(path: Path, committed: set[tuple[int, int]]) -> None:
    """Hold a cube against the draws and generations that it should hold, and nothing else."""
    layout, opened = storage.read_layout(path), storage.open_cube(path)
    names = len(layout.coords["configuration"])
    whole = answer(np.arange(layout.draws), np.arange(names))
    held = np.zeros((layout.draws, len(layout.generations)), dtype=bool)
    for draw, generation in committed:
        held[draw, generation] = True
    cells = np.repeat(held, layout.generations, axis=1)
    regret = whole - whole.min(axis=1, keepdims=True)
    everywhere = held.all(axis=1)
    np.testing.assert_array_equal(opened["cost"], np.where(cells, whole, np.nan))
    np.testing.assert_array_equal(opened["status"], cells.astype(np.int8))
    np.testing.assert_array_equal(opened["regret"], np.where(everywhere[:, None], regret, np.nan))
    progress = storage.cube_progress(path)
    assert progress.draws_committed == everywhere.sum()
    assert progress.status_counts == {"not_run": int((~cells).sum()), "optimal": int(cells.sum()), "infeasible": 0}
    batches = np.arange(layout.draws) // layout.batch
    assert progress.missing_batches == tuple(sorted({int(batch) for batch in batches[~everywhere]}))
    assert storage.check_sums(path) == []
