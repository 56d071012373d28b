"""What the interpreter does with a program's registers: which it sets, and which it reads (paper, Section 3)."""

from __future__ import annotations

from dataclasses import dataclass

from automl_zero.memory import FEATURES, LABEL, PREDICTION
from automl_zero.ops import RegisterType
from automl_zero.program import Program

Register = tuple[RegisterType, int]

SETUP, PREDICT, LEARN = range(3)
FEATURES_REGISTER: Register = (RegisterType.VECTOR, FEATURES)


@dataclass(frozen=True)
class Frame:
    """The registers that the interpreter uses.

    Attributes:
        label: holds the label in Learn, and zero in Setup and Predict.
        prediction: read after Predict.
        inputs: registers that no instruction writes: the features, the label, and s0.
        keeps_prediction: whether the prediction is certain to be in Learn what Predict has made it; where accuracy is
            scored, or there are vector labels, the interpreter replaces it by a function of itself.
    """

    label: Register
    prediction: Register
    inputs: frozenset[Register]
    keeps_prediction: bool = False

    @property
    def reserved(self) -> frozenset[Register]:
        """The registers that cannot be used for anything else."""
        return self.inputs | {self.prediction}


def frame_for(num_classes: int) -> Frame:
    """The frame of tasks with that many classes; 0 stands for scalar labels.

    Raises:
        TypeError: ``num_classes`` is not an integer.
        ValueError: it is negative, or 1.
    """
    if isinstance(num_classes, bool) or not isinstance(num_classes, int):
        raise TypeError(f"num_classes is {num_classes!r}: expected an integer")
    if num_classes < 0 or num_classes == 1:
        raise ValueError(f"num_classes is {num_classes}: expected 0 for scalar labels, or at least 2")
    scalar_label = (RegisterType.SCALAR, LABEL)
    if not num_classes:
        return Frame(scalar_label, (RegisterType.SCALAR, PREDICTION), frozenset({scalar_label, FEATURES_REGISTER}))
    label = (RegisterType.VECTOR, FEATURES + 1)
    return Frame(label, (RegisterType.VECTOR, FEATURES + 2), frozenset({scalar_label, FEATURES_REGISTER, label}))


def check_frame(program: Program, num_classes: int) -> Frame:
    """The frame for a program; ValueError when the program cannot run on tasks with that many classes."""
    frame = frame_for(num_classes)
    kind, address = frame.prediction
    if program.memory.count(kind) <= address:
        raise ValueError(f"program: tasks with {num_classes} classes read the prediction from v2, which it lacks")
    for name, instructions in zip(("setup", "predict", "learn"), program.components, strict=True):
        for index, instruction in enumerate(instructions):
            if instruction.out is not None and (instruction.spec.output, instruction.out) in frame.inputs:
                raise ValueError(f"{name}[{index}].out: v1 is the label of tasks with classes and cannot be written")
    return frame
