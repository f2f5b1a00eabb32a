"""Test that cubes in object stores hold what local ones hold, through faults of the server, two writers and crashes."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest
import xarray as xr

import storage
from storage import Place
from tests.growing_cases import begin, compare_with, draw_table, extend, layout_of, missing, write_missing, write_piece
from tests.remote_cases import outside_run, place
from tests.s3_server import BUCKET, SECRET, FaultProxy

pytestmark = pytest.mark.usefixtures("proxy")
KINDS = ["memory", "s3", "gs"]
EIGHT = {(draw, held) for draw in range(8) for held in (0, 1)}


def grown(path: Place) -> Place:
    """A cube that is made, partly written, extended, and finished."""
    begin(path, layout_of(5))
    for piece in missing(path)[::2]:
        write_piece(path, piece)
    extend(path, 8, ["added"])
    write_missing(path)
    return path


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same cube on the local disk, which nobody changes; a compacted one beside it."""
    folder = tmp_path_factory.mktemp("local")
    grown(folder / "local.zarr")
    storage.compact(folder / "local.zarr", folder / "c.zarr")
    return folder / "local.zarr"


@pytest.mark.parametrize("kind", KINDS)
def test_cube_grows_to_the_same_bytes_as_a_local_one(kind: str, local: Path, tmp_path: Path) -> None:
    path = grown(place(kind, tmp_path))
    assert outside_run(path) == outside_run(local)
    assert storage.read_commit(path, 1) == storage.read_commit(local, 1)
    assert storage.read_study(path) == {"draws": 8}
    assert {name: file.read_bytes() for name, file in storage.read_tables(path).items()} == {
        "a.csv": b"1",
        "b.csv": b"2",
    }
    compare_with(path, EIGHT)
    assert storage.open_cube(path).identical(storage.open_cube(local))
    assert storage.read_inputs(path).identical(storage.read_inputs(local))
    assert storage.exists(path)
    assert not storage.exists(path.with_name("other.zarr"))


@pytest.mark.parametrize("kind", KINDS)
def test_compaction_from_and_to_an_object_store(kind: str, local: Path, tmp_path: Path) -> None:
    path = grown(place(kind, tmp_path))
    for out in (tmp_path / "d.zarr", path.with_name("compact.zarr")):
        storage.compact(path, out)
        assert outside_run(out) == outside_run(local.with_name("c.zarr"))
        assert storage.open_cube(out).equals(storage.open_cube(path))
        xr.testing.assert_allclose(storage.read_summary(out).of("cost"), storage.read_summary(path).of("cost"))


@pytest.mark.parametrize("kind", KINDS)
def test_one_run_at_a_time_holds_a_cube(kind: str, tmp_path: Path) -> None:
    path = begin(place(kind, tmp_path), layout_of(3))
    with storage.Lease(path) as lease:
        with pytest.raises(storage.StoreInUseError, match="is being written by another run"), storage.Lease(path):
            pass
        storage.check_lease(str(path), lease.token)
    assert storage.files.list_files(path / "run" / "lease") == []
    with pytest.raises(storage.LeaseLostError):
        lease.check()


