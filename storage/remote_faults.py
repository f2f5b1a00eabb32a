"""Requests to object stores that fail: tried again where they may pass, else told in this package's errors.

What a server answers with 5xx, too late or not at all obstore tries again by itself; an answer that breaks off half-way
is tried again here. No message shows a secret.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from storage.errors import StoreRefusedError, StoreUnavailableError

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

Made = TypeVar("Made")

RETRIES = 8
"""Times that a request is tried again; ``WATTBIT_STORE_RETRIES`` in the environment takes its place."""
TIMEOUT = 60.0
"""Seconds until an answer must be whole; ``WATTBIT_STORE_TIMEOUT`` takes its place."""
CONNECT_SECONDS = 10.0
FIRST_WAIT, LONGEST_WAIT = 0.1, 10.0  # seconds between two tries, doubled each time, with some chance in it
PATIENCE = 180.0  # seconds for all tries of one request
_SECRETS = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL", re.IGNORECASE)


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


def timeouts() -> ClientConfig:
    """Return how long obstore waits for an answer."""
    timeout = _number("WATTBIT_STORE_TIMEOUT", TIMEOUT)
    return {
        "timeout": timedelta(seconds=timeout),
        "connect_timeout": timedelta(seconds=min(timeout, CONNECT_SECONDS)),
    }


def retrying() -> RetryConfig:
    """Return how often obstore tries a request again."""
    return {
        "max_retries": int(_number("WATTBIT_STORE_RETRIES", RETRIES)),
        "retry_timeout": timedelta(seconds=PATIENCE),
        "backoff": {
            "init_backoff": timedelta(seconds=FIRST_WAIT),
            "max_backoff": timedelta(seconds=LONGEST_WAIT),
            "base": 2,
        },
    }


def waits() -> list[float]:
    """Return the seconds to wait before each further try of what obstore does not try again itself."""
    tries = int(_number("WATTBIT_STORE_RETRIES", RETRIES))
    return [min(FIRST_WAIT * 2**number, LONGEST_WAIT) for number in range(tries)]


def may_pass(error: BaseError) -> bool:
    """Return whether obstore gave up at once what may go well next time: it tries no answer anew that broke off half-way."""
    return "after 0 retries" in str(error) or (
        "retries" not in str(error).partition("\n")[0] and "HTTP error" in str(error)
    )


def tried_again(call: Callable[[], Made]) -> Made:
    """Return what `call` returns, after further tries where one broke off half-way."""
    for wait in waits():
        try:
            return call()
        except BaseError as error:
            if not may_pass(error):
                raise
            time.sleep(wait)
    return call()


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
