"""Say which commit of the code is at work, where it runs from a checkout; for the record, never a reason to refuse."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path

UNKNOWN = "unknown"
PATIENCE_SECONDS = 20.0


@cache
def code_version() -> dict[str, str | bool | None]:
    """Commit of this program's checkout.

    Returns
    -------
    dict
        ``commit``, 40 or 64 hexadecimal digits, and ``changed``, whether a file that git knows differs from it. "unknown" and
        None where there is no checkout or no git.
    """
    return code_version_of(Path(__file__))


def code_version_of(file: Path) -> dict[str, str | bool | None]:
    """The same of the checkout that a file belongs to: one that git ignores, as in a virtual environment, is of none."""
    commit, changes = None, None
    if _git(file.parent, "ls-files", "--error-unmatch", file.name) is not None:
        commit = _git(file.parent, "rev-parse", "HEAD")
        changes = _git(file.parent, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit or UNKNOWN, "changed": bool(changes) if commit and changes is not None else None}


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers; None where it has no answer or is not there."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
