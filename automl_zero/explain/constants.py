"""Which constants of a program matter, and on what scale: fitness as each one is scaled by powers of ten."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from automl_zero.explain.changes import ERRORS, Change, PairedScores
from automl_zero.explain.data_flow import DataFlow, Site
from automl_zero.instruction import Instruction
from automl_zero.ops import ConstantKind
from automl_zero.program import Program

#: Factors that every constant is multiplied by; -1 flips its sign.
FACTORS = (*(10.0**k for k in range(-3, 4)), -1.0)
TOLERANCE = 1e-3  # a smaller loss of fitness does not matter, however certain it is
_FLOAT32 = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Point:
    """Fitness with another value of a constant.

    Attributes:
        factor: what the constant was multiplied by; for a constant that is 0, the value that it was set to.
        value: the value that this gave.
        change: change of the mean fitness.
    """

    factor: float
    value: float
    change: Change

    @property
    def is_flat(self) -> bool:
        """Whether nothing that matters is lost."""
        return self.change.mean >= -max(TOLERANCE, ERRORS * (self.change.standard_error or 0.0))


@dataclass(frozen=True)
class Sensitivity:
    """How fitness depends on one constant.

    Attributes:
        site: the instruction that holds it.
        index: its position among the instruction's constants.
        name: its name in the op table, such as "value" or "st_dev".
        value: the constant.
        curve: fitness at other values, in order of size, the flipped sign at last.
        flat: the smallest and the largest factor around 1 between which nothing that matters is lost.
    """

    site: Site
    index: int
    name: str
    value: float
    curve: tuple[Point, ...]
    flat: tuple[float, float]

    @property
    def largest_loss(self) -> float:
        """The most that any of the values tried loses, 0 or more."""
        return max(0.0, *(-point.change.mean for point in self.curve))

    @property
    def matters(self) -> bool:
        """Whether any of the values tried loses something that matters."""
        return not all(point.is_flat for point in self.curve)


def constant_sensitivities(flow: DataFlow, scores: PairedScores) -> list[Sensitivity]:
    """The live constants, those that matter most first. Constants that select an element are left out.

    Args:
        flow: data flow of the program.
        scores: scores of the program on fresh tasks.
    """
    found = []
    for site, index, name, value in tunable_constants(flow):
        signed = flow.live[site].spec.constants[index][1] != ConstantKind.ST_DEV
        curve = []
        for factor in FACTORS:
            new = value * factor if value else factor
            if factor != 1.0 and abs(new) <= _FLOAT32 and (signed or factor > 0):
                change = scores.change(with_constants(flow.program, {(site, index): new}))
                curve.append(Point(factor, new, change))
        found.append(Sensitivity(site, index, name, value, tuple(curve), _flat(curve, bool(value))))
    return sorted(found, key=lambda sensitivity: -sensitivity.largest_loss)


def tunable_constants(flow: DataFlow) -> Iterator[tuple[Site, int, str, float]]:
    """Live constants that are numbers, not selections of an element: site, position, name and value."""
    for site, instruction in flow.live.items():
        for index, (name, kind) in enumerate(instruction.spec.constants):
            if kind != ConstantKind.INDEX:
                yield site, index, name, instruction.constants[index]


def with_constants(program: Program, values: dict[tuple[Site, int], float]) -> Program:
    """The program with other constants, given by site and position."""
    components = [list(instructions) for instructions in program.components]
    for (site, index), value in values.items():
        instruction: Instruction = components[site.component][site.position]
        constants = list(instruction.constants)
        constants[index] = value
        components[site.component][site.position] = replace(instruction, constants=tuple(constants))
    return Program(program.memory, *(tuple(instructions) for instructions in components))


def _flat(curve: list[Point], relative: bool) -> tuple[float, float]:
    """Range of factors around the constant as it is; around 0, range of values."""
    above = sorted((p for p in curve if p.factor > (1.0 if relative else 0.0)), key=lambda point: point.factor)
    below = sorted((p for p in curve if 0.0 < p.factor < 1.0), key=lambda point: -point.factor) if relative else []
    return _last_flat(below, 1.0 if relative else 0.0), _last_flat(above, 1.0 if relative else 0.0)


def _last_flat(points: list[Point], start: float) -> float:
    reached = start
    for point in points:
        if not point.is_flat:
            break
        reached = point.factor
    return reached
