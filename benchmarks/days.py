"""How wrong are few days? Ways of choosing them beside the whole year, in futures held out: `python -m benchmarks.days`.

Days of `decision` are chosen as a study's are. All ways are judged by the same futures, of which every day is solved for
every fixed configuration; what was solved once is kept. `--ship` lays the outcomes that the shipped study needs
beside its tables, for whoever changes tables or model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import cdist

from model import Days, Inputs, read_inputs
from model.day_outcomes import DayOutcomes, program_digest, ship
from model.days import extreme_day, representative_days, residual_load
from model.decision_days import best_days, best_weights, features
from model.weather import DAYS, WeatherYear
from sweep.days import HELD_OUT, WholeYear, whole_year
from sweep.days_error import DaysError, days_error
from sweep.study import Study, read_study

STUDY = Path("studies/japan2040.toml")
NUMBERS = (6, 12, 24, 48)
SAMPLES = 8  # samples of days for each future of `sampled`
SEED = 2040
Way = Callable[[int], list[Days]]  # number of days -> one choice for all futures, or one for each


def ways(outcomes: Sequence[DayOutcomes], inputs: Inputs, weather: WeatherYear, futures: int) -> dict[str, Way]:
    """Ways of choosing days of a weather year, by name.

    Parameters
    ----------
    outcomes : sequence of DayOutcomes
        Of the futures that choose.
    futures : int
        How many futures judge.
    """
    felt = features(outcomes)
    extreme = extreme_day(weather, inputs)
    profile = residual_load(weather, inputs, np.arange(DAYS))
    rng = np.random.default_rng(SEED)

    def calibrated(days: Days) -> Days:
        return best_weights(felt, profile, days.day, extreme)

    def clusters(number: int) -> Days:
        return representative_days(weather, inputs, number)

    def felt_clusters(number: int) -> Days:
        """Medoids of Ward's clusters of what the days do in the futures, and the extreme day."""
        rest = np.delete(np.arange(DAYS), extreme)
        points = felt.T[rest]
        of_cluster = fcluster(linkage(points, "ward"), number - 1, "maxclust")
        groups = [rest[of_cluster == one] for one in np.unique(of_cluster)]
        medoids = [group[cdist(felt.T[group], felt.T[group]).sum(axis=1).argmin()] for group in groups]
        day = np.array([*medoids, extreme], dtype=np.int64)
        weight = np.array([*(float(len(group)) for group in groups), 1.0])
        return Days(np.sort(day), weight[np.argsort(day)])

    def sampled(number: int) -> Days:
        """The extreme day for itself, and one day at random of each of equal stretches of the rest: without bias."""
        rest = np.delete(np.arange(DAYS), extreme)
        edges = np.linspace(0, rest.size, number)
        at = [int(rng.integers(int(np.ceil(a)), int(np.ceil(b)))) for a, b in pairwise(edges)]
        width = np.diff(np.ceil(edges))
        day = np.append(rest[at], extreme)
        return Days(np.sort(day), np.append(width, 1.0)[np.argsort(day)])

    return {
        "clusters": lambda number: [clusters(number)],
        "clusters, weights by decision": lambda number: [calibrated(clusters(number))],
        "clusters of outcomes": lambda number: [felt_clusters(number)],
        "clusters of outcomes, weights by decision": lambda number: [calibrated(felt_clusters(number))],
        "sampled for each draw": lambda number: [sampled(number) for _ in range(SAMPLES * futures)],
        "decision": lambda number: [best_days(felt, profile, number, extreme)],
    }


