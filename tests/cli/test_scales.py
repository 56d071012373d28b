"""``--scale`` and ``--data-dir`` of the commands that take presets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from automl_zero import programs
from automl_zero.evolution.sources import named_config, task_source

if TYPE_CHECKING:
    from tests.cli.conftest import FakeEngine, Run


def test_evolve_takes_the_small_version_of_a_preset(run: Run, engine: FakeEngine) -> None:
    result = run("evolve", "baseline", "--scale", "small", "--set", "islands=3")
    assert result.exit_code == 0
    config = engine.calls[0]["config"]
    assert (config.name, config.islands, config.tasks["kind"]) == ("baseline-small", 3, "digits")
    assert engine.calls[0]["out"].startswith("runs/baseline-small-0-")


def test_the_full_version_of_a_preset_without_another_can_be_named(run: Run, engine: FakeEngine) -> None:
    run("evolve", "linear", "--scale", "full")
    assert engine.calls[0]["config"].name == "linear"


def test_a_data_directory_is_named_by_its_absolute_path_where_nothing_is_found(run: Run, engine: FakeEngine) -> None:
    Path("my data").mkdir()
    result = run("evolve", "baseline", "--data-dir", "my data")
    assert result.exit_code == 2
    assert str(Path("my data").absolute()) in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evolve", "linear", "--scale", "small"], "preset 'linear' has no small version; presets that have one are "),
        (["evolve", "linear", "--scale", "tiny"], "'tiny' is not one of 'small', 'full'"),
        (["evolve", "--config", "mine.toml", "--scale", "small"], "--scale chooses a version of a preset"),
        (["evolve", "--tasks", "a.csv", "--data-dir", "."], "--data-dir is for image data sets, but --tasks names"),
        (["evolve", "baseline", "--data-dir", "nowhere"], "Directory 'nowhere' does not exist"),
        (["evolve", "linear", "--data-dir", "."], "tasks: unknown key 'data_dir' for kind 'linear'"),
        (["evaluate", "best.json", "--tasks", "mine.toml", "--scale", "small"], "a scale belongs to a preset ("),
        (["evaluate", "best.json", "--tasks", "a.csv", "--scale", "small"], "scale and data directory belong to"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(
    run: Run, engine: FakeEngine, arguments: list[str], message: str
) -> None:
    programs.linear().save("best.json")
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert engine.calls == []


def test_evaluate_takes_the_small_version_of_a_preset(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl_zero.score.baseline_scores", lambda tasks: {})  # a minute of scikit-learn
    programs.linear().save("best.json")
    arguments = ("evaluate", "best.json", "--tasks", "nn-regression", "--scale", "small", "--json")
    record = json.loads(run(*arguments).stdout)
    assert record["tasks"] == task_source("nn-regression", scale="small").describe()
    assert len(record["scores"]) > 1


def test_a_named_configuration_can_be_a_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(named_config("linear").to_toml(), encoding="utf-8")
    assert named_config(file, ["islands=2"]).islands == 2
    with pytest.raises(ValueError, match="a scale belongs to a preset"):
        named_config(file, scale="small")
