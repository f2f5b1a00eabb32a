"""One year of dispatch around a siting: day solves in a fixed order, and the sums over days that outcomes need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.inputs import CURTAILABLE, STORAGE, THERMAL, Inputs
from model.live import Solution, Status
from model.template import Floats, Template
from model.weather import HOURS

SHED_HOUR_GW = 1e-6  # an hour counts as one with unserved load, a line as congested, from here on
RAISED_GW = 1e-3  # an area's load is raised to this for siting_value: at 0 the duals are degenerate


@dataclass(eq=False)
class Year:
    """Sums over the days of a year, by day weight; GWh, GW h, hours or million yen.

    ``thermal`` (A, 3), ``used`` and ``curtailed`` (A, 3), ``discharge`` (A, 2), ``hydro``, ``shed``, ``spill``,
    ``dc_load``, ``shed_hours``, ``price`` (A,; yen/kWh times hours), ``flow_*``, ``congested_hours`` (line,),
    ``shifted_*`` and ``cost`` numbers, ``slope`` (A,; million yen per GW and year), ``cut_constant``.
    """

    thermal: Floats
    used: Floats
    curtailed: Floats
    discharge: Floats
    hydro: Floats
    shed: Floats
    spill: Floats
    shed_hours: Floats
    dc_load: Floats
    price: Floats
    flow_net: Floats
    flow_gross: Floats
    congested_hours: Floats
    shifted_time: float
    shifted_space: float
    cost: float
    slope: Floats
    cut_constant: float = 0.0
    iterations: int = 0
    status: Status = Status.OPTIMAL

    @classmethod
    def empty(cls, inputs: Inputs) -> Year:
        """A year with no day in it yet."""

        def by(*shape: int) -> Floats:
            return np.zeros(shape)

        areas, lines = len(inputs.areas), len(inputs.lines.names)
        return cls(
            thermal=by(areas, len(THERMAL)),
            used=by(areas, len(CURTAILABLE)),
            curtailed=by(areas, len(CURTAILABLE)),
            discharge=by(areas, len(STORAGE)),
            hydro=by(areas),
            shed=by(areas),
            spill=by(areas),
            shed_hours=by(areas),
            dc_load=by(areas),
            price=by(areas),
            flow_net=by(lines),
            flow_gross=by(lines),
            congested_hours=by(lines),
            shifted_time=0.0,
            shifted_space=0.0,
            cost=0.0,
            slope=by(areas),
        )

    def add(self, day: dict[str, Floats | float], weight: float) -> None:
        """Add a day's quantities, ``weight`` times."""
        for name, value in day.items():
            setattr(self, name, getattr(self, name) + weight * value)


class DayReader:
    """Reads a day's quantities from a solved dispatch template."""

    def __init__(self, inputs: Inputs, template: Template) -> None:
        self.template = template
        self.columns = template.columns
        self.areas = len(inputs.areas)
        self.units = inputs.thermal > 0
        self.renewables = inputs.curtailable > 0
        self.stores = inputs.power > 0
        self.min_output = np.broadcast_to(inputs.min_output, inputs.thermal.shape)[self.units]
        self.balance = template.rows["balance"]

    def quantities(self, solution: Solution, entries: Floats, base: Floats, hydro: Floats) -> dict[str, Floats | float]:
        """The day's sums, named as in :class:`Year`.

        Parameters
        ----------
        entries : (entries,) array
            The template's entries of this solve.
        base : (A,) array, GW
            Data-centre load at the meter before shifts.
        hydro : (A, 24) array, GW
        """
        primal, hourly = solution.primal, self._hourly
        tau_up, tau_dn = hourly(primal, "tau_up"), hourly(primal, "tau_dn")
        sig_up, sig_dn = hourly(primal, "sig_up"), hourly(primal, "sig_dn")
        forward, backward = hourly(primal, "forward"), hourly(primal, "backward")
        shed, upper = hourly(primal, "shed"), entries[self.template.sections["column_upper"]]
        used = hourly(primal, "re")
        available = hourly(upper, "re")
        at_limit = self._reached(forward, hourly(upper, "forward")) | self._reached(backward, hourly(upper, "backward"))
        committed = primal[self.columns["committed"]]
        thermal = HOURS * self.min_output * committed + hourly(primal, "above_min").sum(axis=1)
        return {
            "thermal": self._spread(thermal, self.units),
            "used": self._spread(used.sum(axis=1), self.renewables),
            "curtailed": self._spread((available - used).sum(axis=1), self.renewables),
            "discharge": self._spread(hourly(primal, "discharge").sum(axis=1), self.stores),
            "hydro": hydro.sum(axis=1),
            "shed": shed.sum(axis=1),
            "spill": hourly(primal, "spill").sum(axis=1),
            "shed_hours": (shed > SHED_HOUR_GW).sum(axis=1).astype(np.float64),
            "dc_load": HOURS * base + (tau_up - tau_dn + sig_up - sig_dn).sum(axis=1),
            "price": solution.row_dual[self.balance].reshape(self.areas, HOURS).sum(axis=1),
            "flow_net": (forward - backward).sum(axis=1),
            "flow_gross": (forward + backward).sum(axis=1),
            "congested_hours": at_limit.sum(axis=1).astype(np.float64),
            "shifted_time": float(tau_up.sum()),
            "shifted_space": float(sig_up.sum()),
            "cost": solution.objective,
        }

    def _hourly(self, values: Floats, name: str) -> Floats:
        return values[self.columns[name]].reshape(-1, HOURS)

    @staticmethod
    def _reached(flow: Floats, limit: Floats) -> np.ndarray:
        return (limit > 0) & (flow >= limit - SHED_HOUR_GW)

    @staticmethod
    def _spread(values: Floats, present: np.ndarray) -> Floats:
        table = np.zeros(present.shape)
        table[present] = values
        return table
