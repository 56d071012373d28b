"""Whole runs: experiments, limits, stops, files and what is reported."""

from __future__ import annotations

import concurrent.futures
import json
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import automl_zero as az
from automl_zero import programs
from automl_zero.evolution import engine, islands, run
from automl_zero.evolution.config import ConfigError, ExperimentConfig, load_config
from automl_zero.evolution.experiment import Experiment
from automl_zero.evolution.islands import Archipelago
from automl_zero.evolution.progress import Progress, Result
from automl_zero.evolution.run_directory import RunError
from automl_zero.evolution.search import evolve
from automl_zero.program import COMPONENTS, Program
from automl_zero.tasks import TaskSet, make_source

OPS = [
    *("scalar_const_set", "scalar_diff", "scalar_product", "scalar_vector_product"),
    *("vector_inner_product", "vector_sum", "vector_gaussian_set", "vector_mean"),
]
SIZES = {"num_tasks": 10, "num_train": 20, "num_valid": 10}
FILES = [
    "best.json",
    "config.toml",
    "experiments.jsonl",
    "hall_of_fame.jsonl",
    "lineage.jsonl",
    "metrics.jsonl",
    "result.json",
]
CHECKPOINTS = [f"checkpoint{name}" for name in (".json", ".npz", ".previous.json", ".previous.npz")]


def make_config(initial: str = "random", **settings: Any) -> ExperimentConfig:
    """Two islands of twenty, with barriers every 50 individuals of each."""
    space: dict[str, Any] = {"scalars": 4, "vectors": 3, "matrices": 1, "initial": initial}
    for component, size in zip(COMPONENTS, (4, 2, 5), strict=True):
        space[component] = {"ops": OPS, "min_size": size, "max_size": size, "initial_size": size}
    tasks = {"kind": "linear", **dict.fromkeys(("search", "select", "final"), SIZES)}
    defaults = {"population_size": 20, "tournament_size": 5, "islands": 2, "migration_every": 50, "migrants": 5}
    return ExperimentConfig(search_space=space, tasks=tasks, **{**defaults, **settings})


def comparable(result: Result) -> dict[str, Any]:
    """The record of result.json without what differs from run to run."""
    record = result.to_dict()
    for key in ("seconds", "cpu_seconds", "machine", "cost", "versions", "config"):
        del record[key]
    for experiment in record["experiments"]:
        del experiment["seconds"]
    return record


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@dataclass
class Watcher:
    """A callback that keeps what it is told, and ends the run when it is told a phase for the n-th time."""

    phase: str = ""
    after: int = 0
    answer: bool | None = False
    told: list[Progress] = field(default_factory=list)

    def __call__(self, progress: Progress) -> bool | None:
        self.told.append(progress)
        return self.answer if self.after and len(self.of(self.phase)) >= self.after else None

    def of(self, phase: str) -> list[Progress]:
        return [progress for progress in self.told if progress.phase == phase]


