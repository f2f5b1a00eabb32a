"""Test what `wattbit reweight` refuses: too few effective draws, wrong beliefs and questions, designs without density."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reweighting_cases import LOW, asked, sets, write_cube
from tests.sweep_cases import wattbit


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cube(tmp_path_factory.mktemp("weighed") / "a.zarr")


NARROW = '[belief.narrow.uncertain.co2_price]\ndistribution = "uniform"\nmin = 3000\nmax = 4000\n'


def test_too_few_draws_are_refused_alone_or_in_their_row(store: Path) -> None:
    alone = asked(store, NARROW)
    assert (alone.exit_code, alone.stdout) == (2, "")
    assert "narrow: 4,000 draws count as" in alone.stderr
    assert "40.0 are asked for" in alone.stderr  # 1 % of the draws
    beside = LOW + NARROW + "[mix]\nlow = 0.9\nnarrow = 0.1\n"
    told = asked(store, beside)
    assert told.exit_code == 0
    assert "narrow is refused: 4,000 draws count as" in told.stdout
    found = sets(store, beside)
    assert found["low"]["refused"] is None
    assert found["mix"]["refused"] == "its part narrow is refused"
    assert found["narrow"]["configurations"]["plan"]["mean"] == {"value": None, "low": None, "high": None}
    assert sets(store, NARROW, "--least-effective", "1")["narrow"]["refused"] is None
    assert asked(store, LOW, "--least-effective", "3900").exit_code == 2


@pytest.mark.parametrize(
    ("beliefs", "message"),
    [
        ("", "belief: found nothing, expected a value"),
        (
            "[belief.a.uncertian]\n",
            "belief.a.uncertian: unknown key, expected one of uncertain, driver, dependence; did you",
        ),
        ("[belief.study]\n", "a belief with a name other than study, mix"),
        (LOW + "[mix]\nlow = 0.5\n", "[mix] odds that sum to 1, found 0.5"),
        (LOW + "[mix]\nlo = 1.0\n", "found 'lo'; nearest known name: low"),
        (LOW + "[belief.b]\n[mix]\nlow = 1.5\nb = -0.5\n", "[mix] odds of at least 0, found b = -0.5"),
        (
            LOW.replace("co2_price", "co2_prices"),
            "belief.low.uncertain.co2_prices: found 'co2_prices', expected a parameter",
        ),
        (LOW.replace("mode", "mod"), "belief.low.uncertain.co2_price.mod: found 6000, expected one of the keys"),
        (LOW.replace("3000", "2000"), "which 1.39% lies where triangular(min=3000, mode=12000, max=26000) has nothing"),
        (
            LOW.replace("uncertain", "driver"),
            "belief.low.driver.co2_price: found 'co2_price', expected a driver of the cube",
        ),
        ("belief = 3\n[", "no valid TOML"),
    ],
)
def test_bad_beliefs_end_with_one_message_and_code_2(store: Path, beliefs: str, message: str) -> None:
    done = asked(store, beliefs)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("wattbit: ")
    assert message in done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--outcome", "saving_fuel"], "nearest known: 'saving_fuel_co2'"),
        (["--outcome", "curtailment"], "'curtailment' runs over area too"),
        (["--configuration", "plans"], "nearest known: 'plan'"),
        (["--least-effective", "0"], "0.0 is not in the range"),
    ],
)
def test_bad_questions_are_refused(store: Path, words: list[str], message: str) -> None:
    done = asked(store, LOW, *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr


def test_no_file_and_no_cube(store: Path) -> None:
    gone = wattbit(store.parent, "reweight", store.name, "gone.toml")
    assert (gone.exit_code, "gone.toml: found nothing, expected a file of beliefs" in gone.stderr) == (2, True)
    (store.parent / "beliefs.toml").write_text(LOW)
    gone = wattbit(store.parent, "reweight", "gone.zarr", "beliefs.toml")
    assert (gone.exit_code, gone.stderr.startswith("wattbit: gone.zarr")) == (2, True)


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        (('kind = "monte_carlo"\ndraws = 4000\nseed = 8', 'kind = "one_at_a_time"\nlevels = 3'), "one_at_a_time"),
        (('kind = "monte_carlo"\ndraws = 4000', 'kind = "saltelli"\npoints = 2'), "saltelli"),
    ],
)
def test_a_design_without_density_is_refused(tmp_path: Path, edit: tuple[str, str], kind: str) -> None:
    done = asked(write_cube(tmp_path / "b.zarr", edit), LOW)
    assert done.exit_code == 2
    assert f"found a design of kind '{kind}', whose draws have no density" in done.stderr
