"""Errors of the model: bad inputs (the user mends a file) and models that the template cannot carry."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name most like ``name``, or None when none is near."""
    names = list(known)
    lowered = {n.lower(): n for n in names}
    match = get_close_matches(name.lower(), list(lowered), n=1, cutoff=0.5)
    return lowered[match[0]] if match else None


class InputError(ValueError):
    """An input table, scalar or parameter is wrong; nothing has been solved.

    Parameters
    ----------
    where : str
        File or section that holds the value.
    key : str
        Column, row or name inside it.
    found : object
        The value found.
    expected : str
        What would be right.
    known : iterable of str
        Known names, from which the nearest is offered.
    """

    def __init__(self, where: str, key: str, found: object, expected: str, known: Iterable[str] = ()) -> None:
        self.where, self.key, self.found, self.expected = where, key, found, expected
        self.nearest = nearest(str(found), known)
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        super().__init__(f"{where}: {key}: found {found!r}, expected {expected}{hint}")

    def __reduce__(self) -> tuple[type, tuple[str, str, object, str, tuple[str, ...]]]:
        """Pickle by arguments, so that the error crosses process borders whole."""
        known = (self.nearest,) if self.nearest else ()
        return (type(self), (self.where, self.key, self.found, self.expected, known))


class TemplateError(ValueError):
    """A Pyomo model, or a patch of it, that the compiled template cannot carry; the message names the culprit."""
