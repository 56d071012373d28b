"""Random instructions and mutations (paper, Section 3; the `reference` mode is the authors' implementation).

A program is code uint8[slots, 4], constants float64[slots, 3] and sizes int64[3], as in :mod:`program_arrays`. An
impossible or refused mutation leaves the program as it was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from automl_zero.evolution.method import MUTATION_TYPES
from automl_zero.evolution.random_numbers import below, between, next_bits, normal, unit
from automl_zero.jit import jit
from automl_zero.ops import TABLE
from automl_zero.ops.arrays import OpArrays, op_arrays
from automl_zero.program import Program
from automl_zero.program_arrays import pack, starts_of

if TYPE_CHECKING:
    from automl_zero.evolution.config import ExperimentConfig

_INDEX, _ST_DEV, _BOUND = 1, 2, 3  # ConstantKind; compiled code wants plain integers
_SIGN_FLIP_PROBABILITY = 0.1

IDENTITY = MUTATION_TYPES.index("identity")
"""The type of mutation that changes nothing."""


class Founders(NamedTuple):
    """The programs that initial populations are made of, in turn: the arrays of k programs."""

    code: npt.NDArray[np.uint8]
    constants: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.int64]


class Space(NamedTuple):
    """The search space and the mutations of an experiment, for compiled code.

    Attributes:
        ops: facts about every op.
        allowed: uint8[3, n], ids of the ops that a component may use; num_allowed int64[3] of them.
        open_components: int64[k], the components with at least one op: those that mutations pick from.
        starts: int64[3], first slot of each component.
        min_sizes, max_sizes, initial_sizes: int64[3].
        registers: int64[4], number of registers by type.
        first_output: int64[4], first address that an instruction may write to, by type.
        founders: the initial programs.
        mutations: float64[8], cumulative probability of the mutation types, in the order of their names in the
            configuration.
        paper: 1 for the mutations of the paper, 0 for those of the reference.
    """

    ops: OpArrays
    allowed: npt.NDArray[np.uint8]
    num_allowed: npt.NDArray[np.int64]
    open_components: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    min_sizes: npt.NDArray[np.int64]
    max_sizes: npt.NDArray[np.int64]
    initial_sizes: npt.NDArray[np.int64]
    registers: npt.NDArray[np.int64]
    first_output: npt.NDArray[np.int64]
    founders: Founders
    mutations: npt.NDArray[np.float64]
    paper: int


def make_space(config: ExperimentConfig, vector_labels: bool = False) -> Space:
    """The arrays of a configuration, for tasks with scalar or with vector labels."""
    space = config.search_space
    max_sizes = [component.max_size for component in space.components]
    allowed = np.zeros((3, len(TABLE)), np.uint8)
    for row, component in zip(allowed, space.components, strict=True):
        row[: len(component.ops)] = [TABLE[name].id for name in component.ops]
    num_allowed = np.array([len(component.ops) for component in space.components], np.int64)
    cumulative = np.cumsum(list(config.mutations.weights.values()))
    return Space(
        ops=op_arrays(),
        allowed=allowed,
        num_allowed=num_allowed,
        open_components=np.flatnonzero(num_allowed).astype(np.int64),
        starts=starts_of(max_sizes),
        min_sizes=np.array([component.min_size for component in space.components], np.int64),
        max_sizes=np.array(max_sizes, np.int64),
        initial_sizes=np.array([component.initial_size for component in space.components], np.int64),
        registers=np.array([0, space.scalars, space.vectors, space.matrices], np.int64),
        first_output=np.array([0, 1, 2 if vector_labels else 1, 0], np.int64),  # labels and features are not written
        founders=_founders(space.initial_programs(), max_sizes),
        mutations=cumulative / cumulative[-1],  # exactly 1 from the last type that happens on
        paper=int(config.mutations.mode == "paper"),
    )


def _founders(programs: Sequence[Program], max_sizes: Sequence[int]) -> Founders:
    packed = [pack(program, max_sizes) for program in programs]
    code, constants, sizes = (np.stack(arrays) for arrays in zip(*packed, strict=True))
    return Founders(code, constants, sizes)


@jit
def _rounded(value, op, ops):  # type: ignore[no-untyped-def]
    return np.float64(np.float32(value)) if ops.rounds[op] else value


@jit
def _draw_address(kind, is_output, space, rng):  # type: ignore[no-untyped-def]
    """An address of a type, 0 for an absent operand; outputs spare labels and features."""
    if kind == 0:
        return np.uint8(0)
    first = space.first_output[kind] if is_output else 0
    return np.uint8(first + below(rng, space.registers[kind] - first))


@jit
def _draw_index(rng):  # type: ignore[no-untyped-def]
    """A fraction in [0, 1) that float32 holds exactly."""
    return np.float64(next_bits(rng) >> np.uint64(40)) * 2.0**-24


@jit
def _draw_constant(kind, rng):  # type: ignore[no-untyped-def]
    if kind == _INDEX:
        return _draw_index(rng)
    return unit(rng) if kind == _ST_DEV else between(rng, -1.0, 1.0)


@jit
def draw_instruction(component, slot, code, constants, space, rng):  # type: ignore[no-untyped-def]
    """Write a random instruction: op uniform over the component's, then addresses, then constants."""
    op = space.allowed[component, below(rng, space.num_allowed[component])]
    ops = space.ops
    code[slot, 0] = op
    code[slot, 1] = _draw_address(ops.inputs[op, 0], False, space, rng)
    code[slot, 2] = _draw_address(ops.inputs[op, 1], False, space, rng)
    code[slot, 3] = _draw_address(ops.output[op], True, space, rng)
    for j in range(3):
        if j < ops.num_constants[op]:
            constants[slot, j] = _rounded(_draw_constant(ops.kinds[op, j], rng), op, ops)
        else:
            constants[slot, j] = 0.0


