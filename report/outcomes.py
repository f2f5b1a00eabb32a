"""Read outcomes from a cube so that only finished draws count.

A pair of draw and configuration is finished when its ``status`` is 1 (optimal). Everything else, failed or not run, is
NaN here, whatever
the cube holds in its place.
"""

import difflib
from collections.abc import Iterable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from storage import Summary

NOT_RUN = 0
OPTIMAL = 1
LISTED = "; `wattbit query STORE` lists what is known"
NEAR, SHOWN, MANY = 0.65, 6, 24  # how like a name must be to be named; how many are; of how many all are


class CubeContentError(ValueError):
    """The cube lacks something that the report needs; the message says what and names the nearest thing it has."""


def nearest(name: str, known: Iterable[object]) -> str:
    """Name the nearest of what is known, those that contain the name, or all of it, as the end of a message."""
    names = [str(each) for each in known]
    plain = {each.lower(): each for each in names}
    wanted = name.lower().replace(" ", "_").replace("-", "_")
    containing = [plain[each] for each in plain if len(wanted) > 2 and wanted in each]
    close = [plain[each] for each in difflib.get_close_matches(wanted, plain, n=1, cutoff=NEAR)]
    if wanted not in plain and len(containing) > 1:
        more = ", ..." if len(containing) > SHOWN else ""
        return f"; known: {', '.join(map(repr, containing[:SHOWN]))}{more}"
    if close or containing:
        return f"; nearest known: {(close or containing)[0]!r}"
    return f"; known: {', '.join(names) or 'none'}" if len(names) <= MANY else LISTED


def attribute(cube: xr.Dataset, name: str) -> Any:
    """
    Read a global attribute of the cube.

    Raises
    ------
    CubeContentError
        If the cube has no such attribute.
    """
    if name not in cube.attrs:
        raise CubeContentError(f"cube has no attribute {name!r}{nearest(name, map(str, cube.attrs))}")
    return cube.attrs[name]


def configuration_names(cube: xr.Dataset) -> list[str]:
    """
    Name the configurations in the order of the study.

    Raises
    ------
    CubeContentError
        If the cube has no coordinate ``configuration``.
    """
    if "configuration" not in cube.coords:
        raise CubeContentError(f"cube has no coordinate 'configuration'{nearest('configuration', cube.coords)}")
    return [str(name) for name in cube["configuration"].to_numpy()]


def reference_configuration(cube: xr.Dataset) -> str:
    """
    Name the configuration that savings are measured against.

    Raises
    ------
    CubeContentError
        If the attribute ``reference`` is missing or names no configuration of the cube.
    """
    name = str(attribute(cube, "reference"))
    if name not in configuration_names(cube):
        raise CubeContentError(
            f"reference {name!r} is no configuration of the cube{nearest(name, configuration_names(cube))}"
        )
    return name


def free_configurations(cube: xr.Dataset) -> list[str]:
    """
    Name the configurations whose siting the model chooses anew in every draw; the others are the named ones.

    Raises
    ------
    CubeContentError
        If the attribute ``free_configurations`` is missing, is no list, or names an unknown configuration.
    """
    names = attribute(cube, "free_configurations")
    if not isinstance(names, list | tuple):
        raise CubeContentError(f"attribute 'free_configurations' is {names!r}, expected a list of names")
    known = configuration_names(cube)
    for name in names:
        if name not in known:
            raise CubeContentError(f"free configuration {name!r} is no configuration of the cube{nearest(name, known)}")
    return [str(name) for name in names]


def variable(cube: xr.Dataset, name: str) -> xr.DataArray:
    """
    Read a variable of the cube, ``draw`` and ``configuration`` leading.

    Raises
    ------
    CubeContentError
        If the cube has no such variable, or it does not run over draws and configurations.
    """
    if name not in cube.data_vars:
        raise CubeContentError(f"cube has no variable {name!r}{nearest(name, cube.data_vars)}")
    array = cube[name]
    if not {"draw", "configuration"} <= set(array.dims):
        raise CubeContentError(
            f"variable {name!r} has dimensions {array.dims}, expected draw and configuration among them"
        )
    return array.transpose("draw", "configuration", ...)


def states(cube: xr.Dataset) -> dict[int, str]:
    """Name every status by its CF flags; without them, those that occur, by their numbers."""
    status = variable(cube, "status")
    if "flag_meanings" in status.attrs:
        values, words = status.attrs["flag_values"], status.attrs["flag_meanings"].split()
        return {int(value): word for value, word in zip(values, words, strict=True)}
    known = {NOT_RUN: "not_run", OPTIMAL: "optimal"}
    return {int(each): known.get(int(each), f"status_{each}") for each in np.unique(status.to_numpy())}


def finished(cube: xr.Dataset) -> xr.DataArray:
    """Tell whether each pair was solved to the optimum: boolean over (draw, configuration)."""
    return variable(cube, "status") == OPTIMAL


def outcome(cube: xr.Dataset, name: str) -> xr.DataArray:
    """Read a variable over (draw, configuration, ...) in its own unit, NaN where the pair is not finished."""
    return variable(cube, name).where(finished(cube))


def paired_outcome(cube: xr.Dataset, name: str) -> xr.DataArray:
    """Read a variable like `outcome`, NaN also where the reference of the same draw is not finished."""
    done = finished(cube)
    reference_done = done.sel(configuration=reference_configuration(cube), drop=True)
    return variable(cube, name).where(done & reference_done)


def defined(values: xr.DataArray, configuration: str) -> NDArray[np.float64]:
    """Give the values of one configuration where they are defined: 1-D, in draw order, without NaN."""
    column = np.asarray(values.sel(configuration=configuration).to_numpy(), dtype=np.float64).reshape(-1)
    return column[~np.isnan(column)]


def from_summary(cube: xr.Dataset, name: str, summary: Summary | None) -> xr.Dataset | None:
    """
    Read the mean over finished draws of a variable that may be too large to read for it, and how many these are.

    Parameters
    ----------
    cube
        With ``status`` over (draw, configuration).
    name
        A variable over (draw, configuration, ...).
    summary
        Of the same cube; or None.

    Returns
    -------
    Dataset or None
        ``mean`` and ``n`` over (configuration, ...). None without a summary, or where its draws are not the finished
        ones in every cell that has any: then the values have to be read.
    """
    if summary is None:
        return None
    of_variable, done = summary.of(name), finished(cube).sum("draw").compute()
    counts = of_variable["n"]
    return of_variable[["mean", "n"]] if bool(((counts == done) | (counts == 0)).all()) else None
