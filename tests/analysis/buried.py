"""Programs buried under instructions that change nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from automl_zero.memory import MemorySpec, first_output
from automl_zero.ops import TABLE, RegisterType
from automl_zero.program import Instruction, Program
from automl_zero.programs import random_instruction

ROOM = MemorySpec(20, 20, 12)
_TYPES = {RegisterType.SCALAR: "scalar", RegisterType.VECTOR: "vector", RegisterType.MATRIX: "matrix"}


class Burial:
    """A program that grows: its own instructions, and planted ones that compute what is known or what nobody reads."""

    def __init__(self, program: Program, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.components = [list(component) for component in program.components]
        self.own = [instruction for component in program.components for instruction in component]
        named = {(kind, at) for i in self.own for _, kind, at in i.operands()} | {(RegisterType.SCALAR, 1)}
        self.spare = {
            kind: [at for at in range(first_output(kind), ROOM.count(kind)) if (kind, at) not in named]
            for kind in _TYPES
        }
        # What dead instructions write, nobody else may read; each kind keeps one register that stays zero.
        self.never_read = {kind: [spare.pop(), spare.pop()] for kind, spare in self.spare.items()}
        self.zero = {kind: spare.pop() for kind, spare in self.spare.items()}

    def program(self) -> Program:
        return Program(ROOM, *map(tuple, self.components))

    def dead_write(self) -> None:
        component = self.random.integers(3)
        op = TABLE[int(self.random.integers(1, len(TABLE)))]
        instruction = random_instruction(op, ROOM, self.random)
        out = int(self.random.choice(self.never_read[op.output]))
        position = self.random.integers(len(self.components[component]) + 1)
        self.components[component].insert(position, replace(instruction, out=out))

    def recomputation(self) -> None:
        """The same instruction once more just before, for a later reader."""
        component, position = self._pick(lambda i: not i.spec.random and not i.spec.partial_write)
        original = self.components[component][position]
        copy = replace(original, out=self._spare(original.spec.output))
        self.components[component].insert(position, copy)
        self._redirect(component, position + 2, original.spec.output, original.out, copy.out)

    def duplicate_constant(self) -> None:
        """A constant of Setup set once more, there or where it is used."""
        _, position = self._pick(lambda i: i.op == "scalar_const_set", components=(0,))
        original = self.components[0][position]
        copy = replace(original, out=self._spare(original.spec.output))
        component = int(self.random.integers(3))
        self.components[component].insert(0, copy)
        self._redirect(max(component, 1), 0, original.spec.output, original.out, copy.out)
        self._redirect(2, 0, original.spec.output, original.out, copy.out)

    def identity(self) -> None:
        """The larger of a value and itself, or the value minus zero, in place of the value."""
        component, position = self._pick(lambda i: i.spec.output in _TYPES)
        original = self.components[component][position]
        kind, register = original.spec.output, original.out
        out = self._spare(kind)
        rule = str(self.random.choice(["max", "min", "diff"]))
        other = self.zero[kind] if rule == "diff" else register
        self.components[component].insert(position + 1, Instruction(f"{_TYPES[kind]}_{rule}", register, other, out))
        self._redirect(component, position + 2, kind, register, out)

    def plant(self) -> None:
        if min(map(len, self.spare.values())) == 0:
            return self.dead_write()
        kinds = (self.dead_write, self.recomputation, self.duplicate_constant, self.identity)
        return kinds[self.random.integers(len(kinds))]()

    def _pick(self, wanted, components=(0, 1, 2)) -> tuple[int, int]:
        places = [
            (c, i)
            for c in components
            for i, instruction in enumerate(self.components[c])
            if any(instruction is own for own in self.own) and wanted(instruction)
        ]
        component, position = places[self.random.integers(len(places))]
        return component, position

    def _spare(self, kind: RegisterType) -> int:
        return self.spare[kind].pop(self.random.integers(len(self.spare[kind])))

    def _redirect(self, component: int, start: int, kind: RegisterType, old: int, new: int) -> None:
        """Let the first instruction that reads a register read another one, unless it is written before."""
        instructions = self.components[component]
        for position in range(start, len(instructions)):
            instruction = instructions[position]
            for operand, its_kind, address in instruction.operands():
                if operand != "out" and (its_kind, address) == (kind, old):
                    changed = replace(instruction, **{operand: new})
                    self.own = [changed if own is instruction else own for own in self.own]
                    instructions[position] = changed
                    return
            if (instruction.spec.output, instruction.out) == (kind, old):
                return


def bury(program: Program, count: int, seed: int) -> Program:
    """The program with that many instructions more, which change no fitness."""
    burial = Burial(program, seed)
    for _ in range(count):
        burial.plant()
    return burial.program()
