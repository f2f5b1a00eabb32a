"""The documents name what the code has: every key of a study, every component of the model, every file they cite."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pyomo.environ as pyo
import pytest
from pydantic import BaseModel

from model import DaysSpec, FreeSpec, InputsSpec, OptionsSpec, read_configurations, read_inputs
from model.dispatch import build_dispatch
from model.siting import build_siting
from sampling import DependenceSpec, DesignSpec, Marginal
from sampling.designs import KEYS, KINDS
from sampling.uncertainty import FAMILIES
from sweep.drawing import draw
from sweep.stop_rule import StopRule
from sweep.study import Study

ROOT = Path(__file__).parents[1]
STUDIES = (ROOT / "docs/studies.md").read_text(encoding="utf-8")
MODEL = (ROOT / "docs/model.md").read_text(encoding="utf-8")


def section(heading: str) -> str:
    """The text under a heading of the study document."""
    found = re.search(rf"^## {re.escape(heading)}.*?$(.*?)(?=^## |\Z)", STUDIES, re.MULTILINE | re.DOTALL)
    assert found, f"no heading {heading!r}"
    return found.group(1)


@pytest.mark.parametrize(
    ("heading", "spec"),
    [
        ("`[design]`", DesignSpec),
        ("`[days]`", DaysSpec),
        ("`[free.NAME]`", FreeSpec),
        ("`[inputs]`", InputsSpec),
        ("`[options]`", OptionsSpec),
    ],
)
def test_every_key_of_a_table_is_told_and_no_other(heading: str, spec: type[BaseModel]) -> None:
    told = re.findall(r"^\| `(\w+)` \|", section(heading), re.MULTILINE)
    assert told == list(dict.fromkeys(told))
    assert set(told) == set(spec.model_fields)


def test_every_key_of_a_study_is_told() -> None:
    tables = {
        "design",
        "days",
        "uncertain",
        "dependence",
        "scenario",
        "driver",
        "fixed",
        "free",
        "inputs",
        "options",
        "stop",
    }
    told = re.findall(r"^\| `(\w+)` \|", section("At the top"), re.MULTILINE)
    assert set(told) == set(Study.model_fields) - tables
    for table in tables - {"driver"}:
        assert re.search(rf"^## `\[{table}[\].]", STUDIES, re.MULTILINE), f"no section on [{table}]"


@pytest.mark.parametrize("name", FAMILIES)
def test_every_distribution_is_told_with_its_keys(name: str) -> None:
    text = section("`[uncertain.NAME]`")
    [row] = re.findall(rf'^\| `"{name}"` \|(.*)\|$', text, re.MULTILINE)
    for key, field in FAMILIES[name].model_fields.items():
        if key != "distribution":
            assert f"`{field.alias or key}" in (row if key not in Marginal.model_fields else text), key


@pytest.mark.parametrize("kind", KINDS)
def test_every_design_is_told_with_its_keys(kind: str) -> None:
    [row] = re.findall(rf'^\| `"{kind}"` \|(.*)\|$', section("`[design]`"), re.MULTILINE)
    own = set(re.findall(r"`(\w+)`", row.split("|")[-1]))
    assert own == {key for key, kinds in KEYS.items() if kind in kinds} - ({"replicates"} if kind == "file" else set())


def test_every_key_of_dependence_is_told() -> None:
    told = set(re.findall(r"^\| (.*?) \|", section("`[dependence]`"), re.MULTILINE))
    keys = {key for cell in told for key in re.findall(r"`(\w+)`", cell)}
    assert keys == set(DependenceSpec.model_fields)


def test_every_key_of_a_rule_is_told() -> None:
    told = re.findall(r"^\| (.*?) \|", section("`[stop]`"), re.MULTILINE)
    assert {key for cell in told for key in re.findall(r"`(\w+)`", cell)} == set(StopRule.model_fields)


def test_the_examples_of_the_study_document_can_be_drawn() -> None:
    examples: list[dict[str, Any]] = [
        tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", STUDIES, re.DOTALL)
    ]
    assert len(examples) == 5
    whole: dict[str, Any] = {}
    for example in examples:
        for key, value in example.items():
            whole[key] = {**whole[key], **value} if isinstance(value, dict) and key in whole else value
    whole["uncertain"] = {key: value for example in examples for key, value in example.get("uncertain", {}).items()}
    whole.pop("options")  # names a table that is not there; its keys are checked above
    whole["scenario"] = {"low": {"co2_price": 3000}, "high": {"co2_price": 20000}}
    for rule in whole["stop"]:
        rule["scenario"] = "high"
    study = Study.model_validate(whole)
    assert [str(rule) for rule in study.stop] == [
        "mean saving_fuel_co2 of five_hubs in high",
        "probability of saving_total above 0 billion yen/yr of five_hubs in high",
    ]
    assert study.stop[1].width == 0.03
    drawn = draw(study, ROOT)
    assert drawn.table.sizes["draw"] == 2 * 256
    assert set(drawn.table["policy"].values) == {"exit", "restart"}
    assert drawn.notes == ()


@pytest.fixture(scope="module")
def components() -> set[str]:
    """Names of all variables and constraints of the dispatch and of the siting stage of `optimal`."""
    inputs = read_inputs()
    [optimal] = read_configurations(inputs.tables["configurations"], ["optimal"], inputs, "tiers", {})
    models = (build_dispatch(inputs), build_siting(inputs, "tiers", optimal))
    return {part.name for model in models for part in model.component_objects([pyo.Var, pyo.Constraint])}


def test_every_component_of_the_model_is_told(components: set[str]) -> None:
    told = set(re.findall(r"`(\w+)`", MODEL)) | {"x", "y", "z", "Z", "n"}
    assert components <= told


def test_the_words_are_explained() -> None:
    words = (
        "study, uncertainty, draw, theta, configuration, siting, dispatch, curtailment, saving, regret, replicate, batch, "
        "shard, commit record, cube, template, PUE, APN, WLS, tiers, LOLE, siting value, line value, APN value, "
        "contract, generation, grid headroom, lease, latency-unserved, lower bound, spill, compacted cube, summary, "
        "delta, elementary effect, PAWN, Sobol index, effective sample size, importance weight, full-year companion, look, "
        "section, confidence interval, scenario, coverage, PRIM, satisficing"
    )
    explained = re.findall(r"^\*\*(.+?)\*\*", (ROOT / "docs/glossary.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(explained) == sorted(words.split(", "))
    assert explained == sorted(explained, key=str.lower)
