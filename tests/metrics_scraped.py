"""``python -m tests.metrics_scraped STUDY STORE LOG``: runs a study on a local cluster, prints what a scrape of it gave.

Draws are slowed, so that Prometheus' page is read while the run is at work.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import urllib.request
from pathlib import Path

import sweep.run
from sweep.ray_cluster import ALONE
from tests.fault_hooks import faulty
from tests.sweep_cases import plan_of

SECONDS = 1.5  # a draw longer
NEEDED = "wattbit_write_seconds_count"  # told last of a batch


def main(study: str, store: str, log: str) -> int:
    """Run, scrape, print."""
    os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    os.environ |= {"RAY_metrics_report_interval_ms": "500", ALONE: "0"}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "include_dashboard": False, "object_store_memory": 80 * 2**20}
    cluster = Cluster(True, head_node_args={**node, "metrics_export_port": port})
    kept: list[str] = []
    over = threading.Event()

    def scrape() -> None:
        while not over.wait(0.5):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                    page = answer.read().decode()
            except OSError:
                continue
            if NEEDED in page:
                kept[:] = [page]

    thread = threading.Thread(target=scrape)
    thread.start()
    sweep.run.solve_batch = faulty({}, Path(log), SECONDS)
    try:
        sweep.run.run(plan_of(Path(study)), Path(store), address=cluster.address)
    finally:
        over.set()
        thread.join()
        cluster.shutdown()
    print("\n".join(line for page in kept for line in page.splitlines() if "wattbit" in line))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
