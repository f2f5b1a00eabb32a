"""Fixtures that several tests share - tables of two areas and their inputs, a Ray, an S3 server - and the order of files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from model import Inputs, read_inputs
from model.kept_templates import FOLDER_VARIABLE
from tests.case_tables import spec, write_study
from tests.remote_cases import reached
from tests.s3_server import FaultProxy, fault_proxy, s3_server

FIRST = (
    *("sweep_remote", "sweep_kills", "sweep_disk", "sweep_stop", "sweep_extend", "sweep_set_aside", "sweep_watched"),
    *("sweep_run", "benchmarks", "sweep_cluster", "sweep_days", "sweep_refusals", "sweep_cli", "benchmarks_cube"),
    *("project_cluster_jobs", "sweep_damage", "project_readme", "sweep_executors", "sweep_verify", "sweep_optimise"),
    *("sweep_faults", "sweep_signals", "model_decision_days"),
)
"""Files that take longest, the longest first: two processes that share the files then end at nearly the same time."""


def pytest_configure(config: pytest.Config) -> None:
    """Hand files out in the order below; by itself xdist keeps those of few tests for the end, here the longest."""
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files that take longest first; the order within a file stays."""
    places = {f"test_{name}": place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(FIRST)))


@pytest.fixture(scope="session", autouse=True)
def _own_templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep compiled templates in a folder of this run, which its processes share: tests compile what they test, once."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    os.environ[FOLDER_VARIABLE] = str(shared / "templates")
    yield
    del os.environ[FOLDER_VARIABLE]


@pytest.fixture(scope="module", autouse=True)
def _no_waiting_for_disks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Outside the tests of the storage, do not wait until files are safe from a loss of power, which no test makes.

    A small run waits for some 500 files. Processes that tests start wait as ever.
    """
    with pytest.MonkeyPatch.context() as patch:
        if not request.module.__name__.rpartition(".")[2].startswith("test_storage"):
            patch.setattr(os, "fsync", os.fstat)  # it still refuses what is no open file
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def inputs(folder: Path) -> Inputs:
    return read_inputs(spec(), folder)


@pytest.fixture(scope="module")
def ray_address() -> Iterator[str]:
    """A Ray cluster of one node with two processors that the tests of a file share; starting one takes seconds.

    Not those of all files: while another cluster of the same process comes and goes, this one takes drivers for dead.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    from ray.cluster_utils import Cluster

    # No autoscaler, nobody who forwards logs: each is a process that takes seconds to start, and no test needs it.
    alone = {"include_dashboard": False, "no_monitor": True, "include_log_monitor": False}
    node = {"num_cpus": 2, "object_store_memory": 100 * 2**20, **alone}
    cluster = Cluster(initialize_head=True, head_node_args=node)
    yield cluster.address
    cluster.shutdown()


@pytest.fixture(scope="session")
def server() -> Iterator[FaultProxy]:
    """One S3 server for all tests of a process: buckets and names keep them apart."""
    with s3_server() as port, fault_proxy(port) as proxy:
        yield proxy


@pytest.fixture
def proxy(server: FaultProxy, tmp_path: Path) -> Iterator[FaultProxy]:
    """The way to the server, which this process finds in its environment."""
    with reached(server, tmp_path):
        yield server
