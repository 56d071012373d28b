from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import automl_zero as az
from automl_zero import programs
from automl_zero.program import Instruction, Program
from benchmarks import processes, simplify

NOISE = Instruction("vector_norm", 0, out=3)
LINEAR = programs.linear(0.05)
TANGLED = Program(LINEAR.memory, LINEAR.setup, LINEAR.predict, (NOISE, *LINEAR.learn))
OTHER = Program(LINEAR.memory, LINEAR.setup, LINEAR.predict, LINEAR.learn[:1])


class Source:
    """Small tasks, in place of the preset's."""

    def __init__(self, name: str) -> None:
        assert name == "linear"

    def select(self, seed: int) -> az.tasks.TaskSet:
        return az.tasks.linear_regression(4, 4, 60, 20, seed=seed % 1000)


@pytest.fixture(autouse=True)
def _winners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the searches: seed 0 finds the linear program with noise, seed 1 one that learns nothing."""

    def evolve(arguments: list[str]) -> processes.Finished:
        seed = int(arguments[arguments.index("--seed") + 1])
        program = (TANGLED, OTHER)[seed]
        return processes.Finished({"solved": seed == 0, "program": program.to_dict()}, 1.0, 1.0, 1.0)

    monkeypatch.setattr(processes, "evolve", evolve)
    monkeypatch.setattr(simplify, "task_source", Source)


def test_the_winners_are_simplified_and_compared_with_the_linear_program(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert simplify.main(["--seeds", "0-1", "--json", "--out", str(tmp_path / "report.json")]) == 0
    record: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == record
    assert record["textbook"] == 1
    found, other = record["runs"]
    assert (found["instructions"], found["live"], found["exact"], found["simplified"]) == (7, 6, 6, 6)
    assert found["textbook"]
    assert found["change"] >= -record["tolerance"]
    assert az.Program.from_json(found["program"]).predict == (Instruction("vector_inner_product", 0, 1, 1),)
    assert not other["textbook"]


def test_the_text_has_a_line_for_each_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert simplify.main(["--seeds", "0-1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("   ")] == [["0", "yes"], ["1", "no"]]
    assert lines[-1] == "the hand-designed linear program, up to its learning rate: 1 of 2"


def test_another_program_of_as_many_instructions_is_not_the_textbooks() -> None:
    swapped = az.simplify(Program(LINEAR.memory, LINEAR.setup, LINEAR.predict, LINEAR.learn[::-1])).program
    assert not simplify.is_textbook(swapped)
    assert simplify.is_textbook(az.simplify(programs.linear(0.7)).program)


def test_bad_seeds_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert simplify.main(["--seeds", "x"]) == 2
    assert "'x': expected seeds like 0-9 or 0,3,5-7" in capsys.readouterr().err
