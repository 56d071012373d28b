"""Search for better constants of a program, with validation on tasks that the search has not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from automl_zero.explain.changes import ROUND_OFF, Change, PairedScores
from automl_zero.explain.constants import tunable_constants, with_constants
from automl_zero.explain.data_flow import DataFlow, Site
from automl_zero.program import Program
from automl_zero.score import Score, summarize
from automl_zero.suggest import did_you_mean
from automl_zero.tasks import TaskSet
from automl_zero.tuning.edits import Draft
from automl_zero.tuning.samplers import METHODS, Exponents
from automl_zero.tuning.separation import Separation, separate

_FLOAT32 = float(np.finfo(np.float32).max)
Callback = Callable[[int, float], object]


@dataclass(frozen=True)
class Trial:
    """An evaluation that was better than all before.

    Attributes:
        evaluation: its number; 0 is the program as it was given.
        fitness: mean fitness on the tasks that the search sees.
        constants: values of the constants, in the order of :attr:`Tuning.constants`.
    """

    evaluation: int
    fitness: float
    constants: tuple[float, ...]


@dataclass(frozen=True)
class Tuning:
    """What came of tuning.

    Attributes:
        program: the tuned program where its fitness rose on the validation tasks, too; else the one given.
        tuned: the program with the best constants found; the one given when none were better.
        before: fitness of the program given, on the validation tasks.
        after: fitness of ``tuned``, on the validation tasks.
        change: the difference, paired over the validation tasks.
        steps: how hyper-parameters were separated, one sentence a step.
        constants: place and name of every constant that was tuned. Here and in the steps, places are those in the
            program as it was given; a constant that was added is named by the instruction that it was added for.
        history: the trials that were better than all before.
        evaluations: number of evaluations of the search.
        method: "random" or "cma".
        seed: seed of the search.
    """

    program: Program
    tuned: Program
    before: Score
    after: Score
    change: Change
    steps: tuple[str, ...]
    constants: tuple[str, ...]
    history: tuple[Trial, ...]
    evaluations: int
    method: str
    seed: int

    @property
    def improved(self) -> bool:
        """Whether the validation tasks confirm a gain beyond its error."""
        return self.change.mean > 0 and not self.change.within_error

    @property
    def kept(self) -> bool:
        """Whether the constants stay as they were, because fitness on the validation tasks did not rise."""
        return _is_kept(self.change)

    @property
    def verdict(self) -> str:
        """What the validation tasks say, and what follows for the program, in one sentence."""
        if self.improved:
            return "The unseen tasks confirm the gain."
        if not self.kept:
            return "The gain on the unseen tasks is within its error: it may be chance. The tuned constants are used."
        if self.tuned == self.program:
            return "The search found nothing better: the program stays as it was given."
        return "Fitness on the unseen tasks did not rise: the program stays as it was given."

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        return {
            "program": self.program.to_dict(),
            "tuned": self.tuned.to_dict(),
            "kept": self.kept,
            "before": asdict(self.before),
            "after": asdict(self.after),
            **self.change.to_dict(),
            "improved": self.improved,
            "steps": list(self.steps),
            "constants": list(self.constants),
            "history": [{**asdict(trial), "constants": list(trial.constants)} for trial in self.history],
            "evaluations": self.evaluations,
            "method": self.method,
            "seed": self.seed,
        }


def tune_constants(
    program: Program,
    tasks: TaskSet,
    method: str = "random",
    max_evaluations: int = 1000,
    seed: int = 0,
    validation_tasks: TaskSet | None = None,
    dtype: str = "float32",
    separation: bool = True,
    callback: Callback | None = None,
) -> Tuning:
    """Tune the constants of a program (paper, Section S7).

    All live constants but those that select an element, and those that are 0, are multiplied by factors from 1e-3 to
    1e3. The same arguments give the same result.

    Args:
        program: the program.
        tasks: tasks that the search sees; the more there are, the less it fits their chance properties.
        method: "random" (factors drawn log-uniformly, as in the paper) or "cma" (CMA-ES by the library cma).
        max_evaluations: number of evaluations of the search, each on all tasks; the paper used at most 10,000.
        seed: seed of the search.
        validation_tasks: unseen tasks for the scores before and after. Without them, the last third of ``tasks`` is
            kept from the search.
        dtype: "float32" or "float64", in which the program computes.
        separation: first separate the hyper-parameters, see :func:`automl_zero.tuning.separate`.
        callback: called with the number of evaluations and the best mean fitness after every evaluation.

    Raises:
        TypeError: ``program`` is no program, or the tasks are none.
        ValueError: an unknown method or dtype, a number out of range, tasks that do not fit each other, a single task
            and no validation tasks, or a program without a constant to tune.
    """
    tasks, validation_tasks = _checked(program, tasks, validation_tasks, method, dtype, max_evaluations)
    vector_label = tasks.num_classes > 0
    scores = PairedScores(program, tasks, dtype)
    separated = separate(program, scores, vector_label) if separation else _as_given(program)
    start = separated.program
    found = [
        (site, i, name, value) for site, i, name, value in tunable_constants(DataFlow(start, vector_label)) if value
    ]
    if not found:
        raise ValueError("the program has no constants to tune: none that is live, a number, and not 0")
    search = _Search(start, {(site, i): value for site, i, _, value in found}, scores, callback)
    steppers = METHODS[method](len(found), search.evaluate, seed)
    for _ in range(max_evaluations):
        next(steppers)
    tuned = search.best if search.improved else program
    validation = PairedScores(program, validation_tasks, dtype)
    change = validation.change(tuned)
    return Tuning(
        program=program if _is_kept(change) else tuned,
        tuned=tuned,
        before=summarize(validation.before),
        after=summarize(validation.fitness(tuned)),
        change=change,
        steps=separated.steps,
        constants=tuple(f"{separated.places[site.component][site.position]} {name}" for site, _, name, _ in found),
        history=tuple(search.history),
        evaluations=search.evaluations,
        method=method,
        seed=seed,
    )


def _is_kept(change: Change) -> bool:
    return change.mean <= ROUND_OFF


def _as_given(program: Program) -> Separation:
    return Separation(program, (), Draft.of(program).places)


class _Search:
    """Evaluates constants and remembers the best."""

    def __init__(
        self, start: Program, values: dict[tuple[Site, int], float], scores: PairedScores, callback: Callback | None
    ) -> None:
        self.start, self.values, self.scores, self.callback = start, values, scores, callback
        self.best, self.evaluations = start, 0
        self.history = [Trial(0, float(scores.fitness(start).mean()), tuple(values.values()))]
        self.given = float(scores.before.mean())

    @property
    def improved(self) -> bool:
        return self.history[-1].fitness > self.given

    def evaluate(self, exponents: Exponents) -> float:
        """Mean fitness with all constants multiplied by 10 to the exponents."""
        self.evaluations += 1
        changed = np.clip(np.array(list(self.values.values())) * 10.0**exponents, -_FLOAT32, _FLOAT32)
        variant = with_constants(self.start, dict(zip(self.values, map(float, changed), strict=True)))
        fitness = float(self.scores.fitness(variant).mean())
        if fitness > self.history[-1].fitness:
            self.best = variant
            self.history.append(Trial(self.evaluations, fitness, tuple(map(float, changed))))
        if self.callback is not None:
            self.callback(self.evaluations, self.history[-1].fitness)
        return fitness


def _checked(
    program: Program, tasks: TaskSet, validation: TaskSet | None, method: str, dtype: str, max_evaluations: int
) -> tuple[TaskSet, TaskSet]:
    """The tasks to search on and to validate on."""
    if not isinstance(program, Program):
        raise TypeError(f"program is {program!r:.80}: expected a Program")
    for name, given in (("tasks", tasks), ("validation_tasks", validation)):
        if not isinstance(given, TaskSet) and not (given is None and name == "validation_tasks"):
            raise TypeError(f"{name} is {given!r:.80}: expected a TaskSet, as made by automl_zero.tasks")
    if method not in METHODS:
        raise ValueError(f"method is {method!r}: expected {' or '.join(METHODS)}{did_you_mean(method, METHODS)}")
    if dtype not in ("float32", "float64"):
        raise ValueError(f"dtype is {dtype!r}: expected float32 or float64")
    if isinstance(max_evaluations, bool) or not isinstance(max_evaluations, int) or max_evaluations < 1:
        raise ValueError(f"max_evaluations is {max_evaluations!r}: expected an integer of at least 1")
    if validation is None:
        return _split(tasks)
    for name in ("evaluation", "num_features"):
        if getattr(tasks, name) != getattr(validation, name):
            wanted, got = getattr(tasks, name), getattr(validation, name)
            raise ValueError(f"validation_tasks must have the same {name} as tasks, {wanted!r}, got {got!r}")
    return tasks, validation


def _split(tasks: TaskSet) -> tuple[TaskSet, TaskSet]:
    """The first two thirds of the tasks, and the rest."""
    if tasks.num_tasks < 2:
        raise ValueError("tasks must be at least 2 when there are no validation_tasks, got 1")
    kept = tasks.num_tasks - max(1, tasks.num_tasks // 3)
    fields = ("train_x", "train_y", "valid_x", "valid_y", "seeds")
    return tasks.take(kept), replace(tasks, **{field: getattr(tasks, field)[kept:] for field in fields})
