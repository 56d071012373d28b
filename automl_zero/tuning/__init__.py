"""Tuning the constants of a program: separation from data and from each other, then a search (paper, Section S7)."""

from __future__ import annotations

from automl_zero.tuning.separation import Separation, separate
from automl_zero.tuning.tune import Trial, Tuning, tune_constants

__all__ = ["Separation", "Trial", "Tuning", "separate", "tune_constants"]
