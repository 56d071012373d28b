"""How the values that no data reach evolve in time: a run of a program without its data.

A scalar such as a decaying learning rate depends on nothing but the program's constants and the number of examples
seen. Running just the instructions that compute such values shows what they are at every example.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from automl_zero.explain.data_flow import DATA, LEARN, PREDICT, SETUP, DataFlow, Operand, Site
from automl_zero.interpreters.numpy_interpreter import Machine

NUM_EXAMPLES = 200
_NUM_FEATURES = 4  # stands for any F


class Timeline:
    """Values of the operands that no data reach, at each of the first training examples.

    Args:
        flow: data flow of the program.
    """

    def __init__(self, flow: DataFlow) -> None:
        self._flow = flow

    def is_data_free(self, operand: Operand) -> bool:
        """Whether nothing but constants and time reaches an operand in training."""
        return not self._flow.ever_of(operand) & DATA

    def of(self, operand: Operand) -> npt.NDArray[np.float64] | None:
        """Values of a data-free operand: float64[examples, elements], a single example in Setup; None for others."""
        if not self.is_data_free(operand):
            return None
        return np.array(self._recorded[operand.site, operand.name])

    def is_zero(self, operand: Operand) -> bool:
        """Whether an operand is zero at all times."""
        values = self.of(operand)
        return values is not None and not values.any()

    def sign(self, operand: Operand) -> int:
        """1 or -1 if a data-free operand never has the other sign and is not always zero, else 0."""
        values = self.of(operand)
        if values is None or not values.any():
            return 0
        return int((values >= 0).all()) - int((values <= 0).all())

    def decays(self, operand: Operand, power: int) -> bool:
        """Whether operand ** power keeps its sign, never grows from one example to the next, and mostly shrinks."""
        values = self.of(operand)
        if values is None or len(values) < NUM_EXAMPLES or self.sign(operand) == 0:
            return False
        sizes = np.abs(values[:, 0]) ** power
        steps = np.diff(sizes)
        return bool((steps <= 0).all() and (steps < 0).mean() > 0.5)  # a first value and then another is no decay

    @cached_property
    def _recorded(self) -> dict[tuple[Site, str], list[npt.NDArray[Any]]]:
        """Contents of every data-free operand each time it is read."""
        flow = self._flow
        read = {site: [o for o in operands if self.is_data_free(o)] for site, operands in flow.operands.items()}
        end = flow.prediction.site
        machine = Machine(flow.program.memory, _NUM_FEATURES, np.float64)
        recorded: dict[tuple[Site, str], list[npt.NDArray[Any]]] = {}

        def note(operands: list[Operand]) -> None:
            for operand in operands:
                kind, address = operand.register
                value = np.atleast_1d(machine.registers[kind][address]).ravel().copy()
                recorded.setdefault((operand.site, operand.name), []).append(value)

        def run(component: int) -> None:
            for site, instruction in flow.live.items():
                if site.component == component:
                    note(read[site])
                    if not flow.ever[site] & DATA:
                        machine.execute(instruction)
            if component == end.component and self.is_data_free(flow.prediction):
                note([flow.prediction])

        with np.errstate(all="ignore"):
            run(SETUP)
            for _ in range(NUM_EXAMPLES):
                run(PREDICT)
                run(LEARN)
        return recorded
