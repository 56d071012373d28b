"""The portable JAX backend: batches of different programs in lockstep, on CPU, GPU and TPU (see README.md here).

Importing this package does not import JAX; using any of its names does, but for those of the module devices.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automl_zero.interpreters.jax_lockstep.batch import Outcome, Programs, Shape, Tasks, shape_of, tasks_of
    from automl_zero.interpreters.jax_lockstep.evaluate import probe, run
    from automl_zero.interpreters.jax_lockstep.evaluator import Evaluator, evaluate_programs
    from automl_zero.interpreters.jax_lockstep.single import execute

__all__ = [
    "Evaluator",
    "Outcome",
    "Programs",
    "Shape",
    "Tasks",
    "evaluate_programs",
    "execute",
    "probe",
    "run",
    "shape_of",
    "tasks_of",
]

_DEFINED_IN = {
    "Evaluator": "evaluator",
    "Outcome": "batch",
    "Programs": "batch",
    "Shape": "batch",
    "Tasks": "batch",
    "evaluate_programs": "evaluator",
    "execute": "single",
    "probe": "evaluate",
    "run": "evaluate",
    "shape_of": "batch",
    "tasks_of": "batch",
}


def __getattr__(name: str) -> Any:
    if name not in _DEFINED_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from automl_zero.interpreters.jax_lockstep.devices import import_jax

    import_jax()
    return getattr(importlib.import_module(f"{__name__}.{_DEFINED_IN[name]}"), name)
