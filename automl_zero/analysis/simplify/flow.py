"""Data flow of a program: which writes each read may see, and which registers are wanted where.

The components run in a loop: Setup leads to Predict, Predict to Learn or (in validation) to Predict, and Learn to
Predict. The interpreter reads the prediction after Predict and may write it back, changed, before Learn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from automl_zero.analysis.simplify.frame import LEARN, PREDICT, SETUP, Frame, Register
from automl_zero.instruction import Instruction
from automl_zero.program import Program


class Site(NamedTuple):
    """Place of an instruction."""

    component: int
    position: int


class Read(NamedTuple):
    """One operand of an instruction; "out" is what a partial write keeps of its output."""

    site: Site
    operand: str


INITIAL = Site(-1, 0)  #: stands for the zero that a register holds at first
WRITE_BACK = Site(3, 0)  #: stands for the interpreter, which may change the prediction before Learn
OBSERVATION = Read(WRITE_BACK, "in1")  #: the interpreter reads the prediction after Predict

Definition = tuple[Register, Site]


def sites(program: Program) -> Iterator[tuple[Site, Instruction]]:
    """Every instruction with its place, in order."""
    for component, instructions in enumerate(program.components):
        for index, instruction in enumerate(instructions):
            yield Site(component, index), instruction


def reads_of(instruction: Instruction) -> list[tuple[str, Register]]:
    """Names and registers of the operands read."""
    partial = instruction.spec.partial_write
    return [(name, (kind, at)) for name, kind, at in instruction.operands() if name != "out" or partial]


def written_by(instruction: Instruction) -> Register | None:
    """The register written; None for a no_op."""
    return None if instruction.out is None else (instruction.spec.output, instruction.out)


@dataclass(frozen=True)
class Flow:
    """Where values come from and go to.

    Attributes:
        seen: the writes that each read may see.
        reaching: before each instruction, the writes that each register written anywhere may hold.
        wanted: after each instruction, the registers whose values may still be read.
        wanted_at_predict: the registers whose values may be read that Predict finds there.
        registers: the register of each read.
    """

    seen: dict[Read, frozenset[Site]]
    reaching: dict[Site, dict[Register, frozenset[Site]]]
    wanted: dict[Site, frozenset[Register]]
    wanted_at_predict: frozenset[Register]
    registers: dict[Read, Register]

    def readers(self, register: Register, site: Site) -> list[Read]:
        """The reads that may see what an instruction writes."""
        return [read for read, seen in self.seen.items() if site in seen and self.registers[read] == register]

    def is_live(self, register: Register | None, site: Site) -> bool:
        """Whether what an instruction writes can matter."""
        return register in self.wanted[site]


def flow_of(program: Program, frame: Frame) -> Flow:
    """Analyse a program."""
    registers = {frame.prediction}
    for _, instruction in sites(program):
        registers.update((kind, at) for _, kind, at in instruction.operands())
    reaching, at_observation = _reaching(program, frame, registers)
    seen, read_registers = {}, {}
    for site, instruction in sites(program):
        for operand, register in reads_of(instruction):
            seen[Read(site, operand)] = reaching[site].get(register, frozenset())
            read_registers[Read(site, operand)] = register
    seen[OBSERVATION], read_registers[OBSERVATION] = at_observation, frame.prediction
    wanted, at_predict = _wanted(program, frame)
    return Flow(seen, reaching, wanted, at_predict, read_registers)


Holds = dict[Register, frozenset[Site]]


def _reaching(
    program: Program, frame: Frame, registers: Iterable[Register]
) -> tuple[dict[Site, Holds], frozenset[Site]]:
    own = [register for register in registers if register not in frame.inputs]
    before: dict[Site, Holds] = {}

    def run(component: int, start: Holds) -> Holds:
        holds = dict(start)
        for index, instruction in enumerate(program.components[component]):
            site = Site(component, index)
            before[site] = dict(holds)
            written = written_by(instruction)
            if written is not None:
                holds[written] = frozenset({site})
        return holds

    after_setup = run(SETUP, {register: frozenset({INITIAL}) for register in own})
    entry = after_setup
    while True:
        after_predict = run(PREDICT, entry)
        learn_entry = {**after_predict, frame.prediction: after_predict[frame.prediction] | {WRITE_BACK}}
        after_learn = run(LEARN, learn_entry)
        merged = {register: entry[register] | after_predict[register] | after_learn[register] for register in own}
        if merged == entry:
            return before, after_predict[frame.prediction]
        entry = merged


def _wanted(program: Program, frame: Frame) -> tuple[dict[Site, frozenset[Register]], frozenset[Register]]:
    after: dict[Site, frozenset[Register]] = {}

    def run(component: int, end: frozenset[Register]) -> frozenset[Register]:
        wanted = set(end)
        for index in reversed(range(len(program.components[component]))):
            instruction = program.components[component][index]
            after[Site(component, index)] = frozenset(wanted)
            written = written_by(instruction)
            if written in wanted:
                wanted.discard(written)
                wanted.update(register for _, register in reads_of(instruction))
        return frozenset(wanted) - frame.inputs

    before_predict: frozenset[Register] = frozenset()
    before_learn: frozenset[Register] = frozenset()
    while True:
        predict = run(PREDICT, before_predict | before_learn | {frame.prediction})
        learn = run(LEARN, before_predict)
        if (predict, learn) == (before_predict, before_learn):
            run(SETUP, before_predict)
            return after, before_predict
        before_predict, before_learn = before_predict | predict, before_learn | learn