@pytest.mark.parametrize("fault", ["unconditional", "501"])
def test_on_a_server_without_conditional_put_the_overwritten_run_stops(
    fault: str, tmp_path: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = begin(place("s3", tmp_path), layout_of(3))
    proxy.unconditional = fault == "unconditional"
    proxy.fault = "501" if fault == "501" else "none"
    with monkeypatch.context() as patch:  # both see no lease, as where they look at the same moment
        patch.setattr("storage.lease._in_force", lambda _: None)
        if fault == "501":
            patch.setattr(storage.RemotePath, "exists", lambda _: False)
        first, second = storage.Lease(path), storage.Lease(path)
        first.__enter__()
        second.__enter__()
    with pytest.raises(storage.LeaseLostError):
        first.check()
    second.check()
    for lease in (first, second):
        lease.__exit__(None, None, None)


# zarr silences this for the whole process and takes it back, which two threads at once undo for each other
@pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part")
def test_of_two_that_make_a_cube_at_once_one_does_and_nothing_is_mixed(tmp_path: Path) -> None:
    path, outcomes = place("s3", tmp_path), dict[int, str]()

    def make(draws: int) -> None:
        try:
            storage.create_cube(path, layout_of(draws), draw_table(draws), {"draws": draws})
            outcomes[draws] = "made"
        except storage.CubeExistsError:
            outcomes[draws] = "exists"

    makers = [threading.Thread(target=make, args=(draws,)) for draws in (3, 5)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert sorted(outcomes.values()) == ["exists", "made"]
    [draws] = [draws for draws, outcome in outcomes.items() if outcome == "made"]
    begin(tmp_path / "local.zarr", layout_of(draws))
    assert outside_run(path) == outside_run(tmp_path / "local.zarr")
    assert storage.read_study(path) == {"draws": draws}


def test_half_made_cube_is_none_and_is_written_over(
    tmp_path: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = place("s3", tmp_path)
    monkeypatch.setenv("WATTBIT_STORE_RETRIES", "0")
    monkeypatch.setattr("storage.lease._is_alive", lambda _: False)  # the one that makes it counts as killed
    for puts in (1, 2, 15):
        proxy.stop_after = puts
        with pytest.raises(storage.StoreUnavailableError):
            begin(path, replace(layout_of(9), batch=3))
        proxy.stop_after = None
        assert not storage.exists(path)
        with pytest.raises(storage.NotACubeError):
            storage.open_cube(path)
    begin(path, layout_of(5))
    begin(tmp_path / "local.zarr", layout_of(5))
    assert outside_run(path) == outside_run(tmp_path / "local.zarr")


def test_what_is_no_cube_is_left_alone(tmp_path: Path) -> None:
    path = place("s3", tmp_path)
    (path / "mine.txt").put(b"keep")
    with pytest.raises(storage.CubeExistsError):
        begin(path, layout_of(3))
    with pytest.raises(storage.NotACubeError, match=r"there is no zarr\.json"):
        storage.open_cube(path)
    assert storage.files.sizes_below(path) == {"mine.txt": 4}


def test_extension_broken_off_anywhere_leaves_the_old_cube_or_the_new(
    tmp_path: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTBIT_STORE_RETRIES", "0")
    path = begin(place("s3", tmp_path), layout_of(4))
    write_missing(path)
    four, seen = {(draw, 0) for draw in range(4)}, set()
    for puts in (1, 19, 20, 25):
        proxy.stop_after = puts
        try:
            extend(path, 8, ["added"])
        except storage.StoreUnavailableError:
            seen.add(storage.is_being_extended(path) if not setattr(proxy, "stop_after", None) else None)
        proxy.stop_after = None
        if storage.is_being_extended(path) or storage.read_layout(path).draws == 8:
            break
        compare_with(path, four)
    storage.finish_extension(path)
    assert (storage.read_layout(path).draws, storage.is_being_extended(path)) == (8, False)
    write_missing(path)
    compare_with(path, EIGHT)
    assert seen == {False, True}


@pytest.mark.parametrize("fault", ["503", "cut", "lost", "hang", "slow"])
def test_passing_faults_of_the_server_change_no_byte(
    fault: str, tmp_path: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTBIT_STORE_TIMEOUT", "1")
    proxy.fault, proxy.share = {"slow": ("none", 0.0), "hang": ("hang", 0.05)}.get(fault, (fault, 0.3))
    proxy.delay = 0.05 if fault == "slow" else 0.0
    path = begin(place("s3", tmp_path), layout_of(5))
    with storage.Lease(path) as lease:
        write_missing(path)
        lease.check()
    compare_with(path, {(draw, 0) for draw in range(5)})
    assert fault == "slow" or proxy.counts[fault] > 1
    begin(tmp_path / "local.zarr", layout_of(5))
    write_missing(tmp_path / "local.zarr")
    assert outside_run(path) == outside_run(tmp_path / "local.zarr")


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        ("503", storage.StoreUnavailableError, "503 Service Unavailable: SlowDown: .*, after 2 more tries"),
        ("lost", storage.StoreUnavailableError, "cannot be reached: .*after 2 more tries"),
        ("denied", storage.StoreRefusedError, "access denied, check the credentials: 403 Forbidden: AccessDenied"),
    ],
)
def test_store_that_stays_away_or_closed_is_a_clear_error_without_a_secret(
    fault: str, error: type[Exception], says: str, tmp_path: Path, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATTBIT_STORE_RETRIES", "2")
    path = begin(place("s3", tmp_path), layout_of(3))
    write_missing(path)
    opened = storage.open_cube(path)
    proxy.fault = fault
    for act in (
        lambda: storage.exists(path),
        lambda: storage.open_cube(path),
        opened["cost"].load,
        lambda: begin(path.with_name("b.zarr"), layout_of(3)),
        lambda: storage.Lease(path).__enter__(),
    ):
        with pytest.raises(error, match=says) as caught:
            act()
        assert f"s3://{BUCKET}/" in str(caught.value)
        assert SECRET not in str(caught.value)


def test_missing_bucket_is_named() -> None:
    for act in (storage.exists, storage.open_cube):
        with pytest.raises(storage.StoreRefusedError, match=r"s3://nowhere/a\.zarr.*: there is no such bucket"):
            act("s3://nowhere/a.zarr")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("azure://b/c", "azure://b: unknown scheme 'azure', expected a local path, s3://bucket/name, gs://"),
        ("http://b/c", "unknown scheme 'http'"),
        ("s3://bucket", "expected a local path, s3://bucket/name"),
        ("gs:///name", "expected a local path"),
        ("s3://b/a/../c", "expected a local path"),
        ("memory://", "expected a local path"),
        ("s3://me:hidden-word@b/c", "s3://b...: user, password, query or '#' in an address"),
        ("s3://b/c?X-Amz-Signature=hidden-word", "user, password, query"),
    ],
)
def test_addresses_that_lead_nowhere_are_refused(address: str, says: str) -> None:
    with pytest.raises(storage.PathError) as caught:
        storage.root_of(address)
    assert says in str(caught.value)
    assert "hidden-word" not in str(caught.value)


def test_addresses_are_told_from_paths(tmp_path: Path) -> None:
    assert storage.root_of("file:///a/b%20c.zarr") == Path("/a/b c.zarr")
    assert storage.root_of("a/b.zarr") == Path("a/b.zarr")
    root = storage.root_of("S3://bucket/x/a.zarr/")
    assert (str(root), root.name, str(root.with_name("b"))) == ("s3://bucket/x/a.zarr", "a.zarr", "s3://bucket/x/b")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (
            "AWS_ENDPOINT_URL",
            "http://192.0.2.1:9000",
            "is not encrypted, expected https; AWS_ALLOW_HTTP=true allows it",
        ),
        ("AWS_ENDPOINT_URL", "http://me:hidden-word@127.0.0.1", "found user, password or query in it"),
        ("AWS_ENDPOINT_URL", "127.0.0.1:9000", r"expected http\(s\)://host:port"),
        ("WATTBIT_STORE_TIMEOUT", "soon", "found 'soon', expected a number of seconds"),
        ("WATTBIT_STORE_RETRIES", "-1", "found '-1', expected a number of tries"),
    ],
)
def test_settings_that_do_not_fit_are_refused(
    name: str, value: str, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(storage.StoreRefusedError, match=f"{name}: .*{says}") as caught:
        storage.exists("s3://bucket/a.zarr")
    assert "hidden-word" not in str(caught.value)
