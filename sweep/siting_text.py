"""Tell a siting that was decided for all draws as text."""

from __future__ import annotations

from collections.abc import Iterator

from sweep.optimise import Record


def optimise_text(record: Record) -> str:
    """The siting, its gap, and what it is worth."""
    return "\n".join(_lines(record))


def _lines(record: Record) -> Iterator[str]:
    yield f"One siting for {record['draws']} draws, least {record['measure']} [{record['unit']}]"
    yield (
        f"  {record['value']:.6g}, no siting is below {record['lower_bound']:.6g} (gap {record['gap']:.3%}); "
        f"{len(record['rounds'])} rounds, {record['evaluations']['made']} evaluations, "
        f"{record['evaluations']['spared']} spared"
    )
    if record["scenarios"]:
        yield f"  scenarios count alike, which says nothing of their odds: {', '.join(record['scenarios'])}"
    for name, limit in record["budgets"].items():
        yield f"  with {name} at most {limit:g}"
    yield ""
    yield f"{'area':12}{'share':>9}{'GW':>8}  tiers"
    for area, tiers in record["x"].items():
        parts = ", ".join(f"{tier} {share:.4f}" for tier, share in tiers.items())
        yield f"{area:12}{sum(tiers.values()):9.4f}{sum(record['load'][area].values()):8.2f}  {parts}"
    yield ""
    yield "measure      of total cost"
    for name, found in record["measures"].items():
        yield f"  {name:10} {_interval(found)}"
    yield "saving beside a named configuration (mean; better in; largest loss or least gain)"
    yield from _beside(record["against"])
    yield from _worth(record)
    for space in record["near"]:
        yield ""
        more = f"{space['percent']:.3g} % ({space['billion_yen']:.4g})"
        yield f"plans at most {more} worse: least and most share (in brackets: proven)"
        for label, ends in space["ranges"].items():
            yield (
                f"  {label:14} {ends['least']:.3f} ({_proven(ends['least_outer'])}) to {ends['most']:.3f} "
                f"({_proven(ends['most_outer'])}){'' if ends['settled'] else '  not settled'}"
            )
        yield f"  in every such plan: {', '.join(space['must_have']) or 'no area'}"
        yield f"  in none: {', '.join(space['never']) or 'no area'}"
        pairs = ", ".join(" or ".join(pair) for pair in space["interchangeable"])
        yield f"  one in place of the other: {pairs or 'no areas'}"


def _beside(against: Record) -> Iterator[str]:
    for name, found in against.items():
        if found["better_in"] is None:
            yield f"  {name:14} not there"
            continue
        yield (
            f"  {name:14} {_interval(found['mean_saving'])}; {found['better_in']:.0%} of the draws; "
            f"{'largest loss' if found['largest_loss'] > 0 else 'least gain'} {abs(found['largest_loss']):.4g}"
        )


def _proven(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _worth(record: Record) -> Iterator[str]:
    if record["information"]:
        yield f"knowing the draw would be worth (EVPI) {_interval(record['information'])}"
    if record["stochastic_solution"]:
        yield f"deciding for all draws, not the mean one, saves (VSS) {_interval(record['stochastic_solution']['vss'])}"
    if found := record["robustness"]:
        price = found["price_of_robustness"]
        told = "nothing gained" if price is None else f"{price:.3g} of mean cost for each unit of {found['tail']}"
        yield f"price of robustness: {told}"
    if found := record["fresh_draws"]:
        yield f"on {found['draws']} draws that it was not decided for: mean {_interval(found['measures']['mean'])}, saving"
        yield from _beside(found["against"])
    if found := record["replications"]:
        at_most = found["gap_at_most"]
        told = f"unknown: {found['why']}" if at_most is None else f"at most {at_most:.4g} with 95 % confidence"
        yield f"above the least mean cost there is: {told}"


def _interval(found: Record | None) -> str:
    if found is None or found["estimate"] is None:
        return "not there"
    if found["low"] is None or found["high"] is None:
        return f"{found['estimate']:.6g} ({found['how']})"
    return f"{found['estimate']:.6g} [{found['low']:.6g}, {found['high']:.6g}]"
