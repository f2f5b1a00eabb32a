"""Counts and times of a run for Prometheus, by ``ray.util.metrics``; told by the driver alone, from events.

So no worker has to tell anything twice, and a metric is one more listener. Ray exports them as ``ray_<name>`` on every
node whose Ray was installed with ``ray[default]``, to the port of ``--metrics-export-port``; elsewhere they lead nowhere.
What was told last shows some ten seconds later, and no longer when the run has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from sweep.events import Event

PREFIX = "ray_"  # put before every name by Ray
SECONDS = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000)  # upper bounds of the histogram's classes


class Metric(NamedTuple):
    """One metric: its kind, what it tells, and its tags beside ``study``."""

    kind: Literal["Counter", "Gauge", "Histogram"]
    description: str
    tags: tuple[str, ...] = ()


METRICS: Mapping[str, Metric] = {
    "wattbit_batches_done_total": Metric("Counter", "batches solved and committed in this run"),
    "wattbit_draws_done_total": Metric("Counter", "draws solved and committed in this run"),
    "wattbit_draws_failed_total": Metric("Counter", "draws of which some configuration has no solution"),
    "wattbit_draws_set_aside_total": Metric("Counter", "draws given up"),
    "wattbit_cells_total": Metric("Counter", "draws times configurations by how their solve ended", ("status",)),
    "wattbit_iterations_total": Metric("Counter", "simplex iterations"),
    "wattbit_solve_seconds": Metric("Histogram", "seconds of solving of one draw"),
    "wattbit_write_seconds": Metric("Histogram", "seconds of writing of one batch"),
    "wattbit_store_retries_total": Metric("Counter", "calls to the store that failed and were made again"),
    "wattbit_worker_deaths_total": Metric("Counter", "workers that died"),
    "wattbit_draws": Metric("Gauge", "draws of the sweep"),
    "wattbit_draws_committed": Metric("Gauge", "draws that the cube holds, those of earlier runs included"),
    "wattbit_workers": Metric("Gauge", "workers that have started and are alive"),
    "wattbit_batches_in_flight": Metric("Gauge", "batches that workers have"),
    "wattbit_batches_waiting": Metric("Gauge", "batches that no worker has"),
}


class RunMetrics:
    """A listener that keeps the metrics of one run; only where Ray runs.

    They are made with the first event that Ray is there for: those before it say only what the run begins with.
    """

    def __init__(self) -> None:
        self.study = ""
        self.begun = self.committed = 0
        self.made: dict[str, Any] = {}

    def heed(self, event: Event) -> None:
        """Count an event."""
        told = event.fields
        if event.kind == "run_began":
            self.study, self.begun, self.committed = told["study"], told["draws"], told["found"]
        elif event.kind == "pool":
            self._set("wattbit_draws", self.begun)
            self._set("wattbit_draws_committed", self.committed)
            self._set("wattbit_workers", told["workers"])
            self._set("wattbit_batches_in_flight", told["flying"])
            self._set("wattbit_batches_waiting", told["waiting"])
        elif event.kind == "worker_died":
            self._count("wattbit_worker_deaths_total")
        elif event.kind == "batch_done":
            self._batch(told)

    def _batch(self, told: Mapping[str, Any]) -> None:
        self.committed += told["draws"]
        self._set("wattbit_draws_committed", self.committed)
        self._count("wattbit_store_retries_total", told["store_faults"])
        if not told["seconds"]:
            return  # found finished: another run, or a worker that died after the commit, solved it
        self._count("wattbit_batches_done_total")
        self._count("wattbit_draws_done_total", told["draws"])
        self._count("wattbit_draws_failed_total", len(told["failed"]))
        self._count("wattbit_draws_set_aside_total", len(told["set_aside"]))
        self._count("wattbit_iterations_total", told["iterations"])
        for status, cells in told["statuses"].items():
            self._count("wattbit_cells_total", cells, status=status)
        for seconds in told["draw_seconds"]:
            self._of("wattbit_solve_seconds").observe(seconds, self._tags())
        self._of("wattbit_write_seconds").observe(told["write_seconds"], self._tags())

    def _tags(self, **more: str) -> dict[str, str]:
        return {"study": self.study, **more}

    def _count(self, name: str, number: float = 1, **tags: str) -> None:
        if number:  # Ray refuses to count nothing
            self._of(name).inc(number, self._tags(**tags))

    def _set(self, name: str, number: float) -> None:
        self._of(name).set(number, self._tags())

    def _of(self, name: str) -> Any:
        if name not in self.made:
            from ray.util import metrics  # slow to import, and there by now

            metric = METRICS[name]
            options: dict[str, Any] = {"description": metric.description, "tag_keys": ("study", *metric.tags)}
            if metric.kind == "Histogram":
                options["boundaries"] = list(SECONDS)
            self.made[name] = getattr(metrics, metric.kind)(name, **options)
        return self.made[name]
