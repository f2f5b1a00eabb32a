"""`python -m tests.soak`: kills of real runs, serial ones and such on Ray, faults of clusters, and a line on each kind.

With ``--kills`` or ``--cluster-faults`` that one alone is done, else both.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from tests.soak.cluster_course import ClusterSoak
from tests.soak.course import Soak
from tests.soak.faults import ON_RAY, SERIAL

KILLS, CLUSTER_FAULTS = 100, 50
SERIAL_SHARE = 0.7  # of the kills: a serial run starts several times faster than one on Ray
KILLS_PER_CUBE = 12


def main() -> int:
    """Soak; exit code 1 where anything was lost, solved twice, left behind or otherwise wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--kills", type=int, help=f"Of runs on this machine; default {KILLS}.")
    parser.add_argument("--cluster-faults", type=int, help=f"Upon clusters of several nodes; default {CLUSTER_FAULTS}.")
    parser.add_argument("--seed", type=int, default=2040, help="Kinds and moments of the kills.")
    asked = parser.parse_args()
    both = asked.kills is None and asked.cluster_faults is None
    well = True
    if kills := KILLS if both else asked.kills:
        well = kill(kills, asked.seed)
    if faults := CLUSTER_FAULTS if both else asked.cluster_faults:
        well = harm_clusters(faults, asked.seed) and well
    return 0 if well else 1


def kill(kills: int, seed: int) -> bool:
    """Kill runs on this machine; whether all went well."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        soak = Soak(Path(folder), Random(seed))
        of_serial = round(kills * SERIAL_SHARE)
        for faults, wanted in ((SERIAL, of_serial), (ON_RAY, kills - of_serial)):
            if wanted:
                soak.prepare(ray=faults is ON_RAY)
            done = 0
            while done < wanted and not soak.faults:
                done += soak.cube(min(wanted - done, KILLS_PER_CUBE), faults)
    return _told(soak.summary(), soak.faults, soak.lost + soak.duplicates, begun, seed)


def harm_clusters(faults: int, seed: int) -> bool:
    """Harm clusters; whether all went well."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak") as folder:
        soak = ClusterSoak(Path(folder), Random(seed))
        soak.soak(faults)
    return _told(soak.summary(), soak.wrong, soak.lost + soak.duplicates, begun, seed)


def _told(summary: str, wrong: list[str], cells: int, begun: float, seed: int) -> bool:
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{summary}; {(time.monotonic() - begun) / 60:.0f} min, seed {seed}", flush=True)
    return not (wrong or cells)


if __name__ == "__main__":
    sys.exit(main())
