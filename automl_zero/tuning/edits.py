"""Small edits of programs: new registers, new instructions, other operands."""

from __future__ import annotations

from dataclasses import dataclass, replace

from automl_zero.explain.data_flow import VECTOR_PREDICTION, DataFlow, Register, Site
from automl_zero.instruction import Instruction
from automl_zero.memory import MAX_REGISTERS, PREDICTION
from automl_zero.ops import RegisterType
from automl_zero.program import Program

_FILES = {RegisterType.SCALAR: "scalars", RegisterType.VECTOR: "vectors", RegisterType.MATRIX: "matrices"}


@dataclass(frozen=True)
class Draft:
    """A program in the making, that remembers where its instructions come from.

    Attributes:
        program: the program.
        places: for every instruction of every component function, its place in the program as it was given; for one
            that was added, what it was added for.
    """

    program: Program
    places: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, program: Program) -> Draft:
        """A program as it was given."""
        components = enumerate(program.components)
        return cls(program, tuple(tuple(str(Site(c, p)) for p in range(len(each))) for c, each in components))

    def place(self, site: Site) -> str:
        """Where an instruction comes from."""
        return self.places[site.component][site.position]

    def live(self, flow: DataFlow) -> Draft:
        """The live instructions alone; the flow is that of the program."""
        kept = [[site for site in flow.live if site.component == component] for component in range(3)]
        components = (tuple(flow.live[site] for site in sites) for sites in kept)
        places = tuple(tuple(map(self.place, sites)) for sites in kept)
        return Draft(Program(self.program.memory, *components), places)

    def insert(self, site: Site, instruction: Instruction, place: str) -> Draft:
        """The program with an instruction put before the one at a site."""
        components, places = list(self.program.components), list(self.places)
        c, p = site.component, site.position
        components[c] = (*components[c][:p], instruction, *components[c][p:])
        places[c] = (*places[c][:p], place, *places[c][p:])
        return Draft(Program(self.program.memory, *components), tuple(places))

    def with_operand(self, site: Site, name: str, register: Register) -> Draft:
        """The program in which an instruction reads another register of the same type."""
        components = list(self.program.components)
        instructions = list(components[site.component])
        old = instructions[site.position]
        first = register[1] if name == "in1" else old.in1
        second = register[1] if name == "in2" else old.in2
        instructions[site.position] = replace(old, in1=first, in2=second)
        components[site.component] = tuple(instructions)
        return Draft(Program(self.program.memory, *components), self.places)

    def unused_register(self, kind: RegisterType, vector_label: bool = False) -> tuple[Draft, int] | None:
        """A register that no instruction touches, and the program with room for it; None when all are in use."""
        used = {
            address
            for instructions in self.program.components
            for instruction in instructions
            for _, its_kind, address in instruction.operands()
            if its_kind == kind
        }
        reserved = {
            RegisterType.SCALAR: PREDICTION + 1,
            RegisterType.VECTOR: VECTOR_PREDICTION + 1 if vector_label else 1,
            RegisterType.MATRIX: 0,
        }
        free = next((a for a in range(reserved[kind], MAX_REGISTERS) if a not in used), None)
        if free is None:
            return None
        room = max(self.program.memory.count(kind), free + 1)
        memory = replace(self.program.memory, **{_FILES[kind]: room})
        return replace(self, program=replace(self.program, memory=memory)), free
