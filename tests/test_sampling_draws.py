"""Test the draw table: what a draw depends on, fixed parameters, files of draws, and the stream itself (golden)."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sampling import DesignSpec, SamplingError, draw_table, marginal_from_dict, read_uncertainty

SHIPPED, MIDS = read_uncertainty(Path(__file__).parents[1] / "model" / "data" / "uncertainty.csv")

SMALL = {
    "demand": marginal_from_dict("demand", {"distribution": "triangular", "min": 5, "mode": 13, "max": 18}),
    "price": marginal_from_dict(
        "price", {"distribution": "uniform", "min": 1, "max": 3, "correlation": {"demand": 0.6}}
    ),
    "year": marginal_from_dict("year", {"distribution": "choice", "odds": {"fy2019": 0.5, "fy2024": 0.5}}),
}
SMALL_MIDS = {"demand": 13.0, "price": 2.0, "year": "fy2024"}

GOLDEN = {
    "dc_demand": [15.22599016138, 11.47890401785, 9.707231116108],
    "demand_growth": [0.9907318368382, 1.017034918145, 0.9438043246775],
    "solar_buildout": [1.005951932371, 1.210070675504, 0.8762465515662],
    "wind_onshore_buildout": [1.15717595853, 0.7498243074115, 1.169549878372],
    "wind_offshore_buildout": [0.8641747236723, 2.059181596585, 1.479023424196],
    "battery_buildout": [0.8682974275318, 1.795847058683, 1.340949760328],
    "nuclear_capacity": [0.7573600557027, 1.16513610852, 1.010026170573],
    "pue_gap": [1.572728795381, 0.9092217731671, 0.4679964963237],
    "regional_capex": [0.9594981122855, 0.875195948177, 0.8796399497065],
    "lng_fuel_cost": [7.425867875006, 12.02274674896, 8.766908125552],
    "coal_fuel_cost": [4.343532293312, 4.060310316839, 4.481338095868],
    "co2_price": [10175.36712399, 13533.21432123, 22307.18683633],
    "apn_adoption": [0.4553804120614, 0.7023797858202, 0.5476934348529],
    "wls_time_share": [0.1169721504446, 0.4413958000918, 0.1509390226013],
    "wls_space_share": [0.4643318235782, 0.2292469408904, 0.06946622408332],
    "transfer_derate": [0.9037119841052, 0.8160736603041, 0.9534583548211],
    "japan_sea_hvdc": [0.0, 1.0, 1.0],
    "kanmon_second_link": [1.0, 1.0, 0.0],
    "weather_year": ["fy2019", "fy2024", "fy2024"],
}
"""The first three draws of the shipped uncertainties, scrambled Sobol, seed 2040."""


def design(draws=8, kind="sobol", seed=2040, replicates=1):
    return DesignSpec(kind=kind, draws=draws, seed=seed, replicates=replicates)


def from_file(folder, text, *, draws=None, fixed=None, marginals=SMALL, defaults=SMALL_MIDS):
    (folder / "futures.csv").write_text(text, encoding="utf-8")
    spec = DesignSpec(kind="file", file="futures.csv", draws=draws)
    return draw_table(marginals, spec, fixed=fixed or {}, defaults=defaults, base=folder)


def test_golden_draws():
    table = draw_table(SHIPPED, design(3))
    assert list(table.data_vars) == list(GOLDEN)
    for name, values in GOLDEN.items():
        if name == "weather_year":
            assert table[name].values.tolist() == values
        else:
            np.testing.assert_allclose(table[name].values, values, rtol=1e-9, err_msg=name)


def test_shape_types_and_attributes():
    table = draw_table(SHIPPED, design(6, replicates=4))
    assert list(table.data_vars) == list(SHIPPED)
    assert table["draw"].dtype == np.int64
    assert table["draw"].values.tolist() == [0, 1, 2, 3, 4, 5]
    assert table["replicate"].dtype == np.int64
    assert table["replicate"].values.tolist() == [0, 1, 2, 3, 0, 1]
    assert table["dc_demand"].dtype == np.float64
    assert table["weather_year"].dtype == np.object_
    assert table["dc_demand"].attrs["units"] == "GW"
    assert table["dc_demand"].attrs["distribution"] == "triangular(min=5, mode=13, max=18)"
    assert table["dc_demand"].attrs["source"].startswith("mean IT load.")


def test_shipped_distributions_are_met():
    table = draw_table(SHIPPED, design(2048))
    assert float(table["dc_demand"].mean()) == pytest.approx(12, rel=2e-3)
    assert float(table["apn_adoption"].mean()) == pytest.approx(0.6, rel=2e-3)
    assert float(table["japan_sea_hvdc"].mean()) == pytest.approx(0.55, abs=2e-3)
    assert (table["weather_year"].values == "fy2019").mean() == pytest.approx(0.5, abs=2e-3)
    assert float((table["wls_time_share"] + table["wls_space_share"]).max()) <= 1
    lng, coal = table["lng_fuel_cost"].values, table["coal_fuel_cost"].values
    assert lng.min() >= 5
    assert lng.max() <= 13
    # The rank correlation of a Gaussian copula: 6/pi * asin(rho/2).
    assert stats.spearmanr(lng, coal).statistic == pytest.approx(6 / np.pi * np.arcsin(0.3), abs=0.02)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(["monte_carlo", "sobol", "halton"]),
    draws=st.integers(1, 40),
    more=st.integers(0, 60),
    replicates=st.integers(1, 5),
)
def test_a_longer_table_begins_with_the_shorter(kind, draws, more, replicates):
    short = draw_table(SHIPPED, design(draws, kind, replicates=replicates))
    long = draw_table(SHIPPED, design(draws + more, kind, replicates=replicates)).isel(draw=slice(draws))
    assert short.identical(long)
    for name in SHIPPED:
        if short[name].dtype == np.float64:
            assert short[name].values.tobytes() == long[name].values.tobytes()


@pytest.mark.parametrize("name", list(SHIPPED))
def test_fixing_one_parameter_moves_no_other(name):
    free = draw_table(SHIPPED, design())
    held = draw_table(SHIPPED, design(), fixed={name: MIDS[name]})
    assert list(held.data_vars) == list(free.data_vars)
    assert held[name].values.tolist() == [MIDS[name]] * 8
    assert held[name].attrs["distribution"].startswith("fixed(value=")
    assert held[name].attrs["units"] == free[name].attrs["units"]
    assert held.drop_vars(name).identical(free.drop_vars(name))


def test_a_fixed_marginal_moves_no_other():
    held = SHIPPED | {"pue_gap": marginal_from_dict("pue_gap", {"distribution": "fixed", "value": 0})}
    free = draw_table(SHIPPED, design())
    assert draw_table(held, design()).drop_vars("pue_gap").identical(free.drop_vars("pue_gap"))


def test_a_value_outside_the_distribution_may_be_fixed():
    table = draw_table(SMALL, design(2), fixed={"demand": 40, "year": "fy2030"})
    assert table["demand"].values.tolist() == [40.0, 40.0]
    assert table["year"].values.tolist() == ["fy2030", "fy2030"]


def test_seeds_differ():
    one, two = (draw_table(SHIPPED, design(seed=seed)) for seed in (1, 2))
    assert not (one["dc_demand"] == two["dc_demand"]).any()


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        (
            {"demnd": 3.0},
            "fixed.demnd: found 3.0, expected the name of an uncertain parameter; nearest known name: demand",
        ),
        ({"demand": "high"}, "fixed.demand: found 'high', expected a finite number"),
        ({"demand": True}, "fixed.demand: found True, expected a finite number"),
        ({"demand": float("nan")}, "fixed.demand: found nan, expected a finite number"),
        ({"year": 2024}, "fixed.year: found 2024, expected a text"),
    ],
)
def test_bad_fixed_values_are_refused(fixed, message):
    with pytest.raises(SamplingError) as refused:
        draw_table(SMALL, design(), fixed=fixed)
    assert str(refused.value) == message


@pytest.mark.parametrize("order", [["price", "demand", "year"], ["price", "year"]])
def test_a_correlation_needs_an_earlier_parameter(order):
    with pytest.raises(SamplingError) as refused:
        draw_table({name: SMALL[name] for name in order}, design())
    assert refused.value.key == "uncertain.price.correlation"
    assert refused.value.found == "demand"
    assert refused.value.expected == "the name of an earlier parameter"


def test_file_with_every_column(tmp_path):
    table = from_file(tmp_path, "\ufeffyear,price,demand\nfy2024, 1.5,20\n\nfy2019,2,7e0\n")
    assert list(table.data_vars) == ["demand", "price", "year"]
    assert table["demand"].values.tolist() == [20.0, 7.0]
    assert table["price"].values.tolist() == [1.5, 2.0]
    assert table["year"].values.tolist() == ["fy2024", "fy2019"]
    assert table["year"].dtype == np.object_
    assert table["replicate"].values.tolist() == [0, 0]
    assert table["demand"].attrs["distribution"] == "file(futures.csv)"


def test_file_completed_by_fixed_values_and_defaults(tmp_path):
    table = from_file(tmp_path, "demand\n6\n7\n", fixed={"year": "fy2019"})
    assert table["price"].values.tolist() == [2.0, 2.0]
    assert table["price"].attrs["distribution"] == "fixed(value=2)"
    assert table["year"].values.tolist() == ["fy2019", "fy2019"]


def test_file_takes_the_value_of_a_fixed_marginal(tmp_path):
    marginals = SMALL | {"price": marginal_from_dict("price", {"distribution": "fixed", "value": 9})}
    assert from_file(tmp_path, "demand\n6\n", marginals=marginals)["price"].values.tolist() == [9.0]
    with pytest.raises(SamplingError, match=r"^fixed\.price: found 9\.0, expected no fixed value beside the column"):
        from_file(tmp_path, "price\n6\n", marginals=marginals)


def test_file_cut_short(tmp_path):
    table = from_file(tmp_path, "demand\n6\n7\n8\n", draws=2)
    assert table["demand"].values.tolist() == [6.0, 7.0]
    assert table.sizes["draw"] == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "demand,pric\n6,1\n",
            "futures.csv header: found 'pric', expected a column for each of some uncertain parameters; "
            "nearest known name: price",
        ),
        ("demand,price\n6,1\n7,\n", "futures.csv row 3, column price: found nothing, expected a finite number"),
        ("demand\n6\nx\n", "futures.csv row 3, column demand: found 'x', expected a finite number"),
        ("demand\nnan\n", "futures.csv row 2, column demand: found 'nan', expected a finite number"),
        (
            "year\nfy2018\n",
            "futures.csv row 2, column year: found 'fy2018', expected one of fy2019, fy2024; "
            "nearest known name: fy2019",
        ),
        ("demand,price\n6\n", "futures.csv row 2: found '1 cells', expected 2 cells"),
        ("demand,demand\n6,6\n", "futures.csv row 1, column 2: found 'demand', expected each column once"),
        ("demand,\n6,6\n", "futures.csv row 1, column 2: found nothing, expected the name of the column"),
        ("demand\n", "futures.csv: found nothing, expected a header row and at least one more row"),
        ("", "futures.csv: found nothing, expected a header row and at least one more row"),
    ],
)
def test_bad_files_are_refused(tmp_path, text, message):
    with pytest.raises(SamplingError) as refused:
        from_file(tmp_path, text)
    assert str(refused.value) == message


def test_file_column_of_a_fixed_parameter_is_refused(tmp_path):
    with pytest.raises(SamplingError, match=r"^fixed\.demand: found 5\.0, expected no fixed value beside the column"):
        from_file(tmp_path, "demand\n6\n", fixed={"demand": 5})


def test_file_with_too_few_rows_is_refused(tmp_path):
    with pytest.raises(SamplingError, match=r"^design\.draws: found 3, expected at most the 2 rows of futures\.csv"):
        from_file(tmp_path, "demand\n6\n7\n", draws=3)


def test_file_without_a_default_is_refused(tmp_path):
    with pytest.raises(SamplingError, match="expected a column, a fixed value or a default of price"):
        from_file(tmp_path, "demand\n6\n", defaults={"year": "fy2024"})


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(SamplingError, match=r"none\.csv', expected an existing CSV file"):
        draw_table(SMALL, DesignSpec(kind="file", file="none.csv"), base=tmp_path)


def test_an_error_survives_pickling():
    fault = SamplingError("fixed.demnd", 3.0, "a name", "demand")
    copy = pickle.loads(pickle.dumps(fault))
    assert (copy.key, copy.found, copy.expected, copy.nearest) == ("fixed.demnd", 3.0, "a name", "demand")
    assert str(copy) == str(fault)
