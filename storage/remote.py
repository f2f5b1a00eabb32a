"""Addresses of object stores: ``s3://bucket/key``, ``gs://bucket/key``, and ``memory://key`` within one process.

Every object is put, read, listed or removed whole; one PUT is atomic. Credentials, region and endpoint come from the
environment (``AWS_...``, ``GOOGLE_...``) as obstore finds them and never enter an address or a message. What a server
answers with 5xx, too late or not at all is tried again; `RETRIES`, `TIMEOUT` and the waits below say how often.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotSupportedError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.store import GCSStore, MemoryStore, S3Store
from zarr.storage import ObjectStore

from storage.errors import PathError, StoreRefusedError, StoreUnavailableError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

Made = TypeVar("Made")
AnyStore = S3Store | GCSStore | MemoryStore

RETRIES = 8
"""Times that a request is tried again; ``WATTBIT_STORE_RETRIES`` in the environment takes its place."""
TIMEOUT = 60.0
"""Seconds until an answer must be whole; ``WATTBIT_STORE_TIMEOUT`` takes its place."""
CONNECT_SECONDS = 10.0
FIRST_WAIT, LONGEST_WAIT = 0.1, 10.0  # seconds between two tries, doubled each time, with some chance in it
PATIENCE = 180.0  # seconds for all tries of one request
AT_ONCE = 32
"""Requests under way at once from one process."""

SCHEMES = ("s3", "gs", "memory")
ACCEPTED = "a local path, s3://bucket/name, gs://bucket/name or memory://name"
_ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
}
_SECRETS = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL", re.IGNORECASE)
_MEMORY = MemoryStore()


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
                _tried_again(lambda: obstore.head(_store_of(self), self.key))
        except FileNotFoundError:
            return False
        return True

    is_file = exists

    def is_dir(self) -> bool:
        """Return whether an object lies below this name."""
        with reaching(self):
            return _tried_again(lambda: any(obstore.list(_store_of(self), self.key, chunk_size=1)))

    def read_bytes(self) -> bytes:
        """Return the object; FileNotFoundError where there is none."""

        def get() -> bytes:
            return bytes(obstore.get(_store_of(self), self.key).bytes())

        with reaching(self):
            return _tried_again(get)

    def put(self, content: bytes) -> None:
        """Write the object whole, over what is there."""
        with reaching(self):
            _tried_again(lambda: obstore.put(_store_of(self), self.key, content))

    def put_new(self, content: bytes) -> bool:
        """Write the object where nothing has its name, in one step; return False where something has.

        On a server that knows no conditional PUT it is looked up first, in a step of its own.
        """

        def create() -> bool:
            try:
                obstore.put(_store_of(self), self.key, content, mode="create")
            except (AlreadyExistsError, PreconditionError):
                # A PUT whose answer was lost and that was tried again finds itself.
                return bytes(obstore.get(_store_of(self), self.key).bytes()) == content
            return True

        with reaching(self):
            try:
                return _tried_again(create)
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
            found = _tried_again(lambda: obstore.list(_store_of(self), self.key).collect())
        return dict(sorted((RemotePath(self.scheme, self.bucket, each["path"]), each["size"]) for each in found))

    def unlink(self, missing_ok: bool = False) -> None:
        """Remove the object."""
        try:
            with reaching(self):
                _tried_again(lambda: obstore.delete(_store_of(self), self.key))
        except FileNotFoundError:
            if not missing_ok:
                raise


class CubeStore(ObjectStore[AnyStore]):  # type: ignore[misc]  # zarr is not checked
    """What Zarr reads through: faults of the server come as errors of this package.

    ``known``: objects by their keys that were read a moment ago and are not read once more.
    """

    def __init__(self, store: AnyStore, *, read_only: bool = False, known: Mapping[str, bytes] | None = None) -> None:
        super().__init__(store, read_only=read_only)
        self.known = dict(known or {})

    def with_read_only(self, read_only: bool = False) -> Self:
        """Return the same store, for reading only or not."""
        return type(self)(self.store, read_only=read_only, known=self.known)

    async def get(self, key: str, prototype: Any, byte_range: Any = None) -> Any:
        """Read an object or a part of it, None where there is none."""
        if key in self.known and byte_range is None:
            return prototype.buffer.from_bytes(self.known[key])
        with reaching(self.name(key)):
            for wait in _waits():
                try:
                    return await super().get(key, prototype, byte_range)
                except BaseError as error:
                    if not _may_pass(error):
                        raise
                    await asyncio.sleep(wait)
            return await super().get(key, prototype, byte_range)

    async def exists(self, key: str) -> bool:
        """Return whether there is such an object."""
        with reaching(self.name(key)):
            return bool(await super().exists(key))

    def list_dir(self, prefix: str) -> AsyncGenerator[str, None]:
        """Return the names below a prefix."""
        return self._reached(super().list_dir(prefix), prefix)

    async def _reached(self, names: AsyncGenerator[str, None], prefix: str) -> AsyncGenerator[str, None]:
        with reaching(self.name(prefix)):
            async for name in names:
                yield name

    def name(self, key: str) -> str:
        """Return the whole address of a key."""
        if isinstance(self.store, MemoryStore):
            return f"memory://{key}"
        scheme = "s3" if isinstance(self.store, S3Store) else "gs"
        return f"{scheme}://{self.store.config.get('bucket', '')}/{key}"


def zarr_store(root: RemotePath, metadata: bytes) -> CubeStore:
    """Return the store in which Zarr finds a cube under its key, for reading; `metadata` is that of its root."""
    return CubeStore(_store_of(root), read_only=True, known={f"{root.key}/zarr.json": metadata})


def at_once(call: Callable[[Any], Made], items: Iterable[Any]) -> Iterator[Made]:
    """Call for every item, many at a time; the results in order."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield from threads.map(call, items)


