"""One year of dispatch around a siting: sums over its solved days, and the quantities that outcomes need.

Almost every quantity is linear in the day's columns, so the columns themselves are summed by day weight, and
quantities are read from the sum once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.inputs import THERMAL, Inputs
from model.live import Solution, Status
from model.template import Floats, Template
from model.weather import HOURS

SHED_HOUR_GW = 1e-6  # an hour counts as one with unserved load, a line as congested, from here on


class YearReader:
    """Reads a year's quantities from the columns of a dispatch template, and what is not linear from each day."""

    def __init__(self, inputs: Inputs, template: Template) -> None:
        self.template = template
        self.areas = len(inputs.areas)
        self.lines = len(inputs.lines.names)
        self.units, self.stores = inputs.thermal > 0, inputs.power > 0
        self.min_output = np.broadcast_to(inputs.min_output, inputs.thermal.shape)[self.units]
        self.balance = template.rows["balance"]
        self.spatial = np.concatenate([template.columns[name] for name in ("sig_up", "sig_dn")])
        options = inputs.options
        # What each unit burns beyond its output, GWh for each GWh of a column: 0 where no blocks of heat rate are given.
        self.surplus = np.zeros(template.shape[1])
        self.plant = np.zeros(template.shape[1], dtype=np.int64)  # place of the column's plant in the (A, 3) table
        if options.block_share is not None and options.heat_rate is not None:
            exists = (options.block_share > 0) & self.units[..., None]
            self.surplus[template.columns["block"]] = np.repeat(options.heat_rate[exists] - 1, HOURS)
            area, fuel, _ = np.nonzero(exists)
            self.plant[template.columns["block"]] = np.repeat(area * len(THERMAL) + fuel, HOURS)

    def hourly(self, values: Floats, name: str) -> Floats:
        """Columns of a variable (members, 24)."""
        return values[self.template.columns[name]].reshape(-1, HOURS)

    def by_line(self, relief: Floats) -> Floats:
        """What one more GW of limit in both directions spares in the day (lines,) [million yen per GW]."""
        total: Floats = (self.hourly(relief, "forward") + self.hourly(relief, "backward")).sum(axis=1)
        return total

    def upper(self, entries: Floats) -> Floats:
        """Upper bounds of the columns among all entries."""
        bounds: Floats = entries[self.template.sections["column_upper"]]
        return bounds

    def reached(self, primal: Floats, upper: Floats, name: str) -> NDArray[np.bool_]:
        """Where a flow (lines, 24) reaches a limit above 0."""
        flow, limit = self.hourly(primal, name), self.hourly(upper, name)
        return (limit > 0) & (flow >= limit - SHED_HOUR_GW)

    def spread(self, values: Floats, present: NDArray[np.bool_]) -> Floats:
        """Values of the members that exist as a table over all."""
        table = np.zeros(present.shape)
        table[present] = values
        return table


