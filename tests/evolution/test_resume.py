"""A run that is stopped or killed anywhere and resumed ends as if it had never been stopped."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl_zero.evolution import checkpoint, search
from automl_zero.evolution.config import ConfigError, ExperimentConfig, load_config
from automl_zero.evolution.progress import Progress
from automl_zero.evolution.run_directory import RunDirectory, RunError
from automl_zero.evolution.search import ResumeWarning, evolve, resume
from automl_zero.program import COMPONENTS

OPS = [
    *("scalar_const_set", "scalar_diff", "scalar_product", "scalar_vector_product"),
    *("vector_inner_product", "vector_sum", "vector_gaussian_set", "vector_mean"),
]
SEED = 5
#: How many kills the tests do; the long mode (make test-long) does many.
KILLS = int(os.environ.get("AUTOML_ZERO_TEST_KILLS", "4"))


def make_config(**settings: Any) -> ExperimentConfig:
    """A search with all its parts switched on."""
    space: dict[str, Any] = {"scalars": 4, "vectors": 3, "matrices": 1, "initial": "random"}
    for component, size in zip(COMPONENTS, (4, 2, 5), strict=True):
        space[component] = {"ops": OPS, "min_size": 1, "max_size": size + 2, "initial_size": size}
    sizes = {"num_tasks": 4, "num_train": 20, "num_valid": 10}
    defaults: dict[str, Any] = {
        "name": "resumed",
        "population_size": 20,
        "tournament_size": 5,
        "islands": 3,
        "migration_every": 200,
        "migrants": 5,
        "migration": "ring",
        "restart_after": 1500,
        "experiment_individuals": 9000,
        "max_individuals": 30000,
        "select_program": "hall_of_fame",
        "search_space": space,
        "tasks": {"kind": "linear", **dict.fromkeys(("search", "select", "final"), sizes)},
        "diversity": [[{}, {"kind": "affine", "num_features": 3}]],
        "mutations": {"mode": "paper", "until": "changed", "crossover": 0.2},
        "caches": {"canonical_size": 512, "fec_size": 512},
        "hurdles": {"window": 40, "stages": [{"num_train": 10, "num_valid": 5, "percentile": 30.0}]},
        "budget": {"kind": "table", "factor": 3.0},
    }
    return ExperimentConfig(**{**defaults, **settings})


def outcome(path: Path) -> tuple[Any, ...]:
    """What has to be the same: result.json less seconds, cost and machine, and the files of programs."""
    record = json.loads((path / "result.json").read_text(encoding="utf-8"))
    for key in ("seconds", "cpu_seconds", "machine", "cost"):
        del record[key]
    record["config"] = {key: value for key, value in record["config"].items() if key not in search.EXTENSIBLE}
    for experiment in record["experiments"]:
        del experiment["seconds"]
    return record, *((path / name).read_bytes() for name in ("best.json", "hall_of_fame.jsonl", "lineage.jsonl"))


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> Path:
    """A run that was never stopped."""
    path = tmp_path_factory.mktemp("unbroken") / "run"
    evolve(make_config(), seed=SEED, out=path, workers=1)
    return path


class StopAfter:
    """A callback that ends the run after some calls."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self, progress: Progress) -> bool:
        self.left -= 1
        return self.left > 0


def stopped_run(path: Path, calls: int = 12, **settings: Any) -> Path:
    """A run that a callback ended somewhere."""
    result = evolve(make_config(**settings), seed=SEED, out=path, callback=StopAfter(calls))
    assert result.interrupted
    return path


@pytest.fixture(autouse=True)
def quick_callbacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl_zero.evolution.run._HEARTBEAT", 0.001)
    monkeypatch.setattr("automl_zero.evolution.islands._CALL_SECONDS", 0.002)


@pytest.mark.parametrize("calls", [1, 3, 8, 30])
def test_a_run_that_was_stopped_ends_like_one_that_never_was(calls, unbroken, tmp_path):
    stopped_run(tmp_path / "run", calls)
    result = resume(tmp_path / "run")
    assert not result.interrupted
    assert outcome(tmp_path / "run") == outcome(unbroken)


def test_a_run_may_be_stopped_again_and_again(unbroken, tmp_path):
    path = stopped_run(tmp_path / "run", 5)
    while resume(path, callback=StopAfter(25), workers=2).interrupted:
        pass
    assert outcome(path) == outcome(unbroken)


def test_checkpoints_at_any_time_change_nothing(unbroken, tmp_path):
    evolve(make_config(checkpoint_seconds=1e-6), seed=SEED, out=tmp_path / "run")
    assert outcome(tmp_path / "run") == outcome(unbroken)


