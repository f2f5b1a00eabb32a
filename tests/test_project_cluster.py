"""The cluster files are ones that Ray's launcher takes, offline, with the token, the pinned versions and no secret."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.autoscaler.tags import TAG_RAY_CLUSTER_NAME
from ray.scripts.scripts import cli as ray_commands

ROOT = Path(__file__).parents[1]
LAUNCHED = ["cluster.yaml", "clusters/gcp.yaml", "clusters/on-prem.yaml"]
ON_CLOUDS = LAUNCHED[:2]
POLICIES = ["clusters/aws/store.json", "clusters/aws/launch.json", "clusters/aws/trust.json"]
FILES = [*LAUNCHED, "clusters/kuberay-rayjob.yaml"]
DASHBOARD = "clusters/grafana.json"  # checked with the metrics it shows
CORES = {"c7i.4xlarge": 16, "n2-standard-16": 16}  # as in the makers' tables of machine types
GIVEN_UP = 15.0  # s until a machine that no longer answers is given up
SECRETS = re.compile(
    r"AKIA[0-9A-Z]{16}|BEGIN [A-Z ]*PRIVATE KEY|(SECRET|TOKEN|PASSWORD|KEY)\w*\s*[=:]\s*[\w/+]{8,}", re.I
)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(params=LAUNCHED)
def cluster(request: pytest.FixtureRequest) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(text(request.param))
    return content


@pytest.fixture(params=ON_CLOUDS)
def cloud(request: pytest.FixtureRequest) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(text(request.param))
    return content


def prepared(cluster: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = prepare_config(copy.deepcopy(cluster))
    validate_config(config)
    return config


def start_line(cluster: dict[str, Any], role: str) -> str:
    [line] = [line for line in cluster[f"{role}_start_ray_commands"] if "ray start" in line]
    return str(line)


def exported(cluster: dict[str, Any], role: str) -> dict[str, str]:
    """The variables of the environment that Ray starts with."""
    before, _, _ = start_line(cluster, role).partition("ray start")
    return dict(re.findall(r"(\w+)=([^\s;]+)", before))


def test_every_file_is_checked() -> None:
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "clusters").glob("*.*")} | {"cluster.yaml"} == {
        *FILES,
        DASHBOARD,
    }


def test_the_launcher_takes_it(cluster: dict[str, Any]) -> None:
    config = prepared(cluster)
    assert config["head_node_type"] in config["available_node_types"]
    assert config["idle_timeout_minutes"] > 0


@pytest.mark.parametrize("place", [(), ("auth",), ("provider", "security_group"), ("available_node_types", "worker")])
def test_the_launcher_refuses_a_foreign_key(cluster: dict[str, Any], place: tuple[str, ...]) -> None:
    part = cluster
    for key in place:
        if key not in part:
            pytest.skip("this provider has no such part")
        part = part[key]
    part["foreign_key"] = 1
    with pytest.raises(jsonschema.ValidationError, match="foreign_key"):
        prepared(cluster)


def test_nothing_comes_from_the_launchers_defaults_unseen(cluster: dict[str, Any]) -> None:
    commands = [key for key in prepared(cluster) if key.endswith("_commands")]
    assert set(commands) - {"initialization_commands"} <= set(cluster)


def test_the_head_stays_and_workers_come_from_none_on_spot(cloud: dict[str, Any]) -> None:
    head, worker = (cloud["available_node_types"][name] for name in ("head", "worker"))
    spot = ({"InstanceMarketOptions": {"MarketType": "spot"}}, {"scheduling": {"provisioningModel": "SPOT"}})
    [kind] = [kind for kind in spot if kind.keys() <= worker["node_config"].keys()]
    [key] = kind
    assert key not in head["node_config"]
    assert kind[key].items() <= worker["node_config"][key].items()
    assert head["resources"] == {"CPU": 0}
    assert worker["min_workers"] == 0
    assert worker["max_workers"] == cloud["max_workers"]
    assert cloud["provider"]["cache_stopped_nodes"] is False


def test_on_prem_the_head_solves_nothing_and_idle_machines_are_let_go() -> None:
    cluster = yaml.safe_load(text("clusters/on-prem.yaml"))
    assert "--num-cpus=0" in start_line(cluster, "head")
    assert cluster["min_workers"] == 0
    assert cluster["max_workers"] == len(cluster["provider"]["worker_ips"])
    documentation = re.compile(r"192\.0\.2\.\d+")  # addresses that belong to nobody (RFC 5737)
    assert all(map(documentation.fullmatch, [cluster["provider"]["head_ip"], *cluster["provider"]["worker_ips"]]))


def test_as_many_workers_are_asked_for_as_the_machines_have_cores(cloud: dict[str, Any]) -> None:
    node = cloud["available_node_types"]["worker"]["node_config"]
    cores = CORES[node.get("InstanceType") or node["machineType"]]
    assert int(exported(cloud, "head")["WATTBIT_WORKERS"]) == cloud["max_workers"] * cores
    assert cloud["available_node_types"]["worker"]["resources"].get("CPU", cores) == cores


def test_the_token_reaches_every_node_and_is_asked_for(cluster: dict[str, Any]) -> None:
    assert cluster["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
    for role in ("head", "worker"):
        assert exported(cluster, role)["RAY_AUTH_MODE"] == "token"


def test_jobs_are_taken_on_loopback_alone(cluster: dict[str, Any]) -> None:
    head = start_line(cluster, "head")
    for option in ("--include-dashboard=true", "--dashboard-host=127.0.0.1", "--dashboard-port=8265"):
        assert option in head
    assert "$HOME/venv/bin" in exported(cluster, "head")["PATH"]  # where a job finds wattbit


def test_options_of_ray_start_are_known(cluster: dict[str, Any]) -> None:
    known = {name for parameter in ray_commands.commands["start"].params for name in parameter.opts}
    for role in ("head", "worker"):
        assert set(re.findall(r"\s(--[a-z-]+)", start_line(cluster, role))) <= known


def health_seconds(environment: dict[str, str]) -> float:
    """The longest time until the head gives a silent machine up: so many checks in a row, each with its pause."""
    period, patience, times = (
        int(environment[f"RAY_health_check_{name}"]) for name in ("period_ms", "timeout_ms", "failure_threshold")
    )
    return (period + patience) * times / 1000


def test_a_lost_machine_is_soon_given_up_and_a_busy_one_is_not(cluster: dict[str, Any]) -> None:
    seconds = health_seconds(exported(cluster, "head"))
    assert seconds <= GIVEN_UP
    assert int(exported(cluster, "head")["RAY_health_check_timeout_ms"]) >= 2000


def test_the_names_of_the_health_check_are_rays_own() -> None:
    import ray

    binary = (Path(ray.__file__).parent / "core/src/ray/gcs/gcs_server").read_bytes()
    for name in set(re.findall(r"RAY_(health_check_\w+)", "".join(map(text, FILES)))):
        assert name.encode() in binary


def test_the_checkout_goes_without_its_bulk_and_is_installed_as_pinned(cluster: dict[str, Any]) -> None:
    assert cluster["file_mounts"]["~/wattbit-sweep"] == "."
    assert {".git", ".venv", "results", "*.zarr"} <= set(cluster["rsync_exclude"])
    ignored = {line.removeprefix("**/") for line in text(".dockerignore").split()}
    assert set(cluster["rsync_exclude"]) == ignored
    installs = [line for key in cluster if key.endswith("setup_commands") for line in cluster[key] if "pip" in line]
    assert installs
    assert all("-c constraints.txt" in line for line in installs)


@pytest.mark.parametrize("name", [*FILES, "Dockerfile"])
def test_versions_named_are_those_of_the_constraints(name: str) -> None:
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)$", text("constraints.txt"), re.MULTILINE))
    named = re.findall(r"\b([A-Za-z][\w.-]*)==([\w.]*\w)", text(name))
    assert all(pinned[package] == number for package, number in named)
    assert "constraints.txt" in text(name)


@pytest.mark.parametrize("name", [*FILES, *POLICIES, "Dockerfile", "docs/cluster.md"])
def test_no_secret_is_in_a_file(name: str) -> None:
    assert not SECRETS.search(text(name))


def test_ray_stop_stands_where_the_machine_or_its_user_is_the_clusters_own() -> None:
    for name in LAUNCHED:
        cluster = yaml.safe_load(text(name))
        lines = [line for key in cluster if key.endswith("_commands") for line in cluster[key] if "ray stop" in line]
        assert len(lines) == 2
    assert yaml.safe_load(text("clusters/on-prem.yaml"))["auth"]["ssh_user"] == "wattbit"
    assert "ray stop" not in text("clusters/kuberay-rayjob.yaml")


@pytest.mark.parametrize("name", ["store", "launch"])
def test_roles_on_aws_may_no_more_than_they_need(name: str) -> None:
    statements = json.loads(text(f"clusters/aws/{name}.json"))["Statement"]
    may = {
        action: of
        for of in statements
        for action in ([of["Action"]] if isinstance(of["Action"], str) else of["Action"])
    }
    assert not any(action in {"*", "s3:*", "ec2:*", "iam:*"} for action in may)
    if name == "store":
        assert all("arn:aws:s3:::FILL-IN-bucket" in of["Resource"] for of in statements)
        return
    assert may["iam:PassRole"]["Resource"].endswith(":role/wattbit-worker")
    [tags] = may["ec2:TerminateInstances"]["Condition"].values()
    assert tags == {f"aws:ResourceTag/{TAG_RAY_CLUSTER_NAME}": yaml.safe_load(text("cluster.yaml"))["cluster_name"]}
    worker = yaml.safe_load(text("cluster.yaml"))["available_node_types"]["worker"]["node_config"]
    assert worker["IamInstanceProfile"] == {"Name": "wattbit-worker"}
