"""Options by area and month - least output, pumped storage in use, line margins - and curtailment shared by areas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model import Days, InputError, build_case, compile_template, read_inputs
from model.configurations import Configuration
from model.dispatch import build_dispatch
from model.hourly import solve_hours
from model.inputs import Inputs
from model.kept_templates import FOLDER_VARIABLE, kept_template
from model.left_out import leave_out
from model.option_tables import read_options
from model.options import Options, OptionsSpec
from tests.cases import THETA, YEAR, small_weather, solve_day, system

MAY, JULY = 40, 100  # days
SUN = np.zeros(24)
SUN[8:16] = 1.0


def near(value: Any) -> Any:
    return pytest.approx(value, rel=1e-9, abs=1e-9)


def hours_of(inputs: Inputs, day: int, **theta: float) -> dict[str, np.ndarray]:
    """One day of a year hour by hour around a load that is as good as none."""
    draw = {**THETA, "dc_demand": 0.001, **theta}
    shares = np.zeros((len(inputs.areas), 1))
    shares[0] = 1.0
    days = {YEAR: Days(np.array([day]), np.array([365.0]))}
    case = build_case(inputs, days, [Configuration("dc", shares, shares > 0)], "dc", "tiers", draw)
    return solve_hours(case, draw, np.zeros(len(inputs.areas)))


def monthly(shape: tuple[int, ...], usual: float, may: float) -> np.ndarray:
    table = np.full((12, *shape), usual)
    table[4] = may
    return table


def test_least_output_of_a_month() -> None:
    """8 GW lng, all committed in May: 0.25 x 8 GW at noon too, while the sun could serve all; half of 8 if half is there."""
    base = system(
        "W", lng=8, solar=50, min_output=[0.0, 0.25, 0.0], demand=[30.0], weather=small_weather(1), mustrun=[0.1]
    )
    inputs = replace(base, options=Options(floor_share=monthly((1, 3), 0.0, 1.0)))
    assert hours_of(inputs, MAY)["thermal"][..., 1].min() == near(2.0)
    assert hours_of(inputs, JULY)["thermal"][..., 1].min() < 1.5
    there = Options(
        floor_share=monthly((1, 3), 0.0, 1.0), thermal_share=np.full((12, 1, 3), 0.5), nuclear_share=np.ones((12, 1))
    )
    assert hours_of(replace(base, options=there), MAY)["thermal"][..., 1].min() == near(1.0)


def test_least_output_above_the_load_is_spilled() -> None:
    """1 GW has to be given of 4 GW lng beside 0.3 GW of hydro, and load is a tenth of that."""
    base = system("W", lng=4, min_output=[0.0, 0.25, 0.0], demand=[0.876], weather=small_weather(1))
    found = hours_of(replace(base, options=Options(floor_share=monthly((1, 3), 0.0, 1.0))), MAY)
    assert found["shed"].max() == near(0.0)
    assert found["spill"] + found["demand"] == near(np.full((1, 24, 1), 1.3))


def test_pumped_storage_in_use() -> None:
    """In May a quarter of 2 GW and 8 GWh, in other months what the table says for them; batteries stay whole."""
    base = system(
        "W",
        lng=8,
        solar=50,
        pumped_hydro=[(2.0, 8.0)],
        battery=[(0.5, 1.0)],
        demand=[30.0],
        weather=small_weather(1),
        scalars={"pumped_derate": 0.1},
    )
    inputs = replace(base, options=Options(pumped_share=monthly((1,), 1.0, 0.25)))
    for day, share in ((MAY, 0.25), (JULY, 1.0)):
        found = hours_of(inputs, day)
        assert found["charge"][..., 0].max() <= share * 2.0 + 1e-9
        assert found["stored"][..., 0].max() == near(share * 8.0)
        assert found["stored"][..., 1].max() == near(1.0)


def test_line_margins_by_direction_and_month() -> None:
    """W has the plants: over 3 GW, of which half may be used in May one way, times a derate of 0.8; the other way none."""
    base = system(("W", "E"), lng=[30, 0], lines=[("W", "E", 3.0, 3.0, "")], demand=[1, 60], weather=small_weather(2))
    margins = Options(line_forward=monthly((1,), 1.0, 0.5), line_backward=monthly((1,), 1.0, 0.0))
    for day, most in ((MAY, 1.2), (JULY, 2.4)):
        found = hours_of(replace(base, options=margins), day, transfer_derate=0.8)
        assert found["flow"] == near(np.full((1, 24, 1), most))
    turned = replace(base, lines=replace(base.lines, start=base.lines.end, end=base.lines.start))
    assert hours_of(replace(turned, options=margins), MAY)["flow"] == near(np.zeros((1, 24, 1)))
    one_way = replace(base, lines=replace(base.lines, backward=np.zeros(1)), options=margins)
    assert hours_of(one_way, MAY)["flow"] == near(np.full((1, 24, 1), 1.5))


@pytest.mark.parametrize(("limit", "lost"), [(9.0, (4.0, 4.0)), (1.0, (5.0, 3.0))])
def test_curtailment_is_shared_as_far_as_lines_reach(limit: float, lost: tuple[float, float]) -> None:
    """8 GW sun in W and E for loads of 2 and 6: alone W curtails 6 and E 2; in common half of each, if 2 GW can be sent."""
    inputs = system(("W", "E"), lng=[10, 10], solar=[8, 8], lines=[("W", "E", limit, limit, "")])
    demand = np.array([[2.0], [6.0]])
    alone = solve_day(inputs, demand, cf=SUN)
    assert 8 - alone.hourly("re")[:, 10] == near([6.0, 2.0])
    shared = solve_day(replace(inputs, options=Options(curtailment_sharing=0.5)), demand, cf=SUN)
    assert 8 - shared.hourly("re")[:, 10] == near(lost)
    assert shared.hourly("re").sum() == near(alone.hourly("re").sum())


def test_tables_that_say_what_holds_anyway_change_nothing() -> None:
    base = system(
        ("W", "E"),
        coal=[3, 1],
        lng=[6, 7],
        solar=[12, 2],
        pumped_hydro=[(2, 6), (0, 0)],
        lines=[("W", "E", 2, 1, "")],
        min_output=[0.4, 0.3, 0.0],
        committed_floor=[0.2, 0.2, 0.2],
        demand=[30, 40],
        weather=small_weather(2),
        scalars={"pumped_derate": 0.7},
    )
    neutral = Options(
        floor_share=np.full((12, 2, 3), 0.2),
        pumped_share=np.full((12, 2), 0.7),
        line_forward=np.ones((12, 1)),
        line_backward=np.ones((12, 1)),
    )
    plain, found = hours_of(base, MAY), hours_of(replace(base, options=neutral), MAY)
    for name in ("thermal", "renewable", "price"):
        np.testing.assert_allclose(found[name], plain[name], atol=1e-7, err_msg=name)


@pytest.mark.parametrize(
    "options",
    [
        Options(floor_share=np.zeros((12, 1, 3))),
        Options(pumped_share=np.ones((12, 1))),
        Options(curtailment_sharing=0.5),
        Options(curtailment_sharing=0.25),
        Options(left_out=("W",)),
    ],
)
def test_each_option_has_a_kept_template_of_its_own(
    options: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    inputs = system("W", lng=10, solar=8, pumped_hydro=[(2, 6)])
    for each in (inputs, replace(inputs, options=options)):
        kept_template(each, lambda each=each: compile_template(build_dispatch(each)))  # type: ignore[misc]
    assert len(list(tmp_path.glob("*.npz"))) == 2


def test_an_area_that_is_left_out_has_users_alone() -> None:
    whole = read_inputs()
    without = read_inputs(options=OptionsSpec(left_out=("Okinawa",)))
    at = whole.areas.index("Okinawa")
    assert without.areas == whole.areas
    assert without.user_share.tolist() == whole.user_share.tolist()
    for name in ("demand", "thermal", "curtailable", "power", "nuclear", "mustrun"):
        values = getattr(without, name)
        assert not values[at].any()
        np.testing.assert_array_equal(np.delete(values, at, axis=0), np.delete(getattr(whole, name), at, axis=0))
    assert not without.weather["fy2024"].hydro[..., at].any()
    with pytest.raises(InputError, match="area without lines"):
        leave_out(whole, ["Tokyo"])
    with pytest.raises(InputError, match="at least one area"):
        leave_out(system(("W", "E")), ["W", "E"])


TABLES = {
    "committed_floor": "technology,area,month,share\nlng,all,5,0.5\nlng,W,5,0.25\ncoal,E,1,1\n",
    "pumped_derate": "area,month,share\nall,5,0.5\nW,5,0.25\n",
    "line_margin": "line,direction,month,share\nall,forward,5,0.8\nwest_east,forward,5,1.1\nwest_east,backward,1,0\n",
}
LINES = ("west_east", "east_north")


def read(folder: Path, name: str, text: str) -> Options:
    (folder / "t.csv").write_text(text)
    spec = OptionsSpec.model_validate({name: "t.csv"})
    return read_options(spec, folder, ("W", "E"), LINES, np.array([0.1, 0.2, 0.3]), 0.9)


def test_tables_are_read_and_silent_months_stay_as_they_are(tmp_path: Path) -> None:
    floor = read(tmp_path, "committed_floor", TABLES["committed_floor"]).floor_share
    assert floor is not None
    assert floor[4].tolist() == [[0.1, 0.25, 0.3], [0.1, 0.5, 0.3]]
    assert floor[0].tolist() == [[0.1, 0.2, 0.3], [1.0, 0.2, 0.3]]
    pumped = read(tmp_path, "pumped_derate", TABLES["pumped_derate"]).pumped_share
    assert pumped is not None
    assert pumped[4].tolist() == [0.25, 0.5]
    assert pumped[5].tolist() == [0.9, 0.9]
    lines = read(tmp_path, "line_margin", TABLES["line_margin"])
    assert lines.line_forward is not None
    assert lines.line_backward is not None
    assert lines.line_forward[4].tolist() == [1.1, 0.8]
    assert lines.line_backward[0].tolist() == [0.0, 1.0]
    assert lines.line_forward[0].tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("name", "edit", "key", "expected"),
    [
        ("committed_floor", ("coal,E,1,1", "coal,E,1,1.2"), "share[coal/E/1]", "a number in 0..1"),
        ("committed_floor", ("coal,E", "nuclear,E"), "technology[nuclear/E/1]", "one of coal, lng, oil"),
        ("committed_floor", ("lng,W,5", "lng,all,5"), "technology/area/month", "each key once"),
        ("pumped_derate", ("W,5", "W,0"), "month[W/0]", "a number in 1..12"),
        ("pumped_derate", ("W,5", "V,5"), "area[V/5]", "one of W, E, all"),
        ("line_margin", ("east,backward", "eats,backward"), "line[west_eats/backward/1]", "one of west_east"),
        ("line_margin", ("backward", "back"), "direction[west_east/back/1]", "one of forward, backward"),
    ],
)
def test_wrong_tables_are_refused(tmp_path: Path, name: str, edit: tuple[str, str], key: str, expected: str) -> None:
    assert edit[0] in TABLES[name]
    with pytest.raises(InputError) as fault:
        read(tmp_path, name, TABLES[name].replace(*edit))
    assert fault.value.key == key
    assert expected in fault.value.expected