def test_a_finished_run_resumed_is_the_same_run(unbroken, tmp_path):
    path = tmp_path / "run"
    evolve(make_config(), seed=SEED, out=path)
    resume(path)
    assert outcome(path) == outcome(unbroken)


def test_a_finished_run_can_be_extended(unbroken, tmp_path):
    # 12,000 is a barrier of the longer run too, in the middle of its second experiment
    path = tmp_path / "run"
    evolve(make_config(max_individuals=12000), seed=SEED, out=path)
    resume(path, ["max_individuals=30000"])
    assert outcome(path) == outcome(unbroken)


def test_a_run_that_goes_on_has_no_result_until_it_ends(tmp_path):
    path = tmp_path / "run"
    evolve(make_config(max_individuals=12000), seed=SEED, out=path)
    seen = []

    def look(progress: Progress) -> None:
        seen.append((path / "result.json").exists())

    resume(path, ["max_individuals=14000"], callback=look)
    assert seen
    assert not any(seen[:-1])
    assert (path / "result.json").exists()


def test_more_experiments_can_be_asked_for(unbroken, tmp_path):
    path = tmp_path / "run"
    evolve(make_config(max_experiments=1), seed=SEED, out=path)
    resume(path, ["max_experiments=none"])
    assert outcome(path) == outcome(unbroken)


def test_a_run_that_was_out_of_time_goes_on_with_more(unbroken, tmp_path):
    path = tmp_path / "run"
    evolve(make_config(max_seconds=1e-3), seed=SEED, out=path)
    resume(path, ["max_seconds=none"])
    assert outcome(path) == outcome(unbroken)


def test_seconds_of_all_parts_add_up(tmp_path):
    path = stopped_run(tmp_path / "run")
    first = json.loads((path / "result.json").read_text(encoding="utf-8"))
    result = resume(path)
    assert result.seconds > first["seconds"]
    assert result.cpu_seconds > first["cpu_seconds"]


def test_a_damaged_line_of_the_log_is_passed_over(tmp_path):
    path = tmp_path / "run"
    evolve(make_config(), seed=SEED, out=path, callback=lambda progress: progress.individuals < 3000)
    log = path / "metrics.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"', b"\xff", 1))
    result = resume(path)
    damaged, *lines = log.read_bytes().splitlines()
    assert b"\xff" in damaged
    assert result.history == [json.loads(line) for line in lines] != []


