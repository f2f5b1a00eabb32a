"""A run as a process, watched from outside: where it listens, what it leaves when it is ended, and what no file tells."""

from __future__ import annotations

import ast
import ipaddress
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from storage import cube_progress
from tests.processes import PATIENCE, ROOT, family, is_alive, listens, start_wattbit, wait_for
from tests.sweep_cases import commit_record, strict_json, wattbit, write_study

MANY = 1024  # far more draws than are solved before the end
SECRETS = {
    "AWS_ACCESS_KEY_ID": "key-that-nobody-may-see",
    "AWS_SECRET_ACCESS_KEY": "secret-that-nobody-may-see",
    "AWS_SESSION_TOKEN": "session-that-nobody-may-see",
    "RAY_AUTH_TOKEN": "token-that-nobody-may-see-0123456789abcdef",
}


def log_lines(path: Path) -> list[dict[str, Any]]:
    """Whole lines of a log; a cut one is no JSON."""
    lines = []
    for line in path.read_text().splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            continue
    return lines


def secret_found(folder: Path) -> list[str]:
    found = []
    for file in (file for file in folder.rglob("*") if file.is_file()):
        content = file.read_bytes()
        found += [f"{name} in {file}" for name, value in SECRETS.items() if value.encode() in content]
    return found


def test_local_ray_listens_on_the_loopback_ends_clean_and_tells_no_secret(tmp_path: Path) -> None:
    write_study(tmp_path)
    store = tmp_path / "x.zarr"
    line = ("run", "study.toml", "--draws", str(MANY), "--store", "x.zarr", "--workers", "2")
    with start_wattbit(tmp_path, *line, **SECRETS, RAY_AUTH_MODE="token") as process:
        wait_for(commit_record(store, 1).exists, "no batch was committed")
        of_run = family(process.pid)
        found = listens(of_run)
        holder = strict_json(wattbit(tmp_path, "status", "x.zarr", "--json").stdout)["lease"]
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    assert len(of_run) > 4, "Ray's processes were there"
    assert len(found) > 3, "Ray's ports were there"
    beyond = {
        address: command
        for address, command in found.items()
        if not (ip := ipaddress.ip_address(address.split()[0])).is_loopback
        and not (isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped and ip.ipv4_mapped.is_loopback)
    }
    assert beyond == {}
    assert holder["pid"] == process.pid
    assert process.returncode == 130, said
    assert "wattbit: interrupted; finished batches are kept, the same line again goes on from there" in said
    assert "Traceback" not in said
    wait_for(lambda: not any(is_alive(each) for each in of_run), "processes of the run are left")
    assert not [*store.glob("run/lease/*")]
    assert 0 < cube_progress(store).draws_committed < MANY
    last = log_lines(tmp_path / "x.log.jsonl")[-1]
    assert (last["event"], last["outcome"], last["exit_code"]) == ("run_ended", "interrupted", 130)
    assert secret_found(tmp_path) == []
    assert not any(secret in said for secret in SECRETS.values())


def test_finished_run_tells_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    write_study(tmp_path)
    result = wattbit(tmp_path, "run", "study.toml", "--serial")
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "results").iterdir()} == {"small.zarr", "small.html", "small.log.jsonl"}
    assert secret_found(tmp_path) == []
    assert not any(secret in result.output for secret in SECRETS.values())


def test_killed_run_leaves_whole_lines_and_the_next_one_appends(tmp_path: Path) -> None:
    write_study(tmp_path, ("draws = 5", "draws = 16"))
    log, store, line = (
        tmp_path / "own.jsonl",
        tmp_path / "x.zarr",
        ("run", "study.toml", "--store", "x.zarr", "--serial"),
    )
    line = (*line, "--log", "own.jsonl")
    with start_wattbit(tmp_path, *line) as process:
        wait_for(commit_record(store, 1).exists, "no batch was committed")
        process.kill()
    assert process.returncode == -signal.SIGKILL
    content = log.read_bytes()
    assert content.endswith(b"\n")
    before = [json.loads(row) for row in content.splitlines()]
    assert before[0]["event"] == "run_began"
    assert (before[1]["event"], before[1]["batch"], before[1]["draws"]) == ("batch_done", 0, 2)
    assert "failed" not in before[1]
    assert before[-1]["event"] != "run_ended"
    log.write_bytes(content[:-7])  # as a machine that stops may leave it
    assert wattbit(tmp_path, *line).exit_code == 0
    rows = log.read_text().splitlines()
    assert len(rows) - len(log_lines(log)) == 1, "the cut line stays by itself"
    after = log_lines(log)[len(before) - 1 :]
    assert [row["event"] for row in (after[0], after[-1])] == ["run_began", "run_ended"]
    assert (after[-1]["outcome"], after[-1]["exit_code"]) == ("finished", 0)
    done = [row["batch"] for row in after if row["event"] == "batch_done"]
    assert sorted(done) == list(range(after[0]["found"] // 2, 8))
    assert after[0]["found"] + sum(row["draws"] for row in after if row["event"] == "batch_done") == 16


@pytest.mark.parametrize("package", ["storage", "report"])
def test_what_reads_a_cube_loads_no_pickle(package: str) -> None:
    """A store may come from anyone, and a pickle in it would run its maker's code."""
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            roots = {name.split(".")[0] for name in names}
            assert not roots & {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}, f"{file}: {names}"
            if isinstance(node, ast.Call):
                assert "allow_pickle" not in {word.arg for word in node.keywords}, f"{file}:{node.lineno}"
                called = node.func.attr if isinstance(node.func, ast.Attribute) else ""
                assert called not in {"read_pickle", "to_pickle"}, f"{file}:{node.lineno}"
