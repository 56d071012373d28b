"""What tasks with vector labels ask of a program: v1 is the label and v2 the prediction."""

from __future__ import annotations

from collections.abc import Iterable

from automl_zero.instruction import Instruction
from automl_zero.memory import PREDICTION, VECTOR_LABEL, VECTOR_PREDICTION
from automl_zero.ops import RegisterType
from automl_zero.program import COMPONENTS, Program


def check_program(program: Program, num_classes: int) -> None:
    """Refuse a program that cannot run on tasks of that many classes; 0 stands for scalar labels, which all can.

    Raises:
        ValueError: the program has no v2, or an instruction writes v1.
    """
    if num_classes == 0:
        return
    if program.memory.vectors <= VECTOR_PREDICTION:
        raise ValueError(
            f"memory.vectors is {program.memory.vectors}: expected at least {VECTOR_PREDICTION + 1} for tasks with "
            "vector labels (v0 features, v1 label, v2 prediction)"
        )
    for name, instructions in zip(COMPONENTS, program.components, strict=True):
        for position, instruction in enumerate(instructions):
            if instruction.spec.output == RegisterType.VECTOR and instruction.out == VECTOR_LABEL:
                raise ValueError(
                    f"{name}[{position}].out: v1 is the label in tasks with vector labels and cannot be written"
                )


def predicts_vectors_alone(program: Program) -> bool:
    """Whether a program can only be one for vector labels: Predict writes v2, and nothing writes s1."""
    everything = (instruction for component in program.components for instruction in component)
    return _writes(program.predict, RegisterType.VECTOR, VECTOR_PREDICTION) and not _writes(
        everything, RegisterType.SCALAR, PREDICTION
    )


def check_labels(
    program: Program,
    num_classes: int,
    own: int | None,
    name: str,
    here: str | None = None,
    expected: str | None = None,
) -> None:
    """Refuse a program that is for labels of the other kind than those it is to learn.

    Args:
        program: the program.
        num_classes: C of the vector labels that it is to learn, 0 for numbers.
        own: C of the labels that it was evolved for, 0 for numbers; None when that is not known.
        name: what to call it.
        here: what has the labels, as a clause; by default "these tasks have ...".
        expected: what would suit the program; by default other tasks.

    Raises:
        ValueError: the kinds differ; or, when ``own`` is None, the program cannot be for such labels.
    """
    if num_classes:
        here = here or f"these tasks have {num_classes} classes as vector labels"
        expected = expected or "tasks whose labels are numbers"
        if own == 0:
            raise ValueError(f"{name} was evolved for labels that are numbers, but {here}: expected {expected}")
        try:
            check_program(program, num_classes)
        except ValueError as error:
            raise ValueError(f"{name} is not for vector labels, but {here}: {error}") from None
        return
    here, expected = here or "these tasks have numbers as labels", expected or "tasks with vector labels"
    if own:
        raise ValueError(f"{name} was evolved for vector labels of {own} classes, but {here}: expected {expected}")
    if own is None and predicts_vectors_alone(program):
        raise ValueError(
            f"{name} never sets its prediction s1, only v2, the prediction for vector labels, but {here}: "
            f"expected {expected}"
        )


def _writes(instructions: Iterable[Instruction], kind: RegisterType, address: int) -> bool:
    return any(instruction.spec.output == kind and instruction.out == address for instruction in instructions)
