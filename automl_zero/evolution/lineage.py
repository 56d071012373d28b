"""The discoveries that every individual descends from, kept while anything alive descends from them (paper, Fig. 6).

A step is an individual that was clearly fitter than all its ancestors. Individuals hold references to the last step of
their line, and steps to the one before; a step without references is forgotten. All lines soon meet in a common
ancestor, so few steps are alive at a time, and keeping them costs a few nanoseconds an individual.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from automl_zero.aligned import aligned_zeros
from automl_zero.evolution.method import MUTATION_TYPES
from automl_zero.jit import inlined

GAIN = 0.01
"""How much of what its line lacked to a fitness of 1 an individual has to gain to be a step."""

CROSSED = len(MUTATION_TYPES)  # added to a mutation's number when there were two parents
IMMIGRANT = 2 * CROSSED  # a stand-in for the last step of an individual from another island

# Lineage.state, by index.
(
    FREE,  #: first step that is not in use, -1 for none; `previous` of such steps links them
    WAITING,  #: references to steps of other islands that were given up since the last barrier
    FORGONE,  #: steps for which there was no room
    ISLAND,  #: number of the island
) = range(4)


class Lineage(NamedTuple):
    """The steps of an island. A step's number is that of its island times n plus its index.

    Attributes:
        origins: int64[P + 2], index of the last step of each individual, -1 for none.
        previous: int64[n], number of the step before, -1 for none.
        references: int64[n], individuals and steps that refer to a step.
        individuals: int64[n], number of the individual on its island.
        mutations: uint8[n], number of its mutation's type, with CROSSED added for two parents.
        fitness, parent_fitness: float64[n].
        code, constants, sizes: the programs of the parent and of the individual, uint8[n, 2, slots, 4] and so on.
        given_up: int64[n], the numbers that are WAITING.
        state: int64[4].
    """

    origins: npt.NDArray[np.int64]
    previous: npt.NDArray[np.int64]
    references: npt.NDArray[np.int64]
    individuals: npt.NDArray[np.int64]
    mutations: npt.NDArray[np.uint8]
    fitness: npt.NDArray[np.float64]
    parent_fitness: npt.NDArray[np.float64]
    code: npt.NDArray[np.uint8]
    constants: npt.NDArray[np.float64]
    sizes: npt.NDArray[np.int64]
    given_up: npt.NDArray[np.int64]
    state: npt.NDArray[np.int64]


def new_lineage(island: int, population_size: int, slots: int) -> Lineage:
    """Room for the steps of an island before its first individual."""
    n = population_size + 512  # a line has at most some hundred steps, and tens are alive at a time
    lineage = Lineage(
        origins=aligned_zeros(population_size + 2, np.int64),
        previous=aligned_zeros(n, np.int64),
        references=aligned_zeros(n, np.int64),
        individuals=aligned_zeros(n, np.int64),
        mutations=aligned_zeros(n, np.uint8),
        fitness=aligned_zeros(n),
        parent_fitness=aligned_zeros(n),
        code=aligned_zeros((n, 2, slots, 4), np.uint8),
        constants=aligned_zeros((n, 2, slots, 3)),
        sizes=aligned_zeros((n, 2, 3), np.int64),
        given_up=aligned_zeros(n, np.int64),
        state=aligned_zeros(4, np.int64),
    )
    lineage.origins[:] = -1
    lineage.previous[:] = [*range(1, n), -1]
    lineage.state[ISLAND] = island
    return lineage


@inlined
def trace(island, candidate, parent, mutation, fitness, number):  # type: ignore[no-untyped-def]
    """Index of the last step of the candidate's line, which may be the candidate itself."""
    if parent < 0:
        return np.int64(-1)
    lineage = island.lineage
    origin = lineage.origins[parent]
    best = lineage.fitness[origin] if origin >= 0 else island.fitness[parent]
    if fitness <= best + GAIN * (1.0 - best):
        return origin
    step = _new_step(lineage, origin + lineage.state[ISLAND] * lineage.previous.size if origin >= 0 else np.int64(-1))
    if step < 0:
        return origin
    if origin >= 0:
        lineage.references[origin] += 1
    lineage.individuals[step] = number
    lineage.mutations[step] = mutation
    lineage.fitness[step] = fitness
    lineage.parent_fitness[step] = island.fitness[parent]
    for which in range(2):
        source = parent if which == 0 else candidate
        for component in range(3):
            lineage.sizes[step, which, component] = island.sizes[source, component]
        for slot in range(island.code.shape[1]):
            for j in range(4):
                lineage.code[step, which, slot, j] = island.code[source, slot, j]
            for j in range(3):
                lineage.constants[step, which, slot, j] = island.constants[source, slot, j]
    return step


