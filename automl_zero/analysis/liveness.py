"""Which instructions of a program can influence a prediction.

A backward data-flow analysis over the loop in which the components run: Setup once; then Predict and Learn for every
training example, and Predict alone for every validation example, memory being carried over throughout.

Predict may be followed by the reading of the prediction, by Learn, or by Predict. Learn may be followed by
Predict, and so may Setup: whatever the number of epochs and examples, at least one Predict comes next. The
interpreter sets features and label before each of them, so neither is live at the end of a component.

Scalar labels are in s0 and their predictions in s1. With vector labels the interpreter sets v1 as well (s0 is always
0) and reads v2; s1 is a register like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from automl_zero.memory import FEATURES, LABEL, PREDICTION, VECTOR_LABEL, VECTOR_PREDICTION
from automl_zero.ops import RegisterType
from automl_zero.program import Instruction, Program

Register = tuple[RegisterType, int]
Flags = tuple[bool, ...]

_SET_BY_INTERPRETER = frozenset({(RegisterType.SCALAR, LABEL), (RegisterType.VECTOR, FEATURES)})
_READ_BY_INTERPRETER = frozenset({(RegisterType.SCALAR, PREDICTION)})
_SET_WITH_CLASSES = _SET_BY_INTERPRETER | {(RegisterType.VECTOR, VECTOR_LABEL)}
_READ_WITH_CLASSES = frozenset({(RegisterType.VECTOR, VECTOR_PREDICTION)})


def live_instructions(program: Program, num_classes: int = 0) -> tuple[Flags, Flags, Flags]:
    """For Setup, Predict and Learn: whether each instruction can influence a prediction.

    Removing the others changes no fitness by a single bit. The analysis knows nothing of values: an instruction that
    is live here may still have no effect. A no_op is never live.

    Args:
        program: the program.
        num_classes: C on tasks with vector labels, 0 (the default) for scalar labels.
    """
    set_by_interpreter = _SET_WITH_CLASSES if num_classes else _SET_BY_INTERPRETER
    read_by_interpreter = _READ_WITH_CLASSES if num_classes else _READ_BY_INTERPRETER
    predict_in: frozenset[Register] = frozenset()
    learn_in: frozenset[Register] = frozenset()
    while True:
        predict_out = (read_by_interpreter | predict_in | learn_in) - set_by_interpreter
        predict, new_predict_in = _backward(program.predict, predict_out)
        learn, new_learn_in = _backward(program.learn, new_predict_in - set_by_interpreter)
        if (new_predict_in, new_learn_in) == (predict_in, learn_in):
            break
        predict_in, learn_in = new_predict_in, new_learn_in
    setup, _ = _backward(program.setup, predict_in - set_by_interpreter)
    return setup, predict, learn


def remove_dead_code(program: Program, num_classes: int = 0) -> Program:
    """The program without the instructions that cannot influence a prediction (on tasks of that many classes)."""
    flags = live_instructions(program, num_classes)
    return Program(program.memory, *(tuple(compress(c, f)) for c, f in zip(program.components, flags, strict=True)))


def _backward(instructions: Sequence[Instruction], live_out: frozenset[Register]) -> tuple[Flags, frozenset[Register]]:
    """Liveness of the instructions of a component, and the registers that are live at its start."""
    live = set(live_out)
    flags = []
    for instruction in reversed(instructions):
        registers = {name: (kind, address) for name, kind, address in instruction.operands()}
        output = registers.pop("out", None)
        is_live = output in live
        flags.append(is_live)
        if is_live:
            if output is not None and not instruction.spec.partial_write:
                live.discard(output)
            live.update(registers.values())
    return tuple(reversed(flags)), frozenset(live)
