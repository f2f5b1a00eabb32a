"""The project is one checkout: its packages come from here, its versions are pinned, its files name no machine."""

from __future__ import annotations

import importlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ["model", "report", "sampling", "storage", "sweep"]
# Put together here, so that this file holds none of them itself.
MACHINE_PATH = "/(?:" + "|".join(("work/", "root/", "home/", "tmp/[A-Za-z]")) + ")"
REGISTRY = "|".join(("pypi" + r"\.", "python" + r"hosted\.", "ana" + r"conda\.", "index" + "-url", "find" + "-links"))
MACHINE = re.compile(f"{MACHINE_PATH}|{REGISTRY}")
BINARY = {".gz", ".npz", ".png"}
SHARD = re.compile(r"c(\.\d+)+")  # of the old cube among the test data


def tracked_files() -> list[Path]:
    if not (ROOT / ".git").exists():
        pytest.skip("no git checkout")
    line = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(line, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("name", PACKAGES)
def test_each_package_is_loaded_from_this_checkout(name: str) -> None:
    assert Path(str(importlib.import_module(name).__file__)).resolve() == (ROOT / name / "__init__.py").resolve()


def test_these_are_all_packages() -> None:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert sorted(found - {"tests", "benchmarks"}) == PACKAGES
    within = [path.parent for name in PACKAGES for path in (ROOT / name).rglob("__init__.py")]
    assert PROJECT["tool"]["setuptools"]["packages"] == sorted(".".join(p.relative_to(ROOT).parts) for p in within)


def test_every_dependency_is_pinned_to_a_version_it_allows() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin) for pin in pins), "name==version and nothing else"
    pinned = {canonicalize_name(name): version for name, version in (pin.split("==") for pin in pins)}
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = PROJECT["project"]["dependencies"] + extras["test"] + extras["report"]
    for requirement in map(Requirement, wanted):
        version = pinned.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not pinned"
        assert requirement.specifier.contains(version), f"{requirement} does not allow {version}"


def test_constraints_name_no_address() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "@" not in text


def test_no_file_names_a_registry_or_a_machine() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}"
        for path in tracked_files()
        if path.suffix not in BINARY and not SHARD.fullmatch(path.name)
        for match in MACHINE.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "/" + "work/main",
        "/" + "root/x",
        "/" + "tmp/results",
        "https://" + "pypi" + ".org/simple",
        "files." + "python" + "hosted.org",
    ],
)
def test_the_search_finds_what_it_looks_for(text: str) -> None:
    assert MACHINE.search(text)


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert PROJECT["project"]["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "9. Accepting Warranty or Additional Liability" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_what_is_run_by_machines_can_be_run() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text(encoding="utf-8").startswith("#!/usr/bin/env bash\n")
