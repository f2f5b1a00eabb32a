"""State the siting stage: who is served where, at which round-trip time, in which sites, at what cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.oracle.data import Data
from tests.oracle.program import Floats, Index, Program, Solution

EARTH_RADIUS_KM = 6371.0
EXCHANGES = ("Tokyo", "Kansai")
OWN_CAPEX = ("Tokyo", "Kansai")
TWH_PER_GW = 8.76
# GW of contract, or share of a site: what counts as equal when sites are counted and limits are compared.
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Network:
    """Distance (o, a) in km, round-trip times (o, a) in ms, and what each class of work may use and sees (k, o, a)."""

    km: Floats
    rtt_conv: Floats
    rtt_apn: Floats
    allowed: npt.NDArray[np.bool_]
    apn_only: npt.NDArray[np.bool_]
    seen: Floats


def network(data: Data, settings: Mapping[str, float], adoption: float) -> Network:
    """Section 6 for one draw."""
    lat, lon = (np.radians(data.areas[name].to_numpy()) for name in ("lat", "lon"))
    # Haversine formula.
    half = (
        np.sin((lat[:, None] - lat) / 2) ** 2
        + np.cos(lat[:, None]) * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
    )
    km = 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(half)) * settings["route_factor"]
    exchange = [data.areas.index.get_loc(e) for e in EXCHANGES]
    via = np.min([km[:, [e]] + km[[e], :] for e in exchange], axis=0)
    same = np.eye(len(km), dtype=bool)
    rtt_conv = 2 * settings["conv_ms_per_km"] * np.where(same, 0.0, via) + settings["conv_overhead_ms"]
    rtt_apn = 2 * settings["apn_ms_per_km"] * km + settings["apn_overhead_ms"]
    limit = data.workloads["latency_limit_ms"].fillna(np.inf).to_numpy()[:, None, None]
    apn_only = (rtt_conv > limit) & (rtt_apn <= limit)
    seen = np.where(apn_only, rtt_apn, adoption * rtt_apn + (1 - adoption) * rtt_conv)
    return Network(km, rtt_conv, rtt_apn, rtt_apn <= limit, apn_only, seen)


@dataclass(frozen=True)
class SitingBlocks:
    """Numbers of the columns: x (area, tier), y (class, o, a), z (class, o) and, where sites are chosen, n."""

    x: Index
    y: Index
    z: Index
    sites: Index | None
    photonic: Index


@dataclass(frozen=True)
class Siting:
    """The siting stage of one draw.

    Parameters
    ----------
    data, theta, settings
        Tables, completed draw and scalars.
    tiers : sequence of str
        Tiers of the columns of x; ("any",) in the tier-blind study.
    """

    data: Data
    theta: Mapping[str, Any]
    settings: Mapping[str, float]
    tiers: Sequence[str]

    @property
    def blind(self) -> bool:
        """Whether the study has neither tiers nor sites."""
        return tuple(self.tiers) == ("any",)

    @property
    def demand(self) -> float:
        """D, GW."""
        return float(self.theta["dc_demand"])

    @property
    def network(self) -> Network:
        """Distances and round-trip times of the draw."""
        return network(self.data, self.settings, self.theta["apn_adoption"])

    @property
    def work(self) -> Floats:
        """Work of class k from users in o (k, o), GW."""
        users = self.data.areas["population_m"].to_numpy()
        shares = self.data.workloads["share"].to_numpy()
        return np.asarray(self.demand * shares[:, None] * (users / users.sum()))

    @property
    def building_rate(self) -> Floats:
        """Building cost per area, billion yen a year per GW of x."""
        given = self.data.areas["dc_capex_bn_yen_per_GW"]
        regional = float(self.theta["regional_capex"]) * float(given["Tokyo"])
        capex = np.array([given[a] if a in OWN_CAPEX else regional for a in given.index])
        return np.asarray(self.settings["crf"] * capex / self.settings["load_factor"])

    @property
    def network_rate(self) -> Floats:
        """Network cost with the RTT tie-breaker (k, o, a), billion yen a year per GW of y."""
        net = self.network
        return np.asarray(self.settings["net_cost"] * net.km[None] + self.settings["tie_breaker_rtt"] * net.seen)

    @property
    def latency_rate(self) -> float:
        """Penalty, billion yen a year per GW of z."""
        return self.settings["latency_penalty"] * TWH_PER_GW

    @property
    def site_rate(self) -> Floats:
        """Cost of a site by tier, billion yen a year; zero where there are no sites."""
        if self.blind:
            return np.zeros(1)
        return np.asarray(self.data.tiers.loc[list(self.tiers), "site_cost_bn_yen_per_year"], dtype=np.float64)

    @property
    def headroom(self) -> Floats:
        """Contract that the grid of each area takes, GW."""
        return np.asarray(self.data.areas["grid_headroom_GW"], dtype=np.float64)

    def value_of_apn(self, b: SitingBlocks, found: Solution) -> float:
        """What more adoption saves around a given x, by its unit: more work far away, and shorter round trips seen."""
        net = self.network
        quicker = np.where(net.apn_only, 0.0, net.rtt_conv - net.rtt_apn)
        wires = self.settings["tie_breaker_rtt"] * float((found.value[b.y] * quicker).sum())
        return wires - float((found.price[b.photonic] * self.work).sum())

    def add(self, program: Program, fixed: Floats | None) -> SitingBlocks:
        """Add rules 1 to 6 to `program` in billion yen a year; x is held at `fixed` (area, tier) or left free.

        Rules 4 (sites) and 5 (headroom) bind a free x alone.
        """
        p, net, work = program, self.network, self.work
        shape = (len(self.data.areas), len(self.tiers))
        rate = self.building_rate[:, None]
        x = p.columns(shape, cost=rate) if fixed is None else p.columns(shape, lower=fixed, upper=fixed, cost=rate)
        y = p.columns(net.seen.shape, upper=np.where(net.allowed, np.inf, 0.0), cost=self.network_rate)
        z = p.columns(work.shape, cost=self.latency_rate)
        Z = p.columns((shape[0],))
        # 1. All work is served or latency-unserved.
        p.rows(work.shape, [(1, y), (1, z)], lower=work, upper=work)
        # 2. The load of an area is the work served there and the latency-unserved work placed there.
        p.rows((shape[0],), [(1, y.transpose(2, 0, 1)), (1, Z), (-1, x)], lower=0, upper=0)
        p.rows((), [(1, Z), (-1, z)], lower=0, upper=0)
        # 3. The photonic network carries its share alone.
        photonic = p.rows(work.shape, [(net.apn_only.astype(np.float64), y)], upper=self.theta["apn_adoption"] * work)
        # 6. Smart cities serve their own region.
        if "smart_city" in self.tiers:
            own = np.einsum("kaa->ak", y)
            p.rows((shape[0],), [(1, x[:, list(self.tiers).index("smart_city")]), (-1, own)], upper=0)
        sites = self._free(p, x) if fixed is None else None
        return SitingBlocks(x, y, z, sites, photonic)

    def _free(self, p: Program, x: Index) -> Index | None:
        load_factor = self.settings["load_factor"]
        # 5. Headroom.
        p.rows((len(x),), [(1 / load_factor, x)], upper=self.headroom)
        if self.blind:
            return None
        # 4. Sites.
        tiers = self.data.tiers.loc[list(self.tiers)]
        per_area = tiers["sites_max_per_area"].to_numpy()
        n = p.columns(x.shape, upper=per_area, cost=self.site_rate, integer=True)
        p.rows(x.shape, [(1 / load_factor, x), (-tiers["size_min_GW"].to_numpy(), n)], lower=0)
        p.rows(x.shape, [(1 / load_factor, x), (-tiers["size_max_GW"].to_numpy(), n)], upper=0)
        p.rows((x.shape[1],), [(1, n.T)], lower=tiers["sites_min"].to_numpy(), upper=tiers["sites_max"].to_numpy())
        return n


def count_sites(data: Data, tiers: Sequence[str], contract: Floats) -> tuple[Floats, bool]:
    """Sites (area, tier) of a fixed configuration by rule 4, and whether a site rule cannot be met.

    Each area takes the least number that holds its `contract` (GW); sites missing to the national minimum of a used
    tier go, one by one, where the contract per site is largest among the areas that have room for one more, and if
    none has room, where it is largest of all.
    """
    sites, violated = np.zeros_like(contract), False
    for j, tier in enumerate(tiers):
        rule, load = data.tiers.loc[tier], contract[:, j]
        if not (load > 0).any():
            continue
        n = np.ceil(load / rule["size_max_GW"] - TOLERANCE)
        n = np.where(load > 0, np.maximum(n, 1), 0)
        while n.sum() < rule["sites_min"]:
            per_site = load / np.maximum(n, 1)
            room = (n + 1 <= rule["sites_max_per_area"]) & ((n + 1) * rule["size_min_GW"] <= load + TOLERANCE)
            n[np.argmax(np.where(room & (load > 0), per_site, -1.0) if room.any() else per_site)] += 1
        violated |= bool(
            (n > rule["sites_max_per_area"]).any()
            or (n * rule["size_min_GW"] > load + TOLERANCE).any()
            or n.sum() > rule["sites_max"]
        )
        sites[:, j] = n
    return sites, violated
