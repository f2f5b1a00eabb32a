"""Every parameter of the model says what it is, and the words change no value of the draws."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from model import WEATHER_YEAR, optional_parameters, read_inputs, required_parameters
from sampling import DesignSpec, draw_table, read_uncertainty
from sweep.labels import MEANINGS, labelled, meaning


def test_every_parameter_is_told() -> None:
    inputs = read_inputs()
    required = required_parameters(inputs)
    switches = {name for name, parameter in required.items() if parameter is not None and parameter.switch}
    assert {*required} - switches == {*MEANINGS}
    assert WEATHER_YEAR in MEANINGS
    assert {meaning(name) for name in switches} == {f"whether {name} is built: 1 or 0" for name in switches}
    assert meaning("wind_onshore_buildout_Tohoku") == "further factor on the wind onshore capacity of Tohoku"
    assert all("further factor" in meaning(name) for name in optional_parameters(inputs))


def test_words_change_no_value(tmp_path: Path) -> None:
    marginals, mids = read_uncertainty(read_inputs().tables["uncertainty"])
    table = draw_table(marginals, DesignSpec(kind="sobol", draws=4, seed=1), fixed={}, defaults=mids, base=tmp_path)
    told = labelled(table)
    xr.testing.assert_equal(told, table)
    assert all(told[name].attrs["units"] == column.attrs["units"] for name, column in table.data_vars.items())
    assert {*told["draw"].attrs} == {*told["replicate"].attrs} == {"units", "long_name"}
    assert not any("long_name" in column.attrs for column in table.variables.values())
