"""Random search that screens programs out by static analysis before it evaluates the rest.

The engine's own random search evaluates every new program. Here a program whose prediction cannot depend on both the
features and the labels counts as evaluated without being run: on tasks that differ in their weights no such program
comes near one that learns.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from automl_zero.analysis.compiled import Canonical, canonicalise, new_canonical
from automl_zero.evolution.caches import Cache, insert, look_up, new_cache
from automl_zero.evolution.config import ExperimentConfig
from automl_zero.evolution.mutation import Space, make_space, randomize_algorithm
from automl_zero.evolution.random_numbers import new_generator
from automl_zero.interpreters.execute import encode, run_kernel
from automl_zero.interpreters.lane_data import Arena, LaneData, new_arena
from automl_zero.jit import entry_point, jit
from automl_zero.program import Program
from automl_zero.program_arrays import pack, unpack

_SCALAR, _VECTOR = 1, 2  # register types


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
        config: of the space; the component functions without ops keep the instructions of the initial program.
        data: the tasks.
        key: seeds the draws.
        screen: whether to screen programs out.
        cache_size: entries of the cache of canonical forms.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        data: LaneData,
        key: tuple[int, ...],
        screen: bool = True,
        cache_size: int = 131072,
    ) -> None:
        self.memory, self.space, self.data, self.screen = config.search_space.memory, make_space(config), data, screen
        (initial,) = config.search_space.initial_programs()
        code, constants, sizes = pack(initial, self.space.max_sizes.tolist())
        memory, slots = self.memory, len(code)
        self._room = _Room(
            code=code,
            constants=constants,
            sizes=sizes,
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


@entry_point
def _draw(room: _Room, space: Space, data: LaneData, count: int, above: float, screen: bool, found: _Found):  # type: ignore[no-untyped-def]
    """Draw programs and keep those above a fitness; returns how many were evaluated, and how many kept."""
    evaluated = kept = 0
    for component in space.open_components:
        room.sizes[component] = space.initial_sizes[component]
    for _ in range(count):
        randomize_algorithm(room.code, room.constants, room.sizes, space, room.rng)
        key = canonicalise(
            room.code, room.constants, room.sizes, space.starts, data.num_features, 0, space.ops, room.form
        )
        if screen and not _may_learn(room.form, space.ops):
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
def _may_learn(form, ops):  # type: ignore[no-untyped-def]
    """Whether live instructions of Predict read the features and live ones of Learn the label (v0 and s0)."""
    learn = form.counts[0] + form.counts[1]
    return _reads(_VECTOR, form.counts[0], learn, form, ops) and _reads(
        _SCALAR, learn, learn + form.counts[2], form, ops
    )


@jit
def _reads(kind, begin, end, form, ops):  # type: ignore[no-untyped-def]
    """Whether one of the instructions reads register 0 of a type."""
    for i in range(begin, end):
        op = form.code[i, 0]
        for j in range(2):
            if ops.inputs[op, j] == kind and form.code[i, 1 + j] == 0:
                return True
    return False


@jit
def _evaluate(room, space, data):  # type: ignore[no-untyped-def]
    """Mean fitness of the program whose canonical form is ready."""
    encode(room.form, data, space.ops, room.arena)
    run_kernel(room.form, data, room.arena, data.num_train, data.num_valid, data.epochs, 0, 0)
    total = 0.0
    for task in range(data.num_tasks):
        total += room.arena.fitness[task // data.lanes, task % data.lanes]
    return total / data.num_tasks


@jit
def _keep(room, found, at):  # type: ignore[no-untyped-def]
    for slot in range(room.code.shape[0]):
        for j in range(4):
            found.code[at, slot, j] = room.code[slot, j]
        for j in range(3):
            found.constants[at, slot, j] = room.constants[slot, j]
    for component in range(3):
        found.sizes[at, component] = room.sizes[component]
