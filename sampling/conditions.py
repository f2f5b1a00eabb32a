"""Let a number of a distribution follow other parameters: the range of one set by the value of another.

    max = { constant = 0.6, slopes = { dc_demand = 0.05 } }              0.6 + 0.05 * dc_demand
    max = { by = "policy", values = { exit = 0.8, restart = 1.62 } }     the number that belongs to the value of `policy`

A draw's distribution is then the one that its own values of the parents make, checked like any other.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator, Field, PrivateAttr, Tag

from sampling.categories import Choice
from sampling.errors import SamplingError, nearest_name
from sampling.marginals import Floats, Marginal, Values, floats
from sampling.spec import Spec

Columns = Mapping[str, Values]
SCENARIO = "scenario"  # also a parent: the name of the named future


class Linear(Spec):
    """constant + sum of slope * parameter."""

    constant: float = 0.0
    slopes: dict[str, float] = Field(min_length=1)

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the parameters that it follows."""
        return tuple(self.slopes)

    def at(self, columns: Columns, key: str, first: int = 0) -> Floats:
        """Return the number of each draw (n,), summed in the order of the slopes."""
        total = np.full(len(columns[self.parents[0]]), self.constant)
        for name, slope in self.slopes.items():
            if columns[name].dtype.kind != "f":
                raise SamplingError(
                    f"{key}.slopes.{name}", str(columns[name][0]), "a parameter of numbers, or by = NAME"
                )
            total += slope * columns[name].astype(np.float64)
        return total

    def describe(self) -> str:
        """Return the expression as text."""
        terms = [f"{slope:g}*{name}" for name, slope in self.slopes.items()]
        return " + ".join([f"{self.constant:g}", *terms])


class ByValue(Spec):
    """One number for each value of a parameter: of a text by its name, of a number by the number written out (``"1"``)."""

    by: str
    values: dict[str, float] = Field(min_length=1)

    @property
    def parents(self) -> tuple[str, ...]:
        """Name of the parameter that it follows."""
        return (self.by,)

    def at(self, columns: Columns, key: str, first: int = 0) -> Floats:
        """Return the number of each draw (n,), of which the first has the number `first` in messages."""
        texts = [value if isinstance(value, str) else f"{value:g}" for value in columns[self.by].tolist()]
        for draw, text in enumerate(texts):
            if text not in self.values:
                expected = f"one of {', '.join(self.values)}, as in its values"
                raise SamplingError(
                    f"{key}.by.{self.by}[draw {first + draw}]", text, expected, nearest_name(text, self.values)
                )
        return floats([self.values[text] for text in texts])

    def describe(self) -> str:
        """Return the table as text."""
        inside = ", ".join(f"{value}: {number:g}" for value, number in self.values.items())
        return f"by {self.by} ({inside})"


Condition = Annotated[
    Annotated[Linear, Tag("Linear")] | Annotated[ByValue, Tag("ByValue")],
    Discriminator(lambda value: "ByValue" if "by" in value or "values" in value else "Linear"),
]


def is_condition(value: object) -> bool:
    """Return whether the value of a key of a distribution is meant as a condition."""
    return isinstance(value, Mapping) and bool({"by", "slopes"} & set(value))


