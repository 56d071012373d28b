"""Random search that screens programs out by static analysis before it evaluates the rest.

The engine's own random search evaluates every new program. Here one that provably cannot learn a linear model counts as
evaluated without being run. Learning one takes a Predict that reads the features, and a Learn that reads the label and
the features and scales and adds vectors: where vectors come from scalar_vector_product and vector_sum alone, the
weights would otherwise not depend on the labels, or be the multiple of one example, or what Setup has set.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from automl_zero.analysis.compiled import Canonical, canonicalise, new_canonical
from automl_zero.evolution.caches import Cache, insert, look_up, new_cache
from automl_zero.evolution.mutation import Space, randomize_algorithm
from automl_zero.evolution.random_numbers import new_generator
from automl_zero.interpreters.execute import encode, run_kernel
from automl_zero.interpreters.lane_data import Arena, LaneData, new_arena
from automl_zero.jit import entry_point, jit
from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE, RegisterType
from automl_zero.program import COMPONENTS, Program
from automl_zero.program_arrays import unpack

_SCALAR, _VECTOR = 1, 2  # register types
_VECTOR_SUM, _SCALED_VECTOR = TABLE["vector_sum"].id, TABLE["scalar_vector_product"].id


class _Room(NamedTuple):
    """What a compiled call works in: the program, its canonical form, the kernel's memory and a cache."""

    code: npt.NDArray[np.uint8]
    constants: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.int64]
    rng: npt.NDArray[np.uint64]
    form: Canonical
    arena: Arena
    cache: Cache


class _Found(NamedTuple):
    """Programs that were kept: uint8[n, slots, 4], float64[n, slots, 3], int64[n, 3]."""

    code: npt.NDArray[np.uint8]
    constants: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.int64]


class RandomPrograms:
    """Random programs of a search space, evaluated on tasks.

    Args:
        memory: the registers.
        space: the space, without vector labels; component functions without ops keep the first founder's instructions.
            Learn may write vectors by scalar_vector_product and vector_sum alone, and Predict may write none.
        data: the tasks.
        key: seeds the draws.
        screen: whether to screen programs out.
        cache_size: entries of the cache of canonical forms.

    Attributes:
        drawn, evaluated: programs so far.

    Raises:
        ValueError: the space has other ops, for which the screening would be wrong.
    """

    def __init__(
        self,
        memory: MemorySpec,
        space: Space,
        data: LaneData,
        key: tuple[int, ...],
        screen: bool = True,
        cache_size: int = 131072,
    ) -> None:
        if screen:
            _check_ops(space)
        self.memory, self.space, self.data, self.screen = memory, space, data, screen
        slots = space.founders.code.shape[1]
        self._room = _Room(
            code=space.founders.code[0].copy(),
            constants=space.founders.constants[0].copy(),
            sizes=space.founders.sizes[0].copy(),
            rng=new_generator(*key),
            form=new_canonical(slots),
            arena=new_arena(data, slots, memory.scalars, memory.vectors, memory.matrices),
            cache=new_cache(cache_size),
        )
        self.drawn = self.evaluated = 0

    def search(self, count: int, above: float) -> list[Program]:
        """Draw `count` programs; returns those with a mean fitness above a bound.

        Raises:
            RuntimeError: more than a thousand; the bound is too low to be useful.
        """
        most, room = 1000, self._room
        found = _Found(
            np.zeros((most, *room.code.shape), np.uint8),
            np.zeros((most, *room.constants.shape)),
            np.zeros((most, 3), np.int64),
        )
        evaluated, kept = _draw(room, self.space, self.data, count, above, self.screen, found)
        if kept > most:
            raise RuntimeError(f"{kept} of {count} random programs have a fitness above {above}: that is too many")
        self.drawn += count
        self.evaluated += evaluated
        arrays = zip(found.code[:kept], found.constants[:kept], found.sizes[:kept], strict=True)
        return [unpack(self.memory, *one, self.space.starts) for one in arrays]


def _check_ops(space: Space) -> None:
    for component, most in ((1, ()), (2, ("scalar_vector_product", "vector_sum"))):
        for number in space.allowed[component, : space.num_allowed[component]]:
            op = TABLE[int(number)]
            if op.output > RegisterType.SCALAR and op.name not in most:
                raise ValueError(f"random programs cannot be screened when {COMPONENTS[component]} may use {op.name}")


@entry_point
def _draw(room: _Room, space: Space, data: LaneData, count: int, above: float, screen: bool, found: _Found):
    """Draw programs and keep those above a fitness; returns how many were evaluated, and how many kept."""
    evaluated = kept = 0
    starts, sizes, form = space.starts, room.sizes, room.form
    for component in space.open_components:
        sizes[component] = space.initial_sizes[component]
    for _ in range(count):
        randomize_algorithm(room.code, room.constants, sizes, space, room.rng)
        if screen and not _may_learn(
            room.code, starts[1], starts[2], starts[1] + sizes[1], starts[2] + sizes[2], space.ops
        ):
            continue  # most end here, before the analysis, which takes longer
        key = canonicalise(room.code, room.constants, sizes, starts, data.num_features, 0, space.ops, form)
        predict, learn = form.counts[0], form.counts[0] + form.counts[1]
        if screen and not _may_learn(form.code, predict, learn, learn, learn + form.counts[2], space.ops):
            continue
        fitness = look_up(room.cache, key)
        if fitness < 0.0:
            fitness = _evaluate(room, space, data)
            insert(room.cache, key, fitness)
            evaluated += 1
        if fitness > above:
            if kept < found.code.shape[0]:
                _keep(room, found, kept)
            kept += 1
    return evaluated, kept


@jit
def _may_learn(code, predict, learn, predict_end, learn_end, ops):
    """Whether Predict reads the features; and Learn these and the label, scales vectors and adds them."""
    if not _reads(_VECTOR, code, predict, predict_end, ops) or not _reads(_VECTOR, code, learn, learn_end, ops):
        return False
    scales = adds = False
    for i in range(learn, learn_end):
        scales |= code[i, 0] == _SCALED_VECTOR
        adds |= code[i, 0] == _VECTOR_SUM
    return scales and adds and _reads(_SCALAR, code, learn, learn_end, ops)


@jit
def _reads(kind, code, begin, end, ops):
    """Whether one of the instructions reads register 0 of a type: s0 or v0."""
    for i in range(begin, end):
        op = code[i, 0]
        for j in range(2):
            if ops.inputs[op, j] == kind and code[i, 1 + j] == 0:
                return True
    return False


@jit
def _evaluate(room, space, data):
    """Mean fitness of the program whose canonical form is ready."""
    encode(room.form, data, space.ops, room.arena)
    run_kernel(room.form, data, room.arena, data.num_train, data.num_valid, data.epochs, 0, 0)
    total = 0.0
    for task in range(data.num_tasks):
        total += room.arena.fitness[task // data.lanes, task % data.lanes]
    return total / data.num_tasks


@jit
def _keep(room, found, at):
    for slot in range(room.code.shape[0]):
        for j in range(4):
            found.code[at, slot, j] = room.code[slot, j]
        for j in range(3):
            found.constants[at, slot, j] = room.constants[slot, j]
    for component in range(3):
        found.sizes[at, component] = room.sizes[component]
