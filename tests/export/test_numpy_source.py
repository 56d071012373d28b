from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.export import to_numpy_source
from automl_zero.memory import MemorySpec
from automl_zero.ops import NUM_BUILT_IN, TABLE, Op, RegisterType, register, unregister
from automl_zero.program import Instruction, Program
from tests.oracle import random_program, train_and_predict

NUM_PROGRAMS = 60
EPOCHS = 2
_RUN = """
import importlib.util, json, sys
sys.path.append(sys.argv[1])
assert importlib.util.find_spec("automl_zero") is None
for case in json.load(open(sys.argv[2], encoding="utf-8")):
    module = {}
    exec(case["source"], module)
    model = module["Model"]().fit(case["x"], case["y"], epochs=case["epochs"], seed=case["seed"])
    outputs = getattr(model, case["method"])(case["rows"])
    print(json.dumps({"outputs": [repr(float(output)) for output in outputs], "stopped": model.stopped is not None}))
"""


def in_clean_process(cases: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """Outputs of exported modules in an interpreter that finds numpy and nothing else."""
    run, data, libraries = folder / "run.py", folder / "cases.json", folder / "libraries"
    run.write_text(_RUN, encoding="utf-8")
    data.write_text(json.dumps(cases), encoding="utf-8")
    libraries.mkdir()
    for found in Path(np.__file__).parents[1].glob("numpy*"):
        (libraries / found.name).symlink_to(found)
    arguments = [sys.executable, "-I", "-S", "-W", "error::RuntimeWarning", run, libraries, data]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_clean_process_with_numpy_alone_gives_the_predictions_of_the_interpreter(tmp_path: Path) -> None:
    cases, expected, used = [], [], set()
    for seed in range(NUM_PROGRAMS):
        program, F, accuracy = random_program(seed), 1 + seed % 5, seed % 2 == 1
        rng = np.random.default_rng(seed)
        x, rows, y = rng.standard_normal((9, F)), rng.standard_normal((4, F)), rng.standard_normal(9)
        y = (y > 0) * 1.0 if accuracy else y
        source = to_numpy_source(
            program, num_features=None if seed % 3 else F, evaluation="accuracy" if accuracy else "rmse"
        )
        arrays = {"x": x.tolist(), "y": y.tolist(), "rows": rows.tolist()}
        method = "decision_function" if accuracy else "predict"
        cases.append({"source": source, **arrays, "epochs": EPOCHS, "seed": seed + 2**40, "method": method})
        expected.append(train_and_predict(program, x, y, rows, seed + 2**40, EPOCHS, accuracy))
        used |= {instruction.op for component in program.components for instruction in component}
    assert used == {TABLE[index].name for index in range(NUM_BUILT_IN)}
    compared = 0
    for result, (outputs, stop) in zip(in_clean_process(cases, tmp_path), expected, strict=True):
        found = np.array(result["outputs"], dtype=np.float64)
        np.testing.assert_allclose(found, outputs, rtol=1e-6, atol=1e-9)
        assert result["stopped"] == (stop is not None)
        compared += np.isfinite(outputs).all() and len(set(outputs)) > 1
    assert compared >= 20


def test_vector_labels_give_the_predictions_of_the_interpreter() -> None:
    compared = 0
    for seed in range(20):
        C, F = 2 + seed % 3, 4 + seed % 2
        program, rng = random_program(seed, num_classes=C), np.random.default_rng(seed)
        x, rows, y = rng.standard_normal((9, F)), rng.standard_normal((4, F)), rng.integers(C, size=9)
        model = module(to_numpy_source(program, evaluation="accuracy", num_classes=C))["Model"]()
        outputs = model.fit(x, y, EPOCHS, seed).decision_function(rows)
        expected, stop = train_and_predict(program, x, np.eye(C)[y], rows, seed, EPOCHS, True)
        np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-9)
        assert (model.stopped is None) == (stop is None)
        compared += np.isfinite(expected).all() and len(np.unique(expected)) > 4
    assert compared >= 5


def test_a_program_with_vector_labels_tells_several_classes_apart() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=300)
    x = rng.standard_normal((300, 4)) + 3 * np.eye(4)[y]
    source = to_numpy_source(programs.softmax_linear(), evaluation="accuracy", num_classes=3)
    model = module(source)["Model"]().fit(x, y, epochs=3)
    assert (model.predict(x) == y).mean() > 0.9
    np.testing.assert_allclose(model.predict_proba(x).sum(axis=1), 1)
    with pytest.raises(ValueError, match="X has 2 features, expected at least 3"):
        module(source)["Model"]().fit(x[:, :2], y)


def module(source: str) -> dict[str, Any]:
    """The names that exported code defines."""
    names: dict[str, Any] = {}
    exec(source, names)
    return names


def test_a_component_has_one_line_for_each_live_instruction() -> None:
    program = programs.pad(programs.neural_net(), {"learn": 20})
    functions = {node.name: node for node in ast.parse(to_numpy_source(program)).body if hasattr(node, "name")}
    lines = {name: ast.unparse(node).splitlines() for name, node in functions.items()}
    # The definition, the docstring, the registers that come in and those that go out are four more.
    assert len(lines["predict"]) == 4 + len(program.predict)
    assert len(lines["learn"]) == 4 + len(programs.neural_net().learn)
    assert "    v3 = dot(m0, v0)" in lines["predict"]


