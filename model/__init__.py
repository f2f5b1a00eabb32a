"""Inputs and one draw in, solved siting and dispatch out.

tables -> inputs -> dispatch and siting (Pyomo, each equation once) -> template (compiled) -> draw (solved hot) -> outcomes
"""

from typing import TYPE_CHECKING, Any

from model.case import Case, build_case
from model.chain import Home
from model.configurations import Configuration, read_configurations
from model.days import Days, choose_days
from model.draw import solve_draw
from model.errors import InputError, TemplateError
from model.hourly import QUANTITIES, UnsolvedError, solve_hours
from model.inputs import Inputs, read_inputs
from model.live import LiveHighs, Solution, Status
from model.options import OptionsSpec
from model.outcomes import OUTCOMES, RESIDUALS, Outcome, coordinates
from model.parameters import WEATHER_YEAR, check_draws, check_theta, optional_parameters, required_parameters
from model.share_stage import DemandRange, ShareStage, build_share_stage, tidy
from model.shares import CUTS, ShareCost, cost_of_shares, cut_of_known, find_home, lift, site_cost
from model.spec import DaysSpec, FreeSpec, InputsSpec, Siting
from model.template import Template

if TYPE_CHECKING:
    from model.compilation import compile_template

__all__ = [
    "CUTS",
    "OUTCOMES",
    "QUANTITIES",
    "RESIDUALS",
    "WEATHER_YEAR",
    "Case",
    "Configuration",
    "Days",
    "DaysSpec",
    "DemandRange",
    "FreeSpec",
    "Home",
    "InputError",
    "Inputs",
    "InputsSpec",
    "LiveHighs",
    "OptionsSpec",
    "Outcome",
    "ShareCost",
    "ShareStage",
    "Siting",
    "Solution",
    "Status",
    "Template",
    "TemplateError",
    "UnsolvedError",
    "build_case",
    "build_share_stage",
    "check_draws",
    "check_theta",
    "choose_days",
    "compile_template",
    "coordinates",
    "cost_of_shares",
    "cut_of_known",
    "find_home",
    "lift",
    "optional_parameters",
    "read_configurations",
    "read_inputs",
    "required_parameters",
    "site_cost",
    "solve_draw",
    "solve_hours",
    "tidy",
]


def __getattr__(name: str) -> Any:
    """Import ``compile_template``, and Pyomo with it, when it is asked for: a worker never does."""
    if name == "compile_template":
        from model.compilation import compile_template

        return compile_template
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
