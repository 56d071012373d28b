"""Regression tasks whose labels come from a known function: linear, affine or a two-layer network (paper, Section 4.1).

A task depends on (seed, task index) alone, and its training examples, validation examples and parameters come from
streams of their own: more tasks, or more examples of one part, never change what was there before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from automl_zero.tasks.checks import check_integer, check_positive
from automl_zero.tasks.sizes import Sizes, describe_sizes
from automl_zero.tasks.streams import purpose_seed, stream
from automl_zero.tasks.taskset import Evaluation, Floats, TaskSet, task_seeds

ZEROED_UNITS = (0, 2)  #: hidden units of the two-layer teacher that the reference implementation switches off
SEARCH_SIZES = Sizes(10, 100, 100)  #: the reference's demo
TEST_SIZES = Sizes(100, 1000, 100)  #: of T_select and T_final there

_Labeller = Callable[[Floats], Floats]  # x [N, F] -> y [N]
_Teacher = Callable[[np.random.Generator, int], _Labeller]  # (parameter stream, F) -> the task's function


def linear_regression(
    num_tasks: int = 10,
    num_features: int = 4,
    num_train: int = 100,
    num_valid: int = 100,
    seed: int = 0,
    epochs: int = 1,
    max_abs_error: float = 100.0,
) -> TaskSet:
    """Tasks y = w . x with x ~ N(0, I) and w ~ N(0, I), scored by RMSE (paper, Section 4.1).

    Args:
        num_tasks: D.
        num_features: F.
        num_train: N, training examples of each task.
        num_valid: M, validation examples of each task.
        seed: another seed gives other weights, examples and random draws in programs.
        epochs: passes over the training examples.
        max_abs_error: error at which a run stops with fitness 0.

    Raises:
        ValueError: if a size or setting is out of range.
    """
    sizes = Sizes(num_tasks, num_train, num_valid)
    return _regression("linear regression", _linear_teacher, num_features, sizes, seed, epochs, max_abs_error)


def affine_regression(
    num_tasks: int = 10,
    num_features: int = 4,
    num_train: int = 100,
    num_valid: int = 100,
    seed: int = 0,
    epochs: int = 1,
    max_abs_error: float = 100.0,
) -> TaskSet:
    """Tasks y = w . x + u with w ~ N(0, I) and u ~ N(0, 1), scored by RMSE (paper, Section 4.1, Fig. 4).

    Arguments and errors are those of :func:`linear_regression`.
    """
    sizes = Sizes(num_tasks, num_train, num_valid)
    return _regression("affine regression", _affine_teacher, num_features, sizes, seed, epochs, max_abs_error)


def nn_regression(
    num_tasks: int = 10,
    num_features: int = 4,
    num_train: int = 100,
    num_valid: int = 100,
    seed: int = 0,
    epochs: int = 1,
    max_abs_error: float = 100.0,
    zeroed_units: bool = True,
) -> TaskSet:
    """Tasks y = u . relu(W x), W [F, F] and u [F] ~ N(0, 1), scored by RMSE (paper, Section 4.1, Fig. 5).

    Args:
        num_tasks: D.
        num_features: F, also the number of hidden units; at least 4 with `zeroed_units`.
        num_train: N, training examples of each task.
        num_valid: M, validation examples of each task.
        seed: another seed gives other weights, examples and random draws in programs.
        epochs: passes over the training examples.
        max_abs_error: error at which a run stops with fitness 0.
        zeroed_units: whether hidden units 0 and 2 are switched off, as in the reference implementation.

    Raises:
        ValueError: if a size or setting is out of range.
    """
    sizes = Sizes(num_tasks, num_train, num_valid)
    _check_zeroed_units(num_features, zeroed_units)
    teacher = _zeroed_network_teacher if zeroed_units else _network_teacher
    return _regression("two-layer network regression", teacher, num_features, sizes, seed, epochs, max_abs_error)


@dataclass(frozen=True)
class SyntheticSource:
    """Source of synthetic regression tasks.

    Attributes:
        kind: "linear", "affine" or "nn".
        num_features: F.
        search_sizes: sizes of the sets that evolution sees.
        select_sizes: sizes of the sets that pick one among several candidates.
        final_sizes: sizes of the sets that give the final score.
        epochs: passes over the training examples.
        max_abs_error: error at which a run stops with fitness 0.
        zeroed_units: for "nn", whether hidden units 0 and 2 are switched off; ignored by the others.

    Raises:
        ValueError: if a setting is out of range.
    """

    kind: str
    num_features: int = 4
    search_sizes: Sizes = SEARCH_SIZES
    select_sizes: Sizes = TEST_SIZES
    final_sizes: Sizes = TEST_SIZES
    epochs: int = 1
    max_abs_error: float = 100.0
    zeroed_units: bool = True

    def __post_init__(self) -> None:
        if self.kind not in SYNTHETIC_KINDS:
            raise ValueError(f"kind must be one of {', '.join(SYNTHETIC_KINDS)}, got {self.kind!r}")
        check_integer("num_features", self.num_features, minimum=1)
        check_integer("epochs", self.epochs, minimum=1)
        check_positive("max_abs_error", self.max_abs_error)
        if self.kind == "nn":
            _check_zeroed_units(self.num_features, self.zeroed_units)

    @property
    def evaluation(self) -> Evaluation:
        """How programs are scored: "rmse"."""
        return "rmse"

    @property
    def num_classes(self) -> int:
        """0: labels are scalars."""
        return 0

    def search(self, seed: int) -> TaskSet:
        """Tasks that evolution sees."""
        return self._tasks("search", self.search_sizes, seed)

    def select(self, seed: int) -> TaskSet:
        """Tasks that pick one among several candidates; none of them is a search task."""
        return self._tasks("select", self.select_sizes, seed)

    def final(self, seed: int) -> TaskSet:
        """Unseen tasks for the final score."""
        return self._tasks("final", self.final_sizes, seed)

    def describe(self) -> str:
        """One line for reports."""
        sizes = describe_sizes(self.search_sizes, self.select_sizes, self.final_sizes)
        return f"{SYNTHETIC_KINDS[self.kind][0]}, {self.num_features} features: {sizes}"

    def _tasks(self, purpose: str, sizes: Sizes, seed: int) -> TaskSet:
        label, teacher = SYNTHETIC_KINDS[self.kind]
        if self.kind == "nn" and self.zeroed_units:
            teacher = _zeroed_network_teacher
        name = f"{label} ({purpose})"
        own_seed = purpose_seed(seed, purpose)
        return _regression(name, teacher, self.num_features, sizes, own_seed, self.epochs, self.max_abs_error)


def _regression(
    name: str, teacher: _Teacher, num_features: int, sizes: Sizes, seed: int, epochs: int, max_abs_error: float
) -> TaskSet:
    check_integer("num_features", num_features, minimum=1)
    train_x = np.empty((sizes.num_tasks, sizes.num_train, num_features))
    valid_x = np.empty((sizes.num_tasks, sizes.num_valid, num_features))
    train_y, valid_y = np.empty(train_x.shape[:2]), np.empty(valid_x.shape[:2])
    for task in range(sizes.num_tasks):
        labels = teacher(stream(seed, task, "parameters"), num_features)
        for part, x, y in (("train", train_x, train_y), ("valid", valid_x, valid_y)):
            x[task] = stream(seed, task, part).standard_normal(x.shape[1:])
            y[task] = labels(x[task])
    seeds = task_seeds(seed, sizes.num_tasks)
    return TaskSet(name, "rmse", train_x, train_y, valid_x, valid_y, seeds, epochs, max_abs_error)


# Labels are made by einsum, not by @: BLAS may round a row differently when more rows stand beside it.


def _linear_teacher(rng: np.random.Generator, num_features: int) -> _Labeller:
    weights = rng.standard_normal(num_features)
    return lambda x: np.einsum("nf,f->n", x, weights)


def _affine_teacher(rng: np.random.Generator, num_features: int) -> _Labeller:
    weights = rng.standard_normal(num_features)
    bias = rng.standard_normal()
    return lambda x: np.einsum("nf,f->n", x, weights) + bias


def _network_teacher(rng: np.random.Generator, num_features: int, zeroed: tuple[int, ...] = ()) -> _Labeller:
    first = rng.standard_normal((num_features, num_features))
    final = rng.standard_normal(num_features)
    final[list(zeroed)] = 0.0
    return lambda x: np.einsum("nh,h->n", np.maximum(np.einsum("nf,hf->nh", x, first), 0.0), final)


def _zeroed_network_teacher(rng: np.random.Generator, num_features: int) -> _Labeller:
    return _network_teacher(rng, num_features, ZEROED_UNITS)


def _check_zeroed_units(num_features: int, zeroed_units: bool) -> None:
    check_integer("num_features", num_features, minimum=1)
    if not isinstance(zeroed_units, bool):
        raise ValueError(f"zeroed_units must be true or false, got {zeroed_units!r}")
    # The reference's own bound: with three units only one would be left.
    if zeroed_units and num_features < 4:
        raise ValueError(f"num_features must be at least 4 where hidden units 0 and 2 are zeroed, got {num_features}")


#: kind -> (name for reports, teacher)
SYNTHETIC_KINDS: dict[str, tuple[str, _Teacher]] = {
    "linear": ("linear regression", _linear_teacher),
    "affine": ("affine regression", _affine_teacher),
    "nn": ("two-layer network regression", _network_teacher),
}
