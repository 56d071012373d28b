"""Where the JAX backend runs: choice of the device, other platforms' code, and what happens without JAX."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jax")

import jax

from automl_zero import evaluate, programs
from automl_zero.interpreters.jax_lockstep import Programs, Shape, Tasks, devices, shape_of, tasks_of
from automl_zero.interpreters.jax_lockstep.batches import Batch, pack_batch
from automl_zero.interpreters.jax_lockstep.bodies import ops_of_variant
from automl_zero.interpreters.jax_lockstep.evaluate import evaluate as losses_of
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE
from automl_zero.program import COMPONENTS
from automl_zero.tasks import linear_regression

MEMORY = MemorySpec(4, 3, 1)
TASKS = linear_regression(num_tasks=2, num_features=4, num_train=5, num_valid=3)


@pytest.fixture(autouse=True)
def _forget_the_choice():
    devices.choose.cache_clear()
    yield
    devices.choose.cache_clear()


def arguments(matrices: bool, **options: Any) -> tuple[Programs, Tasks, Shape]:
    names = [TABLE[number].name for number in ops_of_variant(matrices)]
    ops, sizes = dict.fromkeys(COMPONENTS, names), dict.fromkeys(COMPONENTS, 6)
    several = [programs.random(MEMORY, ops, sizes, seed) for seed in range(16)]
    packed = pack_batch(several, Batch(tuple(range(16)), 16, 8, matrices), "float32")
    return packed, tasks_of(TASKS, "float32"), shape_of(MEMORY, TASKS, "float32", matrices, **options)


@pytest.mark.parametrize("platform", ["cuda", "tpu"])
@pytest.mark.parametrize("matrices", [False, True])
def test_it_lowers_for_other_platforms(platform, matrices):
    *arrays, shape = arguments(matrices, one_hot=platform == "tpu", skips=False)
    traced = jax.jit(losses_of, static_argnames="shape").trace(*arrays, shape=shape)
    text = traced.lower(lowering_platforms=(platform,)).as_text()
    assert "stablehlo.while" in text
    assert "stablehlo.case" not in text  # a decision would cost an accelerator more than what it saves
    # Registers are read by index on a GPU; on a TPU only small tables and examples are.
    assert ("stablehlo.scatter" in text) == (platform == "cuda")


def test_the_forms_for_other_platforms_give_the_same_results():
    packed, tasks, usual = arguments(matrices=False)
    compiled = jax.jit(losses_of, static_argnames="shape")
    expected = compiled(packed, tasks, shape=usual)
    assert len(np.unique(expected.total)) > 5
    other = compiled(packed, tasks, shape=dataclasses.replace(usual, one_hot=True, skips=False))
    np.testing.assert_allclose(other.total, expected.total, rtol=1e-5)
    np.testing.assert_array_equal(other.train_steps, expected.train_steps)


def test_the_default_device_is_chosen():
    choice = devices.choose()
    assert choice.device == jax.devices()[0]
    assert choice.platform == jax.default_backend()
    assert not choice.fallback
    assert jax.__version__ in choice.reason


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    import os

    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env={**os.environ, **environment}
    )


def test_a_platform_that_does_not_start_is_reported_and_the_cpu_used_instead():
    code = (
        "import warnings\n"
        "from automl_zero import evaluate, programs\n"
        "from automl_zero.tasks import linear_regression\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    tasks = linear_regression(num_tasks=1, num_train=2, num_valid=2)\n"
        "    print(evaluate(programs.empty(), tasks, backend='jax').shape)\n"
        "print(*[warning.message for warning in caught])\n"
    )
    done = run(code, JAX_PLATFORMS="nonsense")
    assert done.returncode == 0, done.stderr
    shape, message = done.stdout.splitlines()
    assert shape == "(1,)"
    assert "JAX_PLATFORMS is 'nonsense'), so that it computes on the CPU: " in message


def test_a_jax_that_does_not_start_at_all_is_an_error_in_one_sentence(monkeypatch):
    platforms = jax.config.jax_platforms

    def broken(*_: Any) -> Any:
        raise RuntimeError("no such thing\nmore")

    monkeypatch.setattr(jax, "devices", broken)
    with pytest.raises(ValueError, match="cannot compute on any device: no such thing"):
        devices.choose()
    assert jax.config.jax_platforms == platforms


def test_without_jax_the_message_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ValueError, match=r"needs the library jax, .*: pip install 'automl-zero\[jax\]'"):
        evaluate(programs.linear(), TASKS, backend="jax")


def test_a_jax_that_cannot_be_imported_says_why(monkeypatch, tmp_path):
    (tmp_path / "jax.py").write_text("raise RuntimeError('jaxlib is too old')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "jax")
    with pytest.raises(ValueError, match="is installed but cannot be imported: jaxlib is too old"):
        evaluate(programs.linear(), TASKS, backend="jax")


def test_jax_is_imported_by_its_backend_alone():
    code = (
        "import sys\n"
        "from automl_zero import evaluate, programs\n"
        "from automl_zero.interpreters.jax_lockstep import devices\n"
        "from automl_zero.tasks import linear_regression\n"
        "evaluate(programs.linear(), linear_regression(num_tasks=1), backend='numpy')\n"
        "sys.exit('jax' in sys.modules)"
    )
    assert run(code).returncode == 0
