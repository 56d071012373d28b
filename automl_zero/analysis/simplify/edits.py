"""Changes to programs: instructions replaced, removed or moved, and registers added."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from automl_zero.analysis.simplify.flow import Read, Site, sites
from automl_zero.analysis.simplify.frame import SETUP, Frame, Register
from automl_zero.instruction import Instruction
from automl_zero.memory import MAX_REGISTERS, MemorySpec
from automl_zero.ops import RegisterType
from automl_zero.program import Program
from automl_zero.pseudocode import render_instruction

COMPONENT_NAMES = ("Setup", "Predict", "Learn")


@dataclass(frozen=True)
class Edit:
    """A change to a program.

    Attributes:
        rule: name of the rule behind it.
        site: the instruction that it is about.
        reason: why the change is allowed.
        changed: new instructions, None for one that goes.
        inserted: instructions to add behind others.
        appended: instructions to add at the end of a component.
        prepended: instructions to add at its beginning.
        target: number of that component.
    """

    rule: str
    site: Site
    reason: str = ""
    changed: Mapping[Site, Instruction | None] = field(default_factory=dict)
    inserted: Mapping[Site, Instruction] = field(default_factory=dict)
    appended: tuple[Instruction, ...] = ()
    prepended: tuple[Instruction, ...] = ()
    target: int = SETUP


def applied(program: Program, edit: Edit) -> Program:
    """The program after an edit; its memory grows where a new register is named."""
    components: tuple[list[Instruction], ...] = ([], [], [])
    for site, instruction in sites(program):
        new = edit.changed.get(site, instruction)
        behind = edit.inserted.get(site)
        components[site.component].extend(i for i in (new, behind) if i is not None)
    components[edit.target][:0] = edit.prepended
    components[edit.target].extend(edit.appended)
    return with_room(program.memory, components)


def with_room(memory: MemorySpec, components: Iterable[Iterable[Instruction]]) -> Program:
    """A program whose memory is that given, or larger where its instructions need it."""
    setup, predict, learn = map(tuple, components)
    needed = memory_for((setup, predict, learn))
    counts = (max(memory.count(kind), needed.count(kind)) for kind in list(RegisterType)[1:])
    return Program(MemorySpec(*counts), setup, predict, learn)


def memory_for(components: Iterable[Iterable[Instruction]], smallest: Iterable[Register] = ()) -> MemorySpec:
    """The smallest memory that holds what instructions name and the registers given."""
    counts = {RegisterType.SCALAR: 2, RegisterType.VECTOR: 1, RegisterType.MATRIX: 0}
    for kind, address in smallest:
        counts[kind] = max(counts[kind], address + 1)
    for instructions in components:
        for instruction in instructions:
            for _, kind, address in instruction.operands():
                counts[kind] = max(counts[kind], address + 1)
    return MemorySpec(*counts.values())


def with_operands(instruction: Instruction, operands: Mapping[str, int]) -> Instruction:
    """The instruction with other addresses."""
    names = ("in1", "in2", "out")
    in1, in2, out = (operands.get(name, getattr(instruction, name)) for name in names)
    return replace(instruction, in1=in1, in2=in2, out=out)


def swapped(instruction: Instruction) -> Instruction:
    """The instruction with its two operands exchanged."""
    return replace(instruction, in1=instruction.in2, in2=instruction.in1)


def redirected(
    program: Program, targets: Mapping[Read, Register], changed: Mapping[Site, Instruction | None]
) -> dict[Site, Instruction | None]:
    """Instructions whose reads go to other registers, added to other changes."""
    result = dict(changed)
    for read, (_, address) in targets.items():
        instruction = result.get(read.site, program.components[read.site.component][read.site.position])
        if instruction is not None:
            result[read.site] = with_operands(instruction, {read.operand: address})
    return result


def unused_register(program: Program, frame: Frame, kind: RegisterType) -> Register | None:
    """The lowest register of a type that neither an instruction nor the interpreter uses; None when there is none."""
    taken = {(k, at) for _, instruction in sites(program) for _, k, at in instruction.operands()} | frame.reserved
    return next(((kind, address) for address in range(MAX_REGISTERS) if (kind, address) not in taken), None)


def name_of(register: Register) -> str:
    """A register as pseudocode writes it."""
    kind, address = register
    return f"{kind.letter}{address}"


def describe(program: Program, edit: Edit) -> str:
    """What an edit does, in one line."""
    old = program.components[edit.site.component][edit.site.position]
    new = edit.changed.get(edit.site, old)
    text = render_instruction(old)
    moved = edit.appended or edit.prepended
    if new is None and moved:
        where = "end" if edit.appended else "beginning"
        text += f"  moves to the {where} of {COMPONENT_NAMES[edit.target]}"
        if moved[-1] != old:
            text += f" as  {render_instruction(moved[-1])}"
    elif new is None:
        text += "  removed"
    elif new != old:
        text += f"  becomes  {render_instruction(new)}"
    return f"{text}: {edit.reason}" if edit.reason else text
