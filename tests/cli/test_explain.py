"""``automl-zero explain`` and ``automl-zero tune``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from automl_zero import programs
from automl_zero.evolution.config import load_config
from automl_zero.evolution.run_directory import RunDirectory
from automl_zero.program import Program

if TYPE_CHECKING:
    from tests.cli.conftest import Run

SLOW = programs.linear(learning_rate=1e-4)
_START: dict[str, Any] = {"experiment": 1, "island": None, "individual": None, "mutation": "start"}
LINEAGE: list[dict[str, Any]] = [
    {**_START, "parent_fitness": None, "fitness": 0.25, "parent": None, "program": programs.empty().to_dict()},
    {
        "experiment": 1,
        "island": 2,
        "individual": 1234,
        "mutation": "randomize_component_function",
        "parent_fitness": 0.25,
        "fitness": 0.75,
        "parent": programs.linear(learning_rate=0.5).to_dict(),
        "program": SLOW.to_dict(),
    },
]


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """The directory of a run whose best program learns too slowly."""
    directory = RunDirectory.create(tmp_path / "demo")
    directory.write_config(load_config("linear").to_toml())
    directory.write_best(SLOW, LINEAGE)
    directory.write_result({"seed": 0})
    return directory.path


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "program.json"
    SLOW.save(path)
    return path


def test_a_run_is_explained_on_its_own_tasks(run: Run, run_dir: Path) -> None:
    result = run("explain", run_dir, "--num-tasks", 5)
    assert result.exit_code == 0
    for heading in ("Data flow", "Registers", "Motifs", "Knock-outs: instructions", "Constants"):
        assert f"{heading}\n" in result.stdout
    assert "on 5 tasks: linear regression (final)." in result.stdout


def test_the_way_to_the_best_program_of_a_run_is_told(run: Run, run_dir: Path) -> None:
    lines = run("explain", run_dir, "--num-tasks", 2).stdout.splitlines()
    table = lines[lines.index("Discoveries") + 1 :]
    assert [" ".join(line.split()) for line in table[:4]] == [
        "fitness individual island mutation changes",
        "0.250000 start nothing that matters",
        "0.750000 1,234 2 randomize component function - s2 = 0.5",
        "+ s2 = 0.0001",
    ]
    record = json.loads(run("explain", run_dir, "--num-tasks", 2, "--json").stdout)
    assert record["lineage"] == LINEAGE


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "Expecting"),
        ('{"experiment": 1}', "'island' is missing"),
        ('{"a": NaN}', "'island' is missing"),
        ("[]", "expected an object, got []"),
        ("\N{DEGREE SIGN}", "'utf-8' codec can't decode"),
    ],
)
def test_a_damaged_lineage_is_a_warning_and_the_rest_is_told(run: Run, run_dir: Path, line: str, problem: str) -> None:
    expected = run("explain", run_dir, "--num-tasks", 2, "--json")
    (run_dir / "lineage.jsonl").write_text(f"{json.dumps(LINEAGE[0])}\n{line}\n", encoding="latin-1")
    result = run("explain", run_dir, "--num-tasks", 2, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {**json.loads(expected.stdout), "lineage": []}
    added = result.stderr.removeprefix(expected.stderr)
    assert added.startswith(f"Warning: {run_dir}/lineage.jsonl: line 2 is not a step of a lineage: {problem}")
    assert added.endswith("; the discoveries are left out\n")
    assert added.count("\n") == 1
    assert "Discoveries" not in run("explain", run_dir, "--num-tasks", 2).stdout


def test_a_program_file_is_explained_without_tasks(run: Run, saved: Path) -> None:
    result = run("explain", saved)
    assert result.exit_code == 0
    assert "gradient_step" in result.stdout
    assert "Knock-outs" not in result.stdout
    assert result.stdout.endswith(
        "No tasks were given (--tasks), so no instruction was knocked out and no constant varied.\n"
    )


def test_json_holds_the_knock_outs(run: Run, saved: Path) -> None:
    record = json.loads(run("explain", saved, "--tasks", "linear", "--num-tasks", 3, "--json").stdout)
    assert record["fitness"]["num_tasks"] == 3
    assert len([k for k in record["knock_outs"] if k["kind"] == "instruction"]) == 6


def test_a_graph_is_drawn(run: Run, saved: Path, tmp_path: Path) -> None:
    assert run("explain", saved, "--graph", "flow.svg").exit_code == 0
    assert "<svg" in (tmp_path / "flow.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["explain", "."], ". is not a run directory: it holds no best.json"),
        (["explain", "program.json", "--num-tasks", 3], "which has no tasks of its own: name some with --tasks"),
        (["explain", "program.json", "--target", "y"], "which has no tasks of its own: name some with --tasks"),
        (["explain", "program.json", "--tasks", "linear", "--num-tasks", 101], "num_tasks must be at most 100"),
        (["explain", "program.json", "--tasks", "linaer"], "did you mean linear"),
        (["explain", "program.json", "--graph", "flow.png"], "ends in .svg or .dot, not flow.png"),
        (["explain", "program.json", "--graph", "none/flow.svg"], "none/flow.svg: No such file or directory"),
        (["tune", "."], ". is not a run directory: it holds no best.json"),
        (["tune", "program.json"], "which has no tasks of its own: name some with --tasks"),
        (["tune", "program.json", "--tasks", "linear", "--out", "none/x.json"], "there is no directory none"),
        (["tune", "empty.json", "--tasks", "linear"], "the program has no constants to tune"),
    ],
)
def test_bad_input_is_one_sentence(run: Run, saved: Path, arguments: list[object], message: str) -> None:
    programs.empty().save(saved.parent / "empty.json")
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr.splitlines()[-1]
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in result.output


def test_tuning_finds_a_better_learning_rate_and_writes_the_program(run: Run, run_dir: Path, tmp_path: Path) -> None:
    result = run("tune", run_dir, "--max-evaluations", 30, "--num-tasks", 5, "--out", "tuned.json")
    assert result.exit_code == 0
    assert "The unseen tasks confirm the gain." in result.stdout
    rate = Program.load(tmp_path / "tuned.json").setup[0].constants[0]
    assert 1e-3 < rate <= 0.1


def test_tuning_as_json(run: Run, saved: Path) -> None:
    result = run("tune", saved, "--tasks", "linear", "--max-evaluations", 5, "--num-tasks", 3, "--json")
    record = json.loads(result.stdout)
    assert record["evaluations"] == 5
    assert record["after"]["mean"] >= record["before"]["mean"]
    assert Program.from_json(record["program"])
