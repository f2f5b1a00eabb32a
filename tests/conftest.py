"""Fixtures that several tests share: a small study of two areas as CSV tables, and its inputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from model import Inputs, read_inputs
from tests.case_tables import spec, write_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="module")
def inputs(folder: Path) -> Inputs:
    return read_inputs(spec(), folder)
