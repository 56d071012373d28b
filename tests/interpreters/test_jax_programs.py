"""The JAX backend on whole programs, against the numpy interpreter and the reference."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax")

from automl_zero import evaluate
from automl_zero.interpreters.jax_lockstep import batches
from automl_zero.interpreters.numpy_interpreter import evaluate_program
from automl_zero.tasks import TaskSet, from_arrays
from benchmarks.conformance import main
from tests.oracle import random_program
from tests.test_conformance import PROGRAMS


def tasks(evaluation: str, classes: int = 0, epochs: int = 1, **options: Any) -> TaskSet:
    """Three tasks that a linear program can learn."""
    rng = np.random.default_rng(0)
    D, N, M, F = 3, 8, 6, 4
    x = rng.normal(size=(D, N + M, F))
    y = np.einsum("dnf,df->dn", x, rng.normal(size=(D, F)))
    if classes:
        y = np.eye(classes)[np.argmax(x[..., :classes], axis=-1)]
    elif evaluation == "accuracy":
        y = (y > 0) * 1.0
    return from_arrays(x[:, :N], y[:, :N], x[:, N:], y[:, N:], evaluation, epochs=epochs, seed=3, **options)


@pytest.mark.parametrize(
    ("evaluation", "classes", "epochs", "dtype"),
    [("rmse", 0, 2, "float64"), ("accuracy", 3, 2, "float32")],
)
def test_random_programs_of_all_ops_are_those_of_the_definition(evaluation, classes, epochs, dtype):
    several = [random_program(seed, 10, classes) for seed in range(64)]
    data = tasks(evaluation, classes, epochs)
    fitness = evaluate(several, data, backend="jax", dtype=dtype)
    expected = np.array([evaluate_program(program, data, dtype) for program in several])
    close = np.abs(fitness - expected) <= (1e-6 if dtype == "float64" else 1e-5)
    assert close.mean() >= 0.99
    assert len(np.unique(expected[close])) > 6  # by far not all fail


def test_programs_of_the_reference_have_its_fitness(capsys, tmp_path, monkeypatch):
    """On the smallest task; ``python -m benchmarks.conformance`` takes them all."""
    data = json.loads(gzip.decompress(PROGRAMS.read_bytes()))
    data["tasks"] = [task for task in data["tasks"] if task["id"] == 0]
    for program in data["programs"]:
        program["fitness"] = [entry for entry in program["fitness"] if entry["task"] == 0]
    path = tmp_path / "programs.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    monkeypatch.setattr(batches, "uses_matrices", lambda program: True)  # all in one batch, which is compiled once
    assert main([str(path), "--backend", "jax", "--dtype", "float32"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "60 passed, 0 failed"
