"""Test `wattbit reweight` on cubes with known outcomes: other beliefs give their own expectations, or a clear refusal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from sweep.beliefs import read_beliefs
from sweep.reweight import reweight
from tests.reweighting_cases import BREAK_EVEN, LOW, asked, sets, shipped_table, write_cube
from tests.sweep_cases import files, strict_json, wattbit, write_study

SHIPPED_PRICE = 'distribution = "triangular"\nmin = 3000\nmode = 12000\nmax = 26000\n'
MIXED = LOW + "[belief.central]\n[mix]\nlow = 0.4\ncentral = 0.6\n"
NEW, OLD = (stats.triang((mode - 3) / (top - 3), 3, top - 3) for mode, top in ((6, 20), (12, 26)))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cube(tmp_path_factory.mktemp("weighed") / "a.zarr")


def holds(interval: dict[str, float], truth: float) -> bool:
    """Return whether an interval holds the truth, half as wide again: of the many here 1 in 20 would not."""
    slack = (interval["high"] - interval["low"]) / 4
    return interval["low"] - slack <= truth <= interval["high"] + slack


def test_other_beliefs_have_their_own_expectations(store: Path) -> None:
    found = sets(store, MIXED)
    assert list(found) == ["study", "low", "central", "mix"]
    for name, of in (("study", OLD), ("low", NEW), ("central", OLD)):
        plan = found[name]["configurations"]["plan"]
        assert holds(plan["mean"], of.mean() - BREAK_EVEN), name
        assert holds(plan["above"], of.sf(BREAK_EVEN)), name
        assert holds(plan["best"], of.sf(BREAK_EVEN)), name
        for key, level in (("q5", 0.05), ("q50", 0.5), ("q95", 0.95)):
            assert holds(plan[key], of.ppf(level) - BREAK_EVEN), (name, key)
        assert holds(plan["regret_q90"], max(0.0, BREAK_EVEN - of.ppf(0.1))), name
    assert (
        found["low"]["configurations"]["plan"]["mean"]["high"] < found["study"]["configurations"]["plan"]["mean"]["low"]
    )
    mixed = found["mix"]["configurations"]["plan"]
    assert holds(mixed["mean"], 0.4 * NEW.mean() + 0.6 * OLD.mean() - BREAK_EVEN)
    assert holds(mixed["above"], 0.4 * NEW.sf(BREAK_EVEN) + 0.6 * OLD.sf(BREAK_EVEN))
    # The expected effective share is 1 over the mean of the squared ratio.
    x = np.linspace(3, 20, 100_001)[1:-1]
    share = 1 / np.trapezoid(NEW.pdf(x) ** 2 / OLD.pdf(x), x)
    assert found["low"]["effective"] / 4000 == pytest.approx(share, rel=0.05)
    assert found["low"]["mean_ratio"] == pytest.approx(1, abs=0.05)


def test_the_same_beliefs_leave_every_number_as_it_is(store: Path) -> None:
    found = sets(store, f"[belief.again.uncertain.co2_price]\n{SHIPPED_PRICE}[belief.nothing]\n")
    for name in ("again", "nothing"):
        assert found[name]["effective"] == 4000
        assert found[name]["configurations"] == found["study"]["configurations"]


def test_the_text_shows_the_sets_side_by_side(store: Path) -> None:
    before = files(store)
    done = asked(store, MIXED, "--configuration", "plan")
    assert (done.exit_code, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    rows = {line[0] if line[0] != "plan" else line[1]: line for line in lines[8:] if len(line) > 8}
    assert {"study", "low", "central", "mix"} <= rows.keys()
    assert "base" not in done.stdout.replace("base (ref.)", "base")
    assert "mix: the sets by their odds, low 0.4, central 0.6." in done.stdout
    assert "In brackets 95 % intervals: independent draws." in done.stdout
    assert files(store) == before


def test_from_python(store: Path, tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text(MIXED, encoding="utf-8")
    found = reweight(store, tmp_path / "b.toml", outcome="regret_total", configurations=["plan"])
    assert dict(found.sizes) == {"scenario": 1, "belief": 4, "configuration": 1}
    same = reweight(store, read_beliefs(tmp_path / "b.toml"), outcome="regret_total", configurations=["plan"])
    assert found.identical(same)
    below = found["above"].sel(belief="low").item()  # regret is above 0 where the plan does not save
    assert below == pytest.approx(NEW.cdf(BREAK_EVEN), abs=0.02)


def test_draws_that_failed_or_are_not_run_stay_out(tmp_path: Path) -> None:
    store = write_cube(tmp_path / "b.zarr", failed=(3, 5, 700, 3999), committed=3)
    found = sets(store, LOW)
    plan, base = (found["low"]["configurations"][name] for name in ("plan", "base"))
    assert (plan["n"], plan["failed"], plan["not_run"]) == (2997, 3, 1000)
    assert (base["n"], base["failed"]) == (3000, 0)
    assert 0 < plan["failed_share"] < 0.01
    assert base["mean"]["value"] is None  # of the reference there is no saving
    text = asked(store, LOW).stdout
    assert "Draws that failed, 3 at most, stay out." in text
    assert "Draws that are not run, 1000 at most, stay out; every figure will move." in text


def test_replicates_give_an_interval_and_one_randomisation_none(tmp_path: Path) -> None:
    several = ('kind = "monte_carlo"\ndraws = 4000', 'kind = "sobol"\ndraws = 2048\nreplicates = 8')
    plan = sets(write_cube(tmp_path / "b.zarr", several), LOW)["low"]["configurations"]["plan"]
    assert holds(plan["mean"], NEW.mean() - BREAK_EVEN)
    assert plan["mean"]["high"] - plan["mean"]["low"] < 0.3  # of independent draws: 2 * 1.96 * 3.6 / sqrt(1000) = 0.45
    single = ('kind = "monte_carlo"\ndraws = 4000', 'kind = "halton"\ndraws = 500')
    plan = sets(write_cube(tmp_path / "c.zarr", single), LOW)["low"]["configurations"]["plan"]
    assert plan["mean"]["low"] is None
    assert plan["mean"]["value"] == pytest.approx(NEW.mean() - BREAK_EVEN, abs=0.3)


SCENARIOS = """
[scenario.dry]
dc_demand = 10
co2_price = 14000

