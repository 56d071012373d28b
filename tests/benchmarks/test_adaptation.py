"""Adaptation of the two-layer network: conditions and their controls, and what is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from automl_zero import programs
from automl_zero.memory import MemorySpec
from automl_zero.program import Instruction, Program
from automl_zero.tasks import make_source
from benchmarks import adaptation, experiment, report
from benchmarks.adaptation import COMPARISONS, CONDITIONS, SCALES

NETWORK = programs.neural_net(memory=MemorySpec(10, 16, 4))
DECAYING = Program(
    NETWORK.memory, NETWORK.setup, NETWORK.predict, (Instruction("scalar_arctan", 3, out=3), *NETWORK.learn)
)


def test_a_condition_differs_from_its_control_in_one_thing():
    both = [(asdict(CONDITIONS[one.condition]), asdict(CONDITIONS[one.control])) for one in COMPARISONS]
    differing = [[key for key in condition if condition[key] != control[key]] for condition, control in both]
    assert differing == [["examples"], ["epochs"], ["classes"]]


@pytest.mark.parametrize("name", CONDITIONS)
def test_runs_begin_with_the_network_on_tasks_of_the_condition(name):
    condition, scale = CONDITIONS[name], SCALES["smoke"]
    config = adaptation.config(name, scale, "digits")
    assert config.search_space.initial == ("softmax_net" if name == "ten classes" else "neural_net")
    assert (config.experiment_individuals, config.max_experiments) == (scale.individuals, 1)
    tasks = make_source(config.tasks).search(0)
    assert tasks.num_classes == (10 if name == "ten classes" else 0)
    assert (tasks.num_train, tasks.epochs) == (condition.examples // 10, condition.epochs // 10)


def test_condition_and_control_have_the_same_search():
    few, control = (adaptation.config(name, SCALES["smoke"], "digits") for name in ("few examples", "control"))
    same = ("search_space", "mutations", "caches", "budget", "islands", "migrants", "fitness", "select_program")
    assert all(getattr(few, key) == getattr(control, key) for key in same)


def record(evolved: Mapping[str, Sequence[Program]]) -> dict[str, Any]:
    """A report of runs that offered these programs and scored 0.9, 0.8, ... where the network scores 0.5."""
    runs = [
        {"variant": name, "seed": seed, "final_fitness": 0.9 - 0.1 * seed, "program": program.to_dict()}
        for name, offered in evolved.items()
        for seed, program in enumerate(offered)
    ]
    found = {
        **report.header("adaptation"),
        "kind": "digits",
        "individuals": 800,
        "conditions": {name: asdict(CONDITIONS[name]) for name in evolved},
        "network": {name: [0.5] * len(offered) for name, offered in evolved.items()},
        "runs": runs,
    }
    return {**found, "summary": adaptation.summarize(found)}


def test_mechanisms_are_counted_and_compared_with_the_control():
    summary = record({"fast training": [DECAYING] * 4, "control": [NETWORK] * 3 + [DECAYING]})["summary"]
    assert summary["conditions"]["fast training"]["mechanisms"]["learning-rate decay"] == 4
    assert summary["conditions"]["control"]["mechanisms"]["learning-rate decay"] == 1
    few, fast, ten = summary["comparisons"]
    assert [(one["successes"], one["runs"]) for one in fast["shares"]] == [(4, 4), (1, 4)]
    assert fast["p_value"] == pytest.approx(4 / 56)  # 4 of the 56 ways to choose the 5 runs out of 8 have 4 and 1
    assert (few["shares"], few["p_value"], ten["shares"]) == (None, None, None)


def test_the_gain_on_the_network_is_paired():
    summary = record({"control": [NETWORK] * 3})["summary"]
    gain = summary["conditions"]["control"]["gain"]
    assert gain["mean"] == pytest.approx(0.3)  # 0.4, 0.3 and 0.2
    assert gain["standard_error"] == pytest.approx(0.1 / 3**0.5)


def test_the_text_has_the_counts_of_the_paper_beside_ours():
    shown = adaptation.text(record({"fast training": [DECAYING] * 4, "control": [NETWORK] * 4}))
    assert "fast training: 800 examples x 10 epochs, 4 runs" in shown
    assert (
        "learning-rate decay (paper: 30 of 30, control 3 of 30)\n  fast training: 4 of 4 (95 %: 0.40 to 1.00)" in shown
    )
    assert "few examples was not run" in shown


def test_a_whole_experiment_writes_a_report_and_a_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    made = record({"fast training": [DECAYING] * 2, "control": [NETWORK] * 2})
    kept = {key: made[key] for key in made if key not in ("network", "summary")}
    monkeypatch.setattr(experiment, "carry_out", lambda *arguments: dict(kept))
    scale = adaptation.Scale(800, range(2), ("fast training", "control"), tasks=4, valid=40, final_tasks=9, shrink=10)
    monkeypatch.setitem(adaptation.SCALES, "smoke", scale)
    out = tmp_path / "adaptation.json"
    assert adaptation.main(["--scale", "smoke", "--data", "digits", "--out", str(out)]) == 0
    assert "more often than in the control" in capsys.readouterr().out
    assert out.exists()
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")
