"""The command line, `wattbit`: the group of all commands, each imported when it is asked for.

Results go to standard output, progress to standard error. Exit codes: 0 done, 1 finished with draws that
failed, stopped by a fault of disk or store, or a cube that `verify` does not believe, 2 refused, 130 interrupted,
143 terminated; docs/studies.md has them all.
"""

from __future__ import annotations

from collections import UserDict
from importlib import import_module

import click

COMMANDS = {
    "check": (
        "sweep.cli_study:check",
        "Check a study, its tables and every draw of it, and print the uncertain parameters.",
    ),
    "compact": (
        "sweep.cli_cube:compact",
        "Rewrite a cube into large shards for reading, every value checked; the cube itself stays as it is.",
    ),
    "correct": (
        "sweep.cli_fidelity:correct_command",
        "Print full-year means, probabilities or quantiles from many draws of few days and a few of the same with all days.",
    ),
    "explore": (
        "sweep.cli_explore:explore",
        "Write an interactive page of a cube: brush uncertainties and every number follows. It needs no network.",
    ),
    "optimise": (
        "sweep.cli_optimise:optimise_command",
        "Compute the one siting, decided before the draw is known, that is best over all draws of a cube.",
    ),
    "plan": (
        "sweep.cli_study:plan",
        "Say what a study would do and take - draws, solves, bytes, time, money - and run nothing but one pilot draw.",
    ),
    "query": (
        "sweep.cli_analysis:query",
        "Print mean, spread and quantiles of a VARIABLE of a cube, by configuration and whatever else is asked for.",
    ),
    "report": (
        "sweep.cli_report:report",
        "Print a cube's robustness table and write its page; with --lang the report that goes into a proposal.",
    ),
    "reweight": (
        "sweep.cli_analysis:reweight",
        "Print how configurations do under other distributions, BELIEFS (TOML), from the draws of a cube; nothing is solved.",
    ),
    "run": (
        "sweep.cli_run:run",
        "Run a study, or finish or extend the cube that an earlier run left; then print the table and write the report.",
    ),
    "sample": (
        "sweep.cli_study:sample",
        "Draw a study and solve nothing: quantiles, means, units and sources of its parameters, correlations, the draws.",
    ),
    "sensitivity": (
        "sweep.cli_analysis:sensitivity",
        "Print which uncertainty drives an outcome of a cube, configuration by configuration.",
    ),
    "solve": (
        "sweep.cli_study:solve",
        "Solve one future, unset parameters at their mid values, and print every outcome of each configuration.",
    ),
    "status": (
        "sweep.cli_cube:status",
        "Say how far a cube is, how fast it goes, what failed, what took longest and who writes it.",
    ),
    "verify": (
        "sweep.cli_cube:verify",
        "Say whether a cube may be believed: checksums, costs and balances, and some draws solved again by plain Pyomo.",
    ),
}
"""Where each command is, and its line in the list of commands: the first paragraph of what it says of itself."""


class Imported(UserDict[str, click.Command]):
    """The commands by name, each imported when it is asked for: what solves, draws and reads takes seconds to import."""

    def __getitem__(self, name: str) -> click.Command:
        """Import a command."""
        if name not in COMMANDS:
            return super().__getitem__(name)
        module, _, function = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(import_module(module), function)
        return command


class ListedBySummaries(click.Group):
    """A group that lists its commands without importing any."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by their summaries."""
        click.Group(commands=dict(LISTED)).format_commands(ctx, formatter)


LISTED = {name: click.Command(name, help=summary) for name, (_, summary) in COMMANDS.items()}


@click.group(cls=ListedBySummaries, commands=Imported(LISTED), context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wattbit-sweep")
def main() -> None:
    """Where should data centres stand when the demand, renewables and network of 2040 are unknown? Sweeps and reports."""
