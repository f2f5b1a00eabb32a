"""A process that has a small disk of its own, in its own mount namespace: what `wattbit run` does as it fills up, and read-only.

Started as ``unshare --mount python -m tests.on_small_disk FOLDER``; prints a JSON object of what happened.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from storage import cube_progress
from tests.sweep_cases import commit_record, files, files_outside_run, wattbit, write_study

PAGE = 4096
SERIAL = ("run", "study.toml", "--serial")
LONGER = (*SERIAL, "--store", "disk/x.zarr", "--draws", "11")


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


def leave(disk: Path, room: int | None) -> None:
    """Leave so many bytes of room on a disk, None for all there is."""
    filler = disk / "filler"
    filler.unlink(missing_ok=True)
    if room is not None:
        status = os.statvfs(disk)
        filler.write_bytes(bytes((status.f_bavail * status.f_frsize - room) // PAGE * PAGE))


def call(folder: Path, *line: str) -> dict[str, Any]:
    result = wattbit(folder, *line)
    return {"code": result.exit_code, "stdout": result.stdout, "stderr": result.stderr}


def full(folder: Path, disk: Path) -> dict[str, Any]:
    """What happens to an extension and its batches as room is made step by step."""
    store, once = disk / "x.zarr", folder / "once.zarr"
    told: dict[str, Any] = {}
    leave(disk, 16 * PAGE)
    told["no room to make it"] = {**call(folder, *SERIAL, "--store", "disk/x.zarr"), "left": os.listdir(disk)}
    leave(disk, None)
    told["made"] = call(folder, *SERIAL, "--store", "disk/x.zarr")
    (disk / "x.html").unlink()
    leave(disk, 0)
    told["no room for the report"] = call(folder, *SERIAL, "--store", "disk/x.zarr")
    before = files(store)
    for name, room in {"no room": 0, "no room to extend": 20 * PAGE}.items():
        leave(disk, room)
        told[name] = {**call(folder, *LONGER), "untouched": files(store) == before}
    leave(disk, None)
    half = shutil.copytree(store, disk / "half.zarr")
    shards = {batch: [*half.rglob(f"c.{batch}*")] for batch in (1, 2)}
    for batch, of_batch in shards.items():
        for file in (*of_batch, commit_record(half, batch)):
            file.unlink()
    leave(disk, len(shards[1]) * 3 // 2 * PAGE)
    told["no room for all batches"] = {
        **call(folder, *SERIAL, "--store", "disk/half.zarr"),
        "missing": cube_progress(half).missing_batches,
        "partial": os.listdir(half / "run" / "partial"),
    }
    leave(disk, None)
    told["room again"] = call(folder, *SERIAL, "--store", "disk/half.zarr")
    told["room again"]["same"] = files_outside_run(half) == files_outside_run(store)
    told["room to extend"] = call(folder, *LONGER)
    call(folder, *SERIAL, "--store", str(once), "--draws", "11")
    told["room to extend"]["same"] = files_outside_run(store) == files_outside_run(once)
    return told


def read_only(folder: Path, disk: Path) -> dict[str, Any]:
    """What happens on a disk that may only be read."""
    mount("-o", "remount,ro", disk)
    before = files(disk)
    return {
        "extended": call(folder, *SERIAL, "--store", "disk/x.zarr", "--draws", "13"),
        "new": call(folder, *SERIAL, "--store", "disk/new/y.zarr"),
        "status": call(folder, "status", "disk/x.zarr"),
        "untouched": files(disk) == before,
    }


def main() -> None:
    folder = Path(sys.argv[1])
    disk = folder / "disk"
    disk.mkdir()
    write_study(folder)
    mount("-t", "tmpfs", "-o", "size=16m", "none", disk)
    told = {"full": full(folder, disk), "read-only": read_only(folder, disk)}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
