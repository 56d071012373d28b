"""One island of many, seen as the CPU engine's islands are by what reports on an experiment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from automl_zero.evolution.on_device.archipelago import DeviceArchipelago


class IslandView:
    """An island between two calls; slot P + 1 holds its best individual.

    Attributes:
        fitness: search fitness by slot; that of the best can be set.
        code, constants, sizes: packed programs by slot.
    """

    def __init__(self, archipelago: DeviceArchipelago, number: int) -> None:
        self._archipelago, self._number = archipelago, number
        self.fitness = _Fitness(archipelago, number)
        self.code, self.constants, self.sizes = (_Part(archipelago, number, part) for part in range(3))

    @property
    def counters(self) -> npt.NDArray[np.int64]:
        """What has happened, by the indices of :mod:`automl_zero.evolution.engine`."""
        own: npt.NDArray[np.int64] = self._archipelago.counters[self._number]
        return own


class _Part:
    def __init__(self, archipelago: DeviceArchipelago, number: int, part: int) -> None:
        self._archipelago, self._number, self._part = archipelago, number, part

    def __getitem__(self, slot: int) -> npt.NDArray[Any]:
        return self._archipelago.packed(self._number, slot)[self._part]


class _Fitness:
    def __init__(self, archipelago: DeviceArchipelago, number: int) -> None:
        self._archipelago, self._number = archipelago, number

    def __getitem__(self, slot: int) -> float:
        state = self._archipelago.state
        if slot > self._archipelago.plan.population_size:
            return float(state.best_fitness[self._number])
        return float(state.fitness[self._number, slot])

    def __setitem__(self, slot: int, value: float) -> None:
        if slot <= self._archipelago.plan.population_size:
            raise IndexError(f"slot {slot} is not that of the best individual")
        self._archipelago.state.best_fitness[self._number] = value
