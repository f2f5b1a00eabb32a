"""`python -m tests.soak`: so many kills of real runs, serial ones and such on Ray, and one line on what became of them."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from tests.soak.course import Soak
from tests.soak.faults import ON_RAY, SERIAL

SERIAL_SHARE = 0.7  # of the kills: a serial run starts several times faster than one on Ray
KILLS_PER_CUBE = 12


def main() -> int:
    """Soak; exit code 1 where anything was lost, solved twice, left behind or otherwise wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=2040, help="Kinds and moments of the kills.")
    asked = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        soak = Soak(Path(folder), Random(asked.seed))
        of_serial = round(asked.kills * SERIAL_SHARE)
        for faults, wanted in ((SERIAL, of_serial), (ON_RAY, asked.kills - of_serial)):
            if wanted:
                soak.prepare(ray=faults is ON_RAY)
            done = 0
            while done < wanted and not soak.faults:
                done += soak.cube(min(wanted - done, KILLS_PER_CUBE), faults)
    for fault in soak.faults:
        print(fault, file=sys.stderr)
    print(f"{soak.summary()}; {(time.monotonic() - begun) / 60:.0f} min, seed {asked.seed}")
    return 1 if soak.faults or soak.lost or soak.duplicates else 0


if __name__ == "__main__":
    sys.exit(main())
