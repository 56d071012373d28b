"""Programs written as they are printed, for tests."""

from __future__ import annotations

import re

from automl_zero.memory import MemorySpec
from automl_zero.ops import TABLE, Op
from automl_zero.program import Instruction, Program

MEMORY = MemorySpec(8, 8, 4)
_NUMBER = r"(-?[\d.]+(?:e-?\d+)?)"


def _pattern(op: Op) -> re.Pattern[str]:
    pattern = re.escape(op.pseudocode)
    for name, kind in (("in1", op.inputs[:1]), ("in2", op.inputs[1:]), ("out", (op.output,))):
        if kind and kind[0]:
            pattern = pattern.replace(re.escape(f"{{{name}}}"), rf"{kind[0].letter}(?P<{name}>\d+)")
    for position in range(3):
        pattern = pattern.replace(re.escape(f"{{c{position}}}"), _NUMBER.replace("(", f"(?P<c{position}>", 1))
    return re.compile(pattern)


_PATTERNS = [(op, _pattern(op)) for op in TABLE]


def instruction(line: str) -> Instruction:
    """An instruction from its pseudocode; index constants are fractions."""
    for op, pattern in _PATTERNS:
        match = pattern.fullmatch(line.strip())
        if match:
            found = match.groupdict()
            addresses = {name: int(found[name]) for name in ("in1", "in2", "out") if found.get(name)}
            return Instruction(
                op.name, **addresses, constants=tuple(float(found[f"c{i}"]) for i in range(len(op.constants)))
            )
    raise AssertionError(f"{line!r} is no instruction")


def program(setup: str = "", predict: str = "", learn: str = "", memory: MemorySpec = MEMORY) -> Program:
    """A program whose instructions are separated by semicolons."""
    components = ([instruction(line) for line in text.split(";") if line.strip()] for text in (setup, predict, learn))
    return Program(memory, *map(tuple, components))


def text(shown: Program) -> list[str]:
    """The components of a program in the same notation."""
    parts = shown.pseudocode().split("def ")[1:]
    lines = [[line.strip() for line in part.splitlines()[1:]] for part in parts]
    return ["; ".join(line for line in part if line != "pass") for part in lines]
