"""Put the robustness table into plain words: the paragraph at the top of the report and the notes under the table."""

import numpy as np
import xarray as xr

from report.columns import has_intervals
from report.intervals import REPLICATED
from report.samples import in_words

FREE_MARK = "*"


def _amount(value: float) -> str:
    """Write billions of yen for running text: whole numbers, one digit below ten."""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{round(value, 1) + 0.0:.1f}"


def _number(table: xr.Dataset, name: str, configuration: str) -> float:
    return float(table[name].sel(configuration=configuration))


def _named(table: xr.Dataset) -> list[str]:
    free = table.attrs["free_configurations"]
    return [str(name) for name in table["configuration"].to_numpy() if name not in free]


def _finite(table: xr.Dataset, name: str, configurations: list[str]) -> dict[str, float]:
    values = {each: _number(table, name, each) for each in configurations}
    return {each: value for each, value in values.items() if not np.isnan(value)}


def _listed(items: list[str]) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


def _fuel_sentence(table: xr.Dataset) -> str:
    reference = table.attrs["reference"]
    means = _finite(table, "saving_mean", [name for name in _named(table) if name != reference])
    if not means:
        return f"No draw has finished in both {reference} and another named configuration: there is no saving to show."
    best = max(means, key=lambda name: means[name])
    draws, share = int(_number(table, "saving_draws", best)), _number(table, "saving_share", best)
    saves = (
        f"in each of its {draws} draws" if share == 1 else f"in {round(share * draws)} of {draws} draws ({share:.1%})"
    )
    half_width = _number(table, "saving_half_width", best)
    mean = _amount(means[best]) + ("" if np.isnan(half_width) else f" ± {_amount(half_width)}")
    low, high = (_amount(_number(table, key, best)) for key in ("saving_p5", "saving_p95"))
    verdict = (
        f"{best} has the largest mean saving of the named configurations"
        if means[best] > 0
        else f"no named configuration saves on average, and {best} comes nearest"
    )
    return (
        f"In fuel and CO2 cost, {verdict}: {mean} billion yen a year against {reference} "
        f"(5th to 95th percentile: {low} to {high}), with a saving {saves}."
    )


def _regret_sentence(table: xr.Dataset) -> str:
    largest = _finite(table, "regret_max", _named(table))
    if not largest:
        return "No named configuration has a regret to report."
    best = min(largest, key=lambda name: largest[name])
    saving, paired = (_number(table, f"saving_total_{key}", best) for key in ("mean", "draws"))
    reference = table.attrs["reference"]
    against = (
        ""
        if best == reference or np.isnan(saving)
        else f" Over {int(paired)} draws its total cost is on average {_amount(abs(saving))} billion yen a year "
        f"{'below' if saving >= 0 else 'above'} that of {reference}."
    )
    return (
        "Total cost, which adds buildings, sites, network and latency, is another view and is kept apart: there "
        f"{best} has the least maximum regret of the named configurations, {_amount(largest[best])} billion yen a year "
        f"above the best of them in the worst of {int(_number(table, 'regret_draws', best))} draws.{against}"
    )


def _missing(table: xr.Dataset, name: str) -> str:
    """Say how many draws which configurations lack; empty if none does."""
    counts = [int(count) for count in table[name].to_numpy()]
    if len(set(counts)) == 1:
        return f"{counts[0]} for every configuration" if counts[0] else ""
    names = table["configuration"].to_numpy()
    return _listed([f"{count} for {each}" for each, count in zip(names, counts, strict=True) if count])


def _draws_sentence(table: xr.Dataset) -> str:
    total = int(table.attrs["draws"])
    study = f"The study has {total} {'draw' if total == 1 else 'draws'}"
    failed, not_run = _missing(table, "draws_failed"), _missing(table, "draws_not_run")
    if not failed and not not_run:
        return f"{study}; every configuration was solved in each of them."
    reasons = (f"; failed: {failed}" if failed else "") + (f"; not run yet: {not_run}" if not_run else "")
    return f"{study}{reasons}. What is missing is left out, never counted as zero."


