"""Sitings evaluated in draws of a cube: solved on the workers, kept in the store, found again after any crash.

A row belongs to a siting and a draw alone, whoever asked for it and on whatever worker: another measure, or the same one
after a kill, finds it in ``run/optimise/<model>/<siting>/`` and does not solve it again.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model import CUTS, Case, Status, cost_of_shares
from storage import Place, put_side, read_side, side_names
from sweep.errors import RunStoppedError
from sweep.kept_workers import Workers
from sweep.patience import patiently
from sweep.robust import Recourse
from sweep.robust.problem import Ints
from sweep.theta import Theta

Floats = NDArray[np.float64]
FOLDER = "optimise"
KEPT_AT_ONCE = 64  # rows that a kill may cost at most, those at work apart
POINT = "shares.json"
INDEX = "sitings.json"


@dataclass(frozen=True, eq=False)
class Asked:
    """Draws in which a siting is to be evaluated, with what a worker needs for it."""

    shares: Floats
    draws: tuple[int, ...]
    thetas: tuple[Theta, ...]


def solve_asked(case: Case, asked: Asked) -> Floats:
    """Rows (draws, 4 + CUTS * (1 + C)): draw, status, cost, site cost, constants of the cuts, their slopes."""
    rows = []
    for draw, theta in zip(asked.draws, asked.thetas, strict=True):
        found = cost_of_shares(case, theta, asked.shares)
        head = [float(draw), float(found.status), found.cost, found.site_cost]
        rows.append(np.concatenate([head, found.constant, found.slope.ravel()]))
    return np.array(rows)


def recourse_of(rows: Floats) -> Recourse:
    """Costs and cuts of rows."""
    constant = rows[:, 4 : 4 + CUTS]
    return Recourse(rows[:, 2], constant, rows[:, 4 + CUTS :].reshape(len(rows), CUTS, -1))


class Points:
    """Evaluations of one cube.

    Parameters
    ----------
    workers : Workers
        Of `solve_asked` with the cube's case.
    draws : mapping
        Draw -> its parameters.
    batch : int
        Draws of one task.
    store : place, optional
        Where rows are kept; None: nowhere.
    folder : str
        Below ``run``: of one model and one set of versions.
    """

    def __init__(
        self,
        workers: Workers,
        draws: Mapping[int, Theta],
        shape: tuple[int, int],
        batch: int,
        store: Place | None = None,
        folder: str = FOLDER,
    ) -> None:
        self.workers, self.draws, self.shape = workers, draws, shape
        self.store, self.folder, self.batch = store, folder, batch
        self.rows: dict[str, dict[int, Floats]] = {}
        self.solved = self.found = 0
        self.tell: Callable[[int], None] = lambda done: None

    def oracle(self, numbers: Sequence[int]) -> Callable[[Floats, Ints], Recourse]:
        """An oracle whose scenarios are these draws, in this order."""

        def evaluate(point: Floats, scenarios: Ints) -> Recourse:
            return recourse_of(self.evaluate(point, [numbers[s] for s in scenarios]))

        return evaluate

    def evaluate(self, point: Floats, draws: Sequence[int]) -> Floats:
        """Rows of a siting (A * J,) in some draws, in their order; what is not known is solved and kept.

        Raises
        ------
        RunStoppedError
            A draw could not be solved.
        """
        name = point_name(point)
        known = self._known(name)
        missing = [draw for draw in draws if draw not in known]
        self.found += len(draws) - len(missing)
        shares = np.array(point, dtype=np.float64).reshape(self.shape)
        parts = [missing[at : at + self.batch] for at in range(0, len(missing), self.batch)]
        asked = [Asked(shares, tuple(part), tuple(self.draws[draw] for draw in part)) for part in parts]
        waiting: list[Floats] = []
        for number, rows in enumerate(self.workers.run(asked)):
            for row in rows:
                if row[1] != Status.OPTIMAL:
                    state = Status(int(row[1])).name.lower()
                    raise RunStoppedError(f"draw {int(row[0])} ended {state} around the siting {name}")
                known[int(row[0])] = row
                waiting.append(row)
            self.solved += len(rows)
            self.tell(len(rows))
            if len(waiting) >= KEPT_AT_ONCE or number == len(asked) - 1:
                self._keep(name, point, waiting)
                waiting = []
        return np.stack([known[draw] for draw in draws])

    def kept(self) -> list[str]:
        """Names of all sitings that the store holds evaluations of, in order."""
        content = None if self.store is None else read_side(self.store, self.folder, INDEX)
        return [] if content is None else sorted(json.loads(content))

    def part(self, name: str) -> tuple[Ints, Floats]:
        """The draws that a kept siting was evaluated in, in order, and their rows."""
        known = self._known(name)
        draws = sorted(draw for draw in known if draw in self.draws)
        return np.array(draws, dtype=np.int64), np.stack([known[draw] for draw in draws]) if draws else np.zeros((0, 0))

    def _known(self, name: str) -> dict[int, Floats]:
        if name not in self.rows:
            self.rows[name] = {}
            if self.store is not None:
                for file in side_names(self.store, f"{self.folder}/{name}"):
                    content = read_side(self.store, f"{self.folder}/{name}", file)
                    if file.endswith(".npy") and content is not None:
                        for row in np.load(io.BytesIO(content), allow_pickle=False):
                            self.rows[name][int(row[0])] = row
        return self.rows[name]

    def _keep(self, name: str, point: Floats, rows: list[Floats]) -> None:
        if self.store is None or not rows:
            return
        content = io.BytesIO()
        table = np.stack(rows)
        ordered = table[np.argsort(table[:, 0])]
        np.save(content, ordered, allow_pickle=False)
        label = hashlib.sha256(ordered[:, 0].tobytes()).hexdigest()[:16]
        store, folder = self.store, f"{self.folder}/{name}"
        patiently(lambda: put_side(store, folder, f"{label}.npy", content.getvalue()))
        names = self.kept()
        if name not in names:
            text = json.dumps({"shares": np.asarray(point).reshape(self.shape).tolist()}).encode()
            patiently(lambda: put_side(store, folder, POINT, text))
            patiently(lambda: put_side(store, self.folder, INDEX, json.dumps(sorted([*names, name])).encode()))


def point_name(point: Floats) -> str:
    """What a siting is kept under: a hash of its shares."""
    return hashlib.sha256(np.ascontiguousarray(point, dtype=np.float64).tobytes()).hexdigest()[:16]