@jit
def randomize_component(component, code, constants, sizes, space, rng):  # type: ignore[no-untyped-def]
    """Draw every instruction of a component anew; its size stays."""
    for slot in range(space.starts[component], space.starts[component] + sizes[component]):
        draw_instruction(component, slot, code, constants, space, rng)


@jit
def randomize_algorithm(code, constants, sizes, space, rng):  # type: ignore[no-untyped-def]
    """Draw every instruction anew, in every component that has ops to choose from."""
    for i in range(space.open_components.size):
        randomize_component(space.open_components[i], code, constants, sizes, space, rng)


@jit
def _alter_constant(value, kind, space, rng):  # type: ignore[no-untyped-def]
    if kind == _INDEX:
        return _draw_index(rng)
    flips = kind != _ST_DEV and unit(rng) < _SIGN_FLIP_PROBABILITY
    if space.paper:
        if value == 0.0:
            return _draw_constant(kind, rng)
        scaled = value * between(rng, 0.5, 2.0)
        return -scaled if flips else scaled
    return -value if flips else value * math.exp(normal(rng))


@jit
def _alter_data(slot, code, constants, space, rng):  # type: ignore[no-untyped-def]
    """Change one constant; the bounds of a uniform distribution are sorted afterwards."""
    ops = space.ops
    op = code[slot, 0]
    j = below(rng, np.int64(ops.num_constants[op]))
    kind = ops.kinds[op, j]
    value = _rounded(_alter_constant(constants[slot, j], kind, space, rng), op, ops)
    if not math.isfinite(value):
        return  # overflow after many scalings: refused
    constants[slot, j] = value
    if kind == _BOUND and constants[slot, 0] > constants[slot, 1]:
        constants[slot, 0], constants[slot, 1] = constants[slot, 1], constants[slot, 0]


