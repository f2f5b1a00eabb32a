"""Dispatches the days of one draw around any number of sitings, in one live HiGHS that goes from neighbour to neighbour.

Costs and matrix are the draw's; a day and a siting move bounds and right-hand sides alone, so that each basis on the
way is a dual feasible start for the next solve. A draw's bytes depend on the case and the draw alone: it starts from
the case's basis and goes in a fixed order.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import highspy
import numpy as np
from numpy.typing import NDArray

from model import dispatch
from model.case import Basis, Case
from model.free import Cuts
from model.live import LiveHighs, Solution, Status
from model.parameters import WEATHER_YEAR, Theta, pue
from model.template import Floats
from model.year import Year

# A basis from the shelf comes without steepest-edge weights; to compute them takes as long as forty iterations, and a
# solve from a basis of the same day needs some hundred. Devex starts at once and takes an eighth more of them.
FROM_THE_SHELF = {"simplex_dual_edge_weight_strategy": 1}
RAISED_GW = 1e-3  # an area's load is raised to this for siting_value: at 0 the duals are degenerate


@dataclass(frozen=True, eq=False)
class _Solve:
    """One solve of every day: a year's true load, where its quantities are read, or the raised one, or both in one."""

    year: int
    load: Floats
    is_true: bool
    gives_slope: bool


@dataclass(frozen=True, eq=False)
class Home:
    """Where every day of one draw is solved from: its bases around one siting, as each year that is solved there left them.

    An evaluation that starts at home depends on the draw and the home alone, not on what was evaluated before it.

    Attributes
    ----------
    statuses : (days, columns + rows) array
        HiGHS basis statuses, days in the order of ``Days``.
    """

    statuses: NDArray[np.int8]

    def pack(self) -> bytes:
        """Some kilobytes: the days' bases are much alike."""
        return zlib.compress(np.array(self.statuses.shape, dtype=np.int32).tobytes() + self.statuses.tobytes(), 9)

    @classmethod
    def unpack(cls, content: bytes) -> Self:
        """The inverse of :meth:`pack`."""
        plain = zlib.decompress(content)
        shape = np.frombuffer(plain[:8], dtype=np.int32)
        return cls(np.frombuffer(plain[8:], dtype=np.int8).reshape(shape))

    def bases(self, columns: int) -> list[highspy.HighsBasis]:
        """As HiGHS takes them, day by day."""
        return [Basis(each[:columns], each[columns:]).to_highs() for each in self.statuses]