def test_the_log_has_no_line_twice(tmp_path):
    path = stopped_run(tmp_path / "run")
    resume(path)
    lines = [json.loads(line) for line in (path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    made = [line["individuals"] for line in lines]
    assert made == sorted(set(made))


# -- killed ----------------------------------------------------------------------------------------------------------


def run_until(seconds: float | None, *arguments: str) -> int | None:
    """Exit code of a command, or None when it was killed after some seconds."""
    command = [sys.executable, "-m", "automl_zero", *arguments]
    quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    try:
        return subprocess.run(command, timeout=seconds, check=False, **quiet).returncode  # kills by SIGKILL
    except subprocess.TimeoutExpired:
        return None


def test_a_run_killed_at_random_moments_ends_like_one_that_never_was(tmp_path):
    config, whole = tmp_path / "config.toml", tmp_path / "whole"
    config.write_text(make_config(checkpoint_seconds=0.02, max_individuals=300_000).to_toml(), encoding="utf-8")
    begin = ["evolve", "--config", str(config), "--seed", str(SEED), "--force", "--out"]
    assert run_until(None, *begin, str(whole)) == 0
    moments, kills = random.Random(KILLS), 0

    def go_on(path: Path) -> int | None:
        has_checkpoint = any((path / name).exists() for name in ("checkpoint.json", "checkpoint.previous.json"))
        command = ["resume", str(path)] if has_checkpoint else [*begin, str(path)]
        return run_until(moments.uniform(0.3, 2.5), *command)

    for number in count():
        path = tmp_path / f"run{number}"
        while (status := go_on(path)) is None:
            kills += 1
        assert status == 0
        assert outcome(path) == outcome(whole)
        if kills >= KILLS:
            break


@pytest.mark.parametrize("renames", range(4))
def test_a_crash_between_two_renames_loses_no_checkpoint(renames, unbroken, tmp_path, monkeypatch):
    class CrashError(Exception):
        pass

    path = stopped_run(tmp_path / "run", 8)
    rename, done = RunDirectory.rename, []

    def crash(directory: RunDirectory, source: Path, name: str) -> None:
        if name.startswith("checkpoint"):
            if len(done) == renames:
                raise CrashError
            done.append(name)
        rename(directory, source, name)

    with monkeypatch.context() as patch:
        patch.setattr(RunDirectory, "rename", crash)
        with pytest.raises(CrashError):
            resume(path, callback=StopAfter(20))
    resume(path)
    assert outcome(path) == outcome(unbroken)


# -- damaged or foreign checkpoints ----------------------------------------------------------------------------------


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [cut, flip, Path.unlink])
@pytest.mark.parametrize("name", ["checkpoint.json", "checkpoint.npz"])
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(name, damage, unbroken, tmp_path):
    path = tmp_path / "run"  # two checkpoints, at barriers of the first experiment
    evolve(make_config(), seed=SEED, out=path, callback=lambda progress: progress.individuals < 600)
    resume(path, callback=lambda progress: progress.individuals < 3000)
    damage(path / name)
    if (name, damage) == ("checkpoint.json", Path.unlink):  # as if killed between two renames
        resume(path)
    else:
        with pytest.warns(ResumeWarning) as warned:
            resume(path)
        messages = [str(warning.message) for warning in warned]
        assert "checkpoint.json cannot be used: " in messages[0]
        assert "going on from the checkpoint before" in messages[1]
    assert outcome(path) == outcome(unbroken)


def test_two_damaged_checkpoints_are_too_many(tmp_path):
    path = stopped_run(tmp_path / "run", checkpoint_seconds=0.01)
    cut(path / "checkpoint.json")
    flip(path / "checkpoint.previous.npz")
    cut(path / "checkpoint.npz")
    with pytest.raises(RunError, match=r"checkpoint\.json cannot be used: .*checkpoint\.previous\.json cannot be used"):
        resume(path)


def test_a_checkpoint_of_another_version_is_refused(tmp_path, monkeypatch):
    path = stopped_run(tmp_path / "run")
    monkeypatch.setattr(search, "__version__", "9.9")
    with pytest.raises(RunError, match=r"a run of automl-zero 0\.\S+, but this is 9\.9"):
        resume(path)


def test_a_checkpoint_of_another_configuration_is_refused_with_what_differs(tmp_path):
    path = stopped_run(tmp_path / "run")
    text = (path / "config.toml").read_text(encoding="utf-8")
    (path / "config.toml").write_text(text.replace("population_size = 20", "population_size = 30"), encoding="utf-8")
    with pytest.raises(RunError, match=r"population_size is 30, was 20$"):
        resume(path)


def test_a_checkpoint_of_another_format_is_refused(tmp_path):
    path = stopped_run(tmp_path / "run")
    record = json.loads((path / "checkpoint.json").read_text(encoding="utf-8"))
    (path / "checkpoint.json").write_text(json.dumps({**record, "format": "other/2"}), encoding="utf-8")
    with pytest.raises(RunError, match="has the format 'other/2', but this version reads 'automl-zero-checkpoint/2'"):
        resume(path)


def test_other_versions_of_libraries_are_a_warning(tmp_path, monkeypatch):
    path = stopped_run(tmp_path / "run")
    now = search.provenance.versions()
    monkeypatch.setattr(search.provenance, "versions", lambda: {**now, "numpy": "0.1"})
    with pytest.warns(ResumeWarning, match=r"numpy was \S+ and is 0\.1 now"):
        resume(path)


def test_only_what_decides_about_the_end_may_change(tmp_path):
    path = stopped_run(tmp_path / "run")
    with pytest.raises(ConfigError, match="population_size: cannot change when a run is resumed; what can is max_ind"):
        resume(path, ["population_size=50"])


def test_a_directory_without_a_run_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"is not the directory of a run: it holds no config\.toml"):
        resume(tmp_path)


def test_a_run_without_a_checkpoint_is_refused(tmp_path):
    path = stopped_run(tmp_path / "run")
    for file in path.glob("checkpoint*"):
        file.unlink()
    with pytest.raises(RunError, match="holds no checkpoint: the run ended before its first one"):
        resume(path)


def test_two_processes_do_not_work_on_one_run(tmp_path):
    path = stopped_run(tmp_path / "run")
    with pytest.raises(RunError, match="another process is at work on this run"):
        resume(path, callback=lambda progress: resume(path) is None)
    resume(path)


def test_a_checkpoint_holds_no_objects(tmp_path):
    path = stopped_run(tmp_path / "run")
    with np.load(path / "checkpoint.npz", allow_pickle=False) as arrays:
        assert {arrays[name].dtype.kind for name in arrays} <= set("uif")


def test_a_run_without_files_writes_no_checkpoint(monkeypatch):
    monkeypatch.setattr(checkpoint, "save", lambda *_: pytest.fail("a checkpoint was written"))
    evolve(make_config(max_individuals=500, checkpoint_seconds=1e-6), seed=SEED)


def test_the_configuration_of_a_resumed_run_has_the_new_limits(tmp_path):
    path = stopped_run(tmp_path / "run")
    resume(path, ["max_individuals=31000"])
    assert load_config(path / "config.toml").max_individuals == 31000
