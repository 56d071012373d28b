"""Experiments of many runs: what is done, what is not done twice, and what is told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from automl_zero.evolution.config import load_config
from benchmarks import ablation, experiment, table_s5
from benchmarks.experiment import Run, carry_out, of_variant
from benchmarks.processes import Finished

RESULT = {
    "search_fitness": 0.8,
    "select_fitness": 0.7,
    "final_fitness": 0.6,
    "individuals": 1000,
    "evaluated": 100,
    "train_steps": 5000,
    "cpu_seconds": 2.0,
    "experiments": [{"seconds": 1.5}],
    "program": {},
}


class Commands:
    """Takes the place of processes: remembers the commands, and fails from one of them on."""

    def __init__(self, fail_at: int | None = None) -> None:
        self.seen: list[list[str]] = []
        self.fail_at = fail_at

    def __call__(self, command: Sequence[str], environment: Mapping[str, str]) -> Finished:
        if len(self.seen) == self.fail_at:
            raise RuntimeError("killed")
        arguments = list(command[3:])
        self.seen.append(arguments)
        directory = Path(arguments[1] if arguments[0] == "resume" else arguments[arguments.index("--out") + 1])
        directory.mkdir(exist_ok=True)
        lines = [json.dumps({"train_steps": 10 * i, "best": i / 1000}) for i in range(1, 501)]
        (directory / "metrics.jsonl").write_text("\n".join(lines), encoding="utf-8")
        seed = int(directory.name.rpartition("-")[2])
        return Finished({**RESULT, "final_fitness": seed / 10}, 3.0, 2.0, 150.0)


@pytest.fixture
def runs() -> list[Run]:
    config = load_config("linear")
    return [Run(variant, seed, config) for seed in (0, 1) for variant in ("a", "b")]


def do(runs: list[Run], out: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> tuple[Commands, dict[str, Any]]:
    commands = Commands(**options)
    monkeypatch.setattr(experiment.processes, "run", commands)
    return commands, carry_out("test", runs, {"budget": 3}, out, workers=1)


def test_every_run_is_done_once_and_reported_in_order(runs, tmp_path, monkeypatch):
    commands, record = do(runs, tmp_path / "report.json", monkeypatch)
    assert [arguments[0] for arguments in commands.seen] == ["evolve"] * 4
    assert [(run["variant"], run["seed"]) for run in record["runs"]] == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert [run["final_fitness"] for run in of_variant(record, "b")] == [0.0, 0.1]
    assert record["runs"][0]["individuals_per_cpu_second"] == 500.0
    assert record == json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))


def test_a_learning_curve_is_thinned_and_keeps_its_end(runs, tmp_path, monkeypatch):
    _, record = do(runs, tmp_path / "report.json", monkeypatch)
    curve = record["runs"][0]["curve"]
    assert len(curve) <= 251
    assert curve[0] == [10, 0.001]
    assert curve[-1] == [5000, 0.5]


def test_an_interrupted_experiment_goes_on_with_what_is_missing(runs, tmp_path, monkeypatch):
    out = tmp_path / "report.json"
    with pytest.raises(RuntimeError, match="killed"):
        do(runs, out, monkeypatch, fail_at=2)
    half = tmp_path / "report" / "a-1"  # the third run left a checkpoint
    half.mkdir()
    (half / "checkpoint.json").write_text("{}", encoding="utf-8")
    commands, record = do(runs, out, monkeypatch)
    assert [arguments[:2] for arguments in commands.seen] == [
        ["resume", str(half)],
        ["evolve", "--config"],
    ]
    assert len(record["runs"]) == 4


def test_a_finished_experiment_runs_nothing(runs, tmp_path, monkeypatch):
    _, before = do(runs, tmp_path / "report.json", monkeypatch)
    commands, after = do(runs, tmp_path / "report.json", monkeypatch)
    assert commands.seen == []
    assert after == before


def test_a_report_of_other_settings_is_not_mixed_with_this_one(runs, tmp_path, monkeypatch):
    do(runs, tmp_path / "report.json", monkeypatch)
    with pytest.raises(RuntimeError, match=r"report\.json is the report of other settings"):
        do(runs[:2], tmp_path / "report.json", monkeypatch)


def test_a_failure_is_one_line_and_an_exit_code(capsys):
    def fail() -> str:
        raise RuntimeError("it went wrong")

    assert experiment.main(fail, "program") == 2
    assert capsys.readouterr().err == "program: it went wrong\n"


def test_an_interruption_says_how_to_go_on(capsys):
    def interrupt() -> str:
        raise KeyboardInterrupt

    assert experiment.main(interrupt, "program") == 130
    assert "the same command goes on from here" in capsys.readouterr().err


def made_up(finals: Mapping[str, Sequence[float]], speeds: Mapping[str, float]) -> dict[str, Any]:
    """A record of runs with these final fitnesses, by variant and seed."""
    runs = [
        {"variant": name, "seed": seed, "final_fitness": value, "individuals_per_cpu_second": speeds[name]}
        for name, values in finals.items()
        for seed, value in enumerate(values)
    ]
    return {"runs": runs, "models": {"hand-designed network": [0.65, 0.75]}}


def test_the_summary_of_table_s5_compares_pairs():
    record = made_up({"basic": [0.6, 0.7], "full": [0.7, 0.8]}, {"basic": 1.0, "full": 2.0})
    summary = table_s5.summarize(record)
    assert summary["full - basic"]["mean"] == pytest.approx(0.1)
    assert summary["full - basic"]["standard_error"] == pytest.approx(0.0, abs=1e-12)
    assert summary["basic - hand-designed network"]["mean"] == pytest.approx(-0.05)
    assert (summary["share of basic above the network"], summary["share of full above the network"]) == (0.0, 1.0)


def test_the_summary_of_the_ablation_compares_each_step_with_the_one_before_and_the_base():
    finals = {step: [0.5 + 0.1 * i, 0.6 + 0.1 * i] for i, step in enumerate(ablation.STEPS)}
    speeds = {step: 10.0 * 2**i for i, step in enumerate(ablation.STEPS)}
    summary = ablation.summarize(made_up(finals, speeds))
    assert [entry["step"] for entry in summary] == list(ablation.STEPS)
    assert not {"by_step", "from_base"} & summary[0].keys()
    for i, entry in enumerate(summary[1:], 1):
        for against, steps in (("by_step", 1), ("from_base", i)):
            assert entry[against]["final"]["mean"] == pytest.approx(0.1 * steps)
            assert entry[against]["speed_ratio"]["mean"] == pytest.approx(2.0**steps)
    assert [entry["share_above_network"] for entry in summary] == [0.0, 0.0, 1.0, 1.0, 1.0]


def test_the_steps_of_the_ablation_add_one_part_each(monkeypatch):
    monkeypatch.setattr(ablation.fashion, "changes", lambda scale, data_dir: ["tasks={ kind = 'digits' }", "islands=2"])
    steps = [ablation.config(step, ablation.SCALES["smoke"]) for step in ablation.STEPS]
    on = [
        [bool(c.migrants), c.caches.fec and c.caches.canonical, bool(c.diversity), bool(c.hurdles.stages)]
        for c in steps
    ]
    assert on == [[i > part for part in range(4)] for i in range(5)]


def test_basic_has_nothing_that_full_adds(monkeypatch):
    changes = ["tasks={ kind = 'digits' }", "islands=2"]
    monkeypatch.setattr(table_s5.fashion, "changes", lambda scale, data_dir: changes)
    basic, full = (table_s5.config(variant, table_s5.SCALES["smoke"]) for variant in ("basic", "full"))
    assert (basic.migrants, basic.diversity, basic.hurdles.stages) == (0, (), ())
    assert not basic.caches.fec
    assert not basic.caches.canonical
    assert full.migrants > 0
    assert full.caches.fec
    assert full.diversity
    assert full.hurdles.stages
    assert (basic.search_space, basic.budget, basic.mutations) == (full.search_space, full.budget, full.mutations)
