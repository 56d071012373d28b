"""Tasks from the user's own table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from automl_zero.tasks.checks import check_integer, check_positive
from automl_zero.tasks.sizes import Sizes, describe_sizes
from automl_zero.tasks.splits import Rows, Scaling, stratified_split
from automl_zero.tasks.streams import purpose_seed, stream
from automl_zero.tasks.table import Table
from automl_zero.tasks.taskset import Evaluation, Floats, TaskSet, task_seeds

TEST_SHARE = 0.2
TEST_SEED = 0  # a constant: no seed of an experiment may ever move a row across the split
NUM_TASKS = 10


@dataclass(frozen=True, eq=False)
class UserData:
    """Source of tasks that are resamples of one table.

    A fifth of the rows, of each class alike, is set aside before anything else by a split that depends on the table's
    rows alone; only the final score reads them. Search and selection tasks are random splits of the other rows into
    training and validation rows. The final tasks train on the other rows, each task in an order of its own, and
    validate on the rows set aside.

    Each task's features are standardised with the mean and deviation of its training rows. So is the target of a
    regression, so that the bound on errors, `max_abs_error`, means the same for every table: errors and fitness are in
    units of the target's deviation in training, and predicting the mean has an RMSE of about 1 and a fitness of 0.5.

    Attributes:
        name: what to call the data in reports.
        table: the data.
        search_sizes: sizes of the sets that evolution sees.
        select_sizes: sizes of the sets that pick one among several candidates.
        final_sizes: sizes of the sets that give the final score.
        epochs: passes over the training rows.
        max_abs_error: error at which a run stops with fitness 0.

    Raises:
        ValueError: if a setting is out of range, or asks for more rows than there are.
    """

    name: str
    table: Table
    search_sizes: Sizes
    select_sizes: Sizes
    final_sizes: Sizes
    epochs: int = 1
    max_abs_error: float = 100.0

    def __post_init__(self) -> None:
        check_integer("epochs", self.epochs, minimum=1)
        check_positive("max_abs_error", self.max_abs_error)
        if self.num_classes > self.num_features:
            raise ValueError(
                f"the target has {self.num_classes} classes, but predictions of a class each need as many features, "
                f"and there are {self.num_features}"
            )
        rest, test = split_off_test(self.table)
        for purpose, sizes in (("search", self.search_sizes), ("select", self.select_sizes)):
            wanted = sizes.num_train + sizes.num_valid
            _check_rows(f"{purpose}.num_train + {purpose}.num_valid", wanted, rest.size, "rows that are not set aside")
        _check_rows("final.num_train", self.final_sizes.num_train, rest.size, "rows that are not set aside")
        _check_rows("final.num_valid", self.final_sizes.num_valid, test.size, "rows set aside")

    @property
    def evaluation(self) -> Evaluation:
        """How programs are scored: "rmse" for a regression, "accuracy" for a classification."""
        return self.table.kind

    @property
    def num_classes(self) -> int:
        """C for more than two classes, whose labels are vectors; 0 for a regression or two classes."""
        classes = len(self.table.class_names)
        return classes if classes > 2 else 0

    @property
    def num_features(self) -> int:
        """F, after the encoding of categories."""
        return int(self.table.x.shape[1])

    def search(self, seed: int) -> TaskSet:
        """Tasks that evolution sees."""
        return self._tasks("search", self.search_sizes, seed)

    def select(self, seed: int) -> TaskSet:
        """Tasks that pick one among several candidates: other splits than in search."""
        return self._tasks("select", self.select_sizes, seed)

    def final(self, seed: int) -> TaskSet:
        """Tasks validated on the rows set aside."""
        return self._tasks("final", self.final_sizes, seed)

    def describe(self) -> str:
        """One line for reports."""
        kind = "regression" if self.table.kind == "rmse" else f"classification ({', '.join(self.table.class_names)})"
        sizes = describe_sizes(self.search_sizes, self.select_sizes, self.final_sizes)
        return f"{self.name}, {kind}, {self.table.y.size} rows, {self.num_features} features: {sizes}"

    def _tasks(self, purpose: str, sizes: Sizes, seed: int) -> TaskSet:
        own_seed = purpose_seed(seed, purpose)
        train_x = np.empty((sizes.num_tasks, sizes.num_train, self.num_features))
        valid_x = np.empty((sizes.num_tasks, sizes.num_valid, self.num_features))
        x, y = self.table.x, self.table.y
        if self.num_classes:
            y = np.eye(self.num_classes)[y.astype(np.int64)]
        train_y, valid_y = np.empty((*train_x.shape[:2], *y.shape[1:])), np.empty((*valid_x.shape[:2], *y.shape[1:]))
        for index in range(sizes.num_tasks):
            train, valid = task_rows(self.table, index, sizes, own_seed, on_test=purpose == "final")
            features = Scaling.fit(x[train])
            train_x[index], valid_x[index] = features.apply(x[train]), features.apply(x[valid])
            # Labels of classes stay 0 and 1.
            target = Scaling.fit(y[train]) if self.table.kind == "rmse" else Scaling(np.zeros(()), np.ones(()))
            train_y[index], valid_y[index] = target.apply(y[train]), target.apply(y[valid])
        seeds = task_seeds(own_seed, sizes.num_tasks)
        name = f"{self.name} ({purpose})"
        settings = (seeds, self.epochs, self.max_abs_error)
        return TaskSet(name, self.table.kind, train_x, train_y, valid_x, valid_y, *settings)


def default_sizes(table: Table) -> tuple[Sizes, Sizes, Sizes]:
    """Sizes for search, select and final that use all rows: three quarters of those not set aside to train on."""
    rest, test = split_off_test(table)
    resample = Sizes(NUM_TASKS, rest.size - rest.size // 4, rest.size // 4)
    return resample, resample, Sizes(NUM_TASKS, rest.size, test.size)


def split_off_test(table: Table) -> tuple[Rows, Rows]:
    """Rows for search and selection, and the rows set aside: a fifth of each class, at least one, by a fixed seed."""
    test = np.zeros(table.y.size, dtype=np.bool_)
    groups = _groups(table)
    for index, group in enumerate(np.unique(groups)):
        members = stream(TEST_SEED, index, "test rows").permutation(np.flatnonzero(groups == group))
        test[members[: max(1, round(TEST_SHARE * members.size))]] = True
    return np.flatnonzero(~test), np.flatnonzero(test)


def task_rows(table: Table, index: int, sizes: Sizes, seed: int, on_test: bool) -> tuple[Rows, Rows]:
    """Training and validation rows of task `index`, a function of (seed, index); validation on the test rows or not."""
    rest, test = split_off_test(table)
    groups = _groups(table)
    if on_test:
        train, _ = stratified_split(groups[rest], sizes.num_train, 0, stream(seed, index, "rows"))
        _, valid = stratified_split(groups[test], 0, sizes.num_valid, stream(seed, index, "test rows"))
        return rest[train], test[valid]
    train, valid = stratified_split(groups[rest], sizes.num_train, sizes.num_valid, stream(seed, index, "rows"))
    return rest[train], rest[valid]


def _groups(table: Table) -> Floats:
    """What a split keeps in proportion: the classes; the rows of a regression are one group."""
    return table.y if table.kind == "accuracy" else np.zeros_like(table.y)


def _check_rows(name: str, wanted: int, available: int, what: str) -> None:
    if wanted > available:
        raise ValueError(f"{name} must be at most {available}, the {what}, got {wanted}")
