"""Say what a document is made of: sections with sentences, figures and tables, whatever they are rendered to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from matplotlib.figure import Figure


@dataclass(frozen=True)
class Sentence:
    """A sentence and the numbers in it, as written, by what they are: so that each can be checked against the cube.

    ``heading`` stands above it where it begins a group of sentences.
    """

    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    heading: str = ""


@dataclass(frozen=True)
class Cell:
    """What stands in a table: text as shown, the plain value for CSV, and a rank in 0 (best) .. 1 that colours it."""

    text: str
    value: object = None
    rank: float | None = None

    @property
    def plain(self) -> str:
        """Text for CSV: the value where there is one, empty where it is missing."""
        if self.value is None:
            return self.text
        return "" if self.value != self.value else str(self.value)


@dataclass(frozen=True)
class Table:
    """A named table; its rows hold text or cells."""

    name: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]

    @property
    def cells(self) -> list[list[Cell]]:
        """The rows as cells."""
        return [[each if isinstance(each, Cell) else Cell(each) for each in row] for row in self.rows]


@dataclass(frozen=True)
class Chart:
    """A named figure with its caption."""

    name: str
    caption: str
    figure: Figure


@dataclass(frozen=True)
class Section:
    """A titled part: sentences first, then what is shown, then notes in small print."""

    name: str
    title: str
    sentences: Sequence[Sentence] = ()
    shown: Sequence[Table | Chart] = ()
    notes: Sequence[str] = ()
