"""The RayJob for Kubernetes has the fields that KubeRay knows, the token, the pinned Ray, and an image that can be made."""

from __future__ import annotations

import copy
import json
import re
import shlex
import tomllib
from typing import Any

import jsonschema
import pytest
import yaml

from sweep.cli import main
from tests.test_project_cluster import GIVEN_UP, ROOT, health_seconds, text

SCHEMA = json.loads((ROOT / "tests/data/rayjob.schema.json").read_text(encoding="utf-8"))
NAME = "clusters/kuberay-rayjob.yaml"


@pytest.fixture
def job() -> dict[str, Any]:
    content: dict[str, Any] = copy.deepcopy(yaml.safe_load(text(NAME)))
    return content


def containers(job: dict[str, Any]) -> list[dict[str, Any]]:
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [container for group in groups for container in group["template"]["spec"]["containers"]]


def environment(container: dict[str, Any]) -> dict[str, str]:
    return {entry["name"]: entry["value"] for entry in container["env"]}


def test_fields_are_those_of_kuberay(job: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(job, SCHEMA)


@pytest.mark.parametrize("place", [("spec",), ("spec", "rayClusterSpec"), ("spec", "rayClusterSpec", "headGroupSpec")])
def test_a_foreign_field_is_found(job: dict[str, Any], place: tuple[str, ...]) -> None:
    part = job
    for key in place:
        part = part[key]
    part["foreignField"] = 1
    with pytest.raises(jsonschema.ValidationError, match="foreignField"):
        jsonschema.validate(job, SCHEMA)


def test_the_token_comes_from_a_secret_and_is_asked_for(job: dict[str, Any]) -> None:
    assert job["spec"]["rayClusterSpec"]["authOptions"] == {"mode": "token", "secretName": "wattbit-ray-token"}
    assert "kubectl create secret generic wattbit-ray-token --from-file=auth_token=" in text(NAME)
    assert not any("AUTH" in name for container in containers(job) for name in environment(container))


def test_a_lost_head_is_tried_again_and_nothing_is_left_running(job: dict[str, Any]) -> None:
    assert job["spec"]["backoffLimit"] > 0
    assert job["spec"]["shutdownAfterJobFinishes"] is True
    head, *workers = containers(job)
    assert health_seconds(environment(head)) <= GIVEN_UP
    cluster = job["spec"]["rayClusterSpec"]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    [group] = cluster["workerGroupSpecs"]
    assert group["minReplicas"] == 0
    [worker] = workers
    cores = int(worker["resources"]["limits"]["cpu"])
    assert int(environment(head)["WATTBIT_WORKERS"]) == group["maxReplicas"] * cores


def test_the_entrypoint_is_a_command_line_that_is_known(job: dict[str, Any]) -> None:
    program, command, *arguments = shlex.split(job["spec"]["entrypoint"])
    assert program == "wattbit"
    main.commands[command].make_context(command, list(arguments))
    assert (ROOT / arguments[0]).exists()


def test_image_and_job_agree_with_the_project(job: dict[str, Any]) -> None:
    [pinned] = re.findall(r"^ray==(\S+)$", text("constraints.txt"), re.MULTILINE)
    assert job["spec"]["rayClusterSpec"]["rayVersion"] == pinned
    project = tomllib.loads(text("pyproject.toml"))["project"]
    [image] = {container["image"] for container in containers(job)}
    assert image.endswith(f"/wattbit-sweep:{project['version']}")
    [python] = re.findall(r"^FROM python:(\d+\.\d+)-slim$", text("Dockerfile"), re.MULTILINE)
    least = project["requires-python"].removeprefix(">=")
    assert tuple(map(int, python.split("."))) >= tuple(map(int, least.split(".")))
    assert "-c constraints.txt -e '.[cluster]'" in text("Dockerfile")
    assert all(container["securityContext"]["runAsNonRoot"] for container in containers(job))
