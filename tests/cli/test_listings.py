"""``automl-zero presets``, ``ops`` and ``doctor``."""

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import pytest

from automl_zero import self_test
from automl_zero.ops import TABLE
from automl_zero.presets import preset_names, preset_text

if TYPE_CHECKING:
    from tests.cli.conftest import Run


def test_presets_are_listed_with_what_they_do(run: Run) -> None:
    lines = run("presets").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == preset_names()
    assert lines[preset_names().index("linear")].endswith("Linear regression from nothing, with a quick search.")

    assert lines[preset_names().index("baseline")].split()[1:3] == ["small,", "full"]


def test_the_list_of_presets_comes_as_json_too(run: Run) -> None:
    entries = json.loads(run("presets", "--json").stdout)
    assert [entry["name"] for entry in entries] == preset_names()
    assert {entry["name"]: entry["scales"] for entry in entries}["linear"] == ["full"]


def test_the_presets_of_a_scale_are_listed_alone(run: Run) -> None:
    lines = run("presets", "--scale", "small").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == preset_names("small")


def test_a_preset_is_printed_at_a_scale(run: Run) -> None:
    assert run("presets", "--show", "baseline", "--scale", "small").stdout == preset_text("baseline", "small")
    result = run("presets", "--show", "linear", "--scale", "small")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: preset 'linear' has no small version; presets that have one are baseline, ")


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_is_printed_as_it_is(run: Run, name: str) -> None:
    shown = run("presets", "--show", name).stdout
    assert shown == preset_text(name)
    assert tomllib.loads(shown)["name"] == name


def test_an_unknown_preset_is_bad_input(run: Run) -> None:
    result = run("presets", "--show", "digit")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: unknown preset 'digit' (did you mean digits?); presets are affine, ")


def test_every_op_is_listed(run: Run) -> None:
    lines = run("ops").stdout.splitlines()[1:]
    assert [line.split()[:2] for line in lines] == [[str(op.id), op.name] for op in TABLE]
    assert lines[2].split() == ["2", "scalar_diff", "s,s->s", "out", "=", "a", "-", "b"]
    assert lines[57].endswith("out[index] = value")


def test_the_op_table_comes_as_json_too(run: Run) -> None:
    records = json.loads(run("ops", "--json").stdout)
    assert len(records) == len(TABLE)
    assert records[63]["constants"] == ["mean", "st_dev"]


@pytest.mark.parametrize(("passed", "code", "verdict"), [(True, 0, "passed"), (False, 70, "FAILED")])
def test_doctor_reports_versions_machine_and_the_self_test(
    run: Run, monkeypatch: pytest.MonkeyPatch, passed: bool, code: int, verdict: str
) -> None:
    monkeypatch.setattr(self_test, "run_self_test", lambda: self_test.SelfTest(passed, 0.5, 1.0))
    result = run("doctor")
    assert result.exit_code == code
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines())
    assert lines["automl-zero"] == "0.1.0"
    assert lines["self-test"].startswith(f"{verdict}")
    assert {"python", "numpy", "numba", "platform", "cores", "cache"} <= lines.keys()
    record = json.loads(run("doctor", "--json").stdout)
    assert record["self_test"] == {"passed": passed, "largest_difference": 0.5, "seconds": 1.0}


def test_the_self_test_compares_two_interpreters(monkeypatch: pytest.MonkeyPatch) -> None:
    original = self_test.evaluate

    def evaluate(programs: object, tasks: object, backend: str, dtype: str) -> object:
        return original(programs, tasks, "numpy", dtype) + (0.1 if backend == "numba" else 0.0)  # type: ignore[arg-type]

    monkeypatch.setattr(self_test, "evaluate", evaluate)
    outcome = self_test.run_self_test()
    assert not outcome.passed
    assert outcome.largest_difference == pytest.approx(0.1)
