"""Let Zarr read a cube in an object store, faults and all as this package tells them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Self

from obstore.exceptions import BaseError
from obstore.store import MemoryStore, S3Store
from zarr.storage import ObjectStore

from storage.remote import RemotePath
from storage.remote_faults import may_pass, reaching, waits
from storage.remote_settings import AnyStore, store_of


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
            for wait in waits():
                try:
                    return await super().get(key, prototype, byte_range)
                except BaseError as error:
                    if not may_pass(error):
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
    return CubeStore(store_of(root.scheme, root.bucket), read_only=True, known={f"{root.key}/zarr.json": metadata})
