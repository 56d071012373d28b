"""Whole runs with backend = "jax": the same files, figures and limits as on the CPU, and resumption."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from automl_zero import programs
from automl_zero.cli import main
from automl_zero.evolution.config import ConfigError, ExperimentConfig, load_config
from automl_zero.evolution.on_device.plan import LOCKSTEP
from automl_zero.evolution.run_directory import RunError
from automl_zero.evolution.search import evolve, open_run, resume
from automl_zero.interpreters.numba_interpreter import Evaluator
from automl_zero.tasks import make_source
from tests.on_device import go, make, make_config, program

SMALL: dict[str, Any] = {"migration_every": 20, "migrants": 3, "restart_after": 60, "max_individuals": 240}


def run(tmp_path: Path, name: str, stop_at: int | None = None, **settings: Any) -> Any:
    def callback(progress: Any) -> bool:
        return stop_at is None or progress.individuals < stop_at

    return evolve(make_config(**{**SMALL, **settings}), seed=1, out=tmp_path / name, callback=callback)


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run(tmp_path_factory.mktemp("unbroken"), "run")


def lasting(directory: Path) -> Any:
    """What is compared byte for byte."""
    result = json.loads((directory / "result.json").read_text())
    for key in ("seconds", "cpu_seconds", "cost", "machine", "search_seconds"):
        result.pop(key, None)
    for record in result["experiments"]:
        record.pop("seconds", None)
    return result, *((directory / name).read_bytes() for name in ("best.json", "hall_of_fame.jsonl"))


def test_a_run_counts_what_it_did_and_scores_its_best_program(unbroken):
    assert unbroken.individuals == 240
    assert 0 < unbroken.evaluated < 240
    assert unbroken.train_steps > 240 * 10
    assert 0 < unbroken.search_fitness <= 1
    tasks = make_source(unbroken.config.tasks)
    assert unbroken.final_fitness == pytest.approx(
        float(Evaluator(tasks.final(1), "float32").evaluate(unbroken.program)[0].mean())
    )
    last = json.loads((unbroken.run_dir / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["individuals"] == 240
    assert 0 < last["fec_hit_rate"] < 1
    assert load_config(unbroken.run_dir / "config.toml") == unbroken.config


def test_a_run_that_was_stopped_and_resumed_ends_as_one_that_was_not(unbroken, tmp_path):
    first = run(tmp_path, "run", stop_at=1)
    assert first.interrupted
    assert first.individuals < 240
    second = resume(tmp_path / "run")
    assert second.individuals == 240
    assert lasting(tmp_path / "run") == lasting(unbroken.run_dir)


def test_the_learning_rule_of_linear_regression_is_found_on_the_device(tmp_path):
    """The preset `linear` with Setup and Predict given: what is left to find is Learn."""
    programs.linear(learning_rate=0.2).save(tmp_path / "linear.json")
    record = load_config("linear").model_dump(mode="json")
    record["search_space"] |= {"initial": [str(tmp_path / "linear.json")], "randomize": True}
    for component, size in (("setup", 1), ("predict", 1), ("learn", 4)):
        ops = record["search_space"]["learn"]["ops"] if component == "learn" else []
        wanted = [op for op in ops if op not in ("scalar_const_set", "vector_inner_product")]
        sizes = dict.fromkeys(("min_size", "max_size", "initial_size"), size)
        record["search_space"][component] = {"ops": wanted, **sizes}
    record["caches"] |= {"canonical_size": 1024, "fec_size": 1024}
    settings = {"islands": 64, "migration_every": 200, "population_size": 50, "experiment_individuals": 60_000}
    result = evolve(ExperimentConfig(**{**record, **settings, "backend": "jax", "max_experiments": 5}), seed=0)
    assert result.solved
    assert result.final_fitness is not None
    assert result.final_fitness > 0.9999


@pytest.mark.skipif("AUTOML_ZERO_TEST_LONG" not in os.environ, reason="takes minutes: make test-long")
def test_the_preset_linear_is_solved_on_the_device():
    assert evolve(load_config("linear", ['backend="jax"']), seed=0).solved


def test_fitness_on_the_device_is_that_of_the_cpu():
    archipelago = make(make_config(caches={"fec": False}), interpreter=LOCKSTEP)
    go(archipelago, 30)
    evaluator = Evaluator(make_source(archipelago.config.tasks).search(2), "float32")
    seen = set()
    for number, own in enumerate(archipelago.fitness()):
        for slot, fitness in enumerate(own):
            expected = evaluator.evaluate(program(archipelago, number, slot))[0].mean()
            assert fitness == pytest.approx(expected, abs=1e-5)
            seen.add(round(float(fitness), 5))
    assert len(seen) > 3
    best = archipelago.best_fitness(0)
    assert best == pytest.approx(evaluator.evaluate(program(archipelago, 0, 13))[0].mean(), abs=1e-5)


# -- configuration ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"dtype": "float64"}, 'dtype: got "float64", expected "float32" with backend = "jax"'),
        (
            {"caches": {"fec_mode": "reference"}},
            'caches.fec_mode: got "reference", expected "program" with backend = "jax"',
        ),
        (
            {"diversity": [[{}, {"num_features": 3}]]},
            'diversity: got search tasks that differ between islands, expected none with backend = "jax"',
        ),
        (
            {"population_size": 70_000},
            'population_size: got 70000, expected at most 65536 with backend = "jax"',
        ),
    ],
)
def test_what_the_device_cannot_do_is_told_in_a_sentence(settings, message):
    with pytest.raises(ConfigError) as caught:
        make_config(**settings)
    assert str(caught.value) == message
    make_config(**settings, backend="numba")


def test_caches_are_smaller_by_default_since_there_are_thousands():
    def sizes(*overrides: str) -> tuple[int, int]:
        caches = load_config("linear", overrides).caches
        return caches.canonical_size, caches.fec_size

    assert sizes() == (131072, 131072)
    assert sizes("backend=jax") == (4096, 4096)
    assert sizes("backend=jax", "caches.fec_size=100") == (4096, 100)
    config = load_config("linear", ["backend=jax"])
    assert load_config(config.model_dump()) == config


def test_the_backend_of_a_run_cannot_change(unbroken):
    config = ExperimentConfig(**{**unbroken.config.model_dump(), "backend": "numba"})
    assert config.caches.fec_size == unbroken.config.caches.fec_size
    with pytest.raises(ConfigError, match="backend: cannot change when a run is resumed"):
        resume(unbroken.run_dir, ["backend=numba"])


def test_a_checkpoint_of_another_search_is_refused(unbroken, tmp_path):
    run(tmp_path, "run", stop_at=1)
    saved = open_run(tmp_path / "run")
    try:
        assert {"islands.rows", "islands.table", "islands.hurdles.ranked", "islands.counters"} <= set(
            saved.saved.arrays
        )
        del saved.saved.arrays["islands.rows"]
        with pytest.raises(
            RunError, match=r"the checkpoint has nothing for islands.rows, expected uint32\[3, 12, 39\]"
        ):
            saved.go_on()
    finally:
        saved.directory.release()


def test_the_command_names_what_is_wrong():
    done = CliRunner().invoke(main, ["evolve", "linear", "--backend", "jax", "--dtype", "float64"])
    assert done.exit_code == 2
    assert 'dtype: got "float64", expected "float32" with backend = "jax"' in done.output
    done = CliRunner().invoke(main, ["evolve", "linear", "--backend", "tpu"])
    assert done.exit_code == 2
    assert "backend" in done.output


def test_without_jax_the_command_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    done = CliRunner().invoke(main, ["evolve", "linear", "--backend", "jax"])
    assert done.exit_code == 2
    assert "pip install" in done.output
    assert "Traceback" not in done.output
