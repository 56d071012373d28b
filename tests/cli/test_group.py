"""What all commands share: help, exit codes, and one-line errors."""

from __future__ import annotations

import importlib
import os
import signal
from typing import TYPE_CHECKING

import pytest

from automl_zero.cli.group import COMMANDS

if TYPE_CHECKING:
    from tests.cli.conftest import FakeEngine, Run


def test_help_lists_every_command_with_its_summary(run: Run) -> None:
    result = run("--help")
    assert result.exit_code == 0
    for name, summary in COMMANDS.items():
        assert f"{name:8}  {summary}" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_has_examples(run: Run, name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"Examples:\n    automl-zero {name}" in result.stdout
    assert importlib.import_module(f"automl_zero.cli.{name}_command").command.name == name


def test_the_version_is_printed(run: Run) -> None:
    assert run("--version").stdout == "automl-zero, version 0.1.0\n"


def test_an_unknown_command_is_bad_usage(run: Run) -> None:
    result = run("evolv", "linear")
    assert result.exit_code == 2
    assert result.stderr.endswith("Error: no such command 'evolv' (did you mean evolve?)\n")


def test_no_command_prints_the_help(run: Run) -> None:
    result = run()
    assert result.exit_code == 2
    assert "Commands:" in result.output


def test_an_internal_error_is_one_line_and_a_hint(run: Run, engine: FakeEngine) -> None:
    engine.error = RuntimeError("the engine\nbroke")
    result = run("evolve", "linear")
    assert result.exit_code == 70
    assert result.stderr.splitlines()[-2:] == [
        "Internal error: RuntimeError: the engine broke",
        "Please report this; AUTOML_ZERO_DEBUG=1 shows where it happened.",
    ]


def test_debugging_shows_where_an_internal_error_happened(
    run: Run, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOML_ZERO_DEBUG", "1")
    engine.error = RuntimeError("the engine broke")
    assert run("evolve", "linear").exception is engine.error


def test_ctrl_c_outside_of_the_search_is_an_interrupt(run: Run, engine: FakeEngine) -> None:
    engine.error = KeyboardInterrupt()
    result = run("evolve", "linear")
    assert result.exit_code == 130
    assert result.stderr.endswith("Interrupted.\n")


def test_sigterm_does_what_ctrl_c_does(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("automl_zero.presets.preset_names", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    assert run("presets").exit_code == 130
    assert signal.getsignal(signal.SIGTERM) == before
