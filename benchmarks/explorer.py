"""``python -m benchmarks.explorer STORE``: how long the explorer of many draws takes from a brush to the painted page."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import click
import numpy as np
import xarray as xr

from benchmarks.chromium import Chromium
from report.explore import write_explorer
from storage import open_cube

MOVED = 0.01  # of its value: how far a repeated number is moved, so that no two draws are alike
QUIET = 150  # milliseconds without a painted drawing after which a brush counts as done
PATIENCE = 1000  # milliseconds for the first one
BRUSHES = 40

SCRIPT = """
const painted = [], channel = new MessageChannel(), canvas = CanvasRenderingContext2D.prototype;
let told = false;
channel.port1.onmessage = () => { told = false; painted.push(performance.now()); };
for (const name of ["clearRect", "fill", "stroke", "drawImage"]) {
  const own = canvas[name];
  canvas[name] = function (...given) {
    if (!told) { told = true; channel.port2.postMessage(0); }  // it is heard once the frame that is being drawn is out
    return own.apply(this, given);
  };
}
const wait = (time) => new Promise((done) => setTimeout(done, time));
const found = { computed: [], painted: [], paints: [] };
const sliders = [...document.querySelectorAll("#ranges .range")].slice(0, 2).map((row) => [...row.querySelectorAll("input")]);
await wait(1000);
for (let step = 1; step <= BRUSHES; step++) {  // step 0 would move nothing
  const [low, high] = sliders[step % 2], input = step % 4 < 2 ? low : high, most = Number(low.max);
  input.value = step % 4 < 2 ? Math.round(most * 0.4 * ((step % 20) / 20)) : Math.round(most * (1 - 0.4 * ((step % 20) / 20)));
  painted.length = 0;
  const begun = performance.now();
  input.dispatchEvent(new Event("input", { bubbles: true }));
  while (performance.now() - (painted[painted.length - 1] || begun + PATIENCE) < QUIET) await wait(10);
  found.computed.push(explorer.last().milliseconds);
  found.painted.push(painted[painted.length - 1] - begun);
  found.paints.push(painted.length);
}
return found;
"""


def many(cube: xr.Dataset, draws: int, seed: int = 1) -> xr.Dataset:
    """Return a cube of so many draws: those of a cube again and again, every number moved a little."""
    rng = np.random.default_rng(seed)
    made = cube.isel(draw=np.arange(draws) % cube.sizes["draw"]).load()
    for name, array in made.data_vars.items():
        if "draw" in array.dims and array.dtype.kind == "f" and len(np.unique(array.values)) > 12:
            made[name] = array * (1 + MOVED * rng.uniform(-1, 1, array.shape))
    return made.assign_coords(draw=np.arange(draws))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("store", type=click.Path(path_type=Path, exists=True))
@click.option("--draws", type=click.IntRange(2), default=10_000, show_default=True)
def main(store: Path, draws: int) -> None:
    """Write the explorer of many draws made from those of STORE, brush it in a headless Chromium, and print JSON."""
    with tempfile.TemporaryDirectory() as folder, Chromium() as browser:
        page = write_explorer(many(open_cube(store), draws), Path(folder) / "many.html")
        browser.open(page.as_uri())
        found = browser.run(
            SCRIPT.replace("BRUSHES", str(BRUSHES)).replace("QUIET", str(QUIET)).replace("PATIENCE", str(PATIENCE))
        )
        told: dict[str, float] = {"draws": draws, "megabytes": round(page.stat().st_size / 1e6, 1)}
    for name in ("computed", "painted"):
        told |= {f"{name}_median_ms": float(np.median(found[name])), f"{name}_longest_ms": max(found[name])}
    click.echo(json.dumps({name: round(value, 1) for name, value in told.items()}, indent=1))


if __name__ == "__main__":
    main()
