"""What a program costs on one task, by a table of costs per op, for compiled code (the table: budget.py)."""

from __future__ import annotations

from automl_zero.jit import jit


@jit
def program_cost(code, sizes, starts, costs, num_train):  # type: ignore[no-untyped-def]
    """Setup once, Predict and Learn on every training example.

    Args:
        code: uint8[slots, 4], the program.
        sizes: int64[3], instructions of each component function.
        starts: int64[3], their first slots.
        costs: float64[n], cost of every op.
        num_train: training examples.
    """
    setup, example = 0.0, 0.0
    for slot in range(starts[0], starts[0] + sizes[0]):
        setup += costs[code[slot, 0]]
    for component in range(1, 3):
        for slot in range(starts[component], starts[component] + sizes[component]):
            example += costs[code[slot, 0]]
    return setup + num_train * example
