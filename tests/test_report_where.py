"""Test conditions: what they mean, what missing values do to them, and that nothing but a condition gets through."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from report.where import QueryError, Where

NAN = np.nan


def cube() -> xr.Dataset:
    """Make four draws of two configurations; ``north`` fails in draw 2 and is not run in draw 3."""
    dims = ("draw", "configuration")
    status = np.array([[1, 1], [1, 1], [1, 2], [1, 0]], dtype=np.int8)
    return xr.Dataset(
        {
            "apn": ("draw", [0.1, 0.3, 0.5, 0.7]),
            "year": ("draw", np.array(["fy2019", "fy2024", "fy2019", "fy2024"], dtype=object)),
            "status": (dims, status),
            "regret": (dims, [[0.0, 5.0], [3.0, 0.0], [0.0, 7.0], [0.0, NAN]]),  # 7: what a failed draw left there
            "lole": ((*dims, "area"), np.arange(16.0).reshape(4, 2, 2)),
        },
        coords={
            "configuration": ["base", "north"],
            "area": ["Tokyo", "Kyushu-West"],
            "draw": np.arange(4),
            "replicate": ("draw", [0, 1, 0, 1]),
        },
    )


@pytest.mark.parametrize(
    ("text", "base", "north"),
    [
        ("", "++++", "++++"),
        ("apn < 0.4", "++--", "++--"),
        ("0.2 < apn <= 0.5", "-++-", "-++-"),
        ("not apn < 0.4 or year == 'fy2019'", "+-++", "+-++"),
        ('year != "fy2019" and replicate == 1', "-+-+", "-+-+"),
        ("apn > -1", "++++", "++++"),
        ("regret > 0", "-+--", "+-??"),
        ("regret == 0", "+-++", "-+??"),
        ("not (regret > 0)", "+-++", "-+??"),
        ("regret != 0", "-+--", "+-??"),
        ("regret > 0 and apn < 0.2", "----", "+---"),  # false whatever is missing
        ("regret > 0 or apn > 0.6", "-+-+", "+-?+"),  # true whatever is missing
        ("regret[north] > 0", "+-??", "+-??"),
        ("lole[base, Tokyo] >= 4", "-+++", "-+++"),
        ("lole['Kyushu-West'] > 9", "---+", "--??"),
        ("status == 2", "----", "--+-"),
        ("status == 'status_2'", "----", "--+-"),
        ("'fy2019' == year", "+-+-", "+-+-"),
        ("draw >= 2", "--++", "--++"),
    ],
)
def test_conditions_are_met_fail_or_cannot_be_told(text: str, base: str, north: str) -> None:
    where = Where(text, cube())
    told = np.where(where.meets, "+", np.where(where.fails, "-", "?"))
    assert ["".join(column) for column in told.T] == [base, north]
    assert not (where.meets & where.fails).any()
    assert where.on_outcomes == any(name in text for name in ("regret", "lole", "status"))
    assert where.on_status == ("status" in text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("apn <", "cannot be read: expected comparisons"),
        ("apm < 1", "no parameter or outcome 'apm'; nearest known: 'apn'"),
        ("apn", "'apn' is no condition"),
        ("apn < 1 if year else apn", "is no condition"),
        ("__import__('os').system('true')", "is no condition"),
        ("apn < __import__('os').getpid()", "is no name, number or text"),
        ("apn < (lambda: 1)()", "is no name, number or text"),
        ("apn.values < 1", "is no name, number or text"),
        ("apn + 1 < 2", "is no name, number or text"),
        ("apn in [1, 2]", "is no name, number or text"),
        ("apn is 1", "expected one of <, <="),
        ("apn < True", "neither number nor text"),
        ("year < 2020", "compares text with a number"),
        ("apn == 'high'", "compares text with a number"),
        ("year < 'fy2024'", "text is compared by == or !="),
        ("year == fy2024", "no parameter or outcome 'fy2024'"),
        ("regret[nord] > 0", "regret has no 'nord'; nearest known: 'north'"),
        ("regret[0] > 0", "'0' is no label"),
        ("lole > 2", r"lole runs over area too: name one of each, as in lole\[Tokyo\]"),
        ("lole[Tokyo, Tokyo] > 2", "lole has no 'Tokyo'"),
        ("apn[1] > 0", "'1' is no label"),
        ("year == 'fy2018'", "year is never 'fy2018' in this cube, it is 'fy2019' or 'fy2024'; nearest known: 'fy201"),
        ("year != 'FY2019'", "nearest known: 'fy2019'"),
        ("status == 'optimum'", "no status 'optimum'; nearest known: 'optimal'"),
        ("status == optimal", "text stands in quotes: status == 'optimal'"),
        ("year == fy2024", "text stands in quotes: year == 'fy2024'"),
        ("configuration == 'north'", "it is a dimension: --select configuration=base keeps one"),
        ("north > 0", "it is a label of configuration: --select configuration=north keeps it"),
        ("apn = 0.1", "equal is =="),
        ("apn < 40%", "a share is 0.4"),
        ("apn < 0.4 AND apn > 0", "small letters"),
        ("apn < 14,000", "no commas between conditions, nor in numbers"),
        ("x" * 2001, "2001 characters long"),
        ("(" * 900 + "apn" + ")" * 900, "cannot be read"),
        ("apn < 1\x00", "cannot be read"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        Where(text, cube())
