"""Test that a run refuses a damaged cube and a place that cannot be written to before anything is solved."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import storage
from sweep.run import run
from tests.processes import start_wattbit
from tests.s3_server import BUCKET, FaultProxy
from tests.sweep_cases import commit_record, files, plan_of, wattbit, write_study

FEW = ("draws = 5", "draws = 3")
LINE = ("run", "study.toml", "--serial", "--store", "x.zarr")
LONGER = (*LINE, "--draws", "6")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("few")
    run(plan_of(write_study(folder, FEW)), folder / "x.zarr", serial=True)
    return folder


@pytest.fixture
def store(few: Path, tmp_path: Path) -> Path:
    write_study(tmp_path, FEW)
    return shutil.copytree(few / "x.zarr", tmp_path / "x.zarr")


def test_damage_is_refused_before_anything_is_solved_and_may_be_mended(store: Path) -> None:
    good = {name: (store / name).read_bytes() for name in ("sites/c.0.0.0.0", "dc_demand/c.0")}
    for name, says in {"sites/c.0.0.0.0": "sites/c.0.0.0.0", "dc_demand/c.0": "draw table"}.items():
        (store / name).unlink()
        before = files(store)
        process = start_wattbit(store.parent, *LONGER)
        _, told = process.communicate(timeout=200)
        finished = wattbit(store.parent, *LINE)
        for code, said in ((process.returncode, told), (finished.exit_code, finished.stderr)):
            assert code == 2, said
            assert says in said
            assert "pilot" not in said
        assert finished.stdout == ""
        assert files(store) == before
        (store / name).write_bytes(good[name])
    (store / "sites" / "c.0.0.0.0").unlink()
    commit_record(store, 0).unlink()  # as the message says
    finished = wattbit(store.parent, *LINE)
    assert (finished.exit_code, "2 draws solved, 1 found finished" in finished.stderr) == (0, True)


def test_half_finished_cube_with_a_cut_shard_is_refused_too(store: Path) -> None:
    commit_record(store, 1).unlink()
    shard = store / "co2" / "c.0.0"
    shard.write_bytes(shard.read_bytes()[:-3])
    refused = wattbit(store.parent, *LINE)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "co2 of batch 0 (co2/c.0.0) cannot be decoded" in refused.stderr
    assert "Restore these files, or remove 000000.json under x.zarr/run/commits" in refused.stderr
    assert not commit_record(store, 1).exists()


@pytest.mark.parametrize("place", ["/proc/nope/x.zarr", "study.toml/x.zarr"])
def test_place_that_cannot_be_written_to_is_refused_before_the_pilot(place: str, tmp_path: Path) -> None:
    write_study(tmp_path)
    refused = wattbit(tmp_path, "run", "study.toml", "--serial", "--store", place)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "x.zarr cannot be made: " in refused.stderr
    assert "pilot" not in refused.stderr
    assert {each.name for each in tmp_path.iterdir()} == {"study.toml", "days.csv"}


def test_bucket_that_may_only_be_read_is_refused_before_the_pilot(tmp_path: Path, proxy: FaultProxy) -> None:
    write_study(tmp_path)
    proxy.fault, proxy.befallen = "denied", "PUT"
    refused = wattbit(tmp_path, "run", "study.toml", "--serial", "--store", f"s3://{BUCKET}/mine/x.zarr")
    assert (refused.exit_code, "access denied" in refused.stderr, "pilot" in refused.stderr) == (2, True, False)


def test_worker_reads_an_object_store_once_a_run(tmp_path: Path, proxy: FaultProxy) -> None:
    plan = plan_of(write_study(tmp_path), 6)
    run(plan, storage.root_of(f"s3://{BUCKET}/counted.zarr"), serial=True)
    per_label = [seen for seen in proxy.seen if seen.startswith("GET") and "counted.zarr/area/c.0" in seen]
    begun = [number for number, seen in enumerate(proxy.seen) if "PUT" in seen and "run/begun/" in seen]
    later = [seen for seen in proxy.seen[begun[1] : begun[2]] if seen.split()[0] in {"GET", "LIST", "HEAD"}]
    assert len(per_label) < 10
    assert not any("/area/" in seen or seen.endswith("/zarr.json") for seen in later)
    of_batch = [seen for seen in later if "lease" not in seen]  # besides, the driver looks at its lease now and then
    assert len(of_batch) <= 3, of_batch


@pytest.mark.parametrize(
    ("edit", "draws", "says"),
    [
        (
            FEW,
            "2",
            ["x.zarr holds 3 draws, the study asks for 2: a cube does not shrink. Ask for 3 or more, as with"],
        ),
        (
            ('"five_hubs"]', '"today"]'),
            "3",
            ["x.zarr holds five_hubs too, which", "Name all of tokyo_osaka, five_hubs again"],
        ),
        (('"five_hubs"]', '"today"]'), "1", ["x.zarr holds 3 draws, the study asks for 1", "holds five_hubs too"]),
    ],
)
def test_refusal_of_what_a_cube_cannot_give_back_says_so(
    edit: tuple[str, str], draws: str, says: list[str], store: Path
) -> None:
    write_study(store.parent, edit)
    refused = wattbit(store.parent, *LINE, "--draws", draws)
    assert refused.exit_code == 2
    for each in says:
        assert each in refused.stderr
    assert "or run into another --store" in refused.stderr
    assert "another study" not in refused.stderr
    assert "remove it" not in refused.stderr


def test_configurations_in_another_order_go_on(store: Path) -> None:
    write_study(store.parent, FEW, ('["tokyo_osaka", "five_hubs"]', '["five_hubs", "tokyo_osaka"]'))
    again = wattbit(store.parent, *LINE)
    assert (again.exit_code, "0 draws solved, 3 found finished" in again.stderr) == (0, True)


def test_page_shows_the_line_that_makes_it_again_and_no_empty_row(store: Path) -> None:
    partial = store / "run" / "partial" / "c.0.0.killed"
    partial.write_text("half")
    os.utime(partial, (0, 0))
    assert wattbit(store.parent, *LINE, "--draws", "4").exit_code == 0
    assert not partial.exists(), "what a kill left is cleared away by the next run"
    page = (store.parent / "x.html").read_text()
    assert "wattbit run study.toml --draws 4<" in page
    rows = page.partition('<dl class="provenance">')[2].partition("</dl>")[0]
    assert "<dt>" in rows
    assert ">null<" not in rows
    assert "<dd></dd>" not in rows


def test_verdict_tells_what_is_missing_and_comes_last(store: Path) -> None:
    commit_record(store, 1).unlink()
    found = wattbit(store.parent, "verify", "x.zarr", "--sample", "0")
    assert found.exit_code == 0
    assert found.stdout.startswith(
        "x.zarr is unfinished; what it holds may be believed: 2 of 3 draws, 1 are not there yet;"
    )
    assert found.output.splitlines()[-1] == found.stdout.strip()
    assert "note: 1 batches have no commit record" in found.stderr
    commit_record(store, 0).unlink()
    nothing = wattbit(store.parent, "verify", "x.zarr")
    assert "x.zarr holds no finished draw of 3" in nothing.stdout
