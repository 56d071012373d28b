"""Which instructions of a program can influence a prediction.

A backward data-flow analysis over the loop in which the components run: Setup once; then Predict and Learn for every
training example, and Predict alone for every validation example, memory being carried over throughout.

Predict may be followed by the reading of the prediction (s1), by Learn, or by Predict. Learn may be followed by
Predict, and so may Setup: whatever the number of epochs and examples, at least one Predict comes next. The
interpreter sets v0 and s0 before each of them, so neither is live at the end of a component.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress

from automl_zero.memory import FEATURES, LABEL, PREDICTION
from automl_zero.ops import RegisterType
from automl_zero.program import Instruction, Program

Register = tuple[RegisterType, int]
Flags = tuple[bool, ...]

_SET_BY_INTERPRETER = frozenset({(RegisterType.SCALAR, LABEL), (RegisterType.VECTOR, FEATURES)})
_READ_BY_INTERPRETER = frozenset({(RegisterType.SCALAR, PREDICTION)})


def live_instructions(program: Program) -> tuple[Flags, Flags, Flags]:
    """For Setup, Predict and Learn: whether each instruction can influence a prediction.

    Removing the others changes no fitness by a single bit. The analysis knows nothing of values: an instruction that
    is live here may still have no effect. A no_op is never live.
    """
    predict_in: frozenset[Register] = frozenset()
    learn_in: frozenset[Register] = frozenset()
    while True:
        predict_out = (_READ_BY_INTERPRETER | predict_in | learn_in) - _SET_BY_INTERPRETER
        predict, new_predict_in = _backward(program.predict, predict_out)
        learn, new_learn_in = _backward(program.learn, new_predict_in - _SET_BY_INTERPRETER)
        if (new_predict_in, new_learn_in) == (predict_in, learn_in):
            break
        predict_in, learn_in = new_predict_in, new_learn_in
    setup, _ = _backward(program.setup, predict_in - _SET_BY_INTERPRETER)
    return setup, predict, learn


def remove_dead_code(program: Program) -> Program:
    """The program without the instructions that cannot influence a prediction."""
    flags = live_instructions(program)
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
