"""Say until when a study grows, how it ended, and which statistic is still loose: as lines and as records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from sweep.stop_rule import FEW_REPLICATES
from sweep.stopping import Standing, estimate_text, ladder, needed
from sweep.study import Study


def stop_plan_text(study: Study) -> str:
    """Tell the first stage, the cap and the rules of a study before it runs; empty without any."""
    if not study.stop:
        return ""
    steps = ladder(study)
    rules = ", ".join(f"{rule} is known to ± {rule.half_width}" for rule in study.stop)
    at_most = f"doubled up to {steps[-1]:,} draws" if len(steps) > 1 else "and no more, as the cap has it"
    lines = [f"{steps[0]:,} draws at first, {at_most}, until {rules}"]
    return "\n".join([*lines, *stop_notes(study)])


def stop_notes(study: Study) -> list[str]:
    """What the rules of a study can do less well than it seems."""
    few = bool(study.stop) and study.design.kind != "monte_carlo" and study.design.replicates < FEW_REPLICATES
    told = f"a spread of {study.design.replicates} replicates alone is known badly and makes wide intervals"
    return [f"{told}: {FEW_REPLICATES} or more need fewer draws"] * few


def stop_plan_record(study: Study) -> dict[str, Any]:
    """The same for machines; empty without any rule."""
    return {"stop": {"stages": list(ladder(study)), "rules": [str(rule) for rule in study.stop]}} if study.stop else {}


def stopped_text(standings: Sequence[Standing], study: Study, held: int) -> str:
    """Tell how a run ended, a line a rule.

    Parameters
    ----------
    held : int
        Draws of the design that the cube holds: an earlier run may have made more.
    """
    return "\n".join(_line(each, study, held) for each in standings)


def looks_note(standings: Sequence[Standing]) -> str:
    """Why an interval here is wider than that of the same number in the table; empty where it is not."""
    for each in standings:
        if len(each.stages) > 1 and each.looks[-1].values:
            sure = f"{each.rule.confidence * 100:g} %"
            return (
                f"these intervals are wider than those of the table: to hold at every one of {len(each.stages)} looks "
                f"together with {sure}, each is one of {each.confidence * 100:g} % (Bonferroni)"
            )
    return ""


def _line(standing: Standing, study: Study, held: int) -> str:
    rule, last = standing.rule, standing.looks[-1]
    count = len(standing.stages)
    sure = f"({rule.confidence * 100:g} %{f', over {count} looks' if count > 1 else ''})"
    told = f"{estimate_text(standing)} {sure}" if last.values else estimate_text(standing)
    if standing.holds:
        line = f"stopped at {last.draws:,} draws: {told}"
    elif not last.values:
        line = f"stopped at {last.draws:,} draws: {told}, and more draws would not help"
    else:
        number = needed(standing, study)
        more = f"; it would need about {_rounded(number):,} draws" if math.isfinite(number) else ""
        met = f"cap of {rule.cap:,} draws met" + (f" at {last.draws:,}" if last.draws < rule.cap else "")
        line = f"{met}: {told}, wanted ± {rule.width:g}{more}"
    if last.values and last.half_width == 0:
        line += "; the draws so far do not differ, which later ones may"
    if last.values and last.lacking:
        line += f"; {last.lacking} draw{'s' * (last.lacking > 1)} without a value left out"
    return line + (f"; the cube holds {held:,} draws" if held > last.draws else "")


def stopped_record(standings: Sequence[Standing], study: Study) -> list[dict[str, Any]]:
    """How each rule ended, for machines; None where there is no number."""
    return [
        {
            "statistic": str(each.rule),
            "holds": each.holds,
            "draws": each.looks[-1].draws,
            "values": each.looks[-1].values,
            "without_value": each.looks[-1].lacking,
            "estimate": _finite(each.looks[-1].interval.estimate),
            "low": _finite(each.looks[-1].interval.low),
            "high": _finite(each.looks[-1].interval.high),
            "half_width_wanted": each.rule.width,
            "unit": each.rule.unit,
            "confidence": each.rule.confidence,
            "confidence_of_a_look": each.confidence,
            "looks": [{"draws": one.draws, "half_width": _finite(one.half_width)} for one in each.looks],
            "cap": each.rule.cap,
            "draws_needed": None if each.holds else _finite(needed(each, study)),
            "method": each.looks[-1].interval.how,
        }
        for each in standings
    ]


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _rounded(number: float) -> int:
    """Two figures are all that such an estimate can carry."""
    return int(float(f"{number:.2g}"))
