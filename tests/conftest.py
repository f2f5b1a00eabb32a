"""Fixtures that several tests share: a small study of two areas as CSV tables and its inputs, an S3 server."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from model import Inputs, read_inputs
from model.kept_templates import FOLDER_VARIABLE
from tests.case_tables import spec, write_study
from tests.remote_cases import reached
from tests.s3_server import FaultProxy, fault_proxy, s3_server


@pytest.fixture(scope="session", autouse=True)
def _own_templates() -> Iterator[None]:
    """Keep compiled templates in a folder of this run: tests compile what they test, and leave nothing behind."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER_VARIABLE] = folder
        yield
        del os.environ[FOLDER_VARIABLE]


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

    node = {"num_cpus": 2, "include_dashboard": False, "object_store_memory": 100 * 2**20}
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
