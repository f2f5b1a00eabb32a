"""Reads every input table into one checked, frozen set of arrays: what is certain, or the mid of what is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.errors import InputError
from model.left_out import leave_out
from model.option_tables import read_options
from model.options import Options, OptionsSpec, option_paths
from model.spec import InputsSpec
from model.tables import Table
from model.weather import WeatherYear, read_weather_year

Floats = NDArray[np.float64]
THERMAL = ("coal", "lng", "oil")
CURTAILABLE = ("solar", "wind_onshore", "wind_offshore")
STORAGE = ("pumped_hydro", "battery")
MUSTRUN = ("biomass", "geothermal")
SHIPPED = Path(__file__).parent / "data"
WEATHER_YEARS = ("fy2019", "fy2024")
COMMITTED_FLOOR = "committed_floor"  # a scalar that a study may set; it has no row of its own, fuels.csv has a column
SUM_TOLERANCE = 1e-9  # of shares that sum to 1


@dataclass(frozen=True, eq=False)
class Lines:
    """Interconnectors, arrays over line: ends as positions of areas, limits in GW, the switch parameter or ''."""

    names: tuple[str, ...]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    forward: Floats
    backward: Floats
    switch: tuple[str, ...]

    @property
    def limits(self) -> Floats:
        """Limits of both directions (2, lines) [GW]: forward, backward."""
        return np.stack([self.forward, self.backward])


@dataclass(frozen=True, eq=False)
class Tiers:
    """Data-centre tiers, arrays over tier: contract sizes in GW, national and per-area counts, billion yen/yr a site."""

    names: tuple[str, ...]
    size_min: Floats
    size_max: Floats
    sites_min: Floats
    sites_max: Floats
    sites_max_per_area: Floats
    site_cost: Floats


@dataclass(frozen=True, eq=False)
class Inputs:
    """Everything that stays the same through a study, checked.

    Arrays over area (A): ``latitude``, ``longitude`` (degrees), ``user_share`` (population share), ``pue`` (at
    pue_gap = 1), ``capex`` (billion yen per GW of contract), ``headroom`` (GW of contract), ``demand`` (TWh in 2040),
    ``nuclear``, ``mustrun`` (GW; mustrun times its availability). Arrays (A, n): ``thermal``, ``curtailable``,
    ``power`` (GW) and ``energy`` (GWh) of storage. Arrays over thermal technology: ``fuel_cost`` (yen/kWh, used for
    what no uncertain parameter sets), ``emission`` (kg CO2/kWh), ``min_output``, ``availability``,
    ``committed_floor``. ``one_way``: storage efficiency each way. ``class_*``: workload classes, limit in ms
    (infinite where none). ``tables``: name of every table -> its path. ``weather``: weather year -> hourly data.
    """

    areas: tuple[str, ...]
    exchanges: tuple[int, ...]
    latitude: Floats
    longitude: Floats
    user_share: Floats
    pue: Floats
    capex: Floats
    headroom: Floats
    demand: Floats
    thermal: Floats
    curtailable: Floats
    power: Floats
    energy: Floats
    nuclear: Floats
    mustrun: Floats
    fuel_cost: Floats
    emission: Floats
    min_output: Floats
    availability: Floats
    committed_floor: Floats
    one_way: Floats
    nuclear_fuel_cost: float
    nuclear_availability: float
    lines: Lines
    tiers: Tiers
    class_names: tuple[str, ...]
    class_share: Floats
    class_limit: Floats
    scalars: Mapping[str, float]
    weather: Mapping[str, WeatherYear]
    tables: Mapping[str, Path] = field(default_factory=dict)
    options: Options = field(default_factory=Options)

    @property
    def is_exchange(self) -> NDArray[np.bool_]:
        """Areas with an exchange and a building cost of their own, boolean over area."""
        return np.isin(np.arange(len(self.areas)), self.exchanges)


def table_paths(spec: InputsSpec, base: Path) -> dict[str, Path]:
    """Path of every table: the study's own (relative to ``base``) or the shipped one."""
    own = {n: getattr(spec, n) for n in spec.model_fields_set if n not in ("hourly", "scalars", "exchanges")}
    shipped = {path.stem: path for path in sorted(SHIPPED.glob("*.csv"))}
    shipped["capacity"] = shipped.pop("capacity_2040")
    paths = shipped | {name: base / path for name, path in own.items() if path is not None}
    hourly = {y: str(SHIPPED / "hourly" / f"{y}.csv.gz") for y in WEATHER_YEARS} if not spec.hourly else spec.hourly
    return paths | {f"hourly.{year}": base / path for year, path in hourly.items()}


