"""AutoML-Zero: machine-learning algorithms evolved from basic mathematical operations.

A Python implementation of "AutoML-Zero: Evolving Machine Learning Algorithms From Scratch" (Real, Liang, So and Le,
ICML 2020). The names below are loaded when they are first used, so that ``import automl_zero`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automl_zero import ops, programs, tasks
    from automl_zero.evaluation import evaluate
    from automl_zero.evolution.config import ExperimentConfig
    from automl_zero.evolution.search import evolve, resume
    from automl_zero.memory import MemorySpec
    from automl_zero.program import Instruction, Program

__version__ = "0.1.0"

__all__ = [
    "ExperimentConfig",
    "Instruction",
    "MemorySpec",
    "Program",
    "__version__",
    "evaluate",
    "evolve",
    "ops",
    "programs",
    "resume",
    "tasks",
]

_SUBMODULES = ("ops", "programs", "tasks")
_DEFINED_IN = {
    "ExperimentConfig": "automl_zero.evolution.config",
    "Instruction": "automl_zero.program",
    "MemorySpec": "automl_zero.memory",
    "Program": "automl_zero.program",
    "evaluate": "automl_zero.evaluation",
    "evolve": "automl_zero.evolution.search",
    "resume": "automl_zero.evolution.search",
}


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in _DEFINED_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_DEFINED_IN[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
