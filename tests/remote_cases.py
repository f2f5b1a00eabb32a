"""Places in object stores for tests: the environment in which they are found, and what lies there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import storage
import storage.remote_faults
import storage.remote_settings
from storage import Place
from tests.s3_server import BUCKET, FaultProxy, settings


@contextmanager
def reached(proxy: FaultProxy, folder: Path) -> Iterator[None]:
    """Point this process at the server, S3's and Google's way, with short waits between tries."""
    port = proxy.server_address[1]
    account = {"client_email": "", "private_key": "", "private_key_id": "", "disable_oauth": True}
    key = folder / "account.json"
    key.write_text(json.dumps({**account, "gcs_base_url": f"http://127.0.0.1:{port}"}))
    proxy.reset()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings(port).items():
            patch.setenv(name, value)
        patch.setenv("GOOGLE_BASE_URL", f"http://127.0.0.1:{port}")
        patch.setenv("GOOGLE_SERVICE_ACCOUNT", str(key))
        patch.setattr(storage.remote_faults, "FIRST_WAIT", 0.01)
        patch.setattr(storage.remote_faults, "LONGEST_WAIT", 0.1)
        storage.remote_settings._opened.cache_clear()
        yield
        proxy.reset()
    storage.remote_settings._opened.cache_clear()


def place(kind: str, folder: Path) -> Place:
    """A place of this kind where nothing lies, named after the test's own folder."""
    name = f"{folder.parent.name}/{folder.name}.zarr"
    local = folder / "a.zarr"
    return {
        "local": lambda: local,
        "memory": lambda: storage.root_of(f"memory://{name}"),
        "s3": lambda: storage.root_of(f"s3://{BUCKET}/{name}"),
        "gs": lambda: storage.root_of(f"gs://{BUCKET}/google/{name}"),
    }[kind]()


def outside_run(root: Place) -> dict[str, bytes]:
    """Every file outside the group run, by its name."""
    names = [name for name in storage.files.sizes_below(root) if not name.startswith("run/")]
    return {name: (root / name).read_bytes() for name in names}
