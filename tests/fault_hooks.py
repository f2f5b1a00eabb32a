"""What tests put in the place of ``solve_batch``: the same, where some draws abort, never end, or take all memory.

The functions are made inside others, so that they travel to workers by value: no worker needs to find this file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sweep.tally import BatchSummary
from sweep.worker import Draws, Work

Solve = Callable[[Work, Draws], BatchSummary]


def faulty(
    values: dict[float, str],
    log: Path | None = None,
    seconds: float = 0.0,
    once: Path | None = None,
    gate: tuple[int, Path] | None = None,
) -> Solve:
    """Return ``solve_batch`` with faults.

    Parameters
    ----------
    values : dict
        dc_demand of a draw -> what it does: "abort", "segv", "exit", "endless", "memory".
    log : Path, optional
        Takes in a line for each batch that is begun: its number and the process.
    seconds : float
        What every draw takes longer.
    once : Path, optional
        A file that is made when a fault strikes; where it is, none strikes.
    gate : (int, path), optional
        Batches from that number on wait, once they are begun, until there is such a file.
    """

    def solve(work: Work, draws: Draws) -> BatchSummary:
        import os
        import time

        import model.draw
        import sweep.worker

        whole = model.draw.solve_draw

        def solve_draw(case: Any, theta: Any) -> Any:
            import os
            import signal
            import time

            time.sleep(seconds)
            what = values.get(float(theta["dc_demand"]), "")
            if what and (once is None or not once.exists()):
                if once is not None:
                    once.touch()
                if what == "abort":
                    os.abort()
                if what == "segv":
                    os.kill(os.getpid(), signal.SIGSEGV)
                if what == "exit":
                    os._exit(7)
                taken = []
                while what == "endless":
                    time.sleep(0.01)
                while what == "memory":
                    taken.append(b"x" * (20 * 2**20))
                    time.sleep(0.01)
            return whole(case, theta)

        sweep.worker.solve_draw = solve_draw  # type: ignore[assignment]
        if log is not None:
            with log.open("a") as stream:
                stream.write(f"{draws.batch} {os.getpid()}\n")
        while gate is not None and draws.batch >= gate[0] and not gate[1].exists():
            time.sleep(0.05)
        try:
            return sweep.worker.solve_batch(work, draws)
        finally:
            sweep.worker.solve_draw = whole

    return solve
