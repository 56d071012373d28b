"""The best program of a run, read: simplified, named, explained, and measured on tasks that nothing was selected on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from automl_zero.report.numbers import plural
from automl_zero.report.run_facts import RunFacts

if TYPE_CHECKING:
    from automl_zero.analysis.simplify import Simplification
    from automl_zero.explain import Explanation
    from automl_zero.program import Program
    from automl_zero.pseudocode import Names
    from automl_zero.tasks import TaskSet, TaskSource

TOLERANCE = 0.001  # of mean fitness, that the core may be worse
PROGRAM, CORE = "this program", "its core"
_FRESH_SEED = 2**31 - 1  # of the tasks on which the core is sought; searches are given small seeds

Fitness = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Version:
    """A form of the program.

    Attributes:
        program: the program.
        names: names of its operands.
        explanation: what its parts do and, if that was measured, are worth.
    """

    program: Program
    names: Names
    explanation: Explanation


@dataclass(frozen=True)
class Reading:
    """What there is to say about a program.

    Attributes:
        simplification: the program as it is and simplified, and how that was done.
        exact: the program simplified without a change of any fitness.
        core: the program simplified further, with a change of mean fitness that does not matter; None when that was not
            tried or led to nothing.
        source: where its tasks come from; None when that is not known.
        fitness: on each final task, of the program, its core and other models, by name; None when nothing was measured.
        problem: why nothing was measured, in a sentence, or "".
        unseen: what was measured on, in words.
        same_rows: whether that are the same rows of one table in every task, so that errors tell nothing of other rows.
    """

    simplification: Simplification
    exact: Version
    core: Version | None
    source: TaskSource | None
    fitness: Fitness | None
    problem: str = ""
    unseen: str = ""
    same_rows: bool = False

    @property
    def simplest(self) -> Version:
        """The core where there is one."""
        return self.core or self.exact

    @property
    def num_features(self) -> int | None:
        """F of the tasks."""
        return None if self.source is None else self.source.num_features

    @property
    def num_classes(self) -> int:
        """C for vector labels, else 0."""
        return 0 if self.source is None else self.source.num_classes

    @property
    def is_accuracy(self) -> bool:
        """Whether fitness is accuracy."""
        return self.source is not None and self.source.evaluation == "accuracy"


def _say_nothing(text: str) -> None:
    """Keep silent."""


def read_program(
    facts: RunFacts,
    num_tasks: int | None,
    tolerance: float = TOLERANCE,
    say: Callable[[str], object] = _say_nothing,
) -> Reading | None:
    """Read the best program of a run.

    Args:
        facts: the run.
        num_tasks: final tasks to measure on; None for all, 0 to measure nothing.
        tolerance: how much worse the core may be in mean fitness.
        say: told what takes time.

    Returns:
        What was found; None when there is no program.

    Raises:
        ValueError: there are fewer tasks than asked for.
    """
    if facts.program is None:
        return None
    return _Reader(facts, facts.program, tolerance, say).read(num_tasks)


class _Reader:
    def __init__(self, facts: RunFacts, program: Program, tolerance: float, say: Callable[[str], object]) -> None:
        self.facts, self.program, self.tolerance, self.say = facts, program, tolerance, say
        self.dtype = "float32" if facts.config is None else facts.config.dtype
        self.problem = ""
        self.source = self._find_source()

    def read(self, num_tasks: int | None) -> Reading:
        tasks = None
        if num_tasks == 0:
            self.problem = self.problem or "no measurement was asked for"
        elif self.source is not None:
            tasks = self._final_tasks(self.source, num_tasks)
        if tasks is None or self.source is None:
            result = self._simplify(None)
            exact = self._version(result.exact, None)
            return Reading(result, exact, None, self.source, None, self.problem)
        self.say("Simplifying the program")
        result = self._simplify(self.source.select(_FRESH_SEED))
        self.say(f"Measuring on {plural(tasks.num_tasks, 'task')} what each instruction is worth")
        exact = self._version(result.exact, tasks)
        core = self._version(result.program, tasks) if result.program != result.exact else None
        self.say("Training other models on the same tasks")
        from automl_zero.tasks.userdata import UserData

        same_rows = isinstance(self.source, UserData)
        unseen = plural(tasks.num_tasks, "unseen task")
        if same_rows:
            unseen = f"{plural(tasks.num_valid, 'unseen row')}, in {plural(tasks.num_tasks, 'training')}"
        fitness = self._fitness(tasks, core)
        return Reading(result, exact, core, self.source, fitness, unseen=unseen, same_rows=same_rows)

    def _find_source(self) -> TaskSource | None:
        """The tasks of the run, without their data."""
        if self.facts.config is None:
            self.problem = "the configuration, which says what the tasks are, cannot be used"
            return None
        from automl_zero.tasks import make_source
        from automl_zero.vector_labels import check_program

        try:
            source = make_source(self.facts.config.tasks, need_data=False)
            if source.num_classes:
                check_program(self.program, source.num_classes)
        except (OSError, TypeError, ValueError) as error:
            self.problem = str(error)
            return None
        return source

    def _final_tasks(self, source: TaskSource, num_tasks: int | None) -> TaskSet | None:
        if self.facts.seed is None:
            self.problem = "the seed of the run, from which its final tasks are made, is not known"
            return None
        try:
            tasks = source.final(self.facts.seed)
        except (OSError, ValueError) as error:  # data that are not on this machine
            self.problem = str(error)
            return None
        return tasks if num_tasks is None else tasks.take(num_tasks)

    @property
    def _num_classes(self) -> int:
        return 0 if self.source is None else self.source.num_classes

    def _simplify(self, tasks: TaskSet | None) -> Simplification:
        from automl_zero.analysis.simplify import simplify

        return simplify(
            self.program,
            num_classes=self._num_classes,
            tasks=tasks,
            tolerance=None if tasks is None else self.tolerance,
            dtype=self.dtype,
        )

    def _version(self, program: Program, tasks: TaskSet | None) -> Version:
        from automl_zero.analysis.names import infer_names
        from automl_zero.explain import explain

        explanation = explain(program, tasks, self.dtype, vector_label=self._num_classes > 0)
        return Version(program, infer_names(program, self._num_classes), explanation)

    def _fitness(self, tasks: TaskSet, core: Version | None) -> Fitness:
        from automl_zero.evaluation import evaluate
        from automl_zero.score import fitness_beside_baselines

        own, *others = fitness_beside_baselines(self.program, tasks, self.dtype).items()
        cores = {} if core is None else {CORE: evaluate(core.program, tasks, dtype=self.dtype)}
        return {PROGRAM: own[1], **cores, **dict(others)}
