"""Tasks to evolve programs on: synthetic ones, your own arrays and files, and images."""

from __future__ import annotations

from automl_zero.tasks.arrays import from_arrays
from automl_zero.tasks.baselines import baseline_scores
from automl_zero.tasks.digits import digits
from automl_zero.tasks.image_source import ImageSource, image_source
from automl_zero.tasks.images import HELD_OUT_PAIRS, SEARCH_PAIRS, ImageSet, set_aside_rows
from automl_zero.tasks.projection import projected_pairs
from automl_zero.tasks.sizes import Sizes
from automl_zero.tasks.source import TaskSource, make_source
from automl_zero.tasks.synthetic import SyntheticSource, affine_regression, linear_regression, nn_regression
from automl_zero.tasks.table import Table, load_table
from automl_zero.tasks.taskset import Evaluation, TaskSet, task_seeds
from automl_zero.tasks.userdata import UserData

__all__ = [
    "HELD_OUT_PAIRS",
    "SEARCH_PAIRS",
    "Evaluation",
    "ImageSet",
    "ImageSource",
    "Sizes",
    "SyntheticSource",
    "Table",
    "TaskSet",
    "TaskSource",
    "UserData",
    "affine_regression",
    "baseline_scores",
    "digits",
    "from_arrays",
    "image_source",
    "linear_regression",
    "load_table",
    "make_source",
    "nn_regression",
    "projected_pairs",
    "set_aside_rows",
    "task_seeds",
]
