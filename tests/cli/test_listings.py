"""``automl-zero presets``, ``ops`` and ``doctor``."""

from __future__ import annotations

import json
import tomllib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from automl_zero import self_test
from automl_zero.interpreters.jax_lockstep.devices import MISSING, Choice, JaxNotInstalledError
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


@pytest.mark.parametrize(("agreeing", "code", "verdict"), [(199, 0, "passed"), (190, 70, "FAILED")])
@pytest.mark.parametrize("jax_works", [True, False])
def test_doctor_reports_versions_machine_devices_and_the_self_tests(
    run: Run, monkeypatch: pytest.MonkeyPatch, jax_works: bool, agreeing: int, code: int, verdict: str
) -> None:
    def choose() -> Choice:
        if not jax_works:
            raise JaxNotInstalledError(MISSING)
        client = SimpleNamespace(devices=lambda: ["cuda:0", "cuda:1"])
        device = SimpleNamespace(platform="gpu", compute_capability="8.0", device_kind="A100", client=client)
        return Choice(device, "gpu", "JAX prefers it")

    monkeypatch.setattr("automl_zero.interpreters.jax_lockstep.devices.choose", choose)
    monkeypatch.setattr(self_test, "run_self_test", lambda name: self_test.SelfTest(name, 200, agreeing, 1.0, 12345.6))
    result = run("doctor")
    assert result.exit_code == code
    lines = result.stdout.splitlines()
    facts = {
        name: next(line[17:] for line in lines if line.startswith(f"{name} ")) for name in ("automl-zero", "cores")
    }
    assert facts["automl-zero"] == "0.1.0"
    tests = [line for line in lines if "self-test" in line]
    assert [line.split()[0] for line in tests] == (["numba", "jax"] if jax_works else ["numba"])
    assert all(f"{verdict}" in line and f"{agreeing} of 200 fitnesses agree" in line for line in tests)
    assert "12,346 evaluations a second" in result.stdout
    [backend] = [line for line in lines if line.startswith("jax backend")]
    if jax_works:
        assert "GPU, cuda:0, cuda:1; portable interpreter: JAX prefers it; the GPU kernel needs compute cap" in backend
    else:
        assert "not available: backend 'jax' needs the library jax, which is not installed: pip install" in backend
    record = json.loads(run("doctor", "--json").stdout)
    assert record["self_tests"]["numba"]["agreeing"] == agreeing
    assert record["self_tests"]["numba"]["passed"] == (code == 0)
    assert record["devices"]["devices"] == (["cuda:0", "cuda:1"] if jax_works else [])


def test_the_self_test_compares_a_backend_with_the_definition_and_times_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_test, "_LEAST_SECONDS", 0.0)
    outcome = self_test.run_self_test("numba")
    assert outcome.passed
    assert outcome.pairs == 192
    assert outcome.evaluations_per_second > 100
    original = self_test.evaluate

    def evaluate(programs: Any, tasks: Any, backend: str, dtype: str = "float32") -> Any:
        found = original(programs, tasks, backend, dtype)
        found[:2] += 0.1 if backend == "numba" else 0.0
        return found

    monkeypatch.setattr(self_test, "evaluate", evaluate)
    outcome = self_test.run_self_test("numba")
    assert not outcome.passed
    assert outcome.agreeing == 192 - 6
