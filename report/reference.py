"""Savings against another reference than the study's: they follow from stored costs, so nothing is solved for them."""

from __future__ import annotations

import xarray as xr

from report.outcomes import CubeContentError, attribute, configuration_names, nearest

SAVINGS = {
    "saving_fuel_co2": ("fuel_cost", "co2_cost"),
    "saving_fuel": ("fuel_cost",),
    "saving_co2": ("co2_cost",),
    "saving_dispatch": ("dispatch_cost",),
    "saving_total": ("total_cost",),
}
"""The costs whose difference between reference and configuration, in the same draw, a saving is."""


def against(cube: xr.Dataset, reference: str) -> xr.Dataset:
    """Return a cube whose savings compare with another of its configurations; all else stays.

    Parameters
    ----------
    cube : xarray.Dataset
        As `storage.open_cube` gives it, with its costs [billion yen per year] over draw and configuration.
    reference : str
        One of the cube's configurations.

    Returns
    -------
    xarray.Dataset
        Missing (NaN) where the reference or the configuration is, as in the cube itself; the attribute ``reference``
        names the new one.

    Raises
    ------
    CubeContentError
        Where the cube has no such configuration, or lacks a cost.
    """
    names = configuration_names(cube)
    if reference not in names:
        raise CubeContentError(f"reference {reference!r} is no configuration of the cube{nearest(reference, names)}")
    if attribute(cube, "reference") == reference:
        return cube
    compared = {}
    for saving, parts in SAVINGS.items():
        if saving not in cube:
            continue
        if lacking := [part for part in parts if part not in cube]:
            raise CubeContentError(
                f"cube has no variable {lacking[0]!r}, of which {saving} against {reference} is made"
            )
        cost = sum((cube[part] for part in parts[1:]), cube[parts[0]])
        compared[saving] = cost.sel(configuration=reference, drop=True) - cost
        compared[saving] = compared[saving].transpose(*cube[saving].dims).assign_attrs(cube[saving].attrs)
    return cube.assign(compared).assign_attrs(reference=reference)
