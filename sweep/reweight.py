"""Change what is believed after a sweep: read old beliefs out of the cube, new ones from a file, and weigh its draws anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from report.estimators import Floats
from report.reweighting import reweighted
from report.reweighting_text import reweighting_record, reweighting_text
from sampling import SamplingError
from sampling.conditions import SCENARIO
from sampling.marginals import Values
from sampling.ratio import log_ratio
from storage import Place, open_cube
from sweep.beliefs import AS_DRAWN, Belief, Beliefs, Origin, believed, drawn_from, read_beliefs
from sweep.errors import StudyError

OUTCOME = "saving_fuel_co2"


def reweight(
    store: Place,
    beliefs: Path | Beliefs,
    *,
    outcome: str = OUTCOME,
    configurations: Sequence[str] = (),
    least_effective: float | None = None,
) -> xr.Dataset:
    """Return the statistics of a cube under other beliefs; nothing is solved and nothing written.

    Parameters
    ----------
    store : path
        A cube of a random design.
    beliefs : Path or Beliefs
        The file, or what it says; tables of values are relative to its folder, else to the current one.
    outcome : str
        An outcome over draw and configuration alone.
    configurations : sequence of str
        Those to show; default all.
    least_effective : float, optional
        Effective sample size below which a set of beliefs is refused.

    Returns
    -------
    xr.Dataset
        See `report.reweighting.reweighted`; the first set, ``study``, is what the cube was drawn from.

    Raises
    ------
    StudyError
        A wrong file, or a cube whose draws have no density; or where every set that changes something is refused.
    SamplingError
        A set of beliefs that weights cannot reach.
    CubeContentError
        An unknown outcome or configuration.
    """
    told, base = (read_beliefs(beliefs), beliefs.parent) if isinstance(beliefs, Path) else (beliefs, Path("."))
    origin = drawn_from(store)
    draws = origin.table.sizes["draw"]
    ratios: dict[str, Floats] = {AS_DRAWN: np.zeros(draws)}
    notes: list[str] = []
    for name, belief in told.belief.items():
        try:
            ratios[name], own = _ratios(name, belief, origin, base)
        except SamplingError as fault:
            where = beliefs.name if isinstance(beliefs, Path) else "beliefs"
            raise StudyError(f"{where}: {fault}") from fault
        notes += own
    found = reweighted(
        open_cube(store),
        ratios,
        odds=told.mix,
        name=outcome,
        configurations=configurations,
        least=least_effective,
    )
    changed = [name for name in found["belief"].values.tolist() if name not in ratios or ratios[name].any()]
    refused = found["refused"].sel(belief=changed)
    if changed and all(refused.values.reshape(-1)):
        lines = [
            f"{belief}{f' in {scenario}' if scenario else ''}: {refused.sel(scenario=scenario, belief=belief).item()}"
            for scenario in found["scenario"].values.tolist()
            for belief in changed
        ]
        raise StudyError(
            "\n  ".join(
                ["too little is left of the draws; sweep these beliefs themselves, or --least-effective N:", *lines]
            )
        )
    found.attrs["notes"] = notes
    return found


def _ratios(name: str, belief: Belief, origin: Origin, base: Path) -> tuple[Floats, list[str]]:
    """Return the log ratio (draws,) of a set of beliefs to what was drawn, scenario by scenario; and notes."""
    columns: dict[str, Values] = {str(each): column.values for each, column in origin.table.data_vars.items()}
    worlds = origin.scenarios or {"": frozenset[str]()}
    try:
        new, changed = believed(belief, origin, base)
    except SamplingError as fault:
        raise fault.inside(f"belief.{name}") from fault
    logs = np.zeros(origin.table.sizes["draw"])
    notes: dict[str, None] = {}
    for scenario, own in worlds.items():
        rows = columns[SCENARIO] == scenario if scenario else np.ones(len(logs), dtype=bool)
        part = {each: values[rows] for each, values in columns.items()}
        try:
            found = log_ratio(part, origin.joint, new, changed, origin.fixed | own)
        except SamplingError as fault:
            raise fault.inside(f"belief.{name}") from fault
        logs[rows] = found.log
        held = [f"{each}: held by the scenario {scenario}, where nothing changes" for each in sorted(changed & own)]
        notes |= dict.fromkeys(f"{name}: {note}." for note in (*found.notes, *held))
    return logs, list(notes)


def told(
    store: Place,
    beliefs: Path,
    outcome: str,
    configurations: Sequence[str],
    least_effective: float | None,
    as_json: bool,
    width: int,
) -> str:
    """Answer ``wattbit reweight``: the text to print, or one JSON object."""
    found = reweight(store, beliefs, outcome=outcome, configurations=configurations, least_effective=least_effective)
    if as_json:
        return json.dumps(reweighting_record(found), indent=1, allow_nan=False)
    return reweighting_text(found, width=width).rstrip("\n")
