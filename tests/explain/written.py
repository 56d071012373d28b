"""Programs written as text, one instruction a line: ``v1 = vector_sum v1 v2`` or ``s2 = scalar_const_set 0.1``."""

from __future__ import annotations

from automl_zero import programs
from automl_zero.instruction import Instruction
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE
from automl_zero.program import COMPONENTS, Program

MEMORY = MemorySpec(scalars=12, vectors=12, matrices=8)

ALL_OPS = dict.fromkeys(COMPONENTS, tuple(op.name for op in TABLE if op.source != "user"))


def written(setup: str = "", predict: str = "", learn: str = "") -> Program:
    """A program from the text of its component functions."""
    return Program(MEMORY, *(tuple(map(instruction, part.strip().splitlines())) for part in (setup, predict, learn)))


def instruction(line: str) -> Instruction:
    """An instruction from a line of text."""
    if line.strip() == "no_op":
        return Instruction("no_op")
    out, _, right = line.strip().partition(" = ")
    op, *words = right.split()
    registers = [int(word[1:]) for word in words if word[0] in "svm"]
    constants = tuple(float(word) for word in words if word[0] not in "svm")
    first, second = (*registers, None, None)[:2]
    return Instruction(op, first, second, int(out[1:]), constants)


def random_program(seed: int) -> Program:
    """A program of any ops."""
    sizes = {"setup": 6, "predict": 8, "learn": 10}
    return programs.random(MemorySpec(4, 4, 2), ALL_OPS, sizes, seed)
