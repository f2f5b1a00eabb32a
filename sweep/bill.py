"""What a sweep would take on a rented cluster: hours, money, energy and CO2, each as a range."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, TypeVar

import click

from sweep.cli_options import Finite
from sweep.errors import StudyError
from sweep.progress import duration

SLOWER = (1.0, 2.0)  # a rented core beside one of this machine: it is often half of a processor core
STARTING = (180.0, 600.0)  # s until a new node solves: boot, packages, environment
IDLING = 300.0  # s until an idle node is given back, as in cluster.yaml
CORES_PER_NODE = 16  # of the workers of cluster.yaml
WATTS_PER_CORE = 4.3
PUE = 1.135
GRID_INTENSITY = 421.0

Range = tuple[float, float]
Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class Offer:
    """A cluster for rent.

    Parameters
    ----------
    nodes, cores_per_node : int
        At most so many worker nodes, and virtual cores of each.
    price : float, optional
        Of one node for one hour, in ``currency``. Without it there is no cost, rather than a cost of zero.
    watts_per_core : float
        Of a virtual core at full load with its memory [W]. The default is that of Cloud Carbon Footprint for AWS
        (package @cloud-carbon-footprint/aws 0.15): 3.5 W per vCPU at full load, and 0.392 W per GB for 2 GB.
    pue : float
        Power of the data centre over power of its computers; the default is from the same source.
    grid_intensity : float
        CO2 of electricity [g/kWh]. The default is Japan's average of fiscal 2023, 311 Mt for 738.2 TWh sold (Electric
        Power Council for a Low Carbon Society, preliminary).
    """

    nodes: int
    cores_per_node: int = CORES_PER_NODE
    price: float | None = None
    currency: str = "USD"
    watts_per_core: float = WATTS_PER_CORE
    grid_intensity: float = GRID_INTENSITY
    pue: float = PUE


def bill_options(command: Command) -> Command:
    """Give a command the options that describe an offer."""
    above_zero, intensity = Finite(min=0, min_open=True), Finite(min=0)
    options = [
        click.option("--nodes", type=click.IntRange(min=1), help="Also what it takes on so many rented worker nodes."),
        click.option("--cores-per-node", type=click.IntRange(min=1), help=f"Default: {CORES_PER_NODE}."),
        click.option("--price", type=above_zero, help="Of a node for an hour."),
        click.option("--currency", help="Of the price; default: USD."),
        click.option("--watts-per-core", type=above_zero, help=f"At full load; default: {WATTS_PER_CORE:g}."),
        click.option("--grid-intensity", type=intensity, help=f"g CO2/kWh; default: {GRID_INTENSITY:g}."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def offer_of(options: Mapping[str, Any]) -> Offer | None:
    """Make the offer from a command's options; None where no nodes are asked for.

    Raises
    ------
    StudyError
        An option that says nothing without ``--nodes`` or ``--price``.
    """
    given = {name: value for name, value in options.items() if value is not None}
    for needed, by in (("nodes", set(given)), ("price", {"currency"} & set(given))):
        if by and needed not in given:
            named = f"--{min(by).replace('_', '-')}"
            raise StudyError(f"{named}: found it without --{needed}, expected both")
    return Offer(**given) if given else None


def bill(offer: Offer, seconds_per_draw: float, draws: int, batch: int) -> dict[str, Any]:
    """What a sweep takes on a cluster, from the seconds that a pilot draw took on this machine.

    A batch is the work of one core and as many batches run at once as there are cores, so that the wall time is that of
    the longest queue of batches. Nodes are paid from their launch until they are given back; nodes that would find no
    batch are not launched. All nodes are taken to run until the last batch.

    Parameters
    ----------
    seconds_per_draw : float
        On one core of this machine [s].
    draws, batch : int
        Draws to solve, and draws in a batch.

    Returns
    -------
    dict
        ``nodes`` and ``workers`` that find work, of ``nodes_asked``; ranges (low, high) of ``core_hours`` of solving,
        ``seconds`` of wall time once nodes run, ``node_hours`` paid, ``cost`` (None without a price), ``energy_kwh``,
        ``co2_kg``; the ``assumptions`` behind them.
    """
    batches = ceil(draws / batch)
    workers = min(offer.nodes * offer.cores_per_node, batches)
    nodes = ceil(workers / offer.cores_per_node)
    longest = ceil(batches / workers) * min(batch, draws)  # draws, one after the other
    seconds = _times(SLOWER, seconds_per_draw * longest)
    low, high = (nodes * (s + start + IDLING) / 3600 for s, start in zip(seconds, STARTING, strict=True))
    paid = low, high
    energy = _times(paid, offer.cores_per_node * offer.watts_per_core * offer.pue / 1000)
    return {
        "nodes": nodes,
        "nodes_asked": offer.nodes,
        "cores_per_node": offer.cores_per_node,
        "workers": workers,
        "core_hours": _times(SLOWER, seconds_per_draw * draws / 3600),
        "seconds": seconds,
        "node_hours": paid,
        "cost": None if offer.price is None else _times(paid, offer.price),
        "currency": None if offer.price is None else offer.currency,
        "energy_kwh": energy,
        "co2_kg": _times(energy, offer.grid_intensity / 1000),
        "assumptions": {
            "price_per_node_hour": offer.price,
            "watts_per_core": offer.watts_per_core,
            "pue": offer.pue,
            "grid_intensity_g_per_kwh": offer.grid_intensity,
            "times_slower_than_this_machine": SLOWER,
            "start_of_a_node_seconds": STARTING,
            "idle_timeout_seconds": IDLING,
        },
    }


def bill_text(found: dict[str, Any]) -> str:
    """The same in a few lines."""
    n, rests = found, found["assumptions"]
    lines = [
        f"on {n['nodes']} node{'s' * (n['nodes'] != 1)} of {n['cores_per_node']} cores, {n['workers']} workers: "
        f"{_span(n['core_hours'])} core-hours of solving, {' to '.join(map(duration, n['seconds']))} "
        f"after {' to '.join(map(duration, rests['start_of_a_node_seconds']))} of starting",
    ]
    idle, cores = n["nodes_asked"] - n["nodes"], n["nodes"] * n["cores_per_node"] - n["workers"]
    if idle:
        lines.append(f"{idle} of the {n['nodes_asked']} nodes would find no batch: they are not launched, nor paid")
    if cores:
        lines.append(f"{cores} of the {n['workers'] + cores} cores would find no batch and idle: paid all the same")
    if n["cost"] is not None:
        lines.append(
            f"{_span(n['cost'])} {n['currency']} for {_span(n['node_hours'])} node-hours at "
            f"{rests['price_per_node_hour']:g} (head, store and traffic not counted)"
        )
    lines += [
        f"{_span(n['energy_kwh'])} kWh and {_span(n['co2_kg'])} kg of CO2 ({rests['watts_per_core']:g} W per core, PUE "
        f"{rests['pue']:g}, {rests['grid_intensity_g_per_kwh']:g} g CO2 per kWh)",
        "ranges, because the pilot ran on this machine: a core there may take "
        f"{' to '.join(f'{s:g}' for s in rests['times_slower_than_this_machine'])} times as long",
    ]
    return "\n".join(lines)


def _times(values: Range, factor: float) -> Range:
    return values[0] * factor, values[1] * factor


def _span(values: Range) -> str:
    """Two figures of each end are all that such a range can carry."""
    low, high = (f"{float(f'{v:.2g}'):,.10g}" for v in values)
    return low if low == high else f"{low} to {high}"