class Conditional(Marginal):
    """A distribution of which some numbers follow other parameters; `values` takes the place of a quantile function."""

    distribution: str
    numbers: dict[str, Any]
    conditions: dict[str, Condition]
    _parse: Callable[[Mapping[str, Any]], Marginal] = PrivateAttr()

    def parsed_by(self, parse: Callable[[Mapping[str, Any]], Marginal]) -> Self:
        """Take the reader of declarations that the distribution of each draw goes through."""
        self._parse = parse
        return self

    @property
    def parents(self) -> tuple[str, ...]:
        """Names of the parameters that some number follows, each once."""
        return tuple(dict.fromkeys(name for each in self.conditions.values() for name in each.parents))

    def ppf(self, u: Floats) -> Floats:
        """Refuse: without the parents there is no value."""
        raise SamplingError(
            "distribution", self.describe(), f"the values of {', '.join(self.parents)} beside the ranks"
        )

    def values(self, u: Floats, columns: Columns, key: str, first: int = 0) -> Values:
        """Return the values (n,) at the ranks `u` (n,), given the parents' values.

        Parameters
        ----------
        u : float64 array (n,)
            Ranks in [0, 1).
        columns : mapping
            Parent -> its values (n,).
        key : str
            Of the declaration, for messages.
        first : int
            Number of the first draw, for messages.

        Raises
        ------
        SamplingError
            A parent's value that no table names, or numbers that make no such distribution; the first such draw is named.
        """
        values = np.empty(len(u))
        for marginal, members in self.given(columns, key, first):
            values[members] = marginal.ppf(u[members])
        return values

    def log_mass(self, x: Values) -> Floats:
        """Refuse, as `ppf`: see `given`."""
        return self.ppf(np.zeros(len(x)))

    def log_density(self, x: Values) -> Floats:
        """Refuse, as `ppf`: see `given`."""
        return self.ppf(np.zeros(len(x)))

    def given(self, columns: Columns, key: str, first: int = 0) -> Iterator[tuple[Marginal, NDArray[np.bool_]]]:
        """Give the distributions that the parents' values make, each with its draws, boolean (n,); errors as `values`."""
        followed = np.stack([one.at(columns, f"{key}.{name}", first) for name, one in self.conditions.items()], axis=1)
        rows, begins, groups = np.unique(followed, axis=0, return_index=True, return_inverse=True)
        for group in np.argsort(begins, kind="stable").tolist():
            own = self.numbers | dict(zip(self.conditions, rows[group].tolist(), strict=True))
            given = ", ".join(f"{name}={columns[name][begins[group]]}" for name in self.parents)
            try:
                marginal = self._parse({"distribution": self.distribution, **own})
            except SamplingError as fault:
                told = f"{fault.key} [draw {first + begins[group]}, where {given}]"
                raise SamplingError(told, fault.found, fault.expected, fault.nearest) from fault
            yield marginal, groups.reshape(-1) == group

    def _parameters(self) -> dict[str, float | str]:
        return self.numbers | {key: condition.describe() for key, condition in self.conditions.items()}


def order_of_values(marginals: Mapping[str, Marginal], also: Iterable[str] = ()) -> list[str]:
    """Return the parameters so that each follows its parents, otherwise in their own order.

    Parameters
    ----------
    also : iterable of str
        Further names that a condition may follow, such as ``scenario``.

    Raises
    ------
    SamplingError
        A parent that is no parameter, values that a parent of texts does not have, or parameters that follow each other.
    """
    names = [*marginals, *also]
    waiting: dict[str, set[str]] = {}
    for name, marginal in marginals.items():
        waiting[name] = set()
        if isinstance(marginal, Conditional):
            for key, condition in marginal.conditions.items():
                _check_parents(f"uncertain.{name}.{key}", condition, marginals, names)
            waiting[name] = set(marginal.parents) & set(marginals)
    ordered: list[str] = []
    while waiting:
        ready = next((name for name, parents in waiting.items() if not parents), None)
        if ready is None:
            circle = ", ".join(waiting)
            raise SamplingError(
                f"uncertain.{next(iter(waiting))}", circle, "no parameters that follow each other in a circle"
            )
        ordered.append(ready)
        del waiting[ready]
        for parents in waiting.values():
            parents.discard(ready)
    return ordered


def _check_parents(key: str, condition: Linear | ByValue, marginals: Mapping[str, Marginal], names: list[str]) -> None:
    for parent in condition.parents:
        if parent not in names:
            raise SamplingError(key, parent, "the name of a parameter to follow", nearest_name(parent, names))
        marginal = marginals.get(parent)
        if isinstance(condition, ByValue) and isinstance(marginal, Choice):
            for value in condition.values:
                if value not in marginal.odds:
                    known = ", ".join(marginal.odds)
                    raise SamplingError(f"{key}.values", value, f"one of {known}", nearest_name(value, marginal.odds))
