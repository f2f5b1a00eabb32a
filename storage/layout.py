"""Describe the shape of a cube: its variables, its dimensions and how they are cut into batches.

The first dimension of every variable is ``draw``. Along it the cube is cut into batches of equal length (the last
may be shorter), and one batch is one shard, hence one file, of every variable. So two writers of different batches
never touch the same file.

A cube may grow along two dimensions. More draws make more batches, the last short one being filled first. More
configurations make another *generation*: those that were added together, solved together and committed together.
Shards stay as wide as the first generation, so what is there keeps its place, and further shards stand beside.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from storage.errors import LayoutError, nearest

DType = Literal["float64", "int8", "int64"]
ITEM_BYTES: dict[str, int] = {"float64": 8, "int8": 1, "int64": 8}

INNER_CHUNK_BYTES = 16 * 1024
"""A shard is cut by configuration only where the pieces reach this size: a smaller piece costs more than it spares."""

GROWS = "configuration"
"""The dimension, beside ``draw``, along which labels may be added to a cube."""

RESERVED_NAMES = frozenset({"draw", "replicate", "run"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def plain_attrs(owner: str, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Return `attrs` as they will be read back from JSON.

    Raises
    ------
    LayoutError
        Where JSON cannot hold a value (NaN and infinity included).
    """
    try:
        plain: dict[str, Any] = json.loads(json.dumps(dict(attrs), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise LayoutError(f"attributes of {owner}: {dict(attrs)!r} cannot be written as JSON: {error}") from error
    return plain


@dataclass(frozen=True)
class Variable:
    """One variable of a cube.

    Parameters
    ----------
    name : str
        An identifier.
    dims : tuple of str
        ``draw`` first, then any others, each with its labels in the layout.
    dtype : {"float64", "int8", "int64"}
        Where nothing was written a float is NaN and an integer 0, so 0 must mean "not there" in an integer variable.
    attrs : mapping
        What JSON can hold. ``units`` is required, or ``flag_values`` and ``flag_meanings`` (CF conventions).
    across : bool
        Whether each value rests on all configurations of its draw (a regret). Such a variable is written, anew where
        it was there, with the last generation, and counts only where that is committed.

    Raises
    ------
    LayoutError
        Where a value is none of these.
    """

    name: str
    dims: tuple[str, ...]
    dtype: DType
    attrs: Mapping[str, Any] = field(default_factory=dict)
    across: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in RESERVED_NAMES:
            raise LayoutError(f"variable {self.name!r}: expected an identifier other than {sorted(RESERVED_NAMES)}")
        if self.dims[:1] != ("draw",) or len(set(self.dims)) != len(self.dims):
            raise LayoutError(f"variable {self.name!r}: dims {self.dims!r}, expected 'draw' first and none twice")
        if self.dtype not in get_args(DType):
            raise LayoutError(f"variable {self.name!r}: dtype {self.dtype!r}, expected one of {get_args(DType)}")
        object.__setattr__(self, "attrs", plain_attrs(f"variable {self.name!r}", self.attrs))
        if "units" not in self.attrs and "flag_meanings" not in self.attrs:
            raise LayoutError(f"variable {self.name!r}: attributes {dict(self.attrs)!r}, expected 'units' among them")
        if self.across and GROWS not in self.dims:
            raise LayoutError(f"variable {self.name!r}: dims {self.dims!r}, expected {GROWS!r} where across is set")

    @property
    def fill(self) -> float | int:
        """The value where nothing was written: NaN, or 0 for integers."""
        return math.nan if self.dtype == "float64" else 0


@dataclass(frozen=True)
class Layout:
    """The variables of a cube, the labels of its dimensions, and its cut into batches.

    Parameters
    ----------
    variables : tuple of Variable
        The outputs, kept in the root group. One of them is ``status`` (int8) with ``flag_values`` (0 among them) and
        ``flag_meanings``: what became of each cell. Every other variable counts only where status says so.
    coords : mapping of str to tuple of str
        The labels of every dimension but ``draw``, unique in each.
    draws : int
        How many draws, >= 1.
    batch : int
        How many draws make a batch, >= 1.
    run_variables : tuple of Variable
        What concerns the run and not the result (seconds, attempts), kept in the group ``run``.
    generations : tuple of int
        How many configurations came with each generation, in the order of their labels. Default: all with the first.

    Raises
    ------
    LayoutError
        Where these contradict each other.
    """

    variables: tuple[Variable, ...]
    coords: Mapping[str, tuple[str, ...]]
    draws: int
    batch: int
    run_variables: tuple[Variable, ...] = ()
    generations: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "coords", {dim: tuple(labels) for dim, labels in self.coords.items()})
        for key, value in (("draws", self.draws), ("batch", self.batch)):
            if value < 1:
                raise LayoutError(f"{key} = {value}, expected 1 or more")
        for dim, labels in self.coords.items():
            if not _NAME.fullmatch(dim) or dim in RESERVED_NAMES:
                raise LayoutError(f"dimension {dim!r}: expected an identifier other than {sorted(RESERVED_NAMES)}")
            if not labels or len(set(labels)) != len(labels) or not all(isinstance(label, str) for label in labels):
                raise LayoutError(f"dimension {dim!r}: labels {labels!r}, expected strings, at least one, none twice")
        for group in (self.variables, self.run_variables):
            names = [variable.name for variable in group]
            for variable in group:
                if names.count(variable.name) > 1 or variable.name in self.coords:
                    raise LayoutError(f"variable {variable.name!r}: the name is taken twice")
                for dim in variable.dims[1:]:
                    if dim not in self.coords:
                        hint = nearest(dim, self.coords)
                        raise LayoutError(f"variable {variable.name!r}: dimension {dim!r} has no labels{hint}")
        self._check_status()
        count = len(self.coords.get(GROWS, ("all",)))
        object.__setattr__(self, "generations", tuple(self.generations) or (count,))
        if sum(self.generations) != count or min(self.generations) < 1:
            raise LayoutError(f"generations {self.generations}: expected numbers that sum to {count}, each 1 or more")

    def _check_status(self) -> None:
        status = next((variable for variable in self.variables if variable.name == "status"), None)
        if status is None or status.dtype != "int8":
            raise LayoutError("a layout needs an int8 variable 'status'")
        values, meanings = status.attrs.get("flag_values"), status.attrs.get("flag_meanings")
        if not isinstance(values, list) or not isinstance(meanings, str) or len(values) != len(meanings.split()):
            raise LayoutError(
                f"'status' has flag_values {values!r} and flag_meanings {meanings!r}, expected a list of integers and "
                "as many words in one string"
            )
        if 0 not in values or len(set(values)) != len(values) or len(set(meanings.split())) != len(values):
            raise LayoutError(f"flag_values {values!r} of 'status': expected 0 (nothing was run) among unique flags")

    @property
    def status(self) -> Variable:
        """The variable that says what became of each cell."""
        return next(variable for variable in self.variables if variable.name == "status")

    @property
    def status_meanings(self) -> dict[int, str]:
        """The word for each value of status."""
        return dict(zip(self.status.attrs["flag_values"], self.status.attrs["flag_meanings"].split(), strict=True))

    @property
    def batches(self) -> int:
        """How many batches the draws make; the last may be shorter than the others."""
        return math.ceil(self.draws / self.batch)

    def bounds(self, batch: int) -> tuple[int, int]:
        """Return the draws ``[start, stop)`` of one batch.

        Raises
        ------
        LayoutError
            Where there is no such batch.
        """
        if not 0 <= batch < self.batches:
            raise LayoutError(f"batch {batch}: expected 0 to {self.batches - 1} ({self.draws} draws by {self.batch})")
        return batch * self.batch, min((batch + 1) * self.batch, self.draws)

    def shape(self, variable: Variable, draws: int | None = None) -> tuple[int, ...]:
        """Return the shape of `variable` over the whole cube, or over so many `draws`."""
        return (self.draws if draws is None else draws, *(len(self.coords[dim]) for dim in variable.dims[1:]))

    def labels(self, generation: int) -> slice:
        """Return the positions of a generation's configurations."""
        start = sum(self.generations[:generation])
        return slice(start, start + self.generations[generation])

    def is_written(self, variable: Variable, generation: int) -> bool:
        """Return whether `variable` is written with this generation: what compares all with the last, see `Variable`."""
        if variable.across:
            return generation == len(self.generations) - 1
        return generation == 0 or GROWS in variable.dims

    def region(self, variable: Variable, generation: int, start: int, stop: int) -> tuple[slice, ...]:
        """Return where the draws [start, stop) of a generation lie in the array of `variable`."""
        rows = {"draw": slice(start, stop)}
        if not variable.across:
            rows[GROWS] = self.labels(generation)
        sizes = self.shape(variable)
        return tuple(rows.get(dim, slice(0, size)) for dim, size in zip(variable.dims, sizes, strict=True))

    def shard(self, variable: Variable) -> tuple[int, ...]:
        """Return the shape of one shard: a batch of draws, as many configurations as came first, all else whole."""
        sizes = {"draw": self.batch, GROWS: self.generations[0]}
        whole = self.shape(variable)
        return tuple(sizes.get(dim, size) for dim, size in zip(variable.dims, whole, strict=True))

    def shard_columns(self, variable: Variable, generation: int) -> range:
        """Return the places along the configurations of the shards that a generation is written into."""
        if GROWS not in variable.dims:
            return range(1)
        if variable.across:
            return range(self.columns)
        labels, width = self.labels(generation), self.generations[0]
        return range(labels.start // width, (labels.stop - 1) // width + 1)

    def shard_name(self, variable: Variable, batch: int, column: int) -> str:
        """Return the name of a shard's file in the directory of its variable."""
        places = ({"draw": batch, GROWS: column}.get(dim, 0) for dim in variable.dims)
        return "c." + ".".join(map(str, places))

    def inner_chunk(self, variable: Variable) -> tuple[int, ...]:
        """Return the shape of the pieces within a shard that are compressed, and may be read, on their own.

        One configuration each where that makes pieces of `INNER_CHUNK_BYTES` and more, else the whole shard.
        """
        shard = self.shard(variable)
        piece = tuple(1 if dim == GROWS else size for dim, size in zip(variable.dims, shard, strict=True))
        return piece if math.prod(piece) * ITEM_BYTES[variable.dtype] >= INNER_CHUNK_BYTES else shard

    def grown(self, draws: int, labels: Sequence[str] = ()) -> Layout:
        """Return this layout with so many draws in all and, as a new generation, further configurations.

        Raises
        ------
        LayoutError
            Fewer draws than there are, a label that is there already, or no dimension to add it to.
        """
        if draws < self.draws:
            raise LayoutError(f"draws = {draws}, expected {self.draws} or more: a cube does not shrink")
        if not labels:
            return replace(self, draws=draws)
        coords = {**self.coords, GROWS: (*self.coords.get(GROWS, ()), *labels)}
        return replace(self, draws=draws, coords=coords, generations=(*self.generations, len(labels)))

    @property
    def columns(self) -> int:
        """How many shards stand side by side along the configurations."""
        return math.ceil(sum(self.generations) / self.generations[0])

    @property
    def nbytes(self) -> int:
        """Size of all variables before compression, in bytes; the draw table is not counted."""
        return sum(
            math.prod(self.shape(variable)) * ITEM_BYTES[variable.dtype]
            for variable in (*self.variables, *self.run_variables)
        )

    @property
    def files(self) -> int:
        """How many files the finished batches take: the shards of every variable, commit records and summaries."""
        variables = (*self.variables, *self.run_variables)
        shards = sum(self.columns if GROWS in variable.dims else 1 for variable in variables)
        return self.batches * (shards + len(self.generations) + 1)
