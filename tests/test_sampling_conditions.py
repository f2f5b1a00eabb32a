"""Test ranges that follow other parameters: by an expression, by a table, by a scenario; and what is refused."""

import numpy as np
import pytest

from sampling import DesignSpec, SamplingError, draw_table, marginal_from_dict

UNIFORM = {"distribution": "uniform", "min": 0, "max": 1}


def table(marginals, draws, **more):
    return draw_table(marginals, DesignSpec(kind="sobol", draws=draws, seed=5), **more)


POLICY = {"distribution": "choice", "odds": {"exit": 0.4, "restart": 0.6}}
NUCLEAR = {
    "distribution": "triangular",
    "min": 0.2,
    "mode": {"constant": 0.1, "slopes": {"demand": 0.05}},
    "max": {"by": "policy", "values": {"exit": 0.9, "restart": 1.6}},
}


def conditional(nuclear=NUCLEAR, **others):
    declared = {"nuclear": nuclear, "demand": UNIFORM | {"min": 4, "max": 12}, "policy": POLICY} | others
    return {name: marginal_from_dict(name, one) for name, one in declared.items()}


def test_a_range_follows_other_parameters_wherever_they_stand():
    drawn = table(marginals=conditional(), draws=256)
    assert list(drawn.data_vars) == ["nuclear", "demand", "policy"]
    assert drawn["nuclear"].attrs["distribution"] == (
        "triangular(min=0.2, mode=0.1 + 0.05*demand, max=by policy (exit: 0.9, restart: 1.6))"
    )
    whole = draw_table(conditional(UNIFORM), DesignSpec(kind="sobol", draws=256, seed=5))
    for draw in range(256):
        mode = 0.1 + 0.05 * float(drawn["demand"][draw])
        top = 0.9 if drawn["policy"].values[draw] == "exit" else 1.6
        declared = {"distribution": "triangular", "min": 0.2, "mode": mode, "max": top}
        expected = marginal_from_dict("x", declared).ppf(whole["nuclear"].values[draw : draw + 1])  # its own rank
        assert float(drawn["nuclear"][draw]) == pytest.approx(float(expected[0]), rel=1e-12)


def test_fixing_a_parent_moves_the_range():
    held = table(marginals=conditional(), draws=64, fixed={"policy": "exit"})
    assert float(held["nuclear"].max()) <= 0.9
    longer = table(marginals=conditional(), draws=200, fixed={"policy": "exit"}).isel(draw=slice(64))
    np.testing.assert_array_equal(held["nuclear"], longer["nuclear"])


def test_a_table_by_numbers_and_by_scenarios():
    marginals = conditional(
        UNIFORM | {"max": {"by": "scenario", "values": {"low": 1, "high": 100}}},
        switch={"distribution": "bernoulli", "p": 0.5},
        line=UNIFORM | {"max": {"by": "switch", "values": {"0": 0.5, "1": 2.0}}},
    )
    drawn = table(marginals=marginals, draws=64, scenarios={"low": {}, "high": {"demand": 9}})
    nuclear, line = drawn["nuclear"].values, drawn["line"].values
    np.testing.assert_allclose(nuclear[1::2], 100 * nuclear[0::2])
    assert line[drawn["switch"].values == 0].max() <= 0.5 < line[drawn["switch"].values == 1].max()


@pytest.mark.parametrize(
    ("nuclear", "message"),
    [
        (
            NUCLEAR | {"max": {"by": "policy", "values": {"exit": 1, "restrt": 2}}},
            "uncertain.nuclear.max.values: found 'restrt', expected one of exit, restart; nearest known name: restart",
        ),
        (
            NUCLEAR | {"max": {"by": "policy", "values": {"exit": 0.9}}},
            ": found 'restart', expected one of exit, as in its values",
        ),
        (
            NUCLEAR | {"max": {"by": "polcy", "values": {"exit": 0.9}}},
            "uncertain.nuclear.max: found 'polcy', expected the name of a parameter to follow; nearest known name: policy",
        ),
        (
            NUCLEAR | {"max": {"slopes": {"policy": 1}}},
            "uncertain.nuclear.max.slopes.policy: found 'exit', expected a parameter of numbers, or by = NAME",
        ),
        (
            NUCLEAR | {"min": 0.6},
            "uncertain.nuclear.mode [draw ",
        ),
        (
            UNIFORM | {"max": {"slopes": {"nuclear": 1}}},
            "uncertain.nuclear: found 'nuclear', expected no parameters that follow each other in a circle",
        ),
    ],
)
def test_bad_conditions_are_refused(nuclear, message):
    with pytest.raises(SamplingError) as refused:
        table(marginals=conditional(nuclear), draws=64)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        (
            UNIFORM | {"max": {"by": "p", "vals": {}}},
            "uncertain.x.max.vals: found {}, expected one of the keys by, values",
        ),
        (UNIFORM | {"max": {"by": "p"}}, "uncertain.x.max.values: found nothing, expected a value"),
        (UNIFORM | {"max": {"slopes": {"p": "1"}}}, "uncertain.x.max.slopes.p: found '1', expected a valid number"),
        (
            {"distribution": "fixed", "value": {"by": "p", "values": {"a": 1}}},
            'expected no condition with distribution = "fixed"',
        ),
        (
            UNIFORM | {"unit": {"by": "p", "values": {"a": 1}}},
            "uncertain.x.unit: found {'by': 'p', 'values': {'a': 1}}, expected a condition on a number",
        ),
    ],
)
def test_bad_declarations_of_conditions_are_refused(declared, message):
    with pytest.raises(SamplingError) as refused:
        marginal_from_dict("x", declared)
    assert message in str(refused.value)
