"""The tables of the back-cast are those that their maker makes of the observed year."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.backcast_tables import TABLES, observed_hours, tables
from model.weather import read_weather_year

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