@contextmanager
def reaching(where: object) -> Iterator[None]:
    """Turn what obstore raises into this package's errors, with the address and the cause, without a secret.

    FileNotFoundError passes: a missing object is the caller's matter.
    """
    try:
        yield
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise StoreRefusedError(f"{where}: there is no such bucket") from None
        raise
    except BaseError as error:
        if "NoSuchBucket" in str(error):
            raise StoreRefusedError(f"{where}: there is no such bucket") from None
        denied = re.search(
            r"status code: 40[13]\b", str(error)
        )  # of a listing, this does not come as an error of its own
        if denied or isinstance(error, PermissionDeniedError | UnauthenticatedError):
            raise StoreRefusedError(f"{where}: access denied, check the credentials: {cause(error)}") from None
        raise StoreUnavailableError(f"{where} cannot be reached: {cause(error)}") from None


def cause(error: Exception) -> str:
    """Return in one line why a request failed: what the server or the connection said, secrets struck out."""
    said, _, inner = str(error).partition("\n\nDebug source")
    code, message = re.search(r"<Code>(.*?)</Code>", said), re.search(r"<Message>(.*?)</Message>", said)
    known = [found[1] for found in (code, message) if found]
    status = re.search(r"status code: (\d{3}[^:<]*)", said)
    tries = re.search(r"after (\d+) retries", said)
    why = re.search(r'message: "([^"]+)"', inner) or re.search(r"kind: (Timeout|Connect)", inner)
    text = ": ".join([status[1].strip(), *known]) if status else said.splitlines()[0].rpartition(" - ")[2]
    text += f" ({why[1]})" if why and not status else ""
    text += f", after {tries[1]} more tries" if tries else ""
    for name, secret in os.environ.items():
        if _SECRETS.search(name) and len(secret) >= 4:
            text = text.replace(secret, "***")
    return re.sub(r"\?\S+", "?...", text)[:400]