[scenario.wet]
dc_demand = 16

[fixed]
pue_gap = 1.0

[driver.policy]
distribution = "choice"
odds = { exit = 0.5, restart = 0.5 }

[uncertain.nuclear_capacity]
distribution = "triangular"
min = 0.6
mode = 0.7
max = { by = "policy", values = { exit = 0.8, restart = 1.62 } }
"""


def test_scenarios_drivers_and_fixed_parameters(tmp_path: Path) -> None:
    store = write_cube(tmp_path / "b.zarr", ("draws = 4000", "draws = 1000"), more=SCENARIOS)
    policy = '[belief.low.driver.policy]\ndistribution = "choice"\nodds = { exit = 0.9, restart = 0.1 }\n'
    done = asked(store, LOW + policy, "--json")
    assert done.exit_code == 0, done.stderr
    record = strict_json(done.stdout)
    found = {(one["scenario"], one["belief"]): one for one in record["sets"]}
    assert list(found) == [("dry", "study"), ("dry", "low"), ("wet", "study"), ("wet", "low")]
    dry, wet = (found[name, "low"]["configurations"]["plan"]["mean"] for name in ("dry", "wet"))
    assert dry["value"] == pytest.approx(2)  # its price is set: nothing to weigh
    assert holds(wet, NEW.mean() - BREAK_EVEN)
    assert found["dry", "low"]["effective"] == pytest.approx(1000 / (0.9**2 + 0.1**2) / 2, rel=0.1)
    assert "low: co2_price: held by the scenario dry, where nothing changes." in record["notes"]
    for name, where in (("dc_demand", "scenarios"), ("pue_gap", "[fixed]")):
        held = asked(store, f'[belief.a.uncertain.{name}]\ndistribution = "uniform"\nmin = 0.5\nmax = 1.5\n')
        assert held.exit_code == 2
        assert f"expected a parameter that varies: the study's {where} held it" in held.stderr


def test_tables_of_values_come_from_the_cube_and_beside_the_beliefs(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("price\n3000\n9000\n15000\n26000\n")
    (tmp_path / "factors.csv").write_text("factor,often\n0.7,1\n1,2\n1.5,1\n")
    text = shipped_table().replace(
        "solar_buildout,0.72,1.0,1.5,1,triangular,min=0.72;mode=1.0;max=1.5,",
        "solar_buildout,0.72,1.0,1.5,1,empirical,file=factors.csv;column=factor;weight_column=often,",
    )
    (tmp_path / "my.csv").write_text(text)
    more = '[inputs]\nuncertainty = "my.csv"\n[uncertain.co2_price]\ndistribution = "mixture"\n'
    more += '[uncertain.co2_price.regimes.a]\nweight = 1\ndistribution = "empirical"\nfile = "prices.csv"\ncolumn = "price"\n'
    more += '[uncertain.co2_price.regimes.b]\nweight = 1\ndistribution = "uniform"\nmin = 5000\nmax = 9000\n'
    store = write_cube(tmp_path / "b.zarr", more=more)
    for name in ("prices.csv", "factors.csv"):
        (tmp_path / name).unlink()
    (tmp_path / "few.csv").write_text("price\n5000\n7000\n9000\n")
    new = '[belief.a.uncertain.co2_price]\ndistribution = "empirical"\nfile = "few.csv"\ncolumn = "price"\n'
    refused = asked(store, new)  # its ends are atoms, which nobody drew
    assert "of which 33.3" in refused.stderr
    new = (
        '[belief.a.uncertain.solar_buildout]\ndistribution = "empirical"\nvalues = [0.7, 1, 1.5]\nweights = [1, 2, 3]\n'
    )
    new += '[belief.a.uncertain.co2_price]\ndistribution = "uniform"\nmin = 5000\nmax = 9000\n'
    plan = sets(store, new)["a"]["configurations"]["plan"]
    assert holds(plan["mean"], 7 - BREAK_EVEN)


def test_several_tables_of_one_mixture(tmp_path: Path) -> None:
    (tmp_path / "low.csv").write_text("price\n3000\n6000\n9000\n")
    (tmp_path / "high.csv").write_text("price\n12000\n20000\n24000\n")
    more = '[uncertain.co2_price]\ndistribution = "mixture"\n'
    for regime, weight in (("low", 1), ("high", 3), ("alike", 1)):  # by name "alike" comes first
        more += f'[uncertain.co2_price.regimes.{regime}]\nweight = {weight}\ndistribution = "empirical"\n'
        more += f'file = "{"low" if regime == "alike" else regime}.csv"\ncolumn = "price"\ninterpolate = false\n'
    store = write_cube(tmp_path / "m.zarr", more=more)
    for name in ("low.csv", "high.csv"):
        (tmp_path / name).unlink()
    new = "".join(
        f'[belief.even.uncertain.co2_price.regimes.{regime}]\nweight = 1\ndistribution = "empirical"\nvalues = {values}\n'
        "interpolate = false\n"
        for regime, values in (("a", [3000, 6000, 9000]), ("b", [12000, 20000, 24000]))
    )
    found = sets(store, '[belief.even.uncertain.co2_price]\ndistribution = "mixture"\n' + new)
    assert holds(found["study"]["configurations"]["plan"]["mean"], (0.4 * 18 + 0.6 * 56) / 3 - BREAK_EVEN)
    assert holds(found["even"]["configurations"]["plan"]["mean"], (6 + 56 / 3) / 2 - BREAK_EVEN)


def test_equal_weights_are_what_query_says_to_the_last_bit(store: Path) -> None:
    found = sets(store, "[belief.same]\n")
    shares = ("0.05", "0.5", "0.95")
    asked_for = ("query", store.name, "saving_fuel_co2", "--above", "0", "--quantile", *shares, "--json")
    [_, plan] = strict_json(wattbit(store.parent, *asked_for).stdout)["rows"]
    names = {"mean": "mean", "above": "above", "q5": "q0.05", "q50": "q0.5", "q95": "q0.95"}
    for belief in ("study", "same"):
        cell = found[belief]["configurations"]["plan"]
        for mine, theirs in names.items():
            told = {end: plan[f"{theirs}{tail}"] for end, tail in (("value", ""), ("low", "_low"), ("high", "_high"))}
            assert cell[mine] == told, mine


def test_dependence_of_its_own(store: Path) -> None:
    joined = '[belief.a.dependence]\nrank_correlation = [["co2_price", "dc_demand", 0.5]]\n'
    found = sets(store, joined)["a"]
    assert found["configurations"]["plan"]["mean"]["value"] == pytest.approx(OLD.mean() - BREAK_EVEN, abs=0.3)
    assert found["effective"] < 3800
    switch = asked(store, joined.replace("dc_demand", "japan_sea_hvdc"))
    assert (
        "belief.a.uncertain.japan_sea_hvdc: found 'bernoulli(p=0.55)', expected a distribution without atoms"
        in switch.stderr
    )
    alone = 'distribution = "lognormal_truncated"\nmedian = 4.4\nsigma = 0.2\nmin = 3.5\nmax = 7\n'
    done = asked(store, f"[belief.a.uncertain.coal_fuel_cost]\n{alone}", "--json")
    assert "a: coal_fuel_cost: no correlation with lng_fuel_cost any more; name it to keep it." in done.stdout


def test_a_cube_of_a_run_compacted_too(tmp_path: Path) -> None:
    write_study(tmp_path)
    assert wattbit(tmp_path, "run", "study.toml", "--serial", "--store", "a.zarr").exit_code == 0
    store = tmp_path / "a.zarr"
    few = asked(store, LOW)
    assert (few.exit_code, few.stdout) == (2, "")
    assert "low: 5 draws count as" in few.stderr
    assert "20.0 are asked for" in few.stderr
    line = ["--least-effective", "1", "--json"]
    plain = asked(store, LOW, *line)
    assert wattbit(tmp_path, "compact", "a.zarr").exit_code == 0
    compacted = asked(tmp_path / "a.compact.zarr", LOW, *line)
    assert (plain.exit_code, plain.stdout) == (0, compacted.stdout)
    [_, low] = strict_json(plain.stdout)["sets"]
    assert 1 < low["effective"] < 5
    assert low["configurations"]["five_hubs"]["mean"]["value"] > 0
