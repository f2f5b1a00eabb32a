"""Check distances and round trips against figures worked out apart from the code, and what the limits of latency allow."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from model import latency
from model.inputs import Inputs, read_inputs
from tests.cases import system

# Great circles of 6371 km radius by the spherical law of cosines from the latitudes and longitudes of the table, km.
GREAT_CIRCLE = {
    ("Tokyo", "Hokkaido"): 831.784,  # to Sapporo
    ("Tokyo", "Kansai"): 396.626,  # to Osaka
    ("Tokyo", "Kyushu"): 880.984,  # to Fukuoka
    ("Tokyo", "Okinawa"): 1554.156,  # to Naha
    ("Hokkaido", "Okinawa"): 2246.044,
}


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return read_inputs()


def at(inputs: Inputs, *names: str) -> tuple[int, ...]:
    return tuple(inputs.areas.index(name) for name in names)


@pytest.mark.parametrize("pair", GREAT_CIRCLE)
def test_fibre_is_the_great_circle_times_the_route_factor(inputs: Inputs, pair: tuple[str, str]) -> None:
    km = latency.fibre_km(inputs)[at(inputs, *pair)]
    assert km == pytest.approx(1.4 * GREAT_CIRCLE[pair], abs=0.002)


def test_law_of_cosines_everywhere(inputs: Inputs) -> None:
    km = latency.fibre_km(inputs)
    places = list(zip(np.radians(inputs.latitude), np.radians(inputs.longitude), strict=True))
    for o, (north, east) in enumerate(places):
        for a, (other_north, other_east) in enumerate(places):
            cosine = math.sin(north) * math.sin(other_north)
            cosine += math.cos(north) * math.cos(other_north) * math.cos(east - other_east)
            expected = 0.0 if o == a else 1.4 * 6371 * math.acos(cosine)
            assert km[o, a] == pytest.approx(expected, rel=1e-9)


def test_round_trips_tokyo_sapporo(inputs: Inputs) -> None:
    """1164.5 km of fibre: 8 + 2 x 0.005 x 1164.5 = 19.645 ms today, 1 + 2 x 0.00567 x 1164.5 = 14.205 by photons."""
    pair = at(inputs, "Tokyo", "Hokkaido")
    assert latency.rtt_conventional(inputs)[pair] == pytest.approx(19.645, abs=0.0005)
    assert latency.rtt_photonic(inputs)[pair] == pytest.approx(14.205, abs=0.0005)


def test_today_goes_by_the_nearer_exchange(inputs: Inputs) -> None:
    """Sapporo to Sendai by way of Tokyo, Hiroshima to Fukuoka by way of Osaka; by photons straight."""
    km, slow, fast = latency.fibre_km(inputs), latency.rtt_conventional(inputs), latency.rtt_photonic(inputs)
    for o, e, a in (("Hokkaido", "Tokyo", "Tohoku"), ("Chugoku", "Kansai", "Kyushu")):
        start, exchange, end = at(inputs, o, e, a)
        assert slow[start, end] == pytest.approx(8 + 0.01 * (km[start, exchange] + km[exchange, end]))
        assert fast[start, end] == pytest.approx(1 + 0.01134 * km[start, end])
    others = [(o, a) for o in range(10) for a in range(10) if o != a]
    by_either = [min(km[o, e] + km[e, a] for e in at(inputs, "Tokyo", "Kansai")) for o, a in others]
    assert [slow[pair] for pair in others] == pytest.approx([8 + 0.01 * far for far in by_either])


def test_symmetric_and_local_within_an_area(inputs: Inputs) -> None:
    km, slow, fast = latency.fibre_km(inputs), latency.rtt_conventional(inputs), latency.rtt_photonic(inputs)
    for table in (km, slow, fast):
        np.testing.assert_allclose(table, table.T, rtol=1e-12)
    assert np.diag(km).tolist() == [0.0] * 10
    assert np.diag(slow).tolist() == [8.0] * 10, "a local exchange, in areas without a main one too"
    assert np.diag(fast).tolist() == [1.0] * 10
    assert (km[~np.eye(10, dtype=bool)] > 0).all()


def test_realtime_excludes_far_areas(inputs: Inputs) -> None:
    """20 ms are 1675.5 km of fibre by photons, 1200 km today: 19 / 0.01134 and 12 / 0.01."""
    allowed = latency.allowed(inputs)[inputs.class_names.index("realtime")]
    np.testing.assert_array_equal(allowed, latency.fibre_km(inputs) <= 19 / 0.01134)
    assert allowed[at(inputs, "Tokyo", "Hokkaido")]
    assert allowed[at(inputs, "Tokyo", "Kyushu")]
    assert not allowed[at(inputs, "Tokyo", "Okinawa")]
    assert not allowed[at(inputs, "Hokkaido", "Kyushu")]
    assert allowed.diagonal().all()


def test_interactive_and_unlimited_work_goes_anywhere(inputs: Inputs) -> None:
    for name in ("interactive", "batch", "training"):
        assert latency.allowed(inputs)[inputs.class_names.index(name)].all()
        assert not latency.only_photonic(inputs)[inputs.class_names.index(name)].any()


def test_pairs_that_photons_alone_reach(inputs: Inputs) -> None:
    """Tokyo and Sapporo make it today (19.6 ms), Tokyo and Fukuoka (8 + 12.3) and Sapporo and Sendai, by way of Tokyo, do not."""
    photonic = latency.only_photonic(inputs)[inputs.class_names.index("realtime")]
    assert not photonic[at(inputs, "Tokyo", "Hokkaido")]
    assert photonic[at(inputs, "Tokyo", "Kyushu")]
    assert photonic[at(inputs, "Hokkaido", "Tohoku")]
    assert not photonic[at(inputs, "Tokyo", "Okinawa")], "nor by photons"
    assert not photonic.diagonal().any()


def test_what_work_sees(inputs: Inputs) -> None:
    """The mix by adoption, but photons alone where nothing else meets the limit."""
    slow, fast = latency.rtt_conventional(inputs), latency.rtt_photonic(inputs)
    seen = latency.rtt_seen(inputs, 0.25)
    assert seen.shape == (4, 10, 10)
    realtime, batch = (inputs.class_names.index(name) for name in ("realtime", "batch"))
    fukuoka, sapporo = at(inputs, "Tokyo", "Kyushu"), at(inputs, "Tokyo", "Hokkaido")
    assert seen[realtime][fukuoka] == fast[fukuoka]
    assert seen[realtime][sapporo] == pytest.approx(0.25 * fast[sapporo] + 0.75 * slow[sapporo])
    np.testing.assert_allclose(seen[batch], 0.25 * fast + 0.75 * slow)


def test_limit_is_inclusive_and_by_hand() -> None:
    """1000 km apart on the equator: 18 ms today by way of W, 13 by photons. Limits of 13, 18 and just below."""
    limits = {"a": (0.25, 12.9), "b": (0.25, 13.0 + 1e-9), "c": (0.25, 17.9), "d": (0.25, 18.0 + 1e-9)}
    inputs = system(classes=limits)
    assert latency.fibre_km(inputs)[0, 1] == pytest.approx(1000)
    assert latency.allowed(inputs)[:, 0, 1].tolist() == [False, True, True, True]
    assert latency.only_photonic(inputs)[:, 0, 1].tolist() == [False, True, True, False]
    same = replace(inputs, class_limit=np.full(4, 8.0))
    assert latency.allowed(same)[0].tolist() == [[True, False], [False, True]], "8 ms within an area are no more than 8"
    assert not latency.only_photonic(same).any()
    least = replace(inputs, class_limit=np.full(4, 1.0))
    assert latency.allowed(least)[0].tolist() == [[True, False], [False, True]], "a limit is met where it is reached"
    fast = replace(inputs, class_limit=np.full(4, 7.0))
    assert latency.only_photonic(fast)[0].tolist() == [[True, False], [False, True]], "a limit below today's overhead"
