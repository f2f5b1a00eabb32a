"""Test the reader of uncertainty tables: the shipped one, the forms of a row, and what it refuses."""

from pathlib import Path

import pytest

from sampling import SamplingError, read_uncertainty

SHIPPED = Path(__file__).parents[1] / "model" / "data" / "uncertainty.csv"
HEADER = "name,low,mid,high,unit,distribution,parameters,source\n"


def read(folder, rows, header=HEADER):
    path = folder / "uncertainty.csv"
    path.write_text(header + rows, encoding="utf-8")
    return read_uncertainty(path)


def test_shipped_table():
    marginals, mids = read_uncertainty(SHIPPED)
    assert len(marginals) == 19
    assert list(marginals) == list(mids)
    assert next(iter(marginals)) == "dc_demand"
    assert mids["dc_demand"] == 13.0
    assert mids["weather_year"] == "fy2024"
    assert marginals["coal_fuel_cost"].correlation == {"lng_fuel_cost": 0.6}
    assert marginals["weather_year"].odds == {"fy2019": 0.5, "fy2024": 0.5}
    assert marginals["japan_sea_hvdc"].p == 0.55
    assert marginals["nuclear_capacity"].max == 1.62
    assert marginals["co2_price"].unit == "yen/t"
    assert marginals["wls_time_share"].describe() == "beta_truncated(a=2, b=6, min=0, max=0.45)"


def test_forms_of_a_row(tmp_path):
    marginals, mids = read(
        tmp_path,
        "a,0,1,2,GW,uniform, min = 0 ; max=2; ,somewhere\n"
        "b,,x,,,fixed,value=x,\n"
        "c,,4,,,fixed,value=4,\n"
        "d,,y,,,choice,x=0.25;y=0.75;corr_a=-0.5,\n",
    )
    assert mids == {"a": 1.0, "b": "x", "c": 4.0, "d": "y"}
    assert marginals["a"].describe() == "uniform(min=0, max=2)"
    assert (marginals["b"].value, marginals["c"].value) == ("x", 4.0)
    assert marginals["d"].odds == {"x": 0.25, "y": 0.75}
    assert marginals["d"].correlation == {"a": -0.5}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "b,0,1,2,1,uniform,min=0;maxi=2,s\n",
            "uncertainty.csv row 3, b.maxi: found 2.0, expected one of the keys distribution, unit, source, "
            "correlation, min, max; nearest known name: max",
        ),
        ("b,0,1,2,1,uniform,min=0,s\n", "uncertainty.csv row 3, b.max: found nothing, expected a value"),
        ("b,0,1,2,1,uniform,min=0;max=two,s\n", "uncertainty.csv row 3, b.max: found 'two', expected a finite number"),
        ("b,0,1,2,1,uniform,min=3;max=2,s\n", "uncertainty.csv row 3, b.min: found 3.0, expected a number below max=2"),
        (
            "b,0,1,2,1,uniform,min=0;max,s\n",
            "uncertainty.csv row 3, b.parameters: found 'max', expected key=value pairs joined by semicolons, "
            "each key once",
        ),
        (
            "b,0,1,2,1,uniform,min=0;max=2;min=1,s\n",
            "uncertainty.csv row 3, b.parameters: found 'min=1', expected key=value pairs joined by semicolons, "
            "each key once",
        ),
        (
            "b,0,1,2,1,unifrom,min=0;max=2,s\n",
            "uncertainty.csv row 3, b.distribution: found 'unifrom', expected one of triangular, uniform, pert, normal, "
            "lognormal, lognormal_truncated, beta, beta_truncated, bernoulli, choice, empirical, mixture, fixed, or a "
            "distribution of scipy.stats; nearest known name: uniform",
        ),
        (
            "b,0,1,2,1,uniform,min=0;max=2;corr_alpha=0.5,s\n",
            "uncertainty.csv row 3, b.correlation: found 'alpha', expected the name of an earlier parameter; "
            "nearest known name: alfa",
        ),
        (
            "b,0,1,2,1,uniform,min=0;max=2;corr_alfa=1.5,s\n",
            "uncertainty.csv row 3, b.correlation.alfa: found 1.5, expected less than 1",
        ),
        ("b,0,,2,1,uniform,min=0;max=2,s\n", "uncertainty.csv row 3, b.mid: found nothing, expected a finite number"),
        (
            "b,,fy2014,,1,choice,fy2024=1,s\n",
            "uncertainty.csv row 3, b.mid: found 'fy2014', expected one of fy2024; nearest known name: fy2024",
        ),
        (
            "alfa,0,1,2,1,uniform,min=0;max=2,s\n",
            "uncertainty.csv row 3, alfa.name: found 'alfa', expected the name of a parameter, each once",
        ),
        (
            ",0,1,2,1,uniform,min=0;max=2,s\n",
            "uncertainty.csv row 3.name: found nothing, expected the name of a parameter, each once",
        ),
        ("b,0,1\n", "uncertainty.csv row 3: found '3 cells', expected 8 cells"),
    ],
)
def test_bad_rows_are_refused(tmp_path, row, message):
    with pytest.raises(SamplingError) as refused:
        read(tmp_path, "alfa,0,1,2,1,uniform,min=0;max=2,s\n" + row)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (HEADER.replace("mid", "mit"), "uncertainty.csv header: found 'mit', expected the columns .*name: mid"),
        (HEADER.replace(",source", ""), "uncertainty.csv header: found nothing, expected the column source"),
    ],
)
def test_bad_headers_are_refused(tmp_path, header, message):
    cells = header.count(",") + 1
    with pytest.raises(SamplingError, match=message):
        read(tmp_path, ",".join(["a"] * cells) + "\n", header)
