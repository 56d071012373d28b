"""What simplifying a program comes to: the simpler program, and how it came about."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from automl_zero.analysis.simplify.approximate import Judge, simplify_approximately
from automl_zero.analysis.simplify.exact import Step, count, simplify_exactly
from automl_zero.analysis.simplify.frame import check_frame
from automl_zero.evaluation import DTYPES
from automl_zero.program import Program
from automl_zero.score import Score
from automl_zero.tasks import TaskSet

_NUMBERS = {"float32": np.float32, "float64": np.float64}


@dataclass(frozen=True)
class Simplification:
    """A simplified program.

    Attributes:
        program: the simplified program.
        steps: the changes, in order.
        original: the program as it was.
        exact: what the exact steps alone lead to; its fitness is the original's on every task, to the bit.
        change: change of fitness, task by task, on the tasks given; None without tasks.
    """

    program: Program
    steps: tuple[Step, ...]
    original: Program
    exact: Program
    change: Score | None = None

    def __str__(self) -> str:
        sizes = f"{count(self.original)} instructions, {count(self.program)} when simplified"
        if self.change is None:
            return f"{sizes}; the same fitness on every task"
        if self.program == self.exact:
            return f"{sizes}; no approximate step was acceptable, so the fitness is the same on every task"
        return f"{sizes}; change of mean fitness over {self.change.num_tasks} tasks {self.change}"


def simplify(
    program: Program,
    *,
    num_classes: int = 0,
    tasks: TaskSet | None = None,
    tolerance: float | None = None,
    dtype: str = "float64",
) -> Simplification:
    """Write a program as simply as possible (the paper's authors did this by hand, Sections 4.3 and S6).

    The exact steps leave the fitness on every task as it was, to the last bit: dead and redundant instructions go,
    constants are folded, what is the same for every example moves to Setup, and registers are named in order of use.
    With ``tasks`` and ``tolerance``, approximate steps follow; each is kept only if the simplified program still does
    as well on those tasks. They should be tasks that the program was not selected on.

    Args:
        program: the program.
        num_classes: number of classes if the program is for tasks with vector labels; taken from ``tasks`` if given.
        tasks: tasks on which approximate steps are checked.
        tolerance: how much the mean fitness over the tasks may fall, in all; at least 0.
        dtype: "float32" or "float64", the type of numbers in which constants are folded and tasks are evaluated.

    Raises:
        TypeError: an argument is of the wrong type.
        ValueError: tasks without a tolerance, or the reverse; a negative tolerance; an unknown dtype; a program that
            cannot run on tasks with that many classes.
    """
    if not isinstance(program, Program):
        raise TypeError(f"program is {program!r:.80}: expected a Program")
    if dtype not in DTYPES:
        raise ValueError(f"dtype is {dtype!r}: expected one of {', '.join(DTYPES)}")
    if tasks is not None:
        num_classes = _classes_of(tasks, num_classes)
    frame, number = check_frame(program, num_classes), _NUMBERS[dtype]
    if (tasks is None) != (tolerance is None):
        raise ValueError("tasks and tolerance go together: approximate steps need both")
    exact, steps = simplify_exactly(program, frame, number)
    if tasks is None or tolerance is None:
        return Simplification(exact, tuple(steps), program, exact)
    frame = replace(frame, keeps_prediction=tasks.evaluation == "rmse")
    judge = Judge(program, tasks, _checked_tolerance(tolerance), dtype)
    simplest, more = simplify_approximately(exact, frame, number, judge)
    return Simplification(simplest, (*steps, *more), program, exact, judge.change(simplest))


def _classes_of(tasks: TaskSet, num_classes: int) -> int:
    if not isinstance(tasks, TaskSet):
        raise TypeError(f"tasks is {tasks!r:.80}: expected a TaskSet, as made by automl_zero.tasks")
    own = tasks.num_classes
    if num_classes not in (0, own):
        raise ValueError(f"num_classes is {num_classes}, but the tasks have {own}")
    return own


def _checked_tolerance(tolerance: float) -> float:
    if isinstance(tolerance, bool | str) or not hasattr(tolerance, "__float__"):
        raise TypeError(f"tolerance is {tolerance!r}: expected a number")
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"tolerance is {tolerance!r}: expected a finite number of at least 0")
    return float(tolerance)
