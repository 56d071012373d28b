"""Running commands, with a stand-in for the engine where a command would start a run."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from automl_zero import programs
from automl_zero.cli import main
from automl_zero.evolution import progress
from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.run_directory import RunDirectory

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Invoke automl-zero in an empty directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("AUTOML_ZERO_DEBUG", raising=False)
    runner = CliRunner()
    return lambda *args: runner.invoke(main, [str(argument) for argument in args], prog_name="automl-zero")


@dataclass
class FakeEngine:
    """Stands in for ``evolve``: reports some progress and returns the result that the test has set up."""

    reports: list[progress.Progress] = field(default_factory=list)
    outcome: dict[str, Any] = field(default_factory=dict)
    error: BaseException | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)

    def evolve(
        self,
        config: ExperimentConfig,
        seed: int = 0,
        out: str | None = None,
        workers: int | None = None,
        callback: Callable[[progress.Progress], object] | None = None,
        force: bool = False,
    ) -> progress.Result:
        self.calls.append({"config": config, "seed": seed, "out": out, "workers": workers, "force": force})
        assert out is not None
        assert callback is not None
        directory = RunDirectory.create(out, force)
        directory.release()
        for report in self.reports:
            callback(report)
        if self.error is not None:
            raise self.error
        values = {
            "program": programs.linear(),
            "search_fitness": 0.99995,
            "select_fitness": 0.99994,
            "final_fitness": 0.99993,
            "solved": True,
            "interrupted": False,
            "target_fitness": config.target_fitness,
            "history": [],
            "lineage": [],
            "experiments": [{"individuals": 1000}],
            "individuals": 1000,
            "train_steps": 20000,
            "evaluated": 150,
            "seconds": 2.0,
            "cpu_seconds": 3.0,
            "seed": seed,
            "config": config,
            "run_dir": directory.path,
            **self.outcome,
        }
        result = progress.Result(**values)
        directory.write_config(config.to_toml())
        directory.write_best(result.program)
        directory.write_result(result.to_dict())
        return result


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> FakeEngine:
    """The stand-in, in place of the compiled engine, which takes seconds to load."""
    fake = FakeEngine()
    monkeypatch.setitem(sys.modules, "automl_zero.evolution.search", types.SimpleNamespace(evolve=fake.evolve))
    return fake
