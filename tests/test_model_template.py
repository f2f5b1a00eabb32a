"""Check that the compiled template is Pyomo's own model, on a blending and a transport problem quite unlike ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyomo.environ as pyo
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import sparse

from model import LiveHighs, Solution, Status, Template, compile_template

Values = Mapping[str, Any]
BLENDING: dict[str, Any] = {
    "price": [3.0, 5.0, 9.0],
    "freight": 1.2,
    "tax": 1.1,
    "fee": 4.0,
    "stock": [80.0, 27.0, 50.0],
    "open_share": 0.9,
    "least_used": 2.0,
    "quality": [0.3, 0.6, 0.9],
    "purity": 0.95,
    "spec": [0.65, 0.75],
    "low": [20.0, 30.0],
    "high": [40.0, 60.0],
    "season": 1.1,
    "loss": 0.5,
    "bonus": 2.5,
}
TRANSPORT: dict[str, Any] = {
    "price": [11.0, 13.0, 17.0],
    "distance": [1.0, 2.0, 3.5, 2.5, 1.5, 0.5],
    "rate": 1.3,
    "supply": [40.5, 33.3],
    "need": [20.7, 25.1, 28.4],
    "truck": 4.6,
    "fleet": 5.3,
}


def blending(values: Values) -> pyo.ConcreteModel:
    """Buy three ingredients, blend two products; Params in cost, bounds, both sides of a range, and the matrix."""
    m = pyo.ConcreteModel("blending")
    params(m, values, {"price": 3, "stock": 3, "quality": 3, "spec": 2, "low": 2, "high": 2})
    ingredients, products = range(3), range(2)
    m.use = pyo.Var(
        ingredients,
        products,
        bounds=lambda m, i, p: (0 if p else m.least_used * m.loss, m.stock[i] * m.open_share),
    )
    m.waste = pyo.Var(domain=pyo.NonNegativeReals)
    m.swap = pyo.Var(bounds=(-m.bonus, None))
    m.made = pyo.Expression(products, rule=lambda m, p: sum(m.use[i, p] for i in ingredients))
    m.demand = pyo.Constraint(
        products, rule=lambda m, p: (m.low[p] * m.season, m.made[p] - m.loss + 2.0, m.high[p] * m.season)
    )
    m.pure = pyo.Constraint(
        products,
        rule=lambda m, p: sum(m.quality[i] * m.purity * m.use[i, p] for i in ingredients) >= m.spec[p] ** 2 * m.made[p],
    )
    m.kept = pyo.Constraint(expr=m.waste == m.loss * (m.made[0] + m.made[1]) / 100 - (m.swap - m.loss) * 0.25 + 4)
    m.depot = pyo.Block()
    m.depot.room = pyo.Constraint(expr=m.made[0] + 1.5 * m.made[1] + m.waste <= 3 * m.stock[0])
    m.unused = pyo.Constraint(expr=m.waste >= 1e6)
    m.unused.deactivate()
    m.cost = pyo.Objective(
        expr=sum(m.price[i] * m.freight * m.tax * m.use[i, p] for i in ingredients for p in products)
        + m.fee**2
        + (m.fee - 1) * m.waste
        - 0.1 * m.bonus * (m.waste - m.swap - 7)
        - 9 * m.made[0]
    )
    return m


def transport(values: Values) -> pyo.ConcreteModel:
    """Ship goods in whole trucks for the greatest profit: maximise, integers, a binary."""
    m = pyo.ConcreteModel("transport")
    params(m, values, {"price": 3, "distance": (2, 3), "supply": 2, "need": 3})
    plants, towns = range(2), range(3)
    m.ship = pyo.Var(plants, towns, domain=pyo.NonNegativeReals)
    m.trucks = pyo.Var(plants, domain=pyo.NonNegativeIntegers, bounds=lambda m, i: (None, m.fleet))
    m.rented = pyo.Var(domain=pyo.Binary)
    m.supplied = pyo.Constraint(plants, rule=lambda m, i: sum(m.ship[i, j] for j in towns) <= m.supply[i])
    m.needed = pyo.Constraint(towns, rule=lambda m, j: sum(m.ship[i, j] for i in plants) <= m.need[j])
    m.carried = pyo.Constraint(
        plants, rule=lambda m, i: sum(m.ship[i, j] for j in towns) <= m.truck * m.trucks[i] + 2 * m.truck * m.rented
    )
    m.profit = pyo.Objective(
        sense=pyo.maximize,
        expr=sum((m.price[j] - m.distance[i, j] * m.rate) * m.ship[i, j] for i in plants for j in towns)
        - 7.1 * sum(m.trucks[i] for i in plants)
        - 15 * m.rate * m.rented,
    )
    return m


def params(m: pyo.ConcreteModel, values: Values, sizes: Mapping[str, Any]) -> None:
    for name, value in values.items():
        shape = sizes.get(name)
        if shape is None:
            m.add_component(name, pyo.Param(initialize=value, mutable=True))
            continue
        axes = [range(n) for n in (shape if isinstance(shape, tuple) else (shape,))]
        index = pyo.Set(initialize=list(np.ndindex(*map(len, axes))) if len(axes) > 1 else axes[0])
        m.add_component(f"{name}_index", index)
        data = dict(zip(index, value, strict=True))
        m.add_component(name, pyo.Param(index, initialize=data, mutable=True))


MODELS: dict[str, tuple[Callable[[Values], pyo.ConcreteModel], dict[str, Any]]] = {
    "blending": (blending, BLENDING),
    "transport": (transport, TRANSPORT),
}
EXACT = {"mip_rel_gap": 0.0, "mip_abs_gap": 0.0}


def scaled(values: Values, factors: NDArray[np.float64]) -> dict[str, Any]:
    """Values times one factor per number."""
    left = iter(factors.tolist())
    return {
        name: [v * next(left) for v in value] if isinstance(value, list) else value * next(left)
        for name, value in values.items()
    }


def size(values: Values) -> int:
    return sum(np.size(v) for v in values.values())


def rebuilt(model: pyo.ConcreteModel, objective: str) -> float:
    solver = pyo.SolverFactory("appsi_highs")
    solver.highs_options = EXACT
    solver.solve(model)
    return float(pyo.value(model.find_component(objective)))


def solve(template: Template, values: Values) -> Solution:
    live = LiveHighs(template, options=EXACT)
    live.move(template.values(template.vector(values)))
    return live.solve()


@pytest.fixture(scope="module", params=MODELS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def template(kind: str) -> Template:
    build, values = MODELS[kind]
    return compile_template(build(values))


def test_shape_and_labels() -> None:
    template = compile_template(blending(BLENDING))
    assert template.shape == (2 + 2 + 1 + 1, 6 + 2)
    assert list(template.rows) == ["demand", "pure", "kept", "depot.room"], "no row for what is not active"
    assert template.columns["use"].tolist() == [0, 1, 2, 3, 4, 5]
    assert {name: p.size for name, p in template.parameters.items()} == {n: np.size(v) for n, v in BLENDING.items()}
    assert not template.integer.any()
    assert not template.maximise
    whole = compile_template(transport(TRANSPORT))
    assert whole.integer.nonzero()[0].tolist() == [6, 7, 8]
    assert whole.maximise


@settings(max_examples=30, derandomize=True, deadline=None, database=None)
@given(data=st.data())
def test_patched_equals_rebuilt(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(MODELS)))
    build, values = MODELS[kind]
    count = size(values)
    factors = data.draw(st.lists(st.floats(0.85, 1.15), min_size=count, max_size=count))
    moved = scaled(values, np.array(factors))
    template = compile_template(build(values))  # at the first values: nothing of the moved ones is in it
    solution = solve(template, moved)
    model = build(moved)
    if solution.status is Status.INFEASIBLE:  # some blends are at the ends of the range, and then in Pyomo too
        with pytest.raises(RuntimeError, match="feasible solution was not found"):
            rebuilt(model, "cost")
        return
    assert solution.status is Status.OPTIMAL
    assert solution.objective == pytest.approx(rebuilt(model, "cost" if kind == "blending" else "profit"), rel=1e-9)


def test_patched_in_a_chain_equals_rebuilt(kind: str, template: Template) -> None:
    build, values = MODELS[kind]
    rng = np.random.default_rng(5)
    live = LiveHighs(template, options=EXACT)
    for _ in range(8):
        moved = scaled(values, rng.uniform(0.85, 1.15, size(values)))
        live.move(template.values(template.vector(moved)))
        expected = rebuilt(build(moved), "cost" if kind == "blending" else "profit")
        assert live.solve().objective == pytest.approx(expected, rel=1e-9)


def test_compiling_leaves_the_model_as_it_was() -> None:
    model = blending(BLENDING)
    before = rebuilt(model, "cost")
    compile_template(model)
    assert rebuilt(model, "cost") == before


def test_a_value_of_zero_at_compile_time_keeps_its_place() -> None:
    """A coefficient that is zero when the model is compiled, or on the way, can still be moved."""
    template = compile_template(blending({**BLENDING, "purity": 0.0, "loss": 0.0, "fee": 0.0, "season": 0.0}))
    live = LiveHighs(template)
    for purity in (0.95, 0.0, 0.95):
        live.move(template.values(template.vector({**BLENDING, "purity": purity})))
        solution = live.solve()
    assert solution.objective == pytest.approx(rebuilt(blending(BLENDING), "cost"), rel=1e-9)


def test_batch_equals_one_by_one(kind: str, template: Template) -> None:
    rng = np.random.default_rng(2)
    batch = template.defaults * rng.uniform(0.5, 1.5, (7, template.defaults.size))
    entries = template.values(batch)
    assert entries.shape == (7, template.constant.size)
    for row, vector in zip(entries, batch, strict=True):
        np.testing.assert_array_equal(row, template.values(vector))


def test_entry_by_entry_equals_a_fresh_pass(kind: str, template: Template) -> None:
    entries = template.values(template.defaults)
    live = LiveHighs(template, options=EXACT)
    live.move(entries)
    rng = np.random.default_rng(3)
    for place in np.flatnonzero(np.isfinite(entries)):
        for value in (0.0, entries[place] + rng.uniform(-0.2, 0.2)):
            entries = entries.copy()
            entries[place] = value
            live.move(entries)
        fresh = LiveHighs(template, options=EXACT)
        fresh.move(entries)
        for here, there in zip(program(live), program(fresh), strict=True):
            np.testing.assert_array_equal(here, there)


def program(live: LiveHighs) -> list[NDArray[np.float64]]:
    """What HiGHS holds: bounds, costs, offset, dense matrix."""
    lp = live.highs.getLp()
    matrix = lp.a_matrix_
    form = sparse.csc_array if matrix.format_.name == "kColwise" else sparse.csr_array
    dense = form((matrix.value_, matrix.index_, matrix.start_), shape=(lp.num_row_, lp.num_col_)).toarray()
    sides = (lp.col_lower_, lp.col_upper_, lp.row_lower_, lp.row_upper_, lp.col_cost_, [lp.offset_])
    return [np.array(side) for side in sides] + [dense]


@pytest.mark.parametrize("name", [*BLENDING])
def test_gradient_of_a_minimum(name: str) -> None:
    """In cost, right-hand sides, bounds, matrix and offset, alone and in products: as central differences."""
    template = compile_template(blending(BLENDING))
    check_gradient(template, BLENDING, name)


@pytest.mark.parametrize("name", [*TRANSPORT])
def test_gradient_of_a_maximum(name: str) -> None:
    model = transport(TRANSPORT)
    for variable in (*model.trucks.values(), model.rented):
        variable.domain = pyo.Reals  # a program in whole numbers has no duals
    model.rented.setub(1)
    model.rented.setlb(0)
    check_gradient(compile_template(model), TRANSPORT, name)


def check_gradient(template: Template, values: Values, name: str) -> None:
    at = solve(template, values)
    vector = template.vector(values)
    slope = template.gradient(name, vector, at.primal, at.row_dual, at.column_dual)
    start = np.atleast_1d(np.array(values[name], dtype=float))
    step = 1e-4
    assert slope.shape == start.shape
    for member in range(start.size):
        ends = []
        for sign in (1, -1):
            moved = start.copy()
            moved[member] += sign * step
            ends.append(solve(template, {**values, name: moved}).objective)
        assert slope[member] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-5, abs=1e-6)


def test_every_parameter_of_the_blending_matters() -> None:
    """So that the gradients compared above are not zeros."""
    template = compile_template(blending(BLENDING))
    at = solve(template, BLENDING)
    vector = template.vector(BLENDING)
    slopes = {n: template.gradient(n, vector, at.primal, at.row_dual, at.column_dual) for n in BLENDING}
    assert all(slope.any() for slope in slopes.values()), slopes


def test_fingerprint_tells_models_apart() -> None:
    prints = [compile_template(blending(values)).fingerprint() for values in (BLENDING, BLENDING)]
    assert prints[0] == prints[1]
    model = blending(BLENDING)
    model.depot.room.set_value(model.made[0] + 1.5000001 * model.made[1] + model.waste <= 3 * model.stock[0])
    assert compile_template(model).fingerprint() != prints[0], "a constant of the matrix"
    model = blending(BLENDING)
    model.waste.setub(1e5)
    assert compile_template(model).fingerprint() != prints[0], "a constant bound"
    model = transport(TRANSPORT)
    before = compile_template(model).fingerprint()
    model.profit.sense = pyo.minimize
    assert compile_template(model).fingerprint() != before, "the sense"
    model.profit.sense = pyo.maximize
    model.trucks[0].domain = pyo.Reals
    assert compile_template(model).fingerprint() != before, "a domain"
