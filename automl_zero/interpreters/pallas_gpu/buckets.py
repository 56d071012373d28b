"""Programs sorted by the registers they need: what they leave free in shared memory lets more of them run at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from automl_zero.memory import FEATURES, LABEL, MAX_REGISTERS, PREDICTION, MemorySpec
from automl_zero.ops import RegisterType
from automl_zero.program import Program

SCALARS, VECTORS, MATRICES = (4, 8, MAX_REGISTERS), (4, 8, MAX_REGISTERS), (0, 1, 2, 4, 8, MAX_REGISTERS)  # sizes


class Bucket(NamedTuple):
    """Programs that need about as many registers.

    Attributes:
        memory: registers enough for all of them.
        members: their positions.
        programs: the programs, with registers named in order of first use.
    """

    memory: MemorySpec
    members: list[int]
    programs: list[Program]


def buckets(programs: Sequence[Program]) -> list[Bucket]:
    """Sort programs without dead code, on tasks with scalar labels, into a bucket for each number of matrices.

    So there are few kernels to compile: all buckets have the scalars and vectors of the program that needs most.
    """
    compact = [renamed(program) for program in programs]
    scalars = max((_at_least(program.memory.scalars, SCALARS) for program in compact), default=0)
    vectors = max((_at_least(program.memory.vectors, VECTORS) for program in compact), default=0)
    found = []
    for matrices in MATRICES:
        members = [i for i, p in enumerate(compact) if _at_least(p.memory.matrices, MATRICES) == matrices]
        if members:
            found.append(Bucket(MemorySpec(scalars, vectors, matrices), members, [compact[i] for i in members]))
    return found


def renamed(program: Program) -> Program:
    """The program with registers named in order of first use, and no more of them than it uses; s0, s1 and v0 stay."""
    names = {RegisterType.SCALAR: {LABEL: LABEL, PREDICTION: PREDICTION}, RegisterType.VECTOR: {FEATURES: FEATURES}}
    names[RegisterType.MATRIX] = {}
    components = []
    for component in program.components:
        instructions = []
        for instruction in component:
            addresses: dict[str, Any] = {
                operand: names[kind].setdefault(address, len(names[kind]))
                for operand, kind, address in instruction.operands()
            }
            instructions.append(replace(instruction, **addresses))
        components.append(tuple(instructions))
    return Program(MemorySpec(*(len(names[kind]) for kind in sorted(names))), *components)


def _at_least(count: int, sizes: Sequence[int]) -> int:
    return next(size for size in sizes if size >= count)
