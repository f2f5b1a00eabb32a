"""What the documents tell a reader to type works: commands, options, files, links, and the Python examples."""

from __future__ import annotations

import itertools
import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from ray.scripts.scripts import cli as ray_commands

from sweep.cli import main as wattbit
from sweep.study import Study

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
MADE_BY_A_RUN = ("results/", "/mnt/", "s3://", "gs://")
OTHERS = {"pip", "cd", "export"}
OF_CLOUDS = {"aws", "gcloud", "kubectl", "docker"}  # not at hand where tests run: their options are not checked


def blocks(document: Path, language: str) -> list[str]:
    """Fenced code of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def commands(text: str) -> list[list[str]]:
    """The commands of shell lines, each as words; those quoted for another machine too."""
    found: list[list[str]] = []
    for line in filter(None, text.splitlines()):
        for part in line.split(" && ") if "'" not in line else [line]:
            words = shlex.split(part, comments=True)
            while words and re.match(r"[A-Z_]+=", words[0]):
                words.pop(0)
            found.append(words)
            quoted = [word for before, word in itertools.pairwise(words) if " " in word and before != "--where"]
            found += [inner for word in quoted for inner in commands(word)]
    return found


def parse(group: click.Command, words: list[str]) -> click.Context:
    """Let click parse a command line and run nothing; it raises for what it does not know."""
    assert isinstance(group, click.Group)
    assert words[0] in group.commands, f"no command {words[0]!r}"
    command = group.commands[words[0]]
    if isinstance(command, click.Group):
        return parse(command, words[1:])
    return command.make_context(words[0], words[1:])


LINES = [
    pytest.param(words, id=" ".join(words)[:60])
    for document in DOCUMENTS
    for text in blocks(document, "sh")
    for words in commands(text)
]


@pytest.mark.parametrize("words", LINES)
def test_commands_are_known(words: list[str]) -> None:
    program = Path(words[0]).name
    if program == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert set(words[1:]) <= set(targets)
    elif program == "wattbit":
        parse(wattbit, words[1:])
    elif program == "ray":
        parse(ray_commands, words[1:])
        if "--" in words:  # what a job runs is a command line again
            test_commands_are_known(words[words.index("--") + 1 :])
    else:
        assert program in OTHERS | OF_CLOUDS, f"what is {program}?"
    for word in words[1:]:
        if (
            re.search(r"\.(toml|yaml|csv|md|txt|zarr)$", word)
            and " " not in word
            and not word.startswith(MADE_BY_A_RUN)
        ):
            assert (ROOT / word).exists(), f"{word} does not exist"
        if word.startswith("file://"):
            assert (ROOT / word.removeprefix("file://")).exists(), f"{word} does not exist"


def test_the_two_commands_are_there() -> None:
    typed = [" ".join(words) for text in blocks(ROOT / "README.md", "sh") for words in commands(text)]
    assert {"make run", "make test"} <= set(typed)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_lead_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        assert "://" not in target, f"{target}: the documents stand on their own"
        assert (document.parent / target).exists(), f"{target} does not exist"


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like that of a reader who ran the default study, with a smaller cube in its place."""
    folder = tmp_path_factory.mktemp("reader")
    store = folder / "results" / "japan2040.zarr"
    line = ["run", str(ROOT / "studies/small.toml"), "--draws", "4", "--serial", "--store", str(store)]
    outcome = CliRunner().invoke(wattbit, line)
    assert outcome.exit_code == 0, outcome.output
    return folder


EXAMPLES = blocks(ROOT / "README.md", "python")
QUESTIONS = blocks(ROOT / "docs/querying.md", "python")
DRIVERS = blocks(ROOT / "docs/sensitivity.md", "python")
DRIVER_LINES = [words for text in blocks(ROOT / "docs/sensitivity.md", "sh") for words in commands(text)]
QUERIES = [words for text in blocks(ROOT / "docs/querying.md", "sh") for words in commands(text)]


@pytest.mark.parametrize("example", [*EXAMPLES, *QUESTIONS, *DRIVERS])
def test_python_examples_run(
    example: str, finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(finished)
    exec(compile(example, "example", "exec"), {"__name__": "example"})
    assert capsys.readouterr().out.strip()


@pytest.mark.parametrize("words", QUERIES, ids=lambda words: " ".join(words[3:])[:60])
def test_queries_have_answers(words: list[str], finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished)
    outcome = CliRunner().invoke(wattbit, [*words[1:], "--json"])
    assert outcome.exit_code == 0, outcome.output
    rows = json.loads(outcome.stdout)["rows"]
    assert all({"n", "failed", "not_run"} <= row.keys() for row in rows)
    assert any(row["n"] for row in rows)


@pytest.mark.parametrize("words", DRIVER_LINES, ids=lambda words: " ".join(words[3:])[:60])
def test_sensitivity_has_answers(words: list[str], finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(finished)
    outcome = CliRunner().invoke(wattbit, [*words[1:], *([] if "--json" in words else ["--json"])])
    assert outcome.exit_code == 0, outcome.output
    [found] = json.loads(outcome.stdout)["outcomes"]
    assert all(result["reason"] for result in found["results"])  # four draws are too few, and it says so


def test_there_are_ten_questions() -> None:
    headings = re.findall(r"^## (\d+)\. .*\?$", (ROOT / "docs/querying.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [int(number) for number in headings] == list(range(1, 11))
    assert len(QUESTIONS) == 10


def test_a_run_leaves_what_the_readme_says(finished: Path) -> None:
    assert len(EXAMPLES) >= 3
    assert (finished / "results" / "japan2040.html").is_file()


def test_the_example_study_is_valid() -> None:
    text, *_ = blocks(ROOT / "docs/studies.md", "toml")
    Study.model_validate(tomllib.loads(text))
