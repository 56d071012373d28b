"""What tasks with vector labels ask of a program: v1 is the label and v2 the prediction."""

from __future__ import annotations

from automl_zero.memory import VECTOR_LABEL, VECTOR_PREDICTION
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