def _store_of(path: RemotePath) -> AnyStore:
    if path.scheme == "memory":
        return _MEMORY
    settings = tuple(
        sorted((n, v) for n, v in os.environ.items() if n.startswith(("AWS_", "GOOGLE_", "WATTBIT_STORE_")))
    )
    return _opened(path.scheme, path.bucket, settings)


@lru_cache(maxsize=32)
def _opened(scheme: str, bucket: str, settings: Sequence[tuple[str, str]]) -> AnyStore:
    known = dict(settings)
    retries, timeout = _number("WATTBIT_STORE_RETRIES", RETRIES), _number("WATTBIT_STORE_TIMEOUT", TIMEOUT)
    client: ClientConfig = {
        "timeout": timedelta(seconds=timeout),
        "connect_timeout": timedelta(seconds=min(timeout, CONNECT_SECONDS)),
        "allow_http": _http_allowed(scheme, known),
    }
    retry: RetryConfig = {
        "max_retries": int(retries),
        "retry_timeout": timedelta(seconds=PATIENCE),
        "backoff": {
            "init_backoff": timedelta(seconds=FIRST_WAIT),
            "max_backoff": timedelta(seconds=LONGEST_WAIT),
            "base": 2,
        },
    }
    try:
        if scheme == "s3":
            return S3Store(bucket, client_options=client, retry_config=retry)
        return GCSStore(bucket, client_options=client, retry_config=retry)
    except BaseError as error:
        raise StoreRefusedError(f"{scheme}://{bucket}: {cause(error)}") from None


def _http_allowed(scheme: str, known: Mapping[str, str]) -> bool:
    """Whether requests may go unencrypted: to this machine alone, or where the environment allows it."""
    names = [name for name in _ENDPOINTS[scheme] if known.get(name)]
    if not names:
        return False
    endpoint = urlsplit(known[names[0]])
    if endpoint.username or endpoint.password or endpoint.query:
        raise StoreRefusedError(f"{names[0]}: found user, password or query in it, expected http(s)://host:port")
    if endpoint.scheme not in {"http", "https"} or not endpoint.hostname:
        raise StoreRefusedError(f"{names[0]}: found {known[names[0]]!r}, expected http(s)://host:port")
    if endpoint.scheme == "https" or _is_loopback(endpoint.hostname):
        return endpoint.scheme == "http"
    allow = {"s3": "AWS_ALLOW_HTTP", "gs": "GOOGLE_ALLOW_HTTP"}[scheme]
    if known.get(allow, "").lower() not in {"true", "1"}:
        raise StoreRefusedError(
            f"{names[0]}: http://{endpoint.hostname} is not encrypted, expected https; {allow}=true allows it in a network "
            "that you trust"
        )
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _number(name: str, usual: float) -> float:
    text = os.environ.get(name)
    try:
        value = usual if text is None else float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 86400 or (value == 0 and name.endswith("TIMEOUT")):
        raise StoreRefusedError(
            f"{name}: found {text!r}, expected a number of {'seconds' if 'TIMEOUT' in name else 'tries'}"
        )
    return value


def _waits() -> Iterator[float]:
    """Seconds to wait before each further try of what obstore does not try again itself."""
    for number in range(int(_number("WATTBIT_STORE_RETRIES", RETRIES))):
        yield min(FIRST_WAIT * 2**number, LONGEST_WAIT)


def _may_pass(error: BaseError) -> bool:
    """Whether obstore gave up at once what may go well next time: it tries no answer anew that broke off half-way."""
    return "after 0 retries" in str(error) or (
        "retries" not in str(error).partition("\n")[0] and "HTTP error" in str(error)
    )


def _tried_again(call: Callable[[], Made]) -> Made:
    for wait in _waits():
        try:
            return call()
        except BaseError as error:
            if not _may_pass(error):
                raise
            time.sleep(wait)
    return call()
