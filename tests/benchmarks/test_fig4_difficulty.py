"""Evolution against random search: what counts as a success, what is screened out, and what is made of the counts."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl_zero.evaluation import evaluate
from automl_zero.evolution.config import load_config
from automl_zero.evolution.mutation import make_space
from automl_zero.interpreters.lane_data import lay_out
from automl_zero.memory import MemorySpec
from automl_zero.program import Program
from automl_zero.tasks import TaskSet
from automl_zero.tasks.synthetic import affine_regression, linear_regression
from benchmarks import difficulty, fig4_difficulty, report
from benchmarks.difficulty import LEARNING_RATE, NEAR, ROWS, TUNING_SEED, Counts, Judge, Searches, hand_designed
from benchmarks.ledger import Key, Ledger
from benchmarks.random_programs import RandomPrograms

LEARN_ONLY, ALL_THREE, AFFINE = ROWS


def errors(program: Program, kind: str, seed: int = 7, tasks: int = 3) -> Any:
    make = linear_regression if kind == "linear" else affine_regression
    return difficulty.root_mean_squared_errors(evaluate(program, make(tasks, 8, 1000, 100, seed=seed)))


def test_errors_are_recovered_from_fitness():
    exact = np.array([3e-7, 0.02, 1.5, 90.0])
    fitness = 1 - 2 / np.pi * np.arctan(exact)
    assert difficulty.root_mean_squared_errors(fitness) == pytest.approx(exact, rel=1e-8)
    assert difficulty.root_mean_squared_errors(np.zeros(1))[0] == math.inf


@pytest.mark.parametrize("kind", ["linear", "affine"])
def test_the_learning_rate_is_the_best_of_its_kind_on_other_tasks(kind):
    rates = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
    mean = {rate: errors(hand_designed(kind, rate), kind, TUNING_SEED, 100).mean() for rate in rates}
    assert min(mean, key=lambda rate: mean[rate]) == LEARNING_RATE


def test_the_hand_designed_affine_program_learns_the_bias():
    assert errors(hand_designed("affine"), "affine").max() < 1e-5
    assert errors(hand_designed("linear"), "affine").mean() > 0.1


@pytest.fixture(scope="module")
def learn_only() -> Searches:
    return Searches(ROWS[LEARN_ONLY])


@pytest.fixture(scope="module")
def all_three() -> Searches:
    return Searches(ROWS[ALL_THREE])


def random_programs(searches: Searches, screen: bool, seed: int = 5) -> RandomPrograms:
    """Random programs on two features and few examples, which is fast; what can learn does so there as well."""
    data = lay_out(linear_regression(3, 2, 150, 20, seed=3), "float32")
    return RandomPrograms(searches.hand_designed.memory, searches.space, data, (seed,), screen)


def test_learn_only_keeps_setup_and_predict(learn_only):
    found = random_programs(learn_only, screen=False).search(900, above=0.0)
    assert found
    for program in found:
        assert program.setup[0] == learn_only.hand_designed.setup[0]
        assert {instruction.op for instruction in program.setup[1:]} == {"no_op"}
        assert program.predict == learn_only.hand_designed.predict
        assert len(program.learn) == 4
    assert len({program.learn for program in found}) > 100


def test_screening_loses_no_program_that_learns(learn_only):
    every, screened = (random_programs(learn_only, screen, seed=1) for screen in (False, True))
    found = every.search(1_500_000, above=0.99)
    assert found
    assert screened.search(1_500_000, above=0.99) == found
    assert screened.evaluated < every.evaluated / 4


def test_what_cannot_learn_is_screened_out(all_three):
    every, screened = (random_programs(all_three, screen) for screen in (False, True))
    kept = screened.search(2000, above=-1.0)
    assert 0 < len(kept) < 200
    assert len(every.search(900, above=-1.0)) == 900
    for program in kept:
        assert any(i.op == "vector_inner_product" and 0 in (i.in1, i.in2) for i in program.predict)
        assert any(i.op == "vector_sum" and i.out for i in program.learn)
        assert any(i.op == "scalar_vector_product" for i in program.learn)


def test_too_many_finds_are_an_error(all_three):
    with pytest.raises(RuntimeError, match="that is too many"):
        random_programs(all_three, screen=False).search(2000, above=-1.0)


def test_a_space_where_screening_would_be_wrong_is_refused(learn_only):
    wider = load_config(learn_only.config, ["search_space.learn.ops=['vector_product']", "search_space.initial=linear"])
    data = lay_out(linear_regression(3, 2, 150, 20, seed=3), "float32")
    with pytest.raises(ValueError, match="cannot be screened when learn may use vector_product"):
        RandomPrograms(MemorySpec(4, 3, 1), make_space(wider), data, (0,))


def test_only_a_lower_error_than_the_hand_designed_is_acceptable():
    tasks = linear_regression(3, 8, 1000, 100, seed=11)
    judge = Judge(tasks, hand_designed("linear"))
    assert judge.error(hand_designed("linear")) == judge.bar
    assert judge.bar == pytest.approx(errors(hand_designed("linear"), "linear", seed=11).mean(), rel=1e-6)
    worse = hand_designed("linear", 0.01)
    assert judge.error(worse) > NEAR * judge.bar
    assert evaluate(worse, tasks).mean() < judge.near_fitness < evaluate(hand_designed("linear"), tasks).mean()


def test_an_experiment_with_evolution_counts_once_and_as_a_whole(learn_only, monkeypatch):
    monkeypatch.setattr(Judge, "error", lambda self, program: 1.0)  # nothing is acceptable, everything near
    assert learn_only.evolve(1) == Counts(individuals=10_000, trials=1, acceptable=0, near=1)

    class Easy(Judge):
        def __init__(self, tasks: TaskSet, program: Program) -> None:
            super().__init__(tasks, program)
            self.bar, self.near_fitness = math.inf, -1.0

    monkeypatch.setattr(difficulty, "Judge", Easy)
    assert learn_only.evolve(1) == Counts(individuals=10_000, trials=1, acceptable=1, near=1)


def test_evolution_is_the_same_again(learn_only):
    assert learn_only.evolve(2) == learn_only.evolve(2)
    assert learn_only.draw(2, 1000) == Counts(individuals=1000, trials=1000, acceptable=0, near=0)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger(tmp_path / "units.jsonl", {}) as opened:
        yield opened


def enter(ledger: Ledger, row: str, search: str, unit: int, **result: float) -> None:
    counts = {"individuals": 10, "trials": 1, "acceptable": 0, "near": 0, "cpu_seconds": 1.0}
    ledger.append({"row": row, "search": search, "unit": unit}, {**counts, **result})


def test_a_search_goes_on_until_it_has_enough_successes_or_time(ledger):
    limits = {row: {"random": 3.0, "evolution": 100.0} for row in ROWS}
    scale = fig4_difficulty.Scale(successes=5, cpu_seconds=limits)
    asked: list[Key] = []
    for key in fig4_difficulty.plan(scale, ledger):
        asked.append(key)
        enter(ledger, **key, acceptable=2)
    units = {(row, search): 0 for row in ROWS for search in ("random", "evolution")}
    for key in asked:
        units[key["row"], key["search"]] += 1
    assert units == dict.fromkeys(units, 3)  # three units have 6 successes, and 3 seconds
    assert list(fig4_difficulty.plan(scale, ledger)) == []


def test_a_search_without_successes_ends_with_its_time_or_units(ledger):
    limits = {row: {"random": 2.0, "evolution": 4.0} for row in ROWS}
    for units, expected in ((None, [2, 4]), (1, [1, 1])):
        scale = fig4_difficulty.Scale(successes=5, cpu_seconds=limits, units=units)
        asked = []
        ledger.results.clear()
        for key in fig4_difficulty.plan(scale, ledger):
            asked.append((key["row"], key["search"]))
            enter(ledger, **key)
        assert [asked.count((LEARN_ONLY, search)) for search in ("random", "evolution")] == expected


def test_the_ratio_is_that_of_successes_at_equal_numbers_of_individuals(ledger):
    enter(ledger, LEARN_ONLY, "random", 0, individuals=1e7, trials=1e7, acceptable=4, near=10)
    enter(ledger, LEARN_ONLY, "random", 1, individuals=1e7, trials=1e7, acceptable=6, near=10)
    enter(ledger, LEARN_ONLY, "evolution", 0, individuals=1e6, trials=100, acceptable=2, near=2)
    (found,) = fig4_difficulty.summarize(ledger).values()
    assert found["random"] == {"individuals": 2e7, "trials": 2e7, "acceptable": 10, "near": 20, "cpu_seconds": 2.0}
    assert found["acceptable"]["ratio"]["value"] == pytest.approx(4.0)  # 2 per million against 0.5
    assert found["acceptable"]["difficulty"]["value"] == pytest.approx(math.log10(2e6))
    assert found["acceptable"]["difficulty"]["low"] < math.log10(2e6) < found["acceptable"]["difficulty"]["high"]
    assert found["acceptable"]["contains_paper"]
    assert found["near"]["ratio"]["value"] == pytest.approx(2.0)


def test_a_whole_run_writes_a_report_and_a_plot_and_does_nothing_twice(tmp_path, monkeypatch, capsys):
    limits = {row: {"random": 1e9, "evolution": 1e9} for row in ROWS}
    tiny = fig4_difficulty.Scale(10**6, limits, units=1, experiments=1, draws=1000, task_sets=1)
    monkeypatch.setitem(fig4_difficulty.SCALES, "smoke", tiny)
    monkeypatch.setattr(fig4_difficulty, "run", in_this_process)
    arguments = ["--scale", "smoke", "--out", str(tmp_path), "--workers", "1", "--json"]
    assert fig4_difficulty.main(arguments) == 0
    first = json.loads(capsys.readouterr().out)
    assert len(first["units"]) == 6
    assert first["summary"][AFFINE]["evolution"]["individuals"] == 10_000
    assert first == json.loads((tmp_path / "fig4-difficulty.json").read_text(encoding="utf-8"))
    assert (tmp_path / "fig4-difficulty.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setattr(fig4_difficulty, "work", None)
    assert fig4_difficulty.main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["units"] == first["units"]
    assert fig4_difficulty.main([*arguments, "--seed", "1"]) == 2
    assert "seed=0 there, seed=1 now" in capsys.readouterr().err


def in_this_process(work: Any, settings: Any, keys: Iterator[Key], ledger: Ledger, workers: int, board: Any) -> None:
    for key in keys:
        if key not in ledger:
            board.begin(key)
            result = work(key, settings, lambda fraction, text: None)
            ledger.append(key, result)
            board.end(key, result)


def test_the_text_has_the_figures_of_the_paper_beside_ours(ledger):
    enter(ledger, LEARN_ONLY, "random", 0, individuals=1e7, trials=1e7, acceptable=5, near=10)
    enter(ledger, LEARN_ONLY, "evolution", 0, individuals=1e6, trials=100, acceptable=2, near=3)
    header = report.header("fig4_difficulty")
    shown = fig4_difficulty.text({**header, "summary": fig4_difficulty.summarize(ledger)})
    assert "linear, Learn only (paper: ratio 2.9, difficulty 6.2)" in shown
    assert "acceptable  ratio 4 (95 %: " in shown
    assert "affine, all three (paper: ratio 23,000, difficulty 12.1): out of reach" in shown
