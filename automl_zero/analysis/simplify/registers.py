"""Registers shared out anew: one for each value at first, then as few as possible, named in order of use.

A web is what must share a register: the writes that some read may see, and those reads (Muchnick, "Advanced Compiler
Design and Implementation", 1997, section 16.3).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Set

from automl_zero.analysis.simplify.edits import memory_for, name_of, swapped, with_operands, with_room
from automl_zero.analysis.simplify.flow import (
    OBSERVATION,
    WRITE_BACK,
    Definition,
    Flow,
    Read,
    Site,
    flow_of,
    reads_of,
    sites,
    written_by,
)
from automl_zero.analysis.simplify.frame import Frame, Register
from automl_zero.instruction import Instruction
from automl_zero.memory import MAX_REGISTERS
from automl_zero.ops import RegisterType
from automl_zero.program import Program

Web = Definition  # a web is named by one of its writes

_UNNAMED: Register = (RegisterType.NONE, MAX_REGISTERS)


class Webs:
    """The webs of a program."""

    def __init__(self, program: Program, frame: Frame) -> None:
        self.program, self.frame = program, frame
        self.flow: Flow = flow_of(program, frame)
        self._parents: dict[Definition, Definition] = {}
        for read, seen in self.flow.seen.items():
            register = self.flow.registers[read]
            if register not in frame.inputs:
                own = [read.site] if read.operand == "out" or read == OBSERVATION else []
                self._join([(register, site) for site in (*sorted(seen), *own)])
        self.fixed = self._find((frame.prediction, WRITE_BACK))

    def _find(self, definition: Definition) -> Web:
        parent = self._parents.setdefault(definition, definition)
        if parent != definition:
            parent = self._parents[definition] = self._find(parent)
        return parent

    def _join(self, definitions: list[Definition]) -> None:
        webs = sorted({self._find(definition) for definition in definitions})
        for web in webs[1:]:
            self._parents[web] = webs[0]

    def written(self, site: Site) -> Web | None:
        """The web that an instruction writes."""
        register = written_by(self.program.components[site.component][site.position])
        return None if register is None else self._find((register, site))

    def read(self, read: Read) -> Web | None:
        """The web that an operand reads; None for what the interpreter sets."""
        register = self.flow.registers[read]
        if register in self.frame.inputs:
            return None
        return self._find((register, min(self.flow.seen[read])))

    def conflicts(self) -> dict[Web, set[Web]]:
        """Webs that need different registers, because one is written while the other is still wanted."""
        result: dict[Web, set[Web]] = defaultdict(set)

        def conflict(webs: Iterable[Web], web: Web) -> None:
            for other in webs:
                if other != web and other[0][0] == web[0][0]:
                    result[web].add(other)
                    result[other].add(web)

        for site, _ in sites(self.program):
            written = self.written(site)
            if written is not None:
                holds = self.flow.reaching[site]
                others = (r for r in self.flow.wanted[site] if r != written[0] and r not in self.frame.inputs)
                conflict([self._find((r, min(holds[r]))) for r in others], written)
        return result


def renamed(program: Program, webs: Webs, names: dict[Web, Register]) -> Program:
    """The program with the webs in other registers; those that are not named stay where they are."""
    components: tuple[list[Instruction], ...] = ([], [], [])
    for site, instruction in sites(program):
        operands = {}
        for operand, _ in reads_of(instruction):
            web = webs.read(Read(site, operand))
            if web in names:
                operands[operand] = names[web][1]
        written = webs.written(site)
        if written in names:
            operands["out"] = names[written][1]
        components[site.component].append(with_operands(instruction, operands))
    return with_room(program.memory, components)


def split(program: Program, frame: Frame) -> tuple[Program, str]:
    """Give unrelated values that take turns in a register registers of their own, as far as there are any.

    Returns:
        The program, the same object if there is nothing to do, and what was done.
    """
    webs = Webs(program, frame)
    by_register: dict[Register, list[Web]] = {}
    for site, instruction in sites(program):
        found = [webs.read(Read(site, operand)) for operand, _ in reads_of(instruction)] + [webs.written(site)]
        for web in found:
            if web is not None and web not in by_register.setdefault(web[0], []):
                by_register[web[0]].append(web)
    taken = set(by_register) | frame.reserved
    names, notes = {}, []
    for register in sorted(by_register):
        group = by_register[register]
        stays = webs.fixed if register == frame.prediction else group[0]
        for web in group:
            new = _free(register, taken) if web != stays else None
            if new is not None:
                taken.add(new)
                names[web] = new
                notes.append(f"{name_of(new)} for a part of {name_of(register)}")
    return (renamed(program, webs, names), ", ".join(notes)) if names else (program, "")


def _free(register: Register, taken: Set[Register]) -> Register | None:
    kind, _ = register
    return next(((kind, at) for at in range(MAX_REGISTERS) if (kind, at) not in taken), None)


def share(program: Program, frame: Frame) -> Program:
    """Name registers in order of use, let values share one where they can, and drop those that are not needed.

    The operands of commutative ops are put in the order of the new names.
    """
    webs = Webs(program, frame)
    conflicts = webs.conflicts()
    names: dict[Web, Register] = {webs.fixed: frame.prediction}
    exchanged: dict[Site, Instruction] = {}
    for site, instruction in sites(program):
        order: list[Web | None] = [webs.read(Read(site, operand)) for operand, _ in reads_of(instruction)]
        if instruction.spec.commutative:
            # A web without a name gets the next one, so it comes last; what the interpreter sets stays where it is.
            addresses = (instruction.in1, instruction.in2)
            first, second = (
                (address or 0) if web is None else names.get(web, _UNNAMED)[1]
                for web, address in zip(order, addresses, strict=True)
            )
            if second < first:
                exchanged[site] = swapped(instruction)
                order.reverse()
        for web in (*order, webs.written(site)):
            if web is not None and web not in names:
                taken = frame.reserved | {names[other] for other in conflicts[web] if other in names}
                register = _free(web[0], taken)
                if register is None:  # cannot be shared out greedily: leave the names alone
                    return with_smallest_memory(program, frame)
                names[web] = register
    if exchanged:
        components = tuple(
            tuple(exchanged.get(Site(c, i), old) for i, old in enumerate(instructions))
            for c, instructions in enumerate(program.components)
        )
        program = Program(program.memory, *components)
        webs = Webs(program, frame)
    return with_smallest_memory(renamed(program, webs, names), frame)


def with_smallest_memory(program: Program, frame: Frame) -> Program:
    """The program without the registers behind the last one that it names."""
    return Program(memory_for(program.components, frame.reserved), *program.components)
