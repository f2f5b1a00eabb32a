"""State the dispatch of one day, equation by equation, and read its quantities from a solution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tests.oracle.program import Floats, Index, Program, Solution

HOURS = 24
REACHED = 1e-6  # GW: a limit counts as reached, and load as shed, within this


@dataclass(frozen=True)
class System:
    """The power system of one draw; arrays over (area,), (area, technology), (technology,) or (line,).

    GW and GWh; costs in yen/kWh, which is million yen per GWh; `emission` in kg/kWh, `co2_price` in yen/t. Build-outs,
    derates and switches are applied already. `space_share` is alpha*psi, `nuclear` and `mustrun` are outputs.
    """

    areas: tuple[str, ...]
    thermal: tuple[str, ...]
    renewable: tuple[str, ...]
    storage: tuple[str, ...]
    lines: tuple[str, ...]
    pue: Floats
    capacity: Floats
    availability: Floats
    committed_floor: Floats
    minimum_output: Floats
    variable_cost: Floats
    emission: Floats
    co2_price: float
    nuclear: Floats
    nuclear_cost: float
    mustrun: Floats
    power: Floats
    energy: Floats
    efficiency: Floats
    line_from: Index
    line_to: Index
    forward: Floats
    backward: Floats
    time_share: float
    space_share: float
    headroom: float
    storage_cost: float
    flow_cost: float
    time_cost: float
    space_cost: float
    voll: float
    spill_cost: float


@dataclass(frozen=True)
class Day:
    """Non-DC demand and hydro (area, hour) and available power of the curtailable (area, technology, hour), GW."""

    demand: Floats
    hydro: Floats
    renewable: Floats


@dataclass(frozen=True)
class Blocks:
    """Numbers of the columns and rows of one day: (area, hour), with technology between, or (line, hour)."""

    gen: Index
    re: Index
    dis: Index
    ch: Index
    fwd: Index
    bwd: Index
    tau_up: Index
    tau_dn: Index
    sig_up: Index
    sig_dn: Index
    shed: Index
    spill: Index
    balance: Index
    more: Index
    shared: Index


def add_day(program: Program, system: System, day: Day, load: Index, scale: float = 1.0) -> Blocks:
    """Add one day to `program`; `load` numbers the columns X (area,); costs are million yen times `scale`.

    Because X is a column, every bound that moves with X is a row, and the reduced cost of X is d cost / d X. In the same
    way ``more``, held at 0, widens each line in both directions.
    """
    s, p = system, program
    shape = day.demand.shape
    areas, hours = shape
    stores = (areas, len(s.storage), hours)
    units = (areas, len(s.thermal), hours)

    def hourly(columns: Index) -> Index:
        return np.broadcast_to(columns[..., None], (*columns.shape, hours))

    available = s.availability * s.capacity
    u = p.columns(units[:2], lower=s.committed_floor * available, upper=available)
    marginal = s.variable_cost + s.emission * s.co2_price / 1000
    gen = p.columns(units, cost=scale * marginal[:, None])
    re = p.columns(day.renewable.shape, upper=day.renewable)
    ch = p.columns(stores, upper=s.power[..., None])
    dis = p.columns(stores, upper=s.power[..., None], cost=scale * s.storage_cost)
    soc = p.columns(stores, upper=s.energy[..., None])
    fwd = p.columns((len(s.lines), hours), cost=scale * s.flow_cost)
    bwd = p.columns((len(s.lines), hours), cost=scale * s.flow_cost)
    more = p.columns((len(s.lines),), upper=0.0)
    for flow, limit in ((fwd, s.forward), (bwd, s.backward)):
        p.rows(flow.shape, [(1, flow), (-1, hourly(more))], upper=limit[:, None])
    tau_up, tau_dn = (p.columns(shape, cost=scale * s.time_cost) for _ in range(2))
    sig_up, sig_dn = (p.columns(shape, cost=scale * s.space_cost) for _ in range(2))
    shed = p.columns(shape, cost=scale * s.voll)
    must = (s.nuclear + s.mustrun)[:, None] + day.hydro
    floor = (s.minimum_output * s.committed_floor * available).sum(axis=1)[:, None]
    spill = p.columns(shape, upper=must + floor, cost=scale * s.spill_cost)

    # Bounds of gen by the committed capacity of the day.
    p.rows(units, [(1, gen), (-1, hourly(u))], upper=0)
    p.rows(units, [(1, gen), (-s.minimum_output[:, None], hourly(u))], lower=0)

    # Bounds that scale with the DC load of the area.
    X, pue = hourly(load), s.pue[:, None]
    for shifted in (tau_up, tau_dn):
        p.rows(shape, [(1, shifted), (-s.time_share * pue, X)], upper=0)
    shared = np.stack([p.rows(shape, [(1, moved), (-s.space_share * pue, X)], upper=0) for moved in (sig_up, sig_dn)])
    p.rows(shape, [(1, shed), (-pue, X)], upper=day.demand)

    # 1. Balance. Incidence is +1 where a line ends and -1 where it begins, so that it counts fwd as inflow at its end.
    incidence = np.zeros((areas, 1, len(s.lines)))
    incidence[s.line_to, 0, np.arange(len(s.lines))] += 1
    incidence[s.line_from, 0, np.arange(len(s.lines))] -= 1
    every = (*shape, len(s.lines))
    balance = p.rows(
        shape,
        [
            (1, gen.transpose(0, 2, 1)),
            (1, re.transpose(0, 2, 1)),
            (-1, spill),
            (1, dis.transpose(0, 2, 1)),
            (-1, ch.transpose(0, 2, 1)),
            (incidence, np.broadcast_to(fwd.T, every)),
            (-incidence, np.broadcast_to(bwd.T, every)),
            (1, shed),
            (-pue, X),
            (-1, tau_up),
            (1, tau_dn),
            (-1, sig_up),
            (1, sig_dn),
        ],
        lower=day.demand - must,
        upper=day.demand - must,
    )

    # 2. Storage; the hour before hour 0 is hour 23.
    eta = s.efficiency[:, None]
    p.rows(stores, [(1, soc), (-1, np.roll(soc, 1, axis=2)), (-eta, ch), (1 / eta, dis)], lower=0, upper=0)
    # 3. Time shift keeps the day's work.
    p.rows((areas,), [(1, tau_up), (-1, tau_dn)], lower=0, upper=0)
    # 4. Space shift keeps the hour's work.
    p.rows((hours,), [(1 / s.pue, sig_up.T), (-1 / s.pue, sig_dn.T)], lower=0, upper=0)
    # 5. Installed machines.
    p.rows(shape, [(1, tau_up), (-1, tau_dn), (1, sig_up), (-1, sig_dn), (-s.headroom * pue, X)], upper=0)
    return Blocks(gen, re, dis, ch, fwd, bwd, tau_up, tau_dn, sig_up, sig_dn, shed, spill, balance, more, shared)


@dataclass(frozen=True)
class DayResult:
    """One day solved at given X: cost in million yen, value in million yen per GW, GWh and GW elsewhere."""

    cost: float
    fuel: float
    co2_kt: float
    unserved_cost: float
    generation: Floats
    curtailment: Floats
    discharge: Floats
    charge: Floats
    unserved: Floats
    spill: Floats
    shed_hours: Floats
    dc_load: Floats
    flow_net: Floats
    flow_gross: Floats
    congested: Floats
    shifted_time: float
    shifted_space: float
    price: Floats
    value_of_load: Floats
    value_of_lines: Floats
    value_of_space_share: float


def solve_day(system: System, day: Day, load: Floats) -> DayResult:
    """Solve the day with the mean IT load X_a = `load` (GW); nuclear fuel is not in it."""
    program = Program()
    columns = program.columns(load.shape, lower=load, upper=load)
    blocks = add_day(program, system, day, columns)
    return _read(system, day, blocks, columns, program.solve())


def _read(s: System, day: Day, b: Blocks, load: Index, found: Solution) -> DayResult:
    v = found.value
    by_fuel = v[b.gen].sum(axis=2)
    moved = v[b.tau_up] - v[b.tau_dn] + v[b.sig_up] - v[b.sig_dn]
    fwd, bwd = v[b.fwd], v[b.bwd]
    full = ((fwd >= s.forward[:, None] - REACHED) & (s.forward[:, None] > 0)) | (
        (bwd >= s.backward[:, None] - REACHED) & (s.backward[:, None] > 0)
    )
    return DayResult(
        cost=found.objective,
        fuel=float((by_fuel * s.variable_cost).sum()),
        co2_kt=float((by_fuel * s.emission).sum()),
        unserved_cost=float(s.voll * v[b.shed].sum()),
        generation=np.concatenate([by_fuel, v[b.re].sum(axis=2)], axis=1),
        curtailment=(day.renewable - v[b.re]).sum(axis=2),
        discharge=v[b.dis].sum(axis=2),
        charge=v[b.ch].sum(axis=2),
        unserved=v[b.shed].sum(axis=1),
        spill=v[b.spill].sum(axis=1),
        shed_hours=(v[b.shed] > REACHED).sum(axis=1).astype(np.float64),
        dc_load=HOURS * s.pue * v[load] + moved.sum(axis=1),
        flow_net=(fwd - bwd).sum(axis=1),
        flow_gross=(fwd + bwd).sum(axis=1),
        congested=full.sum(axis=1).astype(np.float64),
        shifted_time=float(v[b.tau_up].sum()),
        shifted_space=float(v[b.sig_up].sum()),
        price=found.price[b.balance].mean(axis=1),
        value_of_load=found.reduced_cost[load],
        value_of_lines=-found.reduced_cost[b.more],
        # The share stands in a coefficient; in the row's right-hand side it is pue X, by which its price counts.
        value_of_space_share=float(-(found.price[b.shared] * (s.pue * v[load])[:, None]).sum()),
    )