def summary(table: xr.Dataset) -> str:
    """
    Tell the result in one paragraph of plain words, from the numbers of the table alone.

    Parameters
    ----------
    table
        As returned by `report.robustness.robustness_table`.

    Returns
    -------
    str
        Which named configuration saves most fuel and CO2 cost, which has the least maximum regret in total cost, what
        the free ones stand for, and how many draws all this rests on.
    """
    if not int(table["draws_finished"].sum()):
        return f"No draw has finished yet, out of {table.attrs['draws']}: there is nothing to report."
    sentences = [_fuel_sentence(table), _regret_sentence(table)]
    free = [name for name in table.attrs["free_configurations"] if _number(table, "draws_finished", name)]
    if free:
        verb = "is sited" if len(free) == 1 else "are sited"
        sentences.append(
            f"{_listed(free)} {verb} anew in every draw, with its future known: a yardstick, not a plan to follow."
        )
    if table.attrs["pooled_scenarios"]:
        sentences.append(
            f"Scenarios ({_listed(table.attrs['pooled_scenarios'])}) are pooled with equal weight in these figures."
        )
    return " ".join([*sentences, _draws_sentence(table)])


def _interval_note(table: xr.Dataset) -> str:
    """Say how the intervals were had, or why there is none."""
    kind, share = table.attrs["design_kind"], in_words(table.attrs["confidence"])
    if not has_intervals(table):
        if kind not in REPLICATED and kind != "monte_carlo":
            return (
                f"The points of a {kind} design are no random sample of futures: means, percentiles and shares describe "
                "its points, and no number has a confidence interval."
            )
        if kind not in {"monte_carlo", "lhs"} and table.attrs["replicates"] < 2:
            return (
                f"No number has a confidence interval: a single {kind} replicate gives no honest one; several "
                "(replicates in [design]) would."
            )
        return "No number has a confidence interval: too few draws have finished."
    pooled = ", draws of one point taken together" if len(table.attrs["pooled_scenarios"]) > 1 else ""
    how = {
        "independent": "over the independent points of the design (means: Student's t; shares: Wilson's; percentiles: order "
        f"statistics; worst 10 %: delta method){pooled}",
        "replicates": f"Student's t over {table.attrs['replicates']} independent replicates",
        "conservative": f"as if draws were independent, which is too wide for one Latin hypercube{pooled}",
    }[table.attrs["interval_method"]]
    return (
        f"± is the longer side of the {share} confidence interval of the number above it: {how}. Both ends are in the JSON "
        "and on the page. The largest regret has no upper end: no sample bounds it from above."
    )


def notes(table: xr.Dataset) -> list[str]:
    """
    List the notes under the table: what its numbers may not be taken for.

    Parameters
    ----------
    table
        As returned by `report.robustness.robustness_table`.

    Returns
    -------
    list of str
        Full sentences; the note on free configurations begins with `FREE_MARK`.
    """
    reference, free = table.attrs["reference"], table.attrs["free_configurations"]
    found = [
        f"Savings are against {reference} in the same draw; for {reference} itself they are 0 by definition. "
        f"Percentiles by numpy's {table.attrs['quantile_method']!r} method.",
        _interval_note(table),
    ]
    if table.attrs["days"]:
        found.append(f"Days: {table.attrs['days']}.")
    if free:
        found.append(
            f"{FREE_MARK} Free configuration: sited anew in every draw at least total cost. Its regret is against the "
            "best named configuration and may be negative; its fuel and CO2 cost is that of a siting of least total "
            "cost, not the least there is."
        )
    open_draws = int(table["draws_not_run"].max())
    if worlds := table.attrs["pooled_scenarios"]:
        found.insert(
            0,
            f"Pooled: every point of the design stands once under each of {_listed(worlds)}, so that these weigh the same. "
            "Scenarios have no odds: such numbers are no forecast.",
        )
    if open_draws:
        found.insert(
            0,
            f"Unfinished: {open_draws} of {table.attrs['draws']} draws are not run yet. Those that are finished are no "
            "design of their own; every figure will move.",
        )
    if int(table["draws_finished"].max()) > table.attrs["draws_common"]:
        found.append("The configurations do not rest on the same draws (see n): compare them with care.")
    return found
