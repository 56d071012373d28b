from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from automl_zero import programs
from automl_zero.export import to_jax_source
from tests.oracle import random_program, train_and_predict

EPOCHS = 2


def module(source: str) -> dict[str, Any]:
    """The names that exported code defines."""
    names: dict[str, Any] = {}
    exec(source, names)
    return names


@pytest.fixture
def float64() -> Any:
    """JAX in float64."""
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("seed", range(8))
def test_predictions_are_those_of_the_interpreter(seed: int) -> None:
    program, F, accuracy = random_program(seed), 1 + seed % 5, seed % 2 == 1
    rng = np.random.default_rng(seed)
    x, rows, y = rng.standard_normal((9, F)), rng.standard_normal((4, F)), rng.standard_normal(9)
    y = (y > 0) * 1.0 if accuracy else y
    names = module(to_jax_source(program, evaluation="accuracy" if accuracy else "rmse"))
    memory, finished = names["fit"](x, y, EPOCHS, seed + 2**40)
    outputs = names["outputs"](memory, rows, names["seed_words"](seed + 2**40))
    expected, stop = train_and_predict(program, x, y, rows, seed + 2**40, EPOCHS, accuracy)
    np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-9)
    assert bool(finished) == (stop is None)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("seed", range(4))
def test_predictions_with_vector_labels_are_those_of_the_interpreter(seed: int) -> None:
    C, F = 2 + seed % 3, 4 + seed % 2
    program, rng = random_program(seed, num_classes=C), np.random.default_rng(seed)
    x, rows, y = rng.standard_normal((9, F)), rng.standard_normal((4, F)), rng.integers(C, size=9)
    names = module(to_jax_source(program, evaluation="accuracy", num_classes=C))
    memory, finished = names["fit"](x, y, EPOCHS, seed)
    expected, stop = train_and_predict(program, x, np.eye(C)[y], rows, seed, EPOCHS, True)
    outputs = names["outputs"](memory, rows, names["seed_words"](seed))
    np.testing.assert_allclose(outputs, expected, rtol=1e-6, atol=1e-9)
    assert bool(finished) == (stop is None)


def test_it_can_be_part_of_a_larger_function() -> None:
    jax = pytest.importorskip("jax")
    names = module(to_jax_source(programs.linear(0.1)))
    x = np.random.default_rng(0).standard_normal((3, 50, 2))
    y = x @ np.array([1.0, -1.0])
    orders, words = names["epoch_orders"](2, 50), names["seed_words"](0)
    memories, finished = jax.jit(jax.vmap(lambda a, b: names["train"](a, b, orders, words)))(x, y)
    assert finished.all()
    errors = jax.vmap(names["outputs"])(memories, x) - y
    assert float(abs(errors).max()) < 0.05


def test_only_what_is_used_is_there() -> None:
    linear, network = to_jax_source(programs.linear()), to_jax_source(programs.neural_net(), evaluation="accuracy")
    for name in ("class Draws:", "def heaviside(", "def sigmoid("):
        assert name not in linear
        assert name in network


def test_the_lines_are_those_of_the_program() -> None:
    source = to_jax_source(programs.linear())
    assert "def predict(memory, v0):" in source
    assert "    s1 = dot(v1, v0)\n" in source
    compile(source, "exported", "exec")


def test_an_unknown_evaluation_is_refused() -> None:
    with pytest.raises(ValueError, match="evaluation is 'f1': expected one of rmse, accuracy"):
        to_jax_source(programs.linear(), evaluation="f1")