def compare(study: Study, base: Path, held_out: int, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Errors of each way and number of days, over the futures held out and both weather years: records."""
    inputs = read_inputs(study.inputs, base)
    found: dict[tuple[str, int], list[DaysError]] = {}
    for year in inputs.weather:
        whole = whole_year(study, inputs, year, base, held_out=held_out)
        choosing, judging = whole.solved(whole.choose), whole.solved(whole.judge)
        for name, way in ways(choosing, inputs, inputs.weather[year], len(judging)).items():
            for number in numbers:
                chosen = way(number)
                judged = [judging] * len(chosen) if len(chosen) == 1 else [[one] for one in judging * SAMPLES]
                errors = [days_error(whole.names, of_days, days) for of_days, days in zip(judged, chosen, strict=True)]
                found.setdefault((name, number), []).append(DaysError.together(errors))
    for (name, number), errors in found.items():
        yield {"way": name, "days": number, **DaysError.together(errors).summary()}


def table(records: Sequence[dict[str, Any]]) -> str:
    """The errors as a table in Markdown: mean / worst in percent."""
    lines = [
        "| way | days | saving | saving of five_hubs | curtailment | cost | same order |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for one in records:
        five = one["saving"]["by_configuration"].get("five_hubs", {"mean": np.nan, "worst": np.nan})
        cells = [f"{100 * e['mean']:.1f} / {100 * e['worst']:.1f}" for e in (one["saving"], five, one["curtailment"])]
        cost = f"{100 * one['cost']['mean']:.2f} / {100 * one['cost']['worst']:.2f}"
        lines.append(
            f"| {one['way']} | {one['days']} | {' | '.join(cells)} | {cost} | {100 * one['order_kept']:.0f} % |"
        )
    return "\n".join(lines)


def figure(records: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw mean errors of saving and curtailment over the number of days."""
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(9, 4.2), layout="constrained")
    axes = drawn.subplots(1, 2, sharey=True)
    names = list(dict.fromkeys(one["way"] for one in records))
    for ax, outcome in zip(axes, ("saving", "curtailment"), strict=True):
        for name in names:
            of_way = [one for one in records if one["way"] == name]
            number, mean = [one["days"] for one in of_way], [100 * one[outcome]["mean"] for one in of_way]
            bold = {"color": "black", "linewidth": 2.5} if name == "decision" else {"linewidth": 1.2}
            ax.plot(number, mean, "o-", markersize=4, label=name, **bold)
        ax.set(xscale="log", yscale="log", title=outcome, xlabel="days", xticks=NUMBERS, xticklabels=NUMBERS)
        ax.axhline(2, color="grey", linestyle=":", linewidth=1)
        ax.minorticks_off()
        ax.set(yticks=[0.5, 1, 2, 5, 10, 20, 40], yticklabels=["0.5", "1", "2", "5", "10", "20", "40"])
    axes[0].set_ylabel("mean error in futures held out, %")
    drawn.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8, frameon=False)
    drawn.savefig(path)


def shipped(study: Study, base: Path) -> dict[str, DayOutcomes]:
    """Outcomes that the study needs, by the digest of their programs."""
    inputs = read_inputs(study.inputs, base)
    found: dict[str, DayOutcomes] = {}
    for year in inputs.weather:
        whole: WholeYear = whole_year(study, inputs, year, base)
        futures = (*whole.choose, *whole.judge)
        digests = [program_digest(whole.case, one.theta, one.loads) for one in futures]
        found |= dict(zip(digests, whole.solved(futures), strict=True))
    return found


@click.command()
@click.option("--study", type=click.Path(exists=True, path_type=Path), default=STUDY, show_default=True)
@click.option("--held-out", type=click.IntRange(1), default=HELD_OUT, show_default=True, help="Futures that judge.")
@click.option("--number", "numbers", type=click.IntRange(2, 364), multiple=True, default=NUMBERS, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print records.")
@click.option("--figure", "path", type=click.Path(path_type=Path), help="Draw the errors there, .svg or .png.")
@click.option("--ship", "ships", is_flag=True, help="Solve what the study needs and lay it beside the tables instead.")
def main(study: Path, held_out: int, numbers: tuple[int, ...], as_json: bool, path: Path | None, ships: bool) -> None:
    """Compare ways of choosing representative days by their errors in futures held out."""
    read = read_study(study)
    if ships:
        ship(shipped(read, study.parent))
        return
    records = list(compare(read, study.parent, held_out, numbers))
    if path is not None:
        figure(records, path)
    click.echo(json.dumps(records, indent=1) if as_json else table(records))


if __name__ == "__main__":
    main()
