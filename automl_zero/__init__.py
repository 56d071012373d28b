"""AutoML-Zero: machine-learning algorithms evolved from basic mathematical operations.

A Python implementation of "AutoML-Zero: Evolving Machine Learning Algorithms From Scratch" (Real, Liang, So and Le,
ICML 2020). The names below are loaded when they are first used, so that ``import automl_zero`` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from automl_zero import explain, export, ops, programs, tasks
    from automl_zero.analysis.simplify import simplify
    from automl_zero.estimator import AutoMLZeroClassifier, AutoMLZeroRegressor
    from automl_zero.evaluation import evaluate
    from automl_zero.evolution.config import ExperimentConfig
    from automl_zero.evolution.search import evolve, resume
    from automl_zero.memory import MemorySpec
    from automl_zero.model_files import load_model
    from automl_zero.program import Instruction, Program
    from automl_zero.tuning import tune_constants

__version__ = "0.1.0"

__all__ = [
    "AutoMLZeroClassifier",
    "AutoMLZeroRegressor",
    "ExperimentConfig",
    "Instruction",
    "MemorySpec",
    "Program",
    "__version__",
    "evaluate",
    "evolve",
    "explain",
    "export",
    "load_model",
    "ops",
    "programs",
    "resume",
    "simplify",
    "tasks",
    "tune_constants",
]

_SUBMODULES = ("explain", "export", "ops", "programs", "tasks")
_DEFINED_IN = {
    "AutoMLZeroClassifier": "automl_zero.estimator",
    "AutoMLZeroRegressor": "automl_zero.estimator",
    "ExperimentConfig": "automl_zero.evolution.config",
    "Instruction": "automl_zero.program",
    "MemorySpec": "automl_zero.memory",
    "Program": "automl_zero.program",
    "evaluate": "automl_zero.evaluation",
    "evolve": "automl_zero.evolution.search",
    "resume": "automl_zero.evolution.search",
    "load_model": "automl_zero.model_files",
    "simplify": "automl_zero.analysis.simplify",
    "tune_constants": "automl_zero.tuning",
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
