"""Batches of a few fixed sizes: which programs run together, so that little is wasted and little is compiled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np

from automl_zero.interpreters.jax_lockstep.batch import Programs
from automl_zero.memory import MemorySpec
from automl_zero.ops import RegisterType
from automl_zero.program import Program

SIZES = (1, 4, 16, 64, 256, 1024, 4096, 16384)  #: numbers of programs
SMALLEST = 16  #: fewer run as so many where memory allows: they hardly take longer, and need not be compiled for
SLOTS = (8, 32, 128, 512, 2048, 8192)  #: slots a component


@dataclass(frozen=True)
class Batch:
    """Programs that run together.

    Attributes:
        members: positions of the programs among those asked for.
        size: number of programs that the batch is filled up to.
        slots: slots of each component.
        uses_matrices: whether any program has to do with matrices.
    """

    members: tuple[int, ...]
    size: int
    slots: int
    uses_matrices: bool


def batches(programs: Sequence[Program], largest: dict[bool, int], num_train: int, num_valid: int) -> list[Batch]:
    """Split programs by their need of matrices, sort them by cost, and cut them into batches.

    Args:
        programs: without dead code.
        largest: the most programs that fit into memory, for batches without and with matrices.
        num_train: training examples, by which costs are weighed.
        num_valid: validation examples.
    """
    cut = []
    for needed in (False, True):
        members = [i for i, program in enumerate(programs) if uses_matrices(program) == needed]
        members.sort(key=lambda i: _cost(programs[i], num_train, num_valid))
        for part, size in _parts(members, largest[needed]):
            longest = max(len(component) for i in part for component in programs[i].components)
            cut.append(Batch(tuple(part), size, _at_least(longest), needed))
    return cut


def pack_batch(programs: Sequence[Program], batch: Batch, dtype: str) -> Programs:
    """The arrays of a batch; the places that are left hold the first program once more.

    So they take no longer than the others, and do not go on when all of those have stopped.
    """
    code = np.zeros((batch.size, 3, batch.slots, 4), np.int32)
    constants = np.zeros((batch.size, 3, batch.slots, 3), dtype)
    sizes = np.zeros((batch.size, 3), np.int32)
    for place, member in enumerate(batch.members):
        for number, component in enumerate(programs[member].components):
            sizes[place, number] = len(component)
            for slot, instruction in enumerate(component):
                addresses = (instruction.in1, instruction.in2, instruction.out)
                code[place, number, slot] = (instruction.spec.id, *(address or 0 for address in addresses))
                constants[place, number, slot, : len(instruction.constants)] = instruction.constants
    for array in (code, constants, sizes):
        array[len(batch.members) :] = array[0]
    return Programs(*map(jnp.asarray, (code, constants, sizes)))


def uses_matrices(program: Program) -> bool:
    """Whether any instruction reads or writes a matrix."""
    return any(
        kind == RegisterType.MATRIX
        for component in program.components
        for instruction in component
        for _, kind, _ in instruction.operands()
    )


def common_memory(programs: Sequence[Program]) -> MemorySpec:
    """Registers that are enough for all of the programs."""
    memories = [program.memory for program in programs]
    return MemorySpec(*(max(getattr(m, name) for m in memories) for name in ("scalars", "vectors", "matrices")))


def fitting(memory: MemorySpec, num_features: int, num_tasks: int, itemsize: int, room: int) -> int:
    """The most programs, of the sizes there are, whose registers and operands take at most `room` bytes; at least 1."""
    F = num_features
    # Five more of each type: operands, results, what is in between.
    numbers = (memory.scalars + 5) + (memory.vectors + 5) * F + (memory.matrices + 5 if memory.matrices else 0) * F * F
    return max((size for size in SIZES if size * num_tasks * numbers * itemsize <= room), default=1)


def _parts(members: Sequence[int], largest: int) -> Iterator[tuple[Sequence[int], int]]:
    """Cut into parts of the largest sizes that can be filled, and a rest; each with the size it is filled up to."""
    smallest = min(SMALLEST, largest)
    sizes = [size for size in SIZES if smallest <= size <= largest]
    start = 0
    while start < len(members):
        left = len(members) - start
        size = max((size for size in sizes if size <= left), default=smallest)
        yield members[start : start + size], size
        start += size


def _at_least(longest: int) -> int:
    """The number of slots to use for components of that length."""
    if longest > SLOTS[-1]:
        return longest
    return next(slots for slots in SLOTS if slots >= longest)


def _cost(program: Program, num_train: int, num_valid: int) -> int:
    predict, learn = len(program.predict), len(program.learn)
    return num_train * (predict + learn) + num_valid * predict
