"""What every single day of a weather year gives in one future, siting by siting: the stuff that days are chosen by."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import dispatch, parameters
from model.case import Case
from model.chain import Dispatcher
from model.days import Days, in_order
from model.errors import TemplateError
from model.kept_templates import cache_folder, write_whole
from model.live import Status
from model.parameters import WEATHER_YEAR, Theta
from model.template import Floats
from model.weather import DAYS

VERSION = 1  # of what is read from a solved day
KEPT, FOLDER = 400, "days"  # files of some 50 kB each, in the user's cache
SHIPPED = Path(__file__).parent / "data" / "day_outcomes.npz"
Singles = NDArray[np.float32]  # seven digits are more than enough, and on these all processors agree


@dataclass(frozen=True, eq=False)
class DayOutcomes:
    """Outcomes of each day, by siting.

    Attributes
    ----------
    cost : (sitings, 365) array, billion yen
        Fuel and CO2, nuclear fuel apart.
    curtailment : (sitings, 365, A) array, TWh
    """

    cost: Singles
    curtailment: Singles


def every_day(case: Case, year: str, ordered: bool) -> Case:
    """The same case with all days of one weather year; ``ordered`` to be solved, which takes a second."""
    days = Days(np.arange(DAYS), np.ones(DAYS))
    return replace(case, days={year: in_order(days, case.inputs.weather[year], case.inputs) if ordered else days})


def day_outcomes(case: Case, theta: Theta, loads: Sequence[Floats]) -> DayOutcomes:
    """Dispatch every day of a case of whole years around each load (A,) [GW].

    Outcomes of the shipped study lie beside its tables, others are kept in the user's cache.

    Raises
    ------
    TemplateError
        A day could not be solved.
    """
    digest = program_digest(case, theta, loads)
    found = find_outcomes(digest)
    if found is None:
        found = solve_days(case, theta, loads)
        folder = cache_folder()
        if folder is not None:
            with suppress(OSError):  # a folder without room keeps nothing, and nobody needs it to
                (folder / FOLDER).mkdir(exist_ok=True)
                arrays = {"cost": found.cost, "curtailment": found.curtailment}
                write_whole(folder / FOLDER / f"{digest}.npz", KEPT, arrays)
    return found


def find_outcomes(digest: str) -> DayOutcomes | None:
    """Outcomes that need not be solved: shipped or kept for the digest of their programs."""
    if SHIPPED.exists():
        with np.load(SHIPPED, allow_pickle=False) as arrays:
            if f"{digest}.cost" in arrays:
                return DayOutcomes(arrays[f"{digest}.cost"], arrays[f"{digest}.curtailment"])
    folder = cache_folder()
    if folder is None:
        return None
    try:
        with np.load(folder / FOLDER / f"{digest}.npz", allow_pickle=False) as arrays:
            return DayOutcomes(arrays["cost"], arrays["curtailment"])
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, EOFError):
        return None


def ship(outcomes: Mapping[str, DayOutcomes]) -> None:
    """Lay outcomes, by the digest of their programs, beside the tables; those that are there go."""
    arrays: dict[str, Any] = {f"{digest}.cost": one.cost for digest, one in outcomes.items()}
    arrays |= {f"{digest}.curtailment": one.curtailment for digest, one in outcomes.items()}
    np.savez_compressed(SHIPPED, **arrays)


def program_digest(case: Case, theta: Theta, loads: Sequence[Floats]) -> str:
    """SHA-256 of every number of the days' programs, to the seven digits on which all processors agree."""
    year = str(theta[WEATHER_YEAR])
    vectors = case.day_vectors(year, case.dispatch.vector(dispatch.of_draw(theta, case.inputs)))
    digest = hashlib.sha256(f"{VERSION} {case.dispatch.fingerprint()}".encode())
    for array in (np.nan_to_num(vectors), np.array(loads), parameters.fuel_cost(theta, case.inputs)):
        digest.update(array.astype(np.float32).tobytes())
    return digest.hexdigest()


def solve_days(case: Case, theta: Theta, loads: Sequence[Floats]) -> DayOutcomes:
    """The same of the days that a case has, solved in any case."""
    year = str(theta[WEATHER_YEAR])
    dispatcher = Dispatcher(case, theta)
    inputs, days = case.inputs, case.days[year].day
    available = dispatch.renewable_output(theta, inputs, inputs.weather[year], days).sum(axis=-1)
    price = parameters.fuel_cost(theta, inputs) + inputs.emission * float(theta["co2_price"]) / 1000
    cost = np.zeros((len(loads), days.size))
    curtailment = np.zeros((len(loads), days.size, len(inputs.areas)))
    for number, solved in dispatcher.days_around(list(loads)):
        for siting, of_day in enumerate(solved):
            if of_day.status is not Status.OPTIMAL:
                raise TemplateError(
                    f"day {days[number]} of {year} ended {of_day.status.name.lower()}: choose days by clusters"
                )
            cost[siting, number] = (of_day.thermal * price).sum() / 1000
            curtailment[siting, number] = np.maximum(available[number] - of_day.used, 0.0).sum(axis=1) / 1000
    return DayOutcomes(cost.astype(np.float32), curtailment.astype(np.float32))