class Dispatcher:
    """The dispatch of one draw: its days, a live HiGHS, and the bases found on each day.

    The first call is a chain from neighbour to neighbour. Later calls, of a single load as a rule, start each day from
    the basis of that day whose load is nearest, in a HiGHS of their own. With a home every call starts each day there.

    Attributes
    ----------
    days : Days
        Of the draw's weather year.
    output : (days, A, 3, 24) array, GW
        What sun and wind could give.
    """

    def __init__(self, case: Case, theta: Theta, home: Home | None = None) -> None:
        year = str(theta[WEATHER_YEAR])
        self.case, self.days = case, case.days[year]
        inputs, template, weather = case.inputs, case.dispatch, case.inputs.weather[year]
        self.pue = pue(theta, inputs)
        self.vectors = case.day_vectors(year, template.vector(dispatch.of_draw(theta, inputs)))
        self.output = dispatch.renewable_output(theta, inputs, weather, self.days.day)
        self.mix = dispatch.renewable_mix(self.output)
        self.available = np.einsum("d,dart->ar", self.days.weight, self.output)
        self.hydro = np.moveaxis(weather.hydro[self.days.day], 1, -1)
        each = self.vectors if case.slopes_by_day else self.vectors[:1]
        self.by_load = [case.by_load.jacobian(vector) for vector in each]
        at_home = home is not None
        self.live = (
            LiveHighs(template, options=FROM_THE_SHELF) if at_home else LiveHighs(template, case.start.to_highs())
        )
        self.live.move(template.values(template.vector({"X": 0.0}, self.vectors[0])))
        self.bases: list[list[tuple[Floats, highspy.HighsBasis]]] = [[] for _ in self.days.day]
        if home is not None:
            nowhere = np.zeros(len(self.pue))
            self.bases = [[(nowhere, basis)] for basis in home.bases(template.shape[1])]
        self.kept = int(at_home)  # of the bases of a day, those of the first call
        self.in_chain = not at_home
        self.turns = 0

    def solve_days(self, loads: list[Floats], slopes: bool = True, quantities: bool = True) -> list[tuple[Year, Cuts]]:
        """Dispatch the year around each of the given loads (A,) [GW]; returns sums and cost cuts of each.

        The cut of a day holds at every siting: cost >= value + slope . (X - point). With ``slopes`` it is taken, and
        with it siting_value, where every load is raised to ``RAISED_GW``, else at the load itself. Without
        ``quantities`` a year has its cost and cuts alone, and nothing of what :meth:`Year.add` adds.
        """
        if not loads:
            return []
        if self.kept and self.in_chain:
            self.in_chain, entries = False, self.live.entries
            self.live = LiveHighs(self.case.dispatch, options=FROM_THE_SHELF)
            self.live.move(entries)
        options = self.case.inputs.options
        years = [
            Year.empty(
                self.case.reader,
                self.pue * x * options.load_of_year(self.days),
                self.available,
                options.nuclear_of_year(self.days),
            )
            for x in loads
        ]
        cuts = [Cuts.empty(len(self.days.day), x.size) for x in loads]
        solves = [solve for number, x in enumerate(loads) for solve in _solves(number, x, slopes)]
        for number in self.days.order:
            self._start(int(number), loads[0])
            self.turns += 1  # to and fro: a new day finds the load as the last one left it
            self._solve_day(int(number), solves if self.turns % 2 else solves[::-1], years, cuts, quantities)
        self.kept = self.kept or len(loads)
        return list(zip(years, cuts, strict=True))

    def home(self, load: Floats) -> Home | None:
        """The bases of every day around a load (A,) [GW]; None where a day has no optimum."""
        [(year, _)] = self.solve_days([load], slopes=False, quantities=False)
        if year.status is not Status.OPTIMAL:
            return None
        found = [Basis.of_highs(known[-1][1]) for known in self.bases]
        return Home(np.stack([np.concatenate([each.column, each.row]) for each in found]))

    def each_day(self, load: Floats) -> Iterator[tuple[int, Solution]]:
        """Solve each day around one load (A,) [GW]: its position in ``days`` and its solution, to be read at once."""
        for number in map(int, self.days.order):
            vector = self.vectors[number].copy()
            vector[self.case.dispatch.parameters["X"]] = load
            self.live.move_part(self.case.of_day, self.case.of_day.values(vector))
            yield number, self.live.solve()

    def days_around(self, loads: list[Floats]) -> Iterator[tuple[int, list[Year]]]:
        """Dispatch each day around each of the loads, and give it by itself: its number, a year of this day per load."""
        solves = [_Solve(number, x, is_true=True, gives_slope=False) for number, x in enumerate(loads)]
        cuts = [Cuts.empty(len(self.days.day), x.size) for x in loads]
        for turn, number in enumerate(self.days.order.tolist()):
            of_day = [Year.empty(self.case.reader, self.pue * x, self.available) for x in loads]
            self._solve_day(number, solves[::-1] if turn % 2 else solves, of_day, cuts, quantities=True)
            self.bases[number].clear()
            yield number, of_day

    def _start(self, number: int, load: Floats) -> None:
        """Where the day was solved before, start from the basis of the load nearest at the meter; keep the last other."""
        known = self.bases[number]
        if known:
            distance = [float(self.pue @ np.abs(x - load)) for x, _ in known]
            self.live.start_from(known[int(np.argmin(distance))][1])
            del known[self.kept :]

    def _solve_day(
        self, number: int, solves: list[_Solve], years: list[Year], cuts: list[Cuts], quantities: bool
    ) -> None:
        case, live = self.case, self.live
        solves = [solve for solve in solves if years[solve.year].status is Status.OPTIMAL]
        if not solves:
            return
        vectors = np.repeat(self.vectors[number : number + 1], len(solves), axis=0)
        vectors[:, case.dispatch.parameters["X"]] = [solve.load for solve in solves]
        live.move_part(case.of_day, case.of_day.values(vectors[0]))
        others = case.of_siting.values(vectors[1:])
        room = case.spatial_room(vectors) if quantities else np.zeros((len(solves), 0))
        for turn, solve in enumerate(solves):
            year = years[solve.year]
            if turn:
                live.move_part(case.of_siting, others[turn - 1])
            if year.status is not Status.OPTIMAL:
                continue  # its other solve of this day failed
            solution = live.solve()
            year.iterations += solution.iterations
            if solution.status is not Status.OPTIMAL:
                year.status = solution.status
                live.start_from(case.start.to_highs())
                continue
            year.primal_residual = max(year.primal_residual, solution.residuals.primal)
            year.dual_residual = max(year.dual_residual, solution.residuals.dual)
            weight = float(self.days.weight[number])
            if solve.is_true:
                year.cost += weight * solution.objective
                self.bases[number].append((solve.load, live.basis()))
                if quantities:
                    year.add(solution, live.entries, room[turn], self.mix[number], self.hydro[number], weight)
            if solve.gives_slope:
                slope = case.by_load.of(
                    self.by_load[number % len(self.by_load)], None, solution.row_dual, solution.column_dual
                )
                cut = cuts[solve.year]
                cut.put(number, solution.objective, slope, solve.load)
                year.slope += weight * slope
                year.cut_constant += weight * float(cut.constant[number])


def _solves(year: int, load: Floats, slopes: bool) -> Iterator[_Solve]:
    raised = np.maximum(load, RAISED_GW)
    apart = slopes and bool((raised != load).any())
    yield _Solve(year, load, is_true=True, gives_slope=not apart)
    if apart:
        yield _Solve(year, raised, is_true=False, gives_slope=True)
