"""``python -m tests.soak.driver STUDY STORE ADDRESS LOG SECONDS [DEMAND WHAT]``: a run on a cluster, as a soak starts it.

Every draw takes so many seconds longer and is noted in LOG when it is begun; the draw with that dc_demand does WHAT
(`tests.fault_hooks`). Events go to standard error.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import sweep.run
from tests.fault_hooks import faulty
from tests.sweep_cases import plan_of


def main(study: str, store: str, address: str, log: str, seconds: str, *poison: str) -> int:
    """Run a study on a cluster."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    values = {float(poison[0]): poison[1]} if poison else {}
    sweep.run.solve_batch = faulty(values, seconds=float(seconds), solves=Path(log))
    sweep.run.run(plan_of(Path(study)), Path(store), address=address)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
