"""The course of a soak: a cube is made, given more draws, then more configurations, and killed again and again on the way."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

from storage import note_numbers
from sweep.events import ASIDE
from sweep.set_aside import TOGETHER, TRIES
from tests.soak.faults import SERIAL, Fault, Run, kill_everything
from tests.soak.ledger import Ledger, differences, solves
from tests.sweep_cases import write_study

DRAWS, MORE_DRAWS = 9, 14  # in batches of two: the last one is short, and is completed when the cube is extended
WORKERS = 2
EARLY = 0.25  # how often a killed cube is extended at once, before what it should have held is finished
WHOLE = 0.1  # how often the moment is drawn over the whole process, its imports included
SOLVING = 0.5  # how often from the first solve on: starting Ray takes longer than what follows
PHASES = ("few.toml", "more.toml", "wider.toml")
# By then whatever a killed driver had started must have ended by itself: head and raylet at once, workers in some
# seconds, and Ray's two idle agents after they have tried for 60 s to tell the head.
LEFT_SECONDS = 180.0


@dataclass
class Length:
    """How long an undisturbed run of a phase took [s]: until it began, until its first solve, until its end."""

    start: float
    first: float
    end: float
    solves: int


@dataclass
class Soak:
    """Kills, and what became of the cubes.

    Attributes
    ----------
    kinds : Counter
        Faults done, by "serial" or "ray" and the kind.
    faults : list of str
        Whatever was wrong.
    retried : int
        Cubes with a draw in which so many kills fell that it was set aside, as one that kills its worker would be; the
        same line with ``--retry-set-aside`` then has to make the bytes of the undisturbed cube.
    """

    folder: Path
    random: Random
    kinds: Counter[str] = field(default_factory=Counter)
    cubes: int = 0
    lost: int = 0
    duplicates: int = 0
    faults: list[str] = field(default_factory=list)
    lengths: dict[tuple[str, bool], Length] = field(default_factory=dict)
    retried: int = 0

    def prepare(self, ray: bool, phases: tuple[str, ...] = PHASES) -> None:
        """Write the studies and make the undisturbed cube, one phase after the other; it tells how long they take."""
        draws = ("draws = 5", f"draws = {DRAWS}"), ("draws = 5", f"draws = {MORE_DRAWS}")
        for name, edits in zip(
            PHASES,
            ((draws[0],), (draws[1],), (draws[1], ('"five_hubs"]', '"five_hubs", "four_hubs"]'))),
            strict=True,
        ):
            write_study(self.folder, *edits).rename(self.folder / name)
        for phase in phases:
            run = self.start(phase, self.undisturbed(ray), ray, f"undisturbed {ray}.log")
            code, end = run.wait(), time.time()
            begun, first = run.first("run"), run.first("solve")
            if code != 0 or begun is None or first is None:
                raise RuntimeError(f"the undisturbed run of {phase} ended with {code}: {run.stderr()}")
            count = len(solves(run.log.read_bytes()[run.offset :]))
            self.lengths[phase, ray] = Length(begun - run.started, first - begun, end - begun, count)

    def undisturbed(self, ray: bool) -> Path:
        """The cube that no fault came upon."""
        return self.folder / f"undisturbed{'-ray' * ray}.zarr"

    def start(self, phase: str, store: Path, ray: bool, log: str, again: bool = False) -> Run:
        """Start the run of a phase; `again`: with what was set aside."""
        how = [*(["--workers", str(WORKERS)] if ray else ["--serial"]), *["--retry-set-aside"] * again]
        return Run(self.folder, self.folder / log, [phase, *how, "--store", str(store)])

    def cube(self, kills: int, faults: Mapping[str, Fault], phases: tuple[str, ...] = PHASES) -> int:
        """Make one cube through all phases with at most so many kills on the way, then check it; returns the kills."""
        ray = faults is not SERIAL
        store = self.folder / f"cube{self.cubes}.zarr"
        ledger = Ledger(store, self.folder / f"{store.name}.log")
        ended: list[tuple[Run, float]] = []
        waiting, done, before, again = list(phases), 0, 0, False
        while waiting:
            run = self.start(waiting[0], store, ray, ledger.log.name, again)
            length = self.lengths[waiting[0], ray]
            left = max(1 - (_solved(ledger.log) - before) / length.solves, 0.2)
            shorter = replace(length, end=length.first + (length.end - length.first) * left)
            hit = done < kills and not again and self._disturb(run, waiting[0], shorter, faults, ledger)
            done += hit
            code = run.wait()
            if code == 1 and not again and done >= TOGETHER + TRIES and note_numbers(store, ASIDE):
                ledger.audit()  # of all until here: what is set aside may be solved again from here on
                ledger.entries.clear()
                self.retried, again = self.retried + 1, True
                continue
            again = False
            if code is None or (code != 0 and not (hit and code == -9)):
                self.faults.append(f"{store.name}, {waiting[0]}: exit code {code}: {run.stderr()[-2000:]}")
                kill_everything(run, self.random)
                break
            if code:
                ended.append((run, time.monotonic()))
            if code == 0 or (len(waiting) > 1 and store.exists() and self.random.random() < EARLY):
                waiting.pop(0)
                before = _solved(ledger.log)
        ledger.audit()
        for killed, at in ended:
            self._await_end(killed, at)
        self.cubes += 1
        self.lost += ledger.lost
        self.duplicates += ledger.duplicates
        if not waiting:
            self.faults += [f"{store.name}: {line}" for line in differences(store, self.undisturbed(ray=False))]
        return done

    def _disturb(self, run: Run, phase: str, length: Length, faults: Mapping[str, Fault], ledger: Ledger) -> bool:
        """Wait for a moment of chance and do a fault of chance; whether it came upon anything."""
        kind, drawn = self.random.choice(sorted(faults)), self.random.random()
        if drawn < WHOLE:
            run.wait(self.random.uniform(0, length.start + length.end))
        elif drawn < WHOLE + SOLVING:
            run.wait_for("solve")
            run.wait(self.random.uniform(0, length.end - length.first))
        else:
            run.wait_for("run")
            run.wait(self.random.uniform(0, length.end))
        if not faults[kind](run, self.random):
            return False
        ledger.enter()
        self.kinds[f"{'serial' if faults is SERIAL else 'ray'} {kind}"] += 1
        committed = len(ledger.entries[-1][0])
        print(f"{self.kinds.total():4d}  {phase} {kind}: {committed} records stand", file=sys.stderr, flush=True)
        return True

    def _await_end(self, run: Run, killed: float) -> None:
        """Whatever a killed driver had started ends by itself."""
        while run.members() and time.monotonic() - killed < LEFT_SECONDS:
            time.sleep(0.2)
        if left := run.members():
            self.faults.append(f"{sorted(left.values())} still run {LEFT_SECONDS:.0f} s after their driver was killed")
            kill_everything(run, self.random)

    def summary(self) -> str:
        """One line."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items()))
        again = f"; in {self.retried} cubes a draw was set aside after its kills, and tried again" * bool(self.retried)
        return (
            f"{self.kinds.total()} kills ({kinds}) of {self.cubes} cubes: lost {self.lost}, duplicates {self.duplicates}, "
            f"other faults {len(self.faults)}{again}"
        )


def _solved(log: Path) -> int:
    return len(solves(log.read_bytes())) if log.exists() else 0