@pytest.fixture
def told_at_barriers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The callback is called at every barrier, and never in between."""
    monkeypatch.setattr(run, "_HEARTBEAT", 0.0)
    monkeypatch.setattr(run, "wait", lambda jobs, timeout: concurrent.futures.wait(jobs))


# -- files -----------------------------------------------------------------------------------------------------------


def test_no_files_are_written_unless_a_directory_is_given(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = evolve(make_config(max_individuals=200))
    assert result.run_dir is None
    assert list(tmp_path.iterdir()) == []


def test_a_run_directory_holds_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "_REPORT_EVERY", 0.0)
    config = make_config(max_individuals=600, target_fitness=0.5, max_experiments=2, experiment_individuals=300)
    result = evolve(config, seed=4, out=tmp_path / "run")
    assert result.run_dir == tmp_path / "run"
    assert sorted(path.name for path in result.run_dir.iterdir()) == sorted([*FILES, *CHECKPOINTS])
    assert load_config(result.run_dir / "config.toml") == config
    assert Program.load(result.run_dir / "best.json") == result.program
    record = json.loads((result.run_dir / "result.json").read_text(encoding="utf-8"))
    assert record == result.to_dict() | {key: record[key] for key in ("machine", "cost", "versions")}
    metrics = lines(result.run_dir / "metrics.jsonl")
    assert metrics == result.history
    assert [line["individuals"] for line in metrics] == [100, 200, 300, 400, 500, 600]


def test_the_log_tells_of_the_end_of_every_experiment_however_quick():
    result = evolve(make_config(max_experiments=3, experiment_individuals=200))
    ends = {line["experiment"]: line["individuals"] for line in result.history}
    assert ends == {1: 200, 2: 400, 3: 600}


def test_the_result_has_the_figures_of_the_run_and_of_each_experiment():
    record = evolve(make_config(max_experiments=3, experiment_individuals=150), seed=2).to_dict()
    figures = ("individuals", "train_steps", "evaluated")
    assert {key: record[key] for key in figures} == {
        key: sum(experiment[key] for experiment in record["experiments"]) for key in figures
    }
    assert [experiment["individuals"] for experiment in record["experiments"]] == [150, 150, 150]
    assert record["individuals"] > record["evaluated"] > 0
    assert record["seed"] == 2
    assert record["solved"] is False
    assert record["interrupted"] is False
    assert record["target_fitness"] is None
    assert record["seconds"] > 0
    assert record["cpu_seconds"] > 0
    assert set(record) >= {
        "program",
        "search_fitness",
        "select_fitness",
        "final_fitness",
        "versions",
        "machine",
        "cost",
    }
    offered = [experiment for experiment in record["experiments"] if experiment["program"] == record["program"]]
    assert (record["search_fitness"], record["select_fitness"]) == (
        offered[0]["search_fitness"],
        offered[0]["select_fitness"],
    )
    json.dumps(record, allow_nan=False)


def test_a_directory_that_holds_a_run_is_replaced_on_demand_alone(tmp_path):
    config = make_config(max_individuals=50)
    evolve(config, out=tmp_path)
    with pytest.raises(RunError, match="holds a run already"):
        evolve(config, seed=1, out=tmp_path)
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["seed"] == 0
    evolve(config, seed=1, out=tmp_path, force=True)
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["seed"] == 1


# -- determinism -----------------------------------------------------------------------------------------------------


def test_the_number_of_workers_changes_no_byte(tmp_path):
    config = make_config(
        islands=3, max_individuals=2000, experiment_individuals=900, select_above=0.3, target_fitness=0.9
    )
    results = [evolve(config, seed=5, out=tmp_path / str(workers), workers=workers) for workers in (1, 2, 3, 9)]
    for name in ("best.json", "hall_of_fame.jsonl", "lineage.jsonl", "config.toml"):
        assert len({(tmp_path / str(workers) / name).read_bytes() for workers in (1, 2, 3, 9)}) == 1
    assert len({json.dumps(comparable(result)) for result in results}) == 1
    assert len(lines(tmp_path / "1" / "hall_of_fame.jsonl")) > 3


SMALLER = {"num_tasks": 6, "num_train": 15, "num_valid": 8}
ALL_PARTS: dict[str, Any] = {
    "islands": 3,
    "fitness": "median",
    "migration": "ring",
    "restart_after": 300,
    "select_program": "hall_of_fame",
    "max_individuals": 4000,
    "experiment_individuals": 2200,
    "diversity": [[{}, {"kind": "affine", "num_features": 3, "search": SMALLER}]],
    "mutations": {"mode": "paper", "crossover": 0.3, "until": "changed"},
    "caches": {"canonical_size": 256, "fec_size": 256},
    "hurdles": {"window": 16, "stages": [{"num_train": 8, "num_valid": 5, "percentile": 40.0}]},
    "budget": {"kind": "table", "baseline": "linear", "factor": 3.0},
}


@pytest.mark.parametrize(
    "settings",
    [{}, {"caches": {"fec_mode": "reference", "fec_forget": 5, "fec_size": 512}, "migration": "pool"}],
    ids=["ring", "pool"],
)
def test_the_number_of_workers_changes_no_byte_with_all_parts_on(tmp_path, monkeypatch, settings):
    restarted: list[Any] = []
    restart = islands.restart
    monkeypatch.setattr(islands, "restart", lambda island: (restarted.append(island), restart(island)))
    results = {}
    for workers in (1, 3):
        monkeypatch.setattr(islands, "_CALL_SECONDS", 0.1 / workers**4)  # compiled calls end elsewhere, too
        config = make_config(**{**ALL_PARTS, **settings})
        results[workers] = evolve(config, seed=6, out=tmp_path / str(workers), workers=workers)
    for name in ("best.json", "hall_of_fame.jsonl", "lineage.jsonl", "config.toml"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()
    assert comparable(results[1]) == comparable(results[3])
    assert len(lines(tmp_path / "1" / "hall_of_fame.jsonl")) > 5
    last = results[1].history[-1]
    assert min(last[f"{part}_rate"] for part in ("hurdle_stop", "over_budget", "fec_hit", "canonical_hit")) > 0.0
    assert restarted
    check_reported(results[1], 0 if results[1].select_fitness == results[1].experiments[0]["select_fitness"] else 1, 6)


def test_a_seed_determines_the_run():
    config = make_config(max_individuals=300)
    first, same, other = (comparable(evolve(config, seed=seed)) for seed in (0, 0, 1))
    assert first == same
    assert first["program"] != other["program"]
    assert comparable(evolve(config, seed=np.int64(0))) == first
    assert evolve(config, seed=2**70).individuals == 300


def test_a_configuration_can_be_given_in_any_form(tmp_path):
    config = make_config(max_individuals=100)
    path = tmp_path / "mine.toml"
    path.write_text(config.to_toml(), encoding="utf-8")
    expected = comparable(evolve(config, seed=3))
    for source in (path, str(path), config.model_dump()):
        assert comparable(evolve(source, seed=3)) == expected


def test_a_longer_run_begins_like_a_shorter_one(tmp_path):
    for count in (400, 1000):
        evolve(make_config(max_individuals=count), seed=6, out=tmp_path / str(count))
    short, long = (lines(tmp_path / str(count) / "hall_of_fame.jsonl") for count in (400, 1000))
    assert long[: len(short)] == short


# -- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 39, 100, 777])
@pytest.mark.parametrize("workers", [1, 2])
def test_exactly_as_many_individuals_are_made_as_the_limit_says(limit, workers):
    result = evolve(make_config(islands=3, max_individuals=limit), workers=workers)
    assert result.individuals == limit
    assert sum(experiment["individuals"] for experiment in result.experiments) == limit


def test_the_limit_on_individuals_holds_over_experiments():
    result = evolve(make_config(max_individuals=500, experiment_individuals=200))
    assert [experiment["individuals"] for experiment in result.experiments] == [200, 200, 100]


def test_the_number_of_experiments_is_limited_and_each_has_tasks_of_its_own():
    result = evolve(make_config("linear", max_experiments=3, experiment_individuals=40, mutation_probability=0.0))
    assert len(result.experiments) == 3
    assert len({json.dumps(experiment["program"]) for experiment in result.experiments}) == 1
    assert len({experiment["search_fitness"] for experiment in result.experiments}) == 3
    assert len({experiment["select_fitness"] for experiment in result.experiments}) == 1


def test_all_experiments_may_search_on_the_tasks_of_the_first():
    same = {"new_search_tasks": False, "mutation_probability": 0.0}
    result = evolve(make_config("linear", max_experiments=3, experiment_individuals=40, **same))
    assert len({experiment["search_fitness"] for experiment in result.experiments}) == 1
    check_reported(result, 0)
    drawn = evolve(make_config(max_experiments=2, experiment_individuals=40, new_search_tasks=False))
    assert drawn.experiments[0]["program"] != drawn.experiments[1]["program"]


def test_each_experiment_starts_from_programs_of_its_own():
    result = evolve(make_config(islands=1, max_experiments=5, experiment_individuals=1))
    assert len({json.dumps(experiment["program"]) for experiment in result.experiments}) == 5


def test_islands_exchange_individuals_at_barriers(monkeypatch):
    migrate, made = Archipelago.migrate, []

    def spy(archipelago: Archipelago, pool: Any = None) -> None:
        before = [island.fitness.tolist() for island in archipelago.islands]
        migrate(archipelago, pool)
        changed = before != [island.fitness.tolist() for island in archipelago.islands]
        made.append((archipelago.total(engine.INDIVIDUALS), changed))

    monkeypatch.setattr(Archipelago, "migrate", spy)
    evolve(make_config(max_individuals=350, migration_every=100), seed=1)
    assert made == [(200, True), (350, True)]


def test_the_limit_on_train_steps_is_looked_at_at_barriers(told_at_barriers):
    watcher = Watcher()
    whole = evolve(make_config(max_individuals=2000), callback=watcher)
    steps = [progress.train_steps for progress in watcher.of("search")]
    assert len(steps) == 20
    assert steps == sorted(steps)
    limit = steps[7] - 1
    result = evolve(make_config(max_train_steps=limit))
    assert (result.individuals, result.train_steps) == (800, steps[7])
    assert evolve(make_config(max_train_steps=1)).individuals == 100
    assert whole.train_steps == steps[-1]


def test_the_train_steps_of_an_experiment_are_limited():
    result = evolve(make_config(max_experiments=2, experiment_train_steps=30_000))
    for experiment in result.experiments:
        assert experiment["train_steps"] >= 30_000
        assert experiment["individuals"] % 100 == 0
    assert len(result.experiments) == 2


@pytest.mark.parametrize("seconds", [1e-9, 0.05])
def test_a_limit_in_seconds_ends_the_run_with_a_program(seconds):
    result = evolve(make_config(max_seconds=seconds))
    assert result.individuals > 0
    assert len(result.experiments) == 1
    assert result.interrupted is False
    check_reported(result, 0)


def test_progress_names_the_limit_that_is_nearest(told_at_barriers):
    watcher = Watcher()
    evolve(make_config(max_individuals=400, max_seconds=1e9, max_train_steps=10**12), callback=watcher)
    assert [progress.limit for progress in watcher.of("search")] == [("max_individuals", 400.0)] * 4
    assert [progress.fraction for progress in watcher.of("search")] == [0.25, 0.5, 0.75, 1.0]


def test_progress_counts_the_experiment_that_has_begun(told_at_barriers):
    watcher = Watcher()
    evolve(make_config(max_individuals=None, max_experiments=2, experiment_individuals=200), callback=watcher)
    assert [progress.limit for progress in watcher.of("search")] == [("max_experiments", 2.0)] * 4
    assert [progress.fraction for progress in watcher.of("search")] == [0.25, 0.5, 0.75, 1.0]


# -- stops -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [None, True])
def test_a_callback_sees_the_run_go_by(told_at_barriers, answer):
    watcher = Watcher("search", 1, answer)
    result = evolve(make_config(max_individuals=500), callback=watcher)
    phases = [progress.phase for progress in watcher.told]
    order = ["compile", "search", "select", "final", "done"]
    assert sorted(phases, key=order.index) == phases
    assert set(phases) >= {"search", "select", "final", "done"}
    seconds = [progress.seconds for progress in watcher.told]
    assert seconds == sorted(seconds)
    assert [progress.individuals for progress in watcher.of("search")] == [100, 200, 300, 400, 500]
    last = watcher.of("search")[-1]
    assert (last.experiment, last.train_steps, last.evaluated) == (1, result.train_steps, result.evaluated)
    assert last.individuals_per_second > 0
    assert 0 <= last.mean <= last.best <= 1
    assert 0 < last.canonical_hit_rate < 1
    assert 0 < last.fec_hit_rate < 1
    assert result.interrupted is False


def test_a_callback_that_returns_false_ends_the_run_at_that_barrier(told_at_barriers):
    result = evolve(make_config(select_program="best"), callback=Watcher("search", 3), seed=7)
    assert result.interrupted is True
    assert result.individuals == 300
    assert len(result.experiments) == 1
    limited = evolve(make_config(select_program="best", max_individuals=300), seed=7)
    assert comparable(result) | {"interrupted": False} == comparable(limited)


def test_a_callback_that_returns_false_at_once_gets_a_result(monkeypatch):
    for compiled in (True, False):
        monkeypatch.setattr(engine.advance, "is_compiled", lambda known=compiled: known)
        result = evolve(make_config(), callback=lambda progress: False)
        assert result.interrupted is True
        assert result.individuals > 0
        check_reported(result, 0)


LONG = 5_000_000  # individuals between barriers: some ten seconds


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Archipelago]:
    """The archipelagos whose islands were started."""
    start, seen = Archipelago.start, []

    def spy(archipelago: Archipelago, *arguments: Any) -> Any:
        seen.append(archipelago)
        return start(archipelago, *arguments)

    monkeypatch.setattr(Archipelago, "start", spy)
    monkeypatch.setattr(run, "_HEARTBEAT", 0.01)
    return seen


def test_an_error_in_a_callback_ends_the_run_though_islands_have_long_to_go(started):
    def fail(progress: Progress) -> None:
        if started:
            raise ZeroDivisionError("in the callback")

    with pytest.raises(ZeroDivisionError, match="in the callback"):
        evolve(make_config(migration_every=LONG), callback=fail)
    assert started[0].total(engine.INDIVIDUALS) < LONG
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("automl-zero")]


@dataclass
class Interrupter:
    """A callback that is interrupted, by the signal, the n-th time that it is called after islands were started."""

    started: list[Archipelago]
    numbers: tuple[int, ...]
    signal: signal.Signals = signal.SIGINT
    calls: int = 0

    def __call__(self, progress: Progress) -> None:
        if self.started:
            self.calls += 1
            if self.calls in self.numbers:
                signal.raise_signal(self.signal)


@pytest.mark.parametrize("number", [1, 4])
@pytest.mark.parametrize("migration_every", [LONG, 50])
def test_ctrl_c_ends_the_run_with_a_result(started, number, migration_every, tmp_path):
    config = make_config(migration_every=migration_every)
    result = evolve(config, callback=Interrupter(started, (number,)), out=tmp_path)
    assert result.interrupted is True
    assert result.individuals > 0
    assert Program.load(tmp_path / "best.json") == result.program
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["interrupted"] is True
    check_reported(result, 0)


def test_ctrl_c_at_a_barrier_ends_the_run_there(started, told_at_barriers):
    result = evolve(make_config(), callback=Interrupter(started, (3,)))
    assert result.interrupted is True
    assert result.individuals == 300


def test_a_second_ctrl_c_ends_the_run_without_a_result(started):
    with pytest.raises(KeyboardInterrupt):
        evolve(make_config(migration_every=LONG), callback=Interrupter(started, (1, 2)))
    assert started[0].total(engine.INDIVIDUALS) < LONG


def test_sigterm_is_like_ctrl_c_where_it_is_handled(started):
    received = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: received.append(number))
    try:
        assert evolve(make_config(), callback=Interrupter(started, (2,), signal.SIGTERM)).interrupted is True
        assert received == []
        signal.raise_signal(signal.SIGTERM)
        assert received == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_signals_are_as_before_after_a_run():
    for number in (signal.SIGINT, signal.SIGTERM):
        before = signal.getsignal(number)
        evolve(make_config(max_individuals=10))
        assert signal.getsignal(number) is before


def test_a_run_in_another_thread_leaves_signals_alone():
    before = signal.getsignal(signal.SIGINT)
    seen = []
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        config = make_config(max_individuals=100)
        result = pool.submit(evolve, config, callback=lambda progress: seen.append(signal.getsignal(signal.SIGINT)))
        assert result.result().individuals == 100
    assert set(seen) == {before}


# -- experiments and the select test ---------------------------------------------------------------------------------


def test_the_program_that_exceeds_the_target_on_the_select_tasks_ends_the_run():
    # The linear program, of which the population consists, is good enough.
    easy = {"target_fitness": 0.3, "max_individuals": 5000, "mutation_probability": 0.0}
    result = evolve(make_config("linear", select_above=0.3, **easy))
    assert result.solved is True
    assert result.select_fitness is not None
    assert result.select_fitness > 0.3
    assert result.individuals == 100
    assert result.experiments[0]["select_tests"] == 1
    late = evolve(make_config("linear", **easy))  # without select_above, at the end of the experiment
    assert (late.solved, late.individuals) == (True, 5000)


def test_programs_below_select_above_take_no_test_before_the_end():
    result = evolve(make_config("linear", select_above=0.999, target_fitness=0.1, max_individuals=300))
    assert result.individuals == 300
    assert result.experiments[0]["select_tests"] == 1
    assert result.solved is True  # by the test at the end


def test_a_test_that_is_not_passed_lets_the_search_go_on():
    config = make_config("linear", select_above=0.2, target_fitness=0.99999, max_individuals=600, select_program="best")
    result = evolve(config, out=None)
    assert result.solved is False
    assert result.individuals == 600
    assert result.experiments[0]["select_tests"] >= 1


def test_experiments_go_on_until_one_is_solved():
    config = make_config(experiment_individuals=100, max_experiments=60, select_above=0.6, target_fitness=0.6)
    result = evolve(config, seed=1)
    assert [experiment["solved"] for experiment in result.experiments] == [False] * (len(result.experiments) - 1) + [
        result.solved
    ]
    assert len(result.experiments) > 1


def test_the_program_with_the_best_select_fitness_is_offered():
    result = evolve(make_config(max_experiments=6, experiment_individuals=200), seed=3)
    fitness = [experiment["select_fitness"] for experiment in result.experiments]
    assert len(set(fitness)) > 1
    assert result.select_fitness == max(fitness)
    assert result.program.to_dict() == result.experiments[int(np.argmax(fitness))]["program"]
    check_reported(result, int(np.argmax(fitness)), seed=3)


@pytest.mark.parametrize("mode", ["best", "final_population", "hall_of_fame"])
def test_what_an_experiment_offers(tmp_path, mode):
    config = make_config(select_program=mode, max_individuals=1500, migrants=0, tournament_size=2)
    result = evolve(config, seed=8, out=tmp_path)
    hall = lines(tmp_path / "hall_of_fame.jsonl")
    (experiment,) = result.experiments
    if mode == "best":
        assert (result.search_fitness, result.program.to_dict()) == (hall[-1]["search_fitness"], hall[-1]["program"])
    if mode == "hall_of_fame":
        assert experiment["select_tests"] == len(hall) > 1
        select = make_source(config.tasks).select(8)
        fitness = [mean_fitness(Program.from_json(line["program"]), select, config) for line in hall]
        assert result.select_fitness == pytest.approx(max(fitness), rel=1e-14)
        assert result.program.to_dict() == hall[int(np.argmax(fitness))]["program"]
    else:
        assert experiment["select_tests"] == 1
    assert result.search_fitness <= hall[-1]["search_fitness"]
    check_reported(result, 0, seed=8)


@pytest.mark.parametrize("diversity", [[], [[{"kind": "affine"}]]], ids=["own tasks", "other tasks"])
def test_an_experiment_that_ends_as_its_islands_start_anew_offers_the_best(diversity):
    # At the last barrier no island has made a better individual for so long, and its population is gone.
    stalled = {"mutation_probability": 0.0, "restart_after": 50, "max_individuals": 200}
    result = evolve(make_config("linear", diversity=diversity, **stalled))
    assert result.individuals == 200
    assert result.program == programs.pad(programs.linear(), {"setup": 4, "predict": 2, "learn": 5})
    check_reported(result, 0)


@pytest.mark.parametrize("limit", [1, 2, 30])
def test_islands_without_individuals_offer_nothing(limit):
    result = evolve(make_config(islands=3, max_individuals=limit, diversity=[[{"kind": "affine"}]]))
    assert result.individuals == limit
    check_reported(result, 0)


@pytest.mark.parametrize("mode", ["best", "final_population", "hall_of_fame"])
@pytest.mark.parametrize(
    "diversity", [[[{}, {"kind": "affine"}]], [[{"kind": "affine", "num_features": 2}]]], ids=["one of two", "all"]
)
def test_programs_of_islands_with_other_tasks_are_compared_on_those_of_the_run(tmp_path, mode, diversity):
    config = make_config(select_program=mode, diversity=diversity, max_individuals=1500, experiment_individuals=800)
    result = evolve(config, seed=3, out=tmp_path)
    check_hall_of_fame(tmp_path, config, seed=3)
    offered = [experiment["select_fitness"] for experiment in result.experiments]
    check_reported(result, int(np.argmax(offered)), seed=3)


def test_random_search_offers_the_best_that_it_has_seen(tmp_path):
    result = evolve(make_config(search="random", max_individuals=2000), seed=1, out=tmp_path)
    hall = lines(tmp_path / "hall_of_fame.jsonl")
    assert result.search_fitness == hall[-1]["search_fitness"]
    evolved = evolve(make_config(max_individuals=2000), seed=1)
    assert evolved.search_fitness > result.search_fitness
    check_reported(result, 0, seed=1)


def test_the_linear_preset_solves_linear_regression():
    for seed in (10, 5, 1, 0, 2, 3, 4, 6, 7, 8, 9, 11):  # quick ones first
        result = az.evolve(load_config("linear", ["max_individuals=400_000"]), seed=seed)
        if result.solved:
            break
    assert result.solved
    assert result.individuals < 400_000
    assert result.select_fitness > 0.9999
    assert result.final_fitness > 0.9999
    assert result.search_fitness > 0.99
    check_reported(result, len(result.experiments) - 1, seed)


# -- what is reported ------------------------------------------------------------------------------------------------


def mean_fitness(program: Program, tasks: TaskSet, config: ExperimentConfig) -> float:
    return float(az.evaluate(program, tasks, dtype=config.dtype).mean())


def check_reported(result: Result, experiment: int, seed: int = 0) -> None:
    """The fitnesses of a result are those of evaluations of its program on the tasks of the run."""
    source, config = make_source(result.config.tasks), result.config
    tasks = source.search(run._derived(seed, experiment, run._SEARCH_KEY))
    values = az.evaluate(result.program, tasks, dtype=config.dtype)
    expected = np.sort(values)[len(values) // 2] if config.fitness == "median" else values.mean()
    assert result.search_fitness == pytest.approx(expected, rel=1e-14)
    assert result.select_fitness == pytest.approx(mean_fitness(result.program, source.select(seed), config), rel=1e-14)
    assert result.final_fitness == pytest.approx(mean_fitness(result.program, source.final(seed), config), rel=1e-14)


@pytest.mark.parametrize("settings", [{}, {"fitness": "median"}, {"dtype": "float64"}], ids=str)
def test_reported_fitness_is_that_of_the_reported_program(settings):
    result = evolve(make_config(max_individuals=400, **settings), seed=2)
    assert result.search_fitness > 0.1
    check_reported(result, 0, seed=2)


def test_no_reported_fitness_comes_from_a_cache(monkeypatch):
    # With one bit of the first predictions alone, programs are taken for others that are better.
    flattering = {"fec_bits": 1, "fec_train": 1, "fec_valid": 1}
    candidate_in, claims = Experiment._candidate, []

    def spy(experiment: Any, number: int, slot: int) -> Any:
        claims.append(float(experiment.islands.islands[number].fitness[slot]))
        return candidate_in(experiment, number, slot)

    monkeypatch.setattr(Experiment, "_candidate", spy)
    flattered = 0
    for tournament_size, seed in product((2, 5), range(6)):
        config = make_config(caches=flattering, tournament_size=tournament_size, max_individuals=3000)
        result = evolve(config, seed=seed)
        flattered += claims[-1] > result.search_fitness
        check_reported(result, 0, seed)
    assert flattered > 0


def check_hall_of_fame(out: Path, config: ExperimentConfig, seed: int) -> None:
    hall = lines(out / "hall_of_fame.jsonl")
    for experiment in {line["experiment"] for line in hall}:
        tasks = make_source(config.tasks).search(run._derived(seed, experiment - 1, run._SEARCH_KEY))
        own = [line for line in hall if line["experiment"] == experiment]
        fitness = [line["search_fitness"] for line in own]
        assert fitness == sorted(set(fitness))  # each better than the one before
        for line in own:
            expected = mean_fitness(Program.from_json(line["program"]), tasks, config)
            assert line["search_fitness"] == pytest.approx(expected, rel=1e-14)
    counts = [line["individuals"] for line in hall]
    assert counts == sorted(counts)
    assert all(count % 100 == 0 for count in counts)


def test_the_hall_of_fame_holds_every_program_that_was_the_best_at_a_barrier(tmp_path):
    config = make_config(max_individuals=1500, experiment_individuals=500)
    result = evolve(config, seed=4, out=tmp_path)
    assert {line["experiment"] for line in lines(tmp_path / "hall_of_fame.jsonl")} == {1, 2, 3}
    check_hall_of_fame(tmp_path, config, seed=4)
    assert result.individuals == 1500


def test_the_best_fitness_that_is_told_never_falls_within_an_experiment(told_at_barriers):
    watcher = Watcher()
    evolve(make_config(max_individuals=2000, experiment_individuals=1000), seed=2, callback=watcher)
    for experiment in (1, 2):
        best = [progress.best for progress in watcher.of("search") if progress.experiment == experiment]
        assert len(best) == 10
        assert best == sorted(best)
        for progress in watcher.of("search"):
            assert progress.program is not None


# -- arguments -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seed": -1}, ValueError, "seed is -1: expected a non-negative integer"),
        ({"seed": 1.5}, TypeError, "seed is 1.5: expected a non-negative integer"),
        ({"seed": True}, TypeError, "seed is True"),
        ({"seed": "1"}, TypeError, "seed is '1'"),
        ({"workers": 0}, ValueError, "workers is 0: expected a positive integer"),
        ({"workers": -2}, ValueError, "workers is -2"),
        ({"workers": 1.0}, TypeError, "workers is 1.0: expected a positive integer"),
        ({"workers": False}, TypeError, "workers is False"),
        ({"callback": "print"}, TypeError, "callback is 'print': expected a function of the progress"),
        ({"config": "lineer"}, ConfigError, r"unknown preset 'lineer' \(did you mean linear\?\)"),
        ({"config": {"islands": 0}}, ConfigError, "islands: got 0, expected an integer >= 1"),
        ({"config": 3}, TypeError, "config: expected a preset, path, dict or ExperimentConfig, got int"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_written(tmp_path, arguments, error, message):
    call: Callable[..., Result] = evolve
    with pytest.raises(error, match=message):
        call(**{"config": make_config(max_individuals=10), "out": tmp_path / "run", **arguments})
    assert list(tmp_path.iterdir()) == []


def test_the_hand_designed_start_is_reported_when_nothing_better_is_found():
    result = evolve(make_config("linear", mutation_probability=0.0, max_individuals=60))
    assert result.program == programs.pad(programs.linear(), {"setup": 4, "predict": 2, "learn": 5})
