"""The train budget: programs that cost too much more than a hand-designed one get fitness 0 without being run.

The cost of a program is that of Setup once and of Predict and Learn on every training example of every epoch. The paper
stops programs that run longer than a multiple of the hand-designed network (Section 3.2); here the cost is computed
from the program alone, so that it is the same on every machine and at every load.
"""

from __future__ import annotations

import json
import math
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from automl_zero import programs
from automl_zero.analysis.liveness import remove_dead_code
from automl_zero.evolution.search_space import HAND_DESIGNED
from automl_zero.evolution.validation import Table
from automl_zero.ops import NUM_BUILT_IN, TABLE, Op
from automl_zero.program import Program
from automl_zero.suggest import did_you_mean

SHIPPED = "cpu-v1.json"

Costs = npt.NDArray[np.float64]
_Nanoseconds = Annotated[float, Field(ge=0.0)]
_Cost = Annotated[tuple[_Nanoseconds, _Nanoseconds], Field(strict=False)]


class Budget(Table):
    """How much a program may cost (paper, Section 3.2 and Supplement S5).

    Attributes:
        kind: "static": the reference implementation's estimates, of the program as it is written; "table": the costs
            of this package's CPU backend at the tasks' number of features, of the live instructions; "none": any cost.
        baseline: the program to compare with: the name of a hand-designed one or the path of a program file.
        factor: a program may cost this many times as much as the baseline on the same tasks, and no more.
        costs: for "table", the cost of each op in nanoseconds, [fixed, per element]; ops that are not named take the
            shipped costs. A run records them all, so that another table never changes it. A user's op that is not
            named costs as much as the costliest built-in op of its signature (or of its size, where there is none).
    """

    kind: Literal["none", "static", "table"] = "none"
    baseline: str = "neural_net"
    factor: Annotated[float, Field(gt=0.0)] = 2.0
    costs: dict[str, _Cost] = {}  # noqa: RUF012 - pydantic copies defaults

    @field_validator("baseline")
    @classmethod
    def _is_a_program(cls, baseline: str) -> str:
        if baseline not in HAND_DESIGNED and not Path(baseline).is_file():
            hint = did_you_mean(baseline, HAND_DESIGNED)
            raise ValueError(f"{baseline!r} is neither one of {', '.join(HAND_DESIGNED)} nor a program file{hint}")
        baseline_program(baseline)
        return baseline

    @field_validator("costs")
    @classmethod
    def _are_of_ops(cls, costs: dict[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
        for name, cost in costs.items():
            if name not in TABLE:
                raise ValueError(f"unknown op {name!r}{did_you_mean(name, (op.name for op in TABLE))}")
            if not any(cost):
                raise ValueError(f"{name} costs nothing, expected [fixed, per element] with one of them above 0")
        return costs


def baseline_program(baseline: str) -> Program:
    """The hand-designed program of that name, or the one in that file.

    Raises:
        ValueError: the file cannot be read or is malformed.
    """
    if baseline in HAND_DESIGNED:
        program: Program = getattr(programs, baseline)()
        return program
    try:
        return Program.load(baseline)
    except OSError as error:
        raise ValueError(f"{baseline}: cannot be read: {error.strerror}") from None


def fill_in(budget: Budget) -> Budget:
    """The budget with the shipped costs where it names none, for "table"; any other as it is."""
    if budget.kind != "table":
        return budget
    return Budget(**{**budget.model_dump(), "costs": {**shipped_costs(), **budget.costs}})


def shipped_costs() -> dict[str, tuple[float, float]]:
    """Costs of the built-in ops on the CPU backend, from the table that comes with the package."""
    text = resources.files("automl_zero.evolution.costs").joinpath(SHIPPED).read_text(encoding="utf-8")
    return {name: (fixed, per_element) for name, (fixed, per_element) in json.loads(text)["costs"].items()}


def elements(op: Op, num_features: int) -> int:
    """How many elements an instruction works on: those of its largest register, products for the matrix product."""
    if op.partial_write:
        return 1
    if op.name == "matrix_matrix_product":
        return num_features**3
    sizes = {"s": 1, "v": num_features, "m": num_features**2}
    return max((sizes[kind.letter] for kind in (*op.inputs, op.output) if kind), default=1)


def op_costs(budget: Budget, num_features: int) -> Costs:
    """Cost of an instruction of every op, float64[n] by op id.

    In the reference's units for "static", in nanoseconds for "table", all 0 for "none".

    Args:
        budget: for "table" filled in by :func:`fill_in`.
        num_features: F.
    """
    if budget.kind == "none":
        return np.zeros(len(TABLE))
    if budget.kind == "static":
        return np.array([op.static_cost for op in TABLE])
    table = fill_in(budget).costs
    costs = np.zeros(len(TABLE))
    for op in TABLE:  # the built-in ops come first
        if op.name in table:
            fixed, per_element = table[op.name]
            costs[op.id] = fixed + per_element * elements(op, num_features)
        else:
            costs[op.id] = max(costs[other.id] for other in _like(op))
    return costs


def _like(op: Op) -> list[Op]:
    built_in = TABLE.ops[:NUM_BUILT_IN]
    same = [other for other in built_in if other.signature == op.signature]
    return same or [other for other in built_in if elements(other, 2) == elements(op, 2)]


def cost_of(program: Program, costs: Costs, num_train: int) -> float:
    """Cost of a program, every instruction counted; :mod:`automl_zero.evolution.program_cost` is the compiled twin.

    Args:
        program: the program.
        costs: of the ops, from :func:`op_costs`.
        num_train: training examples, summed over the epochs.
    """
    setup = example = 0.0  # added one by one, as in compiled code, since sum() may round otherwise
    for instruction in program.setup:
        setup += float(costs[instruction.spec.id])
    for instruction in (*program.predict, *program.learn):
        example += float(costs[instruction.spec.id])
    return setup + num_train * example


def limit(budget: Budget, num_features: int, num_train: int, num_classes: int = 0) -> float:
    """The most that a program may cost; one that costs more gets fitness 0.

    Args:
        budget: the budget.
        num_features: F.
        num_train: training examples, summed over the epochs.
        num_classes: C on tasks with vector labels, 0 for scalar labels.

    Returns:
        ``factor`` times the cost of the baseline, in the units of :func:`op_costs`; infinity for "none".
    """
    if budget.kind == "none":
        return math.inf
    program = baseline_program(budget.baseline)
    # Hand-designed programs have no dead code, on tasks with labels of their kind.
    if budget.kind == "table" and budget.baseline not in HAND_DESIGNED:
        program = remove_dead_code(program, num_classes)
    return budget.factor * cost_of(program, op_costs(budget, num_features), num_train)
