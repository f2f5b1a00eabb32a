"""Cubes whose outcomes are known functions of their draws, drawn as studies are, for the tests of reweighting."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import storage
from model.inputs import SHIPPED
from storage import Layout, Variable
from sweep.drawing import draw, tables_of_values
from sweep.study import read_study
from tests.sweep_cases import strict_json, wattbit

CELL = ("draw", "configuration")
UNIT = {"units": "billion yen per year"}
STATUS = {"flag_values": [0, 1, 2], "flag_meanings": "not_run optimal infeasible"}
BATCH = 1000
STUDY = """\
name = "drawn"
reference = "base"
configurations = ["base", "plan"]

[design]
kind = "monte_carlo"
draws = 4000
seed = 8

[days]
all = true
"""
LOW_PRICE = 'distribution = "triangular"\nmin = 3000\nmode = 6000\nmax = 20000\nsource = "prices stay low"\n'
LOW = f"[belief.low.uncertain.co2_price]\n{LOW_PRICE}"
BREAK_EVEN = 12.0  # thousand yen per tonne: above it the plan saves


def saving(table: xr.Dataset) -> np.ndarray:
    """Return what the plan saves (draws,): the price of CO2 above the one at which it breaks even."""
    return np.asarray(table["co2_price"].values / 1000 - BREAK_EVEN)


def write_cube(
    path: Path, *edits: tuple[str, str], more: str = "", failed: tuple[int, ...] = (), committed: int | None = None
) -> Path:
    """Store a cube of a study whose plan saves `saving`; draws `failed` fail in the plan, `committed` batches are there."""
    text = STUDY
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    file = path.parent / f"{path.name}.toml"
    file.write_text(text + more)
    study = read_study(file)
    drawn = draw(study, file.parent)
    gain = saving(drawn.table)
    costs = np.stack([np.zeros_like(gain), -gain], axis=1)
    status = np.ones(costs.shape, dtype=np.int8)
    status[list(failed), 1] = 2
    done = status == 1
    outcomes = {
        "status": status,
        "saving_fuel_co2": np.where(done, costs[:, :1] - costs, np.nan),
        "regret_total": np.where(done, costs - costs.min(axis=1, keepdims=True), np.nan),
        "curtailment": np.where(done, 1.0, np.nan)[:, :, np.newaxis] * np.ones(2),
    }
    layout = Layout(
        variables=(
            Variable("status", CELL, "int8", STATUS),
            Variable("saving_fuel_co2", CELL, "float64", UNIT),
            Variable("regret_total", CELL, "float64", UNIT),
            Variable("curtailment", (*CELL, "area"), "float64", {"units": "TWh"}),
        ),
        coords={"configuration": ("base", "plan"), "area": ("Hokkaido", "Tokyo")},
        draws=len(gain),
        batch=BATCH,
    )
    scenarios = {"scenarios": list(study.scenario)} if study.scenario else {}
    attrs = {"design_kind": study.design.kind, "reference": "base", "free_configurations": [], **scenarios}
    files = {"uncertainty": drawn.inputs.tables["uncertainty"], **tables_of_values(drawn.marginals)}
    record = study.model_dump(mode="json", exclude={"days": {"file"}, "design": {"file"}})
    storage.create_cube(
        path,
        layout,
        drawn.table.assign_attrs(attrs),
        {"identity": {"study": record}},
        tables={f"{name}.csv": file.read_bytes() for name, file in files.items()},
    )
    for batch in range(layout.batches if committed is None else committed):
        rows = slice(*layout.bounds(batch))
        storage.write_batch(path, batch, {name: array[rows] for name, array in outcomes.items()}, {}, {})
    return path


def shipped_table() -> str:
    return (SHIPPED / "uncertainty.csv").read_text(encoding="utf-8")


def asked(store: Path, beliefs: str, *words: str) -> Any:
    file = store.parent / "beliefs.toml"
    file.write_text(beliefs, encoding="utf-8")
    return wattbit(store.parent, "reweight", store.name, file.name, *words)


def sets(store: Path, beliefs: str, *words: str) -> dict[str, dict[str, Any]]:
    """Return the sets of an answer by their name."""
    done = asked(store, beliefs, *words, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    return {one["belief"]: one for one in strict_json(done.stdout)["sets"]}