@inlined
def settle(lineage, slot, origin):  # type: ignore[no-untyped-def]
    """Let the individual in a slot have an origin, in place of that of the individual before."""
    if origin >= 0:
        lineage.references[origin] += 1
    release(lineage, lineage.origins[slot])
    lineage.origins[slot] = origin


@inlined
def release(lineage, step):  # type: ignore[no-untyped-def]
    """Give up a reference to a step; with the last one it goes, and its own reference with it."""
    while step >= 0:
        lineage.references[step] -= 1
        if lineage.references[step] > 0:
            return
        before = lineage.previous[step]
        lineage.previous[step] = lineage.state[FREE]
        lineage.state[FREE] = step
        first = lineage.state[ISLAND] * lineage.previous.size
        if before >= 0 and (before < first or before >= first + lineage.previous.size):
            # The other island may be running: it hears of it at the barrier.
            lineage.given_up[lineage.state[WAITING]] = before
            lineage.state[WAITING] += 1
            return
        step = before - first if before >= 0 else np.int64(-1)


@inlined
def _new_step(lineage, before):  # type: ignore[no-untyped-def]
    """Index of a step that was free, -1 for none; nothing refers to it yet."""
    step = lineage.state[FREE]
    if step < 0:
        lineage.state[FORGONE] += 1
        return step
    lineage.state[FREE] = lineage.previous[step]
    lineage.previous[step] = before
    lineage.references[step] = 0
    return step


class Lines:
    """The lines of all islands, across which migrants carry theirs. For use at barriers.

    Args:
        lineages: of the islands, in order.
    """

    def __init__(self, lineages: Sequence[Lineage]) -> None:
        self.lineages = lineages
        self.room = lineages[0].previous.size

    def keep(self, island: int, slot: int) -> int:
        """Number of the last step of an individual, -1 for none, with a reference that `give_up` ends."""
        last = self.last(island, slot)
        if last is None:
            return -1
        self.lineages[last[0]].references[last[1]] += 1
        return last[0] * self.room + last[1]

    def give_up(self, number: int) -> None:
        """End a reference."""
        if number >= 0:
            release.py_func(self.lineages[number // self.room], number % self.room)

    def settle(self, island: int, slot: int, number: int, individual: int, fitness: float | None) -> None:
        """Let an immigrant have its line.

        Args:
            island: where it has arrived.
            slot: where it is.
            number: of the last step of its line, -1 for none.
            individual: number of the next individual of the island.
            fitness: on this island's tasks, where they differ from those of its own island.
        """
        lineage, origin = self.lineages[island], -1
        if number >= 0 and number // self.room == island and fitness is None:
            origin = number % self.room
        elif number >= 0:
            origin = int(_new_step.py_func(lineage, number))
            if origin >= 0:
                home, step = self.lineages[number // self.room], number % self.room
                home.references[step] += 1
                lineage.individuals[origin], lineage.mutations[origin] = individual, IMMIGRANT
                lineage.fitness[origin] = home.fitness[step] if fitness is None else fitness
        if origin >= 0:
            lineage.references[origin] += 1
        release.py_func(lineage, int(lineage.origins[slot]))
        lineage.origins[slot] = origin

    def hear(self) -> None:
        """End the references to steps of other islands that the islands have given up."""
        while any(lineage.state[WAITING] for lineage in self.lineages):
            for lineage in self.lineages:
                numbers = lineage.given_up[: lineage.state[WAITING]].tolist()
                lineage.state[WAITING] = 0
                for number in numbers:
                    self.give_up(number)

    def last(self, island: int, slot: int) -> tuple[int, int] | None:
        """The last step of an individual's line, as an island and an index."""
        step = int(self.lineages[island].origins[slot])
        return None if step < 0 else self._own(island * self.room + step)

    def before(self, island: int, step: int) -> tuple[int, int] | None:
        """The step before one of an island, likewise."""
        number = int(self.lineages[island].previous[step])
        return None if number < 0 else self._own(number)

    def _own(self, number: int) -> tuple[int, int]:
        """The step that a number means, also by its stand-in on another island."""
        island, step = divmod(number, self.room)
        if self.lineages[island].mutations[step] == IMMIGRANT:
            return divmod(int(self.lineages[island].previous[step]), self.room)
        return island, step
