"""The worked example in CONTRIBUTING.md works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from automl_zero.evaluation import evaluate
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE, unregister
from automl_zero.program import Instruction, Program
from automl_zero.tasks import linear_regression

GUIDE = Path(__file__).resolve().parent.parent / "CONTRIBUTING.md"


def test_the_op_of_the_guide_is_the_same_on_both_interpreters() -> None:
    example = re.search(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None
    known = len(TABLE)
    try:
        exec(example.group(1), {})
        assert TABLE[known].name == "scalar_relu"
        predict = (Instruction("vector_inner_product", 1, 0, 2), Instruction("scalar_relu", 2, out=1))
        setup = (Instruction("vector_gaussian_set", out=1, constants=(0.0, 1.0)),)
        program = Program(MemorySpec(3, 2, 0), setup, predict, ())
        linear = Program(MemorySpec(3, 2, 0), setup, (Instruction("vector_inner_product", 1, 0, 1),), ())
        tasks = linear_regression(num_tasks=3, num_features=4, num_train=5, num_valid=20, seed=0)
        expected = evaluate([program, linear], tasks, backend="numpy", dtype="float64")
        assert (expected[0] != expected[1]).all()
        np.testing.assert_allclose(evaluate([program, linear], tasks, dtype="float64"), expected, rtol=1e-6)
    finally:
        while len(TABLE) > known:
            unregister(TABLE[len(TABLE) - 1].name)
