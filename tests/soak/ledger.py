"""Keep the books of a soak: what was committed at each fault must stay as it was, and nothing of it is solved again."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path

from storage import cube_progress
from tests.sweep_cases import files_outside_run

Cell = tuple[int, str]  # draw and configuration


@dataclass(frozen=True)
class Held:
    """A commit record at the time of a fault: its content, and when it was written [ns]."""

    content: bytes
    written: int

    @property
    def cells(self) -> set[Cell]:
        """Draws and configurations that it names."""
        record = json.loads(self.content)
        return {(draw, name) for draw in range(*record["draws"]) for name in record["configurations"]}

    def is_in(self, now: Held | None) -> bool:
        """Whether it stands: untouched, or written anew in one step with the draws that completed its batch."""
        return now is not None and (now == self or (self.cells < now.cells and self.written < now.written))


@dataclass
class Ledger:
    """The faults of one cube: the records that stood at each, and how long the log of solves was.

    Attributes
    ----------
    lost, duplicates : int
        Cells, counted by `audit`: committed at a fault and not afterwards; solved again though they were committed.
    """

    store: Path
    log: Path
    entries: list[tuple[dict[str, Held], int]] = field(default_factory=list)
    lost: int = 0
    duplicates: int = 0

    def enter(self) -> None:
        """Note what is committed now; from here on none of it may be solved."""
        held = records(self.store)
        self.entries.append((held, self.log.stat().st_size if self.log.exists() else 0))

    def audit(self) -> None:
        """Compare each entry with the next one, the last with the cube as it is, and with the solves that followed."""
        if not self.entries:
            return
        followed = [held for held, _ in self.entries[1:]] + [records(self.store)]
        log = self.log.read_bytes()
        for (held, length), now in zip(self.entries, followed, strict=True):
            self.lost += sum(len(one.cells) for name, one in held.items() if not one.is_in(now.get(name)))
            committed = set().union(*(one.cells for one in held.values()))
            self.duplicates += sum(len(committed & cells) for cells in solves(log[length:]))

    def begun_when_done(self) -> int:
        """Cells that were begun after their record stood, by the clock of the one machine."""
        stand = {cell: held.written for held in records(self.store).values() for cell in held.cells}
        notes = [json.loads(line) for line in self.log.read_bytes().splitlines()]
        return sum(
            stand.get((note["draw"], name), math.inf) < note["time"] * 1e9
            for note in notes
            if note["event"] == "solve"
            for name in note["configurations"]
        )


def records(store: Path) -> dict[str, Held]:
    """Every commit record of a cube, by its name; none where there is no cube."""
    folder = store / "run" / "commits"
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    return {file.name: Held(file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def solves(log: bytes) -> list[set[Cell]]:
    """Cells of each solve that was begun, in order."""
    notes = [json.loads(line) for line in log.splitlines()]
    return [{(note["draw"], name) for name in note["configurations"]} for note in notes if note["event"] == "solve"]


def differences(store: Path, undisturbed: Path) -> list[str]:
    """Lines on where a finished cube is not the undisturbed one, byte for byte outside ``run``."""
    missing = cube_progress(store).missing_batches
    found, expected = files_outside_run(store), files_outside_run(undisturbed)
    names = sorted(name for name in {*found, *expected} if found.get(name) != expected.get(name))
    return [f"batches {missing} are missing"] * bool(missing) + [f"{name} differs" for name in names]