def test_only_what_is_used_is_there() -> None:
    linear, network = to_numpy_source(programs.linear()), to_numpy_source(programs.neural_net(), evaluation="accuracy")
    for name in ("threefry", "Draws", "heaviside", "sigmoid"):
        assert name not in linear
        assert f" {name}(" in network or f"class {name}:" in network


def test_classes_are_those_of_the_probabilities() -> None:
    x = np.random.default_rng(0).standard_normal((200, 3))
    y = (x.sum(axis=1) > 0) * 1.0
    model = module(to_numpy_source(programs.linear(0.1), evaluation="accuracy"))["Model"]().fit(x, y)
    assert (model.predict(x) == y).mean() > 0.95
    np.testing.assert_array_equal(model.predict(x), (model.predict_proba(x) > 0.5) * 1)
    np.testing.assert_allclose(model.predict_proba(x), 1 / (1 + np.exp(-model.decision_function(x))))


def test_training_stops_where_an_error_is_too_large_with_the_memory_before_it() -> None:
    x, y = np.ones((4, 2)), np.array([1.0, 1.0, 200.0, 1.0])
    model_class = module(to_numpy_source(programs.linear()))["Model"]
    stopped, short = model_class().fit(x, y), model_class().fit(x[:2], y[:2])
    assert stopped.stopped == (0, 2)
    assert stopped.predict(x).tolist() == short.predict(x).tolist()
    assert model_class(max_abs_error=1000.0).fit(x, y).stopped is None


def test_a_module_for_a_number_of_features_refuses_others() -> None:
    half = Instruction("vector_const_set", out=1, constants=(0.5, 2.0))
    program = Program(MemorySpec(4, 3, 1), (half,), (Instruction("vector_inner_product", 1, 0, 1),), ())
    source = to_numpy_source(program, num_features=4)
    assert "v1 = put(v1, (2,), 2.0)" in source
    assert "v1 = put(v1, (int(0.5 * F),), 2.0)" in to_numpy_source(program)
    with pytest.raises(ValueError, match="X has 3 features, expected 4"):
        module(source)["Model"]().fit(np.ones((5, 3)), np.ones(5))


def test_the_empty_program_predicts_zero() -> None:
    model = module(to_numpy_source(programs.empty()))["Model"]().fit(np.ones((3, 2)), np.ones(3))
    assert model.predict(np.ones((2, 2))).tolist() == [0.0, 0.0]


def test_constants_are_exact() -> None:
    constant = Instruction("vector_const_set", out=1, constants=(0.0, 0.1))
    program = Program(MemorySpec(4, 3, 1), (constant,), (Instruction("vector_norm", 1, out=1),), ())
    assert repr(float(np.float32(0.1))) in to_numpy_source(program)


@pytest.fixture
def user_ops() -> Any:
    scalar = RegisterType.SCALAR
    register(Op("scalar_halved", (scalar,), scalar, "{out} = {in1} / 2 + abs({in1})"), numpy=lambda a: a / 2 + abs(a))
    register(Op("scalar_erf", (scalar,), scalar, "{out} = erf({in1})"), numpy=lambda a: a)
    register(Op("scalar_odd", (scalar,), scalar, "{out} = {in1} squared"), numpy=lambda a: a)
    yield
    for name in ("scalar_odd", "scalar_erf", "scalar_halved"):
        unregister(name)


def reading(op: str) -> Program:
    predict = (Instruction("vector_mean", 0, out=2), Instruction(op, 2, out=1))
    return Program(MemorySpec(4, 3, 1), (), predict, ())


@pytest.mark.usefixtures("user_ops")
def test_a_user_op_is_exported_as_its_pseudocode() -> None:
    model = module(to_numpy_source(reading("scalar_halved")))["Model"]().fit(np.ones((1, 2)), np.ones(1))
    assert model.predict([[2.0, 2.0]]).tolist() == [3.0]


@pytest.mark.usefixtures("user_ops")
@pytest.mark.parametrize(
    ("op", "message"),
    [
        (
            "scalar_erf",
            "op 'scalar_erf' cannot be exported: its pseudocode calls 'erf'; known functions are abs, arccos, ",
        ),
        ("scalar_odd", "op 'scalar_odd' cannot be exported: its pseudocode 's2 squared' is not a Python expression"),
    ],
)
def test_a_user_op_that_is_no_known_python_is_refused(op: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_numpy_source(reading(op))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"evaluation": "f1"}, "evaluation is 'f1': expected one of rmse, accuracy"),
        ({"num_features": 0}, "num_features is 0: expected a positive integer"),
        ({"num_classes": 3}, "num_classes is 3: expected 0, or with evaluation 'accuracy' at least 2"),
        ({"num_classes": 1, "evaluation": "accuracy"}, "num_classes is 1: expected 0, or"),
        ({"num_classes": 3, "evaluation": "accuracy"}, "v1 is the label in tasks with vector labels"),
    ],
)
def test_bad_arguments_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        to_numpy_source(programs.linear(), **options)
