"""Keeps compiled templates in a folder of the user's, so that the same model need not be stated and compiled again.

A file is named by a hash of all that decides a template: the code of this package, Pyomo's version and the numbers of
the inputs. A changed equation or table therefore has a file of its own, and a file that is damaged is made anew. Files
hold arrays and names, nothing that could be run.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from model.template import Template

FOLDER_VARIABLE = "WATTBIT_CACHE"  # another folder, or "off"
KEPT = 60  # templates, some 20 MB: the oldest beyond them are removed
LABELS = ("columns", "rows", "parameters")
ARRAYS = ("defaults", "row_start", "column_index", "constant", "factors", "integer")
MAP = ("data", "indices", "indptr")


def kept_template(decides: Any, compile_it: Callable[[], Template]) -> Template:
    """The template kept for what decides it; compiled, and kept, where there is none.

    Parameters
    ----------
    decides : anything made of numbers, text, arrays, mappings, sequences and dataclasses of these
        Everything beside the code that ``compile_it`` depends on.
    """
    folder = cache_folder()
    if folder is None:
        return compile_it()
    digest = hashlib.sha256(version("pyomo").encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    _add(digest, decides)
    file = folder / f"{digest.hexdigest()}.npz"
    template = _read(file)
    if template is None:
        template = compile_it()
        with suppress(OSError):  # a folder without room keeps nothing, and nobody needs it to
            _write(file, template)
    return template


def cache_folder() -> Path | None:
    """Where what took long to make is kept; None where the user wants none or the folder cannot be written."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named == "off":
        return None
    usual = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wattbit-sweep"
    folder = Path(named) if named else usual
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def _add(digest: Any, value: Any) -> None:
    """Put a value into a hash, so that different values give different bytes."""
    if is_dataclass(value) and not isinstance(value, type):
        _add(digest, {field.name: getattr(value, field.name) for field in fields(value)})
    elif isinstance(value, np.ndarray):
        digest.update(f"array {value.dtype} {value.shape}".encode() + np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        digest.update(f"mapping {len(value)}".encode())
        for key, member in value.items():
            _add(digest, key)
            _add(digest, member)
    elif isinstance(value, tuple | list):
        digest.update(f"sequence {len(value)}".encode())
        for member in value:
            _add(digest, member)
    elif value is None or isinstance(value, str | int | float | bool | np.generic):
        digest.update(f"{type(value).__name__} {value!r};".encode())
    else:
        raise TypeError(f"{type(value).__name__} cannot decide a template")


def _write(file: Path, template: Template) -> None:
    arrays: dict[str, Any] = {name: getattr(template, name) for name in ARRAYS}
    for kind in LABELS:
        arrays |= {f"{kind}.{name}": positions for name, positions in getattr(template, kind).items()}
    arrays |= {f"map.{name}": getattr(template.map, name) for name in MAP}
    facts = {
        "labels": {kind: list(getattr(template, kind)) for kind in LABELS},
        "sections": {name: [at.start, at.stop] for name, at in template.sections.items()},
        "map": list(template.map.shape),
        "maximise": template.maximise,
        "fingerprint": template.fingerprint(),
    }
    write_whole(file, KEPT, {"facts": np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8), **arrays})


def write_whole(file: Path, kept: int, arrays: Mapping[str, Any]) -> None:
    """Write arrays whole or not at all: another process may be at the same file. Beyond ``kept`` the oldest go."""
    making = file.with_name(f"{file.name}.{uuid.uuid4().hex}")
    try:
        with making.open("xb") as stream:
            np.savez(stream, **arrays)
        making.replace(file)
    finally:
        making.unlink(missing_ok=True)
    newest_first = sorted(file.parent.glob("*.npz"), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in newest_first[kept:]:
        old.unlink(missing_ok=True)


def _read(file: Path) -> Template | None:
    """The template in a file; None where there is none or it cannot be read."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            facts: dict[str, Any] = json.loads(arrays["facts"].tobytes())
            content: dict[str, Any] = {name: arrays[name] for name in ARRAYS}
            for kind, names in facts["labels"].items():
                content[kind] = {name: arrays[f"{kind}.{name}"] for name in names}
            content["sections"] = {name: slice(*at) for name, at in facts["sections"].items()}
            content["map"] = sparse.csr_array(tuple(arrays[f"map.{name}"] for name in MAP), shape=facts["map"])
            template = Template(**content, maximise=facts["maximise"])
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, EOFError):
        return None
    return template if template.fingerprint() == facts["fingerprint"] else None
