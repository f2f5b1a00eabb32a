"""``python -m tests.cluster_driver STUDY STORE ADDRESS LOG SECONDS [BATCH GATE]``: a run as a process of its own.

Every draw takes so many seconds longer; batches from BATCH on wait for the file GATE. Events go to standard error.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import sweep.run
from storage import StoreInUseError
from tests.fault_hooks import faulty
from tests.sweep_cases import plan_of

REFUSED = 2


def main(study: str, store: str, address: str, log: str, seconds: str, *gate: str) -> int:
    """Run a study on a cluster."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    waits = (int(gate[0]), Path(gate[1])) if gate else None
    sweep.run.solve_batch = faulty({}, Path(log), float(seconds), gate=waits)
    try:
        sweep.run.run(plan_of(Path(study)), Path(store), address=address)
    except StoreInUseError as fault:
        print(fault, file=sys.stderr)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
