"""The cluster file is one that Ray's launcher takes, offline, with the token and the pinned versions in it."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "cluster.yaml").read_text(encoding="utf-8")


@pytest.fixture
def cluster() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(TEXT)
    return content


def prepared(cluster: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = prepare_config(copy.deepcopy(cluster))
    validate_config(config)
    return config


def test_the_launcher_takes_it(cluster: dict[str, Any]) -> None:
    config = prepared(cluster)
    assert config["head_node_type"] in config["available_node_types"]
    assert config["idle_timeout_minutes"] > 0


@pytest.mark.parametrize("place", [(), ("auth",), ("available_node_types", "worker")])
def test_the_launcher_refuses_a_foreign_key(cluster: dict[str, Any], place: tuple[str, ...]) -> None:
    part = cluster
    for key in place:
        part = part[key]
    part["foreign_key"] = 1
    with pytest.raises(jsonschema.ValidationError, match="foreign_key"):
        prepared(cluster)


def test_nothing_comes_from_the_launchers_defaults_unseen(cluster: dict[str, Any]) -> None:
    commands = [key for key in prepared(cluster) if key.endswith("_commands")]
    assert set(commands) - {"initialization_commands"} <= set(cluster)


def test_the_head_stays_and_workers_come_from_none_on_spot(cluster: dict[str, Any]) -> None:
    head, worker = (cluster["available_node_types"][name] for name in ("head", "worker"))
    assert "InstanceMarketOptions" not in head["node_config"]
    assert head["resources"] == {"CPU": 0}
    assert worker["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"}
    assert worker["min_workers"] == 0
    assert worker["max_workers"] <= cluster["max_workers"]


def test_the_token_reaches_every_node_and_is_asked_for(cluster: dict[str, Any]) -> None:
    assert cluster["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    for role in ("head", "worker"):
        [start] = [line for line in cluster[f"{role}_start_ray_commands"] if "ray start" in line]
        assert "export RAY_AUTH_MODE=token" in start


def test_the_checkout_goes_without_its_bulk_and_is_installed_as_pinned(cluster: dict[str, Any]) -> None:
    assert cluster["file_mounts"]["~/wattbit-sweep"] == "."
    assert {".git", ".venv", "results", "*.zarr"} <= set(cluster["rsync_exclude"])
    assert any("pip install -c constraints.txt -e ." in line for line in cluster["setup_commands"])
    installs = [line for key in cluster if key.endswith("setup_commands") for line in cluster[key] if "pip" in line]
    assert all("-c constraints.txt" in line for line in installs)


def test_versions_named_are_those_of_the_constraints() -> None:
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE))
    named = re.findall(r"\b([A-Za-z][\w.-]*)==([\w.]*\w)", TEXT)
    assert ("ray", pinned["ray"]) in named
    assert all(pinned[name] == number for name, number in named)
