"""Addresses of object stores: ``s3://bucket/key``, ``gs://bucket/key``, and ``memory://key`` within one process.

Every object is put, read, listed or removed whole; one PUT is atomic. `storage.remote_settings` tells where credentials
come from and how often is tried, `storage.remote_faults` what becomes of a request that fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, NotSupportedError, PreconditionError

from storage.errors import PathError
from storage.remote_faults import reaching, tried_again
from storage.remote_settings import AnyStore, store_of

Made = TypeVar("Made")

AT_ONCE = 32
"""Requests under way at once from one process."""
SCHEMES = ("s3", "gs", "memory")
ACCEPTED = "a local path, s3://bucket/name, gs://bucket/name or memory://name"


@dataclass(frozen=True, order=True)
class RemotePath:
    """Where an object lies, or those below it: much of what `pathlib.Path` offers, for object stores.

    Attributes
    ----------
    scheme : {"s3", "gs", "memory"}
        The kind of store.
    bucket : str
        Empty for memory.
    key : str
        What comes after the bucket, without slashes at its ends.
    """

    scheme: str
    bucket: str
    key: str

    @classmethod
    def parse(cls, text: str) -> RemotePath:
        """Return the address in `text`.

        Raises
        ------
        PathError
            Another scheme, no bucket or name, or a part that has no place in an address (a password, a query).
        """
        scheme, _, rest = text.partition("://")
        place, _, key = rest.partition("/")
        shown = f"{scheme}://{place.rpartition('@')[2].partition('?')[0]}"
        if "@" in place or "?" in rest or "#" in rest:
            raise PathError(
                f"{shown}...: user, password, query or '#' in an address; credentials come from the environment"
            )
        if scheme.lower() not in SCHEMES:
            raise PathError(f"{shown}: unknown scheme {scheme!r}, expected {ACCEPTED}")
        if scheme.lower() == "memory":
            place, key = "", rest
        key = key.rstrip("/")
        if not key or (scheme.lower() != "memory" and not place) or set(key.split("/")) & {"", ".", ".."}:
            raise PathError(f"{text!r}: expected {ACCEPTED}")
        return cls(scheme.lower(), place, key)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}{'/' if self.bucket else ''}{self.key}"

    def __truediv__(self, name: object) -> RemotePath:
        return RemotePath(self.scheme, self.bucket, f"{self.key}/{name}")

    @property
    def name(self) -> str:
        """The last part."""
        return self.key.rpartition("/")[2]

    @property
    def stem(self) -> str:
        """The last part without its ending."""
        return self.name.rpartition(".")[0] or self.name

    @property
    def parent(self) -> RemotePath:
        """What holds it."""
        return RemotePath(self.scheme, self.bucket, self.key.rpartition("/")[0])

    def with_name(self, name: str) -> RemotePath:
        """Return the neighbour of this name."""
        parent = self.key.rpartition("/")[0]
        return RemotePath(self.scheme, self.bucket, f"{parent}/{name}" if parent else name)

    def absolute(self) -> RemotePath:
        """Return the address, which is always whole."""
        return self

    def resolve(self) -> RemotePath:
        """Return the address, which has no links in it."""
        return self

    def relative_to(self, other: RemotePath) -> str:
        """Return what comes after `other`."""
        return self.key.removeprefix(f"{other.key}/")

    def exists(self) -> bool:
        """Return whether an object has this very name."""
        try:
            with reaching(self):
                tried_again(lambda: obstore.head(self._store, self.key))
        except FileNotFoundError:
            return False
        return True

    is_file = exists

    def is_dir(self) -> bool:
        """Return whether an object lies below this name."""
        with reaching(self):
            return tried_again(lambda: any(obstore.list(self._store, self.key, chunk_size=1)))

    def read_bytes(self) -> bytes:
        """Return the object; FileNotFoundError where there is none."""

        def get() -> bytes:
            return bytes(obstore.get(self._store, self.key).bytes())

        with reaching(self):
            return tried_again(get)

    def put(self, content: bytes) -> None:
        """Write the object whole, over what is there."""
        with reaching(self):
            tried_again(lambda: obstore.put(self._store, self.key, content))

    def put_new(self, content: bytes) -> bool:
        """Write the object where nothing has its name, in one step; return False where something has.

        On a server that knows no conditional PUT it is looked up first, in a step of its own.
        """

        def create() -> bool:
            try:
                obstore.put(self._store, self.key, content, mode="create")
            except (AlreadyExistsError, PreconditionError):
                # A PUT whose answer was lost and that was tried again finds itself.
                return bytes(obstore.get(self._store, self.key).bytes()) == content
            return True

        with reaching(self):
            try:
                return tried_again(create)
            except BaseError as error:
                if not isinstance(error, NotSupportedError) and "501 Not Implemented" not in str(error):
                    raise
                if self.exists():
                    return self.read_bytes() == content
                self.put(content)
                return True

    def below(self) -> dict[RemotePath, int]:
        """Return every object below this name with its size in bytes, in order."""
        with reaching(self):
            found = tried_again(lambda: obstore.list(self._store, self.key).collect())
        return dict(sorted((RemotePath(self.scheme, self.bucket, each["path"]), each["size"]) for each in found))

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the object."""
        try:
            with reaching(self):
                tried_again(lambda: obstore.delete(self._store, self.key))
        except FileNotFoundError:
            if not missing_ok:
                raise

    @property
    def _store(self) -> AnyStore:
        return store_of(self.scheme, self.bucket)


def at_once(call: Callable[[Any], Made], items: Iterable[Any]) -> Iterator[Made]:
    """Call for every item, many at a time; the results in order."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield from threads.map(call, items)