@dataclass(eq=False)
class Year:
    """Sums over the days of a year, by day weight; GWh, GW h, hours or million yen.

    Attributes
    ----------
    base : (A,) array, GW
        Data-centre load at the meter before shifts, mean of the year.
    available : (A, 3) array, GWh
        What sun and wind could give.
    nuclear_share : (A,) array or 1
        What of the usual nuclear output there is.
    status, iterations
        Of all its solves; the first that did not end well ends the year.
    cost, slope, cut_constant
        Million yen; (A,) million yen per GW of mean IT load; the cut's value at no load.
    primal : (columns,) array, GW h
        Columns of the template summed over days.
    price : (A,) array
        yen/kWh summed over the hours.
    used : (A, 3) array, GWh
    shed_hours, congested_hours : (A,), (lines,) arrays, h
    hydro : (A,) array, GWh
    line_value : (lines,) array, million yen per GW
        What one more GW of limit in both directions would spare.
    spatial_value : float, million yen per 1
        What a higher share of work movable in space would spare.
    days : float
        Sum of the day weights.
    primal_residual, dual_residual : float
        The largest of its solves: of a row or bound [GW, GWh of stored energy], of a reduced cost [million yen per GW].
    """

    reader: YearReader
    base: Floats
    available: Floats
    primal: Floats
    price: Floats
    used: Floats
    shed_hours: Floats
    congested_hours: Floats
    hydro: Floats
    slope: Floats
    line_value: Floats
    nuclear_share: Floats | float = 1.0
    spatial_value: float = 0.0
    days: float = 0.0
    cost: float = 0.0
    cut_constant: float = 0.0
    iterations: int = 0
    status: Status = Status.OPTIMAL
    primal_residual: float = 0.0
    dual_residual: float = 0.0

    @classmethod
    def empty(cls, reader: YearReader, base: Floats, available: Floats, nuclear_share: Floats | float = 1.0) -> Year:
        """A year with no day in it yet."""
        areas = reader.areas
        return cls(
            reader=reader,
            base=base,
            available=available,
            primal=np.zeros(reader.template.shape[1]),
            price=np.zeros(areas),
            used=np.zeros(available.shape),
            shed_hours=np.zeros(areas),
            congested_hours=np.zeros(reader.lines),
            hydro=np.zeros(areas),
            slope=np.zeros(areas),
            line_value=np.zeros(reader.lines),
            nuclear_share=nuclear_share,
        )

    def add(self, solution: Solution, entries: Floats, room: Floats, mix: Floats, hydro: Floats, weight: float) -> None:
        """Add a solved day ``weight`` times.

        Parameters
        ----------
        entries : (entries,) array
            Those of the template in this solve.
        room : (columns,) array, GW
            By how much upper bounds rise with the share of work movable in space.
        mix : (A, 3, 24) array
            Share of each technology in what an area's sun and wind could give in the hour. Curtailment falls on them in
            this proportion: to the day's program they are one, of no cost.
        hydro : (A, 24) array, GW
        """
        read, primal = self.reader, solution.primal
        upper = read.upper(entries)
        congested = read.reached(primal, upper, "forward") | read.reached(primal, upper, "backward")
        self.days += weight
        self.primal += weight * primal
        self.price += weight * solution.row_dual[read.balance].reshape(read.areas, HOURS).sum(axis=1)
        self.used += weight * np.einsum("at,art->ar", read.hourly(primal, "re"), mix)
        self.shed_hours += weight * (read.hourly(primal, "shed") > SHED_HOUR_GW).sum(axis=1)
        self.congested_hours += weight * congested.sum(axis=1)
        self.hydro += weight * hydro.sum(axis=1)
        # A reduced cost at an upper bound, negative as HiGHS gives it, says what a higher one spares; at a bound of 0 too.
        relief = np.maximum(-solution.column_dual, 0.0)
        self.line_value += weight * read.by_line(relief)
        self.spatial_value += weight * float(relief @ room)

    def _sum(self, name: str) -> Floats:
        total: Floats = self.reader.hourly(self.primal, name).sum(axis=1)
        return total

    @property
    def thermal(self) -> Floats:
        """Output of coal, lng and oil (A, 3) [GWh]."""
        read = self.reader
        steady = HOURS * read.min_output * self.primal[read.template.columns["committed"]]
        table = read.spread(steady + self._sum("above_min"), read.units)
        assert table.shape[1] == len(THERMAL)
        return table

    @property
    def burnt(self) -> Floats:
        """Output of coal, lng and oil weighted by heat rate (A, 3) [GWh]: what fuel and CO2 are paid for."""
        thermal, read = self.thermal, self.reader
        beyond = np.bincount(read.plant, weights=read.surplus * self.primal, minlength=thermal.size)
        total: Floats = thermal + beyond.reshape(thermal.shape)
        return total

    @property
    def curtailed(self) -> Floats:
        """Sun and wind available and not used (A, 3) [GWh]."""
        return np.maximum(self.available - self.used, 0.0)  # rounding apart

    @property
    def discharge(self) -> Floats:
        """Energy discharged (A, 2) [GWh]."""
        return self.reader.spread(self._sum("discharge"), self.reader.stores)

    @property
    def shed(self) -> Floats:
        """Load not served (A,) [GWh]."""
        return self._sum("shed")

    @property
    def spill(self) -> Floats:
        """Must-run output spilled (A,) [GWh]."""
        return self._sum("spill")

    @property
    def dc_load(self) -> Floats:
        """Data-centre load at the meter, shifts included (A,) [GWh]."""
        shift = self._sum("tau_up") - self._sum("tau_dn") + self._sum("sig_up") - self._sum("sig_dn")
        return HOURS * self.days * self.base + shift

    @property
    def flow_net(self) -> Floats:
        """Flow from ``from`` to ``to`` less that back (lines,) [GWh]."""
        return self._sum("forward") - self._sum("backward")

    @property
    def flow_gross(self) -> Floats:
        """Flow in both directions (lines,) [GWh]."""
        return self._sum("forward") + self._sum("backward")

    @property
    def shifted_time(self) -> float:
        """Work moved in time, at the meter [GWh]."""
        return float(self._sum("tau_up").sum())

    @property
    def shifted_space(self) -> float:
        """Work moved in space, at the meter [GWh]."""
        return float(self._sum("sig_up").sum())