def read_inputs(spec: InputsSpec | None = None, base: Path = Path(), options: OptionsSpec | None = None) -> Inputs:
    """Read and check all tables.

    Parameters
    ----------
    spec : InputsSpec, optional
        Own tables and scalars; default: the shipped ones.
    base : Path
        Folder that the spec's paths are relative to.
    options : OptionsSpec, optional
        Refinements of the dispatch; default: none.

    Raises
    ------
    InputError
        Names file, row and column, the value found, what was expected and the nearest known name.
    """
    spec, options = spec or InputsSpec(), options or OptionsSpec()
    paths = table_paths(spec, base)
    area = Table(
        paths["areas"],
        ["lat", "lon", "population_m", "pue", "dc_capex_bn_yen_per_GW", "grid_headroom_GW", "demand_2040_TWh"],
        ["area"],
    )
    areas = tuple(area.text("area"))
    for name in spec.exchanges:
        if name not in areas:
            raise InputError("[inputs]", "exchanges", name, f"one of {', '.join(areas)}", areas)
    population = area.number("population_m")
    capacity = Table(paths["capacity"], ["capacity_GW"], ["area", "technology"])
    energy_rows = tuple(f"{s}_energy_GWh" for s in STORAGE)
    built = capacity.by(
        areas,
        [*THERMAL, *CURTAILABLE, *STORAGE, *energy_rows, "nuclear", *MUSTRUN],
        "capacity_GW",
        others=["hydro"],
    )
    thermal, curtailable, power, energy, rest = np.split(built, np.cumsum([3, 3, 2, 2]), axis=1)
    fuels = _Fuels(Table(paths["fuels"], _Fuels.columns, ["technology"]))
    scalars = _read_scalars(paths["scalars"], spec.scalars)
    floor = fuels.of("committed_floor", THERMAL, 0.0, 1.0)
    if COMMITTED_FLOOR in scalars:
        floor = np.full(len(THERMAL), scalars[COMMITTED_FLOOR])
    lines = _read_lines(paths["interconnectors"], areas)
    classes = Table(paths["workloads"], ["share", "latency_limit_ms"], ["class"])
    share = classes.number("share", 0.0, 1.0)
    if abs(share.sum() - 1) > SUM_TOLERANCE:
        raise InputError(classes.where, "share", f"a sum of {share.sum():.6g}", "shares that sum to 1")
    inputs = Inputs(
        areas=areas,
        exchanges=tuple(areas.index(e) for e in spec.exchanges),
        latitude=area.number("lat", -90, 90),
        longitude=area.number("lon", -180, 180),
        user_share=population / population.sum(),
        pue=area.number("pue", 1.0),
        capex=area.number("dc_capex_bn_yen_per_GW"),
        headroom=area.number("grid_headroom_GW"),
        demand=area.number("demand_2040_TWh"),
        thermal=thermal,
        curtailable=curtailable,
        power=power,
        energy=energy,
        nuclear=rest[:, 0],
        mustrun=rest[:, 1:] @ fuels.of("availability", MUSTRUN, 0.0, 1.0),
        fuel_cost=fuels.of("variable_cost_yen_per_kWh", THERMAL),
        emission=fuels.of("co2_kg_per_kWh", THERMAL),
        min_output=fuels.of("min_output_share", THERMAL, 0.0, 1.0),
        availability=fuels.of("availability", THERMAL, 0.0, 1.0),
        committed_floor=floor,
        one_way=np.sqrt(fuels.of("round_trip_efficiency", STORAGE, 1e-6, 1.0)),
        nuclear_fuel_cost=float(fuels.of("variable_cost_yen_per_kWh", ["nuclear"])[0]),
        nuclear_availability=float(fuels.of("availability", ["nuclear"], 0.0, 1.0)[0]),
        lines=lines,
        tiers=_read_tiers(paths["tiers"]),
        class_names=tuple(classes.text("class")),
        class_share=share,
        class_limit=classes.number("latency_limit_ms", blank=np.inf),
        scalars=scalars,
        weather={
            name.removeprefix("hourly."): read_weather_year(path, areas)
            for name, path in paths.items()
            if name.startswith("hourly.")
        },
        tables=paths | option_paths(options, base),
        options=read_options(options, base, areas, lines.names, floor, scalars["pumped_derate"]),
    )
    return leave_out(inputs, options.left_out)


