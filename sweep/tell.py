"""What the commands say: plans, parameters, a single future and progress, as text and as records."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from model import OUTCOMES, Status
from sweep.plan import Plan
from sweep.progress import duration

SHOWN = {  # outcomes of a single future that the text shows, with what is told of their areas; --json has them all
    "fuel_cost": "",
    "co2_cost": "",
    "dispatch_cost": "",
    "siting_cost": "",
    "total_cost": "",
    "saving_fuel_co2": "",
    "saving_total": "",
    "regret_total": "",
    "co2": "",
    "curtailment": "sum",
    "unserved": "sum",
    "lole": "worst area",
    "dc_load": "sum",
    "dc_capacity": "sum",
    "latency_unserved": "",
    "headroom_exceeded": "",
    "sites_violated": "",
    "lower_bound": "",
    "status": "",
}
BATCH_SECONDS, BATCH_RANGE, BATCHES_PER_WORKER = 60.0, (30.0, 180.0), 10
FEW = 3  # draws that were set aside, told in full
UNITS = {o.name: "billion yen/yr" if o.unit.startswith("billion yen per year") else o.unit for o in OUTCOMES}


def plan_record(plan: Plan, seconds_per_draw: float | None, workers: int, missing: int | None = None) -> dict[str, Any]:
    """Counts of a plan, and its expected time on this machine where a pilot measured it."""
    record: dict[str, Any] = {"study": plan.study.name, **plan.counts(), "workers": workers, "days": plan.days.record()}
    if seconds_per_draw is not None:
        draws = plan.layout.draws if missing is None else missing
        busy = min(workers, plan.layout.batches)
        record |= {"seconds_per_draw": seconds_per_draw, "seconds": seconds_per_draw * draws / busy}
        record["batch_proposed"] = proposed_batch(seconds_per_draw, plan.layout.draws, workers)
    return record


def proposed_batch(seconds_per_draw: float, draws: int, workers: int) -> int:
    """Draws in a batch that takes a minute or so, and leaves every worker some ten batches.

    Shorter batches spend their time on files, longer ones lose more with a worker and leave others idle at the end.
    """
    a_minute = round(BATCH_SECONDS / seconds_per_draw)
    return max(1, min(a_minute, draws // (BATCHES_PER_WORKER * workers)))


def _suits(batch: int, proposed: int, seconds_per_draw: float) -> bool:
    """Whether a study's batch is as good as the one proposed."""
    low, high = BATCH_RANGE
    return batch == proposed or (batch < 2 * proposed and low <= batch * seconds_per_draw <= high)


def plan_text(plan: Plan, seconds_per_draw: float | None, workers: int, missing: int | None = None) -> str:
    """The plan in three to five lines; ``missing``: draws still to solve, where a cube holds some already."""
    n = plan_record(plan, seconds_per_draw, workers, missing)
    size = f"{n['bytes'] / 1e6:.1f} MB" if n["bytes"] >= 1e6 else f"{n['bytes'] / 1e3:.0f} kB"
    lines = [
        f"{n['study']}: {n['draws']:,} draws x {n['configurations'] - n['free_configurations']} fixed configurations x "
        f"{plan.days_per_draw:g} days = {n['day_solves_fixed']:,} day solves; {n['free_configurations']} free "
        f"configuration{'s' * (n['free_configurations'] != 1)}, {n['free_configurations'] * n['draws']:,} optimal sitings",
        f"days: {plan.days.text()}{_beforehand(plan)}",
        f"{n['batches']} batches of {plan.layout.batch} draws, {size} before compression in {n['files']:,} files",
    ]
    if seconds_per_draw is not None:
        lines.append(
            f"about {duration(n['seconds'])} on {workers} worker{'s' * (workers > 1)} "
            f"(a pilot: {seconds_per_draw:.2g} s a draw; start-up not counted)"
        )
        if missing is None and not _suits(plan.layout.batch, n["batch_proposed"], seconds_per_draw):
            took = duration(n["batch_proposed"] * seconds_per_draw)
            lines.append(f"batch = {n['batch_proposed']} would suit: about {took} a batch")
    return "\n".join(lines)


def _beforehand(plan: Plan) -> str:
    solves = plan.days.solves
    return f" ({solves:,} day solves before the sweep, once; they are kept)" if solves else ""


def what_if_text(found: Mapping[str, Any], width: int) -> str:
    """A single future as a table: outcomes by configuration, sums over areas where they have any."""
    shown = Table(box=None, pad_edge=False)
    shown.add_column("outcome")
    shown.add_column("unit")
    for name in found["configurations"]:
        shown.add_column(name, justify="right")
    for outcome, over_areas in SHOWN.items():
        results = [result[outcome] for result in found["configurations"].values()]
        if outcome == "status":
            cells = [Status(value).name.lower() for value in results]
        else:
            cells = [_cell(_flatten(value), max if over_areas == "worst area" else sum) for value in results]
        unit = ", ".join(filter(None, (UNITS[outcome], over_areas)))
        shown.add_row(outcome, unit, *cells)
    theta = "  ".join(f"{name}={value}" for name, value in found["theta"].items())
    notes = (
        "regret: against the best of the fixed configurations solved here; --json prints every outcome by area and line"
    )
    return f"{theta}\n\n{_text(shown, width)}\n\n{notes}"


def set_aside_text(notes: Sequence[Mapping[str, Any]]) -> str:
    """Which draws were set aside and why, the first few with the line that replays them."""
    lines = [f"{len(notes)} draw{'s' * (len(notes) > 1)} set aside (run/set_aside tells all of each):"]
    for note in notes[:FEW]:
        lines += [f"  draw {note['draw']}: {note['cause']}", f"    {note['replay']}"]
    more = [str(note["draw"]) for note in notes[FEW:]]
    return "\n".join(lines + ([f"  and draws {', '.join(more[:100])}{', ...' * (len(more) > 100)}"] if more else []))


def provenance(identity: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a cube's record that a report prints."""
    days = {year: f"{len(of_year['day'])} days" for year, of_year in identity["days"].items()}
    kept = {key: identity[key] for key in ("study", "versions", "files", "draws", "template")}
    return {**kept, "days": days}


def _flatten(value: Any) -> list[float]:
    if isinstance(value, Mapping):
        return [number for part in value.values() for number in _flatten(part)]
    return [] if value is None else [float(value)]


def _cell(numbers: list[float], total: Callable[[list[float]], float]) -> str:
    if not numbers:
        return "-"
    value = total(numbers)
    return f"{value:,.4g}" if abs(value) < 100 else f"{value:,.1f}"


def _text(table: Table, width: int) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip()
