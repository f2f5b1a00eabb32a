"""Sitings evaluated in draws of a cube: solved on the workers, kept in the store, found again after any crash.

A row belongs to a siting and a draw alone, whoever asked for it and on whatever worker: another measure, or the same one
after a kill, finds it in ``run/optimise/<model>/<siting>/`` and does not solve it again. Every evaluation of a draw starts from
the draw's home, bases around one siting that are found once and kept beside the sitings.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import CUTS, Case, Home, Status, cost_of_shares, find_home
from storage import Place, put_side, read_side, side_names
from sweep.errors import RunStoppedError, StudyError
from sweep.kept_workers import Workers
from sweep.patience import patiently
from sweep.robust import Recourse
from sweep.robust.problem import Ints
from sweep.theta import Theta

Floats = NDArray[np.float64]
FOLDER = "optimise"
KEPT_AT_ONCE = 64  # rows that a kill may cost at most, those at work apart
POINT = "shares.json"
HOME = "home"
INDEX = "sitings.json"


@dataclass(frozen=True, eq=False)
class Asked:
    """Draws in which a siting is to be evaluated, with what a worker needs for it.

    Attributes
    ----------
    homes : tuple of bytes, array (A,) or None
        Of each draw: its packed home, the load [GW] around which it is to be found first, or None to do without.
    """

    shares: Floats
    draws: tuple[int, ...]
    thetas: tuple[Theta, ...]
    homes: tuple[bytes | Floats | None, ...]


@dataclass(frozen=True, eq=False)
class Answered:
    """What became of it: rows (draws, 4 + CUTS * (1 + C)) and the packed homes that were found on the way, by draw.

    A row is draw, status, cost, site cost, constants of the cuts, their slopes.
    """

    rows: Floats
    homes: dict[int, bytes]


def solve_asked(case: Case, asked: Asked) -> Answered:
    """Evaluate a siting in some draws."""
    rows, packed = [], {}
    for draw, theta, told in zip(asked.draws, asked.thetas, asked.homes, strict=True):
        home = Home.unpack(told) if isinstance(told, bytes) else None if told is None else find_home(case, theta, told)
        if home is not None and not isinstance(told, bytes):
            packed[draw] = home.pack()
        found = cost_of_shares(case, theta, asked.shares, home)
        head = [float(draw), float(found.status), found.cost, found.site_cost]
        rows.append(np.concatenate([head, found.constant, found.slope.ravel()]))
    return Answered(np.array(rows), packed)


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
    home_loads : mapping
        Draw -> load (A,) [GW] around which its home is found; draws that are not there have none.
    """

    def __init__(
        self,
        workers: Workers,
        draws: Mapping[int, Theta],
        shape: tuple[int, int],
        batch: int,
        store: Place | None = None,
        folder: str = FOLDER,
        home_loads: Mapping[int, Floats] | None = None,
    ) -> None:
        self.workers, self.draws, self.shape = workers, draws, shape
        self.store, self.folder, self.batch = store, folder, batch
        self.home_loads = home_loads or {}
        self.homes = self._homes_kept()
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
        asked = [self._asked(shares, part) for part in parts]
        waiting: list[Floats] = []
        moved_in: dict[int, bytes] = {}
        for number, answered in enumerate(self.workers.run(asked)):
            moved_in |= answered.homes
            for row in answered.rows:
                if row[1] != Status.OPTIMAL:
                    state = Status(int(row[1])).name.lower()
                    raise RunStoppedError(f"draw {int(row[0])} ended {state} around the siting {name}")
                known[int(row[0])] = row
                waiting.append(row)
            self.solved += len(answered.rows)
            self.tell(len(answered.rows))
            if len(waiting) >= KEPT_AT_ONCE or number == len(asked) - 1:
                self._keep_homes(moved_in)
                self._keep(name, point, waiting)
                waiting, moved_in = [], {}
        return np.stack([known[draw] for draw in draws])

    def _asked(self, shares: Floats, part: Sequence[int]) -> Asked:
        homes = tuple(self.homes.get(draw, self.home_loads.get(draw)) for draw in part)
        return Asked(shares, tuple(part), tuple(self.draws[draw] for draw in part), homes)

    def _homes_kept(self) -> dict[int, bytes]:
        found: dict[int, bytes] = {}
        if self.store is not None:
            for file in side_names(self.store, f"{self.folder}/{HOME}"):
                content = read_side(self.store, f"{self.folder}/{HOME}", file)
                if file.endswith(".npz") and content is not None:
                    found |= self._sound(f"{HOME}/{file}", partial(_homes_of, content))
        return found

    def _sound(self, file: str, read: Callable[[], Any]) -> Any:
        """Read a file of an earlier run.

        Raises
        ------
        StudyError
            It is damaged.
        """
        try:
            return read()
        except (ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile) as fault:
            raise StudyError(
                f"{self.store}/run/{self.folder}/{file}: found a damaged file, expected what an earlier run left; remove it, "
                "and what it held is solved again"
            ) from fault

    def _keep_homes(self, homes: Mapping[int, bytes]) -> None:
        self.homes |= homes
        if self.store is None or not homes:
            return
        content = io.BytesIO()
        draws = sorted(homes)
        packed = [np.frombuffer(homes[draw], dtype=np.uint8) for draw in draws]
        np.savez(
            content, draw=np.array(draws), end=np.cumsum([len(each) for each in packed]), packed=np.concatenate(packed)
        )
        label = hashlib.sha256(repr(draws).encode()).hexdigest()[:16]
        store, folder = self.store, f"{self.folder}/{HOME}"
        patiently(lambda: put_side(store, folder, f"{label}.npz", content.getvalue()))

    def kept(self) -> list[str]:
        """Names of all sitings that the store holds evaluations of, in order."""
        content = None if self.store is None else read_side(self.store, self.folder, INDEX)
        return [] if content is None else sorted(self._sound(INDEX, lambda: json.loads(content)))

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
                        rows = self._sound(f"{name}/{file}", partial(np.load, io.BytesIO(content), allow_pickle=False))
                        self.rows[name] |= {int(row[0]): row for row in rows}
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


def _homes_of(content: bytes) -> dict[int, bytes]:
    """The packed homes in a file, by draw."""
    with np.load(io.BytesIO(content), allow_pickle=False) as kept:
        packed = np.split(kept["packed"], kept["end"][:-1])
        return {int(n): each.tobytes() for n, each in zip(kept["draw"], packed, strict=True)}


def point_name(point: Floats) -> str:
    """What a siting is kept under: a hash of its shares."""
    return hashlib.sha256(np.ascontiguousarray(point, dtype=np.float64).tobytes()).hexdigest()[:16]