class _Fuels:
    """The fuel table, asked by technology."""

    columns = (
        "variable_cost_yen_per_kWh",
        "co2_kg_per_kWh",
        "min_output_share",
        "availability",
        "committed_floor",
        "round_trip_efficiency",
    )

    def __init__(self, table: Table) -> None:
        self.table = table
        known = (*THERMAL, *STORAGE, *MUSTRUN, "nuclear")
        self.rows = {name: row for row, name in enumerate(table.text("technology", known))}
        for name in known:
            if name not in self.rows:
                raise InputError(table.where, "technology", f"{name} missing", f"a row for each of {', '.join(known)}")

    def of(self, column: str, names: tuple[str, ...] | list[str], low: float = 0.0, high: float = np.inf) -> Floats:
        numbers = self.table.number(column, low, high, blank=np.nan)[[self.rows[n] for n in names]]
        for name, number in zip(names, numbers, strict=True):
            if np.isnan(number):
                raise InputError(self.table.where, f"{column}[{name}]", "an empty cell", "a number")
        return numbers


def _read_scalars(path: Path, own: Mapping[str, float]) -> dict[str, float]:
    table = Table(path, ["value"], ["name"])
    shipped = dict(zip(table.text("name"), table.number("value").tolist(), strict=True))
    for name in own:
        if name not in shipped and name != COMMITTED_FLOOR:
            known = [*shipped, COMMITTED_FLOOR]
            raise InputError("[inputs]", "scalars", name, f"one of {', '.join(known)}", known)
    scalars = shipped | dict(own)
    for name, value in scalars.items():
        high = 1.0 if name in (COMMITTED_FLOOR, "load_factor", "pumped_derate") else np.inf
        low = 1e-9 if name == "load_factor" else 0.0
        if not low <= value <= high or not np.isfinite(value):
            where = "[inputs] scalars" if name in own else path.name
            raise InputError(where, name, value, f"a number in {low:g}..{high:g}")
    return scalars


def _read_lines(path: Path, areas: tuple[str, ...]) -> Lines:
    table = Table(path, ["from", "to", "forward_GW", "backward_GW", "switch"], ["line"])
    start = np.array([areas.index(a) for a in table.text("from", areas)])
    end = np.array([areas.index(a) for a in table.text("to", areas)])
    for row in np.flatnonzero(start == end):
        raise InputError(table.where, f"to[{table.label(row)}]", areas[end[row]], "another area than `from`")
    return Lines(
        names=tuple(table.text("line")),
        start=start,
        end=end,
        forward=table.number("forward_GW"),
        backward=table.number("backward_GW"),
        switch=tuple(table.text("switch")),
    )


def _read_tiers(path: Path) -> Tiers:
    pairs = (("size_min_GW", "size_max_GW"), ("sites_min", "sites_max"))
    table = Table(path, [*pairs[0], *pairs[1], "sites_max_per_area", "site_cost_bn_yen_per_year"], ["tier"])
    names = tuple(table.text("tier"))
    counts = ("sites_min", "sites_max", "sites_max_per_area")
    for column in counts:
        for row in np.flatnonzero(table.number(column) % 1):
            raise InputError(table.where, f"{column}[{names[row]}]", table.frame[column].iloc[row], "a whole number")
    for low, high in pairs:
        bad = np.flatnonzero(table.number(low) > table.number(high))
        for row in bad:
            found = f"{low} {table.frame[low].iloc[row]} over {high} {table.frame[high].iloc[row]}"
            raise InputError(table.where, names[row], found, f"{low} <= {high}")
    for row in np.flatnonzero((table.number("sites_min") > 0) & (table.number("sites_max_per_area") < 1)):
        found = f"sites_min {table.frame['sites_min'].iloc[row]} with no site allowed in any area"
        raise InputError(table.where, names[row], found, "sites_max_per_area of 1 or more")
    if "hub" not in names:
        raise InputError(
            table.where, "tier", ", ".join(names), "a tier named 'hub', as which load of tier 'any' is counted"
        )
    return Tiers(
        names=names,
        size_min=table.number("size_min_GW"),
        size_max=table.number("size_max_GW", low=1e-9),
        sites_min=table.number("sites_min"),
        sites_max=table.number("sites_max"),
        sites_max_per_area=table.number("sites_max_per_area"),
        site_cost=table.number("site_cost_bn_yen_per_year"),
    )