@jit
def _alter_param(component, code, constants, sizes, space, rng):  # type: ignore[no-untyped-def]
    """Draw one address of one instruction anew, or alter one of its constants."""
    if sizes[component] == 0:
        return
    slot = space.starts[component] + below(rng, sizes[component])
    op = code[slot, 0]
    ops = space.ops
    num_inputs = (1 if ops.inputs[op, 0] != 0 else 0) + (1 if ops.inputs[op, 1] != 0 else 0)
    has_constants = 1 if ops.num_constants[op] > 0 else 0
    if ops.output[op] == 0:
        return
    choice = below(rng, num_inputs + has_constants + 1)
    if choice < num_inputs:
        code[slot, 1 + choice] = _draw_address(ops.inputs[op, choice], False, space, rng)
    elif choice == num_inputs:
        code[slot, 3] = _draw_address(ops.output[op], True, space, rng)
    else:
        _alter_data(slot, code, constants, space, rng)


@jit
def _move(target, source, code, constants):  # type: ignore[no-untyped-def]
    for j in range(4):
        code[target, j] = code[source, j]
    for j in range(3):
        constants[target, j] = constants[source, j]


@jit
def _insert(component, position, code, constants, sizes, space, rng):  # type: ignore[no-untyped-def]
    first = space.starts[component]
    for slot in range(first + sizes[component], first + position, -1):
        _move(slot, slot - 1, code, constants)
    draw_instruction(component, first + position, code, constants, space, rng)
    sizes[component] += 1


@jit
def _remove(component, position, code, constants, sizes, space):  # type: ignore[no-untyped-def]
    first = space.starts[component]
    for slot in range(first + position, first + sizes[component] - 1):
        _move(slot, slot + 1, code, constants)
    sizes[component] -= 1


@jit
def _trade(component, code, constants, sizes, space, rng):  # type: ignore[no-untyped-def]
    """Insert one instruction and remove one of the size + 1, which may be the new one."""
    size = sizes[component]
    inserted, removed = below(rng, size + 1), below(rng, size + 1)
    if inserted == removed:
        return
    # Removing first gives the same program and needs no slot above the maximal size.
    _remove(component, removed if removed < inserted else removed - 1, code, constants, sizes, space)
    _insert(component, inserted if inserted < removed else inserted - 1, code, constants, sizes, space, rng)


@jit
def cross(code, constants, sizes, mate_code, mate_constants, mate_sizes, space, rng):  # type: ignore[no-untyped-def]
    """Take each component function that mutations may change from the mate with probability 1/2."""
    for i in range(space.open_components.size):
        if next_bits(rng) >> np.uint64(63):
            component = space.open_components[i]
            sizes[component] = mate_sizes[component]
            for slot in range(space.starts[component], space.starts[component] + sizes[component]):
                for j in range(4):
                    code[slot, j] = mate_code[slot, j]
                for j in range(3):
                    constants[slot, j] = mate_constants[slot, j]


@jit
def mutate(code, constants, sizes, space, rng):  # type: ignore[no-untyped-def]
    """Apply one mutation of a type drawn by the configured weights; returns the number of the type."""
    draw = unit(rng)
    kind = 0
    while kind < 7 and draw >= space.mutations[kind]:
        kind += 1
    component = space.open_components[below(rng, space.open_components.size)]
    size = sizes[component]
    if kind == 0:
        _alter_param(component, code, constants, sizes, space, rng)
    elif kind == 1:
        if size > 0:
            slot = space.starts[component] + below(rng, size)
            draw_instruction(component, slot, code, constants, space, rng)
    elif kind == 2:
        randomize_component(component, code, constants, sizes, space, rng)
    elif kind == 4:
        randomize_algorithm(code, constants, sizes, space, rng)
    elif kind == 5:
        if size < space.max_sizes[component] - (0 if space.paper else 1):  # the reference never fills the last slot
            _insert(component, below(rng, size + 1), code, constants, sizes, space, rng)
    elif kind == 6:
        if size > space.min_sizes[component]:
            _remove(component, below(rng, size), code, constants, sizes, space)
    elif kind == 7:
        _trade(component, code, constants, sizes, space, rng)
    return kind
