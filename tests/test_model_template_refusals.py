"""Check that what a template cannot carry is refused by the name of the culprit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest

from model import LiveHighs, Template, TemplateError, compile_template


def minimum(template: Template, values: Mapping[str, Any]) -> float:
    """Objective at the given values."""
    live = LiveHighs(template)
    live.move(template.values(template.vector(values)))
    return live.solve().objective


def small(change: Callable[[pyo.ConcreteModel], None]) -> pyo.ConcreteModel:
    """A two-variable model with one thing in it that a template may not carry."""
    m = pyo.ConcreteModel("small")
    m.toll = pyo.Param(initialize=2.0, mutable=True)
    m.rates = pyo.Param(range(3), initialize=1.0, mutable=True)
    m.x, m.y = pyo.Var(bounds=(0, 9)), pyo.Var(bounds=(0, 9))
    m.floor = pyo.Constraint(expr=m.x + m.y >= 3)
    m.cost = pyo.Objective(expr=m.x + 2 * m.y)
    change(m)
    return m


REFUSED: dict[str, tuple[Callable[[pyo.ConcreteModel], None], str]] = {
    "divides a variable": (lambda m: m.floor.set_value(m.x / m.toll >= 1), r"floor: parameter toll divides.*inverse"),
    "divides a number": (lambda m: m.x.setub(1 / m.toll), r"x: parameter toll divides"),
    "divides by a sum": (lambda m: m.cost.set_value(m.x / (1 + m.toll)), r"cost: parameter toll divides"),
    "exponential": (lambda m: m.cost.set_value(pyo.exp(m.toll) * m.x), r"cost: parameter toll enters through"),
    "of several": (lambda m: m.x.setub(pyo.sqrt(m.toll + m.rates[1])), r"x: parameter rates\[1\], toll enters through"),
    "square root": (lambda m: m.x.setub(m.toll**0.5), r"x: parameter toll is raised to a power"),
    "as exponent": (lambda m: m.x.setub(2**m.toll), r"x: parameter toll is raised to a power"),
    "product of variables": (lambda m: m.cost.set_value(m.x * m.y), r"cost: .*multiplies two variables"),
    "square of a variable": (lambda m: m.cost.set_value(m.x**2), r"cost: .*not linear in the variables"),
    "bound of a domain": (
        lambda m: m.add_component("z", pyo.Var(domain=pyo.NonNegativeReals, bounds=(m.toll, None))),
        r"z: parameter toll enters through",
    ),
    "condition": (
        lambda m: m.cost.set_value(pyo.Expr_if(m.toll >= 1, m.x, m.y)),  # type: ignore[arg-type]
        r"cost: parameter toll enters through",
    ),
    "fixed variable": (lambda m: m.x.fix(1.0), r"'x' is fixed; fix it by mutable bounds"),
    "half-used": (lambda m: m.x.setub(m.rates[1]), r"parameter rates\[0\], rates\[2\] moves no coefficient"),
    "no objective": (lambda m: m.cost.deactivate(), r"small: 0 active objectives found, one expected"),
    "two objectives": (
        lambda m: m.add_component("second", pyo.Objective(expr=m.y)),
        r"small: 2 active objectives found, one expected",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refuses_by_name(what: str) -> None:
    change, message = REFUSED[what]
    with pytest.raises(TemplateError, match=message):
        compile_template(small(change))


def test_small_model_itself_is_carried() -> None:
    assert minimum(compile_template(small(lambda m: None)), {}) == pytest.approx(3.0)


def test_vector_refuses_what_was_read_while_building() -> None:
    def build(m: pyo.ConcreteModel) -> None:
        m.tolls = pyo.Param(initialize=1.0, mutable=True)
        m.x.setub(m.tolls * 5)
        if pyo.value(m.toll) > 1:
            m.floor.set_value(m.x >= 1)

    template = compile_template(small(build))
    with pytest.raises(TemplateError, match=r"'toll' moves no .* fixes its structure; did you mean 'tolls'"):
        template.vector({"toll": 3.0})


def priced(m: pyo.ConcreteModel) -> None:
    m.cost.set_value(sum(m.rates[i] for i in range(3)) * m.x + m.toll * m.y)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate": 1.0}, r"'rate' .*unknown.*did you mean 'rates'"),
        ({"rates": [1.0, 2.0]}, r"'rates': 2 values given, 3 expected"),
        ({"toll": [1.0, 2.0]}, r"'toll': 2 values given, 1 expected"),
        ({"toll": np.nan}, r"'toll': every value must be finite"),
        ({"rates": [1.0, np.inf, 2.0]}, r"'rates': every value must be finite"),
    ],
)
def test_vector_refuses(values: Mapping[str, Any], message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        compile_template(small(priced)).vector(values)


def test_vector_starts_from_another_and_spreads_one_number() -> None:
    template = compile_template(small(priced))
    first = template.vector({"rates": 7.0, "toll": 4.0})
    second = template.vector({"toll": 3.0}, first)
    assert second[template.parameters["rates"]].tolist() == [7.0, 7.0, 7.0]
    assert first[template.parameters["toll"]].tolist() == [4.0], "the first is left as it was"
    assert second[template.parameters["toll"]].tolist() == [3.0]


def test_values_refuses_a_parameter_without_value() -> None:
    def build(m: pyo.ConcreteModel) -> None:
        m.limit = pyo.Param(mutable=True)
        m.x.setub(m.limit)

    template = compile_template(small(build))
    with pytest.raises(TemplateError, match="without a value: limit"):
        template.values(template.vector({}))
    assert minimum(template, {"limit": 1.0}) == pytest.approx(1 + 2 * 2)
