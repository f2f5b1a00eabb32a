"""Test the scheduler on a simulated cluster: whatever goes wrong, each batch is done or left, and nothing hangs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.simulated_cluster import DETECT_SECONDS, Faults, SimulatedCluster
from sweep.events import Event, listening
from sweep.scheduler import AHEAD_LEAST, ATTEMPTS, WINDOW, NoWorkerLivesError, Scheduler, WorkersLostError

DAY = 86_400.0


def collect(results: Iterator[int], done: list[int], cluster: SimulatedCluster) -> None:
    """Keep what came before an error."""
    cluster.end = 100 * DAY
    for batch in results:
        done.append(batch)


@st.composite
def faults(draw: st.DrawFn) -> Faults:
    gains = draw(st.lists(st.tuples(st.floats(0, 2000), st.integers(1, 20)), min_size=1, max_size=5))
    losses = draw(st.lists(st.tuples(st.floats(0, 3000), st.integers(1, 10).map(lambda n: -n)), max_size=5))
    return Faults(
        death=draw(st.sampled_from([0.0, 0.02, 0.1])),
        poison=frozenset(draw(st.sets(st.integers(0, 150), max_size=4))),
        nodes=(*gains, *losses, (5000.0, 2)),  # in the end there is a processor: a run without any waits
        unborn=draw(st.sampled_from([0.0, 0.1])),
        swollen=draw(st.sampled_from([0.0, 0.05])),
    )


@given(
    faults=faults(),
    seed=st.integers(0, 2**32),
    batches=st.integers(0, 150),
    workers=st.one_of(st.none(), st.integers(1, 30)),
    recycle=st.integers(1, 20),
)
@settings(max_examples=150, deadline=None)
def test_every_batch_is_done_or_left_and_nothing_hangs(
    faults: Faults, seed: int, batches: int, workers: int | None, recycle: int
) -> None:
    cluster = SimulatedCluster(faults, seed)
    scheduler = Scheduler(cluster, range(batches), workers, recycle=recycle)
    done: list[int] = []
    left: tuple[int, ...] = ()
    try:
        collect(scheduler.run(), done, cluster)
    except NoWorkerLivesError:
        assert faults.poison or faults.death or faults.unborn
        return
    except WorkersLostError as lost:
        left = lost.batches
    assert sorted([*done, *left]) == list(range(batches))
    assert {batch for batch in faults.poison if batch < batches} <= {*left}
    assert faults.death or {*left} <= faults.poison | {*scheduler.losses}
    assert cluster.most_flying <= WINDOW
    assert not cluster.actors  # all were ended
    assert {*scheduler.deaths} | {*scheduler.losses} <= {*range(batches)}


@given(seed=st.integers(0, 2**32), workers=st.integers(1, 8))
@settings(max_examples=50, deadline=None)
def test_without_faults_every_batch_runs_once(seed: int, workers: int) -> None:
    cluster = SimulatedCluster(Faults(), seed)
    done: list[int] = []
    collect(Scheduler(cluster, range(100), workers).run(), done, cluster)
    assert sorted(done) == list(range(100))
    assert cluster.done == dict.fromkeys(range(100), 1)
    assert cluster.submitted == 100


@given(seed=st.integers(0, 2**32), poison=st.integers(0, 49))
@settings(max_examples=50, deadline=None)
def test_one_poisonous_batch_is_charged_and_no_other(seed: int, poison: int) -> None:
    cluster = SimulatedCluster(Faults(poison=frozenset([poison])), seed)
    scheduler = Scheduler(cluster, range(50))
    done: list[int] = []
    with pytest.raises(WorkersLostError) as caught:
        collect(scheduler.run(), done, cluster)
    assert caught.value.batches == (poison,)
    assert scheduler.deaths == {poison: ATTEMPTS}
    assert cluster.done == {batch: 1 for batch in range(50) if batch != poison}


def test_a_node_that_comes_in_mid_run_is_used_and_one_that_goes_holds_nothing() -> None:
    kept = SimulatedCluster(Faults(nodes=((0.0, 4),)), 1)
    grown = SimulatedCluster(Faults(nodes=((0.0, 4), (1000.0, 12))), 1)
    shrunk = SimulatedCluster(Faults(nodes=((0.0, 4), (1000.0, -3))), 1)
    for cluster in (kept, grown, shrunk):
        done: list[int] = []
        collect(Scheduler(cluster, range(200)).run(), done, cluster)
        assert sorted(done) == list(range(200))
    work = 200 * 105 / 4
    assert kept.clock == pytest.approx(work, rel=0.1)
    assert grown.clock == pytest.approx(1000 + (work - 1000) / 4, rel=0.1)
    assert shrunk.clock == pytest.approx(1000 + (work - 1000) * 4 + DETECT_SECONDS, rel=0.1)


def test_a_cluster_without_a_processor_is_asked_for_some_and_waited_for() -> None:
    cluster = SimulatedCluster(Faults(nodes=((400.0, 16),)), 1)
    events: list[Event] = []
    done: list[int] = []
    with listening(events.append):
        scheduler = Scheduler(cluster, range(100))
        run = scheduler.run()
        done.append(next(run))
        collect(run, done, cluster)
    assert sorted(done) == list(range(100))
    kinds = [event.kind for event in events]
    assert kinds.count("no_worker_yet") == 4  # after 30, 60, 120 and 240 s
    assert "processors_gained" in kinds


def test_pool_doubles_with_the_cluster_and_never_passes_the_batches() -> None:
    scheduler = Scheduler(SimulatedCluster(Faults(), 1), range(1000))
    sizes = []
    for processors in (0, 16, 64, 400, 10_000):
        scheduler.processors = processors
        sizes.append(scheduler.wanted())
    assert sizes == [AHEAD_LEAST, 32, 128, 800, 1000]
    scheduler.workers = 5
    assert scheduler.wanted() == 5


def test_workers_that_all_die_end_the_run_and_say_why() -> None:
    cluster = SimulatedCluster(Faults(unborn=1.0), 1)
    with pytest.raises(NoWorkerLivesError, match=r"workers died one after the other and no batch was done.*unborn"):
        collect(Scheduler(cluster, range(1000)).run(), [], cluster)


def test_workers_are_recycled_and_all_is_done() -> None:
    cluster = SimulatedCluster(Faults(), 1)
    events: list[Event] = []
    done: list[int] = []
    with listening(events.append):
        collect(Scheduler(cluster, range(100), 4, recycle=10).run(), done, cluster)
    assert sorted(done) == list(range(100))
    assert 6 <= [event.kind for event in events].count("worker_recycled") <= 10
