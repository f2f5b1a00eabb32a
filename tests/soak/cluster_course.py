"""The course of a soak on clusters: sweep after sweep, some faults upon each, and what every cube must be afterwards."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from unittest import mock

from model.kept_templates import FOLDER_VARIABLE
from storage import note_numbers
from sweep.events import ASIDE
from sweep.plan import Plan
from sweep.run import run
from tests.cluster_cases import assert_same_but_for
from tests.soak.cluster_faults import HARM, NODES, ON_CLUSTER, POISON, HangError, Sweep
from tests.soak.ledger import Ledger, differences, records
from tests.soak.nodes import Nodes, adopt_orphans, at_work, descendants, send, settings
from tests.sweep_cases import plan_of, write_study

DRAWS = 40  # in batches of two
FAULTS_LEAST, FAULTS_MOST = 3, 6  # of one sweep
EARLY = 0.3  # how often a fault does not wait for a draw begun since the last one: it comes upon what still recovers
EARLY_SECONDS, MOMENT_SECONDS = 8.0, 3.0
LEFT_SECONDS = 180.0  # by then whatever a dead node had started must have ended; see `tests.soak.course`
LEAVE_SECONDS = 60.0  # the same for workers, after their driver's end


@dataclass
class ClusterSoak:
    """Faults of clusters, and what became of the cubes; used by `soak`.

    Attributes
    ----------
    kinds : Counter
        Faults done, by kind.
    wrong : list of str
        Whatever was wrong.
    """

    folder: Path
    random: Random
    kinds: Counter[str] = field(default_factory=Counter)
    sweeps: int = 0
    lost: int = 0
    duplicates: int = 0
    wrong: list[str] = field(default_factory=list)
    plan: Plan = field(init=False)
    undisturbed: Path = field(init=False)

    def soak(self, wanted: int) -> None:
        """Bring so many faults upon sweeps that share clusters as long as their heads live."""
        adopt_orphans()
        before = descendants(os.getpid()).keys()
        with settings(), mock.patch.dict(os.environ, {FOLDER_VARIABLE: str(self.folder / "cache")}):
            self.plan = plan_of(write_study(self.folder, ("draws = 5", f"draws = {DRAWS}"), ("five_hubs", "today")))
            self.undisturbed = self.folder / "undisturbed.zarr"
            run(self.plan, self.undisturbed, serial=True)
            nodes = Nodes(NODES)
            try:
                while self.kinds.total() < wanted and not self.wrong:
                    self.sweep(nodes, min(wanted - self.kinds.total(), self.random.randint(FAULTS_LEAST, FAULTS_MOST)))
            finally:
                nodes.end()
        self._all_gone(lambda: sorted(descendants(os.getpid()).keys() - before), LEFT_SECONDS, "the clusters' end")

    def sweep(self, nodes: Nodes, faults: int) -> None:
        """Make one cube with at most so many faults on the way, then check it."""
        while len(nodes.nodes) < NODES:
            nodes.add()
        kinds = self.random.choices([*ON_CLUSTER, POISON], k=faults)
        poisoned = self.random.randrange(DRAWS) if POISON in kinds else None
        kinds = [kind for kind in kinds if kind != POISON]
        sweep = Sweep(self.folder, f"cube{self.sweeps}", nodes, _poison(self.plan, poisoned, self.random))
        self.sweeps += 1
        ledger = Ledger(sweep.store, sweep.log)
        begun = time.monotonic()
        try:
            for kind in kinds:
                self._disturb(sweep, kind, ledger)
            code = sweep.finish()
        except (HangError, OSError) as fault:
            self.wrong.append(f"{sweep.store.name}: {fault}: {sweep.said.read_text(errors='replace')[-3000:]}")
            return
        finally:
            sweep.driver.kill()  # which has ended, but for a fault
            sweep.driver.wait()
        if code:
            said = sweep.said.read_text(errors="replace")[-3000:]
            self.wrong.append(f"{sweep.store.name}: exit code {code}: {said}")
            return
        ledger.enter()
        self._all_gone(lambda: at_work(os.getpid()), LEAVE_SECONDS, f"the end of {sweep.store.name}")
        self._check(sweep, ledger, poisoned)
        if poisoned is not None:
            self._count(sweep, POISON)
        print(f"      {sweep.store.name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)

    def _disturb(self, sweep: Sweep, kind: str, ledger: Ledger) -> None:
        """Wait for a moment of chance and do a fault."""
        if self.random.random() < EARLY:
            sweep.rest(self.random.uniform(0, EARLY_SECONDS))
        else:
            before = sweep.solved()
            sweep.until(lambda: sweep.solved() > before, "another draw")
            sweep.rest(self.random.uniform(0, MOMENT_SECONDS))
        if sweep.ended():
            return  # sooner done than its faults: other sweeps will have them
        ledger.enter()
        if ON_CLUSTER[kind](sweep, self.random):
            ledger.enter()
            self._count(sweep, kind)

    def _count(self, sweep: Sweep, kind: str) -> None:
        self.kinds[kind] += 1
        stand = len(records(sweep.store))
        print(f"{self.kinds.total():4d}  {kind}: {stand} records stand", file=sys.stderr, flush=True)

    def _check(self, sweep: Sweep, ledger: Ledger, poisoned: int | None) -> None:
        ledger.audit()
        self.lost += ledger.lost
        self.duplicates += max(ledger.duplicates, ledger.begun_when_done())
        expected = [] if poisoned is None else [poisoned]
        found = note_numbers(sweep.store, ASIDE)
        if found != expected:
            self.wrong.append(f"{sweep.store.name}: draws {found} were set aside, expected {expected}")
        elif poisoned is None:
            self.wrong += [f"{sweep.store.name}: {line}" for line in differences(sweep.store, self.undisturbed)]
        else:
            try:
                assert_same_but_for(sweep.store, self.undisturbed, {poisoned})
            except AssertionError as difference:
                self.wrong.append(f"{sweep.store.name}: {difference}")

    def _all_gone(self, left: Callable[[], list[int]], seconds: float, what: str) -> None:
        """Whatever is asked for ends by itself."""
        deadline = time.monotonic() + seconds
        while left() and time.monotonic() < deadline:
            time.sleep(0.2)
        if pids := left():
            lines = descendants(os.getpid())
            self.wrong.append(f"{seconds:.0f} s after {what} still run: {[lines.get(pid) for pid in pids]}")
            send(pids, signal.SIGKILL)

    def summary(self) -> str:
        """One line."""
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(self.kinds.items()))
        return (
            f"{self.kinds.total()} faults of clusters ({kinds}) upon {self.sweeps} sweeps: lost {self.lost}, "
            f"duplicates {self.duplicates}, other faults {len(self.wrong)}"
        )


def _poison(plan: Plan, draw: int | None, random: Random) -> tuple[str, str] | None:
    return None if draw is None else (repr(float(plan.table["dc_demand"].values[draw])), random.choice(HARM))
