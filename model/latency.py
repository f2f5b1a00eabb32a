"""Distance and round-trip time between users and data centres, on today's network and on the all-photonic one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.inputs import Inputs

Floats = NDArray[np.float64]
EARTH_RADIUS_KM = 6371.0


def fibre_km(inputs: Inputs) -> Floats:
    """Fibre length (users' area o, serving area a) [km]: great circle between main cities x route factor, 0 within an area."""
    latitude, longitude = np.radians(inputs.latitude), np.radians(inputs.longitude)
    across = latitude[:, None] - latitude[None, :]
    along = longitude[:, None] - longitude[None, :]
    haversine = np.sin(across / 2) ** 2 + np.cos(latitude)[:, None] * np.cos(latitude)[None, :] * np.sin(along / 2) ** 2
    km = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(haversine)) * inputs.scalars["route_factor"]
    np.fill_diagonal(km, 0.0)
    return np.asarray(km)


def rtt_conventional(inputs: Inputs) -> Floats:
    """Round trip (o, a) [ms] today: by way of the nearer main exchange, plus overhead; overhead alone within an area."""
    km, scalars = fibre_km(inputs), inputs.scalars
    detour = np.min([km[:, [e]] + km[[e], :] for e in inputs.exchanges], axis=0)
    rtt = 2 * scalars["conv_ms_per_km"] * detour + scalars["conv_overhead_ms"]
    np.fill_diagonal(rtt, scalars["conv_overhead_ms"])
    return np.asarray(rtt)


def rtt_photonic(inputs: Inputs) -> Floats:
    """Round trip (o, a) [ms] on the all-photonic network: straight, plus its overhead."""
    return 2 * inputs.scalars["apn_ms_per_km"] * fibre_km(inputs) + inputs.scalars["apn_overhead_ms"]


def rtt_seen(inputs: Inputs, apn_adoption: float) -> Floats:
    """Round trip (class, o, a) [ms] that work sees: photonic where only that meets its limit, else the mix by adoption."""
    slow, fast = rtt_conventional(inputs), rtt_photonic(inputs)
    mixed = apn_adoption * fast + (1 - apn_adoption) * slow
    return np.where(only_photonic(inputs), fast, mixed)


def allowed(inputs: Inputs) -> NDArray[np.bool_]:
    """Whether area a can serve class k of users in o at all (class, o, a): its limit is met over the photonic network."""
    return rtt_photonic(inputs)[None] <= inputs.class_limit[:, None, None]


def only_photonic(inputs: Inputs) -> NDArray[np.bool_]:
    """Whether class k of users in o meets its limit in a over the photonic network alone (class, o, a)."""
    return allowed(inputs) & (rtt_conventional(inputs)[None] > inputs.class_limit[:, None, None])
