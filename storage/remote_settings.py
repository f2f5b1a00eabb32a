"""Object stores as the environment describes them: credentials, region, endpoint.

They are found as obstore finds them (``AWS_...``, ``GOOGLE_...``) and never enter an address or a message. Requests go
unencrypted to this machine alone, or where the environment allows it.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import GCSStore, MemoryStore, S3Store

from storage.errors import StoreRefusedError
from storage.remote_faults import cause, retrying, timeouts

AnyStore = S3Store | GCSStore | MemoryStore

_ENDPOINTS = {
    "s3": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"),
    "gs": ("GOOGLE_BASE_URL",),
}
_MEMORY = MemoryStore()


def store_of(scheme: str, bucket: str) -> AnyStore:
    """Return the store of a bucket with the settings that the environment has now.

    Raises
    ------
    StoreRefusedError
        Where these do not fit.
    """
    if scheme == "memory":
        return _MEMORY
    settings = tuple(
        sorted((n, v) for n, v in os.environ.items() if n.startswith(("AWS_", "GOOGLE_", "WATTBIT_STORE_")))
    )
    return _opened(scheme, bucket, settings)


@lru_cache(maxsize=32)
def _opened(scheme: str, bucket: str, settings: Sequence[tuple[str, str]]) -> AnyStore:
    known = dict(settings)
    client = timeouts() | {"allow_http": _http_allowed(scheme, known)}
    try:
        if scheme == "s3":
            return S3Store(bucket, client_options=client, retry_config=retrying())
        return GCSStore(bucket, client_options=client, retry_config=retrying())
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
