"""How many tasks and examples a source makes for search, selection and the final score."""

from __future__ import annotations

from dataclasses import dataclass

from automl_zero.tasks.checks import check_integer


@dataclass(frozen=True)
class Sizes:
    """Sizes of one task set.

    Attributes:
        num_tasks: D.
        num_train: N, training examples of each task.
        num_valid: M, validation examples of each task.

    Raises:
        ValueError: if a size is not an integer of at least 1.
    """

    num_tasks: int
    num_train: int
    num_valid: int

    def __post_init__(self) -> None:
        for name in ("num_tasks", "num_train", "num_valid"):
            check_integer(name, getattr(self, name), minimum=1)

    def __str__(self) -> str:
        return f"{self.num_tasks} tasks of {self.num_train}/{self.num_valid} examples"


def describe_sizes(search: Sizes, select: Sizes, final: Sizes) -> str:
    """One phrase for reports; examples are given as training/validation."""
    return f"search {search}, select {select}, final {final}"
