"""Speak Japanese or English: pick the words, write numbers and amounts of money in the units of the language."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from report.document import labels

Language = Literal["ja", "en"]


@dataclass(frozen=True)
class Words:
    """One language of a document.

    Amounts come in billion yen; Japanese shows them in 億円 (a hundred million), ten times as many.
    """

    language: Language

    def __call__(self, english: str, japanese: str) -> str:
        """Return what is said in this language."""
        return english if self.language == "en" else japanese

    @property
    def scale(self) -> float:
        """What billions of yen are multiplied by to be shown."""
        return 1.0 if self.language == "en" else 10.0

    @property
    def unit(self) -> str:
        """Unit of shown amounts."""
        return self("billion yen per year", "億円/年")

    def amount(self, billions: float) -> str:
        """Write an amount without its unit, digits by size; a dash where it is missing."""
        return number(billions * self.scale)

    def money(self, billions: float) -> str:
        """Write an amount with its unit, for running text."""
        return f"{self.amount(billions)}{self(' billion yen', '億円')}"

    def share(self, value: float) -> str:
        """Write a share in per cent."""
        return "–" if math.isnan(value) else f"{100 * value:.1f}{self(' %', '％')}"

    def configuration(self, name: str) -> str:
        """Name a configuration."""
        return self._of(labels.CONFIGURATIONS, name)

    def area(self, name: str) -> str:
        """Name an area."""
        return self._of(labels.AREAS, name)

    def line(self, name: str) -> str:
        """Name a line."""
        return self._of(labels.LINES, name)

    def tier(self, name: str) -> str:
        """Name a tier."""
        return self._of(labels.TIERS, name)

    def parameter(self, name: str) -> str:
        """Name an uncertainty."""
        return self._of(labels.PARAMETERS, name)

    def metric(self, name: str) -> str:
        """Name a metric."""
        return self._of(labels.METRICS, name)

    def units(self, name: str) -> str:
        """Name a unit; nothing for pure numbers."""
        return "" if name in ("", "1", "share", "0/1", "choice") else self._of(labels.UNITS, name)

    def listed(self, items: list[str]) -> str:
        """Put items into one phrase."""
        if self.language == "ja":
            return "、".join(items)
        return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else ""

    def _of(self, table: dict[str, labels.Pair], name: str) -> str:
        pair = table.get(name)
        return name if pair is None else self(*pair)


def number(value: float) -> str:
    """Write a number with three digits or all before the point; a dash where it is missing."""
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 or size == 0 else 3
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "−")
