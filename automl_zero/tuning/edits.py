"""Small edits of programs: new registers, new instructions, other operands."""

from __future__ import annotations

from dataclasses import replace

from automl_zero.explain.data_flow import VECTOR_PREDICTION, DataFlow, Register, Site
from automl_zero.instruction import Instruction
from automl_zero.memory import MAX_REGISTERS, PREDICTION
from automl_zero.ops import RegisterType
from automl_zero.program import Program

_FILES = {RegisterType.SCALAR: "scalars", RegisterType.VECTOR: "vectors", RegisterType.MATRIX: "matrices"}


def live_program(flow: DataFlow) -> Program:
    """The live instructions of a program alone."""
    components = (
        tuple(instruction for site, instruction in flow.live.items() if site.component == component)
        for component in range(3)
    )
    return Program(flow.program.memory, *components)


def unused_register(program: Program, kind: RegisterType, vector_label: bool = False) -> tuple[Program, int] | None:
    """A register that no instruction touches, and the program with room for it; None when all are in use."""
    used = {
        address
        for instructions in program.components
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
    room = max(program.memory.count(kind), free + 1)
    return replace(program, memory=replace(program.memory, **{_FILES[kind]: room})), free


def insert(program: Program, site: Site, instruction: Instruction) -> Program:
    """The program with an instruction put before the one at a site."""
    components = list(program.components)
    before = components[site.component]
    components[site.component] = (*before[: site.position], instruction, *before[site.position :])
    return Program(program.memory, *components)


def with_operand(program: Program, site: Site, name: str, register: Register) -> Program:
    """The program in which an instruction reads another register of the same type."""
    components = list(program.components)
    instructions = list(components[site.component])
    old = instructions[site.position]
    first = register[1] if name == "in1" else old.in1
    second = register[1] if name == "in2" else old.in2
    instructions[site.position] = Instruction(old.op, first, second, old.out, old.constants)
    components[site.component] = tuple(instructions)
    return Program(program.memory, *components)
