"""``automl-zero show``: simplified programs, comparisons and other formats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import automl_zero as az
from automl_zero import programs
from automl_zero.analysis.simplify import approximate, simplify
from automl_zero.cli import program_views
from automl_zero.evolution.run_directory import RunDirectory
from automl_zero.program import Instruction, Program
from tests.analysis.notation import program
from tests.cli.test_programs import SMALL

if TYPE_CHECKING:
    from tests.cli.conftest import Run

LEARN = "s3 = s0 - s1; s3 = s2 * s3; v2 = s3 * v0; v1 = v1 + v2"
TANGLED = program("s2 = 0.1; s4 = 0.5; s2 = s2 * s4", "s1 = dot(v1, v0)", f"s5 = norm(v0); {LEARN}")
SIMPLE_TEXT = """\
def Setup():
    learning_rate = 0.05
def Predict():  # from features to prediction
    prediction = dot(features, weights)
def Learn():  # from features and label
    error = label - prediction
    scaled_error = learning_rate * error
    gradient = scaled_error * features
    weights = weights + gradient
"""


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    TANGLED.save(tmp_path / "tangled.json")
    return tmp_path / "tangled.json"


def test_simplify_prints_both_programs_one_after_the_other(run: Run, saved: Path) -> None:
    result = run("show", saved, "--simplify")
    assert result.exit_code == 0
    assert result.stdout == f"# as it is: 9 instructions\n{TANGLED}\n\n# simplified: 6 instructions\n{SIMPLE_TEXT}"
    assert result.stderr == "9 instructions, 6 when simplified; the same fitness on every task.\n"


def test_simplify_can_do_without_names(run: Run, saved: Path) -> None:
    simple = simplify(TANGLED).program
    assert run("show", saved, "--simplify", "--no-names").stdout.endswith(f"# simplified: 6 instructions\n{simple}\n")


def test_names_can_be_asked_for(run: Run, tmp_path: Path) -> None:
    programs.linear(0.05).save(tmp_path / "linear.json")
    swapped = SIMPLE_TEXT.replace("dot(features, weights)", "dot(weights, features)")
    assert run("show", "linear.json", "--names").stdout == swapped


def test_simplify_json_is_the_simplified_program_file(run: Run, saved: Path) -> None:
    shown = Program.from_json(run("show", saved, "--simplify", "--format", "json").stdout)
    assert shown == simplify(TANGLED).program


def test_the_steps_can_be_listed(run: Run, saved: Path) -> None:
    lines = run("show", saved, "--steps").stdout.splitlines()
    assert lines[lines.index("# simplified: 6 instructions") + 10].split() == ["rule", "where", "what"]
    assert any(
        line.startswith("dead code") and "Learn 0" in line and "s5 = norm(v0)  removed" in line for line in lines
    )


def test_constants_are_folded_in_the_type_of_the_run(run: Run, tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path / "run")
    directory.write_best(TANGLED)
    for dtype in ("float32", "float64"):
        directory.write_config(f'dtype = "{dtype}"\n{SMALL}')
        expected = simplify(TANGLED, dtype=dtype).program
        assert Program.from_json(run("show", "run", "--simplify", "--format", "json").stdout) == expected
        other = {"float32": "float64", "float64": "float32"}[dtype]
        shown = run("show", "run", "--simplify", "--format", "json", "--dtype", other).stdout
        assert Program.from_json(shown) == simplify(TANGLED, dtype=other).program != expected


def test_a_tolerance_simplifies_further_on_tasks_of_the_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = RunDirectory.create(tmp_path / "run")
    directory.write_config(f"{SMALL}select = {{ num_tasks = 3, num_train = 50, num_valid = 10 }}\n")
    directory.write_best(program("s2 = 0.1", "s1 = dot(v1, v0)", f"{LEARN}; v1 = v1 + v2"))
    monkeypatch.setattr(approximate, "evaluate", lambda p, tasks, dtype: az.evaluate(p, tasks, "numpy", dtype))
    result = run("show", "run", "--tolerance", 0.05)
    assert result.exit_code == 0, result.stderr
    assert "# simplified: 6 instructions" in result.stdout
    assert "weights = weights + gradient" in result.stdout
    assert result.stderr.startswith("7 instructions, 6 when simplified; change of mean fitness over 3 tasks ")


def test_a_tolerance_needs_tasks(run: Run, saved: Path) -> None:
    result = run("show", saved, "--tolerance", 0.1)
    assert result.exit_code == 2
    assert result.stderr == ("Error: a program file has no tasks of its own: name some with --tasks for --tolerance\n")


def test_diff_marks_what_only_one_program_has(run: Run, tmp_path: Path) -> None:
    programs.linear(0.05).save(tmp_path / "parent.json")
    changed = Instruction("scalar_const_set", out=2, constants=(0.25,))
    program = programs.linear(0.05)
    Program(program.memory, (changed,), program.predict, program.learn[:-1]).save(tmp_path / "child.json")
    result = run("show", "child.json", "--diff", "parent.json")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "--- parent.json",
        "+++ child.json",
        " def Setup():",
        "-    s2 = 0.05",
        "+    s2 = 0.25",
        " def Predict():  # v0 = features; s1 = prediction",
        "     s1 = dot(v1, v0)",
        " def Learn():  # v0 = features; s0 = label",
        "     s3 = s0 - s1",
        "     s3 = s2 * s3",
        "     v2 = s3 * v0",
        "-    v1 = v1 + v2",
    ]


def test_diff_of_simplified_programs_shows_only_what_matters(run: Run, saved: Path, tmp_path: Path) -> None:
    programs.linear(0.05).save(tmp_path / "parent.json")
    marked = run("show", saved, "--simplify", "--diff", "parent.json").stdout.splitlines()[2:]
    assert not [line for line in marked if line[0] in "+-"]
    named = run("show", saved, "--simplify", "--names", "--diff", "parent.json").stdout
    assert "     weights = weights + gradient" in named.splitlines()


def test_diff_tells_of_memory(run: Run, saved: Path, tmp_path: Path) -> None:
    programs.linear().save(tmp_path / "parent.json")
    lines = run("show", saved, "--diff", "parent.json").stdout.splitlines()
    assert lines[2:4] == [
        "-# MemorySpec(scalars=4, vectors=3, matrices=1)",
        "+# MemorySpec(scalars=8, vectors=8, matrices=4)",
    ]


@pytest.mark.parametrize("other", ["missing.json", "."])
def test_a_program_to_compare_with_that_is_not_there_is_bad_input(run: Run, saved: Path, other: str) -> None:
    result = run("show", saved, "--diff", other)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: ")
    assert other in result.stderr


def test_a_comparison_has_no_other_format(run: Run, saved: Path) -> None:
    result = run("show", saved, "--diff", saved, "--format", "latex")
    assert result.exit_code == 2
    assert result.stderr == "Error: --diff compares pseudocode: leave out --format latex\n"


@pytest.mark.parametrize(
    ("form", "text"), [("python", "import numpy as np"), ("jax", "import jax"), ("latex", r"\begin{aligned}")]
)
def test_other_formats_are_source_text(run: Run, saved: Path, form: str, text: str) -> None:
    result = run("show", saved, "--format", form)
    assert result.exit_code == 0, result.stderr
    assert text in result.stdout


class Wide:
    columns = 160


def test_a_wide_terminal_has_both_programs_side_by_side(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program_views, "is_rich", lambda stream: True)
    monkeypatch.setattr(program_views.shutil, "get_terminal_size", Wide)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("NO_COLOR", "1")
    program_views.echo_two_programs(("left", "right"), ("a = 1\nb = 2", "c = 3"))
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["left", "right"],
        ["a", "=", "1", "c", "=", "3"],
        ["b", "=", "2"],
    ]
