"""Test that what HiGHS does not take ends the run, where it would go on with the numbers of before."""

from __future__ import annotations

import highspy
import numpy as np
import pytest

from model import LiveHighs
from tests.draws import small_case


def live() -> LiveHighs:
    template = small_case(["tokyo_osaka"]).stages[""]
    made = LiveHighs(template)
    made.move(template.values(np.nan_to_num(template.defaults, nan=1.0)))
    return made


def test_number_that_is_none_is_refused() -> None:
    made = live()
    for name in ("column_lower", "row_upper"):
        entries = made.entries.copy()
        entries[made.template.sections[name].start] = np.nan
        with pytest.raises(RuntimeError, match="HiGHS refused bounds of"):
            made.move(entries)


def test_basis_of_another_program_is_refused() -> None:
    basis = highspy.HighsBasis()
    basis.valid = True
    with pytest.raises(RuntimeError, match="HiGHS refused a basis"):
        live().start_from(basis)


def test_option_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="HiGHS does not know the option 'no_such_option' = 1"):
        LiveHighs(small_case(["tokyo_osaka"]).stages[""], options={"no_such_option": 1})
