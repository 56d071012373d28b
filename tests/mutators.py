"""Mutations of programs, again and again, to be counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from automl_zero.evolution.config import MUTATION_TYPES, ExperimentConfig
from automl_zero.evolution.mutation import Space, make_space
from automl_zero.evolution.random_numbers import new_generator
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE
from automl_zero.program import COMPONENTS, Instruction, Program
from automl_zero.program_arrays import pack, unpack
from tests.compiled import mutate

MEMORY = MemorySpec(4, 3, 2)
ALL_OPS = [op.name for op in TABLE]


def make_config(
    weights: dict[str, float] | None = None,
    ops: Sequence[Sequence[str]] = (ALL_OPS, ALL_OPS, ALL_OPS),
    sizes: tuple[int, int, int] = (0, 8, 3),
    mode: str = "reference",
) -> ExperimentConfig:
    """A configuration with the same sizes (least, most, initial) for all component functions."""
    names = ("min_size", "max_size", "initial_size")
    space = {c: {"ops": list(o), **dict(zip(names, sizes, strict=True))} for c, o in zip(COMPONENTS, ops, strict=True)}
    registers = {"scalars": MEMORY.scalars, "vectors": MEMORY.vectors, "matrices": MEMORY.matrices}
    space |= {"initial": "no_op", **registers}
    mutations = {"mode": mode, "weights": weights or dict.fromkeys(MUTATION_TYPES, 1.0)}
    return ExperimentConfig(search_space=space, tasks={"kind": "linear"}, mutations=mutations)


def only(kind: str, vector_labels: bool = False, **options: Any) -> Space:
    """A space with one type of mutation."""
    return make_space(make_config({kind: 1.0}, **options), vector_labels)


class Mutator:
    """Makes mutated copies of a program."""

    def __init__(self, space: Space, seed: int = 0) -> None:
        self.space, self.rng = space, new_generator(seed)
        self.program: Program | None = None

    def __call__(self, program: Program) -> Program:
        if program is not self.program:
            self.program, self.packed = program, pack(program, self.space.max_sizes.tolist())
        child = tuple(array.copy() for array in self.packed)
        mutate(*child, self.space, self.rng)
        if all(array.tobytes() == old.tobytes() for array, old in zip(child, self.packed, strict=True)):
            return program
        return unpack(program.memory, *child, self.space.starts)


def children(program: Program, space: Space, count: int, seed: int = 0) -> Iterator[Program]:
    mutator = Mutator(space, seed)
    for _ in range(count):
        yield mutator(program)


def predicting(*instructions: Instruction) -> Program:
    return Program(MEMORY, (), instructions, ())


def only_in_predict(kind: str, **options: Any) -> Space:
    """A space in which Predict alone can change."""
    return only(kind, ops=((), ALL_OPS, ()), **options)


def near(count: int, n: int, probability: float) -> bool:
    """Whether a count is within 4.5 standard deviations of what is expected."""
    return abs(count - n * probability) <= 4.5 * np.sqrt(n * probability * (1 - probability)) + 1e-9


def changed_fields(old: Instruction, new: Instruction) -> set[str]:
    return {name for name in ("op", "in1", "in2", "out", "constants") if getattr(old, name) != getattr(new, name)}


def const(value: float) -> Instruction:
    return Instruction("scalar_const_set", out=1, constants=(value,))


NO_OP = Instruction("no_op")
LONG = Program(MEMORY, *(tuple(const(10.0 * c + i) for i in range(4)) for c in range(3)))


def altered(instruction: Instruction, count: int = 2000, mode: str = "reference") -> Iterator[Instruction]:
    """The instruction after an alter_param, again and again; nothing else changes."""
    program = predicting(NO_OP, instruction)
    for child in children(program, only_in_predict("alter_param", mode=mode), 2 * count):
        assert child.predict[0] == NO_OP  # altered half of the time, without effect
        assert (child.setup, child.learn, len(child.predict)) == ((), (), 2)
        yield child.predict[1]


def new_values(instruction: Instruction, position: int, count: int = 2500, mode: str = "reference") -> np.ndarray:
    """What a constant becomes, where it was altered."""
    old = instruction.constants[position]
    return np.array([v for new in altered(instruction, count, mode) if (v := new.constants[position]) != old])
