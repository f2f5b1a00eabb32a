"""The tables of the back-cast are those that their maker makes of the observed year."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.backcast_tables import TABLES, line_flows, observed_hours, tables
from benchmarks.validation_runs import STEPS, step
from model import OptionsSpec
from model.weather import read_weather_year
from sweep.study import read_study

ROOT = Path(__file__).parents[1]


def test_tables_are_made_of_the_observed_year(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    made = tables()
    for name, table in made.items():
        kept = pd.read_csv(TABLES / name, keep_default_na=name != "uncertainty.csv")
        pd.testing.assert_frame_equal(kept, table.reset_index(drop=True), check_dtype=False, atol=1e-9, obj=name)


def test_the_model_can_give_what_was_observed_before_curtailment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    hours = observed_hours()
    areas = tuple(sorted(hours["area"].unique()))
    year = read_weather_year(TABLES / "hourly.csv.gz", areas)
    built = pd.read_csv(TABLES / "capacity.csv").pivot(index="area", columns="technology", values="capacity_GW")
    output = (year.capacity_factor * built.loc[list(areas), ["solar", "wind_onshore", "wind_offshore"]].to_numpy()).sum(
        axis=(0, 1, 3)
    )
    columns = ["solar_GW", "solar_curtailed_GW", "wind_GW", "wind_curtailed_GW"]
    observed = hours.groupby("area")[columns].sum().sum(axis=1)
    assert output == pytest.approx(observed.to_numpy(), rel=1e-3)
    assert np.allclose(year.demand.sum(axis=(0, 1)), hours.groupby("area")["demand_GW"].sum())


def test_steps_add_one_improvement_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    plain = OptionsSpec()

    def on(options: OptionsSpec) -> set[str]:
        return {name for name in OptionsSpec.model_fields if getattr(options, name) != getattr(plain, name)}

    found = [on(step(each).options) for each in STEPS]
    whole = on(read_study(ROOT / "studies" / "backcast_fy2024_refined.toml").options)
    assert found[0] == set()
    assert all(before < after for before, after in itertools.pairwise([*found, whole]))
    derates = [step(each).fixed["transfer_derate"] for each in STEPS]
    assert derates == [0.9] * len(STEPS), "of the specification, until lines have margins of their own"


def test_flows_that_net_imports_settle() -> None:
    """Hokkaido sends 1 GW, Tohoku 2 more; Tokyo keeps 2.5 of these 3, so that 0.5 goes west; Kyushu sends 2."""
    imports = {"Hokkaido": -1.0, "Tohoku": -2.0, "Tokyo": 2.5, "Kyushu": -2.0}
    rows = [("2024-04-01T00:00+09:00", area, value) for area, value in imports.items()]
    flows = line_flows(pd.DataFrame(rows, columns=["time", "area", "net_import_GW"])).iloc[0].to_dict()
    assert flows == {"hokkaido_tohoku": 1.0, "tohoku_tokyo": 3.0, "tokyo_chubu_fc": 0.5, "chugoku_kyushu": -2.0}
