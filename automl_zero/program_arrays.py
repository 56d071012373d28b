"""Programs as arrays, the form that compiled code, populations and checkpoints share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from automl_zero.instruction import Instruction
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE, Op, RegisterType
from automl_zero.program import Program

Code = npt.NDArray[np.uint8]
Constants = npt.NDArray[np.float64]
Sizes = npt.NDArray[np.int64]


def starts_of(capacities: Sequence[int] | Sizes) -> Sizes:
    """First slot of each component when component c has capacities[c] slots."""
    return np.concatenate(([0], np.cumsum(capacities)[:-1])).astype(np.int64)


def pack(program: Program, capacities: Sequence[int] | None = None) -> tuple[Code, Constants, Sizes]:
    """Arrays of a program: code uint8[slots, 4], constants float64[slots, 3], sizes int64[3].

    Args:
        program: the program.
        capacities: slots of Setup, Predict and Learn; by default as many as it has instructions.

    Raises:
        ValueError: a component has more instructions than slots.
    """
    sizes = np.array([len(component) for component in program.components], np.int64)
    room = sizes if capacities is None else np.asarray(capacities, np.int64)
    for name, size, slots in zip(("setup", "predict", "learn"), sizes, room, strict=True):
        if size > slots:
            raise ValueError(f"{name} has {size} instructions: expected at most {slots}")
    total = max(int(room.sum()), 1)
    code, constants = np.zeros((total, 4), np.uint8), np.zeros((total, 3))
    for component, start in zip(program.components, starts_of(room), strict=True):
        for slot, instruction in enumerate(component, int(start)):
            addresses = (instruction.in1, instruction.in2, instruction.out)
            code[slot] = (instruction.spec.id, *(0 if address is None else address for address in addresses))
            constants[slot, : len(instruction.constants)] = instruction.constants
    return code, constants, sizes


def unpack(memory: MemorySpec, code: Code, constants: Constants, sizes: Sizes, starts: Sizes) -> Program:
    """The program that arrays hold."""
    components = [
        tuple(
            _instruction(TABLE[int(code[slot, 0])], code[slot, 1:].tobytes(), constants[slot].tobytes())
            for slot in range(start, start + size)
        )
        for size, start in zip(sizes.tolist(), starts.tolist(), strict=True)
    ]
    return Program(memory, *components)


@lru_cache(maxsize=1024)  # programs of a search share most of their instructions, and checking one takes a while
def _instruction(op: Op, addresses: bytes, constants: bytes) -> Instruction:
    """An instruction from its op and the bytes that the arrays have for it."""
    kinds = (*op.inputs, *[RegisterType.NONE] * (2 - len(op.inputs)), op.output)
    in1, in2, out = (
        address if kind != RegisterType.NONE else None for kind, address in zip(kinds, addresses, strict=True)
    )
    return Instruction(op.name, in1, in2, out, tuple(np.frombuffer(constants)[: len(op.constants)].tolist()))
