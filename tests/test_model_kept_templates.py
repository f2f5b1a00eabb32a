"""Compiled templates are kept by content: found again, made anew after any change or damage, and never trusted blindly."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from model import Template, compile_template
from model.dispatch import build_dispatch
from model.inputs import Inputs
from model.kept_templates import FOLDER_VARIABLE, LABELS, kept_template
from tests.cases import system

INPUTS = system("W", lng=10, solar=8)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    kept = tmp_path / "cache" / "templates"
    monkeypatch.setenv(FOLDER_VARIABLE, str(kept))
    return kept


class Compiler:
    """Compiles the dispatch and counts how often it had to."""

    def __init__(self) -> None:
        self.times = 0

    def of(self, inputs: Inputs) -> Callable[[], Template]:
        def compile_it() -> Template:
            self.times += 1
            return compile_template(build_dispatch(inputs))

        return compile_it


def test_found_again_and_the_same(folder: Path) -> None:
    compiler = Compiler()
    first, again = (kept_template(INPUTS, compiler.of(INPUTS)) for _ in range(2))
    assert compiler.times == 1
    assert first.fingerprint() == again.fingerprint()
    assert first.shape == again.shape
    assert first.sections == again.sections
    for kind in LABELS:
        assert list(getattr(first, kind)) == list(getattr(again, kind))
    vector = np.random.default_rng(0).random(first.defaults.size)
    np.testing.assert_array_equal(first.values(vector), again.values(vector))
    assert len(list(folder.iterdir())) == 1, "nothing half-written beside it"


def test_any_number_counts(folder: Path) -> None:
    compiler = Compiler()
    others = [
        INPUTS,
        replace(INPUTS, one_way=INPUTS.one_way * 0.999),
        replace(INPUTS, scalars={**INPUTS.scalars, "voll": 2999.0}),
        replace(INPUTS, areas=("E",)),
    ]
    for inputs in others:
        kept_template(inputs, compiler.of(inputs))
    kept_template((INPUTS, "tiers"), compiler.of(INPUTS))
    assert compiler.times == len(others) + 1 == len(list(folder.iterdir()))


@pytest.mark.parametrize("damage", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b[:900] + b"x" + b[901:]])
def test_damaged_is_made_anew(folder: Path, damage: Callable[[bytes], bytes]) -> None:
    compiler = Compiler()
    first = kept_template(INPUTS, compiler.of(INPUTS))
    [file] = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert kept_template(INPUTS, compiler.of(INPUTS)).fingerprint() == first.fingerprint()
    assert compiler.times == 2
    kept_template(INPUTS, compiler.of(INPUTS))
    assert compiler.times == 2, "and is whole again"


def test_the_oldest_make_room(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.kept_templates.KEPT", 2)
    compiler = Compiler()
    for number, name in enumerate(("first", "second", "third")):
        kept_template(name, compiler.of(INPUTS))
        [new] = [file for file in folder.iterdir() if file.stat().st_mtime > 1e6]
        os.utime(new, (number, number))
    assert len(list(folder.iterdir())) == 2
    kept_template("second", compiler.of(INPUTS))
    kept_template("third", compiler.of(INPUTS))
    assert compiler.times == 3
    kept_template("first", compiler.of(INPUTS))
    assert compiler.times == 4


def test_a_folder_that_gives_no_room_or_no_answer_stops_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    compiler = Compiler()
    with monkeypatch.context() as patched:
        patched.setattr("model.kept_templates.np.savez", full)
        kept_template(INPUTS, compiler.of(INPUTS))
    assert list(folder.iterdir()) == [], "nothing half-written is left"
    kept_template(INPUTS, compiler.of(INPUTS))
    [file] = folder.iterdir()
    file.unlink()
    file.mkdir()
    kept_template(INPUTS, compiler.of(INPUTS))
    assert compiler.times == 3
    monkeypatch.setenv(FOLDER_VARIABLE, "/proc/templates")
    kept_template(INPUTS, compiler.of(INPUTS))
    assert compiler.times == 4


def test_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, "off")
    monkeypatch.chdir(tmp_path)
    compiler = Compiler()
    for _ in range(2):
        kept_template(INPUTS, compiler.of(INPUTS))
    assert compiler.times == 2
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_hashed_is_refused(folder: Path) -> None:
    with pytest.raises(TypeError, match="object cannot decide a template"):
        kept_template(object(), Compiler().of(INPUTS))


def test_a_worker_imports_nothing_that_only_a_plan_needs() -> None:
    code = "import sys, sweep.worker; print({'pyomo', 'tsam', 'sklearn', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
