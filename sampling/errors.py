"""Say what was refused: one error type with the key, the value found, what was expected and the nearest known name."""

import difflib
from collections.abc import Iterable


class SamplingError(ValueError):
    """An uncertainty, a design or a file of draws that cannot be used as it stands.

    Parameters
    ----------
    key : str
        Where the fault is, e.g. ``uncertain.dc_demand.mode`` or ``futures.csv row 3, column pue_gap``.
    found : object
        The value found there; None where there is nothing.
    expected : str
        What would have been accepted, as the end of the sentence "expected ...".
    nearest : str or None
        The known name that looks most like a misspelt one.
    """

    def __init__(self, key: str, found: object, expected: str, nearest: str | None = None) -> None:
        # The plain arguments go to the base class so that the error survives pickling between processes.
        super().__init__(key, found, expected, nearest)
        self.key = key
        self.found = found
        self.expected = expected
        self.nearest = nearest

    def __str__(self) -> str:
        """Return the fault on one line."""
        found = "nothing" if self.found is None else repr(self.found)
        hint = "" if self.nearest is None else f"; nearest known name: {self.nearest}"
        return f"{self.key}: found {found}, expected {self.expected}{hint}"

    def inside(self, where: str) -> "SamplingError":
        """Return the same fault with `where` before its key."""
        return SamplingError(f"{where}.{self.key}", self.found, self.expected, self.nearest)


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the name in `known` that is most like `name`, or None where none is near."""
    matches = difflib.get_close_matches(name, list(known), n=1)
    return matches[0] if matches else None
