"""``python -m benchmarks.validation``: run what docs/validation.md rests on, then write the page and its pictures."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pandas as pd
import xarray as xr

from benchmarks.validation_runs import BACKCASTS, STEPS, VARIANTS, run_all
from report.validation_text import Material, write_page
from storage import open_cube


def material(results: Path, data: Path) -> Material:
    """Open everything that the page is written from."""

    def hours(name: str) -> xr.Dataset:
        return xr.load_dataset(results / f"{name}.nc", engine="scipy")

    plain, refined = (hours(name) for name in BACKCASTS)
    between = {name: hours(f"backcast_step_{number}") for number, name in enumerate(STEPS)}
    areas = pd.read_csv(data / "areas.csv")
    return Material(
        backcasts={"specification": plain, "with options": refined},
        steps={"specification": plain, **between, "line margins and losses": refined},
        cubes={name: open_cube(results / f"{name}.zarr") for name in BACKCASTS},
        options={name: open_cube(results / f"option_{name}.zarr") for name in VARIANTS},
        omissions=open_cube(results / "omissions.zarr"),
        region=open_cube(results / "region.zarr"),
        okinawa=open_cube(results / "okinawa.zarr"),
        published=open_cube(results / "published.zarr"),
        weeks=json.loads((results / "weeks.json").read_text(encoding="utf-8")),
        users=areas.set_index("area")["population_m"],
        actual=data / "actual",
    )


@click.command()
@click.option("--results", type=click.Path(path_type=Path), default=Path("results") / "validation", show_default=True)
@click.option("--docs", type=click.Path(path_type=Path), default=Path("docs"), show_default=True)
@click.option("--only-write", is_flag=True, help="Run nothing; write the page from what is there.")
def main(results: Path, docs: Path, only_write: bool) -> None:
    """Check the model against a year that happened and a published figure, and write docs/validation.md."""
    if not only_write:
        run_all(results)
    write_page(material(results, Path("model") / "data"), docs)
    click.echo(f"{docs / 'validation.md'}")


if __name__ == "__main__":
    main()
